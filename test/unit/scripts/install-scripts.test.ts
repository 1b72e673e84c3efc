import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly hasInstallScript?: true }>>;
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8'));
const { allowScripts } = read('package.json') as { allowScripts: Readonly<Record<string, boolean>> };
const { packages } = read('package-lock.json') as Lock;
const withScript = Object.entries(packages)
  // The package itself ('') has a script that only prepares its dependencies.
  .filter(([path, { hasInstallScript }]) => path !== '' && hasInstallScript)
  .map(([path]) => path.replace(/^.*node_modules\//, ''));

it('npm 10, which reads the lock file only, runs no install script that package.json forbids to npm 11', () => {
  // Where this fails after `npm install`: delete the line "hasInstallScript" of the package from package-lock.json.
  expect(withScript.filter((name) => allowScripts[name] === false)).toEqual([]);
});

it('no install script that runs needs a connection to other hosts than the registry', () => {
  const harmless = ['cbor-extract', 'esbuild'];
  const unknown = withScript.filter(
    (name) => !harmless.includes(name) && !name.startsWith('@ffmpeg-installer/'),
  );
  expect(unknown).toEqual([]);
});
