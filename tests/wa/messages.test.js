// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, texts do not reach the other side, arrive twice, or are lost between the phone and us.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Bench, REACTION } from './setup.js';

const bench = new Bench(15550300000);
let tags = 0;

function send(wire, to, text, id = `3EB0${String(++tags).padStart(18, '0')}`) {
    wire.tell('send', tags, id, to, text);
    return id;
}

async function inbox(phone, text, query = '') {
    const { messages } = await bench.call('GET', `/accounts/${phone}/inbox?wait=20000&text=${encodeURIComponent(text)}${query}`);
    assert.equal(messages.length, 1, `${text}: ${JSON.stringify(messages)}`);
    return messages[0];
}

function count(wire, event) {
    return wire.events.filter(e => e.event === event).length;
}

async function linkedPair(ours = {}, theirs = {}) {
    const us = await bench.linked(ours);
    const peer = await bench.account({ name: 'Bob', ...theirs });
    return { ...us, peer, to: peer.jid };
}

function fault(body) {
    return bench.call('POST', '/faults', { count: 1, ...body });
}

function phoneSends(from, to, text, extra = {}) {
    return bench.call('POST', `/accounts/${from}/send`, { to, text, ...extra });
}

for (const form of ['pn', 'lid']) {
    test(`a text to all devices of both sides, by ${form}`, async () => {
        const { wire, account, peer } = await linkedPair({ companions: 1 }, { companions: 2 });
        const to = form === 'pn' ? peer.jid : peer.lid_jid;
        for (const text of ['first', 'second']) {
            const id = send(wire, to, text);
            const ack = await wire.wait('send_ack');
            assert.equal(ack.tag, tags);
            for (const device of [0, 1, 2]) assert.equal((await inbox(peer.phone, text, `&device=${device}`)).id, id);
            for (const device of [0, 1]) assert.equal((await inbox(account.phone, text, `&device=${device}`)).id, id);
        }
    });

    test(`a text from a phone, and its answer, by ${form}`, async () => {
        const { wire, account, peer, to } = await linkedPair();
        for (const text of ['hello', 'again']) {
            const sent = await phoneSends(peer.phone, form === 'pn' ? account.phone : account.lid, text);
            const message = await wire.wait('message');
            assert.deepEqual([message.id, message.body, message.from_me], [sent.id, text, false]);
            const { receipts } = await bench.call('GET', `/accounts/${peer.phone}/receipts?id=${sent.id}&wait=20000`);
            assert.ok(receipts.length > 0);
        }
        send(wire, to, 'answer');
        await wire.wait('send_ack');
        assert.equal((await inbox(peer.phone, 'answer')).text, 'answer');
    });
}

test('what the own phone sends is seen as ours', async () => {
    const { wire, account, peer } = await linkedPair();
    const sent = await phoneSends(account.phone, peer.phone, 'from my phone');
    const message = await wire.wait('message');
    assert.deepEqual([message.id, message.body, message.from_me, message.chat], [sent.id, 'from my phone', true, peer.jid]);
});

test('a note to self reaches the own phone', async () => {
    const { wire, account } = await bench.linked();
    const id = send(wire, account.jid, 'do not forget');
    await wire.wait('send_ack');
    assert.equal((await inbox(account.phone, 'do not forget')).id, id);
});

test('many texts each way keep their order', async () => {
    const { wire, account, peer, to } = await linkedPair();
    const texts = Array.from({ length: 40 }, (_, i) => `number ${i}`);
    for (const text of texts) send(wire, to, text);
    for (const text of texts) await phoneSends(peer.phone, account.phone, `back ${text}`);
    for (const text of texts) assert.equal((await wire.wait('message')).body, `back ${text}`);
    await inbox(peer.phone, texts.at(-1));
    const { messages } = await bench.call('GET', `/accounts/${peer.phone}/inbox`);
    assert.deepEqual(messages.map(m => m.text), texts);
});

for (const kind of ['close_before_ack', 'lose_message']) {
    test(`a connection lost around a send (${kind}): the same stanza again, one message`, async () => {
        const { wire, peer, to, jid } = await linkedPair();
        await fault({ kind, device: jid });
        const id = send(wire, to, 'once');
        await wire.wait('ws_closed');
        await bench.open(wire);
        await wire.wait('send_ack');
        assert.equal((await inbox(peer.phone, 'once')).id, id);
        const { messages } = await bench.call('GET', `/accounts/${peer.phone}/inbox`);
        assert.equal(messages.length, 1);
    });
}

test('a connection lost while the devices are asked for: the message leaves after it', async () => {
    const { wire, peer, to, client } = await linkedPair();
    await fault({ kind: 'iq_silence', match: { xmlns: 'usync' } });
    const id = send(wire, to, 'still wanted');
    await bench.call('GET', `/stanzas?tag=iq&xmlns=usync&wait=20000`);
    await bench.call('POST', `/clients/${client}/drop`);
    await wire.wait('ws_closed');
    await bench.open(wire);
    await wire.wait('send_ack');
    assert.equal((await inbox(peer.phone, 'still wanted')).id, id);
    assert.equal(count(wire, 'send_failed'), 0);
});

test('what was ordered while the connection was down leaves after it', async () => {
    const { wire, peer, to } = await linkedPair();
    await bench.close(wire);
    const id = send(wire, to, 'later');
    await bench.open(wire);
    await wire.wait('send_ack');
    assert.equal((await inbox(peer.phone, 'later')).id, id);
});

test('a message that does not decrypt is asked for again and arrives once', async () => {
    const { wire, account, peer } = await linkedPair();
    await phoneSends(peer.phone, account.phone, 'fine');
    await wire.wait('message');
    const { id } = await phoneSends(peer.phone, account.phone, 'damaged', { corrupt: true });
    const undecryptable = await wire.wait('undecryptable');
    assert.deepEqual([undecryptable.id, undecryptable.number], [id, 1]);
    const message = await wire.wait('message');
    assert.deepEqual([message.id, message.body], [id, 'damaged']);
    await phoneSends(peer.phone, account.phone, 'goes on');
    assert.equal((await wire.wait('message')).body, 'goes on');
});

test('a first message that does not decrypt is asked for again', async () => {
    const { wire, account, peer } = await linkedPair();
    const { id } = await phoneSends(peer.phone, account.phone, 'first and damaged', { corrupt: true });
    await wire.wait('undecryptable');
    const message = await wire.wait('message');
    assert.deepEqual([message.id, message.body], [id, 'first and damaged']);
});

test('a device that cannot decrypt gets the message again', async () => {
    const us = await bench.linked();
    const them = await bench.linked({ name: 'Bob' });
    send(us.wire, them.account.jid, 'fine');
    await them.wire.wait('message');
    for (const text of ['lost at first', 'lost again']) {
        await fault({ kind: 'corrupt_enc', device: them.jid });
        const id = send(us.wire, them.account.jid, text);
        const retry = await us.wire.wait('retry_requested');
        assert.deepEqual([retry.text, retry.code, retry.number], [id, 0, 1]);
        assert.equal((await them.wire.wait('message')).id, id);
    }
    // Several in a row: from the second request on the keys for a new session come along.
    await fault({ kind: 'corrupt_enc', device: them.jid, count: 3 });
    const id = send(us.wire, them.account.jid, 'lost three times');
    assert.equal((await them.wire.wait('message')).id, id);
    send(them.wire, us.account.jid, 'still talking');
    assert.equal((await us.wire.wait('message')).body, 'still talking');
});

test('a request for a message that comes twice is answered once', async () => {
    const us = await bench.linked();
    const them = await bench.linked({ name: 'Bob' });
    send(us.wire, them.account.jid, 'fine');
    await them.wire.wait('message');
    await fault({ kind: 'duplicate', device: us.jid, match: { tag: 'receipt', type: 'retry' }, count: 2 });
    await fault({ kind: 'corrupt_enc', device: them.jid, count: 2 });
    const id = send(us.wire, them.account.jid, 'asked for twice');
    assert.equal((await them.wire.wait('message')).id, id);
    send(them.wire, us.account.jid, 'done');
    await us.wire.wait('message');
    assert.deepEqual(us.wire.events.filter(e => e.event === 'retry_requested').map(e => e.number), [1, 2]);
});

test('a duplicate is answered and shown once', async () => {
    const { wire, account, peer, jid } = await linkedPair();
    await fault({ kind: 'duplicate', device: jid, match: { tag: 'message' } });
    await phoneSends(peer.phone, account.phone, 'twice');
    await phoneSends(peer.phone, account.phone, 'next');
    assert.equal((await wire.wait('message')).body, 'twice');
    assert.equal((await wire.wait('message')).body, 'next');
    assert.equal(wire.events.filter(e => e.event === 'message').length, 2);
});

test('messages that came while we were away are there after the login', async () => {
    const { wire, account, peer } = await linkedPair();
    await bench.close(wire);
    for (let i = 0; i < 60; i++) await phoneSends(peer.phone, account.phone, `away ${i}`);
    wire.tell('open');
    await wire.until(() => wire.events.some(e => e.event === 'offline_done') && wire.events.filter(e => e.event === 'message').length === 60);
    assert.deepEqual(wire.events.filter(e => e.event === 'message').map(e => e.body), Array.from({ length: 60 }, (_, i) => `away ${i}`));
});

test('a contact with a re-installed phone is reached', async () => {
    const { wire, account, peer, to } = await linkedPair();
    send(wire, to, 'old phone');
    await inbox(peer.phone, 'old phone');
    await phoneSends(peer.phone, account.phone, 'also old');
    await wire.wait('message');
    await bench.call('POST', `/accounts/${peer.phone}/reinstall`, {});
    await wire.wait('identity_changed');
    send(wire, to, 'new phone');
    await inbox(peer.phone, 'new phone');
    await phoneSends(peer.phone, account.phone, 'also new');
    assert.equal((await wire.wait('message', e => e.body === 'also new')).body, 'also new');
});

test('a companion that was added gets the next message, one that was removed does not', async () => {
    const { wire, peer, to } = await linkedPair();
    send(wire, to, 'alone');
    await inbox(peer.phone, 'alone');
    await bench.call('POST', `/accounts/${peer.phone}/companions`, {});
    send(wire, to, 'for two');
    const { devices } = await bench.call('GET', `/accounts/${peer.phone}/devices`);
    const added = devices.find(d => d.id !== 0).id;
    await inbox(peer.phone, 'for two', `&device=${added}`);
    await bench.call('DELETE', `/accounts/${peer.phone}/devices/${added}`);
    send(wire, to, 'for one again');
    await inbox(peer.phone, 'for one again');
});

test('a number that is not on WhatsApp', async () => {
    const { wire } = await bench.linked();
    send(wire, '15559999999@s.whatsapp.net', 'hello?');
    const failed = await wire.wait('send_failed');
    assert.equal(failed.code, 404);
});

for (const code of [400, 463, 475]) {
    test(`a refusal with ${code} is told`, async () => {
        const { wire, to, jid } = await linkedPair();
        await fault({ kind: 'ack_error', code, device: jid });
        send(wire, to, 'refused');
        const failed = await wire.wait('send_failed');
        assert.deepEqual([failed.code, failed.tag], [code, tags]);
        send(wire, to, 'accepted');
        await wire.wait('send_ack');
    });
}

test('479 is answered by one rebuild with fresh lists', async () => {
    const { wire, to, jid, peer } = await linkedPair();
    send(wire, to, 'before');
    await wire.wait('send_ack');
    await fault({ kind: 'ack_error', code: 479, device: jid });
    const id = send(wire, to, 'rebuilt');
    await wire.wait('send_ack');
    assert.equal((await inbox(peer.phone, 'rebuilt')).id, id);
    await fault({ kind: 'ack_error', code: 479, device: jid, count: 2 });
    send(wire, to, 'refused twice');
    assert.equal((await wire.wait('send_failed')).code, 479);
});

test('a foreign participant hash in the ack costs one device query and no message', async () => {
    const { wire, to, jid, peer } = await linkedPair();
    await fault({ kind: 'foreign_phash', device: jid });
    send(wire, to, 'one');
    await wire.wait('send_ack');
    send(wire, to, 'two');
    await wire.wait('send_ack');
    await inbox(peer.phone, 'two');
});

test('a contact without one-time keys is reached, one with a wrong signature is not', async () => {
    const { wire, to, peer } = await linkedPair();
    await fault({ kind: 'no_one_time_key', device: peer.jid, count: 5 });
    send(wire, to, 'without a key');
    await inbox(peer.phone, 'without a key');
    await bench.call('DELETE', '/faults');
    const other = await bench.account();
    await fault({ kind: 'bad_bundle_signature', device: other.jid, count: 5 });
    send(wire, other.jid, 'never');
    assert.equal((await wire.wait('send_failed')).code, 406);
});

test('strangers cannot act as an own device', async () => {
    const { wire, account, peer } = await linkedPair();
    const key = { keys: [{ keyId: { keyId: 'AAAAAAAB' }, keyData: { keyData: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=', timestamp: '1' } }] };
    await bench.call('POST', `/accounts/${peer.phone}/send`, { to: account.phone, message: { protocolMessage: { type: 6, appStateSyncKeyShare: key } } });
    assert.match((await wire.wait('warning')).text, /own device/);
    await bench.call('POST', `/accounts/${peer.phone}/send`, {
        to: account.phone, message: { deviceSentMessage: { destinationJid: peer.jid, message: { conversation: 'words in our mouth' } } }
    });
    assert.match((await wire.wait('warning')).text, /own device/);
    await phoneSends(peer.phone, account.phone, 'honest');
    assert.equal((await wire.wait('message')).body, 'honest');
    assert.equal((await wire.ask('count 14', 'count')).count, 0);
    // The own phone, which got the forged envelope too, complains as it should.
    await bench.call('DELETE', '/violations');
});

test('a failed commit acknowledges nothing and loses nothing', async () => {
    const { wire, account, peer } = await linkedPair();
    await phoneSends(peer.phone, account.phone, 'stored');
    await wire.wait('message');
    wire.tell('fail', 'on');
    await phoneSends(peer.phone, account.phone, 'not stored');
    assert.equal((await wire.wait('close')).reaction, REACTION.storage);
    await wire.wait('ws_closed');
    wire.tell('fail', 'off');
    await bench.open(wire);
    assert.equal((await wire.wait('message')).body, 'not stored');
});

test('a process that dies before the ack sends the same bytes again', async () => {
    const { wire, peer, to, jid } = await linkedPair();
    await fault({ kind: 'no_ack', device: jid });
    const id = send(wire, to, 'stored before it left');
    await inbox(peer.phone, 'stored before it left');
    await wire.ask('restart', 'restarted');
    await bench.open(wire);
    await wire.wait('send_ack');
    const { events } = await bench.call('GET', '/events?type=message_sent_again');
    assert.deepEqual(events.filter(e => e.id === id).map(e => e.identical), [true]);
    send(wire, to, 'and goes on');
    assert.equal((await inbox(peer.phone, 'and goes on')).text, 'and goes on');
});

test('a process that dies again and again loses nothing and doubles nothing', async () => {
    const { wire, account, peer, to } = await linkedPair();
    for (let round = 0; round < 6; round++) {
        for (let i = 0; i < 10; i++) {
            send(wire, to, `out ${round}.${i}`);
            await phoneSends(peer.phone, account.phone, `in ${round}.${i}`);
        }
        await wire.ask('restart', 'restarted');
        await bench.open(wire);
    }
    await wire.until(() => count(wire, 'message') >= 60, 'all messages');
    const bodies = wire.events.filter(e => e.event === 'message').map(e => e.body);
    assert.equal(new Set(bodies).size, 60);
    assert.equal(bodies.length, 60);
    // What was ordered but not yet stored as a stanza is the outbox's to order again; what was stored arrives once.
    const stored = new Set(wire.events.filter(e => e.event === 'send_stanza').map(e => e.tag));
    await wire.until(() => wire.events.filter(e => e.event === 'send_ack').length >= stored.size, 'all acks');
    const { messages } = await bench.call('GET', `/accounts/${peer.phone}/inbox?limit=1000`);
    // First messages of both sides may cross: a copy that the phone could not read was asked for again under its id.
    const read = messages.filter(m => !m.failed).map(m => m.id);
    assert.equal(read.length, stored.size);
    assert.equal(new Set(read).size, stored.size);
});

test('read receipts and chat states reach the peer', async () => {
    const { wire, account, peer, to, jid } = await linkedPair();
    const { id } = await phoneSends(peer.phone, account.phone, 'read me');
    await wire.wait('message');
    wire.tell('read', to, id);
    const { receipts } = await bench.call('GET', `/accounts/${peer.phone}/receipts?id=${id}&type=read&wait=20000`);
    assert.equal(receipts.length, 1);
    wire.tell('typing', to);
    const { events } = await bench.call('GET', `/events?type=chatstate&wait=20000&from=${encodeURIComponent(jid)}`);
    assert.ok(events.some(e => e.state === 'composing'));
});

test('what the peer reads is told', async () => {
    const { wire, peer, to, account } = await linkedPair();
    const id = send(wire, to, 'have you read this?');
    await inbox(peer.phone, 'have you read this?');
    await bench.call('POST', `/accounts/${peer.phone}/read`, { chat: account.phone, ids: [id] });
    await wire.until(() => wire.events.some(e => e.event === 'receipt' && e.receipt === 'read' && e.id === id), 'read receipt');
    assert.ok(wire.events.some(e => e.event === 'receipt' && e.receipt === 'delivered' && e.id === id));
});

test('a contact that wants a token gets it once it has given one', async () => {
    const { wire, peer, to, account } = await linkedPair();
    await bench.call('PATCH', `/accounts/${peer.phone}`, { require_token: true });
    send(wire, to, 'without token');
    assert.equal((await wire.wait('send_failed')).code, 463);
    await bench.call('POST', `/accounts/${peer.phone}/token`, { to: account.phone });
    send(wire, to, 'with token');
    await wire.wait('send_ack');
    await inbox(peer.phone, 'with token');
});

test('a server in trouble gets the same stanza again', async () => {
    const { wire, peer, to, jid } = await linkedPair();
    await fault({ kind: 'ack_error', code: 503, device: jid });
    const id = send(wire, to, 'patience');
    await wire.until(() => wire.events.some(e => e.event === 'send_stanza'), 'stanza');
    assert.equal((await inbox(peer.phone, 'patience')).id, id);
    await wire.wait('send_ack');
});

test('a view-once message that is not for us is told, not asked for', async () => {
    const { wire, account, peer, jid } = await linkedPair();
    await fault({ kind: 'strip_enc', device: jid });
    await phoneSends(peer.phone, account.phone, 'stripped');
    assert.match((await wire.wait('undecryptable')).text, /not encrypted for this device/);
});

function varint(n) {
    const bytes = [];
    for (; n > 127; n = Math.floor(n / 128)) bytes.push((n % 128) | 128);
    return Buffer.from([...bytes, n]);
}

function field(number, bytes) {
    return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

test('35 KB of nested wrappers cost one message', async () => {
    const { wire, account, peer, jid } = await linkedPair();
    let bomb = field(1, Buffer.from('boom'));
    while (bomb.length < 35000) bomb = field(37, field(1, bomb));
    await bench.call('POST', `/accounts/${peer.phone}/send`, { to: account.phone, base64: bomb.toString('base64') });
    assert.match((await wire.wait('undecryptable')).text, /exceeds the limits/);
    const { events } = await bench.call('GET', `/events?type=nack&wait=20000&device=${encodeURIComponent(jid)}`);
    assert.deepEqual(events.map(e => e.code), [491]);
    await phoneSends(peer.phone, account.phone, 'unharmed');
    assert.equal((await wire.wait('message')).body, 'unharmed');
    await bench.call('DELETE', '/violations');
});

test('1,900 lost messages are skipped, 2,100 cost a retry', async () => {
    const { wire, account, peer } = await linkedPair();
    await phoneSends(peer.phone, account.phone, 'start');
    await wire.wait('message');
    await phoneSends(peer.phone, account.phone, 'after a gap', { lose: 1900 });
    assert.equal((await wire.wait('message')).body, 'after a gap');
    await phoneSends(peer.phone, account.phone, 'after a wider gap', { lose: 2100 });
    await wire.wait('undecryptable');
    assert.equal((await wire.wait('message')).body, 'after a wider gap');
    await phoneSends(peer.phone, account.phone, 'goes on');
    assert.equal((await wire.wait('message')).body, 'goes on');
});

test('an unknown one-time key is answered with fresh ones', async () => {
    const { wire, account, peer } = await linkedPair();
    await phoneSends(peer.phone, account.phone, 'with a key we never had', { bogus_prekey: true });
    assert.equal((await wire.wait('undecryptable')).code, 3);
    assert.equal((await wire.wait('message')).body, 'with a key we never had');
});

test('a companion that cannot prove its account is not believed', async () => {
    const { wire, account, peer } = await linkedPair({}, { companions: 1 });
    await phoneSends(peer.phone, account.phone, 'forged', { device: 1, device_identity: 'forged' });
    assert.equal((await wire.wait('undecryptable')).code, 12);
    await phoneSends(peer.phone, account.phone, 'the phone itself');
    await wire.until(() => wire.events.some(e => e.event === 'message' && e.body === 'the phone itself'));
});

test('history and keys from the own phone are taken and receipted', async () => {
    const { wire, account, jid, peer } = await linkedPair();
    await bench.call('POST', `/accounts/${account.phone}/history`, { device: Number(jid.split(/[:@]/)[1]), chats: [{ with: peer.phone, texts: ['long ago'] }] });
    await wire.until(() => count(wire, 'history') >= 3, 'the notices');
    assert.ok(count(wire, 'message') <= 1, 'only the keys are a message');
    const { events } = await bench.call('GET', `/events?type=receipt&wait=20000&from=${encodeURIComponent(jid)}`);
    assert.ok(events.some(e => e.receipt_type === 'peer_msg'));
    assert.ok((await wire.ask('count 14', 'count')).count > 0);
    await bench.call('GET', `/events?type=receipt&receipt_type=hist_sync&wait=20000&from=${encodeURIComponent(jid)}`);
});

test('an old message that comes once more is answered, not shown', async () => {
    const { wire, account, peer, client } = await linkedPair();
    const { id } = await phoneSends(peer.phone, account.phone, 'only once');
    await wire.wait('message');
    await bench.call('POST', `/clients/${client}/replay`, { id });
    await phoneSends(peer.phone, account.phone, 'the next one');
    assert.equal((await wire.wait('message')).body, 'the next one');
});
