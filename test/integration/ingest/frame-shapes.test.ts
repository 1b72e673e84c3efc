import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSource } from '../../../src/ingest/open-source.js';
import { parseSource } from '../../../src/ingest/source-spec.js';
import { lumaRamp, makeClip, runFfmpeg, supportedFfmpegs } from '../../support/video/video.js';
import { strictlyIncreasing, VideoReader } from '../../support/video/video-reader.js';

const ffmpegs = await supportedFfmpegs();
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast'];
const LUMAS = lumaRamp(10);
let folder = '';
const at = (name: string): string => join(folder, name);

beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'presage-shapes-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(ffmpegs)('%s', (_, ffmpeg) => {
  const read = async (path: string, options = {}): Promise<VideoReader> => {
    await using source = openSource(parseSource(path), { ffmpeg, mode: 'lossless', ...options });
    const reader = new VideoReader(source);
    expect(await reader.error).toBeUndefined();
    expect(reader.times[0]).toBe(0);
    expect(strictlyIncreasing(reader.times)).toBe(true);
    return reader;
  };
  const sizes = (reader: VideoReader): string[] => [
    ...new Set(reader.frames.map(({ width, height }) => `${width}x${height}`)),
  ];

  it.each([
    ['1x1', 1, 1],
    ['odd', 67, 51],
    ['very wide', 640, 2],
  ])('reads %s frames', async (name, width, height) => {
    await makeClip(at(`${name}.mkv`), { lumas: LUMAS, width, height, output: ['-c:v', 'ffv1'] });
    const reader = await read(at(`${name}.mkv`));
    expect(sizes(reader)).toEqual([`${width}x${height}`]);
    reader.frames.forEach(({ luma }, index) => expect(luma).toBeCloseTo(LUMAS[index] ?? NaN, 5));
  });

  it('scales 8K frames down to what was asked for', async () => {
    const grey = [
      '-f',
      'lavfi',
      '-i',
      'color=gray:s=7680x4320:r=10',
      '-frames:v',
      '2',
      '-pix_fmt',
      'yuv420p',
    ];
    await runFfmpeg([...grey, ...X264, at('8k.mp4')]);
    const reader = await read(at('8k.mp4'));
    expect(sizes(reader)).toEqual(['1920x1080']);
    expect(reader.frames.map(({ luma }) => Math.round(luma / 10))).toEqual([13, 13]);
    expect(sizes(await read(at('8k.mp4'), { maxWidth: 640, maxHeight: 640 }))).toEqual(['640x360']);
  });

  it('turns what was filmed upright', async () => {
    await makeClip(at('flat.mp4'), { lumas: LUMAS, output: X264 });
    await runFfmpeg(['-i', at('flat.mp4'), '-c', 'copy', '-metadata:s:v', 'rotate=90', at('turned.mp4')]);
    expect(sizes(await read(at('turned.mp4')))).toEqual(['48x64']);
  });

  it('keeps to the first size when it changes within a stream', async () => {
    await makeClip(at('small.ts'), { lumas: LUMAS, output: X264 });
    const later = [...X264, '-output_ts_offset', '1'];
    await makeClip(at('large.ts'), { lumas: LUMAS, width: 128, height: 96, output: later });
    writeFileSync(at('both.ts'), Buffer.concat([readFileSync(at('small.ts')), readFileSync(at('large.ts'))]));
    const reader = await read(at('both.ts'));
    expect(sizes(reader)).toEqual(['64x48']);
    expect(reader.frames).toHaveLength(LUMAS.length * 2);
    reader.frames.forEach(({ luma }, index) => {
      expect(Math.abs(luma - (LUMAS[index % LUMAS.length] ?? NaN))).toBeLessThan(3);
    });
  });

  it('reads a clip of one frame', async () => {
    await makeClip(at('one.mp4'), { lumas: [90], output: X264 });
    expect((await read(at('one.mp4'))).times).toEqual([0]);
  });

  it('keeps a variable frame rate', async () => {
    const squares = ['-vf', 'settb=1/1000,setpts=N*N*10', '-vsync', '0', '-enc_time_base', '1/1000'];
    await makeClip(at('vfr.mkv'), { lumas: LUMAS, output: [...squares, ...X264] });
    const reader = await read(at('vfr.mkv'));
    expect(reader.times).toHaveLength(LUMAS.length);
    reader.times.forEach((t, index) => expect(t).toBeCloseTo(index * index * 0.01, 6));
  });

  it('keeps the time exact after days of a stream', async () => {
    const output = [...X264, '-vsync', '0', '-output_ts_offset', '86390'];
    await makeClip(at('days.ts'), { lumas: lumaRamp(50), fps: 50, output });
    const reader = await read(at('days.ts'));
    reader.times.forEach((t, index) => expect(t).toBeCloseTo(index / 50, 3));
  });

  it.each([
    ['jump forwards', '3800'],
    ['run backwards', '100'],
  ])('carries on when timestamps %s', async (name, offset) => {
    // Two halves of a transport stream put behind each other, as by a recorder that was restarted.
    await makeClip(at('a.ts'), { lumas: LUMAS.slice(0, 5), output: [...X264, '-output_ts_offset', '200'] });
    await makeClip(at('b.ts'), { lumas: LUMAS.slice(5), output: [...X264, '-output_ts_offset', offset] });
    writeFileSync(at(`${name}.ts`), Buffer.concat([readFileSync(at('a.ts')), readFileSync(at('b.ts'))]));
    const reader = await read(at(`${name}.ts`));
    expect(reader.frames).toHaveLength(LUMAS.length);
    reader.times.forEach((t, index) => expect(t).toBeCloseTo(index / 10, 1));
  });
});
