/** Compares the quantised detector with the float detector it was made from, on a frame of the example recording. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ffmpeg from '@ffmpeg-installer/ffmpeg';
import { beforeAll, expect, it } from 'vitest';
import { iou } from '../../../src/core/maths/box.js';
import { Detector, FEATURE_MAPS, type DetectorResult } from '../../../src/model/detector/detector.js';
import { bundledModelsDir, findModel, loadManifest } from '../../../src/model/runtime/manifest.js';
import type { OutputTensor } from '../../../src/model/runtime/ort.js';

const VIDEO = fileURLToPath(new URL('../../../examples/pedestrians.mp4', import.meta.url));
/** Each detection of one must have a match in the other. */
const MIN_IOU = 0.8;
const MAX_SCORE_GAP = 0.12;
/** Minimum agreement for heads that were trained on the float maps. */
const MIN_COSINE = 0.99;

let int8: DetectorResult;
let float: DetectorResult;

beforeAll(async () => {
  const args = ['-v', 'error', '-ss', '5', '-i', VIDEO, '-frames:v', '1', '-pix_fmt', 'yuv420p'];
  const pixels = execFileSync(ffmpeg.path, [...args, '-f', 'rawvideo', '-'], { maxBuffer: 1 << 22 });
  const detect = async (role: 'detector' | 'detector-float'): Promise<DetectorResult> => {
    const { settings, file } = findModel(await loadManifest(bundledModelsDir()), role);
    const path = join(bundledModelsDir(), file);
    await using detector = await Detector.open({ ...settings, path, device: 'cpu', threads: 1 });
    return await detector.detect({ pixels, width: 768, height: 576 }, true);
  };
  int8 = await detect('detector');
  float = await detect('detector-float');
});

/** Detections of `a` with a higher score than `score` and without a match in `b`. */
function alone(a: DetectorResult, b: DetectorResult, score: number): unknown[] {
  return a.detections.filter(
    (one) =>
      one.score > score &&
      !b.detections.some(
        (other) =>
          other.label === one.label &&
          iou(other.box, one.box) > MIN_IOU &&
          Math.abs(other.score - one.score) < MAX_SCORE_GAP,
      ),
  );
}

it('finds the same objects with the same scores in the same places', () => {
  expect(float.detections.filter(({ score }) => score > 0.5).length).toBeGreaterThan(4);
  expect(alone(float, int8, 0.4)).toEqual([]);
  expect(alone(int8, float, 0.4)).toEqual([]);
});

it.each(FEATURE_MAPS)('gives nearly the same float map %s in every cell', (name) => {
  const cosines = cellCosines(int8.features?.maps[name], float.features?.maps[name]);
  const mean = cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
  expect(mean).toBeGreaterThan(MIN_COSINE);
});

/** Cosine of each cell's channels in two maps [1, channels, height, width]. */
function cellCosines(a: OutputTensor | undefined, b: OutputTensor | undefined): number[] {
  if (!a || !b) throw new Error('a map is missing');
  expect(a.dims).toEqual(b.dims);
  const [, channels = 0, height = 0, width = 0] = a.dims;
  const cells = height * width;
  return Array.from({ length: cells }, (_, cell) => {
    let [dot, normA, normB] = [0, 0, 0];
    for (let at = cell; at < channels * cells; at += cells) {
      const [x, y] = [a.data[at] ?? NaN, b.data[at] ?? NaN];
      dot += x * y;
      normA += x * x;
      normB += y * y;
    }
    return dot / Math.sqrt(normA * normB);
  });
}
