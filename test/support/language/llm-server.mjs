/* global AbortController */
/**
 * A small OpenAI-compatible server around a GGUF model: `node llm-server.mjs GGUF RUNNER`, where RUNNER is a folder with
 * node-llama-cpp in its node_modules. Prints `listening PORT` when it answers. Serves POST /v1/chat/completions with
 * `response_format` json_schema, text only, one request at a time. Ends with its standard input.
 */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const CONTEXT_SIZE = 2048;
const [gguf, runner] = process.argv.slice(2);
const { getLlama, LlamaChatSession } = await import(
  pathToFileURL(join(runner, 'node_modules/node-llama-cpp/dist/index.js')).href
);

const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: 'error' });
const model = await llama.loadModel({ modelPath: gguf });
// One thread: several spin while they wait for each other and come to a standstill on cores that others use.
const context = await model.createContext({ contextSize: CONTEXT_SIZE, sequences: 1, threads: 1 });
const sequence = context.getSequence();

let queue = Promise.resolve();
const server = createServer((request, response) => {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  queue = queue.then(() => handle(request, response, gone.signal)).catch(() => undefined);
});

async function handle(request, response, signal) {
  const reply = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
    return reply(404, { error: { message: 'not found' } });
  }
  try {
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = JSON.parse(text);
    const content = await complete(body, signal);
    reply(200, {
      model: body.model,
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    });
  } catch (error) {
    if (!signal.aborted) reply(400, { error: { message: String(error.message ?? error) } });
  }
}

async function complete({ messages, max_tokens, temperature, response_format }, signal) {
  const schema = response_format?.json_schema?.schema;
  const grammar = schema && (await llama.createGrammarForJsonSchema(schema));
  const history = messages
    .slice(0, -1)
    .map(({ role, content }) =>
      role === 'assistant' ? { type: 'model', response: [content] } : { type: role, text: content },
    );
  await sequence.clearHistory();
  const session = new LlamaChatSession({ contextSequence: sequence });
  session.setChatHistory(history);
  try {
    return await session.prompt(messages.at(-1).content, {
      grammar,
      maxTokens: max_tokens,
      temperature: temperature ?? 0,
      signal,
      stopOnAbortSignal: true,
    });
  } finally {
    session.dispose({ disposeSequence: false });
  }
}

server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
process.stdin.resume().on('end', () => process.exit(0));
