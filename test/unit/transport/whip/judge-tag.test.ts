import { expect, it } from 'vitest';
import { checkEntityTag } from '../../../../src/transport/whip/judge-tag.js';

it.each([
  [undefined, 'missing'],
  [' ', 'missing'],
  ['"a"', 'passes'],
  ['"b", "a"', 'passes'],
  ['*', 'passes'],
  ['W/"a"', 'differs'],
  ['a', 'differs'],
  ['"b"', 'differs'],
])('of If-Match: %s, the tag "a" %s', (header, judged) => {
  expect(checkEntityTag(header, '"a"')).toBe(judged);
});
