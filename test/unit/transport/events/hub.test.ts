import { describe, expect, it, vi } from 'vitest';
import { messageData } from '../../../../src/core/messages.js';
import { OutgoingMessage } from '../../../../src/transport/messages/encode.js';
import { Hub } from '../../../../src/transport/events/hub.js';
import type { FilterFields } from '../../../../src/core/control.js';
import type { Connection } from '../../../../src/transport/events/connection.js';
import { frameOf } from '../../../../src/transport/events/delivery/frames.js';
import { FakeOutlet } from '../../../support/transport/fake-outlet.js';
import { MemoryLog } from '../../../support/transport/memory-log.js';

const ALL: Wanted = { from: 'latest' };
type Wanted = FilterFields & { from: 'latest' | 'oldest' | number };

function attach(hub: Hub, streamId: string, { from, ...fields }: Wanted, outlet: FakeOutlet): Connection {
  const connection = hub.connect(outlet);
  outlet.onDrain = () => connection.drained();
  hub.setStreams(() => ['cam1', 'cam2']);
  const start = typeof from === 'number' ? { [streamId]: from } : from;
  connection.subscribe({ id: 'a', streams: [streamId], fields, from: start });
  return connection;
}

const objects = (mediatime: number): OutgoingMessage =>
  new OutgoingMessage(
    'cam1',
    'objects.updated',
    undefined,
    mediatime,
    JSON.stringify({ kind: 'objects.updated' }),
  );
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('Hub', () => {
  it('sends to the subscribers of the stream only', () => {
    const log = new MemoryLog();
    const hub = new Hub({ log });
    const [mine, other] = [new FakeOutlet(), new FakeOutlet()];
    attach(hub, 'cam1', ALL, mine);
    attach(hub, 'cam2', ALL, other);
    hub.deliver(log.add());
    expect(mine.sequences()).toEqual([1]);
    expect(other.sent).toEqual([]);
  });

  it('serialises once however many receive', () => {
    const log = new MemoryLog();
    const hub = new Hub({ log });
    const outlets = Array.from({ length: 10 }, (_, index) => {
      const outlet = new FakeOutlet({ format: index % 2 === 0 ? 'json' : 'cbor' });
      attach(hub, 'cam1', ALL, outlet);
      return outlet;
    });
    const message = log.add();
    hub.deliver(message);
    for (const [index, { frames }] of outlets.entries()) {
      // The very same buffer, not one that is equal.
      expect(frames[0]).toBe(frameOf(message, index % 2 === 0 ? 'json' : 'cbor'));
    }
  });

  it('goes from replay to live without a gap or a double while messages keep coming', async () => {
    const log = new MemoryLog();
    const hub = new Hub({ log });
    for (let index = 0; index < 1000; index += 1) log.add();
    const socket = new FakeOutlet();
    const subscriber = attach(hub, 'cam1', { ...ALL, from: 5 }, socket);
    for (let count = 0; subscriber.state !== 'live'; count += 1) {
      expect(count).toBeLessThan(1000);
      hub.deliver(log.add());
      await new Promise(setImmediate);
    }
    hub.deliver(log.add());
    expect(socket.sequences()).toEqual(range(5, log.range().last));
  });

  it('waits for a sequence that is yet to come', () => {
    const log = new MemoryLog();
    const hub = new Hub({ log });
    const socket = new FakeOutlet();
    attach(hub, 'cam1', { ...ALL, from: 3 }, socket);
    for (let index = 0; index < 4; index += 1) hub.deliver(log.add());
    expect(socket.sequences()).toEqual([3, 4]);
  });

  it('tells what has expired before what is still kept', async () => {
    const log = new MemoryLog();
    for (let index = 0; index < 10; index += 1) log.add();
    log.expire(6);
    const socket = new FakeOutlet();
    attach(new Hub({ log }), 'cam1', { ...ALL, from: 3 }, socket);
    await vi.waitFor(() => expect(socket.sequences()).toEqual([7, 8, 9, 10]));
    expect(socket.sent[0]).toMatchObject({
      type: 'presage.lagged.v1',
      data: { dropped: 4, fromSequence: '0000000003', toSequence: '0000000006' },
    });
  });

  it('tells of expired messages even when nothing is kept', async () => {
    const log = new MemoryLog();
    const hub = new Hub({ log });
    for (let index = 0; index < 3; index += 1) log.add();
    log.expire(3);
    const socket = new FakeOutlet();
    attach(hub, 'cam1', { ...ALL, from: 1 }, socket);
    expect(socket.sent[0]?.data).toMatchObject({ dropped: 3, toSequence: '0000000003' });
    await new Promise(setImmediate);
    hub.deliver(log.add());
    expect(socket.sequences()).toEqual([4]);
  });

  it('drops for a slow client only', () => {
    const log = new MemoryLog();
    const hub = new Hub({ log, bounds: { messages: 3, bytes: 1e6 } });
    const [slow, quick] = [new FakeOutlet({ open: false }), new FakeOutlet()];
    attach(hub, 'cam1', ALL, slow);
    attach(hub, 'cam1', ALL, quick);
    slow.bufferedAmount = 300_000; // its network is full already
    for (let index = 0; index < 8; index += 1) hub.deliver(log.add());
    hub.deliver(objects(1));
    expect(quick.sequences()).toEqual(range(1, 8));
    expect(slow.sent).toEqual([]);
    expect(hub.stats()).toMatchObject({ subscribers: 2, dropped: 6 });
  });

  it('tells a lagging client once what it lost, when it has drained, and goes on', () => {
    const log = new MemoryLog();
    const hub = new Hub({ log, bounds: { messages: 3, bytes: 400_000 } });
    const socket = new FakeOutlet({ open: false });
    const subscriber = attach(hub, 'cam1', ALL, socket);
    const big = log.add();
    hub.deliver(new OutgoingMessage('cam1', big.kind, big.sequence, 0, `"${'x'.repeat(300_000)}"`));
    for (let index = 0; index < 6; index += 1) hub.deliver(log.add());
    hub.deliver(objects(1));
    expect(subscriber.state).toBe('lagging');
    socket.open();
    hub.deliver(log.add());
    expect(subscriber.state).toBe('live');
    expect(socket.sequences()).toEqual([2, 3, 4, 8]);
    const lagged = socket.sent.filter(({ type }) => type === 'presage.lagged.v1');
    expect(lagged).toMatchObject([
      { data: { dropped: 4, fromSequence: '0000000005', toSequence: '0000000007' } },
    ]);
    messageData.lagged.parse(lagged[0]?.data);
    expect(hub.stats().dropped).toBe(4);
  });

  it('gives an empty range when only live messages were lost', () => {
    const log = new MemoryLog();
    const hub = new Hub({ log, bounds: { messages: 1, bytes: 1e6 } });
    const socket = new FakeOutlet({ open: false });
    attach(hub, 'cam1', { ...ALL, objectsRate: 100 }, socket);
    hub.deliver(new OutgoingMessage('cam1', 'objects.updated', undefined, 0, `"${'x'.repeat(300_000)}"`));
    for (let index = 1; index < 5; index += 1) hub.deliver(objects(index));
    socket.open();
    const lagged = socket.sent.find(({ type }) => type === 'presage.lagged.v1');
    expect(lagged?.data).toEqual({ dropped: 3, fromSequence: '0000000001', toSequence: '0000000000' });
  });

  it('sends only the types asked for, in replay and live', async () => {
    const log = new MemoryLog();
    const hub = new Hub({ log });
    const socket = new FakeOutlet();
    log.add('stream.state');
    log.add('event.observed');
    const subscriber = attach(hub, 'cam1', { ...ALL, from: 'oldest', types: ['event.observed'] }, socket);
    await vi.waitFor(() => expect(subscriber.state).toBe('live'));
    hub.deliver(log.add('stream.state'));
    hub.deliver(log.add('event.observed'));
    hub.deliver(objects(1));
    expect(socket.sequences()).toEqual([2, 4]);
  });

  it.each([
    [0, 0],
    [10, 10],
    [30, 30],
    [120, 30],
  ])('thins objects.updated of 30 a second to %i a second', (objectsRate, expected) => {
    const hub = new Hub({ log: new MemoryLog() });
    const socket = new FakeOutlet();
    attach(hub, 'cam1', { ...ALL, objectsRate }, socket);
    for (let frame = 0; frame < 30; frame += 1) hub.deliver(objects(frame / 30));
    expect(socket.sent).toHaveLength(expected);
  });

  it('goes on when media time begins anew', () => {
    const hub = new Hub({ log: new MemoryLog() });
    const socket = new FakeOutlet();
    attach(hub, 'cam1', ALL, socket);
    hub.deliver(objects(1000));
    hub.deliver(objects(0));
    expect(socket.sent).toHaveLength(2);
  });

  it('closes a client with 1011 when its replay cannot be read', () => {
    const log = new MemoryLog();
    log.add();
    log.failing = true;
    const errors: string[] = [];
    const hub = new Hub({ log, onError: (error) => errors.push(error.code) });
    const socket = new FakeOutlet();
    attach(hub, 'cam1', { ...ALL, from: 'oldest' }, socket);
    expect(socket.closed?.code).toBe(1011);
    expect(errors).toEqual(['storage_failed']);
    expect(hub.stats().errors).toBe(1);
  });

  it('sends a client what waits for it before it closes, once', () => {
    const log = new MemoryLog();
    const hub = new Hub({ log });
    const socket = new FakeOutlet({ open: false });
    const subscriber = attach(hub, 'cam1', ALL, socket);
    socket.bufferedAmount = 300_000;
    for (let index = 0; index < 3; index += 1) hub.deliver(log.add());
    subscriber.close(1001, 'the server is shutting down');
    subscriber.close(1008, 'again');
    hub.deliver(log.add());
    expect(socket.sequences()).toEqual([1, 2, 3]);
    expect(socket.closed).toEqual({ code: 1001, reason: 'the server is shutting down' });
    hub.disconnect(subscriber);
    hub.disconnect(subscriber);
    expect(hub.stats()).toMatchObject({ subscribers: 0, sent: 3 });
  });

  it('refuses bounds that would hold nothing', () => {
    expect(() => new Hub({ log: new MemoryLog(), bounds: { messages: 0 } })).toThrow(
      expect.objectContaining({ code: 'bad_option' }),
    );
  });
});
