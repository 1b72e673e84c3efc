import { statSync } from 'node:fs';
import { PresageError } from '../core/errors.js';
import type { Source } from '../core/source.js';
import { majorVersion, type Ffmpeg } from './ffmpeg-binary.js';
import type { FfmpegSourceOptions } from './ffmpeg-options.js';
import { FfmpegSource } from './ffmpeg-source.js';
import type { SourceSpec } from './source-spec.js';

export interface OpenSourceOptions extends Partial<Omit<FfmpegSourceOptions, 'ffmpegPath' | 'major'>> {
  readonly ffmpeg: Pick<Ffmpeg, 'path' | 'version'>;
  readonly mode: FfmpegSourceOptions['mode'];
  /** Opens what is published by WHIP; without it nothing can be. */
  readonly openPublished?: ((startS: number) => Source) | undefined;
}

/** Frames in memory per stream: one per worker, one waiting, one being read, some for outputs that lag. */
const DEFAULT_CAPACITY = 8;
const DEFAULTS = {
  capacity: DEFAULT_CAPACITY,
  loop: false,
  startS: 0,
  maxAttempts: Infinity,
  retryBaseMs: 500,
  retryMaxMs: 30_000,
  // Cameras lock an account after some 5 to 10 wrong passwords within half an hour.
  refusedRetryBaseMs: 5 * 60_000,
  refusedRetryMaxMs: 30 * 60_000,
  stallMs: 10_000,
  rtspTransport: 'tcp',
  // Detectors and clients gain nothing from more.
  maxWidth: 1920,
  maxHeight: 1080,
  decodeThreads: 0,
} as const;

/**
 * A source, not yet started (see Source). Files are looked at here.
 * @throws PresageError `bad_option` for `webrtc:` where nobody can publish; `source_not_found`, `source_invalid` or `source_refused` for a file that can't be read
 */
export function openSource(spec: SourceSpec, options: OpenSourceOptions): Source {
  const { ffmpeg, openPublished, ...rest } = options;
  if (spec.kind === 'webrtc') {
    if (openPublished) return openPublished(options.startS ?? DEFAULTS.startS);
    throw new PresageError('bad_option', 'source: webrtc: needs a service that takes publishers', {
      hint: 'use presage serve or watch, without --webrtc off',
    });
  }
  if (spec.kind === 'file') checkFile(spec.path);
  return new FfmpegSource(spec, {
    ...DEFAULTS,
    ...rest,
    ffmpegPath: ffmpeg.path,
    major: majorVersion(ffmpeg),
  });
}

function checkFile(path: string): void {
  let info;
  try {
    info = statSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EACCES')
      throw new PresageError('source_refused', `${path}: no permission to read it`, { cause });
    throw new PresageError('source_not_found', `${path}: there is no such file`, {
      cause,
      hint: 'check the name',
    });
  }
  if (info.isDirectory()) {
    throw new PresageError('source_invalid', `${path} is a folder`, { hint: 'name a video file in it' });
  }
  if (info.isFile() && info.size === 0) {
    throw new PresageError('source_invalid', `${path} is empty`, { hint: 'name a video file' });
  }
}
