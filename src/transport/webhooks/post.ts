import { lookup as lookUp, type LookupAddress } from 'node:dns';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { isPrivateAddress } from './private-address.js';

export interface PostOptions {
  readonly url: URL;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Without it, addresses that are not on the public internet are refused, whatever name they hide behind. */
  readonly allowPrivate: boolean;
  /** From the look-up of the name to the end of the answer's head, ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type PostResult =
  | { readonly outcome: 'answered'; readonly status: number; readonly retryAfter: string | undefined }
  | { readonly outcome: 'failed'; readonly reason: string }
  /** Nothing was sent. */
  | { readonly outcome: 'refused'; readonly reason: string };

class PrivateAddressError extends Error {}

/**
 * One POST. Redirects are answers like any other: following one would lead past the look at the address. The address that is
 * looked at is the one that is connected to, so a name that changes its address in between gains nothing. Never rejects.
 */
export function post(options: PostOptions): Promise<PostResult> {
  return new Promise((resolve) => {
    const { url, body, headers, allowPrivate, timeoutMs, signal } = options;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (!allowPrivate && isIP(host) !== 0 && isPrivateAddress(host)) {
      resolve({ outcome: 'refused', reason: refusal(host) });
      return;
    }
    const stop = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      signal: stop,
      // A connection for each: one that is kept would outlive the look at its address.
      agent: false,
      ...(allowPrivate ? {} : ({ lookup: publicLookup } satisfies RequestOptions)),
    });
    request.on('socket', (socket: Socket) => {
      if (!allowPrivate) socket.once('connect', () => assertPublic(socket));
    });
    request.on('response', (answer: IncomingMessage) => {
      const { statusCode = 0, headers: received } = answer;
      resolve({ outcome: 'answered', status: statusCode, retryAfter: received['retry-after'] });
      // What it says is of no interest, and may be without end.
      answer.destroy();
    });
    request.on('error', (error) => {
      if (error instanceof PrivateAddressError) resolve({ outcome: 'refused', reason: error.message });
      else resolve({ outcome: 'failed', reason: signal.aborted ? 'stopped' : said(error, timeoutMs) });
    });
    request.end(body);
  });
}

/** Looks up like the system does, and finds nothing when any of the addresses is not public. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookUp(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const hidden = error ? undefined : addresses.find(({ address }) => isPrivateAddress(address));
    const [first] = error ? [] : addresses;
    if (error) callback(error, []);
    else if (hidden) callback(new PrivateAddressError(refusal(hidden.address)), []);
    else if (options.all) callback(null, addresses);
    else callback(null, first?.address ?? '', first?.family);
  });
};

/** The last word: whom we are connected to. */
function assertPublic(socket: Socket): void {
  const { remoteAddress = '' } = socket;
  if (isPrivateAddress(remoteAddress)) socket.destroy(new PrivateAddressError(refusal(remoteAddress)));
}

function refusal(address: string): string {
  return `${address} is not on the public internet; allowPrivate: true permits it`;
}

function said(error: Error & { code?: string }, timeoutMs: number): string {
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return `no answer in ${timeoutMs} ms`;
  return error.code ?? error.message;
}
