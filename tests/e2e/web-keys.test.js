// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, an API key does more than it was made for, a revoked one still works somewhere, users can be taken over, or the audit
// log lacks what was done.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { adminKey, adminPassword, startGateway } from './lib/web-gateway.js';
import { isInstalled } from './lib/web.js';

const open = { RATE_LIMIT_MAX: '0', SPAM_COOLDOWN_MS: '0', QUOTA_MAX: '0', WAREST_TRUSTED_PROXIES: 'loopback' };
const bob = '15550002222';

describe('keys, users, audit log', { skip: !isInstalled('lighttpd') && 'lighttpd is not installed' }, () => {
  let gateway;
  const result = (answer, status = 200) => {
    assert.equal(answer.status, status, answer.text);
    return answer.json.results[0];
  };
  const make = async (body, options) => result(await gateway.api('POST', '/keys', { body, ...options }));
  const refusal = (answer) => [answer.status, answer.json.code, answer.json.message ?? answer.json.error];
  const audit = async (query) => result(await gateway.api('GET', `/audit?${query}`)).items;
  const ids = async (key = adminKey) => result(await gateway.api('GET', '/session/list', { key })).items.map((i) => i.id).sort();

  before(async () => {
    gateway = await startGateway('lighttpd', open);
    await gateway.link('shop', '15550001111');
    await gateway.control('/accounts', { phone: bob, name: 'Bob' });
    await gateway.api('GET', '/session/create?sessionId=other');
  });
  after(() => gateway?.stop());

  test('a key does what its scopes say, in every envelope, and tells which it lacks', async () => {
    const reader = await make({ name: 'reader', scopes: ['read'] });
    const sender = await make({ name: 'sender', scopes: ['send', 'read'] });
    assert.match(reader.key, /^admin_[0-9A-Z]{26}_[0-9a-f]{12}$/);
    assert.deepEqual([reader.name, reader.scopes, reader.sessions, reader.networks, reader.expiresAt, reader.createdBy, reader.lastUsedAt],
      ['reader', ['read'], null, null, null, 'admin', null]);
    assert.equal((await gateway.api('GET', '/session/list', { key: reader.key })).status, 200);
    const send = (key) => gateway.api('POST', '/messages/send/text', { key, body: { sessionId: 'shop', to: bob, message: 'hello' } });
    const text = (scope) => `Scope does not allow this operation (it needs ${scope})`;
    const refused = await send(reader.key);
    assert.deepEqual([refused.status, refused.json], [403, { status: false, code: 2205, message: text('send'), results: null }]);
    assert.equal((await send(sender.key)).status, 200);
    assert.deepEqual(refusal(await gateway.api('GET', '/session/reconnect?sessionId=shop', { key: sender.key })), [403, 2205, text('manage')]);
    assert.deepEqual(refusal(await gateway.api('GET', '/labels?sessionId=shop', { key: (await make({ scopes: ['send'] })).key })), [403, 2205, text('read')]);
    const bare = await gateway.server.request('POST', '/api/webhooks/preflight', { key: reader.key, body: { sessionId: 'shop', url: 'http://127.0.0.1:9/' } });
    assert.deepEqual([bare.status, bare.json], [403, { error: text('manage') }]);
    // An administrator's key without that scope is no administrator's.
    for (const path of ['/server/healthz', '/users', '/audit'])
      assert.deepEqual(refusal(await gateway.api('GET', path, { key: sender.key })), [403, undefined, 'Admin only']);
    assert.ok(!('ioStats' in result(await gateway.api('GET', '/server/info', { key: sender.key }))));
    assert.equal((await gateway.server.request('GET', '/docs/openapi.json', { headers: { 'X-WAREST-API-KEY': reader.key } })).status, 200);
    // What our own validation refuses is told only to whoever may use the route.
    assert.equal((await gateway.api('POST', '/messages/send/text', { key: reader.key, body: {} })).status, 403);
  });

  test('a key is good for its sessions only, wherever one is chosen or listed', async () => {
    const one = await make({ sessions: ['other', 'third'], scopes: ['read', 'send', 'manage'] });
    assert.deepEqual(await ids(), ['other', 'shop']);
    assert.deepEqual(await ids(one.key), ['other']);
    assert.equal(result(await gateway.api('GET', '/server/info', { key: one.key })).sessions.total, 1);
    const by = (path, options) => gateway.api('GET', path, { key: one.key, ...options });
    assert.equal((await by('/session/devices?sessionId=shop')).status, 403);
    assert.equal((await by('/session/devices?sessionId=other')).status, 200);
    assert.equal((await by('/messages/send/text?sessionId=shop&to=1&message=x')).status, 404);
    // ... by its phone number, and where the daemon chooses the first open one
    assert.equal((await by('/chats/list?phone=15550001111')).status, 404);
    assert.equal((await gateway.api('POST', '/misc/whatsapp/validate/phone', { key: one.key, body: { phone: bob } })).status, 404);
    assert.equal((await gateway.api('POST', '/misc/whatsapp/validate/phone', { body: { phone: bob } })).status, 200);
    // It may make those that it names, no others.
    assert.equal((await by('/session/create?sessionId=fourth')).status, 403);
    assert.ok((await by('/session/create?sessionId=third')).status < 300);
    assert.deepEqual(await ids(one.key), ['other', 'third']);
    assert.equal((await gateway.api('DELETE', '/session/delete', { key: one.key, body: { sessionId: 'third' } })).status, 200);
  });

  test('a key works from its networks only, as seen behind the trusted proxy', async () => {
    const near = await make({ networks: ['192.0.2.0/24', '2001:db8::/32'] });
    const from = (address, key = near.key) => gateway.api('GET', '/session/list', { key, headers: { 'X-Forwarded-For': address } });
    for (const address of ['192.0.2.1', '192.0.2.255:4711', '2001:db8:7::1', '::ffff:192.0.2.9', '10.0.0.1, 192.0.2.77'])
      assert.equal((await from(address)).status, 200, address);
    for (const address of ['192.0.3.1', '2001:db9::1', '192.0.2.77, 10.0.0.1', 'unknown', '192.0.2.1x'])
      assert.deepEqual(refusal(await from(address)), [403, 2201, 'This key may not be used from this address'], address);
    assert.equal((await gateway.api('GET', '/session/list', { key: near.key })).status, 403, 'the tests themselves are elsewhere');
    // The documents and their cookie are no way around it.
    const cookie = await gateway.server.request('POST', '/api/auth/session', { body: { apiKey: near.key } });
    assert.deepEqual([cookie.status, cookie.json], [401, { error: 'Invalid apiKey' }]);
  });

  test('a change, a rotation, an expiry and a revocation hold from the next request on', async () => {
    const key = await make({ name: 'short', expiresAt: Date.now() + 3600_000 });
    const status = async (k) => (await gateway.api('GET', '/session/list', { key: k })).status;
    const change = (body) => gateway.api('POST', `/keys/${key.id}`, { body });
    assert.equal(await status(key.key), 200);
    assert.deepEqual(result(await change({ scopes: ['send'] })).scopes, ['send']);
    assert.equal(await status(key.key), 403);
    assert.deepEqual(result(await change({ scopes: null, name: 'longer' })).scopes, ['read', 'send', 'manage', 'admin']);
    assert.equal(await status(key.key), 200);

    const second = result(await gateway.api('POST', `/keys/${key.id}/rotate`, { body: { graceSeconds: 600 } }));
    assert.deepEqual([second.id, second.name], [key.id, 'longer']);
    assert.ok(Date.parse(second.previousValidUntil) > Date.now());
    assert.deepEqual([await status(key.key), await status(second.key)], [200, 200], 'both are good for a while');
    assert.equal(result(await gateway.api('GET', '/keys/current', { key: key.key })).id, key.id);
    const third = result(await gateway.api('POST', `/keys/${key.id}/rotate`));
    assert.deepEqual([await status(key.key), await status(second.key), await status(third.key)], [401, 401, 200]);

    const until = Date.now() + 1500;
    result(await change({ expiresAt: until }));
    for (let asked = Date.now(); (await status(third.key)) === 200; asked = Date.now()) assert.ok(asked < until + 1000);
    assert.ok(Date.now() >= until);
    assert.equal(result(await gateway.api('GET', `/keys/${key.id}`)).expired, true);
    result(await change({ expiresAt: null }));
    assert.equal(await status(third.key), 200);

    // At once everywhere: requests on 8 connections at the same time, none succeeds that began after the answer.
    assert.equal((await gateway.api('DELETE', `/keys/${key.id}`)).status, 200);
    assert.deepEqual(await Promise.all(Array.from({ length: 8 }, () => status(third.key))), Array(8).fill(401));
    assert.equal((await gateway.api('DELETE', `/keys/${key.id}`)).status, 404);
  });

  test('limits that cannot be understood are refused, never dropped', async () => {
    const bad = [[{ scopes: [] }, /scopes/], [{ scopes: ['write'] }, /"write"/], [{ scopes: 'read' }, /scopes/], [{ scopes: [null] }, /scopes/], [{ sessions: [] }, /sessions/],
      [{ sessions: ['a b'] }, /sessions/], [{ sessions: ['a/b'] }, /a\/b/], [{ sessions: 'shop' }, /sessions/], [{ networks: [] }, /networks/], [{ networks: ['10.0.0.0/33'] }, /10\.0\.0\.0\/33/],
      [{ networks: [null] }, /networks/], [{ networks: ['localhost'] }, /localhost/], [{ network: ['10.0.0.0/8'] }, /"network"/], [{ expiresAt: 'soon' }, /expiresAt/], [{ expiresAt: [] }, /expiresAt/],
      [{ expiresAt: '' }, /expiresAt/], [{ expiresAt: 1 }, /expiresAt/], [{ name: 'x'.repeat(101) }, /name/], [{ name: 7 }, /name/], [{ scopes: ['admin'], sessions: ['shop'] }, /every session/],
      [[], /object/]];
    const before = result(await gateway.api('GET', '/keys')).items.length;
    for (const [body, text] of bad) {
      const answer = await gateway.api('POST', '/keys', { body });
      assert.deepEqual([answer.status, answer.json.code], [400, 2002], JSON.stringify(body) + answer.text);
      assert.match(answer.json.message, text);
    }
    assert.equal(result(await gateway.api('GET', '/keys')).items.length, before);
  });

  test('a limited key hands on no more than it has', async () => {
    const limited = await make({ scopes: ['read', 'manage'], sessions: ['shop'], networks: ['127.0.0.0/8'], expiresAt: Date.now() + 3600_000 });
    const full = await make({ name: 'full' });
    const expiresAt = Date.now() + 60_000;
    const within = { sessions: ['shop'], networks: ['127.0.0.1'], expiresAt };
    const by = (method, path, body) => gateway.api(method, path, { key: limited.key, body });
    const tooMuch = [403, 2205, 'This key cannot give, change or end what it does not have itself'];
    const child = result(await by('POST', '/keys', within));
    assert.deepEqual(child.scopes, ['read', 'manage'], 'scopes left out are its own');
    for (const wider of [{ scopes: ['send'] }, { scopes: null }, { sessions: null }, { sessions: ['shop', 'other'] }, { networks: null }, { networks: ['0.0.0.0/0'] }, { expiresAt: null }, { expiresAt: Date.now() + 7200_000 }])
      assert.deepEqual(refusal(await by('POST', '/keys', { ...within, ...wider })), tooMuch, JSON.stringify(wider));
    assert.deepEqual(refusal(await by('POST', `/keys/${child.id}`, { sessions: null })), tooMuch);
    for (const [method, path] of [['POST', `/keys/${full.id}`], ['POST', `/keys/${full.id}/rotate`], ['DELETE', `/keys/${full.id}`]])
      assert.deepEqual(refusal(await by(method, path, {})), tooMuch, path);
    assert.equal((await by('DELETE', `/keys/${child.id}`)).status, 200);
    const fixed = result(await gateway.api('GET', '/keys')).items.find((k) => k.kind === 'fixed');
    assert.deepEqual(refusal(await gateway.api('DELETE', `/keys/${fixed.id}`)), [409, 2003, 'This key stands in the configuration (WAREST_ADMIN_APIKEY)']);
  });

  test('users are made, shut out, given roles and removed; theirs is their own', async () => {
    const login = (username, password) => gateway.server.request('POST', '/api/auth/login', { body: { username, password } });
    const user = (body, name = 'carol') => gateway.api('POST', `/users/${name}`, { body });
    assert.deepEqual(result(await gateway.api('POST', '/users', { body: { username: 'carol', password: ' first password ' } })).role, 'user');
    assert.equal((await gateway.api('POST', '/users', { body: { username: 'carol', password: 'other password' } })).status, 409);
    assert.equal((await gateway.api('POST', '/users', { body: { username: 'car ol', password: 'other password' } })).status, 400);
    assert.equal((await gateway.api('POST', '/users', { body: { username: 'dave', password: 'short' } })).status, 400);
    const { apiKey } = (await login('carol', 'first password')).json;
    assert.equal(apiKey, undefined, 'a log-in trims, so blanks at the ends cannot be typed');
    result(await user({ password: 'first password' }));
    const first = (await login('carol', 'first password')).json.apiKey;
    const own = await make({ name: 'hers', username: 'carol' });
    assert.deepEqual([own.username, own.scopes], ['carol', ['read', 'send', 'manage']]);
    assert.deepEqual(refusal(await gateway.api('POST', '/keys', { body: { username: 'carol', scopes: ['admin'] } })), [400, 2002, 'scopes: admin is for keys of administrators']);

    const list = result(await gateway.api('GET', '/keys', { key: own.key })).items;
    assert.deepEqual(list.map((k) => [k.username, k.kind]).sort(), [['carol', 'api'], ['carol', 'ui']]);
    const foreign = result(await gateway.api('GET', '/keys')).items.find((k) => k.username === 'admin' && k.kind === 'api');
    for (const [method, path] of [['GET', ''], ['POST', ''], ['POST', '/rotate'], ['DELETE', '']])
      assert.equal((await gateway.api(method, `/keys/${foreign.id}${path}`, { key: own.key, body: method === 'GET' ? undefined : {} })).status, 404);
    assert.equal((await gateway.api('POST', '/keys', { key: own.key, body: { username: 'admin' } })).status, 403);
    assert.equal((await gateway.api('GET', '/users', { key: own.key })).status, 403);

    const change = (currentPassword, password) => gateway.api('POST', '/users/me/password', { key: own.key, body: { currentPassword, password } });
    assert.deepEqual(refusal(await change('wrong', 'second password')), [403, 2201, 'The current password is wrong']);
    assert.equal((await change('first password', 'second password')).status, 200);
    assert.equal((await gateway.api('GET', '/session/list', { key: first })).status, 401, 'log-ins of before are over');
    assert.equal((await login('carol', 'first password')).status, 401);
    assert.equal((await login('carol', 'second password')).status, 200);

    assert.equal(result(await user({ disabled: true })).disabled, true);
    assert.equal((await login('carol', 'second password')).status, 401);
    assert.equal((await gateway.api('GET', '/session/list', { key: own.key })).status, 401);
    result(await user({ disabled: false, role: 'admin' }));
    assert.equal((await gateway.api('GET', '/users', { key: own.key })).status, 200, 'a key without limits may do what its user may');
    assert.equal((await user({ role: 'user' }, 'admin')).status, 409);
    assert.equal((await gateway.api('POST', '/users/carol', { key: own.key, body: { role: 'user' } })).status, 409);
    assert.equal((await gateway.api('DELETE', '/users/admin')).status, 409);

    await gateway.api('GET', '/session/create?sessionId=hers', { key: own.key });
    assert.equal(result(await gateway.api('GET', '/users/carol')).sessions, 1);
    assert.equal((await gateway.api('DELETE', '/users/carol')).status, 409);
    assert.equal((await gateway.api('DELETE', '/users/carol?sessions=delete')).status, 200);
    assert.equal((await gateway.api('GET', '/users/carol')).status, 404);
    assert.equal((await gateway.api('GET', '/session/list', { key: own.key })).status, 401);
    assert.ok((await gateway.api('GET', '/session/create?sessionId=hers')).status < 300, 'the id is free again');
  });

  test('the audit log has every act, who, from where and how it ended, and no secret', async () => {
    const secret = 'a webhook secret';
    assert.equal((await gateway.api('POST', '/session/shop/config', { body: { webhookUrl: 'http://127.0.0.1:9/hook', webhookSecret: secret }, headers: { 'X-Forwarded-For': '198.51.100.7' } })).status, 200);
    const [config] = await audit('action=session.config');
    const { id, time, keyId, ...rest } = config;
    assert.deepEqual(rest, { username: 'admin', address: '198.51.100.7', action: 'session.config', target: 'shop', outcome: 'done', status: 200, parameters: 'webhookUrl webhookSecret preflight' });
    assert.ok(id > 0 && keyId > 0 && Math.abs(Date.parse(time) - Date.now()) < 60_000);

    const reader = await make({ name: 'looks', scopes: ['read'] });
    await gateway.api('DELETE', '/session/delete', { key: reader.key, body: { sessionId: 'shop' } });
    const [refused] = await audit('action=session.delete&outcome=refused');
    assert.deepEqual([refused.keyId, refused.status, refused.username], [reader.id, 403, 'admin']);
    assert.equal((await audit('action=session.create&target=third')).length, 1);
    assert.equal((await audit('action=session.create&target=shop')).length, 1, 'looking at a session again is no act');
    assert.equal((await audit('action=session.delete&target=third&outcome=done')).length, 1);

    const [made] = await audit(`action=key.create&target=${reader.id}%20of%20admin`);
    assert.equal(made.parameters, 'name scopes');
    const logins = await audit('action=auth.login&target=carol');
    assert.ok(logins.some((l) => l.outcome === 'done' && l.username === 'carol') && logins.some((l) => l.outcome === 'refused' && l.username === null));
    await gateway.operator('ctl.user.add', { username: 'erin', password: 'password of erin' });
    const [byOperator] = await audit('action=user.add');
    assert.deepEqual([byOperator.username, byOperator.address, byOperator.target, byOperator.keyId], ['warestctl', 'local', 'erin', null]);
    assert.ok((await audit('action=user.delete&target=carol&outcome=done')).length === 1 && (await audit('action=user.delete&target=admin&outcome=refused')).length === 1);

    // Pages: every entry once, newest first.
    const seen = [];
    for (let cursor = ''; cursor !== null;) {
      const page = result(await gateway.api('GET', `/audit?limit=7${cursor && `&cursor=${cursor}`}`));
      seen.push(...page.items.map((i) => i.id));
      cursor = page.pagination.nextCursor;
    }
    assert.deepEqual(seen, [...new Set(seen)].sort((a, b) => b - a));
    assert.deepEqual(seen, (await audit('limit=500')).map((i) => i.id));
    assert.equal((await gateway.api('GET', '/audit?cursor=x')).status, 400);
    assert.deepEqual(await audit(`startTime=${Date.now() + 60_000}`), []);
    const all = JSON.stringify(await audit('limit=500'));
    for (const text of [secret, adminKey, adminPassword, reader.key, 'password of erin', 'second password']) assert.ok(!all.includes(text), text);
  });

  test('keys, their limits and the log survive a restart', async () => {
    const key = await make({ name: 'stays', sessions: ['shop'], scopes: ['read'] });
    const before = (await audit('limit=1'))[0].id;
    await gateway.daemon.stop();
    await gateway.startDaemon();
    assert.deepEqual(await ids(key.key), ['shop']);
    assert.equal((await gateway.api('GET', '/session/reconnect?sessionId=shop', { key: key.key })).status, 403);
    assert.ok((await audit('limit=500')).some((i) => i.id === before));
  });
});
