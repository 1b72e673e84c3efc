// Prints "N passed, N failed" from the JSON results of vitest; a step that failed before the tests counts as one failure.
import { readFileSync } from 'node:fs';

// The first file is the full run, in which nothing may be skipped; in the bare run, tests are skipped by intent.
const [status, full, bare] = process.argv.slice(2);
let [passed, failed] = [0, 0];
for (const file of [full, bare]) {
  try {
    const result = JSON.parse(readFileSync(file, 'utf8'));
    passed += result.numPassedTests;
    failed +=
      result.numFailedTests +
      (result.numFailedTestSuites > 0 && result.numFailedTests === 0 ? result.numFailedTestSuites : 0);
    const skipped = result.numPendingTests + result.numTodoTests;
    if (file === full && skipped > 0) {
      console.error(`${skipped} tests were skipped; here none may be`);
      failed += skipped;
    }
  } catch {
    failed += 1;
  }
}
if (status !== '0' && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
