import { expect, it } from 'vitest';
import { judgeTag } from '../../../../src/transport/whip/judge-tag.js';

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
  expect(judgeTag(header, '"a"')).toBe(judged);
});
