import { z } from 'zod';
import { labelList } from './label-list.js';

export type CommandName = 'watch' | 'serve' | 'analyze' | 'ask' | 'doctor' | 'models';

export interface OptionSpec<T = unknown> {
  /** Long flag without dashes. */
  readonly flag: string;
  /** Placeholder of the value in `--help`; absent for switches. */
  readonly value?: string;
  readonly env?: string;
  /** Dotted path in presage.yaml. */
  readonly yaml?: string;
  readonly schema: z.ZodType<T>;
  /** Completes "expected …" in error messages. */
  readonly expected: string;
  readonly fallback: T;
  readonly description: string;
  readonly commands: readonly CommandName[];
  /** Never shown in a message. */
  readonly secret?: boolean;
}

function option<T>(spec: OptionSpec<T>): OptionSpec<T> {
  return spec;
}

const text = z.string().min(1);
const optionalText = text.optional();
/** A number, or its decimal digits: `z.coerce` would take an empty text, `null` and `false` for 0. */
const numeric = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(?:\.\d+)?$/)
    .transform(Number),
]);
const number = (min: number, max: number): z.ZodType<number> => numeric.pipe(z.number().min(min).max(max));
const integer = (min: number, max: number): z.ZodType<number> => numeric.pipe(z.int().min(min).max(max));
const flag = z
  .union([z.boolean(), z.enum(['true', 'false', '1', '0', 'yes', 'no'])])
  .transform((value) => value === true || ['true', '1', 'yes'].includes(String(value)));

const STREAMING: readonly CommandName[] = ['watch', 'serve', 'analyze', 'ask'];
const LIVE: readonly CommandName[] = ['watch', 'serve'];

/** Every option of every command: the one place that `--help`, the environment and presage.yaml are made from. */
export const OPTIONS = {
  id: option({
    flag: 'id',
    value: 'NAME',
    schema: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/),
    expected: 'a name of letters, digits, - and _ (64 at most)',
    fallback: 'cam1',
    description: 'name of the stream in addresses and messages',
    commands: ['watch', 'analyze', 'ask'],
  }),
  host: option({
    flag: 'host',
    value: 'ADDRESS',
    env: 'PRESAGE_HOST',
    yaml: 'server.host',
    schema: text,
    expected: 'an address to bind to',
    fallback: '127.0.0.1',
    description: 'address the server binds to; anything but loopback needs a token',
    commands: LIVE,
  }),
  port: option({
    flag: 'port',
    value: 'N',
    env: 'PRESAGE_PORT',
    yaml: 'server.port',
    schema: integer(0, 65535),
    expected: 'a whole number from 0 (any free port) to 65535',
    fallback: 7878,
    description: 'port of the HTTP and WebSocket server',
    commands: ['watch', 'serve', 'doctor'],
  }),
  token: option({
    flag: 'token',
    value: 'SECRET',
    env: 'PRESAGE_TOKEN',
    yaml: 'server.token',
    schema: z.string().min(16).optional(),
    expected: 'at least 16 characters',
    fallback: undefined,
    description: 'token that clients must send (better by environment than by flag)',
    commands: [...LIVE, 'ask'],
    secret: true,
  }),
  data: option({
    flag: 'data',
    value: 'DIR',
    env: 'PRESAGE_DATA',
    yaml: 'data',
    schema: text,
    expected: 'a folder',
    fallback: '.presage',
    description: 'folder of the message log and what was learned',
    commands: ['watch', 'serve', 'ask', 'doctor', 'models'],
  }),
  keepDays: option({
    flag: 'keep-days',
    value: 'N',
    env: 'PRESAGE_KEEP_DAYS',
    yaml: 'keep.days',
    schema: number(0.001, 36_500),
    expected: 'days from 0.001 to 36500',
    fallback: 7,
    description: 'messages, what they are about, and pictures older than this are deleted',
    commands: LIVE,
  }),
  keepMb: option({
    flag: 'keep-mb',
    value: 'N',
    env: 'PRESAGE_KEEP_MB',
    yaml: 'keep.mb',
    schema: number(1, 1_000_000),
    expected: 'megabytes from 1 to 1000000',
    fallback: 2048,
    description: 'messages kept per stream, in megabytes; the oldest go',
    commands: LIVE,
  }),
  evidenceMb: option({
    flag: 'evidence-mb',
    value: 'N',
    env: 'PRESAGE_EVIDENCE_MB',
    yaml: 'keep.evidenceMb',
    schema: number(0, 1_000_000),
    expected: 'megabytes from 0 (no pictures) to 1000000',
    fallback: 1024,
    description: 'pictures of events kept in the data folder, in megabytes for all streams; the oldest go',
    commands: LIVE,
  }),
  url: option({
    flag: 'url',
    value: 'URL',
    schema: z.url({ protocol: /^https?$/ }).optional(),
    expected: 'an address such as http://127.0.0.1:7878',
    fallback: undefined,
    description: 'ask the service that runs at this address',
    commands: ['ask'],
  }),
  json: option({
    flag: 'json',
    schema: flag,
    expected: 'true or false',
    fallback: false,
    description: 'print the answer as JSON, with its evidence: the data of an answer.created message',
    commands: ['ask'],
  }),
  out: option({
    flag: 'out',
    value: 'FILE.jsonl',
    schema: optionalText,
    expected: 'a file',
    fallback: undefined,
    description: 'write every message as JSON Lines',
    commands: ['analyze'],
  }),
  stamp: option({
    flag: 'stamp',
    value: 'WHAT',
    schema: z.enum(['wall', 'none']),
    expected: '"wall" or "none"',
    fallback: 'wall' as const,
    description: 'none: leave out wall times and durations, so that two runs give the same bytes',
    commands: ['analyze'],
  }),
  render: option({
    flag: 'render',
    value: 'FILE.mp4',
    schema: optionalText,
    expected: 'a file',
    fallback: undefined,
    description: 'write the video with boxes, trails, predicted paths and captions',
    commands: ['analyze'],
  }),
  report: option({
    flag: 'report',
    value: 'FILE.html',
    schema: optionalText,
    expected: 'a file',
    fallback: undefined,
    description: 'write a self-contained report: timeline, predictions with outcome, evidence',
    commands: ['analyze'],
  }),
  reasoner: option({
    flag: 'reasoner',
    value: 'MODE',
    env: 'PRESAGE_REASONER',
    yaml: 'reasoner',
    schema: z.enum(['rules', 'forecaster', 'off']),
    expected: '"rules", "forecaster" or "off"',
    fallback: 'rules' as const,
    description:
      'rules: forecasts, and explanations by rules or by the server of --openai-url; forecaster: forecasts only; off: objects and events only',
    commands: STREAMING,
  }),
  openaiUrl: option({
    flag: 'openai-url',
    value: 'URL',
    env: 'PRESAGE_OPENAI_URL',
    yaml: 'openai.url',
    schema: z.url({ protocol: /^https?$/ }).optional(),
    expected: 'an http or https address such as http://127.0.0.1:8000/v1',
    fallback: undefined,
    description:
      'let an OpenAI-compatible server (vLLM, Ollama, llama.cpp) at this address write the explanations',
    commands: STREAMING,
  }),
  openaiModel: option({
    flag: 'openai-model',
    value: 'NAME',
    env: 'PRESAGE_OPENAI_MODEL',
    yaml: 'openai.model',
    schema: optionalText,
    expected: 'a model name',
    fallback: undefined,
    description: 'model to ask that server for',
    commands: STREAMING,
  }),
  openaiKey: option({
    flag: 'openai-key',
    value: 'SECRET',
    env: 'PRESAGE_OPENAI_KEY',
    yaml: 'openai.key',
    schema: optionalText,
    expected: 'a key',
    fallback: undefined,
    description: 'key for that server (better by environment than by flag)',
    commands: STREAMING,
    secret: true,
  }),
  openaiTimeout: option({
    flag: 'openai-timeout',
    value: 'SECONDS',
    env: 'PRESAGE_OPENAI_TIMEOUT',
    yaml: 'openai.timeout',
    schema: number(1, 600),
    expected: 'seconds from 1 to 600',
    fallback: 30,
    description: 'longest wait for one answer of that server',
    commands: STREAMING,
  }),
  openaiImages: option({
    flag: 'openai-images',
    env: 'PRESAGE_OPENAI_IMAGES',
    yaml: 'openai.images',
    schema: flag,
    expected: 'true or false',
    fallback: false,
    description: 'send keyframes to that server (its model must read images)',
    commands: STREAMING,
  }),
  device: option({
    flag: 'device',
    value: 'NAME',
    env: 'PRESAGE_DEVICE',
    yaml: 'device',
    schema: z.enum(['auto', 'cpu', 'cuda', 'tensorrt', 'webgpu', 'coreml', 'dml']),
    expected: 'auto, cpu, cuda, tensorrt, webgpu, coreml or dml',
    fallback: 'auto' as const,
    description: 'execution provider of the models; auto takes the first that works here',
    commands: [...STREAMING, 'doctor'],
  }),
  models: option({
    flag: 'models',
    value: 'DIR',
    env: 'PRESAGE_MODELS',
    yaml: 'models',
    schema: optionalText,
    expected: 'a folder with a manifest.json',
    fallback: undefined,
    description: 'folder of the model files (default: the one that comes with presage)',
    commands: [...STREAMING, 'doctor', 'models'],
  }),
  canvas: option({
    flag: 'canvas',
    value: 'PX',
    env: 'PRESAGE_CANVAS',
    yaml: 'canvas',
    schema: numeric.pipe(z.int().min(160).max(1920).multipleOf(32)).optional(),
    expected: 'a multiple of 32 from 160 to 1920',
    fallback: undefined,
    description:
      'long side of the picture that the detector sees; larger finds smaller things, and costs more',
    commands: STREAMING,
  }),
  labels: option({
    flag: 'labels',
    value: 'LIST',
    env: 'PRESAGE_LABELS',
    yaml: 'labels',
    schema: labelList.optional(),
    expected: 'labels of COCO with commas between them, such as person,car',
    fallback: undefined,
    description: 'keep only objects of these labels, such as person,car (default: all 80 of COCO)',
    commands: STREAMING,
  }),
  workers: option({
    flag: 'workers',
    value: 'N',
    env: 'PRESAGE_WORKERS',
    yaml: 'workers',
    schema: integer(0, 64),
    expected: 'a whole number from 0 (as many as fit) to 64',
    fallback: 0,
    description: 'threads that run the detector',
    commands: STREAMING,
  }),
  detectEvery: option({
    flag: 'detect-every',
    value: 'N',
    env: 'PRESAGE_DETECT_EVERY',
    yaml: 'detectEvery',
    schema: integer(1, 30),
    expected: 'a whole number from 1 to 30',
    fallback: 1,
    description: 'let the detector look at every N-th frame; between them only what moves is followed',
    commands: STREAMING,
  }),
  latencyBudget: option({
    flag: 'latency-budget',
    value: 'MS',
    env: 'PRESAGE_LATENCY_BUDGET',
    yaml: 'latencyBudget',
    schema: number(20, 60_000),
    expected: 'milliseconds from 20 to 60000',
    fallback: 250,
    description:
      'longest that a frame may take; beyond it less is done for each: detections first, then masks, then tokens',
    commands: LIVE,
  }),
  places: option({
    flag: 'places',
    value: 'FILE.json',
    yaml: 'places',
    schema: optionalText,
    expected: 'a file',
    fallback: undefined,
    description:
      'zones and lines: {"zones": {"door": [[x, y], …]}, "lines": {"gate": [[x, y], [x, y]]}} in frame fractions',
    commands: ['watch', 'analyze', 'ask'],
  }),
  loop: option({
    flag: 'loop',
    schema: flag,
    expected: 'true or false',
    fallback: false,
    description: 'play a file again and again',
    commands: ['watch'],
  }),
  rtspTransport: option({
    flag: 'rtsp-transport',
    value: 'NAME',
    yaml: 'rtspTransport',
    env: 'PRESAGE_RTSP_TRANSPORT',
    schema: z.enum(['tcp', 'udp']),
    expected: '"tcp" or "udp"',
    fallback: 'tcp' as const,
    description: 'how RTSP streams are carried',
    commands: STREAMING,
  }),
  stall: option({
    flag: 'stall',
    value: 'SECONDS',
    env: 'PRESAGE_STALL',
    yaml: 'stall',
    schema: number(1, 3600),
    expected: 'seconds from 1 to 3600',
    fallback: 10,
    description: 'a stream without a picture for this long is reconnected',
    commands: LIVE,
  }),
  ffmpeg: option({
    flag: 'ffmpeg',
    value: 'PATH',
    env: 'FFMPEG_PATH',
    yaml: 'ffmpeg',
    schema: optionalText,
    expected: 'the path of an ffmpeg program',
    fallback: undefined,
    description: 'ffmpeg to use (default: ffmpeg-static, then PATH, then @ffmpeg-installer)',
    commands: [...STREAMING, 'doctor'],
  }),
  logLevel: option({
    flag: 'log-level',
    value: 'LEVEL',
    env: 'PRESAGE_LOG_LEVEL',
    yaml: 'logLevel',
    schema: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']),
    expected: 'silent, fatal, error, warn, info, debug or trace',
    fallback: 'warn' as const,
    description: 'how much is logged, as JSON on standard error',
    commands: [...STREAMING, 'models'],
  }),
  mirror: option({
    flag: 'mirror',
    value: 'URL',
    env: 'PRESAGE_MODEL_MIRROR',
    yaml: 'modelMirror',
    schema: z.url({ protocol: /^https?$/ }).optional(),
    expected: 'an http or https address',
    fallback: undefined,
    description: 'where `models pull` downloads from instead of the addresses in the manifest',
    commands: ['models'],
  }),
} as const;

export type OptionKey = keyof typeof OPTIONS;
type Output<S> = S extends OptionSpec<infer T> ? T : never;
/** Validated values of all options; those that a command does not have keep their default. */
export type Settings = { [K in OptionKey]: Output<(typeof OPTIONS)[K]> };
