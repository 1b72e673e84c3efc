import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';

/** The imports between the files of a checkout, type-only ones included. Paths are relative to its root. */
export interface ImportGraph {
  readonly files: readonly string[];
  /** Imported files by importing file. */
  readonly imports: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Reads the TypeScript sources that git tracks below some folders.
 *
 * @param root of the checkout
 * @throws Error when git does not know the folder
 */
export function readImports(root: string, folders: readonly string[]): ImportGraph {
  const files = trackedFiles(root, folders).filter((file) => /\.tsx?$/.test(file));
  const known = new Set(files);
  const imports = new Map<string, Set<string>>();
  for (const file of files) {
    const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'), true, true);
    const targets = importedFiles.flatMap(({ fileName }) => resolveImport(file, fileName, known) ?? []);
    imports.set(file, new Set(targets.filter((target) => target !== file)));
  }
  return { files, imports };
}

export function trackedFiles(root: string, folders: readonly string[]): string[] {
  const text = execFileSync('git', ['-C', root, 'ls-files', '--', ...folders], { encoding: 'utf8' });
  return text.split('\n').filter((file) => file !== '');
}

/** Strongly connected components with more than one member: sets of nodes that import each other in a circle. */
export function cycles(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const search = new CycleSearch(graph);
  for (const node of graph.keys()) search.visit(node);
  return search.components.filter(({ length }) => length > 1);
}

/** The same graph between folders: one edge where any file of a folder imports any file of another. */
export function folderGraph({ files, imports }: ImportGraph): Map<string, Set<string>> {
  const folders = new Map(files.map((file) => [dirname(file), new Set<string>()]));
  for (const [file, targets] of imports)
    for (const target of targets)
      if (dirname(target) !== dirname(file)) folders.get(dirname(file))?.add(dirname(target));
  return folders;
}

function resolveImport(file: string, specifier: string, known: ReadonlySet<string>): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const path = normalize(join(dirname(file), specifier)).replace(/\.jsx?$/, '');
  return [`${path}.ts`, `${path}.tsx`, `${path}/index.ts`, path].find((candidate) => known.has(candidate));
}

/** Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput. 1 (1972). */
class CycleSearch {
  readonly components: string[][] = [];
  readonly #graph: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #index = new Map<string, number>();
  readonly #low = new Map<string, number>();
  readonly #stack: string[] = [];
  readonly #onStack = new Set<string>();

  constructor(graph: ReadonlyMap<string, ReadonlySet<string>>) {
    this.#graph = graph;
  }

  visit(node: string): void {
    if (this.#index.has(node)) return;
    const index = this.#index.size;
    this.#index.set(node, index);
    this.#low.set(node, index);
    this.#stack.push(node);
    this.#onStack.add(node);
    for (const next of this.#graph.get(node) ?? []) {
      if (!this.#index.has(next)) {
        this.visit(next);
        this.#lower(node, this.#low.get(next));
      } else if (this.#onStack.has(next)) this.#lower(node, this.#index.get(next));
    }
    if (this.#low.get(node) === index) this.components.push(this.#popTo(node));
  }

  #lower(node: string, value = Infinity): void {
    this.#low.set(node, Math.min(this.#low.get(node) ?? Infinity, value));
  }

  #popTo(node: string): string[] {
    const component = this.#stack.splice(this.#stack.lastIndexOf(node));
    for (const member of component) this.#onStack.delete(member);
    return component;
  }
}
