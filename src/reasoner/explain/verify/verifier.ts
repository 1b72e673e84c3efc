import { iou } from '../../../core/maths/box.js';
import type { ChainStep, Explanation, ObservedEvent, Prediction } from '../../../core/messages.js';
import { TIME_EPSILON } from '../../../core/ontology.js';
import { objectName } from '../../../core/text/object-names.js';
import type { MemorySnapshot } from '../../../core/memory.js';
import { MemoryIndex } from '../memory-index.js';
import { CAUSAL_RELATIONS } from '../rules/relations.js';
import type { Problem, ProblemCode } from './problems.js';
import { problemLine } from './problems.js';

/** Overlap of an evidence box with memory's: half where memory has the box itself, less where it interpolates. */
const MIN_IOU = { event: 0.5, sample: 0.5, now: 0.5, trail: 0.3 } as const;
/** An object may be hidden this long at the edges of its life and still count as in view, s (UNSEEN_S of the spec). */
const VIEW_TOLERANCE_S = 1;
/** What is said instead of a text that names what does not exist. */
const WITHHELD = 'The wording was withheld because it named something that is not in memory.';

export interface Verification {
  readonly ok: boolean;
  readonly problems: readonly Problem[];
}

/** Counts since the verifier was made. */
export interface VerifierStats {
  readonly checked: number;
  /** Explanations or predictions with at least one problem. */
  readonly failed: number;
  readonly droppedSteps: number;
  readonly droppedCauses: number;
  readonly withheldTexts: number;
  readonly problems: Readonly<Partial<Record<ProblemCode, number>>>;
}

/**
 * Re-checks every claim against memory: that cited events and objects exist, that causes precede effects, that objects
 * were in view where they are cited, that evidence lies where memory saw them, and that text names nothing unknown. It
 * knows nothing of how a claim was made, so it serves every backend.
 */
export class Verifier {
  readonly #counts = { checked: 0, failed: 0, droppedSteps: 0, droppedCauses: 0, withheldTexts: 0 };
  readonly #problems: Partial<Record<ProblemCode, number>> = {};

  /** `event`: the explained event, where the snapshot may not hold it any more. */
  verifyExplanation(explanation: Explanation, snapshot: MemorySnapshot, event?: ObservedEvent): Verification {
    return this.#count(explanationProblems(explanation, new MemoryIndex(snapshot, event)));
  }

  /** Checks what a prediction is said to rest on; the outcome is for time to tell. */
  verifyPrediction(prediction: Prediction, snapshot: MemorySnapshot): Verification {
    const index = new MemoryIndex(snapshot);
    const { text, events, objects } = prediction.justification;
    const where = 'justification';
    const problems = [
      ...events.flatMap((id) => checkEventPast(index, id, prediction.issuedAt, where)),
      ...objects.flatMap((id) => checkObject(index, id, where)),
      ...prediction.event.participants.flatMap((id) => checkObject(index, id, 'participants')),
      ...checkText(index, text, where),
      ...checkProbability(prediction.probability, 'probability'),
    ];
    return this.#count(problems);
  }

  /**
   * Verifies and drops the steps and causes that fail. In the result `verified.ok` says that all that is left holds,
   * and `verified.problems` what was wrong.
   */
  repair(explanation: Explanation, snapshot: MemorySnapshot, event?: ObservedEvent): Explanation {
    const { problems } = this.verifyExplanation(explanation, snapshot, event);
    const notes = [...explanation.verified.problems, ...problems.map(problemLine)];
    if (problems.length === 0) return { ...explanation, verified: { ok: true, problems: notes } };
    const steps = new Set(problems.map(({ step }) => step));
    const causes = new Set(problems.map(({ cause }) => cause));
    const chain = explanation.chain.filter((_, at) => !steps.has(at));
    // A chain of the outcome alone accounts for nothing.
    const accounts = chain.some(({ relation }) => relation !== 'outcome');
    const withheld = problems.some(({ where }) => where === 'text');
    const repaired = {
      ...explanation,
      text: withheld ? WITHHELD : explanation.text,
      chain: accounts ? chain : [],
      causes: explanation.causes.filter((_, at) => !causes.has(at)),
      confidence: Number.isFinite(explanation.confidence)
        ? Math.min(Math.max(explanation.confidence, 0), 1)
        : 0,
    };
    this.#counts.droppedSteps += explanation.chain.length - chain.length;
    this.#counts.droppedCauses += explanation.causes.length - repaired.causes.length;
    this.#counts.withheldTexts += withheld ? 1 : 0;
    const ok = explanationProblems(repaired, new MemoryIndex(snapshot, event)).length === 0;
    return { ...repaired, verified: { ok, problems: notes } };
  }

  /** Verifies and takes out of the justification what is not in memory. */
  repairPrediction(prediction: Prediction, snapshot: MemorySnapshot): Prediction {
    const { ok, problems } = this.verifyPrediction(prediction, snapshot);
    if (ok) return prediction;
    const index = new MemoryIndex(snapshot);
    const { text, events, objects } = prediction.justification;
    const withheld = problems.some(({ code }) => code === 'unknown_name');
    this.#counts.withheldTexts += withheld ? 1 : 0;
    return {
      ...prediction,
      justification: {
        text: withheld ? WITHHELD : text,
        events: events.filter((id) => checkEventPast(index, id, prediction.issuedAt, '').length === 0),
        objects: objects.filter((id) => index.knows(id)),
      },
    };
  }

  stats(): VerifierStats {
    return { ...this.#counts, problems: { ...this.#problems } };
  }

  #count(problems: readonly Problem[]): Verification {
    this.#counts.checked += 1;
    this.#counts.failed += problems.length > 0 ? 1 : 0;
    for (const { code } of problems) this.#problems[code] = (this.#problems[code] ?? 0) + 1;
    return { ok: problems.length === 0, problems };
  }
}

function explanationProblems(explanation: Explanation, index: MemoryIndex): Problem[] {
  const explained = index.event(explanation.of);
  const problems: Problem[] = [
    ...(explained === undefined
      ? [problem('unknown_event', 'of', `${explanation.of} is not in memory`)]
      : []),
    ...checkText(index, explanation.text, 'text'),
    ...checkProbability(explanation.confidence, 'confidence'),
    ...checkOrder(index, explanation, explained),
  ];
  explanation.chain.forEach((step, at) => problems.push(...checkStep(index, step, at)));
  problems.push(...checkCauses(index, explanation, explained));
  return problems;
}

function problem(code: ProblemCode, where: string, detail: string): Problem {
  return { code, where, detail };
}

/** Ids in a text stand as `#7`; each must be an object of memory. */
function checkText(index: MemoryIndex, text: string, where: string): Problem[] {
  const names = new Set([...text.matchAll(/#(\w+)/g)].map((match) => match[1] ?? ''));
  return [...names]
    .filter((name) => !index.knows(`o${name}`))
    .map((name) => problem('unknown_name', where, `names #${name}, which is not in memory`));
}

function checkProbability(value: number, where: string): Problem[] {
  const ok = Number.isFinite(value) && value >= 0 && value <= 1;
  return ok ? [] : [problem('bad_probability', where, `${value} is not a probability`)];
}

function checkObject(index: MemoryIndex, id: string, where: string): Problem[] {
  return index.knows(id) ? [] : [problem('unknown_object', where, `${objectName(id)} is not in memory`)];
}

function checkEventPast(index: MemoryIndex, id: string, t: number, where: string): Problem[] {
  const event = index.event(id);
  if (event === undefined) return [problem('unknown_event', where, `${id} is not in memory`)];
  if (event.t <= t + TIME_EPSILON) return [];
  return [problem('not_earlier', where, `${id} is later than what it is to account for`)];
}

/** Steps come in the order of time, none after the explained event. */
function checkOrder(
  index: MemoryIndex,
  explanation: Explanation,
  explained: ObservedEvent | undefined,
): Problem[] {
  const problems: Problem[] = [];
  let latest = -Infinity;
  explanation.chain.forEach((step, at) => {
    const times = step.events.map((id) => index.event(id)?.t).filter((t) => t !== undefined);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    const isOutcome = step.relation === 'outcome';
    const late = explained !== undefined && last > explained.t + TIME_EPSILON;
    if (times.length > 0 && (first < latest - TIME_EPSILON || late)) {
      problems.push({
        ...problem('not_earlier', `step ${at + 1}`, 'does not precede what it leads to'),
        step: at,
      });
      return;
    }
    if (isOutcome !== (explained !== undefined && step.events.includes(explained.id))) {
      const detail = isOutcome ? 'is not the explained event' : 'gives the event as its own cause';
      problems.push({ ...problem('not_earlier', `step ${at + 1}`, detail), step: at });
    }
    latest = Math.max(latest, last);
  });
  return problems;
}

function checkStep(index: MemoryIndex, step: ChainStep, at: number): Problem[] {
  const where = `step ${at + 1}`;
  const events = step.events.map((id) => index.event(id));
  const problems = [
    ...step.events
      .filter((id) => index.event(id) === undefined)
      .map((id) => problem('unknown_event', where, `${id} is not in memory`)),
    ...step.objects.flatMap((id) => checkObject(index, id, where)),
    ...checkText(index, step.text, where),
    ...checkSpan(step, events, where),
    ...(step.evidence.length === 0 ? [problem('no_evidence', where, 'has no box to show')] : []),
    ...step.evidence.flatMap((evidence) => checkEvidence(index, step, evidence, where)),
  ];
  if (!(CAUSAL_RELATIONS as readonly string[]).includes(step.relation)) {
    problems.push(problem('unknown_relation', where, `“${step.relation}” is no relation`));
  }
  for (const id of step.objects) {
    if (!index.knows(id)) continue;
    if (events.length > 0 && !events.some((event) => event?.participants.some((one) => one.id === id))) {
      problems.push(
        problem('not_a_participant', where, `${objectName(id)} took no part in ${step.events.join(', ')}`),
      );
    }
    if (!index.wasInView(id, step.from, step.to, VIEW_TOLERANCE_S)) {
      problems.push(problem('not_in_view', where, `${objectName(id)} was not in view then`));
    }
  }
  return problems.map((one) => ({ ...one, step: at }));
}

function checkSpan(
  step: ChainStep,
  events: readonly (ObservedEvent | undefined)[],
  where: string,
): Problem[] {
  const within = events.every(
    (event) =>
      event === undefined || (event.t >= step.from - TIME_EPSILON && event.t <= step.to + TIME_EPSILON),
  );
  const ok = Number.isFinite(step.from) && step.to >= step.from && within;
  return ok ? [] : [problem('bad_span', where, 'its events lie outside its span')];
}

function checkEvidence(
  index: MemoryIndex,
  step: ChainStep,
  evidence: ChainStep['evidence'][number],
  where: string,
): Problem[] {
  if (evidence.t < step.from - TIME_EPSILON || evidence.t > step.to + TIME_EPSILON) {
    return [problem('bad_span', where, 'its evidence lies outside its span')];
  }
  const recorded = step.objects.map((id) => index.boxAt(id, evidence.t)).filter((box) => box !== undefined);
  if (recorded.length === 0) return [problem('no_record', where, 'memory holds no box for its evidence')];
  const agrees = recorded.some(({ box, source }) => iou(box, evidence.box) >= MIN_IOU[source]);
  return agrees ? [] : [problem('box_differs', where, 'its evidence is not where memory saw the object')];
}

function checkCauses(
  index: MemoryIndex,
  explanation: Explanation,
  explained: ObservedEvent | undefined,
): Problem[] {
  const seen = new Set<string>();
  return explanation.causes.flatMap((cause, at) => {
    const where = `cause ${objectName(cause.object)}`;
    const problems = [
      ...checkObject(index, cause.object, where),
      ...checkProbability(cause.probability, where),
      ...checkText(index, cause.counterfactual, where),
    ];
    if (explained?.participants.some(({ id }) => id === cause.object)) {
      problems.push(problem('own_participant', where, 'took part in the event itself'));
    }
    if (
      explained !== undefined &&
      index.knows(cause.object) &&
      !index.wasInView(cause.object, -Infinity, explained.t, 0)
    ) {
      problems.push(problem('not_earlier', where, 'was first seen after the event'));
    }
    if (seen.has(cause.object)) problems.push(problem('repeated', where, 'is given twice'));
    seen.add(cause.object);
    return problems.map((one) => ({ ...one, cause: at }));
  });
}
