import { resolve } from 'node:path';
import ts from 'typescript';

const FORMAT: ts.TypeFormatFlags = [
  ts.TypeFormatFlags.NoTruncation,
  ts.TypeFormatFlags.InTypeAlias,
  ts.TypeFormatFlags.UseSingleQuotesForStringLiteralType,
  ts.TypeFormatFlags.MultilineObjectLiterals,
].reduce((all, flag) => all | flag);

/**
 * Declarations of all types that the files import from `src/core`, written out structurally.
 *
 * @param files absolute paths of TypeScript sources
 * @returns the text of a declaration file without imports
 * @throws Error when a name cannot be resolved
 */
export function clientTypes(files: readonly string[]): string {
  const config = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)).config as object;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, process.cwd());
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  const names = new Map<string, ts.Symbol>();
  for (const file of files) {
    const source = program.getSourceFile(resolve(file));
    if (!source) throw new Error(`${file} is not part of the program`);
    for (const [name, symbol] of importedFromCore(source, checker)) names.set(name, symbol);
  }
  const sorted = [...names].sort(([a], [b]) => a.localeCompare(b));
  return sorted.map(([name, symbol]) => declarationOf(name, symbol, checker)).join('\n');
}

function* importedFromCore(
  source: ts.SourceFile,
  checker: ts.TypeChecker,
): Generator<readonly [string, ts.Symbol]> {
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) continue;
    const { moduleSpecifier } = statement;
    if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier)) continue;
    if (!moduleSpecifier.text.startsWith('../core/')) continue;
    const bindings = ts.isImportDeclaration(statement)
      ? statement.importClause?.namedBindings
      : statement.exportClause;
    if (!bindings || !('elements' in bindings)) throw new Error(`${source.fileName}: import names from core`);
    for (const element of bindings.elements) {
      const symbol = checker.getSymbolAtLocation(element.name);
      if (!symbol) throw new Error(`${source.fileName}: ${element.name.getText()} is unknown`);
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      yield [target.name, target];
    }
  }
}

function declarationOf(name: string, symbol: ts.Symbol, checker: ts.TypeChecker): string {
  const comment = ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  const text = checker.typeToString(type, undefined, FORMAT);
  return `${comment === '' ? '' : `/** ${comment.replaceAll('\n', '\n * ')} */\n`}export type ${name} = ${text};\n`;
}
