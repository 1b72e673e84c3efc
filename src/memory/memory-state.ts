import { z } from 'zod';
import { PresageError } from '../core/errors.js';
import { eventObservedSchema } from '../core/messages.js';
import { savedScenes } from './history/scene-memory.js';
import { savedEpisode, savedEpisodes } from './history/episodes.js';
import { savedHistories, savedHistoryPiece } from './history/history-store.js';
import { savedRelation, savedRelations } from './history/relation-log.js';
import type { PieceLedger } from './state/state-pieces.js';
import { createStores, recentEvents, type MemoryStores, type StoreOptions } from './memory-stores.js';
import { RememberedObject, savedObject } from './object-record.js';

/** Incremented with every change after which an earlier saved state would not be restored exactly. */
const VERSION = 2;
const HEAD = 'memory';

const savedLog = z.object({
  start: z.number().int().min(0),
  dropped: z.number().int().min(0),
  merged: z.number().int().min(0),
});
const blockOf = <T extends z.ZodType>(record: T) =>
  z.object({ from: z.number().int().min(0), records: z.array(record) });

const point = z.tuple([z.number(), z.number()]);
const savedSettings = z.tuple([
  z.array(z.tuple([z.string(), z.array(point)])),
  z.array(z.tuple([z.string(), z.tuple([point, point])])),
  z.unknown(),
  z.unknown(),
  z.unknown(),
]);
const headSchema = z.object({
  version: z.literal(VERSION),
  /** Zones and settings that the state depends on. */
  settings: z.string(),
  t: z.number(),
  second: z.number(),
  frame: z.object({ width: z.number(), height: z.number() }),
  emitted: z.number().int().min(0),
  nextSerial: z.number().int().min(0),
  tracker: z.unknown(),
  statistics: z.unknown(),
  inView: z.array(z.string()),
  missing: z.array(z.string()),
  departed: z.array(z.object({ id: z.string(), at: z.number() })),
  histories: savedHistories,
  relations: savedRelations,
  episodes: savedEpisodes,
  scenes: savedScenes,
});
const objectSchema = z.object({ object: savedObject, rules: z.unknown().optional() });

/** Offers the complete state to the ledger in pieces. */
export function savePieces(stores: MemoryStores, options: StoreOptions, ledger: PieceLedger): void {
  const { roster, rules, clock } = stores;
  const objects = new Set([
    ...roster.inView.values(),
    ...roster.missing,
    ...roster.departed.map(({ object }) => object),
  ]);
  for (const object of objects) {
    const rulesOf = (): unknown => object.segment && rules.saveState(object.segment);
    // The rules of its segment change with every sample of any neighbour.
    const mark = object.segment ? clock.t : object.mark;
    ledger.offer(`object/${object.subject.id}`, mark, () => ({
      object: object.saveState(),
      rules: rulesOf(),
    }));
  }
  const histories = stores.histories.savePieces(ledger);
  stores.events.savePieces('events', ledger);
  stores.relations.closed.savePieces('relations', ledger);
  stores.episodes.log.savePieces('episodes', ledger);
  ledger.offer(HEAD, {}, (): z.input<typeof headSchema> => ({
    version: VERSION,
    settings: settingsOf(options),
    t: clock.t,
    second: clock.second,
    frame: { ...clock.frame },
    emitted: stores.emitter.emitted,
    nextSerial: rules.nextSerial,
    tracker: stores.tracker.saveState?.() ?? null,
    statistics: stores.statistics.saveState(),
    inView: [...roster.inView.keys()],
    missing: [...roster.missing].map(({ subject }) => subject.id),
    departed: roster.departed.map(({ object, at }) => ({ id: object.subject.id, at })),
    histories,
    relations: stores.relations.saveState(),
    episodes: stores.episodes.saveState(),
    scenes: stores.scenes.saveState(),
  }));
}

/**
 * The stores as they were saved.
 *
 * @throws {PresageError} storage_failed — when the state is malformed or saved with other settings
 */
export function restoredStores(
  state: unknown,
  tracker: MemoryStores['tracker'],
  options: StoreOptions,
): MemoryStores {
  try {
    const pieces = z.record(z.string(), z.unknown()).parse(state);
    // Rules of other places have other states: restore with the saved places, then set the current ones.
    const before = { ...options, places: savedPlaces(pieces) };
    const stores = createStores(tracker, before);
    restore(stores, pieces, before);
    stores.rules.places = options.places;
    return stores;
  } catch (error) {
    if (error instanceof PresageError) throw error;
    throw new PresageError('storage_failed', 'the saved memory has an unknown form', {
      cause: error,
      hint: 'The stream starts with an empty memory: objects in view get new ids.',
    });
  }
}

/**
 * The zones and lines of a saved state.
 *
 * @throws {ZodError} when the state is malformed
 */
function savedPlaces(pieces: Readonly<Record<string, unknown>>): StoreOptions['places'] {
  const { settings } = headSchema.parse(pieces[HEAD]);
  const [zones, lines] = savedSettings.parse(JSON.parse(settings));
  return { zones: Object.fromEntries(zones), lines: Object.fromEntries(lines) };
}

function restore(
  stores: MemoryStores,
  pieces: Readonly<Record<string, unknown>>,
  options: StoreOptions,
): void {
  const head = headSchema.parse(pieces[HEAD]);
  if (head.settings !== settingsOf(options)) {
    throw new PresageError('storage_failed', 'the saved memory belongs to other settings', {
      hint: 'The stream starts with an empty memory: objects in view get new ids.',
    });
  }
  const { rules, roster, clock, histories } = stores;
  Object.assign(clock, { t: head.t, second: head.second, frame: head.frame });
  rules.setFrame(head.frame);
  rules.nextSerial = head.nextSerial;
  stores.emitter.emitted = head.emitted;
  stores.statistics.restoreState(head.statistics);
  histories.restoreState(head.histories, named(pieces, 'history/', savedHistoryPiece));
  restoreLogs(stores, pieces, head);
  clock.recent = recentEvents(stores.events, head.t, options);
  stores.scenes.restoreState(head.scenes);
  restoreObjects(stores, pieces, head);
  roster.refresh();
  if (stores.tracker.restoreState) stores.tracker.restoreState(head.tracker);
}

function restoreLogs(
  { events, relations, episodes }: MemoryStores,
  pieces: Readonly<Record<string, unknown>>,
  head: z.output<typeof headSchema>,
): void {
  events.restore(savedLog.parse(pieces['events']), named(pieces, 'events/', blockOf(eventObservedSchema)));
  relations.closed.restore(
    savedLog.parse(pieces['relations']),
    named(pieces, 'relations/', blockOf(savedRelation)),
  );
  relations.restoreState(head.relations);
  episodes.log.restore(savedLog.parse(pieces['episodes']), named(pieces, 'episodes/', blockOf(savedEpisode)));
  episodes.restoreState(head.episodes, events.all());
}

function restoreObjects(
  { roster, rules, histories }: MemoryStores,
  pieces: Readonly<Record<string, unknown>>,
  head: z.output<typeof headSchema>,
): void {
  const objects = new Map<string, RememberedObject>();
  const segments: (readonly [NonNullable<RememberedObject['segment']>, unknown])[] = [];
  for (const { object: saved, rules: savedRules } of named(pieces, 'object/', objectSchema)) {
    const history = histories.find(saved.track.id);
    if (!history) throw new RangeError(`the history of ${saved.track.id} is missing`);
    const object = RememberedObject.restore(saved, history);
    objects.set(saved.track.id, object);
    if (object.segment) segments.push([object.segment, savedRules]);
  }
  const find = (id: string): RememberedObject => {
    const object = objects.get(id);
    if (!object) throw new RangeError(`the state of ${id} is missing`);
    return object;
  };
  rules.restoreState(segments);
  roster.restore(
    head.inView.map(find),
    head.missing.map(find),
    head.departed.map(({ id, at }) => ({ object: find(id), at })),
  );
}

/** Parses the pieces whose names begin with the prefix. */
function named<T extends z.ZodType>(
  pieces: Readonly<Record<string, unknown>>,
  prefix: string,
  schema: T,
): z.output<T>[] {
  return Object.entries(pieces)
    .filter(([name]) => name.startsWith(prefix))
    .map(([, piece]) => schema.parse(piece));
}

/** Key of the settings: a state is restored only into a memory with the same key, apart from zones and lines. */
function settingsOf({ places, loiterS, tracks, contacts }: StoreOptions): string {
  const { zones, lines } = places;
  const hasContactModel = contacts !== undefined;
  return JSON.stringify([Object.entries(zones), Object.entries(lines), loiterS, tracks, hasContactModel]);
}
