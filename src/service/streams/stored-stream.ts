import { PresageError } from '../../core/errors.js';
import type { Archive } from '../../transport/archive/archive.js';
import type { StoredStream } from '../../transport/http/history/history-routes.js';
import { StreamHistory } from '../../transport/http/history/stream-history.js';
import type { DurableLog } from '../../transport/log/durable-log.js';
import type { StreamRegistry } from './stream-registry.js';

export interface StoredStreamDeps {
  readonly streams: Pick<StreamRegistry, 'find' | 'planOf'>;
  readonly archive: Archive;
  readonly log: Pick<DurableLog, 'flush'>;
}

/** The stored data of a stream, the newest messages included. @throws PresageError `not_found` */
export function storedStreamOf({ streams, archive, log }: StoredStreamDeps, id: string): StoredStream {
  const plan = streams.planOf(id);
  if (plan === undefined) throw new PresageError('not_found', `There is no stream "${id}"`);
  streams.find(id)?.archiveNow();
  log.flush();
  return { history: new StreamHistory(archive.history(id)), queries: archive.queries(id, plan.places) };
}
