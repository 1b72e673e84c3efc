import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { PresageError } from '../../core/errors.js';
import type { VideoInspector } from '../../core/inspection.js';
import { kindOfType, messageData } from '../../core/messages.js';
import { RecordQueries } from '../../core/records/query.js';
import type { Records } from '../../core/records/records.js';
import type { Places } from '../../core/memory.js';
import type { Recollection } from '../../ask/recollection.js';
import type { ArchiveQueries } from '../../transport/archive/archive-queries.js';
import { RecordsBuilder, type RecordedMessage } from './records-builder.js';

const NEEDED: ReadonlySet<string> = new Set<RecordedMessage['kind']>([
  'objects.updated',
  'event.observed',
  'explanation.created',
  'prediction.created',
  'prediction.resolved',
  'summary.created',
]);
const lineSchema = z.object({ type: z.string(), mediatime: z.number(), data: z.unknown() });

/** A recollection from messages; `records` are those of the memory where it is available, else derived from the messages. */
export function recollectionOfMessages(
  builder: RecordsBuilder,
  places: Places,
  records?: Records,
  video?: VideoInspector,
): Recollection {
  return {
    now: builder.now,
    since: 0,
    live: false,
    queries: new RecordQueries(records ?? builder.records(places)),
    places,
    video,
    explanationOf: (id) => builder.explanationOf(id),
    predictions: () => builder.predictions(),
  };
}

/** A recollection of a stream from the data folder of a service. @throws PresageError `storage_failed` */
export function recollectionOfArchive(
  queries: ArchiveQueries,
  places: Places,
  live: boolean,
  video?: VideoInspector,
): Recollection {
  const extent = queries.extent() ?? { from: 0, to: 0 };
  return {
    now: extent.to,
    since: extent.from,
    live,
    queries,
    places,
    video,
    explanationOf: (id) => queries.explanationOf(id),
    predictions: () => queries.openPredictions(),
  };
}

/** Reads a JSON Lines file of `presage analyze`. @throws PresageError `source_invalid` naming the line */
export async function readMessages(file: string): Promise<{ builder: RecordsBuilder; places: Places }> {
  const builder = new RecordsBuilder();
  const zones = new Set<string>();
  let number = 0;
  let taken = 0;
  for await (const line of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    number += 1;
    if (line.trim() === '') continue;
    const message = readLine(line, file, number);
    if (message === undefined) continue;
    taken += 1;
    builder.add(message);
    if (message.kind === 'event.observed' && message.data.event.zone !== undefined)
      zones.add(message.data.event.zone);
  }
  if (taken === 0) throw invalid(file, 'it has no message that memory could be made of');
  return { builder, places: { zones: Object.fromEntries([...zones].map((name) => [name, []])), lines: {} } };
}

function readLine(line: string, file: string, number: number): RecordedMessage | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw invalid(file, `line ${number} is not JSON`);
  }
  const envelope = lineSchema.safeParse(json);
  if (!envelope.success) throw invalid(file, `line ${number} is not a message`);
  const kind = kindOfType(envelope.data.type);
  if (kind === undefined || !NEEDED.has(kind)) return undefined;
  const data = messageData[kind].safeParse(envelope.data.data);
  if (!data.success) throw invalid(file, `line ${number} is no valid ${kind}`);
  return { kind, mediatime: envelope.data.mediatime, data: data.data } as RecordedMessage;
}

function invalid(file: string, what: string): PresageError {
  return new PresageError('source_invalid', `${file}: ${what}`, {
    hint: 'Give a video, or what `presage analyze VIDEO --out FILE.jsonl` wrote.',
  });
}
