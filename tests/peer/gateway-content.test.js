// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, contacts, places, polls, events, buttons, lists, invitations or what can be done with messages do not reach real
// WhatsApp clients as the REST caller asked, or a bad request is answered otherwise than the contract says.
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { normalizeMessageContent } from 'baileys';
import { endProcessSoon } from './baileys-peer.js';
import { isInstalled } from '../e2e/lib/web.js';
import { Parties, until } from './gateway-parties.js';

const skip = !isInstalled('lighttpd') && 'lighttpd is not installed';
let p;

before(async () => { if (!skip) p = await Parties.start('lighttpd', { WAREST_LINK_PREVIEW: 'true' }); });
afterEach(async () => { if (p) await p.clean(); });
after(async () => {
    await p?.stop();
    endProcessSoon();
});

const post = (path, body, query = '') => p.gateway.api('POST', `/messages/${path}${query}`, { body: { sessionId: 'main', to: p.them.phone, ...body } });

// Sends by REST, checks the answer's shape, and waits for it at Bob's Baileys client.
async function send(what, body, label, status) {
    const answer = await post(`send/${what}`, body);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual([answer.json.status, answer.json.code, answer.json.message], [true, 1000, `${label} sent`]);
    const [entry] = answer.json.results;
    assert.deepEqual(Object.keys(entry), ['phone', 'to', 'toJid', 'messageId', 'status', 'timestamp', 'advancedInfo']);
    assert.deepEqual([entry.phone, entry.toJid, entry.status], [p.us.phone, p.them.jid, status]);
    const message = await p.bob.waitMessage((m) => m.key.id === entry.messageId);
    return { entry, message, content: normalizeMessageContent(message.message) };
}

async function refused(what, body, status, code, text) {
    const answer = await post(what, body);
    assert.deepEqual([answer.status, answer.json], [status, { status: false, code, message: text, results: null }]);
}

test('contacts', { skip }, async () => {
    const { entry, content } = await send('contact', { contact: { name: 'Ann; Lee', fullName: 'Ann Lee', phone: '+62 812-345', organization: 'ACME', email: 'a@b.c' } },
        'Contact message', 'contact success');
    assert.deepEqual(entry.advancedInfo, { isForwarded: false, quotedMessageId: null, displayName: 'Ann; Lee' });
    assert.equal(content.contactMessage.displayName, 'Ann; Lee');
    assert.equal(content.contactMessage.vcard,
        'BEGIN:VCARD\nVERSION:3.0\nN:Ann Lee;;;;\nFN:Ann Lee\nORG:ACME\nTEL;type=CELL;type=VOICE;waid=62812345:62812345\nEMAIL:a@b.c\nEND:VCARD');
    const text = await send('contact', { contact: '{"name":"Bo,b"}' }, 'Contact message', 'contact success');
    assert.match(text.content.contactMessage.vcard, /\nFN:Bo\\,b\n/);
    const empty = await send('contact', { contact: {} }, 'Contact message', 'contact success');
    assert.equal(empty.content.contactMessage.displayName, 'Contact');
    const many = await send('contact', { contacts: [{ name: 'A', phone: '1' }, { name: 'B', phone: '2' }] }, 'Contact message', 'contact success');
    assert.deepEqual(many.content.contactsArrayMessage.contacts.map((c) => c.displayName), ['A', 'B']);
    await refused('send/contact', { to: '' }, 400, 2001, "Missing or invalid 'to'");
});

test('locations in every form of the contract, and a live one', { skip }, async () => {
    const { entry, content } = await send('location', { location: { latitude: -6.2, longitude: '106.8', name: 'Office', address: 'Jakarta' } }, 'Location message', 'location success');
    assert.deepEqual(entry.advancedInfo.location, { degreesLatitude: -6.2, degreesLongitude: 106.8, name: 'Office', address: 'Jakarta' });
    const { degreesLatitude, degreesLongitude, name, address } = content.locationMessage;
    assert.deepEqual([degreesLatitude, degreesLongitude, name, address], [-6.2, 106.8, 'Office', 'Jakarta']);
    for (const body of [{ location: [1, 2] }, { loc: '1, 2' }, { location: '{"lat":1,"lng":2}' }, { lat: 1, lng: 2 }]) {
        const other = await send('location', body, 'Location message', 'location success');
        assert.deepEqual([other.content.locationMessage.degreesLatitude, other.content.locationMessage.degreesLongitude], [1, 2]);
    }
    for (const location of [{ latitude: 91, longitude: 0 }, { latitude: 0, longitude: 181 }, { latitude: '', longitude: 1 }, [1], 'x', [null, 1], { latitude: null, longitude: null }])
        await refused('send/location', { location }, 400, 3012, 'Invalid location payload');
    const live = await send('live-location', { location: [1, 2], caption: 'here', accuracy: 5, speed: 1.5, heading: 90 }, 'Live location message', 'live location success');
    assert.deepEqual([live.content.liveLocationMessage.degreesLatitude, live.content.liveLocationMessage.caption, live.content.liveLocationMessage.speedInMps], [1, 'here', 1.5]);
});

test('polls', { skip }, async () => {
    const { entry, content, message } = await send('poll', { question: 'Tea?', options: ['yes', 'no'], maxSelection: 1 }, 'Poll message', 'poll success');
    assert.deepEqual(entry.advancedInfo, { isForwarded: false, quotedMessageId: null, question: 'Tea?', options: ['yes', 'no'], maxSelection: 1 });
    assert.deepEqual(content.pollCreationMessageV3.options.map((o) => o.optionName), ['yes', 'no']);
    assert.equal(message.message.messageContextInfo.messageSecret.length, 32);
    const many = await send('poll', { poll: { name: 'Which?', options: 'a,b , c', selectableCount: 9 }, isForwarded: true }, 'Poll message', 'poll success');
    assert.equal(many.content.pollCreationMessage.selectableOptionsCount, 3);
    assert.equal(many.content.pollCreationMessage.contextInfo.isForwarded, true);
    const bad = [{ options: ['a'] }, { options: Array.from({ length: 13 }, (_, i) => `o${i}`) }, { options: ['a', 'b', 'a'] }, { question: '', options: ['a', 'b'] }];
    for (const body of bad) await refused('send/poll', { question: 'Tea?', ...body }, 400, 3012, 'Poll payload invalid');
});

test('events', { skip }, async () => {
    const { content, entry } = await send('event', { name: 'Party', startTime: '2026-12-24T18:00:00Z', endTime: 1798156800, description: 'bring cake', location: { lat: 1, lng: 2, name: 'Home' }, extraGuests: true },
        'Event message', 'event success');
    const { eventMessage } = content;
    assert.deepEqual([eventMessage.name, eventMessage.description, Number(eventMessage.startTime), Number(eventMessage.endTime), eventMessage.extraGuestsAllowed, eventMessage.location.name],
        ['Party', 'bring cake', 1798135200, 1798156800, true, 'Home']);
    assert.equal(entry.advancedInfo.startTime, 1798135200);
    await refused('send/event', { name: 'x' }, 400, 2001, 'Event startTime is required');
    await refused('send/event', { name: 'x', startTime: 'soon' }, 400, 2002, 'Event startTime must be a time: seconds, milliseconds or ISO 8601');
});

test('buttons and lists, and their numbered text', { skip }, async () => {
    const buttons = [{ text: 'Yes', id: 'y' }, { type: 'URL', displayText: 'Site', url: 'https://x.example' }, { type: 'copy', displayText: 'Code', copyCode: 'A1' }];
    const { entry, content } = await send('button', { text: 'Sure?', footer: 'ACME', buttons }, 'Interactive button message', 'interactive button success');
    assert.equal(entry.advancedInfo.buttonCount, 3);
    const [card] = content.interactiveMessage.carouselMessage.cards;
    assert.deepEqual([card.header.title, card.body.text, card.footer.text], [' ', 'Sure?', 'ACME']);
    assert.deepEqual(card.nativeFlowMessage.buttons.map((b) => [b.name, JSON.parse(b.buttonParamsJson)]), [
        ['quick_reply', { display_text: 'Yes', id: 'y' }],
        ['cta_url', { display_text: 'Site', url: 'https://x.example', merchant_url: 'https://x.example' }],
        ['cta_copy', { display_text: 'Code', copy_code: 'A1' }],
    ]);
    assert.match(JSON.parse(card.nativeFlowMessage.messageParamsJson).templateId, /^[0-9A-Z]{26}$/);
    const instead = await send('button', { text: 'Sure?', buttons, fallback: 'instead' }, 'Interactive button message', 'interactive button success');
    assert.equal(instead.content.conversation, 'Sure?\n1. Yes\n2. Site: https://x.example\n3. Code: A1');
    const also = await send('button', { buttons: ['Only'], fallback: 'also' }, 'Interactive button message', 'interactive button success');
    assert.ok(also.content.interactiveMessage);
    await p.bob.waitMessage('1. Only');
    await refused('send/button', { buttons: [] }, 400, 2000, 'buttons must be a non-empty array');
    await refused('send/button', { buttons: [1, 2, 3, 4] }, 400, 3010, 'Buttons count exceeds limit (3)');
    await refused('send/button', { buttons: [{ type: 'pay', text: 'x' }] }, 400, 2000, 'Unsupported button type: pay');
    await refused('send/button', { to: 'x', buttons: ['a'] }, 400, 2000, 'Invalid destination');

    const sections = [{ title: 'Hot', rows: [{ id: 't', title: 'Tea', description: 'green' }, 'Coffee'] }, { title: 'Cold', items: ['Water'] }];
    const list = await send('list', { text: 'Menu', list: { buttonText: 'Choose', sections } }, 'Interactive list message', 'interactive list success');
    assert.deepEqual([list.entry.advancedInfo.sectionCount, list.entry.advancedInfo.rowCount], [2, 3]);
    const [flow] = list.content.interactiveMessage.carouselMessage.cards[0].nativeFlowMessage.buttons;
    const params = JSON.parse(flow.buttonParamsJson);
    assert.deepEqual([flow.name, params.title, params.sections[0].rows[0]], ['single_select', 'Choose', { id: 't', title: 'Tea', description: 'green', header: '' }]);
    assert.match(params.sections[1].rows[0].id, /^[0-9A-Z]{26}$/);
    const lists = await send('list', { text: 'x', lists: [{ title: 'a', rows: ['1'] }, { title: 'b', rows: ['2'] }] }, 'Interactive list message', 'interactive list success');
    assert.equal(lists.content.interactiveMessage.carouselMessage.cards[0].nativeFlowMessage.buttons.length, 2);
    const numbered = await send('list', { text: 'Menu', sections, fallback: 'instead' }, 'Interactive list message', 'interactive list success');
    assert.equal(numbered.content.conversation, 'Menu\n*Hot*\n1. Tea: green\n2. Coffee\n*Cold*\n3. Water');
    await refused('send/list', { text: 'x' }, 400, 2000, 'list/sections cannot be empty');
    await refused('send/list', { sections: [{ title: 'a', rows: [] }] }, 400, 2000, 'at least one section with one row is required');
});

test('group invitations', { skip }, async () => {
    const { content } = await send('group-invite', { groupId: '120363000000000001@g.us', inviteCode: 'AbC', groupName: 'Us', caption: 'come' }, 'Group invite message', 'group invite success');
    assert.deepEqual([content.groupInviteMessage.groupJid, content.groupInviteMessage.inviteCode, content.groupInviteMessage.caption], ['120363000000000001@g.us', 'AbC', 'come']);
    await refused('send/group-invite', { groupId: '62812', inviteCode: 'x' }, 400, 2002, 'groupId is invalid');
});

const act = (id, what, body = {}, method = 'POST') => p.gateway.api(method, `/messages/${id}/action/${what}`, { body: { sessionId: 'main', to: p.them.phone, ...body } });

async function acted(id, what, body, message, status) {
    const answer = await act(id, what, body);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json, { status: true, code: 1000, message, results: [{ sessionId: 'main', phone: p.us.phone, to: p.them.phone, toJid: p.them.jid, messageId: id, status }] });
}

async function actionRefused(id, what, body, status, code, message) {
    const answer = await act(id, what, body);
    assert.deepEqual([answer.status, answer.json], [status, { status: false, code, message, results: null }], what);
}

// A text of Bob's that our session has received.
async function fromBob(text) {
    const id = await p.bob.sendText(p.us.jid, text);
    await p.hook.wait('message_received', (d) => d.message.key.id === id);
    return id;
}

const protocol = (id, type) => p.bob.waitMessage((m) => m.message.protocolMessage?.key?.id === id && m.message.protocolMessage.type === type);

test('reactions, on messages of both sides and on unknown ones', { skip }, async () => {
    const ours = await p.send(p.them.phone, 'react to me');
    const theirs = await fromBob('react to this');
    for (const [id, fromMe] of [[ours, true], [theirs, false]]) {
        await acted(id, 'reaction', { emoji: '👍' }, 'Reaction applied', 'reaction applied success');
        const { message } = await p.bob.waitMessage((m) => m.message.reactionMessage?.key?.id === id);
        assert.equal(message.reactionMessage.text, '👍');
        // Baileys turns the key around to its own point of view.
        assert.equal(message.reactionMessage.key.fromMe, !fromMe);
    }
    await acted(theirs, 'unreaction', {}, 'Reaction removed', 'reaction removed success');
    await p.bob.waitMessage((m) => m.message.reactionMessage?.key?.id === theirs && !m.message.reactionMessage.text);
    await acted('UNKNOWN1', 'reaction', { emoji: '👍' }, 'Reaction applied', 'reaction applied success');
    await actionRefused(theirs, 'reaction', {}, 400, 2001, 'Emoji is required');
    await actionRefused(theirs, 'reaction', { to: '', emoji: 'x' }, 400, 2001, 'Missing destination or messageId');
    await actionRefused(theirs, 'reaction', { to: '111111,222222', emoji: 'x' }, 400, 2001, 'Missing destination or messageId');
    await actionRefused(theirs, 'reaction', { sessionId: 'closed', emoji: 'x' }, 404, 1101, 'Session not found');
});

test('edits of own texts, and of nothing else', { skip }, async () => {
    const id = await p.send(p.them.phone, 'befor');
    await acted(id, 'edit', { message: ' before ' }, 'Message edited', 'message edited success');
    const edit = await protocol(id, 14);
    assert.equal(edit.message.protocolMessage.editedMessage.extendedTextMessage.text, ' before ');
    // A device that could not read the first one gets what was sent then, and the edit by its own id.
    for (const [wanted, text] of [[id, 'befor'], [edit.key.id, ' before ']]) {
        const { last } = await p.call('GET', `/accounts/${p.them.phone}/inbox?id=${wanted}&wait=30000`);
        await p.call('POST', `/accounts/${p.them.phone}/ask-again`, { from: p.client, id: wanted, count: 1 });
        const { messages } = await p.call('GET', `/accounts/${p.them.phone}/inbox?id=${wanted}&after=${last}&wait=30000`);
        assert.equal(messages.at(-1)?.text ?? messages.at(-1)?.message.protocolMessage.editedMessage.extendedTextMessage.text, text);
    }
    // Who quotes it quotes the edited text.
    const quoting = await p.gateway.api('POST', '/messages/send/text', { body: { sessionId: 'main', to: p.them.phone, message: 'as I said', replyMessageId: id } });
    const quote = await p.bob.waitMessage((m) => m.key.id === quoting.json.results[0].messageId);
    assert.equal(quote.message.extendedTextMessage.contextInfo.quotedMessage.extendedTextMessage?.text ?? quote.message.extendedTextMessage.contextInfo.quotedMessage.conversation, ' before ');
    const theirs = await fromBob('not yours to edit');
    await actionRefused(theirs, 'edit', { message: 'x' }, 403, 4001, 'Editing this message is not allowed');
    await actionRefused('UNKNOWN2', 'edit', { message: 'x' }, 403, 4001, 'Editing this message is not allowed');
    await actionRefused(id, 'edit', { message: '  ' }, 400, 2001, 'Message text is required');
    const { entry } = await send('location', { location: [1, 2] }, 'Location message', 'location success');
    await actionRefused(entry.messageId, 'edit', { message: 'x' }, 403, 4001, 'Editing this message is not allowed');
});

test('revocations of own messages', { skip }, async () => {
    const id = await p.send(p.them.phone, 'oops');
    await acted(id, 'revoke', {}, 'Message revoked', 'message revoked success');
    const revoked = await protocol(id, 0);
    assert.equal(revoked.message.protocolMessage.key.id, id);
    await actionRefused(await fromBob('not yours to delete'), 'revoke', {}, 502, 4000, 'Failed to revoke message');
    await actionRefused('UNKNOWN3', 'revoke', {}, 502, 4000, 'Failed to revoke message');
});

test('read and played', { skip }, async () => {
    const id = await fromBob('read me');
    await acted(id, 'mark-as-read', {}, 'Message marked as read', 'message read success');
    await p.bob.waitReceipt(id, 4);
    await acted(id, 'mark-as-read', { played: true }, 'Message marked as read', 'message read success');
    await p.bob.waitReceipt(id, 5);
    await acted(await p.send(p.them.phone, 'my own'), 'mark-as-read', {}, 'Message marked as read', 'message read success');
});

test('pins', { skip }, async () => {
    const id = await fromBob('pin me');
    const pin = (body, target = id) => p.gateway.api('POST', `/chats/${encodeURIComponent(p.them.jid)}/messages/${target}/pin`, { body: { sessionId: 'main', ...body } });
    const answer = await pin({ pin: true, duration: 604800 });
    assert.equal(answer.status, 200, answer.text);
    const { result } = answer.json;
    assert.deepEqual([answer.json.message, result], ['Message pinned', { sessionId: 'main', phone: p.us.phone, chatId: p.them.jid, messageId: id, pinned: true, message: 'Message pinned successfully', updatedAt: result.updatedAt }]);
    const pinned = await p.bob.waitMessage((m) => m.message.pinInChatMessage?.key?.id === id && m.message.pinInChatMessage.type === 1);
    assert.equal(pinned.message.messageContextInfo.messageAddOnDurationInSecs, 604800);
    const off = await pin({ pin: 'no' });
    assert.deepEqual([off.json.message, off.json.result.message], ['Message unpinned', 'Message unpinned successfully']);
    await p.bob.waitMessage((m) => m.message.pinInChatMessage?.key?.id === id && m.message.pinInChatMessage.type === 2);
    for (const [body, status, code, message, target] of [[{}, 400, 2001, 'Missing chatId, messageId or pin flag'], [{ pin: 'maybe' }, 400, 2002, 'pin must be true or false'],
        [{ pin: true }, 403, 4003, 'Pin/unpin not allowed', 'UNKNOWN4']]) {
        const bad = await pin(body, target);
        assert.deepEqual([bad.status, bad.json], [status, { status: false, code, message, result: null }]);
    }
});

test('forwards, of received and of sent ones', { skip }, async () => {
    const id = await fromBob('pass it on');
    const answer = await act(id, 'forward');
    assert.deepEqual([answer.status, answer.json.message], [200, 'Forwarded message sent'], answer.text);
    const [entry] = answer.json.results;
    assert.deepEqual([entry.status, entry.advancedInfo], ['message forwarded success', { isForwarded: true, quotedMessageId: null, forwardedMessageId: id, forwardingScore: 1 }]);
    const first = await p.bob.waitMessage((m) => m.key.id === entry.messageId);
    assert.deepEqual([first.message.extendedTextMessage.text, first.message.extendedTextMessage.contextInfo.forwardingScore], ['pass it on', 1]);
    await p.bob.send(p.us.jid, { forward: { key: first.key, message: first.message }, force: true });
    const back = (await p.hook.wait('message_received', (d) => d.message.message.extendedTextMessage?.contextInfo?.forwardingScore > 1)).data.message;
    const again = (await act(back.key.id, 'forward')).json.results[0];
    const score = back.message.extendedTextMessage.contextInfo.forwardingScore + 1;
    assert.equal(again.advancedInfo.forwardingScore, score);
    const place = (await send('location', { location: [3, 4] }, 'Location message', 'location success')).entry;
    const forwarded = (await act(place.messageId, 'forward')).json.results[0];
    assert.equal((await p.bob.waitMessage((m) => m.key.id === forwarded.messageId)).message.locationMessage.contextInfo.isForwarded, true);
    await actionRefused('UNKNOWN5', 'forward', {}, 404, 2601, 'Message not found');
    const poll = (await send('poll', { question: 'q', options: ['a', 'b'] }, 'Poll message', 'poll success')).entry;
    await actionRefused(poll.messageId, 'forward', {}, 400, 3004, 'Unsupported message type');
});

test('chosen ids, waiting, schedule, dry runs and states', { skip }, async () => {
    const text = (body, query) => post('send/text', body, query);
    const state = (id, session = 'main') => p.gateway.api('GET', `/messages/${id}/status?sessionId=${session}`);
    const chosen = await text({ message: 'my own id', messageId: 'ORDER-4711', wait: 'delivered' });
    assert.deepEqual([chosen.status, chosen.json.results[0].messageId, chosen.json.results[0].state], [200, 'ORDER-4711', 'delivered'], chosen.text);
    await p.arrives(p.bob, 'ORDER-4711', 'my own id');
    const twice = await text({ message: 'again', messageId: 'ORDER-4711' });
    assert.deepEqual([twice.status, twice.json.code, twice.json.message], [409, 2009, 'messageId was used already']);
    await refused('send/text', { message: 'x', messageId: 'not an id' }, 400, 2002, 'messageId must have 1 to 64 of the characters A-Z a-z 0-9 . _ -');
    await refused('send/text', { message: 'x', wait: 'ever' }, 400, 2002, 'wait is one of queued, ack, delivered');
    const { json } = await state('ORDER-4711');
    assert.equal(json.message, 'Message state');
    assert.ok(['delivered', 'read'].includes(json.results[0].state), JSON.stringify(json));
    assert.ok(json.results[0].devices.some((d) => d.state === 'delivered'));
    assert.deepEqual([(await state('UNKNOWN6')).status, (await state('UNKNOWN6')).json.code], [404, 2601]);

    const queued = await text({ message: 'queue me' }, '?wait=queued');
    assert.deepEqual([queued.status, queued.json.code, queued.json.message, queued.json.results[0].status], [202, 3000, 'Text message queued', 'text queued']);
    await p.arrives(p.bob, queued.json.results[0].messageId, 'queue me');

    const dry = await text({ message: 'never', dry_run: true });
    assert.deepEqual([dry.status, dry.json.code, dry.json.results[0].status, dry.json.results[0].messageId], [200, 1005, 'text not sent', null]);
    await refused('send/poll', { question: 'q', options: ['a'], dry_run: true }, 400, 3012, 'Poll payload invalid');

    const at = Date.now() + 4000;
    const later = await text({ message: 'in a while', send_at: new Date(at).toISOString() });
    assert.deepEqual([later.status, later.json.code, later.json.message], [202, 1003, 'Text message scheduled'], later.text);
    const [entry] = later.json.results;
    assert.deepEqual([entry.status, Date.parse(entry.scheduledAt)], ['text scheduled', at]);
    await p.restartDaemon('SIGKILL');
    const waiting = (await state(entry.messageId)).json.results[0];
    assert.deepEqual([waiting.state, Date.parse(waiting.scheduledAt)], ['queued', at]);
    await p.arrives(p.bob, entry.messageId, 'in a while');
    assert.ok(Date.now() >= at);
    assert.ok(!p.bob.messages.some((m) => m.message.conversation === 'never'));
});

// One of each kind: its body, and what of it shows at a client.
const CONTENTS = [
    ['text', { message: 'hi' }, (c) => c.conversation ?? c.extendedTextMessage.text, 'hi'],
    ['contact', { contact: { name: 'A' } }, (c) => c.contactMessage.displayName, 'A'],
    ['contact', { contacts: [{ name: 'A' }, { name: 'B' }] }, (c) => c.contactsArrayMessage.contacts.length, 2],
    ['location', { location: [1, 2] }, (c) => c.locationMessage.degreesLongitude, 2],
    ['live-location', { location: [1, 3] }, (c) => c.liveLocationMessage.degreesLongitude, 3],
    ['poll', { question: 'Tea?', options: ['yes', 'no'] }, (c) => c.pollCreationMessageV3.name, 'Tea?'],
    ['event', { name: 'Party', startTime: 1798135200 }, (c) => c.eventMessage.name, 'Party'],
    ['button', { text: 'b', buttons: ['1'] }, (c) => c.interactiveMessage.carouselMessage.cards[0].body.text, 'b'],
    ['list', { text: 'l', sections: [{ rows: ['1'] }] }, (c) => c.interactiveMessage.carouselMessage.cards[0].body.text, 'l'],
    ['group-invite', { groupId: '120363000000000001@g.us', inviteCode: 'AbC', groupName: 'Them' }, (c) => c.groupInviteMessage.inviteCode, 'AbC'],
];

// Each kind once, on all devices of everybody; resolves with the id of the text. marks: quoted and passed on as well.
async function oneOfEach(to, third, marks) {
    let text;
    for (const [what, body, shows, wanted] of CONTENTS) {
        const answer = await post(`send/${what}`, { to, ...body, ...marks });
        assert.deepEqual([answer.status, answer.json.results?.[0].toJid], [200, to], answer.text);
        const { messageId } = answer.json.results[0];
        await p.everywhere(messageId, third);
        for (const peer of [p.bob, p.bobsOther, p.mate]) {
            const { message, key } = await peer.waitMessage((m) => m.key.id === messageId);
            const content = normalizeMessageContent(message);
            assert.equal(shows(content), wanted, what);
            const { stanzaId, isForwarded, forwardingScore } = Object.values(content).find((part) => part?.contextInfo)?.contextInfo ?? {};
            if (marks) assert.deepEqual([stanzaId, isForwarded, forwardingScore], [marks.replyMessageId, true, marks.forwardingScore], what);
            assert.deepEqual([third ? key.remoteJid : null, key.fromMe], [third ? to : null, peer === p.mate], what);
        }
        if (what === 'text') text = messageId;
    }
    return text;
}

// Forwarded, pinned, and a reaction taken away: at Bob, and the receipt of what was read.
async function moreActions(to, said) {
    const forwarded = (await act(said, 'forward', { to })).json.results[0];
    const { contextInfo } = (await p.bob.waitMessage((m) => m.key.id === forwarded.messageId)).message.extendedTextMessage;
    assert.equal(contextInfo.isForwarded, true);
    assert.equal((await act(said, 'reaction', { to, emoji: '🙋' })).status, 200);
    const reaction = await p.bob.waitMessage((m) => m.message.reactionMessage?.key?.id === said);
    assert.equal(reaction.message.reactionMessage.text, '🙋');
    assert.equal((await act(said, 'unreaction', { to })).status, 200);
    await p.bob.waitMessage((m) => m.message.reactionMessage?.key?.id === said && !m.message.reactionMessage.text);
    const pin = await p.gateway.api('POST', `/chats/${encodeURIComponent(to)}/messages/${said}/pin`, { body: { sessionId: 'main', pin: true, duration: 86400 } });
    assert.equal(pin.status, 200, pin.text);
    await p.bob.waitMessage((m) => m.message.pinInChatMessage?.key?.id === said && m.message.pinInChatMessage.type === 1);
    assert.equal((await act(said, 'mark-as-read', { to })).status, 200);
    const { stanzas } = await p.call('GET', `/stanzas?tag=receipt&type=read&id=${said}&device=${encodeURIComponent(p.client)}&wait=30000`);
    assert.equal(stanzas.length, 1);
}

test('by LID: every kind of content and what can be done with messages', { skip }, async () => {
    const to = p.them.lid_jid;
    const said = await p.bob.sendText(p.us.lid_jid, 'to your LID');
    await p.hook.wait('message_received', (d) => d.message.key.id === said);
    const mine = await oneOfEach(to, null, { replyMessageId: said, isForwarded: true, forwardingScore: 5 });
    await moreActions(to, said);
    assert.equal((await act(mine, 'edit', { to, message: 'hi!' })).status, 200);
    await protocol(mine, 14);
    assert.equal((await act(mine, 'revoke', { to })).status, 200);
    await protocol(mine, 0);
});

for (const addressing of ['lid', 'pn']) {
    test(`in a group that goes by ${addressing}: every kind of content, mentions, quotes, reactions, edits, revocations`, { skip }, async () => {
        const { jid, third } = await p.groupOf(addressing);
        await oneOfEach(jid, third);

        const mentioning = await post('send/text', { to: jid, message: `@${p.them.phone} and all`, mentions: [third.phone], mentionAll: true });
        assert.deepEqual(mentioning.json.results[0].advancedInfo.mentions, [p.them.jid, third.jid]);
        const { contextInfo } = (await p.bob.waitMessage((m) => m.key.id === mentioning.json.results[0].messageId)).message.extendedTextMessage;
        const form = addressing === 'lid' ? 'lid_jid' : 'jid';
        assert.deepEqual([contextInfo.mentionedJid, contextInfo.nonJidMentions], [[p.them[form], third[form]], 1]);

        const said = await p.bob.sendText(jid, 'who comes?');
        await p.hook.wait('message_received', (d) => d.message.key.id === said);
        const quoting = await post('send/text', { to: jid, message: 'I do', replyMessageId: said });
        const quote = (await p.bob.waitMessage((m) => m.key.id === quoting.json.results[0].messageId)).message.extendedTextMessage.contextInfo;
        assert.deepEqual([quote.stanzaId, quote.participant, quote.quotedMessage.conversation ?? quote.quotedMessage.extendedTextMessage.text], [said, p.them[form], 'who comes?']);

        await moreActions(jid, said);
        const mine = quoting.json.results[0].messageId;
        assert.equal((await act(mine, 'edit', { to: jid, message: 'I do!' })).status, 200);
        await protocol(mine, 14);
        assert.equal((await act(mine, 'revoke', { to: jid })).status, 200);
        await protocol(mine, 0);
        assert.deepEqual((await act(said, 'revoke', { to: jid })).json, { status: false, code: 4000, message: 'Failed to revoke message', results: null });
        await p.call('POST', `/groups/${jid}/promote`, { phones: [p.us.phone], by: p.them.phone });
        await p.hook.wait('group_participants', (d) => d.groupId === jid && d.action === 'promote');
        const admin = await act(said, 'revoke', { to: jid });
        assert.equal(admin.status, 200, admin.text);
        const revoked = await protocol(said, 0);
        assert.equal(revoked.message.protocolMessage.key.participant, p.them[form]);
        assert.equal((await act('UNKNOWN7', 'mark-as-read', { to: jid })).status, 404);
    });
}

test('in a group: who has it; keys for new devices alone; what cannot be read is asked for, on both sides', { skip }, async () => {
    const { jid, third } = await p.groupOf('lid');
    const say = async (message) => (await post('send/text', { to: jid, message })).json.results[0].messageId;
    const given = async (id) => (await p.call('GET', `/stanzas?tag=message&id=${id}&device=${encodeURIComponent(p.client)}`)).stanzas
        .flatMap((s) => s.stanza.content.find((c) => c.tag === 'participants')?.content.map((c) => c.attrs.jid) ?? []);
    const first = await say('with keys');
    await p.everywhere(first, third);
    assert.ok((await given(first)).length >= 7, 'phones, Baileys clients and a companion of three accounts');
    await until(async () => {
        const { json } = await p.gateway.api('GET', `/messages/${first}/status?sessionId=main`);
        const done = json.results[0].devices.filter((d) => ['delivered', 'read'].includes(d.state)).map((d) => d.device);
        return [p.bob.lid ?? p.bob.jid, third.lid_jid].every((who) => done.some((d) => d.startsWith(who.split(/[:@]/)[0])));
    }, 'receipts of members to be told');
    assert.deepEqual(await given(await say('without')), []);

    const added = await p.call('POST', `/accounts/${third.phone}/companions`, {});
    await p.call('GET', `/stanzas?device=${encodeURIComponent(p.client)}&tag=ack&class=notification&type=devices&wait=30000`);
    const next = await say('for one more');
    await p.everywhere(next, third);
    await until(async () => (await p.call('GET', `/accounts/${third.phone}/inbox?device=${added.id}&id=${next}&wait=30000`)).messages[0]?.text === 'for one more', 'the new device to read it');
    const devices = await given(next);
    assert.deepEqual([devices.length, devices[0]?.includes(`:${added.id}@`)], [1, true], devices.join());

    // Bob's client has lost our key; our session cannot read what he sends.
    await p.bob.socket.authState.keys.set({ 'sender-key': Object.fromEntries([...p.bob.keyData.keys()].filter((k) => k.startsWith('sender-key/')).map((k) => [k.slice(11), null])) });
    const asked = await say('asked for');
    await p.bob.waitMessage((m) => m.key.id === asked && normalizeMessageContent(m.message)?.conversation === 'asked for');
    const { events } = await p.call('GET', `/events?type=retry_requested&id=${asked}&wait=30000`);
    assert.ok(events.some((e) => e.from === p.bob.jid), JSON.stringify(events));
    for (const count of [1, 2]) {
        await p.call('POST', '/faults', { kind: 'corrupt_enc', device: p.client, match: { tag: 'message' }, count });
        const damaged = await p.bob.sendText(jid, `damaged ${count}`);
        const { data } = await p.hook.wait('message_received', (d) => d.message.key.id === damaged);
        assert.equal(data.text, `damaged ${count}`);
        assert.equal(p.hook.ofMessage(damaged).length, 1);
        await p.call('DELETE', '/faults');
    }
    await p.everywhere(await say('all is well'), third);
});

test('timers of chats are kept', { skip }, async () => {
    // a group that nothing is known of yet is asked about before anything is built for it
    for (const untold of [false, true]) {
        const { jid } = await p.groupOf('pn', { ephemeral: 86400, untold });
        const id = (await post('send/text', { to: jid, message: 'gone tomorrow' })).json.results[0].messageId;
        assert.equal((await p.bob.waitMessage((m) => m.key.id === id)).message.extendedTextMessage.contextInfo.expiration, 86400);
    }
    const timer = (seconds, word) => p.call('POST', `/accounts/${p.them.phone}/send`, { to: p.us.phone, id: word, message: { protocolMessage: { type: 'EPHEMERAL_SETTING', ephemeralExpiration: seconds } } });
    await timer(604800, 'TIMERON');
    await p.hook.wait('message_received', (d) => d.message.key.id === 'TIMERON');
    const week = await send('location', { location: [1, 2] }, 'Location message', 'location success');
    assert.equal(week.content.locationMessage.contextInfo.expiration, 604800);
    await p.restartDaemon('SIGTERM');
    await p.send(p.them.phone, 'gone in a week');
    assert.equal((await p.bob.waitMessage('gone in a week')).message.extendedTextMessage.contextInfo.expiration, 604800);
    await timer(0, 'TIMEROFF');
    await p.hook.wait('message_received', (d) => d.message.key.id === 'TIMEROFF');
    await p.send(p.them.phone, 'here to stay');
    assert.equal((await p.bob.waitMessage('here to stay')).message.conversation, 'here to stay');
});

test('link previews: the page is asked, its title shown; what cannot be had is left out', { skip }, async () => {
    const pages = createServer((request, response) => {
        response.setHeader('content-type', request.url === '/text' ? 'text/plain' : 'text/html; charset=utf-8');
        response.end('<html><head><title>Tea &amp; cake</title><meta property="og:description" content="all about it"></head>');
    }).listen(0, '127.0.0.1');
    await once(pages, 'listening');
    const link = `http://127.0.0.1:${pages.address().port}/page`;
    await p.send(p.them.phone, `look: ${link}!`);
    const { matchedText, title, description } = (await p.bob.waitMessage(`look: ${link}!`)).message.extendedTextMessage;
    assert.deepEqual([matchedText, title, description], [link, 'Tea & cake', 'all about it']);
    for (const [text, more] of [[`no preview of ${link}`, { linkPreview: false }], [`no page ${link.replace('/page', '/text')}`], ['nobody there http://127.0.0.1:1/']]) {
        assert.equal((await post('send/text', { message: text, ...more })).status, 200);
        assert.equal((await p.bob.waitMessage(text)).message.conversation, text);
    }
    pages.close();
});
