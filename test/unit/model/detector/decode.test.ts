import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COCO_LABELS } from '../../../../src/model/detector/coco-labels.js';
import { cellCount, decodeDetections, type RawDetections } from '../../../../src/model/detector/decode.js';
import { fitLetterbox, type Letterbox } from '../../../../src/model/detector/letterbox.js';

const OPTIONS = { strides: [8, 16, 32], scoreFloor: 0.2, nmsIou: 0.5, fuseIou: 0.6 };
const CLASSES = 80;
/** 64 × 64 canvas, all of it picture: 64 + 16 + 4 cells. */
const SQUARE = fitLetterbox(100, 100, 64);

interface Hit {
  cell: number;
  label?: number;
  score: number;
  distances: readonly [number, number, number, number];
}

function raw(fit: Letterbox, hits: readonly Hit[]): RawDetections {
  const cells = cellCount(fit, OPTIONS.strides);
  const scores = new Float32Array(cells * CLASSES);
  const boxes = new Float32Array(cells * 4);
  for (const { cell, label = 0, score, distances } of hits) {
    scores[cell * CLASSES + label] = score;
    boxes.set(distances, cell * 4);
  }
  return { scores, boxes };
}

describe('decodeDetections', () => {
  it('places a box around the centre of its cell, in fractions of the picture', () => {
    // Cell 9 of stride 8 is column 1, row 1: centre (12, 12).
    const hit = { cell: 9, score: 0.75, distances: [4, 8, 12, 20] as const };
    expect(decodeDetections(raw(SQUARE, [hit]), SQUARE, OPTIONS)).toEqual([
      { label: 'person', score: 0.75, box: [8 / 64, 4 / 64, 16 / 64, 28 / 64] },
    ]);
  });

  it('reads the coarser strides after the finer ones', () => {
    // 64 cells of stride 8, then cell 5 of stride 16 is column 1, row 1: centre (24, 24).
    const middle = { cell: 64 + 5, score: 0.5, distances: [8, 8, 8, 8] as const };
    // After 80 cells, cell 3 of stride 32 is column 1, row 1: centre (48, 48).
    const coarse = { cell: 80 + 3, score: 0.75, distances: [8, 8, 8, 8] as const };
    const boxes = decodeDetections(raw(SQUARE, [middle, coarse]), SQUARE, OPTIONS).map(({ box }) => box);
    expect(boxes).toEqual([
      [0.625, 0.625, 0.25, 0.25],
      [0.25, 0.25, 0.25, 0.25],
    ]);
  });

  it('reports one label per cell, the best, and nothing below the floor', () => {
    const rawDetections = raw(SQUARE, [{ cell: 0, label: 2, score: 0.5, distances: [0, 0, 9, 9] }]);
    rawDetections.scores[7] = 0.4;
    rawDetections.scores[20 * CLASSES + 3] = 0.19;
    expect(decodeDetections(rawDetections, SQUARE, OPTIONS).map(({ label }) => label)).toEqual(['car']);
  });

  it('measures against the picture and not the canvas where there is a border', () => {
    const wide = fitLetterbox(768, 576, 416);
    const [detection] = decodeDetections(
      raw(wide, [{ cell: 0, score: 0.5, distances: [4, 4, 412, 308] }]),
      wide,
      OPTIONS,
    );
    expect(detection?.box).toEqual([0, 0, 1, 1]);
  });

  it('clamps boxes to the picture and drops those in the border', () => {
    const flat = fitLetterbox(640, 10, 64);
    const columns = flat.canvasWidth / 8;
    const inBorder = { cell: 2 * columns + 1, score: 0.9, distances: [2, 2, 2, 2] as const };
    const over = { cell: 0, score: 0.5, distances: [50, 50, 500, 500] as const };
    expect(decodeDetections(raw(flat, [inBorder, over]), flat, OPTIONS).map(({ box }) => box)).toEqual([
      [0, 0, 1, 1],
    ]);
  });

  it('ignores cells whose score or box is not a number', () => {
    const rawDetections = raw(SQUARE, [
      { cell: 0, score: NaN, distances: [1, 1, 1, 1] },
      { cell: 1, score: 0.9, distances: [1, NaN, 1, 1] },
      { cell: 2, score: 0.9, distances: [1, 1, Infinity, 1] },
    ]);
    expect(decodeDetections(rawDetections, SQUARE, OPTIONS)).toEqual([]);
  });

  it('stays bounded when every cell of a large canvas has a high score', () => {
    const large = fitLetterbox(1920, 1920, 1920);
    const cells = cellCount(large, OPTIONS.strides);
    const noise = {
      scores: new Float32Array(cells * CLASSES).fill(0.9),
      boxes: new Float32Array(cells * 4).fill(1),
    };
    expect(decodeDetections(noise, large, OPTIONS)).toHaveLength(300);
  });

  it('reports only boxes inside the picture, best first', () => {
    const distance = fc.double({ min: -50, max: 300, noNaN: true });
    const hit = fc.record({
      cell: fc.nat({ max: cellCount(SQUARE, OPTIONS.strides) - 1 }),
      label: fc.nat({ max: CLASSES - 1 }),
      score: fc.double({ min: 0, max: 1, noNaN: true }),
      distances: fc.tuple(distance, distance, distance, distance),
    });
    fc.assert(
      fc.property(fc.array(hit, { maxLength: 40 }), (hits) => {
        const detections = decodeDetections(raw(SQUARE, hits), SQUARE, OPTIONS);
        for (const { box, score } of detections) {
          expect(Math.min(...box)).toBeGreaterThanOrEqual(0);
          expect(box[0] + box[2]).toBeLessThanOrEqual(1 + 1e-12);
          expect(box[1] + box[3]).toBeLessThanOrEqual(1 + 1e-12);
          expect(score).toBeGreaterThanOrEqual(OPTIONS.scoreFloor);
        }
        const scores = detections.map(({ score }) => score);
        expect(scores).toEqual([...scores].sort((a, b) => b - a));
      }),
    );
  });
});

it('names the 80 classes of COCO in their order', () => {
  expect(COCO_LABELS).toHaveLength(80);
  expect(new Set(COCO_LABELS).size).toBe(80);
  expect([COCO_LABELS[0], COCO_LABELS[2], COCO_LABELS[56], COCO_LABELS[79]]).toEqual([
    'person',
    'car',
    'chair',
    'toothbrush',
  ]);
});
