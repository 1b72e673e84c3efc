import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ReplayAnalyzer } from '../../../bench/replay/analyze-replay.js';
import { loadRecording, saveRecording, type Recording } from '../../../bench/replay/recording.js';
import { addForecastMessage, noForecasts, verifiedShare } from '../../../bench/replay/forecast-messages.js';
import type { Message } from '../../../src/core/messages.js';
import type { Detection, Percept } from '../../../src/core/percept.js';
import { tempFolder } from '../../support/transport/temp-folder.js';

const SIZE = { width: 640, height: 480 };
const INFO = { model: 'drawn', sha256: '', device: 'cpu', workers: 1, canvas: [416, 416] as const };

/** Two walkers who come towards each other and stop; a embedding and a clip embedding that must survive a file. */
function recording(): Recording {
  const percepts = Array.from({ length: 80 }, (_, index): Percept => {
    const t = index / 10;
    const x = Math.min(t, 4) * 0.08;
    const embedding = Float32Array.from([0.6, -0.8, index / 3]);
    const walker = (left: number): Detection => ({
      ...{ label: 'person', score: 0.9, embedding },
      box: [left, 0.4, 0.06, 0.3],
    });
    const clip = index % 10 === 0 ? { sceneEmbedding: Float32Array.from([1 / 3, index]) } : {};
    const detections = [walker(0.1 + x), walker(0.84 - x)];
    return { index, t, receivedAtMs: 7, ...SIZE, detections, inferenceMs: 3, ...clip };
  });
  return { info: INFO, fps: 10, percepts };
}

async function analyzed(out: string, from: Recording, mode = 'rules'): Promise<Message[]> {
  await using analyzer = await ReplayAnalyzer.open({ name: mode, mode });
  await analyzer.analyze('drawn', from, out);
  return (await readFile(out, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Message);
}

/** Everything but wall times. */
function contents(messages: readonly Message[]): unknown[] {
  return messages.map((message) => {
    const { type, mediatime, data } = message;
    const text = JSON.stringify({ type, mediatime, data }, (key, value: unknown) =>
      key === 'ms' ? 0 : value,
    );
    return JSON.parse(text) as unknown;
  });
}

describe('a recording that was perceived before', () => {
  it('survives a file to the last bit', async () => {
    const file = join(tempFolder(), 'drawn.percepts.jsonl');
    await saveRecording(file, recording());
    expect(await loadRecording(file)).toEqual(recording());
  });

  it('gives every frame to memory and reasoner, in the same way each time', async () => {
    const folder = tempFolder();
    const first = await analyzed(join(folder, 'a.jsonl'), recording());
    const second = await analyzed(join(folder, 'b.jsonl'), recording());
    expect(contents(first)).toEqual(contents(second));
    const objects = first.flatMap((one) => (one.type === 'presage.objects.updated.v1' ? [one] : []));
    expect(objects).toHaveLength(80);
    expect(objects.at(-1)?.data.objects).toHaveLength(2);
    const forecasts = first.flatMap((one) =>
      one.type === 'presage.forecast.updated.v1' ? [one.data.at] : [],
    );
    expect(forecasts).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('does not go on by rules where the mode that is to be measured is not there', async () => {
    const models = tempFolder();
    await expect(ReplayAnalyzer.open({ name: 'x', mode: 'forecaster', models })).rejects.toThrow(
      /forecaster/,
    );
    await expect(ReplayAnalyzer.open({ name: 'x', mode: 'clairvoyant' })).rejects.toThrow(/clairvoyant/);
  });
});

describe('what was told', () => {
  it('counts explanations, their claims and what the verifier found', async () => {
    const out = join(tempFolder(), 'told.jsonl');
    const messages = await analyzed(out, recording());
    const told = noForecasts();
    await addForecastMessage(told, out);
    const explained = messages.flatMap((one) =>
      one.type === 'presage.explanation.created.v1' ? [one.data.explanation] : [],
    );
    expect(told.explanations).toBe(explained.length);
    expect(told.explanations).toBeGreaterThan(0);
    expect(told.claims).toBe(
      explained.reduce((sum, { chain, causes }) => sum + chain.length + causes.length, 0),
    );
    expect(verifiedShare(told)).toBe(1);
    expect(verifiedShare({ ...told, claims: 3, problems: 1 })).toBe(0.75);
  });
});
