// SPDX-License-Identifier: GPL-3.0-or-later
// What two people who use real clients expect of a conversation with a session of ours, through a web server.
import { test, before, after, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { endProcessSoon } from './baileys-peer.js';
import { isInstalled } from '../e2e/lib/web.js';
import { Parties } from './gateway-parties.js';

let p;

async function there(text, to = p.them.phone) {
    const id = await p.send(to, text);
    await p.arrives(p.bob, id, text);
    return id;
}

async function back(text, how = 'jid') {
    const id = await p.bob.sendText(p.us[how], text);
    await p.received(id, text, p.bob, how === 'lid_jid');
    return id;
}

function texts() {
    test('first and later texts both ways, by phone number', async () => {
        for (const n of [1, 2, 3]) {
            await there(`to Bob ${n}`);
            await back(`from Bob ${n}`);
        }
    });

    test('texts both ways by LID', async () => {
        for (const n of [1, 2]) {
            await there(`to Bob's LID ${n}`, p.them.lid_jid);
            await back(`from Bob to our LID ${n}`, 'lid_jid');
        }
    });

    test('every device of both sides has the conversation', async () => {
        const id = await there('to all of you');
        await p.arrives(p.bobsOther, id, 'to all of you');
        const copy = await p.arrives(p.mate, id, 'to all of you');
        assert.equal(copy.key.fromMe, true);
        assert.ok([p.them.jid, p.them.lid_jid].includes(copy.key.remoteJid), copy.key.remoteJid);
        assert.equal((await p.onPhone(p.us, id)).from_me, true);
        assert.equal((await p.onPhone(p.them, id)).from_me, false);
        const answer = await p.bobsOther.sendText(p.us.jid, 'from my other device');
        await p.received(answer, 'from my other device');
        await p.arrives(p.mate, answer, 'from my other device');
    });

    test('what our own other device sends is read and tells nobody', async () => {
        const id = await p.mate.sendText(p.them.jid, 'from our other device');
        await p.arrives(p.bob, id, 'from our other device');
        await back('after it');
        assert.equal(p.hook.ofMessage(id).length, 0);
    });

    test('receipts of both sides arrive', async () => {
        const id = await there('tell me when you read it');
        await p.becomes(id, 'delivered', 'read');
        await p.bob.socket.readMessages([{ remoteJid: p.us.jid, id, fromMe: false }]);
        await p.becomes(id, 'read');
        const answer = await back('did you get it?');
        await p.bob.waitReceipt(answer, 3);
    });
}

function restarts() {
    test('after a restart of Baileys, with texts that waited', async () => {
        p.bob.stop();
        await p.call('GET', `/events?type=closed&device=${p.bob.jid}&wait=30000`);
        const id = await p.send(p.them.phone, 'while Bob was away');
        await p.bob.restart();
        await p.arrives(p.bob, id, 'while Bob was away');
        await back('Bob is back');
    });

    for (const signal of ['SIGTERM', 'SIGKILL']) {
        test(`after ${signal} of our daemon, with texts that waited`, async () => {
            await p.gateway.daemon.stop(signal);
            const refused = await p.gateway.api('POST', '/messages/send/text', { body: { sessionId: 'main', to: p.them.phone, message: 'nobody there' } });
            assert.equal(refused.status, 503);
            const id = await p.bob.sendText(p.us.jid, `while we were away (${signal})`);
            await p.bob.waitReceipt(id, 2);
            await p.gateway.startDaemon();
            await p.received(id, `while we were away (${signal})`);
            await p.isOpen();
            await there(`we are back (${signal})`);
            await back(`welcome (${signal})`);
        });
    }
}

function troubles() {
    test('what we cannot decrypt we ask for again, and tell once', async () => {
        for (const count of [1, 2]) {
            await p.call('POST', '/faults', { kind: 'corrupt_enc', device: p.client, match: { tag: 'message' }, count });
            const text = `damaged ${count} times`;
            const id = await p.bob.sendText(p.us.jid, text);
            await p.received(id, text);
            const { events } = await p.call('GET', `/events?type=retry_requested&id=${id}`);
            assert.equal(events.filter(e => e.from === p.client).length, count);
        }
        await back('and the next one is fine');
    });

    test('what Baileys cannot decrypt we send again, and it shows once', async () => {
        for (const count of [1, 2]) {
            await p.call('POST', '/faults', { kind: 'corrupt_enc', device: p.bob.jid, match: { tag: 'message' }, count });
            await there(`our damaged text ${count}`);
        }
        await there('and our next one is fine');
    });

    test('a phone that asks again gets the text again', async () => {
        const id = await there('once more, please');
        await p.onPhone(p.them, id);
        await p.call('POST', `/accounts/${p.them.phone}/ask-again`, { from: p.client, id, count: 1 });
        const { events } = await p.call('GET', `/events?type=message_resent&id=${id}&wait=30000`);
        assert.equal(events.length, 1);
        /* Our own phone, too: it says whose chat the message is in, by whichever name. */
        await p.call('POST', `/accounts/${p.us.phone}/ask-again`, { from: p.client, id, count: 1, recipient: p.them.jid });
        const again = await p.call('GET', `/events?type=message_resent&id=${id}&after=${events[0].seq}&wait=30000`);
        assert.equal(again.events.length, 1, JSON.stringify(again));
    });

    test('a phone that was re-installed is understood, and understands', async () => {
        await p.call('POST', `/accounts/${p.them.phone}/reinstall`, { keep_companions: true });
        const id = await p.send(p.them.phone, 'to your new phone');
        await p.onPhone(p.them, id);
        await p.arrives(p.bob, id, 'to your new phone');
        const sent = await p.call('POST', `/accounts/${p.them.phone}/send`, { to: p.us.phone, text: 'from my new phone' });
        await p.received(sent.id, 'from my new phone');
        await back('and from the old computer');
    });

    test('a device more, a device less', async () => {
        const added = await p.call('POST', `/accounts/${p.them.phone}/companions`, {});
        await p.call('GET', `/stanzas?device=${p.client}&tag=ack&class=notification&type=devices&wait=30000`);
        const id = await there('there is one more of you');
        await p.onPhone(p.them, id, added.id);
        const sent = await p.call('POST', `/accounts/${p.them.phone}/send`, { to: p.us.phone, text: 'from my newest device', device: added.id });
        await p.received(sent.id, 'from my newest device');
        await p.call('DELETE', `/accounts/${p.them.phone}/devices/${added.id}`);
        const wrong = await p.call('POST', `/accounts/${p.them.phone}/companions`, { hash: 'wrong' });
        const next = await there('and now another one');
        await there('which must be there by now');
        await back('all is well');
        await p.call('DELETE', `/accounts/${p.them.phone}/devices/${wrong.id}`);
        assert.notEqual(next, id);
    });

    test('the same text sent to several people reaches each of them', async () => {
        const carol = await p.account('15556000003', { name: 'Carol', companions: 1 });
        const answer = await p.gateway.api('POST', '/messages/send/text', { body: { sessionId: 'main', to: [p.them.phone, carol.phone], message: 'to both of you' } });
        assert.equal(answer.status, 200, answer.text);
        const ids = Object.fromEntries(answer.json.results.map(r => [r.to, r.messageId]));
        await p.arrives(p.bob, ids[p.them.phone], 'to both of you');
        await p.onPhone(carol, ids[carol.phone]);
        await p.onPhone(carol, ids[carol.phone], 1);
    });
}

function crowds() {
    test('two strangers write to each other at the same moment', async () => {
        const dave = await p.account('15556000004', { name: 'Dave' });
        const peer = await p.baileys(dave.phone);
        const [ours, theirs] = await Promise.all([p.send(dave.phone, 'me first'), peer.sendText(p.us.jid, 'no, me')]);
        await p.arrives(peer, ours, 'me first');
        await p.hook.wait('message_received', d => d.message.key.id === theirs && d.text === 'no, me');
        for (const n of [1, 2, 3]) {
            const id = await p.send(dave.phone, `calmly ${n}`);
            await p.arrives(peer, id, `calmly ${n}`);
            const answer = await peer.sendText(p.us.jid, `gently ${n}`);
            await p.hook.wait('message_received', d => d.message.key.id === answer);
        }
        peer.stop();
    });

    test('many texts at once in both directions, each arrives once', async () => {
        const count = 60;
        const names = Array.from({ length: count }, (_, i) => i);
        const ours = Promise.all(names.map(n => p.send(p.them.phone, `crowd ${n}`)));
        const theirs = [];
        for (const n of names) theirs.push(await p.bob.sendText(n % 2 ? p.us.jid : p.us.lid_jid, `mass ${n}`));
        const ids = await ours;
        for (const n of names) await p.arrives(p.bob, ids[n], `crowd ${n}`);
        for (const id of theirs) {
            await p.hook.wait('message_received', d => d.message.key.id === id);
            assert.equal(p.hook.ofMessage(id).length, 1);
        }
        assert.equal(new Set(ids).size, count);
    });
}

/** Declares the tests of one web server. */
export function gatewayTests(kind) {
    if (!isInstalled(kind)) {
        test(kind, { skip: 'not installed' }, () => undefined);
        return;
    }
    before(async () => { p = await Parties.start(kind); });
    after(async () => {
        await p?.stop();
        endProcessSoon();
    });
    afterEach(async () => {
        await p.clean();
        await p.call('DELETE', '/faults');
        await p.call('DELETE', '/violations');
    });
    texts();
    restarts();
    troubles();
    crowds();
}
