import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Service } from '../../../src/service/service.js';
import { serviceOptions } from '../../../src/cli/options/service-options.js';
import { loadSettings } from '../../../src/cli/options/settings.js';
import { tempFolder } from '../../support/transport/temp-folder.js';

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

function operationsOf({ paths }: OpenApi): string[] {
  return Object.entries(paths)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
    .toSorted();
}

describe('the HTTP API of a whole service', () => {
  it('is what docs/openapi.json describes, no more and no less', async () => {
    const { settings } = loadSettings('serve', { port: 0, data: tempFolder(), logLevel: 'error' }, {});
    await using service = await Service.open(serviceOptions(settings));
    expect(service.undescribedRoutes).toEqual([]);
    const served = (await (await fetch(`${service.url}/v1/openapi.json`)).json()) as OpenApi;
    const written = JSON.parse(await readFile('docs/openapi.json', 'utf8')) as OpenApi;
    expect(operationsOf(served)).toEqual(operationsOf(written));
    expect(operationsOf(served).length).toBeGreaterThan(30);
  });
});
