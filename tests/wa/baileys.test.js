// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, the clients that people really use do not understand us, or we do not understand them.
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { BaileysPeer } from '../peer/baileys-peer.js';
import { Bench } from './setup.js';

const bench = new Bench(15550400000);
const peers = [];
let tags = 0;

after(() => peers.forEach(peer => peer.stop()));

async function baileys(phone) {
    const peer = new BaileysPeer({ wsUrl: bench.wasim.wsUrl, controlUrl: bench.wasim.controlUrl, rootKey: bench.wasim.rootKey, caFile: bench.wasim.caFile });
    peers.push(peer);
    await peer.pair(phone);
    return peer;
}

function send(wire, to, text) {
    const id = `3EB0${String(++tags).padStart(18, 'B')}`;
    wire.tell('send', tags, id, to, text);
    return id;
}

async function pair() {
    const us = await bench.linked();
    const account = await bench.account({ name: 'Bob', strict: false });
    return { ...us, us: us.account, them: account, peer: await baileys(account.phone) };
}

async function received(peer, id, text) {
    const message = await peer.waitMessage(text);
    assert.equal(message.key.id, id);
    assert.equal(peer.messages.filter(m => m.key.id === id).length, 1);
    return message;
}

for (const form of ['jid', 'lid_jid']) {
    test(`first and later texts both ways, by ${form}`, async () => {
        const { wire, us, them, peer } = await pair();
        for (const n of [1, 2, 3]) {
            const id = send(wire, them[form], `to Baileys ${n}`);
            await received(peer, id, `to Baileys ${n}`);
            await wire.wait('receipt');
            const back = await peer.sendText(us[form], `from Baileys ${n}`);
            const message = await wire.wait('message');
            assert.deepEqual([message.id, message.body], [back, `from Baileys ${n}`]);
            await peer.waitReceipt(back, 3);
        }
        peer.stop();
    });
}

test('Baileys writes first, in both forms of the address', async () => {
    const { wire, us, peer } = await pair();
    for (const [form, n] of [['jid', 1], ['lid_jid', 2], ['jid', 3]]) {
        await peer.sendText(us[form], `unasked ${n}`);
        assert.equal((await wire.wait('message')).body, `unasked ${n}`);
    }
    peer.stop();
});

test('several devices on both sides', async () => {
    const { wire, us, them, peer } = await pair();
    const second = await baileys(them.phone);
    const ours = await baileys(us.phone);
    await bench.call('PATCH', `/accounts/${us.phone}`, { strict: false });
    const id = send(wire, them.jid, 'to all of you');
    await received(peer, id, 'to all of you');
    await received(second, id, 'to all of you');
    const copy = await ours.waitMessage('to all of you');
    assert.equal(copy.key.fromMe, true);
    const back = await second.sendText(us.jid, 'from my other one');
    assert.equal((await wire.wait('message')).id, back);
    const mine = await ours.sendText(them.jid, 'from our other one');
    const seen = await wire.wait('message');
    assert.deepEqual([seen.id, seen.from_me], [mine, true]);
    for (const p of [peer, second, ours]) p.stop();
});

test('after restarts of either side', async () => {
    const { wire, us, them, peer } = await pair();
    await received(peer, send(wire, them.jid, 'before'), 'before');
    await peer.sendText(us.jid, 'also before');
    await wire.wait('message', m => m.body === 'also before');
    await peer.restart();
    await received(peer, send(wire, them.jid, 'after theirs'), 'after theirs');
    await bench.close(wire);
    await peer.sendText(us.jid, 'while we were away');
    await bench.open(wire);
    await wire.wait('message', m => m.body === 'while we were away');
    await received(peer, send(wire, them.jid, 'after ours'), 'after ours');
    peer.stop();
});

test('Baileys asks again for what it cannot read', async () => {
    const { wire, us, them, peer } = await pair();
    await received(peer, send(wire, them.jid, 'fine'), 'fine');
    await bench.call('POST', '/faults', { kind: 'corrupt_enc', device: peer.jid, count: 1, match: { tag: 'message' } });
    const id = send(wire, them.jid, 'damaged on the way');
    const retry = await wire.wait('retry_requested');
    assert.deepEqual([retry.text, retry.code], [id, 0]);
    const message = await peer.waitMessage('damaged on the way');
    assert.equal(message.key.id, id);
    await peer.sendText(us.jid, 'got it');
    await wire.wait('message', m => m.body === 'got it');
    peer.stop();
});

test('we ask Baileys again for what we cannot read', async () => {
    const { wire, us, peer, jid } = await pair();
    await peer.sendText(us.jid, 'fine');
    await wire.wait('message');
    for (const count of [1, 2]) {
        await bench.call('POST', '/faults', { kind: 'corrupt_enc', device: jid, count, match: { tag: 'message' } });
        const id = await peer.sendText(us.jid, `damaged ${count}`);
        await wire.wait('undecryptable');
        const message = await wire.wait('message');
        assert.deepEqual([message.id, message.body], [id, `damaged ${count}`]);
    }
    await peer.sendText(us.jid, 'goes on');
    await wire.wait('message', m => m.body === 'goes on');
    peer.stop();
});

test('many texts each way at the same time', async () => {
    const { wire, us, them, peer } = await pair();
    const numbers = Array.from({ length: 40 }, (_, i) => i);
    const theirs = Promise.all(numbers.map(n => peer.sendText(us.jid, `in ${n}`)));
    for (const n of numbers) send(wire, them.jid, `out ${n}`);
    await theirs;
    for (const n of numbers) await peer.waitMessage(`out ${n}`);
    await wire.until(() => numbers.every(n => wire.events.some(e => e.event === 'message' && e.body === `in ${n}`)));
    assert.equal(wire.events.filter(e => e.event === 'message').length, 40);
    peer.stop();
});
