/** The real detector worker, which exits on a picture one pixel wide. */
import { parentPort } from 'node:worker_threads';

parentPort.on('message', (request) => {
  if (request.width === 1) process.exit(7);
});
await import('../../../dist/model/detector/detector-worker.js');
