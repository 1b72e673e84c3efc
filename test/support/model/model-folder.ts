import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from '../transport/temp-folder.js';

/** Creates a models folder with these contents by role, each with its right hash; removed after the test. */
export function modelFolder(contents: Readonly<Record<string, Uint8Array | string>>): string {
  const folder = tempFolder();
  const models = Object.entries(contents).map(([role, content]) => {
    const bytes = Buffer.from(content);
    writeFileSync(join(folder, `${role}.bin`), bytes);
    return {
      name: role,
      role,
      file: `${role}.bin`,
      license: 'none',
      source: 'a test',
      made: 'a test',
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
      inputs: {},
      outputs: {},
    };
  });
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ version: 1, models }));
  return folder;
}
