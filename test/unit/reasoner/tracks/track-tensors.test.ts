import { describe, expect, it } from 'vitest';
import {
  CAUSE_STEPS,
  kindOf,
  MAX_TRACKS,
  trackTensors,
} from '../../../../src/reasoner/tracks/track-tensors.js';
import { HEIGHT, snapshotOf, WIDTH } from '../../../support/reasoner/snapshots.js';

const still = { knots: [[0, 100, 160] as const, [20, 100, 160] as const] };

/** The box of a row at a step of the tensors. */
function boxAt(boxes: Float32Array, steps: number, row: number, step: number): number[] {
  return [...boxes.subarray((row * steps + step) * 4, (row * steps + step) * 4 + 4)];
}

describe('trackTensors', () => {
  it('gives boxes in frame heights, the newest step last', () => {
    const snapshot = snapshotOf(
      [
        {
          knots: [
            [0, 80, 160],
            [5, 280, 160],
          ],
        },
      ],
      [],
      5,
    );
    const { tensors, ids } = trackTensors(snapshot, { steps: 30 }) ?? expect.fail();
    expect(ids).toEqual(['o1']);
    expect(tensors).toMatchObject({ count: 1, steps: 30, kinds: [3], aspect: WIDTH / HEIGHT });
    const [x, y, w, h] = boxAt(tensors.boxes, 30, 0, 29);
    expect(x).toBeCloseTo((280 - 20) / HEIGHT, 5);
    expect(y).toBeCloseTo((160 - 20) / HEIGHT, 5);
    expect([w, h]).toEqual([40 / HEIGHT, 40 / HEIGHT].map(Math.fround));
    expect(boxAt(tensors.boxes, 30, 0, 19)[0]).toBeCloseTo((240 - 20) / HEIGHT, 5);
    expect(tensors.ages[0]).toBeCloseTo(5, 5);
  });

  it('says where an object was not in view', () => {
    const { tensors } =
      trackTensors(
        snapshotOf(
          [
            {
              knots: [
                [4, 80, 160],
                [5, 80, 160],
              ],
            },
          ],
          [],
          5,
        ),
        { steps: 30 },
      ) ?? expect.fail();
    expect([...tensors.seen]).toEqual([...Array<number>(19).fill(0), ...Array<number>(11).fill(1)]);
    expect(boxAt(tensors.boxes, 30, 0, 18)).toEqual([0, 0, 0, 0]);
  });

  it('ends where it is told to and knows nothing later', () => {
    const snapshot = snapshotOf(
      [
        {
          knots: [
            [0, 80, 160],
            [5, 280, 160],
          ],
        },
      ],
      [],
      5,
    );
    const { tensors } = trackTensors(snapshot, { steps: 10, end: 3.05 }) ?? expect.fail();
    expect(boxAt(tensors.boxes, 10, 0, 9)[0]).toBeCloseTo((200 - 20) / HEIGHT, 5);
    expect(tensors.ages[0]).toBeCloseTo(3, 5);
  });

  it('leaves steps empty that lie after the newest sample', () => {
    const { tensors } = trackTensors(snapshotOf([still], [], 5), { steps: 10, end: 5.4 }) ?? expect.fail();
    expect([...tensors.seen]).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0, 0]);
  });

  it('includes objects that left within the window, and no others', () => {
    const gone = { knots: [[0, 80, 100] as const, [2, 80, 100] as const] };
    const snapshot = snapshotOf([still, gone], [], 8);
    expect(trackTensors(snapshot, { steps: CAUSE_STEPS })?.ids).toEqual(['o1', 'o2']);
    expect(trackTensors(snapshot, { steps: 30 })?.ids).toEqual(['o1']);
  });

  it('keeps the order of the wanted ids and leaves unknown ones out', () => {
    const snapshot = snapshotOf([still, still, still], [], 5);
    expect(trackTensors(snapshot, { steps: 30, objects: ['o3', 'o9', 'o1'] })?.ids).toEqual(['o3', 'o1']);
  });

  it('is undefined when nothing was in view', () => {
    expect(trackTensors(snapshotOf([], [], 5), { steps: 30 })).toBeUndefined();
  });

  it('takes the present box of an object that has no sample yet', () => {
    const snapshot = snapshotOf([still], [], 5);
    const [record] = snapshot.objects;
    const fresh = { ...(record ?? expect.fail()), samples: [], firstSeen: 4.97, lastSeen: 4.97 };
    const { tensors } = trackTensors({ ...snapshot, objects: [fresh] }, { steps: 30 }) ?? expect.fail();
    expect([...tensors.seen].indexOf(1)).toBe(28);
    expect(boxAt(tensors.boxes, 30, 0, 28)[0]).toBeCloseTo((100 - 20) / HEIGHT, 5);
    expect(tensors.ages[0]).toBeCloseTo(0.03, 5);
  });

  it('bounds the tracks, those seen last first', () => {
    const gone = { knots: [[0, 80, 100] as const, [3, 80, 100] as const] };
    const snapshot = snapshotOf(
      [...Array<typeof gone>(100).fill(gone), ...Array<typeof still>(100).fill(still)],
      [],
      5,
    );
    const { tensors, ids } = trackTensors(snapshot, { steps: 30 }) ?? expect.fail();
    expect(tensors.count).toBe(MAX_TRACKS);
    expect(ids.every((id) => Number(id.slice(1)) > 100)).toBe(true);
  });

  it('joins the parts of an object that came back', () => {
    const snapshot = snapshotOf(
      [
        {
          knots: [
            [4, 80, 160],
            [5, 80, 160],
          ],
        },
        {
          knots: [
            [2.5, 80, 100],
            [3, 80, 100],
          ],
        },
      ],
      [],
      5,
    );
    const before = { ...(snapshot.departed[0] ?? expect.fail()), id: 'o1' };
    const { tensors, ids } =
      trackTensors({ ...snapshot, departed: [before] }, { steps: 30 }) ?? expect.fail();
    expect(ids).toEqual(['o1']);
    expect([...tensors.seen].reduce((a, b) => a + b)).toBe(11 + 6);
    expect(tensors.ages[0]).toBeCloseTo(2.5, 5);
  });

  it('tells people, vehicles, animals and bodies apart', () => {
    expect(['person', 'car', 'dog', 'ball', 'object'].map(kindOf)).toEqual([0, 1, 2, 3, 3]);
  });
});
