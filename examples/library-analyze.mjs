// Analyses a recording and counts its events by type. node examples/library-analyze.mjs [VIDEO]
import { fileURLToPath } from 'node:url';
import { analyze } from 'presage';

const sample = fileURLToPath(new URL('pedestrians.mp4', import.meta.url));
const counts = new Map();
await analyze(process.argv[2] ?? sample, {
  onMessage(message) {
    if (message.type !== 'presage.event.observed.v1') return;
    const { type } = message.data.event;
    counts.set(type, (counts.get(type) ?? 0) + 1);
  },
});
console.log(Object.fromEntries(counts));
