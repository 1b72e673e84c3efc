/**
 * Judges an If-Match header against the entity tag of the ICE session (RFC 9725, section 4.3.1; RFC 9110, section 13.1.1):
 * `*` passes whatever the tag is, as of a client that restarts ICE; weak tags never match.
 */
export function checkEntityTag(header: string | undefined, etag: string): 'missing' | 'differs' | 'passes' {
  if (header === undefined || header.trim() === '') return 'missing';
  const given = header.split(',').map((tag) => tag.trim());
  return given.includes('*') || given.includes(etag) ? 'passes' : 'differs';
}
