import type { Places } from '../../core/stages.js';
import { COCO_LABELS } from '../../model/coco-labels.js';
import { ask, type Asked, type QuestionBackend } from '../../reasoner/ask/ask.js';
import type { Archive } from '../../transport/archive/archive.js';
import type { DurableLog } from '../../transport/durable-log.js';
import { PLACES_KEY } from '../continuation.js';
import type { Settings } from '../option-table.js';
import { questionBackend } from './backend.js';
import { recollectionOfArchive } from './recollections.js';

/** Answers questions about the streams of a service from its archive. */
export class ServiceAsker {
  readonly #log: DurableLog;
  readonly #archive: Archive;
  readonly #backend: QuestionBackend | undefined;
  #refresh: (streamId: string) => void = () => undefined;

  constructor(log: DurableLog, archive: Archive, settings: Settings) {
    this.#log = log;
    this.#archive = archive;
    this.#backend = questionBackend(settings);
  }

  /** @param refresh called before each question, to put what memory holds into the archive */
  onAsk(refresh: (streamId: string) => void): void {
    this.#refresh = refresh;
  }

  /** @throws PresageError `storage_failed`, `backend_failed` */
  ask(streamId: string, question: string): Promise<Asked> {
    // What was told a moment ago counts, too.
    this.#refresh(streamId);
    this.#log.flush();
    const places = (this.#log.load(streamId, PLACES_KEY) ?? { zones: {}, lines: {} }) as Places;
    const memory = recollectionOfArchive(this.#archive.queries(streamId, places), places, true);
    return ask(question, memory, { labels: COCO_LABELS, backend: this.#backend });
  }
}
