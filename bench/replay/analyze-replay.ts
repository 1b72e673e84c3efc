import { openContactModel } from '../../src/service/shared-models.js';
import { ReasonerModels } from '../../src/service/reasoner-models.js';
import { StreamSession } from '../../src/service/session/stream-session.js';
import type { ContactModel } from '../../src/memory/events/contact/contact-classifier.js';
import { JsonlWriter } from '../../src/transport/messages/jsonl-writer.js';
import { reasonerMode } from '../support/bench.js';
import type { Recording } from './recording.js';
import { ReplayPerception, ReplaySource } from './replay.js';

const ID = 'cam1';

export interface ReplayVariant {
  readonly name: string;
  /** A mode of the reasoner. */
  readonly mode: string;
  /** Folder of models in place of ours. */
  readonly models?: string;
  /** Default true. */
  readonly calibrated?: boolean;
}

/** `presage analyze --reasoner MODE --out FILE` on what was perceived before: the same memory, reasoner and messages. */
export class ReplayAnalyzer implements AsyncDisposable {
  readonly #contacts: ContactModel | undefined;
  readonly #models: ReasonerModels;
  readonly #calibrate: boolean;

  private constructor(contacts: ContactModel | undefined, models: ReasonerModels, calibrate: boolean) {
    this.#contacts = contacts;
    this.#models = models;
    this.#calibrate = calibrate;
  }

  /** @throws PresageError for a mode that there is not, and for one whose models are not there: no other takes its place */
  static async open({ mode, models: folder, calibrated = true }: ReplayVariant): Promise<ReplayAnalyzer> {
    const models = await ReasonerModels.open({ mode: reasonerMode(mode), modelsDir: folder });
    if (models.problem) throw models.problem;
    return new ReplayAnalyzer(await openContactModel(folder), models, calibrated);
  }

  /** Writes the JSON Lines of one recording. */
  async analyze(name: string, recording: Recording, out: string): Promise<void> {
    await using writer = await JsonlWriter.open(out);
    await using session: StreamSession = new StreamSession({
      id: ID,
      source: new ReplaySource(name, recording),
      perception: new ReplayPerception(recording),
      contacts: this.#contacts,
      reasoner: {
        mode: this.#models.mode,
        depsFor: (mode) => ({ ...this.#models.depsFor(mode), calibrate: this.#calibrate }),
      },
      places: { zones: {}, lines: {} },
      mode: 'lossless',
      publisher: { streamId: ID, sinks: [writer], stamp: 'wall' },
      sinks: [{ afterFrame: () => session.drained() }],
    });
    await session.run();
    await writer.finish();
  }

  close(): Promise<void> {
    return this.#models.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
