import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageData } from '../../../src/core/messages.js';
import { eventDraft, objectsDraft, scorecardDraft } from '../../support/transport/drafts.js';
import { startService, type Service } from '../../support/transport/service.js';
import { WsClient } from '../../support/transport/ws-client.js';

const from1 = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

function publishEvents({ publisher }: Service, count: number): void {
  for (let index = 0; index < count; index += 1) publisher.publish(eventDraft(index, index / 10));
}

describe('replay over WebSockets', () => {
  it('is exact from any point while publishing goes on: every sequence once, in order', async () => {
    const service = await startService({ log: { commitIntervalMs: 5 } });
    publishEvents(service, 1000);
    service.log.flush();
    const stop = new AbortController();
    const storm = (async () => {
      while (!stop.signal.aborted) {
        publishEvents(service, 3);
        service.publisher.publish(objectsDraft(1));
        await new Promise(setImmediate);
      }
    })();
    const start = fc.oneof(fc.constantFrom('oldest', 'latest'), fc.integer({ min: 0, max: 1500 }));
    try {
      await fc.assert(
        fc.asyncProperty(start, fc.integer({ min: 1, max: 800 }), async (from, wanted) => {
          const before = service.log.range('cam1').last;
          const client = new WsClient(service.events(`from=${from}&types=event.observed`));
          const target = Math.max(before, typeof from === 'number' ? from : 0) + wanted;
          await client.until((one) => one.last() >= target);
          client.socket.close();
          const got = client.sequences();
          if (from === 'latest') expect(got[0]).toBeGreaterThan(before);
          else expect(got[0]).toBe(from === 'oldest' ? 1 : Math.max(1, from));
          expect(got).toEqual(from1(got[0]!, got.at(-1)!));
        }),
        { numRuns: 12 },
      );
    } finally {
      stop.abort();
      await storm;
    }
  });

  it('sends the very bytes that the log holds, replayed or live', async () => {
    const service = await startService();
    publishEvents(service, 3);
    service.log.flush();
    const received: string[] = [];
    const client = new WsClient(service.events('from=oldest'));
    client.socket.on('message', (data: Buffer) => received.push(data.toString()));
    await client.until((one) => one.messages.length === 3);
    publishEvents(service, 2);
    await client.until((one) => one.messages.length === 5);
    expect(received).toEqual(service.log.read('cam1', 1, 10).map(({ json }) => json));
  });

  it('starts with what comes next unless told otherwise, live-only messages included', async () => {
    const service = await startService();
    publishEvents(service, 3);
    service.log.flush();
    const client = await new WsClient(service.events()).opened();
    service.publisher.publishAll([objectsDraft(1), eventDraft(4, 1)]);
    await client.until((one) => one.messages.length === 2);
    expect(client.messages.map(({ type }) => type)).toEqual([
      'presage.objects.updated.v1',
      'presage.event.observed.v1',
    ]);
    expect(client.sequences()).toEqual([4]);
  });

  it('waits for a sequence beyond the end', async () => {
    const service = await startService();
    publishEvents(service, 3);
    const client = await new WsClient(service.events('from=6')).opened();
    publishEvents(service, 4);
    await client.until((one) => one.last() === 7);
    expect(client.sequences()).toEqual([6, 7]);
  });

  it('filters by full and short types', async () => {
    const service = await startService();
    service.publisher.publishAll([eventDraft(1, 1), scorecardDraft(1), objectsDraft(1)]);
    service.log.flush();
    const query = 'from=oldest&types=presage.scorecard.updated.v1,stream.state';
    const client = new WsClient(service.events(query));
    await client.until((one) => one.messages.length === 1);
    service.publisher.publishAll([eventDraft(2, 2), objectsDraft(2), scorecardDraft(2)]);
    await client.until((one) => one.messages.length === 2);
    expect(client.sequences()).toEqual([2, 4]);
  });

  it('tells from where a stream is still kept when a client asks for older', async () => {
    const service = await startService({ log: { retention: { maxMessages: 10 } } });
    publishEvents(service, 50);
    service.log.flush();
    service.log.sweep();
    const client = new WsClient(service.events('from=5'));
    await client.until((one) => one.last() === 50);
    expect(client.messages[0]).toMatchObject({
      type: 'presage.lagged.v1',
      data: { dropped: 36, fromSequence: '0000000005', toSequence: '0000000040' },
    });
    expect(client.sequences()).toEqual(from1(41, 50));
  });
});

describe('a slow client', () => {
  it('loses messages, is told once what, and holds up neither publishing nor the others', async () => {
    const service = await startService({ hub: { bounds: { messages: 100 } } });
    const quick = await new WsClient(service.events()).opened();
    const slow = await new WsClient(service.events('types=event.observed')).opened();
    slow.socket.pause();
    // The system's socket buffers take megabytes before the server sees that nobody reads.
    let published = 0;
    while (service.hub.stats().dropped === 0) {
      publishEvents(service, 250);
      published += 250;
      await quick.until((one) => one.last() === published);
      expect(published).toBeLessThan(250_000);
    }
    slow.socket.resume();
    await slow.until((one) => one.messages.some(({ type }) => type === 'presage.lagged.v1'));
    publishEvents(service, 1);
    await slow.until((one) => one.last() === published + 1);
    expect(quick.sequences()).toEqual(from1(1, quick.sequences().length));

    const lagged = slow.messages.filter(({ type }) => type === 'presage.lagged.v1');
    expect(lagged).toHaveLength(1);
    const { dropped, fromSequence, toSequence } = messageData.lagged.parse(lagged[0]?.data);
    const [first, last] = [Number(fromSequence), Number(toSequence)];
    expect(dropped).toBe(last - first + 1);
    expect(service.hub.stats().dropped).toBe(dropped);
    expect(slow.sequences()).toEqual([...from1(1, first - 1), ...from1(last + 1, published + 1)]);
  });
});
