import { z } from 'zod';
import type { EventObserved } from '../../core/messages.js';
import type { ObjectHistory } from '../../core/records/records.js';
import { RECENT_S, SPARSE_S } from '../trail.js';
import { LifeHistory, savedHistory, savedPresence } from './life-history.js';
import type { PieceLedger } from '../state/state-pieces.js';

/** Looks that are left of an object that has been gone for longer than its trail is kept. */
const KEYFRAMES_OF_OLD = 3;
/** What left less than this ago may only be missing, s. */
const KEPT_S = 10;
/** By age: gone for less than 2 min, for less than 1 h, for longer. */
const AGES = ['fresh', 'aged', 'old'] as const;

interface Gone {
  readonly history: LifeHistory;
  readonly at: number;
  /** Order of leaving. */
  readonly number: number;
  readonly age: (typeof AGES)[number];
  /** As counted in the total. */
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
  gone: z
    .object({ at: z.number(), number: z.number().int(), age: z.enum(AGES), presence: savedPresence })
    .optional(),
});

/**
 * The histories of all objects, those in view and those that left. What left is thinned as it ages: after 2 min its
 * trail to 0.2 Hz; after 1 h the trail goes and three looks are left. Over its budget the oldest departed are
 * forgotten, then the trails of those in view are thinned.
 */
export class HistoryStore {
  readonly #present = new Map<string, LifeHistory>();
  /** Each in the order of leaving. */
  readonly #gone = {
    fresh: new Map<string, Gone>(),
    aged: new Map<string, Gone>(),
    old: new Map<string, Gone>(),
  };
  #goneBytes = 0;
  #left = 0;
  #forgotten = 0;
  #thinned = 0;

  /** The history of an object that comes into view; one that was there before goes on. */
  open(id: string, label: string): LifeHistory {
    const history = this.#present.get(id) ?? this.#take(id)?.history ?? new LifeHistory(id, label);
    this.#present.set(id, history);
    return history;
  }

  /** The object has left at `t`. */
  close(id: string, t: number): void {
    const history = this.#present.get(id);
    if (!history) return;
    this.#present.delete(id);
    this.#put({ history, at: t, number: this.#left++, age: 'fresh', bytes: history.bytes });
  }

  /** Writes an event into the histories of its participants, those that left lately included. */
  note(observed: EventObserved): void {
    for (const { id } of observed.event.participants) {
      (this.#present.get(id) ?? this.#gone.fresh.get(id)?.history)?.note(observed);
    }
  }

  /** The history of an object that left lately has changed. */
  recount(id: string): void {
    const gone = this.#gone.fresh.get(id);
    if (gone) this.#put({ ...gone, bytes: gone.history.bytes }, gone);
  }

  find(id: string): LifeHistory | undefined {
    const { fresh, aged, old } = this.#gone;
    return this.#present.get(id) ?? (fresh.get(id) ?? aged.get(id) ?? old.get(id))?.history;
  }

  age(t: number): void {
    for (const gone of this.#gone.fresh.values()) {
      if (t - gone.at < RECENT_S) break;
      gone.history.trail.thin();
      this.#gone.fresh.delete(gone.history.id);
      this.#put({ ...gone, age: 'aged', bytes: gone.history.bytes }, gone);
    }
    for (const gone of this.#gone.aged.values()) {
      if (t - gone.at < SPARSE_S) break;
      gone.history.trail.clear();
      gone.history.reduceAppearances(KEYFRAMES_OF_OLD);
      this.#gone.aged.delete(gone.history.id);
      this.#put({ ...gone, age: 'old', bytes: gone.history.bytes }, gone);
    }
  }

  /** Forgets until at most `most` bytes are held at `t`, or there is nothing left that can go. */
  shrink(most: number, t: number): void {
    let bytes = this.bytes;
    for (const group of [this.#gone.old, this.#gone.aged, this.#gone.fresh]) {
      for (const [id, gone] of group) {
        if (bytes <= most) return;
        if (t - gone.at < KEPT_S) break;
        group.delete(id);
        bytes -= gone.bytes;
        this.#goneBytes -= gone.bytes;
        this.#forgotten += 1;
      }
    }
    for (const { trail } of [...this.#present.values()].sort(byTrail)) {
      if (bytes <= most) return;
      const before = trail.bytes;
      this.#thinned += trail.halve();
      bytes += trail.bytes - before;
    }
  }

  get bytes(): number {
    let bytes = this.#goneBytes;
    for (const history of this.#present.values()) bytes += history.bytes;
    return bytes;
  }

  /** Histories held, those forgotten, and points of trails given up for want of room, since the stream began. */
  get counts(): { histories: number; forgotten: number; thinned: number } {
    const { fresh, aged, old } = this.#gone;
    const histories = this.#present.size + fresh.size + aged.size + old.size;
    return { histories, forgotten: this.#forgotten, thinned: this.#thinned };
  }

  /** All of them, in order of their first sight. */
  records(): ObjectHistory[] {
    return [...this.#all(), ...this.#present.values()].map((history) => history.record()).sort(byFirstSeen);
  }

  /** Writes a piece for each history that changed; returns the head. */
  savePieces(ledger: PieceLedger): z.input<typeof savedHistories> {
    for (const history of this.#present.values())
      ledger.offer(pieceName(history.id), history.mark, () => ({ history: history.saveState() }));
    for (const gone of [
      ...this.#gone.fresh.values(),
      ...this.#gone.aged.values(),
      ...this.#gone.old.values(),
    ])
      ledger.offer(pieceName(gone.history.id), gone, () => savePiece(gone));
    return {
      present: [...this.#present.values()].map((history) => history.savePresence()),
      left: this.#left,
      forgotten: this.#forgotten,
      thinned: this.#thinned,
    };
  }

  /** Replaces everything. */
  restoreState(
    head: z.output<typeof savedHistories>,
    pieces: readonly z.output<typeof savedHistoryPiece>[],
  ): void {
    for (const group of [this.#present, ...Object.values(this.#gone)]) group.clear();
    this.#goneBytes = 0;
    const present = new Map(head.present.map((presence) => [presence.id, presence]));
    const inOrder = [...pieces].sort((a, b) => (a.gone?.number ?? -1) - (b.gone?.number ?? -1));
    for (const { history: saved, gone } of inOrder) {
      const presence = gone?.presence ?? present.get(saved.id);
      if (!presence) throw new RangeError(`the presence of ${saved.id} is missing`);
      const history = LifeHistory.restore(saved, presence);
      if (gone) this.#put({ history, at: gone.at, number: gone.number, age: gone.age, bytes: history.bytes });
      else this.#present.set(history.id, history);
    }
    this.#left = head.left;
    this.#forgotten = head.forgotten;
    this.#thinned = head.thinned;
  }

  #all(): LifeHistory[] {
    return AGES.flatMap((age) => [...this.#gone[age].values()]).map(({ history }) => history);
  }

  /** Each change makes another object of it, by which the saved state knows. */
  #put(gone: Gone, before?: Gone): void {
    this.#goneBytes += gone.bytes - (before?.bytes ?? 0);
    this.#gone[gone.age].set(gone.history.id, gone);
  }

  #take(id: string): Gone | undefined {
    for (const age of AGES) {
      const gone = this.#gone[age].get(id);
      if (!gone) continue;
      this.#gone[age].delete(id);
      this.#goneBytes -= gone.bytes;
      return gone;
    }
    return undefined;
  }
}

function pieceName(id: string): string {
  return `history/${id}`;
}

function savePiece({ history, at, number, age }: Gone): z.input<typeof savedHistoryPiece> {
  return { history: history.saveState(), gone: { at, number, age, presence: history.savePresence() } };
}

function byTrail(a: LifeHistory, b: LifeHistory): number {
  return b.trail.length - a.trail.length || (a.id < b.id ? -1 : 1);
}

function byFirstSeen(a: ObjectHistory, b: ObjectHistory): number {
  return a.firstSeen - b.firstSeen || a.id.length - b.id.length || (a.id < b.id ? -1 : 1);
}
