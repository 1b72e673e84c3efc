import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { PresageError } from '../../core/errors.js';
import { placesSchema } from '../../transport/http/streams/place-schemas.js';
import { newStreamSchema, type NewStream } from '../../transport/http/streams/stream-schemas.js';

const FILE = 'streams.json';

const contentSchema = z.object({
  version: z.literal(1),
  /** Streams made by the API. */
  streams: z.array(newStreamSchema),
  /** Zones and lines given by the API to streams of presage.yaml that have none there. */
  places: z.record(z.string(), placesSchema),
});
export type StoredStreams = Omit<z.infer<typeof contentSchema>, 'version'>;

/** The streams that the API made, in the data folder. Sources hold passwords: only its owner can read the file. */
export class StreamFile {
  readonly #path: string;

  constructor(dataFolder: string) {
    this.#path = join(dataFolder, FILE);
  }

  /** @throws PresageError `storage_failed` */
  read(): StoredStreams {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { streams: [], places: {} };
      throw this.#failed(cause);
    }
    try {
      return contentSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new PresageError('storage_failed', `${this.#path} is not what Presage wrote`, {
        cause,
        hint: `Move ${this.#path} away; the streams that the API made are then to be made again.`,
      });
    }
  }

  /** Whole or not at all. @throws PresageError `storage_failed` */
  write({ streams, places }: { streams: readonly NewStream[]; places: StoredStreams['places'] }): void {
    const draft = `${this.#path}.partial`;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      const text = `${JSON.stringify({ version: 1, streams, places }, null, 2)}\n`;
      writeFileSync(draft, text, { mode: 0o600, flush: true });
      renameSync(draft, this.#path);
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  #failed(cause: unknown): PresageError {
    return new PresageError('storage_failed', `${this.#path}: ${(cause as Error).message}`, {
      cause,
      hint: 'Make the data folder readable and writable, or name another one with --data.',
    });
  }
}
