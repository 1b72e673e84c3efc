import type { ObservedEvent } from '../../core/messages.js';
import { TIME_EPSILON, UNSEEN_S, type EventType } from '../../core/ontology.js';
import type { MemorySnapshot, ObjectRecord } from '../../core/memory.js';

/** An object as it is told to the language model. */
export interface SituationObject {
  readonly id: string;
  readonly label: string;
  /** bh/s; undefined before it is defined. */
  readonly speed: number | undefined;
  readonly inView: boolean;
}

/** An event as it is told to the language model. */
export interface SituationEvent {
  readonly id: string;
  readonly type: EventType;
  readonly participants: readonly string[];
  readonly t: number;
  /** Number of its zone or line, from 1. */
  readonly zone?: number | undefined;
}

/** What may be told of a moment. */
export interface Situation {
  readonly at: number;
  /** In the order in which they were first seen. */
  readonly things: readonly SituationObject[];
  /** In order of time. */
  readonly events: readonly SituationEvent[];
}

/** Events, and objects that left, older than this are not told, s. */
const HISTORY_S = 10;

/**
 * What memory holds of the last 10 s.
 *
 * @param focus the event in question, told however old it is, and whether or not the snapshot still holds it
 */
export function situationOf(snapshot: MemorySnapshot, focus?: ObservedEvent): Situation {
  const since = snapshot.t - HISTORY_S - TIME_EPSILON;
  const recent = snapshot.events.map(({ event }) => event).filter(({ t }) => t >= since);
  const events = focus && !recent.some(({ id }) => id === focus.id) ? [...recent, focus] : recent;
  const concerned = new Set(events.flatMap(({ participants }) => participants.map(({ id }) => id)));
  const records = new Map<string, ObjectRecord>();
  for (const record of snapshot.departed)
    if (record.lastSeen >= since || concerned.has(record.id)) records.set(record.id, record);
  for (const record of snapshot.objects) records.set(record.id, record);
  const present = new Set(snapshot.objects.map(({ id }) => id));
  const zones = placeNumbers(snapshot);
  return {
    at: snapshot.t,
    things: [...records.values()]
      .sort((a, b) => a.firstSeen - b.firstSeen || numberOf(a.id) - numberOf(b.id))
      .map((record) => situationObjectOf(record, present.has(record.id), snapshot.t)),
    events: [...events].sort((a, b) => a.t - b.t).map((event) => situationEvent(event, zones)),
  };
}

/** Zones, then lines, by name: their numbers from 1 in the order of the configuration. */
export function placeNumbers({ zones }: MemorySnapshot): ReadonlyMap<string, number> {
  const names = [...Object.keys(zones.zones), ...Object.keys(zones.lines)];
  return new Map(names.map((name, i) => [name, i + 1]));
}

function situationObjectOf(record: ObjectRecord, present: boolean, t: number): SituationObject {
  const { id, label, samples, lastSeen } = record;
  const inView = present && t - lastSeen < UNSEEN_S - TIME_EPSILON;
  return { id, label, speed: samples.at(-1)?.speed, inView };
}

function situationEvent(
  { id, type, participants, t, zone }: ObservedEvent,
  zones: ReadonlyMap<string, number>,
): SituationEvent {
  return {
    id,
    type,
    participants: participants.map((participant) => participant.id),
    t,
    ...(zone === undefined ? {} : { zone: zones.get(zone) }),
  };
}

function numberOf(id: string): number {
  return Number(id.replace(/\D/g, ''));
}
