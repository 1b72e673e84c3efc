import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../log/private-files.js';

/** Size at which the file becomes `….old`, of which there is one: twice this is the most that is kept. */
const MAX_BYTES = 10_000_000;

export interface DeadLetter {
  /** ISO 8601 */
  readonly at: string;
  readonly webhook: string;
  readonly attempts: number;
  readonly reason: string;
  readonly message: unknown;
}

/** JSON Lines of what could not be delivered. */
export class DeadLetters {
  readonly #path: string;
  readonly #maxBytes: number;
  #last: Promise<void> = Promise.resolve();

  constructor(path: string, maxBytes = MAX_BYTES) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /** Rejects when the file can't be written. */
  add(letter: DeadLetter): Promise<void> {
    const written = this.#last.then(() => this.#write(letter));
    // The next one is tried all the same.
    this.#last = written.catch(() => undefined);
    return written;
  }

  async #write(letter: DeadLetter): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: PRIVATE_FOLDER });
    const size = await stat(this.#path).then(
      (found) => found.size,
      () => 0,
    );
    if (size >= this.#maxBytes) await rename(this.#path, `${this.#path}.old`);
    await appendFile(this.#path, `${JSON.stringify(letter)}\n`, { mode: PRIVATE_FILE });
  }
}
