/** What can be wrong with a claim. */
export type ProblemCode =
  | 'unknown_event' // the cited event is not in memory
  | 'unknown_object' // the cited object is not in memory
  | 'unknown_name' // the text names an id (`#7`) that does not exist
  | 'unknown_relation' // not one of the vocabulary
  | 'not_earlier' // a cause does not precede its effect
  | 'not_a_participant' // the object took no part in the events cited with it
  | 'not_in_view' // the object was not in view in the cited span
  | 'bad_span' // the span ends before it starts, or its events lie outside of it
  | 'no_record' // memory holds no box for that time, so the evidence cannot be checked
  | 'box_differs' // the evidence is not where memory saw any of the step's objects
  | 'no_evidence' // a step without a box
  | 'bad_probability' // not within 0–1
  | 'own_participant' // a cause that took part in the event itself
  | 'repeated'; // the same cause twice

export interface Problem {
  readonly code: ProblemCode;
  /** Where: `text`, `step 2`, `cause #3`, `confidence`, `justification`. */
  readonly where: string;
  /** Index of the chain step or cause, where it is one of them. */
  readonly step?: number;
  readonly cause?: number;
  readonly detail: string;
}

/** One line for `verified.problems`. */
export function problemLine(problem: Problem): string {
  return `${problem.where}: ${problem.detail}`;
}
