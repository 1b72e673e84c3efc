import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A worker beside the checkout, for machines that could not fetch one. */
const BESIDE = fileURLToPath(new URL('../../../shared/mediasoup/mediasoup-worker', import.meta.url));

/**
 * Why mediasoup can't be tested here; undefined when it can. With PRESAGE_REQUIRE_ALL=1 it must. Names the worker for this
 * process where none is named: call it before mediasoup is loaded.
 */
export async function mediasoupUnavailable(): Promise<string | undefined> {
  if (!process.env['MEDIASOUP_WORKER_BIN'] && existsSync(BESIDE))
    process.env['MEDIASOUP_WORKER_BIN'] = BESIDE;
  const reason = await problem();
  if (reason !== undefined && process.env['PRESAGE_REQUIRE_ALL'] === '1') throw new Error(reason);
  return reason;
}

async function problem(): Promise<string | undefined> {
  try {
    const { workerBin } = await import('mediasoup');
    return existsSync(workerBin) ? undefined : 'mediasoup has no worker: npm run fetch-optional';
  } catch {
    return 'mediasoup is not installed: npm i mediasoup';
  }
}
