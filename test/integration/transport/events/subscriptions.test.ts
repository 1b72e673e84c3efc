import { describe, expect, it } from 'vitest';
import { serverOps, type ServerOp } from '../../../../src/core/control.js';
import { Publisher } from '../../../../src/transport/messages/publisher.js';
import { eventDraft, objectsDraft, scorecardDraft } from '../../../support/transport/drafts.js';
import { startService, type Service } from '../../../support/transport/service.js';
import { WsClient } from '../../../support/transport/ws-client.js';

const allEvents = (service: Service, query = ''): string =>
  `ws://127.0.0.1:${service.port}/v1/events${query && `?${query}`}`;

function addStream(service: Service, id: string): Publisher {
  const publisher = new Publisher({ streamId: id, log: service.log, sinks: [service.hub] });
  service.streams.push({ id, source: `${id}.mp4`, state: 'live' });
  return publisher;
}

function ops(client: WsClient): ServerOp[] {
  return client.messages.filter((one) => 'op' in one) as unknown as ServerOp[];
}

/** Says something and waits for the answer, which has the form that is documented. */
async function ask(client: WsClient, request: unknown): Promise<ServerOp> {
  const before = ops(client).length;
  client.socket.send(typeof request === 'string' ? request : JSON.stringify(request));
  await client.until((one) => ops(one).length > before);
  const answer = ops(client)[before]!;
  return serverOps[answer.op].parse(answer);
}

const told = (client: WsClient): string[] =>
  client.messages.flatMap((one) => ('type' in one ? [one.id] : []));

describe('the WebSocket of all streams', () => {
  it('says nothing until it is asked, then tells where each stream begins', async () => {
    const service = await startService();
    const second = addStream(service, 'cam2');
    service.publisher.publishAll([eventDraft(1, 1), eventDraft(2, 2)]);
    second.publish(eventDraft(1, 1));
    service.log.flush();
    const client = await new WsClient(allEvents(service)).opened();
    service.publisher.publish(eventDraft(3, 3));
    service.log.flush();
    expect(await ask(client, { op: 'subscribe', id: 'a' })).toEqual({
      op: 'subscribed',
      id: 'a',
      streams: ['cam1', 'cam2'],
      next: { cam1: 4, cam2: 2 },
    });
    service.publisher.publish(eventDraft(4, 4));
    second.publish(eventDraft(2, 2));
    await client.until((one) => told(one).length === 2);
    expect(told(client).toSorted()).toEqual(['cam1:4', 'cam2:2']);
  });

  it('starts each stream where the client wants it', async () => {
    const service = await startService();
    const second = addStream(service, 'cam2');
    for (let n = 1; n <= 4; n += 1) {
      service.publisher.publish(eventDraft(n, n));
      second.publish(eventDraft(n, n));
    }
    service.log.flush();
    const client = await new WsClient(allEvents(service)).opened();
    const from = { cam1: 3, cam2: 'oldest' };
    expect(await ask(client, { op: 'subscribe', id: 'a', from })).toMatchObject({
      next: { cam1: 3, cam2: 1 },
    });
    await client.until((one) => told(one).length === 6);
    expect(told(client).toSorted()).toEqual(['cam1:3', 'cam1:4', 'cam2:1', 'cam2:2', 'cam2:3', 'cam2:4']);
  });

  it('takes in a stream that begins later, from its first message', async () => {
    const service = await startService();
    const client = await new WsClient(allEvents(service, 'subscribe=all')).opened();
    const late = addStream(service, 'late');
    late.publishAll([eventDraft(1, 1), eventDraft(2, 2), objectsDraft(2)]);
    await client.until((one) => told(one).length === 3);
    expect(client.messages.filter(({ sequence }) => sequence).map(({ id }) => id)).toEqual([
      'late:1',
      'late:2',
    ]);
  });

  it('sends what several subscriptions want once, and a replay only what was not sent', async () => {
    const service = await startService();
    service.publisher.publishAll([eventDraft(1, 1), scorecardDraft(1)]);
    service.log.flush();
    const client = await new WsClient(allEvents(service)).opened();
    await ask(client, { op: 'subscribe', id: 'a', types: ['event.observed'] });
    await ask(client, { op: 'subscribe', id: 'b', types: ['event.observed', 'stream.state'] });
    service.publisher.publishAll([eventDraft(2, 2), scorecardDraft(2)]);
    await client.until((one) => told(one).length === 1);
    await ask(client, { op: 'subscribe', id: 'c', from: 'oldest' });
    await client.until((one) => told(one).length === 4);
    service.publisher.publish(eventDraft(3, 3));
    await client.until((one) => told(one).includes('cam1:5'));
    expect(told(client)).toEqual(['cam1:3', 'cam1:1', 'cam1:2', 'cam1:4', 'cam1:5']);
  });

  it('changes and ends subscriptions', async () => {
    const service = await startService();
    const client = await new WsClient(allEvents(service)).opened();
    await ask(client, { op: 'subscribe', id: 'a', types: ['event.observed'] });
    service.publisher.publishAll([scorecardDraft(1), eventDraft(1, 1)]);
    await client.until((one) => told(one).length === 1);
    expect(await ask(client, { op: 'update', id: 'a', types: ['scorecard.updated'] })).toEqual({
      op: 'updated',
      id: 'a',
    });
    service.publisher.publishAll([eventDraft(2, 2), scorecardDraft(2)]);
    await client.until((one) => told(one).length === 2);
    expect(await ask(client, { op: 'unsubscribe', id: 'a' })).toEqual({ op: 'unsubscribed', id: 'a' });
    service.publisher.publish(scorecardDraft(3));
    service.log.flush();
    await ask(client, { op: 'ping' });
    expect(told(client)).toEqual(['cam1:2', 'cam1:4']);
  });

  it('beats as often as it is asked to', async () => {
    const service = await startService();
    const client = await new WsClient(allEvents(service, 'heartbeat=1')).opened();
    await client.until((one) => ops(one).length === 1);
    expect(ops(client)[0]).toMatchObject({ op: 'heartbeat' });
    expect(await ask(client, { op: 'heartbeat', seconds: 0 })).toMatchObject({ op: 'heartbeat' });
  });

  it.each([
    ['{', 'bad_request', /form/],
    ['[]', 'bad_request', /object/],
    [{ op: 'dance' }, 'bad_request', /^op: unknown "dance"/],
    [{ op: 'constructor' }, 'bad_request', /^op: unknown/],
    [{ op: 'subscribe' }, 'bad_request', /^id/],
    [{ op: 'subscribe', id: 'a', label: ['car'] }, 'bad_request', /^"label"/],
    [{ op: 'subscribe', id: 'a', types: ['nonsense'] }, 'bad_request', /^types\.0/],
    [{ op: 'subscribe', id: 'a', minProbability: 2 }, 'bad_request', /^minProbability/],
    [{ op: 'subscribe', id: 'a', from: { cam1: -1 } }, 'bad_request', /^from/],
    [{ op: 'subscribe', id: 'a', streams: ['nope'] }, 'not_found', /nope/],
    [{ op: 'update', id: 'a' }, 'not_found', /"a"/],
    [{ op: 'unsubscribe', id: 'a' }, 'not_found', /"a"/],
  ])('answers %j with %s and stays', async (request, code, message) => {
    const service = await startService();
    const client = await new WsClient(allEvents(service)).opened();
    expect(await ask(client, request)).toMatchObject({
      op: 'error',
      code,
      message: expect.stringMatching(message) as string,
    });
    expect(await ask(client, { op: 'ping' })).toMatchObject({ op: 'pong' });
  });

  it('bounds the subscriptions of a connection and the pace of requests', async () => {
    const service = await startService();
    const client = await new WsClient(allEvents(service)).opened();
    for (let n = 0; n < 1000; n += 1) client.socket.send(JSON.stringify({ op: 'subscribe', id: `s${n}` }));
    await client.until((one) => ops(one).length === 1000);
    const answers = ops(client);
    expect(answers.filter(({ op }) => op === 'subscribed')).toHaveLength(64);
    const errors = answers.filter((one) => one.op === 'error');
    expect(errors).toHaveLength(936);
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['overloaded']));
    service.publisher.publish(eventDraft(1, 1));
    await client.until((one) => told(one).length > 0);
    expect(told(client)).toEqual(['cam1:1']);
  });

  it('keeps a connection to one stream to that stream', async () => {
    const service = await startService();
    addStream(service, 'cam2');
    const client = await new WsClient(service.events('types=event.observed')).opened();
    expect(await ask(client, { op: 'subscribe', id: 'a', streams: ['cam2'] })).toMatchObject({
      op: 'error',
      code: 'not_found',
    });
    expect(await ask(client, { op: 'subscribe', id: 'a' })).toMatchObject({ streams: ['cam1'] });
  });
});

describe('the subprotocols', () => {
  it('sends the same message as text or as CBOR', async () => {
    const service = await startService();
    const json = new WsClient(service.events(), {}, ['presage.v1+json']);
    await json.opened();
    const cbor = new WsClient(service.events(), {}, ['presage.v1+cbor']);
    const binary: boolean[] = [];
    cbor.socket.on('message', (_, isBinary) => binary.push(isBinary));
    await cbor.opened();
    expect([json.socket.protocol, cbor.socket.protocol]).toEqual(['presage.v1+json', 'presage.v1+cbor']);
    service.publisher.publishAll([eventDraft(1, 1), objectsDraft(1, 40)]);
    await json.until((one) => one.messages.length === 2);
    await cbor.until((one) => one.messages.length === 2);
    expect(cbor.messages).toEqual(json.messages);
    expect(binary).toEqual([true, true]);
  });

  it('takes requests in CBOR, and answers bytes that are none', async () => {
    const service = await startService();
    const client = await new WsClient(allEvents(service), {}, ['presage.v1+cbor']).opened();
    client.socket.send(Buffer.from([0xff, 0x00, 0x9f]));
    await client.until((one) => ops(one).length === 1);
    expect(ops(client)[0]).toMatchObject({ op: 'error', code: 'bad_request' });
    // An endless string of arrays.
    client.socket.send(Buffer.alloc(16_000, 0x81));
    await client.until((one) => ops(one).length === 2);
    expect(ops(client)[1]).toMatchObject({ op: 'error', code: 'bad_request' });
  });
});
