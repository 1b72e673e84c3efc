import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { lastValueFrom, map, toArray } from 'rxjs';
import { i420Layout, type Frame } from '../../../src/core/video/frame.js';
import type { Source } from '../../../src/core/source.js';
import { majorVersion } from '../../../src/ingest/ffmpeg-binary.js';
import { ENCODER } from './video.js';

/** Luma planes of all pictures of a video, decoded. */
export async function decodeLumas(video: Uint8Array, width: number, height: number): Promise<Buffer[]> {
  const args = [
    '-v',
    'error',
    '-i',
    'pipe:0',
    '-f',
    'rawvideo',
    '-pix_fmt',
    'yuv420p',
    ...(majorVersion(ENCODER) >= 5 ? ['-fps_mode', 'passthrough'] : ['-vsync', '0']),
  ];
  const child = spawn(ENCODER.path, [...args, 'pipe:1'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => undefined); // it reads no farther than it must
  child.stdin.end(video);
  const raw = await buffer(child.stdout);
  // To grey would change the range.
  const { ySize, byteLength } = i420Layout(width, height);
  return Array.from({ length: raw.length / byteLength }, (_, index) =>
    raw.subarray(index * byteLength, index * byteLength + ySize),
  );
}

/** Peak signal-to-noise ratio of two pictures of 8 bits, dB; Infinity for the same bytes. */
export function psnr(one: Uint8Array, other: Uint8Array): number {
  if (one.length !== other.length) throw new Error(`${one.length} and ${other.length} bytes`);
  const squares = one.reduce((sum, value, index) => sum + (value - (other[index] as number)) ** 2, 0);
  return squares === 0 ? Infinity : 10 * Math.log10(255 ** 2 / (squares / one.length));
}

export interface SeenFrame {
  readonly t: number;
  readonly luma: Buffer;
}

/** A copy of what a frame shows. */
export function seen(frame: Frame): SeenFrame {
  const { t, pixels, layout } = frame;
  const luma = Buffer.from(pixels.subarray(0, layout.ySize));
  frame[Symbol.dispose]();
  return { t, luma };
}

/** All frames of a source to its end. */
export function allFrames(source: Source): Promise<SeenFrame[]> {
  return lastValueFrom(source.frame$.pipe(map(seen), toArray()));
}
