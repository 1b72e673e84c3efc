/** The built command line: what it offers, and what it says to options that are wrong. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CommandName, OptionSpec } from '../../src/cli/options/option-spec.js';
import { OPTIONS } from '../../src/cli/options/option-table.js';
import { expectFailure, runCli, startCli, type CliEnd } from '../support/cli.js';
import { tempFolder } from '../support/transport/temp-folder.js';

function run(args: string[], env: Record<string, string> = {}): Promise<CliEnd> {
  return runCli(args, { cwd: tempFolder(), env });
}

function runWith(yaml: string, args: string[]): Promise<CliEnd> {
  const cwd = tempFolder();
  writeFileSync(join(cwd, 'presage.yaml'), yaml);
  return runCli(args, { cwd });
}

describe('--help', () => {
  it('lists the commands', async () => {
    const { code, stdout, stderr } = await run(['--help']);
    expect([code, stderr]).toEqual([0, '']);
    for (const command of ['watch', 'serve', 'analyze', 'doctor', 'models'])
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  });

  it.each<[CommandName, string[], string[]]>([
    ['watch', ['watch'], ['--id', '--host', '--port', '--token', '--loop', '--labels']],
    ['serve', ['serve'], ['--host', '--port', '--token', '--data', '--labels']],
    ['analyze', ['analyze'], ['--out', '--stamp', '--render', '--report', '--labels']],
    ['doctor', ['doctor'], ['--port', '--data', '--ffmpeg', '--models']],
    ['models', ['models', 'list'], ['--models']],
    ['models', ['models', 'pull'], ['--models', '--mirror']],
    ['models', ['models', 'verify'], ['--models']],
  ])('of %s lists its options and no others (%j)', async (name, command, known) => {
    const { code, stdout, stderr } = await run([...command, '--help']);
    expect([code, stderr]).toEqual([0, '']);
    const listed = [...stdout.matchAll(/^ {2}(?:-h, )?(--[a-z-]+)/gm)].map(([, flag]) => flag);
    const own = (Object.values(OPTIONS) as OptionSpec[]).filter(({ commands }) => commands.includes(name));
    expect(listed).toEqual([
      '--config',
      ...own.map(({ flag, fallback }) => (fallback === true ? `--no-${flag}` : `--${flag}`)),
      '--help',
    ]);
    expect(listed).toEqual(expect.arrayContaining(known));
  });

  it('offers a form that turns off a switch which is on by default', async () => {
    const { stdout } = await run(['serve', '--help']);
    expect(stdout).toMatch(/--no-mqtt-discovery +do not announce sensors/);
    // The flag is accepted: what fails is the missing video.
    const { code, stderr } = await run(['analyze', 'missing.mp4', '--no-openai-tools']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/missing\.mp4/);
    expect(stderr).not.toMatch(/openai-tools/);
  });

  it('is what comes of no command, as an error', async () => {
    const { code, stderr } = await run([]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^Usage: presage/);
  });
});

describe('standard output', () => {
  it('that nobody reads is no error', async () => {
    const cli = startCli(['--help'], { cwd: tempFolder() });
    cli.closeStdout();
    expect(await cli.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  });

  it.skipIf(!existsSync('/dev/full'))('that can take no more is one', async () => {
    const end = await runCli(['models', 'list'], { cwd: tempFolder(), stdoutTo: '/dev/full' });
    expectFailure(end, 1, /cannot write the output: ENOSPC: no space left on device/);
  });
});

it('tells its version', async () => {
  expect(await run(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n' });
});

describe('a wrong command line ends with 2 and says what was wrong:', () => {
  it.each<[string[], RegExp]>([
    [['look'], /unknown command 'look'/],
    [['analyze'], /missing required argument 'video'/],
    [['analyze', 'a.mp4', 'b.mp4'], /too many arguments/],
    [['analyze', 'a.mp4', '--port', '1'], /unknown option '--port'/],
    [['analyze', 'a.mp4', '--out'], /option '--out <FILE\.jsonl>' argument missing/],
    [['watch', '--port', 'x'], /option --port: got "x", expected a whole number from 0 /],
    [['serve', '--port', ''], /option --port: got "", expected a whole number from 0 /],
    [['serve', '--port', '65536'], /option --port: got "65536", expected .* 65535/],
    [['watch', '--id', '../up'], /option --id: got "\.\.\/up", expected a name of letters/],
    [['analyze', 'a.mp4', '--canvas', '100'], /option --canvas: got "100", expected a multiple of 32/],
    [['analyze', 'a.mp4', '--stamp', 'no'], /option --stamp: got "no", expected "wall" or "none"/],
    [
      ['analyze', 'a.mp4', '--labels', 'person,carr'],
      /--labels: got "person,carr".*\n.*label "carr"; did you mean "car" or /,
    ],
    [['analyze', 'ftp://host/a.mp4'], /got ftp:\/\/host\/a\.mp4, expected a file, rtsp/],
    [['analyze', 'http://127.0.0.1:1/a.mp4'], /analyze reads files.*\n.*presage watch/],
  ])('%j', async (args, message) => {
    expectFailure(await run(args), 2, message);
  });

  it('a token that is too short, without showing it', async () => {
    const end = await run(['watch', '--token', 'hunter2']);
    expectFailure(end, 2, /option --token: got .*, expected at least 16 characters/);
    expect(end.stderr).not.toContain('hunter2');
  });

  it('an environment variable, by its name', async () => {
    const end = await run(['watch'], { PRESAGE_DEVICE: 'abacus' });
    expectFailure(end, 2, /environment variable PRESAGE_DEVICE: got "abacus", expected auto, cpu, /);
  });

  it('an environment variable that a flag overrides is not looked at', async () => {
    const end = await run(['analyze', 'missing.mp4', '--device', 'cpu'], { PRESAGE_DEVICE: 'abacus' });
    expectFailure(end, 1, /missing\.mp4: there is no such file/);
  });

  it('places in a file that is not of their form', async () => {
    const cwd = tempFolder();
    writeFileSync(join(cwd, 'places.json'), '{"zones": {"door": [[0, 0], [2, 0], [1, 1]]}}');
    const end = await runCli(['analyze', 'a.mp4', '--places', 'places.json'], { cwd });
    expectFailure(end, 2, /option --places: places\.json: zones\.door\.1\.0: .*\n.*points from 0 to 1/);
  });
});

describe('a broken presage.yaml ends with 2 and says what is wrong:', () => {
  it.each<[string, RegExp]>([
    ['streams: [', /presage\.yaml is not valid YAML: /],
    ['nonsense', /presage\.yaml: expected entries such as "streams:", got "nonsense"/],
    ['streams: 3', /presage\.yaml: streams: value: /],
    ['streams: [{id: cam1}]', /presage\.yaml: streams: 0\.source: /],
    ['streams: [{id: a b, source: x.mp4}]', /presage\.yaml: streams: 0\.id: /],
    ['streams: [{id: a, source: x.mp4}, {id: a, source: y.mp4}]', /two streams have the id "a"/],
    ['streams: [{id: a, source: x.mp4, colour: red}]', /streams: 0: .*colour/],
    ['sreams: []', /unknown entry "sreams"\n.*known entries: streams, /],
    ['server: {prot: 1}', /unknown entry "server\.prot"/],
    ['server: {port: high}', /config entry server\.port: got "high", expected a whole number/],
    ['server: {port: }', /config entry server\.port: got null, expected a whole number/],
    ['labels: [person, ghost]', /config entry labels: .*\n.*no label "ghost"; /],
  ])('%s', async (yaml, message) => {
    expectFailure(await runWith(yaml, ['serve']), 2, message);
  });

  it('one that was named and is not there', async () => {
    expectFailure(await run(['serve', '--config', 'no.yaml']), 2, /cannot read no\.yaml: ENOENT/);
  });
});

it.each(['0.0.0.0', '::'])('refuses to listen at %s without a token', async (host) => {
  expectFailure(await run(['watch', '--host', host, '--port', '0']), 2, /needs a token/);
});
