import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cutClip } from '../../../src/service/clips/cut-clip.js';
import { EncodedRing } from '../../../src/ingest/encoded/encoded-ring.js';
import { remux } from '../../../src/ingest/encoded/remux.js';
import { openSource } from '../../../src/ingest/open-source.js';
import { parseSource } from '../../../src/ingest/source-spec.js';
import { allFrames, decodeLumas, psnr, type SeenFrame } from '../../support/video/clips.js';
import { tempFolder } from '../../support/transport/temp-folder.js';
import { runFfmpeg, supportedFfmpegs } from '../../support/video/video.js';

const [WIDTH, HEIGHT] = [160, 120];
const RECORDINGS = [
  {
    name: 'H.264 with reordered frames',
    file: 'h264.mp4',
    codec: ['libx264', '-g', '25', '-bf', '2'],
    container: 'mp4',
  },
  { name: 'VP8', file: 'vp8.mkv', codec: ['libvpx', '-g', '25', '-b:v', '1M'], container: 'webm' },
] as const;

const ffmpegs = await supportedFfmpegs();
function frameAt(frames: readonly SeenFrame[], t: number): SeenFrame {
  const found = frames.find((frame) => Math.abs(frame.t - t) < 1e-6);
  if (!found) throw new Error(`no frame at ${t}`);
  return found;
}

describe.each(ffmpegs)('the ring of encoded video, with %s', (_label, ffmpeg) => {
  it.each(RECORDINGS)(
    'gives a clip of $name whose first and last pictures are the frames of these media times',
    async ({ file, codec, container }) => {
      const path = join(tempFolder(), file);
      const input = ['-f', 'lavfi', '-i', `testsrc2=s=${WIDTH}x${HEIGHT}:r=25:d=6`];
      await runFfmpeg([...input, '-c:v', ...codec, '-pix_fmt', 'yuv420p', path]);
      const ring = new EncodedRing({ seconds: 60, maxBytes: 32e6 });
      await using source = openSource(parseSource(path), {
        ...{ ffmpeg, mode: 'lossless', encoded: ring, startS: 100 },
      });
      const frames = await allFrames(source);
      const cut = cutClip(ring.between(0, 1e9), 103.5, 102.5, 104.2);
      expect(cut?.from).toBe(102);
      // Frames that are shown later may be needed for the last one.
      expect(cut?.to).toBeGreaterThanOrEqual(104.2);
      expect(cut?.to).toBeLessThan(104.3);
      const clip = await remux(ffmpeg.path, cut?.matroska as Buffer, container);
      const shown = await decodeLumas(clip, WIDTH, HEIGHT);
      expect(shown.length).toBeGreaterThanOrEqual(56);
      expect(psnr(shown[0] as Buffer, frameAt(frames, 102).luma)).toBeGreaterThan(45);
      expect(psnr(shown[55] as Buffer, frameAt(frames, 104.2).luma)).toBeGreaterThan(45);
      expect(psnr(shown[0] as Buffer, frameAt(frames, 102.04).luma)).toBeLessThan(40);
    },
  );

  it('keeps decoding a source whose codec it cannot keep, and says so', async () => {
    const path = join(tempFolder(), 'raw.avi');
    await runFfmpeg([
      '-f',
      'lavfi',
      '-i',
      'testsrc2=s=64x48:r=10:d=1',
      '-pix_fmt',
      'bgr24',
      '-c:v',
      'rawvideo',
      path,
    ]);
    const ring = new EncodedRing({ seconds: 60, maxBytes: 32e6 });
    await using source = openSource(parseSource(path), { ffmpeg, mode: 'lossless', encoded: ring });
    expect(await allFrames(source)).toHaveLength(10);
    expect(ring.codec).toBeUndefined();
    expect(ring.stats()).toMatchObject({ gops: 0, bytes: 0 });
  });
});
