/** The examples of consuming, as they are, against one real service. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startCli } from '../support/cli.js';
import { Mosquitto, noMosquitto } from '../support/mqtt/mosquitto.js';
import { RtspServer, rtspUnavailable } from '../support/video/rtsp-server.js';
import { tempFolder } from '../support/transport/temp-folder.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SECRET = `whsec_${Buffer.from('a secret of an example').toString('base64')}`;
const noRtsp = rtspUnavailable();
vi.setConfig({ testTimeout: 120_000 });

interface Example {
  readonly child: ChildProcess;
  readonly lines: () => string;
}

function run(name: string, ...args: readonly string[]): Example {
  const child = spawn(process.execPath, [join(ROOT, 'examples', name), ...args], {
    cwd: ROOT,
    env: { ...process.env, WEBHOOK_SECRET: SECRET },
  });
  let lines = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (lines += text));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, lines: () => lines };
}

function says(example: Example, pattern: RegExp): Promise<RegExpExecArray> {
  return vi.waitFor(
    () => {
      const found = pattern.exec(example.lines());
      expect(example.lines()).toMatch(pattern);
      return found as RegExpExecArray;
    },
    { timeout: 60_000, interval: 50 },
  );
}

it('subscribes, stops a robot, takes webhooks and adds streams', async () => {
  const cwd = tempFolder();
  const receiver = run('webhook-receiver.mjs', '--port', '0');
  const [, port = ''] = await says(receiver, /listening on (\d+)/);
  writeFileSync(
    join(cwd, 'presage.yaml'),
    [
      'server: {port: 0}',
      'labels: [person]',
      'streams:',
      `  - {id: street, source: ${join(ROOT, 'examples/pedestrians.mp4')}}`,
      'webhooks:',
      `  - {url: "http://127.0.0.1:${port}/", secret: env:WEBHOOK_SECRET, types: [event.observed], allowPrivate: true}`,
    ].join('\n'),
  );
  const cli = startCli(['serve', '--reasoner', 'rules'], { cwd, env: { WEBHOOK_SECRET: SECRET } });
  const [, url = ''] = await cli.says(/presage serves .* at (http:\S+)/);
  const subscriber = run(
    'subscriber.mjs',
    '--url',
    url,
    '--from',
    'oldest',
    '--count',
    '3',
    '--probability',
    '0.05',
  );
  const robot = run(
    'robot-stop.mjs',
    '--url',
    url,
    '--stream',
    'street',
    '--type',
    'exit',
    '--probability',
    '0.01',
    '--lead',
    '60',
  );
  await says(robot, /^drive$/m);
  await says(robot, /^stop: exit of o\d+ within/m);
  await says(subscriber, /^street \d+\.\d s: person #\d+ \w+$/m);
  await says(receiver, /^street:\d+ presage\.event\.observed\.v1 \{"event"/m);
  expect(receiver.lines()).not.toContain('refused');
  const forged = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{"id":"x"}' });
  expect(forged.status).toBe(401);
  if (noRtsp === undefined) {
    const added = run('add-stream.mjs', 'camera', (await RtspServer.start()).url(), '--url', url);
    await vi.waitFor(async () => {
      const { state } = (await (await fetch(`${url}v1/streams/camera`)).json()) as { state: string };
      expect(state, added.lines()).toBe('live');
    }, 30_000);
  }
  cli.kill('SIGKILL');
  await says(robot, /^stop: .*(?:connection is reconnecting|nothing seen)/m);
});

it.skipIf(noMosquitto)(
  `tells Home Assistant, and the broker says so when the service is killed${noMosquitto ? ` (${noMosquitto})` : ''}`,
  async () => {
    const cwd = tempFolder();
    const broker = await Mosquitto.start(tempFolder());
    const { topics } = await broker.listen();
    const example = readFileSync(join(ROOT, 'examples/home-assistant.yaml'), 'utf8');
    const config = join(cwd, 'home-assistant.yaml');
    writeFileSync(
      config,
      example.replace('mqtt://127.0.0.1:1883', broker.url).replaceAll('examples/', `${ROOT}examples/`),
    );
    const { user, password } = broker.login;
    const env = { PRESAGE_MQTT_USER: user, PRESAGE_MQTT_PASSWORD: password };
    const cli = startCli(['serve', '--config', config, '--port', '0', '--reasoner', 'rules'], { cwd, env });
    const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 45_000, interval: 50 });
    await until(() => expect(Number(topics.get('presage/street/all/person'))).toBeGreaterThan(0));
    await until(() => expect(topics.has('presage/street/events')).toBe(true));
    expect(topics.get('presage/available')).toBe('online');
    expect(topics.has('homeassistant/binary_sensor/presage_street_zone_crossing_occupancy/config')).toBe(
      true,
    );
    cli.kill('SIGKILL');
    await until(() => expect(topics.get('presage/available')).toBe('offline'));
  },
);
