import type { PresageError } from '../core/errors.js';
import type { StillPerception, VideoInspector } from '../core/inspection.js';
import type { Perception } from '../core/percept.js';
import { ResourceStack } from '../core/resource-stack.js';
import { ContactClassifier, type ContactModel } from '../memory/events/contact/contact-classifier.js';
import { openPerception, type PerceptionOptions } from '../model/perception/perception.js';
import { loadJsonModel } from '../model/runtime/json-model.js';
import type { ReasonerDeps } from '../reasoner/create-reasoner.js';
import { ReasonerModels, type ReasonerModelsOptions } from './reasoner-models.js';
import { eventPictures } from './recent-video/event-pictures.js';
import type { RecentVideo } from './recent-video/recent-video.js';
import { SharedVideo, type SharedVideoOptions } from './recent-video/shared-video.js';

export interface SharedModelsOptions {
  /** Options of the built-in perception, or a perception to use instead. */
  readonly perception?: PerceptionOptions | SharedPerception | undefined;
  readonly reasoner?: ReasonerModelsOptions | undefined;
  readonly video?: SharedVideoOptions | undefined;
}

/** A perception that may also detect objects in stored pictures. */
export type SharedPerception = Perception & Partial<StillPerception>;

/** Everything loaded once per process and used by all its streams: models, their workers and the picture worker. */
export class SharedModels implements AsyncDisposable {
  readonly perception: SharedPerception;
  readonly contacts: ContactModel | undefined;
  readonly reasoner: ReasonerModels;
  readonly video: SharedVideo;
  readonly #resources: ResourceStack;

  private constructor(resources: ResourceStack, loaded: Loaded) {
    this.#resources = resources;
    this.perception = loaded.perception;
    this.contacts = loaded.contacts;
    this.reasoner = loaded.reasoner;
    this.video = loaded.video;
  }

  /**
   * @param signal aborts between two loading steps
   * @param onStep receives the name of each slow step as it begins
   * @throws PresageError of the perception or the picture worker, or the reason of the signal
   */
  static async open(
    options: SharedModelsOptions = {},
    signal?: AbortSignal,
    onStep?: (step: string) => void,
  ): Promise<SharedModels> {
    const resources = new ResourceStack();
    try {
      const video = resources.use(await SharedVideo.open(options.video));
      signal?.throwIfAborted();
      onStep?.('loading the detector');
      const given = options.perception;
      const perception =
        given !== undefined && isPerception(given) ? given : resources.use(await openPerception(given));
      signal?.throwIfAborted();
      const contacts = await openContactModel(options.reasoner?.modelsDir);
      onStep?.(`loading the reasoner (${options.reasoner?.mode ?? 'forecaster'})`);
      const reasoner = resources.use(await ReasonerModels.open(options.reasoner));
      signal?.throwIfAborted();
      return new SharedModels(resources, { perception, contacts, reasoner, video });
    } catch (error) {
      await resources.close();
      throw error;
    }
  }

  /** Why the reasoner runs in another mode than the configured one; undefined where it does not. */
  get problem(): PresageError | undefined {
    return this.reasoner.problem;
  }

  /** Detects objects in stored pictures; undefined where the perception cannot. */
  get stills(): StillPerception | undefined {
    return 'inspect' in this.perception ? (this.perception as StillPerception) : undefined;
  }

  /** Inspects the recent video of a stream; undefined where inspections are off or not possible. */
  openInspector(video: RecentVideo, evidence?: InspectionStore): VideoInspector | undefined {
    const { stills } = this;
    if (stills === undefined) return undefined;
    return this.video.openInspector(
      video,
      stills,
      evidence && ((t, jpeg) => evidence.keepInspection(t, jpeg)),
    );
  }

  /** Pictures of events for explanations; undefined where they are not sent. */
  keyframesOf(video: RecentVideo | undefined): ReasonerDeps['keyframes'] {
    return video && this.reasoner.sendsImages ? eventPictures(video, this.video.thread) : undefined;
  }

  /** Idempotent. A perception that was passed in stays open. */
  close(): Promise<void> {
    return this.#resources.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Stores the pictures of inspections. @returns the name of the picture; undefined when it could not be written */
interface InspectionStore {
  keepInspection(t: number, jpeg: Uint8Array): Promise<string | undefined>;
}

interface Loaded {
  readonly perception: SharedPerception;
  readonly contacts: ContactModel | undefined;
  readonly reasoner: ReasonerModels;
  readonly video: SharedVideo;
}

function isPerception(given: PerceptionOptions | SharedPerception): given is SharedPerception {
  return 'openStream' in given;
}

/**
 * The classifier of contacts between objects; undefined where the models folder has no such file.
 * @throws PresageError `model_invalid`, `model_hash_mismatch`
 */
export async function openContactModel(modelsDir?: string): Promise<ContactModel | undefined> {
  const document = await loadJsonModel('contacts', modelsDir);
  return document === undefined ? undefined : ContactClassifier.parse(document);
}
