// A process that is to be killed: appends to the log of a folder as fast as it can, and tells each message on its standard
// output once the log has called it durable, which is when a client could have been sent it.
import { writeSync } from 'node:fs';
import { setImmediate } from 'node:timers';
import { DurableLog } from '../../../dist/transport/log/durable-log.js';

const [folder, round] = process.argv.slice(2);
const log = await DurableLog.open({ folder, commitIntervalMs: 5 });
let count = 0;

function burst() {
  for (let index = 0; index < 20; index += 1) {
    count += 1;
    const nonce = `${round}-${count}`;
    log.append('cam1', {
      kind: 'event.observed',
      mediatime: count,
      render: (sequence) => JSON.stringify({ sequence, nonce, padding: 'x'.repeat(count % 900) }),
      onDurable: ({ sequence }) => writeSync(1, `${sequence} ${nonce}\n`),
    });
  }
  log.save('cam1', 'count', { round: Number(round), count });
  setImmediate(burst);
}
burst();
