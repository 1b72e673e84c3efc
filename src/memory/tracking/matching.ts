import { boxCentre } from '../../core/maths/box.js';
import { associate, unambiguous, type Reach, type Similarity } from './association.js';
import type { Appearance } from './identity/appearance.js';
import { boxScale } from './filter/box-filter.js';
import type { ClutterMap } from './clutter.js';
import { ANY_LABEL } from './identity/label-votes.js';
import {
  greatestReach,
  resemblance,
  resemblesLast,
  resemblesLeap,
  resemblesWeakly,
} from './identity/resemblance.js';
import type { Sighting } from './sightings.js';
import type { TrackState } from './track.js';

/** Maximum time over which weak detections alone continue an object, s: they bridge an occlusion. */
const WEAK_S = 2;
/** Similarity of a detection with score s counts (1 − share) + share · s: the better detection wins a tie. */
const SCORE_SHARE = 0.5;
/** Maximum relative change of a similarity by appearance: it decides only between pairs that motion allows. */
const APPEARANCE_SHARE = 0.5;
/** Evidence (natural logarithm) at which appearance has most of its effect. */
const APPEARANCE_EVIDENCE = 3;

export type Pair = readonly [track: TrackState, sighting: Sighting];

export interface Match {
  readonly pairs: readonly Pair[];
  /** Pairs so far apart that they are accepted only because they are unambiguous. */
  readonly leaps: readonly Pair[];
  /** Confirmed tracks without a detection. */
  readonly missed: readonly TrackState[];
  /** Confident detections that continue nothing. */
  readonly free: readonly Sighting[];
  /** Weak detections that continue nothing. */
  readonly noise: readonly Sighting[];
}

export interface Matching {
  readonly tracks: readonly TrackState[];
  readonly sightings: readonly Sighting[];
  readonly t: number;
  readonly highScore: number;
  readonly clutter: ClutterMap;
  readonly appearance: Appearance;
}

/**
 * Joins detections to tracks in stages: confident detections to the predictions of tracks, then to the last places of
 * hidden ones (OC-SORT), then weak detections to the remaining tracks (ByteTrack), then detections of motion to named
 * tracks that they overlap well; confirmed tracks first.
 */
export function match({ tracks, sightings, t, highScore, clutter, appearance }: Matching): Match {
  const strong = ({ score }: Sighting): boolean => score >= highScore;
  const high = sightings.filter(strong);
  const low = sightings.filter((one) => !strong(one));
  const unknown = low.filter((sighting) => !clutter.explains(sighting));
  const pairs: Pair[] = [];
  const join = (
    rows: readonly TrackState[],
    columns: readonly Sighting[],
    similarity: Similarity<TrackState, Sighting>,
  ): [rows: readonly TrackState[], columns: readonly Sighting[]] => {
    const result = associate(rows, columns, similarity, reachOf(columns));
    pairs.push(...result.pairs);
    return [result.rows, result.columns];
  };
  const expected = weighed(resemblance, appearance);
  const weakly = weighed(resemblesWeakly, appearance);
  const confirmed = tracks.filter(({ id }) => id !== undefined);
  const [away, unclaimed] = join(confirmed, high, ofItsKind(expected));
  const [hidden, unmet] = join(
    away.filter(({ seen }) => !seen),
    unclaimed,
    ofItsKind(resemblesLast),
  );
  const absent = [...away.filter(({ seen }) => seen), ...hidden];
  const [unfound, weak] = join(
    absent.filter(({ strongAt }) => t - strongAt < WEAK_S),
    unknown,
    weakly,
  );
  const overdue = absent.filter(({ strongAt }) => t - strongAt >= WEAK_S);
  const [, unnamed] = join([...unfound, ...overdue], unmet, weakly);
  const tentative = tracks.filter(({ id }) => id === undefined);
  const [young, left] = join(tentative, unnamed, expected);
  const [, noise] = join(young, weak, weakly);
  const claimed = new Set(pairs.map(([track]) => track));
  const leaps = leap(
    young.filter((track) => !claimed.has(track)),
    left,
    t,
  );
  const taken = new Set(leaps.map(([, sighting]) => sighting));
  const explained = new Set(unknown);
  return {
    pairs,
    leaps,
    missed: absent.filter((track) => !claimed.has(track)),
    free: left.filter((sighting) => !taken.has(sighting)),
    noise: [...low.filter((sighting) => !explained.has(sighting)), ...noise],
  };
}

/** A region of motion may be a part of a named object: the detector's boxes, weak ones too, come first. */
function ofItsKind(similarity: Similarity<TrackState, Sighting>): Similarity<TrackState, Sighting> {
  return (track, sighting) =>
    sighting.label === ANY_LABEL && track.label !== ANY_LABEL ? 0 : similarity(track, sighting);
}

/** Range along x of the detections that a track may match. */
function reachOf(columns: readonly Sighting[]): Reach<TrackState, Sighting> {
  const largest = columns.reduce((max, { box }) => Math.max(max, boxScale(box)), 0);
  return {
    of: (track) => {
      const reach = greatestReach(track, largest);
      const [expected, last] = [boxCentre(track.box)[0], boxCentre(track.lastBox)[0]];
      return [Math.min(expected, last) - reach, Math.max(expected, last) + reach];
    },
    at: ({ box }) => boxCentre(box)[0],
  };
}

/** Unambiguous pairs of new tracks that move too fast to overlap; these tracks need more detections to be confirmed. */
function leap(young: readonly TrackState[], free: readonly Sighting[], t: number): readonly Pair[] {
  const lone = young.filter((track) => track.hits === 1);
  return unambiguous(lone, free, (track, sighting) => resemblesLeap(track, sighting, t));
}

/** The similarity by place, weighted by the detection's score and by its similarity in appearance. */
function weighed(
  similarity: Similarity<TrackState, Sighting>,
  appearance: Appearance,
): Similarity<TrackState, Sighting> {
  return (track, sighting) => {
    const near = similarity(track, sighting);
    if (near <= 0) return near;
    const scored = near * (1 - SCORE_SHARE * (1 - sighting.score));
    const evidence = appearance.evidence(track.gallery.cosine(sighting.embedding));
    return scored * (1 + APPEARANCE_SHARE * Math.tanh(evidence / APPEARANCE_EVIDENCE));
  };
}
