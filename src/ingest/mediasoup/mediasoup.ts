import type * as Mediasoup from 'mediasoup';
import { PresageError } from '../../core/errors.js';

export type { types } from 'mediasoup';
export type MediasoupModule = typeof Mediasoup;

const HINT =
  'npm i mediasoup fetches it and its worker; with a worker built by yourself, name it in MEDIASOUP_WORKER_BIN';

/**
 * mediasoup, an optional dependency; imported here only.
 * @throws PresageError `device_unavailable` where it is not installed
 */
export async function loadMediasoup(): Promise<MediasoupModule> {
  try {
    return await import('mediasoup');
  } catch (cause) {
    throw new PresageError('device_unavailable', 'mediasoup is not installed', { cause, hint: HINT });
  }
}

/** A worker process. @throws PresageError `device_unavailable` where it cannot be started */
export async function startWorker(
  mediasoup: MediasoupModule,
  ports: { readonly min: number; readonly max: number } | undefined,
): Promise<Mediasoup.types.Worker> {
  try {
    return await mediasoup.createWorker({
      logLevel: 'none',
      ...(ports && { rtcMinPort: ports.min, rtcMaxPort: ports.max }),
    });
  } catch (cause) {
    const message = `The worker of mediasoup cannot be started (${mediasoup.workerBin})`;
    throw new PresageError('device_unavailable', message, { cause, hint: HINT });
  }
}
