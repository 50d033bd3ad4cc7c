// Plays any address by WHEP, and shows how well it comes.

import { Session, endpoint } from "/-/session.js";

const [form, address, token, start, stop, toggle, status, note, video, statistics] = [
  "form", "address", "token", "start", "stop", "toggle", "status", "note", "video", "statistics",
].map((id) => document.getElementById(id));

const STATES = {
  connecting: "Connecting …",
  connected: "Playing. Sound is off until you switch it on in the picture.",
  waiting: "Nothing to play. Trying again …",
  refused: "Refused.",
  stopped: "Stopped.",
};

let session;
let timer;

const query = new URLSearchParams(location.search);
address.value = query.get("address") ?? "";

form.addEventListener("submit", (event) => {
  event.preventDefault();
  begin();
});
stop.addEventListener("click", end);
toggle.addEventListener("click", () => {
  statistics.hidden = !statistics.hidden;
  toggle.setAttribute("aria-expanded", String(!statistics.hidden));
});
if (query.has("statistics")) toggle.click();
if (query.has("start") && address.value !== "") begin();

function begin() {
  start.disabled = true;
  stop.disabled = false;
  stop.focus();
  note.textContent = "";
  session = new Session(endpoint("whep", address.value), token.value, prepare, show);
}

function end() {
  session?.stop();
  session = undefined;
  clearInterval(timer);
  video.srcObject = null;
  stop.disabled = true;
  start.disabled = false;
  start.focus();
}

function prepare(connection) {
  const stream = new MediaStream();
  connection.addTransceiver("audio", { direction: "recvonly" });
  connection.addTransceiver("video", { direction: "recvonly" });
  connection.ontrack = ({ track }) => {
    stream.addTrack(track);
    video.srcObject = stream;
  };
  return (sdp) => {
    if (!/H264\/90000/i.test(sdp)) {
      note.textContent =
        "This browser takes no H.264, only VP8 and the like: most streams here are H.264 and cannot be shown in it.";
    }
    // Without the word browsers decode Opus to one channel (RFC 7587 §6.1).
    return sdp.replace(/^(a=fmtp:\d+ .*useinbandfec=1)$/gm, "$1;stereo=1");
  };
}

function show(state, detail, connection) {
  status.textContent = detail === "" ? STATES[state] : `${STATES[state]} (${detail})`;
  document.documentElement.dataset.state = state;
  clearInterval(timer);
  if (state === "connected") {
    const seen = {};
    timer = setInterval(() => measure(connection, seen), 1000);
  }
  if (state === "refused") {
    note.textContent = `The server refuses: ${detail}`;
    status.textContent = "";
    end();
  }
}

async function measure(connection, seen) {
  const report = await connection.getStats();
  for (const stats of report.values()) {
    if (stats.type === "inbound-rtp") {
      track(stats, report.get(stats.codecId), (seen[stats.kind] ??= {}));
    }
    if (stats.type === "candidate-pair" && stats.nominated && stats.currentRoundTripTime !== undefined) {
      write("rtt", milliseconds(stats.currentRoundTripTime));
    }
  }
}

function track(stats, codec, last) {
  const { kind } = stats;
  const seconds = (stats.timestamp - (last.timestamp ?? NaN)) / 1000;
  const kbps = (8 * (stats.bytesReceived - last.bytes)) / 1000 / seconds;
  const lost = stats.packetsLost - last.lost;
  const due = lost + stats.packetsReceived - last.packets;
  write(`${kind}-codec`, codec?.mimeType?.split("/")[1] ?? "–");
  write(`${kind}-bitrate`, Number.isFinite(kbps) ? `${Math.round(kbps)} kbit/s` : "–");
  write(`${kind}-loss`, due > 0 ? `${((100 * Math.max(lost, 0)) / due).toFixed(1)} %` : "–");
  write(`${kind}-jitter`, milliseconds(stats.jitter));
  if (kind === "video") {
    write("size", stats.frameWidth === undefined ? "–" : `${stats.frameWidth} × ${stats.frameHeight}`);
    write("fps", stats.framesPerSecond ?? "–");
    write("freezes", `${stats.freezeCount ?? 0} (${(stats.totalFreezesDuration ?? 0).toFixed(1)} s)`);
  }
  Object.assign(last, {
    timestamp: stats.timestamp,
    bytes: stats.bytesReceived,
    lost: stats.packetsLost,
    packets: stats.packetsReceived,
  });
}

function write(id, text) {
  document.getElementById(id).textContent = text;
}

function milliseconds(seconds) {
  return seconds === undefined ? "–" : `${Math.round(1000 * seconds)} ms`;
}
