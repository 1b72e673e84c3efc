/** Modes of the files and folders of a data folder. */
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { EvidenceStore } from '../../../src/transport/archive/evidence-store.js';
import { DurableLog } from '../../../src/transport/log/durable-log.js';
import { DeadLetters } from '../../../src/transport/webhooks/dead-letters.js';
import { tempFolder } from '../../support/transport/temp-folder.js';

let umask: number;
// The most permissive mask: nothing but the code narrows a mode.
beforeEach(() => (umask = process.umask(0)));
afterEach(() => process.umask(umask));

function modesBelow(folder: string): Record<string, string> {
  const modes: Record<string, string> = { '.': modeOf(folder) };
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    modes[entry] = modeOf(join(folder, entry));
  }
  return modes;
}

function modeOf(path: string): string {
  const stats = statSync(path);
  return `${stats.isDirectory() ? 'folder' : 'file'} ${(stats.mode & 0o777).toString(8)}`;
}

it('creates the data folder and everything in it for its owner only', async () => {
  const folder = join(tempFolder(), 'deep', 'data');
  const log = await DurableLog.open({ folder });
  const evidence = new EvidenceStore(log, { folder, maxAgeMs: 1e9, maxBytes: 1e9 });
  await evidence.put('cam1', 'e1', 1, 1, new Uint8Array(3));
  await new DeadLetters(join(folder, 'webhook-dead.jsonl')).add({
    ...{ at: '2026-01-01T00:00:00Z', webhook: 'w', attempts: 1, reason: 'refused', message: {} },
  });
  log.save('cam1', 'key', 1);
  log.flush();
  const modes = modesBelow(folder);
  expect(Object.keys(modes)).toEqual(expect.arrayContaining(['messages.db-wal', 'messages.db-shm']));
  expect(new Set(Object.values(modes))).toEqual(new Set(['folder 700', 'file 600']));
  await log.close();
});

it('narrows a data folder that an earlier version created wider', async () => {
  const folder = join(tempFolder(), 'data');
  await (await DurableLog.open({ folder })).close();
  chmodSync(folder, 0o755);
  chmodSync(join(folder, 'messages.db'), 0o644);
  await (await DurableLog.open({ folder })).close();
  expect(modesBelow(folder)).toMatchObject({ '.': 'folder 700', 'messages.db': 'file 600' });
});

it('leaves the mode of a folder alone that holds other things too', async () => {
  const folder = join(tempFolder(), 'home');
  mkdirSync(folder, { mode: 0o755 });
  writeFileSync(join(folder, 'letter.txt'), 'not ours');
  await (await DurableLog.open({ folder })).close();
  expect(modesBelow(folder)).toMatchObject({ '.': 'folder 755', 'messages.db': 'file 600' });
});
