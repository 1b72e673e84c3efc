import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ObjectMemory } from '../../src/memory/object-memory.js';
import { Tracker } from '../../src/memory/tracking/tracker.js';
import { Crowd } from '../../test/support/reasoner/crowd.js';
import { positive, type Bench } from '../support/bench.js';
import { table } from '../support/results.js';

const MB = 1e6;
const TENTHS = 10;
/** Saves, a second of media time apart, that are measured at the end of each tenth. */
const SAVES = 10;

interface Tenth {
  readonly hours: number;
  /** CPU time of tracker and memory, ms per update. */
  readonly msPerUpdate: number;
  readonly heapMb: number;
  readonly dump: Readonly<Record<string, number>>;
  /** Mean of the saves: what they write, as JSON, and what that takes. */
  readonly saveKb: number;
  readonly saveMs: number;
}

/** A day of media time through tracker and memory: percepts with boxes and embeddings of a busy scene, no pixels. */
export const memory: Bench = {
  options: { hours: '24', people: '12', fps: '5', embedding: '128', budget: '64' },
  run(options) {
    const [hours, people, fps] = [
      positive(options, 'hours'),
      positive(options, 'people'),
      positive(options, 'fps'),
    ];
    const budgetMb = positive(options, 'budget');
    const crowd = new Crowd({ seed: 1, people, fps, embeddingLength: positive(options, 'embedding') });
    const watched = new ObjectMemory(new Tracker(), { budgetMb });
    const collect = garbageCollector();
    collect();
    const before = heapBytes();
    const tenths: Tenth[] = [];
    for (let i = 0; i < TENTHS; i++) {
      tenths.push(
        passTenth(watched, crowd, { updates: (hours * 3600 * fps) / TENTHS, fps, collect, before }),
      );
      process.stderr.write(`${tenths.length} of ${TENTHS}: ${tenths.at(-1)?.heapMb.toFixed(1)} MB\n`);
    }
    return Promise.resolve(report(tenths, { people, fps, budgetMb }));
  },
};

function passTenth(
  watched: ObjectMemory,
  crowd: Crowd,
  { updates, fps, collect, before }: { updates: number; fps: number; collect: () => void; before: number },
): Tenth {
  let t = 0;
  let cpuUs = 0;
  const pass = (): void => {
    const percept = crowd.next();
    const start = process.cpuUsage();
    watched.update(percept);
    const { user, system } = process.cpuUsage(start);
    cpuUs += user + system;
    t = percept.t;
  };
  const timed = Math.floor(updates) - SAVES * fps;
  for (let i = 0; i < timed; i++) pass();
  const msPerUpdate = cpuUs / 1000 / timed;
  let [bytes, saveMs] = [0, 0];
  watched.saveChanges();
  for (let i = 0; i < SAVES; i++) {
    for (let k = 0; k < fps; k++) pass();
    const start = process.cpuUsage();
    bytes += JSON.stringify(watched.saveChanges()).length;
    const { user, system } = process.cpuUsage(start);
    saveMs += (user + system) / 1000;
  }
  collect();
  return {
    hours: t / 3600,
    msPerUpdate,
    heapMb: (heapBytes() - before) / MB,
    dump: watched.dump(),
    saveKb: bytes / SAVES / 1000,
    saveMs: saveMs / SAVES,
  };
}

function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** What objects and typed arrays take. */
function heapBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function report(
  tenths: readonly Tenth[],
  { people, fps, budgetMb }: { people: number; fps: number; budgetMb: number },
): string {
  const rows = tenths.map(({ hours, msPerUpdate, heapMb, dump, saveKb, saveMs }) => [
    hours.toFixed(1),
    heapMb.toFixed(1),
    ((dump['bytes'] ?? 0) / MB).toFixed(1),
    msPerUpdate.toFixed(2),
    ...['histories', 'forgottenHistories', 'events', 'relations', 'episodes'].map((key) =>
      String(dump[key] ?? 0),
    ),
    saveKb.toFixed(0),
    saveMs.toFixed(1),
  ]);
  const head = ['hours', 'heap, MB', 'by the model, MB', 'CPU ms per update', 'histories', 'forgotten'];
  return [
    `About ${people} objects in view, ${fps} percepts a second, budget ${budgetMb} MB. Heap: after a collection, above that at the start,`,
    'tracker and the simulated crowd included. Saved: what changed in a second, as JSON, and the CPU time that it takes.',
    '',
    table([...head, 'events', 'relations', 'episodes', 'saved a second, kB', 'CPU ms'], rows),
  ].join('\n');
}
