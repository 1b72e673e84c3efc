import { PresageError } from '../../core/errors.js';
import type { types } from './mediasoup.js';
import type { Publication } from './publication.js';
import { writeAnswer } from './sdp-answer.js';
import type { Offer, OfferedCodec } from './sdp-offer.js';

/** Feedback that keeps a viewer's picture whole. */
const FEEDBACK: readonly types.RtcpFeedback[] = [
  { type: 'nack' },
  { type: 'nack', parameter: 'pli' },
  { type: 'ccm', parameter: 'fir' },
];
/** Tables of payload types at once; browsers of one kind share one. */
const MAX_ROUTERS = 64;

/** A codec as a viewer numbers it. */
interface Chosen {
  readonly codec: OfferedCodec;
  /** As the publisher sends it. */
  readonly sent: types.RtpCodecParameters;
}

/**
 * Shows publications to viewers. A viewer's offer fixes the payload type of what it is sent, and a router of mediasoup
 * sends every viewer the same: so there is a router for each numbering, into which publications are piped once.
 */
export class Viewing {
  readonly #worker: types.Worker;
  readonly #routers = new Map<string, Promise<types.Router>>();
  readonly #piped = new Map<string, Promise<types.Producer>>();

  constructor(worker: types.Worker) {
    this.#worker = worker;
  }

  /** @throws PresageError `codec_unsupported` where the viewer cannot show what is published */
  choose({ codecs }: Offer, { rtpParameters }: types.Producer): Chosen {
    const sent = rtpParameters.codecs[0] as types.RtpCodecParameters;
    const name = sent.mimeType.slice('video/'.length).toUpperCase();
    const fitting = codecs.filter((codec) => codec.name === name);
    const codec =
      fitting.find(({ parameters }) => profileOf(parameters) === profileOf(sent.parameters)) ?? fitting[0];
    if (codec) return { codec, sent };
    throw new PresageError('codec_unsupported', `The stream is published as ${name}, which is not offered`);
  }

  routerOf({ codec, sent }: Chosen): Promise<types.Router> {
    const parameters = { ...sent.parameters };
    const key = JSON.stringify([sent.mimeType, codec.payloadType, parameters]);
    let router = this.#routers.get(key);
    if (!router) {
      if (this.#routers.size >= MAX_ROUTERS) {
        throw new PresageError('overloaded', 'Viewers with too many different offers are connected');
      }
      const { mimeType, clockRate } = sent;
      const preferredPayloadType = codec.payloadType;
      router = this.#worker.createRouter({
        mediaCodecs: [{ kind: 'video', mimeType, clockRate, preferredPayloadType, parameters }],
      });
      this.#routers.set(key, router);
    }
    return router;
  }

  async show(
    { router: from, producer }: Publication,
    { codec, sent }: Chosen,
    router: types.Router,
    transport: types.WebRtcTransport,
    offer: Offer,
  ): Promise<{ consumer: types.Consumer; answer: string }> {
    const piped = await this.#pipe(from, producer, router);
    const rtcpFeedback = [...FEEDBACK];
    const capability = {
      ...({ kind: 'video', mimeType: sent.mimeType, clockRate: sent.clockRate } as const),
      ...{ preferredPayloadType: codec.payloadType, parameters: { ...sent.parameters }, rtcpFeedback },
    };
    const consumer = await transport.consume({
      producerId: piped.id,
      rtpCapabilities: { codecs: [capability], headerExtensions: [] },
      enableRtx: false,
    });
    const { encodings, rtcp } = consumer.rtpParameters;
    const answer = writeAnswer(
      offer,
      {
        direction: 'sendonly',
        codec: { ...codec, feedback: rtcpFeedback },
        withRtx: false,
        extensions: [],
        source: { ssrc: encodings?.[0]?.ssrc ?? 0, cname: rtcp?.cname ?? 'presage' },
      },
      transport,
    );
    return { consumer, answer };
  }

  #pipe(from: types.Router, producer: types.Producer, to: types.Router): Promise<types.Producer> {
    const key = `${producer.id} ${to.id}`;
    let piped = this.#piped.get(key);
    if (!piped) {
      piped = pipe(from, producer, to);
      this.#piped.set(key, piped);
      producer.observer.once('close', () => this.#piped.delete(key));
      piped.catch(() => this.#piped.delete(key));
    }
    return piped;
  }
}

async function pipe(from: types.Router, producer: types.Producer, to: types.Router): Promise<types.Producer> {
  // Both are in one worker, where an id is given once.
  const { pipeProducer } = await from.pipeToRouter({ producerId: producer.id, router: to, keepId: false });
  if (pipeProducer) return pipeProducer;
  throw new PresageError('internal', 'The publication could not be shown');
}

/** The part of an H.264 profile that a decoder must know; undefined for other codecs. */
function profileOf(parameters: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const profile = parameters?.['profile-level-id'];
  return typeof profile === 'string' ? profile.slice(0, 4).toLowerCase() : undefined;
}
