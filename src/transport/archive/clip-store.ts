import { join } from 'node:path';
import type { DurableLog } from '../log/durable-log.js';
import { StoredFiles, type StoredFile, type StoredFilesOptions } from './stored-files.js';

/** Media time that shares a folder, s. */
const FOLDER_S = 3600;

/** Parts of the original video around events, as Matroska files in the data folder. */
export class ClipStore {
  readonly #files: StoredFiles;

  constructor(log: Pick<DurableLog, 'attach'>, options: Omit<StoredFilesOptions, 'kind'>) {
    this.#files = new StoredFiles(log, { ...options, kind: 'clips' });
  }

  /** Of all parts. */
  get bytes(): number {
    return this.#files.bytes;
  }

  /** Removes what a crash left. Call before the first `put`. */
  tidy(): Promise<number> {
    return this.#files.tidy();
  }

  /**
   * @param run names the life of the decoder that the part is from
   * @param t media time of its first picture, s
   */
  put(stream: string, run: string, t: number, at: number, matroska: Uint8Array): Promise<void> {
    const name = join(String(Math.floor(t / FOLDER_S)), `${Math.round(t * 1000)}-${run}.mkv`);
    return this.#files.put(stream, run, t, at, name, matroska);
  }

  /** Parts that begin between two media times, by time; `ref` is their run. */
  between(stream: string, from: number, to: number): StoredFile[] {
    return this.#files.between(stream, from, to);
  }
}
