import { expect, it, onTestFinished, vi } from 'vitest';
import { PresageError } from '../../../src/core/errors.js';
import { MqttBridge, type MqttOptions } from '../../../src/transport/mqtt/mqtt-bridge.js';

it('reports a log that refuses while streams are compared, and tries again with the next comparison', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const errors: PresageError[] = [];
  let refuses = false;
  const log: MqttOptions['log'] = {
    load: () => [],
    save: () => {
      if (refuses) throw new PresageError('storage_failed', 'the disk is full');
    },
    streamIds: () => [],
    range: () => ({ first: 1, last: 0 }),
    read: () => [],
  };
  const streams = [{ id: 'cam1', zones: {} }];
  const bridge = new MqttBridge({
    url: 'mqtt://127.0.0.1:1',
    prefix: 'presage',
    discoveryPrefix: undefined,
    version: '0',
    log,
    streams: () => streams,
    onError: (error) => errors.push(error),
  });
  bridge.start();
  refuses = true;
  streams.push({ id: 'cam2', zones: {} });
  // Several comparisons: an exception in the timer would fail this test as an uncaught one.
  vi.advanceTimersByTime(10_000);
  refuses = false;
  expect(errors.filter(({ code }) => code === 'storage_failed').length).toBeGreaterThan(0);
  vi.useRealTimers();
  await bridge.close();
});
