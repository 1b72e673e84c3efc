import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Message } from '../../../../src/core/messages.js';
import { Publisher } from '../../../../src/transport/messages/publisher.js';
import { eventDraft, objectsDraft, scorecardDraft } from '../../../support/transport/drafts.js';
import { startService, type Service } from '../../../support/transport/service.js';

interface Event {
  readonly id: string | undefined;
  readonly data: Message;
}

/** A client that reads events as a browser's EventSource does. */
class EventReader {
  readonly events: Event[] = [];
  readonly comments: string[] = [];
  readonly response: IncomingMessage;
  ended = false;
  #rest = '';

  private constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.#take(text));
    response.on('close', () => (this.ended = true));
    response.on('error', () => undefined);
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
    const sent = request(url, { headers: { accept: 'text/event-stream', ...headers } });
    sent.end();
    onTestFinished(() => void sent.destroy());
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return new EventReader(response);
  }

  get last(): string | undefined {
    return this.events.findLast(({ id }) => id !== undefined)?.id;
  }

  ids(): string[] {
    return this.events.map(({ data }) => data.id);
  }

  #take(text: string): void {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = block.split('\n');
      const field = (name: string): string | undefined =>
        lines
          .findLast((line) => line.startsWith(`${name}:`))
          ?.slice(name.length + 1)
          .trimStart();
      const data = field('data');
      if (data !== undefined) this.events.push({ id: field('id'), data: JSON.parse(data) as Message });
      else this.comments.push(block);
    }
  }
}

function addStream(service: Service, id: string): Publisher {
  service.streams.push({ id, source: `${id}.mp4`, state: 'live' });
  return new Publisher({ streamId: id, log: service.log, sinks: [service.hub] });
}

describe('Server-Sent Events', () => {
  it('are the messages of a stream, replayed and live, with ids to resume from', async () => {
    const service = await startService();
    service.publisher.publishAll([eventDraft(1, 1), eventDraft(2, 2)]);
    service.log.flush();
    const url = `${service.http}/v1/streams/cam1/events?from=oldest`;
    const first = await EventReader.open(url);
    expect(first.response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    service.publisher.publishAll([objectsDraft(3), eventDraft(3, 3)]);
    await vi.waitFor(() => expect(first.events).toHaveLength(4));
    expect(first.events.map(({ id }) => id).toSorted()).toEqual(['cam1:1', 'cam1:2', 'cam1:3', undefined]);
    first.response.destroy();
    service.publisher.publish(eventDraft(4, 4));
    const second = await EventReader.open(url, { 'last-event-id': first.last ?? '' });
    await vi.waitFor(() => expect(second.ids()).toEqual(['cam1:4']));
  });

  it('of all streams tell where a client is in each, so that it loses and doubles nothing', async () => {
    const service = await startService();
    const other = addStream(service, 'cam2');
    for (const publisher of [service.publisher, other])
      publisher.publishAll([eventDraft(1, 1), eventDraft(2, 2)]);
    service.log.flush();
    const url = `${service.http}/v1/events?types=event.observed`;
    const first = await EventReader.open(url, { 'last-event-id': 'cam1:0,cam2:1' });
    await vi.waitFor(() => expect(first.ids().toSorted()).toEqual(['cam1:1', 'cam1:2', 'cam2:2']));
    expect(first.last?.split(',').toSorted()).toEqual(['cam1:2', 'cam2:2']);
    first.response.destroy();
    for (const publisher of [service.publisher, other])
      publisher.publishAll([eventDraft(3, 3), scorecardDraft(3)]);
    const second = await EventReader.open(url, { 'last-event-id': first.last ?? '' });
    await vi.waitFor(() => expect(second.ids().toSorted()).toEqual(['cam1:3', 'cam2:3']));
  });

  it('refuse what makes no sense before they begin', async () => {
    const service = await startService({ server: { maxClients: 1 } });
    const status = async (path: string): Promise<number | undefined> => {
      const reader = await EventReader.open(service.http + path);
      reader.response.destroy();
      return reader.response.statusCode;
    };
    expect(await status('/v1/streams/none/events')).toBe(404);
    expect(await status('/v1/events?types=nonsense')).toBe(400);
    expect(await status('/v1/events?typos=nonsense')).toBe(400);
    await EventReader.open(`${service.http}/v1/events`);
    expect(await status('/v1/events')).toBe(503);
  });

  it('show a token only the streams that it covers', async () => {
    const service = await startService({ server: { token: 'a-token-of-some-length' } });
    const refused = await EventReader.open(`${service.http}/v1/events`);
    expect(refused.response.statusCode).toBe(401);
    const reader = await EventReader.open(`${service.http}/v1/events?access_token=a-token-of-some-length`);
    expect(reader.response.statusCode).toBe(200);
  });

  it('keep a quiet connection open with comments, and end when the server does', async () => {
    const service = await startService({ server: { heartbeatMs: 20 } });
    const reader = await EventReader.open(`${service.http}/v1/events`);
    await vi.waitFor(() => expect(reader.comments.filter((text) => text === ':').length).toBeGreaterThan(1));
    await service.server.close();
    await vi.waitFor(() => expect(reader.ended).toBe(true));
    expect(reader.comments.at(-1)).toBe(': 1001 the server is shutting down');
    expect(service.hub.stats().subscribers).toBe(0);
  });

  it('lose messages for a client that does not read, tell it so and end', async () => {
    const service = await startService({ hub: { bounds: { messages: 50 }, slowMs: 100 } });
    const reader = await EventReader.open(`${service.http}/v1/streams/cam1/events?types=event.observed`);
    reader.response.pause();
    let published = 0;
    while (service.hub.stats().slow === 0) {
      for (let n = 0; n < 200; n += 1) service.publisher.publish(eventDraft((published += 1), 1));
      await new Promise(setImmediate);
      expect(published).toBeLessThan(500_000);
    }
    reader.response.resume();
    await vi.waitFor(() => expect(reader.ended).toBe(true));
    expect(reader.events.at(-1)?.data.type).toBe('presage.lagged.v1');
    expect(reader.comments.at(-1)).toMatch(/^: 1013 /);
  });
});
