import { ownValue } from '../../../core/own-value.js';
import { z } from 'zod';
import type { Point } from '../../../core/maths/box.js';
import type { Forecast, ForecastItem } from '../../../core/messages.js';
import {
  CONFIRM_S,
  HORIZON_S,
  LOITER_HORIZON_S,
  LOITER_S,
  SAMPLE_HZ,
  type EventType,
  type ForecastType,
} from '../../../core/ontology.js';
import type { MemorySnapshot } from '../../../core/memory.js';
import { baseRatesStateSchema } from '../../stats/base-rates.js';
import { ContactLearner, contactStateSchema } from './contact-learner.js';
import { correctorStateSchema, FeatureCorrector, featuresOf, touchesBand } from './feature-corrector.js';
import { dueItems, type DueItem } from '../items.js';
import { itemKey, observationWeight, type ItemOutcome, type LearningForecaster } from '../learning.js';
import { loiterHistory } from './loiter-history.js';
import { MOTION_PRIORS } from '../../tracks/motion-kind.js';
import { ownCounts, ownKey, ownRate } from './own-rates.js';
import { MotionRules, type MotionShares } from './path-motion.js';
import { outOfReach, pairShares, reachOf, type PairShares, type Reach } from './path-pairs.js';
import { exitShare, lineShare, LOITER_PATH_HZ, loiterShare } from './path-place.js';
import type { PathRates } from './path-run.js';
import { PATH_HZ, PathSampler, type Paths } from './paths.js';
import { placeFactor } from './place-rates.js';
import { zoneIndexOf } from '../../../core/places-index.js';
import { Random, seedOf } from '../../stats/random.js';
import { itemRates, rateKey } from './item-rates.js';
import { ZoneShares } from './zone-shares.js';
import { SpreadLearner, spreadStateSchema } from './spread-learner.js';
import { trackStates, type TrackState } from '../../tracks/track-state.js';

export interface SamplingForecasterOptions {
  /** Sampled paths per object, 16–1024. Default 128: the error of a share is then at most 0.044. */
  readonly paths?: number;
}

/** Paths that the base rate counts as among the sampled ones: nothing is certain because 128 paths agree. */
const PRIOR_PATHS = 2;
/**
 * Chance that the paths miss what drives an object (it was called, it is pushed by something not in view): then the base
 * rate of the type holds. A linear pool; it takes the edge off both ends where the sampler is too sure. Where things can
 * be in 3 s is geometry, whatever drives them; whether one stops or stays shows in its motion in part; to turn or to
 * set out is a decision of which the motion before tells little (on simulated walkers with goals: almost nothing).
 */
const DOUBT: Readonly<Record<ForecastType, number>> = {
  exit: 0.02,
  stop: 0.4,
  start_moving: 0.6,
  turn: 0.8,
  meet: 0.02,
  collide: 0.02,
  zone_enter: 0.02,
  zone_leave: 0.02,
  line_cross: 0.02,
  loiter: 0.1,
};
/** Bodies decide nothing: what moves them is contact, which the paths show. */
const BODY_DOUBT = 0.1;
/** Standard paths reach to the horizon and to where the slowest rule (stop, meet, turn) is certain. */
const HORIZON_STEPS = HORIZON_S * PATH_HZ;
const STEPS = HORIZON_STEPS + CONFIRM_S.meet * PATH_HZ;
const LOITER_STEPS = LOITER_HORIZON_S * LOITER_PATH_HZ;
/** A thing at the border that was not seen for this long is still there once in e times. */
const GONE_AFTER_S = 0.2;
/** Two missed frames are no sign of anything, s. */
const UNSEEN_FREE_S = 0.1;
/** A body that is hit starts in most cases, turns by 60° in some, and is thrown off its way out in half of them. */
const CONTACT_STARTS = 0.8;
const CONTACT_TURNS = 0.25;
const CONTACT_KEEPS_IN = 0.5;

const stateSchema = z.object({
  version: z.literal(2),
  spread: spreadStateSchema,
  contacts: contactStateSchema,
  corrections: correctorStateSchema,
  rates: baseRatesStateSchema,
});

interface Future {
  readonly state: TrackState;
  readonly paths: Paths;
  readonly rates: PathRates;
  readonly reach: Reach;
  readonly shares: MotionShares;
  readonly random: Random;
}

/** The sampled futures of one forecast and what was played on them. */
interface Played {
  readonly futures: readonly Future[];
  readonly pairs: ReadonlyMap<number, PairShares>;
  /** Chance that each body is hit. */
  readonly hits: readonly number[];
  readonly zones: ZoneShares;
}

/**
 * States the standard forecast by sampling futures: each object moves on along 128 paths of a mixture of motions, the
 * rules of events.md are played on them, and the share of the paths on which an event happens is its probability.
 */
export class SamplingForecaster implements LearningForecaster {
  readonly name = 'sampling-v1';
  readonly #sampler: PathSampler;
  readonly #rules = new MotionRules(STEPS);
  readonly #spread = new SpreadLearner();
  readonly #contacts = new ContactLearner();
  readonly #corrector = new FeatureCorrector();
  readonly #rates = itemRates();

  constructor(options: SamplingForecasterOptions = {}) {
    const n = options.paths ?? 128;
    if (!Number.isInteger(n) || n < 16 || n > 1024)
      throw new RangeError(`paths must be an integer 16–1024, was ${n}`);
    this.#sampler = new PathSampler(n);
  }

  forecast(snapshot: MemorySnapshot): Forecast {
    const states = trackStates(snapshot);
    this.#spread.observe(snapshot);
    this.#contacts.observe(snapshot, states);
    const counts = ownCounts(snapshot);
    const futures = states.map((state) => this.#future(state, snapshot, counts));
    const due = dueItems(states, snapshot);
    const pairs = playPairs(futures, due);
    const hits = this.#contactChances(futures, pairs);
    const zones = new ZoneShares(zoneIndexOf(snapshot.zones, snapshot), futures, due, HORIZON_STEPS);
    const items = due.map((item) => this.#state(item, { futures, pairs, hits, zones }, snapshot));
    return { at: snapshot.t, horizon: HORIZON_S, items };
  }

  learn(outcomes: readonly ItemOutcome[]): void {
    for (const { item, at, hit } of outcomes) {
      const weight = observationWeight(item);
      const group = this.#corrector.learn(at, itemKey(item.type, item.participants, item.zone), hit, weight);
      if (group !== undefined) this.#rates.learn(group, hit, weight);
    }
  }

  interrupt(): void {
    this.#spread.forget();
    this.#contacts.forget();
    this.#corrector.forget();
  }

  saveState(): z.infer<typeof stateSchema> {
    return {
      version: 2,
      spread: this.#spread.save(),
      contacts: this.#contacts.save(),
      corrections: this.#corrector.save(),
      rates: this.#rates.save(),
    };
  }

  restoreState(state: unknown): boolean {
    const parsed = stateSchema.safeParse(state);
    if (!parsed.success) return false;
    this.#spread.restore(parsed.data.spread);
    this.#contacts.restore(parsed.data.contacts);
    this.#corrector.restore(parsed.data.corrections);
    this.#rates.restore(parsed.data.rates);
    return true;
  }

  #future(state: TrackState, snapshot: MemorySnapshot, counts: ReadonlyMap<string, number>): Future {
    const random = new Random(seedOf(state.record.id, Math.round(snapshot.t * SAMPLE_HZ)));
    const rates = this.#ratesOf(state, snapshot, counts);
    const paths = this.#sampler.sample(state, rates, STEPS, 1 / PATH_HZ, random);
    this.#spread.expect(state, paths, snapshot.t, rates.spread);
    const shares = this.#rules.shares(state, paths, HORIZON_STEPS);
    return { state, paths, rates, reach: reachOf(paths), shares, random };
  }

  #ratesOf(state: TrackState, snapshot: MemorySnapshot, counts: ReadonlyMap<string, number>): PathRates {
    const prior = MOTION_PRIORS[state.kind];
    const here: Point = [state.x / snapshot.width, state.y / snapshot.height];
    const own = (type: EventType, rate: number): number =>
      ownRate(rate, counts.get(ownKey(state.record.id, type)) ?? 0, state.ageS);
    return {
      spread: this.#spread.factor(state.kind, state.moving),
      stopRate: own('stop', prior.stopRate) * placeFactor(snapshot.places, 'stop', here),
      turnRate: own('turn', prior.turnRate) * placeFactor(snapshot.places, 'turn', here),
      startFactor: placeFactor(snapshot.places, 'start_moving', here),
    };
  }

  /** For each body, the chance that something that moves comes into contact with it in time. */
  #contactChances(futures: readonly Future[], pairs: ReadonlyMap<number, PairShares>): number[] {
    const spared = futures.map(() => 1);
    for (const [key, { contact, level }] of pairs) {
      const [a, b] = [Math.floor(key / futures.length), key % futures.length];
      const [fa, fb] = [futures[a], futures[b]];
      if (!fa || !fb || contact === 0) continue;
      const struck = this.#contacts.collision(fa.state, fb.state, contact, level);
      spared[a] = (spared[a] ?? 1) * (1 - struck);
      spared[b] = (spared[b] ?? 1) * (1 - struck);
    }
    return spared.map((s, i) => (futures[i]?.state.kind === 'body' ? 1 - s : 0));
  }

  #state(item: DueItem, { futures, pairs, hits, zones }: Played, snapshot: MemorySnapshot): ForecastItem {
    const a = futures[item.a] as Future;
    const b = item.b === undefined ? undefined : futures[item.b];
    const participants = b ? [a.state.record.id, b.state.record.id] : [a.state.record.id];
    const played = b
      ? this.#pairProbability(item, a, b, pairs.get(item.a * futures.length + (item.b ?? 0)))
      : this.#share(item, a, zones, snapshot);
    const struck = hits[item.a] ?? 0;
    const pushed = item.type === 'start_moving' ? CONTACT_STARTS : item.type === 'turn' ? CONTACT_TURNS : 0;
    const group = rateKey(item.type, a.state.kind, b?.state.kind);
    const base = this.#rates.rate(group);
    const kept = item.type === 'exit' ? 1 - CONTACT_KEEPS_IN * struck : 1;
    const doubt = a.state.kind === 'body' ? Math.min(DOUBT[item.type], BODY_DOUBT) : DOUBT[item.type];
    const p = pool(1 - (1 - played * kept) * (1 - pushed * struck), base, this.#sampler.n, doubt);
    const key = itemKey(item.type, participants, item.zone);
    const features = featuresOf(item.type, a.state, b?.state);
    const corrected = this.#corrector.correct(group, features, p, snapshot.t, key);
    const probability = corrected * stillHere(a.state) * (b ? stillHere(b.state) : 1);
    return {
      type: item.type,
      participants,
      ...(item.zone !== undefined && { zone: item.zone }),
      ...(item.horizon !== undefined && { horizon: item.horizon }),
      probability: Math.round(probability * 1e6) / 1e6,
    };
  }

  #pairProbability(item: DueItem, a: Future, b: Future, shares: PairShares | undefined): number {
    if (item.type === 'meet') return shares?.meet ?? 0;
    return shares ? this.#contacts.collision(a.state, b.state, shares.contact, shares.level) : 0;
  }

  /** Share of the paths of one object on which the item comes true. */
  #share(item: DueItem, future: Future, zones: ZoneShares, snapshot: MemorySnapshot): number {
    const { state, paths, rates, shares, random } = future;
    const frame: Point = [snapshot.width, snapshot.height];
    const scaled = ([x, y]: Point): Point => [x * frame[0], y * frame[1]];
    switch (item.type) {
      case 'exit':
        return exitShare(state, paths, frame, HORIZON_STEPS, random);
      case 'stop':
        return shares.stop;
      case 'start_moving':
        return shares.start;
      case 'turn':
        return shares.turn;
      case 'zone_enter':
        return zones.of(item.a, item.zone ?? '').enter;
      case 'zone_leave':
        return zones.of(item.a, item.zone ?? '').leave;
      case 'line_cross': {
        const line = ownValue(snapshot.zones.lines, item.zone ?? '');
        return line ? lineShare(state, paths, [scaled(line[0]), scaled(line[1])], HORIZON_STEPS) : 0;
      }
      case 'loiter': {
        const far = this.#sampler.sample(state, rates, LOITER_STEPS, 1 / LOITER_PATH_HZ, random);
        return loiterShare(state, far, loiterHistory(state, snapshot), frame, 1 / LOITER_PATH_HZ, LOITER_S);
      }
      default:
        return 0;
    }
  }
}

/** Plays every pair with a due item whose paths can come near each other; the others keep share 0. */
function playPairs(futures: readonly Future[], due: readonly DueItem[]): Map<number, PairShares> {
  const wanted = new Map<number, { meet: boolean; contact: boolean }>();
  for (const { type, a, b } of due) {
    if (b === undefined) continue;
    const key = a * futures.length + b;
    const wants = wanted.get(key) ?? { meet: false, contact: false };
    wanted.set(key, { meet: wants.meet || type === 'meet', contact: wants.contact || type === 'collide' });
  }
  const shares = new Map<number, PairShares>();
  for (const [key, wants] of wanted) {
    const [a, b] = [futures[Math.floor(key / futures.length)], futures[key % futures.length]];
    if (!a || !b || outOfReach(a, b)) continue;
    shares.set(key, pairShares(a, b, HORIZON_STEPS, wants));
  }
  return shares;
}

/** Pools a share of n paths with the base rate. */
function pool(share: number, base: number, n: number, doubt: number): number {
  const sampled = (share * n + base * PRIOR_PATHS) / (n + PRIOR_PATHS);
  return (1 - doubt) * sampled + doubt * base;
}

/** Chance that an object that was not seen lately at the border is still in view. */
function stillHere(state: TrackState): number {
  const missed = state.unseenS - UNSEEN_FREE_S;
  return missed > 0 && touchesBand(state) ? Math.exp(-missed / GONE_AFTER_S) : 1;
}
