// Prints "N passed, N failed" from vitest's JSON result; a step that failed before the tests counts as one failure.
import { readFileSync } from 'node:fs';

const [file, status] = process.argv.slice(2);
let passed = 0;
let failed;
let skipped = 0;
try {
  const result = JSON.parse(readFileSync(file, 'utf8'));
  passed = result.numPassedTests;
  failed =
    result.numFailedTests +
    (result.numFailedTestSuites > 0 && result.numFailedTests === 0 ? result.numFailedTestSuites : 0);
  skipped = result.numPendingTests + result.numTodoTests;
} catch {
  failed = 1;
}
if (status !== '0' && failed === 0) failed = 1;
if (skipped > 0) {
  console.error(`${skipped} tests were skipped; here none may be`);
  failed += skipped;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
