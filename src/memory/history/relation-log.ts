import { z } from 'zod';
import { RELATION_KINDS, type Relation, type RelationKind } from '../../core/records/records.js';
import { BYTES, relationBytes } from '../size-model.js';
import { BoundedLog } from './bounded-log.js';

/** Maximum number of relations in a snapshot, and for how long after their end, s. */
const MAX_SHOWN = 500;
const SHOWN_S = 60;

interface Begun {
  readonly kind: RelationKind;
  readonly a: string;
  readonly b: string;
  readonly from: number;
}

const kind = z.enum(RELATION_KINDS);
const savedBegun = z.object({ kind, a: z.string(), b: z.string(), from: z.number() });
export const savedRelation = savedBegun.extend({ to: z.number(), open: z.boolean() });
export const savedRelations = z.object({ open: z.array(savedBegun) });

/** Past and present relations between objects: begun and ended by `RelationRule`. */
export class RelationLog {
  readonly closed: BoundedLog<Relation>;
  readonly #open = new Map<string, Begun>();

  constructor(maxBytes: number) {
    this.closed = new BoundedLog(relationBytes, maxBytes);
  }

  get open(): number {
    return this.#open.size;
  }

  get bytes(): number {
    return this.closed.bytes + BYTES.relation * this.#open.size;
  }

  begin(begun: Begun): void {
    const key = keyOf(begun);
    if (!this.#open.has(key)) this.#open.set(key, begun);
  }

  end({ kind, a, b }: Omit<Begun, 'from'>, to: number): void {
    const key = keyOf({ kind, a, b });
    const begun = this.#open.get(key);
    if (!begun) return;
    this.#open.delete(key);
    this.closed.add({ ...begun, to: Math.max(to, begun.from), open: false });
  }

  /** Ends all open relations at `t`. */
  endAll(t: number): void {
    for (const begun of [...this.#open.values()]) this.end(begun, t);
  }

  /** The relations that ended in the last minute, then those that hold at `t`. */
  shown(t: number): readonly Relation[] {
    const running = this.#running(t).slice(-MAX_SHOWN);
    return [...this.closed.newest(MAX_SHOWN - running.length, ({ to }) => t - to <= SHOWN_S), ...running];
  }

  records(t: number): readonly Relation[] {
    return [...this.closed.all(), ...this.#running(t)].sort(byBeginning);
  }

  saveState(): z.input<typeof savedRelations> {
    return { open: [...this.#open.values()] };
  }

  restoreState({ open }: z.output<typeof savedRelations>): void {
    this.#open.clear();
    for (const begun of open) this.#open.set(keyOf(begun), begun);
  }

  #running(t: number): Relation[] {
    return [...this.#open.values()].map((begun) => ({ ...begun, to: Math.max(t, begun.from), open: true }));
  }
}

function keyOf({ kind, a, b }: Omit<Begun, 'from'>): string {
  return `${kind} ${a} ${b}`;
}

function byBeginning(x: Relation, y: Relation): number {
  return x.from - y.from || (keyOf(x) < keyOf(y) ? -1 : 1);
}
