// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, the gateway as a whole (web server, warest.fcgi, warest-sessiond) does not do what the contract says about log-in, keys,
// limits, ownership, sessions and sending, although its parts may each be right.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { adminKey, adminPassword, startGateway } from './lib/web-gateway.js';
import { isInstalled } from './lib/web.js';
import { until } from './lib/until.js';

const contract = JSON.parse(readFileSync(new URL('../contract/routes.json', import.meta.url)));
const open = { RATE_LIMIT_MAX: '0', SPAM_COOLDOWN_MS: '0', QUOTA_MAX: '0' };
const error = (code, message, results = []) => ({ status: false, code, message, results });

// Every field that the contract names for this answer is there ("?" = may be absent).
function hasFields(answer, method, path, allow = []) {
  const route = contract.routes.find((r) => r.method === method && r.path === path);
  const success = route.success.find((s) => s.fields?.length);
  const roots = route.envelope === 'B' ? [answer.json] : answer.json.results;
  assert.ok(roots.length, `${path} has a result`);
  const walk = (value, parts, name) => {
    if (!parts.length) return;
    const [part, ...rest] = parts;
    const key = part.replace(/\[\]$/, '');
    assert.ok(key in value, `${method} ${path}: ${name}`);
    const inner = value[key];
    if (part.endsWith('[]')) {
      assert.ok(Array.isArray(inner), `${name} is an array`);
      for (const item of inner) walk(item, rest, name);
    } else if (rest.length) {
      walk(inner ?? {}, rest, name);
    }
  };
  for (const field of success.fields.filter((f) => !f.endsWith('?') && !allow.includes(f)))
    for (const root of roots) walk(root, field.split('.'), field);
}

async function addUser(gateway, username, password = `password of ${username}`) {
  await gateway.operator('ctl.user.add', { username, password });
  const made = await gateway.operator('ctl.key.create', { username, label: 'test' });
  assert.equal(made.status, 200, JSON.stringify(made));
  return made.result.key;
}

describe('keys and log-in', { skip: !isInstalled('lighttpd') && 'lighttpd is not installed' }, () => {
  let gateway, userKey;
  const login = (username, password, headers = {}) => gateway.server.request('POST', '/api/auth/login', { body: { username, password }, headers });
  const cookieOf = (answer) => answer.headers['set-cookie'][0].split(';')[0];

  before(async () => {
    gateway = await startGateway('lighttpd', open);
    userKey = await addUser(gateway, 'bob');
  });
  after(() => gateway?.stop());

  test('a key made for a user works, another does not, the stored digest neither', async () => {
    assert.equal((await gateway.api('GET', '/session/list', { key: userKey })).status, 200);
    for (const key of ['x', `${userKey}x`, userKey.toLowerCase() === userKey ? 'y' : userKey.toLowerCase()]) {
      const answer = await gateway.api('GET', '/session/list', { key });
      assert.deepEqual([answer.status, answer.text], [401, '{"error":"Invalid X-WAREST-API-KEY"}']);
    }
  });

  test('an unknown route below /api/v1 tells strangers nothing', async () => {
    assert.equal((await gateway.api('GET', '/nothing', { key: 'x' })).status, 401);
    assert.deepEqual((await gateway.api('GET', '/nothing')).json, error(2600, 'Not found', null));
  });

  test('log-in answers an additional key and sets a cookie for the documents; log-out revokes both', async () => {
    const answer = await login('bob', 'password of bob');
    assert.equal(answer.status, 200, answer.text);
    hasFields(answer, 'POST', '/api/auth/login');
    assert.deepEqual([answer.json.role, answer.json.isAdmin, answer.json.username], ['user', false, 'bob']);
    const { apiKey } = answer.json;
    assert.equal((await gateway.api('GET', '/session/list', { key: apiKey })).status, 200);
    assert.equal((await gateway.api('GET', '/session/list', { key: userKey })).status, 200, 'older keys stay valid');
    const headers = { Cookie: cookieOf(answer) };
    assert.equal((await gateway.server.request('GET', '/docs/openapi.json', { headers })).status, 200);
    assert.equal((await gateway.server.request('GET', '/api/v1/session/list', { headers })).status, 401, 'the cookie opens no API');
    assert.deepEqual((await gateway.server.request('POST', '/api/auth/logout', { headers, key: apiKey })).json, { ok: true });
    assert.equal((await gateway.api('GET', '/session/list', { key: apiKey })).status, 401);
    const stale = await gateway.server.request('GET', '/docs/openapi.json', { headers });
    assert.deepEqual([stale.status, stale.json.error], [401, 'LOGIN_REQUIRED']);
    assert.match(stale.headers['set-cookie'][0], /Max-Age=0/);
  });

  test('a key can be exchanged for the cookie', async () => {
    const answer = await gateway.server.request('POST', '/api/auth/session', { body: { apiKey: userKey } });
    assert.deepEqual(answer.json, { ok: true, username: 'bob', role: 'user', isAdmin: false });
    assert.equal((await gateway.server.request('GET', '/docs/openapi.json', { headers: { Cookie: cookieOf(answer) } })).status, 200);
    const refused = await gateway.server.request('POST', '/api/auth/session', { body: { apiKey: 'x' } });
    assert.deepEqual([refused.status, refused.text], [401, '{"error":"Invalid apiKey"}']);
  });

  test('five failures lock the pair of client and user name', async () => {
    for (let i = 0; i < 4; i++) {
      const answer = await login('carol', 'wrong');
      assert.deepEqual([answer.status, answer.text], [401, '{"error":"Invalid credentials"}']);
      assert.equal((await login('carol', '')).status, 400, 'missing fields do not count');
    }
    const locked = await login('CAROL', 'wrong');
    assert.equal(locked.status, 429);
    assert.match(locked.json.error, /^Too many attempts\. Try again in \d+s$/);
    assert.equal(String(locked.json.retryAfter), locked.headers['retry-after']);
    assert.equal((await login('carol', 'x')).status, 429);
    assert.equal((await login('bob', 'password of bob')).status, 200, 'others are not locked');
    assert.equal((await login('carol', 'x', { 'X-Forwarded-For': '9.9.9.9' })).status, 401, 'nor another client');
  });

  test('server routes are for administrators, info is reduced for others', async () => {
    for (const path of ['healthz', 'ready', 'cpu-history']) {
      const answer = await gateway.api('GET', `/server/${path}`, { key: userKey });
      assert.deepEqual([answer.status, answer.text], [403, '{"error":"Admin only"}']);
      hasFields(await gateway.api('GET', `/server/${path}`), 'GET', `/api/v1/server/${path}`);
    }
    const info = await gateway.api('GET', '/server/info', { key: userKey });
    assert.equal(info.status, 200);
    assert.deepEqual(Object.keys(info.json.results[0]).sort(),
      ['environment', 'serviceName', 'serviceVersion', 'sessions', 'timestamp', 'timezone', 'uptimeDays', 'uptimeSeconds']);
    hasFields(await gateway.api('GET', '/server/info'), 'GET', '/api/v1/server/info');
  });

  test('a restart every day: set, seen, cancelled', async () => {
    const path = '/server/restart/scheduled';
    assert.deepEqual((await gateway.api('POST', path, { body: { schedule: '0' } })).json, { status: true, code: 1005, message: 'No scheduled restart configured', results: [] });
    const set = await gateway.api('POST', path, { body: { schedule: '2:30', timezone: 'Asia/Jakarta' } });
    assert.deepEqual([set.status, set.json.code, set.json.message], [202, 1003, 'Restart scheduled daily at 02:30 (Asia/Jakarta)']);
    hasFields(set, 'POST', '/api/v1/server/restart/scheduled');
    assert.deepEqual((await gateway.api('POST', path, { body: { schedule: '1:00', timezone: 'No/Where' } })).json, error(2002, 'Invalid timezone provided'));
    assert.equal((await gateway.api('POST', path, { body: { schedule: 0 } })).json.message, 'Scheduled restart cancelled');
  });
});

describe('limits', { skip: !isInstalled('lighttpd') && 'lighttpd is not installed' }, () => {
  let gateway;

  before(async () => {
    gateway = await startGateway('lighttpd', { RATE_LIMIT_MAX: '6', RATE_LIMIT_WINDOW_MS: '3600000', QUOTA_MAX: '2', QUOTA_WINDOW_MS: '3600000', SPAM_COOLDOWN_MS: '3600000' });
  });
  after(() => gateway?.stop());

  const text = (key, body) => gateway.api('POST', '/messages/send/text', { key, body: { sessionId: 's', message: 'x', ...body } });

  test('rate limit: headers on every counted answer, refused requests count', async () => {
    const key = await addUser(gateway, 'rate');
    for (const left of [5, 4, 3, 2, 1, 0]) {
      const answer = await gateway.api('GET', '/session/list', { key });
      assert.deepEqual([answer.status, answer.headers['x-ratelimit-limit'], answer.headers['x-ratelimit-remaining']], [200, '6', String(left)]);
      assert.match(answer.headers['x-ratelimit-reset'], /^\d{10}$/);
    }
    const refused = await gateway.api('GET', '/session/list', { key });
    assert.deepEqual([refused.status, refused.text, refused.headers['x-ratelimit-remaining'], refused.headers['retry-after']],
      [429, '{"error":"Too many requests"}', '0', undefined]);
    assert.equal((await gateway.server.request('GET', '/api/v1/server/ping')).status, 200);
    assert.equal((await gateway.api('GET', '/session/list')).status, 200, 'each key has its own');
  });

  test('cooldown: raw text of "to", also after a failed request, quota behind it', async () => {
    const key = await addUser(gateway, 'cool');
    const first = await text(key, { to: '62812' });
    assert.deepEqual([first.status, first.json], [404, error(1101, 'Session not found', null)]);
    assert.deepEqual([first.headers['x-quota-limit'], first.headers['x-quota-remaining']], ['2', '1']);
    const again = await text(key, { to: '62812' });
    assert.equal(again.status, 429);
    assert.deepEqual(Object.keys(again.json), ['error', 'retryAfter']);
    assert.equal(again.json.error, 'Recipient cooldown');
    assert.equal(String(again.json.retryAfter), again.headers['retry-after']);
    assert.equal(again.headers['x-quota-limit'], undefined);
    assert.equal((await text(key, { to: '+62812' })).status, 404, 'another text is another key');
    const quota = await text(key, { to: '62813' });
    assert.deepEqual([quota.status, quota.text, quota.headers['x-quota-remaining']], [429, '{"error":"Quota exceeded"}', '0']);
  });

  test('a malformed body and an unknown key do not count', async () => {
    const key = await addUser(gateway, 'parse');
    for (let i = 0; i < 8; i++)
      assert.equal((await gateway.api('POST', '/session/s/config', { key, body: '{', headers: { 'content-type': 'application/json' } })).status, 400);
    assert.equal((await gateway.api('GET', '/session/list', { key })).headers['x-ratelimit-remaining'], '5');
  });
});

for (const kind of ['lighttpd', 'apache-proxy-fcgi', 'apache-fcgid'].filter(isInstalled)) {
  describe(`sessions and messages through ${kind}`, () => {
    let gateway, userKey;
    const ann = '15550001111', bob = '15550002222';
    const send = (body, options = {}) => gateway.api('POST', '/messages/send/text', { body: { sessionId: 'main', ...body }, ...options });
    const inbox = (phone, text) => gateway.control(`/accounts/${phone}/inbox?after=0&wait=20000&text=${encodeURIComponent(text)}`);

    before(async () => {
      gateway = await startGateway(kind, open);
      userKey = await addUser(gateway, 'bob');
      await gateway.control('/accounts', { phone: bob, name: 'Bob' });
    });
    after(async () => {
      const violations = gateway?.wasim ? await gateway.control('/violations') : [];
      await gateway?.stop();
      assert.deepEqual(violations.violations ?? violations, []);
    });

    test('create: QR, scanned, open', async () => {
      const { created } = await gateway.link('main', ann);
      assert.deepEqual([created.status, created.json.code, created.json.message], [202, 1107, 'Scan the QR to continue']);
      assert.deepEqual(Object.keys(created.json.results[0]), ['registryUser', 'sessionId', 'qrString', 'qr', 'qrDuration', 'webhookUrl', 'webhookSecret']);
      assert.match(created.json.results[0].qr, /^data:image\/png;base64,iVBOR/);
      const again = await gateway.api('GET', '/session/create?sessionId=main');
      assert.deepEqual([again.status, again.json.code, again.json.message], [200, 1104, 'Session already open']);
      hasFields(again, 'GET', '/api/v1/session/create');
      const pair = await gateway.api('GET', `/session/create/pair-code?sessionId=main&phone=${ann}`);
      assert.deepEqual(pair.json, { status: true, code: 1104, message: 'Session already open', results: [{ registryUser: 'admin', sessionId: 'main', status: 'open' }] });
    });

    test('list and devices', async () => {
      const list = await gateway.api('GET', '/session/list');
      hasFields(list, 'GET', '/api/v1/session/list', ['items[].me.name']);
      assert.deepEqual([list.json.message, list.json.results.length], ['OK', 1]);
      const [item] = list.json.results[0].items;
      assert.deepEqual(Object.keys(item), ['id', 'status', 'me', 'pushName', 'lastConn']);
      assert.deepEqual([item.id, item.status, typeof item.lastConn], ['main', 'open', 'number']);
      assert.match(item.me.id, new RegExp(`^${ann}:\\d+@s.whatsapp.net$`));
      const devices = await gateway.api('GET', '/session/devices?sessionId=main');
      hasFields(devices, 'GET', '/api/v1/session/devices');
      assert.equal(devices.json.results[0].phone, ann);
    });

    test('a pairing code links as well', async () => {
      const phone = '15550003333';
      await gateway.control('/accounts', { phone, name: 'Code' });
      const code = await until(async () => (await gateway.api('GET', `/session/create/pair-code?sessionId=code&phone=${phone}`)).json.results[0].pairCode);
      assert.match(code, /^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
      assert.equal((await gateway.control(`/accounts/${phone}/code`, { code })).linked, true);
    });

    test('an account that demands a passkey links through the passkey routes', async () => {
      const phone = '15550005555', path = '/session/pass/passkey';
      const state = async () => (await gateway.api('GET', path)).json.results[0];
      await gateway.control('/accounts', { phone, name: 'Pass', passkey: true });
      const created = await gateway.api('GET', '/session/create?sessionId=pass');
      assert.equal((await state()).status, 'none');
      const early = await gateway.api('POST', `${path}/response`, { body: { id: 'AQ', response: {} } });
      assert.deepEqual([early.status, early.json], [409, error(2003, 'No passkey request is pending')]);
      assert.equal((await gateway.control(`/accounts/${phone}/scan`, { qr: created.json.results[0].qrString })).passkey, true);
      const is = (status) => until(async () => { const now = await state(); return now.status === status && now; }, status);
      const asked = await is('awaiting_response');
      const body = await gateway.control(`/accounts/${phone}/passkey/assertion`, { challenge: asked.challenge.challenge });
      const answered = gateway.api('POST', `${path}/response`, { body });
      await gateway.control(`/events?type=passkey_prologue&phone=${phone}&wait=60000`);
      const approved = gateway.control(`/accounts/${phone}/passkey/approve`, {});
      assert.deepEqual([(await answered).status, (await answered).json.message], [200, 'Passkey response sent'], (await answered).text);
      assert.ok((await approved).code);
      const waiting = await is('awaiting_confirmation');
      assert.equal(waiting.code, (await approved).code);
      const confirmed = await gateway.api('POST', `${path}/confirm`, { body: {} });
      assert.deepEqual([confirmed.status, confirmed.json.message], [200, 'Passkey pairing confirmed'], confirmed.text);
      await until(async () => (await gateway.api('GET', '/session/list')).json.results[0].items.find((i) => i.id === 'pass').status === 'open');
    });

    test('a session belongs to its owner', async () => {
      const key = userKey;
      assert.deepEqual((await gateway.api('GET', '/session/list', { key })).json.results, [{ items: [] }]);
      for (const path of ['create', 'devices', 'logout', 'reconnect'])
        assert.deepEqual((await gateway.api('GET', `/session/${path}?sessionId=main`, { key })).json, error(2201, 'Forbidden'), path);
      assert.deepEqual((await gateway.api('DELETE', '/session/delete', { key, body: { sessionId: 'main' } })).json, error(2201, 'Forbidden'));
      assert.deepEqual((await gateway.api('GET', '/session/main/passkey', { key })).json, error(2201, 'Forbidden'));
      for (const choice of [{ sessionId: 'main' }, { sessionId: undefined, phone: ann }])
        assert.deepEqual((await send({ to: bob, message: 'x', ...choice }, { key })).json, error(1101, 'Session not found', null));
      const preflight = await gateway.server.request('POST', '/api/webhooks/preflight', { key, body: { sessionId: 'main', url: 'http://127.0.0.1:1', secret: 'secret' } });
      assert.deepEqual([preflight.status, preflight.text], [404, '{"error":"Session not found"}']);
    });

    test('send/text: the answer and what the recipient gets', async () => {
      const answer = await send({ to: bob, message: `<b>hello</b> from ${kind}` });
      assert.deepEqual([answer.status, answer.json.code, answer.json.message], [200, 1000, 'Text message sent'], answer.text);
      hasFields(answer, 'POST', '/api/v1/messages/send/text');
      const [entry] = answer.json.results;
      assert.deepEqual([entry.phone, entry.to, entry.toJid, entry.status], [ann, bob, `${bob}@s.whatsapp.net`, 'text success']);
      assert.match(entry.messageId, /^3EB0[0-9A-F]{18}$/);
      const { messages } = await inbox(bob, `*hello* from ${kind}`);
      assert.equal(messages.find((m) => m.id === entry.messageId)?.text, `*hello* from ${kind}`);
    });

    test('send/text by a link, by the own phone number, to several, to a LID', async () => {
      const linked = await gateway.api('GET', `/messages/send/text?phone=%2B${ann}&to=${bob}&message=by%20link`);
      assert.equal(linked.status, 200, linked.text);
      assert.equal((await inbox(bob, 'by link')).messages.length, 1);
      await gateway.control('/accounts', { phone: '15550004444', name: 'Dan', lid: '200000000004444' });
      const both = await send({ to: [bob, '15550004444'], message: 'to both' });
      assert.deepEqual([both.status, both.json.message, both.json.results.map((r) => r.to)], [200, 'Text message sent (2 recipients)', [bob, '15550004444']], both.text);
      const lid = await send({ to: '200000000004444@lid', message: 'by lid' });
      assert.deepEqual([lid.status, lid.json.results?.[0].toJid], [200, '200000000004444@lid'], lid.text);
      assert.equal((await inbox('15550004444', 'by lid')).messages.length, 1);
    });

    test('Idempotency-Key: the same answer again, nothing sent twice; another body is a conflict', async () => {
      const headers = { 'Idempotency-Key': 'order-1' };
      const first = await send({ to: bob, message: 'once only' }, { headers });
      const second = await send({ to: bob, message: 'once only' }, { headers });
      assert.equal(first.status, 200, first.text);
      assert.equal(second.text, first.text);
      const conflict = await send({ to: bob, message: 'something else' }, { headers });
      assert.deepEqual([conflict.status, conflict.json.code], [409, 2009]);
      await send({ to: bob, message: 'after' });
      await inbox(bob, 'after');
      assert.equal((await inbox(bob, 'once only')).messages.length, 1);
    });

    test('config and preflight', async () => {
      const receiver = http.createServer((request, response) => { request.resume(); request.on('end', () => response.end('{"ok":true}')); }).listen(0, '127.0.0.1');
      await once(receiver, 'listening');
      const url = `http://127.0.0.1:${receiver.address().port}/hook`;
      try {
        const set = await gateway.api('POST', '/session/main/config', { body: { webhookUrl: url, preflight: true } });
        assert.deepEqual([set.status, set.json.message], [200, 'Config updated'], set.text);
        const { webhookSecret } = set.json.results[0];
        assert.equal(webhookSecret.length, 32);
        const same = await gateway.api('POST', '/session/main/config', { body: {} });
        assert.deepEqual(same.json.results, [{ registryUser: 'admin', sessionId: 'main', webhookUrl: url, webhookSecret }]);
        const tried = await gateway.server.request('POST', '/api/webhooks/preflight', { key: adminKey, body: { sessionId: 'main', url: [url], secret: 'secret1' } });
        assert.equal(tried.status, 200);
        assert.deepEqual([tried.json.ok, tried.json.results[0].target, tried.json.results[0].ok, tried.json.results[0].status], [true, url, true, 200]);
        assert.equal(typeof tried.json.results[0].roundTripMs, 'number');
      } finally {
        receiver.closeAllConnections();
        receiver.close();
      }
      const failed = await gateway.api('POST', '/session/main/config', { body: { webhookUrl: 'http://127.0.0.1:1/', preflight: true } });
      assert.deepEqual([failed.status, failed.json.code, failed.json.message], [400, 2000, 'Webhook preflight failed']);
      assert.equal(failed.json.results[0].results[0].ok, false);
      for (const webhookUrl of ['ftp://x/', 'nonsense'])
        assert.deepEqual((await gateway.api('POST', '/session/main/config', { body: { webhookUrl } })).json.code, 1201);
      const cleared = await gateway.api('POST', '/session/main/config', { body: { webhookUrl: '' } });
      assert.equal(cleared.json.results[0].webhookUrl, '');
      assert.equal((await gateway.api('POST', '/session/main/config', { body: {} })).json.results[0].webhookUrl, '', 'clearing sticks');
    });

    test('the daemon restarts: 503 meanwhile, then the session opens by itself', async () => {
      await gateway.daemon.stop();
      assert.equal((await gateway.api('GET', '/session/list')).status, 503);
      await gateway.startDaemon();
      await until(async () => (await gateway.api('GET', '/session/list')).json.results[0].items.find((i) => i.id === 'main').status === 'open');
      assert.equal((await send({ to: bob, message: 'after the restart' })).status, 200);
      assert.equal((await inbox(bob, 'after the restart')).messages.length, 1);
    });

    test('reconnect, logout, delete', async () => {
      assert.deepEqual((await gateway.api('GET', '/session/reconnect?sessionId=main')).json, { status: true, code: 1109, message: 'Reconnect scheduled', results: [] });
      const out = await gateway.api('GET', '/session/logout?sessionId=main');
      assert.deepEqual(out.json, { status: true, code: 1000, message: 'Logout success', results: [{ sessionId: 'main', steps: { runtime: true, creds: true } }] });
      assert.deepEqual((await send({ to: bob, message: 'x' })).json, error(1101, 'Session not found', null));
      const item = (await gateway.api('GET', '/session/list')).json.results[0].items.find((i) => i.id === 'main');
      assert.equal(item.status, 'stopped');
      const gone = await gateway.api('DELETE', '/session/delete', { body: { sessionId: 'main' } });
      assert.deepEqual([gone.json.message, Object.keys(gone.json.results[0].steps)], ['Session deleted', ['runtime', 'creds', 'meta']]);
      assert.deepEqual((await gateway.api('GET', '/session/devices?sessionId=main')).json, error(1101, 'Session not found'));
    });
  });
}
