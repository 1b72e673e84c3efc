import { fork } from 'node:child_process';
import { entryPath } from '../../core/entry-path.js';
import { PresageError, toPresageError } from '../../core/errors.js';
import { rebuildError } from './worker-protocol.js';
import type { DetectorOptions } from '../detector/detector.js';
import type { ProbeReport } from './device-probe.js';
import { deviceHint, isDeviceBuiltIn, type Device, type DeviceName } from './ort.js';

/** The result of testing one device. */
export interface DeviceTrial {
  readonly device: Device;
  readonly ok: boolean;
  /** Time of one inference on the device, ms; absent when it did not run. */
  readonly deviceMs?: number;
  /** Time of the same inference on the CPU, ms; absent when the device did not run. */
  readonly cpuMs?: number;
  /** Why the device was rejected. */
  readonly reason?: string;
}

export interface DeviceChoice {
  readonly device: Device;
  /** In the order of the tests; the last one is the choice. */
  readonly tried: readonly DeviceTrial[];
}

export interface ChooseDeviceOptions {
  readonly device: DeviceName;
  /** The model to test the device with; its `device` is ignored. */
  readonly detector: DetectorOptions;
  readonly platform?: NodeJS.Platform;
  /** For tests. */
  readonly builtIn?: (device: Device) => boolean;
  /** For tests. */
  readonly probe?: (detector: DetectorOptions) => Promise<ProbeReport>;
}

/**
 * Devices that `auto` tests before the CPU, best first. TensorRT is excluded: it compiles for minutes at the first start,
 * which is acceptable only when the user requests it.
 */
const AUTO_ORDER: Readonly<Partial<Record<NodeJS.Platform, readonly Device[]>>> = {
  linux: ['cuda', 'webgpu'],
  darwin: ['coreml', 'webgpu'],
  win32: ['dml', 'webgpu'],
};

/** Maximum difference of scores and boxes from the CPU's: reduced precision on a GPU (TF32, fp16) stays below. */
const MAX_SCORE_GAP = 0.05;
const MAX_BOX_GAP_PX = 4;
const PROBE_TIMEOUT_MS: Readonly<Record<Device, number>> = {
  cpu: 30_000,
  cuda: 60_000,
  tensorrt: 600_000,
  webgpu: 60_000,
  coreml: 60_000,
  dml: 60_000,
};

/**
 * Chooses the device to run on. A named device is tested and must work; `auto` selects the first that works and is faster
 * than the CPU. The CPU is not tested: the others are measured against it, and loading an invalid model fails by itself.
 * @throws {PresageError} device_unavailable — the named device does not work
 */
export async function chooseDevice(options: ChooseDeviceOptions): Promise<DeviceChoice> {
  const auto = options.device === 'auto';
  const wanted =
    options.device === 'auto' ? (AUTO_ORDER[options.platform ?? process.platform] ?? []) : [options.device];
  const tried: DeviceTrial[] = [];
  for (const device of wanted) {
    if (device === 'cpu') break;
    const trial = await tryDevice(device, options, auto);
    tried.push(trial);
    if (trial.ok) return { device, tried };
    if (!auto)
      throw new PresageError('device_unavailable', `device ${device} cannot be used: ${trial.reason ?? ''}`, {
        hint: deviceHint(device),
      });
  }
  return { device: 'cpu', tried: [...tried, { device: 'cpu', ok: true }] };
}

async function tryDevice(device: Device, options: ChooseDeviceOptions, auto: boolean): Promise<DeviceTrial> {
  if (!(options.builtIn ?? isDeviceBuiltIn)(device))
    return { device, ok: false, reason: `the installed onnxruntime-node has no ${device} support` };
  const probe = options.probe ?? probeInChild;
  let report: ProbeReport;
  try {
    report = await probe({ ...options.detector, device });
  } catch (thrown) {
    return { device, ok: false, reason: toPresageError(thrown).message };
  }
  if (!report.ok) return { device, ok: false, reason: rebuildError(report.error).message };
  const { cpuMs, deviceMs, gaps } = report;
  const times = { deviceMs, cpuMs };
  if (gaps.score > MAX_SCORE_GAP || gaps.boxPx > MAX_BOX_GAP_PX)
    return {
      device,
      ok: false,
      ...times,
      reason: `its results differ from the CPU's (scores by ${gaps.score.toFixed(3)})`,
    };
  if (auto && deviceMs >= cpuMs)
    return {
      device,
      ok: false,
      ...times,
      reason: `it is slower than the CPU (${deviceMs.toFixed(1)} ms, CPU ${cpuMs.toFixed(1)} ms)`,
    };
  return { device, ok: true, ...times };
}

/** @throws {PresageError} device_unavailable — the child crashes, hangs or sends no report */
function probeInChild(detector: DetectorOptions): Promise<ProbeReport> {
  return new Promise((resolve, reject) => {
    const child = fork(entryPath(import.meta.url, './device-probe'), {
      // Drivers write diagnostics to both streams; the report arrives as a message.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [],
    });
    const fail = (why: string): void => reject(new PresageError('device_unavailable', why));
    const limitMs = PROBE_TIMEOUT_MS[detector.device];
    const timer = setTimeout(() => {
      fail(`its test did not finish within ${limitMs / 1000} s`);
      child.kill('SIGKILL');
    }, limitMs);
    child.once('message', (report) => resolve(report as ProbeReport));
    child.once('error', (cause) => fail(`its test could not be started: ${cause.message}`));
    child.once('exit', (exitCode, signal) => {
      clearTimeout(timer);
      fail(`its driver crashed the test process (${signal ?? `exit code ${String(exitCode)}`})`);
    });
    child.send(detector, (cause) => cause && fail(`its test could not be started: ${cause.message}`));
  });
}
