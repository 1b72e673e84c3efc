/** `presage serve` with the streams of a presage.yaml. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { startCli, type Cli } from '../support/cli.js';
import { tempFolder } from '../support/transport/temp-folder.js';
import { WsClient } from '../support/transport/ws-client.js';

const RECORDING = fileURLToPath(new URL('../../examples/pedestrians.mp4', import.meta.url));
vi.setConfig({ testTimeout: 120_000 });

async function serve(streams: string): Promise<{ cli: Cli; url: string; cwd: string }> {
  const cwd = tempFolder();
  writeFileSync(join(cwd, 'presage.yaml'), `server: {port: 0}\nlabels: [person]\nstreams:\n${streams}`);
  const cli = startCli(['serve'], { cwd });
  const [, url = ''] = await cli.says(/presage serves .* at (http:\S+)/);
  return { cli, url, cwd };
}

async function streamsAt(url: string): Promise<{ id: string; state: string; reason?: string }[]> {
  const answer = (await (await fetch(`${url}v1/streams`)).json()) as {
    streams: { id: string; state: string; reason?: string }[];
  };
  return answer.streams;
}

function clientOf(url: string, id: string): Promise<WsClient> {
  return new WsClient(`${url.replace(/^http/, 'ws')}v1/streams/${id}/events?from=oldest`).opened();
}

it('serves two streams side by side, each with its own messages, until Ctrl-C', async () => {
  const zones = 'zones: {all: [[0, 0], [1, 0], [1, 1], [0, 1]]}';
  const { cli, url } = await serve(
    `  - {id: east, source: ${RECORDING}}\n  - {id: west, source: ${RECORDING}, ${zones}}\n`,
  );
  expect(cli.stdout).toMatch(/^presage serves east, west at http:\/\/127\.0\.0\.1:\d+\/$/m);
  expect((await streamsAt(url)).map(({ id }) => id)).toEqual(['east', 'west']);
  await cli.hasHelpers(2);
  for (const id of ['east', 'west']) {
    const client = await clientOf(url, id);
    await client.until(({ messages }) => messages.some(({ type }) => type === 'presage.event.observed.v1'));
    expect(new Set(client.messages.map(({ source }) => source))).toEqual(new Set([`/streams/${id}`]));
    const labels = client.messages.flatMap((message) =>
      message.type === 'presage.event.observed.v1'
        ? message.data.event.participants.map(({ label }) => label)
        : [],
    );
    expect(new Set(labels)).toEqual(new Set(['person']));
  }
  expect((await fetch(`${url}v1/streams/north`)).status).toBe(404);
  cli.kill('SIGINT');
  expect(await cli.ended).toMatchObject({ code: 130, signal: null, stderr: '' });
  await cli.leavesNothing();
});

it('goes on with a stream when another one fails, and says which and why', async () => {
  const folder = tempFolder();
  const text = join(folder, 'text.mp4');
  writeFileSync(text, 'this is no video\n'.repeat(50));
  const { cli, url } = await serve(`  - {id: good, source: ${RECORDING}}\n  - {id: bad, source: ${text}}\n`);
  const client = await clientOf(url, 'good');
  await client.until(({ messages }) => messages.some(({ type }) => type === 'presage.event.observed.v1'));
  await vi.waitFor(async () => {
    const bad = (await streamsAt(url)).find(({ id }) => id === 'bad');
    expect(bad).toMatchObject({ state: 'failed' });
    expect(bad?.reason).toMatch(/text\.mp4: it is not a video/);
  }, 30_000);
  expect(await (await fetch(`${url}healthz`)).json()).toMatchObject({ status: 'degraded' });
  const count = client.messages.length;
  await client.until(({ messages }) => messages.length > count);
  cli.kill('SIGINT');
  expect(await cli.ended).toMatchObject({ code: 130, signal: null });
  await cli.leavesNothing();
});

it('ends with 0 after SIGTERM: a service manager counts anything else as a failure', async () => {
  const { cli, url } = await serve(`  - {id: east, source: ${RECORDING}}\n`);
  const client = await clientOf(url, 'east');
  await client.until(({ messages }) => messages.length > 0);
  cli.kill('SIGTERM');
  expect(await cli.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  await cli.leavesNothing();
});
