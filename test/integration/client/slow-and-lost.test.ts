/** What the client does when something is missing. */
import { expect, it, onTestFinished } from 'vitest';
import { connect, type Agent, type ConnectOptions, type Lag } from '../../../src/client/index.js';
import { eventDraft, sampleDraft } from '../../support/transport/drafts.js';
import { startService } from '../../support/transport/service.js';

function agentOf(url: string, options: ConnectOptions = {}): Agent {
  const agent = connect(url, { from: 'oldest', ...options });
  onTestFinished(() => agent.close());
  return agent;
}

/** Resolves when as many events have come to someone. */
async function untilEvents(agent: Agent, count: number): Promise<void> {
  let left = count;
  for await (const event of agent.events({ from: 'oldest' })) if (event.sequence && --left === 0) return;
}

it('holds for a slow reader what was asked for, drops the oldest, and tells how many', async () => {
  const { http, publisher } = await startService();
  const agent = agentOf(http);
  const lags: Lag[] = [];
  agent.lags().subscribe((lag) => lags.push(lag));
  const slow = agent.events({ buffer: 2 })[Symbol.asyncIterator]();
  const seen: number[] = [];
  agent.events().subscribe(({ sequence = 0 }) => seen.push(sequence));
  publisher.publishAll([1, 2, 3, 4, 5].map((number) => eventDraft(number, number)));
  await expect.poll(() => seen).toEqual([1, 2, 3, 4, 5]);
  expect([(await slow.next()).value?.id, (await slow.next()).value?.id]).toEqual(['e4', 'e5']);
  expect(slow.dropped).toBe(3);
  expect(lags).toMatchObject(
    [1, 2, 3].map((at) => ({ stream: 'cam1', dropped: 1, fromSequence: at, where: 'buffer' })),
  );
});

it('fails the iteration of a slow reader that may miss nothing', async () => {
  const { http, publisher } = await startService();
  const agent = agentOf(http);
  const slow = agent.events({ buffer: 1, overflow: 'fail' })[Symbol.asyncIterator]();
  publisher.publishAll([eventDraft(1, 1), eventDraft(2, 2)]);
  await untilEvents(agent, 2);
  await expect.poll(() => slow.dropped).toBe(1);
  expect((await slow.next()).value?.id).toBe('e2');
  await expect(slow.next()).rejects.toMatchObject({ code: 'lagged' });
  expect(await slow.next()).toEqual({ done: true, value: undefined });
});

it('fetches again what the service dropped for a client that was slow', async () => {
  const { http, publisher, hub } = await startService({ hub: { bounds: { messages: 4 } } });
  const agent = agentOf(http);
  const lags: Lag[] = [];
  agent.lags().subscribe((lag) => lags.push(lag));
  const seen: number[] = [];
  agent.messages({ types: ['event.observed'] }).subscribe(({ sequence }) => seen.push(Number(sequence)));
  publisher.publish(eventDraft(1, 1));
  await expect.poll(() => seen).toEqual([1]);
  // More at once than sockets and the queue hold.
  const wide = 'x'.repeat(300_000);
  const drafts = Array.from({ length: 60 }, (_, index) => {
    const draft = eventDraft(index + 2, index + 2);
    if (draft.kind === 'event.observed') draft.data.event.zone = wide;
    return draft;
  });
  publisher.publishAll(drafts);
  await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(61);
  expect(seen).toEqual(Array.from({ length: 61 }, (_, index) => index + 1));
  expect(lags).toEqual([]);
  expect(hub.stats().dropped).toBeGreaterThan(0);
});

it('fails what asks for a stream that is not there, and nothing else', async () => {
  const { http, publisher } = await startService();
  const agent = agentOf(http);
  const typo = agent.events({ stream: 'cam7' })[Symbol.asyncIterator]().next();
  const sound = agent.events({ stream: 'cam1' })[Symbol.asyncIterator]().next();
  publisher.publish(eventDraft(1, 1));
  await expect(typo).rejects.toMatchObject({ code: 'not_found', message: 'There is no stream "cam7"' });
  expect((await sound).value).toMatchObject({ id: 'e1' });
  expect(agent.status().state).toBe('open');
});

it('lets the service select predictions by what takes part', async () => {
  const { http, publisher } = await startService();
  publisher.publishAll([eventDraft(1, 1), sampleDraft('prediction.created')]);
  const agent = agentOf(http);
  const cars: unknown[] = [];
  agent.predictions({ label: 'car' }).subscribe((prediction) => cars.push(prediction));
  for await (const { id } of agent.predictions({ label: 'person' })) {
    expect(id).toBe('p31');
    break;
  }
  expect(cars).toEqual([]);
});

it('notices that the log has begun anew, and reads the new one from its beginning', async () => {
  const first = await startService();
  first.publisher.publishAll([eventDraft(1, 1), eventDraft(2, 2), eventDraft(3, 3)]);
  const agent = agentOf(first.http);
  const seen: string[] = [];
  agent.events().subscribe(({ id }) => seen.push(id));
  await expect.poll(() => seen).toHaveLength(3);
  await first.server.close();
  const second = await startService({ server: { port: first.port } });
  second.publisher.publishAll([eventDraft(11, 1), eventDraft(12, 2)]);
  await expect.poll(() => seen, { timeout: 10_000 }).toEqual(['e1', 'e2', 'e3', 'e11', 'e12']);
});
