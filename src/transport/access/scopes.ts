import { z } from 'zod';

/** What can be done with a stream, or (`admin`) with the service. */
export type Action = 'read' | 'publish' | 'admin';

const SCOPE = /^(?:admin|(?:read|publish):(?:\*|[A-Za-z0-9][A-Za-z0-9_-]{0,63}))$/;
export const SCOPE_FORMS = 'read:*, read:STREAM, publish:*, publish:STREAM or admin';

/** `admin`, or what may be done with which stream: `read:cam1`, `publish:*`. */
export const scopeSchema = z.string().regex(SCOPE, `expected ${SCOPE_FORMS}`);
export type Scope = z.infer<typeof scopeSchema>;

/**
 * Whether scopes allow an action on a stream; without a stream, on any at all; with `*`, on every one. `admin` allows
 * everything. Publishing does not include reading, nor the other way round.
 */
export function allows(scopes: readonly Scope[], action: Action, streamId?: string): boolean {
  if (scopes.includes('admin')) return true;
  if (action === 'admin') return false;
  if (streamId === undefined) return scopes.some((scope) => scope.startsWith(`${action}:`));
  return scopes.includes(`${action}:*`) || scopes.includes(`${action}:${streamId}`);
}
