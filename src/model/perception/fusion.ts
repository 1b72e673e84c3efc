import { iou, type Box } from '../../core/maths/box.js';
import type { Detection } from '../../core/percept.js';

/** Minimum score of a detection that explains motion; weaker ones are guesses that motion may contradict. */
const CONFIDENT_SCORE = 0.4;
/** A detection explains a proposal when it covers this share of it, or has SAME_IOU with it. */
const COVERED_SHARE = 0.5;
/** Minimum IoU of a detection and a proposal that show the same object. */
const SAME_IOU = 0.3;
/** Detections inside a proposal explain it when they fill this share of it: several people in one mask, a person's shadow. */
const FILLED_SHARE = 0.35;
/** Minimum share of a detection that lies in a proposal to count as inside. */
const INSIDE_SHARE = 0.6;
/** A proposal that touches a detected person or animal and is smaller than this share of it is its limb or shadow. */
const PART_SHARE = 0.5;
/** People and animals move their limbs: reach of the limbs beyond the box, in shares of its sides. */
const PART_REACH = 0.2;
/** Minimum IoU of a guess of the detector and a proposal that show the same object. */
const GUESS_IOU = 0.4;
/** Minimum share of a guess that lies in a proposal to be a component of it. */
const PART_INSIDE = 0.8;
/** Maximum IoU of two components of a proposal. */
const PARTS_IOU = 0.3;
/** A guess with a higher IoU with the proposal is the whole object and not a component. */
const SAME_WHOLE_IOU = 0.6;
/** Minimum IoU of a proposal and the box around its components for the proposal to be split into them. */
const TILED_IOU = 0.8;
/** Classes with limbs or loads: their outline changes, and the detector's box is the better one. */
const ARTICULATED = new Set([
  ...['person', 'bicycle', 'motorcycle', 'bird', 'cat', 'dog', 'horse', 'sheep', 'cow'],
  ...['elephant', 'bear', 'zebra', 'giraffe', 'umbrella', 'kite'],
]);
/** From this IoU on, the proposal of a rigid object has the tighter box. */
const OUTLINE_IOU = 0.6;

/**
 * Merges detections and proposals into one list. A proposal that confident detections explain is removed, after it has raised
 * the score and tightened the box of a rigid object. A proposal that guesses of the detector tile, such as two objects that
 * touch, is split into them. An unexplained proposal remains and replaces weak guesses of the detector at its place.
 *
 * @returns detections first, then the remaining proposals
 */
export function fuseProposals(
  detections: readonly Detection[],
  proposals: readonly Detection[],
): Detection[] {
  const confident = detections.filter(({ score }) => score >= CONFIDENT_SCORE);
  const unexplained = proposals
    .filter(({ box }) => !isExplained(box, confident))
    .flatMap((proposal) => splitDetections(proposal, detections));
  const supported = detections
    .filter(
      ({ score, label, box }) =>
        score >= CONFIDENT_SCORE ||
        ARTICULATED.has(label) ||
        !unexplained.some((proposal) => iou(proposal.box, box) > GUESS_IOU),
    )
    .map((detection) => withSupport(detection, proposals));
  return [...supported, ...unexplained];
}

/**
 * Splits a proposal that several detections of rigid objects tile, at any score: returns each box without a confident
 * detection, with the proposal's score. Returns the proposal itself where it shows one object.
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
    // A component must bring the box around all components nearer to the whole.
    if (joined <= tiled) continue;
    // A guess that is nearly the whole proposal is the object itself.
    if (parts.length === 0 && joined > SAME_WHOLE_IOU) return [proposal];
    tiled = joined;
    parts.push(guess);
  }
  if (parts.length < 2 || tiled < TILED_IOU) return [proposal];
  return parts.filter(({ score }) => score < CONFIDENT_SCORE).map(({ box }) => ({ ...proposal, box }));
}

function around(boxes: readonly Box[]): Box {
  const left = Math.min(...boxes.map(([x]) => x));
  const top = Math.min(...boxes.map(([, y]) => y));
  const right = Math.max(...boxes.map(([x, , w]) => x + w));
  const bottom = Math.max(...boxes.map(([, y, , h]) => y + h));
  return [left, top, right - left, bottom - top];
}

function isExplained(box: Box, confident: readonly Detection[]): boolean {
  let filled = 0;
  for (const other of confident) {
    const shared = intersection(box, other.box);
    if (shared <= 0 && !touchesPart(box, other)) continue;
    if (shared >= COVERED_SHARE * area(box) || iou(box, other.box) >= SAME_IOU) return true;
    if (touchesPart(box, other)) return true;
    if (shared >= INSIDE_SHARE * area(other.box)) filled += shared;
  }
  return filled >= FILLED_SHARE * area(box);
}

/** Returns true when the box is a limb, a bag or the rest of a shadow next to an articulated object. */
function touchesPart(box: Box, { label, box: whole }: Detection): boolean {
  if (!ARTICULATED.has(label) || area(box) > PART_SHARE * area(whole)) return false;
  const [dx, dy] = [PART_REACH * whole[2], PART_REACH * whole[3]];
  const around: Box = [whole[0] - dx, whole[1] - dy, whole[2] + 2 * dx, whole[3] + 2 * dy];
  return intersection(box, around) > 0;
}

/**
 * A proposal that matches a rigid object has the tighter box and is independent evidence of an object's presence, but not of
 * its label. Shadows and residues of people and animals have similar shapes, so it is no evidence for those.
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
 * Labels proposals between two runs of the detector: each gets the label of the last detection that it overlaps most.
 * Proposals that people and animals explain are removed: the tracker's prediction of their motion is more accurate than the
 * outline of their limbs and shadows.
 *
 * @param last detections and proposals of the detector's last run
 */
export function inheritLabels(proposals: readonly Detection[], last: readonly Detection[]): Detection[] {
  const articulated = last.filter(({ label, score }) => ARTICULATED.has(label) && score >= CONFIDENT_SCORE);
  return proposals
    .filter(({ box }) => !isExplained(box, articulated))
    .map((proposal) => {
      let best: Detection | undefined;
      let bestIou = SAME_IOU;
      for (const known of last) {
        const overlap = iou(known.box, proposal.box);
        if (overlap > bestIou) [bestIou, best] = [overlap, known];
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
