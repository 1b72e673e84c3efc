import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { jsonSchemaOf, type JsonSchema } from './json-schema.js';
import type { Content, Operation } from './operation.js';

const errorSchema = z.object({
  error: z.looseObject({ code: z.string().describe('Stable'), message: z.string() }),
});
/** What can befall every operation that is not public. */
const COMMON_ERRORS = [401, 403, 429];

/** The OpenAPI 3.1 document of these operations. */
export function openApiDocument(operations: readonly Operation[]): object {
  const schemas: Record<string, JsonSchema> = { Error: jsonSchemaOf(errorSchema) };
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    const path = (paths[operation.path] ??= {});
    path[operation.method] = describe(operation, schemas);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Presage: HTTP API',
      version: '1',
      description: 'Streams, what was seen in them, and video. Errors are JSON with a stable code.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    ...openApiServers(''),
    security: [{ bearer: [] }, { query: [] }, {}],
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'Of presage token create, or PRESAGE_TOKEN' },
        query: { type: 'apiKey', in: 'query', name: 'access_token' },
      },
    },
  };
}

/** The `servers` of the document: below a base path, relative to where the document is. */
export function openApiServers(basePath: string): object {
  const server =
    basePath === ''
      ? { url: 'http://127.0.0.1:7878', description: 'Where it listens by default' }
      : { url: basePath, description: 'Below the path of a reverse proxy' };
  return { servers: [server] };
}

function describe(operation: Operation, schemas: Record<string, JsonSchema>): object {
  const { id, tag, summary, access, body, answers, errors = [] } = operation;
  const parameters = [...pathParameters(operation.path), ...queryParameters(operation.query)];
  const refused = [...errors, ...(access === 'public' ? [] : COMMON_ERRORS)].sort();
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: access === 'public' ? 'Needs no token.' : `Needs the scope ${access}.`,
    ...(access === 'public' ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body && {
      requestBody: { required: true, description: body.description, content: contentOf(body, schemas) },
    }),
    responses: Object.fromEntries([
      ...Object.entries(answers).map(([status, answer]) => [status, answerOf(answer, schemas)] as const),
      ...refused.map((status) => [String(status), errorOf(status)] as const),
    ]),
  };
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{([A-Za-z]+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(query: z.ZodObject | undefined): object[] {
  const { properties = {}, required = [] } = query ? jsonSchemaOf(query) : {};
  return Object.entries(properties as Record<string, JsonSchema>).map(
    ([name, { description, ...schema }]) => ({
      name,
      in: 'query',
      required: (required as string[]).includes(name),
      ...(description === undefined ? {} : { description }),
      schema,
    }),
  );
}

function answerOf(answer: Content, schemas: Record<string, JsonSchema>): object {
  const headers = Object.entries(answer.headers ?? {}).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' } },
  ]);
  const content = contentOf(answer, schemas);
  return {
    description: answer.description,
    ...(headers.length > 0 ? { headers: Object.fromEntries(headers) as object } : {}),
    ...(content ? { content } : {}),
  };
}

function contentOf(content: Content, schemas: Record<string, JsonSchema>): object | undefined {
  const { type, schema, name, alsoType } = content;
  const also = alsoType === undefined ? {} : { [alsoType]: {} };
  if (schema === undefined) return type === undefined ? undefined : { [type]: {}, ...also };
  const made = jsonSchemaOf(schema);
  if (name === undefined) return { [type ?? 'application/json']: { schema: made }, ...also };
  schemas[name] = made;
  return { [type ?? 'application/json']: { schema: { $ref: `#/components/schemas/${name}` } }, ...also };
}

function errorOf(status: number): object {
  return {
    description: STATUS_CODES[status] ?? 'Refused',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  };
}
