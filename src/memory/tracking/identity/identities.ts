import type { Appearance } from './appearance.js';
import { compatible } from './label-votes.js';
import { nesting, CLEAR_VIEW } from '../sightings.js';
import type { Pair } from '../matching.js';
import type { TrackState } from '../track.js';

/** Objects of which this share of the smaller lies in the other may change places unnoticed. */
const RIVAL_NESTING = 0.6;
/** They have parted when less than this does. */
const PARTED_NESTING = 0.2;
/** Tokens of each after parting before it is judged who is who, and how long is waited for them, s. */
const MIN_EMBEDDINGS = 3;
const JUDGE_S = 3;
/** The same while one of them is not to be seen: it may still come out from behind, s. */
const AWAY_S = 6;
/** Evidence (natural logarithm of the likelihood ratio) that lets two exchange their identities. */
const EXCHANGE_EVIDENCE = 4;
/** An object's look is compared for calibration this often, s. */
const SAMPLE_EVERY_S = 0.5;

/** Learns what cosines are worth from the objects in clear view that motion alone tells apart. */
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

/** The next track of the same label, round and round. */
function nextOfKind(pairs: readonly Pair[], k: number): TrackState | undefined {
  for (let step = 1; step < pairs.length; step += 1) {
    const other = pairs[(k + step) % pairs.length]?.[0];
    if (other?.label === pairs[k]?.[0].label) return other;
  }
  return undefined;
}

/**
 * Marks objects that overlap so much that they may change places unnoticed, and judges by their looks, once they have
 * parted, whether they did; then each gets its identity back.
 *
 * @returns how many pairs were exchanged
 */
export function settleRivals(tracks: readonly TrackState[], appearance: Appearance, t: number): number {
  const withLook = tracks.filter(({ id, gallery }) => id !== undefined && gallery.size > 0);
  markRivals(withLook, t);
  let exchanged = 0;
  for (const track of withLook) {
    for (const [id, since] of [...track.rivals]) {
      const own = track.id ?? '';
      const other = withLook.find((one) => one.id === id);
      const verdict = judge(track, other, appearance, t - since);
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
      const parted = nesting(a.box, b.box);
      const known = a.rivals.has(b.id ?? '') && parted > PARTED_NESTING;
      if (parted < RIVAL_NESTING && !known) continue;
      a.rival(b.id ?? '', t);
      b.rival(a.id ?? '', t);
    }
  });
}

/** Undefined while there is something to wait for. */
function judge(
  a: TrackState,
  b: TrackState | undefined,
  appearance: Appearance,
  parted: number,
): 'keep' | 'exchange' | undefined {
  const late = parted > (b?.seen === true ? JUDGE_S : AWAY_S);
  if (!a.recent || !b?.recent || Math.min(a.recent.count, b.recent.count) < MIN_EMBEDDINGS)
    return late ? 'keep' : undefined;
  const evidence = (track: TrackState, of: TrackState): number =>
    appearance.evidence(of.gallery.cosine(track.recent?.embedding));
  const crossed = evidence(a, b) + evidence(b, a) - evidence(a, a) - evidence(b, b);
  return crossed > EXCHANGE_EVIDENCE ? 'exchange' : 'keep';
}
