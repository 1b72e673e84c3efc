import type { PieceLedger } from '../state/state-pieces.js';

/** Records of one piece of the saved state. */
const BLOCK = 64;

/**
 * Records in the order in which they came, as many as fit into a number of bytes: beyond it the oldest go, counted.
 */
export class BoundedLog<T> {
  readonly #bytesOf: (record: T) => number;
  readonly #maxBytes: number;
  #records: T[] = [];
  /** Records at the front that are gone and not cut off yet: cutting each one would cost the length of the log. */
  #gone = 0;
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
    return this.#records.length - this.#gone;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** Records that were merged into others. */
  get merged(): number {
    return this.#merges;
  }

  /** @param merge makes one record of the two oldest where there is no room; without it the oldest goes */
  add(record: T, merge?: (a: T, b: T) => T | undefined): void {
    this.#records.push(record);
    this.#bytes += this.#bytesOf(record);
    while (this.#bytes > this.#maxBytes && this.length > 1) {
      if (!merge || !this.#merge(merge)) this.#drop();
    }
  }

  /** Oldest first. */
  all(): T[] {
    return this.#records.slice(this.#gone);
  }

  /** The newest for which the condition holds without a gap, oldest first. */
  newest(most: number, while_: (record: T) => boolean): T[] {
    let from = this.#records.length;
    const least = Math.max(this.#gone, from - most);
    while (from > least && while_(this.#records[from - 1] as T)) from -= 1;
    return this.#records.slice(from);
  }

  savePieces(name: string, ledger: PieceLedger): void {
    const end = this.#first + this.#records.length;
    const start = this.#first + this.#gone;
    ledger.offer(name, `${start} ${end} ${this.#merges}`, () => {
      return { start, dropped: this.#dropped, merged: this.#merges };
    });
    for (let block = Math.floor(start / BLOCK); block * BLOCK < end; block++) {
      const from = Math.max(block * BLOCK, start);
      const to = Math.min((block + 1) * BLOCK, end);
      // Only the first block is merged into, only the last one grows; one that loses its front stays as it is stored.
      const mark = `${to} ${block === Math.floor(start / BLOCK) ? this.#merges : 0}`;
      ledger.offer(`${name}/${block}`, mark, () => ({
        from,
        records: this.#records.slice(from - this.#first, to - this.#first),
      }));
    }
  }

  /** Replaces everything by saved blocks, in any order. */
  restore(
    head: { start: number; dropped: number; merged: number },
    blocks: readonly { from: number; records: readonly T[] }[],
  ): void {
    const records = [...blocks]
      .sort((a, b) => a.from - b.from)
      .flatMap(({ from, records: all }) => all.slice(Math.max(0, head.start - from)));
    this.#first = head.start;
    this.#gone = 0;
    this.#records = records;
    this.#bytes = records.reduce((sum, record) => sum + this.#bytesOf(record), 0);
    this.#dropped = head.dropped;
    this.#merges = head.merged;
  }

  #merge(merge: (a: T, b: T) => T | undefined): boolean {
    const [a, b] = [this.#records[this.#gone], this.#records[this.#gone + 1]];
    const merged = a === undefined || b === undefined || this.length < 3 ? undefined : merge(a, b);
    if (a === undefined || b === undefined || merged === undefined) return false;
    this.#bytes += this.#bytesOf(merged) - this.#bytesOf(a) - this.#bytesOf(b);
    this.#gone += 1;
    this.#records[this.#gone] = merged;
    this.#merges += 1;
    this.#cut();
    return true;
  }

  #drop(): void {
    this.#bytes -= this.#bytesOf(this.#records[this.#gone] as T);
    this.#gone += 1;
    this.#dropped += 1;
    this.#cut();
  }

  #cut(): void {
    if (this.#gone < BLOCK || this.#gone * 2 < this.#records.length) return;
    this.#records = this.#records.slice(this.#gone);
    this.#first += this.#gone;
    this.#gone = 0;
  }
}
