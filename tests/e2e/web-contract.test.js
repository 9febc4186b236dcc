// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, warest.fcgi answers existing clients (the n8n node above all) otherwise than the contract says: envelopes, statuses,
// texts, order of the checks, credentials, CORS. A fake daemon stands behind it, so each test sees the frame that was sent.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { chmodSync, readFileSync } from 'node:fs';
import { fakeDaemon } from './lib/fake-daemon.js';
import { startServer, webLab } from './lib/web.js';

let lab, daemon, server;
const ok = (request) => ({ status: 200, code: 1000, message: 'OK', result: { m: request.m, p: request.p } });

before(async () => {
  lab = await webLab({ WAREST_TIMEZONE: 'Asia/Jakarta', ALLOWED_ORIGINS: 'https://app.example', NODE_ENV: 'production' });
  daemon = await fakeDaemon(lab.socket);
  chmodSync(lab.socket, 0o666);
  server = await startServer('lighttpd', lab);
});
after(async () => {
  await server?.stop();
  await daemon?.close();
  await lab?.remove();
});
beforeEach(() => {
  daemon.requests.length = 0;
  daemon.answer = ok;
});

const get = (path, options = {}) => server.request('GET', path, { key: 'k', ...options });
const post = (path, body, options = {}) => server.request('POST', path, { key: 'k', body, ...options });
const error = (code, message, results = []) => ({ status: false, code, message, results });
const sent = () => daemon.requests.at(-1);

describe('ping', () => {
  test('is answered without key and daemon, in the configured time zone', async () => {
    const { status, json, headers } = await get('/api/v1/server/ping', { key: undefined });
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'application/json; charset=utf-8');
    assert.deepEqual([json.status, json.code, json.message], [true, 1000, 'Server is alive']);
    const pong = json.results[0];
    assert.deepEqual(Object.keys(pong), ['ping', 'latencyMs', 'serverTime', 'serverTimeISO', 'serverTimeUTC', 'timezone', 'timezoneLocale', 'timestamp']);
    assert.equal(pong.timezone, 'Asia/Jakarta');
    assert.match(pong.serverTime, /^\w+day, \d\d \w+ 20\d\d, \d\d:\d\d:\d\d, GMT\+7$/);
    assert.match(pong.serverTimeISO, /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+07:00$/);
    assert.match(pong.serverTimeUTC, /Z$/);
    assert.equal(daemon.requests.length, 0);
  });
});

describe('routing', () => {
  test('paths match without regard to case and a trailing slash', async () => {
    for (const path of ['/API/V1/Session/LIST', '/api/v1/session/list/'])
      assert.equal((await get(path)).json.results[0].m, 'session.list');
  });

  test('an unknown route or method below /api/v1 needs a key, elsewhere not', async () => {
    const notFound = error(2600, 'Not found', null);
    for (const [method, path] of [['GET', '/api/v1/nothing'], ['PUT', '/api/v1/session/list'], ['GET', '/api/v1/session/delete']]) {
      assert.deepEqual((await server.request(method, path)).json, { error: 'Missing X-WAREST-API-KEY' });
      const answer = await server.request(method, path, { key: 'k' });
      assert.equal(answer.status, 404);
      assert.deepEqual(answer.json, notFound);
      assert.deepEqual([sent().m, sent().auth, sent().guards], ['guards.check', 'key', { rate: true }]);
      daemon.answer = () => ({ status: 401, bare: { error: 'Invalid X-WAREST-API-KEY' } });
      assert.equal((await server.request(method, path, { key: 'bad' })).status, 401);
      daemon.answer = ok;
    }
    daemon.requests.length = 0;
    for (const path of ['/nothing', '/socket.io/', '/api/auth/nothing', '/api/webhooks/x'])
      assert.deepEqual((await server.request('GET', path)).json, notFound);
    assert.equal(daemon.requests.length, 0);
  });

  test('an invalid escape is 400 before the key is looked at', async () => {
    const answer = await server.request('POST', '/api/v1/session/a%zz/config');
    assert.equal(answer.status, 400);
    assert.deepEqual(answer.json, { error: "Failed to decode param '/api/v1/session/a%zz/config'" });
  });

  test('HEAD answers where GET exists, without a body', async () => {
    const answer = await server.request('HEAD', '/api/v1/session/list', { key: 'k' });
    assert.deepEqual([answer.status, answer.text, sent().m], [200, '', 'session.list']);
  });

  test('POST is accepted beside a GET with side effects', async () => {
    for (const [path, method] of [['create', 'session.create'], ['logout', 'session.logout'], ['reconnect', 'session.reconnect']]) {
      await post(`/api/v1/session/${path}`, { sessionId: 'a' });
      assert.deepEqual([sent().m, sent().session.id], [method, 'a']);
    }
  });
});

describe('credentials', () => {
  const list = '/api/v1/session/list';

  test('the first non-empty source wins', async () => {
    const cases = [
      [list, { 'X-WAREST-API-KEY': ' a ', 'X-API-KEY': 'b' }, 'a'],
      [list, { 'X-WAREST-API-KEY': '', 'X-API-KEY': 'b', 'Api-Key': 'c' }, 'b'],
      [`${list}?api_key=d`, { 'Api-Key': 'c' }, 'c'],
      [`${list}?api_key=d&apikey=e`, { Authorization: 'Bearer g' }, 'd'],
      [`${list}?apikey=e&apiKey=f`, {}, 'e'],
      [`${list}?apiKey=f`, {}, 'f'],
      [list, { Authorization: 'Bearer  g ' }, 'g'],
      [list, { Authorization: 'Token h' }, 'h'],
      [list, { Authorization: 'APIKey i' }, 'i'],
      [`${list}?api_key=x&api_key=y`, { Authorization: 'Bearer g' }, 'g'],
    ];
    for (const [path, headers, key] of cases) {
      assert.equal((await server.request('GET', path, { headers })).status, 200, JSON.stringify(headers));
      assert.equal(sent().key, key);
    }
  });

  test('none, or a wrong prefix, is 401 without asking the daemon', async () => {
    for (const headers of [{}, { Authorization: 'bearer g' }, { Authorization: 'Basic eDp5' }, { Cookie: 'WAREST_DOCS_SESSION=k' }]) {
      const answer = await server.request('GET', list, { headers });
      assert.equal(answer.status, 401);
      assert.equal(answer.text, '{"error":"Missing X-WAREST-API-KEY"}');
    }
    assert.equal(daemon.requests.length, 0);
  });

  test('server routes ask for an administrator, with their guards', async () => {
    daemon.answer = () => ({ status: 403, bare: { error: 'Admin only' } });
    const answer = await get('/api/v1/server/ready');
    assert.deepEqual([answer.status, answer.text], [403, '{"error":"Admin only"}']);
    assert.deepEqual([sent().auth, sent().guards], ['admin', { rate: true, quota: true }]);
  });

  test('the client address is the last one that no trusted proxy has vouched for', async () => {
    await get(list, { headers: { 'X-Forwarded-For': '6.6.6.6, 9.9.9.9, 127.0.0.1' } });
    assert.equal(sent().ip, '9.9.9.9');
    for (const [value, ip] of [['9.9.9.9:1234', '9.9.9.9'], ['[2001:db8::1]:443', '2001:db8::1'], ['2001:db8::1', '2001:db8::1'], [' , ', '127.0.0.1']]) {
      await get(list, { headers: { 'X-Forwarded-For': value } });
      assert.equal(sent().ip, ip);
    }
    await get(list);
    assert.equal(sent().ip, '127.0.0.1');
  });
});

describe('envelopes', () => {
  test('A: object, array, null and error', async () => {
    const cases = [
      [{ status: 200, code: 1000, message: 'OK', result: { a: 1 } }, '{"status":true,"code":1000,"message":"OK","results":[{"a":1}]}'],
      [{ status: 202, code: 1109, message: 'R', result: [] }, '{"status":true,"code":1109,"message":"R","results":[]}'],
      [{ status: 207, code: 1004, message: 'R', result: null }, '{"status":true,"code":1004,"message":"R","results":[]}'],
      [{ status: 404, code: 1101, message: 'Session not found' }, '{"status":false,"code":1101,"message":"Session not found","results":[]}'],
      [{ status: 503, code: 8001, message: 'N', result: { ready: false } }, '{"status":false,"code":8001,"message":"N","results":[{"ready":false}]}'],
    ];
    for (const [answer, text] of cases) {
      daemon.answer = () => answer;
      const got = await get('/api/v1/session/list');
      assert.deepEqual([got.status, got.text], [answer.status, text]);
    }
  });

  test("A': results null on error, failed behind results", async () => {
    daemon.answer = () => ({ status: 404, code: 1101, message: 'Session not found' });
    const body = { sessionId: 's', to: '62812', message: 'x' };
    assert.equal((await post('/api/v1/messages/send/text', body)).text, '{"status":false,"code":1101,"message":"Session not found","results":null}');
    daemon.answer = () => ({ status: 207, code: 1004, message: 'M', result: [{ a: 1 }], failed: [{ b: 2 }] });
    assert.equal((await post('/api/v1/messages/send/text', body)).text,
      '{"status":true,"code":1004,"message":"M","results":[{"a":1}],"failed":[{"b":2}]}');
  });

  test('bytes of a result are not re-encoded, bare answers and headers pass', async () => {
    daemon.answer = () => ({ status: 200, code: 1000, message: 'ü "q" \u0001', result: { n: 0.1, big: 12345678901234567890n.toString(), t: 'a/b é \ud83d\ude00' } });
    const { text, json } = await get('/api/v1/session/list');
    assert.equal(json.message, 'ü "q" \u0001');
    assert.ok(text.includes('"t":"a/b é \ud83d\ude00"'));
    daemon.answer = () => ({ status: 429, bare: { error: 'Recipient cooldown', retryAfter: 2 }, headers: { 'Retry-After': '2', 'X-RateLimit-Limit': 120 } });
    const refused = await get('/api/v1/session/list');
    assert.equal(refused.text, '{"error":"Recipient cooldown","retryAfter":2}');
    assert.deepEqual([refused.headers['retry-after'], refused.headers['x-ratelimit-limit']], ['2', '120']);
  });

  test('a header of the daemon cannot split the answer', async () => {
    daemon.answer = () => ({ ...ok({}), headers: { 'X-A': 'x\r\nSet-Cookie: evil=1' } });
    assert.equal((await get('/api/v1/session/list')).headers['set-cookie'], undefined);
  });
});

describe('bodies', () => {
  const path = '/api/v1/session/s/config';
  const raw = (body, headers = {}) => server.request('POST', path, { key: 'k', body, headers: { 'content-type': 'application/json', ...headers } });

  test('malformed JSON is 400 with the parser text, after the key alone was checked', async () => {
    for (const [body, text] of [['{"a":}', 'Unexpected token } in JSON at position 5'], ['{"a"', 'Unexpected end of JSON input'],
      ['"x"', 'Unexpected token " in JSON at position 0'], ['12', 'Unexpected token 1 in JSON at position 0'], ['{} x', 'Unexpected token x in JSON at position 3']]) {
      const answer = await raw(body);
      assert.equal(answer.status, 400);
      assert.deepEqual(answer.json, { error: text });
      assert.deepEqual([sent().m, sent().guards, sent().p], ['guards.check', {}, undefined]);
    }
    assert.equal((await server.request('POST', path, { body: '{', headers: { 'content-type': 'application/json' } })).status, 401);
    daemon.answer = () => ({ status: 401, bare: { error: 'Invalid X-WAREST-API-KEY' } });
    assert.equal((await raw('{')).status, 401);
  });

  test('deep and crowded JSON is refused', async () => {
    assert.deepEqual((await raw('['.repeat(100))).json, { error: 'JSON is nested too deeply' });
    assert.deepEqual((await raw(`[${'0,'.repeat(150000)}0]`)).json, { error: 'JSON has too many values' });
  });

  test('too large is 413, a foreign charset or encoding 415', async () => {
    const large = await raw(JSON.stringify({ a: 'x'.repeat(3 << 20) }));
    assert.deepEqual([large.status, large.json], [413, { error: 'request entity too large' }]);
    const utf16 = await raw('{}', { 'content-type': 'application/json; charset=utf-16' });
    assert.deepEqual([utf16.status, utf16.json], [415, { error: 'unsupported charset "utf-16"' }]);
    const gzip = await raw('{}', { 'content-encoding': 'gzip' });
    assert.deepEqual([gzip.status, gzip.json], [415, { error: 'unsupported content encoding "gzip"' }]);
  });

  test('a large body is read only for a key that the daemon knows', async () => {
    await raw(JSON.stringify({ webhookUrl: 'x'.repeat(70000) }));
    assert.deepEqual(daemon.requests.map((r) => r.m), ['guards.check', 'session.config']);
    assert.deepEqual(daemon.requests[0].guards, {});
    daemon.answer = () => ({ status: 401, bare: { error: 'Invalid X-WAREST-API-KEY' } });
    assert.equal((await raw(`{"a":"${'x'.repeat(70000)}`)).status, 401);
  });

  test('other content types count as no body, arrays have no fields, GET and DELETE bodies are read', async () => {
    await server.request('POST', path, { key: 'k', body: '{"webhookUrl":"x"}', headers: { 'content-type': 'text/plain' } });
    assert.deepEqual(sent().p, { preflight: false });
    await raw('[{"webhookUrl":"x"}]');
    assert.deepEqual(sent().p, { preflight: false });
    await server.request('DELETE', '/api/v1/session/delete', { key: 'k', body: { sessionId: 'd' } });
    assert.equal(sent().session.id, 'd');
    await get('/api/v1/session/devices', { body: { sessionId: 'g' } });
    assert.equal(sent().session.id, 'g');
  });

  test('text survives escapes, surrogates and invalid UTF-8', async () => {
    await raw(Buffer.concat([Buffer.from('{"webhookUrl":"\\u00e9\\ud83d\\ude00\\ud800 \\"\\\\\\n'), Buffer.from([0xff]), Buffer.from('"}')]));
    assert.equal(sent().p.webhookUrl, 'é\u{1f600}\ufffd "\\\n\ufffd');
  });
});

describe('session choice', () => {
  test('names in order, query before body, numbers count as text', async () => {
    const cases = [['?sessionId=a&id=b', {}, 'a'], ['?id=b', { sessionId: 'c' }, 'c'], ['?session=b', {}, 'b'], ['?sessionId=', { sessionId: 'c' }, 'c'],
      ['', { sessionId: 12 }, '12'], ['?sessionId=a', { sessionId: 'c' }, 'a'], ['?sessionId[x]=1', { id: ' d ' }, 'd']];
    for (const [query, body, id] of cases) {
      await post(`/api/v1/session/logout${query}`, body);
      assert.deepEqual(sent().session, { family: 'session', id }, query);
    }
  });

  test('missing or malformed is told after the guards', async () => {
    for (const query of ['', '?sessionId=a%20b', '?sessionId=..', '?sessionId=.', `?sessionId=${'x'.repeat(65)}`, '?sessionId=a%2Fb']) {
      const answer = await get(`/api/v1/session/logout${query}`);
      assert.equal(answer.status, 400);
      assert.deepEqual(answer.json, error(1100, 'sessionId is required'));
      assert.equal(sent().m, 'guards.check');
    }
    daemon.answer = () => ({ status: 429, bare: { error: 'Too many requests' } });
    assert.equal((await get('/api/v1/session/logout')).status, 429);
  });

  test("the guards' headers go with a refusal of our own", async () => {
    daemon.answer = () => ({ status: 200, headers: { 'X-RateLimit-Remaining': '5' } });
    const answer = await get('/api/v1/session/logout');
    assert.deepEqual([answer.status, answer.headers['x-ratelimit-remaining']], [400, '5']);
  });

  test('the path wins, and the id is decoded', async () => {
    await post('/api/v1/session/a%2Db/config?sessionId=x', { sessionId: 'y' });
    assert.equal(sent().session.id, 'a-b');
  });

  test('pair-code judges the phone first', async () => {
    assert.deepEqual((await get('/api/v1/session/create/pair-code')).json, error(2001, 'phone is required'));
    assert.deepEqual((await get('/api/v1/session/create/pair-code?pair=x')).json, error(2001, 'phone is required'));
    assert.equal(sent().session, undefined);
    assert.deepEqual((await get('/api/v1/session/create/pair-code?pairPhone=0812')).json, error(1100, 'sessionId is required'));
    await get('/api/v1/session/create/pair-code?id=s&pair=%2B62-812');
    assert.deepEqual([sent().m, sent().session, sent().p], ['session.pair_code', { family: 'session-create', id: 's' }, { phone: '62812' }]);
  });

  test('messages: id before phone, neither is 404/1101', async () => {
    const path = '/api/v1/messages/send/text';
    assert.deepEqual((await post(path, { to: '1', message: 'x' })).json, error(1101, 'Session not found', null));
    assert.equal(sent().m, 'guards.check');
    await post(path, { phone: '+62 812', to: '62811', message: 'x' });
    assert.deepEqual(sent().session, { family: 'messages', phone: '62812' });
    await post(`${path}?sessionId=q`, { sessionId: 's', phone: '62812', to: '62811', message: 'x' });
    assert.deepEqual(sent().session, { family: 'messages', id: 's' });
  });
});

describe('session routes', () => {
  test('config: absent, empty and odd values', async () => {
    const path = '/api/v1/session/s/config';
    const cases = [[{}, { preflight: false }], [{ webhookUrl: ' http://x/ ', webhookSecret: 'secret1' }, { webhookUrl: 'http://x/', webhookSecret: 'secret1', preflight: false }],
      [{ webhookUrl: '', preflight: true }, { webhookUrl: '', preflight: true }], [{ webhookUrl: { a: 1 }, preflightVerify: true }, { webhookUrl: '', preflight: true }],
      [{ preflight: 'true' }, { preflight: false }], [{ webhookSecret: '   ' }, { webhookSecret: '', preflight: false }]];
    for (const [body, p] of cases) {
      await post(path, body);
      assert.deepEqual(sent().p, p, JSON.stringify(body));
    }
    assert.deepEqual((await post(path, { webhookSecret: '12345' })).json, error(2002, 'webhookSecret must have at least 6 characters'));
  });

  test('passkey routes carry the credential as it is', async () => {
    await get('/api/v1/session/s/passkey');
    assert.deepEqual([sent().m, sent().session], ['session.passkey.get', { family: 'session', id: 's' }]);
    const credential = { id: 'AQ', rawId: 'AQ', type: 'public-key', response: { clientDataJSON: 'e30', signature: 'AA' }, clientExtensionResults: {} };
    await post('/api/v1/session/s/passkey/response', credential);
    assert.deepEqual([sent().m, sent().p, sent().session.id], ['session.passkey.response', { credential }, 's']);
    assert.equal((await post('/api/v1/session/s/passkey/response', { id: 'AQ' })).json.code, 2001);
    await post('/api/v1/session/s/passkey/confirm', {});
    assert.equal(sent().m, 'session.passkey.confirm');
  });

  test('devices: refresh', async () => {
    await get('/api/v1/session/devices?sessionId=s&refresh=1');
    assert.deepEqual(sent().p, { refresh: true });
  });
});

describe('messages/send/text', () => {
  const path = '/api/v1/messages/send/text';
  const text = (body, options) => post(path, { sessionId: 's', message: 'x', ...body }, options);

  test('checks come in order: session, message, to', async () => {
    assert.deepEqual((await post(path, { sessionId: 's' })).json, error(1100, "Parameter 'message' is required", null));
    assert.equal(sent().session.id, 's');
    assert.deepEqual((await text({})).json, error(1100, "Parameter 'to' is required", null));
    for (const to of ['abc', '0', 'x@example.com', '@', [], ['abc'], ',;']) {
      const answer = await text({ to });
      assert.equal(answer.status, 400);
      assert.ok(["Invalid 'to' value", "Parameter 'to' is required"].includes(answer.json.message), JSON.stringify([to, answer.json]));
    }
    assert.deepEqual((await text({ to: 'abc' })).json, error(1100, "Invalid 'to' value", null));
  });

  test('recipients become addresses', async () => {
    const pn = (user) => `${user}@s.whatsapp.net`;
    const cases = [['0812-3456 789', [pn('628123456789')]], ['+62 812 3456', [pn('628123456')]], ['0062812', [pn('62812')]], [62812, [pn('62812')]],
      ['62812,62813;62814\n62812', ['62812', '62813', '62814'].map(pn)], [['62812', ['62813', '1@lid']], [pn('62812'), pn('62813'), '1@lid']],
      ['["62812","62813"]', [pn('62812'), pn('62813')]], ['62812@c.us', [pn('62812')]], ['62812:5@s.whatsapp.net', [pn('62812')]],
      ['123456789012345@lid', ['123456789012345@lid']], ['120363040000000001@g.us', ['120363040000000001@g.us']],
      ['120363040000000001', ['120363040000000001@g.us']], ['62812, hello', [pn('62812')]], ['5@newsletter', ['5@newsletter']]];
    for (const [to, jids] of cases) {
      await text({ to });
      assert.deepEqual(sent().p.to, jids, JSON.stringify(to));
    }
    assert.equal((await text({ to: ['62812', 'x@nowhere'] })).status, 400);
  });

  test('parameters: aliases, places, types', async () => {
    await post(`${path}?text=q&number=62899`, { sessionId: 's', jid: '62812', quotedMessageId: ' ID ', forwarded: 'yes' });
    assert.deepEqual(sent().p, { message: 'q', to: ['62812@s.whatsapp.net'], replyMessageId: 'ID', isForwarded: true, linkPreview: true });
    await text({ to: '62812', message: 5, isForwarded: true });
    assert.deepEqual(sent().p, { message: '5', to: ['62812@s.whatsapp.net'], isForwarded: true, linkPreview: true });
    await get(`${path}?sessionId=s&to=62812&to=62813&message=a+b%20%26`);
    assert.deepEqual(sent().p, { message: 'a b &', to: ['62812@s.whatsapp.net', '62813@s.whatsapp.net'], isForwarded: false, linkPreview: true });
    assert.deepEqual(sent().guards, { rate: true, quota: true });
  });

  test('presence words', async () => {
    const cases = [[false, null], ['', null], ['no', null], [0, null], ['typing', 'composing'], ['REC', 'recording'], ['ptt', 'recording'],
      ['online', 'available'], ['offline', 'unavailable'], ['paused', 'paused'], [null, null]];
    // "own": no word for a state, the route's own one is meant
    const own = [true, 1, 'whatever'].map((presence) => [presence, 'composing', { own: true }]);
    for (const [presence, state, more] of [...cases, ...own]) {
      await text({ to: '62812', presence });
      assert.deepEqual(sent().p.presence, state ? { state, ...more } : undefined, JSON.stringify(presence));
    }
  });

  test('the cooldown goes by the raw text of "to" in the JSON body, also when validation fails', async () => {
    for (const [to, raw] of [['0812', '0812'], [['1', ['2', 3]], '1,2,3'], [812, '812'], [true, 'true']]) {
      await text({ to });
      assert.equal(sent().guards.cooldown, raw);
    }
    for (const body of [{ jid: '62812' }, { to: '' }, { to: 0 }, { to: null }]) {
      await text(body);
      assert.equal(sent().guards.cooldown, undefined, JSON.stringify(body));
    }
    await post(path, { sessionId: 's', to: '1' });
    assert.deepEqual([sent().m, sent().guards.cooldown], ['guards.check', '1']);
    await post(`${path}?to=62812`, { sessionId: 's', message: 'x' });
    assert.equal(sent().guards.cooldown, undefined);
  });

  test('Idempotency-Key is passed on, or refused when it is no key', async () => {
    await text({ to: '62812' }, { headers: { 'Idempotency-Key': 'order 17' } });
    assert.deepEqual(sent().idem, { key: 'order 17' });
    await text({ to: '62812' });
    assert.equal(sent().idem, undefined);
    for (const bad of ['x'.repeat(129), 'ü']) {
      const answer = await text({ to: '62812' }, { headers: { 'Idempotency-Key': bad } });
      assert.deepEqual([answer.status, answer.json.code], [400, 2002]);
      assert.equal(sent().m, 'guards.check');
    }
    await get('/api/v1/session/list', { headers: { 'Idempotency-Key': 'x' } });
    assert.equal(sent().idem, undefined);
  });
});

describe('server routes', () => {
  test('cpu-history knows its words in any case', async () => {
    await get('/api/v1/server/cpu-history');
    assert.deepEqual(sent().p, { period: '1h', interval: '5m' });
    await get('/api/v1/server/cpu-history?period=7D&interval=1H');
    assert.deepEqual(sent().p, { period: '7d', interval: '1h' });
    assert.deepEqual((await get('/api/v1/server/cpu-history?period=2h')).json, error(2002, 'Invalid period. Allowed values: 1h, 6h, 12h, 24h, 7d, 30d'));
    assert.deepEqual((await get('/api/v1/server/cpu-history?interval=2m')).json, error(2002, 'Invalid interval. Allowed values: 1m, 5m, 15m, 30m, 1h'));
  });

  test('restart: delays and reasons', async () => {
    for (const [body, delaySeconds] of [[{}, 4], [{ delaySeconds: 0 }, 1.5], [{ delaySeconds: '7' }, 7], [{ delaySeconds: -1 }, 4], [{ delaySeconds: 'x' }, 4],
      [{ delaySeconds: 99999 }, 1800], [{ delayMs: 2500 }, 2.5], [{ delayMs: 2500, delaySeconds: 9 }, 9]]) {
      await post('/api/v1/server/restart', body);
      assert.deepEqual(sent().p, { reason: 'Manual restart via API', delaySeconds }, JSON.stringify(body));
    }
    await post('/api/v1/server/restart?reason=query', { reason: 'body' });
    assert.equal(sent().p.reason, 'body');
  });

  test('restart/scheduled: times', async () => {
    const path = '/api/v1/server/restart/scheduled';
    for (const [schedule, want] of [['02:30', '02:30'], ['2:05', '02:05'], ['0', '0'], [0, '0'], ['23:59', '23:59']]) {
      await post(path, { schedule, timezone: 'UTC' });
      assert.deepEqual(sent().p, { schedule: want, timezone: 'UTC' });
    }
    for (const schedule of ['24:00', '2:60', '2:5', 'x', '002:30', '12:345'])
      assert.deepEqual((await post(path, { schedule })).json, error(2002, 'Schedule must use HH:MM 24-hour format (e.g., 02:30)'), schedule);
    assert.deepEqual((await post(path, {})).json, error(2002, 'Schedule is required (HH:MM 24-hour format or 0 to cancel)'));
  });
});

describe('auth', () => {
  const cookie = (answer) => answer.headers['set-cookie'][0];

  test('login: missing fields, cookie, lockout', async () => {
    for (const body of [{}, { username: 'a' }, { username: 'a', password: '  ' }]) {
      const answer = await server.request('POST', '/api/auth/login', { body });
      assert.deepEqual([answer.status, answer.json], [400, { error: 'username/password required' }]);
      assert.match(cookie(answer), /^WAREST_DOCS_SESSION=; Max-Age=0; Path=\/; Expires=.* GMT; HttpOnly; Secure; SameSite=Lax$/);
    }
    assert.equal(daemon.requests.length, 0);
    daemon.answer = () => ({ status: 200, bare: { apiKey: 'admin_1/2', role: 'admin', isAdmin: true, username: 'a', registry: 'admin' }, cookie: 'admin_1/2' });
    const answer = await server.request('POST', '/api/auth/login', { body: { username: ' a ', password: 'b' } });
    assert.deepEqual(Object.keys(answer.json), ['apiKey', 'role', 'isAdmin', 'username', 'registry']);
    assert.match(cookie(answer), /^WAREST_DOCS_SESSION=admin_1%2F2; Max-Age=1209600; Path=\//);
    assert.deepEqual([sent().m, sent().auth, sent().p, sent().ip], ['auth.login', 'none', { username: 'a', password: 'b' }, '127.0.0.1']);
    daemon.answer = () => ({ status: 401, bare: { error: 'Invalid credentials' }, cookie: '' });
    const refused = await server.request('POST', '/api/auth/login', { body: { username: 'a', password: 'b' } });
    assert.deepEqual([refused.status, refused.text], [401, '{"error":"Invalid credentials"}']);
    assert.match(cookie(refused), /Max-Age=0/);
  });

  test('session: key from header, Bearer in any case, body', async () => {
    for (const [options, apiKey] of [[{ headers: { 'X-WAREST-API-KEY': 'a', Authorization: 'Bearer b' } }, 'a'], [{ headers: { Authorization: 'bearer b' } }, 'b'],
      [{ body: { apiKey: 'c', token: 'd' } }, 'c'], [{ body: { token: 'd' } }, 'd']]) {
      await server.request('POST', '/api/auth/session', options);
      assert.deepEqual([sent().m, sent().p], ['auth.session', { apiKey }]);
    }
    const answer = await server.request('POST', '/api/auth/session', { body: {} });
    assert.deepEqual([answer.status, answer.text], [400, '{"error":"apiKey required"}']);
  });

  test('logout hands over key and cookie', async () => {
    daemon.answer = () => ({ status: 200, bare: { ok: true }, cookie: '' });
    const answer = await server.request('POST', '/api/auth/logout', { headers: { Cookie: 'a=b; WAREST_DOCS_SESSION=x%2Fy' } });
    assert.deepEqual([answer.text, sent().p], ['{"ok":true}', { cookie: 'x/y' }]);
    await server.request('POST', '/api/auth/logout', { headers: { Cookie: 'WAREST_DOCS_SESSION=c' }, key: 'k' });
    assert.deepEqual(sent().p, { apiKey: 'k', cookie: 'c' });
    assert.match(cookie(answer), /Max-Age=0/);
  });
});

describe('webhooks/preflight', () => {
  const path = '/api/webhooks/preflight';

  test('is bare, checks url and secret first', async () => {
    for (const body of [{}, { url: 'http://x' }, { secret: 's', sessionId: 'a' }, { url: [], secret: 's' }]) {
      const answer = await post(path, body);
      assert.deepEqual([answer.status, answer.text], [400, '{"error":"url and secret required"}']);
    }
    const answer = await post(path, { url: 'http://x', secret: 's' });
    assert.deepEqual([answer.status, answer.text], [404, '{"error":"Session not found"}']);
    await post(path, { sessionId: 'a', url: ['http://x', 'http://y'], secret: ['s', 't'] });
    assert.deepEqual([sent().m, sent().p, sent().session, sent().guards],
      ['webhooks.preflight', { url: ['http://x', 'http://y'], secret: 's' }, { family: 'preflight', id: 'a' }, {}]);
    await post(path, { sessionId: 'a', url: 'http://x', secret: 's' });
    assert.deepEqual(sent().p.url, ['http://x']);
  });
});

describe('misc/whatsapp/poll-update-vote', () => {
  const path = '/api/v1/misc/whatsapp/poll-update-vote';
  const vote = { encPayload: 'AAAA', encIv: 'AAAA' };
  const pollCreationMessageKey = { id: '3EB0', remoteJid: '1@s.whatsapp.net', fromMe: true };

  test('checks the vote, then its poll, then the session', async () => {
    const cases = [
      [{}, 2001, 'pollUpdateVote is required'], [{ pollUpdateVote: 'no json' }, 2001, 'pollUpdateVote is required'],
      [{ pollUpdateVote: { vote: { encIv: 'AA' } } }, 2002, 'encPayload and encIv are required'],
      [{ pollUpdateVote: { vote } }, 2002, 'poll message id is required'],
      [{ pollUpdateVote: { vote, pollCreationMessageKey } }, 2001, 'Provide sessionId or sessionPhone'],
    ];
    for (const [body, code, message] of cases) {
      const answer = await post(path, body);
      assert.deepEqual([answer.status, answer.json.code, answer.json.message], [400, code, message]);
    }
    for (const pollUpdateVote of [{ vote, pollCreationMessageKey }, JSON.stringify({ vote, pollCreationMessageKey })]) {
      await post(path, { pollUpdateVote, sessionId: 'a', voterJid: '2@lid' });
      assert.deepEqual([sent().m, sent().p, sent().session], ['misc.poll-vote', { voterJid: '2@lid', pollUpdateVote: { vote, pollCreationMessageKey } }, { family: 'misc', id: 'a' }]);
    }
  });
});

// The subset of block YAML that has JSON scalars.
function parseYaml(text) {
  const lines = text.split('\n').filter(Boolean).map((l) => ({ depth: l.search(/\S/) / 2, text: l.trim() }));
  let at = 0;
  const block = (depth) => {
    const list = lines[at].text.startsWith('-') && !lines[at].text.startsWith('"');
    const out = list ? [] : {};
    while (at < lines.length && lines[at].depth === depth) {
      const [, name, rest] = list ? [null, null, lines[at].text.slice(1)] : lines[at].text.match(/^("(?:[^"\\]|\\.)*"):(.*)$/);
      at++;
      const value = rest.trim() ? JSON.parse(rest) : block(depth + 1);
      if (list) out.push(value);
      else out[JSON.parse(name)] = value;
    }
    return out;
  };
  return block(0);
}

describe('documents', () => {
  test('need a key of their own kind', async () => {
    for (const path of ['/docs/openapi.json', '/docs/openapi.yaml', '/docs/code-table.json']) {
      for (const headers of [{}, { 'X-API-KEY': 'k' }, { 'Api-Key': 'k' }]) {
        const answer = await server.request('GET', path, { headers });
        assert.deepEqual([answer.status, answer.json], [401, { error: 'LOGIN_REQUIRED', login: `/login?next=${encodeURIComponent(path)}` }]);
      }
      assert.equal((await server.request('GET', `${path}?api_key=k`)).status, 401);
      assert.equal((await server.request('GET', path, { headers: { Authorization: 'bearer k' } })).status, 200);
      assert.deepEqual([sent().m, sent().auth, sent().key, sent().cookie], ['docs.guard', 'docs', 'k', undefined]);
      await server.request('GET', path, { headers: { Cookie: 'WAREST_DOCS_SESSION=a%2Fb' } });
      assert.deepEqual([sent().key, sent().cookie], ['a/b', true]);
    }
  });

  test('a cookie that no longer works is taken back', async () => {
    daemon.answer = () => ({ status: 401, bare: { error: 'Invalid X-WAREST-API-KEY' } });
    const answer = await server.request('GET', '/docs/openapi.json', { headers: { Cookie: 'WAREST_DOCS_SESSION=old' } });
    assert.equal(answer.json.error, 'LOGIN_REQUIRED');
    assert.match(answer.headers['set-cookie'][0], /Max-Age=0/);
    const header = await get('/docs/openapi.json');
    assert.equal(header.headers['set-cookie'], undefined);
  });

  test('OpenAPI as JSON names the server it came from, YAML says the same', async () => {
    const json = await get('/docs/openapi.json', { headers: { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'api.example' } });
    assert.equal(json.json.servers[0].url, 'https://api.example');
    assert.equal((await get('/docs/openapi.json')).json.servers[0].url, server.url);
    const yaml = await get('/docs/openapi.yaml');
    assert.equal(yaml.headers['content-type'], 'application/yaml; charset=utf-8');
    const { servers, ...rest } = json.json;
    const { servers: local, ...same } = parseYaml(yaml.text);
    assert.deepEqual(same, rest);
    assert.deepEqual(local, servers.slice(1));
  });

  test('/openapi.yaml is public', async () => {
    const answer = await server.request('GET', '/openapi.yaml');
    assert.deepEqual([answer.status, answer.headers['content-type'], answer.headers['cache-control']], [200, 'text/yaml; charset=UTF-8', 'public, max-age=604800']);
  });

  test('the code table has all rows', async () => {
    const { json } = await get('/docs/code-table.json');
    assert.equal(json.length, 122);
    assert.deepEqual(json[0], { app_code: 1000, app_name: 'SUCCESS', message: 'Request successful', http_status: 200, category: 'success' });
  });
});

describe('CORS and security headers', () => {
  const ping = (headers, method = 'GET') => server.request(method, '/api/v1/server/ping', { headers });

  test('allowed origins are echoed', async () => {
    for (const origin of ['https://app.example', server?.url, `https://127.0.0.1:${server?.port}`].filter(Boolean)) {
      const { status, headers } = await ping({ Origin: origin });
      assert.deepEqual([status, headers['access-control-allow-origin'], headers['access-control-allow-credentials']], [200, origin, 'true']);
      assert.match(headers.vary, /Origin/);
    }
    const none = await ping({});
    assert.deepEqual([none.headers['access-control-allow-origin'], none.headers['access-control-allow-credentials']], [undefined, 'true']);
    const proxied = await ping({ Origin: 'https://api.example', 'X-Forwarded-Host': 'api.example' });
    assert.equal(proxied.status, 200);
  });

  test('others are refused with 403 and without the security headers', async () => {
    for (const method of ['GET', 'OPTIONS']) {
      const { status, json, headers } = await ping({ Origin: 'https://evil.example' }, method);
      assert.deepEqual([status, json], [403, { error: 'CORS not allowed: https://evil.example' }]);
      assert.equal(headers['content-security-policy'], undefined);
      assert.equal(headers['access-control-allow-origin'], undefined);
    }
    assert.equal((await ping({ Origin: 'null' })).status, 403);
  });

  test('any OPTIONS is 204', async () => {
    const { status, headers, text } = await server.request('OPTIONS', '/any/thing', { headers: { Origin: 'https://app.example' } });
    assert.deepEqual([status, text], [204, '']);
    assert.equal(headers['access-control-allow-methods'], 'GET,POST,PUT,PATCH,DELETE,OPTIONS');
    assert.equal(headers['access-control-allow-headers'], 'Content-Type,X-WAREST-API-KEY,Authorization');
    assert.equal(headers['access-control-max-age'], '86400');
  });

  test('the security headers are those of the contract', async () => {
    const { headers } = await ping({});
    const want = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-resource-policy': 'same-origin', 'origin-agent-cluster': '?1',
      'referrer-policy': 'no-referrer', 'strict-transport-security': 'max-age=15552000; includeSubDomains', 'x-content-type-options': 'nosniff',
      'x-dns-prefetch-control': 'off', 'x-download-options': 'noopen', 'x-frame-options': 'SAMEORIGIN', 'x-permitted-cross-domain-policies': 'none', 'x-xss-protection': '0' };
    for (const [name, value] of Object.entries(want)) assert.equal(headers[name], value, name);
    assert.ok(!headers['content-security-policy'].includes('upgrade-insecure-requests'));
    const https = await ping({ 'X-Forwarded-Proto': 'https' });
    assert.ok(https.headers['content-security-policy'].includes('upgrade-insecure-requests'));
  });
});

describe('chats', () => {
  const asked = async (path) => {
    const { status, json } = await get(path);
    assert.equal(status, 200, JSON.stringify(json));
    return sent();
  };

  test('lists: defaults, clamping, values that mean nothing', async () => {
    let { m, p } = await asked('/api/v1/chats?sessionId=main');
    assert.deepEqual([m, p], ['chats.list', { limit: 10, offset: 0, hasMedia: false, sortBy: 'lastMessage', sortOrder: 'desc', search: '', unreadOnly: false }]);
    ({ p } = await asked('/api/v1/chats?sessionId=main&limit=9999&offset=2000000&hasMedia=1&sortBy=UNREADCOUNT&sortOrder=ASC&search=%20a%25_%20&archived=no'));
    assert.deepEqual(p, { limit: 500, offset: 1000000, hasMedia: true, sortBy: 'unreadCount', sortOrder: 'asc', search: 'a%_', archived: false, unreadOnly: false });
    ({ p } = await asked('/api/v1/chats?sessionId=main&limit=x&sortBy=nonsense&sortOrder=sideways'));
    assert.deepEqual([p.limit, p.sortBy, p.sortOrder], [10, 'lastMessage', 'desc']);
  });

  test('messages: the chat of the path counts; times in seconds, milliseconds and ISO 8601', async () => {
    let { m, p } = await asked('/api/v1/chats/0812-2333%204455/messages?sessionId=main&chatId=999999999999&isFromMe=false');
    assert.deepEqual([m, p.chatId, p.limit, p.isFromMe, p.mediaOnly], ['chats.messages', '6281223334455@s.whatsapp.net', 20, false, false]);
    for (const [given, wanted] of [['1714552100', 1714552100000], ['1714552100000', 1714552100000], ['2024-05-01T08:28:20Z', 1714552100000], ['0', 0], ['', undefined],
      ['9999999999999', 9999999999999]]) {
      ({ p } = await asked(`/api/v1/chats/123@lid/messages?sessionId=main&startTime=${given}`));
      assert.deepEqual([p.startTime, p.chatId], [wanted, '123@lid'], given);
    }
    const bad = await get('/api/v1/chats/123@lid/messages?sessionId=main&endTime=yesterday');
    assert.deepEqual([bad.status, bad.json], [400, { status: false, code: 2002, message: 'endTime is invalid', result: null }]);
    const none = await get('/api/v1/chats/%20/messages?sessionId=main');
    assert.deepEqual([none.status, none.json], [400, { status: false, code: 2001, message: 'Missing chatId', result: null }]);
    const nobody = await get('/api/v1/chats/123@lid/messages');
    assert.deepEqual([nobody.status, nobody.json.code, nobody.json.result], [404, 1101, null]);
  });

  test('search wants something to search for', async () => {
    const { m, p } = await asked('/api/v1/messages?sessionId=main&q=%22two+words%22+beg*&chatId=120363000000000001@g.us');
    assert.deepEqual([m, p], ['messages.search', { q: '"two words" beg*', chatId: '120363000000000001@g.us', limit: 20 }]);
    for (const [query, code, message] of [['', 2001, 'q is required'], ['&q=%20', 2001, 'q is required'], ['&q=x&chatId=0', 2002, 'chatId is invalid']]) {
      const { status, json } = await get(`/api/v1/messages?sessionId=main${query}`);
      assert.deepEqual([status, json.code, json.message], [400, code, message]);
    }
  });
});

// The contract's own words, route by route: what is missing is told, every answer of the daemon (each documented success and error) comes in
// the route's envelope. That the daemon gives those answers is for the tests with a daemon.
describe('every documented answer', () => {
  const document = JSON.parse(readFileSync(new URL('../contract/routes.json', import.meta.url)));
  const values = {
    sessionId: 'main', to: '15550001111', message: 'text', emoji: '+', buttons: [{ id: 'a', text: 'A' }], schedule: '02:30',
    chatId: '15550001111', messageId: '3EB0AA', pin: true, groupId: '120363000000000001@g.us', groupName: 'Team', groupDescription: 'text', locked: true, announcement: true,
    inviteLink: 'https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv', participants: ['15550001111'], picture: 'aGVsbG8=', checkNumbers: '15550001111', phone: '15550001111',
    jid: '15550001111@s.whatsapp.net', input: 'aGVsbG8=', key: 'secret', value: 'x', string: 'x', target: 'png', file: 'aGVsbG8=', type: 'image', mediaKey: 'A'.repeat(64),
    pollUpdateVote: { vote: { encPayload: 'AAAA', encIv: 'AAAA' }, pollCreationMessageKey: { id: '3EB0', remoteJid: '1@s.whatsapp.net', fromMe: true } },
  };
  // What is no parameter of the contract's table, but has to be there. Files have their own tests (web-messages), ping asks nobody.
  const contents = {
    location: { latitude: 1, longitude: 2 }, poll: { question: 'Tea?', options: ['yes', 'no'] }, contact: { contacts: [{ fullName: 'Ann', phone: '15550002222' }] },
    list: { title: 'T', buttonText: 'B', sections: [{ title: 'S', rows: [{ title: 'R', id: 'r' }] }] },
  };
  const families = /^\/api\/v1\/(messages|session|server|chats|groups?|profile|misc)(\/|$)/;
  const routes = document.routes.filter((r) => families.test(r.path) && r.body !== 'raw' && !r.path.endsWith('/ping'));
  const envelope = (route, answer) => ({ status: false, code: answer.code, message: answer.message, ...(route.envelope === 'S' ? { result: null } : { results: route.envelope === 'A' ? [] : null }) });
  // B19: a flag that is missing opened the group; it is required here.
  const required = (route) => route.params.filter((p) => p.required || ['locked', 'announcement'].includes(p.name));
  const texts = (message) => message.replace(/^<[^>]*> or /, '');

  /** A request with everything that is required but what is named. */
  const call = (route, without, options = {}) => {
    const given = Object.fromEntries(required(route).filter((p) => p.name !== without).map((p) => [p.name, values[p.name]]));
    Object.assign(given, contents[route.path.split('/send/')[1]]);
    let path = route.path;
    for (const name of path.match(/{(\w+)}/g) ?? []) path = path.replace(name, encodeURIComponent(given[name.slice(1, -1)] ?? ' '));
    if (route.session) given.sessionId = 'main';
    if (route.body !== 'json') {
      const query = new URLSearchParams(Object.entries(given).filter(([name]) => !route.path.includes(`{${name}}`)));
      return server.request(route.method, `${path}?${query}`, { key: 'k', ...options });
    }
    return server.request(route.method, path, { key: 'k', body: given, ...options });
  };

  test('there are as many as the contract has', () => assert.equal(routes.length, 84));

  test('each gives what the daemon says in its envelope, success and error', async () => {
    for (const route of routes) {
      for (const done of route.success) {
        daemon.answer = () => ({ status: done.status, code: done.code ?? 1000, message: 'M', result: { a: 1 } });
        const { status, json } = await call(route);
        assert.deepEqual([status, json.status, json.code, json.message], [done.status, true, done.code ?? 1000, 'M'], `${route.method} ${route.path} ${JSON.stringify(json)}`);
        assert.deepEqual(route.envelope === 'S' ? json.result : json.results, route.envelope === 'S' ? { a: 1 } : [{ a: 1 }], route.path);
      }
      for (const fault of route.errors) {
        daemon.answer = () => ({ status: fault.status, code: fault.code, message: texts(fault.message) });
        const { status, json } = await call(route);
        assert.deepEqual([status, json], [fault.status, envelope(route, { code: fault.code, message: texts(fault.message) })], `${route.method} ${route.path}`);
      }
    }
  });

  test('each asks the daemon for its guards, and passes on what they say', async () => {
    for (const route of routes) {
      daemon.answer = () => ({ status: 429, bare: { error: 'Too many requests' } });
      const limited = await call(route);
      assert.deepEqual([limited.status, limited.json], [429, { error: 'Too many requests' }], route.path);
      const guards = { ...sent().guards };
      assert.deepEqual([guards.rate, guards.quota ?? false], [route.error_sets.includes('rate'), route.error_sets.includes('quota')], `${route.method} ${route.path}`);
      const before = daemon.requests.length;
      assert.deepEqual((await call(route, undefined, { key: undefined })).json, { error: 'Missing X-WAREST-API-KEY' });
      assert.equal(daemon.requests.length, before);
      daemon.answer = ok;
      if (!route.error_sets.includes('json')) continue;
      const broken = await call(route, undefined, { body: '{"a":}', headers: { 'content-type': 'application/json' } });
      assert.deepEqual([broken.status, broken.json], [400, { error: 'Unexpected token } in JSON at position 5' }], route.path);
    }
  });

  test('each says what is missing in the documented words, and asks the daemon for nothing', async () => {
    let told = 0;
    for (const route of routes) {
      const documented = [...route.errors, ...document.session_selectors[route.session]?.errors ?? [], ...['locked', 'announcement'].map((name) => ({ status: 400, code: 2001, message: `${name} is required` }))].filter((e) => e.status === 400);
      for (const param of required(route)) {
        daemon.requests.length = 0;
        const { status, json } = await call(route, param.name);
        const where = `${route.method} ${route.path} without ${param.name}: ${JSON.stringify(json)}`;
        const fault = documented.find((e) => e.message === json.message);
        assert.ok(status === 400 && fault, where);
        assert.deepEqual(json, envelope(route, fault), where);
        assert.deepEqual(daemon.requests.map((r) => r.m).filter((m) => m !== 'guards.check'), [], where);
        told++;
      }
      if (route.session && !route.session.endsWith('auto') && !route.path.includes('{sessionId}')) {
        const nobody = await call({ ...route, session: undefined });
        assert.ok([400, 404].includes(nobody.status), `${route.path}: ${JSON.stringify(nobody.json)}`);
      }
    }
    assert.ok(told > 50, `${told} told`);
  });
});
