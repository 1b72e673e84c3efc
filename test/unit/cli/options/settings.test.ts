import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadSettings } from '../../../../src/cli/options/settings.js';

describe('loadSettings', () => {
  const config = 'examples/presage.yaml';

  it('reads the example that the README shows', () => {
    const { settings, streams, configFile } = loadSettings('serve', { config }, {});
    expect(configFile).toBe(config);
    expect(settings).toMatchObject({ port: 7878, labels: ['person'] });
    expect(streams.map(({ id, source }) => [id, source])).toEqual([
      ['street', 'examples/pedestrians.mp4'],
      ['camera', 'rtsp://127.0.0.1:8554/camera'],
    ]);
    expect(Object.keys(streams[0]?.zones ?? {})).toEqual(['crossing']);
    expect(streams[0]?.lines).toEqual({
      gate: [
        [0.1, 0.25],
        [0.1, 0.6],
      ],
    });
  });

  it('takes flags before the environment before the file before defaults', () => {
    const env = { PRESAGE_PORT: '8002', PRESAGE_LABELS: 'car' };
    const { settings } = loadSettings('serve', { config, port: '8001' }, env);
    expect(settings).toMatchObject({ port: 8001, labels: ['car'], host: '127.0.0.1' });
  });

  it('names the option, what was given and what was expected', () => {
    expect(() => loadSettings('serve', { config }, { PRESAGE_PORT: '70000' })).toThrow(
      'environment variable PRESAGE_PORT: got "70000", expected a whole number',
    );
  });

  it('reads merge keys, and checks places by the rules of the HTTP API', () => {
    const folder = mkdtempSync(join(tmpdir(), 'presage-settings-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const config = join(folder, 'presage.yaml');
    const load = (streams: string): ReturnType<typeof loadSettings> => {
      writeFileSync(config, `streams:\n${streams}`);
      return loadSettings('serve', { config }, {});
    };
    const merged = load('  - &one {id: a, source: a.mp4, rtspTransport: udp}\n  - {<<: *one, id: b}\n');
    expect(merged.streams).toMatchObject([
      { id: 'a', rtspTransport: 'udp' },
      { id: 'b', source: 'a.mp4', rtspTransport: 'udp' },
    ]);
    const zone = '[[0, 0], [1, 0], [1, 1]]';
    expect(() => load(`  - {id: a, source: a.mp4, zones: {"": ${zone}}}\n`)).toThrow(/zones/);
    expect(() => load('  - {id: a, source: a.mp4, zones: {flat: [[0, 0], [1, 0], [0.5, 0]]}}\n')).toThrow(
      /corners enclose nothing/,
    );
  });
});
