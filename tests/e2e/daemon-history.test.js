// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, what the phone uploads of the past is lost, doubled, confirmed before it is stored, or one damaged upload stops the rest.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { Gateway, Receiver, until } from './lib/gateway.js';

const ANN = '15550001111', BOB = '15550002222', CID = '15550003333', SECRET = 'of the history tests';
let gateway, hook, device, lid;

before(async () => {
	hook = new Receiver(SECRET);
	gateway = await Gateway.start({ wasim: { tls: true }, WEBHOOK_DEFAULT_URL: await hook.listen(), WEBHOOK_DEFAULT_SECRET: SECRET,
		WAREST_WEBHOOK_EVENTS: 'history_sync' });
	for (const [phone, name] of [[ANN, 'Ann'], [BOB, 'Bob'], [CID, 'Cid']])
		await gateway.account(phone, name);
	const linked = await gateway.link('s', ANN);
	device = Number(linked.jid.split(/[:@]/)[1]);
	lid = (await gateway.control(`/accounts/${BOB}`)).lid;
});

after(async () => {
	await gateway.stop();
	hook.close();
});

const upload = (options) => gateway.control(`/accounts/${ANN}/history`, { device, ...options });
const confirmed = (ids) => until(async () => {
	const { histories } = await gateway.control(`/accounts/${ANN}/histories?device=${device}`);
	return ids.every((id) => histories[id] === 'done');
});

// What is stored, read beside the daemon.
function rows(sql) {
	const out = execFileSync('sqlite3', ['-json', '-readonly', path.join(gateway.dir, 'state/data/warest.sqlite'), sql], { encoding: 'utf8', maxBuffer: 1 << 28 });
	return out ? JSON.parse(out) : [];
}

const messages = () => rows('SELECT c.jid, m.id, m.from_me, m.type, m.body, m.status FROM messages m JOIN chats c ON c.number = m.chat ORDER BY m.time_ms, m.id');
const texts = (prefix, n) => Array.from({ length: n }, (_, i) => `${prefix} ${i}`);
const told = (state, fits = () => true) => hook.until((events) => events.some((e) => e.event === 'history_sync' && e.data.state === state && fits(e.data)));

test('chunks, inlined and from the media servers, become chats, names, flags and messages; then the phone is told', async () => {
	const group = await gateway.control('/groups', { creator: BOB, subject: 'Team', members: [ANN, CID] });
	const { ids } = await upload({ chunk_messages: 4, chats: [
		{ with: BOB, texts: texts('bob', 7), unreadCount: 3, archived: true, pinned: 1700000000 },
		{ with: CID, texts: ['hello', { message: { imageMessage: { caption: 'a picture', mimetype: 'image/jpeg' } } }, { message: { reactionMessage: { text: 'x' } } }] },
		{ group: group.jid, texts: texts('team', 3) } ] });
	await confirmed(ids);
	const found = messages();
	assert.equal(found.length, 12);
	assert.deepEqual(found.filter((m) => m.jid.startsWith(BOB)).map((m) => m.body), texts('bob', 7));
	assert.deepEqual(found.filter((m) => m.jid.startsWith(CID)).map((m) => [m.type, m.body]), [['conversation', 'hello'], ['image', '([Image]) a picture']]);
	assert.equal(found.filter((m) => m.jid === group.jid).length, 3);
	assert.deepEqual(rows(`SELECT jid, lid, name, push_name, unread, archived, pinned_ms FROM chats WHERE jid LIKE '${BOB}%'`),
		[{ jid: `${BOB}@s.whatsapp.net`, lid: `${lid}@lid`, name: 'Bob', push_name: 'Bob', unread: 3, archived: 1, pinned_ms: 1700000000000 }]);
	await told('done', (d) => d.kind === 'bootstrap' && d.phoneProgress === 100 && d.messages > 0);
	const external = await upload({ chunk_messages: 100, external: true, only: true, type: 'RECENT', chats: [{ with: BOB, texts: texts('later', 250) }] });
	assert.equal(external.ids.length, 3);
	await confirmed(external.ids);
	// Nothing of it is left on the media servers.
	await until(async () => {
		const files = (await gateway.control('/media')).blobs.filter((b) => b.kind === 'md-msg-hist');
		return files.length === 3 && files.every((b) => b.downloads === 1 && b.lost === 'gone');
	});
	assert.equal(messages().length, 262);
	assert.equal(rows('SELECT count(*) AS n FROM chats WHERE messages > 0')[0].n, 3);
});

test('what was added to messages and done to them comes with them; what a later part says of an earlier moment changes nothing', async () => {
	const EVE = '15550005555';
	await gateway.account(EVE, 'Eve');
	const eve = (await gateway.control(`/accounts/${EVE}`)).lid;
	const key = (id, fromMe = false) => ({ remoteJid: `${eve}@lid`, fromMe, id });
	const vote = (option) => ({ selectedOptions: [createHash('sha256').update(option).digest('base64')] });
	const now = Math.floor(Date.now() / 1000);
	const chat = { with: EVE, unreadCount: 2, archived: true, texts: [
		{ text: 'liked', key: key('H1', true), reactions: [{ key: key('R1'), text: '👍', senderTimestampMs: 1700000000000 }],
			userReceipt: [{ userJid: `${eve}@lid`, receiptTimestamp: 1700000000, readTimestamp: 1700000001 }] },
		{ message: { pollCreationMessage: { name: 'Tea?', selectableOptionsCount: 1, options: [{ optionName: 'yes' }, { optionName: 'no' }] } }, key: key('H2', true),
			pollUpdates: [{ pollUpdateMessageKey: key('V1'), vote: vote('no'), senderTimestampMs: 1700000002000 }] },
		{ text: 'first words', key: key('H3') },
		{ message: { protocolMessage: { type: 14, key: key('H3'), editedMessage: { conversation: 'second words' }, timestampMs: 1700000003000 } }, key: key('E1') },
		{ text: 'to be gone', key: key('H4') },
		{ message: { protocolMessage: { type: 0, key: key('H4') } }, key: key('D1') },
		{ stub: 1, key: key('H5') },
		{ message: { reactionMessage: { key: key('H3'), text: '❤️', senderTimestampMs: 1700000004000 } }, key: key('R2', true) },
		{ message: { eventMessage: { name: 'Tea party' } }, key: key('H6', true), pinInChat: { type: 1, senderTimestampMs: 1700000005000, messageAddOnContextInfo: { messageAddOnDurationInSecs: 86400 } },
			eventResponses: [{ eventResponseMessageKey: key('V2'), timestampMs: 1700000006000, eventResponseMessage: { response: 1, extraGuestCount: 2 } }],
			messageAddOns: [{ messageAddOnType: 1, messageAddOn: { reactionMessage: { text: '🎉' } }, senderTimestampMs: 1700000007000, messageAddOnKey: key('R3') }] } ] };
	await confirmed((await upload({ only: true, type: 'RECENT', chats: [chat] })).ids);
	const of = () => rows(`SELECT m.id, m.type, m.body, m.edited_ms > 0 AS edited, m.deleted_ms > 0 AS deleted FROM messages m JOIN chats c ON c.number = m.chat WHERE c.lid = '${eve}@lid' ORDER BY m.id`);
	assert.deepEqual(of(), [
		{ id: 'H1', type: 'conversation', body: 'liked', edited: 0, deleted: 0 }, { id: 'H2', type: 'poll', body: '([Poll]) Tea?', edited: 0, deleted: 0 },
		{ id: 'H3', type: 'conversation', body: 'second words', edited: 1, deleted: 0 },
		{ id: 'H4', type: 'system', body: '(_⊘ This message was deleted_)', edited: 0, deleted: 1 },
		{ id: 'H5', type: 'system', body: '(_⊘ This message was deleted_)', edited: 0, deleted: 1 },
		{ id: 'H6', type: 'event', body: '', edited: 0, deleted: 0 } ]);
	const { result } = await gateway.call('chats.messages', { session: 's', family: 'chats-get', p: { chatId: `${EVE}@s.whatsapp.net`, limit: 50, offset: 0 } });
	const { messageTypeDetails: details, reactions } = result.data.find((m) => m.id === 'H6');
	assert.deepEqual([details, reactions], [{ event: { responses: [{ by: `${EVE}@s.whatsapp.net`, response: 'GOING', extraGuestCount: 2, ts: 1700000006 }] },
		pinned: { ts: 1700000005, expiresAt: 1700086405 } }, [{ from: `${EVE}@s.whatsapp.net`, emoji: '🎉', timestamp: 1700000007 }]]);
	assert.deepEqual(rows(`SELECT m.id, a.kind, a.author, a.value FROM message_addons a JOIN messages m ON m.number = a.message WHERE m.id IN ('H1','H2','H3') AND a.kind <> 2 ORDER BY m.id, a.kind`), [
		{ id: 'H1', kind: 1, author: `${eve}@lid`, value: '👍' }, { id: 'H1', kind: 5, author: `${eve}@lid`, value: '5' },
		{ id: 'H2', kind: 3, author: `${eve}@lid`, value: '["no"]' }, { id: 'H3', kind: 1, author: '', value: '❤️' } ]);
	const state = () => rows(`SELECT unread, archived FROM chats WHERE lid = '${eve}@lid'`)[0];
	assert.deepEqual(state(), { unread: 2, archived: 1 });
	// A live message, and then a part that the phone made before it.
	await gateway.control(`/accounts/${EVE}/send`, { to: ANN, text: 'live from Eve' });
	await hook.until((events) => events.some((e) => e.event === 'message_received' && e.data.text === 'live from Eve'));
	await confirmed((await upload({ only: true, type: 'FULL', newest: 1, chats: [{ with: EVE, unreadCount: 0, conversationTimestamp: now - 90000, texts: [] }] })).ids);
	assert.deepEqual(state(), { unread: 3, archived: 1 });
});

test('a repeat changes nothing, and live messages are not overwritten', async () => {
	const live = await gateway.control(`/accounts/${BOB}/send`, { to: ANN, text: 'live' });
	await hook.until((events) => events.some((e) => e.event === 'message_received' && e.data.text === 'live'));
	const before = messages();
	const { ids } = await upload({ only: true, type: 'RECENT', chats: [{ with: BOB, texts: [
		{ text: 'false', key: { remoteJid: `${lid}@lid`, fromMe: false, id: live.id } } ] }] });
	await confirmed(ids);
	const again = messages();
	assert.deepEqual(again.filter((m) => m.id !== live.id), before.filter((m) => m.id !== live.id));
	assert.notEqual(again.find((m) => m.id === live.id)?.body, before.some((m) => m.id === live.id) ? 'false' : undefined);
});

test('each damaged upload is its own error; what comes after it is stored', async () => {
	const before = messages().length;
	const cases = { truncated: /cut off/, garbage: /inflated/, bomb: /fields|inflates/, fields: /fields/, hash: /not what was sent/, lost: /lost the file/ };
	for (const [fault, reason] of Object.entries(cases)) {
		await upload({ only: true, type: 'RECENT', external: true, fault, chats: [{ with: CID, texts: texts(fault, 3) }] });
		await told('failed', (d) => reason.test(d.reason));
	}
	assert.equal(messages().length, before, 'nothing of a damaged upload is stored');
	const { ids } = await upload({ only: true, type: 'RECENT', fault: 'nested', chats: [{ with: CID, texts: texts('good', 2) }] });
	await confirmed(ids);
	assert.equal(messages().length, before + 3 * Object.keys(cases).length + 2, 'the phone sends again what could not be read');
	assert.ok((await gateway.control(`/accounts/${BOB}/send`, { to: ANN, text: 'still here' })).id);
	await hook.until((events) => events.some((e) => e.event === 'message_received' && e.data.text === 'still here'));
});

test('older messages of a chat come from the phone when they are asked for', async () => {
	const more = (chat, p = {}) => gateway.call('chats.messages.more', { session: 's', family: 'session', p: { chatId: chat, count: 50, wait: 20, ...p } });
	const DAN = '15550004444';
	await gateway.account(DAN, 'Dan');
	assert.deepEqual([(await more(`${DAN}@s.whatsapp.net`)).status, (await more('garbage')).status], [404, 400]);
	const known = await gateway.control(`/accounts/${ANN}/archive`, { chats: [{ with: DAN, texts: texts('dan', 120) }] });
	await gateway.control(`/accounts/${ANN}/archive`, { chats: [], on_demand: {} });
	const { ids } = await upload({ only: true, type: 'RECENT', chats: [{ with: DAN, texts: ['the newest'] }], newest: 1 });
	await confirmed(ids);
	const ofDan = () => messages().filter((m) => m.jid.startsWith(DAN)).length;
	assert.equal(known.chats[0].messages, 120);
	assert.equal(ofDan(), 1);
	const first = await more(`${DAN}@s.whatsapp.net`);
	assert.deepEqual([first.status, first.result.messages, first.result.complete], [200, 50, false]);
	assert.equal(ofDan(), 51);
	await gateway.control(`/accounts/${ANN}/archive`, { on_demand: { unnamed: true, external: true } });
	assert.equal((await more(`${DAN}@s.whatsapp.net`, { count: 69 })).result.messages, 69);
	const last = await more(`${DAN}@s.whatsapp.net`);
	assert.deepEqual([last.result.messages, last.result.complete, ofDan()], [1, true, 121]);
	await gateway.control(`/accounts/${ANN}/archive`, { on_demand: { silent: true } });
	assert.deepEqual([(await more(`${DAN}@s.whatsapp.net`, { wait: 1 })).status], [504]);
	await gateway.control(`/accounts/${ANN}/archive`, { on_demand: { fault: 'garbage' } });
	assert.equal((await more(`${DAN}@s.whatsapp.net`)).status, 502);
});

test('a daemon that dies in the middle stores the history in its next life, once', async () => {
	const before = messages().length;
	await gateway.control('/media/faults', { on: 'download', slow_ms: 3000 });
	const { ids } = await upload({ only: true, type: 'FULL', external: true, chats: [{ with: BOB, texts: texts('survivor', 3000) }] });
	await gateway.control(`/events?type=media_request&wait=20000&after=${(await gateway.control('/events?limit=1')).last - 1}`);
	await gateway.restart('SIGKILL');
	await gateway.open('s');
	await confirmed(ids);
	assert.equal(messages().length, before + 3000);
	assert.equal(rows('SELECT count(*) AS n FROM records WHERE kind = 203')[0].n, 0);
	assert.deepEqual(await gateway.violations(), []);
});
