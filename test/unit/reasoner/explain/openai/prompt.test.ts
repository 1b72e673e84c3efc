import { describe, expect, it } from 'vitest';
import { MemoryIndex } from '../../../../../src/reasoner/explain/memory-index.js';
import { candidatesFor, promptFor, repairPrompt } from '../../../../../src/reasoner/explain/openai/prompt.js';
import {
  eventById,
  pushedRow,
  snapshotOf,
  type ScriptedEvent,
} from '../../../../support/reasoner/snapshots.js';

const snapshot = pushedRow();
const event = eventById(snapshot, 'e4');
const index = new MemoryIndex(snapshot);

describe('the prompt', () => {
  it('lists the objects, the earlier events and the question', () => {
    const [system, user] = promptFor(index, event, candidatesFor(index, event), []);
    expect(system?.role).toBe('system');
    expect(user?.content).toBe(
      [
        'Objects:',
        '#2 cube, standing',
        '#3 cube, moving',
        '#1 ball, standing',
        'Earlier events:',
        'e1 (at 0.5 s): ball #1 entered',
        'e2 (at 2.0 s): ball #1 collided with cube #2',
        'e3 (at 2.1 s): cube #2 started moving',
        'Explain e4 (at 4.0 s): cube #2 collided with cube #3. Why did it happen?',
      ].join('\n'),
    );
  });

  it('says what held between the objects, and nothing of strangers', () => {
    const relation = { kind: 'near', a: 'o1', b: 'o2', from: 1.5, to: 3, open: false } as const;
    const related = new MemoryIndex({
      ...snapshot,
      relations: [
        relation,
        { ...relation, kind: 'moving-towards', a: 'o2', b: 'o3', open: true },
        { ...relation, b: 'o9' },
      ],
    });
    const [, user] = promptFor(related, event, candidatesFor(related, event), []);
    expect(user?.content).toContain(
      'Relations:\n#1 near #2 (from 1.5 s to 3.0 s)\n#2 moving towards #3 (from 1.5 s to now)\nEarlier events:',
    );
    expect(user?.content).not.toContain('#9');
  });

  it('offers neither later events nor those of strangers, and no participant as a third object', () => {
    const scene = snapshotOf(
      [0, 1, 2, 3].map((at) => ({
        knots: [
          [0, 50 * at, 9],
          [9, 50 * at, 90],
        ] as const,
      })),
      [
        { type: 'meet', t: 1, of: ['o3', 'o4'] },
        { type: 'collide', t: 2, of: ['o1', 'o2'] },
        { type: 'stop', t: 3, of: ['o1'] },
        { type: 'turn', t: 4, of: ['o1'] },
      ],
    );
    const { events, thirds } = candidatesFor(new MemoryIndex(scene), eventById(scene, 'e3'));
    expect(events.map(({ id }) => id)).toEqual(['e2']);
    expect(thirds).toEqual(['o2']);
  });

  it('stays small however much memory holds', () => {
    const objects = Array.from({ length: 40 }, () => ({
      label: 'person',
      knots: [
        [0, 9, 9],
        [20, 90, 90],
      ] as const,
    }));
    const events = Array.from({ length: 300 }, (_, at): ScriptedEvent => {
      const of = [`o${(at % 40) + 1}`, `o${((at * 7 + 1) % 40) + 1}`];
      return { type: 'meet', t: 5 + at / 30, of };
    });
    const crowd = snapshotOf(objects, events);
    const crowded = new MemoryIndex(crowd);
    const last = eventById(crowd, 'e300');
    const text = JSON.stringify(promptFor(crowded, last, candidatesFor(crowded, last), []));
    // About four characters a token: under 800 tokens leaves room to answer in a context of 2,048.
    expect(text.length).toBeLessThan(3200);
  });

  it('puts pictures before the words', () => {
    const images = ['data:image/jpeg;base64,AA', 'data:image/jpeg;base64,BB'];
    const content = promptFor(index, event, candidatesFor(index, event), images)[1]?.content;
    expect(Array.isArray(content) && content.map(({ type }: { type: string }) => type)).toEqual([
      'image_url',
      'image_url',
      'text',
    ]);
  });

  it('asks for a repair with what was wrong, quoting little', () => {
    const asked = repairPrompt(
      promptFor(index, event, candidatesFor(index, event), []),
      'y'.repeat(9999),
      'text: too long',
    );
    expect(asked.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(asked[2]?.content.length).toBe(600);
    expect(asked[3]?.content).toContain('text: too long');
  });
});
