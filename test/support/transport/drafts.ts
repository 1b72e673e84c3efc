import type { Draft, MessageKind } from '../../../src/core/messages.js';

const BY = { backend: 'rules', model: 'rules-1', ms: 1.25 };
const prediction = (id: string): Extract<Draft, { kind: 'prediction.created' }>['data']['prediction'] => ({
  id,
  event: { type: 'exit', participants: ['o7'] },
  window: { from: 12.48, to: 15.48 },
  probability: 0.123456789,
  rank: 1,
  baseRate: 0.02,
  justification: { text: 'person #7 walks towards the edge', events: ['e12'], objects: ['o7'] },
  issuedAt: 12.48,
  by: BY,
});

/** One plausible draft of each kind that a stage can produce, all optional fields present. */
export const SAMPLE_DRAFTS: readonly Draft[] = [
  {
    kind: 'stream.state',
    mediatime: 0,
    data: {
      state: 'live',
      source: { width: 1920, height: 1080, fps: 29.97002997, codec: 'h264' },
      load: { processedFps: 14.98765, skipped: 3, stage: 'perception' },
    },
  },
  objectsDraft(12.48),
  eventDraft(12, 12.48),
  {
    kind: 'answer.created',
    mediatime: 12.48,
    data: {
      question: 'when did #4 meet #7?',
      text: 'Person #4 met person #7 at 0:12.1.',
      evidence: [{ objects: ['o4', 'o7'], events: ['e11'], from: 12.1, to: 12.1 }],
      confidence: 0.8,
    },
  },
  {
    kind: 'explanation.created',
    mediatime: 12.48,
    subject: 'x4',
    data: {
      explanation: {
        id: 'x4',
        of: 'e12',
        text: 'person #7 stopped because person #4 stood in the way',
        chain: [
          {
            text: 'person #4 stood in the way',
            relation: 'cause',
            events: ['e11'],
            objects: ['o4'],
            from: 10,
            to: 12.1,
            evidence: [{ t: 11.0000001, box: [0.1234567, 0.2, 0.3, 1 / 3] }],
          },
        ],
        causes: [{ object: 'o4', probability: 0.7, counterfactual: 'without #4, #7 would have gone on' }],
        confidence: 0.8,
        verified: { ok: true, problems: [] },
        by: BY,
      },
    },
  },
  {
    kind: 'forecast.updated',
    mediatime: 12,
    data: {
      at: 12,
      horizon: 3,
      items: [{ type: 'exit', participants: ['o7'], zone: 'door', probability: 1 / 3 }],
    },
  },
  { kind: 'prediction.created', mediatime: 12.48, subject: 'p31', data: { prediction: prediction('p31') } },
  { kind: 'prediction.updated', mediatime: 13.48, subject: 'p31', data: { prediction: prediction('p31') } },
  {
    kind: 'prediction.resolved',
    mediatime: 15.5,
    subject: 'p31',
    data: {
      prediction: { ...prediction('p31'), outcome: 'hit', resolvedAt: 15.5, eventId: 'e13', leadTime: 2.5 },
    },
  },
  scorecardDraft(60),
  {
    kind: 'summary.created',
    mediatime: 60,
    data: { from: 0, to: 60, text: 'Two people met and left.', events: ['e12'], objects: ['o4', 'o7'] },
  },
];

export function sampleDraft(kind: MessageKind): Draft {
  const draft = SAMPLE_DRAFTS.find((one) => one.kind === kind);
  if (draft === undefined) throw new Error(`no sample of ${kind}`);
  return draft;
}

export function eventDraft(number: number, mediatime: number): Draft {
  return {
    kind: 'event.observed',
    mediatime,
    subject: `e${number}`,
    data: {
      event: {
        id: `e${number}`,
        type: 'stop',
        participants: [{ id: 'o7', label: 'person', role: 'subject', box: [0.1, 0.2, 0.123456789, 0.4] }],
        t: mediatime - 0.8,
        to: mediatime,
        confidence: 0.987654321,
        zone: 'door',
        direction: 'a>b',
      },
      observedAt: mediatime,
    },
  };
}

export function objectsDraft(mediatime: number, count = 1): Draft {
  return {
    kind: 'objects.updated',
    mediatime,
    data: {
      objects: Array.from({ length: count }, (_, index) => ({
        id: `o${index + 1}`,
        label: 'person',
        score: 0.87654321,
        box: [0.1, 0.2, 0.1, 0.3] as [number, number, number, number],
        velocity: [0.01, -0.0000001] as [number, number],
        age: 3.2,
        state: 'moving' as const,
        mask: { size: [4, 4] as [number, number], counts: '0616' },
      })),
    },
  };
}

export function scorecardDraft(mediatime: number): Draft {
  const scores = { n: 40, positives: 12, brier: 0.0812345678, skill: 0.31, ece: 0.02, ap: null };
  return {
    kind: 'scorecard.updated',
    mediatime,
    data: {
      window: { from: 0, to: mediatime },
      n: 40,
      brier: 0.0812345678,
      skill: 0.31,
      ece: 0.02,
      ap: null,
      medianLeadTime: 1.4,
      reliability: [{ p: 0.05, observed: 0.0333333333, n: 30 }],
      byType: { exit: scores },
    },
  };
}
