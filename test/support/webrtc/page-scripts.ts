/*
 * What tests run inside of a page that the service itself has served, so that its origin is let in. As text: the compiler
 * would add helpers that pages do not have.
 */

/** Publishes the page's camera by WHIP, with the codec named, and resolves once it is connected. */
export function publishScript(stream: string, codec = 'VP8'): string {
  return `(async () => {
    const camera = await navigator.mediaDevices.getUserMedia({ video: true });
    const peer = (window.publisher = new RTCPeerConnection());
    const sender = peer.addTransceiver(camera.getVideoTracks()[0], { direction: 'sendonly', streams: [camera] });
    const codecs = RTCRtpSender.getCapabilities('video').codecs;
    sender.setCodecPreferences(codecs.filter(({ mimeType }) => /\\/(${codec}|rtx)$/i.test(mimeType)));
    await peer.setLocalDescription();
    const answer = await fetch('/v1/streams/${stream}/whip', {
      method: 'POST', headers: { 'content-type': 'application/sdp' }, body: peer.localDescription.sdp,
    });
    if (answer.status !== 201) throw new Error(answer.status + ' ' + (await answer.text()));
    await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    await new Promise((resolve) => {
      peer.onconnectionstatechange = () => peer.connectionState === 'connected' && resolve();
    });
  })()`;
}

/** Watches a stream by WHEP until that many frames were shown; resolves to the number of different pictures among them. */
export function watchScript(stream: string, frames: number): string {
  return `(async () => {
    const peer = new RTCPeerConnection();
    peer.addTransceiver('video', { direction: 'recvonly' });
    const video = document.createElement('video');
    video.muted = true;
    const track = new Promise((resolve) => { peer.ontrack = (event) => resolve(event.track); });
    await peer.setLocalDescription();
    const answer = await fetch('/v1/streams/${stream}/whep', {
      method: 'POST', headers: { 'content-type': 'application/sdp' }, body: peer.localDescription.sdp,
    });
    if (answer.status !== 201) throw new Error(answer.status + ' ' + (await answer.text()));
    await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    video.srcObject = new MediaStream([await track]);
    video.play();
    const canvas = new OffscreenCanvas(64, 48);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const pictures = new Set();
    for (let shown = 0; shown < ${frames}; shown += 1) {
      await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
      context.drawImage(video, 0, 0, 64, 48);
      pictures.add(context.getImageData(0, 0, 64, 48).data.join());
    }
    peer.close();
    return pictures.size;
  })()`;
}
