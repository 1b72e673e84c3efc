import { describe, expect, it } from 'vitest';
import { justify } from '../../../../src/reasoner/predict/justification.js';
import { Verifier } from '../../../../src/reasoner/explain/verify/verifier.js';
import { pushedRow, snapshotOf } from '../../../support/reasoner/snapshots.js';

describe('justify', () => {
  it('names the event that leads to what is foretold', () => {
    const whole = pushedRow();
    const snapshot = { ...whole, t: 3, events: whole.events.filter(({ event }) => event.t <= 3) };
    const { text, events } = justify(
      { type: 'collide', participants: ['o2', 'o3'], probability: 0.6 },
      snapshot,
    );
    expect(text).toContain('1.0 s ago ball #1 collided with cube #2');
    expect(events).toContain('e2');
  });

  it('names no event that only made it possible, nor one of others', () => {
    const still = { knots: [[0, 100, 160] as const, [9, 100, 160] as const] };
    const far = { knots: [[0, 400, 60] as const, [9, 400, 60] as const] };
    const snapshot = snapshotOf(
      [still, far],
      [
        { type: 'enter', t: 4, of: ['o1'] },
        { type: 'turn', t: 4.5, of: ['o2'] },
      ],
      5,
    );
    const justification = justify({ type: 'start_moving', participants: ['o1'], probability: 0.4 }, snapshot);
    expect(justification.text).not.toContain('ago');
    expect(justification.events).toEqual([]);
  });

  it('cites only what verifies', () => {
    const snapshot = pushedRow();
    const event = { type: 'turn' as const, participants: ['o3'] };
    const justification = justify({ ...event, probability: 0.5 }, snapshot);
    const prediction = {
      ...{ id: 'p1', event, window: { from: snapshot.t, to: snapshot.t + 3 }, probability: 0.5, rank: 1 },
      ...{ baseRate: 0.1, justification, issuedAt: snapshot.t, by: { backend: 'forecaster', model: 'm' } },
    };
    expect(justification.events).toContain('e4');
    expect(new Verifier().verifyPrediction(prediction, snapshot)).toEqual({ ok: true, problems: [] });
  });
});
