import type { CauseQuery } from '../../../core/learned-models.js';
import type { ObservedEvent } from '../../../core/messages.js';
import { EVENT_TYPES, TIME_EPSILON } from '../../../core/ontology.js';
import type { MemorySnapshot } from '../../../core/memory.js';
import { CAUSE_STEPS, MAX_TRACKS, trackTensors } from '../../tracks/track-tensors.js';

/** The tracks end this long after the event, s. */
export const AFTER_S = 0.4;

/** What the cause head is asked about an event, and the ids of its objects, row by row. */
export interface NamedCauseQuery {
  readonly ids: readonly string[];
  readonly query: CauseQuery;
}

/**
 * The question of docs/fused-model.md, "Cause head". Undefined where no participant of the event was in view around it.
 * Of more objects than the model takes, those stay whose contacts were told last, then those seen last.
 */
export function causeQuery(event: ObservedEvent, snapshot: MemorySnapshot): NamedCauseQuery | undefined {
  const window = { steps: CAUSE_STEPS, end: event.t + AFTER_S };
  const crowded = snapshot.objects.length + snapshot.departed.length > MAX_TRACKS;
  const objects = crowded ? mostConcerned(event, snapshot) : undefined;
  const tracks = trackTensors(snapshot, { ...window, ...(objects && { objects }) });
  if (!tracks) return undefined;
  const { ids, tensors } = tracks;
  const roles = ids.map((id) => 1 + event.participants.findIndex((participant) => participant.id === id));
  if (!roles.some((role) => role > 0)) return undefined;
  return {
    ids,
    query: {
      tracks: tensors,
      event: EVENT_TYPES.indexOf(event.type),
      roles: roles.map((role) => Math.min(role, 2)),
      contacts: contactsBefore(event, snapshot, ids),
    },
  };
}

/** [ids, ids, 2]: confidence of the newest contact of each two before the event, and how long before it, s. */
function contactsBefore(
  event: ObservedEvent,
  snapshot: MemorySnapshot,
  ids: readonly string[],
): Float32Array {
  const contacts = new Float32Array(ids.length * ids.length * 2);
  for (const earlier of collisionsBefore(event, snapshot)) {
    const [a = -1, b = -1] = earlier.participants.map(({ id }) => ids.indexOf(id));
    if (a < 0 || b < 0) continue;
    // Oldest first, so that the newest stays.
    for (const place of [a * ids.length + b, b * ids.length + a])
      contacts.set([earlier.confidence, event.t - earlier.t], place * 2);
  }
  return contacts;
}

function collisionsBefore(event: ObservedEvent, snapshot: MemorySnapshot): readonly ObservedEvent[] {
  return snapshot.events
    .map((observed) => observed.event)
    .filter(({ id, type, t }) => type === 'collide' && id !== event.id && t < event.t - TIME_EPSILON)
    .sort((a, b) => a.t - b.t);
}

/** Participants, then whoever collided, newest first, then who was seen last. */
function mostConcerned(event: ObservedEvent, snapshot: MemorySnapshot): readonly string[] {
  const collided = [...collisionsBefore(event, snapshot)]
    .reverse()
    .flatMap(({ participants }) => participants.map(({ id }) => id));
  const seen = [...snapshot.objects, ...snapshot.departed]
    .filter(({ firstSeen }) => firstSeen <= event.t)
    .sort((a, b) => b.lastSeen - a.lastSeen || a.firstSeen - b.firstSeen)
    .map(({ id }) => id);
  return [...new Set([...event.participants.map(({ id }) => id), ...collided, ...seen])];
}
