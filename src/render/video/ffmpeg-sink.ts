import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { PresageError } from '../../core/errors.js';
import { redact } from '../../core/text/redact.js';

export interface FfmpegSinkOptions {
  readonly ffmpegPath: string;
  /** The finished video; until then it is `FILE.partial.mp4`. */
  readonly file: string;
  /** px, even */
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

type Child = ChildProcessByStdio<Writable, null, Readable>;

/** The end of ffmpeg's complaints that is kept, characters. */
const STDERR_KEPT = 2000;
const PROBE_TIMEOUT_MS = 20_000;

/** An ffmpeg that turns RGBA pictures into an MP4 file, which appears under its name only when it is complete. */
export class FfmpegSink {
  readonly #file: string;
  readonly #partial: string;
  readonly #child: Child;
  readonly #ended: Promise<{ code: number | null; problem: string | undefined }>;
  #stderr = '';
  #closed = false;
  #complete = false;
  readonly #killWithUs = (): void => void this.#child.kill('SIGKILL');

  /** Finds out what this ffmpeg can encode, and starts it. Rejects with `output_failed` or `ffmpeg_missing`. */
  static async open(options: FfmpegSinkOptions): Promise<FfmpegSink> {
    const folder = dirname(options.file);
    const found = await stat(folder).catch(() => undefined);
    if (found?.isDirectory() !== true) {
      throw new PresageError('output_failed', `cannot write ${options.file}: there is no folder ${folder}`, {
        hint: `mkdir -p ${folder}`,
      });
    }
    return new FfmpegSink(options, await encoderArguments(options.ffmpegPath));
  }

  private constructor(options: FfmpegSinkOptions, encoder: readonly string[]) {
    this.#file = options.file;
    this.#partial = `${options.file}.partial.mp4`;
    this.#child = spawn(options.ffmpegPath, inputOutput(options, encoder, this.#partial), {
      stdio: ['pipe', 'ignore', 'pipe'],
      // A group of its own: Ctrl+C is ours to handle, and ffmpeg ends with its input in any case.
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    // An early end shows as EPIPE here; the reason is in `#ended`.
    this.#child.stdin.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve({ code: null, problem: error.message }));
      this.#child.once('close', (code) => resolve({ code, problem: undefined }));
    });
    process.once('exit', this.#killWithUs);
    void this.#ended.then(() => process.off('exit', this.#killWithUs));
  }

  /** Resolves when ffmpeg has taken the whole picture; rejects with `output_failed` when it has ended. */
  async write(rgba: Uint8Array): Promise<void> {
    if (this.#closed) throw new PresageError('output_failed', `${this.#file} is already closed`);
    const failed = await new Promise<boolean>((resolve) => {
      this.#child.stdin.write(rgba, (error) => resolve(error !== null && error !== undefined));
    });
    if (failed) throw await this.#fail();
  }

  /** Lets ffmpeg write the rest and gives the file its name. */
  async finish(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#child.stdin.end();
    const { code } = await this.#ended;
    if (code !== 0) throw await this.#fail();
    try {
      await rename(this.#partial, this.#file);
      this.#complete = true;
    } catch (error) {
      throw await this.#fail(error);
    }
  }

  /** Ends ffmpeg at once and removes what it has written, unless the file is complete. Idempotent. */
  async abort(): Promise<void> {
    this.#closed = true;
    if (!this.#complete) await this.#discard();
  }

  async #discard(): Promise<void> {
    this.#child.kill('SIGKILL');
    this.#child.stdin.destroy();
    await this.#ended;
    await rm(this.#partial, { force: true });
  }

  async #fail(cause?: unknown): Promise<PresageError> {
    this.#closed = true;
    const { code, problem } = await this.#ended;
    await this.#discard();
    const last = this.#stderr.trim().split('\n').at(-1) ?? '';
    const reason =
      problem ??
      (last === '' ? (code === null ? 'ffmpeg was ended' : `ffmpeg ended with ${code}`) : redact(last));
    return new PresageError('output_failed', `cannot write ${this.#file}: ${reason}`, {
      cause,
      hint: 'Check that the folder can be written to and that the disk is not full.',
    });
  }
}

/** H.264 where this ffmpeg has it, else MPEG-4 part 2, which every build has. */
async function encoderArguments(ffmpegPath: string): Promise<string[]> {
  let encoders: string;
  try {
    const run = promisify(execFile)(ffmpegPath, ['-hide_banner', '-encoders'], { timeout: PROBE_TIMEOUT_MS });
    encoders = (await run).stdout;
  } catch (error) {
    throw new PresageError('ffmpeg_missing', `${ffmpegPath} does not run`, {
      cause: error,
      hint: 'Install ffmpeg, or name one that works.',
    });
  }
  return /\blibx264\b/.test(encoders)
    ? ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '22']
    : ['-c:v', 'mpeg4', '-q:v', '4'];
}

function inputOutput(options: FfmpegSinkOptions, encoder: readonly string[], file: string): string[] {
  const { width, height, fps } = options;
  const input = [
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgba',
    '-video_size',
    `${width}x${height}`,
    '-framerate',
    String(fps),
    '-i',
    'pipe:0',
  ];
  // The scaler makes BT.601 limited range of RGBA; saying so keeps players from guessing BT.709 for large pictures.
  const colors = ['-pix_fmt', 'yuv420p', '-colorspace', 'smpte170m', '-color_range', 'tv'];
  const tail = [
    '-movflags',
    '+faststart',
    '-fflags',
    '+bitexact',
    '-flags:v',
    '+bitexact',
    '-f',
    'mp4',
    '-y',
    `file:${file}`,
  ];
  return ['-hide_banner', '-loglevel', 'error', '-nostdin', ...input, '-an', ...encoder, ...colors, ...tail];
}
