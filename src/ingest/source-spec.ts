import { fileURLToPath } from 'node:url';
import { PresageError } from '../core/errors.js';
import { redact } from '../core/redact.js';

/** A source as the user named it, taken apart. `name` never holds credentials. */
export type SourceSpec =
  | { readonly kind: 'file'; readonly name: string; readonly path: string }
  | { readonly kind: 'rtsp' | 'http'; readonly name: string; readonly url: string }
  | { readonly kind: 'webcam'; readonly name: string; readonly device: string }
  /** A camera that connects to us and pushes. `url` is what we listen on. */
  | { readonly kind: 'rtsp-listen'; readonly name: string; readonly url: string }
  /** Plain RTP that comes to an address of ours, described by SDP. */
  | { readonly kind: 'rtp'; readonly name: string; readonly sdp: string }
  /** Published to this service by WHIP. */
  | { readonly kind: 'webrtc'; readonly name: string };

/** A source that ffmpeg reads. */
export type FfmpegSpec = Exclude<SourceSpec, { readonly kind: 'webrtc' }>;

const FORMS = 'a file, rtsp://…, http(s)://…, webcam:/dev/video0 or webrtc:';

/**
 * Reads a source from text. Whether it exists is not looked at.
 * @throws PresageError `bad_option` for an empty text, a NUL character, an unknown scheme or a malformed URL
 */
export function parseSource(text: string): SourceSpec {
  if (text.trim() === '') throw new PresageError('bad_option', `source: got nothing, expected ${FORMS}`);
  if (text.includes('\0')) throw new PresageError('bad_option', 'source: it holds a NUL character');
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(text) ?? [];
  switch (scheme?.toLowerCase()) {
    case undefined:
      return { kind: 'file', name: text, path: text };
    case 'file':
      return fileUrl(text);
    case 'rtsp':
    case 'rtsps':
      return { kind: 'rtsp', name: redact(text), url: checked(text) };
    case 'http':
    case 'https':
      return { kind: 'http', name: redact(text), url: checked(text) };
    case 'webcam':
      return { kind: 'webcam', name: text, device: text.slice('webcam:'.length) || '/dev/video0' };
    case 'webrtc':
      return published(text);
    default:
      // `C:\video.mp4`, and files such as `12:30.mp4`, are paths.
      if (!text.includes('://')) return { kind: 'file', name: text, path: text };
      throw new PresageError('bad_option', `source: got ${redact(text)}, expected ${FORMS}`);
  }
}

function published(text: string): SourceSpec {
  if (text.length === 'webrtc:'.length) return { kind: 'webrtc', name: 'webrtc:' };
  throw new PresageError(
    'bad_option',
    `source: got ${redact(text)}, expected webrtc: with nothing after it`,
    {
      hint: 'publish by WHIP at /v1/streams/{id}/whip',
    },
  );
}

function fileUrl(text: string): SourceSpec {
  try {
    return {
      kind: 'file',
      name: text,
      path: text.startsWith('file://') ? fileURLToPath(text) : text.slice('file:'.length),
    };
  } catch (cause) {
    throw new PresageError('bad_option', `source: ${text} is not a file address`, { cause });
  }
}

function checked(url: string): string {
  if (URL.canParse(url) && new URL(url).hostname !== '') return url;
  // Not repeated: where it is malformed, so may be the password's place in it.
  throw new PresageError('bad_option', 'source: it is not an address', {
    hint: `write ${FORMS}; in a password, '/' is %2F, '@' is %40 and ':' is %3A`,
  });
}
