import { z } from 'zod';
import type { ObjectSample, Places } from '../../core/memory.js';
import type { BoxObservation, TrackSegment } from '../track-segment.js';
import { ApproachRule } from './rules/approach-rule.js';
import { CarryRule } from './rules/carry-rule.js';
import { CollisionRule } from './rules/collision-rule.js';
import type { ContactModel } from './contact/contact-classifier.js';
import { ContactRule } from './contact/contact-rule.js';
import { crossingRules, movedCrossingRules, type CrossingRule } from './rules/crossing-rule.js';
import { FallRule } from './rules/fall-rule.js';
import type { ObjectRule, Report } from './finding.js';
import { FollowRule } from './rules/follow-rule.js';
import { LoiterRule } from './rules/loiter-rule.js';
import { MeetingRule } from './rules/meeting-rule.js';
import { MoveRule } from './rules/move-rule.js';
import { FORGET_AFTER, PairMoment, reachOf, type Pair, type PairRule } from './pair.js';
import { RelationRule, type RelationSink } from './rules/relation-rule.js';
import { PresenceRule, type FrameSize } from './rules/presence-rule.js';
import { SteadyMotion } from './steady-motion.js';
import { TurnRule } from './rules/turn-rule.js';

export interface EventRulesOptions {
  readonly places: Places;
  /** Seconds within a small circle that make a `loiter`. */
  readonly loiterS: number;
  readonly relations: RelationSink;
  /** Detects contacts between moving things; without it their boxes alone decide. */
  readonly contacts?: ContactModel | undefined;
}

const savedWatched = z.object({
  serial: z.number().int().min(0),
  presence: z.unknown(),
  rules: z.array(z.unknown()),
  pairedK: z.number().int(),
  /** Pairs with each later segment within reach, by its serial. */
  pairs: z.array(
    z.object({ serial: z.number().int(), rules: z.array(z.unknown()), outOfReach: z.number().int().min(0) }),
  ),
});
/** The rules of one segment and of its pairs with later segments. */
type SavedWatched = z.input<typeof savedWatched>;

/** The rules of one pair of segments, kept while the two are within reach of each other. */
interface WatchedPair {
  readonly pair: Pair;
  readonly rules: readonly PairRule[];
  /** Number of consecutive samples out of reach. */
  outOfReach: number;
}

/** One segment with its rules. */
interface WatchedSegment {
  readonly serial: number;
  readonly segment: TrackSegment;
  readonly presence: PresenceRule;
  readonly rules: readonly ObjectRule[];
  /** Rules of zones and lines. */
  crossings: readonly CrossingRule[];
  /** Last sample that the pair rules have received; the object rules are always up to date. */
  pairedK: number;
  /** Position and reach at sample `latestK`, px: cached because every sample is used once per other segment. */
  latestK: number;
  x: number;
  y: number;
  reach: number;
  /** True when the latest sample is the only one that the pair rules have not received. */
  oneNew: boolean;
  /** Keyed by the serial of the other, later segment. */
  readonly pairs: Map<number, WatchedPair>;
}

/**
 * All event rules over all segments in view, incrementally: each rule receives each sample once, so the cost of an
 * update does not grow with the length of the stream. The order of findings is undefined.
 */
export class EventRules {
  readonly #options: Omit<EventRulesOptions, 'places'>;
  #places: Places;
  #frame: FrameSize = { width: 0, height: 0 };
  #watched = new Map<TrackSegment, WatchedSegment>();
  #serial = 0;
  #ended = false;

  constructor(options: EventRulesOptions) {
    this.#options = options;
    this.#places = options.places;
  }

  /**
   * Replaces the zones and lines from the next sample on. Rules of unchanged places continue; objects that are inside
   * a new zone when it is added give no `zone_enter`.
   */
  set places(places: Places) {
    for (const watched of this.#watched.values()) {
      watched.crossings = movedCrossingRules(watched.crossings, watched.segment, places, this.#frame);
    }
    this.#places = places;
  }

  /** Numbers of watched segments and of pairs within reach. */
  get counts(): { segments: number; pairs: number } {
    let pairs = 0;
    for (const watched of this.#watched.values()) pairs += watched.pairs.size;
    return { segments: this.#watched.size, pairs };
  }

  /** Sets the size of the source frame in px; segments keep the size with which they began. */
  setFrame(frame: FrameSize): void {
    this.#frame = frame;
  }

  begin(segment: TrackSegment, report: Report): void {
    const watched = this.#watch(segment, this.#serial++);
    watched.presence.observe(segment.first, report);
    this.#step(watched, segment.lastK, report);
    watched.pairedK = segment.lastK - (segment.firstK === undefined ? 0 : 1);
  }

  /** Adds an observation to a segment that has begun and not ended. */
  observe(segment: TrackSegment, observation: BoxObservation, score: number, report: Report): void {
    const watched = this.#watched.get(segment);
    if (!watched) return;
    const from = segment.lastK + 1;
    segment.observe(observation, score);
    watched.presence.observe(observation, report);
    this.#step(watched, from, report);
  }

  /** Ends a segment: reports exit or disappear, and pending findings. The pair rules follow with `advance`. */
  end(segment: TrackSegment, report: Report): void {
    const watched = this.#watched.get(segment);
    if (!watched) return;
    segment.ended = true;
    this.#ended = true;
    for (const rule of [...watched.rules, ...watched.crossings]) rule.end?.(report);
    watched.presence.end(report);
  }

  /** True when an unseen segment was leaving through the border at its last observation. */
  hasLeft(segment: TrackSegment): boolean {
    return this.#watched.get(segment)?.presence.hasLeft() ?? true;
  }

  /** Passes all samples since the last call to the pair rules. Call it once per percept, after the observations. */
  advance(report: Report): void {
    const all = [...this.#watched.values()];
    if (this.#ended || all.some(({ segment, pairedK }) => segment.lastK > pairedK)) {
      all.forEach(cacheLatest);
      for (const [one, two] of pairsWithinReach(all)) this.#advancePair(one, two, report);
    }
    for (const watched of all) {
      watched.pairedK = watched.segment.lastK;
      if (watched.segment.ended) this.#forget(watched);
    }
    this.#ended = false;
  }

  /** Drops all segments without findings. */
  clear(): void {
    this.#watched.clear();
    this.#ended = false;
  }

  /** The serial of the next segment; saved, so that pairs keep their order. */
  get nextSerial(): number {
    return this.#serial;
  }

  set nextSerial(serial: number) {
    this.#serial = serial;
  }

  /** State of the rules of a segment that has not ended; undefined for one that is not watched. */
  saveState(segment: TrackSegment): SavedWatched | undefined {
    const watched = this.#watched.get(segment);
    if (!watched) return undefined;
    const { serial, presence, rules, crossings, pairedK, pairs } = watched;
    return {
      serial,
      presence: presence.saveState(),
      rules: [...rules, ...crossings].map((rule) => rule.saveState()),
      pairedK,
      pairs: [...pairs].map(([other, pair]) => ({
        serial: other,
        rules: pair.rules.map((rule) => rule.saveState()),
        outOfReach: pair.outOfReach,
      })),
    };
  }

  /**
   * Replaces all rules.
   *
   * @throws {ZodError} when a state is malformed
   * @throws {RangeError} when the saved rules do not match
   */
  restoreState(all: readonly (readonly [segment: TrackSegment, state: unknown])[]): void {
    this.clear();
    const parsed = all.map(([segment, state]) => [segment, savedWatched.parse(state)] as const);
    const inOrder = parsed.sort(([, a], [, b]) => a.serial - b.serial);
    const bySerial = new Map(inOrder.map(([segment, { serial }]) => [serial, segment]));
    for (const [segment, saved] of inOrder) {
      const watched = this.#watch(segment, saved.serial);
      watched.presence.restoreState(saved.presence);
      restoreRules([...watched.rules, ...watched.crossings], saved.rules);
      watched.pairedK = saved.pairedK;
      for (const { serial, rules, outOfReach } of saved.pairs) {
        const other = bySerial.get(serial);
        if (!other) throw new RangeError(`segment ${serial} is not among the saved ones`);
        const pair = this.#watchPair({ a: segment, b: other }, false);
        restoreRules(pair.rules, rules);
        pair.outOfReach = outOfReach;
        watched.pairs.set(serial, pair);
      }
    }
  }

  #watch(segment: TrackSegment, serial: number): WatchedSegment {
    const frame = this.#frame;
    const watched = {
      serial,
      segment,
      presence: new PresenceRule(segment, frame),
      rules: [
        ...[new MoveRule(segment), new TurnRule(segment)].map((rule) =>
          segment.exact ? rule : new SteadyMotion(segment, rule),
        ),
        new LoiterRule(segment, this.#options.loiterS),
        ...(segment.upright ? [new FallRule(segment, frame)] : []),
      ],
      crossings: crossingRules(segment, this.#places, frame),
      pairedK: segment.lastK,
      latestK: -1,
      x: 0,
      y: 0,
      reach: 0,
      oneNew: false,
      pairs: new Map<number, WatchedPair>(),
    };
    this.#watched.set(segment, watched);
    return watched;
  }

  #watchPair(pair: Pair, wasFar: boolean): WatchedPair {
    const carry = CarryRule.for(pair);
    const rules: PairRule[] = [
      new MeetingRule(pair, wasFar),
      new ApproachRule(pair),
      this.#collisionRule(pair),
      new FollowRule(pair),
      new RelationRule(pair, this.#options.relations),
    ];
    return { pair, rules: carry ? [...rules, carry] : rules, outOfReach: 0 };
  }

  #step({ segment, rules, crossings }: WatchedSegment, from: number, report: Report): void {
    for (let k = Math.max(from, segment.oldestK); k <= segment.lastK; k++) {
      const sample = segment.at(k);
      if (!sample) continue;
      for (const rule of rules) rule.step(k, sample, report);
      for (const rule of crossings) rule.step(k, sample, report);
    }
  }

  #advancePair(one: WatchedSegment, two: WatchedSegment, report: Report): void {
    const [a, b] = [one.segment, two.segment];
    if (a.firstK === undefined || b.firstK === undefined) return;
    const shared = Math.max(a.firstK, b.firstK);
    const from = Math.max(Math.min(one.pairedK, two.pairedK) + 1, shared, a.oldestK, b.oldestK);
    const to = Math.min(a.lastK, b.lastK);
    let watched = one.pairs.get(two.serial);
    for (let k = from; k <= to; k++) {
      const [p, q] = [a.at(k), b.at(k)];
      if (!p || !q) continue;
      const reach = reachAt(one, k, p) + reachAt(two, k, q);
      const near = withinReach(p.position[0] - q.position[0], p.position[1] - q.position[1], reach);
      if (!watched && near) one.pairs.set(two.serial, (watched = this.#watchPair({ a, b }, k > shared)));
      if (!watched) continue;
      const moment = new PairMoment(k, p, q);
      for (const rule of watched.rules) rule.step(moment, report);
      watched.outOfReach = near ? 0 : watched.outOfReach + 1;
      if (watched.outOfReach > FORGET_AFTER) {
        for (const rule of watched.rules) rule.leave?.();
        one.pairs.delete(two.serial);
        watched = undefined;
      }
    }
    if (watched && (a.ended || b.ended)) for (const rule of watched.rules) rule.end?.(report);
  }

  /**
   * The definition by the boxes for exact tracks and for people; the learned model for things with estimated tracks.
   */
  #collisionRule(pair: Pair): PairRule {
    const { contacts } = this.#options;
    const { a, b } = pair;
    if (!contacts || a.exact || a.upright || b.upright) return new CollisionRule(pair);
    return new ContactRule(pair, contacts, { frame: this.#frame, segments: () => this.#watched.keys() });
  }

  #forget(ended: WatchedSegment): void {
    this.#watched.delete(ended.segment);
    for (const { pairs } of this.#watched.values()) pairs.delete(ended.serial);
  }
}

function restoreRules(
  rules: readonly { restoreState(state: unknown): void }[],
  saved: readonly unknown[],
): void {
  if (rules.length !== saved.length)
    throw new RangeError(`${saved.length} saved rules, but there are ${rules.length}`);
  rules.forEach((rule, i) => rule.restoreState(saved[i]));
}

/**
 * Pairs that the rules must process, the earlier segment first: a sweep along x finds those whose reaches overlap
 * there, in time near-linear in the number of segments unless all stand in one column. Segments that have not
 * received exactly the newest sample have earlier samples to process and pair with all others; watched pairs are
 * always included.
 */
function pairsWithinReach(all: readonly WatchedSegment[]): [WatchedSegment, WatchedSegment][] {
  const pairs: [WatchedSegment, WatchedSegment][] = [];
  const offer = (p: WatchedSegment, q: WatchedSegment): void => {
    const [one, two] = p.serial < q.serial ? [p, q] : [q, p];
    if (!isFarAndUnwatched(one, two)) pairs.push([one, two]);
  };
  const newest = all.reduce((max, { oneNew, latestK }) => (oneNew ? Math.max(max, latestK) : max), -1);
  const isPlain = ({ oneNew, latestK }: WatchedSegment): boolean => oneNew && latestK === newest;
  const plain = all.filter(isPlain).sort((a, b) => a.x - a.reach - (b.x - b.reach) || a.serial - b.serial);
  const others = all.filter((segment) => !isPlain(segment));
  const met = new Set<WatchedPair>();
  plain.forEach((one, i) => {
    for (let j = i + 1; j < plain.length; j++) {
      const two = plain[j] as WatchedSegment;
      if (two.x - two.reach > one.x + one.reach) break;
      offer(one, two);
      const watched = one.pairs.get(two.serial) ?? two.pairs.get(one.serial);
      if (watched) met.add(watched);
    }
  });
  others.forEach((one, i) => {
    for (const two of plain) offer(one, two);
    for (const two of others.slice(i + 1)) offer(one, two);
  });
  const bySerial = new Map(plain.map((segment) => [segment.serial, segment]));
  for (const one of plain) {
    for (const [serial, watched] of one.pairs) {
      const two = bySerial.get(serial);
      if (two && !met.has(watched)) pairs.push([one, two]);
    }
  }
  return pairs;
}

/** Caches the latest sample of a segment for the pairs. */
function cacheLatest(watched: WatchedSegment): void {
  const { segment, pairedK } = watched;
  const sample = segment.at(segment.lastK);
  watched.oneNew = !segment.ended && segment.lastK === pairedK + 1;
  if (!sample) return;
  watched.latestK = segment.lastK;
  [watched.x, watched.y] = sample.position;
  watched.reach = reachOf(sample);
}

/** True for most pairs of a crowded view: one new sample, far out of reach, and no earlier state. */
function isFarAndUnwatched(one: WatchedSegment, two: WatchedSegment): boolean {
  if (!one.oneNew || !two.oneNew || one.latestK !== two.latestK) return false;
  if (withinReach(one.x - two.x, one.y - two.y, one.reach + two.reach)) return false;
  return one.pairs.size === 0 || !one.pairs.has(two.serial);
}

function reachAt(watched: WatchedSegment, k: number, sample: ObjectSample): number {
  return k === watched.latestK ? watched.reach : reachOf(sample);
}

function withinReach(dx: number, dy: number, reach: number): boolean {
  return dx * dx + dy * dy <= reach * reach;
}
