import { z } from 'zod';
import { kindOfType, type MessageKind } from '../../core/messages.js';
import { flag, LIVE, option } from './option-spec.js';

const kind = z.string().transform((name, context): MessageKind => {
  const found = kindOfType(name);
  if (found !== undefined) return found;
  context.addIssue(`there is no type "${name}"`);
  return z.NEVER;
});

const targetSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  /** `env:NAME` is the value of that environment variable. */
  secret: z.string().min(8).optional(),
  types: z.array(kind).min(1).optional(),
  streams: z.array(z.string()).min(1).optional(),
  minProbability: z.number().min(0).max(1).optional(),
  allowPrivate: z.boolean().optional(),
});
const targetsSchema = z.array(targetSchema).max(32);
export type WebhookEntry = z.infer<typeof targetSchema>;

/** Names the wrong entry; the list itself may contain a secret and is never shown. */
const schema = z.unknown().transform((value, context): readonly WebhookEntry[] => {
  const parsed = targetsSchema.safeParse(typeof value === 'string' ? [{ url: value }] : value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  context.addIssue(`webhooks.${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
  return z.NEVER;
});

/** Options of webhooks. */
export const WEBHOOK_OPTIONS = {
  webhook: option<readonly WebhookEntry[]>({
    flag: 'webhook',
    value: 'URL',
    env: 'PRESAGE_WEBHOOK',
    yaml: 'webhooks',
    schema,
    expected: 'an http or https address, or a list such as: - {url: "https://…", secret: env:WEBHOOK_SECRET}',
    fallback: [],
    description:
      'address that every durable message is posted to; presage.yaml can name several, and filters',
    commands: LIVE,
    secret: true,
  }),
  webhookAllowPrivate: option({
    flag: 'webhook-allow-private',
    env: 'PRESAGE_WEBHOOK_ALLOW_PRIVATE',
    yaml: 'webhookAllowPrivate',
    schema: flag,
    expected: 'true or false',
    fallback: false,
    description:
      'let webhooks post to addresses that are not on the public internet, this machine among them',
    commands: LIVE,
  }),
};
