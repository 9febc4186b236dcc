// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, the simulator's groups are none that a Baileys client or a simulated phone can live in.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startWasim } from './wasim.js';
import { BaileysPeer, control, endProcessSoon } from '../peer/baileys-peer.js';

let wasim;
let phone = 15550710000;
const peers = [];

before(async () => { wasim = await startWasim({}); });
after(async () => {
    for (const peer of peers) peer.stop();
    await wasim.close();
    endProcessSoon();
});

function call(method, path, body) {
    return control(wasim.controlUrl, method, path, body);
}

function account(extra = {}) {
    return call('POST', '/accounts', { phone: String(phone++), strict: false, ...extra });
}

async function baileys(of) {
    const peer = new BaileysPeer({ wsUrl: wasim.wsUrl, controlUrl: wasim.controlUrl, rootKey: wasim.rootKey, caFile: wasim.caFile });
    peers.push(peer);
    await peer.pair(of.phone);
    return peer;
}

async function inbox(of, text, device = 0) {
    const { messages } = await call('GET', `/accounts/${of.phone}/inbox?wait=20000&device=${device}&text=${encodeURIComponent(text)}`);
    assert.ok(messages.length >= 1, `${text} at ${of.phone}:${device}`);
    return messages.at(-1);
}

for (const addressing of ['pn', 'lid']) {
    test(`Baileys clients and phones talk in a group (${addressing})`, async () => {
        const [a, b, c] = [await account(), await account(), await account({ companions: 1 })];
        const [one, two, mine] = [await baileys(a), await baileys(b), await baileys(a)];
        const group = await call('POST', '/groups', { subject: 'Us', creator: c.phone, members: [a.phone, b.phone], addressing });
        for (const n of [1, 2]) {
            const id = await one.sendText(group.jid, `from Baileys ${n}`);
            for (const peer of [two, mine]) assert.equal((await peer.waitMessage(`from Baileys ${n}`)).key.id, id);
            for (const device of [0, 1]) assert.equal((await inbox(c, `from Baileys ${n}`, device)).chat, group.jid);
            await inbox(a, `from Baileys ${n}`);
            const sent = await call('POST', `/accounts/${c.phone}/send`, { to: group.jid, text: `from a phone ${n}`, device: n - 1 });
            for (const peer of [one, two, mine]) assert.equal((await peer.waitMessage(`from a phone ${n}`)).key.id, sent.id);
            await inbox(b, `from a phone ${n}`);
        }
        assert.equal((await call('GET', `/accounts/${c.phone}/receipts?type=delivery&wait=20000`)).receipts.length > 0, true);
        await call('POST', `/groups/${group.jid}/remove`, { phones: [b.phone] });
        await assert.rejects(call('POST', `/groups/${group.jid}/remove`, { phones: ['999'] }));
        const answer = await call('POST', `/groups/${group.jid}/add`, { phones: [b.phone] });
        assert.deepEqual(answer.results.map(r => r.error), [undefined]);
        await one.sendText(group.jid, 'welcome back');
        await two.waitMessage('welcome back');
        assert.deepEqual((await call('GET', '/violations')).violations, []);
    });
}

test('a lost sender key is asked for again, by a phone and by Baileys', async () => {
    const [a, b] = [await account(), await account()];
    const peer = await baileys(a);
    const group = await call('POST', '/groups', { creator: a.phone, members: [b.phone], addressing: 'lid' });
    await peer.sendText(group.jid, 'one');
    await inbox(b, 'one');
    await call('POST', `/accounts/${b.phone}/forget-sender-keys`, { chat: group.jid });
    await peer.sendText(group.jid, 'two');
    await inbox(b, 'two');
    await call('POST', `/accounts/${b.phone}/send`, { to: group.jid, text: 'no key for you', no_key: true });
    await peer.waitMessage('no key for you');
});

test('a status reaches its audience, a channel its followers', async () => {
    const [a, b] = [await account(), await account()];
    const peer = await baileys(a);
    await call('POST', `/accounts/${b.phone}/send`, { to: 'status@broadcast', text: 'my day', audience: [a.phone] });
    await peer.waitMessage(m => m.key.remoteJid === 'status@broadcast');
    const channel = await call('POST', '/newsletters', { owner: b.phone, followers: [a.phone] });
    await call('POST', `/newsletters/${channel.jid}/post`, { text: 'news' });
    await peer.waitMessage('news');
    const own = await call('POST', '/newsletters', { owner: a.phone, followers: [b.phone] });
    await peer.sendText(own.jid, 'posted');
    await inbox(b, 'posted');
});

test('an edit that no client would show any more is a violation', async () => {
    const [a, b] = [await account(), await account()];
    const peer = await baileys(a);
    const { id } = await call('POST', `/accounts/${a.phone}/send`, { to: b.phone, text: 'of an hour ago', attrs: { t: String(Math.floor(Date.now() / 1000) - 3600) } });
    await inbox(b, 'of an hour ago');
    await peer.send(b.jid, { text: 'too late', edit: { remoteJid: b.jid, fromMe: true, id } });
    const { events } = await call('GET', '/events?type=violation&rule=edit_window&wait=20000');
    assert.match(events[0].text, /^message \S+ is edited 36\d\d seconds after it was sent$/);
});
