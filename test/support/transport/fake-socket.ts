import type { ClientSocket } from '../../../src/transport/events/subscriber.js';

type Sent = { sequence?: number; kind?: string; type?: string; data?: { dropped: number } };

/** A client's socket whose network is opened and shut by the test. */
export class FakeSocket implements ClientSocket {
  readonly sent: Sent[] = [];
  closed: { code: number; reason: string } | undefined;
  bufferedAmount = 0;
  #open: boolean;
  #unflushed: { bytes: number; done: () => void }[] = [];

  constructor({ open = true } = {}) {
    this.#open = open;
  }

  send(data: Buffer, _options: { binary: boolean }, done: () => void): void {
    this.sent.push(JSON.parse(data.toString()) as Sent);
    this.bufferedAmount += data.length;
    this.#unflushed.push({ bytes: data.length, done });
    if (this.#open) setImmediate(() => this.#flush());
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason };
  }

  /** The client reads again. */
  open(): void {
    this.#open = true;
    this.#flush();
  }

  sequences(): number[] {
    return this.sent.flatMap(({ sequence }) => sequence ?? []);
  }

  #flush(): void {
    for (const { bytes, done } of this.#unflushed.splice(0)) {
      this.bufferedAmount -= bytes;
      done();
    }
  }
}
