import { z } from 'zod';
import type { OptionSpec } from '../../src/cli/options/option-spec.js';
import { OPTIONS } from '../../src/cli/options/option-table.js';
import { CONFIGURATION_INTRO, CONFIGURATION_STRUCTURE } from './configuration-text.js';

/** Options by subject, by their flags, in the order of the page. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  Server: [
    'host',
    'port',
    'token',
    'allowed-origins',
    'base-path',
    'trusted-proxies',
    'tls-cert',
    'tls-key',
    'api-files',
    'max-clients',
    'request-rate',
  ],
  'Data folder': ['data', 'keep-days', 'keep-mb', 'evidence-mb', 'clips-mb'],
  'Streams and sources': ['id', 'places', 'loop', 'rtsp-transport', 'stall', 'ffmpeg'],
  Perception: ['device', 'models', 'workers', 'canvas', 'labels', 'detect-every', 'latency-budget'],
  'Masks and appearance': [
    'masks',
    'segmenter',
    'sam-encoder',
    'sam-decoder',
    'sam-every',
    'sam-grid',
    'reid',
  ],
  Memory: ['memory-budget', 'video-seconds', 'video-fps', 'video-mb', 'clip-seconds', 'clip-mb'],
  Reasoning: [
    'reasoner',
    'openai-url',
    'openai-model',
    'openai-key',
    'openai-timeout',
    'openai-images',
    'openai-tools',
  ],
  WebRTC: ['webrtc', 'ice-servers', 'webrtc-ports', 'webrtc-sessions'],
  Webhooks: ['webhook', 'webhook-allow-private'],
  MQTT: ['mqtt-url', 'mqtt-user', 'mqtt-password', 'mqtt-topic', 'mqtt-discovery', 'mqtt-discovery-topic'],
  'Files and answers': ['out', 'stamp', 'render', 'report', 'url', 'json'],
  'Access tokens': ['scopes', 'expires'],
  'Model files and logging': ['mirror', 'log-level'],
};

const HEADER = [
  'flag',
  'environment',
  'presage.yaml',
  'type',
  'expected',
  'default',
  'description',
  'commands',
];

/** @throws Error when an option belongs to no group, or a group names an option that does not exist */
export function configurationPage(): string {
  const byFlag = new Map((Object.values(OPTIONS) as OptionSpec[]).map((spec) => [spec.flag, spec]));
  const sections = Object.entries(GROUPS).map(([title, flags]) => {
    const rows = flags.map((flag) => {
      const spec = byFlag.get(flag);
      if (!spec) throw new Error(`scripts/documents/configuration.ts: there is no option --${flag}`);
      byFlag.delete(flag);
      return rowOf(spec);
    });
    return [`### ${title}`, '', row(HEADER), row(HEADER.map(() => '---')), ...rows].join('\n');
  });
  const [left] = byFlag.keys();
  if (left !== undefined)
    throw new Error(`scripts/documents/configuration.ts: add --${left} to one of the groups`);
  return [CONFIGURATION_INTRO, ...sections, CONFIGURATION_STRUCTURE].join('\n\n') + '\n';
}

function rowOf(spec: OptionSpec): string {
  return row([
    code(flagOf(spec)),
    code(spec.env),
    code(spec.yaml),
    typeOf(spec),
    spec.expected,
    defaultOf(spec),
    spec.description,
    spec.commands.join(', '),
  ]);
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function code(text: string | undefined): string {
  return text === undefined ? '' : `\`${text}\``;
}

function defaultOf({ fallback }: OptionSpec): string {
  if (fallback === undefined || fallback === '') return '';
  if (Array.isArray(fallback)) return fallback.length === 0 ? '' : code(fallback.join(','));
  return code(typeof fallback === 'string' ? fallback : JSON.stringify(fallback));
}

function typeOf({ schema, value, fallback }: OptionSpec): string {
  if (value === undefined) return 'switch';
  if (Array.isArray(fallback)) return 'list';
  const given = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' });
  if (given.anyOf?.some((branch) => typeof branch === 'object' && branch.type === 'array')) return 'list';
  const result = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'output' });
  if (result.enum) return 'choice';
  if (result.format === 'uri') return 'URL';
  return typeof result.type === 'string' && result.type !== 'string' ? result.type : 'text';
}

/** A switch that is on by default is given to turn it off. */
function flagOf({ flag, value, fallback }: OptionSpec): string {
  if (value !== undefined) return `--${flag} ${value}`;
  return fallback === true ? `--no-${flag}` : `--${flag}`;
}
