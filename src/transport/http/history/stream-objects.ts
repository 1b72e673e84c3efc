import type { z } from 'zod';
import type { ObjectHistory } from '../../../core/records/records.js';
import type { ArchiveQueries } from '../../archive/archive-queries.js';
import type { objectItemSchema, ObjectsAnswer, objectsQuerySchema } from './object-schemas.js';

/** Hidden for less than this, an object is still here, s: as in memory. */
const HIDDEN_S = 3;

/** Who is here, who was, and what held between them, from all that is kept on disk. */
export function objectsOf(
  queries: ArchiveQueries,
  query: z.output<typeof objectsQuerySchema>,
): ObjectsAnswer {
  const { from, to, label, object, limit } = query;
  const now = queries.extent()?.to ?? 0;
  const span = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  const newest = { limit, keep: 'newest' } as const;
  const found = queries.objects({
    span,
    ...(label !== undefined && { labels: [label] }),
    ...(object !== undefined && { ids: [object] }),
  });
  const here = found.filter((one) => one.left === undefined && now - one.lastSeen <= HIDDEN_S);
  const present = new Set(here);
  return {
    now,
    here: here.slice(-limit).map(itemOf),
    was: found
      .filter((one) => !present.has(one))
      .slice(-limit)
      .map(itemOf),
    relations: queries
      .relations({ span, ...newest, ...(object !== undefined && { object }) })
      .map(({ kind, a, b, from: begun, to: ended, open }) => ({ kind, a, b, from: begun, to: ended, open })),
    summaries: queries.episodes({ span, ...newest }).map((episode) => ({
      from: episode.from,
      to: episode.to,
      text: episode.text,
      events: [...episode.events],
      objects: [...episode.objects],
    })),
  };
}

function itemOf(object: ObjectHistory): z.infer<typeof objectItemSchema> {
  const { id, label, firstSeen, lastSeen, spans, entered, left, path } = object;
  const last = path.at(-1);
  return {
    ...{ id, label, firstSeen, lastSeen },
    spans: [...spans],
    ...(entered && { entered }),
    ...(left && { left }),
    ...(last && { box: [...last.box] }),
  };
}
