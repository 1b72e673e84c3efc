import type {
  Draft,
  Explanation,
  ObjectState,
  ObservedEvent,
  Prediction,
} from '../../../../src/core/messages.js';

/** Messages made up for tests; every field can be overridden. */
const by = { backend: 'rules', model: 'rules-1' };

export function anObject(id: string, over: Partial<ObjectState> = {}): ObjectState {
  return {
    id,
    label: 'person',
    score: 0.9,
    box: [0.4, 0.3, 0.08, 0.3],
    velocity: [0.05, 0],
    age: 2,
    state: 'moving',
    ...over,
  };
}

export function objectsAt(t: number, objects: ObjectState[]): Draft {
  return { kind: 'objects.updated', mediatime: t, data: { objects } };
}

export function anEvent(id: string, t: number, over: Partial<ObservedEvent> = {}): Draft {
  const event: ObservedEvent = {
    id,
    type: 'meet',
    participants: [
      { id: 'o4', label: 'person', box: [0.4, 0.3, 0.08, 0.3] },
      { id: 'o7', label: 'person', box: [0.5, 0.32, 0.08, 0.28] },
    ],
    t,
    confidence: 0.9,
    ...over,
  };
  return { kind: 'event.observed', mediatime: t + 0.8, subject: id, data: { event, observedAt: t + 0.8 } };
}

export function anExplanation(of: string, t: number, over: Partial<Explanation> = {}): Draft {
  const step = { relation: 'before', events: ['e1'], objects: ['o4'], from: t - 2, to: t, evidence: [] };
  const explanation: Explanation = {
    id: `x${of}`,
    of,
    text: 'They met because person #4 walked towards person #7, which had stopped.',
    chain: [
      { ...step, text: 'Person #7 stopped at 9.2 s' },
      { ...step, text: 'person #4 kept walking towards it for 2.1 s' },
    ],
    causes: [
      { object: 'o4', probability: 0.8, counterfactual: 'Without person #4 they would not have met.' },
    ],
    confidence: 0.7,
    verified: { ok: true, problems: [] },
    by,
    ...over,
  };
  return { kind: 'explanation.created', mediatime: t, subject: explanation.id, data: { explanation } };
}

export function aPrediction(id: string, t: number, over: Partial<Prediction> = {}): Prediction {
  return {
    id,
    event: { type: 'exit', participants: ['o3'] },
    window: { from: t, to: t + 3 },
    probability: 0.78,
    rank: 1,
    baseRate: 0.09,
    justification: {
      text: 'It walks at 1.4 body heights per second towards the left border.',
      events: [],
      objects: ['o3'],
    },
    issuedAt: t,
    by,
    ...over,
  };
}

export function created(prediction: Prediction): Draft {
  return {
    kind: 'prediction.created',
    mediatime: prediction.issuedAt,
    subject: prediction.id,
    data: { prediction },
  };
}

export function resolved(
  prediction: Prediction,
  outcome: 'hit' | 'miss' | 'void',
  resolvedAt: number,
): Draft {
  const lead = outcome === 'hit' ? { leadTime: 1.8, eventId: 'e9' } : {};
  return {
    kind: 'prediction.resolved',
    mediatime: resolvedAt,
    subject: prediction.id,
    data: { prediction: { ...prediction, outcome, resolvedAt, ...lead } },
  };
}

export function aScorecard(t: number, n = 37): Draft {
  const scores = { n, positives: 9, brier: 0.112, skill: 0.31, ece: 0.058, ap: 0.66 };
  return {
    kind: 'scorecard.updated',
    mediatime: t,
    data: {
      window: { from: 0, to: t },
      n,
      brier: 0.112,
      skill: 0.31,
      ece: 0.058,
      ap: 0.66,
      medianLeadTime: 1.8,
      reliability: [
        { p: 0.05, observed: 0.03, n: 20 },
        { p: 0.35, observed: 0.4, n: 8 },
        { p: 0.78, observed: 0.71, n: 9 },
      ],
      byType: { exit: scores, meet: { ...scores, n: 4, positives: 0, ap: null, skill: -0.1 } },
    },
  };
}

export function aState(t: number, state: 'live' | 'ended' | 'reconnecting', reason?: string): Draft {
  return {
    kind: 'stream.state',
    mediatime: t,
    data: {
      state,
      ...(reason === undefined ? {} : { reason }),
      ...(state === 'live' ? { source: { width: 768, height: 576, fps: 10, codec: 'h264' } } : {}),
    },
  };
}

/** A short scene with something of every kind. */
export function story(): Draft[] {
  const leaves = aPrediction('p1', 13);
  const meets = aPrediction('p2', 15, {
    event: { type: 'meet', participants: ['o4', 'o7'] },
    probability: 0.41,
    window: { from: 17, to: 20 },
  });
  const gate = aPrediction('p3', 15.5, {
    event: { type: 'zone_enter', participants: ['o4'], zone: 'gate' },
    probability: 0.64,
  });
  const one = (id: string): ObservedEvent['participants'] => [
    { id, label: 'person', box: [0.1, 0.3, 0.08, 0.3] },
  ];
  return [
    aState(0, 'live'),
    objectsAt(0, [anObject('o3'), anObject('o4'), anObject('o7'), anObject('o9', { label: 'bicycle' })]),
    anEvent('e1', 0, { type: 'enter', participants: one('o3') }),
    anEvent('e2', 9.2, { type: 'stop', participants: one('o7') }),
    anEvent('e4', 11.9, { type: 'approach' }),
    anEvent('e5', 12.4),
    anExplanation('e5', 13.2),
    created(leaves),
    resolved(leaves, 'hit', 14.8),
    created(meets),
    created(gate),
    { ...created({ ...meets, probability: 0.72 }), kind: 'prediction.updated' } as Draft,
    anEvent('e6', 16.1, { type: 'line_cross', participants: one('o4'), zone: 'kerb', confidence: 0.4 }),
    anEvent('e7', 17, { type: 'collide' }),
    anExplanation('e7', 18.2, {
      chain: [],
      text: 'They were too close to turn away.',
      verified: { ok: false, problems: ['order'] },
    }),
    resolved(gate, 'miss', 18.5),
    aState(19, 'reconnecting', 'the camera did not answer'),
    resolved(meets, 'void', 19),
    {
      kind: 'summary.created',
      mediatime: 20,
      data: {
        from: 0,
        to: 20,
        text: 'Two people met near the gate and walked on together.',
        events: ['e5'],
        objects: ['o4', 'o7'],
      },
    },
    aScorecard(60),
    aState(61, 'ended'),
  ];
}
