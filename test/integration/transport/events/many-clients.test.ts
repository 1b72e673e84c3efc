import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { messageData } from '../../../../src/core/messages.js';
import { eventDraft, objectsDraft } from '../../../support/transport/drafts.js';
import { startService } from '../../../support/transport/service.js';
import { WsClient } from '../../../support/transport/ws-client.js';

const CLIENTS = 1000;
const MESSAGES = 20;

describe('a thousand subscribers', () => {
  it('all get every message, in order, in either format, while some of them leave', async () => {
    const service = await startService({ server: { maxClients: CLIENTS } });
    const counts = new Array<number>(CLIENTS).fill(0);
    let received = 0;
    const sockets = counts.map((_, index) => {
      const url = service.events('types=event.observed');
      const socket = new WebSocket(url, index % 2 === 0 ? 'presage.v1+json' : 'presage.v1+cbor');
      socket.on('message', () => {
        counts[index]! += 1;
        received += 1;
      });
      return socket;
    });
    onTestFinished(() => sockets.forEach((socket) => socket.terminate()));
    await Promise.all(sockets.map((socket) => once(socket, 'open')));
    expect(service.server.clients).toBe(CLIENTS);
    const startedMs = performance.now();
    for (let n = 1; n <= MESSAGES; n += 1) service.publisher.publishAll([eventDraft(n, n), objectsDraft(n)]);
    await vi.waitFor(() => expect(received).toBe(CLIENTS * MESSAGES), { timeout: 20_000 });
    expect(performance.now() - startedMs).toBeLessThan(15_000);
    expect(new Set(counts)).toEqual(new Set([MESSAGES]));

    const leaving = sockets.slice(0, CLIENTS / 2);
    leaving.forEach((socket) => socket.terminate());
    await vi.waitFor(() => expect(service.server.clients).toBe(CLIENTS / 2));
    service.publisher.publish(eventDraft(99, 99));
    await vi.waitFor(() => expect(received).toBe(CLIENTS * MESSAGES + CLIENTS / 2));
    expect(service.hub.stats()).toMatchObject({ subscribers: CLIENTS / 2, dropped: 0, slow: 0 });
  });
});

describe('a client that stays slow', () => {
  it('is told what it lost, then closed with 1013, and can fetch it all again', async () => {
    const service = await startService({ hub: { bounds: { messages: 100 }, slowMs: 200 } });
    const slow = await new WsClient(service.events('types=event.observed')).opened();
    slow.socket.pause();
    let published = 0;
    while (service.hub.stats().slow === 0) {
      for (let n = 0; n < 250; n += 1) service.publisher.publish(eventDraft((published += 1), 1));
      await new Promise(setImmediate);
      expect(published).toBeLessThan(500_000);
    }
    service.log.flush();
    slow.socket.resume();
    await once(slow.socket, 'close');
    expect(slow.closed).toEqual({ code: 1013, reason: expect.stringMatching(/^reads too slowly/) as string });
    const { data } = slow.messages.at(-1)!;
    const { dropped, fromSequence, toSequence } = messageData.lagged.parse(data);
    expect(slow.last() + 1).toBe(Number(fromSequence));
    expect(dropped).toBe(Number(toSequence) - Number(fromSequence) + 1);
    const again = new WsClient(service.events(`types=event.observed&from=${fromSequence}`));
    await again.until((one) => one.last() === published);
    expect(again.sequences()[0]).toBe(Number(fromSequence));
    expect(again.sequences()).toHaveLength(published - Number(fromSequence) + 1);
  });

  it('is not closed when it catches up in time', async () => {
    const service = await startService({ hub: { bounds: { messages: 100 }, slowMs: 60_000 } });
    const slow = await new WsClient(service.events('types=event.observed')).opened();
    slow.socket.pause();
    let published = 0;
    while (service.hub.stats().dropped === 0) {
      for (let n = 0; n < 250; n += 1) service.publisher.publish(eventDraft((published += 1), 1));
      await new Promise(setImmediate);
    }
    slow.socket.resume();
    await slow.until((one) => one.messages.some(({ type }) => type === 'presage.lagged.v1'));
    expect(slow.closed).toBeUndefined();
    expect(service.hub.stats().slow).toBe(0);
  });
});

describe('what is no client', () => {
  const UPGRADE =
    'GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

  async function upgraded(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write(UPGRADE);
    const [reply] = (await once(socket, 'data')) as [Buffer];
    expect(reply.toString()).toMatch(/^HTTP\/1\.1 101 /);
    return socket;
  }

  it.each([
    ['a frame without a mask', Buffer.from([0x81, 0x02, 0x68, 0x69]), 1002],
    ['reserved bits', Buffer.from([0xf1, 0x80, 0, 0, 0, 0]), 1002],
    ['an unknown opcode', Buffer.from([0x83, 0x80, 0, 0, 0, 0]), 1002],
    ['text that is no UTF-8', Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe]), 1007],
    ['a frame that says it is huge', Buffer.from([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), 1009],
  ])('is ended: %s', async (_, bytes, code) => {
    const service = await startService();
    const socket = await upgraded(service.port);
    socket.write(bytes);
    const [reply] = (await once(socket, 'data')) as [Buffer];
    expect(reply[0]).toBe(0x88);
    expect(reply.readUInt16BE(2)).toBe(code);
    await vi.waitFor(() => expect(service.server.clients).toBe(0));
    expect(service.hub.stats().subscribers).toBe(0);
  });

  it('takes no place among the clients while it sends its upgrade byte by byte', async () => {
    const service = await startService({ server: { maxClients: 1 } });
    const slow = Array.from({ length: 20 }, () => connect(service.port, '127.0.0.1'));
    onTestFinished(() => slow.forEach((socket) => socket.destroy()));
    for (const socket of slow) socket.write('GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgra');
    await Promise.all(slow.map((socket) => once(socket, 'connect')));
    expect(service.server.clients).toBe(0);
    await new WsClient(service.events()).opened();
  });
});
