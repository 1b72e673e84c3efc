import { z } from 'zod';
import type { IceServer } from '../../core/video/live-video.js';
import { integer, LIVE, option } from './option-spec.js';

/** `turn:user:password@host:3478?transport=udp`, `stun:host`. */
const ICE_SERVER = /^(stuns?|turns?):(?:([^:@\s]+):([^@\s]+)@)?([^@\s]+)$/i;

const iceServers = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .pipe(z.array(z.string().regex(ICE_SERVER)))
  .transform((list) => list.map(toIceServer));

const portRange = z
  .string()
  .regex(/^\d{1,5}-\d{1,5}$/)
  .transform((text) => {
    const [min = 0, max = 0] = text.split('-').map(Number);
    return { min, max };
  })
  .refine(({ min, max }) => min >= 1024 && max >= min && max <= 65_535);

/** Options of WebRTC. */
export const WEBRTC_OPTIONS = {
  webrtc: option({
    flag: 'webrtc',
    value: 'ENGINE',
    env: 'PRESAGE_WEBRTC',
    yaml: 'webrtc.engine',
    schema: z.enum(['wrtc', 'mediasoup', 'off']),
    expected: '"wrtc", "mediasoup" or "off"',
    fallback: 'wrtc' as const,
    description:
      'what takes publishers (WHIP) and shows streams (WHEP): wrtc decodes and encodes here; mediasoup routes, so that many can watch; off',
    commands: LIVE,
  }),
  iceServers: option({
    flag: 'ice-servers',
    value: 'LIST',
    env: 'PRESAGE_ICE_SERVERS',
    yaml: 'webrtc.iceServers',
    schema: iceServers,
    expected: 'addresses with commas between them, such as stun:host:3478,turn:user:password@host:3478',
    fallback: [] as IceServer[],
    description: 'STUN and TURN servers, for both ends',
    commands: LIVE,
    secret: true,
  }),
  webrtcPorts: option({
    flag: 'webrtc-ports',
    value: 'FROM-TO',
    env: 'PRESAGE_WEBRTC_PORTS',
    yaml: 'webrtc.ports',
    schema: portRange.optional(),
    expected: 'a range of ports from 1024 to 65535, such as 40000-40100',
    fallback: undefined,
    description: 'UDP ports of media (default: any that is free)',
    commands: LIVE,
  }),
  webrtcSessions: option({
    flag: 'webrtc-sessions',
    value: 'N',
    env: 'PRESAGE_WEBRTC_SESSIONS',
    yaml: 'webrtc.sessions',
    schema: integer(1, 1000),
    expected: 'a whole number from 1 to 1000',
    fallback: 32,
    description: 'publishers and viewers at once, for all streams; more are refused',
    commands: LIVE,
  }),
};

function toIceServer(text: string): IceServer {
  const [, scheme = '', username, credential, host = ''] = ICE_SERVER.exec(text) ?? [];
  const urls = `${scheme.toLowerCase()}:${host}`;
  if (username === undefined || credential === undefined) return { urls };
  return { urls, username: decodeURIComponent(username), credential: decodeURIComponent(credential) };
}
