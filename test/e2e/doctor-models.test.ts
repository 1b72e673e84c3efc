/** `presage doctor` and `presage models` against what is there, and against what is broken. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { expectFailure, runCli } from '../support/cli.js';
import { tempFolder } from '../support/transport/temp-folder.js';
import { serveVideos } from '../support/video/video-server.js';

const MODELS = fileURLToPath(new URL('../../models', import.meta.url));
vi.setConfig({ testTimeout: 120_000 });

/** A copy of the models folder whose detector has one bit that is wrong. */
function corruptedModels(): string {
  const folder = join(tempFolder(), 'models');
  cpSync(MODELS, folder, { recursive: true });
  const file = join(folder, 'nanodet-int8.onnx');
  const content = readFileSync(file);
  content[content.length >> 1]! ^= 1;
  writeFileSync(file, content);
  return folder;
}

describe('doctor', () => {
  it('finds everything, each need with what was found, and ends with 0', async () => {
    const { code, stdout, stderr } = await runCli(['doctor', '--port', '0'], { cwd: tempFolder() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const need of ['node', 'config', 'ffmpeg', 'model', 'device', 'data', 'port'])
      expect(stdout).toMatch(new RegExp(`^[✓•] ${need} `, 'm'));
    expect(stdout).toContain(process.version);
    expect(stdout).toMatch(/nanodet-int8\.onnx, SHA-256 [0-9a-f]{12}/);
    expect(stdout).toMatch(/\neverything that presage needs is here\n$/);
    expect(stdout).not.toContain('✗');
  });

  it('ends with 1 and says how to mend a port, a model, a folder and an ffmpeg', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const cwd = tempFolder();
    writeFileSync(join(cwd, 'file'), '');
    const args = ['doctor', '--port', String(port), '--models', corruptedModels(), '--data', 'file/data'];
    const { code, stdout, stderr } = await runCli([...args, '--ffmpeg', '/nowhere/ffmpeg'], { cwd });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(new RegExp(`✗ port +${port} is in use\\n +→ .*--port`));
    expect(stdout).toMatch(
      /✗ model +.*nanodet-int8\.onnx is not the model of the manifest: .*\n +→ .*models pull/,
    );
    expect(stdout).toMatch(/✗ data +cannot write to file\/data: .*\n +→ .*--data/);
    expect(stdout).toMatch(/✗ tokens +.*cannot be used: .*\n +→ .*--data/);
    expect(stdout).toMatch(/✗ ffmpeg +\/nowhere\/ffmpeg is not an ffmpeg.*\n +→ .*FFMPEG_PATH/);
    expect(stdout).toMatch(/^✓ node /m);
    expect(stdout).toMatch(/\n6 to mend\n$/);
  });
});

describe('models', () => {
  it('verify finds every file as in the manifest', async () => {
    const { code, stdout, stderr } = await runCli(['models', 'verify'], { cwd: tempFolder() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^nanodet-int8 +verified .* Apache-2\.0 +nanodet-int8\.onnx$/m);
  });

  it('verify finds one wrong bit, where list only looks at sizes', async () => {
    const args = ['--models', corruptedModels()];
    const list = await runCli(['models', 'list', ...args], { cwd: tempFolder() });
    expect(list).toMatchObject({ code: 0, stderr: '' });
    expect(list.stdout).toMatch(/^nanodet-int8 +present /m);
    const end = await runCli(['models', 'verify', ...args], { cwd: tempFolder() });
    expectFailure(end, 1, /1 of \d+ model files differ from the manifest\n.*presage models pull/);
    expect(end.stdout).toMatch(
      /^nanodet-int8 +mismatch .*\n +.*its SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}/,
    );
  });

  it('verify names a file that is missing, and a folder without a manifest', async () => {
    const models = corruptedModels();
    rmSync(join(models, 'nanodet-int8.onnx'));
    const end = await runCli(['models', 'verify', '--models', models], { cwd: tempFolder() });
    expectFailure(end, 1, /1 of \d+ model files/);
    expect(end.stdout).toMatch(/^nanodet-int8 +missing /m);
    const nowhere = await runCli(['models', 'verify', '--models', 'none'], { cwd: tempFolder() });
    expectFailure(nowhere, 1, /no model manifest at none\/manifest\.json\n.*--models DIR/);
  });

  it('pull mends a wrong file from a mirror, and leaves it as it was when the mirror is wrong too', async () => {
    const models = corruptedModels();
    const wrong = readFileSync(join(models, 'nanodet-int8.onnx'));
    const pull = async (folder: string): Promise<Awaited<ReturnType<typeof runCli>>> => {
      const { url } = await serveVideos({ folder });
      return runCli(['models', 'pull', '--models', models, '--mirror', url], { cwd: tempFolder() });
    };
    expectFailure(await pull(models), 1, /served another file than nanodet-int8/);
    expect(readFileSync(join(models, 'nanodet-int8.onnx')).equals(wrong)).toBe(true);
    expect(await pull(MODELS)).toMatchObject({ code: 0, stdout: 'fetched nanodet-int8\n', stderr: '' });
    const end = await runCli(['models', 'verify', '--models', models], { cwd: tempFolder() });
    expect(end.code).toBe(0);
  });

  it('that are wrong are not run', async () => {
    const args = ['analyze', 'clip.mp4', '--models', corruptedModels(), '--out', 'a.jsonl'];
    const cwd = tempFolder();
    cpSync(fileURLToPath(new URL('../../examples/pedestrians.mp4', import.meta.url)), join(cwd, 'clip.mp4'));
    expectFailure(await runCli(args, { cwd }), 1, /nanodet-int8\.onnx is not the model of the manifest/);
  });
});
