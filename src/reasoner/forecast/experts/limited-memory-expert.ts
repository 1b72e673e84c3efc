import { boxPosition, type Box, type Point } from '../../../core/maths/box.js';
import type { ForecastItem } from '../../../core/messages.js';
import { SAMPLE_HZ } from '../../../core/ontology.js';
import type { MemorySnapshot, ObjectRecord, ObjectSample, PlaceStatistics } from '../../../core/memory.js';
import type { Expert } from '../expert.js';

/** Frames that are left, 1 s apart. */
const FRAMES = 4;
const STRIDE = SAMPLE_HZ;
const SPAN_S = (FRAMES - 1) * (STRIDE / SAMPLE_HZ);

const NOWHERE: PlaceStatistics = {
  exposureS: 0,
  exposureAt: () => 0,
  count: () => 0,
  rateAt: () => 0,
  rate: () => 0,
};

/**
 * What one knows of a scene who has no memory and sees its last four frames, a second apart: the objects in view, each on
 * straight lines between its boxes in these frames; no events, relations, departed objects, statistics of places.
 */
export function lastFrames(snapshot: MemorySnapshot): MemorySnapshot {
  return {
    ...snapshot,
    objects: snapshot.objects.map((record) => thinned(record, snapshot.t)),
    departed: [],
    events: [],
    scenes: [],
    relations: [],
    places: NOWHERE,
  };
}

/** A source that sees no more than a view of memory. */
export class LimitedMemoryExpert implements Expert {
  readonly name: string;
  readonly model: string;

  constructor(
    private readonly source: Expert,
    private readonly view: (snapshot: MemorySnapshot) => MemorySnapshot,
  ) {
    this.name = source.name;
    this.model = source.model;
  }

  probabilities(
    snapshot: MemorySnapshot,
    items: readonly ForecastItem[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>> {
    return this.source.probabilities(this.view(snapshot), items, signal);
  }
}

function thinned(record: ObjectRecord, t: number): ObjectRecord {
  const { samples, upright } = record;
  const last = samples.length - 1;
  const frames = Array.from({ length: FRAMES }, (_, i) => last - (FRAMES - 1 - i) * STRIDE)
    .filter((at) => at >= 0)
    .flatMap((at) => samples[at] ?? []);
  const between = frames.slice(1).flatMap((to, i) => steps(frames[i] ?? to, to, upright));
  const first = frames[0];
  return {
    ...record,
    firstSeen: Math.max(record.firstSeen, t - SPAN_S),
    samples: between.length > 0 ? between : first ? [still(first, upright)] : [],
    trail: [],
  };
}

/** The samples after one frame up to the next, and before the first of them the frame itself. */
function steps(from: ObjectSample, to: ObjectSample, upright: boolean): ObjectSample[] {
  const [start, end] = [boxPosition(from.box, upright), boxPosition(to.box, upright)];
  const spanS = Math.max(to.t - from.t, 1 / SAMPLE_HZ);
  const velocity: Point = [(end[0] - start[0]) / spanS, (end[1] - start[1]) / spanS];
  return Array.from({ length: STRIDE }, (_, i) => {
    const share = (i + 1) / STRIDE;
    const box = from.box.map((value, at) => value + share * ((to.box[at] ?? value) - value));
    const whole: Box = [box[0] ?? 0, box[1] ?? 0, box[2] ?? 0, box[3] ?? 0];
    const height = Math.max(whole[3], 1);
    return {
      t: from.t + share * (to.t - from.t),
      box: whole,
      position: boxPosition(whole, upright),
      height,
      velocity,
      speed: Math.hypot(...velocity) / height,
    };
  });
}

function still({ t, box }: ObjectSample, upright: boolean): ObjectSample {
  const position = boxPosition(box, upright);
  return { t, box, position, height: Math.max(box[3], 1), velocity: undefined, speed: undefined };
}
