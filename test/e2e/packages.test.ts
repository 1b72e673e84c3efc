/** The packages as users install them: packed, installed into an empty folder, run from there. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { CHROMIUM, noChromium } from '../support/client/browser.js';
import { freePort } from '../support/dashboard/running-service.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 300_000 });
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAX_CLIENT_BYTES = 40_000;

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

function npm(cwd: string, ...args: readonly string[]): string {
  const inherited = Object.entries(process.env).filter(([key]) => !/^(npm_|PRESAGE_|MEDIASOUP_)/.test(key));
  return execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    env: Object.fromEntries(inherited),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function pack(folder: string, destination: string): Packed {
  const [packed] = JSON.parse(
    npm(folder, 'pack', '--json', '--ignore-scripts', '--pack-destination', destination),
  ) as Packed[];
  if (!packed) throw new Error(`npm packed nothing in ${folder}`);
  return packed;
}

/** The subscriber of the client's README, for the service at the address. */
function subscriber(url: string): string {
  const readme = readFileSync(join(ROOT, 'packages/client/README.md'), 'utf8');
  const [, code] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  if (code === undefined) throw new Error('the README has no subscriber');
  expect(code).toContain('http://localhost:7878');
  return code.replace('http://localhost:7878', url);
}

describe('the packed packages', () => {
  const folder = mkdtempSync(join(tmpdir(), 'presage-packages-'));
  const app = join(folder, 'app');
  let main: Packed;
  let client: Packed;

  beforeAll(() => {
    npm(ROOT, 'run', '--silent', 'build:client');
    main = pack(ROOT, folder);
    client = pack(join(ROOT, 'packages/client'), folder);
    mkdirSync(app);
    npm(app, 'install', '--no-audit', '--no-fund', `../${main.filename}`, `../${client.filename}`);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('hold what their users need and no sources, tests or training', () => {
    const paths = main.files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['dist/cli/main.js', 'dist/index.d.ts', 'models/manifest.json', 'README.md']),
    );
    expect(paths.filter((path) => /^(src|test|training|bench|demo)\/|tsbuildinfo/.test(path))).toEqual([]);
  });

  it('keep the client small, without dependencies and without a reference to other packages in its types', () => {
    expect(client.size).toBeLessThan(MAX_CLIENT_BYTES);
    const installed = join(app, 'node_modules/presage-client');
    expect(JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))).not.toHaveProperty(
      'dependencies',
    );
    for (const { path } of client.files.filter((file) => file.path.endsWith('.d.ts'))) {
      const text = readFileSync(join(installed, path), 'utf8');
      expect(text.match(/from '[^.'][^']*'/g), path).toBeNull();
    }
  });

  it('let TypeScript compile a subscriber against the client alone', () => {
    writeFileSync(
      join(app, 'typed.ts'),
      [
        "import { connect, type PredictionItem } from 'presage-client';",
        "const agent = connect('http://127.0.0.1:1');",
        'export async function first(): Promise<number | undefined> {',
        "  for await (const p of agent.predictions({ type: 'meet' })) { const item: PredictionItem = p; return item.probability; }",
        '  return undefined;',
        '}',
      ].join('\n'),
    );
    const compilerOptions = {
      strict: true,
      noEmit: true,
      target: 'es2022',
      module: 'nodenext',
      lib: ['es2022', 'dom'],
      types: [],
    };
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['typed.ts'] }));
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const run = spawnSync(process.execPath, [tsc, '-p', app], { encoding: 'utf8' });
    expect(run).toMatchObject({ stdout: '', status: 0 });
  });

  it('pass `presage doctor` where they are installed', () => {
    const program = join(app, 'node_modules/.bin/presage');
    const report = execFileSync(program, ['doctor', '--port', '0'], { cwd: app, encoding: 'utf8' });
    expect(report).toMatch(/cpu: runs /);
  });

  it('run a service whose predictions reach the subscriber of the README in Node and in Chromium', async (context) => {
    if (noChromium !== undefined) context.skip(noChromium);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const program = join(app, 'node_modules/.bin/presage');
    const sample = join(app, 'node_modules/presage/examples/pedestrians.mp4');
    expect(statSync(sample).size).toBeGreaterThan(0);
    const service = spawn(program, ['watch', sample, '--loop', '--port', String(port)], {
      cwd: app,
      stdio: 'ignore',
    });
    onTestFinished(() => void service.kill('SIGKILL'));
    await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200), {
      timeout: 30_000,
      interval: 200,
    });

    writeFileSync(join(app, 'subscriber.mjs'), subscriber(url));
    const node = spawn(process.execPath, ['subscriber.mjs'], { cwd: app });
    onTestFinished(() => void node.kill('SIGKILL'));
    const nodeLines: string[] = [];
    node.stdout.setEncoding('utf8').on('data', (text: string) => nodeLines.push(text));

    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    onTestFinished(() => browser.close());
    const page = await (await browser.newContext({ bypassCSP: true })).newPage();
    const pageLines: string[] = [];
    page.on('console', (message) => pageLines.push(message.text()));
    const module = readFileSync(join(app, 'node_modules/presage-client/dist/index.js'), 'utf8');
    // On a page of the service, because browsers keep other pages from reaching local addresses.
    await page.goto(url);
    const blob = `new Blob([${JSON.stringify(module)}], { type: 'text/javascript' })`;
    const code = subscriber(url).replace(
      "from 'presage-client'",
      '= await import(URL.createObjectURL(blob))',
    );
    await page.addScriptTag({
      type: 'module',
      content: `const blob = ${blob};\n${code.replace('import {', 'const {')}`,
    });
    await vi.waitFor(
      () => {
        // The stream, the participants, the probability and the reason.
        expect(nodeLines.join('')).toMatch(/^\S+ \[ 'o\d+'.*\] 0\.\d+ \S+/m);
        expect(pageLines.join('\n')).toMatch(/^\S+ .* 0\.\d+ \S+/m);
      },
      { timeout: 90_000, interval: 200 },
    );
  });
});
