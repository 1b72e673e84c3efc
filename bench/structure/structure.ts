import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../support/bench.js';
import { table } from '../support/results.js';
import { cycles, folderGraph, readImports, trackedFiles } from './import-graph.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CODE = ['src', 'demo', 'bench', 'scripts', 'training'];
const PROSE = [...CODE, 'test', 'docs', 'examples', 'README.md', 'CHANGELOG.md', 'bench/README.md'];
const MAX_LINES = 400;
const MAX_FILES = 15;
/** Words of the dialect that `docs/glossary.md` replaces, as whole words. */
const DIALECT = ['told', 'tell', 'tells', 'desk', 'whoever', 'beside', 'a say', 'said', 'looks', 'sights'];

/** The import graph, the sizes of files and folders, and the words of the old dialect, at this commit and at an earlier one. */
export const structure: Bench = {
  options: { before: '7fc09a2' },
  run(options) {
    const before = options['before'] ?? '';
    const folder = mkdtempSync(join(tmpdir(), 'presage-structure-'));
    try {
      execFileSync('git', ['-C', ROOT, 'worktree', 'add', '--detach', '--quiet', folder, before]);
      const [then, now] = [measure(folder), measure(ROOT)];
      const rows = [...now].map(([name, value]) => [name, String(then.get(name) ?? 0), String(value)]);
      return Promise.resolve(
        [
          `Imports between the TypeScript files of ${CODE.map((name) => `\`${name}\``).join(', ')}, type-only ones included. A cycle is a set of`,
          'files or folders that import each other in a circle. Words are whole words in code, tests and documents, quoted vocabulary included.',
          `Files moved or renamed since \`${before}\`: **${renamed(before)}**.`,
          '',
          table(['', before, 'this commit'], rows),
        ].join('\n'),
      );
    } finally {
      execFileSync('git', ['-C', ROOT, 'worktree', 'remove', '--force', folder]);
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function measure(root: string): Map<string, number> {
  const graph = readImports(root, CODE);
  const folders = folderGraph(graph);
  const sum = (edges: ReadonlyMap<string, ReadonlySet<string>>): number =>
    [...edges.values()].reduce((total, { size }) => total + size, 0);
  const texts = trackedFiles(root, PROSE)
    .filter((file) => /\.(tsx?|mjs|py|md|sh)$/.test(file) && !file.endsWith('RESULTS.md'))
    .map((file) => readFileSync(join(root, file), 'utf8'));
  return new Map([
    ['files', graph.files.length],
    ['imports between files', sum(graph.imports)],
    ['folders', folders.size],
    ['imports between folders', sum(folders)],
    ['cycles of files', cycles(graph.imports).length],
    ['files in cycles', cycles(graph.imports).flat().length],
    ['cycles of folders', cycles(folders).length],
    ['folders in cycles', cycles(folders).flat().length],
    [
      `files over ${MAX_LINES} lines`,
      graph.files.filter((file) => lines(join(root, file)) > MAX_LINES).length,
    ],
    [`folders with more than ${MAX_FILES} files`, crowded(trackedFiles(root, [...CODE, 'test']))],
    ...DIALECT.map((word): [string, number] => [`"${word}"`, count(texts, word)]),
  ]);
}

function lines(path: string): number {
  return readFileSync(path, 'utf8').split('\n').length - 1;
}

function crowded(files: readonly string[]): number {
  const sizes = new Map<string, number>();
  for (const file of files) sizes.set(dirname(file), (sizes.get(dirname(file)) ?? 0) + 1);
  return [...sizes.values()].filter((size) => size > MAX_FILES).length;
}

function count(texts: readonly string[], word: string): number {
  const pattern = new RegExp(`\\b${word}\\b`, 'gi');
  return texts.reduce((total, text) => total + (text.match(pattern)?.length ?? 0), 0);
}

function renamed(before: string): number {
  const text = execFileSync(
    'git',
    ['-C', ROOT, 'diff', '--find-renames=40%', '--name-status', before, 'HEAD'],
    {
      encoding: 'utf8',
      maxBuffer: 1e8,
    },
  );
  return text.split('\n').filter((line) => line.startsWith('R')).length;
}
