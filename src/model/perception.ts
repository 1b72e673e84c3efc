import { availableParallelism } from 'node:os';
import { PresageError } from '../core/errors.js';
import type { Frame } from '../core/frame.js';
import type { Percept, Perception, PerceptionInfo, StreamPerception } from '../core/stages.js';
import { DetectorPool, type DetectorLane, type DetectorPoolStats } from './detector-pool.js';
import type { DetectorAnswer } from './detector-protocol.js';
import type { DetectorOptions, FeatureMaps } from './detector.js';
import { chooseDevice, type DeviceTrial } from './device.js';
import { fitLetterbox } from './letterbox.js';
import { bundledModelsDir, findModel, loadManifest, verifyModel, type ModelEntry } from './manifest.js';
import { MotionThreads, type MotionStats } from './motion-threads.js';
import type { Device, DeviceName } from './ort.js';
import { FusedPerception } from './stream-perception.js';

export interface PerceptionOptions {
  /** Folder of the model files. Default: the one that comes with Presage. */
  readonly modelsDir?: string;
  /** Default `auto`: the first that works here and beats the CPU. */
  readonly device?: DeviceName;
  /** Length of the picture's longer side on the canvas, px, a multiple of 32. Default: the manifest's. */
  readonly longSidePx?: number;
  /** Worker threads; 0 means as many as fit the machine. Default 0. */
  readonly workers?: number;
  /** Threads inside one operator, per worker. Default: what the workers leave over. */
  readonly threads?: number;
  /** Lowest score that is reported, 0–1. Default: the manifest's. */
  readonly scoreFloor?: number;
  /** Labels that are reported; detections of others are dropped. Default: all. */
  readonly labels?: readonly string[];
}

/** A percept together with the feature maps that it was read from. */
export interface FeaturePercept {
  readonly percept: Percept;
  readonly features: FeatureMaps;
  /** Share of the maps' width and height that the picture covers; the rest is border. */
  readonly covered: readonly [width: number, height: number];
}

/** More workers than this only make frames wait for one another. */
const MAX_DEFAULT_WORKERS = 4;
/** One GPU gains from a second worker, which prepares while the first computes, and not from a third. */
const GPU_WORKERS = 2;

/**
 * The detector as a `Perception`: the model file is verified, the device tried, and the workers are loaded before this
 * resolves.
 * @throws PresageError `model_missing`, `model_hash_mismatch`, `model_invalid`, `device_unavailable`, `bad_option`
 */
export async function openPerception(options: PerceptionOptions = {}): Promise<DetectorPerception> {
  const modelsDir = options.modelsDir ?? bundledModelsDir();
  const entry = findModel(await loadManifest(modelsDir), 'detector');
  const longSidePx = options.longSidePx ?? entry.settings.longSidePx;
  if (!Number.isInteger(longSidePx) || longSidePx < 32 || longSidePx % 32 !== 0)
    throw new PresageError('bad_option', `longSidePx is ${longSidePx}, expected a positive multiple of 32`);
  const detector: DetectorOptions = {
    ...entry.settings,
    path: await verifyModel(modelsDir, entry),
    device: 'cpu',
    threads: 1,
    longSidePx,
    ...(options.scoreFloor !== undefined && { scoreFloor: options.scoreFloor }),
  };
  const { device, tried } = await chooseDevice({ device: options.device ?? 'auto', detector });
  const { workers, threads } = planThreads(device, options, availableParallelism());
  const pool = await DetectorPool.open({ workers, detector: { ...detector, device, threads } });
  const labels = options.labels && new Set(options.labels);
  const motion = await openMotion(pool);
  return new DetectorPerception({ pool, motion }, { entry, device, tried, workers, longSidePx, labels });
}

async function openMotion(pool: DetectorPool): Promise<MotionThreads> {
  try {
    return await MotionThreads.open();
  } catch (thrown) {
    await pool.close();
    throw thrown;
  }
}

/**
 * On a CPU, one thread per worker and one worker per core: the same frame rate as one worker on all cores when nothing
 * else runs, and no operator waits for a thread that ffmpeg or the main thread has pushed aside.
 * @param cores how many threads may run at once on this machine
 */
export function planThreads(
  device: Device,
  wanted: Pick<PerceptionOptions, 'workers' | 'threads'>,
  cores: number,
): { workers: number; threads: number } {
  const fitting = device === 'cpu' ? Math.min(cores, MAX_DEFAULT_WORKERS) : GPU_WORKERS;
  const workers = wanted.workers || fitting;
  const threads = wanted.threads ?? (device === 'cpu' ? Math.max(1, Math.floor(cores / workers)) : 1);
  return { workers, threads };
}

interface PerceptionFacts {
  readonly entry: ModelEntry;
  readonly device: Device;
  readonly tried: readonly DeviceTrial[];
  readonly workers: number;
  readonly longSidePx: number;
  /** All labels when undefined. */
  readonly labels: ReadonlySet<string> | undefined;
}

interface PerceptionWorkers {
  readonly pool: DetectorPool;
  readonly motion: MotionThreads;
}

/** The detector, which all streams share, and motion, of which each stream has its own. Made by `openPerception`. */
export class DetectorPerception implements Perception {
  readonly concurrency: number;
  readonly #pool: DetectorPool;
  readonly #motion: MotionThreads;
  /** Of the calls that belong to no stream; they take turns with the streams. */
  #ownLane: DetectorLane | undefined;
  readonly #facts: PerceptionFacts;
  #canvas: readonly [width: number, height: number];

  constructor({ pool, motion }: PerceptionWorkers, facts: PerceptionFacts) {
    this.#pool = pool;
    this.#motion = motion;
    this.#facts = facts;
    this.concurrency = facts.workers;
    this.#canvas = [facts.longSidePx, facts.longSidePx];
  }

  /** `canvas` is that of the newest frame; before the first, a square one. */
  get info(): PerceptionInfo {
    const { entry, device, workers } = this.#facts;
    return { model: entry.name, sha256: entry.sha256, device, workers, canvas: this.#canvas };
  }

  /** The devices that were tried, and why each was not taken. */
  get tried(): readonly DeviceTrial[] {
    return this.#facts.tried;
  }

  stats(): DetectorPoolStats & { readonly motion: MotionStats } {
    return { ...this.#pool.stats(), motion: this.#motion.stats() };
  }

  openStream(): StreamPerception {
    const lane = this.#pool.openLane();
    return new FusedPerception({
      motion: this.#motion.openStream(),
      detector: {
        get concurrency() {
          return lane.concurrency;
        },
        detect: (frame) => {
          this.#noteCanvas(frame);
          return lane.detect(frame);
        },
        close: () => lane.close(),
      },
      labels: this.#facts.labels,
    });
  }

  /**
   * The detector alone, without what a stream remembers.
   * @throws PresageError `inference_failed`, `worker_crashed` (retryable), `interrupted` when closed
   */
  async perceive(frame: Frame): Promise<Percept> {
    this.#noteCanvas(frame);
    return this.#toPercept(frame, await this.#lane().detect(frame));
  }

  /** As `perceive`, with the feature maps, which cost a few megabytes of copying. */
  async perceiveWithFeatures(frame: Frame): Promise<FeaturePercept> {
    this.#noteCanvas(frame);
    const answer = await this.#lane().detect(frame, true);
    if (!answer.features) throw new PresageError('inference_failed', 'the worker sent no feature maps');
    const { contentWidth, contentHeight, canvasWidth, canvasHeight } = answer.fit;
    return {
      percept: this.#toPercept(frame, answer),
      features: answer.features,
      covered: [contentWidth / canvasWidth, contentHeight / canvasHeight],
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), this.#motion.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #lane(): DetectorLane {
    this.#ownLane ??= this.#pool.openLane();
    return this.#ownLane;
  }

  #noteCanvas({ layout }: Frame): void {
    const { canvasWidth, canvasHeight } = fitLetterbox(layout.width, layout.height, this.#facts.longSidePx);
    this.#canvas = [canvasWidth, canvasHeight];
  }

  #toPercept(frame: Frame, { detections: found, inferenceMs }: DetectorAnswer): Percept {
    const { index, t, receivedAtMs, layout } = frame;
    const { labels } = this.#facts;
    const detections = labels ? found.filter(({ label }) => labels.has(label)) : found;
    return { index, t, receivedAtMs, width: layout.width, height: layout.height, detections, inferenceMs };
  }
}
