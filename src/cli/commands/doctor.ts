import { accessSync, constants, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { styleText } from 'node:util';
import { toPresageError, type PresageError } from '../../core/errors.js';
import { findFfmpeg } from '../../ingest/ffmpeg-binary.js';
import { openPerception } from '../../model/perception/perception.js';
import { verifyModels } from '../../model/runtime/model-store.js';
import type { CommandContext } from '../command-context.js';
import type { Settings } from '../options/option-table.js';
import { perceptionOptions } from '../options/service-options.js';
import { TokenFolder } from '../../transport/access/token-folder.js';
import { daysLeft, readTls, tlsPaths } from '../../service/server/tls-files.js';
import { modelsFolder } from '../../service/version.js';

/** One need and what was found of it. */
interface Finding {
  readonly need: string;
  readonly verdict: 'ok' | 'note' | 'bad';
  readonly found: string;
  /** The command or change that mends it. */
  readonly mend?: string | undefined;
}

const MIN_NODE = [20, 19] as const;

/** `presage doctor`: one line for each need; the exit code is 1 when something that presage needs is missing. */
export async function doctor({ settings, configFile }: CommandContext): Promise<void> {
  const findings: Finding[] = [
    checkNode(),
    {
      need: 'config',
      verdict: 'ok',
      found: configFile ?? 'no presage.yaml (where `serve` finds its streams)',
    },
    await checkFfmpeg(settings),
    ...(await checkModels(settings)),
    ...(await checkDevice(settings)),
    checkData(settings),
    await checkPort(settings),
    ...checkTls(settings),
    checkTokens(settings),
  ];
  for (const finding of findings) print(finding);
  const bad = findings.filter(({ verdict }) => verdict === 'bad').length;
  process.stdout.write(bad === 0 ? '\neverything that presage needs is here\n' : `\n${bad} to mend\n`);
  if (bad > 0) process.exitCode = 1;
}

function print({ need, verdict, found, mend }: Finding): void {
  const sign = { ok: '✓', note: '•', bad: '✗' }[verdict];
  const coloured = process.stdout.isTTY
    ? styleText({ ok: 'green', note: 'yellow', bad: 'red' }[verdict] as 'green', sign)
    : sign;
  process.stdout.write(`${coloured} ${need.padEnd(10)} ${found}\n`);
  if (mend !== undefined) process.stdout.write(`  ${' '.repeat(10)} → ${mend}\n`);
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  return {
    need: 'node',
    verdict: ok ? 'ok' : 'bad',
    found: `${process.version} on ${process.platform}-${process.arch}`,
    mend: ok ? undefined : `install Node ${MIN_NODE.join('.')} or later: https://nodejs.org`,
  };
}

async function checkFfmpeg(settings: Settings): Promise<Finding> {
  try {
    const { path, origin, version, notice } = await findFfmpeg({ path: settings.ffmpeg });
    return {
      need: 'ffmpeg',
      verdict: notice === undefined ? 'ok' : 'note',
      found: `${version} from ${origin}: ${path}`,
      mend: notice,
    };
  } catch (error) {
    return failed('ffmpeg', toPresageError(error));
  }
}

async function checkModels(settings: Settings): Promise<Finding[]> {
  try {
    const statuses = await verifyModels(settings.models ?? modelsFolder);
    const wanted = statuses.filter(({ entry, state }) => !(entry.pack !== undefined && state === 'missing'));
    return wanted.map(({ entry, state, error }) => ({
      need: 'model',
      verdict: state === 'verified' ? 'ok' : 'bad',
      found:
        error?.message ??
        `${entry.name}: ${entry.file}, SHA-256 ${entry.sha256.slice(0, 12)}… as in the manifest`,
      mend: error?.hint,
    }));
  } catch (error) {
    return [failed('model', toPresageError(error))];
  }
}

async function checkDevice(settings: Settings): Promise<Finding[]> {
  try {
    await using perception = await openPerception(perceptionOptions(settings));
    const others = perception.tried
      .filter(({ ok }) => !ok)
      .map(({ device, reason }): Finding => ({
        need: 'device',
        verdict: 'note',
        found: `${device}: ${reason ?? 'does not work here'}`,
      }));
    const { device, workers, model } = perception.info;
    return [
      ...others,
      {
        need: 'device',
        verdict: 'ok',
        found: `${device}: runs ${model} in ${workers} ${workers === 1 ? 'thread' : 'threads'}`,
      },
    ];
  } catch (error) {
    return [failed('device', toPresageError(error))];
  }
}

function checkData({ data }: Settings): Finding {
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    accessSync(data, constants.W_OK);
    return { need: 'data', verdict: 'ok', found: `${data} is writable` };
  } catch (error) {
    const { message } = toPresageError(error);
    return {
      need: 'data',
      verdict: 'bad',
      found: `cannot write to ${data}: ${message}`,
      mend: 'name another folder with --data DIR or PRESAGE_DATA',
    };
  }
}

function checkPort({ port }: Settings): Promise<Finding> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve({
        need: 'port',
        verdict: 'bad',
        found: `${port} is in use`,
        mend: 'name another one with --port N or PRESAGE_PORT',
      });
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => resolve({ need: 'port', verdict: 'ok', found: `${port} is free` }));
    });
  });
}

/** A certificate that expires within this many days is to be renewed. */
const RENEW_DAYS = 14;

function checkTls(settings: Settings): Finding[] {
  try {
    const paths = tlsPaths(settings);
    if (paths === undefined) return [];
    const days = Math.floor(daysLeft(readTls(paths)));
    const found = days < 0 ? `${paths.cert} has expired` : `${paths.cert} is good for ${days} days`;
    const verdict = days < 0 ? 'bad' : days < RENEW_DAYS ? 'note' : 'ok';
    return [{ need: 'tls', verdict, found, mend: verdict === 'ok' ? undefined : 'renew the certificate' }];
  } catch (error) {
    return [failed('tls', toPresageError(error))];
  }
}

function checkTokens({ data }: Settings): Finding {
  try {
    const count = new TokenFolder(data).names().length;
    const found =
      count === 0
        ? 'none: only this machine can connect, and it needs none'
        : `${count} in ${data}: clients need one`;
    return { need: 'tokens', verdict: 'ok', found };
  } catch (error) {
    return failed('tokens', toPresageError(error));
  }
}

function failed(need: string, error: PresageError): Finding {
  return { need, verdict: 'bad', found: error.message, mend: error.hint };
}
