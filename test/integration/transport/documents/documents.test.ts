import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { OPERATIONS } from '../../../../src/transport/documents/operations.js';
import { eventDraft, scorecardDraft } from '../../../support/transport/drafts.js';
import { startService } from '../../../support/transport/service.js';

describe('the documents that a server gives', () => {
  it('describe every route that it has, and no other', async () => {
    const { server, http } = await startService();
    expect(server.undescribedRoutes).toEqual([]);
    const reply = await fetch(`${http}/v1/openapi.json`);
    const document = (await reply.json()) as { paths: Record<string, Record<string, unknown>> };
    expect(await new Validator().validate(document)).toEqual({ valid: true });
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const method of Object.keys(methods)) {
        const address = http + path.replace('{id}', 'nope').replace(/\{\w+\}/g, 'x');
        const answer = await fetch(address, { method });
        // A route that is not there answers 404 without naming what was looked for.
        expect(await answer.text(), `${method} ${path}`).not.toContain('There is nothing at this path');
      }
    }
    expect(Object.keys(document.paths)).toContain('/v1/streams/{id}/ask');
  });

  it('hold what is answered', async () => {
    const { http, publisher, log } = await startService();
    publisher.publishAll([eventDraft(1, 1), scorecardDraft(1)]);
    log.flush();
    const reads = OPERATIONS.filter(({ method, answers }) => method === 'get' && answers[200]?.schema);
    let checked = 0;
    for (const { path, answers } of reads) {
      const reply = await fetch(http + path.replace('{id}', 'cam1'));
      if (reply.status !== 200) continue;
      answers[200]?.schema?.parse(await reply.json());
      checked += 1;
    }
    expect(checked).toBeGreaterThanOrEqual(7);
  });

  it('are for everybody', async () => {
    const { http } = await startService({ server: { token: 'a-token-of-some-length' } });
    const reply = await fetch(`${http}/v1/asyncapi.json`);
    expect(reply.status).toBe(200);
    expect(await reply.json()).toMatchObject({ asyncapi: '3.0.0' });
  });
});
