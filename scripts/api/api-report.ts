import { resolve } from 'node:path';
import ts from 'typescript';

/** One entry point of the packages. */
export interface EntryPoint {
  /** As it is imported. */
  readonly name: string;
  /** Path of its source. */
  readonly file: string;
}

const ENTRY_POINTS: readonly EntryPoint[] = [
  { name: 'presage', file: 'src/index.ts' },
  { name: 'presage/client', file: 'src/client/index.ts' },
];

export interface ApiReport {
  /** Markdown with the signatures of all exported symbols. */
  readonly text: string;
  /** Exported symbols and public methods without a TSDoc comment, as `entry point: name`. */
  readonly undocumented: readonly string[];
}

const INTRODUCTION = `# Exported symbols

\`npm run api\` writes this page from the declarations of the two entry points. \`npm run check\` fails when the page differs
from the sources, so that every change of the public interface is visible in a commit.
`;

/** Describes the exported symbols of entry points. @throws Error when the sources cannot be compiled */
export function apiReport(entries: readonly EntryPoint[] = ENTRY_POINTS): ApiReport {
  const program = declarationsOf(entries.map(({ file }) => resolve(file)));
  const checker = program.getTypeChecker();
  const undocumented: string[] = [];
  const sections = entries.map(({ name, file }) => {
    const symbols = exportsOf(program, checker, resolve(file));
    const signatures = symbols.map(({ exported, symbol }) => {
      undocumented.push(...undocumentedNames(checker, exported, symbol).map((one) => `${name}: ${one}`));
      return signatureOf(exported, symbol);
    });
    return `\n## ${name}\n\n\`\`\`ts\n${signatures.join('\n\n')}\n\`\`\`\n`;
  });
  return { text: [INTRODUCTION, ...sections].join(''), undocumented };
}

interface Exported {
  /** Name under which the symbol is exported. */
  readonly exported: string;
  readonly symbol: ts.Symbol;
}

/** A program over the emitted declarations, which contain inferred types and no bodies. */
function declarationsOf(files: readonly string[]): ts.Program {
  const config = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)).config as object;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, process.cwd());
  const emitting = { ...options, noEmit: false, declaration: true, emitDeclarationOnly: true };
  const source = ts.createProgram(files, { ...emitting, rootDir: process.cwd(), incremental: false });
  const declarations = new Map<string, string>();
  source.emit(undefined, (path, text) => declarations.set(path, text));
  const host = ts.createCompilerHost(options);
  const path = (file: string): string => resolve(file);
  const byPath = new Map([...declarations].map(([file, text]) => [path(file), text]));
  const fileExists = host.fileExists.bind(host);
  const readFile = host.readFile.bind(host);
  const getSourceFile = host.getSourceFile.bind(host);
  host.fileExists = (file) => byPath.has(path(file)) || (!isOwnSource(file) && fileExists(file));
  host.readFile = (file) => byPath.get(path(file)) ?? readFile(file);
  host.getSourceFile = (file, ...rest) => {
    const text = byPath.get(path(file));
    return text === undefined
      ? getSourceFile(file, ...rest)
      : ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  };
  const roots = [...byPath.keys()];
  if (roots.length === 0) throw new Error('no declarations were emitted');
  return ts.createProgram(roots, { ...options, noEmit: true, skipLibCheck: true, incremental: false }, host);
}

/** Sources hide behind their declarations, which lie next to them in this host. */
function isOwnSource(file: string): boolean {
  return !file.includes('node_modules') && /\.tsx?$/.test(file) && !file.endsWith('.d.ts');
}

function exportsOf(program: ts.Program, checker: ts.TypeChecker, source: string): readonly Exported[] {
  const declaration = source.replace(/\.ts$/, '.d.ts');
  const file = program.getSourceFiles().find(({ fileName }) => resolve(fileName).endsWith(declaration));
  const module = file && checker.getSymbolAtLocation(file);
  if (!module) throw new Error(`${source} has no exports`);
  return checker
    .getExportsOfModule(module)
    .map((symbol) => ({
      exported: symbol.name,
      symbol: symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
    }))
    .sort((a, b) => (a.exported < b.exported ? -1 : 1));
}

function signatureOf(exported: string, symbol: ts.Symbol): string {
  const printer = ts.createPrinter({ removeComments: true });
  const texts = (symbol.declarations ?? []).map((declaration) => {
    const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
    return printer
      .printNode(ts.EmitHint.Unspecified, node, declaration.getSourceFile())
      .replace(/^export |^declare /g, '')
      .replace(/^declare /, '');
  });
  const alias = exported === symbol.name ? '' : `// exported as ${exported}\n`;
  return alias + [...new Set(texts)].join('\n');
}

/** The symbol and the public methods of a class that have no comment. */
function undocumentedNames(checker: ts.TypeChecker, exported: string, symbol: ts.Symbol): readonly string[] {
  const isEmpty = (one: ts.Symbol): boolean => one.getDocumentationComment(checker).length === 0;
  const own = isEmpty(symbol) ? [exported] : [];
  const declaration = symbol.declarations?.find((one) => ts.isClassDeclaration(one));
  if (!declaration) return own;
  const methods = declaration.members.filter(
    (member) =>
      (ts.isMethodDeclaration(member) || ts.isGetAccessor(member)) &&
      ts.isIdentifier(member.name) &&
      !ts.getCombinedModifierFlags(member).valueOf(),
  );
  const names = methods.flatMap((method) => {
    const found = method.name && checker.getSymbolAtLocation(method.name);
    return found && isEmpty(found) && found.name !== 'close' ? [`${exported}.${found.name}`] : [];
  });
  return [...own, ...new Set(names)];
}
