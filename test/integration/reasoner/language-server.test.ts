import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Draft, Explanation } from '../../../src/core/messages.js';
import { createReasoner } from '../../../src/reasoner/create-reasoner.js';
import type { StreamReasoner } from '../../../src/reasoner/reasoner.js';
import { Verifier } from '../../../src/reasoner/explain/verify/verifier.js';
import {
  localModel,
  startFakeServer,
  startModelServer,
  type TestServer,
} from '../../support/language/llm.js';
import { pushedRow, snapshotOf } from '../../support/reasoner/snapshots.js';

/** For one answer of a 135M model, ms: about 5 s on an idle core, several times that on busy ones. */
const PATIENCE_MS = 60_000;
const model = localModel();
const required = process.env['PRESAGE_REQUIRE_ALL'] === '1';

const street = snapshotOf(
  [
    {
      label: 'person',
      knots: [
        [0, 40, 160],
        [4, 200, 160],
        [8, 200, 160],
      ],
    },
    {
      label: 'person',
      knots: [
        [0, 400, 160],
        [4, 250, 160],
        [8, 245, 160],
      ],
    },
  ],
  [
    { type: 'enter', t: 1, of: ['o1'] },
    { type: 'approach', t: 3, of: ['o1', 'o2'] },
    { type: 'stop', t: 4, of: ['o1'] },
  ],
);
const scenes = [pushedRow(), street];

function lateExplanations(reasoner: StreamReasoner | undefined): Explanation[] {
  const out: Explanation[] = [];
  reasoner?.late$.subscribe((draft: Draft) => {
    if (draft.kind === 'explanation.created') out.push(draft.data.explanation);
  });
  return out;
}

describe.skipIf(model === undefined && !required)(
  'a real language model on a real socket (needs test/support/language/setup-llm.sh)',
  () => {
    let server: TestServer;
    const answered: Explanation['by'][] = [];
    beforeAll(async () => {
      if (model === undefined)
        throw new Error('the model is not there: run test/support/language/setup-llm.sh');
      server = await startModelServer(model);
    }, PATIENCE_MS);
    afterAll(() => server[Symbol.asyncDispose]());

    it.each(scenes)(
      'explains by its own words and never cites what is not in memory (scene %#)',
      { timeout: 2 * PATIENCE_MS },
      async (snapshot) => {
        const openai = {
          baseUrl: server.baseUrl,
          model: 'smollm2-135m',
          timeoutMs: PATIENCE_MS,
          maxTokens: 250,
        };
        await using reasoner = createReasoner('rules', { openai });
        const out = lateExplanations(reasoner);
        reasoner?.step({ snapshot, events: snapshot.events.slice(-1) });
        await reasoner?.settle();
        const [explanation] = out;
        expect(out).toHaveLength(1);
        expect(explanation?.of).toBe(snapshot.events.at(-1)?.event.id);
        expect(explanation?.verified.ok).toBe(true);
        if (explanation === undefined) return;
        expect(new Verifier().verifyExplanation(explanation, snapshot).problems).toEqual([]);
        // Either its own answer, or honestly the rules' with the reason.
        if (explanation.by.backend === 'rules')
          expect(explanation.verified.problems[0]).toContain('openai was not used');
        answered.push(explanation.by);
      },
    );

    it('has answered at least one of them itself', () => {
      expect(answered).toContainEqual(expect.objectContaining({ backend: 'openai', model: 'smollm2-135m' }));
    });

    it('falls back to rules in time when it is too slow', { timeout: PATIENCE_MS }, async () => {
      const openai = { baseUrl: server.baseUrl, model: 'smollm2-135m', timeoutMs: 50 };
      await using reasoner = createReasoner('rules', { openai });
      const out = lateExplanations(reasoner);
      reasoner?.step({ snapshot: street, events: street.events.slice(-1) });
      await reasoner?.settle();
      expect(out[0]).toMatchObject({ by: { backend: 'rules' }, verified: { ok: true } });
      expect(out[0]?.verified.problems[0]).toContain('no answer within 50 ms');
    });
  },
);

describe('a language-model server that misbehaves', () => {
  it.each([
    ['answers nonsense', 'not of the schema', '{"choices": [{"message": {"content": "42"}}]}', 200],
    ['answers a page', 'not JSON', '<html></html>', 200],
    ['refuses', '403', 'no', 403],
  ])('leaves the rules to explain when it %s', async (_, why, body, status) => {
    await using server = await startFakeServer((__, response) => response.writeHead(status).end(body));
    const openai = { baseUrl: server.baseUrl, model: 'm', apiKey: 'sk-hush', timeoutMs: 5000 };
    await using reasoner = createReasoner('rules', { openai });
    const out = lateExplanations(reasoner);
    reasoner?.step({ snapshot: street, events: street.events.slice(-1) });
    await reasoner?.settle();
    expect(out[0]).toMatchObject({ by: { backend: 'rules' }, verified: { ok: true } });
    expect(out[0]?.verified.problems[0]).toContain(why);
    expect(JSON.stringify(out)).not.toContain('sk-hush');
  });

  it('does not hold up closing when it hangs', async () => {
    await using server = await startFakeServer(() => undefined);
    const reasoner = createReasoner('rules', {
      openai: { baseUrl: server.baseUrl, model: 'm', timeoutMs: 600_000 },
    });
    const out = lateExplanations(reasoner);
    reasoner?.step({ snapshot: street, events: street.events.slice(-1) });
    await reasoner?.close();
    expect(out[0]?.by.backend).toBe('rules');
  });
});
