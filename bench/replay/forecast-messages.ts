import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Message } from '../../src/core/messages.js';

/** What the messages of one or several recordings say of their explanations and predictions. */
export interface Told {
  explanations: number;
  /** Explanations in which the verifier found nothing wrong. */
  clean: number;
  /** Steps and causes that were said. */
  claims: number;
  /** What the verifier found wrong, and dropped or withheld. */
  problems: number;
  predictions: number;
  /** Explanations by backend: those of a fallback show here. */
  readonly byBackend: Map<string, number>;
  /** Time that an explanation took, ms. */
  readonly explainMs: number[];
  /** Time that the predictions of a moment took, ms. */
  readonly predictMs: number[];
}

export function noForecasts(): Told {
  const counts = { explanations: 0, clean: 0, claims: 0, problems: 0, predictions: 0 };
  return { ...counts, byBackend: new Map(), explainMs: [], predictMs: [] };
}

/** Adds the messages of a file of JSON Lines. */
export async function addForecastMessage(told: Told, file: string): Promise<void> {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    // Most lines are boxes, which have nothing to say here and are long.
    if (!line.includes('explanation.created') && !line.includes('prediction.created')) continue;
    addMessage(told, JSON.parse(line) as Message);
  }
}

export function addMessage(told: Told, message: Message): void {
  if (message.type === 'presage.explanation.created.v1') {
    const { chain, causes, verified, by } = message.data.explanation;
    told.explanations += 1;
    told.clean += verified.ok && verified.problems.length === 0 ? 1 : 0;
    told.claims += chain.length + causes.length;
    told.problems += verified.problems.length;
    told.byBackend.set(by.backend, (told.byBackend.get(by.backend) ?? 0) + 1);
    if (by.ms !== undefined) told.explainMs.push(by.ms);
  }
  if (message.type === 'presage.prediction.created.v1') {
    told.predictions += 1;
    const { ms } = message.data.prediction.by;
    if (ms !== undefined) told.predictMs.push(ms);
  }
}

/** Share of the claims made that held: what is said of those and what was found wrong; NaN without any. */
export function verifiedShare({ claims, problems }: Told): number {
  return claims / (claims + problems);
}
