import { z } from 'zod';
import type { Point } from '../../../core/maths/box.js';
import type { PolygonIndex } from '../../../core/maths/polygon-index.js';
import type { ObjectSample, Places } from '../../../core/memory.js';
import { zoneIndexOf } from '../../../core/places-index.js';
import type { TrackSegment } from '../../track-segment.js';
import {
  beyond,
  Run,
  samplesIn,
  savedSample,
  timeOf,
  type ObjectRule,
  type Stateful,
  type Report,
} from '../finding.js';
import type { FrameSize } from './presence-rule.js';

/** An object must stay on the new side for this many samples (0.2 s), so that jitter on the line is not a crossing. */
const HOLD = samplesIn(0.2);
/** A crossing this deep (in body heights) into the new side after the hold is certain; see `clearness`. */
const SHALLOW_H = 0.05;

const stateSchema = z.object({ now: z.boolean().optional(), on: savedSample, off: savedSample });

/** Tracks a two-valued state and reports changes that last for 0.2 s; shorter ones are ignored. */
class HeldState implements Stateful {
  #now: boolean | undefined;
  #runs = { on: new Run(), off: new Run() };

  /** The sample at which the present state began, once it has lasted and differs from the previous state. */
  step(k: number, state: boolean): number | undefined {
    this.#now ??= state;
    const on = this.#runs.on.step(k, state, HOLD);
    const off = this.#runs.off.step(k, !state, HOLD);
    if (!(on || off) || state === this.#now) return undefined;
    this.#now = state;
    return (state ? this.#runs.on : this.#runs.off).start;
  }

  saveState(): unknown {
    const { on, off } = this.#runs;
    return { now: this.#now, on: on.start ?? null, off: off.start ?? null };
  }

  restoreState(state: unknown): void {
    const { now, on, off } = stateSchema.parse(state);
    this.#now = now;
    this.#runs.on.start = on;
    this.#runs.off.start = off;
  }
}

/** A rule of one zone or line. */
export interface CrossingRule extends ObjectRule {
  /** Identifies the place and its geometry: rules of equal marks are interchangeable. */
  readonly mark: string;
}

/** `zone_enter` and `zone_leave` of one zone: a polygon in frame fractions, read by the even-odd rule. */
class ZoneRule implements CrossingRule {
  #inside = new HeldState();

  /** @param zone shared by the rules of all objects */
  constructor(
    private readonly segment: TrackSegment,
    private readonly name: string,
    private readonly zone: PolygonIndex,
  ) {}

  get mark(): string {
    return JSON.stringify(['zone', this.name, this.zone.polygon]);
  }

  step(k: number, { position, height }: ObjectSample, report: Report): void {
    const [x, y] = position;
    const inside = this.zone.contains(x, y, this.zone.grid.cellAt(x, y));
    const since = this.#inside.step(k, inside);
    if (since === undefined) return;
    report({
      type: inside ? 'zone_enter' : 'zone_leave',
      t: timeOf(since),
      participants: [{ segment: this.segment }],
      clearness: beyond(distanceToOutline(position, this.zone.polygon) / height, SHALLOW_H),
      zone: this.name,
    });
  }

  saveState(): unknown {
    return this.#inside.saveState();
  }

  restoreState(state: unknown): void {
    this.#inside.restoreState(state);
  }
}

/** `line_cross` of one line; side a lies to the left on the screen when facing from its first to its second point. */
class LineRule implements CrossingRule {
  readonly mark: string;
  readonly #line: readonly [Point, Point];
  #side = new HeldState();

  constructor(
    private readonly segment: TrackSegment,
    private readonly name: string,
    [from, to]: readonly [Point, Point],
    frame: FrameSize,
  ) {
    this.#line = [toPx(from, frame), toPx(to, frame)];
    this.mark = JSON.stringify(['line', name, this.#line]);
  }

  step(k: number, { position, height }: ObjectSample, report: Report): void {
    const onA = isOnSideA(position, this.#line);
    const since = this.#side.step(k, onA);
    if (since === undefined) return;
    const before = this.segment.at(since - 1)?.position;
    const after = this.segment.at(since)?.position;
    if (!before || !after) return;
    // The path must cross between the ends of the line.
    const [from, to] = this.#line;
    if (isOnSideA(from, [before, after]) === isOnSideA(to, [before, after])) return;
    report({
      type: 'line_cross',
      t: timeOf(since),
      participants: [{ segment: this.segment }],
      clearness: beyond(distanceToSegment(position, from, to) / height, SHALLOW_H),
      zone: this.name,
      direction: onA ? 'b>a' : 'a>b',
    });
  }

  saveState(): unknown {
    return this.#side.saveState();
  }

  restoreState(state: unknown): void {
    this.#side.restoreState(state);
  }
}

/** The rules of all configured zones and lines for one segment. */
export function crossingRules(segment: TrackSegment, places: Places, frame: FrameSize): CrossingRule[] {
  const { zones } = zoneIndexOf(places, frame);
  return [
    ...[...zones].map(([name, zone]) => new ZoneRule(segment, name, zone)),
    ...Object.entries(places.lines).map(([name, line]) => new LineRule(segment, name, line, frame)),
  ];
}

/** The rules of new zones and lines; rules of unchanged places keep their state. */
export function movedCrossingRules(
  rules: readonly CrossingRule[],
  segment: TrackSegment,
  places: Places,
  frame: FrameSize,
): CrossingRule[] {
  const byMark = new Map(rules.map((rule) => [rule.mark, rule]));
  return crossingRules(segment, places, frame).map((rule) => byMark.get(rule.mark) ?? rule);
}

function isOnSideA(p: Point, [from, to]: readonly [Point, Point]): boolean {
  return (to[0] - from[0]) * (p[1] - from[1]) - (to[1] - from[1]) * (p[0] - from[0]) < 0;
}

function distanceToOutline(p: Point, polygon: readonly Point[]): number {
  return polygon.reduce((min, corner, i) => {
    const next = polygon[(i + 1) % polygon.length] ?? corner;
    return Math.min(min, distanceToSegment(p, corner, next));
  }, Infinity);
}

function distanceToSegment(p: Point, a: Point, b: Point): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const along = ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / (dx * dx + dy * dy || 1);
  const f = Math.min(1, Math.max(0, along));
  return Math.hypot(p[0] - a[0] - f * dx, p[1] - a[1] - f * dy);
}

function toPx([x, y]: Point, { width, height }: FrameSize): Point {
  return [x * width, y * height];
}
