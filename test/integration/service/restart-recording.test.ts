/** A restart in the middle of the example recording: what goes on exactly, and what a stream makes of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.js';
import type { PresageError } from '../../../src/core/errors.js';
import type { Draft } from '../../../src/core/messages.js';
import type { MemoryUpdate, Places } from '../../../src/core/memory.js';
import type { Percept } from '../../../src/core/percept.js';
import { continuationOf, MEMORY_PREFIX, POSITION_KEY } from '../../../src/service/session/continuation.js';
import { ReasonerModels } from '../../../src/service/reasoner-models.js';
import { StreamSession } from '../../../src/service/session/stream-session.js';
import { openSource } from '../../../src/ingest/open-source.js';
import { findFfmpeg, type Ffmpeg } from '../../../src/ingest/ffmpeg-binary.js';
import { parseSource } from '../../../src/ingest/source-spec.js';
import { ObjectMemory } from '../../../src/memory/object-memory.js';
import { Tracker } from '../../../src/memory/tracking/tracker.js';
import { openPerception, type DetectorPerception } from '../../../src/model/perception/perception.js';
import { createReasoner } from '../../../src/reasoner/create-reasoner.js';
import { Archive } from '../../../src/transport/archive/archive.js';
import { DurableLog } from '../../../src/transport/log/durable-log.js';
import { runFfmpeg } from '../../support/video/video.js';
import { tempFolder } from '../../support/transport/temp-folder.js';

const RECORDING = fileURLToPath(new URL('../../../examples/pedestrians.mp4', import.meta.url));
const NOWHERE: Places = { zones: {}, lines: {} };
const GATE: Places = {
  zones: {},
  lines: {
    gate: [
      [0.5, 0],
      [0.5, 1],
    ],
  },
};
/** Length of what is looked at, and where it is cut, s. */
const [LENGTH_S, CUT_S] = [16, 7];

let ffmpeg: Ffmpeg;
let perception: DetectorPerception;
let reasonerModels: ReasonerModels;
let folder: string;
let halves: readonly string[];

beforeAll(async () => {
  ffmpeg = await findFfmpeg({});
  perception = await openPerception({ device: 'cpu', masks: 'off' });
  reasonerModels = await ReasonerModels.open();
  folder = mkdtempSync(join(tmpdir(), 'presage-'));
  halves = ['first.mp4', 'second.mp4'].map((name) => join(folder, name));
  for (const [i, file] of halves.entries()) {
    const span = [
      '-ss',
      String(i * CUT_S),
      '-i',
      RECORDING,
      '-t',
      String(i === 0 ? CUT_S : LENGTH_S - CUT_S),
    ];
    await runFfmpeg([...span, '-c:v', 'mpeg4', '-q:v', '2', file]);
  }
}, 120_000);
afterAll(async () => {
  await reasonerModels.close();
  await perception.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the real perception says of the recording. */
async function percepts(): Promise<Percept[]> {
  await using source = openSource(parseSource(RECORDING), { ffmpeg, mode: 'lossless' });
  await using stream = perception.openStream();
  const pending: Promise<Percept>[] = [];
  await new Promise<void>((resolve, reject) => {
    const reading = source.frame$.subscribe({
      next: (frame) => {
        if (frame.t > LENGTH_S) {
          frame[Symbol.dispose]();
          reading.unsubscribe();
          resolve();
          return;
        }
        pending.push(stream.perceive(frame).finally(() => frame[Symbol.dispose]()));
      },
      error: reject,
      complete: resolve,
    });
  });
  return await Promise.all(pending);
}

/** As `toEqual`, and quick where all is well: what is told of a percept is large. */
function expectEqual(got: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(got, expected)) expect(got).toStrictEqual(expected);
}

/** Memory and reasoner, whose state may go through JSON. */
class Mind {
  memory = new ObjectMemory(new Tracker(), { places: GATE });
  reasoner = createReasoner('rules', { clock: new VirtualClock() })!;

  /** Everything that a percept leads to. */
  take(percept: Percept): { update: MemoryUpdate; told: readonly Draft[] } {
    const update = this.memory.update(percept);
    return { update, told: this.reasoner.step(update) };
  }

  restart(): void {
    const saved = JSON.stringify([this.memory.saveState(), this.reasoner.saveState()]);
    const [memory, reasoner] = JSON.parse(saved) as [unknown, unknown];
    this.memory = new ObjectMemory(new Tracker(), { places: GATE });
    this.memory.restoreState(memory);
    this.reasoner = createReasoner('rules', { clock: new VirtualClock(), state: reasoner })!;
  }
}

describe('memory and reasoner in the middle of a recording', () => {
  it('go on from their saved state as if they had never stopped', { timeout: 120_000 }, async () => {
    const [whole, cut] = [new Mind(), new Mind()];
    const kinds = new Set<string>();
    let [events, objects] = [0, 0];
    for (const percept of await percepts()) {
      if (percept.index === CUT_S * 10) cut.restart();
      const [expected, got] = [whole.take(percept), cut.take(percept)];
      expectEqual(got.told, expected.told);
      expectEqual(got.update.events, expected.update.events);
      expectEqual(got.update.episodes, expected.update.episodes);
      expectEqual(got.update.snapshot.objects, expected.update.snapshot.objects);
      if (percept.t <= CUT_S) continue;
      for (const { kind } of got.told) kinds.add(kind);
      events += got.update.events.length;
      objects = Math.max(objects, got.update.snapshot.objects.length);
    }
    expect(cut.memory.records()).toEqual(whole.memory.records());
    expect([...kinds]).toEqual(
      expect.arrayContaining(['forecast.updated', 'prediction.created', 'prediction.resolved']),
    );
    expect(events).toBeGreaterThan(3);
    expect(objects).toBeGreaterThan(3);
  });
});

interface Life {
  readonly drafts: readonly Draft[];
  readonly errors: readonly PresageError[];
  readonly session: StreamSession;
}

/** A run of the stream `cam1` over a file, on a data folder, from its beginning to its end. */
async function live(log: DurableLog, file: string): Promise<Life> {
  const drafts: Draft[] = [];
  const errors: PresageError[] = [];
  // As if it were started again at once.
  const continuation = continuationOf(log, 'cam1', 0);
  const session = new StreamSession({
    id: 'cam1',
    source: openSource(parseSource(file), { ffmpeg, mode: 'lossless', startS: continuation?.startS ?? 0 }),
    perception,
    reasoner: reasonerModels,
    places: NOWHERE,
    mode: 'lossless',
    publisher: { streamId: 'cam1', log },
    keep: { store: log, archive: new Archive(log, 1e9) },
    continuation,
    onError: (error) => errors.push(error),
    sinks: [{ add: (draft) => void drafts.push(draft) }],
  });
  await session.run();
  log.flush();
  return { drafts, errors, session };
}

async function openLog(): Promise<DurableLog> {
  const log = await DurableLog.open({ folder: tempFolder() });
  onTestFinished(() => log.close());
  return log;
}

const number = (id: string): number => Number(id.slice(1));
const idsInView = (drafts: readonly Draft[]): string[] => [
  ...new Set(
    drafts.flatMap((one) => (one.kind === 'objects.updated' ? one.data.objects.map(({ id }) => id) : [])),
  ),
];
const subjects = (drafts: readonly Draft[], kind: Draft['kind']): string[] =>
  drafts.flatMap((one) => (one.kind === kind && one.subject !== undefined ? [one.subject] : []));

describe('a stream that is started again in the middle of a recording', () => {
  it('knows people again, gives no number twice and remembers what was', { timeout: 120_000 }, async () => {
    const log = await openLog();
    const before = await live(log, halves[0]!);
    const after = await live(log, halves[1]!);
    expect([before.errors, after.errors]).toEqual([[], []]);

    const lastSeen = before.drafts.filter(({ kind }) => kind === 'objects.updated').slice(-1);
    const known = idsInView(after.drafts).filter((id) => idsInView(lastSeen).includes(id));
    expect(known.length).toBeGreaterThanOrEqual(idsInView(lastSeen).length / 2);
    const highest = Math.max(...idsInView(before.drafts).map(number));
    for (const id of idsInView(after.drafts))
      expect(idsInView(before.drafts).includes(id) || number(id) > highest).toBe(true);

    for (const kind of ['event.observed', 'explanation.created', 'prediction.created'] as const) {
      const [earlier, later] = [subjects(before.drafts, kind), subjects(after.drafts, kind)];
      expect(earlier.length).toBeGreaterThan(0);
      expect(later.length).toBeGreaterThan(0);
      expect(Math.min(...later.map(number))).toBeGreaterThan(Math.max(...earlier.map(number)));
    }

    const told = [...before.drafts, ...after.drafts];
    const remembered = after.session.records().events.map(({ event }) => event.id);
    expect(remembered).toEqual(subjects(told, 'event.observed'));
    const times = told.map(({ mediatime }) => mediatime);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    // Every prediction is resolved once, also those that were open at the end of the first run.
    const resolved = subjects(told, 'prediction.resolved');
    expect([...resolved].sort()).toEqual([...new Set(subjects(told, 'prediction.created'))].sort());
  });

  it('is closed only when all is saved', { timeout: 60_000 }, async () => {
    const folder = tempFolder();
    const log = await DurableLog.open({ folder });
    let frames = 0;
    let closed: Promise<void> | undefined;
    const session = new StreamSession({
      id: 'cam1',
      source: openSource(parseSource(halves[0]!), { ffmpeg, mode: 'lossless' }),
      perception,
      reasoner: reasonerModels,
      places: NOWHERE,
      mode: 'lossless',
      publisher: { streamId: 'cam1', log },
      keep: { store: log, archive: new Archive(log, 1e9) },
      sinks: [
        {
          afterFrame: () => {
            frames += 1;
            if (frames === 10) closed = session.close().then(() => log.close());
          },
        },
      ],
    });
    await session.run();
    await closed;
    await using again = await DurableLog.open({ folder });
    expect(again.load('cam1', POSITION_KEY)).toMatchObject({ ended: true });
  });

  it('leaves nothing of a memory that it could not take back', { timeout: 120_000 }, async () => {
    const log = await openLog();
    const before = await live(log, halves[0]!);
    const [piece] = Object.keys(log.loadAll('cam1', MEMORY_PREFIX));
    log.save('cam1', `${MEMORY_PREFIX}${piece!}`, 'nonsense');
    const other = await live(log, halves[1]!);
    expect(other.errors.map(({ code }) => code)).toEqual(['storage_failed']);
    const highest = Math.max(...idsInView(before.drafts).map(number));
    const kept = Object.keys(log.loadAll('cam1', `${MEMORY_PREFIX}object/`));
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.filter((id) => number(id) <= highest)).toEqual([]);

    const restored = new ObjectMemory(new Tracker());
    restored.restoreState(log.loadAll('cam1', MEMORY_PREFIX));
    expect(restored.records()).toEqual(other.session.records());
  });
});
