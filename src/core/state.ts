/**
 * The saved state of a memory in pieces by name, so that a store that has the last ones writes only what changed.
 * `put` replaces pieces, `gone` names those that are no more. `whole`: these are all the pieces there are.
 */
export interface StateChanges {
  readonly whole: boolean;
  readonly put: Readonly<Record<string, unknown>>;
  readonly removed: readonly string[];
}

/** JSON values that stages keep across restarts; durable with the next commit. */
export interface StateStore {
  /** Undefined when there is none. */
  load(streamId: string, key: string): unknown;
  /** Values of all keys that begin with the prefix, by the rest of their key. */
  loadAll(streamId: string, prefix: string): Readonly<Record<string, unknown>>;
  save(streamId: string, key: string, value: unknown): void;
  remove(streamId: string, key: string): void;
  /** Removes all keys that begin with the prefix. */
  removeAll(streamId: string, prefix: string): void;
}
