// SPDX-License-Identifier: GPL-3.0-or-later
// If this failed, the simulator would let wrong clients pass (or refuse right ones), and every suite on top of it would prove less.
import { test, before, after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { startWasim } from './wasim.js';
import { WireClient } from './testing/wire-client.js';
import { node, child, children, bytesOf, textOf, beBytes } from './nodes.js';
import { sign, verify, newKeyPair, djb } from './curve.js';
import { participantHash } from './accounts.js';
import { reportingContent, reportingKey } from './reporting.js';
import { proto } from 'baileys/WAProto/index.js';

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

before(async () => {
    wasim = await startWasim({ tls: true });
    await call('POST', '/accounts', { phone: ANN, name: 'Ann' });
    await call('POST', '/accounts', { phone: BOB, name: 'Bob' });
    ann = new WireClient(wasim);
});

after(() => wasim?.close());
beforeEach(() => call('DELETE', '/faults'));

test('XEdDSA verification agrees with libsignal and sees a flipped bit', () => {
    const pair = newKeyPair();
    const signature = sign(pair.private, Buffer.from('text'));
    assert.equal(verify(pair.public, Buffer.from('text'), signature), true);
    assert.equal(verify(pair.public, Buffer.from('texT'), signature), false);
    assert.equal(verify(pair.public, Buffer.from('text'), Buffer.alloc(64)), false);
});

test('participant hash has the six-byte form', () => {
    assert.equal(participantHash(['111@s.whatsapp.net', '222@s.whatsapp.net', '222:5@s.whatsapp.net']), '2:xQoJ0+Pc');
});

test('reporting content and key are those of the reference values', () => {
    const message = Buffer.from(proto.Message.encode({ conversation: 'hello', messageContextInfo: { messageSecret: Buffer.alloc(32, 1) } }).finish());
    assert.equal(reportingContent(message, true).toString('hex'), '0a0568656c6c6f');
    const key = reportingKey(Buffer.from(Array.from({ length: 32 }, (_, i) => i)), '3EB0AABBCCDDEEFF001122', '111@s.whatsapp.net', '222@s.whatsapp.net');
    assert.equal(key.toString('hex'), '80ead9cd3dda4f43d4f43097f5d1c432bd1626112bd120da89c291032a228fdb');
});

test('links over wss, asks for a restart, logs in', async () => {
    const outcome = await ann.link(ANN, call);
    assert.equal(outcome.linked, true);
    assert.equal(ann.hmacGood, true);
    assert.deepEqual(ann.received.filter(s => s.tag === 'ib').map(s => child(s, 'offline') && 'offline').filter(Boolean), ['offline']);
    const digest = await ann.query('encrypt', 'get', [node('digest')]);
    assert.equal(children(child(child(digest, 'digest'), 'list'), 'id').length, 20);
    assert.deepEqual(await rules(), []);
});

test('refuses a registration with a bad signed prekey or build hash', async () => {
    const client = new WireClient(wasim);
    await client.connect({ pairing: { eSkeySig: Buffer.alloc(64, 3) } });
    assert.equal((await client.waitFor('failure')).attrs.reason, '400');
    assert.deepEqual(await rules(), ['registration']);
    await client.connect({ pairing: { buildHash: Buffer.alloc(16) } });
    await client.waitFor('failure');
    assert.deepEqual(await rules(), ['registration']);
});

test('a wrong device signature does not link', async () => {
    const client = new WireClient(wasim);
    await client.connect();
    const scanned = call('POST', `/accounts/${ANN}/scan`, { qr: await client.qr() });
    await client.acceptPairing({ badSignature: true });
    assert.equal((await scanned).linked, false);
    assert.deepEqual(await rules(), ['pair_device_sign']);
});

test('a phone refuses foreign, malformed and stale QR texts', async () => {
    const client = new WireClient(wasim);
    await client.connect();
    const qr = await client.qr();
    await assert.rejects(call('POST', `/accounts/${ANN}/scan`, { qr: qr.replace(/,1$/, ',0') }), /client type/);
    await assert.rejects(call('POST', `/accounts/${ANN}/scan`, { qr: qr.replace('#', '#x') }), /no connection shows/);
    const other = new WireClient(wasim);
    await assert.rejects(call('POST', `/accounts/${ANN}/scan`, {
        qr: qr.replace(client.noiseKey.public.toString('base64'), other.noiseKey.public.toString('base64'))
    }), /noise key/);
    await client.drop();
});

test('pair-success can be forged, and the refusal is told', async () => {
    const client = new WireClient(wasim);
    await client.connect();
    const scanned = call('POST', `/accounts/${ANN}/scan`, { qr: await client.qr(), fault: 'hmac' });
    const iq = await client.waitFor(s => child(s, 'pair-success'));
    client.send(node('iq', { to: '@s.whatsapp.net', type: 'error', id: iq.attrs.id }, [node('error', { code: 401, text: 'hmac-mismatch' })]));
    assert.deepEqual((await scanned).error, { code: 401, text: 'hmac-mismatch' });
    await client.drop();
});

for (const fault of ['expired', 'wrong_root', 'leaf_key_mismatch', 'serial_mismatch', 'leaf_signature']) {
    test(`certificate chain with fault ${fault}`, async () => {
        await call('POST', '/faults', { kind: 'certificate', value: fault });
        const client = new WireClient(wasim);
        await client.connect();
        const { leaf, intermediate } = client.chain;
        const Details = proto.CertChain.NoiseCertificate.Details;
        const l = Details.decode(leaf.details);
        const i = Details.decode(intermediate.details);
        const checks = {
            expired: Number(l.notAfter) < Date.now() / 1000,
            wrong_root: !verify(wasim.sim.authority.root.public, Buffer.from(intermediate.details), Buffer.from(intermediate.signature)),
            leaf_key_mismatch: !Buffer.from(l.key).equals(client.serverStatic),
            serial_mismatch: l.issuerSerial !== i.serial,
            leaf_signature: !verify(Buffer.from(i.key), Buffer.from(leaf.details), Buffer.from(leaf.signature))
        };
        assert.deepEqual(Object.keys(checks).filter(k => checks[k]), [fault]);
        await client.drop();
    });
}

test('prekey uploads: bad signature, repeated id', async () => {
    const bad = await ann.query('encrypt', 'set', ann.upload(1, { signature: Buffer.alloc(64, 9) }));
    assert.equal(bad.attrs.type, 'error');
    const again = await ann.query('encrypt', 'set', ann.upload(1, { id: 1 }));
    assert.equal(again.attrs.type, 'error');
    assert.deepEqual(await rules(), ['prekey_upload', 'prekey_upload']);
});

test('a text to a phone and back, each answered once', async () => {
    await ann.query('usync', 'get', [node('usync', { sid: 's1', mode: 'query', context: 'message', index: 0, last: true }, [
        node('query', {}, [node('devices', { version: 2 }), node('lid')]), node('list', {}, [node('user', { jid: BOB_JID })])
    ])]);
    const ack = await ann.text(BOB_JID, [BOB_JID, ANN_JID], 'hello');
    assert.equal(ack.attrs.error, undefined);
    assert.equal(ack.attrs.phash, undefined);
    const inbox = await call('GET', `/accounts/${BOB}/inbox?text=hello&wait=5000`);
    assert.equal(inbox.messages[0].plaintexts, 1);
    const own = await call('GET', `/accounts/${ANN}/inbox?text=hello&wait=5000`);
    assert.equal(own.messages[0].from_me, true);
    await ann.waitFor(s => s.tag === 'receipt' && s.attrs.from === BOB_JID, 'delivery receipt');
    await call('POST', `/accounts/${BOB}/send`, { to: ANN, text: 'and back' });
    const message = await ann.waitFor('message');
    assert.equal((await ann.decrypt(message)).conversation, 'and back');
    ann.receipt(message);
    await call('GET', `/accounts/${BOB}/receipts?id=${message.attrs.id}&wait=5000`);
    assert.deepEqual((await call('GET', `/clients/${ANN}:${ann.jid.match(/:(\d+)/)[1]}`)).pending, []);
    assert.deepEqual(await rules(), []);
    ann.receipt(message);
    await call('GET', '/events?type=violation&wait=5000');
    assert.deepEqual(await rules(), ['answered_twice']);
});

test('fan-out faults: missing device, sender itself, no device-identity, key used twice', async () => {
    const missing = await ann.text(BOB_JID, [BOB_JID], 'not to my phone');
    assert.match(missing.attrs.phash, /^2:/);
    const self = await ann.text(BOB_JID, [BOB_JID, ANN_JID], 'x');
    assert.equal(self.attrs.error, undefined);
    ann.lastMessage.content[0].content.push(node('to', { jid: ann.jid }, [child(ann.lastMessage.content[0].content[0], 'enc')]));
    ann.lastMessage.attrs.id += 'A';
    assert.equal((await ann.sendMessage(ann.lastMessage)).attrs.error, '400');
    const repeated = node('message', { ...ann.lastMessage.attrs, id: 'REUSED' }, [
        node('participants', {}, ann.lastMessage.content[0].content.slice(0, 2)), ann.lastMessage.content[1]
    ]);
    assert.equal((await ann.sendMessage(repeated)).attrs.error, '400');
    await ann.to(BOB_JID, BOB_JID, 'skipped');
    const bare = node('message', { ...ann.lastMessage.attrs, id: 'NOIDENTITY' }, [
        node('participants', {}, [await ann.to(BOB_JID, BOB_JID, 'bare'), await ann.to(ANN_JID, BOB_JID, 'bare')])
    ]);
    const needed = children(child(bare, 'participants'), 'to').some(to => child(to, 'enc').attrs.type === 'pkmsg');
    assert.equal((await ann.sendMessage(bare)).attrs.error, needed ? '400' : undefined);
    assert.deepEqual(await rules(), ['missing_device', 'fanout', 'envelope', ...(needed ? ['device_identity'] : [])]);
});

test('a frame sent again is acked once more and delivered once', async () => {
    await ann.text(BOB_JID, [BOB_JID, ANN_JID], 'only once');
    const before = (await call('GET', `/accounts/${BOB}/inbox?text=${encodeURIComponent('only once')}&wait=5000`)).messages[0];
    await ann.sendMessage(ann.lastMessage);
    assert.equal(before.deliveries, 1);
    assert.deepEqual(await rules(), []);
    const changed = node('message', ann.lastMessage.attrs, [
        node('participants', {}, [await ann.to(BOB_JID, BOB_JID, 'only once'), await ann.to(ANN_JID, BOB_JID, 'only once')]), ann.lastMessage.content[1]
    ]);
    await ann.sendMessage(changed);
    assert.deepEqual(await rules(), ['resent_differs']);
});

test('what a phone cannot decrypt comes back as a retry, and a resend with keys heals it', async () => {
    await call('POST', `/accounts/${BOB}/send`, { to: ANN, text: 'damaged', corrupt: true, id: 'DAMAGED1' });
    const message = await ann.waitFor(s => s.tag === 'message' && s.attrs.id === 'DAMAGED1');
    await assert.rejects(ann.decrypt(message));
    const skey = ann.store.signedPreKey;
    const one = ann.store.newPreKey();
    ann.receipt(message, { type: 'retry' }, [
        node('retry', { count: 2, id: 'DAMAGED1', t: message.attrs.t, v: 1, error: 7 }), node('registration', {}, beBytes(ann.store.registrationId, 4)),
        node('keys', {}, [node('type', {}, Buffer.from([5])), node('identity', {}, ann.identity.public),
            node('key', {}, [node('id', {}, beBytes(one.id, 3)), node('value', {}, one.public)]),
            node('skey', {}, [node('id', {}, beBytes(skey.id, 3)), node('value', {}, skey.public), node('signature', {}, skey.signature)]),
            node('device-identity', {}, ann.adv)])
    ]);
    ann.ack(message);
    const resent = await ann.waitFor(s => s.tag === 'message' && s.attrs.id === 'DAMAGED1' && child(s, 'enc').attrs.count === '2', 'resend');
    assert.equal((await ann.decrypt(resent)).conversation, 'damaged');
    ann.receipt(resent);
    assert.deepEqual(await rules(), []);
});

test('stanzas wait for an absent client and come with an offline mark', async () => {
    await ann.drop();
    await call('GET', `/events?type=closed&device=${ann.jid}&wait=5000`);
    for (let i = 0; i < 12; i++) await call('POST', `/accounts/${BOB}/send`, { to: ANN, text: `late ${i}` });
    await ann.login(false);
    const preview = await ann.waitFor(s => child(s, 'offline_preview'), 'preview');
    assert.equal(child(preview, 'offline_preview').attrs.message, '12');
    assert.equal(ann.received.some(s => s.tag === 'message'), false);
    await ann.query('passive', 'set', [node('active')]);
    ann.send(node('ib', {}, [node('offline_batch', { count: 100 })]));
    await ann.waitFor(s => child(s, 'offline'), 'offline');
    const messages = ann.received.filter(s => s.tag === 'message');
    assert.equal(messages.length, 12);
    for (const message of messages) {
        assert.ok('offline' in message.attrs);
        assert.match((await ann.decrypt(message)).conversation, /^late/);
        ann.receipt(message);
    }
    assert.deepEqual(await rules(), []);
});

test('errors on demand: ack error, IQ error, stream error, login failure', async () => {
    await call('POST', '/faults', { kind: 'ack_error', code: 463, device: ann.jid });
    assert.equal((await ann.text(BOB_JID, [BOB_JID, ANN_JID], 'refused')).attrs.error, '463');
    await call('POST', '/faults', { kind: 'iq_error', code: 503, match: { xmlns: 'abt' } });
    assert.equal((await ann.query('abt', 'get', [node('props', { protocol: 1 })])).attrs.type, 'error');
    await call('POST', `/clients/${ann.jid}/stream-error`, { code: 503 });
    await ann.waitFor('stream:error');
    await ann.waitClosed();
    await call('POST', '/faults', { kind: 'login_failure', attrs: { reason: 403 } });
    await ann.connect();
    assert.equal((await ann.waitFor('failure')).attrs.reason, '403');
});

test('the bytes can come split, merged, compressed, cut', async () => {
    await call('POST', '/faults', { kind: 'split_frames' });
    await call('POST', '/faults', { kind: 'compress', count: 0 });
    await ann.login();
    assert.ok(ann.chunks.slice(1).every(c => c.length === 1));
    await call('DELETE', '/faults');
    await call('POST', '/faults', { kind: 'close_at_byte', bytes: 450 });
    await ann.connect();
    await ann.waitClosed();
    assert.equal(ann.chunks.reduce((n, c) => n + c.length, 0), 450);
});

test('a second login replaces the first; unlinking says device_removed', async () => {
    await ann.login();
    const socket = ann.socket;
    const gone = new Promise(resolve => { socket.once('close', resolve); });
    const twin = Object.assign(new WireClient(wasim), { jid: ann.jid, lid: ann.lid, noiseKey: ann.noiseKey });
    await twin.login();
    await gone;
    assert.equal(child(ann.received.find(s => s.tag === 'stream:error'), 'conflict').attrs.type, 'replaced');
    await call('POST', `/clients/${ann.jid}/unlink`);
    const error = await twin.waitFor('stream:error');
    assert.equal(error.attrs.code, '401');
    assert.equal(child(error, 'conflict').attrs.type, 'device_removed');
    await twin.waitClosed();
    await twin.connect();
    assert.equal((await twin.waitFor('failure')).attrs.reason, '401');
});

test('an account with a passkey', async () => {
    const { passkeyRun } = await import('./testing/passkey-run.js');
    await call('POST', '/accounts', { phone: '15550003333', passkey: true });
    const client = new WireClient(wasim);
    await client.connect();
    const scanned = await call('POST', '/accounts/15550003333/scan', { qr: await client.qr() });
    assert.equal(scanned.passkey, true);
    const code = await passkeyRun(client, '15550003333', call);
    assert.match(code, /^[1-9A-HJ-NP-TV-Z]{4}-[1-9A-HJ-NP-TV-Z]{4}$/);
    await client.acceptPairing();
    await client.waitFor(s => s.tag === 'stream:error' && s.attrs.code === '515');
    assert.equal(textOf(node('x', {}, 'y')), 'y');
    assert.ok(bytesOf(node('x', {}, Buffer.from([1]))));
    assert.equal(djb(Buffer.alloc(32)).length, 33);
    assert.deepEqual(await rules(), []);
});

test('unknown IQs and stanzas are refused and written down', async () => {
    await call('POST', '/accounts', { phone: '15550004444' });
    const client = new WireClient(wasim);
    await client.link('15550004444', call);
    const answer = await client.query('w:nonsense', 'get', [node('nonsense')]);
    assert.equal(child(answer, 'error').attrs.code, '501');
    client.send(node('nonsense', { id: '1' }));
    await client.query('w:p', 'get');
    assert.deepEqual(await rules(), ['unknown_iq', 'unknown_stanza']);
    client.drop();
});
