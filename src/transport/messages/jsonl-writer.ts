import { ownValue } from '../../core/own-value.js';
import { open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { PresageError } from '../../core/errors.js';
import type { MessageSink, OutgoingMessage } from './encode.js';

/** `drained` waits while more than this many characters are not yet written. */
const HIGH_WATER_CHARS = 1 << 20;

/**
 * Writes messages as JSON Lines. The file appears under its name only when it is complete: until `finish` it is
 * `FILE.partial`; `abort`, a failure, or disposal without `finish` remove that and leave an older FILE as it was. A
 * pipe or device (such as /dev/stdout) is written directly.
 */
export class JsonlWriter implements MessageSink, AsyncDisposable {
  readonly path: string;
  readonly #handle: FileHandle;
  /** Undefined for pipes and devices, which are not renamed. */
  readonly #partial: string | undefined;
  #waiting: string[] = [];
  #unwrittenChars = 0;
  #writing: Promise<void> | undefined;
  #error: PresageError | undefined;
  #lines = 0;
  #closed: Promise<void> | undefined;
  #finished = false;

  /** Rejects with `output_failed`. */
  static async open(path: string): Promise<JsonlWriter> {
    try {
      // A symbolic link is written through, not replaced.
      const target = await realpath(path).catch(() => path);
      const existing = await stat(target).catch(() => undefined);
      if (existing?.isDirectory()) {
        throw new PresageError('output_failed', `${path} is a folder`, { hint: 'Name a file in it.' });
      }
      const direct = existing !== undefined && !existing.isFile();
      const partial = direct ? undefined : `${target}.partial`;
      return new JsonlWriter(target, await open(partial ?? target, 'w'), partial);
    } catch (thrown) {
      throw outputError(path, thrown);
    }
  }

  private constructor(path: string, handle: FileHandle, partial: string | undefined) {
    this.path = path;
    this.#handle = handle;
    this.#partial = partial;
  }

  /** Lines taken so far. */
  get lines(): number {
    return this.#lines;
  }

  deliver(message: OutgoingMessage): void {
    if (this.#error !== undefined || this.#closed !== undefined) return;
    this.#lines += 1;
    this.#waiting.push(message.json, '\n');
    this.#unwrittenChars += message.json.length + 1;
    this.#writing ??= this.#write();
  }

  /** Resolves when little is waiting. Rejects with `output_failed` once writing has failed. */
  async drained(): Promise<void> {
    while (this.#error === undefined && this.#unwrittenChars > HIGH_WATER_CHARS) await this.#writing;
    if (this.#error !== undefined) throw this.#error;
  }

  /** Writes the rest and gives the file its name. Rejects with `output_failed`, with nothing left behind. */
  async finish(): Promise<void> {
    if (this.#closed !== undefined) return this.#closed;
    this.#finished = true;
    this.#closed = this.#complete();
    return this.#closed;
  }

  /** Stops and removes what was written. Idempotent; does nothing after `finish`. */
  async abort(): Promise<void> {
    if (this.#finished) return;
    this.#closed ??= this.#discard();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort();
  }

  /** One write at a time; what comes meanwhile goes with the next. Never rejects: the error is kept. */
  async #write(): Promise<void> {
    await Promise.resolve();
    try {
      while (this.#waiting.length > 0) {
        const text = this.#waiting.join('');
        this.#waiting = [];
        await this.#handle.appendFile(text);
        this.#unwrittenChars = Math.max(0, this.#unwrittenChars - text.length);
      }
    } catch (thrown) {
      this.#error = outputError(this.path, thrown);
      this.#forget();
    } finally {
      this.#writing = undefined;
    }
  }

  async #complete(): Promise<void> {
    await this.#writing;
    try {
      if (this.#error !== undefined) throw this.#error;
      if (this.#partial === undefined) {
        await this.#handle.close();
        return;
      }
      await this.#handle.sync();
      await this.#handle.close();
      await rename(this.#partial, this.path);
    } catch (thrown) {
      await this.#discard();
      throw outputError(this.path, thrown);
    }
  }

  #forget(): void {
    this.#waiting = [];
    this.#unwrittenChars = 0;
  }

  async #discard(): Promise<void> {
    this.#forget();
    await this.#writing;
    // The first error is the one to tell; closing and removing are attempts to leave nothing behind.
    await this.#handle.close().catch(() => undefined);
    if (this.#partial !== undefined) await rm(this.#partial, { force: true }).catch(() => undefined);
  }
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'Create the folder first.',
  ENOTDIR: 'Choose a path whose folder exists.',
  ENOSPC: 'Free some disk space, or write elsewhere.',
  EACCES: 'Choose a folder that you may write to.',
  EPERM: 'Choose a folder that you may write to.',
  EROFS: 'Choose a folder that you may write to.',
};

function outputError(path: string, thrown: unknown): PresageError {
  if (thrown instanceof PresageError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : '';
  const hint = ownValue(HINTS, code);
  return new PresageError('output_failed', `Cannot write ${path}: ${message}`, {
    cause: thrown,
    ...(hint === undefined ? {} : { hint }),
  });
}
