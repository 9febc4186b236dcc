// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a second receiver of a session gets what it did not ask for, nothing, or unsigned events; its secret cannot be changed
// without losses; or nobody can see what became of an event.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import { once, EventEmitter } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { startGateway } from './lib/web-gateway.js';
import { isInstalled } from './lib/web.js';
import { until } from './lib/until.js';

const settings = { RATE_LIMIT_MAX: '0', SPAM_COOLDOWN_MS: '0', QUOTA_MAX: '0', WAREST_OUTBOUND_ALLOW: 'loopback', WAREST_WEBHOOK_BACKOFF_MS: '20',
  WAREST_WEBHOOK_JITTER_MS: '5' };
const SHOP = '15550001111', BOB = '15550002222';

// Keeps what it is told; answer(request) says the status.
class Receiver extends EventEmitter {
  constructor() {
    super();
    this.setMaxListeners(0);
    this.got = [];
    this.answer = () => 200;
    this.server = http.createServer(async (request, response) => {
      const parts = [];
      for await (const part of request) parts.push(part);
      const body = Buffer.concat(parts).toString();
      const one = { headers: request.headers, body, json: JSON.parse(body), at: Date.now() };
      one.status = await this.answer(one);
      response.writeHead(one.status).end(this.reply ?? `{"note":"${one.status}"}`);
      this.got.push(one);
      this.emit('got');
    });
  }
  async open() {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.url = `http://127.0.0.1:${this.server.address().port}/in`;
    return this;
  }
  async until(condition) {
    while (!this.got.some(condition)) await once(this, 'got');
    return this.got.find(condition);
  }
  taken() { return this.got.filter((one) => one.status < 300); }
  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const hmac = (bits, key, text) => crypto.createHmac(`sha${bits}`, key).update(text).digest('hex');
function secondSignature(one, bits, secrets) {
  const [t, ...v1] = one.headers['x-warest-signature-v2'].split(',').map((part) => part.split('='));
  assert.equal(t[0], 't');
  assert.ok(Math.abs(Date.now() / 1000 - Number(t[1])) < 600);
  assert.deepEqual(v1, secrets.map((secret) => ['v1', hmac(bits, secret, `${t[1]}.${one.body}`)]));
}
const firstSignature = (one, bits, secret) => assert.equal(one.headers['x-warest-signature'], `HMAC-SHA${bits}=${hmac(bits, secret + one.headers['x-warest-username'], one.body)}`);

describe('webhooks over REST', { skip: !isInstalled('lighttpd') && 'lighttpd is not installed' }, () => {
  let gateway, a, b, all, n = 0;
  const hooks = '/session/shop/webhooks';
  const result = (answer, status = 200) => {
    assert.equal(answer.status, status, answer.text);
    return answer.json.results[0];
  };
  const api = async (method, path, body) => result(await gateway.api(method, path, body === undefined ? {} : { body }));
  const refusal = async (method, path, body) => {
    const answer = await gateway.api(method, path, { body });
    return [answer.status, answer.json.code, answer.json.message];
  };
  const said = (one, text) => one.json.event === 'message_received' && one.json.data.text === text;
  const say = async () => {
    const text = `text ${++n}`;
    await gateway.control(`/accounts/${BOB}/send`, { to: SHOP, text });
    return text;
  };
  const get = (id) => api('GET', `${hooks}/${id}`);
  const settled = (id, check) => until(async () => {
    const one = await get(id);
    return check(one) && one;
  }, check.toString());
  const adds = ({ counts: c }) => assert.equal(c.events, c.delivered + c.dead + c.skipped + c.missed + c.pending, JSON.stringify(c));

  before(async () => {
    gateway = await startGateway('lighttpd', settings);
    [a, b, all] = await Promise.all([0, 1, 2].map(() => new Receiver().open()));
    await gateway.link('shop', SHOP);
    await gateway.control('/accounts', { phone: BOB, name: 'Bob' });
  });
  after(async () => {
    await gateway?.stop();
    for (const receiver of [a, b, all]) receiver?.close();
  });

  test('what is wrong is refused and makes nothing', async () => {
    const wrong = [
      [{ name: 'x' }, 2001, 'url is required'], [{ url: 'ftp://x/' }, 1201, 'Invalid webhook URL'], [{ url: 'http://10.1.2.3/' }, 1201],
      [{ url: a.url, evnts: [] }, 2002, 'There is no parameter "evnts"'], [{ url: a.url, events: ['calls'] }, 2002, 'events: "calls" is no event'],
      [{ url: a.url, events: [] }, 2002], [{ url: a.url, secret: 'short' }, 2002], [{ url: a.url, algorithm: 'md5' }, 2002],
      [{ url: a.url, order: 'random' }, 2002], [{ url: a.url, concurrency: 33 }, 2002], [{ url: a.url, enabled: 'yes' }, 2002],
      [{ url: a.url, headers: { Host: 'x' } }, 2002, 'headers: Host is not to be chosen'], [{ url: a.url, headers: { A: 'x\r\nB: c' } }, 2002],
      [{ url: a.url, headers: { 'X-WAREST-Event': 'x' } }, 2002], [{ url: a.url, name: '' }, 2002],
      [{ url: a.url, timeoutMs: 99 }, 2002], [{ url: a.url, timeoutMs: '1000' }, 2002], [{ url: a.url, actions: 'no' }, 2002, 'actions must be true or false'],
    ];
    for (const [body, code, message] of wrong) {
      const [status, got, text] = await refusal('POST', hooks, body);
      assert.deepEqual([status, got], [400, code], `${JSON.stringify(body)}: ${text}`);
      if (message) assert.equal(text, message);
    }
    assert.equal((await refusal('POST', '/session/nobody/webhooks', { url: a.url }))[0], 404);
    assert.deepEqual((await refusal('GET', `${hooks}/01NOBODY`)).slice(0, 2), [404, 2600]);
    for (const [method, path] of [['PUT', ''], ['DELETE', ''], ['POST', '/rotate']])
      assert.deepEqual((await refusal(method, `${hooks}/webhook${path}`, {})).slice(0, 2), [409, 2003]);
    const { webhooks } = await api('GET', hooks);
    assert.deepEqual(webhooks.map((w) => [w.id, w.state]), [['webhook', 'off']]);
  });

  let one, two, every;
  test('each receiver gets its own events, its own way; the original\'s headers stay', async () => {
    await api('POST', '/session/shop/config', { webhookUrl: a.url, webhookSecret: 'the-own-secret' });
    one = await api('POST', hooks, { url: b.url, name: 'crm', events: ['message_received'], algorithm: 'sha512', order: 'session', concurrency: 2,
      headers: { Authorization: 'Bearer abc', 'X-Team': 'blue' } });
    assert.match(one.secret, /^[A-Za-z0-9]{32}$/);
    assert.deepEqual([one.name, one.events, one.algorithm, one.order, one.concurrency, one.headers, one.enabled, one.state, one.global, one.sessionId],
      ['crm', ['message_received'], 'sha512', 'session', 2, ['Authorization', 'X-Team'], true, 'active', false, 'shop']);
    every = await api('POST', '/webhooks', { url: all.url, name: 'every', secret: 'of-every-session' });
    assert.deepEqual([every.global, every.sessionId, every.secret], [true, null, 'of-every-session']);
    const text = await say();
    const own = await a.until((r) => said(r, text)), extra = await b.until((r) => said(r, text));
    firstSignature(own, 256, 'the-own-secret');
    secondSignature(own, 256, ['the-own-secret']);
    firstSignature(extra, 512, one.secret);
    secondSignature(extra, 512, [one.secret]);
    assert.deepEqual([extra.headers.authorization, extra.headers['x-team'], own.headers.authorization], ['Bearer abc', 'blue', undefined]);
    assert.equal(extra.headers['x-warest-event-id'], own.headers['x-warest-event-id']);
    assert.ok(b.got.every((r) => r.json.event === 'message_received'));
    firstSignature(await all.until((r) => said(r, text)), 256, 'of-every-session');
    const list = (await api('GET', hooks)).webhooks;
    assert.deepEqual(list.map((w) => w.id), ['webhook', one.id, every.id]);
    assert.ok(list.every((w) => !('secret' in w)));
    list.forEach(adds);
  });

  test('a session that comes later reports to the receivers of every session, from its first event on', async () => {
    await gateway.api('GET', '/session/create?sessionId=later');
    await all.until((r) => r.json.session.id === 'later' && r.json.data.tags === 'create');
    const shown = await api('GET', `/webhooks/${every.id}`);
    assert.equal(shown.sessions.active, 2);
    adds(shown);
  });

  test('paused by hand: events wait, also over a restart; resumed, they come in order', async () => {
    assert.equal((await api('POST', `${hooks}/${one.id}/pause`, {})).state, 'held');
    const texts = [await say(), await say()];
    for (const text of texts) await a.until((r) => said(r, text));
    await gateway.daemon.stop();
    await gateway.startDaemon();
    const held = await settled(one.id, (w) => w.counts.pending >= 2);
    assert.equal(held.state, 'held');
    adds(held);
    await until(async () => (await api('GET', '/session/list')).items.find((i) => i.id === 'shop').status === 'open', 'the open session');
    assert.ok(!b.got.some((r) => texts.some((text) => said(r, text))));
    assert.equal((await api('POST', `${hooks}/${one.id}/resume`, {})).state, 'active');
    for (const text of texts) await b.until((r) => said(r, text));
    const order = b.got.map((r) => r.json.data.text).filter((text) => texts.includes(text));
    assert.deepEqual(order, texts);
    adds(await settled(one.id, (w) => w.counts.pending === 0));
  });

  test('a secret is changed with two valid ones; the old one signs the original\'s header until the end', async () => {
    const rotated = await api('POST', `${hooks}/${one.id}/rotate`, { secret: 'the-new-secret', graceHours: 1 });
    assert.equal(rotated.secret, 'the-new-secret');
    assert.ok(Date.parse(rotated.rotationEndsAt) > Date.now());
    let text = await say();
    let got = await b.until((r) => said(r, text));
    firstSignature(got, 512, one.secret);
    secondSignature(got, 512, [one.secret, 'the-new-secret']);
    const last = await api('POST', `${hooks}/${one.id}/rotate`, { graceHours: 0 });
    assert.equal(last.rotationEndsAt, null);
    text = await say();
    got = await b.until((r) => said(r, text));
    firstSignature(got, 512, last.secret);
    secondSignature(got, 512, [last.secret]);
    assert.deepEqual((await refusal('POST', `${hooks}/${one.id}/rotate`, { graceHours: 1000 })).slice(0, 2), [400, 2002]);
    assert.deepEqual((await refusal('POST', `${hooks}/${one.id}/rotate`, { secret: 'x' })).slice(0, 2), [400, 2002]);
  });

  test('what it refuses while it takes others becomes a dead letter, is shown, and can be delivered once more', async () => {
    two = await api('POST', hooks, { url: b.url, events: ['message_received'], name: 'picky', order: 'none' });
    let bad = true, poison;
    b.answer = (r) => (bad && said(r, poison) && r.headers['x-warest-signature-v2'].includes('v1=') && r.headers['x-picky'] ? 422 : 200);
    await api('PUT', `${hooks}/${two.id}`, { headers: { 'X-Picky': '1' } });
    poison = `text ${n + 1}`;
    await say();
    const letters = async () => (await api('GET', `${hooks}/${two.id}/dead-letters`)).deadLetters;
    await until(async () => {
      await api('POST', `${hooks}/${two.id}/resume`, {});
      const { length } = await letters();
      if (!length) await say();
      return length;
    }, 'a dead letter');
    const [letter] = await letters();
    assert.deepEqual([letter.status, letter.event], [422, 'message_received']);
    let shown = await settled(two.id, (w) => w.counts.pending === 0);
    assert.equal(shown.counts.dead, 1);
    adds(shown);
    const tries = (check) => until(async () => {
      const { deliveries } = await api('GET', `${hooks}/${two.id}/deliveries`);
      return check(deliveries) && deliveries;
    }, check.toString());
    const failed = (await tries((list) => list.some((d) => d.status === 422))).find((d) => d.status === 422);
    assert.deepEqual([failed.sequence, failed.eventId, failed.response], [letter.sequence, letter.eventId, '{"note":"422"}']);
    assert.ok(failed.request.startsWith('{"event":"message_received"') && failed.requestBytes > 100 && failed.tookMs >= 0);
    bad = false;
    assert.equal((await api('POST', `${hooks}/${two.id}/dead-letters/replay`, {})).queued, 1);
    shown = await settled(two.id, (w) => w.counts.dead === 0);
    adds(shown);
    assert.deepEqual(await letters(), []);
    const again = b.taken().filter((r) => r.headers['x-picky'] && r.headers['x-warest-event-id'] === letter.eventId);
    assert.equal(again.length, 1);
  });

  test('once more by number, by time and by id', async () => {
    const mine = () => b.got.filter((r) => r.headers['x-picky']);
    const before = mine().length;
    const { deliveries } = await api('GET', `${hooks}/${two.id}/deliveries`);
    const last = deliveries[0];
    const more = async (body, count) => {
      const from = mine().length;
      assert.equal((await api('POST', `${hooks}/${two.id}/replay`, body)).queued, count);
      while (mine().length < from + 1) await once(b, 'got');
      return mine().at(from).headers['x-warest-event-id'];
    };
    assert.equal(await more({ from: last.sequence, to: last.sequence }, 1), last.eventId);
    assert.equal(await more({ eventId: last.eventId }, 1), last.eventId);
    assert.equal((await api('POST', `${hooks}/${two.id}/replay`, { since: Date.now() + 1000 })).queued, 0);
    assert.ok((await api('POST', `${hooks}/${two.id}/replay`, { since: Date.now() - 600000 })).queued >= 1);
    assert.equal((await api('POST', `${hooks}/${two.id}/replay`, { eventId: 'unknown' })).queued, 0);
    assert.deepEqual((await refusal('POST', `${hooks}/${two.id}/replay`, {})).slice(0, 2), [400, 2001]);
    assert.ok(mine().length >= before + 2);
    adds(await get(two.id));
  });

  test('a time limit of its own; no actions of a receiver that may not; warestctl sees and replays all receivers', async () => {
    const picky = (r) => r.headers['x-picky'];
    assert.deepEqual((({ timeoutMs, actions }) => [timeoutMs, actions])(await get(two.id)), [null, true]);
    const set = await api('PUT', `${hooks}/${two.id}`, { timeoutMs: 150, actions: false });
    assert.deepEqual([set.timeoutMs, set.actions], [150, false]);
    // Longer than its limit, far below the server's.
    let late = true, resume;
    b.answer = async (r) => {
      if (picky(r) && late) await new Promise((resolve) => { resume = resolve; });
      return 200;
    };
    b.reply = '{"actions":[{"type":"noop","to":"15550002222"}]}';
    const text = await say();
    await settled(two.id, (w) => w.lastError === 'no answer in time');
    late = false;
    resume();
    await api('POST', `${hooks}/${two.id}/resume`, {});
    const taken = await b.until((r) => said(r, text) && picky(r) && !late);
    await settled(two.id, (w) => w.counts.pending === 0);
    const runs = async () => (await api('GET', '/session/shop/actions')).items.filter((r) => r.eventId === taken.headers['x-warest-event-id']);
    await settled(one.id, (w) => w.counts.pending === 0);
    assert.deepEqual((await runs()).map((r) => r.receiver), [one.id]);
    b.reply = undefined;
    assert.equal((await api('PUT', `${hooks}/${two.id}`, { timeoutMs: null })).timeoutMs, null);
    const list = (await gateway.operator('ctl.webhook.list')).result;
    assert.deepEqual(list.filter((w) => w.session === 'shop').map((w) => w.receiver).sort(), ['webhook', one.id, two.id, every.id].sort(), JSON.stringify(list));
    const { cursor } = await get(two.id);
    const before = b.got.filter(picky).length;
    const replayed = await gateway.operator('ctl.webhook.replay', { id: 'shop', from: cursor, to: cursor, receiver: two.id });
    assert.equal(replayed.result?.queued, 1, JSON.stringify(replayed));
    assert.equal((await gateway.operator('ctl.webhook.replay', { id: 'shop', from: 1, receiver: 'nobody' })).code, 2600);
    assert.equal((await gateway.operator('ctl.webhook.resume', { id: 'shop', receiver: 'nobody' })).code, 2600);
    assert.equal((await gateway.operator('ctl.webhook.resume', { id: 'shop', receiver: two.id })).code, 1000);
    assert.ok(b.got.filter(picky).length >= before);
  });

  test('off: what comes is not for it; deleted: nothing of it is left; a test tells how it went', async () => {
    assert.deepEqual((({ ok, status }) => [ok, status])(await api('POST', `${hooks}/${two.id}/test`, {})), [true, 200]);
    assert.ok(b.got.some((r) => r.headers['x-warest-preflight'] === '1' && r.headers['x-picky']));
    assert.equal((await api('PUT', `${hooks}/${two.id}`, { enabled: false })).state, 'off');
    const missed = await say();
    await b.until((r) => said(r, missed));
    const off = await get(two.id);
    adds(off);
    assert.equal((await api('PUT', `${hooks}/${two.id}`, { enabled: true })).state, 'active');
    const text = await say();
    await b.until((r) => said(r, text) && r.headers['x-picky']);
    assert.ok(!b.got.some((r) => said(r, missed) && r.headers['x-picky']));
    adds(await settled(two.id, (w) => w.counts.pending === 0));
    await api('DELETE', `${hooks}/${two.id}`);
    await api('DELETE', `/webhooks/${every.id}`);
    assert.equal((await refusal('GET', `${hooks}/${two.id}`))[0], 404);
    assert.deepEqual((await api('GET', hooks)).webhooks.map((w) => w.id), ['webhook', one.id]);
    assert.deepEqual((await refusal('GET', `${hooks}/${every.id}`)).slice(0, 2), [404, 2600]);
  });
});
