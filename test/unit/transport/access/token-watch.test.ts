import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { PresageError } from '../../../../src/core/errors.js';
import { VirtualClock } from '../../../../src/core/clock.js';
import { digestOf, TokenFolder } from '../../../../src/transport/access/token-folder.js';
import { TokenWatch } from '../../../../src/transport/access/token-watch.js';
import { tempFolder } from '../../../support/transport/temp-folder.js';

const CODE = (code: string): unknown => expect.objectContaining({ code });

function setUp(clock = new VirtualClock(Date.now())): {
  folder: TokenFolder;
  watch: TokenWatch;
  clock: VirtualClock;
  errors: PresageError[];
} {
  const folder = new TokenFolder(tempFolder());
  const errors: PresageError[] = [];
  const watch = new TokenWatch({ folder, clock, onError: (error) => errors.push(error) });
  onTestFinished(() => watch[Symbol.dispose]());
  return { folder, watch, clock, errors };
}

describe('TokenFolder', () => {
  it('keeps no token, only its hash, for its owner alone to read', () => {
    const folder = new TokenFolder(tempFolder());
    const token = folder.create('robot', ['read:*'], undefined);
    expect(token).toMatch(/^presage_[A-Za-z0-9_-]{43}$/);
    const [file = ''] = readdirSync(folder.path);
    const text = readFileSync(join(folder.path, file), 'utf8');
    expect(text).not.toContain(token.slice('presage_'.length));
    expect(text).toContain(digestOf(token).toString('hex'));
    expect(statSync(join(folder.path, file)).mode & 0o777).toBe(0o600);
    expect(statSync(folder.path).mode & 0o777).toBe(0o700);
  });

  it('makes another token each time, and none under a name that is taken', () => {
    const folder = new TokenFolder(tempFolder());
    const first = folder.create('a', ['admin'], undefined);
    expect(folder.create('b', ['admin'], undefined)).not.toBe(first);
    expect(() => folder.create('a', ['read:*'], undefined)).toThrow(CODE('conflict'));
    expect(folder.read('a')?.scopes).toEqual(['admin']);
    expect(folder.names()).toEqual(['a', 'b']);
    expect(readdirSync(folder.path)).toHaveLength(2);
  });

  it('revokes what is there, and says so of what is not', () => {
    const folder = new TokenFolder(tempFolder());
    folder.create('a', ['admin'], undefined);
    folder.revoke('a');
    expect(folder.names()).toEqual([]);
    expect(() => folder.revoke('a')).toThrow(CODE('not_found'));
  });
});

describe('TokenWatch', () => {
  it('knows a token that was made a moment ago', () => {
    const { folder, watch, clock } = setUp();
    expect(watch.any).toBe(false);
    const token = folder.create('new', ['read:cam1'], undefined);
    clock.advance(101);
    const identity = watch.find(digestOf(token));
    expect(identity).toMatchObject({ name: 'new', named: true });
    expect(identity?.may('read', 'cam1')).toBe(true);
    expect(watch.any).toBe(true);
  });

  it('does not look at the folder for each of many wrong tokens', () => {
    const { folder, watch, clock } = setUp();
    const names = vi.spyOn(folder, 'names');
    folder.create('a', ['admin'], undefined);
    const before = names.mock.calls.length;
    clock.advance(101);
    for (let i = 0; i < 50; i += 1) watch.find(digestOf(`wrong ${i}`));
    expect(names.mock.calls.length - before).toBe(1);
  });

  it('ends what a token has open when it is revoked, and keeps wanting tokens', () => {
    const { folder, watch, clock } = setUp();
    const token = folder.create('gone', ['admin'], undefined);
    clock.advance(101);
    const identity = watch.find(digestOf(token));
    folder.revoke('gone');
    expect(identity?.signal.aborted).toBe(false);
    watch.check();
    expect(identity?.signal.aborted).toBe(true);
    expect(identity?.may('admin')).toBe(false);
    expect(watch.find(digestOf(token))).toBeUndefined();
    expect(watch.any).toBe(true);
  });

  it('ends one that was revoked and made anew between two looks', () => {
    const { folder, watch, clock } = setUp();
    const old = folder.create('same', ['admin'], undefined);
    clock.advance(101);
    const identity = watch.find(digestOf(old));
    folder.revoke('same');
    const token = folder.create('same', ['read:*'], undefined);
    watch.check();
    expect(identity?.signal.aborted).toBe(true);
    expect(watch.find(digestOf(old))).toBeUndefined();
    expect(watch.find(digestOf(token))?.scopes).toEqual(['read:*']);
  });

  it('lets a token expire at its time', () => {
    const { folder, watch, clock } = setUp();
    const token = folder.create('short', ['admin'], new Date(clock.nowMs() + 60_000), clock.wall());
    clock.advance(59_000);
    const identity = watch.find(digestOf(token));
    expect(identity?.may('admin')).toBe(true);
    clock.advance(1000);
    expect(watch.find(digestOf(token))).toBeUndefined();
    watch.check();
    expect(identity?.signal.aborted).toBe(true);
  });

  it('goes on with the others when a file makes no sense, and says it once', () => {
    const { folder, watch, clock, errors } = setUp();
    const token = folder.create('good', ['admin'], undefined);
    writeFileSync(join(folder.path, 'bad.json'), '{"version": 1, "name": "good"');
    clock.advance(101);
    expect(watch.find(digestOf(token))?.name).toBe('good');
    watch.check();
    expect(errors).toEqual([CODE('storage_failed')]);
  });

  it('does not take a folder that cannot be read for one without tokens', () => {
    const data = tempFolder();
    writeFileSync(join(data, 'tokens'), 'a file');
    expect(() => new TokenWatch({ folder: new TokenFolder(data) })).toThrow(CODE('storage_failed'));
    const other = tempFolder();
    mkdirSync(join(other, 'tokens'));
    const watch = new TokenWatch({ folder: new TokenFolder(other) });
    expect(watch.any).toBe(false);
    watch[Symbol.dispose]();
  });
});
