import { expect, it } from 'vitest';
import { parseSource } from '../../../src/ingest/source-spec.js';

it('listens on this machine only unless another address is named', () => {
  expect(parseSource('rtsp-listen://:8554/camera')).toMatchObject({ url: 'rtsp://127.0.0.1:8554/camera' });
  expect(parseSource('rtsp-listen://0.0.0.0/camera')).toMatchObject({ url: 'rtsp://0.0.0.0:8554/camera' });
  expect(parseSource('rtp://:5004')).toMatchObject({
    sdp: expect.stringMatching(
      /c=IN IP4 127\.0\.0\.1\r\n.*m=video 5004 RTP\/AVP 96\r\na=rtpmap:96 H264/s,
    ) as string,
  });
});

it('takes the codec and payload type of RTP from the address, or all of it from an SDP file', () => {
  expect(parseSource('rtp://:5004?codec=vp8&type=100')).toMatchObject({
    sdp: expect.stringContaining('a=rtpmap:100 VP8/90000') as string,
  });
  expect(parseSource('camera.sdp')).toEqual({ kind: 'rtp', name: 'camera.sdp', sdp: { path: 'camera.sdp' } });
});

it.each([
  'rtp://:5005',
  'rtp://:0',
  'rtp://:99999',
  'rtp://',
  'rtsp-listen://',
  'rtp://:5004?codec=A%0D%0Ab=x',
])('refuses %s', (text) => expect(() => parseSource(text)).toThrow(/source: /));
