import { fileURLToPath } from 'node:url';

/**
 * The compiled JavaScript of a worker or child-process entry that lies beside the caller. Node runs no TypeScript, so
 * when the caller itself runs from `src/` (under the test runner) the entry of the last build in `dist/` is taken.
 *
 * @param callerUrl `import.meta.url` of the caller
 * @param name relative name without extension, e.g. `./detector-worker`
 */
export function entryPath(callerUrl: string, name: string): string {
  const built = callerUrl.endsWith('.ts') ? callerUrl.replace(/\/src\/(?!.*\/src\/)/, '/dist/') : callerUrl;
  return fileURLToPath(new URL(`${name}.js`, built));
}
