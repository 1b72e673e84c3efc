import type { StateStore } from '../../core/state.js';
import type { Statements } from './log-schema.js';

/** After every key that begins with a prefix. */
const AFTER_PREFIX = '\u{10FFFF}';

/** JSON values by stream and key. What was saved last counts, whether it is on disk yet or waits for the next commit. */
export class StateTable implements StateStore {
  readonly #statements: Statements;
  /** JSON, or undefined for what is to go. */
  readonly #pending = new Map<string, readonly [streamId: string, key: string, json: string | undefined]>();
  readonly #onPending: () => void;

  constructor(statements: Statements, onPending: () => void) {
    this.#statements = statements;
    this.#onPending = onPending;
  }

  get pending(): number {
    return this.#pending.size;
  }

  load(streamId: string, key: string): unknown {
    const pending = this.#pending.get(pendingKey(streamId, key));
    const json =
      pending === undefined
        ? (this.#statements.load.get(streamId, key) as { json: string } | undefined)?.json
        : pending[2];
    return json === undefined ? undefined : (JSON.parse(json) as unknown);
  }

  loadAll(streamId: string, prefix: string): Record<string, unknown> {
    const rows = this.#statements.keys.all(streamId, prefix, prefix + AFTER_PREFIX) as {
      key: string;
      json: string;
    }[];
    const found = new Map(rows.map(({ key, json }) => [key, json]));
    for (const [id, key, json] of this.#pending.values()) {
      if (id !== streamId || !key.startsWith(prefix)) continue;
      if (json === undefined) found.delete(key);
      else found.set(key, json);
    }
    const entries = [...found].map(([key, json]) => [key.slice(prefix.length), JSON.parse(json) as unknown]);
    return Object.fromEntries(entries) as Record<string, unknown>;
  }

  save(streamId: string, key: string, value: unknown): void {
    this.#put(streamId, key, JSON.stringify(value ?? null));
  }

  remove(streamId: string, key: string): void {
    this.#put(streamId, key, undefined);
  }

  removeAll(streamId: string, prefix: string): void {
    for (const name of Object.keys(this.loadAll(streamId, prefix))) this.remove(streamId, prefix + name);
  }

  /** Writes what is pending, inside a transaction. Forget it with `committed` when that has succeeded. */
  write(): void {
    for (const [streamId, key, json] of this.#pending.values()) {
      if (json === undefined) this.#statements.forget.run(streamId, key);
      else this.#statements.save.run(streamId, key, json);
    }
  }

  committed(): void {
    this.#pending.clear();
  }

  #put(streamId: string, key: string, json: string | undefined): void {
    this.#pending.set(pendingKey(streamId, key), [streamId, key, json]);
    this.#onPending();
  }
}

function pendingKey(streamId: string, key: string): string {
  return `${streamId}\n${key}`;
}
