import type { EventObserved } from '../core/messages.js';
import type { Places } from '../core/memory.js';
import type { ContactModel } from './events/contact/contact-classifier.js';
import { EventRules } from './events/event-rules.js';
import type { FrameSize } from './events/rules/presence-rule.js';
import { EventEmitterStage } from './events/event-emitter-stage.js';
import { BoundedLog } from './history/bounded-log.js';
import { SceneMemory } from './history/scene-memory.js';
import { Episodes } from './history/episodes.js';
import { HistoryStore } from './history/history-store.js';
import { RelationLog } from './history/relation-log.js';
import { ObjectRoster } from './object-roster.js';
import type { ObjectTracker } from './object-tracker.js';
import { PlaceCounter } from './place-statistics.js';
import { BYTES, eventBytes } from './size-model.js';

/** Shares of the budget for the logs; the histories of objects get the rest. */
const SHARES = { events: 0.2, relations: 0.1, episodes: 0.1 } as const;
/** Number of events that fit into the log under the minimum budget. */
export const MAX_RECENT_EVENTS = 2000;
const MB = 1e6;

export interface StoreOptions {
  readonly places: Places;
  readonly loiterS: number;
  readonly tracks: 'estimated' | 'exact';
  readonly departed: number;
  readonly departedS: number;
  readonly events: number;
  readonly eventsS: number;
  readonly budgetMb: number;
  readonly contacts?: ContactModel | undefined;
}

/** Media time of a memory, and the recent events of its snapshots. */
interface MemoryClock {
  t: number;
  /** Last second of media time at which the budget was checked. */
  second: number;
  frame: FrameSize;
  recent: readonly EventObserved[];
}

/** All components of a memory. */
export interface MemoryStores {
  readonly tracker: ObjectTracker;
  readonly rules: EventRules;
  readonly emitter: EventEmitterStage;
  readonly statistics: PlaceCounter;
  readonly histories: HistoryStore;
  readonly roster: ObjectRoster;
  readonly relations: RelationLog;
  readonly events: BoundedLog<EventObserved>;
  readonly episodes: Episodes;
  readonly scenes: SceneMemory;
  readonly clock: MemoryClock;
}

export function createStores(tracker: ObjectTracker, options: StoreOptions): MemoryStores {
  const budget = options.budgetMb * MB;
  const relations = new RelationLog(budget * SHARES.relations);
  const histories = new HistoryStore();
  return {
    tracker,
    rules: new EventRules({
      places: options.places,
      loiterS: options.loiterS,
      contacts: options.contacts,
      relations,
    }),
    emitter: new EventEmitterStage(),
    statistics: new PlaceCounter(),
    histories,
    roster: new ObjectRoster(histories, options),
    relations,
    events: new BoundedLog(eventBytes, budget * SHARES.events),
    episodes: new Episodes(budget * SHARES.episodes),
    scenes: new SceneMemory(),
    clock: { t: 0, second: 0, frame: { width: 1, height: 1 }, recent: [] },
  };
}

/** The events in a snapshot at `t`. */
export function recentEvents(
  events: BoundedLog<EventObserved>,
  t: number,
  { events: max, eventsS }: Pick<StoreOptions, 'events' | 'eventsS'>,
): readonly EventObserved[] {
  return events.newest(max, ({ observedAt }) => t - observedAt <= eventsS);
}

/** Total size by the size model, bytes. */
export function bytesOf(stores: MemoryStores): number {
  const { histories, events, relations, episodes, scenes } = stores;
  return (
    workingBytes(stores) + histories.bytes + events.bytes + relations.bytes + episodes.bytes + scenes.bytes
  );
}

/** Size of objects in view or recently departed, at full rate, with the state of the rules, bytes. */
function workingBytes({ tracker, roster, rules, clock }: MemoryStores): number {
  const { confirmed = 0, tentative = 0, remembered = 0 } = tracker.dump?.() ?? {};
  let samples = 0;
  for (const object of roster.inView.values()) samples += object.samples;
  for (const object of roster.missing) samples += object.samples;
  for (const { object } of roster.departed) samples += object.samples;
  const objects = roster.inView.size + roster.missing.size + roster.departed.length;
  return (
    BYTES.sample * samples +
    BYTES.object * objects +
    BYTES.track * (confirmed + tentative + remembered) +
    BYTES.pair * rules.counts.pairs +
    BYTES.reference * clock.recent.length
  );
}

export function dumpOf(stores: MemoryStores): Readonly<Record<string, number>> {
  const { tracker, roster, rules, histories, relations, events, episodes } = stores;
  const inView = [...roster.inView.values()];
  const { histories: held, forgotten, thinned } = histories.counts;
  const ofTracker = Object.entries(tracker.dump?.() ?? {});
  return {
    objects: inView.length,
    samples: inView.reduce((n, { samples }) => n + samples, 0),
    trailPoints: inView.reduce((n, { history }) => n + history.trail.length, 0),
    departed: roster.departed.length,
    departedSamples: roster.departed.reduce((n, { object }) => n + object.samples, 0),
    histories: held,
    forgottenHistories: forgotten,
    thinnedTrailPoints: thinned,
    events: events.length,
    forgottenEvents: events.dropped,
    relations: relations.closed.length + relations.open,
    forgottenRelations: relations.closed.dropped,
    episodes: episodes.log.length,
    mergedEpisodes: episodes.log.merged,
    forgottenEpisodes: episodes.log.dropped,
    bytes: bytesOf(stores),
    ...rules.counts,
    ...Object.fromEntries(ofTracker.map(([key, value]) => [`tracker.${key}`, value])),
  };
}
