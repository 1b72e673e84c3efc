/**
 * Runs memory, sampled paths, learned forecaster, rules, cause head and language model on simulated scenes and records the
 * estimate of each expert with the truth: the data for fitting the forecast mixture.
 *
 *   npx tsx training/data/mixture/collect.ts SCENES.jsonl OUT.jsonl [MODELS]
 *
 * SCENES.jsonl is made by `training.data.mixture.scenes`; MODELS is a models folder (default: that of
 * Presage). Lines of
 * OUT.jsonl: `{forecast: group, truth, sampled, forecaster, language}` for the items of each scene's moment, where truth is the
 * share of re-simulated futures in which it came true; `{cause: type, truth, head, rules, language}` for the third objects of
 * each event. `language` is missing where the language model gives no estimate; an estimate takes about a tenth of a second.
 */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Box } from '../../../src/core/maths/box.js';
import type { CauseModel, ForecastModel, LanguageModel } from '../../../src/core/learned-models.js';
import type { ObservedEvent } from '../../../src/core/messages.js';
import { EVENT_TYPES, TIME_EPSILON } from '../../../src/core/ontology.js';
import type { MemorySnapshot } from '../../../src/core/memory.js';
import { ContactClassifier } from '../../../src/memory/events/contact/contact-classifier.js';
import { ObjectMemory } from '../../../src/memory/object-memory.js';
import { Tracker } from '../../../src/memory/tracking/tracker.js';
import { loadJsonModel } from '../../../src/model/runtime/json-model.js';
import { openLanguageModel } from '../../../src/model/language/open-language-model.js';
import { LearnedModels } from '../../../src/model/learned/learned-models.js';
import { causeQuery } from '../../../src/reasoner/explain/causes/cause-query.js';
import { MemoryIndex } from '../../../src/reasoner/explain/memory-index.js';
import { accountFor } from '../../../src/reasoner/explain/rules/rules-explainer.js';
import { LearnedExpert } from '../../../src/reasoner/forecast/experts/learned-expert.js';
import { itemKey } from '../../../src/reasoner/forecast/learning.js';
import { groupOf } from '../../../src/reasoner/forecast/mixture/forecast-mixture.js';
import { digitMeans } from '../../../src/reasoner/language/digits.js';
import { LanguageExpert } from '../../../src/reasoner/forecast/experts/language-expert.js';
import { FULL_VIEW, MomentPrompt } from '../../../src/reasoner/language/moment-prompt.js';
import { SamplingForecaster } from '../../../src/reasoner/forecast/sampling/sampling-forecaster.js';
import { perceptsOf, readScenes, trueObject, type TrackScene } from './scene.js';

const SINGLE_TYPES = ['exit', 'stop', 'start_moving', 'turn', 'loiter'];
const PAIR_TYPES = ['meet', 'collide'];
/** An observed event matches a true event of the same type and participants within this time, s. */
const SAME_EVENT_S = 0.5;

interface Models {
  readonly forecaster: ForecastModel;
  readonly causes: CauseModel;
  readonly contacts: ContactClassifier;
  readonly language: LanguageModel;
}

async function forecastRows(
  scene: TrackScene,
  snapshot: MemorySnapshot,
  sampler: SamplingForecaster,
  { forecaster: model, language }: Models,
): Promise<object[]> {
  const { items } = sampler.forecast(snapshot);
  const learned = await new LearnedExpert(model).probabilities(snapshot, items, AbortSignal.timeout(60_000));
  const byLanguage = await new LanguageExpert(language, FULL_VIEW).probabilities(snapshot, items);
  const labels = new Map(snapshot.objects.map(({ id, label }) => [id, label]));
  const who = new Map(snapshot.objects.map(({ id, box }) => [id, trueObject(scene, snapshot.t, box)]));
  return items.flatMap(({ type, participants, probability }) => {
    const [a, b] = participants.map((id) => who.get(id));
    const forecaster = learned.get(itemKey(type, participants));
    if (a === undefined || forecaster === undefined || (participants.length > 1 && b === undefined))
      return [];
    const truth =
      b === undefined
        ? scene.single[a]?.[SINGLE_TYPES.indexOf(type)]
        : scene.pair[a]?.[b]?.[PAIR_TYPES.indexOf(type)];
    if (truth === undefined || truth === null) return [];
    const group = groupOf({ type, participants }, labels);
    const words = byLanguage.get(itemKey(type, participants));
    return [{ forecast: group, truth, sampled: probability, forecaster, language: words }];
  });
}

/** The true event that an observed event matches; undefined for a false alarm. */
function trueEvent(
  scene: TrackScene,
  event: ObservedEvent,
  index: MemoryIndex,
): TrackScene['events'][number] | undefined {
  const who = event.participants.map(({ box }) => trueObject(scene, event.t, box)).sort();
  return scene.events
    .filter(
      ({ type, objects }) => EVENT_TYPES[type] === event.type && [...objects].sort().join() === who.join(),
    )
    .find(({ t }) => Math.abs(t - event.t) <= SAME_EVENT_S && index.event(event.id) !== undefined);
}

async function causeRows(
  scene: TrackScene,
  event: ObservedEvent,
  snapshot: MemorySnapshot,
  { causes: model, language }: Models,
): Promise<object[]> {
  const account = accountFor(event, snapshot);
  const asked = account && causeQuery(event, snapshot);
  const truth = account && trueEvent(scene, event, account.index);
  if (!account || !asked || !truth) return [];
  const byHead = await model.necessary(asked.query);
  const byLanguage = await necessaryByLanguage(event, snapshot, language);
  const byRules = new Map(account.causes.map(({ object, probability }) => [object, probability]));
  return asked.ids.flatMap((id, row) => {
    const who = identity(scene, account.index, id, event.t);
    const necessary = who === undefined ? -1 : (truth.necessary[who] ?? -1);
    if (necessary < 0 || event.participants.some((participant) => participant.id === id)) return [];
    const head = byHead[row];
    const words = byLanguage.get(id);
    return [{ cause: event.type, truth: necessary, head, rules: byRules.get(id) ?? null, language: words }];
  });
}

/** P(necessary) by the language model, for the objects in its prompt. */
async function necessaryByLanguage(
  event: ObservedEvent,
  snapshot: MemorySnapshot,
  language: LanguageModel,
): Promise<ReadonlyMap<string, number>> {
  const moment = new MomentPrompt(snapshot, FULL_VIEW, event);
  const { needs } = moment;
  if (needs.length === 0) return new Map();
  const texts = needs.map(({ text }) => text);
  const request = moment.request(`why ${moment.numbers.get(event.id) ?? ''}`);
  const means = digitMeans(await language.scoreDigits(request, texts), texts.length);
  return new Map(needs.map(({ object }, i) => [object, means[i] ?? 0]));
}

/** The true object that a tracked one matches, by its box at the event or, if it had left, by its last box. */
function identity(scene: TrackScene, index: MemoryIndex, id: string, t: number): number | undefined {
  const record = index.record(id);
  const at = Math.min(t, record?.lastSeen ?? t);
  const box: Box | undefined = index.boxAt(id, at)?.box ?? record?.box;
  return box && trueObject(scene, at, box);
}

async function rowsOf(scene: TrackScene, models: Models): Promise<object[]> {
  const memory = new ObjectMemory(new Tracker(), { contacts: models.contacts });
  const sampler = new SamplingForecaster();
  const rows: object[] = [];
  for (const percept of perceptsOf(scene)) {
    const { snapshot, events } = memory.update(percept);
    if (Math.abs(percept.t - scene.moment) < TIME_EPSILON)
      rows.push(...(await forecastRows(scene, snapshot, sampler, models)));
    else if (percept.index % 10 === 0 && percept.t < scene.moment) sampler.forecast(snapshot);
    for (const { event } of events) rows.push(...(await causeRows(scene, event, snapshot, models)));
  }
  return rows;
}

async function main(): Promise<void> {
  const [scenes, target, modelsDir] = process.argv.slice(2);
  if (!scenes || !target) throw new Error('usage: collect.ts SCENES.jsonl OUT.jsonl [MODELS]');
  await using models = await LearnedModels.open({ modelsDir });
  const { forecaster, causes } = models;
  if (!forecaster || !causes) throw new Error('the models folder lacks the forecaster or the cause head');
  await using language = await openLanguageModel(modelsDir ? { modelsDir } : {});
  const contacts = ContactClassifier.parse(await loadJsonModel('contacts', modelsDir));
  const out = createWriteStream(target);
  let count = 0;
  for await (const scene of readScenes(scenes)) {
    const rows = await rowsOf(scene, { forecaster, causes, contacts, language });
    if (!out.write(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))) await once(out, 'drain');
    count += 1;
    if (count % 100 === 0) process.stderr.write(`${count} scenes\n`);
  }
  out.write(
    `${JSON.stringify({ models: { forecaster: forecaster.name, causes: causes.name, language: language.name }, scenes: count })}\n`,
  );
  out.end();
  await once(out, 'finish');
}

await main();
