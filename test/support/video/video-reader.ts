import { filter, firstValueFrom } from 'rxjs';
import type { PresageError } from '../../../src/core/errors.js';
import type { Source, SourceState } from '../../../src/core/source.js';

/** What a test keeps of a frame; the frame itself is given back at once. */
export interface SeenFrame {
  readonly index: number;
  readonly t: number;
  readonly width: number;
  readonly height: number;
  /** Mean of the luma plane. */
  readonly luma: number;
}

/** Subscribes a source, notes what comes and gives every frame back. */
export class VideoReader {
  readonly frames: SeenFrame[] = [];
  readonly states: SourceState[] = [];
  readonly error: Promise<PresageError | undefined>;
  readonly #source: Source;
  readonly #subscription;
  #waiting: { count: number; resolve: () => void }[] = [];

  constructor(source: Source) {
    this.#source = source;
    source.state$.subscribe((state) => this.states.push(state));
    let settle!: (error: PresageError | undefined) => void;
    this.error = new Promise((resolve) => (settle = resolve));
    this.#subscription = source.frame$.subscribe({
      next: (frame) => {
        using held = frame;
        const { width, height, ySize } = held.layout;
        const luma = held.pixels.subarray(0, ySize).reduce((sum, value) => sum + value, 0) / ySize;
        this.frames.push({ index: held.index, t: held.t, width, height, luma });
        this.#tell();
      },
      error: settle,
      complete: () => settle(undefined),
    });
    void this.error.then(() => this.#tell(true));
  }

  /** Names of the states so far, in order. */
  get stateNames(): string[] {
    return this.states.map(({ state }) => state);
  }

  get times(): number[] {
    return this.frames.map(({ t }) => t);
  }

  /** Resolves when that many frames have come. Rejects when the stream ends before. */
  async atLeast(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push({ count, resolve });
      this.#tell();
    });
    if (this.frames.length >= count) return;
    const error = await this.error;
    throw new Error(`ended after ${this.frames.length} of ${count} frames`, { cause: error });
  }

  /** Resolves at the next state of this name, the present one included. */
  async enters<S extends SourceState['state']>(name: S): Promise<Extract<SourceState, { state: S }>> {
    const is = (state: SourceState): state is Extract<SourceState, { state: S }> => state.state === name;
    return firstValueFrom(this.#source.state$.pipe(filter(is)));
  }

  unsubscribe(): void {
    this.#subscription.unsubscribe();
  }

  #tell(ended = false): void {
    const due = this.#waiting.filter(({ count }) => ended || this.frames.length >= count);
    this.#waiting = this.#waiting.filter((wait) => !due.includes(wait));
    due.forEach(({ resolve }) => resolve());
  }
}

/** Whether each number is greater than the one before. */
export function strictlyIncreasing(values: readonly number[]): boolean {
  return values.every((value, index) => index === 0 || value > (values[index - 1] ?? Infinity));
}
