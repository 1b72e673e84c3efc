import { fileURLToPath } from 'node:url';

/**
 * Path of the compiled JavaScript of a worker or child-process entry in the caller's folder. Node does not run TypeScript:
 * when the caller itself runs from `src/` (under the test runner), the path is that of the last build in `dist/`.
 *
 * @param callerUrl `import.meta.url` of the caller
 * @param name relative name without extension, e.g. `./detector-worker`
 */
export function entryPath(callerUrl: string, name: string): string {
  const built = callerUrl.endsWith('.ts') ? callerUrl.replace(/\/src\/(?!.*\/src\/)/, '/dist/') : callerUrl;
  return fileURLToPath(new URL(`${name}.js`, built));
}
