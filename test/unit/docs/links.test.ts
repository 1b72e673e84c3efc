/** Links between the project's own documents. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
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
