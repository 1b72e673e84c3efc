/** Entry of a detector worker thread: loads the model named in `workerData`, then answers requests one by one. */
import { parentPort, workerData } from 'node:worker_threads';
import { toPresageError } from '../core/errors.js';
import { flattenError, type DetectorRequest, type DetectorResponse } from './detector-protocol.js';
import { Detector, FEATURE_MAPS, type DetectorOptions, type FeatureMaps } from './detector.js';

if (!parentPort) throw new Error('detector-worker runs as a worker thread only');
const port = parentPort;

function send(response: DetectorResponse, transfer: ArrayBuffer[] = []): void {
  port.postMessage(response, transfer);
}

/** The runtime's own buffers cannot be transferred; copies can. */
function detach(features: FeatureMaps): { features: FeatureMaps; buffers: ArrayBuffer[] } {
  const copies = FEATURE_MAPS.map(
    (name) => [name, { ...features[name], data: features[name].data.slice() }] as const,
  );
  return {
    features: Object.fromEntries(copies) as FeatureMaps,
    buffers: copies.map(([, copy]) => copy.data.buffer),
  };
}

async function answer(detector: Detector, request: DetectorRequest & { type: 'detect' }): Promise<void> {
  const startMs = performance.now();
  try {
    const { fit, detections, features } = await detector.detect(request, request.wantFeatures);
    const inferenceMs = performance.now() - startMs;
    const detached = features && detach(features);
    send(
      {
        type: 'answer',
        answer: { fit, detections, inferenceMs, ...(detached && { features: detached.features }) },
      },
      detached?.buffers,
    );
  } catch (thrown) {
    send({ type: 'error', error: flattenError(toPresageError(thrown, 'inference_failed')) });
  }
}

async function handle(detector: Detector, request: DetectorRequest): Promise<void> {
  if (request.type === 'detect') return answer(detector, request);
  await detector.close();
  port.close();
}

try {
  const detector = await Detector.open(workerData as DetectorOptions);
  let last = Promise.resolve();
  // One after the other, so that a session is never closed under a running inference.
  port.on('message', (request: DetectorRequest) => {
    last = last.then(() => handle(detector, request));
  });
  send({ type: 'ready' });
} catch (thrown) {
  send({ type: 'failed', error: flattenError(toPresageError(thrown, 'model_invalid')) });
}
