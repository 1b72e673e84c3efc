import type { From } from './types.js';

/** Where a subscription begins, by stream. */
type Start = number | 'oldest';

/** How far a client has come in each stream: by the sequence it needs next. */
export class Positions {
  readonly #next = new Map<string, number>();
  /** When the newest message of a stream was told, which a new log exceeds. */
  readonly #times = new Map<string, string>();
  /** Every stream that was ever there. */
  readonly #known = new Set<string>();
  /** Streams of which everything is wanted: they came while we were away. */
  readonly #anew = new Set<string>();
  /** Where a lost message was asked for again: twice at one place would be for ever. */
  readonly #retried = new Map<string, number>();
  /** For streams without a position. */
  #from: From;
  #begun = false;

  constructor(from: From) {
    this.#from = from;
  }

  knows(stream: string): boolean {
    return this.#known.has(stream);
  }

  /**
   * A stream as it is now, while no connection is open.
   * @param last newest sequence in its log; undefined: nothing is kept
   */
  meet(stream: string, last: number | undefined): void {
    const next = this.#next.get(stream);
    // Its log has begun anew (another data folder), or holds nothing: then all that comes is new.
    if (next !== undefined && (last === undefined || last < next - 1)) {
      this.#next.delete(stream);
      this.#anew.add(stream);
    }
    if (this.#begun && !this.#known.has(stream)) this.#anew.add(stream);
    this.#known.add(stream);
  }

  /** The field `from` of a subscription. */
  from(streams: readonly string[] | undefined): 'oldest' | 'latest' | Readonly<Record<string, Start>> {
    if (!this.#begun && typeof this.#from === 'string') return this.#from;
    const from = new Map<string, Start>(this.#begun ? [] : Object.entries(this.#from));
    for (const stream of this.#anew) from.set(stream, 'oldest');
    for (const [stream, next] of this.#next) from.set(stream, next);
    return Object.fromEntries([...from].filter(([stream]) => streams?.includes(stream) ?? true));
  }

  /** What the service says where each stream begins. What was asked for earlier may have gone beyond it since. */
  begin(next: Readonly<Record<string, number>>): void {
    this.#begun = true;
    for (const [stream, sequence] of Object.entries(next)) {
      this.#known.add(stream);
      this.#next.set(stream, Math.max(sequence, this.#next.get(stream) ?? 0));
    }
    this.#anew.clear();
  }

  /** Nobody listens any more; the next subscription begins with what comes then. */
  forget(): void {
    if (!this.#begun) return;
    this.#begun = false;
    this.#from = 'latest';
    for (const map of [this.#next, this.#retried, this.#anew]) map.clear();
  }

  /** A durable message came: false when it came before. */
  take(stream: string, sequence: number, time: string | undefined): boolean {
    const next = this.#next.get(stream) ?? 1;
    // A stream that was deleted and made again begins with 1 while we listen.
    const again = sequence === 1 && time !== undefined && time > (this.#times.get(stream) ?? time);
    if (sequence < next && !again) return false;
    this.#next.set(stream, sequence + 1);
    if (time !== undefined) this.#times.set(stream, time);
    return true;
  }

  /** Whether asking again may bring what was lost from this sequence on; the next request begins there. */
  retryFrom(stream: string, sequence: number): boolean {
    if (this.#retried.get(stream) === sequence) return false;
    this.#retried.set(stream, sequence);
    this.#next.set(stream, sequence);
    return true;
  }

  skipTo(stream: string, sequence: number): void {
    this.#next.set(stream, Math.max(sequence, this.#next.get(stream) ?? 1));
  }
}
