import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'libsql';
import { WebSocket } from 'ws';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** Longest wait for a process that starts, ms. */
const START_LIMIT_MS = 120_000;
/** What a crash may lose, media seconds, and the time between two frames of the slowest recording here. */
const MAX_LOST_S = 1;
const FRAME_S = 0.5;

export interface CrashOptions {
  readonly video: string;
  readonly folder: string;
  readonly rounds: number;
  /** Longest life of a process after it began to serve, ms. */
  readonly longestMs: number;
  /** 0–1 */
  readonly random: () => number;
}

export interface CrashReport {
  readonly rounds: number;
  /** Killed before it served. */
  readonly early: number;
  readonly durable: number;
  readonly objects: number;
  readonly pictures: number;
  /** Durable messages told to a client and not in the log afterwards. */
  readonly lost: number;
  /** Greatest media time that a run watched and the state saved does not know, s. */
  readonly maxLostS: number;
  /** Everything that was not as it should be. */
  readonly problems: readonly string[];
}

interface Heard {
  readonly durable: Map<number, string>;
  readonly objects: Set<number>;
  /** Media times of the live messages, s; undefined before the first. */
  live: { readonly first: number; readonly newest: number } | undefined;
}

interface Row {
  readonly sequence: number;
  readonly kind: string;
  readonly mediatime: number;
  readonly json: string;
}

/** Runs `presage watch` on one data folder again and again, kills it at random moments, and looks what is left. */
export async function crashRounds(options: CrashOptions): Promise<CrashReport> {
  const problems: string[] = [];
  const told = new Map<number, string>();
  const knownObjects = new Set<number>();
  let [early, lost, maxLostS, pictures] = [0, 0, 0, 0];
  for (let round = 1; round <= options.rounds; round++) {
    const { heard, served } = await runAndKill(options, told.size === 0 ? 1 : Math.max(...told.keys()) + 1);
    if (!served) early += 1;
    const highest = Math.max(0, ...knownObjects);
    for (const id of heard.objects) {
      if (!knownObjects.has(id) && id <= highest)
        problems.push(`round ${round}: o${id} was given a second time`);
    }
    for (const id of heard.objects) knownObjects.add(id);
    for (const [sequence, json] of heard.durable) {
      if (told.has(sequence) && told.get(sequence) !== json)
        problems.push(`round ${round}: sequence ${sequence} told twice`);
      told.set(sequence, json);
    }
    const left = inspect(options.folder, told);
    problems.push(...left.problems.map((problem) => `round ${round}: ${problem}`));
    lost += left.lost;
    pictures = left.pictures;
    // Killed before its first save, a run leaves the state of the one before: the time between them nobody watched.
    if (left.savedAt !== undefined && heard.live !== undefined)
      maxLostS = Math.max(maxLostS, heard.live.newest - Math.max(left.savedAt, heard.live.first));
  }
  if (maxLostS > MAX_LOST_S + FRAME_S) problems.push(`${maxLostS.toFixed(2)} s of memory were lost`);
  return {
    rounds: options.rounds,
    early,
    durable: told.size,
    objects: knownObjects.size,
    pictures,
    lost,
    maxLostS,
    problems,
  };
}

async function runAndKill(options: CrashOptions, from: number): Promise<{ heard: Heard; served: boolean }> {
  const heard: Heard = { durable: new Map(), objects: new Set(), live: undefined };
  const args = [MAIN, 'watch', options.video, '--loop', '--port', '0', '--data', options.folder];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: START_LIMIT_MS,
  });
  const gone = once(child, 'exit');
  // One in six dies before it serves: while it opens its files, or its model.
  const dieEarly = options.random() < 1 / 6;
  if (dieEarly) {
    await delay(options.random() * 2000);
    child.kill('SIGKILL');
    await gone;
    return { heard, served: false };
  }
  let head = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      if (head.length < 10_000) head += chunk.toString();
      const found = /page\s+(http:\S+?)\/?\s/.exec(head)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', () => reject(new Error('watch ended by itself')));
  });
  const socket = new WebSocket(
    `${url.replace(/^http/, 'ws')}/v1/streams/cam1/events?from=${from}&objects_rate=120`,
  );
  socket.on('error', () => undefined);
  socket.on('message', (data: Buffer) => hear(heard, data.toString('utf8')));
  await once(socket, 'open');
  await delay(options.random() * options.longestMs);
  child.kill('SIGKILL');
  await gone;
  socket.terminate();
  return { heard, served: true };
}

function hear(heard: Heard, json: string): void {
  const message = JSON.parse(json) as { type: string; sequence?: string; mediatime: number; data: unknown };
  if (message.sequence !== undefined) heard.durable.set(Number(message.sequence), json);
  if (message.type !== 'presage.objects.updated.v1') return;
  heard.live = { first: heard.live?.first ?? message.mediatime, newest: message.mediatime };
  const { objects } = message.data as { objects: { id: string }[] };
  for (const { id } of objects) heard.objects.add(Number(id.slice(1)));
}

/** What a data folder holds after a crash, held against what clients were told. */
function inspect(
  folder: string,
  told: ReadonlyMap<number, string>,
): { problems: string[]; lost: number; pictures: number; savedAt: number | undefined } {
  const problems: string[] = [];
  const db = new Database(join(folder, 'messages.db'));
  try {
    if (db.prepare("select 1 from sqlite_master where name = 'evidence'").get() === undefined) {
      return { problems, lost: 0, pictures: 0, savedAt: undefined };
    }
    const integrity = (db.prepare('pragma integrity_check').get() as { integrity_check: string })
      .integrity_check;
    if (integrity !== 'ok') problems.push(`integrity_check: ${integrity}`);
    const rows = db
      .prepare('select sequence, kind, mediatime, json from messages order by sequence')
      .all() as Row[];
    problems.push(...inspectRows(rows));
    const lost = [...told].filter(([sequence, json]) => rows[sequence - 1]?.json !== json);
    if (lost.length > 0)
      problems.push(`${lost.length} messages told and not in the log, first ${lost[0]?.[0] ?? 0}`);
    const files = (db.prepare('select file from evidence').all() as { file: string }[]).map(
      ({ file }) => file,
    );
    for (const file of files) {
      if (!isWhole(join(folder, ...file.split('/')))) problems.push(`${file} is not a whole JPEG`);
    }
    const state = db.prepare("select json from state where stream = 'cam1' and key = 'session'").get() as
      { json: string } | undefined;
    const saved = state && (JSON.parse(state.json) as { mediatime: number });
    return { problems, lost: lost.length, pictures: files.length, savedAt: saved?.mediatime };
  } finally {
    db.close();
  }
}

const NUMBERED: Readonly<Record<string, (data: never) => string>> = {
  'event.observed': ({ event }: { event: { id: string } }) => event.id,
  'explanation.created': ({ explanation }: { explanation: { id: string } }) => explanation.id,
  'prediction.created': ({ prediction }: { prediction: { id: string } }) => prediction.id,
};

/** Sequences without gap or double, media time that never runs back, no id given twice. */
function inspectRows(rows: readonly Row[]): string[] {
  const problems: string[] = [];
  const ids = new Set<string>();
  let newest = 0;
  rows.forEach(({ sequence, kind, mediatime, json }, index) => {
    if (sequence !== index + 1) problems.push(`sequence ${sequence} stands at place ${index + 1}`);
    if (mediatime < newest - 1e-6)
      problems.push(`media time runs back at ${sequence}: ${mediatime} after ${newest}`);
    newest = Math.max(newest, mediatime);
    const id = NUMBERED[kind]?.((JSON.parse(json) as { data: never }).data);
    if (id === undefined) return;
    if (ids.has(id)) problems.push(`${id} was given a second time, at ${sequence}`);
    ids.add(id);
  });
  return problems.slice(0, 5);
}

function isWhole(path: string): boolean {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return false;
  }
  return bytes.readUInt16BE(0) === 0xffd8 && bytes.readUInt16BE(bytes.length - 2) === 0xffd9;
}
