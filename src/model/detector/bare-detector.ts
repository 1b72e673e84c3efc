import { Detector } from './detector.js';
import { bundledModelsDir, findModel, loadManifest, verifyModel } from '../runtime/manifest.js';
import type { Picture } from '../runtime/planes.js';

export interface BareRunOptions {
  /** Pictures to run over, in order; only one is held at a time. */
  readonly pictures: Iterable<Picture> | AsyncIterable<Picture>;
  /** Threads inside one operator. */
  readonly threads: number;
  /** Default: the manifest's. */
  readonly longSidePx?: number;
  readonly modelsDir?: string;
}

export interface BareRun {
  readonly pictures: number;
  /** Time in the session alone, per picture, ms, in order; the time to get a picture is not in it. */
  readonly inferenceMs: readonly number[];
}

/**
 * The detector's session and nothing around it: no workers, no decoding, on the calling thread, on the CPU. What the rest
 * of Presage costs is measured against this. The first picture is also run once before, as a warm-up.
 * @throws PresageError as `openPerception` and `inference_failed`
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
