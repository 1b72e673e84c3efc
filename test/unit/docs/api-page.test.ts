import { expect, it } from 'vitest';
import { apiReport } from '../../../scripts/api/api-report.js';

const { text, undocumented } = apiReport([{ name: 'sample', file: 'test/support/api/sample.ts' }]);

it('lists the signatures of the exported symbols, without bodies and private members', () => {
  expect(text).toContain('interface SampleOptions {\n    readonly seconds: number;\n}');
  expect(text).toContain('function withoutComment(options: SampleOptions): number;');
  expect(text).toContain('    bare(): number;');
  expect(text).not.toContain('hidden');
  expect(text).not.toContain('return');
});

it('reports every exported symbol and public method that has no comment', () => {
  expect(undocumented).toEqual(['sample: Sample.bare', 'sample: withoutComment']);
});
