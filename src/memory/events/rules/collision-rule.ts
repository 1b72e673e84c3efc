import { z } from 'zod';
import { boxCentre, boxGap } from '../../../core/maths/box.js';
import { SAMPLE_HZ, TOUCH } from '../../../core/ontology.js';
import type { TrackSegment } from '../../track-segment.js';
import { beyond, savedSample, timeOf, type Report } from '../finding.js';
import { usualChange } from '../noise.js';
import { centreDistance, meanSize, type Pair, type PairMoment, type PairRule } from '../pair.js';

/** Samples on each side of a moment among which it must be the closest, and in which a velocity may change. */
const AROUND = 2;
/**
 * Minimum change of velocity of a collision, bh/s, and minimum cosine of its angle to the direction away from the
 * other.
 */
const KICK = 0.5;
const AWAY_COSINE = 0.5;
const TOLERANCE = 1e-9;
/**
 * On estimated tracks of people a kick must be this many times the usual change of velocity of both. Gaussian noise
 * exceeds 4 medians in one of 65000 cases, and a contact offers a few dozen chances.
 */
const UNUSUAL = 4;

/**
 * People whose feet are farther apart on the image than this, in mean body heights along the vertical, stand at
 * different depths: one passes in front of the other. On flat ground seen by a camera at c body heights, feet Δ apart
 * in depth at distance Z are c·Δ/Z body heights apart; bodies touch below Δ ≈ 0.6 m, so with a camera less than 5 m up
 * and 8 m or more away contact means less than 0.25.
 */
const SAME_DEPTH_H = 0.25;

/** A run of samples in which two boxes are in contact. */
interface Contact {
  /** First sample, and last one once the boxes are apart. */
  readonly from: number;
  to: number | undefined;
  /** Distances of the centres in mean sizes, from sample `distancesFrom` on. */
  distances: number[];
  distancesFrom: number;
  /** Earliest sample that may still be the moment of the collision. */
  candidate: number;
}

/** JSON has no infinities: `null` is the candidate of a reported contact, and a latest sample that is not set. */
const stateSchema = z.object({
  contacts: z.array(
    z.object({
      from: z.number(),
      to: savedSample,
      distances: z.array(z.number()),
      distancesFrom: z.number(),
      candidate: z.number().nullable(),
    }),
  ),
  latest: z.number().nullable(),
});

/**
 * `collide`: boxes in contact and, around the closest moment, a change of velocity that points away from the other.
 * Of several closest moments of a contact the first with such a change counts.
 */
export class CollisionRule implements PairRule {
  #contacts: Contact[] = [];
  #latest = -Infinity;

  constructor(private readonly pair: Pair) {}

  step({ k, a, b }: PairMoment, report: Report): void {
    const size = meanSize(a, b);
    const open = this.#contacts.find(({ to }) => to === undefined);
    this.#latest = k;
    if (boxGap(a.box, b.box) < TOUCH * size) {
      const contact = open ?? this.#begin(k);
      contact.distances.push(centreDistance(a, b) / size);
    } else if (open) {
      open.to = k - 1;
    }
    if (this.#contacts.length > 0) this.#decide(report);
  }

  end(report: Report): void {
    for (const contact of this.#contacts) contact.to ??= this.#latest;
    this.#decide(report);
  }

  saveState(): unknown {
    return {
      contacts: this.#contacts.map((contact) => ({
        ...contact,
        to: contact.to ?? null,
        distances: [...contact.distances],
        candidate: finite(contact.candidate),
      })),
      latest: finite(this.#latest),
    };
  }

  restoreState(state: unknown): void {
    const { contacts, latest } = stateSchema.parse(state);
    this.#contacts = contacts.map(({ from, to, distances, distancesFrom, candidate }) => {
      return { from, to, distances, distancesFrom, candidate: candidate ?? Infinity };
    });
    this.#latest = latest ?? -Infinity;
  }

  #begin(k: number): Contact {
    const contact = { from: k, to: undefined, distances: [], distancesFrom: k, candidate: k };
    this.#contacts.push(contact);
    return contact;
  }

  #decide(report: Report): void {
    for (const contact of this.#contacts) this.#follow(contact, report);
    this.#contacts = this.#contacts.filter(({ to, candidate }) => to === undefined || candidate <= to);
  }

  /** The change of velocity around sample k that indicates a collision, bh/s; 0 without one. */
  #kick(k: number): number {
    const { a, b } = this.pair;
    const kicks = [kickOf(a, b, k), kickOf(b, a, k)] as const;
    if (a.exact || !a.upright || !b.upright) return Math.max(...kicks);
    // Two estimated people: occluding boxes distort each other, so both must be pushed, clearly, at the same depth.
    const kick = Math.min(...kicks);
    if (kick <= KICK || !atOneDepth(a, b, k)) return 0;
    return kick > UNUSUAL * Math.max(usualChange(a, k), usualChange(b, k)) ? kick : 0;
  }

  /** Advances the contact's candidate as far as the samples allow, and reports the collision once it is certain. */
  #follow(contact: Contact, report: Report): void {
    for (;;) {
      const k = contact.candidate;
      const known = contact.to ?? this.#latest;
      if (k > known || (contact.to === undefined && known < k + AROUND)) break;
      if (isClosest(contact, k, known)) {
        const { a, b } = this.pair;
        const kick = this.#kick(k);
        if (kick > KICK) {
          report({
            type: 'collide',
            t: timeOf(k),
            participants: [{ segment: a }, { segment: b }],
            clearness: beyond(kick, KICK),
          });
          contact.candidate = Infinity;
          return;
        }
        if (!(kickKnown(a, b, k) && kickKnown(b, a, k))) break;
      }
      contact.candidate = k + 1;
    }
    const unused = Math.min(contact.candidate - AROUND - contact.distancesFrom, contact.distances.length);
    if (unused > 0 && contact.candidate < Infinity) {
      contact.distances.splice(0, unused);
      contact.distancesFrom += unused;
    }
  }
}

function finite(k: number): number | null {
  return Number.isFinite(k) ? k : null;
}

/** True when no sample of the contact within 0.2 s is closer than sample k. */
function isClosest({ from, distances, distancesFrom }: Contact, k: number, known: number): boolean {
  const at = (n: number): number => distances[n - distancesFrom] ?? Infinity;
  for (let n = Math.max(from, k - AROUND); n <= Math.min(known, k + AROUND); n++) {
    if (at(n) < at(k) - TOLERANCE) return false;
  }
  return true;
}

/** False when two people stand on the ground at clearly different depths. */
function atOneDepth(a: TrackSegment, b: TrackSegment, k: number): boolean {
  const [p, q] = [a.at(k), b.at(k)];
  if (!p || !q) return true;
  return Math.abs(p.position[1] - q.position[1]) <= (SAME_DEPTH_H * (p.height + q.height)) / 2;
}

/**
 * Largest change of the velocity of `segment` away from `other`, bh/s, among the moments within 0.2 s of sample k:
 * 0.2 s after against 0.2 s before. 0 without one, or without samples.
 */
function kickOf(segment: TrackSegment, other: TrackSegment, k: number): number {
  let largest = 0;
  for (let n = k - AROUND; n <= k + AROUND; n++) {
    const [before, now, after, otherNow] = [
      segment.at(n - AROUND),
      segment.at(n),
      segment.at(n + AROUND),
      other.at(n),
    ];
    if (!before || !now || !after || !otherNow) continue;
    const scale = SAMPLE_HZ / AROUND / now.height;
    const dx = (after.position[0] - 2 * now.position[0] + before.position[0]) * scale;
    const dy = (after.position[1] - 2 * now.position[1] + before.position[1]) * scale;
    const [x, y] = boxCentre(now.box);
    const [ox, oy] = boxCentre(otherNow.box);
    const [ax, ay] = [x - ox, y - oy];
    const size = Math.hypot(dx, dy);
    if (dx * ax + dy * ay >= AWAY_COSINE * size * Math.hypot(ax, ay) - TOLERANCE)
      largest = Math.max(largest, size);
  }
  return largest;
}

function kickKnown(segment: TrackSegment, other: TrackSegment, k: number): boolean {
  return segment.isFinal(k + 2 * AROUND) && other.isFinal(k + AROUND);
}
