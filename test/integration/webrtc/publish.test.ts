import { expect, it, vi } from 'vitest';
import { noChromium, openBrowser, openPage } from '../../support/webrtc/chromium.js';
import { startLiveServer } from '../../support/webrtc/live-server.js';

it('takes the pictures that a browser page publishes by WHIP', async () => {
  const server = await startLiveServer();
  const browser = await openBrowser();
  const page = await openPage(
    browser,
    `${server.page('publish.html')}?service=${server.http}&stream=door&start=1`,
  );
  page.on('console', (m) => console.log('console', m.text()));
  await vi.waitFor(() => expect(server.streams.get('door')?.frames).toBeGreaterThan(30), 15_000);
  const seen = server.streams.get('door')!;
  console.log(seen.sizes, seen.states, seen.times.slice(0, 40), await page.textContent('#state'));
  // look at WHEP
  const viewer = await openPage(browser, server.page('empty'));
  const out = await viewer.evaluate(
    async ({ http }) => {
      const pc = new RTCPeerConnection();
      pc.addTransceiver('video', { direction: 'recvonly' });
      const ch = pc.createDataChannel('mediatime');
      const msgs: string[] = [];
      ch.onmessage = (e) => msgs.push(`${(performance.timeOrigin + performance.now()).toFixed(1)} ${e.data}`);
      const video = document.createElement('video');
      video.muted = true;
      video.autoplay = true;
      document.body.append(video);
      pc.ontrack = (e) => {
        video.srcObject = new MediaStream([e.track]);
      };
      await pc.setLocalDescription();
      await new Promise<void>((r) => {
        if (pc.iceGatheringState === 'complete') r();
        else pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && r();
      });
      const res = await fetch(`${http}/v1/streams/door/whep`, {
        method: 'POST',
        headers: { 'content-type': 'application/sdp' },
        body: pc.localDescription!.sdp,
      });
      const sdp = await res.text();
      await pc.setRemoteDescription({ type: 'answer', sdp });
      const seen: unknown[] = [];
      await new Promise<void>((resolve) => {
        const onFrame = (now: number, m: any) => {
          seen.push({
            rtp: m.rtpTimestamp,
            cap: m.captureTime && performance.timeOrigin + m.captureTime,
            recv: m.receiveTime && performance.timeOrigin + m.receiveTime,
            now: performance.timeOrigin + now,
          });
          if (seen.length < 90) video.requestVideoFrameCallback(onFrame);
          else resolve();
        };
        video.requestVideoFrameCallback(onFrame);
        setTimeout(resolve, 8000);
      });
      return { status: res.status, headers: [...res.headers], seen, msgs, sdp, state: pc.connectionState };
    },
    { http: server.http },
  );
  console.log(
    JSON.stringify(
      {
        ...out,
        sdp: undefined,
        seen: out.seen.filter((_, i) => i % 6 === 0),
        msgs: out.msgs.filter((_, i) => i % 6 === 0),
      },
      null,
      1,
    ),
  );
});
