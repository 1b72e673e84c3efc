import type { types } from './mediasoup.js';
import { extensionsOf, ssrcsOf, type Offer, type OfferedCodec } from './sdp-offer.js';

/** What publishers may send. The decoder takes every profile; mediasoup wants each to be named. */
export const ROUTER_CODECS: readonly types.RouterRtpCodecCapability[] = [
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
  { kind: 'video', mimeType: 'video/VP9', clockRate: 90_000, parameters: { 'profile-id': 0 } },
  ...['42e01f', '42001f', '4d001f', '64001f', '640c1f', 'f4001f'].map(
    (profile): types.RouterRtpCodecCapability => ({
      kind: 'video',
      mimeType: 'video/H264',
      clockRate: 90_000,
      parameters: {
        'packetization-mode': 1,
        'profile-level-id': profile,
        'level-asymmetry-allowed': 1,
      },
    }),
  ),
];

/**
 * Header extensions that serve sending to us. Not the one for turned pictures: a publisher without it turns them itself,
 * and nobody after it has to.
 */
const EXTENSIONS: readonly types.RtpHeaderExtensionUri[] = [
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
];

export interface ProducerParameters {
  readonly codec: OfferedCodec;
  readonly rtpParameters: types.RtpParameters;
  readonly extensions: readonly { readonly id: number; readonly uri: types.RtpHeaderExtensionUri }[];
}

/** How a publisher sends the codec that it likes best, of those that we take. */
export function producerParameters(offer: Offer): ProducerParameters {
  const [codec] = offer.codecs as readonly [OfferedCodec];
  const { main, rtx } = ssrcsOf(offer.video);
  const ids = extensionsOf(offer.video);
  const extensions = EXTENSIONS.flatMap((uri) => {
    const id = ids.get(uri);
    return id === undefined ? [] : [{ id, uri }];
  });
  const withRtx = codec.rtx !== undefined && rtx !== undefined;
  const sender: types.RtpCodecParameters = {
    mimeType: `video/${codec.name}`,
    payloadType: codec.payloadType,
    clockRate: 90_000,
    parameters: { ...codec.parameters },
    rtcpFeedback: [...codec.feedback],
  };
  const repair: types.RtpCodecParameters = {
    mimeType: 'video/rtx',
    payloadType: codec.rtx ?? 0,
    clockRate: 90_000,
    parameters: { apt: codec.payloadType },
    rtcpFeedback: [],
  };
  const encoding = {
    ...(main === undefined ? {} : { ssrc: main }),
    ...(withRtx ? { rtx: { ssrc: rtx } } : {}),
  };
  return {
    codec,
    extensions,
    rtpParameters: {
      mid: offer.video.mid,
      codecs: withRtx ? [sender, repair] : [sender],
      headerExtensions: extensions.map(({ id, uri }) => ({ id, uri, encrypt: false, parameters: {} })),
      encodings: [encoding],
      rtcp: { reducedSize: true },
    },
  };
}
