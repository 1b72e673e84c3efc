/**
 * Takes credentials out of a URL or of any text that holds URLs: user:password@ and the values of query
 * parameters that look like secrets become `***`. Used for every log line, message and error about a source.
 */
export function redact(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^/\s'"]*@/gi, '$1***@')
    .replace(
      /([?&;](?:[^=&#\s]*(?:token|key|pass|pwd|secret|auth|sig|credential)[^=&#\s]*)=)[^&#\s'"]*/gi,
      '$1***',
    );
}
