// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a campaign sends to somebody twice or not at all, sends while it is paused, fills its texts in wrongly, or tells another
// outcome than what happened.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { DaemonBench } from './lib/daemon.js';

const SLOW = /asan|tsan/.test(process.env.WAREST_BUILD_MODE ?? '');
const MANY = SLOW ? 60 : 200;
const bench = new DaemonBench(15557000000, { wasim: { tls: true }, env: { WAREST_WEBHOOK_EVENTS: 'campaign_update,campaign_progress,campaign_done' } });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const jid = (phone) => `${phone}@s.whatsapp.net`;
const text = (message, more = {}) => ({ content: { type: 'text', method: 'messages.send.text', p: { message, isForwarded: false, ...more } } });
const get = (id) => bench.call('campaigns.get', { p: { campaignId: id } });
const step = (what, id) => bench.call(`campaigns.${what}`, { p: { campaignId: id } });

async function create(session, p) {
  const answer = await bench.call('campaigns.create', { session, family: 'session', p: { name: 'news', duplicates: 0, rejected: [], ...p } });
  assert.equal(answer.status, 201, JSON.stringify(answer));
  return answer.result;
}

// Asks until the campaign is as wanted; the answers come from the store, so this does not spin.
async function until(id, fits, what) {
  const end = Date.now() + 120000;
  for (;;) {
    const { result } = await get(id);
    if (fits(result)) return result;
    assert.ok(Date.now() < end, `${what}: ${JSON.stringify(result)}`);
    await pause(50);
  }
}
const done = (id) => until(id, (c) => c.state === 'done', 'the end');

async function outcomes(id, state) {
  const items = [];
  let cursor;
  do {
    const { result } = await bench.call('campaigns.recipients', { p: { campaignId: id, limit: 40, ...(state ? { state } : {}), ...(cursor ? { cursor } : {}) } });
    items.push(...result.items);
    cursor = result.pagination.nextCursor;
  } while (cursor);
  return items;
}

async function everything(phone) {
  const { messages } = await bench.control('GET', `/accounts/${phone}/inbox?after=0&limit=10000`);
  return messages.map((m) => [m.id, m.message.extendedTextMessage?.text ?? m.message.conversation]).filter(([, t]) => t);
}

async function crowd(n) {
  const accounts = [];
  for (let i = 0; i < n; i++) accounts.push((await bench.account({ name: `C${i}` })).phone);
  return accounts;
}

test('everybody gets the text with his own values, once; who lacks one fails and says why', async () => {
  await bench.linked('fill');
  const [ann, bob, cid] = await crowd(3);
  const campaign = await create('fill', { ...text('Hi {{name}}, {{phone}} has {{ n | none }}'), variables: { name: 'you' },
    recipients: [[jid(ann), { name: 'Ann', n: 3 }], [jid(bob), null], [jid('15550009999'), { name: 'Nobody' }], [jid(ann), null]], duplicates: 1 });
  assert.deepEqual([campaign.accepted, campaign.duplicates, campaign.state], [3, 2, 'running']);
  const end = await done(campaign.campaignId);
  assert.equal(end.progress.total, 3);
  assert.equal(end.progress.failed, 1);
  assert.deepEqual((await everything(ann)).map(([, t]) => t), [`Hi Ann, ${ann} has 3`]);
  assert.deepEqual((await everything(bob)).map(([, t]) => t), [`Hi you, ${bob} has none`]);
  const rows = await outcomes(campaign.campaignId);
  assert.deepEqual(rows.map((r) => r.toJid), [jid(ann), jid(bob), jid('15550009999')]);
  assert.match(rows[0].messageId, /^3EB0[0-9A-F]{18}$/);
  assert.equal((await everything(ann))[0][0], rows[0].messageId);
  assert.equal(rows[2].state, 'failed');
  assert.ok(rows[2].error);
  const event = await bench.hook.wait('campaign_done', (d) => d.campaign.id === campaign.campaignId);
  assert.deepEqual([event.data.id, event.data.campaign.name, event.data.campaign.progress.failed], ['fill', 'news', 1]);

  // Since then it is known which LID is whose.
  const { lid } = (await bench.control('GET', '/accounts')).accounts.find((a) => a.phone === ann);
  const twice = await create('fill', { ...text('again'), recipients: [[`${lid}@lid`, null], [jid(bob), null], [jid(ann), null]] });
  assert.deepEqual([twice.accepted, (await done(twice.campaignId)).progress.failed], [3, 1]);
  const [first, second, third] = await outcomes(twice.campaignId);
  assert.deepEqual([third.toJid, third.state, third.code, third.error], [jid(ann), 'failed', 2009, `Duplicate: the same person as ${lid}@lid`]);
  assert.ok(first.state !== 'failed' && second.state !== 'failed');
  for (const phone of [ann, bob]) assert.deepEqual((await everything(phone)).map(([, t]) => t).filter((t) => t === 'again'), ['again']);

  const lacking = await create('fill', { ...text('Dear {{title}}'), recipients: [[jid(cid), null], [jid(bob), { title: 'Sir' }]] });
  await done(lacking.campaignId);
  const [failed] = await outcomes(lacking.campaignId, 'failed');
  assert.deepEqual([failed.toJid, failed.code, failed.error], [jid(cid), 2001, 'Variable title has no value']);
  assert.deepEqual(await everything(cid), []);
  const empty = await create('fill', { ...text('Dear {{title}}!'), missing: 'empty', recipients: [[jid(cid), null]] });
  await done(empty.campaignId);
  assert.deepEqual((await everything(cid)).map(([, t]) => t), ['Dear !']);
});

test('other contents go the same way', async () => {
  await bench.linked('kinds');
  const [ann] = await crowd(1);
  const poll = await create('kinds', { content: { type: 'poll', method: 'messages.send.poll', p: { question: '{{name}}, tea?', options: ['yes', 'no {{name}}'], maxSelection: 1 } },
    recipients: [[jid(ann), { name: 'Ann' }]] });
  await done(poll.campaignId);
  const { messages } = await bench.control('GET', `/accounts/${ann}/inbox?after=0&wait=30000`);
  const { pollCreationMessageV3, pollCreationMessage } = messages[0].message;
  const made = pollCreationMessageV3 ?? pollCreationMessage;
  assert.deepEqual([made.name, made.options.map((o) => o.optionName)], ['Ann, tea?', ['yes', 'no Ann']]);
});

test('killed at random while it runs: each recipient has it once, and the outcome says so', async () => {
  await bench.linked('kills');
  const people = await crowd(10);
  const numbers = Array.from({ length: MANY }, (_, i) => i);
  // More recipients than people: a campaign each for the same ones.
  const campaign = await create('kills', { ...text('n {{n}}'), pace: { gapMs: 5, jitterMs: 10 }, recipients: people.map((p, i) => [jid(p), { n: i }]) });
  const others = [];
  for (let i = 1; i < MANY / 10; i++)
    others.push(await create('kills', { ...text(`n {{n}} of ${i}`), pace: { gapMs: 5, jitterMs: 10 }, recipients: people.map((p, k) => [jid(p), { n: k }]) }));
  for (let kill = 0; kill < (SLOW ? 2 : 4); kill++) {
    await pause(100 + Math.random() * 400);
    await bench.restart('SIGKILL');
    await bench.until('kills', 'open');
  }
  for (const c of [campaign, ...others]) {
    const end = await done(c.campaignId);
    assert.deepEqual([end.progress.total, end.progress.failed, end.progress.pending], [10, 0, 0], JSON.stringify(end));
  }
  for (const [k, phone] of people.entries()) {
    const got = (await everything(phone)).map(([, t]) => t).sort();
    const wanted = numbers.slice(0, MANY / 10).map((i) => (i ? `n ${k} of ${i}` : `n ${k}`)).sort();
    assert.deepEqual(got, wanted, `${phone}`);
  }
});

// A document of the web that goes to these people, with their number in its caption.
const FILE = createHash('shake256', { outputLength: 300000 }).update('a file').digest();
async function document(session, people, more = {}) {
  const files = createServer((request, response) => response.writeHead(200, { 'content-type': 'application/pdf' }).end(FILE)).listen(0, '127.0.0.1');
  await once(files, 'listening');
  const campaign = await create(session, { content: { type: 'document', method: 'messages.send.document', p: { caption: 'n {{n}}', filename: 'of {{n}}.pdf', isForwarded: false,
    input: { url: `http://127.0.0.1:${files.address().port}/a.pdf` } } }, recipients: people.map((phone, n) => [jid(phone), { n }]), ...more });
  files.close();
  return campaign;
}
const uploads = async () => (await bench.control('GET', '/events?type=media_uploaded&limit=1000')).events.length;
const stored = async () => (await bench.rpc.call('ctl.storage.status')).result.files;

async function documents(phone) {
  const { messages } = await bench.control('GET', `/accounts/${phone}/inbox?after=0&limit=10000`);
  return messages.map((m) => m.message.documentMessage ?? m.message.documentWithCaptionMessage?.message.documentMessage).filter(Boolean);
}

async function sentOnce(people, campaign) {
  const end = await done(campaign.campaignId);
  assert.deepEqual([end.progress.total, end.progress.failed, end.progress.pending], [people.length, 0, 0], JSON.stringify(end));
  for (const [n, phone] of people.entries()) {
    const got = await documents(phone);
    assert.deepEqual(got.map((d) => [d.caption, d.fileName, Number(d.fileLength)]), [[`n ${n}`, `of ${n}.pdf`, FILE.length]], phone);
  }
}

// The moments: what the simulator saw last when the daemon dies.
for (const [name, { fault, seen, times }] of Object.entries({
  'before a byte of the upload': { fault: { on: 'upload', slow_ms: 60000 }, seen: 'media_request', times: 1 },
  'when the media server has the file, and has not said so': { fault: { on: 'upload', slow_ms: 60000 }, seen: 'media_uploaded', times: 1 },
  'while messages are sent': { seen: 'message', times: 3 },
}))
  test(`killed ${name}: each recipient has the file once, and it is there until the end`, async () => {
    const id = `file-${seen}`;
    await bench.linked(id);
    const people = await crowd(8), before = await stored();
    if (fault) await bench.control('POST', '/media/faults', fault);
    const { last } = await bench.control('GET', '/events?limit=1');
    const campaign = await document(id, people, { pace: { gapMs: 30 } });
    for (let kill = 0; kill < times; kill++) {
      if (kill === 0)
        assert.ok((await bench.control('GET', `/events?type=${seen}&after=${last}&wait=60000`)).events.length);
      else
        await pause(Math.random() * 200);
      await bench.restart('SIGKILL');
      await bench.control('DELETE', '/media/faults');
      await bench.until(id, 'open');
      if ((await get(campaign.campaignId)).result.state === 'running') assert.equal(await stored(), before + 1);
    }
    await sentOnce(people, campaign);
    for (const end = Date.now() + 60000; await stored() !== before; await pause(100)) assert.ok(Date.now() < end, 'the file of the campaign is still there');
  });

test('an upload serves all, over a restart too; one that has become old is made anew', async () => {
  await bench.linked('old');
  const people = await crowd(4), before = await uploads();
  const campaign = await document('old', people, { pace: { gapMs: 60000 } });
  const id = campaign.campaignId;
  const sent = (n) => until(id, (c) => c.progress.pending === people.length - n && !c.progress.queued && !c.progress.sent, `message ${n}`);
  await sent(1);
  assert.equal((await bench.call('campaigns.change', { p: { campaignId: id, pace: { gapMs: 0 }, startAt: Date.now() + 3600000 } })).status, 200);
  await bench.restart('SIGKILL');
  await bench.until('old', 'open');
  await bench.call('campaigns.change', { p: { campaignId: id, pace: { gapMs: 60000 }, startAt: Date.now() } });
  await sent(2);
  assert.equal(await uploads(), before + 1);
  await bench.rpc.close();
  await bench.daemon.stop();
  execFileSync('sqlite3', [`${bench.directory}/state/data/warest.sqlite`, `UPDATE campaigns SET built_ms = built_ms - 4 * 86400000 WHERE id = '${id}'`]);
  await bench.daemon.start();
  bench.rpc = await bench.daemon.connect();
  await bench.until('old', 'open');
  await bench.call('campaigns.change', { p: { campaignId: id, pace: { gapMs: 0 } } });
  await sentOnce(people, campaign);
  assert.equal(await uploads(), before + 2);
  const [first, last] = [(await documents(people[0]))[0], (await documents(people[3]))[0]];
  assert.notEqual(first.directPath, last.directPath);
});

test('a file that cannot be sent pauses the campaign, which says why', async () => {
  await bench.linked('gone');
  const campaign = await document('gone', await crowd(1), { draft: true });
  assert.equal((await bench.rpc.call('ctl.storage.delete', { p: { key: campaign.content.input.stored } })).status, 200);
  await step('start', campaign.campaignId);
  const paused = await until(campaign.campaignId, (c) => c.state === 'paused', 'the pause');
  assert.equal(paused.reason, 'Invalid document input');
});

test('paused it holds, over a restart too; resumed it goes on; cancelled it is over', async () => {
  await bench.linked('hold');
  const people = await crowd(12);
  const campaign = await create('hold', { ...text('slow {{phone}}'), pace: { gapMs: 150 }, recipients: people.map((p) => [jid(p), null]) });
  const id = campaign.campaignId;
  await until(id, (c) => c.progress.pending < 10, 'the first ones');
  const paused = await step('pause', id);
  assert.deepEqual([paused.status, paused.result.state, paused.result.reason], [200, 'paused', 'Paused by request']);
  assert.deepEqual([(await step('pause', id)).status, (await step('start', id)).status], [409, 409]);
  const left = (await until(id, (c) => !c.progress.queued && !c.progress.sent, 'what was queued')).progress.pending;
  assert.ok(left > 0);
  await bench.restart();
  await bench.until('hold', 'open');
  await pause(600);
  assert.equal((await get(id)).result.progress.pending, left);
  const resumed = await step('resume', id);
  assert.equal(resumed.result.state, 'running');
  await until(id, (c) => c.progress.pending < left, 'it to go on');
  assert.equal((await step('cancel', id)).result.state, 'cancelled');
  const { progress } = await until(id, (c) => !c.progress.queued && !c.progress.sent, 'what was queued');
  await pause(500);
  const end = (await get(id)).result;
  assert.deepEqual([end.progress.pending, end.progress.cancelled], [0, progress.cancelled]);
  const got = (await Promise.all(people.map(everything))).filter((m) => m.length);
  assert.ok(got.every((m) => m.length === 1));
  assert.equal(got.length + end.progress.cancelled, 12);
  assert.equal((await outcomes(id, 'cancelled')).length, end.progress.cancelled);
  assert.equal((await step('resume', id)).status, 409);
});

test('a draft waits for its start, takes recipients in several requests, and can be changed; a start in the future waits', async () => {
  await bench.linked('draft');
  const [ann, bob] = await crowd(2);
  const campaign = await create('draft', { ...text('first'), draft: true });
  const id = campaign.campaignId;
  assert.equal(campaign.state, 'draft');
  assert.deepEqual([(await step('start', id)).message], ['The campaign has no recipients']);
  const add = (recipients) => bench.call('campaigns.recipients.add', { p: { campaignId: id, recipients, duplicates: 0, rejected: [] } });
  assert.equal((await add([[jid(ann), null]])).result.accepted, 1);
  const again = await add([[jid(ann), null], [jid(bob), null]]);
  assert.deepEqual([again.result.accepted, again.result.duplicates], [1, 1]);
  const changed = await bench.call('campaigns.change', { p: { campaignId: id, name: 'better', ...text('second') } });
  assert.deepEqual([changed.result.name, changed.result.content.message], ['better', 'second']);
  const at = Date.now() + 1500;
  await bench.call('campaigns.change', { p: { campaignId: id, startAt: at } });
  assert.equal((await step('start', id)).result.state, 'scheduled');
  assert.equal((await bench.call('campaigns.change', { p: { campaignId: id, ...text('third') } })).status, 409);
  const end = await done(id);
  assert.ok(Date.now() >= at);
  assert.equal(end.progress.pending, 0);
  assert.deepEqual([(await everything(ann)).map(([, t]) => t), (await everything(bob)).map(([, t]) => t)], [['second'], ['second']]);
  assert.equal((await add([[jid('15550001234'), null]])).status, 409);
  const list = await bench.call('campaigns.list', { p: { limit: 1, sessionId: 'draft', state: 'done' } });
  assert.deepEqual(list.result.items.map((c) => c.campaignId), [id]);
  assert.equal((await bench.call('campaigns.remove', { p: { campaignId: id } })).status, 200);
  assert.equal((await get(id)).status, 404);
});

test('a window that is shut holds; the end of the session is the end of its campaigns', async () => {
  await bench.linked('ends');
  const [ann] = await crowd(1);
  const minute = (d) => d.getUTCHours() * 60 + d.getUTCMinutes();
  const from = minute(new Date(Date.now() + 7200000)), to = minute(new Date(Date.now() + 10800000));
  const shut = await create('ends', { ...text('later'), window: { from, to, zone: 'UTC' }, recipients: [[jid(ann), null]] });
  await pause(500);
  assert.deepEqual([(await get(shut.campaignId)).result.state, (await everything(ann)).length], ['running', 0]);
  await bench.call('session.delete', { session: 'ends', family: 'session' });
  const end = await until(shut.campaignId, (c) => c.state === 'cancelled', 'the end');
  assert.deepEqual([end.reason, end.progress.cancelled], ['The session was deleted', 1]);
});

test('an account that is logged out pauses its campaigns', async () => {
  const { phone, client } = await bench.linked('out');
  const [ann, bob] = await crowd(2);
  const campaign = await create('out', { ...text('x'), pace: { gapMs: 60000 }, recipients: [[jid(ann), null], [jid(bob), null]] });
  await until(campaign.campaignId, (c) => c.progress.pending === 1 && !c.progress.queued && !c.progress.sent, 'the first one');
  await bench.control('DELETE', `/accounts/${phone}/devices/${client}`).catch(() => bench.call('session.logout', { session: 'out', family: 'session' }));
  const paused = await until(campaign.campaignId, (c) => c.state === 'paused', 'the pause');
  assert.equal(paused.reason, 'The session was logged out');
  await bench.hook.wait('campaign_update', (d) => d.campaign.id === campaign.campaignId && d.campaign.state === 'paused');
});
