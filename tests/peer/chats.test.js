// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, the lists of chats and messages tell something else than what was really exchanged with a Baileys client.
import { test, before, after, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { generateMessageIDV2 } from 'baileys';
import { Gateway, until } from '../e2e/lib/gateway.js';
import { BaileysPeer, endProcessSoon } from './baileys-peer.js';

const US = '15557100001';
const THEM = '15557100002';
const jid = `${THEM}@s.whatsapp.net`;
const own = `${US}@s.whatsapp.net`;
const media = {
    url: 'https://mmg.whatsapp.net/v/t62/1.enc?x=1', directPath: '/v/t62/1.enc?x=1', mediaKey: Buffer.alloc(32, 1), fileSha256: Buffer.alloc(32, 2),
    fileEncSha256: Buffer.alloc(32, 3), fileLength: 5, mediaKeyTimestamp: 1767225599
};

let gateway;
let linked;
let bob;
let them;
let group;

const ask = (name, p = {}, more = {}) => gateway.call(name, { session: 'main', family: 'chats-get', p, ...more });
const chats = async (p = {}) => (await ask('chats.list', { limit: 50, offset: 0, ...p })).result;
const page = async (p = {}) => {
    const answer = await ask('chats.messages', { chatId: jid, limit: 50, offset: 0, ...p });
    assert.equal(answer.status, 200, JSON.stringify(answer));
    return answer.result;
};
const find = async (q, p = {}) => (await ask('messages.search', { q, limit: 50, ...p }, { family: 'messages' })).result?.[0].data.map(m => m.id);
const stored = (id, fits = () => true, chatId = jid) => until(async () => (await page({ chatId })).data.find(m => m.id === id && fits(m)));

async function say(content, to = own) {
    const id = generateMessageIDV2(bob.jid);
    await bob.socket.relayMessage(to, content, { messageId: id });
    return id;
}

async function sendText(message, to = [jid]) {
    const answer = await gateway.call('messages.send.text', { session: 'main', family: 'messages', p: { to, message } });
    assert.equal(answer.status, 200, JSON.stringify(answer));
    return answer.result[0].messageId;
}

before(async () => {
    gateway = await Gateway.start({ WAREST_DOWNLOAD_MEDIA_RECEIVED: 'false' });
    await gateway.account(US, 'Ann', { share_keys: true });
    them = await gateway.account(THEM, 'Bob');
    linked = await gateway.link('main', US);
    bob = new BaileysPeer(gateway.wasim);
    await bob.pair(THEM);
});

after(async () => {
    bob?.stop();
    const end = await gateway?.stop();
    assert.equal(end?.code, 0, gateway?.log.slice(-4000));
    endProcessSoon();
});

afterEach(async () => assert.deepEqual((await gateway.violations()).map(v => `${v.rule}: ${v.text}`), []));

test('what was said both ways is listed, newest first, with both names of the other side', async () => {
    const first = await say({ conversation: 'good morning' });
    await stored(first);
    const answer = await sendText('good evening');
    await bob.waitFor(() => bob.messages.find(m => m.key.id === answer), 'the answer');
    const third = await say({ extendedTextMessage: { text: 'quoting', contextInfo: { stanzaId: answer, participant: own, quotedMessage: { conversation: 'x' } } } });
    await stored(third);
    const { data, pagination, chatInfo, sessionId, phone } = await page();
    assert.deepEqual(data.map(m => m.id), [third, answer, first]);
    assert.deepEqual([sessionId, phone, pagination], ['main', US, { limit: 50, offset: 0, total: 3, nextCursor: null }]);
    assert.deepEqual(Object.keys(data[0]).slice(0, 19), ['id', 'toJid', 'senderJid', 'fromMe', 'messageType', 'body', 'timestamp', 'isMedia', 'mediaType',
        'mediaMetadata', 'messageTypeDetails', 'quotedMessageId', 'mentionedJids', 'reactions', 'isEdited', 'isDeleted', 'deletedAt', 'poll', 'createdAt']);
    assert.deepEqual([data[0].senderJid, data[0].senderLid, data[0].fromMe, data[0].messageType, data[0].body, data[0].quotedMessageId, data[0].toJid],
        [jid, `${them.lid}@lid`, false, 'extendedtextmessage', 'quoting', answer, jid]);
    assert.deepEqual([data[1].senderJid, data[1].fromMe, data[1].body], [own, true, 'good evening']);
    assert.ok(Math.abs(data[2].timestamp - Date.now() / 1000) < 120);
    assert.deepEqual([chatInfo.jid, chatInfo.lid, chatInfo.lastMessage, chatInfo.unreadCount], [jid, `${them.lid}@lid`, 'quoting', 2]);
    const list = await chats();
    assert.equal(list.pagination.total, 1);
    assert.deepEqual([list.data[0].id, list.data[0].displayName, list.data[0].lastMessage, list.data[0].isGroup], [jid, 'Bob', 'quoting', false]);
    await until(async () => ['delivered', 'read'].includes((await page()).data.find(m => m.id === answer).status));
    await bob.socket.readMessages([{ remoteJid: own, id: answer, fromMe: false }]);
    const { messageTypeDetails: { receipts: [receipt, ...others] } } = await stored(answer, m => m.messageTypeDetails.receipts?.[0].readTimestamp);
    assert.deepEqual([receipt.userJid, receipt.userLid, receipt.status, others], [jid, `${them.lid}@lid`, 'read', []]);
    assert.ok(receipt.receiptTimestamp > 0 && receipt.receiptTimestamp <= receipt.readTimestamp && receipt.deliveredDeviceJid.length > 0, JSON.stringify(receipt));
    // After 14 days the row of the outbox goes, and leaves behind how far the message came (test_store_labels): that is what is answered then.
    const state = async () => (await ask('messages.status', { messageId: answer }, { family: 'messages' })).result;
    const known = await state();
    assert.deepEqual([known.state, known.devices.length > 0], ['read', true]);
    execFileSync('sqlite3', ['-cmd', '.timeout 30000', path.join(gateway.dir, 'state/data/warest.sqlite'),
        `PRAGMA foreign_keys = ON; UPDATE messages SET status = 5 WHERE id = '${answer}'; DELETE FROM outbox WHERE message_id = '${answer}'`]);
    const old = await state();
    assert.deepEqual([old.messageId, old.toJid, old.state, old.devices, 'ackedAt' in old], [answer, jid, 'read', [], false]);
    assert.deepEqual((await page()).data.filter(m => m.id === answer).map(m => [m.status, m.messageTypeDetails.receipts]), [['read', undefined]]);
    assert.equal((await ask('messages.status', { messageId: 'NEVER' }, { family: 'messages' })).code, 2601);
    // By hidden id it is the same chat.
    assert.deepEqual((await page({ chatId: `${them.lid}@lid` })).data.map(m => m.id), data.map(m => m.id));
});

test('media, polls and other kinds have the types and texts of the contract', async () => {
    for (const [content, type, body, isMedia] of [
        [{ imageMessage: { ...media, mimetype: 'image/jpeg', caption: 'look' } }, 'image', '([Image]) look', true],
        [{ viewOnceMessageV2: { message: { imageMessage: { ...media, mimetype: 'image/jpeg', viewOnce: true } } } }, 'image', '([Image])', true],
        [{ videoMessage: { ...media, mimetype: 'video/mp4', gifPlayback: true } }, 'gif', '([Gif])', true],
        [{ ptvMessage: { ...media, mimetype: 'video/mp4' } }, 'video', '([Video])', true],
        [{ audioMessage: { ...media, mimetype: 'audio/ogg' } }, 'audio', '([Audio])', true],
        [{ documentWithCaptionMessage: { message: { documentMessage: { ...media, mimetype: 'text/plain', fileName: 'a.txt', caption: 'read' } } } },
            'document', '([Document]) read', true],
        [{ stickerMessage: { ...media, mimetype: 'image/webp' } }, 'stickermessage', '([Sticker])', true],
        [{ locationMessage: { degreesLatitude: 1, degreesLongitude: 2 } }, 'location', '', true],
        [{ contactMessage: { displayName: 'John', vcard: 'BEGIN:VCARD\nEND:VCARD' } }, 'contact', 'John', true],
        [{ listMessage: { title: 'Menu', buttonText: 'Open', listType: 1 } }, 'interactive', 'Menu', false],
        [{ productMessage: { product: { productId: '9', title: 'Mug' } } }, 'productmessage', '([productMessage])', false]
    ]) {
        const m = await stored(await say(content));
        assert.deepEqual([m.messageType, m.body, m.isMedia, m.mediaType], [type, body, isMedia, isMedia ? type : null], JSON.stringify(content));
        if (isMedia && !['location', 'contact'].includes(type))
            assert.deepEqual([m.mediaMetadata.url, m.mediaMetadata.fileSize, typeof m.mediaMetadata.mimeType], [media.url, 5, 'string']);
        else assert.equal(m.mediaMetadata, null);
    }
    assert.equal((await page({ mediaOnly: true })).pagination.total, 9);
    assert.equal((await page({ mediaOnly: true, isFromMe: true })).pagination.total, 0);
    assert.equal((await chats({ hasMedia: true })).pagination.total, 1);
    const id = await bob.send(own, { poll: { name: 'Tea?', values: ['Yes', 'No'], selectableCount: 1 } });
    const poll = await stored(id);
    assert.deepEqual([poll.messageType, poll.body], ['poll', '([Poll]) Tea?']);
    assert.deepEqual(poll.poll.creation, { question: 'Tea?', options: [{ index: 0, name: 'Yes' }, { index: 1, name: 'No' }], selectableCount: 1 });
});

test('reactions, edits and deletions show at the message, and in the list of chats', async () => {
    const id = await bob.sendText(own, 'with a typo');
    await stored(id);
    const key = { remoteJid: own, fromMe: true, id };
    await bob.send(own, { react: { text: '👍', key } });
    let m = await stored(id, x => x.reactions.length > 0);
    assert.deepEqual(m.reactions.map(r => [r.from, r.emoji]), [[jid, '👍']]);
    const reacted = await gateway.call('messages.action.reaction', { session: 'main', family: 'messages', p: { to: jid, messageId: id, emoji: '❤️' } });
    assert.equal(reacted.status, 200, JSON.stringify(reacted));
    await stored(id, x => x.reactions.length === 2 && x.reactions.some(r => r.from === own && r.emoji === '❤️'));
    await bob.send(own, { react: { text: '', key } });
    await stored(id, x => x.reactions.length === 1);
    await bob.send(own, { text: 'without a typo', edit: key });
    m = await stored(id, x => x.isEdited);
    assert.deepEqual([m.body, m.messageTypeDetails.edit.preview, m.messageTypeDetails.edit.events.length], ['without a typo', 'without a typo', 1]);
    assert.match(JSON.stringify(m.messageTypeDetails.edit.messageBeforeEdit), /with a typo/);
    assert.equal((await chats()).data[0].lastMessage, 'without a typo');
    assert.deepEqual([await find('typo with'), await find('typo without')], [[], [id]]);
    await bob.send(own, { delete: key });
    m = await stored(id, x => x.isDeleted);
    assert.deepEqual([m.messageType, m.body], ['system', '(_⊘ This message was deleted_)']);
    assert.equal(typeof m.deletedAt, 'number');
    assert.equal((await chats()).data[0].lastMessage, m.body);
    assert.deepEqual(await find('typo'), []);
    // Our own, deleted by us.
    const mine = await sendText('mine to delete');
    const gone = await gateway.call('messages.action.revoke', { session: 'main', family: 'messages', p: { to: jid, messageId: mine } });
    assert.equal(gone.status, 200, JSON.stringify(gone));
    assert.equal((await stored(mine, x => x.isDeleted)).body, '(_⊘ You deleted this message_)');
});

test('reading a chat sends receipts for what is stored, and nothing is unread any more', async () => {
    const ids = [await bob.sendText(own, 'one to read'), await bob.sendText(own, 'two to read')];
    await stored(ids[1]);
    assert.ok((await chats()).data[0].unreadCount >= 2);
    const answer = await gateway.call('chats.read', { session: 'main', family: 'chats-post', p: { chatId: [jid], messages: 2, days: 1 } });
    assert.deepEqual([answer.status, answer.message], [200, 'Marked last 2 inbound message(s) as read']);
    assert.deepEqual(answer.result.marked.map(m => m.id), ids);
    await bob.waitFor(() => ids.every(id => bob.statuses.get(id) >= 4), 'read receipts');
    assert.equal((await chats()).data[0].unreadCount, 0);
    assert.equal((await chats({ unreadOnly: true })).pagination.total, 0);
    const nobody = await gateway.call('chats.read', { session: 'main', family: 'chats-post', p: { chatId: ['15557199999@s.whatsapp.net'], messages: 2, days: 1 } });
    assert.deepEqual([nobody.status, nobody.code, nobody.message], [404, 2004, 'No inbound messages available to mark as read']);
});

test('groups: authors, names, pages that stay while messages arrive', async () => {
    group = (await gateway.control('/groups', { creator: THEM, members: [US], subject: 'Tea friends' })).jid;
    const ids = [];
    for (let n = 0; n < 12; n++) ids.push(await bob.sendText(group, `number ${n} of twelve`));
    await stored(ids[11], () => true, group);
    const seen = [];
    // A cursor in which anything was changed is none.
    const { nextCursor } = (await page({ chatId: group, limit: 5 })).pagination;
    for (let i = 0; i < nextCursor.length; i++) {
        const tampered = nextCursor.slice(0, i) + (nextCursor[i] === 'A' ? 'Q' : 'A') + nextCursor.slice(i + 1);
        const answer = await ask('chats.messages', { chatId: group, limit: 5, offset: 0, cursor: tampered });
        assert.deepEqual([answer.status, answer.message], [400, 'cursor is invalid'], tampered);
    }
    let cursor;
    do {
        const { data, pagination } = await page({ chatId: group, limit: 5, ...cursor && { cursor } });
        seen.push(...data.map(m => m.id));
        cursor = pagination.nextCursor;
        const late = await bob.sendText(group, 'arrived meanwhile');
        await stored(late, () => true, group);
    } while (cursor);
    assert.deepEqual(seen, ids.toReversed());
    const mine = await sendText('to all of you', [group]);
    const { messageTypeDetails: { receipts } } = await stored(mine, x => x.messageTypeDetails.receipts, group);
    assert.deepEqual(receipts.map(r => r.userJid), [jid]);
    const [m] = (await page({ chatId: group, limit: 1, isFromMe: false })).data;
    assert.deepEqual([m.senderJid, m.senderLid, m.toJid], [jid, `${them.lid}@lid`, group]);
    const list = await chats();
    assert.deepEqual(list.data.map(c => [c.id, c.displayName, c.isGroup]), [[group, 'Tea friends', true], [jid, 'Bob', false]]);
    assert.deepEqual((await chats({ sortBy: 'name', sortOrder: 'asc' })).data.map(c => c.id), [jid, group]);
    assert.deepEqual((await chats({ sortBy: 'unreadCount' })).data.map(c => c.id), [group, jid]);
    assert.deepEqual((await chats({ search: 'tEA' })).data.map(c => c.id), [group]);
    assert.equal((await chats({ search: '%' })).pagination.total, 0);
    const first = await chats({ limit: 1 });
    assert.deepEqual((await chats({ limit: 1, cursor: first.pagination.nextCursor })).data.map(c => c.id), [jid]);
    assert.equal((await find('twelve')).length, 12);
    assert.deepEqual(await find('"number 7" twel*'), [ids[7]]);
    assert.deepEqual(await find('twelve', { chatId: jid }), []);
    assert.deepEqual(await find('morning', { chatId: jid }), (await page({ search: 'MORNING' })).data.map(x => x.id));
});

test('shared state shows in the chat, and a chat deleted over REST is gone', async () => {
    const act = async (name, p) => {
        const answer = await gateway.call(name, { session: 'main', family: name.startsWith('chats') ? 'chats-post' : 'messages', p });
        assert.equal(answer.status, 200, JSON.stringify(answer));
    };
    const info = async () => (await ask('chats.get', { chatId: jid })).result.data;
    await act('messages.action.archive', { to: [jid] });
    await act('messages.action.mute', { to: [jid], duration: 60 });
    await act('chats.pin', { chatId: [group], pin: true });
    await until(async () => (await info()).archived && (await info()).muteEnd > Date.now() / 1000);
    assert.deepEqual((await chats({ archived: true })).data.map(c => c.id), [jid]);
    assert.deepEqual((await chats({ archived: false })).data.map(c => [c.id, c.pinned]), [[group, true]]);
    const starred = (await page()).data.find(m => m.body === 'good morning').id;
    await act('messages.action.star', { to: [jid], messageId: starred });
    assert.deepEqual((await page({ starred: true })).data.map(m => [m.id, typeof m.messageTypeDetails.starredAt]), [[starred, 'number']]);
    // It survives the daemon.
    await gateway.restart();
    await gateway.open('main');
    assert.equal((await info()).archived, true);
    await act('chats.delete', { chatId: group, withMedia: true });
    await until(async () => (await ask('chats.get', { chatId: group })).status === 404);
    assert.deepEqual(await find('twelve'), []);
    assert.deepEqual((await page({ chatId: group })).data, []);
});

test('bad requests are refused in the words of the contract', async () => {
    for (const [name, p, more, status, code, message] of [
        ['chats.list', { limit: 5, offset: 0 }, { session: 'nobody' }, 404, 1101, 'Session not found'],
        ['chats.messages', { limit: 5, offset: 0 }, {}, 400, 2001, 'Missing chatId'],
        ['chats.messages', { chatId: jid, limit: 5, offset: 0, cursor: 'AAAA' }, {}, 400, 2002, 'cursor is invalid'],
        ['chats.list', { limit: 5, offset: 0, cursor: '\'; DROP TABLE chats' }, {}, 400, 2002, 'cursor is invalid'],
        ['chats.get', { chatId: '15557199999@s.whatsapp.net' }, {}, 404, 2600, 'Chat not found'],
        ['messages.search', { limit: 5 }, { family: 'messages' }, 400, 2001, 'q is required'],
        ['messages.search', { q: '"()"', limit: 5 }, { family: 'messages' }, 400, 2002, 'q holds no word, more than 16 words, or more than 512 bytes'],
        ['messages.search', { q: 'x', chatId: 'x y', limit: 5 }, { family: 'messages' }, 400, 2002, 'chatId is invalid']
    ]) {
        const answer = await ask(name, p, more);
        assert.deepEqual([answer.status, answer.code, answer.message], [status, code, message], `${name} ${JSON.stringify(p)}`);
    }
    // What is an operator to the database is a letter to us.
    for (const q of ['"kettle', 'kettle OR', 'AND kettle', 'NEAR(kettle', 'text:kettle', '^kettle', 'ket*tle', 'kettle"*', '-kettle', "kettle' --", '{kettle}', 'kettle + ('])
        assert.equal((await ask('messages.search', { q, limit: 5 }, { family: 'messages' })).status, 200, q);
    const none = await page({ chatId: 'status@broadcast' });
    assert.deepEqual([none.data, none.chatInfo.jid, none.chatInfo.name], [[], 'status@broadcast', null]);
    assert.deepEqual((await page({ chatId: own })).data, []);
});

/** A stored message in the words of a list. */
function told(m) {
    const content = m.message;
    return [m.key.id, !!m.key.fromMe, Number(m.messageTimestamp),
        content.conversation || content.extendedTextMessage?.text || `([Image]) ${content.imageMessage.caption}`, m.key.participant ?? null];
}

test('one upload of the phone is the same past to a Baileys client of the account and over REST', async () => {
    const [CAT, DAN] = ['15557100003', '15557100004'];
    const end = Math.floor(Date.now() / 1000) + 90 * 86400;
    for (const [phone, name] of [[CAT, 'Cat'], [DAN, 'Dan']]) await gateway.account(phone, name);
    const team = (await gateway.control('/groups', { creator: CAT, members: [US, DAN], subject: 'Rowing' })).jid;
    const mate = new BaileysPeer({ ...gateway.wasim, history: true });
    const device = id => Number(id.split(/[:@]/)[1]);
    try {
        await mate.pair(US);
        const { devices } = await gateway.control(`/accounts/${US}/history`, { devices: [device(linked.jid), device(mate.jid)], chunk_messages: 6, chats: [
            { with: CAT, unreadCount: 3, archived: true, name: 'Cat of the book', texts: ['one', 'two', { message: { extendedTextMessage: { text: 'three' } } },
                { message: { imageMessage: { ...media, mimetype: 'image/jpeg', caption: 'four' } } }, 'fünf 🌊', 'six', 'seven'] },
            { with: DAN, pinned: end - 99, muteEndTime: end, markedAsUnread: true, texts: Array.from({ length: 9 }, (_, i) => `dan ${i}`) },
            { group: team, unreadCount: 2, muteEndTime: end, texts: ['rowing at six', 'me too', 'me neither', 'why'] } ] });
        for (const [id, ids] of Object.entries(devices)) {
            await until(async () => {
                const { histories } = await gateway.control(`/accounts/${US}/histories?device=${id}`);
                return ids.every(one => histories[one] === 'done');
            });
        }
        const past = await mate.waitFor(() => {
            const all = name => mate.history.flatMap(h => h[name] ?? []);
            return all('messages').length >= 20 && all('contacts').filter(c => c.notify).length >= 2 && { messages: all('messages'), chats: all('chats'), contacts: all('contacts') };
        }, 'the whole history');
        assert.deepEqual([past.messages.length, new Set(past.chats.map(c => c.id)).size], [20, 3]);
        for (const id of new Set(past.chats.map(c => c.id))) {
            const theirs = Object.assign({}, ...past.chats.filter(c => c.id === id));
            const info = (await ask('chats.get', { chatId: id })).result.data;
            assert.deepEqual([info.unreadCount, info.archived, info.pinned, info.markedUnread, info.muteEnd, info.isGroup ? info.jid : info.lid, info.name],
                [theirs.unreadCount, !!theirs.archived, !!theirs.pinned, !!theirs.markedAsUnread, Number(theirs.muteEndTime ?? 0), id, theirs.name], id);
            const ours = (await page({ chatId: id })).data.map(m => [m.id, m.fromMe, m.timestamp, m.body, m.fromMe || !info.isGroup ? null : m.senderLid]);
            assert.deepEqual(ours.toSorted(), past.messages.filter(m => m.key.remoteJid === id).map(told).toSorted());
        }
        // What people call themselves, and both names of them.
        const answer = await gateway.call('profile.contacts', { session: 'main', family: 'profile', p: { type: 'contacts', limit: 50, offset: 0 } });
        assert.equal(answer.status, 200, JSON.stringify(answer));
        const people = answer.result.data;
        for (const { id, notify } of past.contacts.filter(c => c.notify)) {
            const { lid } = past.contacts.find(c => c.phoneNumber === id);
            const ours = people.find(p => p.jid === id);
            assert.deepEqual([ours?.lid, ours?.name], [lid, id.startsWith(CAT) ? 'Cat of the book' : notify], JSON.stringify(ours));
        }
    } finally {
        mate.stop();
    }
});
