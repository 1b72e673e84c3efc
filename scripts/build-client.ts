import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { clientTypes } from './client-types.js';

/**
 * Builds the package `presage-client` in `packages/client`: one JavaScript module without dependencies, and declarations in which the
 * types of messages are written out, so that they need no schema library. Needs `dist/` (`npm run build`).
 */
const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const target = root('packages/client/dist');

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
await build({
  configFile: false,
  logLevel: 'warn',
  build: {
    outDir: target,
    target: 'es2022',
    minify: false,
    lib: { entry: root('src/client/index.ts'), formats: ['es'], fileName: () => 'index.js' },
  },
});

const declarations = readdirSync(root('dist/client')).filter((name) => name.endsWith('.d.ts'));
for (const name of declarations) {
  const text = readFileSync(root(`dist/client/${name}`), 'utf8');
  // Compilers of users need not know disposables by themselves.
  const head = name === 'index.d.ts' ? '/// <reference lib="esnext.disposable" />\n' : '';
  writeFileSync(`${target}/${name}`, head + text.replaceAll(/'\.\.\/core\/[\w/-]+\.js'/g, "'./messages.js'"));
}
const sources = declarations.map((name) => root(`src/client/${name.replace('.d.ts', '.ts')}`));
writeFileSync(`${target}/messages.d.ts`, clientTypes(sources));
copyFileSync(root('LICENSE'), root('packages/client/LICENSE'));
