/**
 * Replaces the motion worker. The first byte of a picture is the command: 0 is answered with the number of
 * pictures of its stream so far as its only score, 1 when the Int32 at byte 4 has become 1, 2 exits the thread, 4 is
 * answered with an error.
 */
import { parentPort } from 'node:worker_threads';

const counts = new Map();

function handle({ pixels, stream }) {
  const [command] = pixels;
  if (command === 1) Atomics.wait(new Int32Array(pixels.buffer), 1, 0);
  if (command === 2) process.exit(7);
  if (command === 4) {
    const error = { code: 'inference_failed', message: 'fake failure', retryable: false, hint: undefined };
    return parentPort.postMessage({ type: 'error', error });
  }
  counts.set(stream, (counts.get(stream) ?? 0) + 1);
  const box = [0, 0, 1, 1];
  const proposals = [{ label: 'object', score: counts.get(stream), box, origin: 'motion' }];
  parentPort.postMessage({
    type: 'answer',
    answer: { proposals, camera: undefined, scene: 'clear', motionMs: 1 },
  });
}

parentPort.on('message', (request) => {
  if (request.type === 'close') parentPort.close();
  else if (request.type === 'forget') counts.delete(request.stream);
  else handle(request);
});
parentPort.postMessage({ type: 'ready' });
