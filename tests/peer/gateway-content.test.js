// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, contacts, places, polls, events, buttons, lists, invitations or what can be done with messages do not reach real
// WhatsApp clients as the REST caller asked, or a bad request is answered otherwise than the contract says.
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { normalizeMessageContent } from 'baileys';
import { endProcessSoon } from './baileys-peer.js';
import { isInstalled } from '../e2e/lib/web.js';
import { Parties } from './gateway-parties.js';

const skip = !isInstalled('lighttpd') && 'lighttpd is not installed';
let p;

before(async () => { if (!skip) p = await Parties.start('lighttpd'); });
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
    await refused('send/list', { text: 'x' }, 400, 2000, 'list/sections cannot be empty');
    await refused('send/list', { sections: [{ title: 'a', rows: [] }] }, 400, 2000, 'at least one section with one row is required');
});

test('group invitations', { skip }, async () => {
    const { content } = await send('group-invite', { groupId: '120363000000000001@g.us', inviteCode: 'AbC', groupName: 'Us', caption: 'come' }, 'Group invite message', 'group invite success');
    assert.deepEqual([content.groupInviteMessage.groupJid, content.groupInviteMessage.inviteCode, content.groupInviteMessage.caption], ['120363000000000001@g.us', 'AbC', 'come']);
    await refused('send/group-invite', { groupId: '62812', inviteCode: 'x' }, 400, 2002, 'groupId is invalid');
});
