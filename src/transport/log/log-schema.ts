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
  // What the messages are about, and what memory knows that no message says: see archive/.
  `create table refs (
     stream integer not null,
     ref text not null,
     sequence integer not null,
     primary key (stream, ref, sequence)
   ) without rowid;
   create index refs_sequence on refs (stream, sequence);
   create index messages_facts on messages (stream, kind, mediatime)
     where kind in ('event.observed', 'explanation.created', 'prediction.created', 'summary.created');
   create table objects (
     stream text not null,
     id text not null,
     label text not null,
     first real not null,
     last real not null,
     at integer not null,
     bytes integer not null,
     json text not null,
     primary key (stream, id)
   );
   create index objects_last on objects (stream, last);
   create index objects_at on objects (at);
   create table relations (
     stream text not null,
     kind text not null,
     a text not null,
     b text not null,
     begun real not null,
     ended real not null,
     open integer not null,
     at integer not null,
     primary key (stream, a, b, kind, begun)
   );
   create index relations_b on relations (stream, b);
   create index relations_ended on relations (stream, ended);
   create index relations_at on relations (at);
   create table evidence (
     stream text not null,
     ref text not null,
     t real not null,
     at integer not null,
     bytes integer not null,
     file text not null,
     primary key (stream, file)
   );
   create index evidence_ref on evidence (stream, ref);
   create index evidence_at on evidence (at);`,
  // Parts of the original video around events; `ref` is the run of the decoder that they came from.
  `create table clips (
     stream text not null,
     ref text not null,
     t real not null,
     at integer not null,
     bytes integer not null,
     file text not null,
     primary key (stream, file)
   );
   create index clips_t on clips (stream, t);
   create index clips_at on clips (at);`,
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
  firstAbout: `select m.sequence, m.kind, m.mediatime, m.json from refs r
    join messages m on m.stream = r.stream and m.sequence = r.sequence
    where r.stream = ? and r.ref = ? order by r.sequence limit 1`,
  oldest: 'select sequence, at, bytes from messages where stream = ? order by sequence limit ?',
  remove: 'delete from messages where stream = ? and sequence <= ?',
  trim: 'update streams set first = ?, bytes = ? where id = ?',
  refer: 'insert or ignore into refs (stream, ref, sequence) values (?,?,?)',
  unrefer: 'delete from refs where stream = ? and sequence <= ?',
  forget: 'delete from state where stream = ? and key = ?',
  keys: 'select key, json from state where stream = ? and key >= ? and key < ?',
  load: 'select json from state where stream = ? and key = ?',
  save: 'insert into state values (?,?,?) on conflict do update set json = excluded.json',
} as const;
export type Statements = Readonly<Record<keyof typeof SQL, Libsql.Statement>>;

export function prepareStatements(db: Libsql.Database): Statements {
  const prepared = Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)]);
  return Object.fromEntries(prepared) as Statements;
}
