import { PresageError } from '../../core/errors.js';
import type { PreparedRun } from '../ffmpeg-options.js';
import { freePortPair } from './free-ports.js';
import type { types } from './mediasoup.js';

/**
 * Asked for again and again: a decoder that begins needs a key frame, one that lost a packet too, and clips begin with one.
 * Publishers send none by themselves.
 */
const KEY_FRAME_MS = 2_000;
/** Until the decoder shows something, ms. */
const FIRST_KEY_FRAME_MS = 400;

/** What one publisher sends, while it sends. */
export interface Publication {
  readonly router: types.Router;
  readonly producer: types.Producer;
  /** Aborted when the publisher has gone. */
  readonly ended: AbortSignal;
}

/** Sends what is published to a decoder, as plain RTP on the loopback interface. */
export async function prepareRtp(
  name: string,
  { router, producer, ended }: Publication,
): Promise<PreparedRun> {
  const port = await freePortPair();
  const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
  const transport = await router.createPlainTransport({ listenInfo, rtcpMux: false, comedia: false });
  try {
    await transport.connect({ ip: '127.0.0.1', port, rtcpPort: port + 1 });
    const codecs = (router.rtpCapabilities.codecs ?? []).map((codec) => ({ ...codec, rtcpFeedback: [] }));
    const consumer = await transport.consume({
      producerId: producer.id,
      rtpCapabilities: { codecs, headerExtensions: [] },
      enableRtx: false,
    });
    const stop = keepAskingForKeyFrames(consumer);
    return {
      spec: { kind: 'rtp', name, sdp: sdpOf(consumer.rtpParameters, port) },
      ended,
      onLive: () => stop.slower(),
      release: () => {
        stop.end();
        transport.close();
      },
    };
  } catch (cause) {
    transport.close();
    throw new PresageError('source_unreachable', `${name}: the publisher has gone`, {
      cause,
      retryable: true,
    });
  }
}

function keepAskingForKeyFrames(consumer: types.Consumer): { slower(): void; end(): void } {
  // A consumer that was closed meanwhile needs none.
  const ask = (): void => void consumer.requestKeyFrame().catch(() => undefined);
  let timer = setInterval(ask, FIRST_KEY_FRAME_MS);
  return {
    slower: () => {
      clearInterval(timer);
      timer = setInterval(ask, KEY_FRAME_MS);
    },
    end: () => clearInterval(timer),
  };
}

function sdpOf({ codecs }: types.RtpParameters, port: number): string {
  const [codec] = codecs;
  const type = codec?.payloadType ?? 0;
  const fmtp = Object.entries(codec?.parameters ?? {}).map(([key, value]) => `${key}=${String(value)}`);
  const lines = [
    ...['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=presage', 'c=IN IP4 127.0.0.1', 't=0 0'],
    `m=video ${port} RTP/AVP ${type}`,
    `a=rtcp:${port + 1}`,
    `a=rtpmap:${type} ${(codec?.mimeType ?? '').slice('video/'.length)}/90000`,
    ...(fmtp.length > 0 ? [`a=fmtp:${type} ${fmtp.join(';')}`] : []),
    'a=recvonly',
  ];
  return `${lines.join('\r\n')}\r\n`;
}
