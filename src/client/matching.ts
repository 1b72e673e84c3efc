import type { Message } from '../core/messages.js';
import { kindOf, listOf, streamOf } from './interest.js';
import type { OneOrMore } from './types.js';

/** A tap's own filter, for messages that another tap of the same connection asked for. */
export interface Match {
  readonly stream?: OneOrMore<string> | undefined;
  readonly kinds?: readonly string[] | undefined;
  readonly type?: OneOrMore<string> | undefined;
  readonly label?: OneOrMore<string> | undefined;
  readonly zone?: OneOrMore<string> | undefined;
  readonly minProbability?: number | undefined;
}

type Test = (message: Message) => boolean;

/** A predicate of messages. Labels of predictions and explanations are not in them: the service has to select these. */
export function matcher(match: Match): Test {
  const tests: Test[] = [];
  const { kinds, minProbability } = match;
  const [streams, types] = [setOf(match.stream), setOf(match.type)];
  const [labels, zones] = [setOf(match.label), setOf(match.zone)];
  if (streams) tests.push((message) => streams.has(streamOf(message)));
  if (kinds) tests.push((message) => kinds.includes(kindOf(message)));
  if (types) tests.push((message) => passes(types, typeOf(message)));
  if (labels) tests.push((message) => labelsOf(message)?.some((label) => labels.has(label)) ?? true);
  if (zones) tests.push((message) => passesZone(zones, message));
  if (minProbability !== undefined) tests.push((message) => (probabilityOf(message) ?? 1) >= minProbability);
  return (message) => tests.every((test) => test(message));
}

function setOf(value: OneOrMore<string> | undefined): ReadonlySet<string> | undefined {
  const list = listOf(value);
  return list && new Set(list);
}

function passes(wanted: ReadonlySet<string>, value: string | undefined): boolean {
  return value === undefined || wanted.has(value);
}

/** Events and predictions outside any zone do not match one; messages that have no zones at all do. */
function passesZone(wanted: ReadonlySet<string>, message: Message): boolean {
  const event = eventOf(message);
  return event === undefined || (event.zone !== undefined && wanted.has(event.zone));
}

function eventOf(message: Message): { readonly type: string; readonly zone?: string } | undefined {
  switch (message.type) {
    case 'presage.event.observed.v1':
      return message.data.event as { type: string; zone?: string };
    case 'presage.prediction.created.v1':
    case 'presage.prediction.updated.v1':
    case 'presage.prediction.resolved.v1':
      return message.data.prediction.event as { type: string; zone?: string };
    default:
      return undefined;
  }
}

function typeOf(message: Message): string | undefined {
  return eventOf(message)?.type;
}

function probabilityOf(message: Message): number | undefined {
  switch (message.type) {
    case 'presage.prediction.created.v1':
    case 'presage.prediction.updated.v1':
    case 'presage.prediction.resolved.v1':
      return message.data.prediction.probability;
    default:
      return undefined;
  }
}

function labelsOf(message: Message): readonly string[] | undefined {
  if (message.type !== 'presage.event.observed.v1') return undefined;
  return message.data.event.participants.map(({ label }) => label);
}
