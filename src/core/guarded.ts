import { toPresageError, type PresageError } from './errors.js';

/**
 * Wraps a listener of an event emitter, timer or stream. An exception that leaves such a listener would end the process;
 * the wrapper passes it to `onFault`, which ends only the connection or stream concerned.
 */
export function guarded<A extends unknown[]>(
  listener: (...args: A) => void,
  onFault: (error: PresageError) => void,
): (...args: A) => void {
  return (...args) => {
    try {
      listener(...args);
    } catch (thrown) {
      onFault(toPresageError(thrown));
    }
  };
}
