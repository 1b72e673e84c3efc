import type Libsql from 'libsql';
import type { Places } from '../../core/memory.js';
import { PLACES_KEY } from '../session/continuation.js';

/** The streams that a data folder holds, by name. */
export function streamNames(db: Libsql.Database): string[] {
  const rows = db.prepare('select name from streams order by name').all() as { name: string }[];
  return rows.map(({ name }) => name);
}

/** The zones and lines with which a stream was last watched. */
export function savedPlaces(db: Libsql.Database, stream: string): Places {
  const row = db.prepare('select json from state where stream = ? and key = ?').get(stream, PLACES_KEY) as
    { json: string } | undefined;
  return row === undefined ? { zones: {}, lines: {} } : (JSON.parse(row.json) as Places);
}
