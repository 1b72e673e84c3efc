import { Detector } from './detector.js';
import { bundledModelsDir, findModel, loadManifest, verifyModel } from '../runtime/manifest.js';
import type { Picture } from '../runtime/planes.js';

export interface BareRunOptions {
  /** Pictures to detect in, in order; only one is in memory at a time. */
  readonly pictures: Iterable<Picture> | AsyncIterable<Picture>;
  /** Threads inside one operator. */
  readonly threads: number;
  /** Length of the picture's longer side on the canvas, px. Default: the manifest's. */
  readonly longSidePx?: number;
  readonly modelsDir?: string;
}

export interface BareRun {
  readonly pictures: number;
  /** Time in the session alone, per picture, ms, in order; the time to read a picture is excluded. */
  readonly inferenceMs: readonly number[];
}

/**
 * Runs only the detector's session on the calling thread and the CPU, without workers and decoding: the baseline against
 * which the cost of the rest of Presage is measured. The first picture runs once before, as a warm-up.
 * @throws {PresageError} inference_failed, and as `openPerception`
 */
export async function runBareDetector(options: BareRunOptions): Promise<BareRun> {
  const modelsDir = options.modelsDir ?? bundledModelsDir();
  const entry = findModel(await loadManifest(modelsDir), 'detector');
  const detector = await Detector.open({
    ...entry.settings,
    path: await verifyModel(modelsDir, entry),
    device: 'cpu',
    threads: options.threads,
    longSidePx: options.longSidePx ?? entry.settings.longSidePx,
  });
  const inferenceMs: number[] = [];
  try {
    for await (const picture of options.pictures) {
      if (inferenceMs.length === 0) await detector.infer(picture);
      const startMs = performance.now();
      await detector.infer(picture);
      inferenceMs.push(performance.now() - startMs);
    }
  } finally {
    await detector.close();
  }
  return { pictures: inferenceMs.length, inferenceMs };
}
