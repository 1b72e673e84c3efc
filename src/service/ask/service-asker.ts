import type { InspectionRequest, VideoInspector } from '../../core/inspection.js';
import type { ReportedInspection } from '../../core/messages.js';
import type { Places } from '../../core/memory.js';
import { COCO_LABELS } from '../../model/detector/coco-labels.js';
import { ask, type Asked, type QuestionBackend } from '../../ask/ask.js';
import type { Recollection } from '../../ask/recollection.js';
import { ToolBox } from '../../ask/tools/tool-box.js';
import type { Archive } from '../../transport/archive/archive.js';
import type { DurableLog } from '../../transport/log/durable-log.js';
import { PLACES_KEY } from '../continuation.js';
import type { Settings } from '../../cli/options/option-table.js';
import { questionBackend } from './backend.js';
import { recollectionOfArchive } from './recollections.js';

/** The part of a session that is asked. */
interface AskableStream {
  readonly inspector: VideoInspector | undefined;
  /** Puts what memory holds into the archive. */
  archiveNow(): void;
}

/** Answers questions about the streams of a service from its archive, and looks at their recent video. */
export class ServiceAsker {
  readonly #log: DurableLog;
  readonly #archive: Archive;
  readonly #backend: QuestionBackend | undefined;
  #find: (streamId: string) => AskableStream | undefined = () => undefined;

  constructor(log: DurableLog, archive: Archive, settings: Settings) {
    this.#log = log;
    this.#archive = archive;
    this.#backend = questionBackend(settings);
  }

  /** Tells where the streams are. */
  attach(find: (streamId: string) => AskableStream | undefined): void {
    this.#find = find;
  }

  /** @throws PresageError `storage_failed`, `backend_failed`, `overloaded` */
  async ask(streamId: string, question: string): Promise<Asked> {
    const asked = await ask(question, this.#recollect(streamId), {
      labels: COCO_LABELS,
      backend: this.#backend,
    });
    // Pictures that the answer names can be fetched at once.
    if (asked.understood && asked.answer.inspections !== undefined) this.#log.flush();
    return asked;
  }

  /** @throws PresageError `not_kept`, `overloaded` (retryable), `interrupted`, `inference_failed`, `worker_crashed` */
  async inspect(
    streamId: string,
    request: InspectionRequest,
    signal: AbortSignal,
  ): Promise<ReportedInspection[]> {
    const { queries, now, video } = this.#recollect(streamId);
    const looks = await new ToolBox({ queries, now, video }).inspect(request, signal);
    this.#log.flush();
    return looks;
  }

  #recollect(streamId: string): Recollection {
    const stream = this.#find(streamId);
    // What was told a moment ago counts, too.
    stream?.archiveNow();
    this.#log.flush();
    const places = (this.#log.load(streamId, PLACES_KEY) ?? { zones: {}, lines: {} }) as Places;
    return recollectionOfArchive(this.#archive.queries(streamId, places), places, true, stream?.inspector);
  }
}
