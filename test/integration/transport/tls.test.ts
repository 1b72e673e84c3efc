/** https:// and wss:// at a real server. */
import { once } from 'node:events';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { connect as plain } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { readTls } from '../../../src/service/server/tls-files.js';
import { startService, type Service } from '../../support/transport/service.js';
import { WsClient } from '../../support/transport/ws-client.js';

const at = (name: string): string => fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url));
const a = readTls({ cert: at('a.crt'), key: at('a.key') });
const b = readTls({ cert: at('b.crt'), key: at('b.key') });
const TOKEN = 'correct-horse-battery';

async function status(port: number, ca: string): Promise<number | undefined> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const sent = request({ host: 'localhost', port, path: '/v1/streams', ca, headers, agent: false }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

const start = (): Promise<Service> => startService({ server: { tls: a, token: TOKEN } });

async function handshake(port: number, options: object): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

it('serves requests and WebSockets, and nothing without TLS', async () => {
  const { port } = await start();
  expect(await status(port, a.cert)).toBe(200);
  const url = `wss://localhost:${port}/v1/streams/cam1/events?access_token=${TOKEN}`;
  await new WsClient(url, { ca: a.cert }).opened();
  await expect(fetch(`http://localhost:${port}/healthz`)).rejects.toThrow();
  await expect(status(port, b.cert)).rejects.toThrow(/self-signed|certificate/);
});

it('speaks TLS 1.2 and newer only', async () => {
  const { port } = await start();
  expect((await handshake(port, { maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2');
  expect((await handshake(port, {})).getProtocol()).toBe('TLSv1.3');
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
  await expect(handshake(port, old)).rejects.toThrow(/protocol version/);
});

it('takes a new certificate without a restart', async () => {
  const { port, server } = await start();
  expect(await status(port, a.cert)).toBe(200);
  server.renewTls(b);
  expect(await status(port, b.cert)).toBe(200);
  await expect(status(port, a.cert)).rejects.toThrow();
});

it('hangs up on who begins a handshake and never ends it', async () => {
  const { port } = await startService({ server: { tls: a, token: TOKEN, requestTimeoutMs: 200 } });
  const socket = plain(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume().write('\x16\x03\x01');
  await once(socket, 'close');
  expect(await status(port, a.cert)).toBe(200);
});
