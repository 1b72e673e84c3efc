import { isIP } from 'node:net';
import { PresageError } from '../../core/errors.js';

/** Sections of an offer; a browser's camera has three at most. */
const MAX_SECTIONS = 16;
const MAX_CANDIDATES = 64;
const HEAD = /^m=[a-z]+ \d+ \S+ \S+/;
const UFRAG = /^[A-Za-z0-9+/]{4,256}$/;
const PASSWORD = /^[A-Za-z0-9+/]{22,256}$/;
/** Turned by whoever shows it: a publisher without this extension turns its pictures itself. */
const ORIENTATION = /^a=extmap:\S+ urn:3gpp:video-orientation/;

/** What is read of an offer before an engine sees it. */
export interface Offer {
  /** Without candidates that name hosts, and without the extension for turned pictures. */
  readonly sdp: string;
  readonly video: {
    /** Names as in the offer, such as `VP8` and `H264`; no repair formats. */
    readonly codecs: readonly string[];
    readonly sends: boolean;
    readonly receives: boolean;
  };
}

/** Credentials and candidates of one end, as in an `application/trickle-ice-sdpfrag` (RFC 8840). */
export interface IceFragment {
  readonly ufrag: string | undefined;
  readonly password: string | undefined;
  readonly candidates: readonly IceCandidate[];
}

export interface IceCandidate {
  /** Without `a=`. */
  readonly candidate: string;
  readonly mid: string;
}

/**
 * Reads an offer. Candidates that are names, not addresses, are left out: looking them up would let a client make this
 * machine ask for any name (browsers hide addresses behind such names; they reach us at our own candidates).
 * @throws PresageError `bad_request`
 */
export function readOffer(text: string): Offer {
  const lines = text.split(/\r\n|\n/).filter((line) => line !== '');
  if (lines[0] !== 'v=0') throw malformed('it does not begin with v=0');
  if (!lines.every((line) => /^[a-z]=/.test(line))) throw malformed('it has a line that is not `x=…`');
  const kept = lines.filter((line) => !ORIENTATION.test(line) && !namesHost(line));
  const sections = sectionsOf(kept);
  if (sections.length > MAX_SECTIONS) throw malformed(`it has more than ${MAX_SECTIONS} sections`);
  if (!sections.every(([head]) => HEAD.test(head ?? '')))
    throw malformed('a section is not `m=kind port proto formats`');
  for (const name of ['ice-ufrag', 'ice-pwd', 'fingerprint']) {
    if (!lines.some((line) => line.startsWith(`a=${name}:`))) throw malformed(`it has no ${name}`);
  }
  const videos = sections.filter(([head]) => head?.startsWith('m=video ') && !/^m=video 0 /.test(head));
  const [video] = videos;
  if (video === undefined) throw new PresageError('bad_request', 'The offer has no video');
  if (videos.length > 1) throw new PresageError('bad_request', 'The offer has more than one video');
  const direction = /^a=(sendrecv|sendonly|recvonly|inactive)$/;
  const found = video.map((line) => direction.exec(line)?.[1]).find((name) => name !== undefined);
  return {
    sdp: `${kept.join('\r\n')}\r\n`,
    video: {
      codecs: codecsOf(video),
      sends: found !== 'recvonly' && found !== 'inactive',
      receives: found !== 'sendonly' && found !== 'inactive',
    },
  };
}

/** Names of the codecs of a video section, in order of preference; repair formats left out. */
export function codecsOf(lines: readonly string[]): string[] {
  const [, ...types] = /^m=video \S+ \S+ (.*)$/.exec(lines[0] ?? '') ?? [];
  const names = new Map(
    lines.flatMap((line) => {
      const [, type, name] = /^a=rtpmap:(\d+) ([^/\s]+)\//.exec(line) ?? [];
      return type === undefined || name === undefined ? [] : [[type, name] as const];
    }),
  );
  const wanted = (types[0] ?? '').split(' ').flatMap((type) => names.get(type) ?? []);
  return [...new Set(wanted)].filter((name) => !/^(?:rtx|red|ulpfec|flexfec.*)$/i.test(name));
}

/** The codec that an answer prefers, in lower case, such as `vp8`. */
export function firstCodec(sdp: string): string {
  const video = sectionsOf(sdp.split(/\r\n|\n/)).find(([head]) => head?.startsWith('m=video '));
  return (codecsOf(video ?? [])[0] ?? 'unknown').toLowerCase();
}

/** The offer again, with the ICE credentials of a restart and without the candidates of before. */
export function withIce(sdp: string, ufrag: string, password: string): string {
  return sdp
    .replace(/^a=(?:candidate:.*|end-of-candidates)\r\n/gm, '')
    .replace(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${ufrag}`)
    .replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${password}`);
}

/** The (first) ICE credentials of a description. */
export function iceOf(sdp: string): { ufrag: string; password: string } {
  return {
    ufrag: /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1] ?? '',
    password: /^a=ice-pwd:(\S+)/m.exec(sdp)?.[1] ?? '',
  };
}

/** Reads what a client trickles. @throws PresageError `bad_request` */
export function readFragment(text: string): IceFragment {
  const lines = text.split(/\r\n|\n/).filter((line) => line !== '');
  if (lines.length === 0 || !lines.every((line) => /^[a-z]=/.test(line))) {
    throw new PresageError('bad_request', 'The fragment is not of the form of RFC 8840');
  }
  let mid = '0';
  const candidates: IceCandidate[] = [];
  const { ufrag, password } = iceOf(lines.join('\n'));
  for (const line of lines) {
    if (line.startsWith('a=mid:')) mid = line.slice('a=mid:'.length);
    if (line.startsWith('a=candidate:') && !namesHost(line)) {
      candidates.push({ candidate: line.slice('a='.length), mid });
    }
  }
  if (candidates.length > MAX_CANDIDATES) {
    throw new PresageError('bad_request', `The fragment has more than ${MAX_CANDIDATES} candidates`);
  }
  if ((ufrag !== '' && !UFRAG.test(ufrag)) || (password !== '' && !PASSWORD.test(password))) {
    throw new PresageError('bad_request', 'The ICE credentials of the fragment are malformed');
  }
  return { ufrag: ufrag || undefined, password: password || undefined, candidates };
}

/** The fragment that answers a restart: the new credentials and candidates of our description. */
export function fragmentOf(sdp: string): string {
  const { ufrag, password } = iceOf(sdp);
  const section = sectionsOf(sdp.split(/\r\n|\n/)).find((lines) =>
    lines.some((line) => line.startsWith('a=candidate:')),
  );
  const rest = (section ?? []).filter((line) => /^(?:m=|a=mid:|a=candidate:)/.test(line));
  const head = ['a=ice-options:trickle ice2', `a=ice-ufrag:${ufrag}`, `a=ice-pwd:${password}`];
  return `${[...head, ...rest, ...(section ? ['a=end-of-candidates'] : [])].join('\r\n')}\r\n`;
}

function sectionsOf(lines: readonly string[]): string[][] {
  const sections: string[][] = [];
  for (const line of lines) {
    if (line.startsWith('m=')) sections.push([line]);
    else sections.at(-1)?.push(line);
  }
  return sections;
}

/** Whether it is a candidate whose address is a name. */
function namesHost(line: string): boolean {
  return line.startsWith('a=candidate:') && isIP(line.split(' ')[4] ?? '') === 0;
}

function malformed(why: string): PresageError {
  return new PresageError('bad_request', `The offer is not SDP: ${why}`);
}
