#!/usr/bin/env node
// SPDX-License-Identifier: GPL-3.0-or-later
// A webhook receiver: checks the signature, knows each event once, answers "ping" with an action. Node.js alone, no packages.
//
//     WAREST_SECRET=secret[,older secret] PORT=8080 node receiver.mjs
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const secrets = (process.env.WAREST_SECRET ?? '').split(',').map((s) => s.trim()).filter(Boolean);
const tolerance = Number(process.env.WAREST_TOLERANCE_SEC ?? 300) * 1000;
const seen = new Set(); // a real receiver keeps these where they survive a restart

function isSigned(headers, body) {
  const [algorithm, hex = ''] = (headers['x-warest-signature'] ?? '').split('=');
  const bits = /^HMAC-SHA(224|256|384|512)$/.exec(algorithm)?.[1];
  if (!bits || !/^[0-9a-f]+$/.test(hex)) return false;
  const given = Buffer.from(hex, 'hex');
  return secrets.some((secret) => {
    const ours = createHmac(`sha${bits}`, secret + (headers['x-warest-username'] ?? '')).update(body).digest();
    return ours.length === given.length && timingSafeEqual(ours, given);
  });
}

// The header's time is not signed, that in the body is.
const isFresh = (event) => process.env.WAREST_VERIFY_TS !== '1' || Math.abs(Date.now() - event.ts) <= tolerance;

function answerTo(event) {
  if (event.event === 'preflight') return { ok: true, pong: true };
  if (event.event === 'message_received' && event.data.text === 'ping')
    return { ok: true, actions: [{ type: 'text', to: '{{sender.chatId}}', text: 'pong from Node.js' }] };
  return { ok: true };
}

function handle(headers, body) {
  if (!isSigned(headers, body)) return [401, { ok: false, error: 'bad signature' }];
  const event = JSON.parse(body);
  if (!isFresh(event)) return [401, { ok: false, error: 'too old' }];
  const id = headers['x-warest-event-id'];
  const answer = answerTo(event);
  if (id && seen.has(id)) return [200, { ok: true }];
  if (id) seen.add(id);
  console.log(event.event, id ?? '');
  return [200, answer];
}

createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const [status, answer] = handle(request.headers, Buffer.concat(chunks));
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
}).listen(Number(process.env.PORT ?? 8080), process.env.HOST ?? '127.0.0.1');
