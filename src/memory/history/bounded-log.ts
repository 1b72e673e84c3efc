import type { PieceLedger } from '../state/state-pieces.js';

/** Number of records in one piece of the saved state. */
const BLOCK = 64;

/** Records in order of arrival within a limit in bytes; beyond it the oldest are dropped and counted. */
export class BoundedLog<T> {
  readonly #bytesOf: (record: T) => number;
  readonly #maxBytes: number;
  #records: T[] = [];
  /**
   * Number of dropped records at the front that are not cut off yet: cutting each one would cost the length of the
   * log.
   */
  #removed = 0;
  /** Number of the record at `#records[0]`, counted from the beginning of the stream. */
  #first = 0;
  #bytes = 0;
  #dropped = 0;
  /** Counts the merges: they change a record that is in its place. */
  #merges = 0;

  constructor(bytesOf: (record: T) => number, maxBytes: number) {
    this.#bytesOf = bytesOf;
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#records.length - this.#removed;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** Number of records that were merged into others. */
  get merged(): number {
    return this.#merges;
  }

  /** @param merge combines the two oldest records when the limit is exceeded; without it the oldest is dropped */
  add(record: T, merge?: (a: T, b: T) => T | undefined): void {
    this.#records.push(record);
    this.#bytes += this.#bytesOf(record);
    while (this.#bytes > this.#maxBytes && this.length > 1) {
      if (!merge || !this.#merge(merge)) this.#drop();
    }
  }

  /** Oldest first. */
  all(): T[] {
    return this.#records.slice(this.#removed);
  }

  /** The newest records, without a gap, for which the condition holds, oldest first. */
  newest(max: number, condition: (record: T) => boolean): T[] {
    let from = this.#records.length;
    const start = Math.max(this.#removed, from - max);
    while (from > start && condition(this.#records[from - 1] as T)) from -= 1;
    return this.#records.slice(from);
  }

  savePieces(name: string, ledger: PieceLedger): void {
    const end = this.#first + this.#records.length;
    const start = this.#first + this.#removed;
    ledger.offer(name, `${start} ${end} ${this.#merges}`, () => {
      return { start, dropped: this.#dropped, merged: this.#merges };
    });
    for (let block = Math.floor(start / BLOCK); block * BLOCK < end; block++) {
      const from = Math.max(block * BLOCK, start);
      const to = Math.min((block + 1) * BLOCK, end);
      // Merges change only the first block, and only the last one grows; a block that loses its front stays as it is
      // stored.
      const mark = `${to} ${block === Math.floor(start / BLOCK) ? this.#merges : 0}`;
      ledger.offer(`${name}/${block}`, mark, () => ({
        from,
        records: this.#records.slice(from - this.#first, to - this.#first),
      }));
    }
  }

  /** Replaces all records by saved blocks, in any order. */
  restore(
    head: { start: number; dropped: number; merged: number },
    blocks: readonly { from: number; records: readonly T[] }[],
  ): void {
    const records = [...blocks]
      .sort((a, b) => a.from - b.from)
      .flatMap(({ from, records: all }) => all.slice(Math.max(0, head.start - from)));
    this.#first = head.start;
    this.#removed = 0;
    this.#records = records;
    this.#bytes = records.reduce((sum, record) => sum + this.#bytesOf(record), 0);
    this.#dropped = head.dropped;
    this.#merges = head.merged;
  }

  #merge(merge: (a: T, b: T) => T | undefined): boolean {
    const [a, b] = [this.#records[this.#removed], this.#records[this.#removed + 1]];
    const merged = a === undefined || b === undefined || this.length < 3 ? undefined : merge(a, b);
    if (a === undefined || b === undefined || merged === undefined) return false;
    this.#bytes += this.#bytesOf(merged) - this.#bytesOf(a) - this.#bytesOf(b);
    this.#removed += 1;
    this.#records[this.#removed] = merged;
    this.#merges += 1;
    this.#cut();
    return true;
  }

  #drop(): void {
    this.#bytes -= this.#bytesOf(this.#records[this.#removed] as T);
    this.#removed += 1;
    this.#dropped += 1;
    this.#cut();
  }

  #cut(): void {
    if (this.#removed < BLOCK || this.#removed * 2 < this.#records.length) return;
    this.#records = this.#records.slice(this.#removed);
    this.#first += this.#removed;
    this.#removed = 0;
  }
}
