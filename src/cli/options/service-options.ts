import { PresageError } from '../../core/errors.js';
import type { PerceptionOptions } from '../../model/perception/perception.js';
import type { OpenAiOptions } from '../../reasoner/explain/openai/config.js';
import type { OutputOptions } from '../../service/outputs/outputs.js';
import type { SharedVideoOptions } from '../../service/recent-video/shared-video.js';
import type { ReasonerModelsOptions } from '../../service/reasoner-models.js';
import type { ListenOptions } from '../../service/server/service-server.js';
import type { ServiceOptions } from '../../service/service-options.js';
import type { StageOptions } from '../../service/session/stream-session.js';
import type { SharedModelsOptions } from '../../service/shared-models.js';
import type { Settings } from './option-table.js';

/** Maps the settings of the command line to the options of a service. @throws PresageError `bad_option` */
export function serviceOptions(settings: Settings): ServiceOptions & { readonly listen: ListenOptions } {
  const { keepDays, keepMb, evidenceMb, clipsMb, clipSeconds, clipMb } = settings;
  const { webrtc, iceServers, webrtcPorts, webrtcSessions, rtspTransport, stall } = settings;
  return {
    data: settings.data,
    ffmpeg: settings.ffmpeg,
    logLevel: settings.logLevel,
    keep: { days: keepDays, mb: keepMb, evidenceMb, clipsMb },
    models: modelsOptions(settings),
    stages: stageOptions(settings),
    sources: { rtspTransport, stallS: stall },
    clips: { seconds: clipSeconds, mb: clipMb },
    outputs: outputOptions(settings),
    listen: listenOptions(settings),
    webrtc: { engine: webrtc, iceServers, ports: webrtcPorts, sessions: webrtcSessions },
  };
}

/** Options of the models that all streams share. @throws PresageError `bad_option` */
export function modelsOptions(settings: Settings): SharedModelsOptions {
  return {
    perception: perceptionOptions(settings),
    reasoner: reasonerOptions(settings),
    video: videoOptions(settings),
  };
}

export function perceptionOptions(settings: Settings): PerceptionOptions {
  const { models, canvas, labels, device, workers, masks, segmenter } = settings;
  const { samEncoder: encoder, samDecoder: decoder, samEvery: samEveryS, samGrid } = settings;
  const sam = { ...(encoder !== undefined && { encoder }), ...(decoder !== undefined && { decoder }) };
  return {
    modelsDir: models,
    longSidePx: canvas,
    labels,
    device,
    workers,
    masks,
    segmenter,
    sam,
    samEveryS,
    samGrid,
  };
}

/** @throws PresageError `bad_option` */
function reasonerOptions(settings: Settings): ReasonerModelsOptions {
  return { mode: settings.reasoner, modelsDir: settings.models, openai: openAiOptions(settings) };
}

export function stageOptions({ reid, memoryBudget, detectEvery, latencyBudget }: Settings): StageOptions {
  return {
    appearance: reid,
    memoryMb: memoryBudget,
    detectEvery,
    // 0 means no limit.
    latencyBudgetMs: latencyBudget || undefined,
  };
}

/** The language-model server; undefined where none is configured. @throws PresageError `bad_option` */
export function openAiOptions(settings: Settings): OpenAiOptions | undefined {
  const { openaiUrl, openaiModel, openaiKey, openaiTimeout, openaiImages, openaiTools } = settings;
  if (openaiUrl === undefined) return undefined;
  if (openaiModel === undefined) {
    throw new PresageError(
      'bad_option',
      'option --openai-model: got nothing, expected a model name, since --openai-url is given',
    );
  }
  return {
    baseUrl: openaiUrl,
    model: openaiModel,
    timeoutMs: openaiTimeout * 1000,
    images: openaiImages,
    tools: openaiTools,
    ...(openaiKey !== undefined && { apiKey: openaiKey }),
  };
}

/** True when the configured reasoner inspects recent video for its explanations. */
export function allowsInspection({ reasoner, openaiUrl, openaiTools }: Settings): boolean {
  return reasoner === 'rules' && openaiUrl !== undefined && openaiTools;
}

function videoOptions({ videoSeconds, videoFps, videoMb }: Settings): SharedVideoOptions {
  return { seconds: videoSeconds, fps: videoFps, mb: videoMb };
}

function listenOptions(settings: Settings): ListenOptions {
  const { host, port, token, allowedOrigins, basePath, trustedProxies, maxClients } = settings;
  const { requestRate: requestsPerSecond, apiFiles, tlsCert, tlsKey } = settings;
  return {
    host,
    port,
    token,
    allowedOrigins,
    basePath,
    trustedProxies,
    maxClients,
    requestsPerSecond,
    apiFiles,
    tlsCert,
    tlsKey,
  };
}

function outputOptions(settings: Settings): OutputOptions {
  const { webhook, webhookAllowPrivate: allowPrivate, mqttUrl: url, mqttUser, mqttPassword } = settings;
  const { mqttTopic: topic, mqttDiscovery, mqttDiscoveryTopic } = settings;
  return {
    webhooks: webhook.map((target) => ({ allowPrivate, ...target })),
    mqtt:
      url === undefined
        ? undefined
        : {
            url,
            user: mqttUser,
            password: mqttPassword,
            topic,
            discoveryTopic: mqttDiscovery ? mqttDiscoveryTopic : undefined,
          },
  };
}
