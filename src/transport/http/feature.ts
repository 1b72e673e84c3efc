import type { FastifyInstance } from 'fastify';
import type { Identity } from '../access/identity.js';

/**
 * Who may use a route: `public` everyone, `read` and `publish` a token with that scope for the stream named `:id` in the path
 * (any stream where there is none), `read:*` one that may read every stream, `admin` a token with that scope. Where no token
 * is needed everything is allowed.
 */
export type RouteAccess = 'public' | 'read' | 'read:*' | 'publish' | 'admin';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Default: `read` for GET and HEAD, `admin` for every other method. */
    access?: RouteAccess;
  }
  interface FastifyRequest {
    /** Who asks, for what the route itself must decide; undefined on public routes for those who show no token. */
    identity: Identity | undefined;
  }
}

/** A part of the HTTP API that is added to the server: `createServer({features: [whip, …]})`. */
export interface ServerFeature {
  /** Adds routes; called once, before the server listens. Routes tell who may use them with `config: {access}`. */
  register(app: FastifyInstance): void;
  /** Ends what the feature holds open. Called when the server closes, before its sockets are closed. */
  close?(): Promise<void>;
}
