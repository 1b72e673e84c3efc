import { fileURLToPath } from 'node:url';
import { PresageError } from '../core/errors.js';
import { redactAddress } from '../core/text/redact.js';

/** A source as the user named it, taken apart. `name` never holds credentials. */
export type SourceSpec =
  | { readonly kind: 'file'; readonly name: string; readonly path: string }
  | { readonly kind: 'rtsp' | 'http'; readonly name: string; readonly url: string }
  | { readonly kind: 'webcam'; readonly name: string; readonly device: string }
  /** A camera that connects to us and pushes. `url` is what we listen on. */
  | { readonly kind: 'rtsp-listen'; readonly name: string; readonly url: string }
  /** Plain RTP that comes to an address of ours, as a session description tells: itself, or a file with it. */
  | { readonly kind: 'rtp'; readonly name: string; readonly sdp: string | { readonly path: string } }
  /** Published to this service by WHIP. */
  | { readonly kind: 'webrtc'; readonly name: string };

/** A source that ffmpeg reads. */
export type FfmpegSpec = Exclude<SourceSpec, { readonly kind: 'webrtc' }>;

// eslint-disable-next-line no-control-regex -- control characters are what is rejected
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

const FORMS =
  'a file, rtsp://…, http(s)://…, rtsp-listen://:8554/…, rtp://:5004, webcam:/dev/video0 or webrtc:';

/**
 * Reads a source from text. Whether it exists is not looked at.
 * @throws PresageError `bad_option` for an empty text, control characters, an unknown scheme or a malformed URL
 */
export function parseSource(text: string): SourceSpec {
  if (text.trim() === '') throw new PresageError('bad_option', `source: got nothing, expected ${FORMS}`);
  // A line end in an address would begin a header, or another request, on the wire.
  if (CONTROL.test(text)) throw new PresageError('bad_option', 'source: it contains a control character');
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(text) ?? [];
  switch (scheme?.toLowerCase()) {
    case undefined:
      if (/\.sdp$/i.test(text)) return { kind: 'rtp', name: text, sdp: { path: text } };
      return { kind: 'file', name: text, path: text };
    case 'file':
      return fileUrl(text);
    case 'rtsp':
    case 'rtsps':
      return { kind: 'rtsp', ...address(text) };
    case 'rtsp-listen':
      return listening(text);
    case 'rtp':
      return rtp(text);
    case 'http':
    case 'https':
      return { kind: 'http', ...address(text) };
    case 'webcam':
      return { kind: 'webcam', name: text, device: text.slice('webcam:'.length) || '/dev/video0' };
    case 'webrtc':
      return published(text);
    default:
      // `C:\video.mp4`, and files such as `12:30.mp4`, are paths.
      if (!text.includes('://')) return { kind: 'file', name: redactAddress(text), path: text };
      throw new PresageError('bad_option', `source: got ${redactAddress(text)}, expected ${FORMS}`);
  }
}

function published(text: string): SourceSpec {
  if (text.length === 'webrtc:'.length) return { kind: 'webrtc', name: 'webrtc:' };
  throw new PresageError(
    'bad_option',
    `source: got ${redactAddress(text)}, expected webrtc: with nothing after it`,
    {
      hint: 'publish by WHIP at /v1/streams/{id}/whip',
    },
  );
}

function fileUrl(text: string): SourceSpec {
  try {
    return {
      kind: 'file',
      name: redactAddress(text),
      path: text.startsWith('file://') ? fileURLToPath(text) : text.slice('file:'.length),
    };
  } catch (cause) {
    throw new PresageError('bad_option', `source: ${redactAddress(text)} is not a file address`, { cause });
  }
}

/** Only the address as it was parsed is handed on, so that ffmpeg and this check cannot read it differently. */
function address(text: string): { name: string; url: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && url.hostname !== '') {
    const { protocol, username, password, host, pathname, search, hash, href } = url;
    // ffmpeg decodes the credentials and writes them into a header.
    if (!CONTROL.test(lenientlyDecoded(username + password))) {
      const credentials = username === '' && password === '' ? '' : '***@';
      return {
        name: redactAddress(`${protocol}//${credentials}${host}${pathname}${search}${hash}`),
        url: href,
      };
    }
  }
  // Not repeated: where it is malformed, so may be the password's place in it.
  throw new PresageError('bad_option', 'source: it is not an address', {
    hint: `write ${FORMS}; in a password, '/' is %2F, '@' is %40 and ':' is %3A`,
  });
}

function lenientlyDecoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Name of a source for people, without credentials; also of one that cannot be parsed. */
export function sourceName(text: string): string {
  try {
    return parseSource(text).name;
  } catch {
    return redactAddress(text);
  }
}

const LOOPBACK = '127.0.0.1';
const RTSP_LISTEN_PORT = 8554;

/** Host (this machine's loopback address when left out), port and rest of an address to listen on. */
function listenAddress(text: string): { host: string; port: number | undefined; rest: string } {
  const [, host = '', port, rest = ''] = /^[a-z-]+:\/\/([\w.-]*)(?::(\d{1,5}))?([/?].*)?$/i.exec(text) ?? [];
  const valid = port === undefined || (Number(port) > 0 && Number(port) <= 65_535);
  if (valid && (host !== '' || port !== undefined)) {
    return { host: host || LOOPBACK, port: port === undefined ? undefined : Number(port), rest };
  }
  throw new PresageError(
    'bad_option',
    `source: got ${redactAddress(text)}, expected an address to listen on`,
    {
      hint: 'write rtsp-listen://:8554/camera or rtp://:5004 (this machine only), or rtsp-listen://0.0.0.0:8554/camera',
    },
  );
}

function listening(text: string): SourceSpec {
  const { host, port = RTSP_LISTEN_PORT, rest } = listenAddress(text);
  return { kind: 'rtsp-listen', name: redactAddress(text), url: `rtsp://${host}:${port}${rest}` };
}

/** `rtp://HOST:PORT?codec=H264&type=96`; other descriptions come as a file. */
function rtp(text: string): SourceSpec {
  const { host, port = 0, rest } = listenAddress(text);
  const query = new URLSearchParams(rest.replace(/^[/?]+/, ''));
  const codec = (query.get('codec') ?? 'H264').toUpperCase();
  const type = query.get('type') ?? '96';
  if (port === 0 || port % 2 === 1 || !/^[A-Z0-9]{2,8}$/.test(codec) || !/^\d{1,3}$/.test(type)) {
    throw new PresageError(
      'bad_option',
      `source: got ${redactAddress(text)}, expected rtp://HOST:PORT?codec=NAME&type=NUMBER`,
      {
        hint: 'the port is even; codecs are H264, H265, VP8, VP9, …; what needs more than that: a file ending in .sdp',
      },
    );
  }
  const format = codec === 'H264' ? [`a=fmtp:${type} packetization-mode=1`] : [];
  const lines = [
    ...['v=0', `o=- 0 0 IN IP4 ${host}`, 's=presage', `c=IN IP4 ${host}`, 't=0 0'],
    ...[`m=video ${port} RTP/AVP ${type}`, `a=rtpmap:${type} ${codec}/90000`, ...format],
  ];
  return { kind: 'rtp', name: redactAddress(text), sdp: `${lines.join('\r\n')}\r\n` };
}
