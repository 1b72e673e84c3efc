#!/usr/bin/env node
// Receives webhooks of Presage and refuses requests that are not signed with the secret, or are older than five minutes. Run:
//   export WEBHOOK_SECRET=whsec_$(openssl rand -base64 24)
//   node examples/webhook-receiver.mjs [--port 9000]
//   npx presage serve    with, in presage.yaml:
//     webhooks:
//       - { url: "http://127.0.0.1:9000/", secret: env:WEBHOOK_SECRET, types: [event.observed], allowPrivate: true }
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { port: { type: 'string', default: '9000' } } });
const secret = process.env.WEBHOOK_SECRET ?? '';
if (!secret.startsWith('whsec_')) throw new Error('WEBHOOK_SECRET is not set to whsec_ and Base64');
const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
const OLDEST_S = 300;
/** Ids of received messages: delivery is at least once. */
const seen = new Set();

function isGenuine(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers;
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < OLDEST_S)) return false;
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  return signatures.split(' ').some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  if (!isGenuine(request.headers, body)) {
    response.writeHead(401).end();
    console.log('refused');
    return;
  }
  response.writeHead(204).end();
  const message = JSON.parse(body);
  if (seen.has(message.id)) return;
  seen.add(message.id);
  console.log(message.id, message.type, JSON.stringify(message.data).slice(0, 100));
});
server.listen(Number(values.port), '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
