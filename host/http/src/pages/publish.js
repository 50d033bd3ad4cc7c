// Publishes a camera or a screen by WHIP.

import { Session, endpoint } from "/-/session.js";

const [form, address, token, sound, start, stop, status, note, preview] = [
  "form", "address", "token", "sound", "start", "stop", "status", "note", "preview",
].map((id) => document.getElementById(id));

const STATES = {
  connecting: "Connecting …",
  connected: "Connected: others can see you.",
  waiting: "No connection. Trying again …",
  refused: "Refused.",
  stopped: "Stopped.",
};

let session;
let media;

const query = new URLSearchParams(location.search);
address.value = query.get("address") ?? "";
const source = form.elements.source;
if (query.get("source") === "screen") source.value = "screen";

form.addEventListener("submit", (event) => {
  event.preventDefault();
  begin();
});
stop.addEventListener("click", end);
if (query.has("start") && address.value !== "") begin();

async function begin() {
  start.disabled = true;
  note.textContent = "";
  try {
    media = await capture();
  } catch (error) {
    start.disabled = false;
    note.textContent = `There is no ${source.value}: ${error.message}`;
    return;
  }
  preview.srcObject = media;
  stop.disabled = false;
  stop.focus();
  for (const track of media.getTracks()) {
    // The user took the device away, or the browser's own "stop sharing".
    track.addEventListener("ended", end);
  }
  session = new Session(endpoint("whip", address.value), token.value, prepare, show);
}

function end() {
  session?.stop();
  session = undefined;
  media?.getTracks().forEach((track) => track.stop());
  media = undefined;
  preview.srcObject = null;
  stop.disabled = true;
  start.disabled = false;
  start.focus();
}

async function capture() {
  if (navigator.mediaDevices === undefined) {
    throw new Error("browsers give devices only to pages from https:// or localhost");
  }
  const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  if (source.value === "camera") {
    return navigator.mediaDevices.getUserMedia({ video, audio: sound.checked });
  }
  const screen = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 30 } }, audio: sound.checked });
  screen.getVideoTracks().forEach((track) => (track.contentHint = "detail"));
  return screen;
}

function prepare(connection) {
  for (const track of media.getTracks()) {
    connection.addTransceiver(track, { direction: "sendonly", streams: [media] });
  }
  return (sdp) => {
    if (/^m=video/m.test(sdp) && !/H264\/90000/i.test(sdp)) {
      note.textContent =
        "This browser sends no H.264, only VP8: browsers see your picture; RTMP players do not, and a mix may show a placeholder for it.";
    }
    return sdp;
  };
}

function show(state, detail) {
  status.textContent = detail === "" ? STATES[state] : `${STATES[state]} (${detail})`;
  document.documentElement.dataset.state = state;
  if (state === "refused") {
    note.textContent = `The server refuses: ${detail}`;
    status.textContent = "";
    end();
  }
}
