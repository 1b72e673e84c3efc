import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openSource, type OpenSourceOptions } from '../../../src/ingest/open-source.js';
import { parseSource } from '../../../src/ingest/source-spec.js';
import type { Source } from '../../../src/core/source.js';
import { childProcesses } from '../../support/child-processes.js';
import { RtspServer, rtspUnavailable } from '../../support/video/rtsp-server.js';
import { serveVideos } from '../../support/video/video-server.js';
import { lumaRamp, makeClip, runFfmpeg, supportedFfmpegs } from '../../support/video/video.js';
import { strictlyIncreasing, VideoReader } from '../../support/video/video-reader.js';

const LUMAS = lumaRamp(12);
const LOGIN = 'bob:s3cret';
const ffmpegs = await supportedFfmpegs();
const noRtsp = rtspUnavailable();
let folder = '';
let jpegs: Buffer[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'presage-clips-'));
  await makeClip(join(folder, 'clip.mp4'), { lumas: LUMAS, output: ['-c:v', 'libx264'] });
  await makeClip(join(folder, 'clip.mkv'), { lumas: LUMAS, output: ['-c:v', 'libx264', '-bf', '2'] });
  await makeClip(join(folder, 'clip.avi'), { lumas: LUMAS, output: ['-c:v', 'mpeg4', '-q:v', '1'] });
  await makeClip(join(folder, 'clip.webm'), { lumas: LUMAS, output: ['-c:v', 'libvpx', '-b:v', '1M'] });
  mkdirSync(join(folder, 'hls'));
  const hls = ['-c:v', 'libx264', '-g', '5', '-hls_time', '0.5', '-hls_list_size', '0'];
  await makeClip(join(folder, 'hls', 'list.m3u8'), { lumas: LUMAS, output: hls });
  await runFfmpeg(['-i', join(folder, 'clip.mkv'), '-q:v', '1', join(folder, '%02d.jpg')]);
  jpegs = LUMAS.map((_, index) => readFileSync(join(folder, `${String(index + 1).padStart(2, '0')}.jpg`)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Subject {
  readonly name: string;
  /** Lumas that must come, from the first frame; undefined where a test can't know them. */
  readonly lumas?: readonly number[];
  readonly size: readonly [width: number, height: number];
  readonly endless?: boolean;
  readonly skip?: string | undefined;
  readonly options?: Partial<OpenSourceOptions>;
  readonly address: () => Promise<string>;
}

const httpFile = async (path: string): Promise<string> => {
  const { url } = await serveVideos({ folder, login: LOGIN });
  return `${url.replace('//', `//${LOGIN}@`)}/${path}?token=s3cret`;
};
const rtsp = async (): Promise<string> => (await RtspServer.start({ login: ['bob', 's3cret'] })).url(LOGIN);
const SUBJECTS: readonly Subject[] = [
  ...['mp4', 'mkv', 'avi', 'webm'].map((ending) => ({
    name: `a file (${ending})`,
    lumas: LUMAS,
    size: [64, 48] as const,
    address: () => Promise.resolve(join(folder, `clip.${ending}`)),
  })),
  { name: 'a file over HTTP', lumas: LUMAS, size: [64, 48], address: () => httpFile('clip.mp4') },
  { name: 'HLS', lumas: LUMAS, size: [64, 48], address: () => httpFile('hls/list.m3u8') },
  {
    name: 'MJPEG over HTTP',
    lumas: LUMAS,
    size: [64, 48],
    endless: true,
    address: async () => {
      const { url } = await serveVideos({ folder, jpegs, login: LOGIN });
      return `${url.replace('//', `//${LOGIN}@`)}/mjpeg?token=s3cret`;
    },
  },
  { name: 'RTSP over TCP', size: [320, 240], endless: true, skip: noRtsp, address: rtsp },
  {
    name: 'RTSP over UDP',
    size: [320, 240],
    endless: true,
    skip: noRtsp,
    options: { rtspTransport: 'udp' },
    address: rtsp,
  },
];

describe.each(ffmpegs)('%s', (_, ffmpeg) => {
  describe.each(SUBJECTS.map((subject) => [subject.name, subject] as const))('%s', (name, subject) => {
    const test = it.skipIf(subject.skip !== undefined);
    const open = async (options: Partial<OpenSourceOptions> = {}): Promise<Source> =>
      openSource(parseSource(await subject.address()), {
        ffmpeg,
        mode: 'lossless',
        ...subject.options,
        ...options,
      });
    const suffix = subject.skip === undefined ? '' : ` [skipped: ${subject.skip}]`;
    /** Reads to the end of what ends, else a good part. */
    const readAll = async (reader: VideoReader): Promise<void> => {
      if (subject.endless) await reader.atLeast(LUMAS.length);
      else expect(await reader.error).toBeUndefined();
    };

    test(`gives each frame once, in order, with its own time${suffix}`, async () => {
      await using source = await open();
      const reader = new VideoReader(source);
      await readAll(reader);
      expect(reader.times[0]).toBe(0);
      expect(strictlyIncreasing(reader.times)).toBe(true);
      expect(reader.frames.map(({ index }) => index)).toEqual(reader.frames.map((__, index) => index));
      expect(new Set(reader.frames.map(({ width, height }) => `${width}x${height}`))).toEqual(
        new Set([subject.size.join('x')]),
      );
      const { lumas } = subject;
      if (lumas) {
        const seen = reader.frames.slice(0, lumas.length).map(({ luma }) => luma);
        expect(seen).toHaveLength(lumas.length);
        seen.forEach((luma, index) => expect(Math.abs(luma - (lumas[index] ?? NaN))).toBeLessThan(3));
      }
      if (!subject.endless) reader.times.forEach((t, index) => expect(t).toBeCloseTo(index / 10, 3));
    });

    test(`tells its states, its format and what it counted${suffix}`, async () => {
      await using source = await open();
      const reader = new VideoReader(source);
      await readAll(reader);
      const { format } = await firstLive(reader);
      expect([format.width, format.height]).toEqual(subject.size);
      expect(format.codec).not.toBe('unknown');
      await source.close();
      expect(reader.stateNames).toEqual(['connecting', 'live', 'ended']);
      expect(source.stats()).toEqual({
        delivered: reader.frames.length,
        dropped: {},
        clockJumps: 0,
        reconnects: 0,
      });
      expect(source.liveFrames).toBe(0);
    });

    test(`stops when closed early or unsubscribed, and leaves no process${suffix}`, async () => {
      for (const stop of ['close', 'unsubscribe'] as const) {
        await using source = await open({ capacity: 2 });
        const reader = new VideoReader(source);
        await reader.atLeast(1);
        if (stop === 'unsubscribe') reader.unsubscribe();
        else await Promise.all([source.close(), source.close()]);
        await vi.waitFor(() => expect(childProcesses()).toEqual([]));
        await source.close();
        expect(source.liveFrames).toBe(0);
        expect(reader.stateNames.at(-1)).toBe('ended');
      }
    });

    test(`waits for its receiver without losing a frame, and ends when closed meanwhile${suffix}`, async () => {
      await using source = await open({ capacity: 2 });
      const held: Disposable[] = [];
      await new Promise<void>((resolve) => {
        source.frame$.subscribe((frame) => {
          held.push(frame);
          if (held.length === 2) resolve();
        });
      });
      expect(source.liveFrames).toBe(2);
      await source.close();
      expect(held).toHaveLength(2);
      held.forEach((frame) => frame[Symbol.dispose]());
      expect(source.liveFrames).toBe(0);
      expect(childProcesses()).toEqual([]);
    });

    test(`never tells a credential${suffix}`, async () => {
      await using source = await open();
      const reader = new VideoReader(source);
      await reader.atLeast(1);
      expect(JSON.stringify([source.name, reader.states])).not.toContain('s3cret');
    });
  });
});

async function firstLive(
  reader: VideoReader,
): Promise<{ format: { width: number; height: number; codec: string } }> {
  const live = reader.states.find((state) => state.state === 'live');
  return Promise.resolve(live ?? (await reader.enters('live')));
}
