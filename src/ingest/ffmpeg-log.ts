import { PresageError, type ErrorCode } from '../core/errors.js';
import type { I420Layout } from '../core/video/frame.js';
import { i420Layout } from '../core/video/frame.js';
import { redact } from '../core/text/redact.js';

/** What `showinfo` tells of one picture. */
export interface PictureInfo {
  /** Presentation time, s; undefined when the picture has none. */
  readonly pts: number | undefined;
  /** When it came, s: its time, where presentation times are made up. */
  readonly arrival?: number;
  readonly layout: I420Layout;
}

export interface InputInfo {
  /** ffmpeg's name of the container or protocol, such as `hls` or `mov,mp4,m4a,3gp,3g2,mj2`; empty before it is known. */
  readonly format: string;
  /** s */
  readonly duration: number | undefined;
  readonly codec: string;
  readonly fps: number;
}

/** Lines kept for finding out why ffmpeg ended. */
const KEPT_LINES = 40;
/** A higher rate is that of the clock, told where no other is known. */
const MAX_FPS = 1000;
/** A line beyond this is cut, characters. */
const MAX_LINE = 2_000;
/** Most lines of pictures in a row that are taken for torn; more would be a misreading. */
const MAX_TORN = 8;

/**
 * Anchored, so that no text from the stream itself (titles, comments) can pass for it. The time is told in ticks, since
 * ffmpeg writes seconds with six digits only: after some hours those are too coarse.
 */
const PICTURE = /^\[Parsed_showinfo_\d+ @ \w+\] n: *(\d+) pts: *(-?\d+|NOPTS) .*? s:(\d+)x(\d+) /;
const TIME_BASE = /^\[Parsed_showinfo_\d+ @ \w+\] config in time_base: (\d+)\/(\d+)/;
/** Messages of demuxers and decoders that a part of the input is lacking or unreadable. */
const DAMAGE =
  /ended prematurely|ends prematurely|partial file|truncat|error while decoding|Error number -5|I\/O error/i;
const FORMAT = /^Input #0, (\S+), from /;
const DURATION = /^\s*Duration: (\d+):(\d+):(\d+(?:\.\d+)?)/;
const INPUT_VIDEO = /^ *Stream #0:\d+.*?: Video: (\w+)(?!.*\(attached pic\))/;
const RATE = /, ([\d.]+)(k?) (?:fps|tbr)\b/;

/** Reads ffmpeg's standard error line by line. Bounded: of what it does not understand, the last lines are kept. */
export class FfmpegLog {
  readonly #onPicture: (info: PictureInfo) => void;
  #rest = '';
  #lines: string[] = [];
  #input: { format?: string | undefined; duration?: number; codec?: string; fps?: number } = {};
  #damaged = false;
  /** Seconds per tick of the presentation times. */
  #tick = 0;
  /** Pictures told since the time base was. */
  #told = 0;
  #layouts = new Map<string, I420Layout>();
  #inOutput = false;

  constructor(onPicture: (info: PictureInfo) => void) {
    this.#onPicture = onPicture;
  }

  get input(): InputInfo {
    const { format = '', duration, codec = 'unknown', fps = 0 } = this.#input;
    return { format, duration, codec, fps };
  }

  /** Whether ffmpeg complained that a part of the input is lacking or unreadable. */
  get damaged(): boolean {
    return this.#damaged;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split(/\r\n|[\r\n]/);
    this.#rest = (lines.pop() ?? '').slice(-MAX_LINE);
    lines.forEach((line) => this.#read(line));
  }

  /** The error that ffmpeg's last words mean. `name` is the source's, without credentials. */
  error(name: string, exit: string): PresageError {
    if (this.#rest !== '') this.#read(this.#rest);
    this.#rest = '';
    // Titles (indented) and names of files could hold anything, `404 Not Found` too.
    const said = this.#lines.filter((line) => /^\S/.test(line) && !/^(?:Input|Output) #/.test(line));
    const text = said.map((line) => line.replaceAll(name, '')).join('\n');
    const cause = CAUSES.find(({ pattern }) => pattern.test(text));
    if (cause)
      return new PresageError(cause.code, `${name}: ${cause.message}`, {
        retryable: cause.retryable,
        hint: cause.hint,
      });
    const last = this.#lines.filter((line) => line.trim() !== '').at(-1) ?? 'it said nothing';
    return new PresageError('ffmpeg_failed', `${name}: ffmpeg ended (${exit}): ${redact(last.trim())}`, {
      retryable: true,
    });
  }

  #read(line: string): void {
    if (line.startsWith('[Parsed_showinfo')) {
      this.#readPicture(line);
      return;
    }
    if (DAMAGE.test(line)) this.#damaged = true;
    if (line.startsWith('Output #')) this.#inOutput = true;
    if (!this.#inOutput) this.#readInput(line);
    this.#lines.push(line.slice(0, MAX_LINE));
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
  }

  #readPicture(line: string): void {
    const [, ticks, perSecond] = TIME_BASE.exec(line) ?? [];
    if (perSecond !== undefined) {
      this.#tick = Number(ticks) / Number(perSecond);
      this.#told = 0;
    }
    const [, count, pts, width, height] = PICTURE.exec(line) ?? [];
    if (width === undefined) return; // side data, colour notes
    const size = `${width}x${height ?? ''}`;
    const layout = this.#layouts.get(size) ?? i420Layout(Number(width), Number(height));
    this.#layouts.set(size, layout);
    // A message of another thread may have torn the line of a picture; its bytes come all the same.
    const torn = Math.min(Number(count) - this.#told, MAX_TORN);
    for (let index = 0; index < torn; index += 1) this.#onPicture({ pts: undefined, layout });
    this.#told = Number(count) + 1;
    this.#onPicture({ pts: pts === 'NOPTS' ? undefined : Number(pts) * this.#tick, layout });
  }

  #readInput(line: string): void {
    this.#input.format ??= FORMAT.exec(line)?.[1];
    const [, hours, minutes, seconds] = DURATION.exec(line) ?? [];
    if (hours !== undefined)
      this.#input.duration = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    const [, codec] = this.#input.codec === undefined ? (INPUT_VIDEO.exec(line) ?? []) : [];
    if (codec === undefined) return;
    const [, rate, kilo] = RATE.exec(line) ?? [];
    this.#input.codec = codec;
    const fps = rate === undefined ? 0 : Number(rate) * (kilo === 'k' ? 1000 : 1);
    this.#input.fps = fps > MAX_FPS ? 0 : fps;
  }
}

interface Cause {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly hint: string;
}

/** What ffmpeg's words mean, the most specific first. */
const CAUSES: readonly Cause[] = [
  {
    pattern: /401 Unauthorized|403 Forbidden|authorization failed|Server returned 40[13]/i,
    code: 'source_refused',
    message: 'the server refuses: user or password is wrong or missing',
    retryable: true,
    hint: 'put them into the address: rtsp://user:password@host/path',
  },
  {
    pattern: /Address already in use/i,
    code: 'port_in_use',
    message: 'another program listens on this port',
    retryable: true,
    hint: 'end it, or choose another port',
  },
  {
    pattern: /404 Not Found|Server returned 404|454 Session|Stream not found/i,
    code: 'source_not_found',
    message: 'the server has nothing at this path',
    retryable: true,
    hint: "look up the path in the camera's manual",
  },
  {
    pattern:
      /Connection refused|Connection timed out|Operation timed out|No route to host|Network is unreachable|Host is down|Failed to resolve hostname|Name or service not known|No address associated|Temporary failure in name resolution|Error number -110|Connection reset|5\d\d (?:Server|Internal|Bad|Service)|Server returned 5XX/i,
    code: 'source_unreachable',
    message: 'it cannot be reached',
    retryable: true,
    hint: 'check address and port, and that the camera is on',
  },
  {
    pattern:
      /Stream map '[^']*' matches no streams|does not contain any stream|Output file .* does not contain/i,
    code: 'source_invalid',
    message: 'it has no video track',
    retryable: false,
    hint: 'choose a file or stream with video',
  },
  {
    pattern: /Device or resource busy/i,
    code: 'source_refused',
    message: 'the device is in use by another program',
    retryable: true,
    hint: 'close the other program',
  },
  {
    pattern: /Permission denied/i,
    code: 'source_refused',
    message: 'no permission to read it',
    retryable: false,
    hint: 'for a webcam: sudo usermod -aG video $USER, then log in again',
  },
  {
    pattern: /No such file or directory|No such device|Cannot open video device/i,
    code: 'source_not_found',
    message: 'there is no such file or device',
    retryable: true,
    hint: 'check the name',
  },
  {
    pattern:
      /moov atom not found|Invalid data found when processing input|could not find codec parameters|Decoder .* not found|Unknown decoder|unspecified size|Unsupported codec|EBML header parsing failed|Invalid argument|Error opening input|misdetection possible/i,
    code: 'source_invalid',
    message: 'it is not a video that ffmpeg can read',
    retryable: false,
    hint: 'play it with ffmpeg itself to see more; if it is cut off, it may be beyond repair',
  },
];
