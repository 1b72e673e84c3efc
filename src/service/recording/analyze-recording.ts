import type { VideoInspector } from '../../core/inspection.js';
import type { Places } from '../../core/memory.js';
import { PresageError } from '../../core/errors.js';
import type { Records } from '../../core/records/records.js';
import type { Source } from '../../core/source.js';
import { ResourceStack } from '../../core/resource-stack.js';
import type { MessageSink, Stamp } from '../../transport/messages/encode.js';
import type { RecentVideo } from '../recent-video/recent-video.js';
import type { VideoUses } from '../recent-video/shared-video.js';
import type { DraftSink } from '../session/draft-sink.js';
import { StreamSession, type StageOptions } from '../session/stream-session.js';
import type { SharedModels } from '../shared-models.js';

/** Parts of an analysis that sinks may need. */
export interface OpenRecording {
  readonly source: Source;
  /** Pictures of the recording as far as the memory limit allows; undefined where it has no use. */
  readonly video: RecentVideo | undefined;
}

export interface RecordingOptions {
  readonly id: string;
  /** Opened in mode `lossless`. Closed by the analysis. */
  readonly source: Source;
  readonly models: SharedModels;
  readonly places: Places;
  readonly stages?: StageOptions | undefined;
  /** Uses of the recent video. */
  readonly uses: VideoUses;
  /** Default `wall`. */
  readonly stamp?: Stamp | undefined;
  readonly messageSinks?: readonly MessageSink[] | undefined;
  /** Creates the sinks of frames and drafts. */
  readonly sinks?: ((recording: OpenRecording) => readonly DraftSink[]) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The state after the last frame. */
export interface AnalyzedRecording {
  readonly records: Records;
  /** Inspects the video until the models are closed; undefined where no video is stored. */
  readonly inspector: VideoInspector | undefined;
}

/**
 * Analyses a recording frame by frame, as fast as possible. The same recording gives the same messages.
 *
 * @throws PresageError of source, models or sinks; `interrupted` when the signal aborts
 */
export async function analyzeRecording(options: RecordingOptions): Promise<AnalyzedRecording> {
  const { id, source, models, places, stages, uses, stamp, messageSinks = [], signal } = options;
  await using resources = new ResourceStack();
  resources.use(source);
  const pictures = uses.pictures || models.reasoner.sendsImages;
  const video = models.video.openVideo({ ...uses, pictures });
  const inspector = video && models.openInspector(video);
  const session: StreamSession = resources.use(
    new StreamSession({
      id,
      source,
      perception: models.perception,
      contacts: models.contacts,
      reasoner: models.reasoner,
      places,
      stages,
      mode: 'lossless',
      publisher: { streamId: id, sinks: messageSinks, stamp },
      inspector,
      keyframes: models.keyframesOf(video),
      sinks: [
        // Inspections and pictures must not depend on the speed of the picture worker.
        ...(video ? [video, { afterFrame: () => video.settle() }] : []),
        { afterFrame: () => session.drained() },
        ...(options.sinks?.({ source, video }) ?? []),
      ],
    }),
  );
  assertNotAborted(signal);
  const stop = (): void => void session.close();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    await session.run();
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  assertNotAborted(signal);
  return { records: session.records(), inspector };
}

function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new PresageError('interrupted', 'the analysis was interrupted', { cause: signal.reason });
}
