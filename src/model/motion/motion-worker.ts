/** Entry of a motion worker thread: stores the background of each of its streams, handles requests one by one. */
import { parentPort } from 'node:worker_threads';
import { toPresageError } from '../../core/errors.js';
import { flattenError, type WorkerRequest, type WorkerResponse } from '../runtime/worker-protocol.js';
import type { MotionForget, MotionReport, MotionWork } from './motion-protocol.js';
import { MotionAnalyzer } from './motion-analyzer.js';

if (!parentPort) throw new Error('motion-worker runs as a worker thread only');
const port = parentPort;

interface Stream {
  readonly width: number;
  readonly height: number;
  readonly analyzer: MotionAnalyzer;
}

const streams = new Map<number, Stream>();

function send(response: WorkerResponse<MotionReport>): void {
  port.postMessage(response);
}

/** Returns the analyzer of the stream; a change of size resets it. */
function analyzerOf({ stream, width, height }: MotionWork): MotionAnalyzer {
  const known = streams.get(stream);
  if (known?.width === width && known.height === height) return known.analyzer;
  const analyzer = new MotionAnalyzer(width, height);
  streams.set(stream, { width, height, analyzer });
  return analyzer;
}

function answer(request: MotionWork): void {
  const startMs = performance.now();
  try {
    const found = analyzerOf(request).analyze(request.pixels, request.t);
    send({ type: 'answer', answer: { ...found, motionMs: performance.now() - startMs } });
  } catch (thrown) {
    streams.delete(request.stream);
    send({ type: 'error', error: flattenError(toPresageError(thrown, 'inference_failed')) });
  }
}

port.on('message', (request: WorkerRequest<MotionWork | MotionForget>) => {
  if (request.type === 'analyze') answer(request);
  else if (request.type === 'forget') streams.delete(request.stream);
  else port.close();
});
send({ type: 'ready' });
