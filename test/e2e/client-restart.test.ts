/** The client, in Node and in Chromium, on a real service that is killed and started again. */
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { expect, it, onTestFinished, vi } from 'vitest';
import { connect, type Agent, type MessageKind } from '../../src/client/index.js';
import { startCli, type Cli } from '../support/cli.js';
import { noChromium, openClientPage } from '../support/client/browser.js';
import { tempFolder } from '../support/transport/temp-folder.js';

const RECORDING = fileURLToPath(new URL('../../examples/pedestrians.mp4', import.meta.url));
const DURABLE: readonly MessageKind[] = [
  'stream.state',
  'event.observed',
  'explanation.created',
  'prediction.created',
  'prediction.updated',
  'prediction.resolved',
  'scorecard.updated',
  'summary.created',
];
vi.setConfig({ testTimeout: 120_000 });

async function watch(data: string, port: number): Promise<{ cli: Cli; url: string }> {
  const args = ['watch', RECORDING, '--loop', '--data', data, '--port', String(port), '--reasoner', 'rules'];
  const cli = startCli(args, { cwd: tempFolder() });
  const [, url = ''] = await cli.says(/page\s+(http:\S+)/);
  return { cli, url };
}

/** Sequences of all durable messages as they come. */
function collect(agent: Agent): number[] {
  const got: number[] = [];
  agent.messages({ types: DURABLE }).subscribe(({ sequence }) => void got.push(Number(sequence)));
  return got;
}

/** The same in the page. */
function collectThere(page: Page, url: string): Promise<void> {
  return page.evaluate(
    ({ types, url }) => {
      const { presage } = globalThis as unknown as { presage: { connect: typeof connect } };
      const seen = { got: [] as number[] };
      Object.assign(globalThis, { seen });
      const agent = presage.connect(url, { from: 'oldest' });
      agent.messages({ types }).subscribe(({ sequence }) => seen.got.push(Number(sequence)));
    },
    { types: DURABLE, url },
  );
}

function seenThere(page: Page): Promise<{ got: number[] }> {
  return page.evaluate(() => (globalThis as unknown as { seen: { got: number[] } }).seen);
}

const inChromium = noChromium === undefined ? ' and in Chromium' : ` (not in Chromium: ${noChromium})`;
it(`gets each message once in Node${inChromium}, though the service is killed and started again`, async () => {
  const data = tempFolder();
  const { cli, url } = await watch(data, 0);
  const agent = connect(url, { from: 'oldest' });
  onTestFinished(() => agent.close());
  const states: string[] = [];
  agent.status$.subscribe(({ state }) => void states.push(state));
  const got = collect(agent);
  const page = noChromium === undefined ? await openClientPage(url) : undefined;
  if (page) await collectThere(page, url);
  const there = async (): Promise<readonly number[]> => (page ? (await seenThere(page)).got : got);
  const until = async (count: number): Promise<void> => {
    const waiting = { timeout: 45_000, interval: 50 };
    await vi.waitFor(async () => {
      expect(got.length).toBeGreaterThan(count);
      expect((await there()).length).toBeGreaterThan(count);
    }, waiting);
  };
  await until(10);
  cli.kill('SIGKILL');
  await cli.ended;
  const again = await watch(data, Number(new URL(url).port));
  await until(Math.max(got.length, (await there()).length) + 10);
  for (const sequences of [got, await there()])
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
  expect(states.slice(0, 3)).toEqual(['connecting', 'open', 'reconnecting']);
  expect(states.at(-1)).toBe('open');
  again.cli.kill('SIGINT');
  await again.cli.ended;
});
