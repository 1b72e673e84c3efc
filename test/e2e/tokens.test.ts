/** `presage token` while a service runs. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { expect, it, vi } from 'vitest';
import { expectFailure, runCli, startCli } from '../support/cli.js';
import { tempFolder } from '../support/transport/temp-folder.js';
import { WsClient } from '../support/transport/ws-client.js';

vi.setConfig({ testTimeout: 120_000 });

it('makes, lists and revokes tokens, with effect on a service that runs', async () => {
  const cwd = tempFolder();
  const service = startCli(['serve', '--port', '0', '--log-level', 'debug'], { cwd });
  const [, url = ''] = await service.says(/presage serves no stream yet at (http:\S+)/);
  await service.says(/add one while it runs:\n {2}curl http/);
  expect((await fetch(`${url}v1/streams`)).status).toBe(200);

  const made = await runCli(['token', 'create', 'robot', '--scopes', 'read:*', '--expires', '30d'], { cwd });
  expect(made).toMatchObject({ code: 0 });
  const token = made.stdout.trim();
  expect(token).toMatch(/^presage_[\w-]{43}$/);
  expect(made.stderr).toMatch(/"robot" may read:\* until 20\d\d-.*not shown again/);
  const files = readdirSync(join(cwd, '.presage', 'tokens'));
  expect(files).toEqual(['robot.json']);
  expect(readFileSync(join(cwd, '.presage', 'tokens', 'robot.json'), 'utf8')).not.toContain(token);

  const ask = (): Promise<Response> =>
    fetch(`${url}v1/streams`, { headers: { authorization: `Bearer ${token}` } });
  expect((await fetch(`${url}v1/streams`)).status).toBe(401);
  expect((await ask()).status).toBe(200);
  const listed = await runCli(['token', 'list'], { cwd });
  expect(listed.stdout).toMatch(/^robot {2}read:\* {2}made 20\d\d-\S+ \S+ UTC, expires 20\d\d/);
  expect(listed.stdout).not.toContain(token);

  expect(await runCli(['token', 'revoke', 'robot'], { cwd })).toMatchObject({ code: 0 });
  await vi.waitFor(async () => expect((await ask()).status).toBe(401), { timeout: 1000, interval: 50 });
  expect((await runCli(['token', 'list'], { cwd })).stdout).toBe('there are no tokens\n');
  service.kill('SIGINT');
  const end = await service.ended;
  expect(end.code).toBe(130);
  expect(end.stderr).toContain('"request"');
  expect(end.stderr + end.stdout).not.toContain(token);
});

it('ends what a revoked token has open within a second', async () => {
  const cwd = tempFolder();
  const { stdout } = await runCli(['token', 'create', 'viewer'], { cwd });
  const service = startCli(['watch', '--port', '0'], { cwd });
  const [, url = ''] = await service.says(/messages {2}(ws:\S+)/);
  const client = await new WsClient(`${url}&access_token=${stdout.trim()}`).opened();
  await client.until(({ messages }) => messages.length > 0);
  expect(await runCli(['token', 'revoke', 'viewer'], { cwd })).toMatchObject({ code: 0 });
  const revoked = performance.now();
  if (client.closed === undefined) await once(client.socket, 'close');
  expect(performance.now() - revoked).toBeLessThan(1000);
  expect(client.closed?.code).toBe(1008);
  service.kill('SIGINT');
  await service.ended;
  await service.leavesNothing();
});

it('says what is wrong with a name, a scope, a time, and a token that is not there', async () => {
  const cwd = tempFolder();
  const create = (...args: string[]): ReturnType<typeof runCli> =>
    runCli(['token', 'create', ...args], { cwd });
  expectFailure(await create('../x'), 2, /"\.\.\/x" is no name/);
  expectFailure(
    await create('a', '--scopes', 'write:*'),
    2,
    /--scopes: got "write:\*", expected .*publish:\*/,
  );
  expectFailure(await create('a', '--expires', 'soon'), 2, /--expires: got "soon", expected a duration/);
  expectFailure(await create('a', '--expires', '2020-01-01'), 2, /has passed already/);
  expectFailure(await runCli(['token', 'revoke', 'a'], { cwd }), 1, /no token "a"/);
  expect(await create('a')).toMatchObject({ code: 0 });
  expectFailure(await create('a'), 1, /There is a token "a" already/);
});
