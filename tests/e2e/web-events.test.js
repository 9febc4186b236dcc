// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a live view loses events, tells one twice, shows what is somebody else's, or takes the threads away from everybody else;
// or monitoring sees a gateway that is not as it is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, test } from 'node:test';
import parsePrometheus from 'parse-prometheus-text-format';
import { openStream } from './lib/event-stream.js';
import { isInstalled } from './lib/web.js';
import { adminKey, startGateway } from './lib/web-gateway.js';
import { until } from './lib/until.js';

const ANN = '15557200001', BEN = '15557200002', BOB = '15557200003';
const SLOW = /asan|tsan/.test(process.env.WAREST_BUILD_MODE ?? '');

let gateway, strangerKey;

const open = (target, options = {}) => openStream(gateway.server.port, `/api/v1/events${target}`, { key: adminKey, ...options });
const page = async (query, options) => (await gateway.api('GET', `/events${query}`, options)).json.results[0];
const say = (to, text) => gateway.control(`/accounts/${BOB}/send`, { to, text });
const textOf = (event) => event.data.data?.text ?? event.data.text;

// That a client has left is noticed a moment later: until then its place is taken.
async function opened(target, options) {
  return until(async () => {
    const stream = await open(target, options);
    return stream.status !== 429 && stream.status !== 503 && stream;
  }, `a place for ${target}`);
}

// All that is kept, page by page.
async function whole(query, limit) {
  const events = [];
  for (let cursor = 'oldest', more = true; more;) {
    const got = await page(`?after=${cursor}&limit=${limit}&${query}`);
    assert.ok(got.events.length <= limit);
    events.push(...got.events);
    ({ cursor, more } = got);
  }
  return events;
}

before(async () => {
  if (!isInstalled('lighttpd')) return;
  gateway = await startGateway('lighttpd', { RATE_LIMIT_MAX: '0', QUOTA_MAX: '0', SPAM_COOLDOWN_MS: '0', WAREST_EVENTS_LIFE_SEC: SLOW ? '10' : '3', WAREST_EVENTS_HEARTBEAT_SEC: '1',
    WAREST_METRICS_ALLOW: '192.0.2.0/24', WAREST_EVENTS_PER_KEY: '3', WAREST_EVENTS_STREAMS: '4', WAREST_JOURNAL_MAX_MB: '16' });
  await gateway.control('/accounts', { phone: BOB, name: 'Bob' });
  await gateway.link('ann', ANN);
  await gateway.operator('ctl.user.add', { username: 'stranger', password: 'long enough' });
  strangerKey = (await gateway.operator('ctl.key.create', { username: 'stranger', label: 'test' })).result.key;
  await gateway.link('ben', BEN, { key: strangerKey });
});
after(async () => { if (gateway && (gateway.daemon.process.exitCode !== null || gateway.daemon.process.signalCode)) console.error(gateway.daemon.process.exitCode, gateway.daemon.process.signalCode, gateway.daemon.output.slice(-3000)); await gateway?.stop(); });

test('a stream begins with what comes next, and a page with what is kept', async () => {
  await say(ANN, 'before');
  for (let found = []; !found.length;) found = (await page('?events=message_received&wait=20')).events.filter((e) => e.data.text === 'before');
  const stream = await opened('?events=message_received,session_status');
  assert.deepEqual([stream.status, stream.headers['content-type'], stream.headers['cache-control']],
    [200, 'text/event-stream; charset=utf-8', 'no-cache, no-transform']);
  await say(ANN, 'after');
  const event = await stream.next();
  assert.equal(event.event, 'message_received');
  assert.deepEqual(Object.keys(event.data), ['event', 'id', 'sessionId', 'number', 'ts', 'data']);
  assert.deepEqual([event.data.event, event.data.sessionId, event.data.data.text, stream.retry], ['message_received', 'ann', 'after', 2000]);
  stream.close();
  const kept = await whole('events=message_received', 2);
  assert.deepEqual(kept.map((e) => e.data.text), ['before', 'after']);
  assert.deepEqual(kept[1], event.data);
  const rest = await page(`?after=${event.id}&events=message_received`);
  assert.deepEqual([rest.events, rest.more], [[], false]);
});

test('a page that waits is answered by the next event, or empty when the time is over', async () => {
  const { cursor } = await page('?after=now');
  const waiting = page(`?after=${cursor}&events=message_*&wait=60&sessionId=ann`);
  await say(ANN, 'awaited');
  assert.deepEqual((await waiting).events.map((e) => e.data.text), ['awaited']);
  const empty = await page('?after=now&events=nothing&wait=1');
  assert.deepEqual([empty.events, empty.more, typeof empty.cursor], [[], false, 'string']);
});

test('everybody sees what is his own, an administrator everything', async () => {
  assert.equal((await gateway.api('GET', '/events?sessionId=ann', { key: strangerKey })).json.code, 1101);
  assert.equal((await open('?sessionId=ann', { key: strangerKey })).status, 404);
  assert.equal((await open('', { key: 'wrong' })).status, 401);
  const own = await opened('?events=message_received&after=oldest', { key: strangerKey });
  const all = await opened('?events=message_received&sessions=ben,ann');
  await say(ANN, 'to ann');
  await say(BEN, 'to ben');
  assert.equal(textOf(await own.next()), 'to ben');
  assert.deepEqual([textOf(await all.next()), textOf(await all.next())].sort(), ['to ann', 'to ben']);
  own.close();
  all.close();
});

test('what cannot be understood is refused', async () => {
  for (const [query, message] of [['?after=abc', 'after is no cursor of this list'], ['?events=a/b', 'events must be a list of event names; * stands for any letters, ! excludes']]) {
    const answer = await gateway.api('GET', `/events${query}`);
    assert.deepEqual([answer.status, answer.json.code, answer.json.message, answer.json.results], [400, 2002, message, []]);
    assert.equal((await open(query)).json.message, message);
  }
  const cut = (await page('?after=now')).cursor.slice(0, -2);
  assert.equal((await open('', { lastEventId: cut })).status, 400);
});

test('the connection ends after its life, with signs of life before, and where it stood is known without an event', async () => {
  const stream = await opened('?events=nothing');
  assert.equal(await stream.next(), null);
  assert.ok(stream.comments >= 2);
  await say(ANN, 'between two connections');
  const again = await opened('?events=message_received', { lastEventId: stream.lastEventId });
  assert.equal(textOf(await again.next()), 'between two connections');
  again.close();
});

test('places are bounded per key and in all; a client that leaves gives its place back', async () => {
  const mine = [await opened(''), await opened(''), await opened('')];
  const refused = await open('');
  assert.deepEqual([refused.status, refused.json.code, refused.json.message], [429, 2402, 'Too many event streams of this key']);
  assert.ok(Number(refused.headers['retry-after']) > 0);
  const theirs = await opened('', { key: strangerKey });
  const full = await open('', { key: strangerKey });
  assert.deepEqual([full.status, full.json.code, full.json.message], [503, 1600, 'Too many event streams']);
  assert.equal((await gateway.api('GET', '/events?wait=5')).status, 429);
  assert.equal((await gateway.api('GET', '/events')).status, 200);
  theirs.close();
  mine.pop().close();
  const last = await opened('');
  for (const stream of [last, ...mine]) stream.close();
});

test('a key that is revoked ends its stream', async () => {
  const { key, number } = (await gateway.operator('ctl.key.create', { username: 'stranger', label: 'short' })).result;
  const stream = await opened('', { key });
  await gateway.operator('ctl.key.revoke', { number });
  const end = await stream.next();
  assert.deepEqual([end.event, end.data.status], ['end', 401]);
  assert.equal(await stream.next(), null);
});

// The client of a live view as browsers are: comes back with the last id it saw, whatever broke the connection off.
async function follow(query, until) {
  const seen = [];
  let lastEventId = '', connections = 0;
  for (let stream; !until(seen);) {
    stream = await open(query, { lastEventId });
    if (stream.status !== 200) continue;
    connections++;
    for (let event; !until(seen) && (event = await stream.next());) {
      seen.push(event);
      /* now and then the client itself breaks off, in the middle of what is on its way */
      if (seen.length % 23 === 0) break;
    }
    lastEventId = stream.lastEventId;
    if (seen.length) lastEventId = seen.at(-1).id;
    stream.close();
  }
  return { seen, connections };
}

test('nothing is lost and nothing told twice, while messages arrive, connections end and the daemon is killed', async () => {
  const count = SLOW ? 60 : 200;
  const { cursor } = await page('?after=now');
  const texts = Array.from({ length: count }, (_, i) => `wave ${i}`);
  const reading = follow(`?events=message_received&after=${cursor}`, (seen) => seen.length >= count);
  for (let i = 0; i < count; i += 10) {
    await Promise.all(texts.slice(i, i + 10).map((text, k) => say(k % 2 ? ANN : BEN, text)));
    if (i === 30) {
      await gateway.daemon.stop('SIGKILL');
      await gateway.startDaemon();
    }
  }
  const { seen, connections } = await reading;
  assert.ok(connections >= 3, `${connections} connections`);
  assert.deepEqual(seen.map(textOf).sort(), texts.sort());
  for (const session of ['ann', 'ben']) {
    const numbers = seen.filter((e) => e.data.sessionId === session).map((e) => e.data.number);
    assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b));
  }
  /* a page from the same place tells the same */
  const again = [];
  for (let after = cursor, more = true; more;) {
    const got = await page(`?events=message_received&after=${after}&limit=7`);
    again.push(...got.events);
    ({ cursor: after, more } = got);
  }
  assert.deepEqual(again.map((e) => e.id).sort(), seen.map((e) => e.data.id).sort());
});

test('what the journal gave up before it was told is told as such, with how much of which session', async () => {
  const [{ cursor, more }, ben] = [await page('?after=now'), await page('?after=now&sessionId=ben')];
  assert.equal(more, false);
  // The bound is 16 MiB; an event of these takes 120 kB.
  const long = 'x'.repeat(60000);
  let lost, sent = 0;
  for (; !lost; sent += 20) {
    assert.ok(sent < 400, 'nothing was given up');
    await Promise.all(Array.from({ length: 20 }, (_, i) => say(ANN, `${sent + i} ${long}`)));
    const { events } = await page(`?after=${cursor}&events=presence_update&limit=5`);
    lost = events.find((e) => e.event === 'lost');
  }
  assert.deepEqual(lost.sessions.map((s) => [s.sessionId, s.reason, s.lost > 0]), [['ann', 'journal_bound', true]]);
  // Once: the place behind it is known. And nobody hears of what he did not follow.
  const stream = await opened(`?after=${cursor}&events=presence_update`);
  const first = await stream.next();
  assert.equal(first.event, 'lost');
  assert.ok(first.data.sessions[0].lost >= lost.sessions[0].lost);
  stream.close();
  assert.deepEqual((await page(`?after=${first.id}&events=presence_update`)).events.filter((e) => e.event !== 'lost'), []);
  assert.deepEqual((await page(`?after=${ben.cursor}&events=presence_update&sessionId=ben`)).events, []);
});

test('a client that does not read slows its own stream alone', async () => {
  const stream = await opened('?after=oldest');
  stream.request.socket.pause();
  for (let i = 0; i < 5; i++) assert.equal((await gateway.api('GET', '/server/ping')).status, 200);
  const other = await opened('?events=message_received');
  await say(ANN, 'not held up');
  assert.equal(textOf(await other.next()), 'not held up');
  stream.close();
  other.close();
});

// The most that any answer had of each series in this file. Names of sessions and receivers are of no interest.
const most = new Map();
function note(family, metric) {
  const labels = Object.entries(metric.labels ?? {}).filter(([label]) => !['session', 'receiver', 'version'].includes(label)).map(([, value]) => value);
  const name = [family.name, ...labels].join(' ');
  most.set(name, Math.max(most.get(name) ?? 0, Number(metric.value ?? metric.count)));
}

// Families of the text by name, as another program reads them; histograms have buckets.
async function figures(options = { key: adminKey }) {
  const answer = await gateway.server.request('GET', '/metrics', options);
  assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'text/plain; version=0.0.4; charset=utf-8'], answer.text);
  const families = new Map(parsePrometheus(answer.text).map((family) => [family.name, family]));
  for (const family of families.values()) for (const metric of family.metrics) note(family, metric);
  return families;
}
const valueOf = (families, name, labels = {}) => Number(families.get(name).metrics.find((m) => Object.entries(labels).every(([k, v]) => m.labels?.[k] === v)).value);

test('figures are readable and right', async () => {
  const before = await figures();
  await say(ANN, 'counted');
  await page('?events=message_received&after=now');
  const sent = await gateway.api('POST', '/messages/send/text', { body: { sessionId: 'ann', to: BOB, message: 'counted too' } });
  assert.equal(sent.status, 200);
  let now = before;
  const grown = (name, labels) => valueOf(now, name, labels) - valueOf(before, name, labels);
  const messages = (direction, outcome) => grown('warest_messages_total', { direction, outcome });
  await until(async () => { now = await figures(); return messages('in', 'decrypted') && messages('out', 'acked'); }, 'both messages');
  assert.deepEqual([messages('out', 'sent'), messages('out', 'acked'), messages('out', 'failed')], [1, 1, 0]);
  assert.ok(grown('warest_events_total') > 0);
  assert.deepEqual([valueOf(now, 'warest_sessions', { state: 'open' }), valueOf(now, 'warest_store_failing')], [2, 0]);
  assert.ok(valueOf(now, 'process_resident_memory_bytes') > 1e6 && valueOf(now, 'warest_uptime_seconds') > 0 && valueOf(now, 'process_open_fds') > 10);
  assert.ok(valueOf(now, 'warest_journal_bytes') > 0 && valueOf(now, 'warest_journal_bytes') < valueOf(now, 'warest_journal_max_bytes'));
  const [commits] = now.get('warest_store_commit_seconds').metrics;
  const end = (text) => (text === '+Inf' ? Infinity : Number(text));
  const classes = Object.entries(commits.buckets).sort(([a], [b]) => end(a) - end(b)).map(([, count]) => Number(count));
  assert.deepEqual(classes, classes.toSorted((a, b) => a - b));
  assert.deepEqual([commits.buckets['+Inf'], commits.count > 0, commits.sum > 0], [commits.count, true, true]);
  for (const [name, family] of now) assert.ok(family.help && ['COUNTER', 'GAUGE', 'HISTOGRAM'].includes(family.type), name);
  for (const name of ['warest_outbox_messages', 'warest_outbox_oldest_seconds', 'warest_receiver_lag_events', 'warest_dead_letters', 'warest_live_views', 'warest_media_jobs', 'warest_build_info', 'warest_requests_running'])
    assert.ok(now.has(name), name);
});

test('figures tell of receivers, queues, campaigns and decryption', async () => {
  const statuses = [];
  let posts = 0, webhookId;
  const receiver = http.createServer((request, response) => { request.resume(); posts++; response.writeHead(statuses.shift() ?? 200).end(); });
  await once(receiver.listen(0, '127.0.0.1'), 'listening');
  const before = await figures();
  let now = before;
  const grown = (name, labels) => valueOf(now, name, labels) - valueOf(before, name, labels);
  const moved = (holds) => until(async () => { now = await figures(); return holds(); }, holds.toString());
  try {
    /* a receiver that refuses once, takes the rest, and then is away */
    statuses.push(500);
    const url = `http://127.0.0.1:${receiver.address().port}/`;
    const made = await gateway.api('POST', '/session/ann/webhooks', { body: { name: 'counted', url, secret: 'secret of the figures', events: ['message_received'] } });
    assert.equal(made.status, 200, made.text);
    webhookId = made.json.results[0].id;
    await say(ANN, 'to a receiver');
    const attempts = (outcome) => grown('warest_webhook_attempts_total', { outcome });
    const lag = () => valueOf(now, 'warest_receiver_lag_events', { session: 'ann', receiver: webhookId });
    await moved(() => attempts('2xx') >= 1 && attempts('5xx') === 1 && lag() === 0);
    assert.ok(posts >= 2);
    receiver.closeAllConnections();
    receiver.close();
    await say(ANN, 'to nobody');
    await moved(() => attempts('unreachable') >= 1 && lag() >= 1);

    /* what is said, by kind; what cannot be read */
    const kind = (direction, name, outcome) => grown('warest_messages_by_kind_total', { direction, kind: name, outcome });
    await moved(() => kind('in', 'text', 'decrypted') === 2);
    await gateway.control('/faults', { kind: 'corrupt_enc', device: ANN, match: { tag: 'message' }, count: 1 });
    await say(ANN, 'damaged on its way');
    await moved(() => grown('warest_messages_total', { direction: 'in', outcome: 'undecryptable' }) === 1);
    const send = (message, more = {}) => gateway.api('POST', '/messages/send/text', { body: { sessionId: 'ann', to: BOB, message, ...more } });
    assert.equal((await send('arrives')).status, 200);
    await moved(() => kind('out', 'text', 'acked') === 1);

    /* a queue that stands still */
    assert.equal((await gateway.api('PUT', '/session/ann/queue', { body: { paused: true, maxSize: 1 } })).status, 200);
    assert.equal((await send('waits')).status, 202);
    assert.equal((await send('has no room')).status, 500);
    await moved(() => valueOf(now, 'warest_outbox_messages', { state: 'due' }) === 1 && valueOf(now, 'warest_outbox_oldest_seconds') > 0);
    const queue = (outcome) => grown('warest_send_queue_total', { outcome });
    assert.deepEqual([queue('queued'), queue('full')], [2, 1]);
    const campaign = await gateway.api('POST', '/campaigns', { body: { sessionId: 'ann', name: 'counted', content: { message: 'hello' }, recipients: [BOB, '15557200009'], draft: true } });
    assert.ok(campaign.status < 300, campaign.text);
    await moved(() => grown('warest_campaign_recipients', { state: 'pending' }) === 2);
    assert.equal(grown('warest_campaigns', { state: 'draft' }), 1);
    assert.equal((await gateway.api('PUT', '/session/ann/queue', { body: { paused: null, maxSize: null } })).status, 200);
    await moved(() => valueOf(now, 'warest_outbox_messages', { state: 'due' }) === 0);

    /* what a recipient asks for again, what WhatsApp refuses, what gets no answer, what the account may not */
    const { devices } = await gateway.control(`/accounts/${ANN}/devices`), fault = (more) => gateway.control('/faults', { device: ANN, ...more });
    const again = (await send('asked for again')).json.results[0].messageId;
    await gateway.control(`/accounts/${BOB}/ask-again`, { from: devices.at(-1).jid, id: again, count: 1 });
    await moved(() => grown('warest_messages_total', { direction: 'out', outcome: 'retried' }) === 1);
    await until(async () => (await gateway.control(`/accounts/${BOB}/inbox?id=${again}`)).messages[0].deliveries >= 2, 'the second delivery');
    await fault({ kind: 'ack_error', code: 404, count: 1 });
    assert.equal((await send('refused')).status, 500);
    await moved(() => grown('warest_messages_total', { direction: 'out', outcome: 'failed' }) === 1 && kind('out', 'text', 'failed') === 1);
    await fault({ kind: 'ack_error', code: 463, count: 1 });
    await send('restricted');
    await moved(() => queue('restricted') === 1);
    assert.equal((await gateway.api('PUT', '/session/ann/queue', { body: { timeoutMs: 300, maxRetries: 1, retryDelayMs: 10 } })).status, 200);
    await fault({ kind: 'iq_silence', count: 0, match: { xmlns: 'usync' } });
    assert.equal((await gateway.api('POST', '/messages/send/text', { body: { sessionId: 'ann', to: '15557200008', message: 'to nobody known' } })).status, 500);
    await moved(() => queue('timed_out') === 2 && queue('retried') === 1);
    await fetch(`${gateway.wasim.controlUrl}/faults`, { method: 'DELETE' });
    assert.equal((await gateway.api('PUT', '/session/ann/queue', { body: { timeoutMs: null, maxRetries: null, retryDelayMs: null } })).status, 200);
  } finally {
    receiver.close();
    await gateway.api('DELETE', `/session/ann/webhooks/${webhookId}`);
  }
});

test('attempts at receivers are told by what came of them; work that waits for nothing is counted when it is done', async () => {
  const receiver = http.createServer((request, response) => {
    request.resume();
    if (request.url === '/4xx') response.writeHead(400).end();
    else if (request.url === '/other') response.writeHead(302, { location: '/' }).end();
    else if (request.url === '/refused') response.writeHead(307, { location: 'http://169.254.1.1/' }).end();
    /* timeout: never answered */
  });
  await once(receiver.listen(0, '127.0.0.1'), 'listening');
  const outcomes = ['4xx', 'other', 'refused', 'timeout'], hooks = [];
  const before = await figures();
  let now = before;
  const grown = (name, labels) => valueOf(now, name, labels) - valueOf(before, name, labels);
  const until = async (holds) => { do now = await figures(); while (!holds()); };
  const stream = await opened('?events=nothing');
  try {
    for (const outcome of outcomes) {
      const made = await gateway.api('POST', '/session/ann/webhooks', { body: { name: outcome, url: `http://127.0.0.1:${receiver.address().port}/${outcome}`, secret: 'secret of the figures', events: ['message_received'], timeoutMs: SLOW ? 5000 : 500 } });
      assert.equal(made.status, 200, made.text);
      hooks.push(made.json.results[0].id);
    }
    await say(ANN, 'to four of them');
    await until(() => outcomes.every((outcome) => grown('warest_webhook_attempts_total', { outcome }) >= 1));
    for (const id of hooks) assert.ok(valueOf(now, 'warest_receiver_lag_events', { session: 'ann', receiver: id }) >= 1, id);
    assert.ok(valueOf(now, 'warest_live_views') >= 1);
    const png = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
    const image = await gateway.api('POST', '/messages/send/media', { body: { sessionId: 'ann', to: BOB, media: png, dry_run: true } });
    assert.equal(image.status, 200, image.text);
    assert.equal((await gateway.api('GET', '/session/list', { key: 'no key' })).status, 401);
    await until(() => grown('warest_media_jobs_total', { outcome: 'done' }) === 1 && grown('warest_requests_refused_total') >= 1);
  } finally {
    stream.close();
    for (const id of hooks) await gateway.api('DELETE', `/session/ann/webhooks/${id}`);
    receiver.closeAllConnections();
    receiver.close();
  }
});

test('every series has moved', () => {
  // Gauges of what lasts a moment only, of disasters, and messages of kinds that look alike to the counter (test_session_parts).
  const still = [/^warest_store_failing$/, /^warest_store_queued_transactions$/, /^warest_dead_letters$/, /^warest_media_jobs (waiting|running)$/, /^warest_media_jobs_total failed$/,
    /^warest_messages_by_kind_total (in|out) (?!text )/, /^warest_campaigns (?!draft)/, /^warest_campaign_recipients (?!pending)/, /^warest_sessions (?!open)/,
    /^warest_outbox_messages scheduled$/, /^warest_receiver_lost_events$/];
  const names = [...most.keys()];
  assert.deepEqual(names.filter((name) => !(most.get(name) > 0) && !still.some((s) => s.test(name))), []);
  assert.ok(names.length > 100, `${names.length} series`);
});

test('figures are for administrators and the networks that are named', async () => {
  assert.equal((await gateway.server.request('GET', '/metrics')).status, 401);
  assert.equal((await gateway.server.request('GET', '/metrics', { key: strangerKey })).status, 403);
  assert.equal((await gateway.server.request('GET', '/metrics', { headers: { 'x-forwarded-for': '198.51.100.1' } })).status, 401);
  assert.ok((await figures({ headers: { 'x-forwarded-for': '192.0.2.77' } })).size > 20);
});

test('a user who is deleted takes his sessions along: unlinked, what they were to send is gone, streams end, the account may be linked anew', async () => {
  const later = await gateway.api('POST', '/messages/send/text', { key: strangerKey, body: { sessionId: 'ben', to: BOB, message: 'never', send_at: Date.now() + 3600000 } });
  assert.equal(later.status, 202, later.text);
  assert.equal(valueOf(await figures(), 'warest_outbox_messages', { state: 'scheduled' }), 1);
  const stream = await opened('?events=nothing', { key: strangerKey });
  assert.equal((await gateway.api('DELETE', '/users/stranger')).status, 409);
  assert.equal((await gateway.api('DELETE', '/users/stranger?sessions=delete')).status, 200);
  let end;
  do end = await stream.next(); while (end.event === 'lost');
  assert.deepEqual([end.event, end.data.status, await stream.next()], ['end', 401, null]);
  assert.equal((await gateway.api('GET', '/session/list', { key: strangerKey })).status, 401);
  assert.equal((await gateway.api('GET', '/events?sessionId=ben')).json.code, 1101);
  const { devices } = await gateway.control(`/accounts/${BEN}/devices`);
  assert.deepEqual(devices.filter((d) => d.kind === 'client'), []);
  const now = await figures();
  assert.deepEqual([valueOf(now, 'warest_outbox_messages', { state: 'scheduled' }), valueOf(now, 'warest_sessions', { state: 'open' })], [0, 1]);
  await gateway.link('ben', BEN);
});

test('alive and ready mean it', async () => {
  const look = (path) => gateway.server.request('GET', path);
  assert.deepEqual([(await look('/healthz')).text, (await look('/healthz')).status], ['{"alive":true}', 200]);
  const fine = await look('/readyz');
  assert.deepEqual([fine.status, fine.json.ready, fine.json.reasons, fine.json.lastStored > 0], [200, true, [], true]);
  /* no room on the disk: ready no longer, alive still; room again: ready without a restart */
  const roomFor = (bytes) => execFileSync('prlimit', ['--pid', String(gateway.daemon.pid), `--fsize=${bytes}:unlimited`]);
  roomFor('4096');
  let bad;
  await until(async () => { bad = await look('/readyz'); return bad.status !== 200; }, 'the trouble');
  assert.deepEqual([bad.status, bad.json.ready], [503, false]);
  assert.match(bad.json.reasons[0], /^the database does not store: storage_/);
  assert.equal((await look('/healthz')).status, 200);
  roomFor('unlimited');
  let again;
  await until(async () => { again = await look('/readyz'); return again.status === 200; }, 'the end of the trouble');
  assert.deepEqual(again.json.reasons, []);
  await gateway.daemon.stop();
  for (const path of ['/healthz', '/readyz', '/metrics']) assert.equal((await gateway.server.request('GET', path, { key: adminKey })).status, 503, path);
  await gateway.startDaemon();
  assert.equal((await look('/readyz')).status, 200);
});
