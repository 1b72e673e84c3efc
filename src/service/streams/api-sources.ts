import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { extname, relative, resolve, sep } from 'node:path';
import { PresageError } from '../../core/errors.js';
import { parseSource } from '../../ingest/source-spec.js';

/** Published to this service by WebRTC. */
export const PUBLISHED = 'webrtc:';
/** Other devices are no cameras. */
const CAMERA = /^\/dev\/video\d{1,3}$/;

/** Sources that a client may name by the API where the service listens on an address. */
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost)$/;
/** Beginnings of files that name other files or addresses: playlists, lists of parts, session descriptions. */
const REFERENCES =
  /^\s*(?:#EXTM3U|ffconcat\b|<\?xml|<MPD\b|<SmoothStreamingMedia\b|\[playlist\]|v=0\b|RTSPtext|\[Reference\])/i;
/** Bytes of a file in which ffmpeg recognises such a format. */
const HEAD_BYTES = 4096;

/**
 * The source that a client of the API may name: a network stream, a camera, one that is published, or a file in the one
 * folder that the service allows. A client of the API must not reach other files of this machine, or open ports on it.
 *
 * @param folder of `server.apiFiles`; without it no file can be named
 * @returns the source in the form in which it was parsed; a file as its real path, so that later changes of links have no
 *   effect
 * @throws PresageError `forbidden`, `bad_option`
 */
export function apiSource(source: string, folder: string | undefined): string {
  const spec = parseSource(source);
  switch (spec.kind) {
    case 'webrtc':
      return PUBLISHED;
    case 'rtsp':
    case 'http':
      return spec.url;
    case 'webcam':
      if (CAMERA.test(spec.device)) return `webcam:${spec.device}`;
      throw new PresageError('forbidden', 'source: only /dev/video0 and the like can be named as a camera');
    case 'rtsp-listen':
      assertLoopback(new URL(spec.url).hostname);
      return `rtsp-listen${spec.url.slice('rtsp'.length)}`;
    case 'rtp':
      if (typeof spec.sdp !== 'string') return allowedFile(spec.sdp.path, folder);
      assertLoopback(/^c=IN IP4 (\S+)/m.exec(spec.sdp)?.[1] ?? '');
      return source;
    case 'file':
      return allowedFile(spec.path, folder);
  }
}

/** @throws PresageError `forbidden` where other machines could connect */
function assertLoopback(host: string): void {
  if (LOOPBACK.test(host)) return;
  throw new PresageError('forbidden', 'source: the API can listen on this machine only', {
    hint: 'Write rtsp-listen://127.0.0.1:8554/camera, or name the source in presage.yaml.',
  });
}

function allowedFile(name: string, folder: string | undefined): string {
  if (folder === undefined) {
    throw new PresageError('forbidden', 'source: this service takes no files by its API', {
      hint: 'Allow a folder of them: server.apiFiles in presage.yaml, or --api-files DIR.',
    });
  }
  const root = realpathSync(folder);
  const path = realPath(resolve(root, name));
  const below = path === undefined ? '..' : relative(root, path);
  // The same answer for a missing file and a forbidden one: the API does not reveal which files exist.
  if (path === undefined || below === '..' || below.startsWith(`..${sep}`) || below === '') {
    throw new PresageError('forbidden', 'source: there is no such file in the folder that the API may use');
  }
  if (extname(path).toLowerCase() === '.sdp' || REFERENCES.test(headOf(path))) {
    throw new PresageError('forbidden', 'source: playlists and session descriptions name other sources', {
      hint: 'Name the video file itself, or the source in presage.yaml.',
    });
  }
  return path;
}

/** @returns the beginning of a regular file; empty for anything else, which `openSource` refuses or cannot be a playlist */
function headOf(path: string): string {
  if (!statSync(path).isFile()) return '';
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(HEAD_BYTES);
    return bytes.toString('latin1', 0, readSync(file, bytes, 0, HEAD_BYTES, 0)).replace(/^\xEF\xBB\xBF/, '');
  } finally {
    closeSync(file);
  }
}

/** Without links; undefined where there is nothing. */
function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    // Missing, or not to be seen: neither can be opened.
    return undefined;
  }
}
