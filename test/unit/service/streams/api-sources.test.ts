/** Sources that a client of the API may and may not name. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSource } from '../../../../src/ingest/source-spec.js';
import { apiSource } from '../../../../src/service/streams/api-sources.js';
import { tempFolder } from '../../../support/transport/temp-folder.js';

function folder(): string {
  const root = tempFolder();
  mkdirSync(join(root, 'clips'));
  writeFileSync(join(root, 'secret.mp4'), 'video');
  writeFileSync(join(root, 'clips', 'good.mp4'), 'video');
  writeFileSync(join(root, 'clips', 'camera.sdp'), 'v=0\r\nm=video 5004 RTP/AVP 96\r\n');
  writeFileSync(join(root, 'clips', 'list.mp4'), '#EXTM3U\n#EXTINF:1,\n/etc/passwd\n');
  writeFileSync(join(root, 'clips', 'parts.mp4'), "ffconcat version 1.0\nfile '/etc/passwd'\n");
  writeFileSync(join(root, 'clips', 'dash.mp4'), '<?xml version="1.0"?><MPD></MPD>');
  symlinkSync(join(root, 'secret.mp4'), join(root, 'clips', 'link.mp4'));
  symlinkSync(join(root, 'clips', 'list.mp4'), join(root, 'clips', 'innocent.mp4'));
  return join(root, 'clips');
}

describe('a source named by the API', () => {
  it.each([
    'camera.sdp',
    'list.mp4',
    'innocent.mp4',
    'parts.mp4',
    'dash.mp4',
    'link.mp4',
    '../secret.mp4',
    '/etc/hosts.sdp',
    'file:camera.sdp',
    'rtsp-listen://0.0.0.0:8554/x',
    'rtsp-listen://192.168.1.2/x',
    'rtp://0.0.0.0:5004',
    'rtp://239.0.0.1:5004',
    'webcam:/dev/sda',
  ])('is refused as %s', (source) => {
    const clips = folder();
    expect(() => apiSource(source, clips)).toThrow(expect.objectContaining({ code: 'forbidden' }));
  });

  it.each(['good.mp4', 'camera.sdp', '/etc/camera.sdp', 'list.m3u8'])(
    'is refused as %s where no folder is allowed',
    (source) =>
      expect(() => apiSource(source, undefined)).toThrow(expect.objectContaining({ code: 'forbidden' })),
  );

  it.each([
    ['rtsp://u:p@10.0.0.2/live', 'rtsp://u:p@10.0.0.2/live'],
    ['HTTP://Host:80/a/../b', 'http://host/b'],
    ['rtsp-listen://:8554/door', 'rtsp-listen://127.0.0.1:8554/door'],
    ['rtp://:5004', 'rtp://:5004'],
    ['webcam:', 'webcam:/dev/video0'],
    ['webrtc:', 'webrtc:'],
  ])('is handed on as %s was parsed', (source, expected) => {
    expect(apiSource(source, undefined)).toBe(expected);
    expect(apiSource(expected, undefined)).toBe(expected);
  });

  it('is a file of the folder by its real path', () => {
    const clips = folder();
    expect(apiSource('good.mp4', clips)).toBe(join(clips, 'good.mp4'));
  });
});

describe('a source address', () => {
  it.each([
    'rtsp://host/a\r\nTEARDOWN rtsp://host/b RTSP/1.0',
    'rtsp://host/a\nb',
    'rtsp://u%0d%0aX:p@host/a',
    'http://host/\u0000',
    'http://u:p%0A@host/',
    'rtsp-listen://:8554/a\rb',
    'file.mp4\n',
    'http://host/\u2028',
  ])('with a control character is refused: %j', (text) => {
    expect(() => parseSource(text)).toThrow(expect.objectContaining({ code: 'bad_option' }));
  });
});
