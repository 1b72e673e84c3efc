import type { Message } from '../core/messages.js';
import type { MessageSink, OutgoingMessage } from '../transport/messages/encode.js';

/** Objects whose labels are stored per stream; the oldest are discarded. */
const MAX_LABELS = 4096;

/** One receiver of messages in this process. */
export interface BusListener {
  next(message: Message): void;
  complete(): void;
}

/** Passes the messages of all streams to the flows of this process. */
export class MessageBus implements MessageSink {
  readonly #listeners = new Set<BusListener>();
  readonly #labels = new Map<string, string>();
  #closed = false;

  /** False where no flow is read: messages are then not parsed. */
  get isUsed(): boolean {
    return this.#listeners.size > 0;
  }

  deliver(message: OutgoingMessage): void {
    if (!this.isUsed) return;
    const { value } = message;
    this.#learnLabels(value);
    for (const listener of [...this.#listeners]) listener.next(value);
  }

  /** @returns a function that removes the listener */
  listen(listener: BusListener): () => void {
    if (this.#closed) {
      listener.complete();
      return () => undefined;
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Label of an object of a stream; undefined where no message has named it since the first flow was read. */
  labelOf(stream: string, object: string): string | undefined {
    return this.#labels.get(`${stream} ${object}`);
  }

  /** Completes all flows. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const listener of [...this.#listeners]) listener.complete();
    this.#listeners.clear();
  }

  #learnLabels(message: Message): void {
    if (message.type === 'presage.objects.updated.v1')
      for (const { id, label } of message.data.objects) this.#learn(message.source, id, label);
    if (message.type === 'presage.event.observed.v1')
      for (const { id, label } of message.data.event.participants) this.#learn(message.source, id, label);
  }

  #learn(source: string, object: string, label: string): void {
    this.#labels.set(`${source.slice(source.lastIndexOf('/') + 1)} ${object}`, label);
    for (const oldest of this.#labels.keys()) {
      if (this.#labels.size <= MAX_LABELS) break;
      this.#labels.delete(oldest);
    }
  }
}
