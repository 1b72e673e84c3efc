import path from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Bench } from './support/bench.js';
import { crash } from './endurance/crash.js';
import { fanOut } from './fan-out/fan-out.js';
import { latency } from './speed/latency.js';
import { liveLatency } from './speed/live-latency.js';
import { describeCommit, MachineWatch } from './support/machine.js';
import { masks } from './quality/masks.js';
import { model } from './model/model.js';
import { modelLive } from './model/model-live.js';
import { objects } from './speed/objects.js';
import { overlay } from './overlay/overlay.js';
import { peer } from './peer/peer.js';
import { proposals } from './quality/proposals.js';
import { memory } from './endurance/memory.js';
import { quality } from './quality/quality.js';
import { CARD_SECTION, MODEL_CARD, writeSection } from './support/results.js';
import { resume } from './endurance/resume.js';
import { soak } from './endurance/soak.js';
import { structure } from './structure/structure.js';
import { streams } from './speed/streams.js';
import { throughput } from './speed/throughput.js';
import { zones } from './speed/zones.js';

const BENCHES: Readonly<Record<string, Bench>> = {
  throughput,
  peer,
  latency,
  'live-latency': liveLatency,
  streams,
  objects,
  overlay,
  soak,
  memory,
  quality,
  proposals,
  crash,
  masks,
  model,
  'model-live': modelLive,
  'fan-out': fanOut,
  resume,
  structure,
  zones,
};

/** Runs the bench of that name, prints its section and writes it into RESULTS.md. */
async function main([name = '', ...args]: readonly string[]): Promise<void> {
  const bench = BENCHES[name];
  if (!bench) {
    throw new Error(`got "${name}", expected the name of a bench: ${Object.keys(BENCHES).join(', ')}`);
  }
  const options = parse(bench, args);
  const machine = new MachineWatch();
  const commit = describeCommit();
  const result = await bench.run(options);
  const { body, card } = typeof result === 'string' ? { body: result, card: undefined } : result;
  const about = [
    `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, ${commit}`,
    machine.describe(),
    `\`npm run bench -- ${[name, ...args.map(shorten)].join(' ')}\``,
  ];
  writeSection({ name, about, body });
  if (card !== undefined) writeSection({ name: CARD_SECTION, about, body: card }, MODEL_CARD);
  process.stdout.write(`\n${about.join('\n')}\n\n${body}\n`);
}

/** Where files lie on this machine is nobody's concern; an argument may be a list such as `NAME=DIR,NAME=DIR`. */
function shorten(argument: string): string {
  const one = (text: string): string => (path.isAbsolute(text) ? `…/${path.basename(text)}` : text);
  return argument
    .split(',')
    .map((part) => part.split('=').map(one).join('='))
    .join(',');
}

function parse(bench: Bench, args: readonly string[]): Record<string, string> {
  const options: ParseArgsConfig['options'] = Object.fromEntries(
    Object.keys(bench.options).map((key) => [key, { type: 'string' as const }]),
  );
  const { values } = parseArgs({ args: [...args], options, strict: true });
  return { ...bench.options, ...(values as Record<string, string>) };
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
