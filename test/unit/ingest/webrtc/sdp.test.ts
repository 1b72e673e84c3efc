import { describe, expect, it } from 'vitest';
import { PresageError } from '../../../../src/core/errors.js';
import {
  firstCodec,
  fragmentOf,
  readFragment,
  readOffer,
  withIce,
} from '../../../../src/ingest/webrtc/sdp.js';

const OFFER = [
  'v=0',
  'o=- 1 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:0',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:0123456789abcdefghijkl',
  'a=fingerprint:sha-256 AA:BB',
  'm=video 9 UDP/TLS/RTP/SAVPF 98 97 96',
  'a=mid:1',
  'a=sendonly',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:0123456789abcdefghijkl',
  'a=extmap:3 urn:3gpp:video-orientation',
  'a=candidate:1 1 udp 1 192.0.2.7 5000 typ host',
  'a=candidate:2 1 udp 1 0c9e.local 5000 typ host',
  'a=rtpmap:96 VP8/90000',
  'a=rtpmap:97 rtx/90000',
  'a=rtpmap:98 H264/90000',
  '',
].join('\r\n');

describe('readOffer', () => {
  it('names the codecs in the order of the offer, without repair formats', () => {
    const { video } = readOffer(OFFER);
    expect(video).toEqual({ codecs: ['H264', 'VP8'], sends: true, receives: false });
    expect(firstCodec(OFFER)).toBe('h264');
  });

  it('leaves out candidates that would have to be looked up, and turned pictures', () => {
    const { sdp } = readOffer(OFFER);
    expect(sdp).toContain('192.0.2.7');
    expect(sdp).not.toMatch(/\.local|video-orientation/);
  });

  it('takes an offer whose lines end without a carriage return', () => {
    expect(readOffer(OFFER.replaceAll('\r', '')).sdp).toBe(readOffer(OFFER).sdp);
  });
});

describe('a restart of ICE', () => {
  it('renews the credentials of every section, and drops the candidates of before', () => {
    const again = withIce(OFFER, 'wxyz', 'lkjihgfedcba9876543210');
    expect(again.match(/a=ice-ufrag:wxyz\r\n/g)).toHaveLength(2);
    expect(again.match(/a=ice-pwd:lkjihgfedcba9876543210\r\n/g)).toHaveLength(2);
    expect(again).not.toContain('a=candidate');
    expect(again).not.toContain('abcd');
  });

  it('is answered with credentials and candidates', () => {
    expect(readFragment(fragmentOf(readOffer(OFFER).sdp))).toEqual({
      ufrag: 'abcd',
      password: '0123456789abcdefghijkl',
      candidates: [{ candidate: 'candidate:1 1 udp 1 192.0.2.7 5000 typ host', mid: '1' }],
    });
  });
});

it.each(['', 'nonsense', 'a=ice-ufrag:a b\r\n', 'a=ice-ufrag:ab\r\n', 'a=ice-pwd:short\r\n'])(
  'refuses the fragment %j',
  (text) => {
    expect(() => readFragment(text)).toThrow(PresageError);
  },
);
