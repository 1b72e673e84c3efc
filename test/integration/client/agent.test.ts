/** The client against a real server of ours. */
import { from as toObservable, take, toArray, lastValueFrom } from 'rxjs';
import { expect, it, onTestFinished } from 'vitest';
import { connect, type Agent, type ConnectOptions, type AgentStatus } from '../../../src/client/index.js';
import { eventDraft, objectsDraft, sampleDraft } from '../../support/transport/drafts.js';
import { startService } from '../../support/transport/service.js';

function agentOf(url: string, options: ConnectOptions = {}): Agent {
  const agent = connect(url, options);
  onTestFinished(() => agent.close());
  return agent;
}

async function open(agent: Agent): Promise<void> {
  for await (const { state } of agent.status$) if (state === 'open') return;
  throw new Error('closed before it was open');
}

async function take1<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) if (taken.push(item) >= count) break;
  return taken;
}

it('gives everything that is kept and what comes then, each once and in order', async () => {
  const { http, publisher } = await startService();
  publisher.publishAll([eventDraft(1, 1), eventDraft(2, 2)]);
  const agent = agentOf(http, { from: 'oldest' });
  const reading = take1(agent.events(), 4);
  await open(agent);
  publisher.publishAll([eventDraft(3, 3), sampleDraft('prediction.created'), eventDraft(4, 4)]);
  expect(await reading).toMatchObject([
    { id: 'e1', stream: 'cam1', sequence: 1, mediatime: 1 },
    { id: 'e2', sequence: 2 },
    { id: 'e3', sequence: 3 },
    { id: 'e4', sequence: 5, type: 'stop', zone: 'door' },
  ]);
});

it('is an observable for RxJS', async () => {
  const { http, publisher } = await startService();
  publisher.publishAll([eventDraft(1, 1), eventDraft(2, 2)]);
  const agent = agentOf(http, { from: 'oldest' });
  const events = await lastValueFrom(toObservable(agent.events()).pipe(take(2), toArray()));
  expect(events.map(({ id }) => id)).toEqual(['e1', 'e2']);
});

it('selects predictions by type and probability', async () => {
  const { http, publisher } = await startService();
  publisher.publishAll([sampleDraft('prediction.created'), sampleDraft('prediction.updated')]);
  const agent = agentOf(http, { from: 'oldest' });
  const unlikely = take1(agent.predictions({ type: 'exit', minProbability: 0.1 }), 2);
  let others = 0;
  agent.predictions({ type: 'collide' }).subscribe(() => (others += 1));
  agent.predictions({ minProbability: 0.2 }).subscribe(() => (others += 1));
  expect(await unlikely).toMatchObject([
    { id: 'p31', updated: false, probability: 0.123457 },
    { updated: true },
  ]);
  expect(others).toBe(0);
});

it('thins objects to the rate that each reader asked for', async () => {
  const { http, publisher } = await startService();
  const agent = agentOf(http, { from: 'latest' });
  const all: number[] = [];
  agent.objects({ rate: 10 }).subscribe(({ mediatime }) => all.push(mediatime));
  const slow = take1(agent.objects({ rate: 1 }), 3);
  await open(agent);
  await expect.poll(() => publishObjects(publisher, all), { timeout: 10_000, interval: 20 }).toBe(true);
  expect((await slow).map(({ mediatime }) => mediatime)).toEqual(
    expect.arrayContaining([expect.any(Number)]),
  );
});

function publishObjects(
  publisher: { publish(draft: ReturnType<typeof objectsDraft>): void },
  seen: number[],
): boolean {
  publisher.publish(objectsDraft((clock += 0.1)));
  return seen.length > 30;
}
let clock = 0;

it('ends for good, and says why, when the token is wrong', async () => {
  const { http } = await startService({ server: { token: 'a-token-of-the-service' } });
  const agent = agentOf(http, { token: 'another-one-altogether' });
  await expect(take1(agent.events(), 1)).rejects.toMatchObject({ name: 'ClientError', code: 'unauthorized' });
  const states: AgentStatus[] = await take1(agent.status$, 9);
  expect(states).toMatchObject([{ state: 'closed', error: { code: 'unauthorized', status: 401 } }]);
});

it('ends iterations when it is closed', async () => {
  const { http } = await startService();
  const agent = agentOf(http);
  await open(agent);
  const reading = take1(agent.events(), 1);
  await agent.close();
  expect(await reading).toEqual([]);
  expect(agent.status()).toMatchObject({ state: 'closed' });
});

it('ends an iteration with the reason of an abort signal', async () => {
  const { http } = await startService();
  const agent = agentOf(http);
  const abort = new AbortController();
  const reading = take1(agent.events({ signal: abort.signal }), 1);
  abort.abort(new Error('enough'));
  await expect(reading).rejects.toThrow('enough');
});
