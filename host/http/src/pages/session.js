// One WHIP or WHEP session (RFC 9725) that comes back by itself until it is stopped.
//
// A lost connection is answered with an ICE restart by PATCH, a session that is gone with a new one.
// Candidates of this side are not sent: the server is ICE-lite and learns addresses from checks.

const PAUSE_FIRST = 1000;
const PAUSE_MAX = 10000;
const DISCONNECTED_MAX = 2000;
const CONNECTING_MAX = 10000;
const ANSWER_MAX = 130000;
// Asking again the same way would be refused the same way.
const FINAL = new Set([400, 401, 403, 405, 413, 415, 422]);

/** A refusal of the server. */
export class Refused extends Error {
  constructor(status, reason, after) {
    super(`${status}: ${reason}`);
    this.isFinal = FINAL.has(status);
    this.after = after;
  }
}

/** `live/room1?key=x` below `/whip` or `/whep`. */
export function endpoint(kind, address) {
  const [path, ...query] = address.trim().split("?");
  const segments = path.split("/").filter((segment) => segment !== "").map(encodeURIComponent);
  return `/${kind}/${segments.join("/")}` + (query.length > 0 ? `?${query.join("?")}` : "");
}

export class Session {
  /**
   * @param url Where offers are posted.
   * @param token Bearer token, may be empty.
   * @param prepare Adds tracks or transceivers to a fresh connection; may return what changes its offer.
   * @param tell Is told `(state, detail, connection)`: connecting, connected, waiting, refused, stopped.
   */
  constructor(url, token, prepare, tell) {
    Object.assign(this, { url, token, prepare, tell });
    this.isStopped = false;
    this.pause = PAUSE_FIRST;
    this.iceServers = [];
    this.onLeave = () => this.leave();
    addEventListener("pagehide", this.onLeave);
    this.run();
  }

  /** Ends it here and on the server. */
  stop() {
    this.isStopped = true;
    removeEventListener("pagehide", this.onLeave);
    this.leave();
    this.wake?.();
    this.tell("stopped", "");
  }

  async run() {
    while (!this.isStopped) {
      try {
        this.tell("connecting", "");
        await this.once();
      } catch (error) {
        if (this.isStopped) return;
        this.leave();
        if (error.isFinal) {
          this.isStopped = true;
          removeEventListener("pagehide", this.onLeave);
          this.tell("refused", error.message);
          return;
        }
        this.tell("waiting", error.message);
        await this.sleep(Math.max(this.pause * (0.8 + 0.4 * Math.random()), error.after ?? 0));
        this.pause = Math.min(2 * this.pause, PAUSE_MAX);
      }
    }
  }

  /** One session from its offer to its end, which is always an error. */
  async once() {
    const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: this.iceServers });
    this.connection = connection;
    const change = this.prepare(connection) ?? ((sdp) => sdp);
    const ended = this.watch(connection);
    // It is awaited at the end, and may fail before.
    ended.catch(() => {});
    const offer = await connection.createOffer();
    try {
      await connection.setLocalDescription({ type: "offer", sdp: change(offer.sdp) });
    } catch {
      await connection.setLocalDescription(offer);
    }
    const headers = { "content-type": "application/sdp" };
    const response = await this.ask("POST", this.url, headers, connection.localDescription.sdp);
    const location = response.headers.get("location");
    const answer = await response.text();
    if (location === null) throw new Error("the server names no session");
    this.resource = new URL(location, new URL(this.url, document.baseURI)).href;
    if (this.isStopped || this.connection !== connection) {
      this.leave();
      throw new Error("stopped");
    }
    this.iceServers = iceServers(response.headers.get("link") ?? "");
    await connection.setRemoteDescription({ type: "answer", sdp: answer });
    await ended;
  }

  /** Fails when the connection is lost and ICE cannot be begun anew. */
  watch(connection) {
    return new Promise((_, reject) => {
      const lost = (reason) => reject(new Error(reason));
      let timer = setTimeout(() => lost("no connection"), ANSWER_MAX);
      let isRestarting = false;
      const restart = async () => {
        if (isRestarting) return;
        isRestarting = true;
        try {
          await this.restart(connection);
          timer = setTimeout(() => lost("the connection was lost"), CONNECTING_MAX);
        } catch {
          lost("the connection was lost");
        }
        isRestarting = false;
      };
      connection.onconnectionstatechange = () => {
        clearTimeout(timer);
        switch (connection.connectionState) {
          case "connecting":
            timer = setTimeout(() => lost("no connection"), CONNECTING_MAX);
            break;
          case "connected":
            this.pause = PAUSE_FIRST;
            this.tell("connected", "", connection);
            break;
          case "disconnected":
            timer = setTimeout(restart, DISCONNECTED_MAX);
            break;
          case "failed":
            restart();
            break;
          case "closed":
            lost("closed");
            break;
        }
      };
      connection.onclosed = () => lost("closed");
    });
  }

  /** RFC 9725 §4.3.2: new credentials by PATCH; those of the answer are put into the old answer. */
  async restart(connection) {
    const before = connection.currentRemoteDescription?.sdp ?? "";
    const offer = await connection.createOffer({ iceRestart: true });
    await connection.setLocalDescription(offer);
    const headers = { "content-type": "application/trickle-ice-sdpfrag", "if-match": "*" };
    const mid = value(offer.sdp, "mid") ?? "0";
    const fragment = [
      `a=ice-ufrag:${value(offer.sdp, "ice-ufrag")}`,
      `a=ice-pwd:${value(offer.sdp, "ice-pwd")}`,
      "m=audio 9 RTP/AVP 0",
      `a=mid:${mid}`,
      "a=end-of-candidates",
      "",
    ].join("\r\n");
    const response = await this.ask("PATCH", this.resource, headers, fragment);
    const told = await response.text();
    const answer = before
      .replace(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${value(told, "ice-ufrag")}`)
      .replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${value(told, "ice-pwd")}`);
    await connection.setRemoteDescription({ type: "answer", sdp: answer });
  }

  async ask(method, url, headers, body) {
    if (this.token !== "") headers.authorization = `Bearer ${this.token}`;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), ANSWER_MAX);
    const response = await fetch(url, { method, headers, body, signal: abort.signal }).finally(() => clearTimeout(timer));
    if (response.ok) return response;
    const text = await response.text();
    let reason = text;
    try {
      reason = JSON.parse(text).error ?? text;
    } catch {
      // Not every answer is JSON: a proxy may stand between.
    }
    throw new Refused(response.status, reason, 1000 * Number(response.headers.get("retry-after") ?? 0));
  }

  /** Tells the server that this side goes, also while the page is being closed. */
  leave() {
    const { connection, resource } = this;
    this.connection = undefined;
    this.resource = undefined;
    connection?.onclosed?.();
    if (resource === undefined) {
      connection?.close();
      return;
    }
    const headers = this.token === "" ? {} : { authorization: `Bearer ${this.token}` };
    // The order first: the goodbye of DTLS would end the session too, and leave nothing to delete.
    fetch(resource, { method: "DELETE", headers, keepalive: true })
      .catch(() => {})
      .finally(() => connection?.close());
  }

  sleep(time) {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, time);
    });
  }
}

/** The first value of an attribute. */
function value(sdp, name) {
  return sdp.split(/\r?\n/).find((line) => line.startsWith(`a=${name}:`))?.slice(name.length + 3);
}

/** Servers of `Link` headers with `rel="ice-server"` (RFC 9725 §4.6). */
function iceServers(links) {
  const servers = [];
  for (const [, url, parameters] of links.matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+="(?:[^"\\]|\\.)*")*)/g)) {
    const told = {};
    for (const [, name, text] of parameters.matchAll(/([\w-]+)="((?:[^"\\]|\\.)*)"/g)) {
      told[name] = text.replace(/\\(.)/g, "$1");
    }
    if (told.rel === "ice-server") servers.push({ urls: url, username: told.username, credential: told.credential });
  }
  return servers;
}
