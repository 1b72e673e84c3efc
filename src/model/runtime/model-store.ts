import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PresageError, toPresageError } from '../../core/errors.js';
import { redact } from '../../core/text/redact.js';
import { loadManifest, verifyModel, type ModelEntry } from './manifest.js';

/** State of a model file; `present`: the size is right, the hash was not computed. */
type ModelState = 'present' | 'verified' | 'missing' | 'mismatch';

export interface ModelStatus {
  readonly entry: ModelEntry;
  readonly state: ModelState;
  /** Why the file is missing or wrong, with a hint. */
  readonly error?: PresageError;
}

export interface PullOptions {
  /** Target folder; contains the manifest. */
  readonly modelsDir: string;
  /** Only the model or the pack of this name. Default: all bundled models. */
  readonly name?: string;
  /**
   * Base address to fetch from instead of the Hugging Face hub: files of a hub have the same paths as there
   * (`REPOSITORY/resolve/REVISION/PATH`), other files their name.
   */
  readonly mirror?: string;
  /** Called as bytes arrive; restarts at 0 when a download is retried. */
  readonly onProgress?: (progress: PullProgress) => void;
  readonly signal?: AbortSignal;
  /** Waits before a retry; for tests. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

export interface PullProgress {
  readonly name: string;
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

/** Source of hub files without a mirror. */
const DEFAULT_HUB = 'https://huggingface.co';
const MAX_TRIES = 3;
const FIRST_BACKOFF_MS = 500;
/** A download that receives nothing for this long fails. */
const STALL_MS = 30_000;

/** Returns the state of every model of the manifest by file size only (fast). */
export async function listModels(modelsDir: string): Promise<ModelStatus[]> {
  const { models } = await loadManifest(modelsDir);
  return Promise.all(
    models.map(async (entry): Promise<ModelStatus> => {
      const info = await stat(join(modelsDir, entry.file)).catch(() => undefined);
      return { entry, state: !info ? 'missing' : info.size === entry.bytes ? 'present' : 'mismatch' };
    }),
  );
}

/** Returns the state of every model of the manifest by hash. Does not throw for a bad file; see `state`. */
export async function verifyModels(modelsDir: string): Promise<ModelStatus[]> {
  return verifyEach(modelsDir, (await loadManifest(modelsDir)).models);
}

async function verifyEach(modelsDir: string, models: readonly ModelEntry[]): Promise<ModelStatus[]> {
  const statuses: ModelStatus[] = [];
  for (const entry of models) {
    try {
      await verifyModel(modelsDir, entry);
      statuses.push({ entry, state: 'verified' });
    } catch (thrown) {
      const error = toPresageError(thrown);
      const state = error.code === 'model_missing' ? 'missing' : 'mismatch';
      statuses.push({ entry, state, error });
    }
  }
  return statuses;
}

/**
 * Fetches the models that are missing or wrong; verified files are not changed. A file appears under its name only when
 * complete and verified.
 * @returns the names of the models that were fetched
 * @throws {PresageError} bad_option — there is no such model
 * @throws {PresageError} model_missing — the model has no address
 * @throws {PresageError} download_failed, model_hash_mismatch, output_failed, interrupted
 */
export async function pullModels(options: PullOptions): Promise<string[]> {
  const { name } = options;
  const { models } = await loadManifest(options.modelsDir);
  const selected = models.filter((entry) =>
    name === undefined ? entry.pack === undefined : entry.name === name || entry.pack === name,
  );
  if (name !== undefined && selected.length === 0)
    throw new PresageError('bad_option', `there is no model ${name}`, { hint: 'see: presage models list' });
  const fetched: string[] = [];
  for (const { entry, state } of await verifyEach(options.modelsDir, selected)) {
    if (state === 'verified') continue;
    await pullModel(entry, options);
    fetched.push(entry.name);
  }
  return fetched;
}

async function pullModel(entry: ModelEntry, options: PullOptions): Promise<void> {
  const url = modelUrl(entry, options.mirror);
  const sleep =
    options.sleep ?? ((ms: number) => delay(ms, undefined, options.signal && { signal: options.signal }));
  for (let attempt = 1; ; attempt++) {
    try {
      await download(entry, url, options);
      return;
    } catch (thrown) {
      const error = toPresageError(thrown, 'download_failed');
      if (options.signal?.aborted)
        throw new PresageError('interrupted', `download of ${entry.name} was interrupted`);
      if (!error.retryable || attempt === MAX_TRIES) throw error;
      await sleep(FIRST_BACKOFF_MS * 2 ** (attempt - 1));
    }
  }
}

function modelUrl(entry: ModelEntry, mirror: string | undefined): URL {
  const base = (mirror ?? DEFAULT_HUB).replace(/\/*$/, '/');
  if (entry.hub) {
    const { repository, revision, path } = entry.hub;
    return new URL(`${repository}/resolve/${revision}/${path}`, base);
  }
  if (mirror !== undefined) return new URL(entry.file, base);
  throw new PresageError('model_missing', `model ${entry.name} is bundled with Presage and has no address`, {
    hint: `reinstall Presage, or name a server that has ${entry.file} with --mirror URL`,
  });
}

async function download(entry: ModelEntry, url: URL, options: PullOptions): Promise<void> {
  const target = join(options.modelsDir, entry.file);
  const partial = `${target}.partial-${process.pid}`;
  await mkdir(options.modelsDir, { recursive: true });
  try {
    const sha256 = await receive(entry, url, partial, options);
    if (sha256 !== entry.sha256) {
      throw new PresageError(
        'model_hash_mismatch',
        `${redact(url.href)} served another file than ${entry.name}: SHA-256 ${sha256}, expected ${entry.sha256}`,
        { hint: 'use another mirror: presage models pull --mirror URL' },
      );
    }
    await rename(partial, target);
  } catch (thrown) {
    if (thrown instanceof PresageError) throw thrown;
    throw new PresageError('output_failed', `cannot write ${target}: ${String(thrown)}`, { cause: thrown });
  } finally {
    await rm(partial, { force: true });
  }
}

/** Streams the response into `partial` and returns its SHA-256. */
async function receive(entry: ModelEntry, url: URL, partial: string, options: PullOptions): Promise<string> {
  const stall = new StallTimer(options.signal);
  const hash = createHash('sha256');
  let receivedBytes = 0;
  const file = await open(partial, 'w');
  try {
    const chunks = await request(url, stall);
    for (;;) {
      const { done, value } = await chunks
        .read()
        .catch((cause: unknown) => Promise.reject(downloadError(url, cause)));
      if (done) break;
      stall.touch();
      receivedBytes += value.length;
      if (receivedBytes > entry.bytes) break;
      hash.update(value);
      await file.write(value);
      options.onProgress?.({ name: entry.name, receivedBytes, totalBytes: entry.bytes });
    }
    await file.sync();
  } finally {
    stall.end();
    await file.close();
  }
  if (receivedBytes < entry.bytes)
    throw downloadError(url, new Error(`it ended after ${receivedBytes} of ${entry.bytes} bytes`));
  if (receivedBytes > entry.bytes)
    throw new PresageError(
      'model_hash_mismatch',
      `${redact(url.href)} sends more than ${entry.bytes} bytes`,
      {
        hint: 'use another mirror: presage models pull --mirror URL',
      },
    );
  return hash.digest('hex');
}

async function request(url: URL, stall: StallTimer): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const response = await fetch(url, { signal: stall.signal }).catch((cause: unknown) =>
    Promise.reject(downloadError(url, cause)),
  );
  if (response.ok && response.body) return response.body.getReader();
  await response.body?.cancel();
  throw new PresageError('download_failed', `${redact(url.href)} responded with ${response.status}`, {
    retryable: response.status >= 500 || response.status === 429,
    hint: 'check the address, or use another mirror: presage models pull --mirror URL',
  });
}

function downloadError(url: URL, cause: unknown): PresageError {
  const why =
    cause instanceof Error
      ? cause.cause instanceof Error
        ? cause.cause.message
        : cause.message
      : String(cause);
  return new PresageError('download_failed', `${redact(url.href)} cannot be downloaded: ${redact(why)}`, {
    retryable: true,
    cause,
    hint: 'check the network, or use another mirror: presage models pull --mirror URL',
  });
}

/** Aborts a download that stalls or whose caller aborts. */
class StallTimer {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;
  #timer: NodeJS.Timeout | undefined;

  constructor(outer: AbortSignal | undefined) {
    this.signal = outer ? AbortSignal.any([outer, this.#controller.signal]) : this.#controller.signal;
    this.touch();
  }

  touch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#controller.abort(new Error(`no data arrived for ${STALL_MS / 1000} s`)),
      STALL_MS,
    );
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#controller.abort(new Error('the download has ended'));
  }
}
