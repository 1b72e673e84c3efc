import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { incompatibilities, type SentBy } from '../../../scripts/documents/compare-schemas.js';
import { jsonSchemaOf } from '../../../src/transport/documents/json-schema.js';

function problems(before: z.ZodType, after: z.ZodType, sentBy: SentBy): string[] {
  return incompatibilities(jsonSchemaOf(before), jsonSchemaOf(after), sentBy);
}

const base = z.object({ id: z.string(), size: z.number().min(0).max(1), note: z.string().optional() });

describe('what breaks those who read what the server sends', () => {
  it.each<[string, z.ZodType, z.ZodType, string]>([
    ['a field that goes', base, base.omit({ note: true }), 'note: has gone'],
    ['another type', base, base.extend({ id: z.number() }), 'id: was "string", is "number"'],
    ['a field that may be missing', base, base.partial({ id: true }), 'id: may be missing now'],
    ['a wider range', base, base.extend({ size: z.number().min(-1).max(1) }), 'size: minimum was 0, is -1'],
    ['no range', base, base.extend({ size: z.number() }), 'size: minimum was 0, is nothing'],
    ['a value that goes', z.enum(['a', 'b']), z.enum(['a']), ': "b" has gone'],
    ['a value that nobody expects', z.enum(['a']), z.enum(['a', 'b']), ': "b" is new'],
    ['another constant', z.literal('v1'), z.literal('v2'), ': "v1" has gone'],
    ['text instead of known values', z.enum(['a']), z.string(), ': can now be anything'],
    ['null where there was none', z.string(), z.string().nullable(), ': can now be {"type":"null"}'],
    ['a longer tuple', z.tuple([z.number()]), z.tuple([z.number(), z.number()]), ': had 1 items, has 2'],
    [
      'other values in a record',
      z.record(z.string(), z.string()),
      z.record(z.string(), z.number()),
      '.*: was',
    ],
    [
      'deep inside',
      z.object({ list: z.array(z.object({ box: z.tuple([z.number()]) })) }),
      z.object({ list: z.array(z.object({ box: z.tuple([z.string()]) })) }),
      'list[].box[0]: was "number", is "string"',
    ],
  ])('%s', (_, before, after, expected) => {
    expect(problems(before, after, 'server').join('\n')).toContain(expected);
  });

  it.each<[string, z.ZodType, z.ZodType]>([
    ['the same', base, base],
    ['a new field', base, base.extend({ more: z.string().optional() })],
    ['a new field that is always there', base, base.extend({ more: z.string() })],
    ['a field that is always there from now on', base, base.required()],
    ['a narrower range', base, base.extend({ size: z.number().min(0.1).max(0.9) })],
    ['a new value where more may come', z.enum(['a']), z.enum(['a', 'b']).meta({ 'x-open': true })],
    ['no null any more', z.string().nullable(), z.string()],
    ['a description', base, base.extend({ id: z.string().describe('unique') })],
  ])('not %s', (_, before, after) => {
    expect(problems(before, after, 'server')).toEqual([]);
  });
});

describe('what breaks clients that say what they always said', () => {
  const request = z.strictObject({ op: z.literal('do'), rate: z.number().max(120).optional() });

  it.each<[string, z.ZodType, z.ZodType, string]>([
    ['a new field that must be there', request, request.extend({ id: z.string() }), 'id: must be there now'],
    ['a field that must be there', request, request.required(), 'rate: must be there now'],
    ['a field that goes', request, request.omit({ rate: true }), 'rate: has gone'],
    [
      'a narrower range',
      request,
      request.extend({ rate: z.number().max(60).optional() }),
      'rate: maximum was 120',
    ],
    ['a value that goes', z.enum(['a', 'b']), z.enum(['a']), ': "b" has gone'],
    ['known values only', z.string(), z.enum(['a']), ': takes only'],
    ['one way less to say it', z.union([z.string(), z.number()]), z.string(), ': no longer takes'],
  ])('%s', (_, before, after, expected) => {
    expect(problems(before, after, 'client').join('\n')).toContain(expected);
  });

  it.each<[string, z.ZodType, z.ZodType]>([
    ['a new field that may be missing', request, request.extend({ id: z.string().optional() })],
    ['a new value', z.enum(['a']), z.enum(['a', 'b'])],
    ['a wider range', request, request.extend({ rate: z.number().max(240).optional() })],
    ['one way more to say it', z.string(), z.union([z.string(), z.number()])],
  ])('not %s', (_, before, after) => {
    expect(problems(before, after, 'client')).toEqual([]);
  });
});
