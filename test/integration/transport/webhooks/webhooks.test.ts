/** Webhooks from a real log to a real HTTP server. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { DurableLog } from '../../../../src/transport/log/durable-log.js';
import { Publisher } from '../../../../src/transport/messages/publisher.js';
import { Webhooks, type WebhookTarget } from '../../../../src/transport/webhooks/webhooks.js';
import { eventDraft, sampleDraft } from '../../../support/transport/drafts.js';
import { tempFolder } from '../../../support/transport/temp-folder.js';

const RETRY = { tries: 3, baseMs: 5, maxMs: 20, timeoutMs: 300 };

interface Received {
  readonly id: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
type Answer = (response: ServerResponse, received: Received) => void;
const ok: Answer = (response) => response.writeHead(204).end();

/** An HTTP server that keeps what it is sent; closed with the test. */
async function receiver(
  answer: { now: Answer },
  port = 0,
): Promise<{ url: string; port: number; got: Received[]; close: () => Promise<void> }> {
  const got: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const received = { id: (JSON.parse(body) as { id: string }).id, headers: request.headers, body };
      got.push(received);
      answer.now(response, received);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  return { url: `http://127.0.0.1:${bound}/hook`, port: bound, got, close };
}

interface Rig {
  readonly folder: string;
  readonly log: DurableLog;
  readonly webhooks: Webhooks;
  readonly publisher: Publisher;
  close(): Promise<void>;
}

async function rig(target: WebhookTarget, folder = tempFolder()): Promise<Rig> {
  const log = await DurableLog.open({ folder });
  const onError = (error: Error): never => {
    throw error;
  };
  const webhooks = new Webhooks({
    targets: [{ allowPrivate: true, ...target }],
    log,
    folder,
    retry: RETRY,
    onError,
  });
  const publisher = new Publisher({ streamId: 'cam1', log, sinks: [webhooks] });
  const close = async (): Promise<void> => {
    await webhooks.close();
    await publisher.close();
    await log.close();
  };
  onTestFinished(close);
  return { folder, log, webhooks, publisher, close };
}

const idsOf = (got: readonly Received[]): string[] => got.map(({ id }) => id);
const waitFor = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 10 });

it('posts each message in order as a CloudEvent whose signature can be verified', async () => {
  const secret = `whsec_${Buffer.from('a secret of sixteen').toString('base64')}`;
  const { url, got } = await receiver({ now: ok });
  const { publisher } = await rig({ url, secret, types: ['event.observed'] });
  publisher.publishAll([eventDraft(1, 1), sampleDraft('prediction.created'), eventDraft(2, 2)]);
  await waitFor(() => expect(idsOf(got)).toEqual(['cam1:1', 'cam1:3']));
  const [{ headers, body }] = got as [Received];
  expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
  expect(JSON.parse(body)).toMatchObject({ specversion: '1.0', type: 'presage.event.observed.v1' });
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  const expected = createHmac('sha256', 'a secret of sixteen').update(signed).digest('base64');
  expect(headers['webhook-signature']).toBe(`v1,${expected}`);
  expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
});

it('leaves out predictions that are too improbable, and other streams', async () => {
  const { url, got } = await receiver({ now: ok });
  const { publisher } = await rig({ url, minProbability: 0.5, streams: ['cam1'] });
  publisher.publishAll([sampleDraft('prediction.created'), eventDraft(1, 1)]);
  await waitFor(() => expect(idsOf(got)).toEqual(['cam1:2']));
});

it('tries again when it is refused, hung up on, made to wait or redirected, and loses no order', async () => {
  const troubles: Answer[] = [
    (response) => response.writeHead(500).end(),
    (response) => response.socket?.destroy(),
    () => undefined, // hangs
    ok,
    (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
  ];
  const answer = { now: ((response, received) => (troubles.shift() ?? ok)(response, received)) as Answer };
  const { url, got } = await receiver(answer);
  const { publisher, webhooks, folder } = await rig({ url });
  publisher.publishAll([eventDraft(1, 1), eventDraft(2, 2), eventDraft(3, 3)]);
  // Three tries were not enough for the first; the redirect of the third was not followed but tried again.
  await waitFor(() =>
    expect(idsOf(got)).toEqual(['cam1:1', 'cam1:1', 'cam1:1', 'cam1:2', 'cam1:3', 'cam1:3']),
  );
  await waitFor(() =>
    expect(webhooks.stats()).toMatchObject([
      { delivered: 2, failures: 4, dead: 1, behind: 0, problem: undefined },
    ]),
  );
  const [letter] = readFileSync(join(folder, 'webhooks-dead.jsonl'), 'utf8').trim().split('\n');
  expect(JSON.parse(letter ?? '')).toMatchObject({
    attempts: 3,
    reason: 'no answer in 300 ms',
    message: { id: 'cam1:1' },
  });
});

it('waits as long as Retry-After says', async () => {
  const times: number[] = [];
  const answer: { now: Answer } = {
    now: (response) => {
      times.push(performance.now());
      if (times.length === 1) response.writeHead(429, { 'retry-after': '1' }).end();
      else response.writeHead(200).end();
    },
  };
  const { url } = await receiver(answer);
  const { publisher } = await rig({ url });
  publisher.publish(eventDraft(1, 1));
  await waitFor(() => expect(times).toHaveLength(2));
  expect((times[1] as number) - (times[0] as number)).toBeGreaterThanOrEqual(990);
});

it('goes on after a restart where it was, with what came while the receiver was away', async () => {
  const folder = tempFolder();
  const first = await receiver({ now: ok });
  const one = await rig({ url: first.url }, folder);
  one.publisher.publish(eventDraft(1, 1));
  await waitFor(() => expect(one.webhooks.stats()).toMatchObject([{ delivered: 1 }]));
  await first.close();
  one.publisher.publishAll([eventDraft(2, 2), eventDraft(3, 3)]);
  await one.close();
  const second = await receiver({ now: ok }, first.port);
  const two = await rig({ url: first.url }, folder);
  two.publisher.publish(eventDraft(4, 4));
  await waitFor(() => expect(idsOf(second.got).at(-1)).toBe('cam1:4'));
  const dead = one.webhooks.stats()[0]?.dead ?? 0;
  expect(idsOf(second.got)).toEqual(['cam1:2', 'cam1:3', 'cam1:4'].slice(dead));
});

it.each(['http://127.0.0.1:1', 'http://localhost:1', 'http://[::ffff:127.0.0.1]:1', 'http://2130706433:1'])(
  'refuses to post to %s unless that is allowed',
  async (base) => {
    const { port, got } = await receiver({ now: ok });
    const url = base.replace(/:1$/, `:${port}`);
    const { publisher, webhooks } = await rig({ url, allowPrivate: false });
    publisher.publish(eventDraft(1, 1));
    await waitFor(() => expect(webhooks.stats()).toMatchObject([{ dead: 1, failures: 1 }]));
    expect(webhooks.stats()[0]?.problem).toMatch(/is not on the public internet/);
    expect(got).toEqual([]);
  },
);
