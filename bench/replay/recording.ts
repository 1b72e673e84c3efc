import { readFile, rename, writeFile } from 'node:fs/promises';
import { lastValueFrom, map, toArray } from 'rxjs';
import { z } from 'zod';
import type { Affine } from '../../src/core/maths/box.js';
import type { Frame } from '../../src/core/video/frame.js';
import { losslessMap } from '../../src/core/operators.js';
import type { Detection, Perception, PerceptionInfo, Percept } from '../../src/core/percept.js';
import { findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { openSource } from '../../src/ingest/open-source.js';
import { parseSource } from '../../src/ingest/source-spec.js';

/** What perception made of a recording: all that memory and reasoner learn of it. */
export interface Recording {
  readonly info: PerceptionInfo;
  /** Nominal frames per second. */
  readonly fps: number;
  readonly percepts: readonly Percept[];
}

const CODEC = { version: 1 };

const headSchema = z.object({ version: z.literal(CODEC.version), info: z.unknown(), fps: z.number() });

/** Lets perception look at every frame of a video, once, with masks and embeddings as `analyze` does it. */
export async function perceive(video: string, perception: Perception): Promise<Recording> {
  await using source = openSource(parseSource(video), { ffmpeg: await findFfmpeg({}), mode: 'lossless' });
  await using stream = perception.openStream();
  let fps = 0;
  source.state$.subscribe({
    next: (state) => (fps = state.state === 'live' ? state.format.fps : fps),
    error: () => undefined, // the frames tell it, too
  });
  const look = async (frame: Frame): Promise<Percept> => {
    try {
      return await stream.perceive(frame);
    } finally {
      frame[Symbol.dispose]();
    }
  };
  const percepts = await lastValueFrom(
    source.frame$.pipe(losslessMap(look, stream.concurrency), map(withoutMasks), toArray()),
  );
  return { info: perception.info, fps, percepts };
}

/** As JSON Lines, embeddings as base64 of 32-bit floats; appears under its name when it is complete. */
export async function saveRecording(file: string, { info, fps, percepts }: Recording): Promise<void> {
  const lines = [{ ...CODEC, info, fps }, ...percepts.map(toJson)].map((line) => `${JSON.stringify(line)}\n`);
  await writeFile(`${file}.partial`, lines.join(''));
  await rename(`${file}.partial`, file);
}

/** Throws for a file of another form. */
export async function loadRecording(file: string): Promise<Recording> {
  const [head = '{}', ...lines] = (await readFile(file, 'utf8')).trimEnd().split('\n');
  const { info, fps } = headSchema.parse(JSON.parse(head));
  const percepts = lines.map((line) => fromJson(JSON.parse(line) as SavedPercept));
  return { info: info as PerceptionInfo, fps, percepts };
}

type SavedDetection = Omit<Detection, 'embedding'> & { embedding?: string };
type SavedPercept = Omit<Percept, 'detections' | 'sceneEmbedding' | 'camera'> & {
  camera?: Affine;
  sceneEmbedding?: string;
  detections: readonly SavedDetection[];
};

function toJson({ detections, sceneEmbedding, ...rest }: Percept): SavedPercept {
  return {
    ...rest,
    ...(sceneEmbedding && { sceneEmbedding: textOf(sceneEmbedding) }),
    detections: detections.map(({ embedding, ...detection }) => ({
      ...detection,
      ...(embedding && { embedding: textOf(embedding) }),
    })),
  };
}

function fromJson({ detections, sceneEmbedding, ...rest }: SavedPercept): Percept {
  return {
    ...rest,
    ...(sceneEmbedding !== undefined && { sceneEmbedding: floatsOf(sceneEmbedding) }),
    detections: detections.map(({ embedding, ...detection }) => ({
      ...detection,
      ...(embedding !== undefined && { embedding: floatsOf(embedding) }),
    })),
  };
}

/** Neither memory nor reasoner reads outlines, which would be most of the file. */
function withoutMasks(percept: Percept): Percept {
  const plain = percept.detections.map((detection): Detection => {
    const copy: { mask?: Detection['mask'] } & Detection = { ...detection };
    delete copy.mask;
    return copy;
  });
  return { ...percept, detections: plain };
}

function textOf(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

function floatsOf(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
}
