import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../RESULTS.md', import.meta.url));
/** The section of the model card that the bench `model` writes. */
export const MODEL_CARD = fileURLToPath(new URL('../../docs/model-card.md', import.meta.url));
export const CARD_SECTION = 'Measured';
const TITLE = `# Measured

Each section was written by \`npm run bench -- <name>\`, which replaces it. What the benches do: [README.md](README.md).
`;

export interface Section {
  readonly name: string;
  /** Lines about the run: date, commit, machine, command. */
  readonly about: readonly string[];
  /** Markdown. */
  readonly body: string;
}

/** Writes a section into RESULTS.md or another document, in place of the earlier one of that name or at the end. */
export function writeSection(section: Section, file = FILE): void {
  writeFileSync(file, withSection(readDocument(file), section));
}

/** The text of a document with the section in place of the earlier one of that name, or at the end. */
export function withSection(results: string, { name, about, body }: Section): string {
  const [head = '', ...sections] = results.split(/\n(?=## )/);
  const text = `## ${name}\n\n${about.map((line) => `- ${line}`).join('\n')}\n\n${body.trim()}\n`;
  const kept = sections.map((section) => (section.startsWith(`## ${name}\n`) ? text : `${section.trim()}\n`));
  if (!kept.includes(text)) kept.push(text);
  return [`${head.trim()}\n`, ...kept].join('\n');
}

/** A Markdown table; numbers are right-aligned. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

function readDocument(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return TITLE;
  }
}
