/** Pictures and video over HTTP, of the built service on the recording that comes with Presage. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { loadImage } from '@napi-rs/canvas';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { freePort, RunningService } from '../../support/dashboard/running-service.js';
import { temporaryFolder } from '../../support/dashboard/temporary-folder.js';
import { ENCODER } from '../../support/video/video.js';

const RECORDING = fileURLToPath(new URL('../../../examples/pedestrians.mp4', import.meta.url));
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let folder: AsyncDisposable & { readonly path: string };
let service: RunningService;
let stream: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  service = await RunningService.start({
    args: [RECORDING, '--loop'],
    port: await freePort(),
    cwd: folder.path,
  });
  stream = `${service.url}/v1/streams/cam1`;
  await vi.waitFor(async () => expect((await fetch(`${stream}/frame.jpg`)).status).toBe(200), 60_000);
});
afterAll(async () => {
  await service.stop();
  await folder[Symbol.asyncDispose]();
});

it.each(['0', '1'])('shows JPEGs with growing media times, annotated=%s', async (annotated) => {
  const parts = await readParts(`${stream}/video.mjpeg?fps=5&annotated=${annotated}`, 3);
  const times = parts.map(({ t }) => t);
  expect(times.every((t, index) => index === 0 || t > (times[index - 1] ?? Infinity))).toBe(true);
  const image = await loadImage(parts[2]?.jpeg ?? Buffer.alloc(0));
  expect(image.width).toBe(768);
  // The annotated one has a panel under the picture.
  expect(image.height > 576).toBe(annotated === '1');
});

it('shows MP4 that a player can read', async () => {
  const gone = new AbortController();
  const response = await fetch(`${stream}/video.mp4?annotated=1&fps=5`, { signal: gone.signal });
  expect(response.headers.get('content-type')).toBe('video/mp4');
  const read = bytesOf(response, (held) => held.length > 150_000);
  const video = await read;
  gone.abort();
  const { stderr } = spawnSync(
    ENCODER.path,
    ['-hide_banner', '-i', '-', '-frames:v', '3', '-f', 'null', '-'],
    {
      input: video,
      encoding: 'utf8',
    },
  );
  expect(stderr).toMatch(/Video: h264.* 768x\d+/);
  expect(stderr).toMatch(/frame=\s*3/);
});

it('gives the picture of a moment that is kept, and says when there is none', async () => {
  const now = await fetch(`${stream}/frame.jpg`);
  const t = Number(now.headers.get('x-presage-mediatime'));
  const then = await fetch(`${stream}/frame.jpg?t=${t}`);
  expect(Math.abs(Number(then.headers.get('x-presage-mediatime')) - t)).toBeLessThan(1);
  const gone = await fetch(`${stream}/frame.jpg?t=99999`);
  expect([gone.status, await gone.json()]).toMatchObject([410, { error: { code: 'not_kept' } }]);
});

it.each([
  ['video.mjpeg?fps=1000', 400, 'bad_request'],
  ['video.mjpeg?annotated=yes', 400, 'bad_request'],
  ['frame.jpg?t=soon', 400, 'bad_request'],
])('refuses %s', async (path, status, code) => {
  const answer = await fetch(`${stream}/${path}`);
  expect([answer.status, await answer.json()]).toMatchObject([status, { error: { code } }]);
});

it('ends its views with the viewers, and counts them', async () => {
  const viewers = async (): Promise<string | undefined> => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    return /presage_viewers\{kind="mjpeg"\} (\d+)/.exec(text)?.[1];
  };
  const gone = new AbortController();
  await fetch(`${stream}/video.mjpeg`, { signal: gone.signal });
  expect(await viewers()).toBe('1');
  gone.abort();
  await vi.waitFor(async () => expect(await viewers()).toBe('0'), 10_000);
});

async function readParts(url: string, count: number): Promise<{ t: number; jpeg: Buffer }[]> {
  const gone = new AbortController();
  const response = await fetch(url, { signal: gone.signal });
  expect(response.headers.get('content-type')).toMatch(/^multipart\/x-mixed-replace; boundary=/);
  const enough = (held: Buffer): boolean => held.toString('latin1').split('--presage\r\n').length > count + 1;
  const text = (await bytesOf(response, enough)).toString('latin1');
  gone.abort();
  return text
    .split('--presage\r\n')
    .slice(1, count + 1)
    .map((part) => {
      const end = part.indexOf('\r\n\r\n');
      const t = Number(/x-presage-mediatime: ([\d.]+)/i.exec(part.slice(0, end))?.[1]);
      return { t, jpeg: Buffer.from(part.slice(end + 4, -2), 'latin1') };
    });
}

/** What is read until it is enough. */
async function bytesOf(response: Response, isEnough: (held: Buffer) => boolean): Promise<Buffer> {
  const reader = response.body?.getReader();
  let held = Buffer.alloc(0);
  while (reader && !isEnough(held)) {
    const { done, value } = (await reader.read()) as { done: boolean; value?: Uint8Array };
    if (done || !value) break;
    held = Buffer.concat([held, value]);
  }
  return held;
}
