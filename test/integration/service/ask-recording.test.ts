/** Answers about the example recording, held against the events that were told of it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMessages, recollectionOfMessages } from '../../../src/service/ask/recollections.js';
import type { Answer, Message, ObservedEvent } from '../../../src/core/messages.js';
import { ask } from '../../../src/ask/ask.js';
import type { Recollection } from '../../../src/ask/recollection.js';
import { OpenAiAsker } from '../../../src/reasoner/explain/openai/openai-asker.js';
import { openAiConfig } from '../../../src/reasoner/explain/openai/config.js';
import { localModel, sayContent, startFakeServer, startModelServer } from '../../support/language/llm.js';
import { runCli } from '../../support/cli.js';
import { tempFolder } from '../../support/transport/temp-folder.js';

const RECORDING = fileURLToPath(new URL('../../../examples/pedestrians.mp4', import.meta.url));
let folder: string;
let file: string;
let events: ObservedEvent[];
let memory: Recollection;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'presage-'));
  file = join(folder, 'out.jsonl');
  const { code } = await runCli(['analyze', RECORDING, '--out', file, '--stamp', 'none'], {
    cwd: folder,
  });
  expect(code).toBe(0);
  const messages = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Message);
  events = messages.flatMap((one) => (one.type === 'presage.event.observed.v1' ? [one.data.event] : []));
  const { builder, places } = await readMessages(file);
  memory = recollectionOfMessages(builder, places);
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function answerTo(question: string): Promise<Answer> {
  const asked = await ask(question, memory);
  if (!asked.understood) throw new Error(asked.problem);
  return asked.answer;
}

function cited(answer: Answer): string[] {
  return answer.evidence.flatMap((one) => one.events);
}

describe('asking about the example recording', () => {
  it('says when two met, citing just the events that tell so', async () => {
    const meeting = events.find(({ type }) => type === 'meet')!;
    const [a, b] = meeting.participants.map(({ id }) => id);
    const same = events.filter(
      ({ type, participants }) =>
        type === 'meet' && [a, b].every((id) => participants.some((one) => one.id === id)),
    );
    expect(cited(await answerTo(`when did ${a} meet ${b}?`))).toEqual(same.map(({ id }) => id));
    expect(cited(await answerTo(`did ${b} meet ${a}?`))).toEqual(same.map(({ id }) => id));
  });

  it('counts who came in within the last seconds', async () => {
    const entered = new Set(
      events
        .filter(
          ({ type, t, participants: [who] }) =>
            type === 'enter' && who?.label === 'person' && t >= memory.now - 10,
        )
        .map(({ participants }) => participants[0]!.id),
    );
    const answer = await answerTo('how many people came in in the last 10 seconds?');
    expect(answer.text).toMatch(new RegExp(`^${entered.size} `));
    expect(new Set(answer.evidence.flatMap(({ objects }) => objects))).toEqual(entered);
  });

  it('tells who left last, and where to', async () => {
    const last = events
      .filter(({ type }) => type === 'exit')
      .sort((x, y) => x.t - y.t)
      .at(-1)!;
    expect(cited(await answerTo('who left last?'))).toEqual([last.id]);
    expect((await answerTo(`where did ${last.participants[0]!.id} go?`)).text).toMatch(/left the view/);
  });

  it('finds what happened before an event, and nothing from after it', async () => {
    const exit = events.find(({ type, t }) => type === 'exit' && t > 5)!;
    const ids = cited(await answerTo(`what happened before ${exit.id}?`));
    expect(ids.length).toBeGreaterThan(0);
    for (const id of ids) expect(events.find((one) => one.id === id)!.t).toBeLessThan(exit.t);
  });

  it('never names what does not exist', async () => {
    for (const question of [
      'when did #4 meet #777?',
      'where is #777?',
      'how long did o777 stay?',
      'why e99999?',
    ]) {
      const answer = await answerTo(question);
      expect(answer.evidence).toEqual([]);
      expect(answer.text).toMatch(/I remember no/);
    }
  });

  it('refuses what it does not understand with exit code 1 and examples, and answers in JSON on demand', async () => {
    const cwd = tempFolder();
    const refused = await runCli(['ask', file, 'what is the meaning of life?'], { cwd });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/meaning[\s\S]*who is here now\?/);
    const { code, stdout } = await runCli(['ask', file, 'who came in last?', '--json'], { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      question: 'who came in last?',
      evidence: [{ events: [expect.stringMatching(/^e\d+$/)] }],
    });
  });
});

describe('a language model behind the grammar', () => {
  const QUESTION = 'is the mood of the pedestrians good?';
  const asker = (baseUrl: string): OpenAiAsker =>
    new OpenAiAsker(openAiConfig({ baseUrl, model: 'm', timeoutMs: 60_000 }));

  it('answers what the grammar does not understand, with events that exist as evidence', async () => {
    const event = events.at(-1)!;
    const said = { events: [event.id], objects: [], text: `It ended with ${event.id}.`, confidence: 0.4 };
    await using server = await startFakeServer((_, response) => sayContent(response, JSON.stringify(said)));
    const asked = await ask(QUESTION, memory, { backend: asker(server.baseUrl) });
    expect(asked).toMatchObject({
      understood: true,
      by: 'openai',
      answer: { evidence: [{ events: [event.id] }] },
    });
  });

  it.each([
    ['in its list', { events: ['e99999'], objects: [], text: 'It was good.', confidence: 1 }],
    [
      'in its text',
      { events: [], objects: [], text: 'As e99999 and #777 show, it was good.', confidence: 1 },
    ],
  ])('is not believed when it cites %s what does not exist', async (_, said) => {
    await using server = await startFakeServer((__, response) => sayContent(response, JSON.stringify(said)));
    const asked = await ask(QUESTION, memory, { backend: asker(server.baseUrl) });
    expect(asked.understood).toBe(false);
    // With tools, in the form of an answer, and once more with what was wrong.
    expect(server.requests).toHaveLength(3);
  });

  const model = localModel();
  it.skipIf(model === undefined && process.env['PRESAGE_REQUIRE_ALL'] !== '1')(
    'is a real one, whose answer cites nothing that does not exist',
    { timeout: 180_000 },
    async () => {
      await using server = await startModelServer(model!);
      const backend = asker(server.baseUrl);
      const asked = await ask(QUESTION, memory, { backend }).catch((error: unknown) => error as Error);
      // A model of 135M may fail to answer in form; what it answers must be borne out.
      if (asked instanceof Error) {
        expect(asked).toMatchObject({ code: 'backend_failed' });
        return;
      }
      if (!asked.understood) {
        expect(asked.problem).toMatch(/openai/);
        return;
      }
      const ids = new Set(events.map(({ id }) => id));
      for (const id of cited(asked.answer)) expect(ids).toContain(id);
      expect(asked.by).toBe('openai');
    },
  );
});
