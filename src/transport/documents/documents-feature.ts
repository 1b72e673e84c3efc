import type { FastifyInstance } from 'fastify';
import type { ServerFeature } from '../http/feature.js';
import { asyncApiDocument, asyncApiServers } from './asyncapi.js';
import { openApiDocument, openApiServers } from './openapi.js';
import { matchRoutes, type Route } from './operations.js';

/**
 * `GET /v1/openapi.json` and `GET /v1/asyncapi.json`. The OpenAPI document tells the operations that this server has: what is
 * turned off is not in it. To be registered before all other routes.
 */
export class DocumentsFeature implements ServerFeature {
  readonly #routes: Route[] = [];
  #openApi: object | undefined;
  #asyncApi: object | undefined;

  register(app: FastifyInstance): void {
    app.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) this.#routes.push({ method: one, url });
    });
    const config = { access: 'public' } as const;
    app.get('/v1/openapi.json', { config }, ({ basePath }) => ({
      ...(this.#openApi ??= openApiDocument(this.match().present)),
      ...openApiServers(basePath),
    }));
    app.get('/v1/asyncapi.json', { config }, ({ basePath }) => ({
      ...(this.#asyncApi ??= asyncApiDocument()),
      ...asyncApiServers(basePath),
    }));
  }

  /** What is described and there, and what is there and not described. */
  match(): ReturnType<typeof matchRoutes> {
    return matchRoutes(this.#routes);
  }
}
