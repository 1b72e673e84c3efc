import type { FfmpegSpec } from './source-spec.js';

export interface ArgumentOptions {
  /** Major version of ffmpeg. */
  readonly major: number;
  readonly rtspTransport: 'tcp' | 'udp';
  /** A source that gives nothing for this long is given up, ms. */
  readonly stallMs: number;
  /** Larger pictures are scaled down to fit, px. */
  readonly maxWidth: number;
  readonly maxHeight: number;
  /** 0 lets ffmpeg choose. */
  readonly decodeThreads: number;
  /** Demuxer of an HTTP input; by default ffmpeg chooses. */
  readonly inputFormat?: 'mjpeg' | undefined;
  /** Also write the video as it is encoded, as Matroska, to the file descriptor ENCODED_FD. */
  readonly copyEncoded: boolean;
}

/** Where the encoded video is written. */
export const ENCODED_FD = 3;
/** Milliseconds after which each frame is written by itself, not with others. */
const CLUSTER_MS = 1;
/**
 * Through `tee`, since a codec that Matroska can't hold, or a packet without a time, then ends the copy and not the child.
 * Times stay those of the pictures.
 */
const COPY = `[f=matroska:onfail=ignore:avoid_negative_ts=0:cluster_time_limit=${CLUSTER_MS}]pipe\\:${ENCODED_FD}|[f=null]-`;

/**
 * Our own watchdog stops a child that gives nothing and says so; ffmpeg's limit on network reads, this much longer, is
 * there for a child whose parent was killed.
 */
const ORPHAN_GRACE_MS = 2_000;
/** A recording over HTTP whose connection breaks is asked for its rest for about this long, s. */
const HTTP_RESUME_S = 4;

/** What each kind of source may open: a playlist from the network reaches no local file, a local one no network. */
const PROTOCOLS: Readonly<Record<FfmpegSpec['kind'], string>> = {
  file: 'file,crypto,data',
  http: 'http,https,httpproxy,tcp,tls,crypto,data',
  rtsp: 'rtsp,rtp,srtp,udp,tcp,tls',
  webcam: 'file',
  'rtsp-listen': 'rtsp,rtp,udp,tcp',
  rtp: 'file,data,rtp,udp',
};

/**
 * Arguments that make ffmpeg decode the first video track to raw I420 on standard output, one picture after another at
 * the size of the first, and tell the time and size of each on standard error (filter `showinfo`).
 */
export function ffmpegArguments(spec: FfmpegSpec, options: ArgumentOptions): string[] {
  const { major, maxWidth, maxHeight, decodeThreads } = options;
  const factor = `min(1,min(${maxWidth}/iw,${maxHeight}/ih))`;
  const fit = `scale=w='max(1,round(iw*${factor}))':h='max(1,round(ih*${factor}))'`;
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'info'],
    ...(decodeThreads > 0 ? ['-threads', String(decodeThreads)] : []),
    // Where the size changes within a stream, `scale` keeps to the first one as long as the filters are not made anew.
    // What a publisher sends may begin small and grow: there, frames get the new size.
    ...(spec.kind === 'rtp' ? [] : ['-reinit_filter', '0']),
    ...inputArguments(spec, options),
    ...['-map', '0:V:0', '-an', '-sn', '-dn'], // V: no cover pictures
    ...['-vf', `${fit},format=yuv420p,showinfo=checksum=0`],
    ...(major >= 5 ? ['-fps_mode', 'passthrough'] : ['-vsync', '0']),
    ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-flush_packets', '1', 'pipe:1'],
    ...(options.copyEncoded ? copyArguments() : []),
  ];
}

/** Pictures are handed on as soon as they are there: looking at the stream takes at most this, µs and bytes. */
const LOW_DELAY = ['-fflags', 'nobuffer', '-analyzeduration', '1000000', '-probesize', '500000'];

/**
 * A child to which no publisher connects ends after this and is started again, s: one whose parent was killed ends too, and a
 * publisher that connects and sends nothing is detected (see FfmpegRun).
 */
export const LISTEN_S = 30;

type RtpSpec = Extract<FfmpegSpec, { readonly kind: 'rtp' }>;

function sdpInput({ sdp }: RtpSpec): string {
  if (typeof sdp !== 'string') return `file:${sdp.path}`;
  return `data:application/sdp;base64,${Buffer.from(sdp).toString('base64')}`;
}

/** Whether only this machine is to send; ffmpeg would take it from everywhere. */
function isLoopback({ sdp }: RtpSpec): boolean {
  return typeof sdp === 'string' && sdp.includes('c=IN IP4 127.');
}

function copyArguments(): string[] {
  return ['-map', '0:V:0', '-c:v', 'copy', '-avoid_negative_ts', '0', '-f', 'tee', COPY];
}

function inputArguments(
  spec: FfmpegSpec,
  { major, rtspTransport, stallMs, inputFormat }: ArgumentOptions,
): string[] {
  const whitelist = ['-protocol_whitelist', PROTOCOLS[spec.kind]];
  const timeoutUs = String((stallMs + ORPHAN_GRACE_MS) * 1000);
  switch (spec.kind) {
    case 'file':
      return [...whitelist, '-i', `file:${spec.path}`];
    case 'http':
      return [
        ...whitelist,
        ...['-reconnect', '1', '-reconnect_delay_max', String(HTTP_RESUME_S), '-rw_timeout', timeoutUs],
        ...(inputFormat === undefined ? [] : ['-f', inputFormat]),
        ...['-i', spec.url],
      ];
    case 'rtsp':
      // Before version 5, `-timeout` of RTSP made ffmpeg listen.
      return [
        ...whitelist,
        ...['-rtsp_transport', rtspTransport, major >= 5 ? '-timeout' : '-stimeout', timeoutUs],
        ...['-i', spec.url],
      ];
    case 'rtsp-listen':
      return [
        ...whitelist,
        ...['-rtsp_flags', 'listen', '-listen_timeout', String(LISTEN_S), ...LOW_DELAY],
        ...['-i', spec.url],
      ];
    case 'rtp': {
      const local = major >= 5 && isLoopback(spec) ? ['-localaddr', '127.0.0.1'] : [];
      return [...whitelist, ...LOW_DELAY, '-f', 'sdp', ...local, '-i', sdpInput(spec)];
    }
    case 'webcam':
      return webcamArguments(spec.device);
  }
}

function webcamArguments(device: string): string[] {
  switch (process.platform) {
    case 'darwin':
      return ['-f', 'avfoundation', '-i', device];
    case 'win32':
      return ['-f', 'dshow', '-i', `video=${device}`];
    default:
      return ['-f', 'v4l2', '-i', device];
  }
}
