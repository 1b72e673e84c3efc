/** Questions about a zone, through every entrance: a running service, its data folder, a recording's messages, a recording. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { runCli, startCli } from '../support/cli.js';
import { tempFolder } from '../support/transport/temp-folder.js';

const RECORDING = fileURLToPath(new URL('../../examples/pedestrians.mp4', import.meta.url));
const CROSSING = [
  [0.3, 0.3],
  [0.7, 0.3],
  [0.7, 0.9],
  [0.3, 0.9],
];
const QUESTION = 'how many people entered the crossing?';
vi.setConfig({ testTimeout: 180_000 });

interface Counted {
  readonly text: string;
  readonly events: readonly string[];
}

async function ask(cwd: string, ...args: readonly string[]): Promise<Counted> {
  const { code, stdout, stderr } = await runCli(['ask', ...args, QUESTION, '--json'], { cwd });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const { text, evidence } = JSON.parse(stdout) as { text: string; evidence: { events: string[] }[] };
  return { text, events: evidence.flatMap(({ events }) => events) };
}

function placesFile(cwd: string): string {
  const path = join(cwd, 'places.json');
  writeFileSync(path, JSON.stringify({ zones: { crossing: CROSSING }, lines: {} }));
  return path;
}

it('answers alike from the messages of a recording and from the recording itself', async () => {
  const cwd = tempFolder();
  const places = placesFile(cwd);
  const out = join(cwd, 'out.jsonl');
  expect(await runCli(['analyze', RECORDING, '--places', places, '--out', out], { cwd })).toMatchObject({
    code: 0,
  });
  const fromMessages = await ask(cwd, out, '--places', places);
  expect(fromMessages.text).toMatch(/^\d+ /);
  expect(fromMessages.events.length).toBeGreaterThan(0);
  expect(await ask(cwd, RECORDING, '--places', places)).toEqual(fromMessages);
});

it('answers alike from a running service and from its data folder', async () => {
  const cwd = tempFolder();
  const zones = JSON.stringify({ crossing: CROSSING });
  writeFileSync(
    join(cwd, 'presage.yaml'),
    `server: {port: 0}\nlabels: [person]\nstreams:\n  - {id: street, source: ${RECORDING}, zones: ${zones}}\n`,
  );
  const cli = startCli(['serve'], { cwd });
  const [, url = ''] = await cli.says(/presage serves .* at (http:\S+)/);
  await vi.waitFor(
    async () => {
      const { streams } = (await (await fetch(`${url}v1/streams`)).json()) as {
        streams: { state: string }[];
      };
      expect(streams).toMatchObject([{ state: 'ended' }]);
    },
    { timeout: 90_000, interval: 250 },
  );
  const live = await ask(cwd, 'street', '--url', url.replace(/\/$/, ''));
  expect(live.text).toMatch(/^\d+ /);
  expect(live.events.length).toBeGreaterThan(0);
  cli.kill('SIGINT');
  await cli.ended;
  expect(await ask(cwd, 'street', '--data', join(cwd, '.presage'))).toEqual(live);
});
