import type Libsql from 'libsql';

/** Step k brings a database from `user_version` k to k + 1. Never edit a step that was released; add one. */
export const MIGRATIONS: readonly string[] = [
  `create table streams (
     id integer primary key,
     name text not null unique,
     runs integer not null default 0,
     first integer not null default 1,
     last integer not null default 0,
     bytes integer not null default 0,
     mediatime real
   );
   create table messages (
     stream integer not null,
     sequence integer not null,
     at integer not null,
     bytes integer not null,
     kind text not null,
     mediatime real not null,
     json text not null,
     primary key (stream, sequence)
   );
   create index messages_latest on messages (stream, kind, sequence)
     where kind in ('stream.state', 'scorecard.updated');
   create table state (
     stream text not null,
     key text not null,
     json text not null,
     primary key (stream, key)
   ) without rowid;`,
];

const ENTRY = 'select sequence, kind, mediatime, json from messages';
const SQL = {
  streams: 'select id, name, first, last, bytes, mediatime from streams',
  addStream: 'insert into streams (name) values (?)',
  nextRun: 'update streams set runs = runs + 1 where id = ? returning runs',
  newest: 'select max(sequence) as last from messages where stream = ?',
  insert: 'insert into messages (stream, sequence, at, bytes, kind, mediatime, json) values (?,?,?,?,?,?,?)',
  advance: 'update streams set last = ?, bytes = ?, mediatime = ? where id = ?',
  page: `${ENTRY} where stream = ? and sequence >= ? order by sequence limit ?`,
  latest: `${ENTRY} where stream = ? and kind = ? order by sequence desc limit 1`,
  oldest: 'select sequence, at, bytes from messages where stream = ? order by sequence limit ?',
  remove: 'delete from messages where stream = ? and sequence <= ?',
  trim: 'update streams set first = ?, bytes = ? where id = ?',
  load: 'select json from state where stream = ? and key = ?',
  save: 'insert into state values (?,?,?) on conflict do update set json = excluded.json',
} as const;
export type Statements = Readonly<Record<keyof typeof SQL, Libsql.Statement>>;

export function prepareStatements(db: Libsql.Database): Statements {
  const prepared = Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)]);
  return Object.fromEntries(prepared) as Statements;
}
