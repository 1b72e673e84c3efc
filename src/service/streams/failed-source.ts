import { NEVER, throwError } from 'rxjs';
import type { PresageError } from '../../core/errors.js';
import type { Source, SourceStats } from '../../core/source.js';
import { sourceName } from '../../ingest/source-spec.js';

/** A source that could not be opened: it fails, with why, as soon as it is read. The other streams go on. */
export class FailedSource implements Source {
  readonly name: string;
  readonly frame$;
  readonly state$ = NEVER;
  readonly liveFrames = 0;
  readonly duration = undefined;

  constructor(source: string, error: PresageError) {
    this.name = sourceName(source);
    this.frame$ = throwError(() => error);
  }

  stats(): SourceStats {
    return { delivered: 0, dropped: {}, clockJumps: 0, reconnects: 0 };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
