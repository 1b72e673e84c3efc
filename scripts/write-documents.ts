import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { breakingChanges, documentFiles, pathOf } from './documents/documents.js';

/**
 * Writes docs/asyncapi.json, docs/openapi.json, docs/configuration.md and the published schemas. A change that would break
 * clients of `.v1` is refused: it needs a new `.v2` type in addition to the old one.
 */
mkdirSync(pathOf('docs/schemas/v1'), { recursive: true });
const breaking = breakingChanges();
if (breaking.length > 0) {
  process.stderr.write(`These changes break clients; nothing was written:\n${breaking.join('\n')}\n`);
  process.exitCode = 1;
} else {
  for (const { path, text } of documentFiles()) {
    mkdirSync(dirname(pathOf(path)), { recursive: true });
    writeFileSync(pathOf(path), text);
  }
}
