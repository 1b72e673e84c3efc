/** Masks and embeddings of the bundled models, on frames of the example recording and a drawn shape. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ffmpeg from '@ffmpeg-installer/ffmpeg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { iou, type Box } from '../../../../src/core/maths/box.js';
import { i420Layout } from '../../../../src/core/video/frame.js';
import { decodeMask, maskArea } from '../../../../src/core/image/mask.js';
import type { Detection, Mask } from '../../../../src/core/percept.js';
import {
  FrameAnalyzer,
  MIN_ENRICHED_SCORE,
  MAX_SEGMENTS,
  type AnalyzerOptions,
} from '../../../../src/model/perception/frame-analyzer.js';
import { findEnrichmentModels } from '../../../../src/model/perception/enrichment-models.js';
import { bundledModelsDir, findModel, loadManifest } from '../../../../src/model/runtime/manifest.js';

const VIDEO = fileURLToPath(new URL('../../../../examples/pedestrians.mp4', import.meta.url));
const LAYOUT = i420Layout(768, 576);
const { width, height } = LAYOUT;
const ALL = { masks: true, embeddings: true };

let street: Uint8Array;
let options: AnalyzerOptions;
let analyzer: FrameAnalyzer;

beforeAll(async () => {
  const args = ['-v', 'error', '-ss', '5', '-i', VIDEO, '-frames:v', '1', '-pix_fmt', 'yuv420p'];
  street = execFileSync(ffmpeg.path, [...args, '-f', 'rawvideo', '-'], { maxBuffer: 2 * LAYOUT.byteLength });
  const folder = bundledModelsDir();
  const manifest = await loadManifest(folder);
  const entry = findModel(manifest, 'detector');
  const { objects } = await findEnrichmentModels(folder, manifest);
  const on = { device: 'cpu', threads: 1 } as const;
  options = { ...entry.settings, path: join(folder, entry.file), ...on, objects: { ...objects!, ...on } };
  analyzer = await FrameAnalyzer.open(options);
});
afterAll(() => analyzer.close());

const picture = (pixels = street) => ({ pixels, width, height });
const confident = (detections: readonly Detection[], label: string) =>
  detections.filter((one) => one.label === label && one.score >= 0.6);
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Share of a mask's px that lie in a box of frame fractions, grown by `px` on each side. */
function shareInside(mask: Mask, [x, y, w, h]: Box, px = 0): number {
  const [rows, columns] = mask.size;
  const pixels = decodeMask(mask);
  let inside = 0;
  for (let i = 0; i < pixels.length; i++) {
    const [column, row] = [i % columns, Math.floor(i / columns)];
    const within =
      column >= x * columns - px &&
      column <= (x + w) * columns + px &&
      row >= y * rows - px &&
      row <= (y + h) * rows + px;
    if (pixels[i] === 1 && within) inside += 1;
  }
  return inside / maskArea(mask);
}

/** The street with a bright disc on the lawn, and its box. */
function withDisc(): { pixels: Uint8Array; box: Box; inDisc: (x: number, y: number) => boolean } {
  const pixels = street.slice();
  const [cx, cy, radius] = [200, 420, 48];
  const inDisc = (x: number, y: number): boolean => Math.hypot(x + 0.5 - cx, y + 0.5 - cy) < radius;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) if (inDisc(x, y)) pixels[y * width + x] = 225;
  const { ySize, chromaSize, chromaWidth, chromaHeight } = LAYOUT;
  for (let y = 0; y < chromaHeight; y++)
    for (let x = 0; x < chromaWidth; x++)
      if (inDisc(2 * x, 2 * y)) {
        pixels[ySize + y * chromaWidth + x] = 110;
        pixels[ySize + chromaSize + y * chromaWidth + x] = 180;
      }
  const box: Box = [
    (cx - radius) / width,
    (cy - radius) / height,
    (2 * radius) / width,
    (2 * radius) / height,
  ];
  return { pixels, box, inDisc };
}

describe('the object head on a street', () => {
  it('gives each person a mask that lies in its box and fills much of it', async () => {
    const people = confident((await analyzer.analyze(picture(), ALL)).detections, 'person');
    expect(people.length).toBeGreaterThanOrEqual(4);
    for (const { mask, box } of people) {
      expect(mask?.size).toEqual([height, width]);
      expect(shareInside(mask!, box, 4)).toBeGreaterThan(0.9);
      const filled = maskArea(mask!) / (box[2] * width * box[3] * height);
      expect(filled).toBeGreaterThan(0.25);
      expect(filled).toBeLessThan(0.95);
    }
  });

  it('gives embeddings of unit length in which a person is more similar to itself than to the others', async () => {
    const { detections } = await analyzer.analyze(picture(), ALL);
    const people = confident(detections, 'person');
    for (const { embedding } of people) expect(dot(embedding!, embedding!)).toBeCloseTo(1, 3);
    // The same picture a little brighter, as under a passing cloud.
    const brighter = street.map((value, i) => (i < LAYOUT.ySize ? Math.min(235, value + 8) : value));
    const again = confident((await analyzer.analyze(picture(brighter), ALL)).detections, 'person');
    expect(again.length).toBe(people.length);
    for (const { embedding, box } of again) {
      const likeness = people.map((one) => dot(one.embedding!, embedding!));
      const best = people[likeness.indexOf(Math.max(...likeness))]!;
      expect(Math.abs(best.box[0] - box[0])).toBeLessThan(0.01);
    }
  });

  it('omits results that are not requested', async () => {
    const bare = (await analyzer.analyze(picture(), {})).detections;
    expect(bare.every((one) => one.mask === undefined && one.embedding === undefined)).toBe(true);
    const embeddings = (await analyzer.analyze(picture(), { embeddings: true })).detections;
    expect(embeddings.every((one) => one.mask === undefined)).toBe(true);
    expect(embeddings.some((one) => one.embedding !== undefined)).toBe(true);
    expect(embeddings.map(({ box, score }) => ({ box, score }))).toEqual(
      bare.map(({ box, score }) => ({ box, score })),
    );
  });

  it('enriches detections with a sufficient score for a track, and no guesses', async () => {
    const { detections, unsegmented } = await analyzer.analyze(picture(), ALL);
    expect(detections.some(({ score }) => score < MIN_ENRICHED_SCORE)).toBe(true);
    for (const { score, mask, embedding } of detections) {
      expect(mask !== undefined).toBe(score >= MIN_ENRICHED_SCORE);
      expect(embedding !== undefined).toBe(score >= MIN_ENRICHED_SCORE);
    }
    expect(unsegmented).toBe(0);
  });

  it('gives the pooled grid of a picture without objects', async () => {
    const grey = new Uint8Array(LAYOUT.byteLength).fill(128);
    const { grid } = await analyzer.analyze(picture(grey), { grid: true });
    expect(grid).toHaveLength(48 * 256);
    expect(grid!.some((value) => value !== 0)).toBe(true);
  });
});

it('segments a drawn disc that motion proposed', async () => {
  const { pixels, box, inDisc } = withDisc();
  const proposals: Detection[] = [{ label: 'object', score: 0.7, box, origin: 'motion' }];
  const { detections } = await analyzer.analyze(picture(pixels), { ...ALL, proposals });
  // With any label: the detector may have one for it.
  const found = detections.find((one) => one.mask && iou(one.box, box) > 0.7);
  const mask = decodeMask(found!.mask!);
  let [both, either] = [0, 0];
  for (let i = 0; i < mask.length; i++) {
    const truth = inDisc(i % width, Math.floor(i / width));
    if (truth && mask[i] === 1) both += 1;
    if (truth || mask[i] === 1) either += 1;
  }
  expect(both / either).toBeGreaterThan(0.75);
});

it('gives masks only to the best boxes when there are too many, and reports the number of the others', async () => {
  const proposals = Array.from({ length: 100 }, (_, i): Detection => {
    const box: Box = [0.02 + (i % 10) * 0.095, 0.6 + Math.floor(i / 10) * 0.04, 0.03, 0.03];
    return { label: 'object', score: MIN_ENRICHED_SCORE + i / 1e6, box, origin: 'motion' };
  });
  const { detections, unsegmented } = await analyzer.analyze(picture(), { embeddings: true, proposals });
  const worth = detections.filter(({ score }) => score >= MIN_ENRICHED_SCORE);
  expect(worth.length).toBeGreaterThan(MAX_SEGMENTS);
  const served = detections.filter(({ embedding }) => embedding);
  expect(served).toHaveLength(MAX_SEGMENTS);
  expect(unsegmented).toBe(worth.length - MAX_SEGMENTS);
  expect(Math.min(...served.map(({ score }) => score))).toBeGreaterThanOrEqual(
    Math.max(...worth.filter(({ embedding }) => !embedding).map(({ score }) => score)),
  );
});

it('computes no masks for labels that are not requested', async () => {
  await using selective = await FrameAnalyzer.open({ ...options, labels: ['person'] });
  const proposals: Detection[] = [
    { label: 'object', score: 0.9, box: [0.05, 0.8, 0.1, 0.1], origin: 'motion' },
  ];
  const { detections } = await selective.analyze(picture(), { ...ALL, proposals });
  const confident = detections.filter(({ score }) => score >= MIN_ENRICHED_SCORE);
  expect(new Set(confident.map(({ label }) => label)).size).toBeGreaterThan(1);
  for (const { label, embedding } of confident) expect(embedding !== undefined).toBe(label === 'person');
});
