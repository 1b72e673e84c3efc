import type { Draft } from '../../core/messages.js';

/** Ids by which a message is found again: of the event, explanation or prediction that it tells, and of who takes part. */
export function refsOf(draft: Draft): readonly string[] {
  switch (draft.kind) {
    case 'event.observed': {
      const { id, participants } = draft.data.event;
      return [id, ...participants.map((participant) => participant.id)];
    }
    case 'explanation.created':
      // By what it explains. The objects are found by the event.
      return [`of:${draft.data.explanation.of}`];
    case 'prediction.created':
    case 'prediction.resolved':
      return [draft.data.prediction.id];
    default:
      return [];
  }
}
