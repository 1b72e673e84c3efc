/**
 * Makes the training rows of the contact classifier from simulated scenes, with the tracker and the object memory.
 *
 *   npx tsx training/data/contacts/candidates.ts SCENES OUT.f32 [--percepts]
 *
 * SCENES is a folder of `sSEED.json` (`training.worlds.pixels.tabletop`). The detections are the true boxes with noise (`noise.ts`),
 * or with `--percepts` those of the perception (`sSEED.percepts.jsonl`, `perceive.ts`). OUT.f32 holds rows of 32-bit
 * floats, one for each moment of two tracked objects near each other: seed, number of the pair, sample, label (1 contact, 0
 * none, -1 ambiguous because it is close to a contact), features. OUT.f32.json names the columns and lists the contacts of each scene.
 */
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import type { Percept } from '../../../src/core/percept.js';
import { SAMPLE_HZ } from '../../../src/core/ontology.js';
import type { ContactModel, ContactMoment } from '../../../src/memory/events/contact/contact-classifier.js';
import { CONTACT_FEATURES } from '../../../src/memory/events/contact/contact-features.js';
import { ObjectMemory } from '../../../src/memory/object-memory.js';
import type { TrackSegment } from '../../../src/memory/track-segment.js';
import { Tracker } from '../../../src/memory/tracking/tracker.js';
import { blurredPercepts } from './noise.js';
import { readPercepts, readScene, scenePaths, type SceneTruth } from './scene.js';
import { trueObject } from './truth.js';

/** Moments within this time of a contact are labelled as contacts, s; those up to AMBIGUOUS_S are left out. */
const CONTACT_S = 0.101;
const AMBIGUOUS_S = 0.35;

interface Row {
  readonly pair: string;
  readonly who: readonly [string | undefined, string | undefined];
  readonly k: number;
  readonly features: Float64Array;
}

/** Records the features of every candidate moment and rejects it. */
class Recorder implements ContactModel {
  readonly threshold = 1;
  readonly rows: Row[] = [];

  constructor(private readonly truth: SceneTruth) {}

  probability(features: Float64Array, { a, b, k }: ContactMoment): number {
    const who = [this.#who(a, k), this.#who(b, k)] as const;
    this.rows.push({ pair: `${a.subject.id} ${b.subject.id}`, who, k, features });
    return 0;
  }

  confidence(p: number): number {
    return p;
  }

  #who(segment: TrackSegment, k: number): string | undefined {
    const box = segment.at(k)?.box;
    return box && trueObject(this.truth, k / SAMPLE_HZ, box);
  }
}

function labelsOf(rows: readonly Row[], truth: SceneTruth): number[] {
  const labels = rows.map(() => 0);
  for (const { type, objects, t } of truth.events) {
    if (type !== 'collision') continue;
    const [i, j] = objects.map(String);
    const near = rows.flatMap(({ who, k }, n) => {
      const same = (who[0] === i && who[1] === j) || (who[0] === j && who[1] === i);
      const late = k / SAMPLE_HZ - t;
      return same && Math.abs(late) <= AMBIGUOUS_S ? [{ n, late }] : [];
    });
    const nearest = Math.min(...near.map(({ late }) => Math.abs(late)));
    // An object that a hit brings into view is first seen later: then the nearest moment is the contact.
    for (const { n, late } of near) {
      if (Math.abs(late) <= Math.max(CONTACT_S, nearest)) labels[n] = 1;
      else if (labels[n] !== 1) labels[n] = -1;
    }
  }
  return labels;
}

async function main(): Promise<void> {
  const [folder, out, option] = process.argv.slice(2);
  if (!folder || !out) throw new Error('usage: candidates.ts SCENES OUT.f32 [--percepts]');
  const file = createWriteStream(out);
  const scenes: Record<string, unknown> = {};
  for (const path of await scenePaths(folder)) {
    const truth = await readScene(path);
    const recorder = new Recorder(truth);
    const memory = new ObjectMemory(new Tracker(), { contacts: recorder });
    const percepts: Iterable<Percept> =
      option === '--percepts'
        ? await readPercepts(path.replace('.json', '.percepts.jsonl'))
        : blurredPercepts(truth);
    for (const percept of percepts) memory.update(percept);
    scenes[truth.seed] = truth.events
      .filter(({ type }) => type === 'collision')
      .map(({ t, objects }) => ({ t, objects }));
    const labels = labelsOf(recorder.rows, truth);
    const pairs = [...new Set(recorder.rows.map(({ pair }) => pair))];
    const values = recorder.rows.flatMap(({ pair, k, features, who }, n) => [
      ...[truth.seed, pairs.indexOf(pair), k, labels[n] as number],
      ...who.map((id) => Number(id ?? -1)),
      ...features,
    ]);
    if (!file.write(Buffer.from(Float32Array.from(values).buffer))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
  const columns = ['seed', 'pair', 'k', 'label', 'a', 'b', ...CONTACT_FEATURES];
  await writeFile(`${out}.json`, JSON.stringify({ columns, scenes }));
}

await main();
