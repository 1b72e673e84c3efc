import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { PresageError } from '../../core/errors.js';
import type { Places } from '../../core/memory.js';
import { placesSchema } from '../../transport/http/streams/place-schemas.js';
import type { CommandName, OptionSpec } from './option-spec.js';
import { OPTIONS, type OptionKey, type Settings } from './option-table.js';

/** File that is read when no `--config` is given and it exists. */
export const DEFAULT_CONFIG = 'presage.yaml';

const streamSchema = z.strictObject({
  id: OPTIONS.id.schema,
  source: z.string().min(1),
  rtspTransport: OPTIONS.rtspTransport.schema.optional(),
  zones: placesSchema.shape.zones,
  lines: placesSchema.shape.lines,
});
type StreamEntry = z.infer<typeof streamSchema>;

export interface LoadedSettings {
  readonly settings: Settings;
  /** Streams of presage.yaml. */
  readonly streams: readonly StreamEntry[];
  /** The config file that was read, if any. */
  readonly configFile: string | undefined;
}

/**
 * Flags before environment before presage.yaml before defaults, each value validated where it comes from.
 *
 * @param flags values as commander gives them, by option key
 * @throws PresageError `bad_option` naming the option, what was given and what was expected; `bad_config`
 */
export function loadSettings(
  command: CommandName,
  flags: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
): LoadedSettings {
  const config = readConfig(flags['config'] as string | undefined);
  const settings: Record<string, unknown> = {};
  for (const [key, spec] of Object.entries(OPTIONS) as [OptionKey, OptionSpec][]) {
    settings[key] = spec.commands.includes(command)
      ? resolve(key, spec, flags, env, config.values)
      : spec.fallback;
  }
  return { settings: settings as Settings, streams: readStreams(config), configFile: config.file };
}

/** Reads zones and lines from a JSON or YAML file. @throws PresageError `bad_option` */
export function loadPlaces(file: string | undefined): Places {
  if (file === undefined) return { zones: {}, lines: {} };
  const parsed = placesSchema.safeParse(readYaml(file, 'bad_option'));
  if (parsed.success) return parsed.data;
  throw new PresageError('bad_option', `option --places: ${file}: ${firstIssue(parsed.error)}`, {
    hint: 'expected {"zones": {"name": [[x, y], …]}, "lines": {"name": [[x, y], [x, y]]}} with points from 0 to 1',
  });
}

interface Config {
  readonly file: string | undefined;
  readonly values: Record<string, unknown>;
}

function resolve(
  key: OptionKey,
  spec: OptionSpec,
  flags: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
  config: Record<string, unknown>,
): unknown {
  const candidates: [unknown, string][] = [
    [flags[key], `option --${spec.flag}`],
    [
      spec.env === undefined ? undefined : env[spec.env] || undefined,
      `environment variable ${spec.env ?? ''}`,
    ],
    [spec.yaml === undefined ? undefined : valueAt(config, spec.yaml), `config entry ${spec.yaml ?? ''}`],
  ];
  const given = candidates.find(([value]) => value !== undefined);
  if (!given) return spec.fallback;
  const parsed = spec.schema.safeParse(given[0]);
  if (parsed.success) return parsed.data;
  const shown = spec.secret ? 'a value that is not of its form' : JSON.stringify(given[0]);
  throw new PresageError('bad_option', `${given[1]}: got ${shown}, expected ${spec.expected}`, {
    hint: parsed.error.issues.find(({ code }) => code === 'custom')?.message,
  });
}

function readConfig(file: string | undefined): Config {
  let values: unknown;
  try {
    values = readYaml(file ?? DEFAULT_CONFIG, 'bad_config');
  } catch (error) {
    if (file === undefined && isMissing(error)) return { file: undefined, values: {} };
    throw error;
  }
  const used = file ?? DEFAULT_CONFIG;
  if (values === null || values === undefined) return { file: used, values: {} };
  if (typeof values !== 'object' || Array.isArray(values)) {
    throw new PresageError(
      'bad_config',
      `${used}: expected entries such as "streams:", got ${JSON.stringify(values)}`,
    );
  }
  rejectUnknown(values as Record<string, unknown>, used);
  return { file: used, values: values as Record<string, unknown> };
}

function readYaml(file: string, code: 'bad_config' | 'bad_option'): unknown {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    throw new PresageError(
      code,
      `cannot read ${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      {
        cause: error,
      },
    );
  }
  try {
    // With merge keys (`<<: *camera`), which YAML 1.1 tools write.
    return parse(source, { merge: true }) as unknown;
  } catch (error) {
    const [first] = (error as Error).message.split('\n');
    throw new PresageError(code, `${file} is not valid YAML: ${first ?? ''}`, { cause: error });
  }
}

function isMissing(error: unknown): boolean {
  return (
    error instanceof PresageError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
  );
}

function rejectUnknown(values: Record<string, unknown>, file: string): void {
  const paths = Object.values(OPTIONS).flatMap((spec) => ('yaml' in spec ? [spec.yaml] : []));
  for (const [name, value] of Object.entries(values)) {
    if (name === 'streams' || paths.includes(name)) continue;
    const inside = paths
      .filter((path) => path.startsWith(`${name}.`))
      .map((path) => path.slice(name.length + 1));
    const unknown =
      inside.length === 0 ? name : Object.keys(value ?? {}).find((entry) => !inside.includes(entry));
    if (unknown === undefined) continue;
    const where = unknown === name ? name : `${name}.${unknown}`;
    throw new PresageError('bad_config', `${file}: unknown entry "${where}"`, {
      hint: `known entries: streams, ${paths.join(', ')}`,
    });
  }
}

function readStreams({ file, values }: Config): StreamEntry[] {
  const parsed = z.array(streamSchema).safeParse(values['streams'] ?? []);
  if (!parsed.success) {
    throw new PresageError('bad_config', `${file ?? ''}: streams: ${firstIssue(parsed.error)}`, {
      hint: 'expected a list such as: - {id: cam1, source: "rtsp://…", zones: {door: [[0.1, 0.2], …]}}',
    });
  }
  const ids = parsed.data.map((stream) => stream.id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined)
    throw new PresageError('bad_config', `${file ?? ''}: two streams have the id "${twice}"`);
  return parsed.data;
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue ? `${issue.path.map(String).join('.') || 'value'}: ${issue.message}` : 'not valid';
}

function valueAt(values: Record<string, unknown>, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (at, name) =>
        typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined,
      values,
    );
}
