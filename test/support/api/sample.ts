/** Options of a sample. */
export interface SampleOptions {
  readonly seconds: number;
}

export function withoutComment(options: SampleOptions): number {
  return options.seconds;
}

/** A documented class. */
export class Sample {
  /** A documented method. */
  documented(): number {
    return 1;
  }

  bare(): number {
    return this.#hidden();
  }

  #hidden(): number {
    return 2;
  }
}
