import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.js';
import type { ObjectHistory, Records } from '../../../src/core/records/records.js';
import { Archive } from '../../../src/transport/archive/archive.js';
import { EvidenceStore } from '../../../src/transport/archive/evidence-store.js';
import { DurableLog, type DurableLogOptions } from '../../../src/transport/log/durable-log.js';
import { Publisher } from '../../../src/transport/messages/publisher.js';
import { eventDraft } from '../../support/transport/drafts.js';
import { tempFolder } from '../../support/transport/temp-folder.js';

const PLACES = { zones: {}, lines: {} };
const HOUR_MS = 3_600_000;

async function openLog(
  options: Partial<DurableLogOptions> = {},
): Promise<{ log: DurableLog; folder: string }> {
  const folder = options.folder ?? tempFolder();
  const log = await DurableLog.open({ ...options, folder });
  onTestFinished(() => log.close());
  return { log, folder };
}

function object(id: string, from: number, to: number, look: number[]): ObjectHistory {
  return {
    id,
    label: 'person',
    firstSeen: from,
    lastSeen: to,
    spans: [{ from, to }],
    path: [{ t: from, box: [0.1, 0.2, 0.1, 0.3] }],
    embedding: Float32Array.from(look),
    keyframes: [{ t: from, box: [0.1, 0.2, 0.1, 0.3], embedding: Float32Array.from(look) }],
  };
}

const records: Records = {
  objects: [object('o1', 0, 5, [1, 0]), object('o2', 3, 9, [0, 1]), object('o10', 20, 30, [0.8, 0.6])],
  events: [],
  relations: [{ kind: 'near', a: 'o1', b: 'o2', from: 3, to: 5, open: false }],
  episodes: [],
  places: PLACES,
};

describe('Archive', () => {
  it('gives back what memory knew, exactly where exactness counts, after a restart', async () => {
    const { log, folder } = await openLog();
    new Archive(log, HOUR_MS).keep('cam1', records, Date.now());
    await log.close();
    const { log: again } = await openLog({ folder });
    const queries = new Archive(again, HOUR_MS).queries('cam1', PLACES);
    expect(queries.objects()).toEqual(records.objects);
    expect(queries.objects({ span: { from: 6, to: 10 } }).map(({ id }) => id)).toEqual(['o2']);
    expect(queries.relations({ object: 'o2' })).toEqual(records.relations);
    expect(queries.similar({ like: 'o1' }).map(({ object: { id } }) => id)).toEqual(['o10']);
    expect(queries.objects({ ids: ['o99'] })).toEqual([]);
  });

  it('finds events by id, by who took part and by time, in the log itself', async () => {
    const { log } = await openLog();
    const archive = new Archive(log, HOUR_MS);
    const publisher = new Publisher({ streamId: 'cam1', log });
    for (let n = 1; n <= 20; n++) publisher.publish(eventDraft(n, n * 10));
    await publisher.close();
    const queries = archive.queries('cam1', PLACES);
    expect(queries.events()).toHaveLength(20);
    const [seventh] = queries.events({ ids: ['e7'] });
    expect(seventh?.event.id).toBe('e7');
    const t = seventh!.event.t;
    expect(queries.events({ span: { from: t - 1, to: t + 1 } }).map(({ event }) => event.id)).toContain('e7');
    const who = seventh!.event.participants[0]!.id;
    expect(queries.events({ objects: [who] }).length).toBeGreaterThan(0);
    expect(queries.events({ objects: ['o999'] })).toEqual([]);
  });

  it('forgets what is older than its age, and the file shrinks', async () => {
    const clock = new VirtualClock(Date.parse('2026-11-21T00:00:00Z'));
    const { log, folder } = await openLog({ clock, retention: { maxAgeMs: HOUR_MS } });
    const archive = new Archive(log, HOUR_MS);
    const publisher = new Publisher({ streamId: 'cam1', log, clock });
    for (let n = 1; n <= 3000; n++) publisher.publish(eventDraft(n, n));
    archive.keep('cam1', records, clock.wall().getTime());
    await publisher.close();
    const size = async (): Promise<number> => {
      await log.close();
      return statSync(join(folder, 'messages.db')).size;
    };
    clock.advance(2 * HOUR_MS);
    while (log.sweep() > 0);
    const queries = archive.queries('cam1', PLACES);
    expect(queries.objects()).toEqual([]);
    expect(queries.events({ objects: ['o7'] })).toEqual([]);
    expect(log.range('cam1')).toEqual({ first: 3001, last: 3000 });
    // 3000 messages of some 400 bytes with their index are over a megabyte.
    expect(await size()).toBeLessThan(400_000);
  });
});

describe('EvidenceStore', () => {
  const jpeg = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(0xff);

  it('keeps the newest pictures within its size, files and rows alike', async () => {
    const { log, folder } = await openLog();
    const store = new EvidenceStore(log, { folder, maxAgeMs: HOUR_MS, maxBytes: 3000 });
    for (let n = 1; n <= 10; n++) await store.put('cam1', `e${n}`, n, Date.now() + n, jpeg(1000));
    log.flush();
    log.sweep();
    log.sweep();
    expect(store.bytes).toBe(3000);
    expect(store.find('cam1', 'e7')).toBeUndefined();
    expect(existsSync(store.find('cam1', 'e8')!)).toBe(true);
    await vi.waitFor(() =>
      expect(readdirSync(join(folder, 'evidence', 'cam1', '0')).sort()).toEqual([
        'e10.jpg',
        'e8.jpg',
        'e9.jpg',
      ]),
    );
  });

  it('removes at the start what a crash left without a row', async () => {
    const { log, folder } = await openLog();
    const store = new EvidenceStore(log, { folder, maxAgeMs: HOUR_MS, maxBytes: 1e6 });
    await store.put('cam1', 'e1', 1, Date.now(), jpeg(10));
    await store.put('cam1', 'e2', 2, Date.now(), jpeg(10));
    log.flush();
    const at = join(folder, 'evidence', 'cam1', '0');
    writeFileSync(join(at, 'e3.jpg'), 'no row');
    writeFileSync(join(at, 'e4.jpg.partial'), 'not whole');
    await log.close();
    const { log: again } = await openLog({ folder });
    const reopened = new EvidenceStore(again, { folder, maxAgeMs: HOUR_MS, maxBytes: 1e6 });
    expect(await reopened.tidy()).toBe(2);
    expect(readdirSync(at).sort()).toEqual(['e1.jpg', 'e2.jpg']);
  });
});
