import type { ServerOp } from '../../../core/control.js';
import type { OutgoingMessage } from '../../messages/encode.js';

/** Where a connection's bytes go: a WebSocket, or a response of Server-Sent Events. */
export interface Outlet {
  /** Bytes handed over that the network has not taken yet. */
  readonly bufferedAmount: number;
  /** The message as this client wants it; shared with all clients who want it so. */
  frame(message: OutgoingMessage): Buffer;
  /** Control replies; undefined where there are none. */
  controlFrame(op: ServerOp): Buffer | undefined;
  /** Bytes before a durable message that tell a client where to resume, where the frame itself does not. */
  position?(message: OutgoingMessage, positions: () => ReadonlyMap<string, number>): Buffer | undefined;
  /** Hands over whole frames. */
  write(bytes: Buffer): void;
  /** Ends in good order after what was written. */
  close(code: number, reason: string): void;
}
