import { scaleBox } from '../../core/maths/box.js';
import type { EventObserved, Participant } from '../../core/messages.js';
import { EVENT_TYPES } from '../../core/ontology.js';
import type { Finding, Participation } from './finding.js';
import type { FrameSize } from './rules/presence-rule.js';

/**
 * Factor of confidence at clearness 0: an event that barely passes its thresholds keeps this share of its objects'
 * support.
 */
const MIN_SUPPORT_SHARE = 0.6;
const TIME_DECIMALS = 1000;

/** Turns findings into numbered events: `e1`, `e2`, … in order of emission. */
export class EventEmitterStage {
  /** Number of events emitted so far. */
  emitted = 0;

  /**
   * The events of one percept, by time, then type, then participants. `confidence` is the minimum support (mean
   * detection score) of the objects times 0.6–1 by how far the evidence lies beyond the thresholds of the type; or
   * the finding's probability where it has one.
   *
   * @param observedAt media time of the percept
   */
  emit(findings: readonly Finding[], observedAt: number, frame: FrameSize): readonly EventObserved[] {
    const ordered = findings.length > 1 ? [...findings].sort(byTime) : findings;
    return ordered.map((finding) => ({ event: this.#event(finding, frame), observedAt }));
  }

  #event(finding: Finding, frame: FrameSize): EventObserved['event'] {
    this.emitted += 1;
    const support = Math.min(...finding.participants.map(({ segment }) => segment.support));
    return {
      id: `e${this.emitted}`,
      type: finding.type,
      participants: finding.participants.map((one) => participant(one, finding.t, frame)),
      t: Math.round(finding.t * TIME_DECIMALS) / TIME_DECIMALS,
      confidence:
        finding.probability ??
        Math.min(1, support * (MIN_SUPPORT_SHARE + (1 - MIN_SUPPORT_SHARE) * finding.clearness)),
      ...(finding.zone === undefined ? {} : { zone: finding.zone }),
      ...(finding.direction === undefined ? {} : { direction: finding.direction }),
    };
  }
}

function participant({ segment, role }: Participation, t: number, frame: FrameSize): Participant {
  const [x, y, w, h] = scaleBox(segment.boxAt(t), 1 / frame.width, 1 / frame.height);
  const { id, label } = segment.subject;
  return { id, label, ...(role === undefined ? {} : { role }), box: [x, y, w, h] };
}

function byTime(a: Finding, b: Finding): number {
  return (
    a.t - b.t || EVENT_TYPES.indexOf(a.type) - EVENT_TYPES.indexOf(b.type) || compare(idsOf(a), idsOf(b))
  );
}

function idsOf({ participants }: Finding): string {
  return participants.map(({ segment }) => segment.subject.id).join();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
