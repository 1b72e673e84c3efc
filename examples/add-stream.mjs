#!/usr/bin/env node
// Adds a stream to a running service and prints its events until Ctrl-C, which removes the stream again. Run:
//   npx presage serve
//   node examples/add-stream.mjs door examples/pedestrians.mp4 --loop
//   node examples/add-stream.mjs door rtsp://user:password@camera/stream
import { parseArgs } from 'node:util';
import { ClientError, connect } from 'presage/client';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string', default: 'http://localhost:7878' },
    loop: { type: 'boolean', default: false },
  },
});
const [id, source] = positionals;
if (source === undefined) throw new Error('usage: add-stream.mjs ID SOURCE [--loop] [--url URL]');

const agent = connect(values.url, { token: process.env.PRESAGE_TOKEN, from: 'oldest' });
try {
  await agent.http.createStream({ id, source, ...(values.loop && { loop: true }) });
} catch (error) {
  console.error(error instanceof ClientError ? `${error.code}: ${error.message}` : error);
  process.exit(1);
}
process.once('SIGINT', () => void agent.http.deleteStream(id).finally(() => agent.close()));
for await (const { type, participants, t } of agent.events({ stream: id }))
  console.log(`${t.toFixed(1)} s: ${type} ${participants.map(({ label }) => label).join(', ')}`);
