import { entryPath } from '../../core/entry-path.js';
import { PresageError } from '../../core/errors.js';
import type {
  CauseModel,
  CauseQuery,
  ForecastModel,
  LearnedForecast,
  TrackTensors,
} from '../../core/learned-models.js';
import {
  bundledModelsDir,
  findOptionalModel,
  loadManifest,
  modelVersion,
  verifyModel,
  type Manifest,
} from '../runtime/manifest.js';
import { ThreadQueue } from '../runtime/thread-queue.js';
import type { LearnedAnswer, LearnedFiles, LearnedWork } from './learned-protocol.js';

export interface LearnedModelsOptions {
  /** Folder with a manifest. Default: the bundled models. */
  readonly modelsDir?: string | undefined;
  /** Compiled worker to run; for tests. */
  readonly workerEntry?: string;
  /** Waits before a crashed worker is restarted; for tests. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

type LearnedQueue = ThreadQueue<LearnedWork, LearnedAnswer>;

/** A call takes milliseconds, some tens of them with 48 objects: a longer call hangs. */
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * The forecaster and the cause head in one worker thread that all streams of the process share. Calls are handled in order;
 * a call whose signal aborts leaves the queue.
 */
export class LearnedModels implements AsyncDisposable {
  /** Absent where the manifest has none. */
  readonly forecaster: ForecastModel | undefined;
  readonly causes: CauseModel | undefined;
  readonly #queue: LearnedQueue;

  private constructor(queue: LearnedQueue, names: Record<keyof LearnedFiles, string | undefined>) {
    this.#queue = queue;
    if (names.forecaster !== undefined) this.forecaster = new ThreadForecaster(names.forecaster, queue);
    if (names.causes !== undefined) this.causes = new ThreadCauseHead(names.causes, queue);
  }

  /**
   * Verifies and opens the models of roles `forecaster` and `causes`.
   * @throws {PresageError} model_missing — the manifest has neither, or a file is missing
   * @throws {PresageError} model_hash_mismatch, model_invalid, worker_crashed
   */
  static async open(options: LearnedModelsOptions = {}): Promise<LearnedModels> {
    const modelsDir = options.modelsDir ?? bundledModelsDir();
    const manifest = await loadManifest(modelsDir);
    const forecaster = await located(modelsDir, manifest, 'forecaster');
    const causes = await located(modelsDir, manifest, 'causes');
    if (!forecaster && !causes)
      throw new PresageError('model_missing', 'the models folder has neither a forecaster nor a cause head', {
        hint: 'use the bundled models (omit --models), or --reasoner rules',
      });
    const files: LearnedFiles = { forecaster: forecaster?.path, causes: causes?.path };
    const queue: LearnedQueue = new ThreadQueue({
      role: 'forecaster',
      entry: options.workerEntry ?? entryPath(import.meta.url, './learned-worker'),
      workerData: files,
      timeoutMs: ANSWER_TIMEOUT_MS,
      sleep: options.sleep,
      deadHint: 'start presage again, or use --reasoner rules',
    });
    try {
      await queue.start();
    } catch (thrown) {
      await queue.close();
      throw thrown;
    }
    return new LearnedModels(queue, { forecaster: forecaster?.name, causes: causes?.name });
  }

  /** Rejects open calls with `interrupted`. Idempotent. */
  close(): Promise<void> {
    return this.#queue.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A model that streams share: `close` has no effect, `LearnedModels.close` ends the thread. */
abstract class ThreadModel implements AsyncDisposable {
  constructor(
    readonly name: string,
    protected readonly queue: LearnedQueue,
  ) {}

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class ThreadForecaster extends ThreadModel implements ForecastModel {
  async forecast(tracks: TrackTensors, signal?: AbortSignal): Promise<LearnedForecast> {
    const answer = await this.queue.run({ type: 'forecast', tracks }, signal);
    if (answer.type === 'forecast') return answer.forecast;
    throw new PresageError('internal', 'the forecaster got the answer of another model');
  }
}

class ThreadCauseHead extends ThreadModel implements CauseModel {
  async necessary(query: CauseQuery, signal?: AbortSignal): Promise<Float32Array> {
    const answer = await this.queue.run({ type: 'causes', query }, signal);
    if (answer.type === 'causes') return answer.necessary;
    throw new PresageError('internal', 'the cause head got the answer of another model');
  }
}

async function located(
  modelsDir: string,
  manifest: Manifest,
  role: 'forecaster' | 'causes',
): Promise<{ path: string; name: string } | undefined> {
  const entry = findOptionalModel(manifest, role);
  return entry && { path: await verifyModel(modelsDir, entry), name: modelVersion(entry) };
}
