/** Level that stands where a zone would: the whole picture. */
const WHOLE = 'all';
/** Level that stands where a label would: every label. */
const ANY = 'all';
const NEXT_EVENT = 'next_event';

/** Levels with a meaning of their own; zones and labels of these names are escaped. */
const RESERVED: ReadonlySet<string> = new Set([WHOLE, ANY, NEXT_EVENT]);
/**
 * Characters with a meaning in topics or in the escapes, and those that a broker may refuse (MQTT 5.0, section 1.5.4): control
 * characters, lone surrogates, noncharacters.
 */
const SPECIAL = /[%+#/]|\p{Cc}|\p{Cs}|\p{Noncharacter_Code_Point}/gu;

/** A name as one level of a topic. Different names give different levels, and none gives a reserved one. */
export function level(name: string): string {
  const escaped = name.replace(SPECIAL, escape);
  return RESERVED.has(escaped) ? `${escape(escaped)}${escaped.slice(1)}` : escaped;
}

/** `%XX`, or `%{X…}` beyond Latin-1, of the first character. */
function escape(text: string): string {
  const code = text.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase().padStart(2, '0');
  return code > 0xff ? `%{${hex}}` : `%${hex}`;
}

/** The topics of a service. Different arguments give different topics. */
export class Topics {
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** `online` or `offline`: the service. */
  get available(): string {
    return `${this.prefix}/available`;
  }

  /** `online` or `offline`: the camera. */
  streamAvailable(stream: string): string {
    return `${this.prefix}/${level(stream)}/available`;
  }

  events(stream: string): string {
    return `${this.prefix}/${level(stream)}/events`;
  }

  predictions(stream: string): string {
    return `${this.prefix}/${level(stream)}/predictions`;
  }

  /** Number of objects of a label in a zone. Without a zone: in the whole picture; without a label: of every label. */
  count(stream: string, zone?: string, label?: string): string {
    const place = zone === undefined ? WHOLE : level(zone);
    return `${this.prefix}/${level(stream)}/${place}/${label === undefined ? ANY : level(label)}`;
  }

  /** The most probable next event in a zone, or anywhere. */
  nextEvent(stream: string, zone?: string): string {
    const place = zone === undefined ? '' : `/${level(zone)}`;
    return `${this.prefix}/${level(stream)}${place}/${NEXT_EVENT}`;
  }
}
