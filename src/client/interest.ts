import type { Message, MessageKind } from '../core/messages.js';
import type { From, OneOrMore } from './types.js';

/** What a service is asked to send. */
export interface Interest {
  /** Undefined: all, those that come later too. */
  readonly streams: readonly string[] | undefined;
  /** Undefined: all. */
  readonly kinds: readonly MessageKind[] | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly zones?: readonly string[] | undefined;
  readonly minProbability?: number | undefined;
  /** Of `objects.updated`, per second of media time; undefined: the service's default. */
  readonly objectsRate?: number | undefined;
}

/** One who listens: what it needs the service to send, and who takes it. */
export interface Listener {
  readonly interest: Interest;
  readonly from: From | undefined;
  /** Takes every message of the feed; what it did not wish for is for it to leave out. */
  deliver(message: Message, stream: string): void;
  fail(error: unknown): void;
  complete(): void;
}

/** What serves all taps of one feed. What only some leave out is sent, and left out by them. */
export function mergeInterests(taps: readonly Listener[]): Interest {
  const interests = taps.map(({ interest: wish }) => wish);
  const [first] = interests;
  if (first === undefined || interests.length === 1) return first ?? { streams: undefined, kinds: [] };
  const rates = interests.filter(({ kinds }) => kinds?.includes('objects.updated') ?? true);
  return {
    streams: unionOf(interests.map(({ streams }) => streams)),
    kinds: unionOf(interests.map(({ kinds }) => kinds)),
    objectsRate: rates.reduce<number | undefined>(
      (most, { objectsRate = DEFAULT_OBJECTS_RATE }) => Math.max(most ?? 0, objectsRate),
      undefined,
    ),
  };
}

/** Messages `objects.updated` per second of media time that a service sends unless asked for another rate. */
export const DEFAULT_OBJECTS_RATE = 5;

/** Undefined, which means all, as soon as one is. */
function unionOf<T>(lists: readonly (readonly T[] | undefined)[]): readonly T[] | undefined {
  const union = new Set<T>();
  for (const list of lists) {
    if (list === undefined) return undefined;
    for (const item of list) union.add(item);
  }
  return [...union];
}

/** The stream of a message: its source is `/streams/cam1`. */
export function streamOf({ source }: Message): string {
  return source.slice(source.lastIndexOf('/') + 1);
}

export function kindOf({ type }: Message): MessageKind {
  return type.replace(/^presage\./, '').replace(/\.v1$/, '') as MessageKind;
}

export function listOf<T>(value: OneOrMore<T> | undefined): readonly T[] | undefined {
  if (value === undefined) return undefined;
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
