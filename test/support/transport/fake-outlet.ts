import type { ServerOp } from '../../../src/core/control.js';
import type { OutgoingMessage } from '../../../src/transport/messages/encode.js';
import { decodeCbor, frameOf } from '../../../src/transport/events/delivery/frames.js';
import type { Outlet } from '../../../src/transport/events/delivery/outlet.js';

type Sent = {
  sequence?: number;
  kind?: string;
  type?: string;
  op?: string;
  data?: { dropped: number; fromSequence: string; toSequence: string };
};

/** A client's socket whose network is opened and shut by the test. */
export class FakeOutlet implements Outlet {
  readonly sent: Sent[] = [];
  readonly frames: Buffer[] = [];
  closed: { code: number; reason: string } | undefined;
  bufferedAmount = 0;
  /** Called when the network has taken everything. */
  onDrain: () => void = () => undefined;
  #open: boolean;
  readonly #format: 'json' | 'cbor';

  constructor({ open = true, format = 'json' }: { open?: boolean; format?: 'json' | 'cbor' } = {}) {
    this.#open = open;
    this.#format = format;
  }

  frame(message: OutgoingMessage): Buffer {
    return frameOf(message, this.#format);
  }

  controlFrame(op: ServerOp): Buffer {
    return Buffer.concat([Buffer.from([0x81, 0]), Buffer.from(JSON.stringify(op))]);
  }

  write(bytes: Buffer): void {
    this.frames.push(bytes);
    this.sent.push(payloadOf(bytes, this.#format) as Sent);
    this.bufferedAmount += bytes.length;
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
    if (this.bufferedAmount === 0) return;
    this.bufferedAmount = 0;
    this.onDrain();
  }
}

/** What an unmasked frame holds, whatever its header says about its length. */
function payloadOf(frame: Buffer, format: 'json' | 'cbor'): unknown {
  const length = frame[1] ?? 0;
  const payload = frame.subarray(length === 127 ? 10 : length === 126 ? 4 : 2);
  return format === 'cbor' ? decodeCbor(payload) : (JSON.parse(payload.toString()) as unknown);
}
