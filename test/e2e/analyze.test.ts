/** `presage analyze` as a user runs it, on seconds of the example recording. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { kindOfType, messageData, type Message } from '../../src/core/messages.js';
import { expectFailure, runCli, startCli, type CliEnd } from '../support/cli.js';
import { tempFolder } from '../support/transport/temp-folder.js';
import { runFfmpeg } from '../support/video/video.js';
import { probeVideo } from '../support/video/probe-video.js';

const RECORDING = fileURLToPath(new URL('../../examples/pedestrians.mp4', import.meta.url));
/** The clip: 3 s at 10 frames per second. */
const FRAMES = 30;
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let folder = '';
let clip = '';
let first: CliEnd;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'presage-analyze-'));
  clip = join(folder, 'clip.mp4');
  await runFfmpeg(['-ss', '5', '-t', '3', '-i', RECORDING, '-an', '-c:v', 'libx264', '-g', '10', clip]);
  first = await runCli(
    ['analyze', 'clip.mp4', '--stamp', 'none', '--out', 'a.jsonl', '--render', 'a.mp4', '--report', 'a.html'],
    { cwd: folder },
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function messagesIn(file: string): Message[] {
  const lines = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n');
  const messages = lines.map((line) => JSON.parse(line) as Message);
  for (const { type, data } of messages) messageData[kindOfType(type)!].parse(data);
  return messages;
}

function labelsIn(messages: readonly Message[]): Set<string> {
  return new Set(
    messages.flatMap((message) =>
      message.type === 'presage.objects.updated.v1' ? message.data.objects.map(({ label }) => label) : [],
    ),
  );
}

describe('analyze', () => {
  it('ends well, says what it wrote and leaves nothing half done', () => {
    expect(first).toMatchObject({ code: 0, signal: null, stdout: '' });
    expect(first.stderr).toMatch(/30 frames in .* events.*wrote a\.jsonl, a\.mp4, a\.html\n$/);
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('writes every message, in order, with the people it saw', () => {
    const messages = messagesIn('a.jsonl');
    const sequences = messages.flatMap(({ sequence }) => (sequence === undefined ? [] : [Number(sequence)]));
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
    expect(messages.filter(({ type }) => type === 'presage.objects.updated.v1')).toHaveLength(FRAMES);
    expect(labelsIn(messages)).toContain('person');
    expect(messages.some(({ type }) => type === 'presage.event.observed.v1')).toBe(true);
    expect(messages.at(-1)).toMatchObject({ type: 'presage.stream.state.v1', data: { state: 'ended' } });
  });

  it('writes a video that plays and a report that shows the recording', async () => {
    const { frames, durationS } = await probeVideo(join(folder, 'a.mp4'));
    expect(frames).toBe(FRAMES);
    expect(durationS).toBeCloseTo(3, 1);
    const report = readFileSync(join(folder, 'a.html'), 'utf8');
    expect(report).toMatch(/^<!doctype html>/i);
    expect(report).toContain('clip.mp4');
    expect(report).toContain('data:image/jpeg;base64,');
    expect(report).not.toMatch(/(?:src|href)="https?:/);
  });

  it('gives the same bytes twice', async () => {
    await runCli(['analyze', 'clip.mp4', '--stamp', 'none', '--out', 'b.jsonl'], { cwd: folder });
    expect(readFileSync(join(folder, 'b.jsonl'), 'utf8')).toBe(readFileSync(join(folder, 'a.jsonl'), 'utf8'));
  });

  it('keeps to the labels it is given', async () => {
    const end = await runCli(['analyze', clip, '--labels', 'car,bus', '--out', 'cars.jsonl'], {
      cwd: folder,
    });
    expect(end.code).toBe(0);
    const labels = labelsIn(messagesIn('cars.jsonl'));
    expect(labels).toContain('car');
    expect([...labels].filter((label) => label !== 'car' && label !== 'bus')).toEqual([]);
  });

  it('tells an account where no file is asked for', async () => {
    const { code, stdout } = await runCli(['analyze', clip, '--canvas', '160'], { cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/stream live/);
    expect(stdout).toMatch(/stream ended/);
  });
});

describe('an analysis that is cut short', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s ends with 130 and keeps no half of a file',
    async (signal) => {
      const cwd = tempFolder();
      writeFileSync(join(cwd, 'old.jsonl'), 'old\n');
      const outputs = ['--out', 'old.jsonl', '--render', 'new.mp4', '--report', 'new.html'];
      const cli = startCli(['analyze', RECORDING, ...outputs], { cwd });
      // The decoder and the encoder: it is under way.
      await cli.hasHelpers(2);
      cli.kill(signal);
      expect(await cli.ended).toMatchObject({ code: 130, signal: null });
      await cli.leavesNothing();
      expect(readdirSync(cwd)).toEqual(['old.jsonl']);
      expect(readFileSync(join(cwd, 'old.jsonl'), 'utf8')).toBe('old\n');
    },
  );

  it('by SIGKILL leaves no ffmpeg behind, and no file that looks complete', async () => {
    const cwd = tempFolder();
    const cli = startCli(['analyze', RECORDING, '--out', 'new.jsonl', '--render', 'new.mp4'], { cwd });
    await cli.hasHelpers(2);
    cli.kill('SIGKILL');
    await cli.ended;
    await cli.leavesNothing();
    expect(readdirSync(cwd).filter((name) => !name.includes('.partial'))).toEqual([]);
  });

  it('by a reader that has read enough ends quietly', async () => {
    const cli = startCli(['analyze', RECORDING], { cwd: folder });
    await cli.says(/stream live/);
    cli.closeStdout();
    const { code, signal, stderr } = await cli.ended;
    expect({ code, signal, stderr }).toEqual({ code: 130, signal: null, stderr: '' });
    await cli.leavesNothing();
  });
});

describe('outputs that could not be written', () => {
  it.each<[string, string[], number, RegExp]>([
    ['a folder that is not there', ['--report', 'no/a.html'], 1, /there is no folder no\n {2}mkdir -p no/],
    ['a folder in its place', ['--render', '.'], 1, /cannot write \.: it is a folder/],
    [
      'the recording itself',
      ['--render', './clip.mp4'],
      2,
      /cannot write \.\/clip\.mp4: it is the recording/,
    ],
    ['one file twice', ['--out', 'x', '--report', './x'], 2, /cannot write \.\/x: it is another output/],
  ])('are refused before the work, with nothing written: %s', async (_, outputs, code, message) => {
    const cwd = tempFolder();
    writeFileSync(join(cwd, 'clip.mp4'), readFileSync(clip));
    const args = ['analyze', 'clip.mp4', '--out', 'a.jsonl', ...outputs];
    expectFailure(await runCli(args, { cwd }), code, message);
    expect(readdirSync(cwd)).toEqual(['clip.mp4']);
    expect(readFileSync(join(cwd, 'clip.mp4')).equals(readFileSync(clip))).toBe(true);
  });
});
