import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nearestLabels } from '../../../../src/cli/options/label-list.js';
import { loadSettings } from '../../../../src/cli/options/settings.js';
import { COCO_LABELS } from '../../../../src/model/detector/coco-labels.js';
import { matching } from '../../../support/model/matching.js';
import { tempFolder } from '../../../support/transport/temp-folder.js';

function yaml(content: string): string {
  const file = join(tempFolder(), 'presage.yaml');
  writeFileSync(file, content);
  return file;
}

function labelsOf(flags: Record<string, unknown>, env: Record<string, string> = {}): unknown {
  return loadSettings('watch', flags, env).settings.labels;
}

function unknown(message: RegExp): unknown {
  const hint = 'there is no label "persn"; did you mean "person"?';
  return expect.objectContaining({ code: 'bad_option', message: matching(message), hint });
}

describe('labels', () => {
  it('are all when nothing is said', () => {
    expect(labelsOf({})).toBeUndefined();
  });

  it('are read from text with commas, in any case, each once', () => {
    expect(labelsOf({ labels: 'person, Car,traffic light,person' })).toEqual([
      'person',
      'car',
      'traffic light',
    ]);
  });

  it('are read from the environment, and from presage.yaml as text or as a list', () => {
    expect(labelsOf({}, { PRESAGE_LABELS: 'dog' })).toEqual(['dog']);
    expect(labelsOf({ config: yaml('labels: person,car') })).toEqual(['person', 'car']);
    expect(labelsOf({ config: yaml('labels: [person, wine glass]') })).toEqual(['person', 'wine glass']);
  });

  it.each([
    [
      '--labels',
      { labels: 'person,persn' },
      {},
      /^option --labels: got "person,persn", expected .*person,car$/,
    ],
    [
      'PRESAGE_LABELS',
      {},
      { PRESAGE_LABELS: 'persn' },
      /^environment variable PRESAGE_LABELS: got "persn", /,
    ],
  ])('that are unknown in %s are named, with the nearest one', (_, flags, env, message) => {
    expect(() => labelsOf(flags, env)).toThrow(unknown(message));
  });

  it('that are unknown in presage.yaml are named, with the nearest one', () => {
    const config = yaml('labels: [cat, persn]');
    expect(() => labelsOf({ config })).toThrow(
      unknown(/^config entry labels: got \["cat","persn"\], expected /),
    );
  });

  it('that are like none are answered with all there are', () => {
    expect(() => labelsOf({ labels: 'weather' })).toThrow(
      expect.objectContaining({
        hint: matching(/^there is no label "weather"; .*: person, bicycle, .*toothbrush, object$/),
      }),
    );
  });

  it.each(['', ' ', ',', 'person,'])('are not an empty name: %j', (labels) => {
    expect(() => labelsOf({ labels })).toThrow(expect.objectContaining({ code: 'bad_option' }));
  });

  it('are not an empty list', () => {
    expect(() => labelsOf({ config: yaml('labels: []') })).toThrow(
      expect.objectContaining({ code: 'bad_option', hint: 'leave it out to keep all' }),
    );
  });
});

describe('nearestLabels', () => {
  it.each([
    ['cars', ['car']],
    ['motorbike', ['motorcycle']],
    ['light', ['traffic light']],
    ['trafic light', ['traffic light']],
    ['phone', ['cell phone']],
    ['', []],
  ])('of %j are %j', (given, nearest) => {
    expect(nearestLabels(given)).toEqual(nearest);
  });

  it('of a label begin with itself', () => {
    for (const label of COCO_LABELS) expect(nearestLabels(label)[0]).toBe(label);
  });
});
