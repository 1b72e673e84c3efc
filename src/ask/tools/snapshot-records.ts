import type { ObservedEvent } from '../../core/messages.js';
import { scaleBox } from '../../core/maths/box.js';
import type { ObjectHistory, Passage, Records } from '../../core/records/records.js';
import type { MemorySnapshot, ObjectRecord } from '../../core/memory.js';

/** What a snapshot holds as records, so that it can be asked like memory and archive. */
export function recordsOfSnapshot(snapshot: MemorySnapshot): Records {
  const { objects, departed, events, relations, zones } = snapshot;
  const passages = new Map<string, Passage>();
  for (const { event } of events) {
    const passage = passageOf(event);
    if (passage) passages.set(`${event.participants[0]?.id ?? ''} ${isComing(passage)}`, passage);
  }
  const histories = [...departed, ...objects].map((object) => historyOf(object, passages, snapshot));
  histories.sort((a, b) => a.firstSeen - b.firstSeen);
  return { objects: histories, events, relations, episodes: [], places: zones };
}

function historyOf(
  object: ObjectRecord,
  passages: ReadonlyMap<string, Passage>,
  { width, height, objects }: MemorySnapshot,
): ObjectHistory {
  const { id, label, firstSeen, lastSeen, trail, samples, embedding } = object;
  const entered = passages.get(`${id} true`);
  const left = objects.includes(object) ? undefined : passages.get(`${id} false`);
  return {
    ...{ id, label, firstSeen, lastSeen },
    spans: [{ from: firstSeen, to: lastSeen }],
    ...(entered && { entered }),
    ...(left && { left }),
    path: [...trail, ...samples.map(({ t, box }) => ({ t, box: scaleBox(box, 1 / width, 1 / height) }))],
    ...(embedding && { embedding }),
    keyframes: [],
  };
}

function passageOf({ id, type, t }: ObservedEvent): Passage | undefined {
  if (type === 'enter' || type === 'appear' || type === 'exit' || type === 'disappear')
    return { event: id, t, type };
  return undefined;
}

function isComing({ type }: Passage): boolean {
  return type === 'enter' || type === 'appear';
}
