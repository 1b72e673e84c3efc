import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryIndex } from '../../../../../src/reasoner/explain/memory-index.js';
import {
  answerJsonSchema,
  explanationOf,
  parseAnswer,
} from '../../../../../src/reasoner/explain/openai/answer.js';
import { candidatesFor } from '../../../../../src/reasoner/explain/openai/prompt.js';
import { Verifier } from '../../../../../src/reasoner/explain/verify/verifier.js';
import { randomScene } from '../../../../support/reasoner/scenes.js';
import { eventById, pushedRow } from '../../../../support/reasoner/snapshots.js';

const snapshot = pushedRow();
const event = eventById(snapshot, 'e4');
const index = new MemoryIndex(snapshot);
const candidates = candidatesFor(index, event);
const good = {
  text: 'ball #1 drove cube #2 into cube #3',
  chain: [
    { event: 'e3', relation: 'triggers', clause: 'cube #2 set off' },
    { event: 'e2', relation: 'pushes', clause: 'ball #1 hit cube #2' },
  ],
  causes: [{ object: '#1', probability: 0.8, counterfactual: 'Without #1, #2 would have stood' }],
  confidence: 0.7,
};
const by = { backend: 'openai', model: 'm' };

describe('an answer of a language model', () => {
  it('is read out of a fence and words around it', () => {
    expect(parseAnswer(`Sure!\n\`\`\`json\n${JSON.stringify(good)}\n\`\`\``, candidates)).toEqual({
      answer: good,
    });
  });

  it.each([
    ['words', 'because it was hit', 'JSON'],
    ['a cut object', JSON.stringify(good).slice(0, 50), 'JSON'],
    [
      'an invented event',
      JSON.stringify({ ...good, chain: [{ ...good.chain[0], event: 'e99' }] }),
      'chain.0.event',
    ],
    [
      'an invented object',
      JSON.stringify({ ...good, causes: [{ ...good.causes[0], object: '#99' }] }),
      'causes.0.object',
    ],
    [
      'a participant as a cause',
      JSON.stringify({ ...good, causes: [{ ...good.causes[0], object: '#2' }] }),
      'causes.0.object',
    ],
    ['without an event', JSON.stringify({ ...good, chain: [] }), 'chain'],
    ['a probability of 3', JSON.stringify({ ...good, confidence: 3 }), 'confidence'],
    [
      'the outcome as a link',
      JSON.stringify({ ...good, chain: [{ ...good.chain[0], relation: 'outcome' }] }),
      'relation',
    ],
  ])('is refused when it is %s', (_, completion, wrong) => {
    expect(parseAnswer(completion, candidates)).toEqual({ wrong: expect.stringContaining(wrong) as string });
  });

  it('becomes an explanation whose times and boxes are those of memory', () => {
    const parsed = parseAnswer(JSON.stringify(good), candidates);
    if (!('answer' in parsed)) throw new Error(parsed.wrong);
    const explanation = explanationOf(parsed.answer, event, index, by);
    expect(explanation.chain.map(({ events, relation, from }) => [events[0], relation, from])).toEqual([
      ['e2', 'pushes', 2],
      ['e3', 'triggers', 2.1],
      ['e4', 'outcome', 4],
    ]);
    expect(explanation.causes[0]?.object).toBe('o1');
    expect(new Verifier().verifyExplanation(explanation, snapshot).problems).toEqual([]);
  });

  it('keeps our own clause where the model gave no words', () => {
    const chain = [{ event: 'e2', relation: 'pushes' as const, clause: '2.1' }];
    const causes = [{ object: '#1', probability: 0.5, counterfactual: '…' }];
    const explanation = explanationOf({ text: '4', chain, causes, confidence: 0.5 }, event, index, by);
    expect(explanation.text).toBe('cube #2 collided with cube #3.');
    expect(explanation.chain[0]?.text).toBe('ball #1 collided with cube #2');
    expect(explanation.causes[0]?.counterfactual).toBe('Without #1, this event might not have happened.');
  });

  it('is described to the server by a JSON schema that lists the only valid ids', () => {
    const text = JSON.stringify(answerJsonSchema(candidates));
    expect(text).toContain('"enum":["e1","e2","e3"]');
    expect(text).toContain('"enum":["#1"]');
    expect(text).toContain('"enum":[0.05,0.1,');
    expect(text).toContain('"additionalProperties":false');
    expect(text).not.toContain('$schema');
  });

  it('never cites what does not exist, whatever the model chooses', () => {
    fc.assert(
      fc.property(randomScene(), fc.infiniteStream(fc.nat()), (scene, choices) => {
        const explained = scene.events.at(-1)?.event;
        if (explained === undefined) return;
        const memory = new MemoryIndex(scene);
        const offered = candidatesFor(memory, explained);
        if (offered.events.length === 0) return;
        const pick = <T>(from: readonly T[]): T => from[(choices.next().value ?? 0) % from.length] as T;
        const answer = {
          ...good,
          text: 'because',
          chain: [0, 1, 2].map(() => ({
            event: pick(offered.events).id,
            relation: 'triggers',
            clause: 'so',
          })),
          causes: offered.thirds
            .slice(0, 1)
            .map((id) => ({ object: id.replace('o', '#'), probability: 0.5, counterfactual: '' })),
        };
        const parsed = parseAnswer(JSON.stringify(answer), offered);
        if (!('answer' in parsed)) throw new Error(parsed.wrong);
        const explanation = explanationOf(parsed.answer, explained, memory, by);
        expect(new Verifier().verifyExplanation(explanation, scene).problems).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});
