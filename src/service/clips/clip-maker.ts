import { setTimeout as delay } from 'node:timers/promises';
import { PresageError } from '../../core/errors.js';
import type { EncodedRing } from '../../ingest/encoded/encoded-ring.js';
import { holds, remux, type ClipContainer } from '../../ingest/encoded/remux.js';
import type { Clip, ClipRequest } from '../../transport/http/clip-routes.js';
import type { ClipRecorder } from './clip-recorder.js';
import { cutClip, type Cut } from './cut-clip.js';

/** Clips made lately that are remembered, since players ask for one in parts. */
const MAX_REMEMBERED = 4;
/** Added to the remaining time, ms: decoding of the frames and completion of their group. */
const LATE_MS = 2_000;

export interface ClipMakerOptions {
  readonly ffmpegPath: string;
  /** Media time of an event; undefined when it is not known. */
  readonly eventTime: (streamId: string, eventId: string) => number | undefined;
}

interface ClipSource {
  readonly ring: EncodedRing;
  readonly recorder: ClipRecorder | undefined;
}

/** Makes clips of events, from what streams keep of their original video. */
export class ClipMaker {
  readonly #options: ClipMakerOptions;
  readonly #sources = new Map<string, ClipSource>();
  /** Oldest first. */
  readonly #made = new Map<string, Clip>();

  constructor(options: ClipMakerOptions) {
    this.#options = options;
  }

  /** Takes a stream; the newest of its name counts. */
  watch(streamId: string, source: ClipSource): void {
    this.#sources.set(streamId, source);
  }

  /** @throws PresageError `not_found`, `not_kept`, `codec_unsupported` */
  async clip(request: ClipRequest): Promise<Clip> {
    const { streamId, eventId, before, after, container } = request;
    const t = this.#options.eventTime(streamId, eventId);
    if (t === undefined) throw new PresageError('not_found', `There is no event ${eventId}`);
    const key = `${streamId} ${eventId} ${before} ${after} ${container}`;
    const made = this.#made.get(key);
    if (made) return made;
    const source = this.#sources.get(streamId);
    if (source === undefined) {
      throw new PresageError('not_kept', `No original video of "${streamId}" is kept`, {
        hint: 'start with --clip-seconds above 0; video that is decoded here, as that of wrtc, has none',
      });
    }
    const { ring, recorder } = source;
    if (ring.now !== undefined && ring.now < t + after) await arrival(ring, t + after, request.signal);
    const kept = (await recorder?.between(t - before, t + after)) ?? [];
    const cut = cutClip([...kept, ...ring.between(t - before, t + after)], t, t - before, t + after);
    const clip = await this.#make(cut, request, ring);
    this.#remember(key, clip);
    return clip;
  }

  async #make(cut: Cut | undefined, { eventId, container }: ClipRequest, ring: EncodedRing): Promise<Clip> {
    if (cut === undefined) {
      if (ring.now !== undefined && ring.codec === undefined) {
        throw new PresageError('codec_unsupported', 'There are no clips of this codec');
      }
      throw new PresageError('not_kept', `The video of ${eventId} is not kept any more`);
    }
    if (!holds(container, cut.codec)) {
      throw new PresageError('codec_unsupported', `${container} cannot hold ${cut.codec.slice(2)}`, {
        hint: `ask for ${eventId}.${other(container)}`,
      });
    }
    const bytes = await remux(this.#options.ffmpegPath, cut.matroska, container);
    return { from: cut.from, to: cut.to, codec: cut.codec, bytes };
  }

  #remember(key: string, clip: Clip): void {
    this.#made.set(key, clip);
    for (const oldest of this.#made.keys()) {
      if (this.#made.size <= MAX_REMEMBERED) break;
      this.#made.delete(oldest);
    }
  }
}

function other(container: ClipContainer): ClipContainer {
  return container === 'mp4' ? 'webm' : 'mp4';
}

/**
 * Resolves when that media time has come, or cannot come any more in this run.
 * @throws PresageError `not_kept` when it has not come in time
 */
async function arrival(ring: EncodedRing, t: number, signal: AbortSignal): Promise<void> {
  const patience = new AbortController();
  const there = new Promise<true>((resolve) => {
    const check = (): void => {
      if ((ring.now ?? t) < t && ring.running) return;
      unlisten();
      resolve(true);
    };
    const unlisten = ring.listen(check);
    patience.signal.addEventListener('abort', unlisten, { once: true });
    check();
  });
  const waitMs = (t - (ring.now ?? t)) * 1000 + LATE_MS;
  try {
    const late = delay(waitMs, false as const, { signal: AbortSignal.any([patience.signal, signal]) });
    if (await Promise.race([there, late.catch(() => false)])) return;
  } finally {
    patience.abort();
  }
  throw new PresageError('not_kept', 'The video after the event has not been seen yet', { retryable: true });
}
