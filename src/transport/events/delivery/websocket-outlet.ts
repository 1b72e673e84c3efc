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
    this.#client.close(code, reason);
  }
}
