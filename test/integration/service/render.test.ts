import { execFileSync, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OverlayState } from '../../../src/render/overlay/overlay-state.js';
import { colorOf } from '../../../src/core/image/object-colors.js';
import { VideoRenderer } from '../../../src/render/video/video-renderer.js';
import { plainFrame } from '../../unit/render/video/frames.js';
import { anObject, objectsAt } from '../../unit/cli/terminal/story.js';

const bundled = (createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg') as { path: string }).path;
const system = 'ffmpeg';
const onPath = spawnSync(system, ['-version']).status === 0 ? [system] : [];

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'presage-render-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A box that moves one tenth of the width a second, over grey. */
async function writeFrames(
  renderer: VideoRenderer,
  width: number,
  height: number,
  times: readonly number[],
): Promise<void> {
  const state = new OverlayState();
  for (const t of times) {
    state.add(objectsAt(t, [anObject('o4', { box: [0.2 + t / 10, 0.25, 0.25, 0.5], velocity: [0.1, 0] })]));
    using frame = plainFrame(width, height, t);
    await renderer.write(frame, state.view(t));
  }
}

function decode(file: string, width: number, height: number): Buffer[] {
  const args = ['-v', 'error', '-i', file, '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
  const raw = execFileSync(bundled, args, { maxBuffer: 1 << 28 });
  const size = width * height * 3;
  expect(raw.length % size).toBe(0);
  return Array.from({ length: raw.length / size }, (_, i) => raw.subarray(i * size, (i + 1) * size));
}

function describeFile(file: string): string {
  return spawnSync(bundled, ['-hide_banner', '-i', file], { encoding: 'utf8' }).stderr;
}

describe.each([bundled, ...onPath])('VideoRenderer with %s', (ffmpegPath) => {
  it('writes a video that plays at the right time and shows the box where it was', async () => {
    const file = join(folder, 'out.mp4');
    const renderer = new VideoRenderer({ ffmpegPath, file, format: { width: 640, height: 360 }, fps: 10 });
    // Two seconds, with a hole between 0.5 and 1.2 s.
    const times = Array.from({ length: 20 }, (_, k) => k / 10).filter((t) => t <= 0.5 || t >= 1.2);
    await writeFrames(renderer, 640, 360, times);
    await renderer.finish();
    await renderer.finish();
    await renderer.abort();
    expect(await readdir(folder)).toEqual(['out.mp4']);
    expect(describeFile(file)).toMatch(/Duration: 00:00:02\.00/);
    expect(describeFile(file)).toMatch(/Video: h264.*yuv420p.* 640x\d+/);
    const height = Number(/ 640x(\d+)/.exec(describeFile(file))![1]);
    const pictures = decode(file, 640, height);
    expect(pictures.length).toBe(20);
    // The name tag above the box is filled with the object's colour; this point lies left of its words.
    const tagAt = (k: number, t: number): number => {
      const wanted = Number.parseInt(colorOf('o4').slice(1), 16);
      const x = Math.round((0.2 + t / 10) * 640) + 2;
      const at = (82 * 640 + x) * 3;
      const got = pictures[k]!.subarray(at, at + 3);
      return Math.max(
        ...[wanted >> 16, (wanted >> 8) & 255, wanted & 255].map((value, i) => Math.abs(value - got[i]!)),
      );
    };
    // In the hole, the picture from before it stands still.
    for (const [k, t] of [
      [0, 0],
      [5, 0.5],
      [11, 0.5],
      [12, 1.2],
      [19, 1.9],
    ] as const)
      expect(tagAt(k, t)).toBeLessThan(70);
    expect(tagAt(19, 0)).toBeGreaterThan(80);
    const grey = (20 * 640 + 600) * 3;
    expect(Math.abs(pictures[7]![grey]! - 128)).toBeLessThan(6);
  });

  it.each([
    [1, 1],
    [35, 21],
    [641, 359],
  ])('manages frames of %i x %i', async (width, height) => {
    const file = join(folder, 'odd.mp4');
    const renderer = new VideoRenderer({ ffmpegPath, file, format: { width, height }, fps: 0 });
    await writeFrames(renderer, width, height, [0, 0.04, 0.08]);
    await renderer.finish();
    expect(describeFile(file)).toMatch(/Duration: 00:00:00\.12/);
  });

  it('leaves no file and no process after an abort', async () => {
    const file = join(folder, 'gone.mp4');
    const renderer = new VideoRenderer({ ffmpegPath, file, format: { width: 320, height: 240 }, fps: 10 });
    await writeFrames(renderer, 320, 240, [0, 0.1, 0.2, 0.3]);
    await renderer.abort();
    await renderer.abort();
    expect(await readdir(folder)).toEqual([]);
    using frame = plainFrame(320, 240, 1);
    await expect(renderer.write(frame, new OverlayState().view(1))).rejects.toMatchObject({
      code: 'output_failed',
    });
  });
});

describe('VideoRenderer', () => {
  it.runIf(process.platform !== 'win32')('falls back to MPEG-4 where ffmpeg has no x264', async () => {
    const ffmpegPath = join(folder, 'ffmpeg-without-x264');
    await writeFile(
      ffmpegPath,
      `#!/bin/sh\ncase "$*" in *-encoders*) "${bundled}" "$@" | grep -v libx264;; *) exec "${bundled}" "$@";; esac\n`,
    );
    await chmod(ffmpegPath, 0o755);
    const file = join(folder, 'out.mp4');
    const renderer = new VideoRenderer({ ffmpegPath, file, format: { width: 320, height: 240 }, fps: 10 });
    await writeFrames(renderer, 320, 240, [0, 0.1, 0.2]);
    await renderer.finish();
    expect(describeFile(file)).toMatch(/Video: mpeg4/);
  });

  it.runIf(process.platform !== 'win32')('says so when ffmpeg ends early, and leaves no file', async () => {
    const ffmpegPath = join(folder, 'ffmpeg-that-dies');
    await writeFile(
      ffmpegPath,
      `#!/bin/sh\ncase "$*" in *-encoders*) exec "${bundled}" "$@";; esac\nhead -c 100000 >/dev/null\necho "No space left on device" >&2\nexit 1\n`,
    );
    await chmod(ffmpegPath, 0o755);
    const file = join(folder, 'out.mp4');
    const renderer = new VideoRenderer({ ffmpegPath, file, format: { width: 320, height: 240 }, fps: 10 });
    const written = writeFrames(renderer, 320, 240, [0, 0.1, 0.2, 0.3, 0.4]).then(() => renderer.finish());
    await expect(written).rejects.toMatchObject({
      code: 'output_failed',
      message: expect.stringContaining('No space left on device') as string,
    });
    await renderer.abort();
    expect(await readdir(folder)).toEqual(['ffmpeg-that-dies']);
  });

  it('names the missing folder, and the ffmpeg that does not run', async () => {
    const format = { width: 64, height: 64 };
    const lost = new VideoRenderer({
      ffmpegPath: bundled,
      file: join(folder, 'no', 'out.mp4'),
      format,
      fps: 10,
    });
    await expect(writeFrames(lost, 64, 64, [0])).rejects.toMatchObject({
      code: 'output_failed',
      hint: `mkdir -p ${join(folder, 'no')}`,
    });
    const none = new VideoRenderer({
      ffmpegPath: join(folder, 'none'),
      file: join(folder, 'out.mp4'),
      format,
      fps: 10,
    });
    await expect(writeFrames(none, 64, 64, [0])).rejects.toMatchObject({ code: 'ffmpeg_missing' });
    await none.abort();
  });

  it('refuses frames of another size, and a video without any', async () => {
    const renderer = new VideoRenderer({
      ffmpegPath: bundled,
      file: join(folder, 'out.mp4'),
      format: { width: 64, height: 64 },
      fps: 10,
    });
    await expect(writeFrames(renderer, 32, 32, [0])).rejects.toMatchObject({ code: 'output_failed' });
    await expect(renderer.finish()).rejects.toMatchObject({ code: 'output_failed' });
    expect(await readdir(folder)).toEqual([]);
  });
});
