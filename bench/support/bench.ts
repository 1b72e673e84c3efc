import { REASONER_MODES, type ReasonerMode } from '../../src/reasoner/create-reasoner.js';

/** One thing that is measured. */
export interface Bench {
  /** Options with their defaults, all text. */
  readonly options: Readonly<Record<string, string>>;
  /** Measures and returns the result as Markdown. */
  readonly run: (options: Readonly<Record<string, string>>) => Promise<string | CardResult>;
}

/** A result of which a part goes into the model card, too. */
interface CardResult {
  readonly body: string;
  readonly card: string;
}

/** A positive number from an option. */
export function positive(options: Readonly<Record<string, string>>, name: string): number {
  const value = Number(options[name]);
  if (value > 0) return value;
  throw new Error(`option --${name}: got "${options[name] ?? ''}", expected a number above 0`);
}

/** A mode of the reasoner from an option. */
export function reasonerMode(value: string | undefined): ReasonerMode {
  const mode = REASONER_MODES.find((known) => known === value);
  if (mode !== undefined) return mode;
  throw new Error(`reasoner: got "${value ?? ''}", expected one of ${REASONER_MODES.join(', ')}`);
}
