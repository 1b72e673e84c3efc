import type { MessageKind } from '../../core/messages.js';

export interface LogEntry {
  readonly sequence: number;
  readonly kind: MessageKind;
  readonly mediatime: number;
  /** The message as it was and will be sent. */
  readonly json: string;
}

/** What is available: `first` is the oldest sequence kept, `last` the newest durable one; empty when first > last. */
export interface LogRange {
  readonly first: number;
  readonly last: number;
}

export interface LogAppend {
  readonly kind: MessageKind;
  readonly mediatime: number;
  /** Writes the message with the sequence that it is given. */
  readonly render: (sequence: number) => string;
  /** Ids of events and objects that the message is about; it can be found by them. */
  readonly refs?: readonly string[];
  /** Called in order of sequence as soon as the message cannot be lost any more. Only then may it be sent. */
  readonly onDurable?: (entry: LogEntry) => void;
}

/** Writes in the transactions of the log and is swept with it. */
export interface LogCompanion {
  /** Whether it has something to write. */
  readonly pending: boolean;
  /** Inside the transaction; may be called again when that fails. */
  write(): void;
  /** What was written is durable now. */
  committed(): void;
  /** Deletes what retention no longer covers, in one bounded step. Returns how many rows went. */
  sweep(nowMs: number): number;
}

export interface DurableLogStats {
  readonly pending: number;
  readonly commits: number;
  readonly committed: number;
  readonly deleted: number;
  readonly errors: number;
  /** Duration of the last commit, ms. */
  readonly lastCommitMs: number;
}
