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
  /** Default `auto`. */
  readonly masks?: MaskMode;
  /** What makes the masks: our own head in the detector's workers (default), or a SAM-family model in a worker of its own. */
  readonly segmenter?: 'own' | 'sam';
  /** The SAM-family model. Default: MobileSAM in the models folder. */
  readonly sam?: Partial<SamPaths>;
  /** How often SAM looks at a stream, s of media time. Default 1. */
  readonly samEveryS?: number;
  /** SAM also looks for things without a label at this many points along each side; 0 for none. Default 0. */
  readonly samGrid?: number;
}

type DetectorEntry = RoleEntry<'detector' | 'detector-float'>;

/** More workers than this only make frames wait for one another. */
const MAX_DEFAULT_WORKERS = 4;
/** What a SAM-family encoder costs on a CPU keeps a stream from more than this. */
const DEFAULT_SAM_EVERY_S = 1;
/** One GPU gains from a second worker, which prepares while the first computes, and not from a third. */
const GPU_WORKERS = 2;

/**
 * The detector as a `Perception`: the model file is verified, the device tried, and the workers are loaded before this
 * resolves.
 * @throws PresageError `model_missing`, `model_hash_mismatch`, `model_invalid`, `device_unavailable`, `bad_option`
 */
export async function openPerception(options: PerceptionOptions = {}): Promise<DetectorPerception> {
  const modelsDir = options.modelsDir ?? bundledModelsDir();
  const manifest = await loadManifest(modelsDir);
  const looks = await findEnrichmentModels(modelsDir, manifest);
  const masks = options.masks ?? 'auto';
  const samPaths = options.segmenter === 'sam' ? await findSam(modelsDir, manifest, options.sam) : undefined;
  checkMasks(masks, samPaths !== undefined || looks.objects !== undefined);
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
      ...(options.labels && { labels: options.labels }),
      ...(looks.objects && { objects: { ...looks.objects, ...on } }),
      ...(looks.scene && { scene: { ...looks.scene, ...on } }),
    },
  });
  let motion: MotionThreads | undefined;
  try {
    motion = await MotionThreads.open();
    const sam = samPaths && masks !== 'off' ? await SamThread.open({ ...samPaths, ...on }) : undefined;
    const { samEveryS = DEFAULT_SAM_EVERY_S, samGrid = 0 } = options;
    const labels = options.labels && new Set(options.labels);
    const { longSidePx } = detector;
    const facts = { entry, device, tried, workers, longSidePx, labels, looks, masks, samEveryS, samGrid };
    return new DetectorPerception({ pool, motion, sam }, facts);
  } catch (thrown) {
    await Promise.all([pool.close(), motion?.close()]);
    throw thrown;
  }
}

/**
 * The quantised detector for CPUs, or the one in float for everything else, which is quicker there. A models folder with
 * only one detector serves both.
 */
function findDetector(manifest: Manifest, kind: 'int8' | 'float'): DetectorEntry {
  const float = kind === 'float' ? findOptionalModel(manifest, 'detector-float') : undefined;
  return float ?? findModel(manifest, 'detector');
}

/** All but the path, for the CPU. @throws PresageError `bad_option` */
function detectorOptions(entry: DetectorEntry, options: PerceptionOptions): Omit<DetectorOptions, 'path'> {
  const longSidePx = options.longSidePx ?? entry.settings.longSidePx;
  if (!Number.isInteger(longSidePx) || longSidePx < 32 || longSidePx % 32 !== 0)
    throw new PresageError('bad_option', `longSidePx is ${longSidePx}, expected a positive multiple of 32`);
  const { scoreFloor = entry.settings.scoreFloor } = options;
  return { ...entry.settings, device: 'cpu', threads: 1, longSidePx, scoreFloor };
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

interface PerceptionDescription {
  readonly entry: DetectorEntry;
  readonly device: Device;
  readonly tried: readonly DeviceTrial[];
  readonly workers: number;
  readonly longSidePx: number;
  /** All labels when undefined. */
  readonly labels: ReadonlySet<string> | undefined;
  readonly looks: EnrichmentModels;
  readonly masks: MaskMode;
  readonly samEveryS: number;
  readonly samGrid: number;
}

interface PerceptionWorkers {
  readonly pool: DetectorPool;
  readonly motion: MotionThreads;
  readonly sam: SamThread | undefined;
}

/** The models, which all streams share, and motion, of which each stream has its own. Made by `openPerception`. */
export class DetectorPerception implements Perception, StillPerception {
  readonly concurrency: number;
  readonly #workers: PerceptionWorkers;
  readonly #facts: PerceptionDescription;
  readonly #stills: StillInspector;
  #canvas: readonly [width: number, height: number];

  constructor(workers: PerceptionWorkers, facts: PerceptionDescription) {
    this.#workers = workers;
    this.#facts = facts;
    this.concurrency = facts.workers;
    this.#canvas = [facts.longSidePx, facts.longSidePx];
    this.#stills = new StillInspector({
      openLane: () => workers.pool.openLane(),
      openMotion: () => workers.motion.openStream(),
      canvasPx: facts.longSidePx,
      sam: workers.sam,
      masks: facts.masks !== 'off',
      labels: facts.labels,
    });
  }

  /** `canvas` is that of the newest frame; before the first, a square one. */
  get info(): PerceptionInfo {
    const { entry, device, workers, looks, masks } = this.#facts;
    const segmenter = this.#workers.sam?.name ?? looks.objects?.name;
    return {
      ...{ model: entry.name, sha256: entry.sha256, device, workers, canvas: this.#canvas },
      ...(segmenter !== undefined && masks !== 'off' && { segmenter }),
      ...(looks.objects && { objectEmbeddings: looks.objects.name }),
      ...(looks.scene && { sceneEmbeddings: looks.scene.name }),
    };
  }

  /** The devices that were tried, and why each was not taken. */
  get tried(): readonly DeviceTrial[] {
    return this.#facts.tried;
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
        detect: (frame, wants) => {
          this.#noteCanvas(frame);
          return lane.detect(frame, wants);
        },
        close: () => lane.close(),
      },
      enrichment: this.#openInspector(lane),
      labels: this.#facts.labels,
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

  #openInspector(lane: DetectorLane): StreamEnrichment {
    const { looks, masks, samEveryS, samGrid } = this.#facts;
    const { sam } = this.#workers;
    return new StreamEnrichment({
      masks,
      made: {
        masks: looks.objects !== undefined,
        embeddings: looks.objects !== undefined,
        sceneEmbeddings: looks.scene !== undefined,
      },
      encodeScene: (grids) => lane.encodeScene(grids),
      sam,
      samEveryS,
      ...(samGrid > 0 && { samGrid: { pointsPerSide: samGrid } }),
    });
  }

  #noteCanvas({ layout }: Frame): void {
    const { canvasWidth, canvasHeight } = fitLetterbox(layout.width, layout.height, this.#facts.longSidePx);
    this.#canvas = [canvasWidth, canvasHeight];
  }
}
