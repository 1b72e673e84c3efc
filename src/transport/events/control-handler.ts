import type { z } from 'zod';
import { clientOps, type ClientOp, type ServerOp } from '../../core/control.js';
import { PresageError, toPresageError } from '../../core/errors.js';
import { RateLimit } from '../access/rate-limit.js';
import type { Connection } from './connection.js';
import { changeOf, subscriptionOf } from './subscription.js';

/** What a client may ask at once, and after that a second: each subscription reads from the log. */
const BURST = 256;
const PER_SECOND = 64;
/** Characters of a received value that an error message repeats. */
const MAX_SHOWN = 60;

export interface ControlHandlerOptions {
  readonly connection: Connection;
  /** The stream of the path; no other can be subscribed to there. */
  readonly streamId: string | undefined;
  /** Turns the bytes of a frame into what they say. Throws when they say nothing. */
  readonly decode: (data: Buffer) => unknown;
  readonly setHeartbeat: (seconds: number) => void;
  readonly now: () => Date;
}

/** Does what a client asks for with control messages. Whatever it says, it gets an answer and stays connected. */
export class ControlHandler {
  readonly #options: ControlHandlerOptions;
  readonly #limit = new RateLimit({ burst: BURST, perSecond: PER_SECOND });

  constructor(options: ControlHandlerOptions) {
    this.#options = options;
  }

  receive(data: Buffer): void {
    const { connection } = this.#options;
    if (!this.#limit.take()) {
      connection.send(errorOp('overloaded', `More than ${PER_SECOND} requests a second`, undefined));
      return;
    }
    const op = parseOp(data, this.#options.decode);
    if (op.op === 'error') {
      connection.send(op);
      return;
    }
    try {
      this.#do(op);
    } catch (thrown) {
      const { code, message } = toPresageError(thrown);
      connection.send(errorOp(code, message, 'id' in op ? op.id : undefined));
    }
  }

  #do(op: ClientOp): void {
    const { connection, setHeartbeat, now } = this.#options;
    switch (op.op) {
      case 'subscribe': {
        const subscription = { ...subscriptionOf(op), streams: this.#only(op.streams) };
        connection.subscribe(subscription, (next) =>
          connection.send({ op: 'subscribed', id: op.id, streams: Object.keys(next), next }),
        );
        return;
      }
      case 'update':
        connection.update({ ...changeOf(op), streams: this.#only(op.streams) }, () =>
          connection.send({ op: 'updated', id: op.id }),
        );
        return;
      case 'unsubscribe':
        connection.unsubscribe(op.id);
        connection.send({ op: 'unsubscribed', id: op.id });
        return;
      case 'ping':
        connection.send({ op: 'pong', at: now().toISOString() });
        return;
      case 'heartbeat':
        setHeartbeat(op.seconds);
        connection.send({ op: 'heartbeat', at: now().toISOString() });
    }
  }
  #only(streams: readonly string[] | undefined): readonly string[] | undefined {
    const { streamId } = this.#options;
    const other = streamId === undefined ? undefined : streams?.find((id) => id !== streamId);
    if (other !== undefined) {
      throw new PresageError(
        'not_found',
        `There is no stream "${other}" here: this is the address of "${String(streamId)}"`,
      );
    }
    return streamId === undefined ? streams && [...new Set(streams)] : [streamId];
  }
}

/** The request in the bytes, or the error to answer with. Never throws, whatever the bytes are. */
export function parseOp(
  data: Buffer,
  decode: (data: Buffer) => unknown,
): ClientOp | Extract<ServerOp, { op: 'error' }> {
  try {
    return opOf(decode(data));
  } catch {
    return errorOp('bad_request', 'This is not of the form of the subprotocol', undefined);
  }
}

function opOf(value: unknown): ClientOp | Extract<ServerOp, { op: 'error' }> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return errorOp('bad_request', 'Send an object with an "op"', undefined);
  }
  const { op, id } = value as { op?: unknown; id?: unknown };
  const told = typeof id === 'string' && id.length <= 64 ? id : undefined;
  const schema =
    typeof op === 'string' && Object.hasOwn(clientOps, op) ? clientOps[op as ClientOp['op']] : undefined;
  if (schema === undefined) {
    const names = Object.keys(clientOps).join(', ');
    return errorOp('bad_request', `op: unknown ${shown(op)}, expected one of ${names}`, told);
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : errorOp('bad_request', describe(parsed.error, value), told);
}

function errorOp(code: string, message: string, id: string | undefined): Extract<ServerOp, { op: 'error' }> {
  return { op: 'error', code, message, ...(id === undefined ? {} : { id }) };
}

/** What is wrong, beginning with the name of the field. */
function describe(error: z.ZodError, value: object): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'This makes no sense';
  if (issue.code === 'unrecognized_keys') return `${shown(issue.keys[0])}: there is no such field`;
  const given = issue.path.reduce<unknown>(
    (at, name) =>
      typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[name] : undefined,
    value,
  );
  return `${issue.path.map(String).join('.').slice(0, 80)}: ${issue.message.slice(0, 200)}, got ${shown(given)}`;
}

/** CBOR carries values that JSON cannot: integers beyond 2^53, cycles, dates out of range. */
function shown(value: unknown): string {
  try {
    const text = JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'bigint' ? String(inner) : inner,
    ) as string | undefined;
    return (text ?? 'nothing').slice(0, MAX_SHOWN);
  } catch {
    return 'a value that JSON cannot express';
  }
}
