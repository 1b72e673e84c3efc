import { kindOfType, type MessageKind } from '../../core/messages.js';

/** `objects.updated` messages per second of media time that a subscriber gets unless it asks for another rate. */
const DEFAULT_OBJECTS_HZ = 5;
const MAX_OBJECTS_HZ = 120;

/** What a client asked for in its URL. */
export interface Subscription {
  readonly from: 'oldest' | 'latest' | number;
  /** Undefined: every kind. */
  readonly kinds: ReadonlySet<MessageKind> | undefined;
  /** Highest rate of `objects.updated`, per second of media time; 0: none. */
  readonly objectsHz: number;
}

/** The subscription in a query, or what is wrong with it in a sentence short enough for a close reason (123 bytes). */
export function parseSubscription(query: URLSearchParams): Subscription | { readonly problem: string } {
  const from = parseFrom(query.get('from'));
  if (from === undefined) return { problem: 'from must be oldest, latest or a sequence number' };
  const kinds = parseKinds(query.getAll('types'));
  if (typeof kinds === 'string') return { problem: kinds };
  const objectsHz = parseRate(query.get('objects_rate'));
  if (objectsHz === undefined) {
    return { problem: `objects_rate must be a number from 0 to ${MAX_OBJECTS_HZ} per second` };
  }
  return { from, kinds, objectsHz };
}

function parseFrom(text: string | null): Subscription['from'] | undefined {
  if (text === null || text === '' || text === 'latest') return 'latest';
  if (text === 'oldest') return 'oldest';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function parseKinds(values: readonly string[]): ReadonlySet<MessageKind> | undefined | string {
  const names = values.flatMap((value) => value.split(',')).map((name) => name.trim());
  const given = names.filter((name) => name !== '');
  if (given.length === 0) return undefined;
  const kinds = new Set<MessageKind>();
  for (const name of given) {
    const kind = kindOfType(name);
    if (kind === undefined) return `types: unknown "${name.replace(/[^\w.]/g, '?').slice(0, 40)}"`;
    kinds.add(kind);
  }
  // A subscriber is always told what it missed.
  return kinds.add('lagged');
}

function parseRate(text: string | null): number | undefined {
  if (text === null || text === '') return DEFAULT_OBJECTS_HZ;
  const rate = /^\d{1,4}(\.\d{1,6})?$/.test(text) ? Number(text) : NaN;
  return rate <= MAX_OBJECTS_HZ ? rate : undefined;
}
