import type { Thumbnail } from './thumbnails.js';

/** Bounds on the pictures of a report: how many, and how many characters of base64. */
export interface ThumbnailBounds {
  readonly count: number;
  readonly bytes: number;
}
export const THUMBNAIL_BOUNDS: ThumbnailBounds = { count: 200, bytes: 12 * 1024 * 1024 };

interface Kept {
  readonly rank: number;
  readonly thumbnail: Thumbnail;
}

/** Holds the pictures of a report within bounds: a weightier one takes the place of the oldest among the least weighty. */
export class ThumbnailStore {
  readonly #bounds: ThumbnailBounds;
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;
  #leftOut = 0;

  constructor(bounds: ThumbnailBounds = THUMBNAIL_BOUNDS) {
    this.#bounds = bounds;
  }

  get count(): number {
    return this.#kept.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Pictures that were not taken, or were given up for weightier ones. */
  get leftOut(): number {
    return this.#leftOut;
  }

  get(key: string): Thumbnail | undefined {
    return this.#kept.get(key)?.thumbnail;
  }

  /**
   * One at a time: call again when the promise has settled.
   * @param rank weight; the higher wins when there is no more room
   * @param make called only when there is room or a lighter picture to give up; undefined when there is none
   */
  async offer(key: string, rank: number, make: () => Promise<Thumbnail | undefined>): Promise<void> {
    if (this.#kept.has(key)) return;
    if (this.#kept.size >= this.#bounds.count && this.#lightest(rank) === undefined) {
      this.#leftOut += 1;
      return;
    }
    const thumbnail = await make();
    if (thumbnail === undefined) return;
    while (
      this.#kept.size >= this.#bounds.count ||
      this.#bytes + thumbnail.data.length > this.#bounds.bytes
    ) {
      const victim = this.#lightest(rank);
      this.#leftOut += 1;
      if (victim === undefined) return;
      this.#drop(victim);
    }
    this.#kept.set(key, { rank, thumbnail });
    this.#bytes += thumbnail.data.length;
  }

  /** Key of the oldest picture among the least weighty ones below a rank. */
  #lightest(below: number): string | undefined {
    let found: string | undefined;
    let least = below;
    for (const [key, { rank }] of this.#kept) {
      if (rank < least) [found, least] = [key, rank];
    }
    return found;
  }

  #drop(key: string): void {
    this.#bytes -= this.#kept.get(key)?.thumbnail.data.length ?? 0;
    this.#kept.delete(key);
  }
}
