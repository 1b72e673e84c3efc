import type { types } from './mediasoup.js';
import type { Offer, OfferedCodec, OfferSection } from './sdp-offer.js';

/** What is answered to the video section of an offer. */
export interface VideoAnswer {
  readonly direction: 'recvonly' | 'sendonly';
  readonly codec: OfferedCodec;
  readonly withRtx: boolean;
  readonly extensions: readonly { readonly id: number; readonly uri: string }[];
  /** Of what we send. */
  readonly source?: { readonly ssrc: number; readonly cname: string };
}

type Ends = Pick<types.WebRtcTransport, 'iceParameters' | 'iceCandidates' | 'dtlsParameters'>;

/**
 * SDP answer (RFC 8866, RFC 8829): the first video is taken. Audio is answered as inactive, not refused, since it may be
 * the section whose transport the others share; everything else is refused.
 */
export function writeAnswer(offer: Offer, video: VideoAnswer, ends: Ends): string {
  const taken = offer.sections.filter((section) => isTaken(offer, section));
  const mids = taken.map(({ mid }) => mid).filter((mid) => offer.bundle.includes(mid));
  const session = [
    'v=0',
    `o=- ${Date.now()} 1 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'a=ice-lite',
    ...(mids.length > 0 ? [`a=group:BUNDLE ${mids.join(' ')}`] : []),
    'a=extmap-allow-mixed',
    'a=msid-semantic: WMS *',
  ];
  const sections = offer.sections.map((section) => {
    if (section === offer.video) return videoLines(section, video, offer, ends);
    return isTaken(offer, section) ? audioLines(section, offer, ends) : refusal(section);
  });
  return `${[...session, ...sections.flat()].join('\r\n')}\r\n`;
}

/** What answers a restart of ICE (RFC 8840, RFC 9725 section 4.3.3). */
export function writeFragment(offer: Offer, ends: Ends): string {
  const { usernameFragment, password } = ends.iceParameters;
  const lines = [
    'a=ice-lite',
    `a=ice-ufrag:${usernameFragment}`,
    `a=ice-pwd:${password}`,
    `m=video 9 ${offer.video.protocol} 0`,
    `a=mid:${offer.video.mid}`,
    ...ends.iceCandidates.map(candidateLine),
    'a=end-of-candidates',
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function isTaken(offer: Offer, section: OfferSection): boolean {
  if (section === offer.video) return true;
  return section.kind === 'audio' && section.port !== '0' && offer.bundle.includes(section.mid);
}

function videoLines(section: OfferSection, video: VideoAnswer, offer: Offer, ends: Ends): string[] {
  const { codec, direction, withRtx, extensions, source } = video;
  const { payloadType: type, name, parameters, feedback, rtx } = codec;
  const types = withRtx && rtx !== undefined ? [type, rtx] : [type];
  const fmtp = Object.entries(parameters).map(([key, value]) => `${key}=${value}`);
  return [
    `m=video 9 ${section.protocol} ${types.join(' ')}`,
    ...transportLines(section, offer, ends),
    ...extensions.map(({ id, uri }) => `a=extmap:${id} ${uri}`),
    `a=${direction}`,
    'a=rtcp-mux',
    'a=rtcp-rsize',
    `a=rtpmap:${type} ${name}/90000`,
    ...feedback.map(
      ({ type: kind, parameter }) => `a=rtcp-fb:${type} ${kind}${parameter ? ` ${parameter}` : ''}`,
    ),
    ...(fmtp.length > 0 ? [`a=fmtp:${type} ${fmtp.join(';')}`] : []),
    ...(types.length > 1 ? [`a=rtpmap:${rtx} rtx/90000`, `a=fmtp:${rtx} apt=${type}`] : []),
    ...(source
      ? [
          `a=msid:${source.cname} video`,
          `a=ssrc:${source.ssrc} cname:${source.cname}`,
          `a=ssrc:${source.ssrc} msid:${source.cname} video`,
        ]
      : []),
  ];
}

function audioLines(section: OfferSection, offer: Offer, ends: Ends): string[] {
  const [first = '0'] = section.formats;
  const map = section.lines.find((line) => line.startsWith(`a=rtpmap:${first} `));
  return [
    `m=audio 9 ${section.protocol} ${first}`,
    ...transportLines(section, offer, ends),
    'a=inactive',
    'a=rtcp-mux',
    ...(map === undefined ? [] : [map]),
  ];
}

function refusal({ kind, protocol, formats, mid }: OfferSection): string[] {
  return [`m=${kind} 0 ${protocol} ${formats.join(' ')}`, 'c=IN IP4 0.0.0.0', `a=mid:${mid}`, 'a=inactive'];
}

function transportLines({ mid }: OfferSection, offer: Offer, ends: Ends): string[] {
  const { iceParameters, iceCandidates, dtlsParameters } = ends;
  const fingerprint = dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === 'sha-256');
  return [
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    `a=mid:${mid}`,
    `a=ice-ufrag:${iceParameters.usernameFragment}`,
    `a=ice-pwd:${iceParameters.password}`,
    ...iceCandidates.map(candidateLine),
    'a=end-of-candidates',
    `a=fingerprint:sha-256 ${fingerprint?.value ?? ''}`,
    `a=setup:${offer.dtls.role === 'server' ? 'active' : 'passive'}`,
  ];
}

function candidateLine({ foundation, priority, address, port, protocol, type }: types.IceCandidate): string {
  const tcp = protocol === 'tcp' ? ' tcptype passive' : '';
  return `a=candidate:${foundation} 1 ${protocol} ${priority} ${address} ${port} typ ${type}${tcp}`;
}
