// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, somebody who starts from one of the receivers in examples/ gets a receiver that does not understand the gateway.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DaemonBench } from '../e2e/lib/daemon.js';

const bench = new DaemonBench(15553000000, { env: { RATE_LIMIT_MAX: '0', SPAM_COOLDOWN_MS: '0', WAREST_WEBHOOK_ACTIONS_DELAY_MS: '0' } });
const folder = new URL('../../examples/', import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), 'warest-examples-'));
const running = [];
after(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});

const languages = [
  { name: 'Node.js', probe: ['node', '--version'], start: () => ['node', 'receiver.mjs'] },
  { name: 'Python', probe: ['python3', '--version'], start: () => ['python3', 'receiver.py'] },
  { name: 'PHP', probe: ['php', '--version'], start: (port) => ['php', '-S', `127.0.0.1:${port}`, 'receiver.php'] },
  { name: 'Go', probe: ['go', 'version'], start: async () => {
    const program = join(scratch, 'receiver-go');
    await promisify(execFile)('go', ['build', '-o', program, 'receiver.go'], { cwd: folder, env: { ...process.env, GOCACHE: join(scratch, 'go'), GOFLAGS: '-mod=mod', GO111MODULE: 'off' } });
    return [program];
  } },
  { name: 'Ruby', probe: ['ruby', '-e', 'require "webrick"'], start: () => ['ruby', 'receiver.rb'] },
];

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const post = (url, headers, body) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });

async function started({ start }, secret) {
  const port = await freePort();
  const [program, ...args] = await start(port);
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PORT: String(port), WAREST_SECRET: `an older secret,${secret}`, WAREST_VERIFY_TS: '1', WAREST_SEEN_DIR: join(scratch, String(port)) } });
  let said = '';
  running.push(child);
  child.stderr.on('data', (chunk) => { said += chunk; });
  const url = `http://127.0.0.1:${port}/`;
  for (;;) {
    assert.equal(child.exitCode, null, said);
    const answer = await post(url, {}, '{}').catch(() => null);
    if (answer) return { url, unsigned: answer };
    await new Promise((again) => setTimeout(again, 50));
  }
}

// A quick start from the shell: a missing language is only forgiven where nobody promised it (tests/run-all sets the variable).
function lacks([program, ...args]) {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return false;
  } catch {
    return process.env.WAREST_TEST_ALL_LANGUAGES ? false : `${program} is not installed`;
  }
}

for (const [n, language] of languages.entries())
  test(`${language.name}: preflight, signature, an action that arrives, each event once`, { skip: lacks(language.probe) }, async () => {
    const id = `example${n}`, secret = `the secret of ${language.name}`;
    const { url, unsigned } = await started(language, secret);
    assert.deepEqual([unsigned.status, (await unsigned.json()).ok], [401, false]);
    const { phone } = await bench.linked(id);
    const { phone: peer } = await bench.account({ name: 'Pia' });
    const set = await bench.call('session.config', { session: id, p: { webhookUrl: url, webhookSecret: secret, preflight: true } });
    assert.equal(set.status, 200, JSON.stringify(set));
    await bench.phoneSends(peer, phone, 'ping');
    assert.equal((await bench.inbox(peer, `pong from ${language.name}`)).length, 1);
    await knowsForgeries(url, secret);
    await knowsRepetitions(url, secret, peer);
  });

const signed = (algorithm, key, body) => `HMAC-SHA${algorithm}=${createHmac(`sha${algorithm}`, key).update(body).digest('hex')}`;
const event = (data, ts = Date.now()) => JSON.stringify({ event: 'message_received', data, ts, session: { id: 'x' } });

async function knowsForgeries(url, secret) {
  const now = event({ text: 'ping' }), old = event({ text: 'ping' }, Date.now() - 3600000);
  const cases = [
    [signed(256, `${secret}ann`, now), now, 200], [signed(224, `${secret}ann`, now), now, 200], [signed(384, `${secret}ann`, now), now, 200],
    [signed(512, `${secret}ann`, now), now, 200], [signed(256, 'an older secretann', now), now, 200],
    [signed(256, `${secret}bob`, now), now, 401], [signed(256, `${secret}ann`, now), `${now} `, 401], [signed(256, `${secret}ann`, old), old, 401],
    [signed(256, `${secret}ann`, now).replace('256', '1'), now, 401], [`HMAC-SHA256=${'0'.repeat(63)}`, now, 401], ['', now, 401],
  ];
  for (const [signature, body, status] of cases)
    assert.equal((await post(url, { 'x-warest-signature': signature, 'x-warest-username': 'ann' }, body)).status, status, `${signature} ${body}`);
}

async function knowsRepetitions(url, secret, peer) {
  const body = event({ text: 'ping', sender: { chatId: peer } });
  const headers = { 'x-warest-signature': signed(256, secret, body), 'x-warest-event-id': '01JEXAMPLE' };
  const first = await (await post(url, headers, body)).json(), second = await (await post(url, headers, body)).json();
  assert.deepEqual([first.ok, first.actions?.length, second.ok, second.actions], [true, 1, true, undefined]);
}
