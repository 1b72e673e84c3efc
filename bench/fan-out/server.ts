import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { WebSocketServer } from 'ws';
import { Hub } from '../../src/transport/events/hub.js';
import { createServer } from '../../src/transport/http/server.js';
import { encodeMessage, OutgoingMessage } from '../../src/transport/messages/encode.js';
import { monotonicS, type FromServer, type ToServer, type Way } from './wire.js';

/** A Presage server and, beside it, what one would write with `ws` alone, in one process. */
const log = { read: () => [], range: () => ({ first: 1, last: 0 }), latest: () => undefined };
const hub = new Hub({ log });
const server = createServer({
  port: 0,
  hub,
  log,
  status: {
    service: () => ({ version: 'bench' }),
    streams: () => [{ id: 'cam1', source: 'bench', state: 'live' }],
  },
  registry: new Registry(),
  maxClients: 20_000,
  heartbeatMs: 600_000,
});
const plain = {
  ws: new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false }),
  deflate: new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: { threshold: 0 } }),
};
const bytes: Record<Way, number> = { presage: 0, ws: 0, deflate: 0 };
let cpu = process.cpuUsage();
const say = (message: FromServer): void => void process.send?.(message);

const { port } = await server.listen();
say({ ports: { presage: port, ws: portOf(plain.ws), deflate: portOf(plain.deflate) } });
process.on('message', (request: ToServer) => void answer(request));

async function answer(request: ToServer): Promise<void> {
  if (request.do === 'round') {
    cpu = process.cpuUsage();
    for (let n = 0; n < request.messages; n += 1) {
      send(request.way, messageOf(n));
      await (request.everyMs > 0 ? delay(request.everyMs) : new Promise(setImmediate));
    }
    return;
  }
  const { user, system } = process.cpuUsage(cpu);
  for (const way of ['ws', 'deflate'] as const) {
    bytes[way] = [...plain[way].clients].reduce((sum, client) => sum + sentBytes(client), 0);
  }
  globalThis.gc?.();
  say({ cpuUs: user + system, rssMb: process.memoryUsage.rss() / 1e6, bytes });
}

function send(way: Way, json: string): void {
  if (way === 'presage') {
    hub.deliver(new OutgoingMessage('cam1', 'forecast.updated', undefined, 0, json));
    return;
  }
  const data = Buffer.from(json);
  for (const client of plain[way].clients) client.send(data, { binary: false });
}

/** A forecast of ten objects, with the moment of sending as its media time. */
function messageOf(n: number): string {
  const items = Array.from({ length: 10 }, (_, index) => ({
    type: 'exit' as const,
    participants: [`o${index + (n % 7)}`],
    probability: ((index * 37 + n * 11) % 97) / 97,
  }));
  const draft = {
    kind: 'forecast.updated',
    mediatime: monotonicS(),
    data: { at: n, horizon: 3, items },
  } as const;
  const envelope = {
    streamId: 'cam1',
    id: `cam1:~1.${n}`,
    time: new Date().toISOString(),
    sequence: undefined,
  };
  return encodeMessage(draft, envelope, 'wall');
}

function portOf(one: WebSocketServer): number {
  return (one.address() as AddressInfo).port;
}

function sentBytes(client: unknown): number {
  return (client as { _socket: { bytesWritten: number } | null })._socket?.bytesWritten ?? 0;
}
