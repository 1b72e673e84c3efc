import type { ObservedEvent } from '../../../core/messages.js';
import { eventClause, objectName, objectPhrase } from '../../../core/text/object-names.js';
import type { Relation as HeldRelation } from '../../../core/records/records.js';
import type { Link } from './event-graph.js';
import type { Necessity } from '../causes/causes.js';
import type { CausalRelation } from './relations.js';

/** What follows the clause of a step, by how it leads on; what acts on an object is followed by that object's name. */
const LEADS_ON: Readonly<Record<CausalRelation, string>> = {
  enables: ', which made it possible',
  triggers: ', which probably set it off',
  pushes: ' and changed the motion of',
  blocks: ', in the way of',
  precedes: '',
  outcome: '',
};

/** An object held necessary with at least this is named in the text; 0.5 is the limit at which a cause counts. */
const NAMED = 0.5;
const PROBABLY = 0.7;

const NOTHING_FOUND = 'No earlier event in memory accounts for this.';

/** `ball #3 collided with cube #1` */
export function clauseOf(event: ObservedEvent): string {
  return eventClause(event.type, event.participants.map(objectPhrase), event.zone, 'past');
}

/** The whole explanation in a few sentences, latest cause first. */
export function explanationText(
  event: ObservedEvent,
  links: readonly Link[],
  causes: readonly Necessity[],
  remarks: readonly string[],
): string {
  const sentences = [`${clauseOf(event)}.`];
  for (const link of [...links].reverse()) {
    const ago = (link.effect.t - link.cause.t).toFixed(1);
    sentences.push(`${ago} s before that, ${clauseOf(link.cause)}${leadsOn(link)}.`);
  }
  const named = causes
    .filter(({ probability }) => probability >= NAMED)
    .map(({ object }) => objectName(object));
  if (links.length === 0) sentences.push(named.length === 0 ? NOTHING_FOUND : byMotion(named));
  else if (named.length > 0) sentences.push(`Without ${joinOr(named)} it would probably not have happened.`);
  return [...sentences, ...remarks].join(' ');
}

/** Where the motion alone tells who was necessary. */
function byMotion(named: readonly string[]): string {
  const without = joinOr(named);
  return `Judging by how things moved, it would probably not have happened without ${without}; no earlier event in memory tells how.`;
}

function leadsOn(link: Link): string {
  const { relation } = link.rule;
  const acts = relation === 'pushes' || relation === 'blocks';
  return `${LEADS_ON[relation]}${acts ? ` ${objectName(link.via)}` : ''}`;
}

/** `ball #3 was already moving when it came into view, so what set it in motion may lie outside the view.` */
export function outsideRemark(object: { id: string; label: string }): string {
  return `${objectPhrase(object)} was already moving when it came into view, so what set it in motion may lie outside the view.`;
}

/** `#1 was carrying #3 at the time.` */
export function relationRemark({ kind, a, b }: Pick<HeldRelation, 'kind' | 'a' | 'b'>): string {
  return `${objectName(a)} was ${kind.replace('-', ' ')} ${objectName(b)} at the time.`;
}

/**
 * `Without #3, #5 would probably have kept standing.` — about the participant on which the cause finally acted.
 * `stood`: whether that participant stood before it was acted on; undefined when unknown.
 */
export function counterfactual(
  event: ObservedEvent,
  necessity: Necessity,
  stood: boolean | undefined,
): string {
  const verb =
    necessity.probability >= PROBABLY
      ? 'would probably'
      : necessity.probability >= NAMED
        ? 'may well'
        : 'might';
  const acted = necessity.path.at(-1)?.via ?? event.participants[0]?.id ?? '';
  const rest =
    stood === undefined
      ? `this event ${verb} not have happened`
      : `${objectName(acted)} ${verb} have kept ${stood ? 'standing' : 'its course'}${outcomeMissed(event, acted)}`;
  return `Without ${objectName(necessity.object)}, ${rest}.`;
}

function outcomeMissed(event: ObservedEvent, acted: string): string {
  const other = event.participants.find(({ id }) => id !== acted);
  return event.type === 'collide' && other !== undefined
    ? ` and not have touched ${objectName(other.id)}`
    : '';
}

function joinOr(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`;
}
