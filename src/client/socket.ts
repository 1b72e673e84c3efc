import { ClientError } from './client-error.js';

/** The part of the WebSocket of browsers, of Node 22 and of `ws` that the client uses. */
export interface SocketLike {
  binaryType: string;
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
}
/** Constructor of a WebSocket. */
export type SocketConstructor = new (url: string, protocols?: string[]) => SocketLike;

/**
 * The WebSocket to use: the one given, the platform's own, or that of the package `ws` (Node 20).
 * @throws ClientError `unreachable`
 */
export async function findSocket(given: SocketConstructor | undefined): Promise<SocketConstructor> {
  const own = given ?? (globalThis as { WebSocket?: SocketConstructor }).WebSocket;
  if (own !== undefined) return own;
  // By a name that bundlers do not follow: what browsers load must not hold it.
  const name = 'ws';
  try {
    const loaded = (await import(/* @vite-ignore */ name)) as { WebSocket: SocketConstructor };
    return loaded.WebSocket;
  } catch (cause) {
    throw new ClientError(
      'unreachable',
      'There is no WebSocket here: use Node 22, install the package "ws", or give connect() a WebSocket',
      { cause },
    );
  }
}

/** Ends a socket at once where it can (`ws`); a closing handshake with a dead peer would take half a minute. */
export function dropSocket(socket: SocketLike): void {
  const { terminate } = socket as { terminate?: () => void };
  if (terminate !== undefined) terminate.call(socket);
  else socket.close();
}
