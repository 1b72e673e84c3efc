/** `presage watch` as a user runs it, with real clients, signals and a real recording. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { expectFailure, runCli, startCli, type Cli } from '../support/cli.js';
import { isRunning } from '../support/child-processes.js';
import { tempFolder } from '../support/transport/temp-folder.js';
import { lumaRamp, makeClip } from '../support/video/video.js';
import { refusedUpgrade, WsClient } from '../support/transport/ws-client.js';

const RECORDING = fileURLToPath(new URL('../../examples/pedestrians.mp4', import.meta.url));
vi.setConfig({ testTimeout: 120_000 });

/** A running `watch` of the recording, and its address. */
async function watch(
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<{ cli: Cli; url: string }> {
  const cli = startCli(['watch', RECORDING, '--port', '0', ...args], { cwd: tempFolder(), env });
  const [, url = ''] = await cli.says(/page +(http:\S+)/);
  return { cli, url };
}

function eventsAt(url: string): string {
  return `${url.replace(/^http/, 'ws')}v1/streams/cam1/events?from=oldest`;
}

describe('watch', () => {
  it('tells clients what it sees, answers for its health and stops at Ctrl-C, leaving nothing', async () => {
    const { cli, url } = await watch();
    const client = await new WsClient(eventsAt(url)).opened();
    await client.until(({ messages }) => messages.some(({ type }) => type === 'presage.event.observed.v1'));
    expect(client.sequences()).toEqual(client.sequences().map((_, index) => index + 1));

    const health = (await (await fetch(`${url}healthz`)).json()) as object;
    expect(health).toMatchObject({ version: '0.1.0', clients: { connected: 1 } });
    expect(health).toMatchObject({ streams: [{ id: 'cam1', source: RECORDING }] });
    expect((await fetch(`${url}readyz`)).status).toBe(200);
    expect(await (await fetch(url)).text()).toMatch(/^<!doctype html>/i);

    const helpers = await cli.hasHelpers(1);
    cli.kill('SIGINT');
    const { code, signal, stdout, stderr } = await cli.ended;
    expect({ code, signal, stderr }).toEqual({ code: 130, signal: null, stderr: '' });
    expect(stdout).toMatch(/^presage watches .*pedestrians\.mp4$/m);
    expect(stdout).toMatch(/● \w+ #\d+ entered$/m);
    expect(helpers.filter(isRunning)).toEqual([]);
    await cli.leavesNothing();
    await client.until(({ closed }) => closed !== undefined);
    expect(client.closed?.code).toBe(1001);
  });

  it('first prints its source, then each step that it waits for, then the first account', async () => {
    const { cli } = await watch();
    await cli.says(/● stream live/);
    const lines = cli.stdout.split('\n').map((line) => line.trim());
    const steps = [
      /^presage watches .*pedestrians\.mp4$/,
      /^loading the server and the model runtime \.\.\.$/,
      /^opening the data folder \S+ \.\.\.$/,
      /^loading the detector \.\.\.$/,
      /^loading the reasoner \(\w+\) \.\.\.$/,
      /^\S+ on cpu, \d threads?$/,
    ];
    for (const [index, step] of steps.entries()) expect(lines[index]).toMatch(step);
  });

  it('prints its account in ASCII where the locale is not UTF-8', async () => {
    const { cli } = await watch([], { LC_ALL: 'C' });
    await cli.says(/\* \w+ #\d+ entered$/m);
    const account = cli.stdout.slice(cli.stdout.indexOf('Ctrl-C'));
    expect(account).not.toMatch(/[^\n -~]/);
  });

  it('shows what the pipeline and the transport did at /metrics', async () => {
    const { url } = await watch();
    const client = await new WsClient(eventsAt(url)).opened();
    await client.until(({ messages }) => messages.length >= 3);
    const text = await (await fetch(`${url}metrics`)).text();
    const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    expect(value('presage_clients')).toBe(1);
    expect(value('presage_client_messages_sent_total')).toBeGreaterThanOrEqual(3);
    expect(value('presage_log_messages_total')).toBeGreaterThan(0);
    expect(value('presage_log_errors_total')).toBe(0);
    expect(value('presage_stream_up\\{stream="cam1"\\}')).toBe(1);
    expect(value('presage_frames_processed_total\\{stream="cam1"\\}')).toBeGreaterThan(0);
  });

  it.each([
    ['SIGTERM', 0],
    ['SIGHUP', 130],
  ] as const)('stops at %s with exit code %i', async (signal, code) => {
    const { cli } = await watch();
    await cli.says(/stream live/);
    cli.kill(signal);
    expect(await cli.ended).toMatchObject({ code, signal: null, stderr: '' });
    await cli.leavesNothing();
  });

  it('stops at Ctrl-C while it is still loading', async () => {
    const cli = startCli(['watch', RECORDING, '--port', '0'], { cwd: tempFolder() });
    // Its first helper is the ffmpeg that is asked for its version.
    await vi.waitFor(() => expect(cli.helpers()).not.toEqual([]), { timeout: 30_000, interval: 2 });
    cli.kill('SIGINT');
    const startMs = performance.now();
    expect(await cli.ended).toMatchObject({ code: 130, signal: null, stderr: '' });
    // A stop that goes unnoticed is forced after ten seconds.
    expect(performance.now() - startMs).toBeLessThan(9000);
    await cli.leavesNothing();
  });

  it('ends at once at a second Ctrl-C, quietly and with nothing left', async () => {
    const { cli } = await watch(['--canvas', '640']);
    await cli.says(/stream live/);
    cli.kill('SIGINT');
    await cli.says(/stream ended/);
    cli.kill('SIGINT');
    const { code, signal, stderr } = await cli.ended;
    // Where the second one came too late, the first has ended it.
    expect([130, 'SIGINT']).toContain(code ?? signal);
    expect(stderr).toBe('');
    await cli.leavesNothing();
  });

  it('ends with 0 when the recording has ended', async () => {
    const cwd = tempFolder();
    await makeClip(join(cwd, 'short.mp4'), { lumas: lumaRamp(10), output: ['-c:v', 'libx264'] });
    const { code, stdout, stderr } = await runCli(['watch', 'short.mp4', '--port', '0'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/stream ended/);
  });

  it('takes its ffmpeg along when it is killed', async () => {
    const { cli } = await watch(['--loop']);
    await cli.says(/stream live/);
    const helpers = await cli.hasHelpers(1);
    cli.kill('SIGKILL');
    expect(await cli.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
    await vi.waitFor(() => expect(helpers.filter(isRunning)).toEqual([]), { timeout: 10_000 });
  });

  it('goes on from its log when it is started again', async () => {
    const data = tempFolder();
    const first = await watch(['--data', data]);
    const client = await new WsClient(eventsAt(first.url)).opened();
    await client.until(({ messages }) => messages.some(({ sequence }) => Number(sequence) >= 3));
    first.cli.kill('SIGINT');
    await first.cli.ended;
    const second = await watch(['--data', data]);
    const again = await new WsClient(eventsAt(second.url)).opened();
    await again.until(({ messages }) => messages.length >= client.messages.length);
    const kept = client.messages.filter(({ sequence }) => sequence !== undefined);
    expect(again.messages.slice(0, 3)).toEqual(kept.slice(0, 3));
    expect(again.sequences()).toEqual(again.sequences().map((_, index) => index + 1));
  });

  it('names a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const end = await runCli(['watch', RECORDING, '--port', String(port)], { cwd: tempFolder() });
    server.close();
    expectFailure(end, 1, new RegExp(`${port}.*in use`, 'i'));
  });
});

describe('watch for other machines', () => {
  it('lets in who shows the token, from the environment, and tells others nothing', async () => {
    const token = 'a-token-of-some-length';
    const { cli, url } = await watch(['--host', '0.0.0.0'], { PRESAGE_TOKEN: token });
    const local = url.replace(/\/\/[^/]*:/, '//127.0.0.1:');
    expect((await fetch(`${local}v1/streams`)).status).toBe(401);
    expect((await refusedUpgrade(eventsAt(local))).status).toBe(401);
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${local}v1/streams`, { headers })).status).toBe(200);
    const client = await new WsClient(eventsAt(local), { headers }).opened();
    await client.until(({ messages }) => messages.length > 0);
    cli.kill('SIGINT');
    const { code, stdout } = await cli.ended;
    expect(code).toBe(130);
    expect(stdout).not.toContain(token);
  });
});
