import type { Frame } from '../../../src/core/video/frame.js';
import { PictureThread } from '../../../src/service/recent-video/picture-thread.js';
import { RecentVideo, type RecentVideoOptions } from '../../../src/service/recent-video/recent-video.js';
import { onTestFinished } from 'vitest';

/** Recent video with the real worker, closed with the test. */
export async function openRecentVideo(
  options: Omit<RecentVideoOptions, 'thread'> = {},
): Promise<{ video: RecentVideo; thread: PictureThread }> {
  const thread = await PictureThread.open();
  onTestFinished(() => thread.close());
  return { video: new RecentVideo({ ...options, thread }), thread };
}

/** Adds a frame, gives it back to its pool and waits until its picture is made. */
export async function addFrame(video: RecentVideo, frame: Frame): Promise<void> {
  video.addFrame(frame);
  frame[Symbol.dispose]();
  await video.settle();
}
