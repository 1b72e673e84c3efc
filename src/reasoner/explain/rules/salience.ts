import type { ObservedEvent } from '../../../core/messages.js';
import type { EventType } from '../../../core/ontology.js';

/**
 * What is explained:
 * - `always`: events that call for a why. When nothing in memory accounts for one, that is said.
 * - `when_known`: ordinary events; explained when an earlier deed (not mere presence) accounts for them.
 * - `never`: events with nothing before them (`enter`, `appear`) and intermediate ones that only serve as steps of a
 *   chain (`approach`).
 */
export type Salience = 'always' | 'when_known' | 'never';

const SALIENCE: Readonly<Record<EventType, Salience>> = {
  enter: 'never',
  appear: 'never',
  exit: 'when_known',
  disappear: 'when_known',
  start_moving: 'always',
  stop: 'always',
  turn: 'when_known',
  meet: 'when_known',
  separate: 'when_known',
  approach: 'never',
  collide: 'always',
  zone_enter: 'when_known',
  zone_leave: 'when_known',
  line_cross: 'when_known',
  loiter: 'when_known',
  follow: 'when_known',
  pick_up: 'always',
  put_down: 'always',
  fall: 'always',
};

export function salienceOf(event: ObservedEvent): Salience {
  return SALIENCE[event.type];
}
