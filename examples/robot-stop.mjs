#!/usr/bin/env node
// A robot (simulated: it only prints what it does) that stops when an event in front of it is likely. It also stops without
// information: the connection is lost, the camera fails, or no objects.updated message arrives for a second. Run:
//   npx presage watch rtsp://camera/stream
//   node examples/robot-stop.mjs [--url http://localhost:7878] [--stream cam1] [--type collide] [--probability 0.3] [--lead 3]
// This is a demonstration, not a safety device.
import { parseArgs } from 'node:util';
import { connect } from 'presage/client';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://localhost:7878' },
    stream: { type: 'string', default: 'cam1' },
    type: { type: 'string', default: 'collide' },
    probability: { type: 'string', default: '0.3' },
    /** Stops when the event is expected within this time, s. */
    lead: { type: 'string', default: '3' },
  },
});
/** Time without objects after which the robot has no information, ms. */
const BLIND_MS = 1000;

const reasons = new Map([['sight', 'nothing seen yet']]);
let shown = '';

/** Drives unless there is a reason to stop. */
function decide() {
  const now = reasons.size === 0 ? 'drive' : `stop: ${[...reasons.values()].join('; ')}`;
  if (now !== shown) console.log(now);
  shown = now;
}
function set(name, reason) {
  if (reason === undefined) reasons.delete(name);
  else reasons.set(name, reason);
  decide();
}

// A connection without a heartbeat for two and a half seconds is closed; the watchdog below is faster.
const agent = connect(values.url, {
  token: process.env.PRESAGE_TOKEN,
  streams: [values.stream],
  heartbeat: 1,
});
agent.status$.subscribe(({ state }) =>
  set('connection', state === 'open' ? undefined : `the connection is ${state}`),
);
agent.states().subscribe({
  next: ({ state }) => set('camera', state === 'live' ? undefined : `the camera is ${state}`),
  error: (error) => set('service', error.message),
});

// The watchdog: objects arrive ten times per second, otherwise the robot stops.
let watchdog;
agent.objects({ rate: 10 }).subscribe({
  next: () => {
    set('sight', undefined);
    clearTimeout(watchdog);
    watchdog = setTimeout(() => set('sight', `nothing seen for ${BLIND_MS} ms`), BLIND_MS);
  },
  error: () => undefined, // `states` reports it
});

// Open predictions.
const type = values.type;
agent.predictions({ type }).subscribe({
  next: ({ id, event, probability, window, mediatime }) => {
    const inS = window.to - mediatime;
    const dangerous = probability >= Number(values.probability) && inS <= Number(values.lead);
    set(
      id,
      dangerous
        ? `${event.type} of ${event.participants} within ${inS.toFixed(1)} s (${probability.toFixed(2)})`
        : undefined,
    );
  },
  error: () => undefined,
});
agent.resolutions({ type }).subscribe({ next: ({ id }) => set(id, undefined), error: () => undefined });

process.once('SIGINT', () => void agent.close().then(() => process.exit()));
