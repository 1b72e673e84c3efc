import type { Box, Point } from '../../core/maths/box.js';
import type { ObservedEvent } from '../../core/messages.js';
import type { MemorySnapshot, ObjectRecord, ObjectSample } from '../../core/memory.js';
import { SAMPLE_HZ, TIME_EPSILON } from '../../core/ontology.js';

/** A box read from memory for one moment. */
export interface RecordedBox {
  /** Fractions of the frame. */
  readonly box: Box;
  /** `event`: a participant's box; `sample`: the 10 Hz grid; `trail`: the thinned history; `now`: the present box. */
  readonly source: 'event' | 'sample' | 'trail' | 'now';
}

interface TimedBox {
  readonly t: number;
  readonly box: Box;
}

/** A sample stands for this long around its time, s. */
const SAMPLE_REACH_S = 1.5 / SAMPLE_HZ;
/** Longest gap across which two points of a trail are joined, s: the sparse trail has 0.2 Hz. */
const TRAIL_GAP_S = 6;

/**
 * A snapshot of memory made quick to ask: events by id and by participant, objects by id, and the box of an object at
 * a moment. Holds nothing but what the snapshot holds.
 */
export class MemoryIndex {
  readonly snapshot: MemorySnapshot;
  readonly #events = new Map<string, ObservedEvent>();
  readonly #byObject = new Map<string, ObservedEvent[]>();
  readonly #records = new Map<string, ObjectRecord[]>();

  /** `extra`: an event that may not be in the snapshot, such as the one to explain. */
  constructor(snapshot: MemorySnapshot, extra?: ObservedEvent) {
    this.snapshot = snapshot;
    for (const { event } of snapshot.events) this.#addEvent(event);
    if (extra !== undefined && !this.#events.has(extra.id)) this.#addEvent(extra);
    for (const record of [...snapshot.departed, ...snapshot.objects]) {
      append(this.#records, record.id, record);
    }
  }

  event(id: string): ObservedEvent | undefined {
    return this.#events.get(id);
  }

  /** Events in which the object took part, in the order of memory. */
  eventsOf(objectId: string): readonly ObservedEvent[] {
    return this.#byObject.get(objectId) ?? [];
  }

  /** The newest record of the object; undefined when memory holds none. */
  record(objectId: string): ObjectRecord | undefined {
    return this.#records.get(objectId)?.at(-1);
  }

  /** True when memory has a record of the object or an event with it. */
  knows(objectId: string): boolean {
    return this.#records.has(objectId) || this.#byObject.has(objectId);
  }

  label(objectId: string): string | undefined {
    const participant = this.eventsOf(objectId)
      .at(-1)
      ?.participants.find(({ id }) => id === objectId);
    return this.record(objectId)?.label ?? participant?.label;
  }

  /** True when the object was in view, by its records or by an event with it, at some time within the span (s). */
  wasInView(objectId: string, from: number, to: number, toleranceS: number): boolean {
    const records = this.#records.get(objectId) ?? [];
    return (
      records.some(
        ({ firstSeen, lastSeen }) => firstSeen <= to + toleranceS && lastSeen >= from - toleranceS,
      ) || this.eventsOf(objectId).some(({ t }) => t >= from - toleranceS && t <= to + toleranceS)
    );
  }

  /** Where memory says the object was at `t`; undefined when nothing is on record near that time. */
  boxAt(objectId: string, t: number): RecordedBox | undefined {
    for (const event of this.eventsOf(objectId)) {
      if (Math.abs(event.t - t) > TIME_EPSILON) continue;
      const participant = event.participants.find(({ id }) => id === objectId);
      if (participant !== undefined) return { box: participant.box, source: 'event' };
    }
    for (const record of [...(this.#records.get(objectId) ?? [])].reverse()) {
      const found = this.#recordedBox(record, t);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #recordedBox(record: ObjectRecord, t: number): RecordedBox | undefined {
    const { width, height } = this.snapshot;
    const sample = interpolateBox(record.samples, t, SAMPLE_REACH_S);
    if (sample !== undefined) {
      const [x, y, w, h] = sample;
      return { box: [x / width, y / height, w / width, h / height], source: 'sample' };
    }
    const last = record.samples[0];
    const trail = [...record.trail, ...(last === undefined ? [] : [this.#asTrailPoint(last)])];
    const point = interpolateBox(trail, t, TRAIL_GAP_S);
    if (point !== undefined) return { box: point, source: 'trail' };
    const present = Math.abs(record.lastSeen - t) <= SAMPLE_REACH_S;
    return present ? { box: record.box, source: 'now' } : undefined;
  }

  #asTrailPoint(sample: ObjectSample): TimedBox {
    const { width, height } = this.snapshot;
    const [x, y, w, h] = sample.box;
    return { t: sample.t, box: [x / width, y / height, w / width, h / height] };
  }

  #addEvent(event: ObservedEvent): void {
    this.#events.set(event.id, event);
    for (const { id } of event.participants) {
      append(this.#byObject, id, event);
    }
  }
}

function append<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** The box at `t` between the points around it; undefined outside of them or in a gap longer than `reachS`. */
function interpolateBox(points: readonly TimedBox[], t: number, reachS: number): Box | undefined {
  const after = points.findIndex((point) => point.t >= t - TIME_EPSILON);
  const right = points[after];
  if (right === undefined) return undefined;
  if (right.t - t <= TIME_EPSILON) return right.box;
  const left = points[after - 1];
  if (left === undefined || right.t - left.t > reachS) return undefined;
  const share = (t - left.t) / (right.t - left.t);
  const mix = (a: number, b: number): number => a + share * (b - a);
  return [
    mix(left.box[0], right.box[0]),
    mix(left.box[1], right.box[1]),
    mix(left.box[2], right.box[2]),
    mix(left.box[3], right.box[3]),
  ];
}

/** Position (px) of the samples at `t`, interpolated; undefined outside of them. */
export function positionAt(samples: readonly ObjectSample[], t: number): Point | undefined {
  const after = samples.findIndex((sample) => sample.t >= t - TIME_EPSILON);
  const right = samples[after];
  if (right === undefined) return undefined;
  const left = samples[after - 1];
  if (left === undefined) return right.t - t <= TIME_EPSILON ? right.position : undefined;
  const share = (t - left.t) / (right.t - left.t);
  return [
    left.position[0] + share * (right.position[0] - left.position[0]),
    left.position[1] + share * (right.position[1] - left.position[1]),
  ];
}
