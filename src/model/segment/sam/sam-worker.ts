/** Entry of the worker thread of a SAM-family model: loads the files of `workerData`, then handles requests one by one. */
import { parentPort, workerData } from 'node:worker_threads';
import { toPresageError } from '../../../core/errors.js';
import { flattenError, type WorkerRequest, type WorkerResponse } from '../../runtime/worker-protocol.js';
import { segmentGrid, segmentPrompts } from './sam-masks.js';
import { SamModel, type SamOptions } from './sam-model.js';
import { rgbOf } from './sam-picture.js';
import type { SamAnswer, SamWork } from './sam-thread.js';

if (!parentPort) throw new Error('sam-worker runs as a worker thread only');
const port = parentPort;

function send(response: WorkerResponse<SamAnswer>): void {
  port.postMessage(response);
}

async function handle(model: SamModel, request: WorkerRequest<SamWork>): Promise<void> {
  if (request.type === 'close') {
    await model.close();
    port.close();
    return;
  }
  try {
    const scene = await model.encode(rgbOf(request));
    const prompted = await segmentPrompts(model, scene, request.prompts);
    const found = request.grid ? await segmentGrid(model, scene, request.grid) : [];
    send({ type: 'answer', answer: { prompted, found } });
  } catch (thrown) {
    send({ type: 'error', error: flattenError(toPresageError(thrown, 'inference_failed')) });
  }
}

try {
  const model = await SamModel.open(workerData as SamOptions);
  let last = Promise.resolve();
  port.on('message', (request: WorkerRequest<SamWork>) => {
    last = last.then(() => handle(model, request));
  });
  send({ type: 'ready' });
} catch (thrown) {
  send({ type: 'failed', error: flattenError(toPresageError(thrown, 'model_invalid')) });
}
