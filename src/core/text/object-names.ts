import type { EventType } from '../ontology.js';

/** Returns the displayed number of an object id: `o7` → `#7`. */
export function objectName(id: string): string {
  return `#${id.replace(/^o/, '')}`;
}

/** Returns label and number: `person #7`. */
export function objectPhrase(object: { id: string; label: string }): string {
  return `${object.label} ${objectName(object.id)}`;
}

const VERBS: Readonly<Record<EventType, [past: string, future: string]>> = {
  enter: ['entered', 'enter'],
  appear: ['appeared', 'appear'],
  exit: ['left the view', 'leave the view'],
  disappear: ['disappeared', 'disappear'],
  start_moving: ['started moving', 'start moving'],
  stop: ['stopped', 'stop'],
  turn: ['turned', 'turn'],
  meet: ['met', 'meet'],
  separate: ['separated from', 'separate from'],
  approach: ['approached', 'approach'],
  collide: ['collided with', 'collide with'],
  zone_enter: ['entered', 'enter'],
  zone_leave: ['left', 'leave'],
  line_cross: ['crossed', 'cross'],
  loiter: ['is loitering', 'loiter'],
  follow: ['is following', 'follow'],
  pick_up: ['picked up', 'pick up'],
  put_down: ['put down', 'put down'],
  fall: ['fell', 'fall'],
};

/** Returns a clause such as `person #4 met person #7` (past) or `person #4 leave the view` (future, after "will"). */
export function eventClause(
  type: EventType,
  names: readonly string[],
  place: string | undefined,
  tense: 'past' | 'future',
): string {
  const verb = VERBS[type][tense === 'past' ? 0 : 1];
  return [names[0] ?? 'something', verb, names[1], place === undefined ? undefined : `“${place}”`]
    .filter((word) => word !== undefined)
    .join(' ');
}
