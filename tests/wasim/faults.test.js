// SPDX-License-Identifier: GPL-3.0-or-later
// If this failed, tests of failures (lost, doubled, late stanzas, dead links, tokens, identity changes) would test something else than they say.
import { test, before, after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { startWasim } from './wasim.js';
import { WireClient } from './testing/wire-client.js';
import { node, child, textOf } from './nodes.js';

const ANN = '15550001111';
const BOB = '15550002222';
const BOB_JID = `${BOB}@s.whatsapp.net`;
const ANN_JID = `${ANN}@s.whatsapp.net`;
let wasim;
let ann;

async function call(method, path, body) {
    const response = await fetch(wasim.controlUrl + path, { method, body: body === undefined ? undefined : JSON.stringify(body) });
    const json = await response.json();
    if (!response.ok) throw new Error(`${response.status} ${json.error}`);
    return json;
}

async function rules() {
    const { violations } = await call('GET', '/violations');
    await call('DELETE', '/violations');
    return violations.map(v => v.rule);
}

const send = (text, more) => call('POST', `/accounts/${BOB}/send`, { to: ANN, text, ...more });
const byId = id => s => s.tag === 'message' && s.attrs.id === id;
const arrived = id => ann.waitFor(byId(id), `message ${id}`);
const pending = async () => (await call('GET', `/clients/${ann.jid}`)).pending;

before(async () => {
    wasim = await startWasim({});
    await call('POST', '/accounts', { phone: ANN, name: 'Ann' });
    await call('POST', '/accounts', { phone: BOB, name: 'Bob' });
    ann = new WireClient(wasim);
    await ann.link(ANN, call);
});

after(() => wasim?.close());
beforeEach(() => call('DELETE', '/faults'));

test('a QR text with four fields links too', async () => {
    const old = new WireClient(wasim);
    await old.connect();
    const qr = (await old.qr()).split('#')[1].split(',').slice(0, 4).join(',');
    const scanned = call('POST', `/accounts/${BOB}/scan`, { qr });
    await old.acceptPairing();
    assert.equal((await scanned).linked, true);
    await call('DELETE', `/accounts/${BOB}/devices/1`);
});

test('a doubled message wants two answers', async () => {
    await call('POST', '/faults', { kind: 'duplicate', device: ANN, match: { tag: 'message' } });
    await send('double', { id: 'DOUBLE' });
    await ann.waitChange(() => ann.received.filter(byId('DOUBLE')).length === 2, 'both copies');
    const message = await arrived('DOUBLE');
    assert.equal((await ann.decrypt(message)).conversation, 'double');
    ann.receipt(message);
    ann.ack(message);
    await ann.query('w:p', 'get');
    assert.deepEqual(await rules(), []);
});

test('messages change places', async () => {
    await call('POST', '/faults', { kind: 'reorder', device: ANN, match: { tag: 'message' } });
    await send('first', { id: 'ORDER1' });
    await send('second', { id: 'ORDER2' });
    await arrived('ORDER1');
    const order = ann.received.filter(s => s.attrs.id?.startsWith('ORDER')).map(s => s.attrs.id);
    assert.deepEqual(order, ['ORDER2', 'ORDER1']);
    for (const id of order) ann.receipt(await arrived(id));
});

test('a lost message comes with the next login', async () => {
    await call('POST', '/faults', { kind: 'drop', device: ANN, match: { tag: 'message' } });
    await send('lost', { id: 'LOST' });
    await ann.query('w:p', 'get');
    assert.equal(ann.received.some(byId('LOST')), false);
    assert.equal((await pending()).some(p => p.id === 'LOST'), true);
    await ann.drop();
    await ann.login();
    ann.receipt(await arrived('LOST'));
    await ann.query('w:p', 'get');
    assert.deepEqual(await pending(), []);
    assert.deepEqual(await rules(), []);
});

test('a damaged message cannot be decrypted and can be replayed', async () => {
    await call('POST', '/faults', { kind: 'corrupt_enc', device: ANN });
    await send('damaged', { id: 'DAMAGED' });
    const bad = await arrived('DAMAGED');
    await assert.rejects(ann.decrypt(bad));
    ann.ack(bad);
    await call('POST', `/clients/${ann.jid}/replay`, { id: 'DAMAGED' });
    await ann.waitChange(() => ann.received.filter(byId('DAMAGED')).length === 2, 'replay');
    ann.ack(bad);
});

test('silence is a dead link', async () => {
    await call('POST', `/clients/${ann.jid}/silence`, {});
    const count = ann.received.length;
    ann.send(node('iq', { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:p', id: 'ping' }));
    await send('nobody hears', { id: 'SILENT' });
    assert.equal(ann.received.length, count);
    await ann.drop();
    await ann.login();
    ann.receipt(await arrived('SILENT'));
});

test('the server can ping, with and without id', async () => {
    ann.events.on('change', function answer() {
        const ping = ann.received.find(s => s.attrs.xmlns === 'urn:xmpp:ping');
        if (!ping) return;
        ann.events.off('change', answer);
        ann.send(node('iq', { to: '@s.whatsapp.net', type: 'result', id: ping.attrs.id }));
    });
    const { answer } = await call('POST', `/clients/${ann.jid}/query`, {
        stanza: { tag: 'iq', attrs: { from: '@s.whatsapp.net', type: 'get', xmlns: 'urn:xmpp:ping', t: '1' } }
    });
    assert.equal(answer.attrs.type, 'result');
    assert.deepEqual(await rules(), []);
});

test('strangers need a token: none, a wrong one, the right one', async () => {
    const eve = (await call('POST', '/accounts', { phone: '15550003333', require_token: true })).jid;
    const refused = await ann.text(eve, [eve, ANN_JID], 'who are you');
    assert.equal(refused.attrs.error, '463');
    ann.lastMessage.content.push(node('tctoken', {}, Buffer.from('nonsense')));
    const again = node('message', { ...ann.lastMessage.attrs, id: 'TOKEN2' }, [
        node('participants', {}, [await ann.to(eve, eve, 'x'), await ann.to(ANN_JID, eve, 'x')]), ...ann.lastMessage.content.slice(1)
    ]);
    assert.equal((await ann.sendMessage(again)).attrs.error, '463');
    assert.deepEqual(await rules(), ['tctoken']);
    await call('POST', '/accounts/15550003333/token', { to: ANN });
    const notice = await ann.waitFor(s => s.attrs.type === 'privacy_token', 'token');
    const token = child(child(notice, 'tokens'), 'token').content;
    const good = node('message', { to: eve, type: 'text', id: 'TOKEN3' }, [
        node('participants', {}, [await ann.to(eve, eve, 'x'), await ann.to(ANN_JID, eve, 'x')]),
        node('device-identity', {}, ann.adv), node('tctoken', {}, token)
    ]);
    assert.equal((await ann.sendMessage(good)).attrs.error, undefined);
    assert.deepEqual(await rules(), []);
});

test('an account under time lock is told and cannot write to strangers', async () => {
    await call('POST', '/accounts', { phone: '15550004444' });
    await call('PATCH', `/accounts/${ANN}`, { timelock: { until: 1900000000 } });
    const notice = await ann.waitFor(s => s.attrs.type === 'mex', 'notice');
    assert.match(textOf(child(notice, 'update')), /1900000000/);
    const stranger = '15550004444@s.whatsapp.net';
    assert.equal((await ann.text(stranger, [stranger, ANN_JID], 'hello')).attrs.error, '463');
    assert.equal((await ann.text(BOB_JID, [BOB_JID, ANN_JID], 'hello')).attrs.error, undefined);
    await call('PATCH', `/accounts/${ANN}`, { timelock: null });
});

test('device lists change under those who asked for them', async () => {
    await ann.query('usync', 'get', [node('usync', { sid: 's', mode: 'query', context: 'message', index: 0, last: true }, [
        node('query', {}, [node('devices', { version: 2 })]), node('list', {}, [node('user', { jid: BOB_JID })])
    ])]);
    const added = await call('POST', `/accounts/${BOB}/companions`, {});
    const notice = await ann.waitFor(s => s.attrs.type === 'devices', 'device notice');
    assert.equal(child(child(notice, 'add'), 'device').attrs.jid, added.jid);
    await ann.query('w:p', 'get');
    const ack = await ann.text(BOB_JID, [BOB_JID, ANN_JID], 'one is missing');
    assert.match(ack.attrs.phash, /^2:/);
    assert.deepEqual(await rules(), ['missing_device']);
    await call('DELETE', `/accounts/${BOB}/devices/${added.id}`);
    await ann.waitFor(s => child(s, 'remove'), 'removal notice');
    const gone = await ann.text(BOB_JID, [BOB_JID, ANN_JID], 'fine');
    assert.equal(gone.attrs.error, undefined);
    ann.lastMessage.content[0].content.push(node('to', { jid: added.jid }, [child(ann.lastMessage.content[0].content[0], 'enc')]));
    ann.lastMessage.attrs.id += 'B';
    const stale = node('message', ann.lastMessage.attrs, [
        node('participants', {}, [await ann.to(BOB_JID, BOB_JID, 'x'), await ann.to(ANN_JID, BOB_JID, 'x'), ann.lastMessage.content[0].content[2]]),
        node('device-identity', {}, ann.adv)
    ]);
    assert.equal((await ann.sendMessage(stale)).attrs.error, '479');
    await rules();
});

test('a re-installed phone is announced and has other keys', async () => {
    const before = (await call('GET', `/accounts/${BOB}`)).devices[0].registration_id;
    await call('POST', `/accounts/${BOB}/reinstall`, {});
    await ann.waitFor(s => s.attrs.type === 'encrypt' && child(s, 'identity'), 'identity notice');
    assert.notEqual((await call('GET', `/accounts/${BOB}`)).devices[0].registration_id, before);
    await send('new keys', { id: 'NEWKEYS' });
    const message = await arrived('NEWKEYS');
    assert.equal(child(message, 'enc').attrs.type, 'pkmsg');
    assert.equal((await ann.decrypt(message)).conversation, 'new keys');
    ann.receipt(message);
});

test('acks of messages: none, with a foreign hash, after the connection', async () => {
    await call('POST', '/faults', { kind: 'foreign_phash', device: ann.jid });
    assert.equal((await ann.text(BOB_JID, [BOB_JID, ANN_JID], 'hash')).attrs.phash, '2:AAAAAAAA');
    await call('POST', '/faults', { kind: 'close_before_ack', device: ann.jid });
    const unacked = ann.text(BOB_JID, [BOB_JID, ANN_JID], 'unacked', { id: 'UNACKED' });
    unacked.catch(() => undefined);
    await ann.waitClosed();
    await ann.login();
    await ann.sendMessage(ann.lastMessage);
    const { events } = await call('GET', '/events?type=message_sent_again&id=UNACKED&wait=5000');
    assert.equal(events[0].identical, true);
    const { messages } = await call('GET', `/accounts/${BOB}/inbox?id=UNACKED&wait=5000`);
    assert.equal(messages.length, 1);
    assert.deepEqual(await rules(), []);
});

test('a sink acknowledges without decrypting; a prepared run goes out at once', async () => {
    await call('POST', '/accounts', { phone: '15550005555', sink: true });
    const jid = '15550005555@s.whatsapp.net';
    await ann.text(jid, [jid, ANN_JID], 'into the sink', { id: 'SINK' });
    await ann.waitFor(s => s.tag === 'receipt' && s.attrs.id === 'SINK' && s.attrs.from === jid, 'receipt');
    const run = await call('POST', '/bulk', { from: '15550005555', to: ANN, count: 50, prefix: 'run', prepare: true });
    await call('GET', `/events?type=bulk_prepared&run=${run.id}&wait=10000`);
    const before = ann.received.filter(s => s.tag === 'message').length;
    await call('POST', `/bulk/${run.id}/start`);
    await ann.waitChange(() => ann.received.filter(s => s.tag === 'message').length === before + 50, 'the run');
    const { messages } = await call('GET', `/bulk/${run.id}?wait=5000&messages=true`);
    assert.equal(messages[49].text, 'run 50');
});
