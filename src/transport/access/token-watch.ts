import { timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import { systemClock, type Clock } from '../../core/clock.js';
import { toPresageError, type PresageError } from '../../core/errors.js';
import { Holder, type Identity } from './identity.js';
import type { TokenFolder, TokenRecord } from './token-folder.js';

/** Between looks at the folder: what is revoked is without effect within a second. */
const CHECK_INTERVAL_MS = 400;
/** A folder whose time is younger than this may have changed since without a new time: it is read again, but no oftener than … */
const SETTLED_MS = 2000;
/** … this. */
const READ_AGAIN_MS = 100;

interface Entry {
  readonly record: TokenRecord;
  readonly digest: Buffer;
  readonly holder: Holder;
}

export interface TokenWatchOptions {
  readonly folder: TokenFolder;
  /** Told once of a token file that cannot be read; the others count. */
  readonly onError?: ((error: PresageError) => void) | undefined;
  readonly clock?: Clock;
}

/** The tokens of a data folder as they are now: those that another program adds count at once, those that it revokes end. */
export class TokenWatch implements Disposable {
  readonly #options: TokenWatchOptions;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #unreadable = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  readonly #listeners = new Set<() => void>();
  /** When the folder was last read, and what its own time was then. */
  #readMs = -Infinity;
  #readAt: bigint | undefined;
  #settled = false;
  #any = false;

  /** @throws PresageError `storage_failed`: a folder that cannot be read is not one without tokens */
  constructor(options: TokenWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#refresh();
    this.#timer = setInterval(() => this.check(), CHECK_INTERVAL_MS).unref();
  }

  /** True once there was a token, even one that has expired or has been revoked since: what was closed stays closed. */
  get any(): boolean {
    return this.#any;
  }

  /** Called when `any` becomes true. */
  onFirst(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Whose token has this digest; takes the same time whichever it is. One that is not known may be new. */
  find(digest: Buffer): Identity | undefined {
    const found = this.#find(digest);
    if (found) return found;
    this.check();
    return this.#find(digest);
  }

  /** Takes over what has changed in the folder. */
  check(): void {
    try {
      this.#refresh();
    } catch (thrown) {
      this.#report('', thrown);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #refresh(): void {
    if (this.#changed()) this.#read();
    const now = this.#clock.wall().getTime();
    for (const [name, { record, holder }] of this.#entries) {
      if (record.expiresAt === undefined || Date.parse(record.expiresAt) > now) continue;
      this.#entries.delete(name);
      holder.end();
    }
  }

  #find(digest: Buffer): Identity | undefined {
    let found: Identity | undefined;
    const now = this.#clock.wall().getTime();
    for (const entry of this.#entries.values()) {
      const { expiresAt } = entry.record;
      if (!timingSafeEqual(entry.digest, digest)) continue;
      if (expiresAt === undefined || Date.parse(expiresAt) > now) found = entry.holder;
    }
    return found;
  }

  #changed(): boolean {
    const info = statSync(this.#options.folder.path, { bigint: true, throwIfNoEntry: false });
    if (info === undefined) return this.#entries.size > 0;
    const nowMs = this.#clock.nowMs();
    const same = this.#readAt === info.mtimeNs;
    if (same && (this.#settled || nowMs - this.#readMs < READ_AGAIN_MS)) return false;
    this.#settled = this.#clock.wall().getTime() - Number(info.mtimeMs) > SETTLED_MS;
    this.#readAt = info.mtimeNs;
    this.#readMs = nowMs;
    return true;
  }

  #read(): void {
    const { folder } = this.#options;
    const names = folder.names();
    for (const [name, { holder }] of this.#entries) {
      if (names.includes(name)) continue;
      this.#entries.delete(name);
      holder.end();
    }
    for (const name of names) this.#take(name);
    if (this.#any || names.length === 0) return;
    this.#any = true;
    for (const listener of this.#listeners) listener();
  }

  #take(name: string): void {
    let record: TokenRecord | undefined;
    try {
      record = this.#options.folder.read(name);
    } catch (thrown) {
      this.#report(name, thrown);
    }
    const known = this.#entries.get(name);
    if (known !== undefined && known.record.sha256 === record?.sha256) return;
    known?.holder.end();
    this.#entries.delete(name);
    if (record === undefined) return;
    const holder = new Holder(name, record.scopes);
    this.#entries.set(name, { record, digest: Buffer.from(record.sha256, 'hex'), holder });
  }

  #report(name: string, thrown: unknown): void {
    if (this.#unreadable.has(name)) return;
    this.#unreadable.add(name);
    this.#options.onError?.(toPresageError(thrown, 'storage_failed'));
  }
}
