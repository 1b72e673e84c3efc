/** What the command line makes of sources that are nonsense: one clear error, or carrying on with what there is. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { expectFailure, runCli, startCli, type CliEnd } from '../support/cli.js';
import { probeVideo } from '../support/video/probe-video.js';
import { tempFolder } from '../support/transport/temp-folder.js';
import { lumaRamp, makeClip, runFfmpeg } from '../support/video/video.js';

const OUTPUTS = ['out.jsonl', 'out.mp4', 'out.html'] as const;
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'presage-nonsense-'));
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('empty.mp4'), '');
  writeFileSync(at('text.mp4'), 'this is no video\n'.repeat(50));
  await runFfmpeg(['-f', 'lavfi', '-i', 'sine=duration=1', at('sound.mp4')]);
  const h264 = ['-c:v', 'libx264', '-g', '5'];
  const moving = ['-f', 'lavfi', '-i', 'testsrc2=size=160x120:rate=10:duration=4', ...h264];
  await runFfmpeg([...moving, at('no-index.mp4')]);
  halve(at('no-index.mp4'));
  await runFfmpeg([...moving, '-movflags', '+faststart', at('cut.mp4')]);
  halve(at('cut.mp4'));
  await makeClip(at('dot.mkv'), { lumas: lumaRamp(5), width: 1, height: 1, output: ['-c:v', 'ffv1'] });
  await makeClip(at('moment.mp4'), { lumas: [120], output: h264 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function halve(file: string): void {
  truncateSync(file, Math.floor(readFileSync(file).length / 2));
}

async function analyze(name: string): Promise<{ end: CliEnd; cwd: string; files: string[] }> {
  const cwd = tempFolder();
  const [out, render, report] = OUTPUTS;
  const args = ['analyze', join(folder, name), '--out', out, '--render', render, '--report', report];
  const end = await runCli(args, { cwd });
  return { end, cwd, files: readdirSync(cwd) };
}

describe('analyze ends with 1, one clear error and no output of', () => {
  it.each([
    ['a missing file', 'missing.mp4', /there is no such file/],
    ['a file of zero bytes', 'empty.mp4', /empty\.mp4 is empty/],
    ['a folder', '.', /is a folder/],
    ['a text', 'text.mp4', /it is not a video that ffmpeg can read/],
    ['sound only', 'sound.mp4', /it has no video track/],
    ['an MP4 without its index', 'no-index.mp4', /it is not a video that ffmpeg can read/],
  ])('%s', async (_, name, message) => {
    const { end, files } = await analyze(name);
    expectFailure(end, 1, message);
    expect(end.stdout).toBe('');
    expect(files).toEqual([]);
  });
});

describe('analyze carries on with', () => {
  it.each([
    ['frames of one pixel', 'dot.mkv', 5],
    ['a clip of one frame', 'moment.mp4', 1],
  ])('%s', async (_, name, frames) => {
    const { end, cwd, files } = await analyze(name);
    expect(end.code).toBe(0);
    expect(end.stderr).toMatch(new RegExp(`^${frames} frames in `, 'm'));
    expect(end.stderr).not.toMatch(/^presage:/m);
    expect(files.sort()).toEqual([...OUTPUTS].sort());
    expect((await probeVideo(join(cwd, 'out.mp4'))).frames).toBe(frames);
  });

  it('what there is of a recording that is cut off, and says so', async () => {
    const { end, cwd, files } = await analyze('cut.mp4');
    expect(end.code).toBe(0);
    const said = /^presage: .*cut\.mp4: it is cut off or damaged: (\d+) pictures came/m.exec(end.stderr);
    const frames = Number(said?.[1]);
    expect(frames).toBeGreaterThan(0);
    expect(frames).toBeLessThan(40);
    expect(files.sort()).toEqual([...OUTPUTS].sort());
    expect((await probeVideo(join(cwd, 'out.mp4'))).frames).toBe(frames);
    const last = readFileSync(join(cwd, 'out.jsonl'), 'utf8').trimEnd().split('\n').at(-1);
    expect(last).toMatch(/"state":"ended","reason":"[^"]*cut off/);
  });
});

describe('watch', () => {
  it.each([
    ['a missing file', 'missing.mp4', /missing\.mp4: there is no such file/],
    ['a text', 'text.mp4', /text\.mp4: it is not a video/],
  ])('ends with 1 and one clear error of %s', async (_, name, message) => {
    const end = await runCli(['watch', join(folder, name), '--port', '0'], { cwd: tempFolder() });
    expectFailure(end, 1, message);
  });

  it('ends with 2 on an address that is none', async () => {
    expectFailure(
      await runCli(['watch', 'rtsp://'], { cwd: tempFolder() }),
      2,
      /source: it is not an address/,
    );
  });

  it('waits for a host that does not answer, tells so without the password, and stops at once', async () => {
    const address = 'rtsp://user:s3cret@127.0.0.1:1/camera';
    const cli = startCli(['watch', address, '--port', '0', '--log-level', 'debug'], { cwd: tempFolder() });
    const [, url] = await cli.says(/page +(http:\S+)/);
    await cli.says(/stream reconnecting/);
    const health = (await (await fetch(`${url}healthz`)).json()) as object;
    expect(health).toMatchObject({ status: 'degraded', streams: [{ id: 'cam1', state: 'reconnecting' }] });
    expect((await fetch(`${url}readyz`)).status).toBe(503);
    cli.kill('SIGINT');
    const { code, stdout, stderr } = await cli.ended;
    expect(code).toBe(130);
    expect(`${stdout}${stderr}${JSON.stringify(health)}`).not.toContain('s3cret');
    await cli.leavesNothing();
  });
});
