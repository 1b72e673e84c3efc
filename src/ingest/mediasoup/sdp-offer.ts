import { PresageError } from '../../core/errors.js';
import type { types } from './mediasoup.js';

/** Lines of an offer; a browser's has some 300. */
const MAX_LINES = 4000;
const MAX_SECTIONS = 32;

/** A media section of an offer. */
export interface OfferSection {
  /** `video`, `audio`, `application` */
  readonly kind: string;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly port: string;
  readonly mid: string;
  readonly lines: readonly string[];
}

/** A codec that both ends know. */
export interface OfferedCodec {
  readonly name: 'VP8' | 'VP9' | 'H264';
  readonly payloadType: number;
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly feedback: readonly types.RtcpFeedback[];
  /** Payload type of its retransmissions. */
  readonly rtx: number | undefined;
}

export interface Offer {
  readonly sections: readonly OfferSection[];
  readonly bundle: readonly string[];
  readonly dtls: types.DtlsParameters;
  readonly ice: { readonly ufrag: string; readonly password: string };
  /** The first video section. */
  readonly video: OfferSection;
  /** What it offers that we can take, most wanted first. */
  readonly codecs: readonly OfferedCodec[];
}

/** What we say about loss and key frames. */
const FEEDBACK = new Set(['nack', 'nack pli', 'ccm fir', 'goog-remb', 'transport-cc']);

/** @throws PresageError `bad_request`, `codec_unsupported` */
export function readOffer(text: string): Offer {
  const lines = text.split(/\r\n|\n/).filter((line) => line !== '');
  if (lines[0] !== 'v=0') throw malformed('it does not begin with v=0');
  if (lines.length > MAX_LINES) throw malformed('it is too long');
  if (!lines.every((line) => /^[a-z]=/.test(line))) throw malformed('it has a line that is not `x=…`');
  const { session, sections } = splitOffer(lines);
  if (sections.length > MAX_SECTIONS) throw malformed('it has too many sections');
  const video = sections.find(({ kind, port }) => kind === 'video' && port !== '0');
  if (!video) throw new PresageError('bad_request', 'The offer has no video');
  const both = [...video.lines, ...session];
  const ufrag = attribute(both, 'ice-ufrag');
  const password = attribute(both, 'ice-pwd');
  if (ufrag === undefined || password === undefined) throw malformed('it has no ICE credentials');
  const codecs = codecsOf(video);
  if (codecs.length === 0) {
    throw new PresageError('codec_unsupported', 'None of the codecs offered can be taken', {
      hint: 'offer VP8, VP9 (profile 0) or H.264 (packetization-mode 1)',
    });
  }
  const group = attribute(session, 'group') ?? '';
  const bundle = group.startsWith('BUNDLE ') ? group.slice('BUNDLE '.length).split(' ') : [];
  return { sections, bundle, dtls: dtlsOf(both), ice: { ufrag, password }, video, codecs };
}

/** Sources of a video section: what it sends, and the retransmissions of that. */
export function ssrcsOf({ lines }: OfferSection): { main: number | undefined; rtx: number | undefined } {
  const [main, rtx] = (attribute(lines, 'ssrc-group') ?? '').replace(/^FID /, '').split(' ');
  const first = /^(\d+)/.exec(attribute(lines, 'ssrc') ?? '')?.[1];
  if (main && rtx && /^\d+$/.test(main)) return { main: Number(main), rtx: Number(rtx) };
  return { main: first === undefined ? undefined : Number(first), rtx: undefined };
}

/** Header extensions of a section, by their address. */
export function extensionsOf({ lines }: OfferSection): Map<string, number> {
  return new Map(
    lines.flatMap((line): [string, number][] => {
      const [, id, uri] = /^a=extmap:(\d+)(?:\/\w+)? (\S+)/.exec(line) ?? [];
      return uri === undefined ? [] : [[uri, Number(id)]];
    }),
  );
}

export function sends(section: OfferSection): boolean {
  return !section.lines.some((line) => line === 'a=recvonly' || line === 'a=inactive');
}

export function receives(section: OfferSection): boolean {
  return !section.lines.some((line) => line === 'a=sendonly' || line === 'a=inactive');
}

/** ICE credentials of a fragment; undefined where it only tells candidates. @throws PresageError `bad_request` */
export function credentialsOf(fragment: string): { ufrag: string; password: string } | undefined {
  const lines = fragment.split(/\r\n|\n/).filter((line) => line !== '');
  if (lines.length > MAX_LINES || lines.length === 0 || !lines.every((line) => /^[a-z]=/.test(line))) {
    throw new PresageError('bad_request', 'The fragment is not of the form of RFC 8840');
  }
  const ufrag = attribute(lines, 'ice-ufrag');
  const password = attribute(lines, 'ice-pwd');
  return ufrag === undefined || password === undefined ? undefined : { ufrag, password };
}

function splitOffer(lines: readonly string[]): { session: string[]; sections: OfferSection[] } {
  const session: string[] = [];
  const bodies: { head: string; lines: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith('m=')) bodies.push({ head: line, lines: [] });
    else (bodies.at(-1)?.lines ?? session).push(line);
  }
  const sections = bodies.map(({ head, lines: own }, index) => {
    const [, kind, port, protocol, formats] = /^m=(\w+) (\d+)(?:\/\d+)? (\S+) (.+)$/.exec(head) ?? [];
    if (!kind || !port || !protocol || !formats) throw malformed('it has an m= line that is not of its form');
    const mid = attribute(own, 'mid') ?? String(index);
    return { kind, port, protocol, formats: formats.split(' '), mid, lines: own };
  });
  return { session, sections };
}

function codecsOf({ formats, lines }: OfferSection): OfferedCodec[] {
  const map = new Map(valuesByType(lines, 'rtpmap'));
  const parameters = new Map(valuesByType(lines, 'fmtp').map(([type, value]) => [type, parametersOf(value)]));
  const feedback = valuesByType(lines, 'rtcp-fb');
  return formats.flatMap((format): OfferedCodec[] => {
    const name = /^(VP8|VP9|H264)\/90000/i.exec(map.get(format) ?? '')?.[1]?.toUpperCase();
    const own = parameters.get(format) ?? {};
    if (name === undefined || !isTaken(name, own)) return [];
    const rtx = formats.find(
      (other) => /^rtx\//i.test(map.get(other) ?? '') && String(parameters.get(other)?.['apt']) === format,
    );
    return [
      {
        name: name as OfferedCodec['name'],
        payloadType: Number(format),
        parameters: own,
        feedback: feedback
          .filter(([type, value]) => (type === format || type === '*') && FEEDBACK.has(value))
          .map(([, value]) => feedbackOf(value)),
        rtx: rtx === undefined ? undefined : Number(rtx),
      },
    ];
  });
}

/** Whether ffmpeg and mediasoup can take it: VP9 of 8 bits, H.264 whose pictures may be split. */
function isTaken(name: string, parameters: Readonly<Record<string, string | number>>): boolean {
  if (name === 'VP9') return (parameters['profile-id'] ?? 0) === 0;
  if (name === 'H264') return parameters['packetization-mode'] === 1;
  return true;
}

function feedbackOf(value: string): types.RtcpFeedback {
  const [type = '', parameter] = value.split(' ');
  return parameter === undefined ? { type } : { type, parameter };
}

function valuesByType(lines: readonly string[], name: string): [string, string][] {
  return lines.flatMap((line): [string, string][] => {
    const [, type, value] = new RegExp(`^a=${name}:(\\d+|\\*) (.*)$`).exec(line) ?? [];
    return type === undefined || value === undefined ? [] : [[type, value.trim()]];
  });
}

function parametersOf(text: string): Record<string, string | number> {
  return Object.fromEntries(
    text.split(';').flatMap((part): [string, string | number][] => {
      const [, key, value] = /^\s*([^=\s]+)=(.*?)\s*$/.exec(part) ?? [];
      if (key === undefined || value === undefined) return [];
      // `640032` is a profile, not a number.
      const numeric = /^\d{1,9}$/.test(value) && key !== 'profile-level-id';
      return [[key, numeric ? Number(value) : value]];
    }),
  );
}

function dtlsOf(lines: readonly string[]): types.DtlsParameters {
  const [, algorithm, value] = /^(sha-\d+) ([0-9A-F:]+)$/i.exec(attribute(lines, 'fingerprint') ?? '') ?? [];
  if (!algorithm || !value) throw malformed('it has no fingerprint');
  const fingerprint = { algorithm: algorithm.toLowerCase(), value: value.toUpperCase() };
  // Of `actpass` we choose to be the server, as whoever has an address must be.
  const role = attribute(lines, 'setup') === 'passive' ? 'server' : 'client';
  return { role, fingerprints: [fingerprint as types.DtlsFingerprint] };
}

function attribute(lines: readonly string[], name: string): string | undefined {
  return lines.find((line) => line.startsWith(`a=${name}:`))?.slice(name.length + 3);
}

function malformed(why: string): PresageError {
  return new PresageError('bad_request', `The offer is not SDP: ${why}`);
}
