import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { PresageError } from '../../core/errors.js';

const TRIES = 20;

/** An even UDP port of the loopback address that is free, and so is the one after it: RTP and RTCP. */
export async function freePortPair(): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const first = await bind(0);
    if (first === undefined) continue;
    const even = first.port % 2 === 0;
    const second = even ? await bind(first.port + 1) : undefined;
    first.close();
    second?.close();
    if (second) return first.port;
  }
  throw new PresageError('overloaded', 'There are no two free UDP ports in a row', { retryable: true });
}

async function bind(port: number): Promise<{ port: number; close: () => void } | undefined> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return { port: socket.address().port, close: () => socket.close() };
  } catch {
    socket.close();
    return undefined; // taken
  }
}
