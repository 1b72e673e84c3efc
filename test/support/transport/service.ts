import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { DurableLog, type DurableLogOptions } from '../../../src/transport/log/durable-log.js';
import { Hub, type HubOptions } from '../../../src/transport/events/hub.js';
import { registerTransportMetrics } from '../../../src/transport/metrics.js';
import { Publisher } from '../../../src/transport/messages/publisher.js';
import { createServer, type PresageServer, type ServerOptions } from '../../../src/transport/http/server.js';
import type { StreamStatus } from '../../../src/transport/http/status.js';
import { tempFolder } from './temp-folder.js';

export interface Service {
  log: DurableLog;
  hub: Hub;
  publisher: Publisher;
  server: PresageServer;
  streams: StreamStatus[];
  registry: Registry;
  port: number;
  http: string;
  /** Address of the events of cam1. */
  events: (query?: string) => string;
}

export interface ServiceOptions {
  log?: Partial<DurableLogOptions>;
  hub?: Partial<HubOptions>;
  server?: Partial<ServerOptions>;
}

/** A log, hub, server and publisher of the stream `cam1` on a free port, all real. Closed with the test. */
export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const log = await DurableLog.open({ folder: tempFolder(), ...options.log });
  const hub = new Hub({ log, ...options.hub });
  const registry = new Registry();
  registerTransportMetrics(registry, { hub, log });
  const streams: StreamStatus[] = [
    { id: 'cam1', source: 'cam.mp4', state: 'live', drops: { newer_frame: 3 } },
  ];
  const status = {
    service: () => ({ version: '0.1.0', perception: { model: 'nanodet', device: 'cpu' } }),
    streams: () => streams,
  };
  const server = createServer({ port: 0, hub, log, status, registry, ...options.server });
  const publisher = new Publisher({ streamId: 'cam1', log, sinks: [hub] });
  const { port } = await server.listen();
  onTestFinished(async () => {
    await server.close();
    await publisher.close();
    await log.close();
  });
  return {
    log,
    hub,
    publisher,
    server,
    streams,
    registry,
    port,
    http: `http://127.0.0.1:${port}`,
    events: (query = '') => `ws://127.0.0.1:${port}/v1/streams/cam1/events${query && `?${query}`}`,
  };
}
