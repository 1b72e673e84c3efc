import type { Box } from '../../core/maths/box.js';
import type { Detection } from '../../core/percept.js';
import { COCO_LABELS } from './coco-labels.js';
import type { Letterbox } from './letterbox.js';
import { suppress, type Candidate } from './nms.js';

/** The detector's outputs for one picture. */
export interface RawDetections {
  /** [cells, classes], 0–1. */
  readonly scores: Float32Array;
  /** [cells, 4]: distances left, top, right, bottom from the cell's centre, canvas px. */
  readonly boxes: Float32Array;
}

export interface DecodeOptions {
  /** Cell sizes of the heads in canvas px, in the order of their rows. */
  readonly strides: readonly number[];
  /** Minimum score of detections, 0–1. */
  readonly scoreFloor: number;
  /** A box that overlaps a better one of its class by more than this (IoU) is its duplicate. */
  readonly nmsIou: number;
  /** Duplicates that overlap by more than this (IoU) are averaged into the box. */
  readonly fuseIou: number;
}

/** Maximum number of boxes that enter suppression, by score: bounds its quadratic cost on a noisy picture. */
const MAX_CANDIDATES = 1000;
/** Maximum number of detections of one picture, by score. */
const MAX_DETECTIONS = 300;

/**
 * Converts raw outputs to detections, best first: one label per cell, score floor, suppression per class, canvas px →
 * fractions of the picture, clamped to it. Boxes that lie in the black border or are empty are removed.
 */
export function decodeDetections(raw: RawDetections, fit: Letterbox, options: DecodeOptions): Detection[] {
  const candidates = collectCandidates(raw, fit, options);
  candidates.sort((a, b) => b.score - a.score);
  candidates.length = Math.min(candidates.length, MAX_CANDIDATES);
  const detections: Detection[] = [];
  for (const { label, score, box } of suppress(candidates, options)) {
    const placed = toFractions(box, fit);
    if (placed) detections.push({ label: COCO_LABELS[label] ?? `class ${label}`, score, box: placed });
    if (detections.length === MAX_DETECTIONS) break;
  }
  return detections;
}

/** Returns the number of cells of a canvas over all strides. */
export function cellCount(fit: Letterbox, strides: readonly number[]): number {
  return strides.reduce((sum, stride) => sum + (fit.canvasWidth / stride) * (fit.canvasHeight / stride), 0);
}

function collectCandidates(raw: RawDetections, fit: Letterbox, options: DecodeOptions): Candidate[] {
  const candidates: Candidate[] = [];
  const classes = raw.scores.length / cellCount(fit, options.strides);
  let cell = 0;
  for (const stride of options.strides) {
    const columns = fit.canvasWidth / stride;
    const end = cell + columns * (fit.canvasHeight / stride);
    for (const start = cell; cell < end; cell++) {
      const label = bestClass(raw.scores, cell * classes, classes);
      const score = raw.scores[cell * classes + label] ?? 0;
      if (!(score >= options.scoreFloor)) continue;
      const x = (((cell - start) % columns) + 0.5) * stride;
      const y = (Math.floor((cell - start) / columns) + 0.5) * stride;
      const box = boxAround(x, y, raw.boxes, cell * 4);
      if (box.every(Number.isFinite)) candidates.push({ label, score, box });
    }
  }
  return candidates;
}

function bestClass(scores: Float32Array, offset: number, classes: number): number {
  let best = 0;
  let bestScore = scores[offset] ?? 0;
  for (let k = 1; k < classes; k++) {
    const score = scores[offset + k] ?? 0;
    if (score > bestScore) {
      best = k;
      bestScore = score;
    }
  }
  return best;
}

function boxAround(x: number, y: number, distances: Float32Array, offset: number): Box {
  const left = distances[offset] ?? NaN;
  const top = distances[offset + 1] ?? NaN;
  return [x - left, y - top, left + (distances[offset + 2] ?? NaN), top + (distances[offset + 3] ?? NaN)];
}

function toFractions(box: Box, fit: Letterbox): Box | undefined {
  const left = clampUnit(box[0] / fit.contentWidth);
  const top = clampUnit(box[1] / fit.contentHeight);
  const width = clampUnit((box[0] + box[2]) / fit.contentWidth) - left;
  const height = clampUnit((box[1] + box[3]) / fit.contentHeight) - top;
  return width > 0 && height > 0 ? [left, top, width, height] : undefined;
}

function clampUnit(value: number): number {
  return Math.min(1, Math.max(0, value));
}
