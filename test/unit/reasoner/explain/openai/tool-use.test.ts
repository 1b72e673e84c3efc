import type { ServerResponse } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { PresageError } from '../../../../../src/core/errors.js';
import type { Inspection, InspectionRequest, VideoInspector } from '../../../../../src/core/inspection.js';
import { openAiConfig } from '../../../../../src/reasoner/explain/openai/config.js';
import { OpenAiExplainer } from '../../../../../src/reasoner/explain/openai/openai-explainer.js';
import { sayContent, startFakeServer } from '../../../../support/language/llm.js';
import { eventById, pushedRow } from '../../../../support/reasoner/snapshots.js';

const snapshot = pushedRow();
const event = eventById(snapshot, 'e4');
const good = JSON.stringify({
  text: 'ball #1 drove cube #2 into cube #3',
  chain: [{ event: 'e2', relation: 'pushes', clause: 'ball #1 hit cube #2' }],
  causes: [{ object: '#1', probability: 0.8, counterfactual: 'Without #1, #2 would have stood' }],
  confidence: 0.7,
});

interface Wire {
  readonly role: string;
  readonly content: unknown;
  readonly tool_call_id?: string;
}
interface Body {
  readonly messages: readonly Wire[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
  readonly response_format?: object;
}

function call(response: ServerResponse, ...calls: (readonly [name: string, args: string])[]): void {
  const tool_calls = calls.map(([name, args], at) => ({
    id: `c${at}`,
    type: 'function',
    function: { name, arguments: args },
  }));
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ choices: [{ message: { role: 'assistant', content: null, tool_calls } }] }));
}

/** Video in which there is a cup, up to 4 s; before 1 s it is gone. */
class CupVideo implements VideoInspector {
  readonly extent = { from: 1, to: 4 };
  readonly asked: InspectionRequest[] = [];

  inspect(request: InspectionRequest): Promise<readonly Inspection[]> {
    this.asked.push(request);
    if (request.to < 1)
      return Promise.reject(new PresageError('not_kept', 'The video of 0.2 s is not kept any more'));
    const found = [{ label: 'cup', score: 0.8, box: [0.4, 0.4, 0.1, 0.1], origin: 'detector' }] as const;
    return Promise.resolve([{ t: request.from, region: [0, 0, 1, 1], found, more: 0, image: 'l3900' }]);
  }
}

async function explainWith(
  answer: (body: Body, response: ServerResponse, attempt: number) => void,
  video: VideoInspector = new CupVideo(),
) {
  const server = await startFakeServer(({ body }, response, attempt) =>
    answer(body as unknown as Body, response, attempt),
  );
  onTestFinished(() => server[Symbol.asyncDispose]());
  const config = openAiConfig({ baseUrl: server.baseUrl, model: 'm', timeoutMs: 5000 });
  const explainer = new OpenAiExplainer({ config, video, wait: () => Promise.resolve() });
  const bodies = (): Body[] => server.requests.map(({ body }) => body as unknown as Body);
  return { explainer, bodies };
}

it('lets the model look again, gives it what was seen, and attaches that to the explanation', async () => {
  const video = new CupVideo();
  const { explainer, bodies } = await explainWith((body, response, attempt) => {
    if (attempt === 1)
      call(
        response,
        ['look_again', '{"t": 3.9, "region": [0.25, 0.25, 0.5, 0.5]}'],
        ['relations', '{"object": "#2"}'],
      );
    else if (attempt === 2) sayContent(response, 'I have seen enough.');
    else sayContent(response, good);
  }, video);
  const explanation = await explainer.explain(event, snapshot);
  expect(video.asked).toEqual([{ from: 3.9, to: 3.9, region: [0.25, 0.25, 0.5, 0.5] }]);
  expect(explanation).toMatchObject({
    of: 'e4',
    inspections: [{ t: 3.9, image: 'l3900', found: [{ label: 'cup' }] }],
  });
  const [first, second, last] = bodies();
  expect(first?.tools?.map((tool) => tool.function.name)).toEqual([
    'timeline',
    'search',
    'relations',
    'look_again',
  ]);
  const told = second?.messages.filter(({ role }) => role === 'tool') ?? [];
  expect(told.map(({ tool_call_id: id }) => id)).toEqual(['c0', 'c1']);
  expect(told[0]?.content).toContain('"what":"cup"');
  // The answer itself is asked for as always, with the results in plain words.
  expect(last?.tools).toBeUndefined();
  expect(last?.response_format).toBeDefined();
  expect(last?.messages).toHaveLength(2);
  expect(JSON.stringify(last?.messages[1]?.content)).toContain('Looked up:');
  expect(explainer.stats()).toMatchObject({ toolCalls: 2, toolErrors: 0, toolsDisabled: false });
});

it('takes an answer that comes at once, without asking twice', async () => {
  const { explainer, bodies } = await explainWith((_, response) => sayContent(response, good));
  const explanation = await explainer.explain(event, snapshot);
  expect(explanation).toMatchObject({ confidence: 0.7 });
  expect(explanation?.inspections).toBeUndefined();
  expect(bodies()).toHaveLength(1);
});

it('tells the model what is wrong with a call, and goes on', async () => {
  const { explainer, bodies } = await explainWith((_, response, attempt) => {
    if (attempt > 1) sayContent(response, good);
    else call(response, ['look_again', '{"t": 0.2}'], ['launch', '{}'], ['timeline', '{{']);
  });
  expect(await explainer.explain(event, snapshot)).toMatchObject({ of: 'e4' });
  const told = bodies()[1]
    ?.messages.filter(({ role }) => role === 'tool')
    .map(({ content }) => String(content));
  expect(told?.[0]).toContain('not_kept');
  expect(told?.[1]).toContain('there is no tool');
  expect(told?.[2]).toContain('bad_request');
  expect(explainer.stats()).toMatchObject({ toolCalls: 3, toolErrors: 3 });
});

it('answers a model that calls for ever four times, and then wants its answer', async () => {
  const { explainer, bodies } = await explainWith((body, response) => {
    if (body.tools) call(response, ['timeline', '{}']);
    else sayContent(response, good);
  });
  expect(await explainer.explain(event, snapshot)).toMatchObject({ of: 'e4' });
  expect(bodies().map(({ tools }) => tools !== undefined)).toEqual([true, true, true, true, false]);
});

it.each([400, 422, 500])(
  'asks as before a server that refuses tools with %i, and does not offer them again',
  async (status) => {
    const { explainer, bodies } = await explainWith((body, response) => {
      if (body.tools) response.writeHead(status).end('tools param requires a template');
      else sayContent(response, good);
    });
    await explainer.explain(event, snapshot);
    await explainer.explain(event, snapshot);
    const offered = bodies().map(({ tools }) => tools !== undefined);
    expect(offered.slice(-2)).toEqual([false, false]);
    expect(explainer.stats()).toMatchObject({ explained: 2, failed: 0, toolsDisabled: true });
  },
);

it('stops offering tools to a server that never calls one', async () => {
  const { explainer, bodies } = await explainWith((body, response) =>
    sayContent(response, body.tools ? 'Let me think.' : good),
  );
  for (let k = 0; k < 4; k += 1) await explainer.explain(event, snapshot);
  expect(bodies().map(({ tools }) => tools !== undefined)).toEqual([
    true,
    false,
    true,
    false,
    true,
    false,
    false,
  ]);
});

it('offers no look where no video is kept', async () => {
  const server = await startFakeServer((_, response) => sayContent(response, good));
  onTestFinished(() => server[Symbol.asyncDispose]());
  const config = openAiConfig({ baseUrl: server.baseUrl, model: 'm' });
  await new OpenAiExplainer({ config }).explain(event, snapshot);
  const body = server.requests[0]?.body as unknown as Body;
  expect(body.tools?.map((tool) => tool.function.name)).toEqual(['timeline', 'search', 'relations']);
});
