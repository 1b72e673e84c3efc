import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { ServerOp } from '../../../core/control.js';
import type { OutgoingMessage } from '../../messages/encode.js';
import { controlFrame, frameOf } from './frames.js';
import type { Outlet } from './outlet.js';

/**
 * Writes whole frames to the socket under a WebSocket, so that one frame serves all clients instead of being made for each.
 * This is sound as long as no extension changes frames (compression) and `ws` itself sends no data: what it writes here,
 * pings, pongs and close, are whole frames as well, and nothing is written after close.
 */
export class WebSocketOutlet implements Outlet {
  readonly #client: WebSocket;
  readonly #socket: Duplex;
  readonly #format: 'json' | 'cbor';

  constructor(client: WebSocket, socket: Duplex, format: 'json' | 'cbor') {
    this.#client = client;
    this.#socket = socket;
    this.#format = format;
  }

  get bufferedAmount(): number {
    return this.#socket.writableLength;
  }

  frame(message: OutgoingMessage): Buffer {
    return frameOf(message, this.#format);
  }

  controlFrame(op: ServerOp): Buffer {
    return controlFrame(op, this.#format);
  }

  write(bytes: Buffer): void {
    if (this.#client.readyState === this.#client.OPEN && this.#socket.writable) this.#socket.write(bytes);
  }

  close(code: number, reason: string): void {
    this.#client.close(code, closeReason(reason));
  }
}

/** Bytes of a reason in a close frame: RFC 6455, 5.5 allows 125 with the code. `ws` throws beyond it. */
const MAX_REASON_BYTES = 123;

/** The longest beginning of a text that fits a close frame. */
export function closeReason(text: string): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(MAX_REASON_BYTES));
  return text.slice(0, read);
}
