/** The hand-written parts of docs/configuration.md. `documents.test.ts` compares the option tables. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPlaces, loadSettings } from '../../../src/cli/options/settings.js';
import { tempFolder } from '../../support/transport/temp-folder.js';

const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');

function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g'))].map(
    ([, text]) => text ?? '',
  );
}

function fileWith(text: string, name: string): string {
  const file = join(tempFolder(), name);
  writeFileSync(file, text);
  return file;
}

describe('the YAML on the configuration page', () => {
  it('configures streams with all of their entries', () => {
    const [yaml = ''] = blocks('yaml');
    const { settings, streams } = loadSettings('serve', { config: fileWith(yaml, 'presage.yaml') }, {});
    expect(streams.map(({ id, source, rtspTransport }) => [id, source, rtspTransport])).toEqual([
      ['street', 'rtsp://user:password@camera.local/stream', 'udp'],
      ['browser', 'webrtc:', undefined],
    ]);
    expect([Object.keys(streams[0]?.zones ?? {}), Object.keys(streams[0]?.lines ?? {})]).toEqual([
      ['door'],
      ['gate'],
    ]);
    expect(settings).toMatchObject({ port: 7878, keepDays: 30, labels: ['person', 'car'] });
  });

  it('configures webhooks and MQTT', () => {
    const yaml = blocks('yaml')[1] ?? '';
    const { settings } = loadSettings('serve', { config: fileWith(yaml, 'presage.yaml') }, {});
    expect(settings.webhook).toEqual([
      {
        url: 'https://example.com/presage',
        secret: 'env:WEBHOOK_SECRET',
        types: ['event.observed', 'prediction.created'],
        streams: ['street'],
        minProbability: 0.6,
        allowPrivate: false,
      },
    ]);
    expect(settings).toMatchObject({ mqttUrl: 'mqtt://broker.local', mqttDiscovery: false });
  });
});

it('shows places as --places reads them', () => {
  const places = loadPlaces(fileWith(blocks('json')[0] ?? '', 'places.json'));
  expect([Object.keys(places.zones), Object.keys(places.lines)]).toEqual([['door'], ['gate']]);
});
