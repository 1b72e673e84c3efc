import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { DashboardFeature } from '../../../src/transport/view/dashboard-feature.js';
import { startService } from '../../support/transport/service.js';
import { tempFolder } from '../../support/transport/temp-folder.js';

const TOKEN = 'a-token-of-this-test';

function builtPage(): string {
  const folder = tempFolder();
  mkdirSync(path.join(folder, 'assets'));
  writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>page</title>');
  writeFileSync(path.join(folder, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  writeFileSync(path.join(folder, 'assets', 'index-abc.js'), 'export {};');
  return folder;
}

it('gives the page to everybody, under a policy that loads nothing from elsewhere and nothing inline', async () => {
  const { http } = await startService({
    server: { token: TOKEN, features: [new DashboardFeature(builtPage())] },
  });
  const page = await fetch(`${http}/`);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toContain('text/html');
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  expect((await fetch(`${http}/v1/streams`)).status).toBe(401);
});

it('lets browsers keep assets, whose names hold their hash, and nothing else', async () => {
  const { http } = await startService({ server: { features: [new DashboardFeature(builtPage())] } });
  const asset = await fetch(`${http}/assets/index-abc.js`);
  expect(asset.headers.get('cache-control')).toMatch(/max-age=31536000.*immutable/);
  expect((await fetch(`${http}/`)).headers.get('cache-control')).toBe('no-cache');
});

it.each(['/assets/..%2findex.html', '/assets/%2e%2e/%2e%2e/package.json', '/assets/none.js'])(
  'gives nothing but assets at %s',
  async (address) => {
    const { http } = await startService({ server: { features: [new DashboardFeature(builtPage())] } });
    expect((await fetch(`${http}${address}`)).status).toBeGreaterThanOrEqual(400);
  },
);

it('says how to build the page where it is not built', async () => {
  const { http } = await startService({ server: { features: [new DashboardFeature(tempFolder())] } });
  const answer = await fetch(`${http}/`);
  expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('npm run build')]);
});

it('leads to the folder of the page, since its links are relative, and keeps the query', async () => {
  const { http } = await startService({
    server: { basePath: '/apps/presage', features: [new DashboardFeature(builtPage())] },
  });
  const answer = await fetch(`${http}/apps/presage?x=1`, { redirect: 'manual' });
  expect([answer.status, answer.headers.get('location')]).toEqual([308, '/apps/presage/?x=1']);
  expect((await fetch(`${http}/apps/presage/`)).status).toBe(200);
});

it('may be framed by pages of its own origin below a path only', async () => {
  const { http } = await startService({ server: { features: [new DashboardFeature(builtPage())] } });
  const framed = async (headers: Record<string, string>): Promise<unknown[]> => {
    const { headers: answer } = await fetch(`${http}/`, { headers });
    const ancestors = /frame-ancestors ('\w+')/.exec(answer.get('content-security-policy') ?? '')?.[1];
    return [answer.get('x-frame-options'), ancestors];
  };
  expect(await framed({})).toEqual(['DENY', "'none'"]);
  expect(await framed({ 'x-ingress-path': '/api/hassio_ingress/x' })).toEqual(['SAMEORIGIN', "'self'"]);
});
