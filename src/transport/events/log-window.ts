import type { LogEntry, LogRange } from '../log/log-types.js';
import { OutgoingMessage } from '../messages/encode.js';

/** Newest durable messages of a stream that are at hand without the log, so that many who resume share one copy. */
const MAX_MESSAGES = 1024;
const MAX_CHARACTERS = 2 * 1024 * 1024;

/** The part of the durable log that subscribers read. */
export interface LogReader {
  read(streamId: string, fromSequence: number, limit: number): readonly LogEntry[];
  range(streamId: string): LogRange;
  /** The oldest message about an object, event or prediction. */
  firstAbout?(streamId: string, ref: string): LogEntry | undefined;
}

/** Reads a stream's log for all its subscribers: what several of them read at about the same time is read and encoded once. */
export class LogWindow {
  readonly #streamId: string;
  readonly #log: LogReader;
  /** By sequence, oldest use first. */
  readonly #messages = new Map<number, OutgoingMessage>();
  #characters = 0;

  constructor(streamId: string, log: LogReader) {
    this.#streamId = streamId;
    this.#log = log;
  }

  range(): LogRange {
    return this.#log.range(this.#streamId);
  }

  add(message: OutgoingMessage): void {
    const { sequence } = message;
    if (sequence === undefined || this.#messages.has(sequence)) return;
    this.#messages.set(sequence, message);
    this.#characters += message.json.length;
    for (const [oldest, { json }] of this.#messages) {
      if (this.#messages.size <= MAX_MESSAGES && this.#characters <= MAX_CHARACTERS) break;
      this.#messages.delete(oldest);
      this.#characters -= json.length;
    }
  }

  /** Up to `limit` durable messages from a sequence on, in order. Throws what the log throws. */
  read(from: number, limit: number): OutgoingMessage[] {
    const atHand: OutgoingMessage[] = [];
    for (let sequence = from; atHand.length < limit; sequence += 1) {
      const message = this.#messages.get(sequence);
      if (message === undefined) break;
      atHand.push(message);
    }
    if (atHand.length > 0) return atHand;
    const read = this.#log.read(this.#streamId, from, limit).map((entry) => this.#known(entry));
    for (const message of read) this.add(message);
    return read;
  }

  /** The log has begun anew: what it held is no more. */
  clear(): void {
    this.#messages.clear();
    this.#characters = 0;
  }

  #known({ sequence, kind, mediatime, json }: LogEntry): OutgoingMessage {
    const known = this.#messages.get(sequence);
    return known ?? new OutgoingMessage(this.#streamId, kind, sequence, mediatime, json);
  }
}
