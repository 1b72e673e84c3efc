/** Stands where a zone would: the whole picture. */
export const WHOLE = 'all';
/** Stands where a label would: whatever it is. */
export const ANY = 'all';

/** A level of a topic: without what MQTT gives a meaning to. */
function level(name: string): string {
  return name.replace(/[+#/\0]/g, '_');
}

/** The topics of a service. */
export class Topics {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** `online` or `offline`: the service. */
  get available(): string {
    return `${this.#prefix}/available`;
  }

  /** `online` or `offline`: the camera. */
  streamAvailable(stream: string): string {
    return `${this.#prefix}/${stream}/available`;
  }

  events(stream: string): string {
    return `${this.#prefix}/${stream}/events`;
  }

  predictions(stream: string): string {
    return `${this.#prefix}/${stream}/predictions`;
  }

  /** How many objects of a label are in a zone. */
  count(stream: string, zone: string, label: string): string {
    return `${this.#prefix}/${stream}/${level(zone)}/${level(label)}`;
  }

  /** What is most likely to happen next, in a zone or anywhere. */
  nextEvent(stream: string, zone?: string): string {
    const place = zone === undefined ? stream : `${stream}/${level(zone)}`;
    return `${this.#prefix}/${place}/next_event`;
  }
}
