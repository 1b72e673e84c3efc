/** Entry of the worker thread of the language model: loads the files of `workerData`, then handles requests one by one. */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { PresageError, toPresageError } from '../../core/errors.js';
import { flattenError, type WorkerRequest, type WorkerResponse } from '../runtime/worker-protocol.js';
import { Decoder } from './decoder.js';
import { EmbeddingTable } from './embedding-table.js';
import { FusionCore } from './fusion-core.js';
import type { LanguageAnswer, LanguageFiles, LanguageTask } from './language-protocol.js';
import { LanguageRuntime } from './language-runtime.js';
import { TextTokenizer } from './tokenizer.js';

if (!parentPort) throw new Error('language-worker runs as a worker thread only');
const port = parentPort;

function send(response: WorkerResponse<LanguageAnswer>): void {
  port.postMessage(response);
}

interface Loaded {
  readonly runtime: LanguageRuntime;
  readonly decoder: Decoder;
  readonly fusion: FusionCore;
}

async function load(files: LanguageFiles): Promise<Loaded> {
  // On Linux process id 0 means the calling thread; elsewhere it means the whole process, which must keep its priority.
  if (process.platform === 'linux') setPriority(0, files.niceness);
  const tokenizer = await TextTokenizer.open(files.tokenizer);
  const embeddings = await EmbeddingTable.open(files.embeddings);
  const decoder = await Decoder.open(files.language, files.threads);
  const fusion = await FusionCore.open(files.fusion, files.threads);
  return { runtime: new LanguageRuntime({ tokenizer, embeddings, decoder, fusion }), decoder, fusion };
}

async function answer({ runtime }: Loaded, task: LanguageTask): Promise<LanguageAnswer> {
  const cancel = new Int32Array(task.cancel);
  const check = (): void => {
    if (Atomics.load(cancel, 0) !== 0) throw new PresageError('interrupted', 'the request was cancelled');
  };
  check();
  const before = runtime.work();
  const result = { digits: new Float32Array(0), text: '', logProbability: 0 };
  if (task.type === 'digits')
    result.digits = (await runtime.scoreDigits(
      task.request,
      task.continuations,
      check,
    )) as Float32Array<ArrayBuffer>;
  else Object.assign(result, await runtime.complete(task.request, task.grammar, check));
  const { ran, reused } = runtime.work();
  return { ...result, work: { ran: ran - before.ran, reused: reused - before.reused } };
}

async function handle(loaded: Loaded, request: WorkerRequest<LanguageTask>): Promise<void> {
  if (request.type === 'close') {
    await loaded.fusion.close();
    await loaded.decoder.close();
    port.close();
    return;
  }
  try {
    send({ type: 'answer', answer: await answer(loaded, request) });
  } catch (thrown) {
    send({ type: 'error', error: flattenError(toPresageError(thrown, 'inference_failed')) });
  }
}

try {
  const loaded = await load(workerData as LanguageFiles);
  let last = Promise.resolve();
  port.on('message', (request: WorkerRequest<LanguageTask>) => {
    last = last.then(() => handle(loaded, request));
  });
  send({ type: 'ready' });
} catch (thrown) {
  send({ type: 'failed', error: flattenError(toPresageError(thrown, 'model_invalid')) });
}
