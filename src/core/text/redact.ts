const MASK = '***';
/** Rounds of percent-decoding of a key: proxies and cameras encode repeatedly. */
const MAX_DECODES = 3;
/** Names of parameters and fields whose value is a secret: matched anywhere in the name, or at its end. */
const SECRET_PARTS = /token|key|pass|pwd|psw|secret|auth|sig|credential|session|cookie/;
const SECRET_ENDS = /(?:pw|pas)$/;
/** `name=` in a query, a fragment or a path such as `/user=admin_password=…_channel=1.sdp`. */
const KEY = /([?&;#/_,\s"']|^)([A-Za-z0-9_%.+[\]-]+)=/g;

/** Returns true when a parameter or field of this name holds a secret. Percent-encoded letters are decoded. */
export function isSecretKey(name: string): boolean {
  const plain = decoded(name).toLowerCase();
  return SECRET_PARTS.test(plain) || SECRET_ENDS.test(plain);
}

/**
 * Removes credentials from text that may contain URLs: `user:password@` and the values of parameters with a secret name
 * become `***`. A value ends at white space; use `redactAddress` for one address as a user typed it.
 */
export function redact(text: string): string {
  // Values first: a value may contain an `@`, and everything before it would be matched as credentials.
  return maskValues(text, /[&#\s]|_[A-Za-z]+=/g).replace(/([a-z][a-z0-9+.-]*:\/\/)\S*@/gi, `$1${MASK}@`);
}

/**
 * Removes credentials from text that is one address. A password that is not percent-encoded may contain any character:
 * where an `@` follows a `/`, `?` or `#`, password and path cannot be distinguished, and only the scheme remains.
 */
export function redactAddress(text: string): string {
  const [, scheme, rest = ''] = /^\s*([a-z][a-z0-9+.-]+:(?:\/\/)?)([^]*)$/i.exec(text) ?? [];
  const at = rest.lastIndexOf('@');
  if (scheme === undefined || at < 0) return maskValues(text, /&|_[A-Za-z]+=/g);
  if (/[/?#]/.test(rest.slice(0, at))) return `${scheme}${MASK}`;
  return maskValues(`${scheme}${MASK}${rest.slice(at)}`, /&|_[A-Za-z]+=/g);
}

/** @param end matches the end of a value */
function maskValues(text: string, end: RegExp): string {
  let out = '';
  let at = 0;
  KEY.lastIndex = 0;
  for (let found = KEY.exec(text); found !== null; found = KEY.exec(text)) {
    const from = found.index + found[0].length;
    if (!isSecretKey(found[2] ?? '') || text.startsWith(MASK, from)) continue;
    end.lastIndex = from;
    const to = end.exec(text)?.index ?? text.length;
    out += `${text.slice(at, from)}${to > from ? MASK : ''}`;
    at = to;
    KEY.lastIndex = to;
  }
  return out + text.slice(at);
}

function decoded(name: string): string {
  let text = name;
  for (let round = 0; round < MAX_DECODES; round += 1) {
    text = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  }
  return text;
}
