/** Streams that come and go by the HTTP API of `presage serve`, with real video. */
import { copyFileSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { startCli, type Cli } from '../support/cli.js';
import { tempFolder } from '../support/transport/temp-folder.js';
import { WsClient } from '../support/transport/ws-client.js';

const RECORDING = fileURLToPath(new URL('../../examples/pedestrians.mp4', import.meta.url));
vi.setConfig({ testTimeout: 180_000 });

type Json = Record<string, unknown>;
interface Answer {
  status: number;
  body: Json;
}

async function serve(cwd: string): Promise<{ cli: Cli; url: string }> {
  const cli = startCli(['serve', '--port', '0', '--api-files', 'videos'], { cwd });
  const [, url = ''] = await cli.says(/presage serves .* at (http:\S+)\/$/m);
  return { cli, url };
}

async function send(method: string, url: string, body?: unknown): Promise<Answer> {
  const reply = await fetch(url, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });
  const text = await reply.text();
  return { status: reply.status, body: text === '' ? {} : (JSON.parse(text) as Json) };
}

function folderWithVideos(): string {
  const cwd = tempFolder();
  mkdirSync(join(cwd, 'videos'));
  copyFileSync(RECORDING, join(cwd, 'videos', 'street.mp4'));
  return cwd;
}

const items = ({ body }: Answer): Json[] => body['items'] as Json[];
const WHOLE: [number, number][] = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];
const EAST: [number, number][] = [
  [0.5, 0],
  [1, 0],
  [1, 1],
  [0.5, 1],
];

it('makes a stream, changes its zones, pauses it, and has it again after a restart', async () => {
  const cwd = folderWithVideos();
  const first = await serve(cwd);
  const streams = `${first.url}/v1/streams`;
  const made = await send('POST', streams, { id: 'street', source: 'street.mp4', loop: true });
  expect(made).toMatchObject({ status: 201, body: { id: 'street', origin: 'api', paused: false } });
  expect(await send('POST', streams, { id: 'street', source: 'street.mp4' })).toMatchObject({
    status: 409,
    body: { error: { code: 'conflict' } },
  });
  const events = `${first.url.replace(/^http/, 'ws')}/v1/streams/street/events?from=oldest`;
  const client = await new WsClient(events).opened();
  const told = (type: string): Json[] =>
    client.messages.filter((message) => message.type === `presage.${type}.v1`) as unknown as Json[];
  await client.until(() => told('event.observed').length > 3);

  // Zones while it runs: objects stay who they are, events of the zone begin.
  const street = `${streams}/street`;
  const runsBefore = told('stream.state').length;
  expect(await send('PUT', `${street}/places`, { zones: { east: EAST } })).toEqual({
    status: 200,
    body: { zones: { east: EAST }, lines: {} },
  });
  await client.until(() => JSON.stringify(told('event.observed')).includes('"zone":"east"'));
  expect(told('stream.state').filter(({ data }) => (data as Json)['state'] === 'connecting')).toHaveLength(1);
  expect(told('stream.state').length).toBeGreaterThanOrEqual(runsBefore);

  // Paused: the source is closed, which is told; memory, sequence and subscribers stay.
  const paused = await send('PATCH', street, { paused: true });
  expect(paused).toMatchObject({ status: 200, body: { state: 'ended', reason: 'paused', paused: true } });
  await first.cli.hasHelpers(0);
  await client.until(() => told('stream.state').some(({ data }) => (data as Json)['reason'] === 'paused'));
  const objects = (await send('GET', `${street}/objects`)).body;
  expect((objects['was'] as Json[]).length + (objects['here'] as Json[]).length).toBeGreaterThan(3);
  const last = client.last();
  expect(await send('PATCH', street, { paused: false })).toMatchObject({ body: { paused: false } });
  await client.until(() => client.last() > last + 3);
  expect(client.sequences()).toEqual(client.sequences().map((_, i) => i + 1));
  client.socket.close();
  first.cli.kill('SIGINT');
  await first.cli.ended;

  const second = await serve(cwd);
  expect(second.cli.stdout).toMatch(/presage serves street at/);
  const again = `${second.url}/v1/streams/street`;
  expect((await send('GET', `${again}/places`)).body).toEqual({ zones: { east: EAST }, lines: {} });
  await vi.waitFor(async () => {
    const { body } = await send('GET', again);
    expect(body).toMatchObject({ state: 'live', origin: 'api' });
    expect(Number(body['lastSequence'])).toBeGreaterThan(last + 3);
  }, 60_000);
  expect(statSync(join(cwd, '.presage', 'streams.json')).mode & 0o777).toBe(0o600);
  expect(await send('DELETE', again)).toEqual({ status: 204, body: {} });
  expect(await send('GET', again)).toMatchObject({ status: 404 });
  await second.cli.hasHelpers(0);
  expect(readFileSync(join(cwd, '.presage', 'streams.json'), 'utf8')).not.toContain('street');
  second.cli.kill('SIGINT');
  await second.cli.ended;
  await second.cli.leavesNothing();
});

it('answers what happened, page by page, and refuses what the API may not name', async () => {
  const cwd = folderWithVideos();
  const secret = join(cwd, 'secret.mp4');
  copyFileSync(RECORDING, secret);
  symlinkSync(secret, join(cwd, 'videos', 'link.mp4'));
  writeFileSync(
    join(cwd, 'presage.yaml'),
    `streams:\n  - {id: gone, source: no.mp4}\n  - {id: good, source: ${RECORDING}, zones: {all: ${JSON.stringify(WHOLE)}}}\n`,
  );
  const { cli, url } = await serve(cwd);
  const streams = `${url}/v1/streams`;
  // One that is missing does not keep the others from running.
  await vi.waitFor(async () => {
    const { body } = await send('GET', `${streams}/gone`);
    expect(body).toMatchObject({
      state: 'failed',
      reason: 'no.mp4: there is no such file',
      origin: 'config',
    });
  });
  for (const source of [
    '../secret.mp4',
    secret,
    `file://${secret}`,
    'link.mp4',
    'none.mp4',
    'webcam:/etc/passwd',
  ]) {
    const answer = await send('POST', streams, { id: 'bad', source });
    expect(answer, source).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } });
  }
  expect(await send('DELETE', `${streams}/good`)).toMatchObject({ status: 409 });
  const camera = await send('POST', streams, {
    id: 'cam',
    source: 'rtsp://user:hunter2@127.0.0.1:9/x?token=tok3n',
  });
  expect(camera).toMatchObject({ status: 201, body: { source: 'rtsp://***@127.0.0.1:9/x?token=***' } });
  await vi.waitFor(async () => {
    const { body } = await send('GET', `${streams}/cam`);
    expect(body['state']).toBe('reconnecting');
    expect(JSON.stringify(body)).not.toMatch(/hunter2|tok3n/);
  }, 30_000);

  const good = `${streams}/good`;
  await vi.waitFor(async () => {
    const { body } = await send('GET', `${good}/predictions?outcome=hit`);
    expect((body['items'] as Json[]).length).toBeGreaterThan(0);
  }, 90_000);
  const idOf = (item: Json): string => (item['event'] as Json)['id'] as string;
  const all = await send('GET', `${good}/events?limit=1000&to=3`);
  const pages: Json[] = [];
  for (let before = ''; ;) {
    const page = await send('GET', `${good}/events?limit=3&to=3${before}`);
    pages.push(...items(page));
    if (page.body['next'] === undefined) break;
    before = `&before=${String(page.body['next'])}`;
  }
  expect(pages.map(idOf)).toEqual(items(all).map(idOf));
  expect(new Set(pages.map(idOf)).size).toBe(pages.length);
  const [enter] = items(await send('GET', `${good}/events?type=enter&limit=1`));
  if (enter === undefined) throw new Error('nobody entered');
  const detail = await send('GET', `${good}/events/${idOf(enter)}`);
  expect(detail).toMatchObject({ status: 200, body: { event: { type: 'enter' }, predictions: [] } });
  const [hit] = items(await send('GET', `${good}/predictions?outcome=hit&limit=1`));
  const prediction = hit?.['prediction'] as { eventId: string; id: string };
  const foretold = await send('GET', `${good}/events/${prediction.eventId}`);
  expect(foretold.body['predictions']).toEqual(
    expect.arrayContaining([expect.objectContaining({ id: prediction.id })]),
  );
  const [explained] = items(await send('GET', `${good}/explanations?limit=1`));
  expect(explained).toMatchObject({ explanation: { of: expect.stringMatching(/^e\d+$/) as string } });
  expect(await send('GET', `${good}/events/e999999`)).toMatchObject({ status: 404 });
  expect(await send('GET', `${good}/events?colour=red`)).toMatchObject({
    status: 400,
    body: { error: { code: 'bad_request', message: 'There is no field "colour"' } },
  });
  cli.kill('SIGINT');
  await cli.ended;
  await cli.leavesNothing();
});
