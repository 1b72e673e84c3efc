import type { Reporter, TestModule } from 'vitest/node';

/** Names what was skipped, after everything else: a run without some program is no full run. */
export default class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    if (skipped.length === 0) return;
    const names = skipped.map((test) => `  ${test.module.relativeModuleId}: ${test.fullName}`);
    process.stdout.write(`\nSkipped, for want of what they need:\n${names.join('\n')}\n`);
  }
}
