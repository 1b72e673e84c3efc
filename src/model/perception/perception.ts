import { availableParallelism } from 'node:os';
import { PresageError } from '../../core/errors.js';
import type { Frame } from '../../core/video/frame.js';
import type { Still, StillPerception } from '../../core/inspection.js';
import type { Detection, Perception, PerceptionInfo, StreamPerception } from '../../core/percept.js';
import { DetectorPool, type DetectorLane, type DetectorPoolStats } from '../detector/detector-pool.js';
import type { DetectorOptions } from '../detector/detector.js';
import { chooseDevice, type DeviceTrial } from '../runtime/device.js';
import { fitLetterbox } from '../detector/letterbox.js';
import { checkMasks, findEnrichmentModels, type EnrichmentModels } from './enrichment-models.js';
import {
  bundledModelsDir,
  findModel,
  findOptionalModel,
  loadManifest,
  verifyModel,
  type Manifest,
  type RoleEntry,
} from '../runtime/manifest.js';
import { MotionThreads, type MotionStats } from '../motion/motion-threads.js';
import type { Device, DeviceName } from '../runtime/ort.js';
import { findSam, type SamPaths } from '../segment/sam/sam-model.js';
import { SamThread } from '../segment/sam/sam-thread.js';
import { StillInspector } from './still-inspector.js';
import { StreamEnrichment, type MaskMode } from './stream-enrichment.js';
import { FusedPerception } from './stream-perception.js';

export interface PerceptionOptions {
  /** Folder of the model files. Default: the bundled models. */
  readonly modelsDir?: string | undefined;
  /** Default `auto`: the first that works on this machine and is faster than the CPU. */
  readonly device?: DeviceName | undefined;
  /** Length of the picture's longer side on the canvas, px, a multiple of 32. Default: the manifest's. */
  readonly longSidePx?: number | undefined;
  /** Worker threads; 0 selects a number for the machine. Default 0. */
  readonly workers?: number | undefined;
  /** Threads inside one operator, per worker. Default: the number of cores divided by the workers. */
  readonly threads?: number | undefined;
  /** Minimum score of detections, 0–1. Default: the manifest's. */
  readonly scoreFloor?: number | undefined;
  /** Labels to report; detections of others are dropped. Default: all. */
  readonly labels?: readonly string[] | undefined;
  /** Default `auto`. */
  readonly masks?: MaskMode | undefined;
  /** The model of the masks: the object head in the detector's workers (default), or a SAM-family model in its own worker. */
  readonly segmenter?: 'own' | 'sam' | undefined;
  /** The SAM-family model. Default: MobileSAM in the models folder. */
  readonly sam?: Partial<SamPaths> | undefined;
  /** Interval of SAM runs on a stream, s of media time. Default 1. */
  readonly samEveryS?: number | undefined;
  /** Points along each side at which SAM also finds objects without a label; 0 disables them. Default 0. */
  readonly samGrid?: number | undefined;
}

type DetectorEntry = RoleEntry<'detector' | 'detector-float'>;

/** More workers would only make frames wait for each other. */
const MAX_DEFAULT_WORKERS = 4;
/** A SAM-family encoder is too slow on a CPU for a shorter interval. */
const DEFAULT_SAM_EVERY_S = 1;
/** A second worker on one GPU prepares while the first computes; a third adds nothing. */
const GPU_WORKERS = 2;

/**
 * Opens the perception: verifies the model files, chooses the device and loads the workers before it resolves.
 * @throws {PresageError} model_missing, model_hash_mismatch, model_invalid, device_unavailable, bad_option
 */
export async function openPerception(options: PerceptionOptions = {}): Promise<DetectorPerception> {
  const modelsDir = options.modelsDir ?? bundledModelsDir();
  const manifest = await loadManifest(modelsDir);
  const enrichment = await findEnrichmentModels(modelsDir, manifest);
  const masks = options.masks ?? 'auto';
  const samPaths = options.segmenter === 'sam' ? await findSam(modelsDir, manifest, options.sam) : undefined;
  checkMasks(masks, samPaths !== undefined || enrichment.objects !== undefined);
  const prepare = async (entry: DetectorEntry): Promise<DetectorOptions> => {
    return { ...detectorOptions(entry, options), path: await verifyModel(modelsDir, entry) };
  };
  const { device, tried } =
    options.device === 'cpu'
      ? { device: 'cpu' as const, tried: [{ device: 'cpu' as const, ok: true }] }
      : await chooseDevice({
          device: options.device ?? 'auto',
          detector: await prepare(findDetector(manifest, 'float')),
        });
  const entry = findDetector(manifest, device === 'cpu' ? 'int8' : 'float');
  const detector = await prepare(entry);
  const { workers, threads } = planThreads(device, options, availableParallelism());
  const on = { device, threads };
  const pool = await DetectorPool.open({
    workers,
    detector: {
      ...detector,
      ...on,
      labels: options.labels,
      objects: enrichment.objects && { ...enrichment.objects, ...on },
      scene: enrichment.scene && { ...enrichment.scene, ...on },
    },
  });
  let motion: MotionThreads | undefined;
  try {
    motion = await MotionThreads.open();
    const sam = samPaths && masks !== 'off' ? await SamThread.open({ ...samPaths, ...on }) : undefined;
    const { samEveryS = DEFAULT_SAM_EVERY_S, samGrid = 0 } = options;
    const labels = options.labels && new Set(options.labels);
    const { longSidePx } = detector;
    const setup = {
      entry,
      device,
      tried,
      workers,
      longSidePx,
      labels,
      enrichment,
      masks,
      samEveryS,
      samGrid,
    };
    return new DetectorPerception({ pool, motion, sam }, setup);
  } catch (thrown) {
    await Promise.all([pool.close(), motion?.close()]);
    throw thrown;
  }
}

/**
 * Finds the quantised detector for CPUs, or the float detector for other devices, which is faster there. A models folder with
 * only one detector serves both.
 */
function findDetector(manifest: Manifest, kind: 'int8' | 'float'): DetectorEntry {
  const float = kind === 'float' ? findOptionalModel(manifest, 'detector-float') : undefined;
  return float ?? findModel(manifest, 'detector');
}

/**
 * Returns the options of the detector on the CPU, without the path.
 * @throws {PresageError} bad_option — `longSidePx` is not a positive multiple of 32
 */
function detectorOptions(entry: DetectorEntry, options: PerceptionOptions): Omit<DetectorOptions, 'path'> {
  const longSidePx = options.longSidePx ?? entry.settings.longSidePx;
  if (!Number.isInteger(longSidePx) || longSidePx < 32 || longSidePx % 32 !== 0)
    throw new PresageError('bad_option', `longSidePx is ${longSidePx}, expected a positive multiple of 32`);
  const { scoreFloor = entry.settings.scoreFloor } = options;
  return { ...entry.settings, device: 'cpu', threads: 1, longSidePx, scoreFloor };
}

/**
 * Plans workers and threads. On a CPU, one worker per core with one thread each: the frame rate is that of one worker on all
 * cores when nothing else runs, and no operator waits for a thread that ffmpeg or the main thread preempts.
 * @param requested 0 workers or undefined threads: chosen here
 * @param cores number of threads that can run in parallel on this machine
 */
export function planThreads(
  device: Device,
  requested: Pick<PerceptionOptions, 'workers' | 'threads'>,
  cores: number,
): { workers: number; threads: number } {
  const fallback = device === 'cpu' ? Math.min(cores, MAX_DEFAULT_WORKERS) : GPU_WORKERS;
  const workers = requested.workers || fallback;
  const threads = requested.threads ?? (device === 'cpu' ? Math.max(1, Math.floor(cores / workers)) : 1);
  return { workers, threads };
}

interface PerceptionSetup {
  readonly entry: DetectorEntry;
  readonly device: Device;
  readonly tried: readonly DeviceTrial[];
  readonly workers: number;
  readonly longSidePx: number;
  /** All labels when undefined. */
  readonly labels: ReadonlySet<string> | undefined;
  readonly enrichment: EnrichmentModels;
  readonly masks: MaskMode;
  readonly samEveryS: number;
  readonly samGrid: number;
}

interface PerceptionWorkers {
  readonly pool: DetectorPool;
  readonly motion: MotionThreads;
  readonly sam: SamThread | undefined;
}

/** Perception with models that all streams share and one motion analysis per stream. Created by `openPerception`. */
export class DetectorPerception implements Perception, StillPerception {
  readonly concurrency: number;
  readonly #workers: PerceptionWorkers;
  readonly #setup: PerceptionSetup;
  readonly #stills: StillInspector;
  #canvas: readonly [width: number, height: number];

  constructor(workers: PerceptionWorkers, setup: PerceptionSetup) {
    this.#workers = workers;
    this.#setup = setup;
    this.concurrency = setup.workers;
    this.#canvas = [setup.longSidePx, setup.longSidePx];
    this.#stills = new StillInspector({
      openLane: () => workers.pool.openLane(),
      openMotion: () => workers.motion.openStream(),
      canvasPx: setup.longSidePx,
      sam: workers.sam,
      masks: setup.masks !== 'off',
      labels: setup.labels,
    });
  }

  /** `canvas` is that of the newest frame; before the first frame, a square. */
  get info(): PerceptionInfo {
    const { entry, device, workers, enrichment, masks } = this.#setup;
    const segmenter = this.#workers.sam?.name ?? enrichment.objects?.name;
    return {
      model: entry.name,
      sha256: entry.sha256,
      device,
      workers,
      canvas: this.#canvas,
      ...(segmenter !== undefined && masks !== 'off' && { segmenter }),
      ...(enrichment.objects && { objectEmbeddings: enrichment.objects.name }),
      ...(enrichment.scene && { sceneEmbeddings: enrichment.scene.name }),
    };
  }

  /** The devices that were tested, with the reason of each rejection. */
  get tried(): readonly DeviceTrial[] {
    return this.#setup.tried;
  }

  stats(): DetectorPoolStats & { readonly motion: MotionStats } {
    const { pool, motion } = this.#workers;
    return { ...pool.stats(), motion: motion.stats() };
  }

  openStream(): StreamPerception {
    const { pool, motion } = this.#workers;
    const lane = pool.openLane();
    return new FusedPerception({
      motion: motion.openStream(),
      detector: {
        get concurrency() {
          return lane.concurrency;
        },
        detect: (frame, request) => {
          this.#updateCanvas(frame);
          return lane.detect(frame, request);
        },
        close: () => lane.close(),
      },
      enrichment: this.#openEnrichment(lane),
      labels: this.#setup.labels,
    });
  }

  get minSidePx(): number {
    return this.#stills.minSidePx;
  }

  passes(width: number, height: number): number {
    return this.#stills.passes(width, height);
  }

  inspect(stills: AsyncIterable<Still>, signal?: AbortSignal): Promise<readonly (readonly Detection[])[]> {
    return this.#stills.inspect(stills, signal);
  }

  async close(): Promise<void> {
    const { pool, motion, sam } = this.#workers;
    await Promise.all([pool.close(), motion.close(), sam?.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #openEnrichment(lane: DetectorLane): StreamEnrichment {
    const { enrichment, masks, samEveryS, samGrid } = this.#setup;
    const { sam } = this.#workers;
    return new StreamEnrichment({
      masks,
      available: {
        masks: enrichment.objects !== undefined,
        embeddings: enrichment.objects !== undefined,
        sceneEmbeddings: enrichment.scene !== undefined,
      },
      encodeScene: (grids) => lane.encodeScene(grids),
      sam,
      samEveryS,
      samGrid: samGrid > 0 ? { pointsPerSide: samGrid } : undefined,
    });
  }

  #updateCanvas({ layout }: Frame): void {
    const { canvasWidth, canvasHeight } = fitLetterbox(layout.width, layout.height, this.#setup.longSidePx);
    this.#canvas = [canvasWidth, canvasHeight];
  }
}
