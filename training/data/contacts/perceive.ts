/**
 * Runs the perception on simulated videos and writes the percepts next to them as `sSEED.percepts.jsonl`.
 *
 *   npx tsx training/data/contacts/perceive.ts SCENES [DETECT_EVERY]
 *
 * Existing percepts are kept. The detector runs on every DETECT_EVERY-th frame (default 1), motion detection on all frames.
 */
import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { concatMap, lastValueFrom, toArray } from 'rxjs';
import type { Frame } from '../../../src/core/video/frame.js';
import type { Perception, Percept } from '../../../src/core/percept.js';
import { findFfmpeg, type Ffmpeg } from '../../../src/ingest/ffmpeg-binary.js';
import { openSource } from '../../../src/ingest/open-source.js';
import { parseSource } from '../../../src/ingest/source-spec.js';
import { openPerception } from '../../../src/model/perception/perception.js';
import { scenePaths } from './scene.js';

async function perceive(
  video: string,
  detectEvery: number,
  perception: Perception,
  ffmpeg: Ffmpeg,
): Promise<Percept[]> {
  const spec = parseSource(video);
  if (spec.kind !== 'file') throw new Error(`${video} is not a file`);
  await using source = openSource(spec, { ffmpeg, mode: 'lossless' });
  await using stream = perception.openStream();
  stream.setEffort({ detectEvery, masks: false, embeddings: false });
  const perceiveFrame = async (frame: Frame): Promise<Percept> => {
    try {
      return await stream.perceive(frame);
    } finally {
      frame[Symbol.dispose]();
    }
  };
  return await lastValueFrom(source.frame$.pipe(concatMap(perceiveFrame), toArray()));
}

/** Masks and embeddings are left out: contacts do not need them and they would fill the disk. */
function line({ index, t, width, height, detections, partial, camera, scene }: Percept): string {
  const plain = detections.map(({ label, score, box, origin }) => ({ label, score, box, origin }));
  return JSON.stringify({ index, t, width, height, detections: plain, partial, camera, scene });
}

async function main(): Promise<void> {
  const [folder, every = '1'] = process.argv.slice(2);
  if (!folder) throw new Error('usage: perceive.ts SCENES [DETECT_EVERY]');
  const ffmpeg = await findFfmpeg({});
  await using perception = await openPerception();
  for (const path of await scenePaths(folder)) {
    const target = path.replace('.json', '.percepts.jsonl');
    if (existsSync(target)) continue;
    const percepts = await perceive(path.replace('.json', '.mp4'), Number(every), perception, ffmpeg);
    await writeFile(`${target}.partial`, percepts.map((percept) => `${line(percept)}\n`).join(''));
    await rename(`${target}.partial`, target);
    process.stderr.write(`${target}: ${percepts.length} percepts\n`);
  }
}

await main();
