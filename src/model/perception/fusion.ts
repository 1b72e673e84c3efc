import { iou, type Box } from '../../core/maths/box.js';
import type { Detection } from '../../core/percept.js';

/** A detection at least this sure explains motion; weaker ones are guesses that motion may contradict. */
const SURE_SCORE = 0.4;
/** A proposal is explained by a detection that covers this share of it... */
const COVERED_SHARE = 0.5;
/** ...or overlaps it this much (IoU)... */
const SAME_IOU = 0.3;
/** ...or by detections that lie in it and fill this share of it: several people in one mask, someone with a shadow. */
const FILLED_SHARE = 0.35;
const INSIDE_SHARE = 0.6;
/** Beside a detected one, what touches it and is smaller than this share of it is a part or a shadow of it. */
const PART_SHARE = 0.5;
/** People and animals sway and swing their limbs: reach of their parts beyond the box, in shares of its sides. */
const PART_REACH = 0.2;
/** A guess of the detector and a proposal are one thing from this IoU on. */
const GUESS_IOU = 0.4;
/** Guesses that lie in a proposal to this share may be parts of it... */
const PART_INSIDE = 0.8;
/** ...which overlap one another less than this (IoU)... */
const PARTS_IOU = 0.3;
/** ...none of which is nearly all of it (IoU)... */
const SAME_WHOLE_IOU = 0.6;
/** ...and the proposal shows several things, not one, when the box around its parts is the same as its own (IoU). */
const TILED_IOU = 0.8;
/** Classes with limbs or loads: their outline changes, and the detector's box is the better one. */
const ARTICULATED = new Set([
  ...['person', 'bicycle', 'motorcycle', 'bird', 'cat', 'dog', 'horse', 'sheep', 'cow'],
  ...['elephant', 'bear', 'zebra', 'giraffe', 'umbrella', 'kite'],
]);
/** Of rigid things, which only one proposal shows, the mask's outline is the tighter one from this IoU on. */
const OUTLINE_IOU = 0.6;

/**
 * One list of what the detector and motion found. A proposal that sure detections explain is left out; it lends a
 * rigid thing its score and its outline. One that guesses of the detector tile, such as two things that touch, is taken apart
 * into them. What no detection explains stays as it is, and replaces weak guesses of the detector at its place.
 *
 * @returns detections first, then the remaining proposals
 */
export function fuseProposals(
  detections: readonly Detection[],
  proposals: readonly Detection[],
): Detection[] {
  const sure = detections.filter(({ score }) => score >= SURE_SCORE);
  const unexplained = proposals
    .filter(({ box }) => !isExplained(box, sure))
    .flatMap((proposal) => splitDetections(proposal, detections));
  const kept = detections
    .filter(
      ({ score, label, box }) =>
        score >= SURE_SCORE ||
        ARTICULATED.has(label) ||
        !unexplained.some((proposal) => iou(proposal.box, box) > GUESS_IOU),
    )
    .map((detection) => withSupport(detection, proposals));
  return [...kept, ...unexplained];
}

/**
 * The rigid things of a proposal that several detections, sure or not, tile: each of them that is not sure by itself, with the
 * proposal's word that something is there. The proposal itself where it shows one thing.
 */
function splitDetections(proposal: Detection, detections: readonly Detection[]): Detection[] {
  const inside = detections
    .filter(
      ({ label, box }) =>
        !ARTICULATED.has(label) && intersection(box, proposal.box) >= PART_INSIDE * area(box),
    )
    .sort((a, b) => b.score - a.score);
  const parts: Detection[] = [];
  let tiled = 0;
  for (const guess of inside) {
    if (parts.some(({ box }) => iou(box, guess.box) > PARTS_IOU)) continue;
    const joined = iou(around([...parts, guess].map(({ box }) => box)), proposal.box);
    // What brings the parts no nearer to the whole is none of them.
    if (joined <= tiled) continue;
    // One that is nearly the whole is the whole.
    if (parts.length === 0 && joined > SAME_WHOLE_IOU) return [proposal];
    tiled = joined;
    parts.push(guess);
  }
  if (parts.length < 2 || tiled < TILED_IOU) return [proposal];
  return parts.filter(({ score }) => score < SURE_SCORE).map(({ box }) => ({ ...proposal, box }));
}

function around(boxes: readonly Box[]): Box {
  const left = Math.min(...boxes.map(([x]) => x));
  const top = Math.min(...boxes.map(([, y]) => y));
  const right = Math.max(...boxes.map(([x, , w]) => x + w));
  const bottom = Math.max(...boxes.map(([, y, , h]) => y + h));
  return [left, top, right - left, bottom - top];
}

function isExplained(box: Box, sure: readonly Detection[]): boolean {
  let filled = 0;
  for (const other of sure) {
    const shared = intersection(box, other.box);
    if (shared <= 0 && !touchesPart(box, other)) continue;
    if (shared >= COVERED_SHARE * area(box) || iou(box, other.box) >= SAME_IOU) return true;
    if (touchesPart(box, other)) return true;
    if (shared >= INSIDE_SHARE * area(other.box)) filled += shared;
  }
  return filled >= FILLED_SHARE * area(box);
}

/** A limb, a bag or what is left of a shadow, beside something with limbs. */
function touchesPart(box: Box, { label, box: whole }: Detection): boolean {
  if (!ARTICULATED.has(label) || area(box) > PART_SHARE * area(whole)) return false;
  const [dx, dy] = [PART_REACH * whole[2], PART_REACH * whole[3]];
  const around: Box = [whole[0] - dx, whole[1] - dy, whole[2] + 2 * dx, whole[3] + 2 * dy];
  return intersection(box, around) > 0;
}

/**
 * A proposal with the outline of a rigid thing is the tighter box and a second, independent witness that something is there;
 * what it is, the detector alone says. Shadows and
 * leftovers have the shapes of people and animals, too: for those it does not vouch.
 */
function withSupport(detection: Detection, proposals: readonly Detection[]): Detection {
  const { label, score, box } = detection;
  if (ARTICULATED.has(label)) return detection;
  const best = proposals.reduce<Detection | undefined>(
    (a, b) => (a && iou(a.box, box) >= iou(b.box, box) ? a : b),
    undefined,
  );
  if (!best || iou(best.box, box) < OUTLINE_IOU) return detection;
  return {
    ...detection,
    box: best.box,
    ...(best.score > score && { score: best.score, labelScore: score }),
  };
}

/**
 * Between two looks of the detector, a proposal goes by the label of what it was seen to be: that of the last detection
 * which it overlaps most. What people and animals explain is left out: where they have gone on as they went, the tracker
 * knows better than the outline of their limbs and shadows does.
 *
 * @param last what the detector's last look and motion then showed
 */
export function inheritLabels(proposals: readonly Detection[], last: readonly Detection[]): Detection[] {
  const swaying = last.filter(({ label, score }) => ARTICULATED.has(label) && score >= SURE_SCORE);
  return proposals
    .filter(({ box }) => !isExplained(box, swaying))
    .map((proposal) => {
      let best: Detection | undefined;
      let most = SAME_IOU;
      for (const known of last) {
        const overlap = iou(known.box, proposal.box);
        if (overlap > most) [most, best] = [overlap, known];
      }
      return best ? { ...proposal, label: best.label } : proposal;
    });
}

function intersection(a: Box, b: Box): number {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  return width > 0 && height > 0 ? width * height : 0;
}

function area(box: Box): number {
  return box[2] * box[3];
}
