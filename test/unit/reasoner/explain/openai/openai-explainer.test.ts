import { afterEach, describe, expect, it } from 'vitest';
import { PresageError, toPresageError } from '../../../../../src/core/errors.js';
import { openAiConfig, type OpenAiOptions } from '../../../../../src/reasoner/explain/openai/config.js';
import {
  OpenAiExplainer,
  type OpenAiExplainerOptions,
} from '../../../../../src/reasoner/explain/openai/openai-explainer.js';
import { sayContent, startFakeServer, type FakeServer } from '../../../../support/language/llm.js';
import { eventById, pushedRow, snapshotOf } from '../../../../support/reasoner/snapshots.js';

const KEY = 'sk-hush-hush';
const snapshot = pushedRow();
const event = eventById(snapshot, 'e4');
const good = JSON.stringify({
  text: 'ball #1 drove cube #2 into cube #3',
  chain: [{ event: 'e2', relation: 'pushes', clause: 'ball #1 hit cube #2' }],
  causes: [{ object: '#1', probability: 0.8, counterfactual: 'Without #1, #2 would have stood' }],
  confidence: 0.7,
});

let server: FakeServer | undefined;
afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

type AnswerRequest = Parameters<typeof startFakeServer>[0];

async function setUp(answer: AnswerRequest, options: Partial<OpenAiOptions & OpenAiExplainerOptions> = {}) {
  server = await startFakeServer(answer);
  const delays: number[] = [];
  const config = openAiConfig({
    baseUrl: server.baseUrl,
    model: 'm',
    apiKey: KEY,
    timeoutMs: 5000,
    tools: false,
    ...pickConfig(options),
  });
  const explainer = new OpenAiExplainer({
    config,
    random: () => 1,
    wait: (ms) => {
      delays.push(ms);
      return Promise.resolve();
    },
    ...(options.keyframes === undefined ? {} : { keyframes: options.keyframes }),
  });
  return { explainer, delays, requests: server.requests };
}

function pickConfig({ timeoutMs, images }: Partial<OpenAiOptions>): Partial<OpenAiOptions> {
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(images === undefined ? {} : { images }),
  };
}

async function failure(explainer: OpenAiExplainer, signal?: AbortSignal): Promise<PresageError> {
  const error = await explainer.explain(event, snapshot, signal).then(
    () => undefined,
    (thrown: unknown) => toPresageError(thrown),
  );
  if (error === undefined) throw new Error('it did not fail');
  const all = `${error.message} ${String(error.stack)} ${JSON.stringify(error)} ${String(error.cause)} ${error.hint ?? ''}`;
  expect(all).not.toContain(KEY);
  return error;
}

describe('the explainer on an OpenAI-compatible server', () => {
  it('asks with a JSON schema at temperature 0 and explains by the answer', async () => {
    const { explainer, requests } = await setUp((_, response) => sayContent(response, good));
    const explanation = await explainer.explain(event, snapshot);
    expect(explanation).toMatchObject({ of: 'e4', by: { backend: 'openai', model: 'm' }, confidence: 0.7 });
    expect(explanation?.chain.map(({ events }) => events[0])).toEqual(['e2', 'e4']);
    expect(requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(requests[0]?.body).toMatchObject({
      model: 'm',
      temperature: 0,
      max_tokens: 400,
      response_format: { type: 'json_schema' },
    });
    expect(explainer.stats()).toMatchObject({ requests: 1, explained: 1, failed: 0, repairs: 0 });
  });

  it('falls back to JSON mode and to plain words where the server knows no schema, and remembers it', async () => {
    const { explainer, requests } = await setUp(({ body }, response) => {
      if ('response_format' in body)
        response.writeHead(400).end('{"error": "response_format is not supported"}');
      else sayContent(response, good);
    });
    await explainer.explain(event, snapshot);
    await explainer.explain(event, snapshot);
    const formats = requests.map(
      ({ body }) => (body['response_format'] as { type: string } | undefined)?.type,
    );
    expect(formats).toEqual(['json_schema', 'json_object', undefined, undefined]);
    expect(explainer.stats().rejectedFormats).toBe(2);
  });

  it('asks once more, saying what was wrong, when the answer is not of the schema', async () => {
    const { explainer, requests } = await setUp((_, response, attempt) =>
      sayContent(response, attempt === 1 ? 'It was hit.' : good),
    );
    expect(await explainer.explain(event, snapshot)).toMatchObject({
      of: event.id,
      by: { backend: 'openai' },
    });
    expect(JSON.stringify(requests[1]?.body['messages'])).toContain('it is not one JSON object');
    expect(explainer.stats().repairs).toBe(1);
  });

  it('gives up after the second answer that is not of the schema', async () => {
    const { explainer, requests } = await setUp((_, response) => sayContent(response, '{"text": 7}'));
    expect(await failure(explainer)).toMatchObject({ code: 'backend_failed' });
    expect(requests).toHaveLength(2);
  });

  it('retries a busy server with growing delays, as long as it was asked to wait', async () => {
    const { explainer, delays } = await setUp((_, response, attempt) => {
      if (attempt === 1) response.writeHead(429, { 'retry-after': '2' }).end();
      else if (attempt === 2) response.writeHead(503).end();
      else sayContent(response, good);
    });
    expect(await explainer.explain(event, snapshot)).toMatchObject({
      of: event.id,
      by: { backend: 'openai' },
    });
    expect(delays).toEqual([2000, 1000]);
    expect(explainer.stats().retries).toBe(2);
  });

  it('never waits longer than the cap, whatever the server asks', async () => {
    const { explainer, delays } = await setUp((_, response, attempt) => {
      if (attempt === 1) response.writeHead(429, { 'retry-after': '86400' }).end();
      else sayContent(response, good);
    });
    await explainer.explain(event, snapshot);
    expect(delays).toEqual([4000]);
  });

  it('fails on a server that keeps failing, without the key that the server echoes', async () => {
    const { explainer, requests } = await setUp(({ headers }, response) => {
      response.writeHead(500).end(`stack trace with ${headers.authorization ?? ''}`);
    });
    const error = await failure(explainer);
    expect(error).toMatchObject({ code: 'backend_failed', retryable: true });
    expect(error.message).toContain('500: stack trace with Bearer ***');
    expect(requests).toHaveLength(3);
  });

  it('does not retry a refused key', async () => {
    const { explainer, requests } = await setUp((_, response) => response.writeHead(401).end('bad key'));
    expect(await failure(explainer)).toMatchObject({
      retryable: false,
      hint: expect.stringContaining('key') as string,
    });
    expect(requests).toHaveLength(1);
  });

  it('fails when the connection drops again and again', async () => {
    const { explainer, requests } = await setUp((_, response) => response.destroy());
    expect((await failure(explainer)).message).toContain('does not answer');
    expect(requests).toHaveLength(3);
  });

  it('fails when nobody listens', async () => {
    const { explainer } = await setUp(() => undefined);
    await server?.[Symbol.asyncDispose]();
    server = undefined;
    expect(await failure(explainer)).toMatchObject({ code: 'backend_failed', retryable: true });
  });

  it.each([
    [
      'sends headers and no body',
      (response: import('node:http').ServerResponse) => response.writeHead(200).write('{'),
    ],
    ['stays silent', () => undefined],
  ])('gives up in time on a server that %s', async (_, behave) => {
    const { explainer } = await setUp((__, response) => void behave(response), { timeoutMs: 100 });
    const error = await failure(explainer);
    expect(error).toMatchObject({ code: 'backend_failed', retryable: true });
    expect(error.message).toContain('within 100 ms');
  });

  it('gives up in time on a keyframe provider that hangs', async () => {
    const keyframes = (): Promise<never> => new Promise(() => undefined);
    const { explainer } = await setUp(() => undefined, { timeoutMs: 100, images: true, keyframes });
    expect((await failure(explainer)).message).toContain('within 100 ms');
  });

  it('can be interrupted', async () => {
    const abort = new AbortController();
    const { explainer } = await setUp(() => abort.abort());
    expect(await failure(explainer, abort.signal)).toMatchObject({ code: 'interrupted' });
    expect(await failure(explainer, abort.signal)).toMatchObject({ code: 'interrupted' });
  });

  it.each([
    ['an HTML page', '<html>gateway</html>'],
    ['no choices', '{"choices": []}'],
    ['an empty message', '{"choices": [{"message": {"content": null}}]}'],
    ['more than it will read', 'x'.repeat((1 << 20) + 1)],
  ])('fails on %s', async (_, body) => {
    const { explainer } = await setUp((__, response) => response.writeHead(200).end(body));
    expect(await failure(explainer)).toMatchObject({ code: 'backend_failed' });
  });

  it('sends keyframes only when images are on', async () => {
    const keyframes = (): string[] => ['data:image/jpeg;base64,AAAA'];
    for (const images of [true, false]) {
      const { explainer, requests } = await setUp((_, response) => sayContent(response, good), {
        images,
        keyframes,
      });
      await explainer.explain(event, snapshot);
      expect(JSON.stringify(requests[0]?.body).includes('image_url')).toBe(images);
      await server?.[Symbol.asyncDispose]();
    }
  });

  it('does not ask where there is nothing to explain or nothing to refer to', async () => {
    const { explainer, requests } = await setUp((_, response) => sayContent(response, good));
    expect(await explainer.explain(eventById(snapshot, 'e1'), snapshot)).toBeUndefined();
    const bare = snapshotOf(
      [
        {
          knots: [
            [0, 9, 9],
            [5, 99, 9],
          ],
        },
      ],
      [{ type: 'stop', t: 4, of: ['o1'] }],
    );
    expect(await explainer.explain(eventById(bare, 'e1'), bare)).toBeUndefined();
    expect(requests).toHaveLength(0);
  });
});
