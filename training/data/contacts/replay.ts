/**
 * Analyses the percepts of `perceive.ts` as `presage analyze --reasoner rules` does and writes OUT/sSEED.jsonl. It is fast, so it
 * can be repeated whenever the tracker or the contact classifier has changed.
 *
 *   npx tsx training/data/contacts/replay.ts SCENES OUT
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ReplayAnalyzer } from '../../../bench/replay/analyze-replay.js';
import type { Percept } from '../../../src/core/percept.js';
import { readScene, scenePaths } from './scene.js';

const [folder, out] = process.argv.slice(2);
if (!folder || !out) throw new Error('usage: replay.ts SCENES OUT');
await mkdir(out, { recursive: true });
const analyzer = await ReplayAnalyzer.open({ name: 'rules', mode: 'rules' });
const info = { model: 'perceive.ts', sha256: '', device: 'cpu', workers: 1, canvas: [416, 416] } as const;
for (const path of await scenePaths(folder)) {
  const saved = path.replace('.json', '.percepts.jsonl');
  if (!existsSync(saved)) continue;
  const percepts = (await readFile(saved, 'utf8')).trimEnd().split('\n');
  const recording = {
    info,
    fps: (await readScene(path)).fps,
    percepts: percepts.map((line) => JSON.parse(line) as Percept),
  };
  const name = basename(path, '.json');
  await analyzer.analyze(name, recording, join(out, `${name}.jsonl`));
}
await analyzer.close();
process.exit(0);
