import type { Appearance } from './appearance.js';
import { compatible } from './label-votes.js';
import { nesting, CLEAR_VIEW } from '../sightings.js';
import type { Pair } from '../matching.js';
import type { TrackState } from '../track.js';

/** Two objects may swap identities unnoticed when this share of the smaller lies in the other. */
const RIVAL_NESTING = 0.6;
/** They have separated when less than this does. */
const SEPARATE_NESTING = 0.2;
/** Embeddings of each after the separation that the decision needs, and the maximum wait for them, s. */
const MIN_EMBEDDINGS = 3;
const DECIDE_S = 3;
/** The same while one of them is hidden: it may still reappear from behind the other, s. */
const AWAY_S = 6;
/** Evidence (natural logarithm of the likelihood ratio) at which two tracks exchange their identities. */
const EXCHANGE_EVIDENCE = 4;
/** Interval at which an object's appearance is compared for calibration, s. */
const SAMPLE_EVERY_S = 0.5;

/** Learns the distribution of cosines from objects in clear view that motion alone distinguishes. */
export function calibrate(pairs: readonly Pair[], appearance: Appearance, t: number): void {
  const clear = pairs.filter(
    ([{ id, rivals }, { covered, embedding }]) =>
      id !== undefined && embedding !== undefined && covered <= CLEAR_VIEW && rivals.size === 0,
  );
  clear.forEach(([track, { embedding }], k) => {
    if (!embedding || t - track.sampledAt < SAMPLE_EVERY_S) return;
    track.sampledAt = t;
    const same = track.gallery.cosineWithPast(embedding, t);
    if (same !== undefined) appearance.learnSame(same);
    const other = nextOfKind(clear, k);
    const different = other?.gallery.cosineWithPast(embedding, t);
    if (different !== undefined) appearance.learnOther(different);
  });
}

/** The next track of the same label, cyclically. */
function nextOfKind(pairs: readonly Pair[], k: number): TrackState | undefined {
  for (let step = 1; step < pairs.length; step += 1) {
    const other = pairs[(k + step) % pairs.length]?.[0];
    if (other?.label === pairs[k]?.[0].label) return other;
  }
  return undefined;
}

/**
 * Marks objects that overlap so much that they may swap identities unnoticed, and decides by their appearances, once
 * they have separated, whether they did; if so, exchanges the identities back.
 *
 * @returns number of exchanged pairs
 */
export function settleRivals(tracks: readonly TrackState[], appearance: Appearance, t: number): number {
  const withAppearance = tracks.filter(({ id, gallery }) => id !== undefined && gallery.size > 0);
  markRivals(withAppearance, t);
  let exchanged = 0;
  for (const track of withAppearance) {
    for (const [id, since] of [...track.rivals]) {
      const own = track.id ?? '';
      const other = withAppearance.find((one) => one.id === id);
      const verdict = decide(track, other, appearance, t - since);
      if (!verdict) continue;
      if (verdict === 'exchange' && other) {
        track.exchange(other);
        exchanged += 1;
      }
      track.settle(id, t);
      other?.settle(own, t);
    }
  }
  return exchanged;
}

function markRivals(tracks: readonly TrackState[], t: number): void {
  const order = [...tracks].sort((a, b) => a.box[0] - b.box[0]);
  order.forEach((a, k) => {
    for (let next = k + 1; next < order.length; next += 1) {
      const b = order[next] as TrackState;
      if (b.box[0] >= a.box[0] + a.box[2]) break;
      if (!compatible(a.label, b.label)) continue;
      const nested = nesting(a.box, b.box);
      const known = a.rivals.has(b.id ?? '') && nested > SEPARATE_NESTING;
      if (nested < RIVAL_NESTING && !known) continue;
      a.rival(b.id ?? '', t);
      b.rival(a.id ?? '', t);
    }
  });
}

/** Undefined while the decision needs more embeddings. */
function decide(
  a: TrackState,
  b: TrackState | undefined,
  appearance: Appearance,
  sinceOverlap: number,
): 'keep' | 'exchange' | undefined {
  const late = sinceOverlap > (b?.seen === true ? DECIDE_S : AWAY_S);
  if (!a.recent || !b?.recent || Math.min(a.recent.count, b.recent.count) < MIN_EMBEDDINGS)
    return late ? 'keep' : undefined;
  const evidence = (track: TrackState, of: TrackState): number =>
    appearance.evidence(of.gallery.cosine(track.recent?.embedding));
  const crossed = evidence(a, b) + evidence(b, a) - evidence(a, a) - evidence(b, b);
  return crossed > EXCHANGE_EVIDENCE ? 'exchange' : 'keep';
}
