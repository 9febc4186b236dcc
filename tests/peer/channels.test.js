// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, channels (newsletters) cannot be followed, read or managed over REST, or look different in the account's Baileys client.
import { test, before, after, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { Gateway, Receiver } from '../e2e/lib/gateway.js';
import { BaileysPeer, endProcessSoon } from './baileys-peer.js';

const SECRET = 'secret of the channel tests';
const US = '15557100001';
const THEM = '15557100002';

let gateway;
let hook;
let mate;
let news;

const ask = (name, p = {}) => gateway.call(`channels.${name}`, { session: 'main', family: 'messages', p });

async function done(name, p) {
    const answer = await ask(name, p);
    assert.equal(answer.status, 200, JSON.stringify(answer));
    return answer.result;
}

async function hooked(mark, kind, fits) {
    let found;
    await hook.until(events => {
        found = events.slice(mark).find(e => e.event === kind && fits(e.data));
        return found;
    });
    return found.data;
}

before(async () => {
    hook = new Receiver(SECRET);
    const url = await hook.listen();
    gateway = await Gateway.start({ WEBHOOK_DEFAULT_URL: url, WEBHOOK_DEFAULT_SECRET: SECRET,
        WAREST_WEBHOOK_EVENTS: 'newsletter_update,newsletter_message,newsletter_post_update,account_timelock' });
    await gateway.account(US, 'Ann', { share_keys: true });
    await gateway.account(THEM, 'News');
    news = await gateway.control('/newsletters', { owner: THEM, name: 'Daily news' });
    await gateway.link('main', US);
    mate = new BaileysPeer(gateway.wasim);
    await mate.pair(US);
});

after(async () => {
    mate?.stop();
    const end = await gateway?.stop();
    assert.equal(end?.code, 0, gateway?.log.slice(-4000));
    hook?.close();
    endProcessSoon();
});

afterEach(async () => {
    await gateway.control('/faults', undefined, 'DELETE');
    assert.deepEqual((await gateway.violations()).map(v => `${v.rule}: ${v.text}`), []);
    assert.equal(hook.bad, 0);
});

test('a channel is looked up, followed, muted, left; Baileys sees the same', async () => {
    const by = (await done('invite', { invite: `https://whatsapp.com/channel/${news.invite}` })).channel;
    assert.deepEqual([by.channelId, by.name, by.role, by.muted, by.invite, by.state], [news.jid, 'Daily news', 'guest', false, news.invite, 'active']);
    assert.deepEqual((await done('list')).channels, []);
    assert.equal((await done('follow', { channelId: news.jid })).following, true);
    const seen = await mate.socket.newsletterMetadata('jid', news.jid);
    assert.equal(seen.viewer_metadata.role, 'SUBSCRIBER');
    assert.deepEqual((await done('list')).channels.map(c => [c.channelId, c.role, c.subscribers]), [[news.jid, 'subscriber', 1]]);
    assert.equal((await done('mute', { channelId: news.jid })).muted, true);
    assert.equal((await mate.socket.newsletterMetadata('jid', news.jid)).viewer_metadata.mute, 'ON');
    assert.equal((await done('info', { channelId: news.jid })).channel.muted, true);
    await done('unmute', { channelId: news.jid });

    const from = hook.events.length;
    await mate.socket.newsletterUnfollow(news.jid);
    assert.equal((await hooked(from, 'newsletter_update', d => d.action === 'leave')).channelId, news.jid);
    assert.deepEqual((await done('list')).channels, []);
    await mate.socket.newsletterFollow(news.jid);
    assert.equal((await hooked(from, 'newsletter_update', d => d.action === 'join')).channel.name, 'Daily news');
    await mate.socket.newsletterMute(news.jid);
    assert.equal((await hooked(from, 'newsletter_update', d => d.action === 'mute')).muted, true);
});

test('posts are told, read page by page, and their counters come live', async () => {
    const from = hook.events.length;
    const ids = [];
    for (const n of [1, 2, 3]) ids.push((await gateway.control(`/newsletters/${news.jid}/post`, { text: `news ${n}` })).server_id);
    const told = await hooked(from, 'newsletter_message', d => d.serverId === ids[2]);
    assert.deepEqual([told.channelId, told.message.conversation, told.fromMe], [news.jid, 'news 3', false]);
    const page = (await done('messages', { channelId: news.jid, count: 2, before: ids[2] })).messages;
    assert.deepEqual(page.map(m => [m.serverId, m.message.conversation, m.views]), [[ids[0], 'news 1', 0], [ids[1], 'news 2', 0]]);
    assert.equal((await done('live', { channelId: news.jid })).seconds, 300);
    await gateway.control(`/newsletters/${news.jid}/counters`, { server_id: ids[1], views: 42, reactions: { '👍': 7, '❤️': 2 } });
    const counted = await hooked(from, 'newsletter_post_update', d => d.serverId === ids[1]);
    assert.deepEqual([counted.views, counted.reactions], [42, { '👍': 7, '❤️': 2 }]);
    const updates = (await done('updates', { channelId: news.jid, count: 10, after: ids[0], since: 0 })).messages;
    assert.deepEqual(updates.map(m => [m.serverId, m.views, m.reactions['👍'] ?? 0, m.message]), [[ids[1], 42, 7, undefined], [ids[2], 0, 0, undefined]]);
});

test('a channel of one\'s own: terms, creation, change, deletion', async () => {
    const refused = await ask('create', { name: 'Ours' });
    assert.deepEqual([refused.status, refused.message], [403, 'WhatsApp does not allow this']);
    const { channel } = await done('create', { name: 'Ours "and" <yours>', description: 'what we do', acceptTerms: true });
    assert.deepEqual([channel.name, channel.description, channel.role], ['Ours "and" <yours>', 'what we do', 'owner']);
    const changed = (await done('edit', { channelId: channel.channelId, name: 'Ours only' })).channel;
    assert.deepEqual([changed.name, changed.description], ['Ours only', 'what we do']);
    assert.equal((await mate.socket.newsletterMetadata('jid', channel.channelId)).thread_metadata.name.text, 'Ours only');
    assert.equal((await done('delete', { channelId: channel.channelId })).deleted, true);
    assert.equal((await ask('info', { channelId: channel.channelId })).status, 404);
});

test('what cannot be done has a clear answer', async () => {
    const nobody = '120363199999999999@newsletter';
    for (const [name, p, status, message] of [
        ['info', { channelId: '1203@g.us' }, 400, 'channelId is invalid'], ['info', { channelId: nobody }, 404, 'Channel not found'],
        ['invite', { invite: 'a b' }, 400, 'invite is invalid'], ['invite', { invite: 'AAAA' }, 404, 'Channel not found'],
        ['follow', { channelId: nobody }, 404, 'Channel not found'], ['messages', { channelId: nobody, count: 5, before: 0 }, 404, 'Channel not found'],
        ['edit', { channelId: news.jid, name: 'mine' }, 403, 'WhatsApp does not allow this'], ['edit', { channelId: news.jid }, 400, 'name or description is required']
    ]) {
        const answer = await ask(name, p);
        assert.deepEqual([answer.status, answer.message], [status, message], name);
    }
    await gateway.control('/faults', { kind: 'iq_error', match: { xmlns: 'w:mex' }, code: 429 });
    assert.equal((await ask('list')).status, 429);
    await gateway.control('/faults', { kind: 'iq_silence', match: { xmlns: 'w:mex' } });
    const waiting = ask('list');
    await gateway.control('/events?type=fault&kind=iq_silence&wait=30000');
    await gateway.control('/drop-all', {});
    assert.equal((await waiting).status, 504);
    await gateway.open('main');
    const from = hook.events.length;
    await gateway.control(`/accounts/${US}`, { timelock: { until: 1900000000, kind: 'RESTRICT' } }, 'PATCH');
    const lock = await hooked(from, 'account_timelock', d => d.active);
    assert.deepEqual([lock.kind, lock.until], ['RESTRICT', 1900000000000]);
});
