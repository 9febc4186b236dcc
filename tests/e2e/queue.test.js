// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a session's queue sends too early, too late, in the wrong order, twice or not at all, or says something else than it does.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { DaemonBench } from './lib/daemon.js';
import { BaileysPeer, endProcessSoon, textOf } from '../peer/baileys-peer.js';
import { until } from './lib/until.js';

const bench = new DaemonBench(15553000000, { env: { WAREST_WEBHOOK_EVENTS: 'account_timelock', WAREST_SEND_ACK_TIMEOUT_MS: '20000' } });
after(endProcessSoon);

const queue = (id, settings) => bench.call(settings ? 'session.queue.put' : 'session.queue.get', { session: id, p: settings ? { settings } : {} });
const texts = async (phone) => (await bench.control('GET', `/accounts/${phone}/inbox?after=0`)).messages.map((m) => m.text);

const waits = (id, test) => until(async () => {
  const { result } = await queue(id);
  return test(result) && result;
}, test.toString());

// "HH:MM" so many hours from now, in UTC.
const clock = (hours) => new Date(Date.now() + hours * 3600000).toISOString().slice(11, 16);

test('settings: defaults of the contract, changed for a session, kept over a kill, refused when wrong', async () => {
  await bench.linked('set');
  const first = await queue('set');
  assert.deepEqual([first.status, first.code, first.result.depth, first.result.paused, first.result.pausedReason], [200, 1000, 0, false, null]);
  assert.deepEqual([first.result.settings.concurrency, first.result.settings.retryDelayMs, first.result.settings.maxSize], [1, 75, 0]);
  assert.equal((await queue('set', { paceMs: 50, coldPerDay: 7 })).result.settings.paceMs, 50);
  for (const wrong of [{ paceMs: -1 }, { quietHours: '22-7' }, { nothing: null }]) {
    const refused = await queue('set', wrong);
    assert.deepEqual([refused.status, refused.code], [400, 2002], JSON.stringify(wrong));
  }
  await bench.restart('SIGKILL');
  const kept = (await queue('set')).result;
  assert.deepEqual([kept.overrides, kept.settings.coldPerDay], [{ paceMs: 50, coldPerDay: 7 }, 7]);
  assert.deepEqual((await queue('set', { paceMs: null })).result.overrides, { coldPerDay: 7 });
});

test('paused: messages wait, are told, survive a kill, leave in the order of priority, each chat in order; a full queue refuses', async () => {
  await bench.linked('pause');
  const [ann, bob, cid] = await Promise.all([1, 2, 3].map(() => bench.account()));
  await queue('pause', { paused: true, maxSize: 5 });
  const low = await bench.sendText('pause', ann.phone, 'ann low', { priority: 'low' });
  assert.deepEqual([low.status, low.code, low.message], [202, 3000, 'Text message queued']);
  assert.deepEqual([low.result[0].status, low.result[0].state, low.result[0].heldBy], ['text queued', 'queued', 'paused']);
  for (const [who, text, priority] of [[bob, 'bob normal', 'normal'], [ann, 'ann normal', 'normal'], [cid, 'cid high', 'high'], [cid, 'cid gone', 'low']])
    assert.equal((await bench.sendText('pause', who.phone, text, { priority, messageId: text.replace(' ', '-') })).status, 202);
  const full = await bench.sendText('pause', bob.phone, 'too much');
  assert.deepEqual([full.status, full.code, full.message], [500, 8000, 'Queue limit reached']);
  const gone = await bench.call('messages.scheduled.cancel', { session: 'pause', family: 'messages', p: { messageId: 'cid-gone' } });
  assert.equal(gone.status, 200, JSON.stringify(gone));
  const state = (await queue('pause')).result;
  assert.deepEqual([state.depth, state.held, state.holds, state.pausedReason], [4, 4, { paused: 4 }, 'paused']);
  assert.ok(state.oldestMs >= 0);
  await bench.restart('SIGKILL');
  await bench.until('pause', 'open');
  assert.equal((await waits('pause', (s) => s.depth === 4)).pausedReason, 'paused');
  const order = [];
  await queue('pause', { paused: false });
  await waits('pause', (s) => s.depth === 0 && s.inFlight === 0);
  for (const { phone } of [ann, bob, cid]) order.push(await texts(phone));
  assert.deepEqual(order, [['ann low', 'ann normal'], ['bob normal'], ['cid high']]);
});

test('a Baileys client sees the pace and the order; what would wait longer than a request is queued', async () => {
  await bench.linked('pace');
  const peer = await bench.account();
  const mate = new BaileysPeer(bench.wasim);
  try {
    await mate.pair(peer.phone);
    await queue('pace', { paceMs: 400, paceJitter: 0 });
    const started = Date.now();
    const answers = await Promise.all([1, 2, 3, 4].map((n) => bench.sendText('pace', peer.phone, `paced ${n}`)));
    assert.ok(Date.now() - started >= 1200, 'three pauses');
    assert.deepEqual(answers.map((a) => a.status), [200, 200, 200, 200]);
    await mate.waitFor(() => mate.messages.length >= 4, 'four messages');
    assert.deepEqual(mate.messages.map(textOf), ['paced 1', 'paced 2', 'paced 3', 'paced 4']);
    await queue('pace', { paceMs: 3600000 });
    await bench.sendText('pace', peer.phone, 'the last one');
    const later = await bench.sendText('pace', peer.phone, 'in an hour');
    assert.deepEqual([later.status, later.result[0].heldBy], [202, 'pace']);
    assert.ok(later.result[0].retryAfter > 3500);
    await queue('pace', { paceMs: null });
    await mate.waitFor(() => mate.messages.some((m) => textOf(m) === 'in an hour'), 'the rest');
  } finally {
    mate.stop();
  }
});

test('quiet hours: all but what is urgent waits, and leaves when they are over', async () => {
  await bench.linked('quiet');
  const peer = await bench.account(), other = await bench.account();
  await queue('quiet', { quietHours: `${clock(-2)}-${clock(2)}`, timezone: 'UTC' });
  const answer = await bench.sendText('quiet', peer.phone, 'good night');
  assert.deepEqual([answer.status, answer.result[0].heldBy], [202, 'quiet_hours']);
  assert.ok(Math.abs(answer.result[0].retryAfter - 7200) < 120 && Number(answer.headers['Retry-After']) > 7000);
  assert.equal((await bench.sendText('quiet', other.phone, 'it burns', { priority: 'high' })).status, 200);
  const state = (await queue('quiet')).result;
  assert.deepEqual([state.pausedReason, state.holds], ['quiet_hours', { quiet_hours: 1 }]);
  assert.ok(Date.parse(state.nextSendAt) > Date.now());
  assert.deepEqual(await texts(peer.phone), []);
  await queue('quiet', { quietHours: `${clock(2)}-${clock(4)}` });
  assert.equal((await bench.inbox(peer.phone, 'good night')).length, 1);
});

test('a daily budget for new contacts: known ones go on, an answer makes a contact known, the count survives a kill', async () => {
  const { phone } = await bench.linked('cold');
  const [known, first, second, third] = await Promise.all([1, 2, 3, 4].map(() => bench.account()));
  await bench.phoneSends(known.phone, phone, 'hello shop');
  await bench.hook.wait('message_received', (d) => d.text === 'hello shop');
  await queue('cold', { coldPerDay: 1 });
  assert.equal((await bench.sendText('cold', known.phone, 'hello customer')).status, 200);
  assert.equal((await bench.sendText('cold', first.phone, 'new one')).status, 200);
  assert.equal((await bench.sendText('cold', first.phone, 'the same one again')).status, 200);
  const held = await bench.sendText('cold', second.phone, 'one too many');
  assert.deepEqual([held.status, held.result[0].heldBy], [202, 'cold_budget']);
  assert.ok(held.result[0].retryAfter > 0 && held.result[0].retryAfter <= 90000);
  await bench.restart('SIGKILL');
  await bench.until('cold', 'open');
  const state = await waits('cold', (s) => s.holds.cold_budget === 1);
  assert.deepEqual([state.cold.used, state.cold.perDay, state.pausedReason], [1, 1, 'cold_budget']);
  assert.equal((await bench.sendText('cold', third.phone, 'another')).status, 202);
  await bench.phoneSends(second.phone, phone, 'what was it?');
  assert.equal((await bench.inbox(second.phone, 'one too many')).length, 1);
  assert.deepEqual(await texts(third.phone), []);
  await queue('cold', { coldPerDay: 0 });
  assert.equal((await bench.inbox(third.phone, 'another')).length, 1);
});

test('463: the account is restricted: asked for, told, kept, new contacts wait, others go on, it ends by itself', async () => {
  const { phone } = await bench.linked('lock');
  const [known, first, second] = await Promise.all([1, 2, 3].map(() => bench.account()));
  assert.equal((await bench.sendText('lock', known.phone, 'before')).status, 200);
  const until = Math.floor(Date.now() / 1000) + 3600;
  await bench.control('PATCH', `/accounts/${phone}`, { timelock: { until }, quiet: true });
  const refused = await bench.sendText('lock', first.phone, 'refused');
  assert.deepEqual([refused.status, refused.code], [429, 3001], JSON.stringify(refused));
  assert.ok(Number(refused.headers['Retry-After']) > 3500);
  const told = await bench.hook.wait('account_timelock', (d) => d.id === 'lock');
  assert.deepEqual([told.data.active, told.data.kind, told.data.until], [true, 'RESTRICT_ALL_COMPANIONS', until * 1000]);
  const held = await bench.sendText('lock', second.phone, 'waits');
  assert.deepEqual([held.status, held.result[0].heldBy], [202, 'restricted']);
  assert.equal((await bench.sendText('lock', known.phone, 'goes on')).status, 200);
  await bench.restart('SIGKILL');
  await bench.until('lock', 'open');
  const state = await waits('lock', (s) => s.holds.restricted === 1);
  assert.deepEqual([state.restriction.active, state.restriction.kind, state.pausedReason], [true, 'RESTRICT_ALL_COMPANIONS', 'restricted']);
  // The end is moved to soon: the notification tells, and nobody has to do anything.
  const soon = Math.floor(Date.now() / 1000) + 3;
  await bench.control('PATCH', `/accounts/${phone}`, { timelock: { until: soon } });
  await waits('lock', (s) => Date.parse(s.restriction.until) === soon * 1000);
  await bench.control('PATCH', `/accounts/${phone}`, { timelock: null, quiet: true });
  assert.equal((await bench.inbox(second.phone, 'waits')).length, 1);
  assert.ok(Date.now() >= soon * 1000);
  await bench.hook.wait('account_timelock', (d) => d.id === 'lock' && d.active === false);
  assert.deepEqual(await texts(first.phone), []);
  assert.equal((await queue('lock')).result.restriction.active, false);
});

test('463 without a restriction is a failure like others', async () => {
  const { jid } = await bench.linked('token');
  const peer = await bench.account();
  await bench.control('POST', '/faults', { kind: 'ack_error', code: 463, device: jid });
  const answer = await bench.sendText('token', peer.phone, 'no token');
  assert.deepEqual([answer.status, answer.code], [500, 8000]);
  assert.equal((await bench.sendText('token', peer.phone, 'with one')).status, 200);
});

test('an attempt that takes too long is tried again under its id, then given up; the others go on', async () => {
  const { jid } = await bench.linked('slow');
  const [lost, peer] = await Promise.all([1, 2].map(() => bench.account()));
  await queue('slow', { timeoutMs: 300, maxRetries: 1, retryDelayMs: 10 });
  await bench.control('POST', '/faults', { kind: 'iq_silence', count: 0, match: { xmlns: 'usync' }, device: jid });
  const [failed] = await Promise.all([bench.sendText('slow', lost.phone, 'nothing is known')]);
  assert.deepEqual([failed.status, failed.code], [500, 8000]);
  const { stats } = (await queue('slow')).result;
  assert.deepEqual([stats.timedOut, stats.retried, stats.failed], [2, 1, 1]);
  await bench.control('DELETE', '/faults');
  assert.equal((await bench.sendText('slow', peer.phone, 'known')).status, 200);
  assert.deepEqual(await texts(lost.phone), []);
});

test('concurrency: so many messages are made ready at once and no more, until the number is changed', async () => {
  const { jid } = await bench.linked('many');
  const peers = await Promise.all([1, 2, 3, 4, 5].map(() => bench.account()));
  await queue('many', { concurrency: 2 });
  // Whose devices nobody tells: what was begun stays begun.
  const { fault } = await bench.control('POST', '/faults', { kind: 'iq_silence', count: 0, match: { xmlns: 'usync' }, device: jid });
  const asked = async () => (await bench.control('GET', '/faults')).faults.find((f) => f.id === fault.id).struck;
  const answers = peers.map((peer, i) => bench.sendText('many', peer.phone, `one of many ${i}`));
  await waits('many', (s) => s.depth === 3 && s.inFlight === 2);
  while (await asked() < 2) await new Promise((done) => setTimeout(done, 20));
  await queue('many', { concurrency: 4 });
  assert.deepEqual([await asked(), (await waits('many', (s) => s.depth === 1)).inFlight], [4, 4]);
  await bench.control('DELETE', '/faults');
  await bench.call('session.reconnect', { session: 'many', family: 'session' });
  assert.deepEqual((await Promise.all(answers)).map((a) => a.status), [200, 200, 200, 200, 200]);
  for (const [i, peer] of peers.entries()) assert.deepEqual(await texts(peer.phone), [`one of many ${i}`]);
});

test('475: so many new chats are allowed: told, new ones wait, over a kill, until the time is over', async () => {
  const { phone } = await bench.linked('cap');
  const [known, first, second] = await Promise.all([1, 2, 3].map(() => bench.account()));
  assert.equal((await bench.sendText('cap', known.phone, 'before')).status, 200);
  const until = Math.floor(Date.now() / 1000) + 3600;
  await bench.control('PATCH', `/accounts/${phone}`, { cap: { until }, quiet: true });
  const refused = await bench.sendText('cap', first.phone, 'refused');
  assert.deepEqual([refused.status, refused.code, Number(refused.headers['Retry-After']) > 3500], [429, 3001, true], JSON.stringify(refused));
  assert.equal((await bench.hook.wait('account_timelock', (d) => d.id === 'cap')).data.kind, 'NEW_CHAT_MESSAGES_CAPPED');
  assert.equal((await bench.sendText('cap', known.phone, 'goes on')).status, 200);
  const held = await bench.sendText('cap', second.phone, 'waits');
  assert.deepEqual([held.status, held.result[0].heldBy, Number(held.headers['Retry-After']) > 3500], [202, 'restricted', true]);
  await bench.restart('SIGKILL');
  await bench.until('cap', 'open');
  const state = await waits('cap', (s) => s.holds.restricted === 1);
  assert.deepEqual([state.restriction.kind, Date.parse(state.restriction.until)], ['NEW_CHAT_MESSAGES_CAPPED', until * 1000]);
  const still = await bench.sendText('cap', second.phone, 'waits as well');
  assert.deepEqual([still.status, Number(still.headers['Retry-After']) > 3400], [202, true]);
  // The account may again, which is learnt with the next login.
  await bench.control('PATCH', `/accounts/${phone}`, { cap: null, quiet: true });
  await bench.call('session.reconnect', { session: 'cap', family: 'session' });
  assert.equal((await bench.inbox(second.phone, 'waits as well')).length, 1);
  assert.deepEqual(await texts(second.phone), ['waits', 'waits as well']);
  assert.equal((await queue('cap')).result.restriction.active, false);
});

test('a login that is locked stays locked over a restart', async () => {
  const login = (password) => bench.rpc.call('auth.login', { ip: '192.0.2.77', p: { username: 'admin', password } });
  for (let i = 0; i < 5; i++) await login('wrong');
  assert.equal((await login('a long password')).status, 429);
  await bench.restart();
  assert.equal((await login('a long password')).status, 429);
});

// ---- what is to be sent later ----

const at = (ms) => Date.now() + ms;
const reschedule = (id, messageId, p) => bench.call('messages.scheduled.change', { session: id, family: 'messages', p: { messageId, ...p } });
const later = async (id, phone, text, send_at) => (await bench.sendText(id, phone, text, { send_at, messageId: text.replaceAll(' ', '-') })).result[0].messageId;
const arrivals = async (phone, n) => {
  for (const end = Date.now() + 60000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const all = await texts(phone);
    if (all.length >= n) return all;
    assert.ok(Date.now() < end, `${all.length} of ${n} messages`);
  }
};

test('a message for later takes another time and another text, over a kill, and leaves once', async () => {
  await bench.linked('change');
  const [ann, bob] = await Promise.all([1, 2].map(() => bench.account()));
  const sooner = await later('change', ann.phone, 'sooner', at(3600000)), put_off = await later('change', bob.phone, 'put off', at(1500));
  const moved = await reschedule('change', put_off, { send_at: at(3600000) });
  assert.deepEqual([moved.status, moved.message, moved.result.messageId, moved.result.state], [200, 'Scheduled message changed', put_off, 'queued']);
  const worded = await reschedule('change', sooner, { message: 'said otherwise' });
  assert.equal(worded.status, 200, JSON.stringify(worded));
  await bench.restart('SIGKILL');
  await bench.until('change', 'open');
  const due = at(1500), again = await reschedule('change', sooner, { send_at: due });
  assert.equal(Date.parse(again.result.scheduledAt), due);
  assert.deepEqual(await arrivals(ann.phone, 1), ['said otherwise']);
  assert.ok(Date.now() >= due);
  assert.deepEqual(await texts(bob.phone), []);
  const now = await reschedule('change', put_off, { send_at: at(-1000), message: 'at once' });
  assert.equal(now.status, 200, JSON.stringify(now));
  assert.deepEqual(await arrivals(bob.phone, 1), ['at once']);
  for (const [id, p, status, code] of [[sooner, { message: 'late' }, 409, 2009], ['UNKNOWN', { message: 'x' }, 404, 2601], ['a b', { message: 'x' }, 404, 2601], [sooner, {}, 400, 2001]]) {
    const refused = await reschedule('change', id, p);
    assert.deepEqual([refused.status, refused.code], [status, code], JSON.stringify(refused));
  }
});

test('killed around the time of messages for later: each leaves once, those that were due meanwhile at the next start', async () => {
  await bench.linked('due');
  const { phone } = await bench.account(), n = 12, start = at(1200), ids = [];
  for (let i = 0; i < n; i++) ids.push(await later('due', phone, `due ${i}`, start + i * 150));
  await new Promise((resolve) => setTimeout(resolve, start - Date.now()));
  for (let kill = 0; kill < 3; kill++) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
    await bench.restart('SIGKILL');
  }
  await bench.until('due', 'open');
  assert.deepEqual(await arrivals(phone, n), Array.from({ length: n }, (_, i) => `due ${i}`));
  const { messages } = await bench.control('GET', `/accounts/${phone}/inbox?after=0&limit=1000`);
  assert.deepEqual(messages.map((m) => m.id), ids);
});

test('what is due while the session is closed waits, and leaves when it opens', async () => {
  const { phone: own } = await bench.linked('closed');
  const { phone } = await bench.account();
  const before = (await bench.sendText('closed', phone, 'before it')).result[0].messageId;
  await bench.control('POST', '/faults', { kind: 'login_failure', attrs: { reason: '503' }, device: own, count: 0 });
  const due = at(5000);
  await later('closed', phone, 'while away', due);
  await bench.call('session.reconnect', { session: 'closed', family: 'session' });
  await bench.control('GET', '/events?type=login_refused&reason=503&wait=60000');
  assert.ok(Date.now() < due, 'it is closed before the message is due');
  await new Promise((resolve) => setTimeout(resolve, due + 200 - Date.now()));
  assert.deepEqual(await texts(phone), ['before it']);
  // How messages are doing is known without a connection.
  const status = async (messageId) => { const { status: code, result } = await bench.call('messages.status', { session: 'closed', family: 'messages-stored', p: { messageId } }); return [code, result?.messageId, result?.state]; };
  assert.deepEqual(await status('while-away'), [200, 'while-away', 'queued']);
  assert.deepEqual((await status(before)).slice(0, 2), [200, before]);
  assert.match((await status(before))[2], /^(server_ack|delivered|read)$/);
  await bench.control('DELETE', '/faults');
  await bench.until('closed', 'open');
  assert.deepEqual(await arrivals(phone, 2), ['before it', 'while away']);
});
