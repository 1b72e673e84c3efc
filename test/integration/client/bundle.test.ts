import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { bundleClient } from '../../support/client/browser.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

it('is small in a browser and brings nothing of Node, of ws or of zod along', async () => {
  const { code, modules } = await bundleClient();
  expect(Buffer.byteLength(code)).toBeGreaterThan(5000);
  expect(Buffer.byteLength(code)).toBeLessThan(25_000);
  expect(modules.filter((id) => !id.includes('/src/client/'))).toEqual([]);
  expect(code).not.toMatch(/node:|require\(|zod/);
});

it('is imported as presage/client, with its types, from the files that are published', () => {
  const { files, exports } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
    files: string[];
    exports: Record<string, { types: string; default: string }>;
  };
  const entry = exports['./client'];
  expect(files).toContain('dist');
  for (const file of [entry?.types, entry?.default]) {
    expect(file).toMatch(/^\.\/dist\/client\/index\./);
    expect(existsSync(`${ROOT}${String(file)}`)).toBe(true);
  }
  const script =
    'import("presage/client").then(({connect, ClientError}) => console.log(typeof connect, ClientError.name))';
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(run).toMatchObject({ stdout: 'function ClientError\n', status: 0 });
});
