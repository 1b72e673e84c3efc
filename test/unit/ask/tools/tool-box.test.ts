import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PresageError } from '../../../../src/core/errors.js';
import type { Inspection, InspectionRequest, VideoInspector } from '../../../../src/core/inspection.js';
import { RecordQueries } from '../../../../src/core/records/query.js';
import { ask } from '../../../../src/ask/ask.js';
import { recordsOfSnapshot } from '../../../../src/ask/tools/snapshot-records.js';
import { ToolBox } from '../../../../src/ask/tools/tool-box.js';
import { TOOL_NAMES, toolFunctions } from '../../../../src/ask/tools/tool-schemas.js';
import { pushedRow } from '../../../support/reasoner/snapshots.js';

const snapshot = pushedRow();
const queries = new RecordQueries(recordsOfSnapshot(snapshot));
const cube = snapshot.objects.find(({ id }) => id === 'o2')!;

/** Video from 1 s to now, which shows at any moment what `see` tells. */
function videoOf(
  see: (t: number) => Inspection['found'],
  times?: readonly number[],
): VideoInspector & { asked: InspectionRequest[] } {
  const asked: InspectionRequest[] = [];
  return {
    asked,
    extent: { from: 1, to: snapshot.t },
    inspect: (request) => {
      asked.push(request);
      if (request.to < 1)
        return Promise.reject(new PresageError('not_kept', 'The video of 0.5 s is not kept any more'));
      const at = times ?? [request.from];
      return Promise.resolve(
        at.map((t) => ({ t, region: request.region ?? [0, 0, 1, 1], found: see(t), more: 0 })),
      );
    },
  };
}

const thing = (
  label: string,
  box: Inspection['found'][number]['box'],
  score = 0.8,
): Inspection['found'][number] => ({
  ...{ label, score, box },
  origin: 'detector',
});

describe('ToolBox', () => {
  const box = new ToolBox({
    queries,
    now: snapshot.t,
    video: videoOf(() => [thing('cube', cube.box), thing('cup', [0, 0, 0.05, 0.05])]),
  });

  it('tells events of an object and a type, in order of time', async () => {
    expect(await box.call('timeline', { object: '#1', type: 'collide' })).toMatchObject({
      ok: true,
      value: { events: [{ id: 'e2', t: 2, text: 'ball #1 collided with cube #2' }] },
    });
    expect(await box.call('timeline', { from: 2.05, to: 3 })).toMatchObject({
      value: { events: [{ id: 'e3' }] },
    });
  });

  it('finds by words and by label', async () => {
    expect(await box.call('search', { words: 'ball' })).toMatchObject({ ok: true });
    const { value } = (await box.call('search', { label: 'ball' })) as {
      value: { hits: { object: string }[] };
    };
    expect(value.hits.map(({ object }) => object)).toEqual(['ball #1']);
  });

  it('names what it sees by the objects of memory, and leaves what is unknown without a name', async () => {
    const looks = await box.inspect({ from: snapshot.t, to: snapshot.t });
    expect(looks[0]?.found.map(({ label, object }) => [label, object])).toEqual([
      ['cube', 'o2'],
      ['cup', undefined],
    ]);
  });

  it.each([
    ['look_again', { t: 0.5 }, 'not_kept'],
    ['look_again', {}, 'bad_request'],
    ['look_again', { t: 3, region: [0.5, 0.5, 0.9, 0.1] }, 'bad_request'],
    ['relations', { object: '#99' }, 'bad_request'],
    ['relations', { object: 'the cat' }, 'bad_request'],
    ['timeline', { type: 'explode' }, 'bad_request'],
    ['search', {}, 'bad_request'],
    ['rm', { path: '/' }, 'bad_request'],
    ['timeline', undefined, 'bad_request'],
  ])('says what is wrong with %s %j', async (name, args, code) => {
    expect(await box.call(name, args)).toMatchObject({ ok: false, error: { code } });
  });

  it('never rejects and stays short, whatever the arguments are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.constantFrom(...TOOL_NAMES), fc.string()),
        fc.jsonValue(),
        async (name, args) => {
          const result = await box.call(name, args);
          expect(JSON.stringify(result).length).toBeLessThan(20_000);
        },
      ),
    );
  });

  it('is offered as functions with JSON schemas, looking only where there is video', () => {
    const functions = toolFunctions(box.names);
    expect(functions.map((one) => one.function.name)).toEqual(TOOL_NAMES);
    for (const { function: tool } of functions) expect(tool.parameters['type']).toBe('object');
    expect(new ToolBox({ queries, now: 1 }).names).not.toContain('look_again');
  });

  it('passes on that nobody waits any more', async () => {
    const gone = AbortSignal.abort(new PresageError('interrupted', 'the client has gone'));
    const slow: VideoInspector = { extent: undefined, inspect: () => Promise.reject(new Error('aborted')) };
    const call = new ToolBox({ queries, now: 1, video: slow }).call('look_again', { t: 1 }, gone);
    await expect(call).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('questions that need a look', () => {
  const places = {
    zones: {
      door: [
        [0.7, 0.2],
        [0.9, 0.2],
        [0.9, 0.8],
      ] as const,
    },
    lines: {},
  };
  const video = videoOf(() => [thing('cube', cube.box), thing('cup', [0.1, 0.1, 0.05, 0.05])]);
  const memory = {
    ...{ now: snapshot.t, since: 0, live: true, queries, places, video },
    explanationOf: () => undefined,
    predictions: () => [],
  };

  it('look at the part and the moment that they name, and attach what was seen', async () => {
    const asked = await ask(`look again at ${snapshot.t} s near the door`, memory);
    expect(asked).toMatchObject({
      understood: true,
      by: 'grammar',
      answer: { inspections: [{ t: snapshot.t }] },
    });
    expect(video.asked.at(-1)).toMatchObject({ from: snapshot.t, to: snapshot.t });
    const [x, , w] = video.asked.at(-1)!.region!;
    expect(x).toBeCloseTo(0.6, 5);
    expect(w).toBeCloseTo(0.4, 5);
    if (!asked.understood) return;
    expect(asked.answer.text).toContain('cube #2 (80 %)');
    expect(asked.answer.text).toContain('cup (80 %)');
    expect(asked.answer.evidence[0]?.objects).toEqual(['o2']);
  });

  it('say what memory holds where the video is gone', async () => {
    const asked = await ask('look again at 0.5 s in the left half', memory);
    expect(asked).toMatchObject({ understood: true });
    if (!asked.understood) return;
    expect(asked.answer.text).toMatch(/not kept any more.*I remember/);
    expect(asked.answer.inspections).toBeUndefined();
  });

  it('look for what is named only', async () => {
    const asked = await ask('what cups are in the top left now?', memory, { labels: ['cup'] });
    if (!asked.understood) throw new Error(asked.text);
    expect(asked.answer.text).not.toContain('cube');
  });
});
