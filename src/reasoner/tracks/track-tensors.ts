import type { TrackTensors } from '../../core/learned-models.js';
import { SAMPLE_HZ, TIME_EPSILON, UPRIGHT_LABELS } from '../../core/ontology.js';
import type { MemorySnapshot, ObjectRecord } from '../../core/memory.js';
import { motionKind } from './motion-kind.js';

/** Objects that the learned models take at most. */
export const MAX_TRACKS = 48;
/** Steps that the forecaster and the fusion core read (3 s), and the cause head (10 s). */
export const FORECAST_STEPS = 30;
export const CAUSE_STEPS = 100;
/** An object is no older than this to the models, s. */
const MAX_AGE_S = 60;
/** Coordinates of a box. */
const WIDTH = 4;

/** Which steps of whose tracks are wanted. */
export interface TrackWindow {
  /** Steps of 0.1 s, ≥ 1. */
  readonly steps: number;
  /** Media time at or before which the newest step lies, s. Default: the snapshot's. */
  readonly end?: number;
  /**
   * Ids in the order in which the tracks are to come; those without a sample in the window are left out. Default: all that have one,
   * those that left included, in the order of memory; beyond MAX_TRACKS those seen last, then longest, are kept.
   */
  readonly objects?: readonly string[];
}

/** The tracks of a window with the ids of their objects, row by row. */
export interface WindowedTracks {
  readonly ids: readonly string[];
  readonly tensors: TrackTensors;
}

interface Candidate {
  readonly id: string;
  /** Parts of its life that memory holds, oldest first. */
  readonly records: ObjectRecord[];
  lastK: number;
}

/** The tracks of a window as docs/fused-model.md, "Tracks", defines them. Undefined where nothing was in view in it. */
export function trackTensors(snapshot: MemorySnapshot, window: TrackWindow): WindowedTracks | undefined {
  const endK = Math.floor((window.end ?? snapshot.t) * SAMPLE_HZ + TIME_EPSILON);
  const firstK = endK - window.steps + 1;
  const found = candidates(snapshot, firstK, endK);
  const chosen = window.objects
    ? window.objects.slice(0, MAX_TRACKS).flatMap((id) => found.get(id) ?? [])
    : mostRecent([...found.values()]);
  if (chosen.length === 0) return undefined;
  const { steps } = window;
  const boxes = new Float32Array(chosen.length * steps * WIDTH);
  const seen = new Float32Array(chosen.length * steps);
  const ages = new Float32Array(chosen.length);
  chosen.forEach(({ records }, row) => {
    for (const record of records) fill(record, row, { firstK, endK, steps }, snapshot, boxes, seen);
    const firstSeen = Math.min(...records.map((record) => record.firstSeen));
    ages[row] = Math.min(Math.max(endK / SAMPLE_HZ - firstSeen, 0), MAX_AGE_S);
  });
  const kinds = chosen.map(({ records }) => kindOf(records.at(-1)?.label ?? ''));
  const aspect = snapshot.width / snapshot.height;
  return {
    ids: chosen.map(({ id }) => id),
    tensors: { count: chosen.length, steps, boxes, seen, kinds, ages, aspect },
  };
}

/** 0 person, 1 vehicle, 2 animal, 3 anything else. */
export function kindOf(label: string): number {
  if (label === 'person') return 0;
  if (UPRIGHT_LABELS.has(label)) return 2;
  return motionKind(label, false) === 'vehicle' ? 1 : 3;
}

/** Objects with a sample in the window, in the order of memory: present ones first. */
function candidates(snapshot: MemorySnapshot, firstK: number, endK: number): Map<string, Candidate> {
  const found = new Map<string, Candidate>();
  for (const record of [...snapshot.objects, ...snapshot.departed]) {
    const last = lastIn(record, firstK, endK);
    if (last === undefined) continue;
    const known = found.get(record.id);
    if (!known) found.set(record.id, { id: record.id, records: [record], lastK: last });
    else {
      known.records.push(record);
      known.records.sort((a, b) => a.lastSeen - b.lastSeen);
      known.lastK = Math.max(known.lastK, last);
    }
  }
  return found;
}

function mostRecent(all: readonly Candidate[]): readonly Candidate[] {
  if (all.length <= MAX_TRACKS) return all;
  const firstSeen = ({ records }: Candidate): number => records[0]?.firstSeen ?? 0;
  const kept = [...all].sort((a, b) => b.lastK - a.lastK || firstSeen(a) - firstSeen(b));
  const ids = new Set(kept.slice(0, MAX_TRACKS).map(({ id }) => id));
  return all.filter(({ id }) => ids.has(id));
}

/** Index of the newest step within the window at which the record has a box. */
function lastIn(record: ObjectRecord, firstK: number, endK: number): number | undefined {
  for (let at = record.samples.length - 1; at >= 0; at--) {
    const k = stepOf(record.samples[at]?.t ?? 0);
    if (k > endK) continue;
    return k >= firstK ? k : undefined;
  }
  // Seen for the first time between two steps: its present box stands for the step before.
  const k = stepOf(record.lastSeen, Math.floor);
  return record.samples.length === 0 && k >= firstK && k <= endK ? k : undefined;
}

interface Steps {
  readonly firstK: number;
  readonly endK: number;
  readonly steps: number;
}

function fill(
  record: ObjectRecord,
  row: number,
  { firstK, endK, steps }: Steps,
  { width, height }: MemorySnapshot,
  boxes: Float32Array,
  seen: Float32Array,
): void {
  const put = (k: number, x: number, y: number, w: number, h: number): void => {
    const at = row * steps + k - firstK;
    boxes.set([x, y, w, h], at * WIDTH);
    seen[at] = 1;
  };
  for (let at = record.samples.length - 1; at >= 0; at--) {
    const sample = record.samples[at];
    const k = stepOf(sample?.t ?? 0);
    if (k < firstK) break;
    if (sample === undefined || k > endK) continue;
    const [x, y, w, h] = sample.box;
    put(k, x / height, y / height, w / height, h / height);
  }
  if (record.samples.length > 0) return;
  const [x, y, w, h] = record.box;
  const aspect = width / height;
  put(Math.min(stepOf(record.lastSeen, Math.floor), endK), x * aspect, y, w * aspect, h);
}

function stepOf(t: number, round: (k: number) => number = Math.round): number {
  return round(t * SAMPLE_HZ + TIME_EPSILON);
}
