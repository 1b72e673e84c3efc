import { expect, it } from 'vitest';
import { PresageError } from '../../../../src/core/errors.js';
import { notReadyBecause, overall, type StatusProviders } from '../../../../src/transport/http/status.js';

function providers(state: 'live' | 'connecting', failure?: PresageError): StatusProviders {
  return {
    service: () => ({ version: '0' }),
    streams: () => [{ id: 'cam1', source: 'cam.mp4', state }],
    storageFailure: () => failure,
  };
}

it('is neither ready nor ok while messages cannot be stored', () => {
  const full = new PresageError('storage_failed', 'database or disk is full');
  expect([notReadyBecause(providers('live')), overall(providers('live'))]).toEqual([undefined, 'ok']);
  expect([notReadyBecause(providers('live', full)), overall(providers('live', full))]).toEqual([
    'storage_failed',
    'degraded',
  ]);
  expect(notReadyBecause(providers('connecting'))).toBe('no_stream');
});
