import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { PresageError } from '../../core/errors.js';

export type ClipContainer = 'mp4' | 'webm';

/** What each container holds, as Matroska names codecs. */
const HELD: Readonly<Record<ClipContainer, RegExp>> = {
  mp4: /^V_(?:MPEG|VP9|AV1|MJPEG)/,
  webm: /^V_(?:VP8|VP9|AV1)/,
};
/** Copying a minute of video takes far less, ms. */
const REMUX_TIMEOUT_MS = 20_000;

export function holds(container: ClipContainer, codec: string): boolean {
  return HELD[container].test(codec);
}

/**
 * The same frames in another container, nothing encoded again; presentation times begin at 0.
 * @throws PresageError `ffmpeg_failed`
 */
export async function remux(
  ffmpegPath: string,
  matroska: Uint8Array,
  container: ClipContainer,
): Promise<Buffer> {
  // A file, since an MP4 that can be played from its beginning has its index first.
  const folder = await mkdtemp(join(tmpdir(), 'presage-clip-'));
  const path = join(folder, `clip.${container}`);
  try {
    const input = ['-hide_banner', '-loglevel', 'error', '-f', 'matroska', '-i', 'pipe:0'];
    const index = container === 'mp4' ? ['-movflags', '+faststart'] : [];
    await runToEnd(ffmpegPath, [...input, '-map', '0:v:0', '-c', 'copy', ...index, '-y', path], matroska);
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runToEnd(path: string, args: readonly string[], stdin: Uint8Array): Promise<void> {
  const child = spawn(path, args, { stdio: ['pipe', 'ignore', 'pipe'], timeout: REMUX_TIMEOUT_MS });
  const said = text(child.stderr);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? '' : `${signal ?? code ?? ''}`));
  });
  child.stdin.on('error', () => undefined); // it ended before it had read everything: its exit tells
  child.stdin.end(stdin);
  const failure = await ended;
  if (failure === '') return;
  throw new PresageError(
    'ffmpeg_failed',
    `The clip could not be written (${failure}): ${(await said).trim()}`,
  );
}
