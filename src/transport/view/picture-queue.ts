import type { ViewPicture } from './stream-view.js';

/** Where the pictures of one viewer go. */
export interface PictureOutlet {
  /** False when it wants no more until `drained` is called. */
  write(picture: ViewPicture): boolean;
}

/**
 * What waits for one viewer: the newest picture, no other. A viewer who reads more slowly than pictures come skips
 * pictures and is never behind by more than one.
 */
export class PictureQueue {
  readonly #outlet: PictureOutlet;
  #waiting: ViewPicture | undefined;
  #full = false;
  #shown = 0;
  #skipped = 0;

  constructor(outlet: PictureOutlet) {
    this.#outlet = outlet;
  }

  get shown(): number {
    return this.#shown;
  }

  get skipped(): number {
    return this.#skipped;
  }

  add(picture: ViewPicture): void {
    if (!this.#full) {
      this.#write(picture);
      return;
    }
    if (this.#waiting) this.#skipped += 1;
    this.#waiting = picture;
  }

  /** The outlet takes more again. */
  drained(): void {
    this.#full = false;
    const next = this.#waiting;
    this.#waiting = undefined;
    if (next) this.#write(next);
  }

  #write(picture: ViewPicture): void {
    this.#shown += 1;
    this.#full = !this.#outlet.write(picture);
  }
}
