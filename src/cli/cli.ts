import { Command, CommanderError, Option } from 'commander';
import { PresageError, toPresageError } from '../core/errors.js';
import { EXAMPLES } from '../ask/parser/lexicon.js';
import type { CommandContext } from './command-context.js';
import type { CommandName, OptionSpec } from './options/option-spec.js';
import { OPTIONS } from './options/option-table.js';
import { DEFAULT_CONFIG, loadSettings } from './options/settings.js';
import { withShutdown } from './shutdown.js';
import { version } from '../service/version.js';

/** Exit codes of the specification. */
const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Commands that run until they are stopped: SIGTERM is their regular end. A recording that is cut short is not done. */
const SERVICES: readonly CommandName[] = ['serve', 'watch'];

type Action = (context: CommandContext, ...args: (string | undefined)[]) => Promise<void>;

/** Loaded when they run: the model runtime and the server take seconds, which `--help` and a wrong option need not. */
const ACTIONS = {
  watch: async () => (await import('./commands/watch.js')).watch,
  serve: async () => (await import('./commands/serve.js')).serve,
  analyze: async () => (await import('./commands/analyze.js')).analyze,
  ask: async () => (await import('./commands/ask.js')).ask,
  doctor: async () => (await import('./commands/doctor.js')).doctor,
  listModels: async () => (await import('./commands/models.js')).listModels,
  pullModels: async () => (await import('./commands/models.js')).pullModels,
  verifyModels: async () => (await import('./commands/models.js')).verifyModels,
  createToken: async () => (await import('./commands/token.js')).createToken,
  listTokens: async () => (await import('./commands/token.js')).listTokens,
  revokeToken: async () => (await import('./commands/token.js')).revokeToken,
} satisfies Record<string, () => Promise<Action>>;

/** Runs one command line. Never throws; the error is on standard error, one message and at most one hint. */
export async function runCli(args: readonly string[]): Promise<number> {
  const program = buildProgram();
  try {
    await program.parseAsync([...args], { from: 'user' });
    return EXIT.done;
  } catch (thrown) {
    return report(thrown);
  }
}

function buildProgram(): Command {
  const program = new Command('presage')
    .description(
      'Watches camera streams, explains events, predicts the next ones and verifies its predictions.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'presage: ')) })
    .exitOverride();
  const sourceHelp = 'file, rtsp://…, http(s)://… (HLS, MJPEG, video file) or webcam:/dev/video0';

  add(
    program,
    'watch',
    'watch [source]',
    'watch one source live: an account in the terminal, and a server',
    ACTIONS.watch,
  ).argument('[source]', `${sourceHelp}; default: the recording that comes with presage`);
  add(program, 'serve', 'serve', `serve the streams of ${DEFAULT_CONFIG}`, ACTIONS.serve);
  add(program, 'analyze', 'analyze', 'go through a recording as fast as possible', ACTIONS.analyze).argument(
    '<video>',
    'video file',
  );
  add(program, 'ask', 'ask', 'answer a question about a recording or a stream', ACTIONS.ask)
    .argument('<of>', 'video file, FILE.jsonl of analyze, name of a stream, or data folder')
    .argument('<question>', 'such as "when did #4 meet #7?"')
    .addHelpText('after', `\nQuestions:\n${EXAMPLES.map((example) => `  ${example}`).join('\n')}`);
  add(program, 'doctor', 'doctor', 'show what was found of everything that presage needs', ACTIONS.doctor);
  const models = program.command('models').description('the model files').exitOverride();
  add(models, 'models', 'list', 'list the models and whether their files are here', ACTIONS.listModels);
  add(models, 'models', 'pull [name]', 'download model files that are missing', ACTIONS.pullModels).argument(
    '[name]',
    'a model or pack that does not come with presage, such as mobile-sam',
  );
  add(models, 'models', 'verify', 'compare every model file with its hash', ACTIONS.verifyModels);
  addTokens(program);
  return program;
}

function addTokens(program: Command): void {
  const tokens = program.command('token').description('tokens with which clients connect').exitOverride();
  const named = 'name by which it is listed and revoked';
  add(tokens, 'token', 'create <name>', 'make a token and show it, once', ACTIONS.createToken).argument(
    '<name>',
    named,
  );
  add(tokens, 'token', 'list', 'list names, scopes and ages', ACTIONS.listTokens);
  add(
    tokens,
    'token',
    'revoke <name>',
    'make a token useless and end its connections',
    ACTIONS.revokeToken,
  ).argument('<name>', named);
}

function add(
  parent: Command,
  name: CommandName,
  usage: string,
  description: string,
  load: () => Promise<Action>,
): Command {
  const command = parent
    .command(usage.split(' ')[0] ?? name)
    .description(description)
    .exitOverride();
  command.addOption(
    new Option('--config <FILE>', `configuration file (default: ${DEFAULT_CONFIG} where it exists)`),
  );
  for (const spec of Object.values(OPTIONS) as OptionSpec[]) {
    if (spec.commands.includes(name)) for (const one of toOptions(spec)) command.addOption(one);
  }
  return command.action(async (...received: unknown[]) => {
    const flags = received.at(-2) as Record<string, unknown>;
    const args = received.slice(0, -2) as (string | undefined)[];
    const loaded = loadSettings(name, flags, process.env);
    await withShutdown(
      async (signal) => {
        const action = await load();
        await action({ ...loaded, signal }, ...args);
      },
      { endsBySigterm: SERVICES.includes(name) },
    );
  });
}

/** The option of a command line; a switch that is on by default also has a form that turns it off, which `--help` shows. */
function toOptions(spec: OptionSpec): Option[] {
  const notes = [
    spec.fallback === undefined || typeof spec.fallback === 'boolean'
      ? undefined
      : `default: ${JSON.stringify(spec.fallback).replaceAll('"', '')}`,
    spec.env === undefined ? undefined : `env: ${spec.env}`,
  ].filter((note) => note !== undefined);
  const help = notes.length === 0 ? spec.description : `${spec.description} (${notes.join(', ')})`;
  if (spec.value !== undefined) return [new Option(`--${spec.flag} <${spec.value}>`, help)];
  const on = new Option(`--${spec.flag}`, help);
  // With both forms, commander leaves the value undefined where neither is given, so that environment and file count.
  return spec.fallback === true ? [on.hideHelp(), new Option(`--no-${spec.flag}`, `do not ${help}`)] : [on];
}

function report(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
  const error = toPresageError(thrown);
  if (error.code === 'interrupted') return EXIT.interrupted;
  process.stderr.write(`presage: ${error.message}\n${error.hint === undefined ? '' : `  ${error.hint}\n`}`);
  if (error.code === 'internal' && process.env['PRESAGE_LOG_LEVEL'] === 'debug') {
    process.stderr.write(`${(thrown as Error).stack ?? ''}\n`);
  }
  return isUsage(error) ? EXIT.usage : EXIT.failed;
}

function isUsage(error: PresageError): boolean {
  return error.code === 'bad_option' || error.code === 'bad_config';
}
