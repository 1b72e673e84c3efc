/** A running server against clients that send malformed or forbidden input: it answers, and other clients are not disturbed. */
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { CBOR_PROTOCOL } from '../../../src/core/control.js';
import { closeReason } from '../../../src/transport/events/delivery/websocket-outlet.js';
import type { TokenWatch } from '../../../src/transport/access/token-watch.js';
import { Holder } from '../../../src/transport/access/identity.js';
import { startService, type Service } from '../../support/transport/service.js';
import { WsClient } from '../../support/transport/ws-client.js';

async function closing(client: WsClient): Promise<{ code: number; reason: string } | undefined> {
  await client.until(({ closed }) => closed !== undefined);
  return client.closed;
}

async function expectAlive({ http }: Service): Promise<void> {
  expect((await fetch(`${http}/healthz`)).status).toBe(200);
}

/** Every token is one that reads cam1 only. */
function readerOfCam1(): TokenWatch {
  const holder = new Holder('reader', ['read:cam1']);
  const tokens = { any: true, find: () => holder, look: () => undefined, onFirst: () => undefined };
  return tokens as unknown as TokenWatch;
}

const FRAMES: [what: string, hex: string][] = [
  ['an operation beyond 2^53', 'a1626f701bffffffffffffffff'],
  ['a negative integer beyond 2^53', 'a1626f703bffffffffffffffff'],
  ['a shared reference to itself', 'd81ca1626f70d81d00'],
  ['an unknown tag', 'd9ffff00'],
  ['an array without its items', '9affffffff'],
  ['a text that is cut off', '7bffffffffffffffff'],
  ['a map with the key __proto__', 'a1695f5f70726f746f5f5fa1626f706470696e67'],
  ['a date out of range', 'a1626f70c11b7fffffffffffffff'],
  ['a break outside an array', 'ff'],
  ['nothing', ''],
];

describe('a WebSocket client', () => {
  it('that asks for an unknown stream in the query is closed with 1008', async () => {
    const service = await startService();
    const client = new WsClient(`ws://127.0.0.1:${service.port}/v1/events?streams=nope`);
    expect(await closing(client)).toEqual({ code: 1008, reason: 'There is no stream "nope"' });
    await expectAlive(service);
  });

  it('that asks for a stream outside its scopes in the query is closed with 1008', async () => {
    const service = await startService({ server: { tokens: readerOfCam1() } });
    const client = new WsClient(`ws://127.0.0.1:${service.port}/v1/events?streams=cam2&access_token=x`);
    expect(await closing(client)).toMatchObject({
      code: 1008,
      reason: expect.stringContaining('"cam2"') as string,
    });
    await expectAlive(service);
  });

  it('that asks for a stream with a long name is closed with a reason that fits', async () => {
    const service = await startService();
    const name = '\u{1F3A5}'.repeat(32);
    const client = new WsClient(
      `ws://127.0.0.1:${service.port}/v1/events?streams=${encodeURIComponent(name)}`,
    );
    expect((await closing(client))?.code).toBe(1008);
    await expectAlive(service);
  });

  it.each(FRAMES)('that sends %s as CBOR gets an error and stays connected', async (_what, hex) => {
    const service = await startService();
    const client = await new WsClient(`ws://127.0.0.1:${service.port}/v1/events`, {}, [
      CBOR_PROTOCOL,
    ]).opened();
    client.socket.send(Buffer.from(hex, 'hex'));
    await client.until(({ messages }) => messages.length > 0);
    expect(client.messages[0]).toMatchObject({ op: 'error', code: 'bad_request' });
    await expectAlive(service);
  });

  it.each(['', 'null', '[]', '{"op":"constructor"}', '{"op":"__proto__"}', '['.repeat(9000), '\u0000'])(
    'that sends the text %j gets an error and stays connected',
    async (text) => {
      const service = await startService();
      const client = await new WsClient(service.events()).opened();
      client.socket.send(text);
      await client.until(({ messages }) => messages.some((message) => 'op' in message));
      expect(client.messages.find((message) => 'op' in message)).toMatchObject({ op: 'error' });
      await expectAlive(service);
    },
  );
});

describe('a request', () => {
  const HEAD =
    'Host: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
  it.each([
    ['an upgrade without a key', `GET /v1/events HTTP/1.1\r\n${HEAD}\r\n`],
    ['an upgrade to a malformed path', `GET /v1/streams/%ff/events HTTP/1.1\r\n${HEAD}\r\n`],
    ['an upgrade with a malformed query', `GET /v1/events?%=%ff&streams=%00 HTTP/1.1\r\n${HEAD}\r\n`],
    ['an upgrade of an absolute URL', `GET http://[ HTTP/1.1\r\n${HEAD}\r\n`],
    ['a path with a malformed escape', 'GET /v1/streams/%zz HTTP/1.1\r\nHost: a\r\n\r\n'],
    [
      'an event stream of an unknown stream',
      'GET /v1/events?streams=nope HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n',
    ],
    ['bytes that are not HTTP', '\u0000\u0001\u0002\r\n\r\n'],
  ])('of %s leaves the service running', async (_what, text) => {
    const service = await startService();
    const socket = connect(service.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(text);
    await new Promise<void>((resolve) => {
      socket.once('data', () => resolve());
      socket.once('close', () => resolve());
    });
    socket.destroy();
    await expectAlive(service);
  });
});

describe('the reason of a close frame', () => {
  it('has at most 123 bytes and no half character', () => {
    const reason = closeReason('é'.repeat(100));
    expect(Buffer.byteLength(reason)).toBe(122);
    expect(reason).toBe('é'.repeat(61));
  });
});
