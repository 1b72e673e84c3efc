/** Entry of the worker of forecaster and cause head: loads the files of `workerData`, then handles requests one by one. */
import { parentPort, workerData } from 'node:worker_threads';
import { toPresageError } from '../../core/errors.js';
import { flattenError, type WorkerRequest, type WorkerResponse } from '../runtime/worker-protocol.js';
import { LearnedGraphs } from './learned-graphs.js';
import type { LearnedAnswer, LearnedFiles, LearnedWork } from './learned-protocol.js';

if (!parentPort) throw new Error('learned-worker runs as a worker thread only');
const port = parentPort;

function send(response: WorkerResponse<LearnedAnswer>): void {
  port.postMessage(response);
}

async function answerOf(graphs: LearnedGraphs, work: LearnedWork): Promise<LearnedAnswer> {
  if (work.type === 'forecast') return { type: 'forecast', forecast: await graphs.forecast(work.tracks) };
  return { type: 'causes', necessary: await graphs.necessary(work.query) };
}

async function handle(graphs: LearnedGraphs, request: WorkerRequest<LearnedWork>): Promise<void> {
  if (request.type === 'close') {
    await graphs.close();
    port.close();
    return;
  }
  try {
    send({ type: 'answer', answer: await answerOf(graphs, request) });
  } catch (thrown) {
    send({ type: 'error', error: flattenError(toPresageError(thrown, 'inference_failed')) });
  }
}

try {
  const graphs = await LearnedGraphs.open(workerData as LearnedFiles);
  let last = Promise.resolve();
  port.on('message', (request: WorkerRequest<LearnedWork>) => {
    last = last.then(() => handle(graphs, request));
  });
  send({ type: 'ready' });
} catch (thrown) {
  send({ type: 'failed', error: flattenError(toPresageError(thrown, 'model_invalid')) });
}
