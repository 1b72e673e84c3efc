/** Links between the project's own documents, and the paths that they name. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDERS = ['.', 'docs', 'docs/adr', 'bench', 'examples', 'models', 'training', 'demo'];

const documents = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(ROOT, folder, name)),
);

/** Text without code, in which brackets are no links. */
function proseOf(file: string): string {
  return readFileSync(file, 'utf8')
    .replace(/^```[^]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, '');
}

/** The anchors that a Markdown renderer gives to headings. */
function anchorsOf(file: string): Set<string> {
  const headings = readFileSync(file, 'utf8')
    .replace(/^```[^]*?^```/gm, '')
    .matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}

/** What is wrong with a link; undefined when it leads somewhere. */
function problemOf(file: string, target: string): string | undefined {
  if (/^[a-z]+:/.test(target)) return undefined;
  const [path = '', anchor] = target.split('#');
  const to = path === '' ? file : join(dirname(file), path);
  const found = statSync(to, { throwIfNoEntry: false });
  if (!found) return `${target} does not exist`;
  if (anchor !== undefined && found.isFile() && to.endsWith('.md') && !anchorsOf(to).has(anchor))
    return `${target} has no such heading`;
  return undefined;
}

it('finds the documents', () => {
  const names = documents.map((file) => relative(ROOT, file));
  expect(names).toEqual(expect.arrayContaining(['README.md', 'docs/events.md', 'docs/adr/README.md']));
});

it.each(documents.map((file) => [relative(ROOT, file), file]))(
  'the links of %s lead somewhere',
  (_, file) => {
    const targets = [...proseOf(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    expect(targets.flatMap((target) => problemOf(file, target) ?? [])).toEqual([]);
  },
);

/** Paths of the repository in code spans; patterns such as `contact-*.ts` stand for at least one file. */
function pathsIn(file: string): string[] {
  const spans = readFileSync(file, 'utf8').matchAll(
    /`((?:src|test|demo|docs|training|scripts|bench|models|examples)\/[\w./*-]+)`/g,
  );
  return [...spans].map(([, path = '']) => path);
}

function exists(path: string): boolean {
  const folder = dirname(path);
  const name = new RegExp(`^${basename(path).replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
  const at = statSync(folder, { throwIfNoEntry: false });
  return at?.isDirectory() === true && readdirSync(folder).some((entry) => name.test(entry));
}

it.each(documents.map((file) => [relative(ROOT, file), file]))('the paths that %s names exist', (_, file) => {
  const missing = pathsIn(file).filter(
    (path) => !exists(join(ROOT, path)) && !exists(join(dirname(file), path)),
  );
  expect(missing).toEqual([]);
});

it('the documents that source files cite exist', () => {
  const files = ['src', 'test', 'bench', 'demo', 'scripts'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|tsx|mjs)$/.test(name))
      .map((name) => join(ROOT, folder, name)),
  );
  const cited = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\bdocs\/[\w/-]+\.md\b/g)].map(([path]) => path),
  );
  expect(cited.length).toBeGreaterThan(0);
  expect([...new Set(cited)].filter((path) => !exists(join(ROOT, path)))).toEqual([]);
});

it('the README is short', () => {
  const MAX_LINES = 120;
  expect(readFileSync(join(ROOT, 'README.md'), 'utf8').split('\n').length - 1).toBeLessThanOrEqual(MAX_LINES);
});
