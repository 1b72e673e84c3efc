/** The agent as a library: flows of a real recording, bad input, and what is left running. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { from, firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  analyze,
  openAgent,
  type AgentOptions,
  type Message,
  type PresageError,
} from '../../../src/index.js';

const RECORDING = fileURLToPath(new URL('../../../examples/pedestrians.mp4', import.meta.url));
vi.setConfig({ testTimeout: 120_000 });

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'presage-agent-'));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

function open(options: AgentOptions = {}): ReturnType<typeof openAgent> {
  return openAgent({ data, reasoner: { mode: 'rules' }, ...options });
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (thrown) {
    return (thrown as PresageError).code;
  }
  return 'no error';
}

/** Kinds of active handles apart from those of the test runner, once nothing is closing any more. */
function handles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((kind) => /Process|Worker|MessagePort|TCP|FSReq|FSEvent/.test(kind));
}

it('embeds in ten lines: adds a stream and iterates its predictions', async () => {
  await using agent = await openAgent({ data });
  const cam = await agent.addStream({
    id: 'cam1',
    source: RECORDING,
    zones: {
      left: [
        [0, 0],
        [0.5, 0],
        [0.5, 1],
        [0, 1],
      ],
    },
  });
  for await (const p of cam.predictions({ minProbability: 0.3 })) {
    expect(p).toMatchObject({ stream: 'cam1', id: expect.stringMatching(/^p\d+$/) as unknown });
    expect(p.probability).toBeGreaterThanOrEqual(0.3);
    break;
  }
  expect(cam.status()).toMatchObject({ id: 'cam1' });
  const asked = await cam.ask('how many people are here now?');
  expect(asked).toMatchObject({ understood: true });
});

it('filters events by label and type, as an RxJS observable too, and completes flows when it closes', async () => {
  const agent = await open();
  const cam = await agent.addStream({ id: 'cam1', source: RECORDING });
  const first = await firstValueFrom(from(cam.events({ label: 'person', type: 'approach' })));
  expect(first.type).toBe('approach');
  expect(first.participants.map(({ label }) => label)).toContain('person');
  const rest = (async () => {
    let count = 0;
    for await (const { objects } of agent.objects({ rate: 1 })) count += objects.length > 0 ? 1 : 0;
    return count;
  })();
  await vi.waitFor(() => expect(cam.status().mediatime).toBeGreaterThan(4), { timeout: 30_000 });
  await agent.close();
  expect(await rest).toBeGreaterThan(1);
});

it('leaves nothing running: workers, sockets and files are closed', async () => {
  const before = handles();
  const agent = await open({ listen: { port: 0 } });
  expect((await fetch(`${agent.url}/healthz`)).status).toBe(200);
  await agent.addStream({ id: 'cam1', source: RECORDING });
  await firstValueFrom(from(agent.events()));
  await agent.close();
  await agent.close();
  await vi.waitFor(() => expect(handles().length).toBeLessThanOrEqual(before.length), { timeout: 10_000 });
});

describe('bad input to the library', () => {
  it('is rejected with its code before anything is opened', async () => {
    expect(await codeOf(() => open({ colour: 'red' } as AgentOptions))).toBe('bad_option');
    const abort = new AbortController();
    abort.abort(new Error('not now'));
    await expect(open({ signal: abort.signal })).rejects.toThrow('not now');
    expect(await codeOf(() => analyze('rtsp://camera/stream'))).toBe('bad_option');
    expect(await codeOf(() => analyze(RECORDING, { speed: 2 } as never))).toBe('bad_option');
    expect(await codeOf(() => analyze(RECORDING, { signal: abort.signal }))).toBe('interrupted');
    expect(await codeOf(() => analyze(join(data, 'missing.mp4')))).toBe('source_not_found');
  });

  it('does not disturb an open agent', async () => {
    const errors: PresageError[] = [];
    const agent = await open({ onError: (error) => errors.push(error) });
    const cam = await agent.addStream({ id: 'cam1', source: RECORDING, loop: true });
    expect(await codeOf(() => agent.addStream({ id: 'cam1', source: RECORDING }))).toBe('conflict');
    expect(await codeOf(() => agent.addStream({ id: 'a b', source: RECORDING }))).toBe('bad_option');
    expect(await codeOf(() => agent.addStream({ id: 'x', source: '' }))).toBe('bad_option');
    expect(await codeOf(() => agent.addStream({ id: 'x', source: RECORDING, speed: 1 } as never))).toBe(
      'bad_option',
    );
    expect(await codeOf(() => agent.addStream({ id: 'gone', source: join(data, 'missing.mp4') }))).toBe(
      'source_not_found',
    );
    expect(await codeOf(() => cam.predictions({ minProbability: 2 }))).toBe('bad_option');
    expect(await codeOf(() => agent.ask('nobody', 'who is here?'))).toBe('not_found');

    // A source that fails ends its stream only.
    const broken = await agent
      .addStream({
        id: 'broken',
        source: () => {
          throw new Error('no such device');
        },
      })
      .catch((error: unknown) => error as PresageError);
    if ('ended' in broken)
      expect(await broken.ended).toMatchObject({
        message: expect.stringContaining('no such device') as unknown,
      });
    else expect(broken.message).toContain('no such device');

    // An observer that throws loses its subscription; its error is reported, and others go on.
    const subscription = cam.objects().subscribe(() => {
      throw new Error('observer failed');
    });
    await vi.waitFor(() => expect(subscription.closed).toBe(true), { timeout: 20_000 });
    expect(errors.map(({ message }) => message).join()).toContain('observer failed');
    expect((await firstValueFrom(from(cam.objects()))).stream).toBe('cam1');

    expect(await agent.removeStream('cam1')).toBe(true);
    expect(await agent.removeStream('cam1')).toBe(false);
    expect(await codeOf(() => cam.status())).toBe('not_found');
    await agent.close();
    expect(await codeOf(() => agent.addStream({ id: 'late', source: RECORDING }))).toBe('source_closed');
    expect(await codeOf(() => agent.ask('cam1', 'who is here?'))).toBe('source_closed');
  });
});

describe('analyze', () => {
  it('delivers the same messages twice', async () => {
    const run = async (): Promise<string[]> => {
      const messages: Message[] = [];
      await analyze(RECORDING, {
        stamp: 'none',
        reasoner: { mode: 'rules' },
        onMessage: (message) => messages.push(message),
      });
      return messages.map((message) => JSON.stringify(message));
    };
    const first = await run();
    expect(first.length).toBeGreaterThan(100);
    expect(await run()).toEqual(first);
  });

  it('ends with the error of a callback that throws', async () => {
    let calls = 0;
    const work = analyze(RECORDING, {
      reasoner: { mode: 'off' },
      onMessage: () => {
        calls += 1;
        throw new TypeError('callback failed');
      },
    });
    await expect(work).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('callback failed') as unknown,
    });
    expect(calls).toBe(1);
  });
});
