import { PresageError } from '../../../core/errors.js';
import type { ForecastItem } from '../../../core/messages.js';
import type { MemorySnapshot } from '../../../core/memory.js';
import type { Expert } from '../expert.js';

export interface ExpertPanelOptions {
  readonly sources: readonly Expert[];
  /** What an answer may take, wall ms. Without it every answer is waited for: `analyze`. */
  readonly deadlineMs?: number | undefined;
  /** After this many failures in a row a source is left alone. Default 3. */
  readonly restAfterFailures?: number;
  /** For this long, media s. Default 30. */
  readonly restS?: number;
}

/** Probabilities by item key, by the name of the source that said them. */
export type Estimates = ReadonlyMap<string, ReadonlyMap<string, number>>;

export interface ExpertStats {
  readonly answered: number;
  /** Not there at the deadline. */
  readonly late: number;
  readonly failed: number;
  /** Not asked because it had failed too often. */
  readonly rested: number;
  /** Why it failed last. */
  readonly problem?: string;
}

interface Member {
  readonly source: Expert;
  readonly counts: { answered: number; late: number; failed: number; rested: number };
  problem?: string;
  failuresInRow: number;
  restUntil: number;
}

/** One question to all sources of a panel. */
export class Poll {
  /** Resolves when all have answered or failed, or at the deadline, or when it was cut short. Never rejects. */
  readonly done: Promise<void>;
  readonly #estimates = new Map<string, ReadonlyMap<string, number>>();
  readonly #abort = new AbortController();
  readonly #open = new Set<Member>();
  readonly #asked: number;
  #finish: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param members those that are asked; `all` counts those at rest, too */
  constructor(
    members: readonly Member[],
    all: number,
    question: { snapshot: MemorySnapshot; items: readonly ForecastItem[] },
    options: { deadlineMs: number | undefined; onFailure: (member: Member, thrown: unknown) => void },
  ) {
    this.#asked = all;
    this.done = new Promise((resolve) => (this.#finish = resolve));
    for (const member of members) this.#open.add(member);
    for (const member of members) void this.#ask(member, question, options.onFailure);
    if (this.#open.size === 0) this.#finish();
    else if (options.deadlineMs !== undefined)
      this.#timer = setTimeout(() => this.end(), options.deadlineMs).unref();
  }

  /** What has been said so far. */
  get estimates(): Estimates {
    return this.#estimates;
  }

  /** True when some source of the panel has said nothing. */
  get degraded(): boolean {
    return this.#estimates.size < this.#asked;
  }

  /** Waits no longer: what is not said by now does not count. Idempotent. */
  end(): void {
    clearTimeout(this.#timer);
    for (const member of this.#open) member.counts.late += 1;
    this.#open.clear();
    this.#abort.abort(new PresageError('interrupted', 'the forecast had to be told'));
    this.#finish();
  }

  async #ask(
    member: Member,
    { snapshot, items }: { snapshot: MemorySnapshot; items: readonly ForecastItem[] },
    onFailure: (member: Member, thrown: unknown) => void,
  ): Promise<void> {
    let said: ReadonlyMap<string, number> | undefined;
    try {
      said = await member.source.probabilities(snapshot, items, this.#abort.signal);
    } catch (thrown) {
      if (this.#open.has(member)) onFailure(member, thrown);
    }
    // What comes after the cut is too late.
    if (!this.#open.delete(member)) return;
    if (said) {
      this.#estimates.set(member.source.name, said);
      member.counts.answered += 1;
      member.failuresInRow = 0;
    }
    if (this.#open.size > 0) return;
    clearTimeout(this.#timer);
    this.#finish();
  }
}

/** The sources that are asked beside the sampled paths, all at once, up to a deadline. One that fails is left alone for a while. */
export class ExpertPanel {
  readonly #members: readonly Member[];
  readonly #deadlineMs: number | undefined;
  readonly #restAfterFailures: number;
  readonly #restS: number;

  constructor(options: ExpertPanelOptions) {
    this.#members = options.sources.map((source) => ({
      source,
      counts: { answered: 0, late: 0, failed: 0, rested: 0 },
      failuresInRow: 0,
      restUntil: -Infinity,
    }));
    this.#deadlineMs = options.deadlineMs;
    this.#restAfterFailures = options.restAfterFailures ?? 3;
    this.#restS = options.restS ?? 30;
  }

  get size(): number {
    return this.#members.length;
  }

  /** Names and versions of all sources. */
  get models(): readonly string[] {
    return this.#members.map(({ source }) => source.model);
  }

  ask(snapshot: MemorySnapshot, items: readonly ForecastItem[]): Poll {
    const awake = this.#members.filter((member) => member.restUntil <= snapshot.t);
    for (const member of this.#members) if (!awake.includes(member)) member.counts.rested += 1;
    return new Poll(
      awake,
      this.#members.length,
      { snapshot, items },
      {
        deadlineMs: this.#deadlineMs,
        onFailure: (member, thrown) => this.#failed(member, thrown, snapshot.t),
      },
    );
  }

  stats(): Readonly<Record<string, ExpertStats>> {
    return Object.fromEntries(
      this.#members.map(({ source, counts, problem }) => [
        source.name,
        { ...counts, ...(problem !== undefined && { problem }) },
      ]),
    );
  }

  #failed(member: Member, thrown: unknown, t: number): void {
    member.counts.failed += 1;
    member.problem = thrown instanceof Error ? thrown.message : String(thrown);
    member.failuresInRow += 1;
    if (member.failuresInRow < this.#restAfterFailures) return;
    member.restUntil = t + this.#restS;
    member.failuresInRow = 0;
  }
}
