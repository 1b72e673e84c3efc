import type { LogEntry, LogRange } from '../../../src/transport/log/log-types.js';
import { OutgoingMessage } from '../../../src/transport/messages/encode.js';
import type { LogReader } from '../../../src/transport/events/log-window.js';
import type { MessageKind } from '../../../src/core/messages.js';

/** A log of one stream in memory: what is added is durable at once. */
export class MemoryLog implements LogReader {
  readonly #entries: LogEntry[] = [];
  #expired = 0;
  failing = false;

  add(kind: MessageKind = 'event.observed'): OutgoingMessage {
    const sequence = this.#expired + this.#entries.length + 1;
    const json = JSON.stringify({ sequence, kind });
    this.#entries.push({ sequence, kind, mediatime: sequence / 10, json });
    return new OutgoingMessage('cam1', kind, sequence, sequence / 10, json);
  }

  expire(count: number): void {
    this.#expired += this.#entries.splice(0, count).length;
  }

  read(_streamId: string, fromSequence: number, limit: number): LogEntry[] {
    if (this.failing) throw new Error('disk gone');
    return this.#entries.filter(({ sequence }) => sequence >= fromSequence).slice(0, limit);
  }

  range(): LogRange {
    return { first: this.#expired + 1, last: this.#expired + this.#entries.length };
  }
}
