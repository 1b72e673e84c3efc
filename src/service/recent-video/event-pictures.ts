import type { ObservedEvent } from '../../core/messages.js';
import type { Keyframes } from '../../reasoner/explain/openai/openai-explainer.js';
import type { PictureThread } from './picture-thread.js';
import type { RecentVideo, VideoPicture } from './recent-video.js';

/** Times of the keyframes before an event, s: its run-up. */
const BEFORE_S = [1.5, 0.75] as const;
/** A picture farther than this from its time shows another moment, s. */
const MAX_APART_S = 0.5;
/** Vision models scale larger pictures down to about this side, px. */
const MAX_SIDE_PX = 768;

/**
 * Pictures of an event for a language model that reads images: keyframes of its run-up, then the frame of the event with
 * the boxes and ids of its participants. JPEG data URLs, oldest first; pictures that are no longer stored are missing.
 */
export function eventPictures(
  video: Pick<RecentVideo, 'near'>,
  thread: Pick<PictureThread, 'mark'>,
): Keyframes {
  return async ({ t, participants }: ObservedEvent) => {
    const last = video.near(t, MAX_APART_S);
    const before = BEFORE_S.map((s) => video.near(t - s, MAX_APART_S)).filter((one) => one !== last);
    const distinct = new Set([...before, last].filter((one) => one !== undefined));
    const urls = await Promise.all(
      [...distinct].map((picture) => dataUrl(picture, picture === last ? participants : [], thread)),
    );
    return urls.filter((url) => url !== undefined);
  };
}

async function dataUrl(
  picture: VideoPicture,
  objects: ObservedEvent['participants'],
  thread: Pick<PictureThread, 'mark'>,
): Promise<string | undefined> {
  const jpeg = await picture.jpeg;
  if (jpeg === undefined) return undefined;
  const marked = await thread.mark(jpeg, MAX_SIDE_PX, objects);
  return `data:image/jpeg;base64,${Buffer.from(marked).toString('base64')}`;
}
