import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { ENCODED_FD } from './ffmpeg-arguments.js';

/** After SIGTERM ffmpeg has this long to go, then it is killed, ms. */
const KILL_GRACE_MS = 1_500;

export interface FfmpegExit {
  /** `code 1`, `signal SIGKILL`, `cannot be started: …` */
  readonly text: string;
  readonly ok: boolean;
  /** False when the program could not even be started. */
  readonly started: boolean;
}

type Child = ChildProcess & { readonly stdout: Readable; readonly stderr: Readable };

/** Children that run; killed when this process exits. */
const running = new Set<FfmpegProcess>();
process.once('exit', () => running.forEach((child) => child.kill()));

/**
 * One ffmpeg child. It can't outlive this process: its standard output is a pipe of ours, and writing to it ends ffmpeg
 * once we are gone; where nothing comes to be written, its limit on network reads ends it.
 */
export class FfmpegProcess {
  readonly #child: Child;
  readonly exited: Promise<FfmpegExit>;
  #running = true;

  /** @param onEncoded takes what the child writes to ENCODED_FD, as it comes: it never waits for us there */
  constructor(path: string, args: readonly string[], onEncoded?: (chunk: Buffer) => void) {
    const pipes = Array<'pipe'>(onEncoded ? ENCODED_FD : 2).fill('pipe');
    this.#child = spawn(path, args, {
      stdio: ['ignore', ...pipes],
      windowsHide: true,
    }) as Child;
    if (onEncoded) {
      // Errors of this pipe come with the child's end, which is told of by itself.
      (this.#child.stdio[ENCODED_FD] as Readable).on('data', onEncoded).on('error', () => undefined);
    }
    running.add(this);
    this.exited = new Promise((resolve) => {
      const end = (exit: FfmpegExit): void => {
        this.#running = false;
        running.delete(this);
        resolve(exit);
      };
      // Without an id it was never started; other errors, as of a signal that came too late, change nothing.
      this.#child.on('error', (error) => {
        if (this.#child.pid !== undefined) return;
        end({ text: `cannot be started: ${error.message}`, ok: false, started: false });
      });
      this.#child.once('close', (code, signal) => {
        const text = signal === null ? `code ${code ?? 0}` : `signal ${signal}`;
        end({ text, ok: code === 0, started: true });
      });
    });
    this.#child.stderr.setEncoding('utf8');
  }

  get stdout(): Readable {
    return this.#child.stdout;
  }

  get stderr(): Readable {
    return this.#child.stderr;
  }

  /** Ends the child at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Ends the child, by force if it must be; resolves when it has gone. Idempotent. */
  async stop(): Promise<void> {
    if (this.#running) {
      this.#child.kill('SIGTERM');
      // Unread output would keep the pipes, and so the child's end, waiting.
      this.#child.stdout.destroy();
      const grace = new AbortController();
      const late = delay(KILL_GRACE_MS, undefined, { signal: grace.signal, ref: false }).then(
        () => this.#child.kill('SIGKILL'),
        () => undefined, // it went in time
      );
      await this.exited;
      grace.abort();
      await late;
    }
  }
}
