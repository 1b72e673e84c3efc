/**
 * Changes of a memory's saved state, which consists of named entries, so that a store writes only what changed. `put`
 * replaces entries, `removed` names deleted ones. `whole`: `put` contains all entries, and the store deletes all others.
 */
export interface StateChanges {
  readonly whole: boolean;
  readonly put: Readonly<Record<string, unknown>>;
  readonly removed: readonly string[];
}

/** Store of JSON values that stages keep across restarts; durable with the next commit. */
export interface StateStore {
  /** Returns undefined when the key has no value. */
  load(streamId: string, key: string): unknown;
  /** Returns the values of all keys that begin with the prefix, by the rest of their key. */
  loadAll(streamId: string, prefix: string): Readonly<Record<string, unknown>>;
  save(streamId: string, key: string, value: unknown): void;
  remove(streamId: string, key: string): void;
  /** Removes all keys that begin with the prefix. */
  removeAll(streamId: string, prefix: string): void;
}
