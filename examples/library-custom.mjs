// Custom parts: a source that draws a block that moves and stops, a perception that finds it, an expert for exits, an explainer and a sink.
import { BehaviorSubject, Observable } from 'rxjs';
import { FramePool, i420Layout, itemKey, openAgent } from 'presage';

const [WIDTH, HEIGHT, FPS, FRAMES] = [320, 180, 10, 120];
const layout = i420Layout(WIDTH, HEIGHT);
const format = { width: WIDTH, height: HEIGHT, fps: FPS, codec: 'raw' };
/** It moves for 4.5 s and then stands. */
const xAt = (index) => 10 + 4 * Math.min(index, 45);

/** Frames from memory at 10 frames/s: a bright block that moves to the right. */
function movingBlock() {
  const pool = new FramePool(layout, 4);
  const state = new BehaviorSubject({ state: 'live', format });
  let timer;
  return {
    name: 'moving block',
    duration: undefined,
    state$: state,
    get liveFrames() {
      return pool.live;
    },
    frame$: new Observable((subscriber) => {
      let index = 0;
      timer = setInterval(() => {
        if (index === FRAMES) {
          clearInterval(timer);
          state.next({ state: 'ended' });
          subscriber.complete();
          return;
        }
        const pixels = pool.take();
        if (pixels) {
          pixels.fill(128);
          for (let y = 60; y < 120; y += 1)
            pixels.fill(235, y * WIDTH + xAt(index), y * WIDTH + xAt(index) + 30);
          subscriber.next(pool.lease(pixels, { index, t: index / FPS, receivedAtMs: performance.now() }));
        }
        index += 1;
      }, 1000 / FPS);
      return () => clearInterval(timer);
    }),
    stats: () => ({ delivered: FRAMES, dropped: {}, clockJumps: 0, reconnects: 0 }),
    close: async () => clearInterval(timer),
    [Symbol.asyncDispose]: async () => clearInterval(timer),
  };
}

/** Finds the columns of the row in the middle that are bright. */
const brightness = {
  info: { model: 'brightness', sha256: '', device: 'cpu', workers: 1, canvas: [WIDTH, HEIGHT] },
  openStream: () => ({
    concurrency: 1,
    async perceive(frame) {
      const row = frame.pixels.subarray(90 * WIDTH, 91 * WIDTH);
      const [left, right] = [row.findIndex((luma) => luma > 200), row.findLastIndex((luma) => luma > 200)];
      const box = [left / WIDTH, 60 / HEIGHT, (right - left + 1) / WIDTH, 60 / HEIGHT];
      const detections = left < 0 ? [] : [{ label: 'car', score: 0.9, box }];
      const { index, t, receivedAtMs } = frame;
      return { index, t, receivedAtMs, width: WIDTH, height: HEIGHT, detections, inferenceMs: 0 };
    },
    setEffort() {},
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }),
  close: async () => undefined,
  [Symbol.asyncDispose]: async () => undefined,
};

/** Everything leaves within 3 s once it is in the right half. */
const rightHalf = {
  name: 'right-half',
  model: 'right-half-1',
  async probabilities(snapshot, items) {
    const right = new Set(snapshot.objects.filter(({ box }) => box[0] > 0.5).map(({ id }) => id));
    const exits = items.filter(({ type }) => type === 'exit');
    return new Map(
      exits.map(({ type, participants }) => [
        itemKey(type, participants),
        right.has(participants[0]) ? 0.9 : 0.05,
      ]),
    );
  },
};

let explained = 0;
const explainer = {
  name: 'counter',
  async explain() {
    explained += 1;
    return undefined;
  },
};

let frames = 0;
const sink = {
  addFrame: () => (frames += 1),
  add: ({ kind, data }) => kind === 'event.observed' && console.log('event', data.event.type),
};

const agent = await openAgent({
  data: process.env.PRESAGE_DATA ?? '.presage',
  perception: brightness,
  experts: [rightHalf],
  explainer,
});
const cam = await agent.addStream({ id: 'block', source: movingBlock, sink });
const failure = await cam.ended;
await agent.close();
console.log(
  `${frames} frames, ${explained} events offered to the explainer, ${failure?.message ?? 'ended normally'}`,
);
