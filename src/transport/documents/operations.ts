import type { Operation } from './operation.js';
import { EVENT_OPERATIONS } from './operations/event-operations.js';
import { HISTORY_OPERATIONS } from './operations/history-operations.js';
import { SERVICE_OPERATIONS } from './operations/service-operations.js';
import { STREAM_OPERATIONS } from './operations/stream-operations.js';
import { VIDEO_OPERATIONS } from './operations/video-operations.js';

/** The whole HTTP API. A route that is not here is missing in the OpenAPI document, and a test fails. */
export const OPERATIONS: readonly Operation[] = [
  ...SERVICE_OPERATIONS,
  ...STREAM_OPERATIONS,
  ...EVENT_OPERATIONS,
  ...HISTORY_OPERATIONS,
  ...VIDEO_OPERATIONS,
];

/** Pages for people and what they load: no part of the API. */
const PAGES: readonly RegExp[] = [/^\/$/, /^\/assets\//, /^\/favicon\./];
/** Where every method but those of the table is answered with 405. */
const STRICT_PATHS = /^\/v1\/streams\/\{\}\/(?:whip|whep)\b/;

/** A route as fastify knows it. */
export interface Route {
  readonly method: string;
  /** With `:name` for what varies. */
  readonly url: string;
}

/** Operations that are there, and routes that no operation describes. */
export function matchRoutes(
  routes: readonly Route[],
  operations: readonly Operation[] = OPERATIONS,
): { readonly present: readonly Operation[]; readonly undescribed: readonly string[] } {
  const there = new Set(routes.map(({ method, url }) => keyOf(method, url)));
  const described = new Set(operations.map(({ method, path }) => keyOf(method, path)));
  const undescribed = routes.filter(({ method, url }) => {
    // fastify answers HEAD wherever GET is.
    if (method === 'HEAD' || PAGES.some((page) => page.test(url))) return false;
    if (STRICT_PATHS.test(withoutNames(url)) && describesPath(operations, url)) return false;
    return !described.has(keyOf(method, url));
  });
  return {
    present: operations.filter(({ method, path }) => there.has(keyOf(method, path))),
    undescribed: undescribed.map(({ method, url }) => `${method} ${url}`),
  };
}

function describesPath(operations: readonly Operation[], url: string): boolean {
  return operations.some(({ path }) => withoutNames(path) === withoutNames(url));
}

function keyOf(method: string, path: string): string {
  return `${method.toUpperCase()} ${withoutNames(path)}`;
}

function withoutNames(path: string): string {
  return path.replace(/:[A-Za-z]+|\{[A-Za-z]+\}/g, '{}');
}
