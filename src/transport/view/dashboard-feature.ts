import { existsSync } from 'node:fs';
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { ServerFeature } from '../http/feature.js';
import { errorBody } from '../http/reply.js';

/** Names of assets hold their hash: what is under such a name never changes. */
const ASSET_AGE_MS = 365 * 86_400_000;
/** One folder, no way out of it. */
const ASSET_NAME = /^[\w-][\w.-]*$/;
/** Everything comes from this server; nothing is inline. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
const PAGE_HEADERS = { 'content-security-policy': `${PAGE_POLICY}; frame-ancestors 'none'` };
/** Home Assistant shows the pages behind its ingress in a frame of its own origin, below which they are. */
const FRAMEABLE_PAGE_HEADERS = {
  'content-security-policy': `${PAGE_POLICY}; frame-ancestors 'self'`,
  'x-frame-options': 'SAMEORIGIN',
};

/** The page for people. It holds no secrets and so needs no token: it asks for one and shows it with its requests. */
export class DashboardFeature implements ServerFeature {
  /** @param folder the built page: `index.html` and `assets/` */
  constructor(private readonly folder: string) {}

  register(app: FastifyInstance): void {
    const { folder } = this;
    const config = { access: 'public' } as const;
    if (!existsSync(path.join(folder, 'index.html'))) {
      app.get('/', { config }, (_request, reply) =>
        reply.code(503).send(errorBody('not_found', 'The dashboard is not built here: npm run build')),
      );
      return;
    }
    void app.register(fastifyStatic, { root: folder, serve: false });
    app.get('/', { config }, (request, reply) => {
      const { originalUrl, basePath } = request;
      const [path = '', query] = originalUrl.split('?', 2);
      // The links of the page are relative to its folder.
      if (!path.endsWith('/'))
        return reply.redirect(`${basePath}/${query === undefined ? '' : `?${query}`}`, 308);
      return reply
        .headers(basePath === '' ? PAGE_HEADERS : FRAMEABLE_PAGE_HEADERS)
        .header('cache-control', 'no-cache')
        .sendFile('index.html', { cacheControl: false });
    });
    app.get('/favicon.svg', { config }, (_request, reply) =>
      reply.header('cache-control', 'no-cache').sendFile('favicon.svg', { cacheControl: false }),
    );
    app.get<{ Params: { name: string } }>('/assets/:name', { config }, (request, reply) => {
      const { name } = request.params;
      if (ASSET_NAME.test(name))
        return reply.sendFile(`assets/${name}`, { maxAge: ASSET_AGE_MS, immutable: true });
      reply.callNotFound();
      return reply;
    });
  }
}
