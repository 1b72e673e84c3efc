import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { i420Layout } from '../../../src/core/video/frame.js';
import type { Ffmpeg } from '../../../src/ingest/ffmpeg-binary.js';
import { findFfmpeg } from '../../../src/ingest/ffmpeg-binary.js';

const installer = createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg') as { path: string };
/** The program that makes and decodes test clips: the one that Presage finds. */
export const ENCODER: Ffmpeg = await findFfmpeg({ path: process.env['FFMPEG_PATH'] });
/** Why there is only the ffmpeg of 2018; undefined when there is a newer one. With PRESAGE_REQUIRE_ALL=1 there must be. */
export const noNewerFfmpeg =
  ENCODER.origin === '@ffmpeg-installer/ffmpeg' ? 'there is no ffmpeg on PATH' : undefined;
if (noNewerFfmpeg !== undefined && process.env['PRESAGE_REQUIRE_ALL'] === '1') throw new Error(noNewerFfmpeg);

/** The two ends of what Presage supports: the ffmpeg that it finds, if newer, and the npm package's build of 2018. */
export async function supportedFfmpegs(): Promise<[label: string, ffmpeg: Ffmpeg][]> {
  const older: [string, Ffmpeg] = ['ffmpeg of 2018', await findFfmpeg({ path: installer.path })];
  return noNewerFfmpeg === undefined ? [[`ffmpeg from ${ENCODER.origin}`, ENCODER], older] : [older];
}

export interface ClipOptions {
  /** Luma of each picture, 16–235; chroma is neutral. */
  readonly lumas: readonly number[];
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  /** Options of the output, such as the codec; by default the container's own. */
  readonly output?: readonly string[];
}

/** Writes a clip of plain grey pictures, by which a test can tell them apart. */
export async function makeClip(path: string, options: ClipOptions): Promise<string> {
  const { lumas, width = 64, height = 48, fps = 10, output = [] } = options;
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
  const { ySize, byteLength } = i420Layout(width, height);
  const pictures = lumas.map((luma) => Buffer.alloc(byteLength, 128).fill(luma, 0, ySize));
  await runFfmpeg([...input, ...output, path], Buffer.concat(pictures));
  return path;
}

/** Runs the encoder; rejects with what it said when it fails. */
export async function runFfmpeg(args: readonly string[], stdin?: Buffer): Promise<void> {
  const child = spawn(ENCODER.path, ['-v', 'error', '-y', ...args], { stdio: ['pipe', 'ignore', 'pipe'] });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  child.stdin.on('error', (error) => said.push(error.message)); // it ended before it had read everything
  child.stdin.end(stdin);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg ${args.join(' ')}: ${said.join('')}`);
}

/** `count` lumas, each well apart from its neighbours. */
export function lumaRamp(count: number): number[] {
  return Array.from({ length: count }, (_, index) => 30 + (index % 20) * 10);
}
