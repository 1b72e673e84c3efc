import type { ObjectRecord, TrackedObject } from '../core/memory.js';
import type { HistoryStore } from './history/history-store.js';
import { RememberedObject } from './object-record.js';

/** An object that left, and the record of it in snapshots. */
export interface Departed {
  readonly object: RememberedObject;
  readonly record: ObjectRecord;
  readonly at: number;
}

export interface RosterOptions {
  /** Maximum number of departed objects remembered, and for how long, s. */
  readonly departed: number;
  readonly departedS: number;
}

/** Objects in view, missing objects (out of view but not known to have left), and objects that left recently. */
export class ObjectRoster {
  readonly #options: RosterOptions;
  readonly #histories: HistoryStore;
  readonly #inView = new Map<string, RememberedObject>();
  readonly #missing = new Set<RememberedObject>();
  #departed: readonly Departed[] = [];
  #departedView: readonly ObjectRecord[] = [];

  constructor(histories: HistoryStore, options: RosterOptions) {
    this.#histories = histories;
    this.#options = options;
  }

  get inView(): ReadonlyMap<string, RememberedObject> {
    return this.#inView;
  }

  get missing(): ReadonlySet<RememberedObject> {
    return this.#missing;
  }

  get departed(): readonly Departed[] {
    return this.#departed;
  }

  get departedView(): readonly ObjectRecord[] {
    return this.#departedView;
  }

  /** The remembered object of a track; a departed one returns with its history. */
  take(track: TrackedObject): RememberedObject {
    const known = this.#inView.get(track.id);
    if (known) return known;
    const returned = this.#departed.find(({ object }) => object.subject.id === track.id);
    if (returned) this.#setDeparted(this.#departed.filter((other) => other !== returned));
    const missing = [...this.#missing].find(({ subject }) => subject.id === track.id);
    const history = this.#histories.open(track.id, track.label);
    const object = returned?.object ?? missing ?? new RememberedObject(track, history);
    this.#inView.set(track.id, object);
    return object;
  }

  /** The object was observed again. */
  found(object: RememberedObject): void {
    this.#missing.delete(object);
  }

  /** Moves objects from view to the departed; those whose segment has not ended are missing. */
  depart(objects: readonly RememberedObject[], t: number): void {
    if (objects.length === 0) return;
    const departed = objects.map((object) => {
      this.#inView.delete(object.subject.id);
      this.#histories.close(object.subject.id, t);
      if (object.segment) this.#missing.add(object);
      return { object, record: departedRecord(object), at: t };
    });
    this.#setDeparted([...this.#departed, ...departed.filter(({ record }) => record.samples.length > 0)]);
  }

  /** Ends the segment of an object. */
  end(object: RememberedObject): void {
    object.end();
    this.#missing.delete(object);
    if (this.#inView.has(object.subject.id)) return;
    this.#histories.recount(object.subject.id);
    this.refresh();
  }

  forgetDeparted(t: number): void {
    const { departedS } = this.#options;
    const oldest = this.#departed[0];
    if (oldest && t - oldest.at > departedS)
      this.#setDeparted(this.#departed.filter(({ at }) => t - at <= departedS));
  }

  /** Updates the records of departed objects from their histories, and drops objects whose history was discarded. */
  refresh(): void {
    const known = this.#departed.filter(({ object }) => this.#histories.find(object.subject.id));
    const fresh = known.map((one) => {
      const isNew = one.record.trail !== one.object.history.trail.view();
      return isNew ? { ...one, record: departedRecord(one.object) } : one;
    });
    if (fresh.length < this.#departed.length || fresh.some((one, i) => one !== this.#departed[i]))
      this.#setDeparted(fresh);
  }

  restore(
    inView: readonly RememberedObject[],
    missing: readonly RememberedObject[],
    departed: readonly { readonly object: RememberedObject; readonly at: number }[],
  ): void {
    this.#inView.clear();
    this.#missing.clear();
    for (const object of inView) this.#inView.set(object.subject.id, object);
    for (const object of missing) this.#missing.add(object);
    this.#setDeparted(departed.map(({ object, at }) => ({ object, at, record: departedRecord(object) })));
  }

  #setDeparted(departed: readonly Departed[]): void {
    this.#departed = departed.slice(Math.max(0, departed.length - this.#options.departed));
    this.#departedView = this.#departed.map(({ record }) => record);
  }
}

function departedRecord(object: RememberedObject): ObjectRecord {
  return { ...object.record(), state: 'hidden' };
}
