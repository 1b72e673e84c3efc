import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Box } from '../../src/core/maths/box.js';
import { EVENT_TYPES, SAMPLE_HZ } from '../../src/core/ontology.js';
import type { Detection, Percept } from '../../src/core/percept.js';
import { COCO_LABELS } from '../../src/model/detector/coco-labels.js';
import { readNpz, type NumericArray } from './npz.js';

/** Labels by their number in the shards (`training/data/tracks/labels.py`). */
const LABELS = [
  ...[
    'person',
    'car',
    'truck',
    'bicycle',
    'dog',
    'ball',
    'cube',
    'cylinder',
    'box',
    'bottle',
    'cup',
    'object',
  ],
] as const;
const WORLDS = ['tabletop', 'street'] as const;
export type World = (typeof WORLDS)[number];
/** Tracks have no pixels; their lengths are in frame heights. */
const HEIGHT_PX = 480;
/** What a detector says of a thing that it sees well. */
const SCORE = 0.8;
const COLLIDE = EVENT_TYPES.indexOf('collide');

/** Truth in the form of the evaluation's physics scenes: boxes in px by frame and object, contacts, their causes. */
interface SceneTruth {
  readonly fps: number;
  readonly width: number;
  readonly height: number;
  readonly objects: readonly { readonly id: number; readonly shape: string }[];
  readonly boxes: Readonly<Record<string, Readonly<Record<string, Box>>>>;
  readonly events: readonly {
    readonly type: 'collision';
    readonly objects: readonly number[];
    readonly t: number;
  }[];
  readonly causes: readonly { readonly event: number; readonly necessary: readonly number[] }[];
}

/** A simulated scene: what an imperfect detector would have seen of it, and what was there. */
export interface Scene {
  readonly name: string;
  readonly world: World;
  readonly percepts: readonly Percept[];
  readonly truth: SceneTruth;
}

/** The first `most` scenes of each world in the shards `tracks-*.npz` of a folder (`python -m training.data tracks`). */
export async function readScenes(folder: string, most: number): Promise<Scene[]> {
  const names = (await readdir(folder)).filter((name) => /^tracks-\d+\.npz$/.test(name)).toSorted();
  if (names.length === 0) throw new Error(`${folder} has no tracks-*.npz`);
  const left = { tabletop: most, street: most };
  const scenes: Scene[] = [];
  for (const name of names) {
    if (left.tabletop + left.street === 0) break;
    const shard = new Shard(await readNpz(path.join(folder, name)));
    for (let s = 0; s < shard.count; s += 1) {
      const world = WORLDS[shard.at('world', s)];
      if (world === undefined || left[world] === 0) continue;
      left[world] -= 1;
      scenes.push(shard.scene(s, `${name.replace(/\.npz$/, '')}-${String(s).padStart(4, '0')}`, world));
    }
  }
  return scenes;
}

/** One file of scenes; each has the same number of object slots and of steps at 10 Hz. */
class Shard {
  readonly count: number;
  readonly #slots: number;
  readonly #steps: number;

  constructor(private readonly arrays: ReadonlyMap<string, NumericArray>) {
    const [count = 0, steps = 0, slots = 0] = this.#array('boxes').shape;
    [this.count, this.#steps, this.#slots] = [count, steps, slots];
  }

  /** Element of an array of any rank. */
  at(name: string, ...index: number[]): number {
    const { shape, values } = this.#array(name);
    return values[index.reduce((flat, i, axis) => flat * (shape[axis] ?? 1) + i, 0)] ?? NaN;
  }

  scene(s: number, name: string, world: World): Scene {
    const width = Math.round(this.at('aspect', s) * HEIGHT_PX);
    const ids = Array.from({ length: this.#slots }, (_, n) => n).filter((n) => this.at('kind', s, n) >= 0);
    const labels = new Map(ids.map((n) => [n, LABELS[this.at('label', s, n)] ?? 'object']));
    const percepts: Percept[] = [];
    const boxes: Record<string, Record<string, Box>> = {};
    for (let k = 0; k < this.#steps; k += 1) {
      boxes[k] = Object.fromEntries(
        ids.flatMap((n) => (this.at('true_seen', s, k, n) ? [[n, this.#boxPx('true_boxes', s, k, n)]] : [])),
      );
      const detections = ids.flatMap((n): Detection[] => {
        if (!this.at('seen', s, k, n)) return [];
        const [x, y, w, h] = this.#boxPx('boxes', s, k, n);
        const box: Box = [x / width, y / HEIGHT_PX, w / width, h / HEIGHT_PX];
        return [detection(labels.get(n) ?? 'object', inside(box))];
      });
      const size = { width, height: HEIGHT_PX };
      percepts.push({ index: k, t: k / SAMPLE_HZ, receivedAtMs: 0, ...size, detections, inferenceMs: 0 });
    }
    const objects = ids.map((id) => ({ id, shape: labels.get(id) ?? 'object' }));
    const size = { fps: SAMPLE_HZ, width, height: HEIGHT_PX };
    return { name, world, percepts, truth: { ...size, objects, boxes, ...this.#contacts(s, ids) } };
  }

  #contacts(s: number, ids: readonly number[]): Pick<SceneTruth, 'events' | 'causes'> {
    const events: SceneTruth['events'][number][] = [];
    const causes: SceneTruth['causes'][number][] = [];
    const total = this.#array('ev_scene').shape[0] ?? 0;
    for (let e = 0; e < total; e += 1) {
      if (this.at('ev_scene', e) !== s || this.at('ev_type', e) !== COLLIDE) continue;
      causes.push({ event: events.length, necessary: ids.filter((n) => this.at('necessary', e, n) === 1) });
      const objects = [this.at('ev_a', e), this.at('ev_b', e)];
      events.push({ type: 'collision', objects, t: this.at('ev_t', e) });
    }
    return { events, causes };
  }

  #boxPx(name: 'boxes' | 'true_boxes', s: number, k: number, n: number): Box {
    const [x = 0, y = 0, w = 0, h = 0] = [0, 1, 2, 3].map((i) => this.at(name, s, k, n, i) * HEIGHT_PX);
    return [x, y, w, h];
  }

  #array(name: string): NumericArray {
    const array = this.arrays.get(name);
    if (!array) throw new Error(`the shard has no array ${name}`);
    return array;
  }
}

/** What the detector has no class for is seen because it moves. */
function detection(label: string, box: Box): Detection {
  if (COCO_LABELS.includes(label)) return { label, score: SCORE, box };
  return { label: 'object', score: SCORE, box, origin: 'motion' };
}

function inside([x, y, w, h]: Box): Box {
  const [x0, y0, x1, y1] = [x, y, x + w, y + h].map((value) => Math.min(Math.max(value, 0), 1));
  return [x0 ?? 0, y0 ?? 0, (x1 ?? 0) - (x0 ?? 0), (y1 ?? 0) - (y0 ?? 0)];
}
