// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, strangers get in or owners do not, limits are not kept, or operators cannot do their work from the shell.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DaemonBench, ADMIN_KEY, program } from './lib/daemon.js';

const bench = new DaemonBench(15554000000, { env: { RATE_LIMIT_MAX: '3', RATE_LIMIT_WINDOW_MS: '600000', QUOTA_MAX: '2', QUOTA_WINDOW_MS: '600000', SPAM_COOLDOWN_MS: '60000' } });

// seen: called with what the program has written so far.
async function ctl(...args) {
  const { input = '', seen } = typeof args.at(-1) === 'object' ? args.pop() : {};
  const child = spawn(program('warestctl'), args, { env: bench.daemon.env, stdio: ['pipe', 'pipe', 'pipe'] });
  const out = [], err = [];
  child.stdout.on('data', (chunk) => { out.push(chunk); seen?.(Buffer.concat(out).toString()); });
  child.stderr.on('data', (chunk) => err.push(chunk));
  // it may have ended without reading
  child.stdin.on('error', (error) => assert.equal(error.code, 'EPIPE'));
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

async function newKey(name) {
  await bench.rpc.call('ctl.user.add', { p: { username: name, password: 'long enough' } });
  return (await bench.rpc.call('ctl.key.create', { p: { username: name } })).result.key;
}

test('keys: missing, wrong, not an administrator', async () => {
  const key = await newKey('dora');
  const cases = [
    [{ auth: 'key', key: '' }, 401, 'Missing X-WAREST-API-KEY'],
    [{ auth: 'key', key: 'nobody' }, 401, 'Invalid X-WAREST-API-KEY'],
    [{ auth: 'admin', key }, 403, 'Admin only'],
  ];
  for (const [options, status, error] of cases) {
    const answer = await bench.rpc.call('session.list', options);
    assert.deepEqual([answer.status, answer.bare], [status, { error }]);
  }
  assert.equal((await bench.rpc.call('session.list', { key })).status, 200);
  const { result } = await bench.rpc.call('ctl.key.list', { p: { username: 'dora' } });
  await bench.rpc.call('ctl.key.revoke', { p: { number: result[0].number } });
  assert.equal((await bench.rpc.call('session.list', { key })).status, 401);
});

test('server/info of a user key is the reduced one', async () => {
  const key = await newKey('eric');
  const { result } = await bench.rpc.call('server.info', { key });
  assert.deepEqual(Object.keys(result), ['serviceName', 'serviceVersion', 'environment', 'uptimeSeconds', 'uptimeDays', 'timezone', 'sessions', 'timestamp']);
  const full = await bench.call('server.info', { auth: 'admin' });
  for (const name of ['system', 'cpu', 'memory', 'process', 'disk', 'loadAverage', 'temperature', 'runtime', 'ioStats', 'sessions'])
    assert.ok(name in full.result, name);
  assert.equal(full.result.pipeline.decryptedNotEmitted, 0);
});

test('rate limit, cooldown and quota come in this order, with their headers', async () => {
  const key = await newKey('fred');
  const guards = { rate: true, cooldown: '0812', quota: true };
  const first = await bench.rpc.call('guards.check', { key, guards });
  assert.deepEqual(Object.keys(first.headers).sort(), ['X-Quota-Limit', 'X-Quota-Remaining', 'X-Quota-Reset', 'X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset']);
  assert.deepEqual([first.headers['X-RateLimit-Remaining'], first.headers['X-Quota-Remaining']], ['2', '1']);
  const cool = await bench.rpc.call('guards.check', { key, guards });
  assert.deepEqual([cool.status, cool.bare.error, typeof cool.bare.retryAfter], [429, 'Recipient cooldown', 'number']);
  assert.equal(cool.headers['Retry-After'], String(cool.bare.retryAfter));
  assert.equal('X-Quota-Limit' in cool.headers, false);
  await bench.rpc.call('guards.check', { key, guards: { quota: true } });
  const quota = await bench.rpc.call('guards.check', { key, guards: { quota: true } });
  assert.deepEqual([quota.status, quota.bare], [429, { error: 'Quota exceeded' }]);
  await bench.rpc.call('guards.check', { key, guards: { rate: true } });
  const rate = await bench.rpc.call('guards.check', { key, guards: { rate: true } });
  assert.deepEqual([rate.status, rate.bare, rate.headers['X-RateLimit-Remaining']], [429, { error: 'Too many requests' }, '0']);

  // Over a restart the windows go on: they end when they would have. The header has seconds: a window that began anew ends later.
  const began = Date.now(), ends = [rate.headers['X-RateLimit-Reset'], first.headers['X-Quota-Reset']];
  await new Promise((done) => setTimeout(done, 1500));
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    await bench.restart(signal);
    let now;
    // What comes before the counters are read is added to them.
    do now = await bench.rpc.call('guards.check', { key, guards: { rate: true, quota: true } });
    while (now.status === 200 && Date.now() - began < 120000);
    assert.deepEqual([signal, now.status, now.bare, now.headers['X-RateLimit-Reset']], [signal, 429, { error: 'Too many requests' }, ends[0]]);
    const spent = await bench.rpc.call('guards.check', { key, guards: { quota: true } });
    assert.deepEqual([spent.status, spent.bare, spent.headers['X-Quota-Reset']], [429, { error: 'Quota exceeded' }, ends[1]]);
  }
});

test('login gives another key, logout ends it, the fixed one stays', async () => {
  const login = (password, ip = '192.0.2.1') => bench.rpc.call('auth.login', { ip, p: { username: 'admin', password } });
  const good = await login('a long password');
  assert.deepEqual(Object.keys(good.bare), ['apiKey', 'role', 'isAdmin', 'username', 'registry']);
  assert.notEqual(good.bare.apiKey, ADMIN_KEY);
  assert.equal((await bench.rpc.call('session.list', { key: good.bare.apiKey })).status, 200);
  assert.equal((await bench.rpc.send({ m: 'docs.guard', auth: 'docs', key: good.cookie, cookie: true })).status, 200);
  assert.equal((await bench.rpc.call('session.list', { key: good.cookie })).status, 401);
  const session = await bench.rpc.call('auth.session', { p: { apiKey: good.bare.apiKey } });
  assert.deepEqual(session.bare, { ok: true, username: 'admin', role: 'admin', isAdmin: true });
  const reads = async (cookie) => (await bench.rpc.send({ m: 'docs.guard', auth: 'docs', key: cookie, cookie: true })).status;
  assert.equal(await reads(session.cookie), 200);
  assert.equal((await bench.rpc.call('auth.session', { p: { apiKey: 'x' } })).status, 401);
  const out = await bench.rpc.call('auth.logout', { p: { apiKey: good.bare.apiKey } });
  assert.deepEqual([out.bare, out.cookie], [{ ok: true }, '']);
  assert.equal((await bench.rpc.call('session.list', { key: good.bare.apiKey })).status, 401);
  // No cookie outlives the key that it was given for.
  assert.deepEqual([await reads(good.cookie), await reads(session.cookie)], [401, 401]);
  assert.equal((await bench.call('session.list')).status, 200);
  for (let i = 1; i <= 4; i++) assert.deepEqual((await login('wrong', '192.0.2.2')).bare, { error: 'Invalid credentials' });
  const locked = await login('wrong', '192.0.2.2');
  assert.deepEqual([locked.status, locked.bare.error, locked.headers['Retry-After']], [429, 'Too many attempts. Try again in 120s', '120']);
  assert.equal((await login('a long password', '192.0.2.2')).status, 429);
  assert.equal((await login('a long password', '192.0.2.3')).status, 200);
});

test('webhook settings: a secret is made once, clearing stays, bad ones are refused', async () => {
  await bench.create('config');
  const set = (p) => bench.call('session.config', { session: 'config', p });
  const first = await set({ webhookUrl: ` ${bench.hook.url} ` });
  assert.deepEqual([first.status, first.message, first.result.webhookUrl], [200, 'Config updated', bench.hook.url]);
  assert.match(first.result.webhookSecret, /^[A-Za-z0-9]{32}$/);
  const again = await set({ webhookUrl: `${bench.hook.url}2` });
  assert.equal(again.result.webhookSecret, first.result.webhookSecret);
  assert.deepEqual((await set({})).result, again.result);
  assert.deepEqual([(await set({ webhookSecret: 'short' })).code, (await set({ webhookUrl: 'ftp://x' })).code], [2002, 1201]);
  const refused = await set({ webhookUrl: 'http://169.254.1.1/x' });
  assert.deepEqual([refused.status, refused.code], [400, 1201]);
  assert.match(refused.message, /WAREST_OUTBOUND_ALLOW/);
  bench.hook.answer = ({ event }) => (event === 'preflight' ? 500 : 200);
  const failed = await set({ webhookUrl: bench.hook.url, preflight: true });
  assert.deepEqual([failed.status, failed.code, failed.message, failed.result.results[0].status], [400, 2000, 'Webhook preflight failed', 500]);
  bench.hook.answer = () => 200;
  const tried = await bench.call('webhooks.preflight', { session: 'config', family: 'preflight', p: { url: [bench.hook.url], secret: 'long enough' } });
  assert.deepEqual([tried.bare.ok, tried.bare.results[0].ok], [true, true]);
  const unknown = await bench.call('webhooks.preflight', { session: 'nobody', family: 'preflight', p: { url: [bench.hook.url], secret: 'long enough' } });
  assert.deepEqual([unknown.status, unknown.bare], [404, { error: 'Session not found' }]);
  await set({ webhookUrl: '' });
  await bench.restart();
  assert.equal((await set({})).result.webhookUrl, '');
});

test('session ids of other forms are refused', async () => {
  for (const id of ['', '.', '..', 'a/b', 'ä', 'x'.repeat(65)]) {
    const answer = await bench.create(id);
    assert.deepEqual([answer.status, answer.code, answer.message], [400, 1100, 'sessionId is required'], id);
  }
});

test('warestctl: sessions, keys, users, sending, states, migrations', async () => {
  const account = await bench.account({ name: 'Gus' });
  const peer = await bench.account({ name: 'Hal' });
  let made;
  await new Promise((drawn) => { made = ctl('session', 'create', 'shell', { seen: (text) => /█▀|▄█/.test(text) && drawn() }); });
  const { qrString } = await bench.until('shell', 'qr');
  await bench.control('POST', `/accounts/${account.phone}/scan`, { qr: qrString });
  const created = await made;
  assert.equal(created.code, 0);
  assert.match(created.out, /shell is linked to/);
  const list = JSON.parse((await ctl('--json', 'session', 'list')).out);
  assert.equal(list.result.find(({ id }) => id === 'shell').status, 'open');
  assert.match((await ctl('session', 'list')).out, /shell +open/);
  const sent = await ctl('send', 'shell', peer.phone, 'from the shell');
  assert.match(sent.out, /acked +true/);
  assert.equal((await bench.inbox(peer.phone, 'from the shell')).length, 1);
  assert.equal((await ctl('user', 'add', 'ivy', { input: 'a password\n' })).code, 0);
  const key = JSON.parse((await ctl('--json', 'key', 'create', 'ivy', 'till')).out).result;
  assert.match((await ctl('key', 'list', 'ivy')).out, /api .*till/);
  assert.equal((await ctl('key', 'revoke', String(key.number))).code, 0);
  assert.equal((await ctl('key', 'revoke', String(key.number))).code, 1);
  const limited = JSON.parse((await ctl('--json', 'key', 'create', 'ivy', 'shop', '--scopes', 'read,send', '--sessions', 'a,b', '--networks', '10.0.0.0/8', '--expires', '30d')).out).result;
  assert.deepEqual([limited.scopes, limited.sessions, limited.networks], [['read', 'send'], ['a', 'b'], ['10.0.0.0/8']]);
  assert.ok(Math.abs(Date.parse(limited.expiresAt) - Date.now() - 30 * 86400_000) < 600_000);
  assert.match((await ctl('key', 'create', 'ivy', '--scopes', 'write')).err, /"write"/);
  assert.equal((await ctl('key', 'create', 'ivy', '--expires', 'soon')).code, 64);
  assert.match((await ctl('key', 'list', 'ivy')).out, /read send +shop/);
  assert.match((await ctl('key', 'rotate', String(limited.number), '--grace', '60')).out, /key +user_/);
  assert.equal((await ctl('user', 'role', 'ivy', 'admin')).code, 0);
  assert.equal((await ctl('user', 'disable', 'ivy')).code, 0);
  assert.match((await ctl('user', 'list')).out, /ivy +admin +true/);
  assert.equal((await ctl('user', 'enable', 'ivy')).code, 0);
  assert.equal((await ctl('user', 'password', 'ivy', { input: 'another password\n' })).code, 0);
  assert.match((await ctl('audit', 'key.rotate')).out, /warestctl .*key\.rotate +done +\d+ of ivy/);
  assert.equal((await ctl('user', 'add', 'joe', { input: 'a password\n' })).code, 0);
  assert.equal((await ctl('user', 'delete', 'joe')).code, 0);
  assert.match((await ctl('status')).out, /decryptedNotEmitted +0/);
  assert.match((await ctl('webhook', 'list')).out, /shell +webhook +active/);
  assert.match((await ctl('webhook', 'replay', 'shell', '1', '2')).out, /queued +2/);
  const refused = await ctl('session', 'logout', 'nobody');
  assert.deepEqual([refused.code, /not found/.test(refused.err)], [1, true]);
  assert.equal((await ctl('session', 'logout', 'shell')).code, 0);
  assert.equal((await ctl('session', 'delete', 'shell')).code, 0);
  assert.equal((await ctl('nonsense')).code, 64);
  bench.rpc.close();
  await bench.daemon.stop();
  assert.equal((await ctl('status')).code, 69);
  assert.match((await ctl('db', 'status')).out, /0001/);
  assert.equal((await ctl('db', 'migrate')).code, 0);
  await bench.daemon.start();
  await bench.reconnectRpc();
});

test('a stop while passwords are being checked ends in order', async () => {
  const lost = Promise.allSettled(Array.from({ length: 12 }, () => bench.rpc.call('auth.login', { p: { username: 'ivy', password: 'a password' } })));
  await bench.call('session.list');
  bench.rpc.close();
  assert.deepEqual(await bench.daemon.stop(), { code: 0, signal: null });
  await lost;
  await bench.daemon.start();
  await bench.reconnectRpc();
});
