import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PresageError } from '../../../src/core/errors.js';
import { openSource } from '../../../src/ingest/open-source.js';
import { parseSource } from '../../../src/ingest/source-spec.js';
import { childProcesses } from '../../support/child-processes.js';
import { serveVideos } from '../../support/video/video-server.js';
import { lumaRamp, makeClip, runFfmpeg, supportedFfmpegs } from '../../support/video/video.js';
import { strictlyIncreasing, VideoReader } from '../../support/video/video-reader.js';

const ffmpegs = await supportedFfmpegs();
const LUMAS = lumaRamp(40);
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'presage-bad-'));
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('text.mp4'), 'this is no video\n'.repeat(50));
  writeFileSync(at('empty.mp4'), '');
  mkdirSync(at('folder.mp4'));
  await makeClip(at('whole.mp4'), { lumas: LUMAS, output: ['-c:v', 'libx264', '-g', '5'] });
  await makeClip(at('whole.mkv'), { lumas: LUMAS, output: ['-c:v', 'libx264', '-g', '5'] });
  await makeClip(at('picture.jpg'), { lumas: [100], output: ['-frames:v', '1', '-update', '1'] });
  writeFileSync(at('picture.mp4'), readFileSync(at('picture.jpg')));
  writeFileSync(at('no-index.mp4'), readFileSync(at('whole.mp4')));
  truncateSync(at('no-index.mp4'), 1500);
  const mkv = readFileSync(at('whole.mkv'));
  writeFileSync(at('cut.mkv'), mkv.subarray(0, Math.floor(mkv.length * 0.6)));
  writeFileSync(
    at('codec.mkv'),
    Buffer.from(mkv.toString('latin1').replace('V_MPEG4/ISO/AVC', 'V_NOSUCH/ISO/XYZ'.slice(0, 15)), 'latin1'),
  );
  await runFfmpeg(['-f', 'lavfi', '-i', 'sine=duration=1', at('audio.mp4')]);
  await runFfmpeg([
    '-f',
    'lavfi',
    '-i',
    'sine=duration=1',
    '-i',
    at('picture.jpg'),
    '-map',
    '0',
    '-map',
    '1',
    '-c:v',
    'copy',
    '-disposition:v',
    'attached_pic',
    at('cover.mp4'),
  ]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(ffmpegs)('%s', (_, ffmpeg) => {
  const read = (address: string, options = {}): VideoReader =>
    new VideoReader(openSource(parseSource(address), { ffmpeg, mode: 'lossless', ...options }));
  const errorOf = async (address: string, options = {}): Promise<PresageError> => {
    const reader = (() => {
      try {
        return read(address, options);
      } catch (error) {
        return error as PresageError; // refused at once
      }
    })();
    const error = reader instanceof VideoReader ? await reader.error : reader;
    expect(error).toBeInstanceOf(PresageError);
    if (reader instanceof VideoReader) expect(reader.states.at(-1)).toEqual({ state: 'failed', error });
    expect(childProcesses()).toEqual([]);
    return error as PresageError;
  };

  it.each([
    ['a text', 'text.mp4', 'source_invalid'],
    ['a file of zero bytes', 'empty.mp4', 'source_invalid'],
    ['a folder', 'folder.mp4', 'source_invalid'],
    ['a missing file', 'missing.mp4', 'source_not_found'],
    ['an MP4 without its index', 'no-index.mp4', 'source_invalid'],
    ['sound only', 'audio.mp4', 'source_invalid'],
    ['sound with a cover picture', 'cover.mp4', 'source_invalid'],
    ['an unknown codec', 'codec.mkv', 'source_invalid'],
  ])('says clearly what is wrong with %s', async (__, name, code) => {
    const error = await errorOf(join(folder, name));
    expect(error.code).toBe(code);
    expect(error.message).toContain(name);
    expect(error.message).not.toMatch(/\n|0x[0-9a-f]{6}/);
  });

  it('gives the frames of a file that is cut off, then ends and says so', async () => {
    const reader = read(join(folder, 'cut.mkv'));
    expect(await reader.error).toBeUndefined();
    expect(reader.frames.length).toBeGreaterThan(0);
    expect(reader.frames.length).toBeLessThan(LUMAS.length);
    expect(strictlyIncreasing(reader.times)).toBe(true);
    const last = reader.states.at(-1);
    expect(last?.state === 'ended' && last.reason).toMatch(/cut off/);
  });

  it.each([
    [
      'a port nobody listens at',
      () => Promise.resolve('rtsp://u:s3cret@127.0.0.1:1/x'),
      'source_unreachable',
    ],
    [
      'a host that does not exist',
      () => Promise.resolve('http://u:s3cret@nowhere.invalid/x'),
      'source_unreachable',
    ],
    [
      'a path that does not exist',
      async () => `${(await serveVideos({ folder, status: 404 })).url}/x?token=s3cret`,
      'source_not_found',
    ],
    [
      'a wrong password',
      async () =>
        `${(await serveVideos({ folder, login: 'a:b' })).url.replace('//', '//a:s3cret@')}/whole.mp4`,
      'source_refused',
    ],
  ])('says clearly what is wrong with %s, without its password', async (__, address, code) => {
    const error = await errorOf(await address(), { maxAttempts: 0, stallMs: 5000 });
    expect(error.code).toBe(code);
    expect(`${error.message} ${error.hint ?? ''} ${String(error.cause)}`).not.toContain('s3cret');
  });

  it('says that a webcam is missing', async () => {
    const error = await errorOf('webcam:/dev/video99', { maxAttempts: 0 });
    expect(error.code).toBe('source_not_found');
  });

  it.each(['with space.mp4', 'Füße — 歩行者.mp4', '-dash.mp4', "quo'te.mp4", '12:30 %d.mp4', 'pipe|a.mp4'])(
    'reads a file named %s',
    async (name) => {
      writeFileSync(join(folder, name), readFileSync(join(folder, 'whole.mp4')));
      const previous = process.cwd();
      process.chdir(folder);
      try {
        const reader = read(name);
        expect(await reader.error).toBeUndefined();
        expect(reader.frames).toHaveLength(LUMAS.length);
      } finally {
        process.chdir(previous);
      }
    },
  );

  it('lets a playlist from the network read no local file', async () => {
    const secret = join(folder, 'whole.mkv');
    writeFileSync(
      join(folder, 'thief.m3u8'),
      `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile://${secret}\n#EXT-X-ENDLIST\n`,
    );
    const { url } = await serveVideos({ folder });
    const reader = read(`${url}/thief.m3u8`, { maxAttempts: 0, stallMs: 3000 });
    await reader.error;
    expect(reader.frames).toEqual([]);
  });
});
