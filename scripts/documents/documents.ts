import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { asyncApiDocument } from '../../src/transport/documents/asyncapi.js';
import { publishedSchemas, type JsonSchema } from '../../src/transport/documents/json-schema.js';
import { openApiDocument } from '../../src/transport/documents/openapi.js';
import { OPERATIONS } from '../../src/transport/documents/operations.js';
import { incompatibilities } from './compare-schemas.js';
import { configurationPage } from './configuration.js';

const ROOT = new URL('../../', import.meta.url);
const SCHEMAS = 'docs/schemas/v1/';

export interface DocumentFile {
  readonly path: string;
  readonly text: string;
}

export function pathOf(path: string): string {
  return fileURLToPath(new URL(path, ROOT));
}

/** The documents that are made from the schemas and the option table, as they should stand in the repository. */
export function documentFiles(): DocumentFile[] {
  return [
    { path: 'docs/asyncapi.json', text: json(asyncApiDocument()) },
    { path: 'docs/openapi.json', text: json(openApiDocument(OPERATIONS)) },
    { path: 'docs/configuration.md', text: configurationPage() },
    ...publishedSchemas().map(({ name, schema }) => ({ path: `${SCHEMAS}${name}.json`, text: json(schema) })),
  ];
}

/** What breaks clients, compared with the schemas that were published. */
export function breakingChanges(): string[] {
  const present = new Map(publishedSchemas().map((one) => [`${one.name}.json`, one]));
  return readdirSync(pathOf(SCHEMAS)).flatMap((file) => {
    const now = present.get(file);
    if (now === undefined) return [`${file}: has gone`];
    const before = JSON.parse(readFileSync(pathOf(SCHEMAS + file), 'utf8')) as JsonSchema;
    return incompatibilities(before, now.schema, now.sentBy).map((problem) => `${file}: ${problem}`);
  });
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
