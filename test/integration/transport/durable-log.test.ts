import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.js';
import type { PresageError } from '../../../src/core/errors.js';
import { DurableLog, type DurableLogOptions } from '../../../src/transport/log/durable-log.js';
import type { LogEntry } from '../../../src/transport/log/log-types.js';
import { tempFolder } from '../../support/transport/temp-folder.js';

async function openLog(options: Partial<DurableLogOptions> = {}): Promise<DurableLog> {
  const log = await DurableLog.open({ folder: tempFolder(), ...options });
  onTestFinished(() => log.close());
  return log;
}

function add(
  log: DurableLog,
  count: number,
  streamId = 'cam1',
  onDurable?: (entry: LogEntry) => void,
): number {
  let last = 0;
  for (let index = 0; index < count; index += 1) {
    last = log.append(streamId, {
      kind: 'event.observed',
      mediatime: index / 10,
      render: (sequence) => JSON.stringify({ sequence }),
      ...(onDurable && { onDurable }),
    });
  }
  return last;
}

const sequences = (entries: readonly LogEntry[]): number[] => entries.map(({ sequence }) => sequence);
const failure = async (opening: Promise<unknown>): Promise<PresageError> =>
  opening.then(
    () => expect.unreachable('it opened'),
    (error: unknown) => error as PresageError,
  );

describe('DurableLog', () => {
  it('counts up by one per stream and reads pages in order', async () => {
    const log = await openLog();
    expect(add(log, 3)).toBe(3);
    expect(add(log, 2, 'cam2')).toBe(2);
    expect(add(log, 1)).toBe(4);
    log.flush();
    expect(sequences(log.read('cam1', 1, 2))).toEqual([1, 2]);
    expect(sequences(log.read('cam1', 3, 100))).toEqual([3, 4]);
    expect(log.read('cam1', 4, 1)).toEqual([
      { sequence: 4, kind: 'event.observed', mediatime: 0, json: '{"sequence":4}' },
    ]);
    expect(log.range('cam2')).toEqual({ first: 1, last: 2 });
    expect(log.read('cam3', 1, 10)).toEqual([]);
    expect(log.range('cam3')).toEqual({ first: 1, last: 0 });
  });

  it('shows and tells a message only when it is durable, in order', async () => {
    const log = await openLog({ commitIntervalMs: 60_000 });
    const told: number[] = [];
    const note = ({ sequence }: LogEntry): void => {
      expect(log.range('cam1').last).toBeGreaterThanOrEqual(sequence);
      told.push(sequence);
    };
    add(log, 3, 'cam1', note);
    expect(told).toEqual([]);
    expect(log.read('cam1', 1, 10)).toEqual([]);
    expect(log.range('cam1').last).toBe(0);
    log.flush();
    expect(told).toEqual([1, 2, 3]);
    expect(log.stats()).toMatchObject({ pending: 0, commits: 1, committed: 3 });
  });

  it('commits by itself: a lone message at once, a full batch without waiting', async () => {
    const log = await openLog({ commitIntervalMs: 60_000 });
    add(log, 1);
    await vi.waitFor(() => expect(log.range('cam1').last).toBe(1));
    add(log, 255);
    expect(log.range('cam1').last).toBe(1);
    add(log, 1);
    expect(log.range('cam1').last).toBe(257);
  });

  it('keeps telling the others when one listener throws', async () => {
    const errors: PresageError[] = [];
    const log = await openLog({ onError: (error) => errors.push(error) });
    const told: number[] = [];
    add(log, 2, 'cam1', ({ sequence }) => {
      told.push(sequence);
      if (sequence === 1) throw new Error('bad listener');
    });
    log.flush();
    expect(told).toEqual([1, 2]);
    expect(errors.map(({ code, message }) => [code, message])).toEqual([['internal', 'bad listener']]);
  });

  it('goes on where it stopped after a restart', async () => {
    const folder = tempFolder();
    for (let run = 1; run <= 3; run += 1) {
      const log = await DurableLog.open({ folder });
      expect(log.beginRun('cam1')).toBe(run);
      expect(add(log, 10)).toBe(run * 10);
      log.save('cam1', 'calibrator', { run });
      await log.close();
      await log.close();
    }
    const log = await openLog({ folder });
    expect(sequences(log.read('cam1', 1, 100))).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    expect(log.load('cam1', 'calibrator')).toEqual({ run: 3 });
    expect(log.lastMediatime('cam1')).toBe(0.9);
    expect(log.lastMediatime('cam2')).toBeUndefined();
  });

  it('loads what was saved, before and after the commit, per stream and key', async () => {
    const log = await openLog();
    log.save('cam1', 'a', [1, 2]);
    expect(log.load('cam1', 'a')).toEqual([1, 2]);
    log.flush();
    log.save('cam1', 'a', { b: null });
    log.flush();
    expect(log.load('cam1', 'a')).toEqual({ b: null });
    expect(log.load('cam1', 'b')).toBeUndefined();
    expect(log.load('cam2', 'a')).toBeUndefined();
  });

  it('finds the newest message of a kind', async () => {
    const log = await openLog();
    for (const n of [1, 2]) {
      log.append('cam1', { kind: 'scorecard.updated', mediatime: n, render: () => `{"n":${n}}` });
      add(log, 5);
    }
    log.flush();
    expect(log.latest('cam1', 'scorecard.updated')).toMatchObject({ sequence: 7, json: '{"n":2}' });
    expect(log.latest('cam1', 'stream.state')).toBeUndefined();
    expect(log.latest('cam2', 'stream.state')).toBeUndefined();
  });

  it('keeps no more than retention allows, in steps, and remembers it after a restart', async () => {
    const folder = tempFolder();
    const log = await openLog({ folder, retention: { maxMessages: 500 } });
    add(log, 2000);
    log.flush();
    expect(log.sweep()).toBe(1000);
    expect(log.sweep()).toBe(500);
    expect(log.sweep()).toBe(0);
    expect(log.range('cam1')).toEqual({ first: 1501, last: 2000 });
    expect(sequences(log.read('cam1', 1, 1))).toEqual([1501]);
    await log.close();
    const again = await openLog({ folder });
    expect(again.range('cam1')).toEqual({ first: 1501, last: 2000 });
  });

  it('lets go of messages by age and goes on counting when none are left', async () => {
    const folder = tempFolder();
    const clock = new VirtualClock(1e12);
    const log = await openLog({ folder, clock, retention: { maxAgeMs: 1000 } });
    add(log, 3);
    log.flush();
    clock.advance(1001);
    expect(log.sweep()).toBe(3);
    expect(log.range('cam1')).toEqual({ first: 4, last: 3 });
    await log.close();
    expect(add(await openLog({ folder }), 1)).toBe(4);
  });

  it('counts the bytes that it keeps', async () => {
    const log = await openLog({ retention: { maxBytes: 150 } });
    add(log, 20); // 14 or 15 characters each
    log.flush();
    log.sweep();
    const kept = log.read('cam1', 1, 100);
    expect(kept.reduce((sum, { json }) => sum + json.length, 0)).toBeLessThanOrEqual(150);
    expect(kept).toHaveLength(10);
  });

  it('rejects use after close', async () => {
    const log = await openLog();
    await log.close();
    expect(() => add(log, 1)).toThrow(expect.objectContaining({ code: 'storage_failed' }));
    expect(() => log.read('cam1', 1, 1)).toThrow(/closed/);
  });
});

describe('DurableLog on a bad day', () => {
  it('does not share its folder with a second process', async () => {
    const folder = tempFolder();
    const log = await openLog({ folder });
    const error = await failure(DurableLog.open({ folder }));
    expect(error).toMatchObject({ code: 'storage_failed', retryable: true });
    expect(error.message).toContain('Another Presage');
    await log.close();
    await openLog({ folder });
  });

  it('can be read by other programs meanwhile', async () => {
    const log = await openLog();
    add(log, 3);
    log.flush();
    const reader = new Database(log.path);
    expect(reader.prepare('select count(*) as n from messages').get()).toMatchObject({ n: 3 });
    reader.close();
  });

  it('keeps its messages while the disk refuses and commits them when it gives way', async () => {
    const errors: PresageError[] = [];
    const log = await openLog({ onError: (error) => errors.push(error) });
    const told: number[] = [];
    add(log, 1);
    log.flush();
    const other = new Database(log.path);
    other.exec('BEGIN IMMEDIATE');
    add(log, 2, 'cam1', ({ sequence }) => told.push(sequence));
    expect(() => log.flush()).toThrow(expect.objectContaining({ code: 'storage_failed', retryable: true }));
    expect(told).toEqual([]);
    other.exec('ROLLBACK');
    other.close();
    add(log, 1, 'cam1', ({ sequence }) => told.push(sequence));
    log.flush();
    expect(told).toEqual([2, 3, 4]);
  });

  it.each([
    ['is no database', (path: string) => writeFileSync(path, 'not a database '.repeat(1000))],
    ['has lost its middle', (path: string) => writeFileSync(path, holed(readFileSync(path)))],
    ['was cut short', (path: string) => truncateSync(path, 8192)],
  ])('says storage_failed, and what to do, when the file %s', async (_name, damage) => {
    const folder = tempFolder();
    const log = await DurableLog.open({ folder });
    add(log, 5000);
    await log.close();
    damage(log.path);
    const error = await failure(DurableLog.open({ folder }));
    expect(error.code).toBe('storage_failed');
    expect(error.hint).toContain(`Move ${log.path} away`);
  });

  it('says storage_failed when the newest messages are missing', async () => {
    const folder = tempFolder();
    const log = await DurableLog.open({ folder });
    add(log, 5);
    await log.close();
    const db = new Database(log.path);
    db.exec('delete from messages where sequence > 3');
    db.close();
    expect(await failure(DurableLog.open({ folder }))).toMatchObject({
      code: 'storage_failed',
      message: expect.stringContaining('cam1 ends at 3, not 5') as string,
    });
  });

  it('refuses a log that a newer Presage has written', async () => {
    const folder = tempFolder();
    await (await DurableLog.open({ folder })).close();
    const db = new Database(join(folder, 'messages.db'));
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(await failure(DurableLog.open({ folder }))).toMatchObject({
      code: 'storage_failed',
      message: expect.stringContaining('newer') as string,
    });
  });

  it('says storage_failed when the data folder is a file or cannot be written', async () => {
    const folder = tempFolder();
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const error = await failure(DurableLog.open({ folder: file }));
    expect(error).toMatchObject({
      code: 'storage_failed',
      hint: expect.stringContaining('writable') as string,
    });

    const locked = join(folder, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o555);
    chmodSync(folder, 0o755);
    const refused = await asOrdinaryUser(() => failure(DurableLog.open({ folder: locked })));
    expect(refused).toMatchObject({
      code: 'storage_failed',
      hint: expect.stringContaining('writable') as string,
    });
  });

  it('says storage_failed when the file is read-only', async () => {
    const folder = tempFolder();
    const log = await DurableLog.open({ folder });
    await log.close();
    chmodSync(log.path, 0o444);
    chmodSync(join(folder, 'messages.lock'), 0o666);
    chmodSync(folder, 0o755);
    const refused = await asOrdinaryUser(() => failure(DurableLog.open({ folder })));
    expect(refused).toMatchObject({
      code: 'storage_failed',
      hint: expect.stringContaining('writable') as string,
    });
  });
});

function holed(file: Buffer): Buffer {
  return file.fill(7, 4096);
}

/** Root may write anywhere: where the tests run as root, the action runs without its rights. */
async function asOrdinaryUser<T>(action: () => Promise<T>): Promise<T> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    return await action();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

it('holds a full disk as its failure until a commit succeeds again, and loses nothing', async (context) => {
  const folder = join(tempFolder(), 'small');
  mkdirSync(folder);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0;
  if (!mounted) context.skip('a small file system can only be mounted by root');
  onTestFinished(() => void spawnSync('umount', ['-l', folder]));
  const log = await openLog({ folder });
  add(log, 3);
  log.flush();
  const filler = join(folder, 'filler');
  try {
    for (;;) appendFileSync(filler, Buffer.alloc(4096));
  } catch {
    // The file system is full.
  }
  add(log, 200);
  await vi.waitFor(() => expect(log.failure?.code).toBe('storage_failed'), { timeout: 10_000 });
  rmSync(filler);
  await vi.waitFor(() => expect(log.failure).toBeUndefined(), { timeout: 10_000 });
  log.flush();
  expect(sequences(log.read('cam1', 1, 500))).toEqual(Array.from({ length: 203 }, (_, i) => i + 1));
});
