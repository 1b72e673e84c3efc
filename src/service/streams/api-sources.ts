import { realpathSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { PresageError } from '../../core/errors.js';
import { parseSource } from '../../ingest/source-spec.js';

/** Published to this service by WebRTC. */
export const PUBLISHED = 'webrtc:';
/** Other devices are no cameras. */
const CAMERA = /^\/dev\/video\d{1,3}$/;

/**
 * The source that a client of the API may name: a network stream, a camera, one that is published, or a file in the one
 * folder that the service allows. Whoever reaches the API must not reach every file of this machine through it.
 *
 * @param folder of `server.apiFiles`; without it no file can be named
 * @returns the source; a file as its real path, so that what its links point to later does not matter
 * @throws PresageError `forbidden`, `bad_option`
 */
export function apiSource(source: string, folder: string | undefined): string {
  if (source === PUBLISHED) return source;
  const spec = parseSource(source);
  if (spec.kind === 'webcam' && !CAMERA.test(spec.device)) {
    throw new PresageError('forbidden', 'source: only /dev/video0 and the like can be named as a camera');
  }
  if (spec.kind !== 'file') return source;
  if (folder === undefined) {
    throw new PresageError('forbidden', 'source: this service takes no files by its API', {
      hint: 'Allow a folder of them: server.apiFiles in presage.yaml, or --api-files DIR.',
    });
  }
  const root = realpathSync(folder);
  const path = realPath(resolve(root, spec.path));
  const below = path === undefined ? '..' : relative(root, path);
  // The same answer for what is not there and what may not be seen: nobody learns what files there are.
  if (path === undefined || below === '..' || below.startsWith(`..${sep}`) || below === '') {
    throw new PresageError('forbidden', 'source: there is no such file in the folder that the API may use');
  }
  return path;
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
