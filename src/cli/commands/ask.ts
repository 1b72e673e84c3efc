import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PresageError } from '../../core/errors.js';
import { findFfmpeg } from '../../ingest/ffmpeg-binary.js';
import { openSource } from '../../ingest/open-source.js';
import { parseSource } from '../../ingest/source-spec.js';
import { COCO_LABELS } from '../../model/detector/coco-labels.js';
import { ask as askMemory, type Asked } from '../../ask/ask.js';
import type { Recollection } from '../../ask/recollection.js';
import { openForReading } from '../../transport/log/log-database.js';
import { ArchiveQueries } from '../../transport/archive/archive-queries.js';
import { askRemoteService } from '../../service/ask/ask-client.js';
import {
  readMessages,
  recollectionOfArchive,
  recollectionOfMessages,
} from '../../service/ask/recollections.js';
import { RecordsBuilder, type RecordedMessage } from '../../service/ask/records-builder.js';
import { questionBackend } from '../../service/ask/backend.js';
import { savedPlaces, streamNames } from '../../service/ask/data-folder.js';
import type { CommandContext } from '../command-context.js';
import type { Settings } from '../options/option-table.js';
import { modelsOptions, openAiOptions, stageOptions } from '../options/service-options.js';
import { loadPlaces } from '../options/settings.js';
import { analyzeRecording } from '../../service/recording/analyze-recording.js';
import { SharedModels } from '../../service/shared-models.js';
import { ProgressBar } from '../terminal/progress.js';
import { clean } from '../../render/wording.js';

/**
 * `presage ask <stream|file> <question>`: of a recording, which is analysed first; of what `analyze` wrote; of the data
 * folder of a service; or of a service that runs.
 *
 * @throws PresageError `bad_request` when the question was not understood
 */
export async function ask({ settings, signal }: CommandContext, target = '', question = ''): Promise<void> {
  if (question.trim() === '') throw new PresageError('bad_option', 'ask: there is no question');
  const asked =
    settings.url === undefined
      ? await askHere(settings, signal, target, question)
      : await askRemoteService(settings.url, target, question, settings.token);
  if (!asked.understood) throw notUnderstood(asked);
  const { answer } = asked;
  if (settings.json) process.stdout.write(`${JSON.stringify(answer)}\n`);
  else process.stdout.write(`${clean(answer.text)}\n${footnote(asked)}\n`);
}

function notUnderstood({ text }: Extract<Asked, { understood: false }>): PresageError {
  const [first = '', ...rest] = text.split('\n');
  return new PresageError(
    'bad_request',
    clean(first),
    rest.length > 0
      ? {
          hint: rest
            .map((line) => `  ${line}`)
            .join('\n')
            .trimStart(),
        }
      : {},
  );
}

/** `  events e8, e41 · certain to 72 % · answered by grammar` */
function footnote({ answer, by }: Extract<Asked, { understood: true }>): string {
  const events = [...new Set(answer.evidence.flatMap((one) => one.events))];
  const objects = [...new Set(answer.evidence.flatMap((one) => one.objects))];
  const parts = [
    ...(events.length > 0 ? [`events ${some(events)}`] : []),
    ...(objects.length > 0 ? [`objects ${some(objects.map((id) => id.replace(/^o/, '#')))}`] : []),
    `certain to ${Math.round(answer.confidence * 100)} %`,
    ...(by === 'grammar' ? [] : [`answered by ${by}`]),
  ];
  return `  ${parts.join(' · ')}`;
}

function some(ids: readonly string[]): string {
  const most = 8;
  return ids.length <= most
    ? ids.join(', ')
    : `${ids.slice(0, most).join(', ')} and ${ids.length - most} more`;
}

async function askHere(
  settings: Settings,
  signal: AbortSignal,
  target: string,
  question: string,
): Promise<Asked> {
  const found = await stat(target).catch(() => undefined);
  if (found?.isFile() !== true)
    return askFolder(settings, found?.isDirectory() === true ? target : undefined, target, question);
  if (/\.(?:jsonl|ndjson)$/i.test(target)) {
    const { builder, places } = await readMessages(target);
    return answer(settings, recollectionOfMessages(builder, places), question);
  }
  return askRecording(settings, signal, target, question);
}

function answer(settings: Settings, memory: Recollection, question: string): Promise<Asked> {
  return askMemory(question, memory, {
    labels: COCO_LABELS,
    backend: questionBackend(openAiOptions(settings)),
  });
}

/** Answers from the data folder: `--data`, or a folder named instead of a stream. */
async function askFolder(
  settings: Settings,
  folder: string | undefined,
  target: string,
  question: string,
): Promise<Asked> {
  const database = await openForReading(folder ?? settings.data);
  try {
    const names = streamNames(database.db);
    const stream = folder === undefined ? target : names.length === 1 ? (names[0] ?? '') : settings.id;
    if (!names.includes(stream)) {
      throw new PresageError('source_not_found', `There is no file and no stream "${stream}"`, {
        hint:
          names.length === 0
            ? `${join(folder ?? settings.data)} holds no stream yet.`
            : `${join(folder ?? settings.data)} holds: ${names.join(', ')}`,
      });
    }
    const places = savedPlaces(database.db, stream);
    return await answer(
      settings,
      recollectionOfArchive(new ArchiveQueries(database.db, stream, places), places, false),
      question,
    );
  } finally {
    database.close();
  }
}

/** Goes through a recording, as `analyze` does, and answers from what is then remembered. */
async function askRecording(
  settings: Settings,
  signal: AbortSignal,
  video: string,
  question: string,
): Promise<Asked> {
  const spec = parseSource(video);
  const places = loadPlaces(settings.places);
  const ffmpeg = await findFfmpeg({ path: settings.ffmpeg });
  signal.throwIfAborted();
  await using source = openSource(spec, { ffmpeg, mode: 'lossless' });
  await using models = await SharedModels.open(modelsOptions(settings), signal);
  const builder = new RecordsBuilder();
  let frames = 0;
  let progress: ProgressBar | undefined;
  try {
    const { records, inspector } = await analyzeRecording({
      id: settings.id,
      source,
      models,
      places,
      stages: stageOptions(settings),
      // The whole recording can be inspected, as far as the memory limit allows.
      uses: { inspections: 'all', pictures: false },
      sinks: () => [
        {
          addFrame: (frame) => {
            frames += 1;
            progress ??= new ProgressBar({ duration: source.duration });
            progress.update({ frames, t: frame.t });
          },
          add: (draft) => {
            if (draft.kind in READ) builder.add(draft as RecordedMessage);
          },
        },
      ],
      signal,
    });
    progress?.finish();
    // Awaited here: the models that inspect the video are closed with this function.
    return await answer(settings, recollectionOfMessages(builder, places, records, inspector), question);
  } finally {
    progress?.finish();
  }
}

const READ: Readonly<Record<RecordedMessage['kind'], true>> = {
  'objects.updated': true,
  'event.observed': true,
  'explanation.created': true,
  'prediction.created': true,
  'prediction.resolved': true,
  'summary.created': true,
};
