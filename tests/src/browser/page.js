// One page: publishes and plays what its query says, and tells its test what it sees.
const query = new URLSearchParams(location.search);
const tell = (what) => fetch('/report', { method: 'POST', body: JSON.stringify(what) }).catch(() => {});
addEventListener('error', (event) => tell({ error: String(event.message) }));
addEventListener('unhandledrejection', (event) => tell({ error: String(event.reason) }));
async function negotiate(connection, url) {
  await connection.setLocalDescription();
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: connection.localDescription.sdp });
  if (answer.status !== 201) { await tell({ refused: answer.status, url }); return; }
  await connection.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
  return new URL(answer.headers.get('location'), url);
}
function watch(connection, name) {
  connection.addEventListener('connectionstatechange', () => tell({ name, state: connection.connectionState }));
}
async function publish(url) {
  const connection = new RTCPeerConnection();
  watch(connection, 'publish');
  const stream = query.get('canvas') ? drawn(query.get('canvas')) : await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360 }, audio: true });
  stream.getTracks().forEach((track) => connection.addTransceiver(track, { direction: 'sendonly', streams: [stream] }));
  await negotiate(connection, url);
  setInterval(async () => { const stats = await statsOf(connection, 'outbound-rtp'); tell({ name: 'publish', stats }); }, 1000);
}
function drawn(colour) {
  const canvas = document.createElement('canvas'); canvas.width = 640; canvas.height = 360;
  const context = canvas.getContext('2d'); let n = 0;
  setInterval(() => { context.fillStyle = colour; context.fillRect(0, 0, 640, 360); context.fillStyle = 'white'; context.fillRect((n++ * 8) % 640, 300, 40, 40); }, 40);
  const stream = canvas.captureStream(25);
  const audio = new AudioContext(); const tone = audio.createOscillator(); tone.frequency.value = Number(query.get('tone') || 880);
  const gain = audio.createGain(); gain.gain.value = 0.3; const out = audio.createMediaStreamDestination(); tone.connect(gain).connect(out); tone.start();
  stream.addTrack(out.stream.getAudioTracks()[0]);
  return stream;
}
async function statsOf(connection, type) {
  const all = await connection.getStats(); const found = [];
  all.forEach((entry) => { if (entry.type === type) found.push({ kind: entry.kind, packets: entry.packetsSent ?? entry.packetsReceived, lost: entry.packetsLost, frames: entry.framesDecoded ?? entry.framesEncoded, keys: entry.keyFramesDecoded ?? entry.keyFramesEncoded, nack: entry.nackCount, pli: entry.pliCount, freezes: entry.freezeCount, codec: all.get(entry.codecId)?.mimeType, rtt: entry.roundTripTime, drops: entry.framesDropped, jb: entry.jitterBufferDelay / entry.jitterBufferEmittedCount }); });
  return found;
}
async function play(url) {
  const connection = new RTCPeerConnection();
  watch(connection, 'play');
  const video = document.createElement('video'); video.autoplay = true; video.muted = true; video.playsInline = true; document.body.append(video);
  const stream = new MediaStream(); video.srcObject = stream;
  let analyser;
  connection.ontrack = ({ track }) => { stream.addTrack(track); if (track.kind === 'audio') analyser = listen(new MediaStream([track])); };
  for (const kind of (query.get('kinds') || 'audio,video').split(',')) connection.addTransceiver(kind, { direction: 'recvonly' });
  await negotiate(connection, url);
  const canvas = document.createElement('canvas'); const context = canvas.getContext('2d', { willReadFrequently: true });
  setInterval(async () => {
    const seen = { name: 'play', width: video.videoWidth, height: video.videoHeight, time: video.currentTime, stats: await statsOf(connection, 'inbound-rtp') };
    if (video.videoWidth) {
      canvas.width = video.videoWidth; canvas.height = video.videoHeight; context.drawImage(video, 0, 0);
      const points = (query.get('points') || '0.5:0.5').split(',').map((at) => at.split(':').map(Number));
      seen.colours = points.map(([x, y]) => [...context.getImageData(Math.floor(x * (canvas.width - 1)), Math.floor(y * (canvas.height - 1)), 1, 1).data].slice(0, 3));
    }
    if (analyser) seen.tones = analyser();
    tell(seen);
  }, 500);
}
function listen(stream) {
  const audio = new AudioContext(); const source = audio.createMediaStreamSource(stream); const analyser = audio.createAnalyser(); analyser.fftSize = 8192; source.connect(analyser);
  const element = new Audio(); element.srcObject = stream; element.muted = true; element.play().catch(() => {});
  return () => { const bins = new Float32Array(analyser.frequencyBinCount); analyser.getFloatFrequencyData(bins); const hz = audio.sampleRate / analyser.fftSize; const peaks = []; for (let n = 2; n < bins.length - 2; n++) if (bins[n] > -50 && bins[n] >= bins[n - 1] && bins[n] > bins[n + 1]) peaks.push([Math.round(n * hz), Math.round(bins[n])]); return peaks.sort((a, b) => b[1] - a[1]).slice(0, 5); };
}
if (query.get('publish')) publish(query.get('publish'));
if (query.get('play')) play(query.get('play'));
