import type { JsonSchema } from '../../src/transport/documents/json-schema.js';

/** `server`: clients read it. `client`: the server reads it. */
export type SentBy = 'client' | 'server';

/**
 * What breaks those who rely on the earlier schema, each beginning with the path of the field; empty when nothing does.
 *
 * Of what the server sends, fields may be added and may always be there from now on; none may go, become optional or change its
 * type, and values may be added only to what is marked `x-open`. Of what a client sends, fields may be added, unless they are
 * required; none may go, and no value that was right may be wrong.
 */
export function incompatibilities(before: JsonSchema, after: JsonSchema, sentBy: SentBy): string[] {
  return compare(before, after, sentBy, '');
}

function compare(before: JsonSchema, after: JsonSchema, sentBy: SentBy, at: string): string[] {
  const branches = branchesOf(before);
  if (branches ?? branchesOf(after)) {
    return compareBranches(branches ?? [before], branchesOf(after) ?? [after], sentBy, at);
  }
  if (before['type'] !== after['type']) {
    return [`${at}: was ${text(before['type'])}, is ${text(after['type'])}`];
  }
  return [
    ...compareValues(before, after, sentBy, at),
    ...compareBounds(before, after, sentBy, at),
    ...compareProperties(before, after, sentBy, at),
    ...compareParts(before, after, sentBy, at),
  ];
}

function branchesOf(schema: JsonSchema): JsonSchema[] | undefined {
  const { anyOf, oneOf, type, ...rest } = schema;
  if (Array.isArray(type)) {
    const types = type as readonly string[];
    return types.map((one) => (one === 'null' ? { type: one } : { ...rest, type: one }));
  }
  return (anyOf ?? oneOf) as JsonSchema[] | undefined;
}

/** Who reads must understand every branch that can be written. */
function compareBranches(before: JsonSchema[], after: JsonSchema[], sentBy: SentBy, at: string): string[] {
  const [written, understood] = sentBy === 'client' ? [before, after] : [after, before];
  const strange = written.filter((one) =>
    understood.every((other) => {
      const [older, newer] = sentBy === 'client' ? [one, other] : [other, one];
      return compare(older, newer, sentBy, at).length > 0;
    }),
  );
  return strange.map(
    (one) => `${at}: ${sentBy === 'client' ? 'no longer takes' : 'can now be'} ${text(one)}`,
  );
}

function compareValues(before: JsonSchema, after: JsonSchema, sentBy: SentBy, at: string): string[] {
  const [old, present] = [valuesOf(before), valuesOf(after)];
  if (old === undefined && present === undefined) return [];
  if (old === undefined) return sentBy === 'client' ? [`${at}: takes only ${text(present)}`] : [];
  if (present === undefined) return sentBy === 'client' ? [] : [`${at}: can now be anything`];
  const gone = old.filter((value) => !present.includes(value));
  const added = present.filter((value) => !old.includes(value));
  const open = sentBy === 'client' || after['x-open'] === true;
  return [
    ...gone.map((value) => `${at}: ${text(value)} has gone`),
    ...(open
      ? []
      : added.map((value) => `${at}: ${text(value)} is new, and nothing says that values may be added`)),
  ];
}

function valuesOf(schema: JsonSchema): unknown[] | undefined {
  return 'const' in schema ? [schema['const']] : (schema['enum'] as unknown[] | undefined);
}

const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems'];
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems'];

/** What is sent may become narrower, what is taken wider. */
function compareBounds(before: JsonSchema, after: JsonSchema, sentBy: SentBy, at: string): string[] {
  const narrower = (name: string, [from, to]: readonly [JsonSchema, JsonSchema]): boolean => {
    const lower = LOWER.includes(name);
    const none = lower ? -Infinity : Infinity;
    const [a, b] = [(from[name] as number | undefined) ?? none, (to[name] as number | undefined) ?? none];
    return lower ? b > a : b < a;
  };
  const pair = sentBy === 'client' ? ([before, after] as const) : ([after, before] as const);
  const problems = [...LOWER, ...UPPER].filter((name) => narrower(name, pair));
  const pattern = before['pattern'] === after['pattern'] ? [] : ['pattern'];
  return [...problems, ...pattern].map(
    (name) => `${at}: ${name} was ${text(before[name])}, is ${text(after[name])}`,
  );
}

function compareProperties(before: JsonSchema, after: JsonSchema, sentBy: SentBy, at: string): string[] {
  const [old, present] = [propertiesOf(before), propertiesOf(after)];
  const [wasRequired, isRequired] = [requiredOf(before), requiredOf(after)];
  const problems: string[] = [];
  for (const [name, schema] of Object.entries(old)) {
    const path = at === '' ? name : `${at}.${name}`;
    const now = present[name];
    if (now === undefined) problems.push(`${path}: has gone`);
    else problems.push(...compare(schema, now, sentBy, path));
    if (sentBy === 'server' && now !== undefined && wasRequired.has(name) && !isRequired.has(name)) {
      problems.push(`${path}: may be missing now`);
    }
  }
  if (sentBy === 'server') return problems;
  for (const name of isRequired) {
    if (!wasRequired.has(name)) problems.push(`${at === '' ? name : `${at}.${name}`}: must be there now`);
  }
  return problems;
}

/** Items of arrays and tuples, values of records. */
function compareParts(before: JsonSchema, after: JsonSchema, sentBy: SentBy, at: string): string[] {
  const problems: string[] = [];
  const [old, present] = [tupleOf(before), tupleOf(after)];
  if (old.length !== present.length) problems.push(`${at}: had ${old.length} items, has ${present.length}`);
  else {
    for (const [index, schema] of old.entries()) {
      problems.push(...compare(schema, present[index] ?? {}, sentBy, `${at}[${index}]`));
    }
  }
  for (const [name, suffix] of [
    ['items', '[]'],
    ['additionalProperties', '.*'],
  ] as const) {
    const [was, is] = [before[name], after[name]];
    if (isSchema(was) && isSchema(is)) problems.push(...compare(was, is, sentBy, at + suffix));
    else if (isSchema(was) !== isSchema(is))
      problems.push(`${at}${suffix}: was ${text(was)}, is ${text(is)}`);
  }
  return problems;
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema['properties'] ?? {}) as Record<string, JsonSchema>;
}

function requiredOf(schema: JsonSchema): ReadonlySet<string> {
  return new Set((schema['required'] ?? []) as string[]);
}

function tupleOf(schema: JsonSchema): JsonSchema[] {
  return (schema['prefixItems'] ?? []) as JsonSchema[];
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string {
  return ((JSON.stringify(value) as string | undefined) ?? 'nothing').slice(0, 120);
}
