/** Commands in the documents, compared with the command line, the npm scripts and the Python modules. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { CommandName, OptionSpec } from '../../../src/cli/options/option-spec.js';
import { OPTIONS } from '../../../src/cli/options/option-table.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FILES = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'bench/README.md', 'training/README.md'],
  ...['docs', 'docs/adr'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];
const COMMANDS: readonly CommandName[] = ['watch', 'serve', 'analyze', 'ask', 'doctor', 'models', 'token'];
const specs = Object.values(OPTIONS) as OptionSpec[];
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** Code spans and lines of code blocks, comments and continuation lines resolved. */
function codeOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const blocks = [...text.matchAll(/^```\w*\n([^]*?)^```/gm)].flatMap(([, block = '']) =>
    block.replaceAll('\\\n', ' ').split('\n'),
  );
  const prose = text.replace(/^```[^]*?^```/gm, '');
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replaceAll('\n', ' '));
  return [...blocks, ...spans].map((line) => line.replace(/(^|\s)#\s.*$/, ''));
}

/** `presage watch …` and `npm start -- …`: the command and its flags. */
function presageCalls(line: string): { command: string; flags: string[] }[] {
  const asPresage = line.replaceAll(/npm start --(?= )/g, 'presage watch');
  return [...asPresage.matchAll(/(?:^|[\s(])(?:npx )?presage ([a-z]+)((?:(?!&& |\|\| |; ).)*)/g)].map(
    ([, command = '', rest = '']) => ({
      command,
      flags: [...rest.matchAll(/(?:^|\s)--([a-z][a-z-]*)/g)].map(([, flag = '']) => flag),
    }),
  );
}

function problems(line: string): string[] {
  const calls = presageCalls(line).filter(({ command }) => COMMANDS.some((name) => name === command));
  const flags = calls.flatMap(({ command, flags }) =>
    flags
      .filter((flag) => flag !== 'config' && flag !== 'help')
      .filter((flag) => !specs.some((s) => s.flag === flag && s.commands.some((name) => name === command)))
      .map((flag) => `presage ${command} has no --${flag}`),
  );
  const runs = [...line.matchAll(/npm run (?:--silent )?([a-z][a-z:-]*)/g)].map(([, name = '']) => name);
  const modules = [...line.matchAll(/python -m (training[\w.]*)/g)].map(([, name = '']) => name);
  return [
    ...flags,
    ...runs.filter((name) => scripts[name] === undefined).map((name) => `there is no npm script ${name}`),
    ...modules.filter((name) => !isModule(name)).map((name) => `there is no Python module ${name}`),
  ];
}

function isModule(name: string): boolean {
  const path = join(ROOT, ...name.split('.'));
  return existsSync(`${path}.py`) || existsSync(join(path, '__main__.py'));
}

describe('the reader of commands', () => {
  it.each([
    ['npx presage watch --out x', 'presage watch has no --out'],
    ['npm start -- video.mp4 --report x', 'presage watch has no --report'],
    ['npm run nothing', 'there is no npm script nothing'],
    ['python -m training.nothing', 'there is no Python module training.nothing'],
  ])('reports %s', (line, problem) => {
    expect(problems(line)).toEqual([problem]);
  });

  it('accepts a correct command line', () => {
    expect(problems('PRESAGE_TOKEN=x npx presage serve --port 80 && npm run check')).toEqual([]);
  });
});

it.each(FILES)('the commands of %s exist, with their flags', (file) => {
  expect(codeOf(file).flatMap(problems)).toEqual([]);
});
