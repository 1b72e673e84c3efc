import { join } from 'node:path';
import type { DurableLog } from '../log/durable-log.js';
import { StoredFiles, type StoredFilesOptions } from './stored-files.js';

/** Files per folder: of events e0–e999, e1000–e1999, … */
const FOLDER_FILES = 1000;

/** Pictures of events and of looks, as JPEG files in the data folder. */
export class EvidenceStore {
  readonly #files: StoredFiles;

  constructor(log: Pick<DurableLog, 'attach'>, options: Omit<StoredFilesOptions, 'kind'>) {
    this.#files = new StoredFiles(log, { ...options, kind: 'evidence' });
  }

  /** Bytes of all pictures. */
  get bytes(): number {
    return this.#files.bytes;
  }

  /** Removes what a crash left: files that are not whole, and such as no row names. Call before the first `put`. */
  tidy(): Promise<number> {
    return this.#files.tidy();
  }

  /**
   * Writes a picture; its row follows with the next commit.
   * @param ref id of the event that it shows, or `l` and the milliseconds of a look
   */
  put(stream: string, ref: string, t: number, at: number, jpeg: Uint8Array): Promise<void> {
    const number = Math.floor(Number(ref.replace(/\D/g, '')) / FOLDER_FILES);
    return this.#files.put(stream, ref, t, at, join(String(number), `${ref}.jpg`), jpeg);
  }

  /** Path of the picture of an event; undefined when none is kept. */
  find(stream: string, ref: string): string | undefined {
    return this.#files.find(stream, ref);
  }
}
