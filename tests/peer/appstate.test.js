// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a chat archived, muted or pinned over REST looks different in the account's other clients, or the other way round.
import { test, before, after, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { Gateway, Receiver, until } from '../e2e/lib/gateway.js';
import { BaileysPeer, endProcessSoon } from './baileys-peer.js';

const SECRET = 'secret of the app state tests';
const KINDS = 'chat_update,message_update,contact_update,label_update,settings_update,app_state_synced';
const US = '15557000001';
const THEM = '15557000002';
// More than the daemon takes in at one turn of its loop.
const STRANGERS = 230;
const chat = `${THEM}@s.whatsapp.net`;

let gateway;
let hook;
let mate;
const seen = [];

function watch(peer) {
    for (const name of ['chats.update', 'chats.delete', 'messages.update', 'messages.delete', 'contacts.upsert', 'labels.edit', 'labels.association', 'creds.update']) {
        peer.socket.ev.on(name, data => {
            for (const entry of [data].flat()) seen.push({ name, entry });
            peer.changed.emit('change');
        });
    }
}

/** Mate's Baileys has told of this, after the mark. */
function baileysSees(mark, name, fits) {
    return mate.waitFor(() => seen.slice(mark).find(e => e.name === name && fits(e.entry)), name);
}

async function hooked(mark, kind, fits) {
    let found;
    await hook.until(events => {
        found = events.slice(mark).find(e => e.event === kind && fits(e.data));
        return found;
    });
    return found.data;
}

const state = async () => gateway.control(`/accounts/${US}/app-state`);
const entry = async (collection, ...index) => (await state())[collection].entries.find(e => JSON.stringify(e.index) === JSON.stringify(index))?.value;

function action(name, p, options = {}) {
    return gateway.call(`messages.action.${name}`, { session: 'main', family: 'messages', p, ...options });
}

async function done(name, p) {
    const answer = await action(name, p);
    assert.equal(answer.status, 200, JSON.stringify(answer));
    return answer.result[0];
}

before(async () => {
    hook = new Receiver(SECRET);
    const url = await hook.listen();
    gateway = await Gateway.start({ wasim: { tls: true }, WEBHOOK_DEFAULT_URL: url, WEBHOOK_DEFAULT_SECRET: SECRET, WAREST_WEBHOOK_EVENTS: KINDS });
    await gateway.account(US, 'Ann', { share_keys: true });
    await gateway.account(THEM, 'Bob');
    for (const [index, value] of [[['contact', chat], { contactAction: { fullName: 'Bob Old', firstName: 'Bob' } }], [['setting_pushName'], { pushNameSetting: { name: 'Ann of old' } }],
        [['archive', chat], { archiveChatAction: { archived: false } }]]) await gateway.control(`/accounts/${US}/app-state`, { index, value });
    for (let n = 0; n < STRANGERS; n++) {
        const jid = `1555800${String(n).padStart(4, '0')}@s.whatsapp.net`;
        await gateway.control(`/accounts/${US}/app-state`, { index: ['contact', jid], value: { contactAction: { fullName: `Contact ${n}` } } });
    }
    await gateway.control('/options', { appStateSnapshots: true }, 'PATCH');
    await gateway.link('main', US);
    await hook.until(events => events.filter(e => e.event === 'app_state_synced').length === 5);
    await gateway.control('/options', { appStateSnapshots: false }, 'PATCH');
    mate = new BaileysPeer({ ...gateway.wasim, socket: { appStateMacVerification: { patch: true, snapshot: true } } });
    await mate.pair(US);
    watch(mate);
    await mate.waitFor(() => mate.creds.myAppStateKeyId, 'the phone\'s key');
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

test('what was there before is taken in after linking, as a whole', async () => {
    for (const name of ['critical_block', 'critical_unblock_low', 'regular_high', 'regular_low', 'regular']) {
        const data = await hooked(0, 'app_state_synced', d => d.collection === name);
        assert.equal(data.entries, { critical_block: 1, critical_unblock_low: 1 + STRANGERS, regular_low: 1 }[name] ?? 0, name);
    }
    assert.equal(hook.events.some(e => e.event === 'contact_update'), false);
});

for (const [name, p, collection, index, value, fits] of [
    ['archive', {}, 'regular_low', ['archive', chat], v => v.archiveChatAction.archived === true, e => e.archived === true],
    ['unarchive', {}, 'regular_low', ['archive', chat], v => v.archiveChatAction.archived === false, e => e.archived === false],
    ['mute', { duration: 90 }, 'regular_high', ['mute', chat], v => Math.abs(v.muteAction.muteEndTimestamp - Date.now() - 5400000) < 60000, e => e.muteEndTime > Date.now()],
    ['unmute', {}, 'regular_high', ['mute', chat], v => v.muteAction.muted === false, e => e.muteEndTime === null],
    ['clear_all', {}, 'regular_high', ['clearChat', chat, '1', '0'], v => !!v.clearChatAction, null]
]) {
    test(`${name} over REST is there in the account's Baileys client`, async () => {
        const mark = seen.length;
        const from = hook.events.length;
        const result = await done(name, { to: [chat], ...p });
        assert.deepEqual([result.sessionId, result.phone, result.to, result.toJid], ['main', US, THEM, chat]);
        assert.equal(value(await entry(collection, ...index)), true);
        if (fits) await baileysSees(mark, 'chats.update', e => e.id === chat && fits(e));
        const data = await hooked(from, 'chat_update', d => d.chat === chat);
        assert.equal(data.own, true);
    });
}

test('pinning and unpinning over REST', async () => {
    for (const pin of [true, false]) {
        const mark = seen.length;
        const answer = await gateway.call('chats.pin', { session: 'main', family: 'chats-post', p: { chatId: [chat], pin } });
        assert.equal(answer.status, 200);
        assert.deepEqual([answer.result.chatId, answer.result.pinned], [chat, pin]);
        assert.equal(answer.message, pin ? 'Chat pinned' : 'Chat unpinned');
        await baileysSees(mark, 'chats.update', e => e.id === chat && (pin ? e.pinned > 0 : e.pinned === null));
    }
});

test('starring and deleting for us, of messages from both sides', async () => {
    await gateway.control(`/accounts/${THEM}/send`, { to: US, text: 'star me', id: 'ASTAR1' });
    await hook.until(events => events.some(e => e.event === 'message_received' && e.data.text === 'star me'));
    const mark = seen.length;
    const result = await done('star', { to: [chat], messageId: 'ASTAR1' });
    assert.equal(result.messageId, 'ASTAR1');
    await baileysSees(mark, 'messages.update', e => e.key.id === 'ASTAR1' && e.update.starred === true && e.key.fromMe === false);
    await done('unstar', { to: [chat], messageId: 'ASTAR1' });
    await baileysSees(mark, 'messages.update', e => e.key.id === 'ASTAR1' && e.update.starred === false);
    const sent = await gateway.call('messages.send.text', { session: 'main', family: 'messages', p: { to: [chat], message: 'mine' } });
    const id = sent.result[0].messageId;
    await done('delete', { to: [chat], messageId: id, withMedia: true });
    await baileysSees(mark, 'messages.delete', e => e.keys[0].id === id && e.keys[0].fromMe === true);
    const value = await entry('regular_high', 'deleteMessageForMe', chat, id, '1', '0');
    assert.ok(Math.abs(Number(value.deleteMessageForMeAction.messageTimestamp) - Date.now() / 1000) < 600);
    await done('star', { to: [chat], messageId: 'NEVERSEEN' });
});

test('in groups, and by LID: archived, muted, pinned, cleared; messages of others starred and deleted for us', async () => {
    await gateway.account('15557000003', 'Cid', { companions: 1 });
    const { lid_jid: lid } = await gateway.control(`/accounts/${THEM}`);
    for (const addressing of ['lid', 'pn', null]) {
        const to = addressing ? (await gateway.control('/groups', { creator: THEM, members: [US, '15557000003'], addressing, subject: 'Us' })).jid : lid;
        const id = `SAID${addressing ?? 'BYLID'}`;
        await gateway.control(`/accounts/${THEM}/send`, { to: addressing ? to : US, text: id, id });
        await hook.until(events => events.some(e => e.event === 'message_received' && e.data.text === id));
        const mark = seen.length;
        const named = e => [to, chat].includes(e.id ?? e.key.remoteJid);
        for (const [name, p, fits] of [['archive', {}, e => e.archived === true], ['unarchive', {}, e => e.archived === false],
            ['mute', { duration: 5 }, e => e.muteEndTime > Date.now()], ['unmute', {}, e => e.muteEndTime === null]]) {
            await done(name, { to: [to], ...p });
            await baileysSees(mark, 'chats.update', e => named(e) && fits(e));
        }
        const pinned = await gateway.call('chats.pin', { session: 'main', family: 'chats-post', p: { chatId: [to], pin: true } });
        assert.equal(pinned.status, 200, JSON.stringify(pinned));
        await baileysSees(mark, 'chats.update', e => named(e) && e.pinned > 0);
        for (const name of ['star', 'unstar']) {
            await done(name, { to: [to], messageId: id });
            await baileysSees(mark, 'messages.update', e => e.key.id === id && named(e) && e.update.starred === (name === 'star') && e.key.fromMe === false);
        }
        await done('delete', { to: [to], messageId: id });
        await baileysSees(mark, 'messages.delete', e => e.keys[0].id === id && [to, chat].includes(e.keys[0].remoteJid));
        if (addressing) {
            const author = (await gateway.control(`/accounts/${THEM}`))[addressing === 'lid' ? 'lid_jid' : 'jid'];
            for (const name of ['star', 'deleteMessageForMe'])
                assert.ok(await entry('regular_high', name, to, id, '0', author), `${name} names the author`);
        }
        await done('clear_all', { to: [to] });
    }
});

test('a revoked message goes from our own devices, too, when that is asked for', async () => {
    const mark = seen.length;
    for (const deleteForMe of [false, true]) {
        const sent = await gateway.call('messages.send.text', { session: 'main', family: 'messages', p: { to: [chat], message: `oops ${deleteForMe}` } });
        const id = sent.result[0].messageId;
        const revoked = await action('revoke', { to: chat, messageId: id, deleteForMe });
        assert.deepEqual([revoked.status, revoked.message], [200, 'Message revoked'], JSON.stringify(revoked));
        if (deleteForMe)
            await baileysSees(mark, 'messages.delete', e => e.keys[0].id === id && e.keys[0].fromMe === true);
        const value = await entry('regular_high', 'deleteMessageForMe', chat, id, '1', '0');
        assert.equal(value?.deleteMessageForMeAction.deleteMedia, deleteForMe || undefined);
    }
});

test('reading a chat sends receipts for what is stored', async () => {
    for (const n of [1, 2, 3]) await gateway.control(`/accounts/${THEM}/send`, { to: US, text: `read ${n}`, id: `READ${n}` });
    await hook.until(events => events.some(e => e.event === 'message_received' && e.data.text === 'read 3'));
    const answer = await gateway.call('chats.read', { session: 'main', family: 'chats-post', p: { chatId: [chat], messages: 2, days: 1 } });
    assert.equal(answer.status, 200, JSON.stringify(answer));
    assert.deepEqual(answer.result.marked.map(m => m.id), ['READ2', 'READ3']);
    assert.equal(answer.message, 'Marked last 2 inbound message(s) as read');
    const { receipts } = await gateway.control(`/accounts/${THEM}/receipts?type=read&id=READ3&wait=30000`);
    assert.equal(receipts.length, 1);
    const none = await gateway.call('chats.read', { session: 'main', family: 'chats-post', p: { chatId: ['15557009999@s.whatsapp.net'], messages: 0, days: 1 } });
    assert.deepEqual([none.status, none.code, none.message], [404, 2004, 'No inbound messages available to mark as read']);
});

test('what Baileys changes is our event', async () => {
    const last = [{ key: { remoteJid: chat, fromMe: false, id: 'ASTAR1' }, messageTimestamp: Math.floor(Date.now() / 1000) }];
    for (const [mod, fits] of [
        [{ archive: true, lastMessages: last }, d => d.action === 'archive' && d.archived === true],
        [{ archive: false, lastMessages: last }, d => d.action === 'archive' && d.archived === false],
        [{ mute: Date.now() + 3600000 }, d => d.action === 'mute' && d.muted === true && d.muteEnd > Date.now()],
        [{ mute: null }, d => d.action === 'mute' && d.muted === false],
        [{ pin: true }, d => d.action === 'pin' && d.pinned === true],
        [{ markRead: false, lastMessages: last }, d => d.action === 'read' && d.read === false],
        [{ delete: true, lastMessages: last }, d => d.action === 'delete']
    ]) {
        const from = hook.events.length;
        await mate.socket.chatModify(mod, chat);
        const data = await hooked(from, 'chat_update', fits);
        assert.deepEqual([data.chat, data.chatPn, data.own], [chat, chat, false]);
        assert.match(data.chatLid, /@lid$/);
    }
    const from = hook.events.length;
    await mate.socket.chatModify({ star: { messages: [{ id: 'ASTAR1', fromMe: false }], star: true } }, chat);
    const star = await hooked(from, 'message_update', d => d.action === 'star');
    assert.deepEqual([star.key.id, star.starred], ['ASTAR1', true]);
    await mate.socket.chatModify({ pushNameSetting: 'Ann of Baileys' }, '');
    assert.equal((await hooked(from, 'settings_update', d => d.setting === 'pushName')).value, 'Ann of Baileys');
    await mate.socket.addOrEditContact(chat, { fullName: 'Bob New', saveOnPrimaryAddressbook: true });
    assert.equal((await hooked(from, 'contact_update', d => d.chat === chat)).name, 'Bob New');
    await mate.socket.removeContact(chat);
    assert.equal((await hooked(from, 'contact_update', d => d.removed)).chat, chat);
    await mate.socket.addLabel('', { id: '7', name: 'Customers', color: 3, predefinedId: 2 });
    assert.equal((await hooked(from, 'label_update', d => d.action === 'edit')).name, 'Customers');
    await mate.socket.addChatLabel(chat, '7');
    assert.equal((await hooked(from, 'label_update', d => d.action === 'chat')).labelId, '7');
});

test('whatever else the phone changes is our event', async () => {
    const lid = '100200300400500@lid';
    for (const [index, value, kind, expected] of [
        [['markChatAsRead', chat], { markChatAsReadAction: { read: true } }, 'chat_update', { action: 'read', chat, read: true }],
        [['clearChat', chat, '1', '0'], { clearChatAction: {} }, 'chat_update', { action: 'clear', chat, withStarred: true, withMedia: false }],
        [['lock', chat], { lockChatAction: { locked: true } }, 'chat_update', { action: 'lock', chat, locked: true }],
        [['lock', chat], { lockChatAction: { locked: false } }, 'chat_update', { action: 'lock', chat, locked: false }],
        [['userStatusMute', chat], { userStatusMuteAction: { muted: true } }, 'chat_update', { action: 'statusMute', chat, statusMuted: true }],
        [['star', chat, 'ASTAR2', '0', '0'], { starAction: { starred: false } }, 'message_update', { action: 'star', starred: false }],
        [['deleteMessageForMe', chat, 'ASTAR2', '0', '0'], { deleteMessageForMeAction: { deleteMedia: true, messageTimestamp: 1767225599 } }, 'message_update', { action: 'deleteForMe', withMedia: true }],
        [['lid_contact', lid], { lidContactAction: { fullName: 'Cy Lid', firstName: 'Cy' } }, 'contact_update', { chat: lid, name: 'Cy Lid', firstName: 'Cy', removed: false }],
        [['label_message', '5', chat, 'ASTAR2', '0', '0'], { labelAssociationAction: { labeled: true } }, 'label_update', { action: 'message', labelId: '5', messageId: 'ASTAR2', labeled: true }],
        [['label_jid', '5', lid], { labelAssociationAction: { labeled: true } }, 'label_update', { action: 'chat', labelId: '5', chat: lid, labeled: true }],
        [['label_jid', '5', lid], { labelAssociationAction: { labeled: false } }, 'label_update', { action: 'chat', labelId: '5', chat: lid, labeled: false }],
        [['label_edit', '5'], { labelEditAction: { name: 'Gone', color: 1, deleted: true } }, 'label_update', { action: 'edit', labelId: '5', deleted: true }],
        [['quick_reply', '1600000000'], { quickReplyAction: { shortcut: 'x', message: 'y', deleted: true } }, 'label_update', { action: 'quickReply', quickReplyId: '1600000000', deleted: true }],
        [['setting_unarchiveChats'], { unarchiveChatsSetting: { unarchiveChats: false } }, 'settings_update', { setting: 'unarchiveChats', value: false }],
        [['setting_locale'], { localeSetting: { locale: 'id_ID' } }, 'settings_update', { setting: 'locale', value: 'id_ID' }],
        [['setting_disableLinkPreviews'], { privacySettingDisableLinkPreviewsAction: { isPreviewsDisabled: true } }, 'settings_update', { setting: 'disableLinkPreviews', value: true }],
        [['setting_relayAllCalls'], { privacySettingRelayAllCalls: { isEnabled: true } }, 'settings_update', { setting: 'relayAllCalls', value: true }],
        [['time_format'], { timeFormatAction: { isTwentyFourHourFormatEnabled: true } }, 'settings_update', { setting: 'twentyFourHourFormat', value: true }],
        [['status_privacy'], { statusPrivacy: { mode: 2 } }, 'settings_update', { setting: 'statusPrivacy', value: 2 }],
        [['favorites'], { favoritesAction: { favorites: [{ id: chat }, { id: lid }] } }, 'settings_update', { setting: 'favorites', value: [chat, lid] }]
    ]) {
        const from = hook.events.length;
        await gateway.control(`/accounts/${US}/app-state`, { index, value });
        const data = await hooked(from, kind, d => Object.entries(expected).every(([name, is]) => JSON.stringify(d[name]) === JSON.stringify(is)));
        assert.equal(data.own, false, JSON.stringify(index));
    }
    const { settings } = await sharedDone('account.settings');
    assert.deepEqual([settings.locale, settings.twentyFourHourFormat, settings.statusPrivacy, settings.favorites], ['id_ID', true, 2, [chat, lid]]);
    await sharedDone('chats.lock', { chatId: chat, locked: true });
    await hooked(0, 'chat_update', d => d.action === 'lock' && d.own);
});

const shared = (name, p = {}) => gateway.call(name, { session: 'main', family: 'messages', p });

async function sharedDone(name, p) {
    const answer = await shared(name, p);
    assert.equal(answer.status, 200, JSON.stringify(answer));
    return answer.result;
}

test('labels over REST are there in Baileys, and those of Baileys in our list', async () => {
    const mark = seen.length;
    await until(async () => (await sharedDone('labels.list')).labels.some(l => l.name === 'Customers'));
    const made = await sharedDone('labels.create', { name: 'Orders "now" <ü>', color: 5 });
    assert.equal(made.labelId, '8');
    await baileysSees(mark, 'labels.edit', e => e.id === '8' && e.name === 'Orders "now" <ü>' && e.color === 5);
    await sharedDone('labels.edit', { labelId: '8', name: 'Orders' });
    await baileysSees(mark, 'labels.edit', e => e.id === '8' && e.name === 'Orders' && e.color === 5);
    const list = (await sharedDone('labels.list')).labels;
    assert.deepEqual(list.map(l => [l.labelId, l.name, l.color, l.predefinedId]), [['7', 'Customers', 3, 2], ['8', 'Orders', 5, 0]]);

    assert.deepEqual((await sharedDone('labels.members', { labelId: '7' })).members.map(m => m.chat), [chat]);
    await sharedDone('labels.chat.add', { labelId: '8', chatId: chat });
    await baileysSees(mark, 'labels.association', e => e.type === 'add' && e.association.labelId === '8' && e.association.chatId === chat);
    await sharedDone('labels.message.add', { labelId: '8', chatId: chat, messageId: 'ASTAR1' });
    await baileysSees(mark, 'labels.association', e => e.type === 'add' && e.association.messageId === 'ASTAR1');
    assert.deepEqual((await sharedDone('labels.members', { labelId: '8' })).members.map(m => m.messageId ?? null), [null, 'ASTAR1']);
    await sharedDone('labels.chat.remove', { labelId: '8', chatId: chat });
    await sharedDone('labels.message.remove', { labelId: '8', chatId: chat, messageId: 'ASTAR1' });
    assert.deepEqual((await sharedDone('labels.members', { labelId: '8' })).members, []);
    await sharedDone('labels.delete', { labelId: '8' });
    await baileysSees(mark, 'labels.edit', e => e.id === '8' && e.deleted === true);
    assert.deepEqual((await sharedDone('labels.list')).labels.map(l => l.labelId), ['7']);
    for (const [name, p, status] of [['labels.edit', { labelId: '8', name: 'x' }, 404], ['labels.chat.add', { labelId: '99', chatId: chat }, 404],
        ['labels.create', { name: 'x'.repeat(101) }, 400], ['labels.members', { labelId: '8' }, 404]]) assert.equal((await shared(name, p)).status, status, name);
});

test('quick replies, the unarchive setting, unread, lock, status mute, deletion of a chat', async () => {
    const made = await sharedDone('quick_replies.create', { shortcut: '/hi', message: 'hello\nthere' });
    assert.deepEqual((await sharedDone('quick_replies.list')).quickReplies.map(q => [q.quickReplyId, q.shortcut, q.message]), [[made.quickReplyId, '/hi', 'hello\nthere']]);
    assert.equal((await entry('regular', 'quick_reply', made.quickReplyId)).quickReplyAction.shortcut, '/hi');
    await sharedDone('quick_replies.delete', { quickReplyId: made.quickReplyId });
    assert.deepEqual((await sharedDone('quick_replies.list')).quickReplies, []);
    const mark = seen.length;
    await sharedDone('account.settings.change', { unarchiveChats: true });
    await baileysSees(mark, 'creds.update', e => e.accountSettings?.unarchiveChats === true);
    const { settings } = await sharedDone('account.settings');
    assert.deepEqual([settings.unarchiveChats, settings.pushName], [true, 'Ann of Baileys']);
    await sharedDone('chats.unread', { chatId: chat });
    await baileysSees(mark, 'chats.update', e => e.id === chat && e.unreadCount === -1);
    await sharedDone('chats.lock', { chatId: chat, locked: true });
    assert.equal((await entry('regular_low', 'lock', chat)).lockChatAction.locked, true);
    await sharedDone('chats.status_mute', { chatId: chat, muted: true });
    assert.equal((await entry('regular_high', 'userStatusMute', chat)).userStatusMuteAction.muted, true);
    assert.equal((await shared('chats.status_mute', { chatId: '1203630@g.us', muted: true })).status, 400);
    await sharedDone('chats.delete', { chatId: chat, withMedia: true });
    await baileysSees(mark, 'chats.delete', e => e === chat);
});

test('two writers at the same time: everything arrives, in one order', async () => {
    const others = [1, 2, 3, 4, 5, 6].map(n => `1555700100${n}@s.whatsapp.net`);
    const ours = Promise.all(others.map(to => done('archive', { to: [to] })));
    for (const to of others) await mate.socket.chatModify({ pin: true }, to);
    await ours;
    const { entries } = (await state()).regular_low;
    const has = (name, jid) => entries.some(e => e.index[0] === name && e.index[1] === jid);
    for (const to of others) assert.equal(has('archive', to), true);
    for (const to of others) await hooked(0, 'chat_update', d => d.chat === to && d.action === 'archive');
});

test('another device is faster, several times', async () => {
    const from = hook.events.length;
    await gateway.control('/faults', { kind: 'app_state_conflict', count: 3, change: { index: ['archive', '15557002001@s.whatsapp.net'], value: { archiveChatAction: { archived: true } } } });
    await done('archive', { to: ['15557002002@s.whatsapp.net'] });
    await hooked(from, 'chat_update', d => d.chat === '15557002001@s.whatsapp.net' && !d.own);
    await hooked(from, 'chat_update', d => d.chat === '15557002002@s.whatsapp.net' && d.own);
    await gateway.control('/faults', { kind: 'app_state_conflict', count: 20 });
    const refused = await action('archive', { to: ['15557002003@s.whatsapp.net'] });
    assert.deepEqual([refused.status, refused.code], [500, 8000]);
    await gateway.control('/faults', undefined, 'DELETE');
    await done('archive', { to: ['15557002003@s.whatsapp.net'] });
});

async function fetchedAnew(corrupt, more) {
    const from = hook.events.length;
    const jid = `1555700300${++corrupted}@s.whatsapp.net`;
    await gateway.control(`/accounts/${US}/app-state`, { index: ['mute', jid], value: { muteAction: { muted: true } }, corrupt, ...more });
    const data = await hooked(from, 'app_state_synced', d => d.collection === 'regular_high');
    assert.ok(data.entries > 0);
    await done('mute', { to: [jid], duration: 5 });
    await done('unmute', { to: [jid] });
    return jid;
}

let corrupted = 0;

test('after a wrong hash the collection is fetched anew, patch by patch', () => fetchedAnew('snapshot_mac'));

test('a large patch comes as a file', async () => {
    const from = hook.events.length;
    await gateway.control(`/accounts/${US}/app-state`, { index: ['quick_reply', '1700000000'], value: { quickReplyAction: { shortcut: 'hi', message: 'hello there' } }, external: true });
    const data = await hooked(from, 'label_update', d => d.action === 'quickReply');
    assert.deepEqual([data.quickReplyId, data.name, data.text], ['1700000000', 'hi', 'hello there']);
});

for (const corrupt of ['patch_mac', 'value_mac', 'index_mac']) {
    test(`after a patch with a wrong ${corrupt} a snapshot is fetched, and all goes on`, async () => {
        await gateway.control('/options', { appStateSnapshots: true }, 'PATCH');
        await fetchedAnew(corrupt);
    });
}

test('a damaged snapshot: shown as degraded, and the phone\'s own copy brings it in order', async () => {
    const from = hook.events.length;
    const jid = '15557003500@s.whatsapp.net';
    await gateway.control(`/accounts/${US}/app-state/damage`, { collection: 'regular_high', damaged: true });
    const listed = async () => (await gateway.call('session.list', { p: {} })).result.items.find(s => s.id === 'main').appStateDegraded;
    await gateway.control(`/accounts/${US}/app-state`, { index: ['mute', jid], value: { muteAction: { muted: true } }, corrupt: 'patch_mac' });
    const synced = await hooked(from, 'app_state_synced', d => d.collection === 'regular_high');
    assert.ok(synced.entries > 0);
    await until(async () => await listed() === undefined);
    assert.match(gateway.log, /app state is out of order[^\n]*regular_high/);
    await done('unmute', { to: [jid] });
    assert.equal((await entry('regular_high', 'mute', jid)).muteAction.muted, false);
    await gateway.control(`/accounts/${US}/app-state/damage`, { collection: 'regular_high', damaged: false });
});

test('an own device that asks for keys gets them', async () => {
    const account = await gateway.control(`/accounts/${US}`);
    const ours = account.devices.find(d => d.kind === 'client' && d.jid !== mate.jid);
    await gateway.control(`/accounts/${US}/ask-keys`, { device: ours.id });
    const { events } = await gateway.control(`/events?type=key_share&from=${encodeURIComponent(ours.jid)}&wait=30000`);
    assert.deepEqual([events[0].keys, events[0].right], [1, 1]);
});

test('a key that is missing is asked of the phone, and waited for', async () => {
    const from = hook.events.length;
    const jid = '15557004001@s.whatsapp.net';
    const account = await gateway.control(`/accounts/${US}`);
    const ours = account.devices.find(d => d.kind === 'client' && d.jid !== mate.jid);
    await gateway.control(`/accounts/${US}/app-state`, { index: ['pin_v1', jid], value: { pinAction: { pinned: true } }, new_key: true, withhold: true });
    const { events } = await gateway.control(`/events?type=peer_request&from=${encodeURIComponent(ours.jid)}&protocol=7&wait=30000`);
    assert.equal(events.length, 1);
    const refused = await action('archive', { to: [jid] });
    assert.deepEqual([refused.status, refused.code], [500, 8000]);
    await gateway.control(`/accounts/${US}/share-keys`, { device: ours.id, reveal: true });
    await hooked(from, 'chat_update', d => d.chat === jid && d.pinned === true);
    await gateway.control(`/accounts/${US}/share-keys`, { device: Number(/:(\d+)@/.exec(mate.jid)[1]) });
    await done('archive', { to: [jid] });
});

test('killed after the upload, before its answer: it is there, once, and all goes on', async () => {
    const jid = '15557005001@s.whatsapp.net';
    await gateway.control('/faults', { kind: 'iq_answer_lost', match: { xmlns: 'w:sync:app:state' } });
    const lost = action('archive', { to: [jid] }).catch(() => null);
    await until(async () => (await entry('regular_low', 'archive', jid))?.archiveChatAction.archived);
    await gateway.restart();
    await lost;
    await gateway.open('main');
    await done('unarchive', { to: [jid] });
    const { entries } = (await state()).regular_low;
    assert.deepEqual(entries.filter(e => e.index[1] === jid).map(e => e.value.archiveChatAction.archived), [false]);
    await hooked(0, 'chat_update', d => d.chat === jid && d.archived === true);
});

test('a change without connection is refused at once', async () => {
    await gateway.control('/faults', { kind: 'iq_silence', match: { xmlns: 'w:sync:app:state' } });
    const waiting = action('archive', { to: ['15557006001@s.whatsapp.net'] });
    await gateway.control('/events?type=fault&kind=iq_silence&wait=30000');
    await gateway.control('/drop-all', {});
    const refused = await waiting;
    assert.deepEqual([refused.status, refused.code], [500, 8000]);
    await gateway.open('main');
    await done('archive', { to: ['15557006001@s.whatsapp.net'] });
});
