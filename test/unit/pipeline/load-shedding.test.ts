import { expect, it } from 'vitest';
import { pipelineWorld } from '../../support/pipeline-world.js';

it('lowers the effort until frames are in time, tells each step, and climbs back', async () => {
  let heavy = true;
  const { film, end, efforts, steps, loads, drafts, pipeline } = pipelineWorld({}, ({ detectEvery }) =>
    heavy && detectEvery < 3 ? 150 : 20,
  );
  await film(60);
  expect(efforts.map(({ detectEvery }) => detectEvery)).toEqual([1, 2, 3]);
  expect(pipeline.stats().stage).toBe('detect-every-3');
  heavy = false;
  await film(200);
  expect(efforts.map(({ detectEvery }) => detectEvery).slice(-3)).toEqual([3, 2, 1]);
  expect(pipeline.stats().stage).toBe('full');
  expect(loads()).toHaveLength(steps.length);
  expect(loads().map((load) => (load as { stage: string }).stage)).toEqual(
    steps.map(({ rung }) => rung.stage),
  );
  const reasons = drafts.flatMap((draft) => (draft.kind === 'stream.state' ? [draft.data.reason] : []));
  expect(reasons).toContain('to keep up with the stream: frames took 150 ms of 100 ms');
  await end();
});

it('keeps full effort where there is no budget, however long a frame takes', async () => {
  const { film, end, efforts, loads } = pipelineWorld({ latencyBudgetMs: undefined }, () => 500);
  await film(30);
  expect(efforts).toEqual([{ detectEvery: 1, masks: true, embeddings: true }]);
  expect(loads()).toEqual([]);
  await end();
});

it('never lowers the effort of a recording, and heeds the cadence that was asked for', async () => {
  const { film, end, efforts } = pipelineWorld({ mode: 'lossless', detectEvery: 2 }, () => 500);
  await film(30);
  expect(efforts).toEqual([{ detectEvery: 2, masks: true, embeddings: true }]);
  await end();
});
