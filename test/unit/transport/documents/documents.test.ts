import { existsSync, readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { breakingChanges, documentFiles, pathOf } from '../../../../scripts/documents/documents.js';
import { MESSAGE_KINDS } from '../../../../src/core/messages.js';
import { asyncApiDocument } from '../../../../src/transport/documents/asyncapi.js';
import { messageSchema } from '../../../../src/transport/documents/json-schema.js';
import { openApiDocument } from '../../../../src/transport/documents/openapi.js';
import { matchRoutes, OPERATIONS } from '../../../../src/transport/documents/operations.js';
import { Publisher } from '../../../../src/transport/messages/publisher.js';
import { SAMPLE_DRAFTS } from '../../../support/transport/drafts.js';

/** Severity of what makes a document invalid. */
const ERROR = 0;

describe('the published schemas', () => {
  it('have not changed in a way that breaks clients (such a change needs a new .v2 type)', () => {
    expect(breakingChanges()).toEqual([]);
  });

  it.each(documentFiles().map(({ path, text }) => [path, text]))(
    '%s is what the schemas say (npm run documents writes it)',
    (path, text) => {
      expect(existsSync(pathOf(path)) && readFileSync(pathOf(path), 'utf8')).toBe(text);
    },
  );

  it('are those of the messages that are sent', () => {
    const kinds = new Set<string>();
    const sink = {
      deliver: ({ kind, value }: { kind: (typeof MESSAGE_KINDS)[number]; value: unknown }) => {
        kinds.add(kind);
        messageSchema(kind).parse(value);
      },
    };
    new Publisher({ streamId: 'cam1', sinks: [sink] }).publishAll(SAMPLE_DRAFTS);
    // `lagged` is made for one client, and tested where it is.
    expect([...kinds, 'lagged'].toSorted()).toEqual([...MESSAGE_KINDS].toSorted());
  });
});

describe('the AsyncAPI document', () => {
  it('is valid by the parser of AsyncAPI', async () => {
    const { document, diagnostics } = await new Parser().parse(JSON.stringify(asyncApiDocument()));
    expect(diagnostics.filter(({ severity }) => (severity as number) === ERROR)).toEqual([]);
    expect(document?.version()).toBe('3.0.0');
    expect(document?.channels().all()).toHaveLength(2);
    expect(document?.messages().all().length).toBeGreaterThanOrEqual(MESSAGE_KINDS.length + 11);
  });

  it('is found wanting by that parser when it is', async () => {
    const broken = { ...asyncApiDocument(), channels: { allEvents: { address: 7 } } };
    const { diagnostics } = await new Parser().parse(JSON.stringify(broken));
    expect(diagnostics.some(({ severity }) => (severity as number) === ERROR)).toBe(true);
  });
});

describe('the OpenAPI document', () => {
  it('is valid by the schema of OpenAPI 3.1, and its references lead somewhere', async () => {
    const validator = new Validator();
    const result = await validator.validate({ ...openApiDocument(OPERATIONS) });
    expect(result).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
    const text = JSON.stringify(openApiDocument(OPERATIONS));
    const { components } = openApiDocument(OPERATIONS) as { components: { schemas: object } };
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(Object.keys(components.schemas)).toContain(name);
    }
  });

  it('is found wanting by that schema when it is', async () => {
    const result = await new Validator().validate({ ...openApiDocument(OPERATIONS), paths: 7 });
    expect(result.valid).toBe(false);
  });

  it('names every operation once', () => {
    const ids = OPERATIONS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const places = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(places).size).toBe(places.length);
  });

  it('tells which routes it does not describe and which operations are not there', () => {
    const operation = {
      method: 'get' as const,
      path: '/v1/things/{id}',
      id: 'getThing',
      tag: 'things',
      summary: 'A thing',
      access: 'read' as const,
      answers: { 200: { description: 'It', schema: z.object({}) } },
    };
    const route = { method: 'GET', url: '/v1/things/:thing' };
    expect(matchRoutes([route], [operation])).toEqual({ present: [operation], undescribed: [] });
    expect(matchRoutes([{ ...route, method: 'PUT' }], [operation])).toEqual({
      present: [],
      undescribed: ['PUT /v1/things/:thing'],
    });
    expect(matchRoutes([{ ...route, method: 'HEAD' }], []).undescribed).toEqual([]);
  });
});
