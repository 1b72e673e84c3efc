import { integer, LIVE, option } from './option-spec.js';

/** Options of the event clients. */
export const CLIENT_OPTIONS = {
  maxClients: option({
    flag: 'max-clients',
    value: 'N',
    env: 'PRESAGE_MAX_CLIENTS',
    yaml: 'server.maxClients',
    schema: integer(1, 100_000),
    expected: 'a whole number from 1 to 100000',
    fallback: 1000,
    description: 'clients of events at once, by WebSocket and Server-Sent Events',
    commands: LIVE,
  }),
} as const;
