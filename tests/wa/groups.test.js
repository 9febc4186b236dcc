// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, groups do not work with the clients that people really use: a member does not get a message, gets it twice or too late,
// or reads on after it has left.
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { BaileysPeer, endProcessSoon } from '../peer/baileys-peer.js';
import { Bench } from './setup.js';

const bench = new Bench(15550700000);
const peers = [];
let tags = 0;

after(() => {
    peers.forEach(peer => peer.stop());
    endProcessSoon();
});

async function baileys(account) {
    const peer = new BaileysPeer({ wsUrl: bench.wasim.wsUrl, controlUrl: bench.wasim.controlUrl, rootKey: bench.wasim.rootKey, caFile: bench.wasim.caFile });
    peers.push(peer);
    await peer.pair(account.phone);
    return peer;
}

function send(wire, to, text) {
    const id = `3EB0${String(++tags).padStart(18, 'C')}`;
    wire.tell('send', tags, id, to, text);
    return id;
}

function acked(wire, tag = tags) {
    return wire.until(() => wire.events.find(e => (e.event === 'send_ack' || e.event === 'send_failed') && e.tag === tag), `the end of send ${tag}`)
        .then(() => {
            const end = wire.events.find(e => (e.event === 'send_ack' || e.event === 'send_failed') && e.tag === tag);
            assert.equal(end.event, 'send_ack', JSON.stringify(end));
            return end;
        });
}

function heard(wire, text) {
    return wire.until(() => wire.events.find(e => e.event === 'message' && e.body === text), text)
        .then(() => wire.events.find(e => e.event === 'message' && e.body === text));
}

async function inbox(account, text, device = 0) {
    const { messages } = await bench.call('GET', `/accounts/${account.phone}/inbox?wait=20000&device=${device}&text=${encodeURIComponent(text)}`);
    assert.equal(messages.length, 1, `${text} at ${account.phone}:${device}: ${messages.length} times`);
    return messages[0];
}

async function got(peer, text, id) {
    const message = await peer.waitMessage(text);
    if (id) assert.equal(message.key.id, id);
    assert.equal(peer.messages.filter(m => m.key.id === message.key.id).length, 1);
    return message;
}

function group(creator, members, extra) {
    return bench.call('POST', '/groups', { creator: creator.phone, members: members.map(m => m.phone), ...extra });
}

async function queries(jid) {
    return (await bench.call('GET', `/events?type=group_query&group=${jid}`)).events.length;
}

async function countKeys(id) {
    const { stanzas } = await bench.call('GET', `/stanzas?tag=message&id=${id}&wait=20000`);
    const list = stanzas[0].stanza.content.find(n => n.tag === 'participants');
    return list ? list.content.length : 0;
}

for (const addressing of ['pn', 'lid']) {
    test(`three accounts with two devices each, both ways (${addressing})`, async () => {
        const us = await bench.linked({ companions: 1 });
        const { wire } = us;
        const [b, c] = [await bench.account({ strict: false, name: 'Bob' }), await bench.account({ strict: false, name: 'Cid' })];
        const [b1, b2, c1] = [await baileys(b), await baileys(b), await baileys(c)];
        const { jid } = await group(b, [us.account, c], { addressing });
        const everybody = [b1, b2, c1];
        for (const n of [1, 2, 3]) {
            const id = send(wire, jid, `to the group ${n}`);
            await acked(wire);
            for (const peer of everybody) await got(peer, `to the group ${n}`, id);
            for (const device of [0, 1]) await inbox(us.account, `to the group ${n}`, device);
            await inbox(b, `to the group ${n}`);
            // phones b, c, ours, our companion, b1, b2, c1: all get the key, once.
            assert.equal(await countKeys(id), n === 1 ? 7 : 0);
        }
        for (const peer of everybody) {
            for (const n of [1, 2, 3]) {
                const text = `from ${peer.jid} ${n}`;
                const id = await peer.sendText(jid, text);
                const message = await heard(wire, text);
                assert.deepEqual([message.id, message.chat, message.from_me], [id, jid, false]);
            }
        }
        const own = await bench.call('POST', `/accounts/${us.account.phone}/send`, { to: jid, text: 'from our phone' });
        const message = await heard(wire, 'from our phone');
        assert.deepEqual([message.id, message.from_me], [own.id, true]);
        assert.equal(await queries(jid) - (await bench.call('GET', `/stanzas?tag=iq&xmlns=w:g2&to=${jid}`)).stanzas.filter(s => s.device !== us.jid).length <= 1, true);
        assert.equal(wire.events.filter(e => e.event === 'undecryptable').length, 0);
        for (const peer of everybody) peer.stop();
    });
}

test('who leaves reads no more; who comes back and new devices do', async () => {
    const { wire, account, jid: device } = await bench.linked();
    const [b, c] = [await bench.account({ strict: false }), await bench.account({ companions: 1 })];
    const peer = await baileys(b);
    const { jid } = await group(c, [account, b], { addressing: 'lid' });
    await wire.wait('group', e => e.change === 1);
    await got(peer, 'all three', send(wire, jid, 'all three'));
    await bench.call('POST', `/groups/${jid}/remove`, { phones: [b.phone] });
    const change = await wire.wait('group', e => e.change === 3);
    assert.deepEqual([change.chat, change.member, change.on, change.actor], [jid, b.lid_jid, false, c.lid_jid]);
    const id = send(wire, jid, 'without one');
    await acked(wire);
    for (const device of [0, 1]) await inbox(c, 'without one', device);
    assert.equal(await countKeys(id), 3);
    await bench.call('POST', `/groups/${jid}/add`, { phones: [b.phone] });
    await wire.wait('group', e => e.change === 2);
    const again = send(wire, jid, 'three again');
    await got(peer, 'three again', again);
    assert.equal(await countKeys(again), 2);
    assert.equal(peer.messages.some(m => m.key.id === id), false);
    await bench.call('POST', `/accounts/${c.phone}/companions`, {});
    await bench.call('GET', `/stanzas?tag=ack&class=notification&type=devices&device=${encodeURIComponent(device)}&wait=20000`);
    const fresh = send(wire, jid, 'to a new device');
    await acked(wire);
    await inbox(c, 'to a new device', 2);
    assert.equal(await countKeys(fresh), 1);
    peer.stop();
});

test('keys are lost on either side, and asked for again', async () => {
    const { wire, account } = await bench.linked();
    const b = await bench.account();
    const { jid } = await group(b, [account], { addressing: 'lid' });
    send(wire, jid, 'one');
    await acked(wire);
    await inbox(b, 'one');
    await bench.call('POST', `/accounts/${b.phone}/forget-sender-keys`, { chat: jid });
    const id = send(wire, jid, 'two');
    const retry = await wire.wait('retry_requested');
    assert.deepEqual([retry.text, retry.code], [id, 0]);
    assert.equal((await bench.call('GET', `/accounts/${b.phone}/inbox?wait=20000&text=two`)).messages[0].id, id);
    const three = send(wire, jid, 'three');
    await acked(wire);
    await inbox(b, 'three');
    assert.equal(await countKeys(three), 1);
    for (const text of ['no key', 'no key once more']) {
        const sent = await bench.call('POST', `/accounts/${b.phone}/send`, { to: jid, text, no_key: text === 'no key' });
        assert.equal((await heard(wire, text)).id, sent.id);
    }
    await bench.call('POST', `/accounts/${b.phone}/send`, { to: jid, text: 'damaged', corrupt: true });
    await heard(wire, 'damaged');
    assert.equal(wire.events.filter(e => e.event === 'message' && e.body === 'damaged').length, 1);
});

test('Baileys loses our key, and we lose the one of Baileys', async () => {
    const { wire, account, jid: device } = await bench.linked();
    const b = await bench.account({ strict: false });
    const peer = await baileys(b);
    const { jid } = await group(b, [account], { addressing: 'lid' });
    await got(peer, 'one', send(wire, jid, 'one'));
    await bench.call('POST', '/faults', { kind: 'corrupt_enc', device: peer.jid, count: 1, match: { tag: 'message' } });
    const id = send(wire, jid, 'damaged on the way');
    await got(peer, 'damaged on the way', id);
    await peer.sendText(jid, 'fine');
    await heard(wire, 'fine');
    await bench.call('POST', '/faults', { kind: 'corrupt_enc', device, count: 1, match: { tag: 'message' } });
    await peer.sendText(jid, 'damaged, too');
    await heard(wire, 'damaged, too');
    peer.stop();
});

test('a restart loses no key and repeats none', async () => {
    const { wire, account } = await bench.linked();
    const b = await bench.account({ strict: false });
    const peer = await baileys(b);
    const { jid } = await group(b, [account], { addressing: 'lid', ephemeral: 604800 });
    await got(peer, 'before', send(wire, jid, 'before'));
    await peer.sendText(jid, 'theirs before');
    await heard(wire, 'theirs before');
    await bench.close(wire);
    await wire.ask('restart', 'restarted');
    await peer.sendText(jid, 'while away');
    await bench.open(wire);
    await heard(wire, 'while away');
    const id = send(wire, jid, 'after');
    await got(peer, 'after', id);
    assert.equal(await countKeys(id), 0);
    const info = wire.wait('group_info');
    wire.tell('group', jid);
    assert.deepEqual([(await info).expiration, (await info).members, (await info).lid], [604800, 2, true]);
    peer.stop();
});

test('refusals: another addressing mode is followed, a foreign group is an error', async () => {
    const { wire, account } = await bench.linked();
    const b = await bench.account();
    const { jid } = await group(b, [account], { addressing: 'pn' });
    send(wire, jid, 'by number');
    await acked(wire);
    await bench.call('PATCH', `/groups/${jid}`, { addressing: 'lid' });
    send(wire, jid, 'by LID');
    await acked(wire);
    await inbox(b, 'by LID');
    await bench.call('PATCH', `/groups/${jid}`, { announce: true });
    await wire.wait('group', e => e.change === 9);
    send(wire, jid, 'not allowed');
    assert.equal((await wire.wait('send_failed')).code, 403);
    const other = await group(b, [], {});
    send(wire, other.jid, 'not mine');
    assert.equal((await wire.wait('send_failed')).code, 403);
    send(wire, '120363000000000001@g.us', 'nowhere');
    assert.equal((await wire.wait('send_failed')).code, 404);
});

test('status: sent to an audience, received from a contact, an old one not shown', async () => {
    const { wire, account } = await bench.linked();
    const b = await bench.account({ strict: false });
    const peer = await baileys(b);
    const c = await bench.account();
    for (const n of [1, 2]) {
        const id = `3EB0STATUS00000000000${n}`;
        wire.tell('status', ++tags, id, `${b.jid},${c.jid}`, `my day ${n}`);
        await acked(wire);
        const message = await got(peer, `my day ${n}`, id);
        assert.equal(message.key.remoteJid, 'status@broadcast');
        for (const who of [b, c, account]) await inbox(who, `my day ${n}`);
    }
    await bench.call('POST', `/accounts/${c.phone}/send`, { to: 'status@broadcast', text: 'their day', audience: [account.phone] });
    assert.equal((await heard(wire, 'their day')).chat, 'status@broadcast');
    peer.stop();
});

test('channels: posts come and go', async () => {
    const { wire, account, client } = await bench.linked();
    const b = await bench.account();
    const theirs = await bench.call('POST', '/newsletters', { owner: b.phone, followers: [account.phone] });
    const post = await bench.call('POST', `/newsletters/${theirs.jid}/post`, { text: 'news' });
    assert.deepEqual([(await heard(wire, 'news')).id, (await heard(wire, 'news')).chat], [post.id, theirs.jid]);
    await bench.call('POST', `/newsletters/${theirs.jid}/notify`, { client: decodeURIComponent(client) });
    const ours = await bench.call('POST', '/newsletters', { owner: account.phone, followers: [b.phone] });
    send(wire, ours.jid, 'posted');
    assert.equal((await acked(wire)).number, 100);
    await inbox(b, 'posted');
    assert.equal(wire.events.filter(e => e.event === 'message' && e.body === 'news').length, 1);
});
