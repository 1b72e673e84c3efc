/** Entry of a detector worker thread: loads the models of `workerData`, then handles requests one by one. */
import { parentPort, workerData } from 'node:worker_threads';
import { toPresageError } from '../../core/errors.js';
import type { SceneAnswer, DetectorAnswer, DetectorWork } from './detector-protocol.js';
import { FrameAnalyzer, type AnalyzerOptions } from '../perception/frame-analyzer.js';
import { flattenError, type WorkerRequest, type WorkerResponse } from '../runtime/worker-protocol.js';

if (!parentPort) throw new Error('detector-worker runs as a worker thread only');
const port = parentPort;

function send(response: WorkerResponse<DetectorAnswer | SceneAnswer>): void {
  port.postMessage(response);
}

async function compute(
  analyzer: FrameAnalyzer,
  request: DetectorWork,
): Promise<DetectorAnswer | SceneAnswer> {
  if (request.type === 'scene') {
    const embedding = await analyzer.encodeScene(request.grids);
    return embedding ? { embedding } : {};
  }
  const startMs = performance.now();
  const analysis = await analyzer.analyze(request, request.request);
  return { ...analysis, inferenceMs: performance.now() - startMs };
}

async function handle(analyzer: FrameAnalyzer, request: WorkerRequest<DetectorWork>): Promise<void> {
  if (request.type === 'close') {
    await analyzer.close();
    port.close();
    return;
  }
  try {
    send({ type: 'answer', answer: await compute(analyzer, request) });
  } catch (thrown) {
    send({ type: 'error', error: flattenError(toPresageError(thrown, 'inference_failed')) });
  }
}

try {
  const analyzer = await FrameAnalyzer.open(workerData as AnalyzerOptions);
  let last = Promise.resolve();
  // Sequential, so that a session is never closed during an inference.
  port.on('message', (request: WorkerRequest<DetectorWork>) => {
    last = last.then(() => handle(analyzer, request));
  });
  send({ type: 'ready' });
} catch (thrown) {
  send({ type: 'failed', error: flattenError(toPresageError(thrown, 'model_invalid')) });
}
