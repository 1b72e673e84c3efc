// Embeds the agent: prints the predictions of a recording. node examples/library.mjs [VIDEO]
import { fileURLToPath } from 'node:url';
import { openAgent } from 'presage';

const sample = fileURLToPath(new URL('pedestrians.mp4', import.meta.url));
const agent = await openAgent({ data: process.env.PRESAGE_DATA ?? '.presage' });
const cam = await agent.addStream({ id: 'cam1', source: process.argv[2] ?? sample });
void cam.ended.then(() => agent.close());
for await (const p of cam.predictions({ minProbability: 0.5 }))
  console.log(p.event.type, p.event.participants.join(' '), p.probability, p.justification.text);
