import { defineConfig } from 'vitest/config';

const ci = process.env['CI'] !== undefined;
const json: ['json', { outputFile: string }] = ['json', { outputFile: 'test-results.json' }];

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
