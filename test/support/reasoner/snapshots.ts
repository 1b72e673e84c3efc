import type { Box, Point } from '../../../src/core/maths/box.js';
import type { EventObserved, ObservedEvent } from '../../../src/core/messages.js';
import { CONFIRM_S, SAMPLE_HZ, type EventType } from '../../../src/core/ontology.js';
import type { MemorySnapshot, ObjectRecord, ObjectSample } from '../../../src/core/memory.js';

export const WIDTH = 480;
export const HEIGHT = 320;

/** An object by the way of its centre: [t, x, y] in s and px, linear in between. */
export interface ScriptedObject {
  readonly label?: string;
  readonly knots: readonly (readonly [t: number, x: number, y: number])[];
  /** px. Default 40. */
  readonly size?: number;
}

export interface ScriptedEvent {
  readonly type: EventType;
  readonly t: number;
  /** Ids such as `o1`. */
  readonly of: readonly string[];
  readonly confidence?: number;
  readonly zone?: string;
}

/** Memory after a scene was watched until `t` (default: 1 s after the last event): objects o1, o2, …, events e1, e2, … */
export function snapshotOf(
  objects: readonly ScriptedObject[],
  events: readonly ScriptedEvent[],
  t = Math.max(0, ...events.map((event) => event.t)) + 1,
): MemorySnapshot {
  const all = objects
    .map((object, at) => recordOf(object, `o${at + 1}`, t))
    .filter((record) => record !== undefined);
  const observed = events.map((event, at): EventObserved => {
    const made = eventOf(event, `e${at + 1}`, objects);
    return { event: made, observedAt: event.t + CONFIRM_S[event.type] };
  });
  return {
    t,
    width: WIDTH,
    height: HEIGHT,
    objects: all.filter(({ lastSeen }) => lastSeen >= t - 1),
    departed: all.filter(({ lastSeen }) => lastSeen < t - 1),
    events: observed,
    scenes: [],
    relations: [],
    places: { exposureS: 0, exposureAt: () => 0, count: () => 0, rateAt: () => 0, rate: () => 0 },
    zones: { zones: {}, lines: {} },
  };
}

/** The event with this id; throws when the snapshot has none. */
export function eventById(snapshot: MemorySnapshot, id: string): ObservedEvent {
  const found = snapshot.events.find(({ event }) => event.id === id);
  if (found === undefined) throw new Error(`no event ${id}`);
  return found.event;
}

function eventOf(event: ScriptedEvent, id: string, objects: readonly ScriptedObject[]): ObservedEvent {
  return {
    id,
    type: event.type,
    participants: event.of.map((objectId) => {
      const object = objects[Number(objectId.slice(1)) - 1];
      if (object === undefined) throw new Error(`no object ${objectId}`);
      const [x, y, w, h] = boxAt(object, event.t);
      return { id: objectId, label: labelOf(object), box: [x / WIDTH, y / HEIGHT, w / WIDTH, h / HEIGHT] };
    }),
    t: event.t,
    confidence: event.confidence ?? 1,
    ...(event.zone === undefined ? {} : { zone: event.zone }),
  };
}

function recordOf(object: ScriptedObject, id: string, now: number): ObjectRecord | undefined {
  const first = object.knots[0]?.[0] ?? 0;
  const last = Math.min(object.knots.at(-1)?.[0] ?? 0, now);
  if (first > now) return undefined;
  const samples: ObjectSample[] = [];
  for (let k = Math.ceil(first * SAMPLE_HZ); k <= Math.floor(last * SAMPLE_HZ + 1e-9); k++) {
    samples.push(sampleAt(object, k / SAMPLE_HZ, first));
  }
  const [x, y, w, h] = boxAt(object, last);
  return {
    id,
    label: labelOf(object),
    score: 0.9,
    upright: false,
    firstSeen: first,
    lastSeen: last,
    state: 'moving',
    box: [x / WIDTH, y / HEIGHT, w / WIDTH, h / HEIGHT],
    velocity: [0, 0],
    samples,
    trail: [],
  };
}

function sampleAt(object: ScriptedObject, t: number, first: number): ObjectSample {
  const size = object.size ?? 40;
  const [now, before] = [positionAt(object, t), positionAt(object, t - 0.6)];
  const velocity: Point | undefined =
    t - first < 0.6 ? undefined : [(now[0] - before[0]) / 0.6, (now[1] - before[1]) / 0.6];
  const speed = velocity === undefined ? undefined : Math.hypot(...velocity) / size;
  return { t, box: boxAt(object, t), position: now, height: size, velocity, speed };
}

function boxAt(object: ScriptedObject, t: number): Box {
  const size = object.size ?? 40;
  const [x, y] = positionAt(object, t);
  return [x - size / 2, y - size / 2, size, size];
}

function positionAt({ knots }: ScriptedObject, t: number): Point {
  const right = knots.find((knot) => knot[0] >= t) ?? knots.at(-1);
  const left = knots.findLast((knot) => knot[0] <= t) ?? right;
  if (left === undefined || right === undefined) throw new Error('an object needs a knot');
  const share = right[0] > left[0] ? (t - left[0]) / (right[0] - left[0]) : 0;
  return [left[1] + share * (right[1] - left[1]), left[2] + share * (right[2] - left[2])];
}

function labelOf(object: ScriptedObject): string {
  return object.label ?? 'cube';
}

/** A row of three: o1 enters and hits the standing o2, which is driven into the standing o3. */
export function pushedRow(): MemorySnapshot {
  return snapshotOf(
    [
      {
        label: 'ball',
        knots: [
          [0.5, 20, 160],
          [2, 160, 160],
          [6, 165, 160],
        ],
      },
      {
        knots: [
          [0, 200, 160],
          [2, 200, 160],
          [4, 320, 160],
          [6, 322, 160],
        ],
      },
      {
        knots: [
          [0, 360, 160],
          [4, 360, 160],
          [6, 420, 160],
        ],
      },
    ],
    [
      { type: 'enter', t: 0.5, of: ['o1'] },
      { type: 'collide', t: 2, of: ['o1', 'o2'] },
      { type: 'start_moving', t: 2.1, of: ['o2'] },
      { type: 'collide', t: 4, of: ['o2', 'o3'] },
    ],
  );
}
