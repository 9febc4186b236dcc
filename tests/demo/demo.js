#!/usr/bin/env node
// SPDX-License-Identifier: GPL-3.0-or-later
// The demonstration of ./quickstart demo: a gateway, a simulated WhatsApp with two phones, a message each way, step by step.
// For show; the suites are the proof.
//
//   node demo.js --quickstart PATH --dir DIR --built DIR [--port N]
import { spawn, spawnSync } from 'node:child_process';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { createServer as createSocket } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const LIMIT_MS = 30000;
const ANN = { phone: '15550001111', name: 'Ann' };
const BOB = { phone: '15550002222', name: 'Bob' };

const { values: options } = parseArgs({
  options: { quickstart: { type: 'string' }, dir: { type: 'string' }, built: { type: 'string' }, port: { type: 'string' } },
});

let number = 0;
const step = (text) => console.log(`\n${++number}. ${text}`);
const show = (label, value) => console.log(`   ${label}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);

/** Rejects when nothing happens within the limit. */
function within(promise, what) {
  let timer;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${LIMIT_MS / 1000} s`)), LIMIT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A webhook receiver that checks every signature and lets callers wait for events. */
class Receiver {
  constructor(secret) {
    this.secret = secret;
    this.events = [];
    this.waiting = [];
    this.server = createServer((request, response) => this.receive(request, response));
  }

  listen() {
    return new Promise((resolve) => {
      this.server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${this.server.address().port}/hook`));
    });
  }

  receive(request, response) {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      const key = this.secret + (request.headers['x-warest-username'] ?? '');
      const expected = Buffer.from(`HMAC-SHA256=${createHmac('sha256', key).update(body).digest('hex')}`);
      const given = Buffer.from(request.headers['x-warest-signature'] ?? '');
      const signed = expected.length === given.length && timingSafeEqual(expected, given);
      response.writeHead(signed ? 200 : 401, { 'Content-Type': 'application/json' }).end(JSON.stringify({ ok: signed }));
      if (signed) this.add({ event: request.headers['x-warest-event'], id: request.headers['x-warest-event-id'], body: JSON.parse(body) });
    });
  }

  add(event) {
    this.events.push(event);
    for (const waiter of [...this.waiting]) waiter(event);
  }

  /** The first event, past or future, that the test accepts. */
  wait(accepts, what) {
    const past = this.events.find(accepts);
    if (past) return Promise.resolve(past);
    return within(new Promise((resolve) => {
      const waiter = (event) => {
        if (!accepts(event)) return;
        this.waiting.splice(this.waiting.indexOf(waiter), 1);
        resolve(event);
      };
      this.waiting.push(waiter);
    }), what);
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createSocket();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** One request on a connection of its own. */
function json(url, { method = 'GET', headers = {}, body } = {}) {
  return within(new Promise((resolve, reject) => {
    const all = { ...headers, ...(body ? { 'Content-Type': 'application/json' } : {}) };
    const sent = request(url, { agent: false, method, headers: all }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString();
        try {
          resolve({ status: answer.statusCode, body: JSON.parse(text) });
        } catch {
          reject(new Error(`${method} ${url}: ${answer.statusCode} ${text.slice(0, 200)}`));
        }
      });
    });
    sent.on('error', reject);
    sent.end(body ? JSON.stringify(body) : undefined);
  }), `${method} ${url}`);
}

async function startSimulator() {
  const child = spawn(process.execPath, [join(here, '..', 'wasim', 'wasim.js'), '--stdin-close'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const started = new Promise((resolve, reject) => {
    lines.once('line', (line) => resolve(JSON.parse(line)));
    child.once('exit', (code) => reject(new Error(`the simulator ended (${code})`)));
  });
  return { child, ...(await within(started, 'the simulator')) };
}

function quickstart(...args) {
  const result = spawnSync(options.quickstart, [...args, '--dir', options.dir], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: 4 * LIMIT_MS });
  if (result.status !== 0) throw new Error(`quickstart ${args[0]} failed (${result.status})`);
  return result.stdout;
}

async function startGateway(simulator, hookUrl, secret) {
  const envFile = join(options.dir, 'demo.env');
  mkdirSync(options.dir, { recursive: true });
  writeFileSync(envFile, [
    `WAREST_WA_URL=${simulator.ws_url}`,
    `WAREST_WA_ROOT_KEY=${simulator.root_key}`,
    `WEBHOOK_DEFAULT_URL=${hookUrl}`,
    `WEBHOOK_DEFAULT_SECRET=${secret}`,
    'WAREST_WA_VERSION_REFRESH=false',
    '',
  ].join('\n'), { mode: 0o600 });
  const port = options.port ?? String(await freePort());
  return JSON.parse(quickstart('start', '--json', '--no-install', '--built', options.built, '--port', port, '--env', envFile));
}

async function run(cleanup) {
  step('A simulated WhatsApp starts, with two phones: Ann (ours) and Bob');
  const simulator = await startSimulator();
  cleanup.push(() => simulator.child.kill());
  const control = (path, body) => json(simulator.control_url + path, body ? { method: 'POST', body } : {});
  show('simulator', simulator.ws_url);
  await control('/accounts', ANN);
  await control('/accounts', BOB);

  step('A webhook receiver and the gateway start (lighttpd, warest.fcgi, warest-sessiond, SQLite)');
  const receiver = new Receiver(randomBytes(16).toString('hex'));
  cleanup.push(() => receiver.close());
  const gateway = await startGateway(simulator, await receiver.listen(), receiver.secret);
  cleanup.push(() => quickstart('stop'));
  const api = (path, request = {}) => json(`${gateway.base_url}/api/v1${path}`, { ...request, headers: { 'X-WAREST-API-KEY': gateway.api_key } });
  show('base_url', gateway.base_url);

  step('GET /api/v1/session/create?sessionId=demo asks for a QR code');
  const created = await api('/session/create?sessionId=demo');
  const qr = created.body.results?.[0]?.qrString;
  show('answer', `${created.status} ${created.body.code} ${created.body.message}`);
  if (!qr) throw new Error(`no QR code: ${JSON.stringify(created.body)}`);
  show('qrString', `${qr.slice(0, 60)}...`);

  step("Ann's phone scans it");
  const scanned = await control(`/accounts/${ANN.phone}/scan`, { qr });
  if (!scanned.body.linked) throw new Error(`not linked: ${JSON.stringify(scanned.body)}`);
  show('linked as', scanned.body.jid);
  const opened = await receiver.wait((e) => e.event === 'session_status' && e.body.data?.status === 'open', 'the session_status webhook');
  show('webhook', `session_status ${opened.body.data.status}, signature right`);

  step('POST /api/v1/messages/send/text sends a message to Bob');
  const text = 'Hello Bob, this is the gateway speaking';
  const sent = await api('/messages/send/text', { method: 'POST', body: { sessionId: 'demo', to: BOB.phone, message: text } });
  show('answer', `${sent.status} ${JSON.stringify(sent.body)}`);
  if (sent.status !== 200) throw new Error('the message was not sent');
  const inbox = await control(`/accounts/${BOB.phone}/inbox?after=0&wait=${LIMIT_MS}&text=${encodeURIComponent(text)}`);
  const arrived = (inbox.body.messages ?? inbox.body).find((message) => message.text === text);
  if (!arrived) throw new Error("Bob's phone did not get it");
  show("Bob's phone shows", `"${arrived.text}" from ${arrived.from}`);

  step('Bob answers');
  const answer = 'Hello gateway, loud and clear';
  await control(`/accounts/${BOB.phone}/send`, { to: ANN.phone, text: answer });
  const received = await receiver.wait((e) => e.event === 'message_received' && JSON.stringify(e.body).includes(answer), 'the message_received webhook');
  show('webhook', `message_received ${received.id}, signature right`);
  show('text', `"${received.body.data?.text ?? received.body.data?.message?.text ?? answer}"`);

  const violations = await control('/violations');
  const list = violations.body.violations ?? violations.body;
  if (list.length > 0) throw new Error(`the simulator objects: ${JSON.stringify(list)}`);
}

const cleanup = [];
let code = 0;
try {
  await run(cleanup);
  step('Everything is stopped');
} catch (error) {
  console.error(`\nThe demonstration failed: ${error.message}\nLogs: ${join(options.dir, 'log')}`);
  code = 1;
}
for (const undo of cleanup.reverse()) undo();
if (code === 0) {
  rmSync(options.dir, { recursive: true, force: true });
  console.log('\nA linked phone, a message each way. Now with your own number: ./quickstart, then see README.md.');
}
process.exitCode = code;
