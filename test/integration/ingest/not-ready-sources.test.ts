/** Live sources that are not ready at the first try. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Source } from '../../../src/core/source.js';
import { openSource, type OpenSourceOptions } from '../../../src/ingest/open-source.js';
import { parseSource } from '../../../src/ingest/source-spec.js';
import { httpCamera, rtspWithoutMedia } from '../../support/scripted-camera.js';
import { lumaRamp, makeClip, runFfmpeg, supportedFfmpegs } from '../../support/video/video.js';
import { VideoReader } from '../../support/video/video-reader.js';

const ffmpegs = await supportedFfmpegs();
/** Requests that are answered with something else before the pictures come. */
const NOT_READY = 2;
let folder = '';
let jpegs: Buffer[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'presage-not-ready-'));
  const clip = await makeClip(join(folder, 'clip.mp4'), { lumas: lumaRamp(5), fps: 25 });
  await runFfmpeg(['-i', clip, '-frames:v', '3', join(folder, '%d.jpg')]);
  jpegs = [1, 2, 3].map((index) => readFileSync(join(folder, `${index}.jpg`)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Sends pictures until the client goes. */
function sendJpegs(response: ServerResponse, { firstBoundary }: { readonly firstBoundary: boolean }): void {
  response.writeHead(200, { 'Content-Type': 'multipart/x-mixed-replace; boundary=frontier' });
  let sent = 0;
  const timer = setInterval(() => {
    const jpeg = jpegs[sent % jpegs.length] ?? Buffer.alloc(0);
    if (sent > 0 || firstBoundary) response.write('--frontier\r\n');
    response.write(`Content-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`);
    response.write(jpeg);
    response.write('\r\n');
    sent += 1;
  }, 20);
  response.once('close', () => clearInterval(timer));
}

describe.each(ffmpegs)('%s', (_, ffmpeg) => {
  const open = (address: string, options: Partial<OpenSourceOptions> = {}): Source =>
    openSource(parseSource(address), {
      ...{ ffmpeg, mode: 'live', retryBaseMs: 20, retryMaxMs: 50, stallMs: 4000 },
      ...options,
    });

  it.each([
    [
      'a page',
      (response: ServerResponse) => response.setHeader('Content-Type', 'text/html').end('<p>starting'),
    ],
    ['an empty body', (response: ServerResponse) => response.end()],
    [
      'a playlist without segments',
      (response: ServerResponse) =>
        response
          .setHeader('Content-Type', 'application/vnd.apple.mpegurl')
          .end('#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n'),
    ],
  ])('retries an HTTP source that answers with %s, and tells the reason', async (__, answer) => {
    const camera = await httpCamera((response, request) => {
      if (request <= NOT_READY) answer(response);
      else sendJpegs(response, { firstBoundary: true });
    });
    await using source = open(`http://127.0.0.1:${camera.port}/live`);
    const reader = new VideoReader(source);
    await reader.atLeast(3);
    const [retry] = reader.states.filter((state) => state.state === 'reconnecting');
    expect(retry?.error.message.length).toBeGreaterThan(10);
    expect(reader.stateNames.at(-1)).toBe('live');
  });

  it('reads MJPEG whose first part has no boundary line', async () => {
    const camera = await httpCamera((response) => sendJpegs(response, { firstBoundary: false }));
    await using source = open(`http://127.0.0.1:${camera.port}/mjpeg`);
    const reader = new VideoReader(source);
    await reader.atLeast(5);
    expect(reader.stateNames.at(-1)).toBe('live');
  });

  it('retries an RTSP source that describes no media', async () => {
    const camera = await rtspWithoutMedia();
    await using source = open(`rtsp://127.0.0.1:${camera.port}/live`);
    const reader = new VideoReader(source);
    await vi.waitFor(() => expect(camera.requests()).toBeGreaterThanOrEqual(3), { timeout: 15_000 });
    expect(reader.stateNames).not.toContain('failed');
    expect(reader.stateNames).toContain('reconnecting');
  });

  it('waits for minutes after a wrong password, in an increasing delay', async () => {
    const camera = await httpCamera((response) =>
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="camera"' }).end(),
    );
    await using source = open(`http://a:b@127.0.0.1:${camera.port}/live`);
    const refused = await new VideoReader(source).enters('reconnecting');
    expect(refused.error.code).toBe('source_refused');
    expect(refused.delayMs).toBeGreaterThanOrEqual(2 * 60_000);

    await using impatient = open(`http://a:b@127.0.0.1:${camera.port}/live`, {
      ...{ refusedRetryBaseMs: 40, refusedRetryMaxMs: 10_000 },
    });
    const reader = new VideoReader(impatient);
    const delays = (): number[] =>
      reader.states.flatMap((state) => (state.state === 'reconnecting' ? [state.delayMs] : []));
    await vi.waitFor(() => expect(delays().length).toBeGreaterThanOrEqual(4), { timeout: 15_000 });
    const [first = 0, , , fourth = 0] = delays();
    // 40 ms doubled three times, of which up to a half is taken off at random.
    expect(fourth).toBeGreaterThanOrEqual(Math.max(160, first));
  });

  it('gives up a recording that is analyzed and cannot be read', async () => {
    const camera = await httpCamera((response) => response.end('<p>this is no video'.repeat(20)));
    await using source = open(`http://127.0.0.1:${camera.port}/clip.mp4`, { mode: 'lossless' });
    expect(await new VideoReader(source).error).toMatchObject({ code: 'source_invalid' });
  });
});
