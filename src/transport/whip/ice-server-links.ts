import type { IceServer } from '../../core/video/live-video.js';

/** `Link` headers that tell a client which STUN and TURN servers to use (RFC 9725, section 4.6). */
export function iceServerLinks(servers: readonly IceServer[]): string[] {
  return servers.map(({ urls, username, credential }) => {
    const parts = [`<${urls}>`, 'rel="ice-server"'];
    if (username !== undefined) parts.push(`username=${quoted(username)}`);
    if (credential !== undefined)
      parts.push(`credential=${quoted(credential)}`, 'credential-type="password"');
    return parts.join('; ');
  });
}

/** A quoted string of RFC 9110; what cannot be in a header is left out. */
function quoted(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')}"`;
}
