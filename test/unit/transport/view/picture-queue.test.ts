import { expect, it } from 'vitest';
import { PictureQueue } from '../../../../src/transport/view/picture-queue.js';
import type { ViewPicture } from '../../../../src/transport/view/stream-view.js';

const picture = (t: number): ViewPicture => ({ t, jpeg: new Uint8Array(0) });

it('leaves a slow viewer the newest picture alone, and counts the others', () => {
  const shown: number[] = [];
  const queue = new PictureQueue({
    write: ({ t }) => {
      shown.push(t);
      return false;
    },
  });
  for (const t of [1, 2, 3, 4]) queue.add(picture(t));
  expect(shown).toEqual([1]);
  queue.drained();
  expect(shown).toEqual([1, 4]);
  expect(queue).toMatchObject({ shown: 2, skipped: 2 });
});

it('gives a viewer who keeps up every picture', () => {
  const shown: number[] = [];
  const queue = new PictureQueue({ write: ({ t }) => shown.push(t) > 0 });
  for (const t of [1, 2, 3]) queue.add(picture(t));
  queue.drained();
  expect(shown).toEqual([1, 2, 3]);
  expect(queue.skipped).toBe(0);
});
