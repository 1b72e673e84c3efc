/**
 * Replaces the detector's worker. The first byte of a picture is the command: 0 is answered at once, 1 when
 * the Int32 at byte 4 has become 1, 2 exits the thread, 3 throws, 4 is answered with an error.
 */
import { parentPort, workerData } from 'node:worker_threads';

const fit = { contentWidth: 32, contentHeight: 32, canvasWidth: 32, canvasHeight: 32 };
const error = (code) => ({ code, message: `fake ${code}`, retryable: false, hint: undefined });

function handle(request) {
  const [command] = request.pixels;
  if (command === 1) Atomics.wait(new Int32Array(request.pixels.buffer), 1, 0);
  if (command === 2) process.exit(7);
  if (command === 3) throw new Error('fake failure');
  if (command === 4) return parentPort.postMessage({ type: 'error', error: error('inference_failed') });
  const detections = [{ label: `${request.width}x${request.height}`, score: 1, box: [0, 0, 1, 1] }];
  parentPort.postMessage({ type: 'answer', answer: { fit, detections, inferenceMs: 1 } });
}

if (workerData.path === 'invalid') {
  parentPort.postMessage({ type: 'failed', error: error('model_invalid') });
} else {
  parentPort.on('message', (request) => (request.type === 'close' ? parentPort.close() : handle(request)));
  parentPort.postMessage({ type: 'ready' });
}
