import type { FilterFields } from '../../core/control.js';
import { kindOfType, MESSAGE_KINDS, type MessageKind } from '../../core/messages.js';
import type { MessageAttributes } from './message-attributes.js';

/** `objects.updated` per second of media time that a subscriber gets unless it asks for another rate. */
const DEFAULT_OBJECTS_HZ = 5;
/** Slack when thinning by media time, so that frames at exactly the rate all pass, s. */
const RATE_SLACK_S = 1e-3;

/** What a subscription lets through. Equal filters have equal keys, and are evaluated once for all who have them. */
export interface Filter {
  readonly key: string;
  /** Undefined: every kind. */
  readonly kinds: ReadonlySet<MessageKind> | undefined;
  readonly labels: ReadonlySet<string> | undefined;
  readonly zones: ReadonlySet<string> | undefined;
  readonly minProbability: number;
  /** Highest rate of `objects.updated`, per second of media time; 0: none. */
  readonly objectsHz: number;
}

export function filterOf(fields: FilterFields): Filter {
  const kinds = kindsOf(fields);
  const labels = setOf(fields.labels);
  const zones = setOf(fields.zones);
  const minProbability = fields.minProbability ?? 0;
  const objectsHz = fields.objectsRate ?? DEFAULT_OBJECTS_HZ;
  const list = (set: ReadonlySet<string> | undefined): string[] | null => (set ? [...set].sort() : null);
  const key = JSON.stringify([list(kinds), list(labels), list(zones), minProbability, objectsHz]);
  return { key, kinds, labels, zones, minProbability, objectsHz };
}

/** Whether anything but kind and rate decides, so that the message has to be looked into. */
function looksInside(filter: Filter): boolean {
  return filter.labels !== undefined || filter.zones !== undefined || filter.minProbability > 0;
}

/** What a message is about matters only where it says so: a stream's state has no label and passes every one. */
export function passes(filter: Filter, kind: MessageKind, facts: () => MessageAttributes): boolean {
  if (filter.kinds !== undefined && !filter.kinds.has(kind)) return false;
  if (kind === 'objects.updated' && filter.objectsHz === 0) return false;
  if (!looksInside(filter)) return true;
  const { labels, zones, probability } = facts();
  if (probability !== undefined && probability < filter.minProbability) return false;
  return meets(filter.labels, labels) && meets(filter.zones, zones);
}

/** Lets `objects.updated` through at a rate of media time. */
export class Thinning {
  readonly #everyS: number;
  #lastAt = -Infinity;

  constructor({ objectsHz }: Filter) {
    this.#everyS = 1 / objectsHz - RATE_SLACK_S;
  }

  take(mediatime: number): boolean {
    const since = mediatime - this.#lastAt;
    // A stream that starts anew may begin at an earlier media time.
    if (since >= 0 && since < this.#everyS) return false;
    this.#lastAt = mediatime;
    return true;
  }
}

function kindsOf({ types, forecasts }: FilterFields): ReadonlySet<MessageKind> | undefined {
  if (types === undefined && forecasts !== false) return undefined;
  const named = types?.map((name) => kindOfType(name)).filter((kind) => kind !== undefined);
  const kinds = new Set<MessageKind>(named ?? MESSAGE_KINDS);
  if (forecasts === true) kinds.add('forecast.updated');
  if (forecasts === false) kinds.delete('forecast.updated');
  return kinds;
}

function setOf(values: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return values === undefined ? undefined : new Set(values);
}

function meets(wanted: ReadonlySet<string> | undefined, found: ReadonlySet<string> | undefined): boolean {
  if (wanted === undefined || found === undefined) return true;
  for (const one of found) if (wanted.has(one)) return true;
  return false;
}
