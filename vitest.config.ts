import { defineConfig } from 'vitest/config';

const ci = process.env['CI'] !== undefined;
const outputFile = process.env['PRESAGE_TEST_RESULTS'] ?? 'test-results.json';
const json: ['json', { outputFile: string }] = ['json', { outputFile }];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default', './test/support/skipped-reporter.ts', ...(ci ? [json] : [])],
  },
});
