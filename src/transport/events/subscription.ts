import { z } from 'zod';
import { fromSchema, subscribeSchema, type FilterFields, type SubscribeOp } from '../../core/control.js';

/** Where a subscription begins, by stream; streams that are not named begin with what comes next. */
export type From = 'oldest' | 'latest' | Readonly<Record<string, 'oldest' | 'latest' | number>>;

export interface SubscriptionChange {
  readonly id: string;
  /** Undefined: all that may be read, present and future. */
  readonly streams: readonly string[] | undefined;
  readonly fields: FilterFields;
}

export interface Subscription extends SubscriptionChange {
  readonly from: From;
}

/** What a URL asks for. */
export interface QueryRequest {
  /** Undefined: nothing flows until the client subscribes. */
  readonly subscription: Subscription | undefined;
  /** Seconds between heartbeats; 0: none. */
  readonly heartbeatS: number;
}

/** The id of the subscription that the URL made. */
const QUERY_ID = 'query';
const FILTER_PARAMETERS = ['types', 'labels', 'zones', 'min_probability', 'objects_rate', 'forecasts'];
const PARAMETERS = ['streams', 'from', ...FILTER_PARAMETERS, 'subscribe', 'heartbeat', 'access_token'];

/**
 * The subscription in a query, or what is wrong with it in a sentence short enough for a close reason (123 bytes).
 *
 * @param streamId of the path; without it the query names streams, or means all
 */
export function parseQuery(
  query: URLSearchParams,
  streamId: string | undefined,
): QueryRequest | { readonly problem: string } {
  const unknown = [...query.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) return { problem: `unknown parameter "${printable(unknown)}"` };
  if (streamId !== undefined && query.has('streams'))
    return { problem: 'streams: the path names the stream' };
  const heartbeat = z
    .int()
    .min(0)
    .max(3600)
    .safeParse(numberOf(query, 'heartbeat') ?? 0);
  if (!heartbeat.success) return { problem: 'heartbeat must be whole seconds from 0 to 3600' };
  const subscribe = query.get('subscribe');
  if (subscribe !== null && subscribe !== 'all') return { problem: 'subscribe must be all' };
  const asks =
    streamId !== undefined ||
    ['subscribe', 'streams', 'from', ...FILTER_PARAMETERS].some((name) => query.has(name));
  if (!asks) return { subscription: undefined, heartbeatS: heartbeat.data };
  const from = parseFrom(query.get('from'), streamId);
  if (from === undefined) return { problem: FROM_PROBLEM };
  const parsed = subscribeSchema.safeParse({
    op: 'subscribe',
    id: QUERY_ID,
    ...present({
      streams: streamId === undefined ? listOf(query, 'streams') : [streamId],
      types: listOf(query, 'types'),
      labels: listOf(query, 'labels'),
      zones: listOf(query, 'zones'),
      minProbability: numberOf(query, 'min_probability'),
      objectsRate: numberOf(query, 'objects_rate'),
      forecasts: flagOf(query, 'forecasts'),
    }),
  });
  if (!parsed.success) return { problem: problemOf(parsed.error, query) };
  return { subscription: { ...changeOf(parsed.data), from }, heartbeatS: heartbeat.data };
}

/** A subscription as a control message asks for it. On a connection to one stream, no other can be named. */
export function subscriptionOf(op: SubscribeOp): Subscription {
  return { ...changeOf(op), from: fromOf(op.from) };
}

export function changeOf(op: Omit<SubscribeOp, 'op' | 'from'>): SubscriptionChange {
  const { id, streams, types, labels, zones, minProbability, objectsRate, forecasts } = op;
  const fields = present({ types, labels, zones, minProbability, objectsRate, forecasts });
  return { id, streams: streams && [...new Set(streams)], fields };
}

/** Positions as they stand in `from` and in the ids of Server-Sent Events: `cam1:412,cam2:7`. */
export function parsePositions(text: string): Map<string, number> | undefined {
  const positions = new Map<string, number>();
  for (const part of text.split(',')) {
    const found = /^\s*([A-Za-z0-9][A-Za-z0-9._-]{0,63}):(\d{1,15})\s*$/.exec(part);
    if (found?.[1] === undefined) return undefined;
    positions.set(found[1], Number(found[2]));
  }
  return positions;
}

const FROM_PROBLEM = 'from must be oldest, latest or a sequence number';

function parseFrom(text: string | null, streamId: string | undefined): From | undefined {
  if (text === null || text === '' || text === 'latest') return 'latest';
  if (text === 'oldest') return 'oldest';
  if (streamId !== undefined && /^\d{1,15}$/.test(text)) return { [streamId]: Number(text) };
  const positions = parsePositions(text);
  return positions && Object.fromEntries(positions);
}

function fromOf(from: z.infer<typeof fromSchema> | undefined): From {
  if (from === undefined || typeof from === 'string') return from ?? 'latest';
  const words = ['oldest', 'latest'];
  return Object.fromEntries(
    Object.entries(from).map(([id, value]) => [
      id,
      words.includes(String(value)) ? (value as 'oldest' | 'latest') : Number(value),
    ]),
  );
}

function listOf(query: URLSearchParams, name: string): string[] | undefined {
  const given = query.getAll(name).flatMap((value) => value.split(','));
  const values = given.map((value) => value.trim()).filter((value) => value !== '');
  return values.length === 0 ? undefined : values;
}

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  return /^\d{1,6}(\.\d{1,9})?$/.test(text) ? Number(text) : NaN;
}

function flagOf(query: URLSearchParams, name: string): unknown {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
}

/** What is wrong, beginning with the name of the parameter. */
function problemOf(error: z.ZodError, query: URLSearchParams): string {
  const [issue] = error.issues;
  const field = String(issue?.path[0] ?? '');
  const name = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const index = issue?.path[1];
  if (typeof index === 'number') {
    return `${name}: unknown "${printable(listOf(query, name)?.[index] ?? '')}"`;
  }
  const expected: Readonly<Record<string, string>> = {
    objects_rate: 'must be a number from 0 to 120 per second',
    min_probability: 'must be a number from 0 to 1',
    forecasts: 'must be true or false',
  };
  return `${name} ${expected[name] ?? 'holds too many names, or too long ones'}`;
}

function printable(text: string): string {
  return text.replace(/[^\w.]/g, '?').slice(0, 40);
}

/** Without the fields that are undefined, which exact optional properties cannot hold. */
function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
