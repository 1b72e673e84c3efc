/** The part of a pino logger that the transport uses. What it is given never holds a token. */
export interface TransportLogger {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

export const silentLogger: TransportLogger = {
  debug: () => undefined,
  info: () => undefined,
  error: () => undefined,
};
