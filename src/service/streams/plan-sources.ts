import { toPresageError } from '../../core/errors.js';
import type { Source } from '../../core/source.js';
import type { Ffmpeg } from '../../ingest/ffmpeg-binary.js';
import { openSource } from '../../ingest/open-source.js';
import { parseSource } from '../../ingest/source-spec.js';
import { PUBLISHED } from './api-sources.js';
import { FailedSource } from './failed-source.js';
import type { StreamPlan } from './stream-plan.js';

/** Checks a plan's source as far as possible without connecting. @throws PresageError */
export async function checkSource({ source }: StreamPlan, ffmpeg: Ffmpeg): Promise<void> {
  if (source !== PUBLISHED) await openSource(parseSource(source), { ffmpeg, mode: 'live' }).close();
}

/**
 * The source of a plan. Where it cannot be opened: a source that fails with the reason, so that the other streams continue.
 * @throws PresageError for a stream of the command
 */
export function openOrFail({ source, origin }: StreamPlan, open: () => Source): Source {
  try {
    return open();
  } catch (thrown) {
    if (origin === 'command') throw thrown;
    return new FailedSource(source, toPresageError(thrown));
  }
}
