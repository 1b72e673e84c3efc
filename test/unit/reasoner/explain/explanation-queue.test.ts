import { describe, expect, it } from 'vitest';
import { PresageError } from '../../../../src/core/errors.js';
import type { Explanation } from '../../../../src/core/messages.js';
import type { Explainer } from '../../../../src/core/reasoner.js';
import { ExplanationQueue, type QueuedEvent } from '../../../../src/reasoner/explain/explanation-queue.js';
import { eventById, pushedRow } from '../../../support/reasoner/snapshots.js';

const snapshot = pushedRow();

function explanation(of: string, backend: string): Explanation {
  return {
    id: 'x0',
    of,
    text: backend,
    chain: [],
    causes: [],
    confidence: 0.5,
    verified: { ok: false, problems: [] },
    by: { backend, model: 'test' },
  };
}

function queued(t: number, id = `e${t}`): QueuedEvent {
  return { event: { ...eventById(snapshot, 'e4'), id, t }, snapshot, byRules: explanation(id, 'rules') };
}

/** An explainer whose answers are given by hand, one after the other. */
class HandExplainer implements Explainer {
  readonly name = 'hand';
  readonly asked: string[] = [];
  answer: (value: Explanation | undefined) => void = () => undefined;
  fail: (error: unknown) => void = () => undefined;

  explain(event: { id: string }, _: unknown, signal?: AbortSignal): Promise<Explanation | undefined> {
    this.asked.push(event.id);
    return new Promise((resolve, reject) => {
      this.answer = resolve;
      this.fail = reject;
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
    });
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(options?: ConstructorParameters<typeof ExplanationQueue>[2]) {
  const hand = new HandExplainer();
  const out: Explanation[] = [];
  const queue = new ExplanationQueue(hand, (one) => out.push(one), options);
  const told = (): string[] => out.map((one) => `${one.of} ${one.by.backend}`);
  return { hand, out, queue, told };
}

describe('the queue before a slow explainer', () => {
  it('asks about one event at a time and delivers in order', async () => {
    const { hand, queue, told } = setUp();
    queue.add(queued(1));
    queue.add(queued(2));
    await turn();
    expect(hand.asked).toEqual(['e1']);
    hand.answer(explanation('e1', 'hand'));
    await turn();
    hand.answer(explanation('e2', 'hand'));
    await queue.settle();
    expect(told()).toEqual(['e1 hand', 'e2 hand']);
    expect(queue.stats()).toMatchObject({ waiting: 0, delivered: 2, failed: 0 });
  });

  it('says by rules what the explainer has nothing to say about', async () => {
    const { hand, queue, told } = setUp();
    queue.add(queued(1));
    await turn();
    hand.answer(undefined);
    await queue.settle();
    expect(told()).toEqual(['e1 rules']);
  });

  it('says by rules, and why, what failed', async () => {
    const { hand, queue, out } = setUp();
    queue.add(queued(1));
    await turn();
    hand.fail(new PresageError('backend_failed', 'it answered 500'));
    await queue.settle();
    expect(out[0]?.by.backend).toBe('rules');
    expect(out[0]?.verified.problems).toEqual(['by rules, since hand was not used: it answered 500']);
    expect(queue.stats().failed).toBe(1);
  });

  it('lets the oldest waiting event go when it is full, not without a word', async () => {
    const { hand, queue, told } = setUp({ capacity: 1 });
    queue.add(queued(1));
    await turn();
    queue.add(queued(2));
    queue.add(queued(3));
    expect(told()).toEqual(['e2 rules']);
    expect(queue.stats()).toMatchObject({ waiting: 1, dropped: 1 });
    await queue.close();
    expect(hand.asked).toEqual(['e1']);
  });

  it('does not ask about what is too long ago', async () => {
    const { hand, queue, out } = setUp({ staleAfterS: 30 });
    queue.advance(40);
    queue.add(queued(5));
    await queue.settle();
    expect(hand.asked).toEqual([]);
    expect(out[0]?.verified.problems[0]).toContain('too long ago');
    expect(queue.stats().stale).toBe(1);
  });

  it('leaves an explainer alone that fails again and again, and tries it later', async () => {
    const { hand, queue } = setUp({ restAfterFailures: 2, restS: 10 });
    for (const t of [1, 2]) {
      queue.advance(t);
      queue.add(queued(t));
      await turn();
      hand.fail(new Error('down'));
      await queue.settle();
    }
    queue.advance(5);
    queue.add(queued(5));
    await queue.settle();
    expect(hand.asked).toEqual(['e1', 'e2']);
    expect(queue.stats()).toMatchObject({ failed: 2, rested: 1 });
    queue.advance(13);
    queue.add(queued(13));
    await turn();
    expect(hand.asked).toEqual(['e1', 'e2', 'e13']);
    await queue.close();
  });

  it('interrupts what is under way when it closes and says everything by rules', async () => {
    const { queue, told } = setUp();
    queue.add(queued(1));
    queue.add(queued(2));
    await turn();
    await queue.close();
    expect(told()).toEqual(['e1 rules', 'e2 rules']);
    expect(queue.stats().waiting).toBe(0);
  });
});
