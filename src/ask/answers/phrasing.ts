import type { ObservedEvent } from '../../core/messages.js';
import { eventClause, objectPhrase } from '../../core/text/object-names.js';

/** `0:04.8`, `1:02:03.0`: media time. */
export function clockTime(t: number): string {
  const tenths = Math.round(Math.max(t, 0) * 10);
  const [hours, minutes] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60];
  const seconds = ((tenths % 600) / 10).toFixed(1).padStart(4, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
}

/** `3.2 s`, `2 min 5 s`, `1 h 3 min` */
export function duration(seconds: number): string {
  if (seconds < 99.95) return `${Math.round(seconds * 10) / 10} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return join(`${Math.floor(whole / 60)} min`, whole % 60, 's');
  return join(`${Math.floor(whole / 3600)} h`, Math.floor((whole % 3600) / 60), 'min');
}

function join(first: string, rest: number, unit: string): string {
  return rest === 0 ? first : `${first} ${rest} ${unit}`;
}

/** `person #4 met person #7` */
export function clauseOf(event: ObservedEvent): string {
  return eventClause(event.type, event.participants.map(objectPhrase), event.zone, 'past');
}

/** `a, b and c` */
function joinAnd(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
}

/** Parts beyond `most` are counted instead of named. */
export function joinSome(parts: readonly string[], most: number): string {
  if (parts.length <= most) return joinAnd(parts);
  return joinAnd([...parts.slice(0, most), `${parts.length - most} more`]);
}

export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** `person`, `persons`; `2 cars` */
export function counted(count: number, noun: string): string {
  return `${count === 0 ? 'no' : count} ${count === 1 ? noun : plural(noun)}`;
}

export function plural(noun: string): string {
  return noun === 'person' ? 'people' : /(?:s|x|ch|sh)$/.test(noun) ? `${noun}es` : `${noun}s`;
}
