import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Frame } from '../../../src/core/video/frame.js';
import type { Source } from '../../../src/core/source.js';
import { openSource, type OpenSourceOptions } from '../../../src/ingest/open-source.js';
import { parseSource } from '../../../src/ingest/source-spec.js';
import { childProcesses, isRunning } from '../../support/child-processes.js';
import { RtspServer, rtspUnavailable } from '../../support/video/rtsp-server.js';
import { serveVideos } from '../../support/video/video-server.js';
import { lumaRamp, makeClip, runFfmpeg, supportedFfmpegs } from '../../support/video/video.js';
import { strictlyIncreasing, VideoReader } from '../../support/video/video-reader.js';

/** Long and large enough that its ffmpeg waits for the reader. */
const RECORDING = fileURLToPath(new URL('../../../examples/pedestrians.mp4', import.meta.url));
const PARENT = fileURLToPath(new URL('../../support/source-parent.mjs', import.meta.url));
const ffmpegs = await supportedFfmpegs();
const noRtsp = rtspUnavailable();
const rtspIt = it.skipIf(noRtsp !== undefined);
const why = noRtsp === undefined ? '' : ` [skipped: ${noRtsp}]`;
let folder = '';
let clip = '';
let jpegs: Buffer[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'presage-live-'));
  clip = await makeClip(join(folder, 'clip.mp4'), {
    lumas: lumaRamp(30),
    fps: 25,
    output: ['-c:v', 'libx264'],
  });
  await runFfmpeg(['-i', clip, '-frames:v', '5', join(folder, '%d.jpg')]);
  jpegs = [1, 2, 3, 4, 5].map((index) => readFileSync(join(folder, `${index}.jpg`)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A free port that stays the same when a server comes back. */
async function restartablePort(): Promise<number> {
  const server = await serveVideos({ folder });
  await server.close();
  return server.port;
}

describe.each(ffmpegs)('%s', (_, ffmpeg) => {
  const open = (address: string, options: Partial<OpenSourceOptions> = {}): Source =>
    openSource(parseSource(address), {
      ffmpeg,
      mode: 'live',
      retryBaseMs: 50,
      retryMaxMs: 200,
      stallMs: 4000,
      ...options,
    });

  it('plays a file at its own pace', async () => {
    await using source = open(clip);
    const reader = new VideoReader(source);
    await reader.atLeast(1);
    const startMs = performance.now();
    expect(await reader.error).toBeUndefined();
    const lastS = reader.times.at(-1) ?? 0;
    expect((performance.now() - startMs) / 1000).toBeGreaterThan(lastS * 0.8);
    expect(source.duration).toBeCloseTo(1.2, 1);
  });

  it('drops and counts frames while no buffer is free, and goes on with new ones', async () => {
    await using source = open(clip, { capacity: 2, loop: true });
    const held: Frame[] = [];
    let seen = 0;
    await new Promise<void>((resolve) => {
      source.frame$.subscribe((frame) => {
        seen += 1;
        if (seen <= 2) held.push(frame);
        else {
          frame[Symbol.dispose]();
          resolve();
        }
        if (seen === 2) void vi.waitFor(() => expect(droppedBy(source)).toBeGreaterThan(3)).then(release);
      });
      const release = (): void => held.splice(0).forEach((frame) => frame[Symbol.dispose]());
    });
    const { delivered } = source.stats();
    expect(delivered).toBeGreaterThanOrEqual(droppedBy(source) + 3);
    await source.close();
    expect(source.liveFrames).toBe(0);
  });

  it('repeats a file for ever on one media clock and in one state', async () => {
    await using source = open(clip, { mode: 'lossless', loop: true });
    const reader = new VideoReader(source);
    await reader.atLeast(95);
    expect(reader.stateNames).toEqual(['connecting', 'live']);
    expect(strictlyIncreasing(reader.times)).toBe(true);
    reader.times.slice(0, 95).forEach((t, index) => expect(t).toBeCloseTo(index / 25, 2));
    expect(source.stats()).toMatchObject({ clockJumps: 0, reconnects: 0 });
  });

  it('waits for a server that is not there yet', async () => {
    const port = await restartablePort();
    await using source = open(`http://127.0.0.1:${port}/mjpeg`);
    const reader = new VideoReader(source);
    const { error } = await reader.enters('reconnecting');
    expect(error.code).toBe('source_unreachable');
    await serveVideos({ folder, jpegs, port });
    await reader.atLeast(3);
    expect(reader.times[0]).toBe(0);
    expect(reader.stateNames.slice(0, 2)).toEqual(['connecting', 'reconnecting']);
    expect(reader.stateNames.at(-1)).toBe('live');
  });

  it('gives up after the retries it was given', async () => {
    const port = await restartablePort();
    await using source = open(`http://127.0.0.1:${port}/mjpeg`, { maxAttempts: 2, retryBaseMs: 5 });
    const reader = new VideoReader(source);
    expect(await reader.error).toMatchObject({ code: 'source_unreachable' });
    expect(reader.stateNames).toEqual([
      ...['connecting', 'reconnecting', 'connecting', 'reconnecting', 'connecting', 'failed'],
    ]);
  });

  it('comes back when the server ends the stream', async () => {
    const { url } = await serveVideos({ folder, jpegs, endAfter: 8 });
    await using source = open(`${url}/mjpeg`);
    const reader = new VideoReader(source);
    await reader.atLeast(20);
    expect(source.stats().reconnects).toBeGreaterThanOrEqual(2);
    expect(strictlyIncreasing(reader.times)).toBe(true);
    await source.close();
    expect(source.liveFrames).toBe(0);
    expect(childProcesses()).toEqual([]);
  });

  it('ends at once when closed while it waits for a retry', async () => {
    const port = await restartablePort();
    const source = open(`http://127.0.0.1:${port}/mjpeg`, { retryBaseMs: 60_000, retryMaxMs: 60_000 });
    const reader = new VideoReader(source);
    await reader.enters('reconnecting');
    await source.close();
    expect(await reader.error).toBeUndefined();
    expect(reader.stateNames.at(-1)).toBe('ended');
  });

  rtspIt(`comes back when the camera was off, its clock going on${why}`, async () => {
    const camera = await RtspServer.start();
    await using source = open(camera.url());
    const reader = new VideoReader(source);
    await reader.atLeast(5);
    await camera.kill();
    await reader.enters('reconnecting');
    const before = { t: reader.times.at(-1) ?? 0, atMs: performance.now(), count: reader.frames.length };
    await RtspServer.start({ port: camera.port, width: 160, height: 120 });
    await reader.atLeast(before.count + 20);
    const gapS = (performance.now() - before.atMs) / 1000;
    const after = reader.frames.findIndex(({ width }) => width === 160);
    const last = reader.frames.at(-1);
    expect([last?.width, last?.height]).toEqual([160, 120]);
    expect(strictlyIncreasing(reader.times)).toBe(true);
    expect(reader.frames[after]?.t).toBeGreaterThan(before.t);
    expect(last?.t).toBeGreaterThan(before.t + gapS * 0.5);
    expect(last?.t).toBeLessThan(before.t + gapS + 2);
    expect(source.stats().reconnects).toBeGreaterThanOrEqual(1);
    await source.close();
    expect(source.liveFrames).toBe(0);
  });

  rtspIt(`notices a camera that hangs${why}`, async () => {
    const camera = await RtspServer.start();
    await using source = open(camera.url(), { stallMs: 3500 });
    const reader = new VideoReader(source);
    await reader.atLeast(2);
    camera.freeze();
    const { error } = await reader.enters('reconnecting');
    expect(error.code).toBe('source_stalled');
    await source.close();
    expect(childProcesses()).toEqual([]);
  });

  rtspIt(`says that an RTSP password is wrong, without telling it${why}`, async () => {
    const camera = await RtspServer.start({ login: ['bob', 'right'] });
    await using source = open(camera.url('bob:s3cret'), { maxAttempts: 0 });
    const error = await new VideoReader(source).error;
    expect(error?.code).toBe('source_refused');
    expect(JSON.stringify([error, error?.message, source.name])).not.toContain('s3cret');
  });

  it.each([
    ['a file', 'hold', 'SIGKILL', () => Promise.resolve(RECORDING)],
    ['a camera', 'hold', 'SIGKILL', async () => `${(await serveVideos({ folder, jpegs })).url}/mjpeg`],
    [
      'a camera that has stopped sending',
      'hold',
      'SIGKILL',
      async () => `${(await serveVideos({ folder, jpegs, hangAfter: 10 })).url}/mjpeg`,
    ],
    ['a crash', 'crash', 'none', async () => `${(await serveVideos({ folder, jpegs })).url}/mjpeg`],
  ])('leaves no ffmpeg behind when the process is killed: %s', async (__, how, signal, address) => {
    const args = [PARENT, await address(), ffmpeg.path, ffmpeg.version, how];
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const exited = once(parent, 'exit');
    if (signal === 'none') {
      const seen = new Set<number>();
      const watch = setInterval(() => childProcesses(parent.pid).forEach((id) => seen.add(id)), 5);
      await exited;
      clearInterval(watch);
      expect(seen.size).toBe(1);
      await vi.waitFor(() => expect([...seen].filter(isRunning)).toEqual([]), { timeout: 10_000 });
      return;
    }
    await once(parent.stdout, 'data');
    const children = childProcesses(parent.pid);
    expect(children).toHaveLength(1);
    parent.kill('SIGKILL');
    await exited;
    await vi.waitFor(() => expect(children.filter(isRunning)).toEqual([]), { timeout: 10_000 });
  });
});

function droppedBy(source: Source): number {
  return Object.values(source.stats().dropped).reduce((sum, count) => sum + count, 0);
}
