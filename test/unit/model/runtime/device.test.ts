import { describe, expect, it } from 'vitest';
import { PresageError } from '../../../../src/core/errors.js';
import type { ProbeReport } from '../../../../src/model/runtime/device-probe.js';
import { chooseDevice, type ChooseDeviceOptions } from '../../../../src/model/runtime/device.js';
import type { DetectorOptions } from '../../../../src/model/detector/detector.js';
import type { Device } from '../../../../src/model/runtime/ort.js';
import { planThreads } from '../../../../src/model/perception/perception.js';
import { matching } from '../../../support/model/matching.js';

const DETECTOR: DetectorOptions = {
  path: 'model.onnx',
  device: 'cpu',
  threads: 1,
  longSidePx: 416,
  strides: [8, 16, 32],
  scoreFloor: 0.1,
  nmsIou: 0.5,
  fuseIou: 0.6,
};
const GOOD: ProbeReport = { ok: true, cpuMs: 40, deviceMs: 4, gaps: { score: 0.001, boxPx: 0.1 } };

function choose(reports: Partial<Record<Device, ProbeReport>>, options: Partial<ChooseDeviceOptions> = {}) {
  return chooseDevice({
    device: 'auto',
    platform: 'linux',
    detector: DETECTOR,
    builtIn: (device) => device in reports,
    probe: ({ device }) => {
      const report = reports[device];
      return report
        ? Promise.resolve(report)
        : Promise.reject(new PresageError('device_unavailable', 'it crashed'));
    },
    ...options,
  });
}

describe('auto', () => {
  it('selects the first device of the platform that works and is faster than the CPU', async () => {
    const { device, tried } = await choose({ cuda: GOOD, webgpu: GOOD });
    expect(device).toBe('cuda');
    expect(tried).toEqual([{ device: 'cuda', ok: true, cpuMs: 40, deviceMs: 4 }]);
  });

  it('reports why it rejected each device before the CPU', async () => {
    const slow: ProbeReport = { ...GOOD, deviceMs: 90 };
    const { device, tried } = await choose({ webgpu: slow });
    expect(device).toBe('cpu');
    expect(tried.map((trial) => [trial.device, trial.ok, trial.reason])).toEqual([
      ['cuda', false, 'the installed onnxruntime-node has no cuda support'],
      ['webgpu', false, 'it is slower than the CPU (90.0 ms, CPU 40.0 ms)'],
      ['cpu', true, undefined],
    ]);
  });

  it('rejects a device whose results differ from the CPU', async () => {
    const wrong: ProbeReport = { ...GOOD, gaps: { score: 0.4, boxPx: 0 } };
    const { device, tried } = await choose({ cuda: wrong, webgpu: GOOD });
    expect(device).toBe('webgpu');
    expect(tried[0]?.reason).toMatch(/differ from the CPU's/);
  });

  it('selects the CPU without tests on a platform without accelerators', async () => {
    expect(await choose({}, { platform: 'freebsd' })).toEqual({
      device: 'cpu',
      tried: [{ device: 'cpu', ok: true }],
    });
  });
});

describe('a named device', () => {
  it('is selected when it works, at any speed', async () => {
    expect((await choose({ webgpu: { ...GOOD, deviceMs: 90 } }, { device: 'webgpu' })).device).toBe('webgpu');
  });

  it.each<[string, ProbeReport | undefined, RegExp]>([
    ['is not built in', undefined, /has no cuda support/],
    ['does not start', failure(), /cuda cannot be used: no driver/],
    ['computes other results', { ...GOOD, gaps: { score: 0, boxPx: 50 } }, /differ/],
  ])('is an error with a hint when it %s', async (_, report, message) => {
    const failed = choose(report ? { cuda: report } : {}, { device: 'cuda' });
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.toMatchObject({
      code: 'device_unavailable',
      hint: matching(/CUDA 12/),
    });
  });

  it('is an error when its test crashes', async () => {
    const failed = choose({}, { device: 'cuda', builtIn: () => true });
    await expect(failed).rejects.toMatchObject({
      code: 'device_unavailable',
      message: matching(/it crashed/),
    });
  });
});

function failure(): ProbeReport {
  return {
    ok: false,
    error: { code: 'device_unavailable', message: 'no driver', retryable: false, hint: undefined },
  };
}

describe('planThreads', () => {
  it.each([
    ['cpu', {}, 2, { workers: 2, threads: 1 }],
    ['cpu', {}, 1, { workers: 1, threads: 1 }],
    ['cpu', { workers: 0 }, 16, { workers: 4, threads: 4 }],
    ['cpu', { workers: 1 }, 8, { workers: 1, threads: 8 }],
    ['cpu', { workers: 8, threads: 2 }, 2, { workers: 8, threads: 2 }],
    ['cuda', {}, 16, { workers: 2, threads: 1 }],
  ] as const)('on %s with %o and %i cores gives %o', (device, requested, cores, plan) => {
    expect(planThreads(device, requested, cores)).toEqual(plan);
  });
});
