#!/usr/bin/env node
// Prints events and predictions. Run:
//   npx presage watch
//   node examples/subscriber.mjs [--url http://localhost:7878] [--from oldest] [--probability 0.5] [--count 10]
import { parseArgs } from 'node:util';
import { connect } from 'presage/client';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://localhost:7878' },
    from: { type: 'string', default: 'latest' },
    probability: { type: 'string', default: '0.3' },
    count: { type: 'string', default: 'Infinity' },
  },
});

const agent = connect(values.url, { token: process.env.PRESAGE_TOKEN, from: values.from });
agent.status$.subscribe(({ state, reason }) => console.error(`${state}${reason ? `: ${reason}` : ''}`));
agent.lags().subscribe(({ stream, dropped }) => console.error(`${stream}: ${dropped} messages lost`));
// As an Observable:
agent.predictions({ minProbability: Number(values.probability) }).subscribe({
  next: ({ stream, event, probability, window }) =>
    console.log(
      `${stream} soon: ${event.type} ${event.participants} ${probability.toFixed(2)} by ${window.to.toFixed(1)} s`,
    ),
  error: () => undefined, // the loop below fails with the same error
});
// As an async iteration:
let left = Number(values.count);
for await (const { stream, type, participants, t } of agent.events()) {
  const who = participants.map(({ id, label }) => `${label} #${id.slice(1)}`).join(' and ');
  console.log(`${stream} ${t.toFixed(1)} s: ${who} ${type}`);
  if ((left -= 1) <= 0) break;
}
await agent.close();
