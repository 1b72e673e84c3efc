import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { apiReport } from './api/api-report.js';

/** Writes docs/api.md; with `--check` it compares the file instead. Fails for an exported symbol without a comment. */
const FILE = 'docs/api.md';

const { text, undocumented } = apiReport();
const options = await resolveConfig(FILE);
const wanted = await format(text, { ...options, parser: 'markdown' });
const problems = undocumented.map((name) => `${name} has no TSDoc comment`);
if (process.argv.includes('--check')) {
  if (readFileSync(FILE, 'utf8') !== wanted)
    problems.push(`${FILE} differs from the sources: run npm run api and commit the file`);
} else {
  writeFileSync(FILE, wanted);
}
if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exitCode = 1;
}
