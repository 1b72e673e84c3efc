import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];

/** A piece of a line in one style. */
export interface Span {
  readonly text: string;
  readonly style?: Style;
}

export interface TextTraits {
  readonly color: boolean;
  readonly unicode: boolean;
  /** Columns. */
  readonly width: number;
}

const DEFAULT_WIDTH = 100;
const MIN_WIDTH = 40;
const MAX_WIDTH = 160;

/** The abilities of the terminal behind a stream, by its kind and the environment (FORCE_COLOR, NO_COLOR, TERM, LANG). */
export function textTraits(out: NodeJS.WritableStream, env: NodeJS.ProcessEnv = process.env): TextTraits {
  const tty = 'isTTY' in out && out.isTTY === true;
  const forced = env['FORCE_COLOR'];
  const color =
    forced !== undefined && forced !== ''
      ? forced !== '0' && forced !== 'false'
      : tty && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return { color, unicode: supportsUnicode(env), width: clampWidth(columnsOf(out)) };
}

export function clampWidth(columns: number | undefined): number {
  if (columns === undefined || !(columns > 0)) return DEFAULT_WIDTH;
  return Math.min(Math.max(Math.floor(columns), MIN_WIDTH), MAX_WIDTH);
}

/** Columns of the terminal behind a stream; undefined for a file or pipe. */
export function columnsOf(out: NodeJS.WritableStream): number | undefined {
  return 'columns' in out && typeof out.columns === 'number' ? out.columns : undefined;
}

function supportsUnicode(env: NodeJS.ProcessEnv): boolean {
  if (process.platform === 'win32') return Boolean(env['WT_SESSION'] ?? env['TERM_PROGRAM']);
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(
    (value) => value !== undefined && value !== '',
  );
  return locale === undefined ? process.platform === 'darwin' : /utf-?8/i.test(locale);
}

const ASCII: Readonly<Record<string, string>> = {
  '\u00a0': ' ',
  '●': '*',
  '○': 'o',
  '·': '-',
  '→': '>',
  '↻': '~',
  '✓': '+',
  '✗': 'x',
  '∅': 'o',
  '▲': '!',
  '≡': '=',
  '│': '|',
  '╰': '`',
  '─': '-',
  '━': '=',
  '█': '#',
  '░': '.',
  '…': '...',
  '–': '-',
  '—': '-',
  '×': 'x',
  '“': '"',
  '”': '"',
  '’': "'",
  '−': '-',
};

/** The same text in ASCII; what has no likeness becomes `?`. */
export function toAscii(text: string): string {
  return text.replace(/[^\u0020-\u007e]/gu, (char) => ASCII[char] ?? '?');
}

/**
 * Lays spans out as lines of at most `width` columns, broken at spaces; a word that is longer than a line is cut.
 *
 * @param first what stands before the first line, `rest` before the others
 */
export function layOut(
  spans: readonly Span[],
  first: readonly Span[],
  rest: readonly Span[],
  traits: TextTraits,
): string[] {
  const known = (list: readonly Span[]): Span[] =>
    traits.unicode ? [...list] : list.map((span) => ({ ...span, text: toAscii(span.text) }));
  const lines: Span[][] = [known(first)];
  const indent = known(rest);
  let used = columns(lines[0] ?? []);
  let empty = true;
  for (const word of known(spans).flatMap(words)) {
    for (const part of chop(word, Math.max(traits.width - columns(indent), 1))) {
      const size = length(part.text.trimEnd());
      if (!empty && used + size > traits.width) {
        lines.push([...indent]);
        used = columns(indent);
      }
      lines.at(-1)?.push(part);
      used += length(part.text);
      empty = false;
    }
  }
  return lines.map((line) => paint(line, traits.color));
}

function words(span: Span): Span[] {
  return (span.text.match(/ +|[^ ]+/g) ?? []).map((text) => ({ ...span, text }));
}

function chop(span: Span, size: number): Span[] {
  const chars = Array.from(span.text);
  if (chars.length <= size) return [span];
  const parts: Span[] = [];
  for (let at = 0; at < chars.length; at += size) {
    parts.push({ ...span, text: chars.slice(at, at + size).join('') });
  }
  return parts;
}

/** One line as text: neighbours of one style joined, no-break spaces made plain, nothing after the last word. */
function paint(line: readonly Span[], color: boolean): string {
  const runs: { text: string; style: Style | undefined }[] = [];
  for (const { text, style } of line.slice(0, line.findLastIndex((span) => span.text.trim() !== '') + 1)) {
    const before = runs.at(-1);
    if (before !== undefined && before.style === style) before.text += text;
    else runs.push({ text, style });
  }
  return runs
    .map(({ text, style }, index) => {
      const shown = (index === runs.length - 1 ? text.trimEnd() : text).replaceAll('\u00a0', ' ');
      return style === undefined || !color ? shown : styleText(style, shown, { validateStream: false });
    })
    .join('');
}

function columns(line: readonly Span[]): number {
  return line.reduce((sum, span) => sum + length(span.text), 0);
}

function length(text: string): number {
  return Array.from(text).length;
}
