import type { Places } from '../../../core/memory.js';
import type { NewStream, StreamChange } from './stream-schemas.js';

/** What the API can do to the streams of a service. Whoever runs them provides it. */
export interface StreamControl {
  /**
   * Makes a stream and begins it; resolves when it is kept for the next start, too.
   * @throws PresageError `conflict` where the id is taken, `forbidden` for a source that the API may not name, `overloaded`
   *   when there are too many, `bad_option` and others for a source that cannot be
   */
  create(stream: NewStream): Promise<void>;
  /** Resolves when it is done. @throws PresageError as `create`, `not_found` */
  change(id: string, change: StreamChange): Promise<void>;
  /** Ends a stream and forgets its plan. @throws PresageError `not_found`, `conflict` for one that presage.yaml lists */
  remove(id: string): Promise<void>;
  /** @throws PresageError `not_found` */
  places(id: string): Places;
}
