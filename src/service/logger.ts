import { pino, type Logger } from 'pino';
import { isSecretKey, redact } from '../core/text/redact.js';

/**
 * JSON lines on standard error. Every string that passes is redacted, so that no URL shows its credentials.
 *
 * @param level a pino level or `silent`
 */
export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: {
        logMethod(args, method) {
          method.apply(this, args.map(redactValue) as Parameters<typeof method>);
        },
      },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

function redactValue(value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (value instanceof Error)
    return { code: (value as { code?: string }).code, message: redact(value.message) };
  if (Array.isArray(value)) return value.map(redactValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      typeof inner === 'string' && isSecretKey(key) ? '***' : redactValue(inner),
    ]),
  );
}
