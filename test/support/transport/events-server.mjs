// A server of events that is to be killed: it publishes as fast as it was told on two streams, over the durable log of a folder.
import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { Hub } from '../../../dist/transport/events/hub.js';
import { createServer } from '../../../dist/transport/http/server.js';
import { DurableLog } from '../../../dist/transport/log/durable-log.js';
import { Publisher } from '../../../dist/transport/messages/publisher.js';

const [folder, port, perSecond] = process.argv.slice(2);
const STREAMS = ['cam1', 'cam2'];
const log = await DurableLog.open({ folder, commitIntervalMs: 5 });
const hub = new Hub({ log });
const status = {
  service: () => ({ version: 'test' }),
  streams: () => STREAMS.map((id) => ({ id, source: 'none', state: 'live' })),
};
const server = createServer({
  port: Number(port),
  hub,
  log,
  status,
  registry: new Registry(),
  maxClients: 10_000,
});
const publishers = STREAMS.map((streamId) => new Publisher({ streamId, log, sinks: [hub] }));
const { url } = await server.listen();
process.stdout.write(`${url}\n`);

let count = 0;
const started = performance.now();
while (perSecond > 0) {
  for (const due = ((performance.now() - started) / 1000) * perSecond; count < due; count += 1) {
    for (const publisher of publishers) publisher.publish(eventOf(count));
  }
  await delay(2);
}

function eventOf(n) {
  return {
    kind: 'event.observed',
    mediatime: n / 10,
    subject: `e${n}`,
    data: {
      event: {
        id: `e${n}`,
        type: 'stop',
        participants: [{ id: 'o7', label: n % 2 === 0 ? 'person' : 'car', box: [0.1, 0.2, 0.3, 0.4] }],
        t: n / 10,
        confidence: 0.9,
      },
      observedAt: n / 10,
    },
  };
}
