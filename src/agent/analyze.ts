import type { Places } from '../core/memory.js';
import { PresageError, toPresageError } from '../core/errors.js';
import type { Message } from '../core/messages.js';
import type { Explainer } from '../core/reasoner.js';
import { findFfmpeg } from '../ingest/ffmpeg-binary.js';
import { openSource } from '../ingest/open-source.js';
import { parseSource } from '../ingest/source-spec.js';
import type { Expert } from '../reasoner/forecast/expert.js';
import { analyzeRecording } from '../service/recording/analyze-recording.js';
import type { DraftSink } from '../service/session/draft-sink.js';
import { SharedModels, type SharedModelsOptions } from '../service/shared-models.js';
import { assertKnown } from './agent-options.js';

/** Options of an analysis. */
export interface AnalyzeOptions {
  /** Receives every message in order, `objects.updated` and `forecast.updated` included. An error that it throws ends the analysis. */
  readonly onMessage?: ((message: Message) => void) | undefined;
  /** Id of the stream in the messages. Default `cam1`. */
  readonly id?: string | undefined;
  /** `none` leaves out `time` and measured durations, so that the same recording gives equal messages. Default `wall`. */
  readonly stamp?: 'wall' | 'none' | undefined;
  /** Polygons by name, points in frame fractions. */
  readonly zones?: Places['zones'] | undefined;
  /** Lines by name, points in frame fractions. */
  readonly lines?: Places['lines'] | undefined;
  readonly perception?: SharedModelsOptions['perception'];
  readonly reasoner?: SharedModelsOptions['reasoner'];
  /** Additional experts of the forecast. */
  readonly experts?: readonly Expert[] | undefined;
  /** Replaces the explainer of the reasoner's mode. */
  readonly explainer?: Explainer | undefined;
  /** Receives frames and drafts. */
  readonly sink?: DraftSink | undefined;
  /** Path of an ffmpeg program. Default: `ffmpeg-static`, then PATH, then `@ffmpeg-installer`. */
  readonly ffmpeg?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const KEYS: Record<keyof AnalyzeOptions, true> = {
  onMessage: true,
  id: true,
  stamp: true,
  zones: true,
  lines: true,
  perception: true,
  reasoner: true,
  experts: true,
  explainer: true,
  sink: true,
  ffmpeg: true,
  signal: true,
};

/**
 * Analyses a video file frame by frame, as fast as possible. The same file and options give the same messages.
 *
 * @param file path of the video
 * @throws {PresageError} bad_option — unknown option, or not a file; source_not_found, source_invalid — of the file; interrupted —
 * the signal aborted; internal — `onMessage` or the sink threw; or as `openAgent`
 */
export async function analyze(file: string, options: AnalyzeOptions = {}): Promise<void> {
  assertKnown('analyze', options, KEYS);
  const { onMessage, id = 'cam1', stamp, zones = {}, lines = {}, sink, signal } = options;
  const { perception, reasoner, experts, explainer } = options;
  const spec = parseSource(file);
  if (spec.kind !== 'file') throw new PresageError('bad_option', `analyze reads files, got ${spec.name}`);
  assertNotAborted(signal);
  const ffmpeg = await findFfmpeg({ path: options.ffmpeg });
  await using source = openSource(spec, { ffmpeg, mode: 'lossless' });
  await using models = await SharedModels.open(
    { perception, reasoner: { ...reasoner, experts, explainer } },
    signal,
  );
  const abort = new AbortController();
  let failure: PresageError | undefined;
  const deliver = (message: { readonly value: Message }): void => {
    if (failure) return;
    try {
      onMessage?.(message.value);
    } catch (thrown) {
      failure = toPresageError(thrown);
      abort.abort(failure);
    }
  };
  try {
    await analyzeRecording({
      id,
      source,
      models,
      places: { zones, lines },
      uses: { inspections: 'none', pictures: false },
      stamp,
      messageSinks: [{ deliver }],
      sinks: () => (sink ? [sink] : []),
      signal: signal ? AbortSignal.any([signal, abort.signal]) : abort.signal,
    });
  } catch (thrown) {
    throw failure ?? toPresageError(thrown);
  }
  if (failure) throw failure;
}

function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new PresageError('interrupted', 'the analysis was interrupted', { cause: signal.reason });
}
