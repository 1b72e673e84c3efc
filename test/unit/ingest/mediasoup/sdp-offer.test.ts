import { expect, it } from 'vitest';
import { credentialsOf, readOffer } from '../../../../src/ingest/mediasoup/sdp-offer.js';
import { producerParameters } from '../../../../src/ingest/mediasoup/rtp-parameters.js';

const HEAD = ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0', 'a=group:BUNDLE 0 1'];
const ENDS = [
  'a=ice-ufrag:abcd',
  'a=ice-pwd:0123456789012345678901',
  'a=fingerprint:sha-256 AA:BB',
  'a=setup:actpass',
];
const AUDIO = ['m=audio 9 UDP/TLS/RTP/SAVPF 111', ...ENDS, 'a=mid:0', 'a=rtpmap:111 opus/48000/2'];

function offerOf(...video: readonly string[]): string {
  return [...HEAD, ...AUDIO, ...video, ...ENDS, ''].join('\r\n');
}

const CHROMIUM = [
  'm=video 9 UDP/TLS/RTP/SAVPF 45 96 97 103 104',
  'a=mid:1',
  'a=rtpmap:45 AV1/90000',
  'a=rtpmap:96 VP8/90000',
  'a=rtcp-fb:96 nack pli',
  'a=rtcp-fb:96 unheard of',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
  'a=rtpmap:103 H264/90000',
  'a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640032',
  'a=rtpmap:104 H264/90000',
  'a=fmtp:104 packetization-mode=0;profile-level-id=42001f',
  'a=ssrc-group:FID 1111 2222',
  'a=ssrc:1111 cname:x',
];

it('finds the codecs that can be taken, most wanted first, with what belongs to them', () => {
  const offer = readOffer(offerOf(...CHROMIUM));
  expect(offer.codecs).toEqual([
    { name: 'VP8', payloadType: 96, parameters: {}, feedback: [{ type: 'nack', parameter: 'pli' }], rtx: 97 },
    {
      ...{ name: 'H264', payloadType: 103, feedback: [], rtx: undefined },
      parameters: { 'level-asymmetry-allowed': 1, 'packetization-mode': 1, 'profile-level-id': '640032' },
    },
  ]);
  expect(offer.video.mid).toBe('1');
  expect(producerParameters(offer).rtpParameters.encodings).toEqual([{ ssrc: 1111, rtx: { ssrc: 2222 } }]);
});

it.each([
  ['nothing', '', 'bad_request'],
  ['JSON', '{"sdp": "v=0"}', 'bad_request'],
  ['no video', [...HEAD, ...AUDIO, ''].join('\r\n'), 'bad_request'],
  ['no fingerprint', offerOf(...CHROMIUM).replace(/a=fingerprint.*\r\n/g, ''), 'bad_request'],
  ['no ICE credentials', offerOf(...CHROMIUM).replace(/a=ice-pwd.*\r\n/g, ''), 'bad_request'],
  ['only AV1', offerOf('m=video 9 UDP/TLS/RTP/SAVPF 45', 'a=rtpmap:45 AV1/90000'), 'codec_unsupported'],
  ['too many sections', offerOf(...Array.from({ length: 40 }, () => 'm=video 9 X 96')), 'bad_request'],
])('refuses an offer that is %s', (_, offer, code) => {
  expect(() => readOffer(offer)).toThrow(expect.objectContaining({ code }) as Error);
});

it('knows a fragment that restarts ICE from one that only tells candidates', () => {
  expect(credentialsOf('a=ice-ufrag:wxyz\r\na=ice-pwd:pass\r\n')).toEqual({
    ufrag: 'wxyz',
    password: 'pass',
  });
  expect(
    credentialsOf('m=video 9 X 0\r\na=mid:0\r\na=candidate:1 1 udp 1 1.2.3.4 5 typ host\r\n'),
  ).toBeUndefined();
  expect(() => credentialsOf('{}')).toThrow(/RFC 8840/);
});
