import { z } from 'zod';
import type { EventObserved } from '../../core/messages.js';
import type { ObjectHistory } from '../../core/records/records.js';
import { RECENT_S, SPARSE_S } from '../trail.js';
import { LifeHistory, savedHistory, savedPresence } from './life-history.js';
import type { PieceLedger } from '../state/state-pieces.js';

/** Keyframes kept of an object that left longer ago than its trail is kept. */
const KEYFRAMES_OF_OLD = 3;
/** An object that left less than this ago may only be missing, and is not discarded, s. */
const PROTECTED_S = 10;
/** By time since departure: less than 2 min, less than 1 h, longer. */
const AGES = ['fresh', 'aged', 'old'] as const;

interface DepartedHistory {
  readonly history: LifeHistory;
  readonly at: number;
  /** Order of departure. */
  readonly number: number;
  readonly age: (typeof AGES)[number];
  /** Bytes as counted in the total. */
  readonly bytes: number;
}

export const savedHistories = z.object({
  present: z.array(savedPresence),
  left: z.number().int().min(0),
  forgotten: z.number().int().min(0),
  thinned: z.number().int().min(0),
});
export const savedHistoryPiece = z.object({
  history: savedHistory,
  /** Absent for an object in view, whose presence is in the head. */
  departed: z
    .object({ at: z.number(), number: z.number().int(), age: z.enum(AGES), presence: savedPresence })
    .optional(),
});

/**
 * The histories of all objects, in view and departed. A departed history is thinned as it ages: after 2 min its trail
 * to 0.2 Hz; after 1 h the trail is removed and three keyframes remain. Over the budget the oldest departed histories
 * are discarded, then the trails of objects in view are thinned.
 */
export class HistoryStore {
  readonly #present = new Map<string, LifeHistory>();
  /** Each in order of departure. */
  readonly #departed = {
    fresh: new Map<string, DepartedHistory>(),
    aged: new Map<string, DepartedHistory>(),
    old: new Map<string, DepartedHistory>(),
  };
  #departedBytes = 0;
  #left = 0;
  #forgotten = 0;
  #thinned = 0;

  /** The history of an object that comes into view; an earlier history continues. */
  open(id: string, label: string): LifeHistory {
    const history = this.#present.get(id) ?? this.#take(id)?.history ?? new LifeHistory(id, label);
    this.#present.set(id, history);
    return history;
  }

  /** The object left at `t`. */
  close(id: string, t: number): void {
    const history = this.#present.get(id);
    if (!history) return;
    this.#present.delete(id);
    this.#put({ history, at: t, number: this.#left++, age: 'fresh', bytes: history.bytes });
  }

  /** Records an event in the histories of its participants, those that left recently included. */
  note(observed: EventObserved): void {
    for (const { id } of observed.event.participants) {
      (this.#present.get(id) ?? this.#departed.fresh.get(id)?.history)?.note(observed);
    }
  }

  /** Updates the size of the history of a recently departed object. */
  recount(id: string): void {
    const departed = this.#departed.fresh.get(id);
    if (departed) this.#put({ ...departed, bytes: departed.history.bytes }, departed);
  }

  find(id: string): LifeHistory | undefined {
    const { fresh, aged, old } = this.#departed;
    return this.#present.get(id) ?? (fresh.get(id) ?? aged.get(id) ?? old.get(id))?.history;
  }

  age(t: number): void {
    for (const departed of this.#departed.fresh.values()) {
      if (t - departed.at < RECENT_S) break;
      departed.history.trail.thin();
      this.#departed.fresh.delete(departed.history.id);
      this.#put({ ...departed, age: 'aged', bytes: departed.history.bytes }, departed);
    }
    for (const departed of this.#departed.aged.values()) {
      if (t - departed.at < SPARSE_S) break;
      departed.history.trail.clear();
      departed.history.reduceAppearances(KEYFRAMES_OF_OLD);
      this.#departed.aged.delete(departed.history.id);
      this.#put({ ...departed, age: 'old', bytes: departed.history.bytes }, departed);
    }
  }

  /** Discards histories until at most `max` bytes remain at `t`, or nothing more can be discarded. */
  shrink(max: number, t: number): void {
    let bytes = this.bytes;
    for (const group of [this.#departed.old, this.#departed.aged, this.#departed.fresh]) {
      for (const [id, departed] of group) {
        if (bytes <= max) return;
        if (t - departed.at < PROTECTED_S) break;
        group.delete(id);
        bytes -= departed.bytes;
        this.#departedBytes -= departed.bytes;
        this.#forgotten += 1;
      }
    }
    for (const { trail } of [...this.#present.values()].sort(byTrail)) {
      if (bytes <= max) return;
      const before = trail.bytes;
      this.#thinned += trail.halve();
      bytes += trail.bytes - before;
    }
  }

  get bytes(): number {
    let bytes = this.#departedBytes;
    for (const history of this.#present.values()) bytes += history.bytes;
    return bytes;
  }

  /**
   * Numbers of stored histories, of discarded histories, and of trail points removed for lack of memory, since the
   * stream began.
   */
  get counts(): { histories: number; forgotten: number; thinned: number } {
    const { fresh, aged, old } = this.#departed;
    const histories = this.#present.size + fresh.size + aged.size + old.size;
    return { histories, forgotten: this.#forgotten, thinned: this.#thinned };
  }

  /** All histories, in order of their first observation. */
  records(): ObjectHistory[] {
    return [...this.#all(), ...this.#present.values()].map((history) => history.record()).sort(byFirstSeen);
  }

  /** Offers a piece for each history that changed; returns the head. */
  savePieces(ledger: PieceLedger): z.input<typeof savedHistories> {
    for (const history of this.#present.values())
      ledger.offer(pieceName(history.id), history.mark, () => ({ history: history.saveState() }));
    for (const departed of [
      ...this.#departed.fresh.values(),
      ...this.#departed.aged.values(),
      ...this.#departed.old.values(),
    ])
      ledger.offer(pieceName(departed.history.id), departed, () => savePiece(departed));
    return {
      present: [...this.#present.values()].map((history) => history.savePresence()),
      left: this.#left,
      forgotten: this.#forgotten,
      thinned: this.#thinned,
    };
  }

  /** Replaces all histories. */
  restoreState(
    head: z.output<typeof savedHistories>,
    pieces: readonly z.output<typeof savedHistoryPiece>[],
  ): void {
    for (const group of [this.#present, ...Object.values(this.#departed)]) group.clear();
    this.#departedBytes = 0;
    const present = new Map(head.present.map((presence) => [presence.id, presence]));
    const inOrder = [...pieces].sort((a, b) => (a.departed?.number ?? -1) - (b.departed?.number ?? -1));
    for (const { history: saved, departed } of inOrder) {
      const presence = departed?.presence ?? present.get(saved.id);
      if (!presence) throw new RangeError(`the presence of ${saved.id} is missing`);
      const history = LifeHistory.restore(saved, presence);
      if (departed)
        this.#put({
          history,
          at: departed.at,
          number: departed.number,
          age: departed.age,
          bytes: history.bytes,
        });
      else this.#present.set(history.id, history);
    }
    this.#left = head.left;
    this.#forgotten = head.forgotten;
    this.#thinned = head.thinned;
  }

  #all(): LifeHistory[] {
    return AGES.flatMap((age) => [...this.#departed[age].values()]).map(({ history }) => history);
  }

  /** Each change creates a new object, which marks the piece of the saved state as changed. */
  #put(departed: DepartedHistory, before?: DepartedHistory): void {
    this.#departedBytes += departed.bytes - (before?.bytes ?? 0);
    this.#departed[departed.age].set(departed.history.id, departed);
  }

  #take(id: string): DepartedHistory | undefined {
    for (const age of AGES) {
      const departed = this.#departed[age].get(id);
      if (!departed) continue;
      this.#departed[age].delete(id);
      this.#departedBytes -= departed.bytes;
      return departed;
    }
    return undefined;
  }
}

function pieceName(id: string): string {
  return `history/${id}`;
}

function savePiece({ history, at, number, age }: DepartedHistory): z.input<typeof savedHistoryPiece> {
  return { history: history.saveState(), departed: { at, number, age, presence: history.savePresence() } };
}

function byTrail(a: LifeHistory, b: LifeHistory): number {
  return b.trail.length - a.trail.length || (a.id < b.id ? -1 : 1);
}

function byFirstSeen(a: ObjectHistory, b: ObjectHistory): number {
  return a.firstSeen - b.firstSeen || a.id.length - b.id.length || (a.id < b.id ? -1 : 1);
}
