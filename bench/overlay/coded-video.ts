import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { i420Layout } from '../../src/core/video/frame.js';

/** A video whose pictures tell their own number, with something that moves at a known speed. */
export const CODED = { width: 640, height: 360, fps: 25, seconds: 40 } as const;
/** The number of a picture as cells of black and white along the lower edge, the lowest bit first; px. */
export const CELL = { size: 20, bits: 12 } as const;
/** The thing that moves: to the right and back, px and px a second. */
export const MOVER = { size: 56, top: 130, speed: 150, from: 40, to: 544 } as const;

/** Left edge of the mover in a picture, px. */
export function moverLeft(t: number): number {
  const way = MOVER.to - MOVER.from;
  const gone = (t * MOVER.speed) % (2 * way);
  return MOVER.from + (gone <= way ? gone : 2 * way - gone);
}

/** Writes it with little loss: the cells must be readable, and the mover as sharp as a camera shows it. */
export async function writeCodedVideo(ffmpegPath: string, file: string): Promise<void> {
  const { width, height, fps, seconds } = CODED;
  const input = [
    '-f',
    'rawvideo',
    '-pix_fmt',
    'yuv420p',
    '-s',
    `${width}x${height}`,
    '-r',
    String(fps),
    '-i',
    '-',
  ];
  const output = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '16', '-g', String(fps), file];
  const child = spawn(ffmpegPath, ['-v', 'error', '-y', ...input, ...output], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const background = texture(width, height);
  for (let index = 0; index < fps * seconds; index += 1)
    if (!child.stdin.write(picture(background, index))) await once(child.stdin, 'drain');
  child.stdin.end();
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg ended with ${code ?? 'a signal'}`);
}

function picture(background: Uint8Array, index: number): Buffer {
  const { width, height, fps } = CODED;
  const { byteLength } = i420Layout(width, height);
  const pixels = Buffer.alloc(byteLength, 128);
  pixels.set(background);
  const fill = (left: number, top: number, size: number, luma: number): void => {
    for (let y = top; y < top + size; y += 1) pixels.fill(luma, y * width + left, y * width + left + size);
  };
  fill(Math.round(moverLeft(index / fps)), MOVER.top, MOVER.size, 225);
  for (let bit = 0; bit < CELL.bits; bit += 1)
    fill(bit * CELL.size, height - CELL.size, CELL.size, (index >> bit) & 1 ? 235 : 16);
  return pixels;
}

/** Soft squares: something to hold on to for whoever looks for the camera's own motion. */
function texture(width: number, height: number): Uint8Array {
  const luma = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      luma[y * width + x] = 70 + ((Math.floor(x / 32) * 7 + Math.floor(y / 32) * 13) % 5) * 9;
  return luma;
}
