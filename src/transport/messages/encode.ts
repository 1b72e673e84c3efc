import { PresageError } from '../../core/errors.js';
import {
  formatSequence,
  messageType,
  type Draft,
  type Message,
  type MessageKind,
} from '../../core/messages.js';

/** Decimal places by field name; arrays take those of their field. Whatever is not listed gets DEFAULT_DECIMALS. */
const DECIMALS: ReadonlyMap<string, number> = new Map(
  Object.entries<number>({
    // 1e-5 of a frame is a fiftieth of a pixel in 4K.
    box: 5,
    velocity: 5,
    score: 4,
    confidence: 4,
    ms: 1,
    fps: 3,
    processedFps: 2,
  }),
);
/** Seconds to the microsecond; probabilities fine enough for scores of rare events. */
const DEFAULT_DECIMALS = 6;
const POWERS = Array.from({ length: DEFAULT_DECIMALS + 1 }, (_, index) => 10 ** index);

/** `wall` writes `time` and measured durations; `none` leaves both out, so that equal input gives equal bytes. */
export type Stamp = 'wall' | 'none';

export interface Envelope {
  readonly streamId: string;
  readonly id: string;
  /** ISO 8601; left out with `stamp: none`. */
  readonly time: string | undefined;
  /** Present on durable messages only. */
  readonly sequence: number | undefined;
}

/**
 * Writes a draft as the JSON of its CloudEvents message: fields in the order of the specification, numbers rounded.
 * Throws `internal` when the draft holds a number that JSON cannot say (NaN, infinity): that is a defect upstream.
 */
export function encodeMessage(draft: Draft, envelope: Envelope, stamp: Stamp): string {
  return JSON.stringify({
    specversion: '1.0',
    id: envelope.id,
    source: `/streams/${envelope.streamId}`,
    type: messageType(draft.kind),
    subject: draft.subject,
    time: envelope.time,
    datacontenttype: 'application/json',
    sequence: envelope.sequence === undefined ? undefined : formatSequence(envelope.sequence),
    mediatime: tidy(draft.mediatime, 'mediatime', draft.kind, stamp),
    data: tidy(draft.data, 'data', draft.kind, stamp),
  });
}

/** A message on its way to the sinks: serialised once, and turned into bytes at most once however many receive it. */
export class OutgoingMessage {
  readonly streamId: string;
  readonly kind: MessageKind;
  /** Undefined for messages that are not durable. */
  readonly sequence: number | undefined;
  readonly mediatime: number;
  readonly json: string;
  #bytes: Buffer | undefined;
  #value: Message | undefined;
  readonly #formats = new Map<string, Buffer>();

  constructor(
    streamId: string,
    kind: MessageKind,
    sequence: number | undefined,
    mediatime: number,
    json: string,
  ) {
    this.streamId = streamId;
    this.kind = kind;
    this.sequence = sequence;
    this.mediatime = mediatime;
    this.json = json;
  }

  /** UTF-8 of `json`. */
  get bytes(): Buffer {
    return (this.#bytes ??= Buffer.from(this.json));
  }

  /** What `json` says: the numbers are rounded as they are there. */
  get value(): Message {
    return (this.#value ??= JSON.parse(this.json) as Message);
  }

  /** The message in another format, made at most once. */
  inFormat(format: string, make: () => Buffer): Buffer {
    const made = this.#formats.get(format) ?? make();
    this.#formats.set(format, made);
    return made;
  }
}

/** Whoever receives the messages of publishers: the hub, a file. Must not throw and must not block. */
export interface MessageSink {
  deliver(message: OutgoingMessage): void;
  /** Resolves when the sink can take more without growing; rejects when it has failed. */
  drained?(): Promise<void>;
}

/** A measured duration: a field `ms` or one whose name ends in `Ms`. */
function isTiming(field: string): boolean {
  return field === 'ms' || field.endsWith('Ms');
}

function tidy(value: unknown, field: string, kind: MessageKind, stamp: Stamp): unknown {
  if (typeof value === 'number') return round(value, field, kind);
  if (Array.isArray(value)) return value.map((item) => tidy(item, field, kind, stamp));
  if (typeof value !== 'object' || value === null) return value;
  // Not by assignment: to `__proto__` that would set the prototype.
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => stamp !== 'none' || !isTiming(name))
      .map(([name, item]) => [name, tidy(item, name, kind, stamp)]),
  );
}

function round(value: number, field: string, kind: MessageKind): number {
  if (!Number.isFinite(value)) {
    throw new PresageError('internal', `${kind}: "${field}" is ${value}, not a finite number`);
  }
  if (Number.isInteger(value)) return value;
  const power = POWERS[DECIMALS.get(field) ?? DEFAULT_DECIMALS] as number;
  return Math.round(value * power) / power;
}
