import type { InspectionRequest, VideoInspector } from '../../core/inspection.js';
import type { ReportedInspection } from '../../core/messages.js';
import type { Places } from '../../core/memory.js';
import { COCO_LABELS } from '../../model/detector/coco-labels.js';
import { ask, type Asked, type QuestionBackend } from '../../ask/ask.js';
import type { Recollection } from '../../ask/recollection.js';
import { ToolBox } from '../../ask/tools/tool-box.js';
import type { Archive } from '../../transport/archive/archive.js';
import type { DurableLog } from '../../transport/log/durable-log.js';
import { PLACES_KEY } from '../session/continuation.js';
import type { OpenAiOptions } from '../../reasoner/explain/openai/config.js';
import { questionBackend } from './backend.js';
import { recollectionOfArchive } from './recollections.js';

/** The part of a session that answers need. */
interface AskableStream {
  readonly inspector: VideoInspector | undefined;
  /** Writes the content of the memory to the archive. */
  archiveNow(): void;
}

export interface ServiceAskerDeps {
  readonly log: DurableLog;
  readonly archive: Archive;
  readonly streams: { find(streamId: string): AskableStream | undefined };
  /** Language-model server that answers questions which the grammar does not understand. */
  readonly openai?: OpenAiOptions | undefined;
}

/** Answers questions about the streams of a service from its archive, and inspects their recent video. */
export class ServiceAsker {
  readonly #log: DurableLog;
  readonly #archive: Archive;
  readonly #streams: ServiceAskerDeps['streams'];
  readonly #backend: QuestionBackend | undefined;

  constructor({ log, archive, streams, openai }: ServiceAskerDeps) {
    this.#log = log;
    this.#archive = archive;
    this.#streams = streams;
    this.#backend = questionBackend(openai);
  }

  /** @throws PresageError `storage_failed`, `backend_failed`, `overloaded` */
  async ask(streamId: string, question: string): Promise<Asked> {
    const asked = await ask(question, this.#recollect(streamId), {
      labels: COCO_LABELS,
      backend: this.#backend,
    });
    // Pictures named in the answer can be fetched at once.
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
    const inspections = await new ToolBox({ queries, now, video }).inspect(request, signal);
    this.#log.flush();
    return inspections;
  }

  #recollect(streamId: string): Recollection {
    const stream = this.#streams.find(streamId);
    // Includes the newest messages.
    stream?.archiveNow();
    this.#log.flush();
    const places = (this.#log.load(streamId, PLACES_KEY) ?? { zones: {}, lines: {} }) as Places;
    return recollectionOfArchive(this.#archive.queries(streamId, places), places, true, stream?.inspector);
  }
}
