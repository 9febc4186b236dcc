// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, what a webhook receiver answers is not done in WhatsApp: not seen by a real client, done twice, lost, or out of order.
import { test, before, after, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { downloadContentFromMessage, normalizeMessageContent } from 'baileys';
import { Gateway, Receiver, until } from '../e2e/lib/gateway.js';
import { BaileysPeer, endProcessSoon, textOf } from './baileys-peer.js';

// Baileys downloads with fetch(), which takes no certificates of ours.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
process.removeAllListeners('warning');

const SECRET = 'secret of the actions tests';
const US = '15558000001', THEM = '15558000002';
const PN = `${THEM}@s.whatsapp.net`;
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
const SEED = new URL('../fuzz/seeds/', import.meta.url);
const files = {
    '/a.png': ['image/png', PNG], '/film.mp4': ['video/mp4', readFileSync(new URL('av/film.mp4', SEED))],
    '/voice.ogg': ['audio/ogg', readFileSync(new URL('av/voice.ogg', SEED))], '/still.webp': ['image/webp', readFileSync(new URL('webp/still.webp', SEED))],
    '/turned.jpg': ['image/jpeg', readFileSync(new URL('image/turned.jpg', SEED))],
    '/paper.pdf': ['application/pdf', Buffer.concat([Buffer.from('%PDF-1.7\n'), crypto.randomBytes(2000)])]
};

let gateway, hook, bob, mate, web, at, them;
const seen = [];
const answers = new Map();
let count = 0;

function watch(peer, who) {
    for (const name of ['presence.update', 'messages.update', 'messages.delete', 'messages.reaction']) {
        peer.socket.ev.on(name, data => {
            for (const entry of [data].flat()) seen.push({ who, name, entry });
            peer.changed.emit('change');
        });
    }
}

const sees = (peer, who, mark, name, fits) => peer.waitFor(() => seen.slice(mark).find(e => e.who === who && e.name === name && fits(e.entry))?.entry, name);

async function runs(p = {}) {
    const answer = await gateway.call('session.actions', { session: 'main', family: 'session', p });
    assert.equal(answer.status, 200, JSON.stringify(answer));
    return answer.result.items;
}

// Bob says something; our receiver answers it with these actions. Resolves with the run when it is over.
async function begin(actions, more = {}) {
    const text = `please ${++count}`;
    answers.set(text, typeof actions === 'function' ? actions : () => ({ actions, ...more }));
    const id = await bob.sendText(`${US}@s.whatsapp.net`, text);
    await hook.until(events => events.some(e => e.data.message?.key.id === id));
    const event = hook.events.find(e => e.data.message?.key.id === id);
    return { id, event, key: event.data.message.key };
}

const finished = event => until(async () => (await runs()).find(r => r.eventId === event.id && r.state !== 'pending'));

async function perform(actions, more) {
    const { event, ...rest } = await begin(actions, more);
    return { ...rest, event, run: await finished(event) };
}

async function good(actions, more) {
    const done = await perform(actions, more);
    assert.equal(done.run.state, 'done', JSON.stringify(done.run));
    return done;
}

const content = async (run, path) => {
    const { messageId } = run.outcomes.find(o => o.path === path);
    const message = await bob.waitMessage(m => m.key.id === messageId);
    assert.equal(bob.messages.filter(m => m.key.id === messageId).length, 1);
    return normalizeMessageContent(message.message);
};

// What was done to a message, as Bob's client decrypted it: 0 revoked, 14 edited.
const protocol = (id, type, fits = () => true) => bob.waitMessage(m => {
    const told = normalizeMessageContent(m.message)?.protocolMessage;
    return told?.key?.id === id && told.type === type && fits(told);
});

async function bytes(node, type) {
    const parts = [];
    for await (const part of await downloadContentFromMessage(node, type)) parts.push(part);
    return Buffer.concat(parts);
}

before(async () => {
    web = http.createServer((request, response) => {
        const file = files[request.url];
        if (file) response.writeHead(200, { 'content-type': file[0] }).end(file[1]);
        else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(web, 'listening');
    at = `http://127.0.0.1:${web.address().port}`;
    hook = new Receiver(SECRET);
    hook.behave = event => answers.get(event.data.text)?.(event) ?? 200;
    gateway = await Gateway.start({ wasim: { tls: true }, WEBHOOK_DEFAULT_URL: await hook.listen(), WEBHOOK_DEFAULT_SECRET: SECRET,
        WAREST_WEBHOOK_ACTIONS_DELAY_MS: '20', WAREST_WEBHOOK_EVENTS: 'actions_done' });
    await gateway.account(US, 'Ann', { share_keys: true });
    them = await gateway.account(THEM, 'Bob');
    await gateway.link('main', US);
    bob = new BaileysPeer(gateway.wasim);
    await bob.pair(THEM);
    bob.creds.me.name = 'Bob';
    mate = new BaileysPeer(gateway.wasim);
    await mate.pair(US);
    watch(bob, 'bob');
    watch(mate, 'mate');
    await mate.waitFor(() => mate.creds.myAppStateKeyId, 'the phone\'s key');
});

after(async () => {
    bob?.stop();
    mate?.stop();
    const end = await gateway?.stop();
    hook?.close();
    web?.closeAllConnections();
    web?.close();
    endProcessSoon();
    assert.equal(end?.code, 0, gateway?.log.slice(-4000));
});

afterEach(async () => {
    assert.deepEqual((await gateway.violations()).map(v => `${v.rule}: ${v.text}`), []);
    assert.equal(hook.bad, 0);
});

test('texts, templates, every form of an address, in order, and the event at the end', async () => {
    const { run, event } = await good([
        { type: 'text', to: '{{sender.chatId}}', text: 'you said "{{text}}" as {{message.pushName}} {{ session.label }} {{event}} {{nothing}}' },
        { act: 'TEXT', to: PN, text: 'key {{message.key}}' },
        { action: 'text', to: them.lid_jid, text: 'to the lid' },
        { type: 'text', to: `+${THEM}`, text: `hello @${THEM}`, mentions: [THEM] },
        { type: 'noop', to: PN }, { type: 'noop' }
    ]);
    assert.deepEqual(run.outcomes.map(o => [o.path, o.type, o.ok]), [['0', 'text', true], ['1', 'text', true], ['2', 'text', true], ['3', 'text', true], ['4', 'noop', true], ['5', 'noop', true]]);
    assert.deepEqual([run.event, run.error, run.sequence > 0, run.outcomes[0].status, run.outcomes[0].code], ['message_received', null, true, 200, 1000]);
    const texts = [];
    for (const o of run.outcomes.slice(0, 4)) texts.push(textOf(await bob.waitMessage(m => m.key.id === o.messageId)));
    assert.equal(texts[0], `you said "${event.data.text}" as Bob main message_received `);
    assert.deepEqual(JSON.parse(texts[1].slice(4)), event.data.message.key);
    assert.deepEqual(texts.slice(2), ['to the lid', `hello @${THEM}`]);
    const arrived = run.outcomes.slice(0, 4).map(o => bob.messages.findIndex(m => m.key.id === o.messageId));
    assert.deepEqual(arrived, [...arrived].sort((a, b) => a - b));
    assert.deepEqual((await content(run, '3')).extendedTextMessage.contextInfo.mentionedJid, [PN]);
    await hook.until(events => events.some(e => e.event === 'actions_done' && e.data.run.eventId === event.id));
    const told = hook.events.find(e => e.event === 'actions_done' && e.data.run.eventId === event.id).data;
    assert.deepEqual([told.id, told.sessionId, told.run.state, told.run.outcomes], ['main', 'main', 'done', run.outcomes]);
});

test('media by address, stickers and documents', async () => {
    const { run } = await good([
        { type: 'media', mediaType: 'Image', to: PN, url: `${at}/a.png`, caption: 'pic' },
        { type: 'media', mediaType: 'video', to: PN, url: `${at}/film.mp4`, caption: 'clip', transcode: { format: 'mp4', preset: '/tmp/x', extraArgs: ['-i', '/etc/passwd'], audioBitrate: '64k', videoBitrate: '100k' } },
        { type: 'media', mediaType: 'gif', to: PN, url: `${at}/film.mp4` },
        { type: 'media', mediaType: 'audio', to: PN, url: `${at}/voice.ogg` },
        { type: 'document', to: PN, url: `${at}/paper.pdf`, filename: 'paper.pdf', caption: 'read' },
        { type: 'sticker', to: PN, webpUrl: `${at}/still.webp` }, { type: 'sticker', to: PN, imageUrl: `${at}/a.png` },
        { type: 'media', mediaType: 'image', to: PN, url: `${at}/turned.jpg`, transform: { sharp: { resize: { width: 15, height: 10, fit: 'cover' }, png: { quality: 100 } } } },
        { type: 'media', mediaType: 'audio', to: PN, url: `${at}/voice.ogg`, transcode: { format: 'mp3', audioBitrate: 64 } },
        { type: 'media', mediaType: 'audio', to: PN, url: `${at}/voice.ogg`, transcode: { format: 'mp4' } }, { type: 'media', mediaType: 'audio', to: PN, url: `${at}/voice.ogg`, transcode: {} },
        { type: 'media', mediaType: 'audio', to: PN, url: `${at}/voice.ogg`, transcode: { format: 'ogg' } }
    ]);
    const image = (await content(run, '0')).imageMessage;
    assert.equal(image.caption, 'pic');
    assert.deepEqual(await bytes(image, 'image'), PNG);
    const film = (await content(run, '1')).videoMessage, made = await bytes(film, 'video');
    assert.equal(film.caption, 'clip');
    assert.equal(made.toString('latin1', 4, 8), 'ftyp');
    assert.notDeepEqual(made, files['/film.mp4'][1]);
    assert.equal((await content(run, '2')).videoMessage.gifPlayback, true);
    const paper = (await content(run, '4')).documentMessage ?? (await content(run, '4')).documentWithCaptionMessage.message.documentMessage;
    assert.deepEqual([paper.fileName, paper.caption], ['paper.pdf', 'read']);
    assert.deepEqual(await bytes(paper, 'document'), files['/paper.pdf'][1]);
    for (const path of ['5', '6']) assert.equal((await content(run, path)).stickerMessage.mimetype, 'image/webp');
    const cut = (await content(run, '7')).imageMessage, pixels = await bytes(cut, 'image');
    assert.deepEqual([cut.mimetype, cut.width, cut.height, pixels.toString('latin1', 1, 4), pixels.readUInt32BE(16), pixels.readUInt32BE(20)], ['image/png', 15, 10, 'PNG', 15, 10]);
    // Audio of actions is a voice note in every format.
    for (const [path, type, head] of [['3', 'audio/ogg; codecs=opus', /^OggS/], ['8', 'audio/mpeg', /^(ID3|\xff[\xe0-\xff])/], ['9', 'audio/mp4', /^....ftyp/s], ['10', 'audio/mpeg', /^(ID3|\xff[\xe0-\xff])/], ['11', 'audio/ogg; codecs=opus', /^OggS/]]) {
        const note = (await content(run, path)).audioMessage;
        assert.deepEqual([path, note.mimetype, note.ptt], [path, type, true]);
        assert.match((await bytes(note, 'audio')).toString('latin1', 0, 8), head);
    }
});

test('places, contacts, polls, buttons and lists', async () => {
    const { run } = await good([
        { type: 'location', to: PN, lat: -6.2, lng: '106.8', name: 'Office', address: 'Jakarta' },
        { type: 'vcard', to: PN, contact: { fullName: 'Ann Lee', org: 'ACME', phone: '+62 812-345', email: 'a@b.c' } },
        { type: 'poll', to: PN, message: { poll: { name: 'Tea?', values: ['yes', 'no'], selectableCount: 1 } } },
        { type: 'button', to: PN, text: 'Sure?', footer: 'ACME', image: `data:image/png;base64,${PNG.toString('base64')}`,
          buttons: [{ displayText: 'Yes', id: 'y' }, { Btype: 'url', displayText: 'Site', url: 'https://x.example' }, { type: 'copy', displayText: 'Code', copyCode: 'A1' }, { type: 'call', displayText: 'Call', phoneNumber: '+1' }] },
        { type: 'list', to: PN, text: 'Menu', buttonText: 'Choose', sections: [{ title: 'Hot', rows: [{ id: 't', title: 'Tea' }, 'Coffee'] }] }
    ]);
    const place = (await content(run, '0')).locationMessage;
    assert.deepEqual([place.degreesLatitude, place.degreesLongitude, place.name, place.address], [-6.2, 106.8, 'Office', 'Jakarta']);
    const card = (await content(run, '1')).contactMessage;
    assert.equal(card.displayName, 'Ann Lee');
    assert.match(card.vcard, /^BEGIN:VCARD\nVERSION:3.0\n[^]*FN:Ann Lee\nORG:ACME\nTEL;type=CELL;type=VOICE;waid=62812345:62812345\nEMAIL:a@b.c\nEND:VCARD$/);
    assert.deepEqual((await content(run, '2')).pollCreationMessageV3.options.map(o => o.optionName), ['yes', 'no']);
    const [buttons] = (await content(run, '3')).interactiveMessage.carouselMessage.cards;
    assert.deepEqual(await bytes(buttons.header.imageMessage, 'image'), PNG);
    assert.deepEqual([buttons.body.text, buttons.footer.text, ...buttons.nativeFlowMessage.buttons.map(b => b.name)], ['Sure?', 'ACME', 'quick_reply', 'cta_url', 'cta_copy', 'cta_call']);
    const [list] = (await content(run, '4')).interactiveMessage.carouselMessage.cards;
    assert.deepEqual(JSON.parse(list.nativeFlowMessage.buttons[0].buttonParamsJson).sections[0].rows.map(r => r.title), ['Tea', 'Coffee']);
    assert.equal(JSON.parse(list.nativeFlowMessage.buttons[0].buttonParamsJson).title, 'Choose');
});

test('contents as Baileys writes them', async () => {
    const { run, id } = await good(event => ({ actions: [
        { type: 'raw', to: PN, message: { text: 'quoting', contextInfo: { stanzaId: event.data.message.key.id, participant: PN } } },
        { type: 'raw', to: PN, message: { image: { url: `${at}/a.png` }, caption: 'once', viewOnce: true } },
        { type: 'raw', to: PN, message: { conversation: 'as it came' } },
        { type: 'forward', to: PN, message: { extendedTextMessage: { text: 'with a quote', contextInfo: { stanzaId: event.data.message.key.id, participant: PN, isForwarded: true } } } },
        { type: 'raw', to: PN, message: { video: { url: `${at}/film.mp4` }, caption: 'film', gifPlayback: true } }, { type: 'raw', to: PN, message: { audio: { url: `${at}/voice.ogg` }, ptt: true } },
        { type: 'raw', to: PN, message: { audio: { url: `${at}/voice.ogg` }, mimetype: 'audio/ogg' } }, { type: 'raw', to: PN, message: { document: { url: `${at}/paper.pdf` }, mimetype: 'application/pdf', fileName: 'raw.pdf' } },
        { type: 'raw', to: PN, message: { sticker: { url: `${at}/still.webp` } } }, { type: 'raw', to: PN, message: { poll: { name: 'Raw?', values: ['a', 'b'], selectableCount: 2 } } },
        { type: 'raw', to: PN, message: { pin: event.data.message.key, type: 1, time: 604800 } }, { type: 'raw', to: PN, message: { pin: event.data.message.key, type: 2, time: 86400 } },
        { type: 'raw', to: PN, message: { contacts: { displayName: 'Zed', contacts: [{ vcard: 'BEGIN:VCARD\nVERSION:3.0\nFN:Zed\nEND:VCARD' }] } } },
        { type: 'raw', to: PN, message: { location: { degreesLatitude: 1, degreesLongitude: 2 } } },
        { type: 'raw', to: PN, message: { react: { text: '👀', key: event.data.message.key } } },
        { type: 'forward', to: PN, message: { forward: { key: event.data.message.key, message: event.data.message.message } } }
    ] }));
    assert.equal((await content(run, '0')).extendedTextMessage.contextInfo.stanzaId, id);
    assert.equal((await content(run, '1')).imageMessage.caption, 'once');
    const plain = await content(run, '2');
    assert.equal(plain.conversation ?? plain.extendedTextMessage.text, 'as it came');
    const extended = (await content(run, '3')).extendedTextMessage;
    assert.deepEqual([extended.text, extended.contextInfo.stanzaId, extended.contextInfo.isForwarded], ['with a quote', id, true]);
    const film = (await content(run, '4')).videoMessage;
    assert.deepEqual([film.caption, film.gifPlayback], ['film', true]);
    assert.deepEqual([(await content(run, '5')).audioMessage.ptt, (await content(run, '6')).audioMessage.ptt ?? false], [true, false]);
    const paper = await content(run, '7');
    assert.deepEqual([paper.documentMessage.fileName, await bytes(paper.documentMessage, 'document')], ['raw.pdf', files['/paper.pdf'][1]]);
    assert.equal((await content(run, '8')).stickerMessage.mimetype, 'image/webp');
    const poll = await content(run, '9'), made = poll.pollCreationMessage ?? poll.pollCreationMessageV3;
    assert.deepEqual([made.name, made.selectableOptionsCount, made.options.map(o => o.optionName)], ['Raw?', 2, ['a', 'b']]);
    const pinned = type => bob.waitMessage(m => m.message?.pinInChatMessage?.key?.id === id && m.message.pinInChatMessage.type === type);
    assert.equal((await pinned(1)).message.messageContextInfo.messageAddOnDurationInSecs, 604800);
    await pinned(2);
    assert.deepEqual([(await content(run, '12')).contactMessage.displayName, (await content(run, '13')).locationMessage.degreesLatitude], ['Zed', 1]);
    await sees(bob, 'bob', 0, 'messages.reaction', e => e.key.id === id && e.reaction.text === '👀');
    assert.match(textOf(await bob.waitMessage(m => m.key.id === run.outcomes[15].messageId)), /^please/);
    assert.equal((await perform([{ type: 'raw', to: PN, message: { groupInvite: {} } }])).run.outcomes[0].message, 'unsupported content');
});

test('what is done to messages: react, star, read, edit, revoke, delete', async () => {
    const mark = seen.length;
    const { id, key, run } = await good(event => ({ actions: [
        { act: 'read', key: event.data.message.key }, { action: 'React', key: '{{message.key}}', emoji: '👍' }, { type: 'star', key: event.data.message.key },
        { type: 'text', to: PN, text: 'to be edited' }, { type: 'text', to: PN, text: 'to be revoked' }, { type: 'text', to: PN, text: 'to be deleted' }
    ] }));
    assert.ok(key.id);
    await bob.waitReceipt(id, 4);
    await sees(bob, 'bob', mark, 'messages.reaction', e => e.key.id === id && e.reaction.text === '👍');
    await sees(mate, 'mate', mark, 'messages.update', e => e.key.id === id && e.update.starred === true);
    const [edited, revoked, deleted] = run.outcomes.slice(3).map(o => ({ id: o.messageId, remoteJid: PN, fromMe: true }));
    const next = seen.length;
    await good([
        { act: 'react', key, text: '' }, { type: 'unstar', key }, { act: 'edit', key: edited, message: 'edited' }, { act: 'revoke', key: revoked },
        { act: 'delete', key: deleted, deleteMedia: true }
    ]);
    await sees(bob, 'bob', next, 'messages.reaction', e => e.key.id === id && !e.reaction.text);
    await sees(mate, 'mate', next, 'messages.update', e => e.key.id === id && e.update.starred === false);
    await protocol(edited.id, 14, m => m.editedMessage.conversation === 'edited' || m.editedMessage.extendedTextMessage?.text === 'edited');
    await protocol(revoked.id, 0);
    await sees(mate, 'mate', next, 'messages.delete', e => e.keys?.[0].id === deleted.id);
    const raw = await good([{ type: 'text', to: PN, text: 'raw edit' }, { type: 'text', to: PN, text: 'raw delete' }]);
    const [one, two] = raw.run.outcomes.map(o => ({ id: o.messageId, remoteJid: PN, fromMe: true }));
    await good([{ type: 'raw', to: PN, message: { edit: one, text: 'raw edited' } }, { type: 'raw', to: PN, message: { delete: two } }]);
    await protocol(one.id, 14, m => m.editedMessage.conversation === 'raw edited' || m.editedMessage.extendedTextMessage?.text === 'raw edited');
    await protocol(two.id, 0);
});

test('typing, presence and delays', async () => {
    await bob.socket.sendPresenceUpdate('available');
    await bob.socket.presenceSubscribe(`${US}@s.whatsapp.net`);
    const mark = seen.length;
    const shows = e => Object.values(e.presences)[0].lastKnownPresence;
    await good([{ act: 'typing', to: PN, ms: 30 }, { act: 'delay', state: 'recording', to: PN, seconds: 0.03 }, { act: 'presence', state: 'unavailable' }, { type: 'delay', ms: 1 }]);
    for (const word of ['composing', 'available', 'recording', 'unavailable']) await sees(bob, 'bob', mark, 'presence.update', e => shows(e) === word);
    const order = seen.slice(mark).filter(e => e.who === 'bob' && e.name === 'presence.update').map(e => shows(e.entry));
    assert.ok(order.indexOf('composing') < order.indexOf('recording'), order.join());
});

test('queue, parallel, when and retry', async () => {
    const say = (text, more = {}) => ({ type: 'text', to: PN, text, ...more });
    const bad = { type: 'text', to: PN };
    const { run } = await perform([
        { act: 'queue', items: [say('q1'), bad, say('never')], delayMs: 5 },
        { act: 'parallel', items: [say('p1'), bad, say('p2')] },
        { act: 'when', cond: '{{text}}', then: [say('w1')], else: [say('never')] }, { act: 'when', condition: '{{nothing}}', do: [say('never')], otherwise: say('w2') },
        { act: 'retry', times: 2, item: bad, backoffMs: 1, onFail: [say('r1')] }, { act: 'retry', item: say('r2') },
        { act: 'what' }
    ]);
    assert.equal(run.state, 'failed');
    assert.deepEqual(run.outcomes.map(o => `${o.path} ${o.ok}`).sort(), ['0.0 true', '0.1 false', '1.0 true', '1.1 false', '1.2 true', '2.0 true', '3.0 true',
        '4#1.0 false', '4#2.1.0 true', '4.0 false', '5.0 true', '6 false']);
    assert.deepEqual(run.outcomes.filter(o => !o.ok).map(o => o.message).sort(), ['"text" is missing', '"text" is missing', '"text" is missing', '"text" is missing', 'unknown action type']);
    for (const text of ['q1', 'p1', 'p2', 'w1', 'w2', 'r1', 'r2']) await bob.waitMessage(text);
    assert.equal(bob.messages.some(m => textOf(m) === 'never'), false);
});

test('what is too much or too dangerous is refused and told', async () => {
    const noop = { type: 'noop' };
    const many = await perform(Array.from({ length: 101 }, () => noop));
    assert.deepEqual([many.run.state, many.run.error, many.run.outcomes], ['refused', 'more than 100 actions in one answer', []]);
    let deep = [noop];
    for (let i = 0; i < 8; i++) deep = [{ act: 'queue', items: deep }];
    assert.deepEqual((await perform(deep)).run.error, 'actions are nested more than 8 deep');
    const { run } = await perform([
        { type: 'document', to: PN, url: '/etc/passwd' }, { type: 'raw', to: PN, message: { image: { url: 'file:///etc/passwd' } } },
        { type: 'media', mediaType: 'image', to: PN, url: 'http://169.254.169.254/latest' }, { type: 'text', to: 'x@evil.example', text: 'a' },
        { type: 'media', mediaType: 'image', to: PN, url: `${at}/missing` }, { type: 'text', text: 'nobody' },
        { type: 'media', mediaType: 'video', to: PN, url: `${at}/film.mp4`, transcode: { format: '../x' } }
    ]);
    assert.deepEqual(run.outcomes.map(o => [o.ok, o.message]), [[false, 'files are fetched from http and https addresses only'], [false, 'files are fetched from http and https addresses only'],
        [false, 'Invalid media input'], [false, '"to" is no address'], [false, 'Invalid media input'], [false, '"to" is missing'],
        [false, 'transcode.format of a film is mp4']]);
    assert.equal((await runs({ limit: 1, state: 'refused' })).length, 1);
});

test('a large answer is read aside, in its turn, and the limits hold for it', async () => {
    const pad = 'x'.repeat(300000);
    const large = await begin([{ type: 'text', to: '{{sender.chatId}}', text: 'large {{text}}' }, { type: 'text', to: PN, text: 'large 2' }], { pad });
    const small = await begin([{ type: 'text', to: PN, text: 'small after it' }]);
    const runs2 = [await finished(large.event), await finished(small.event)];
    assert.deepEqual(runs2.map(r => [r.state, r.outcomes.length]), [['done', 2], ['done', 1]]);
    const sent = [...runs2[0].outcomes, ...runs2[1].outcomes].map(o => o.messageId);
    for (const id of sent) await bob.waitMessage(m => m.key.id === id);
    const order = sent.map(id => bob.messages.findIndex(m => m.key.id === id));
    assert.deepEqual(order, [...order].sort((a, b) => a - b));
    assert.equal(textOf(bob.messages[order[0]]), `large ${large.event.data.text}`);
    const complex = await perform([{ type: 'text', to: PN, text: 'never' }], { pad: Array(30000).fill(1) });
    assert.deepEqual([complex.run.state, complex.run.error, complex.run.outcomes], ['refused', 'the answer holds more than 20,000 values', []]);
    const none = await begin([], { pad });
    await good([{ type: 'text', to: PN, text: 'and on it goes' }]);
    assert.equal((await runs()).filter(r => r.eventId === none.event.id).length, 0);
    // One that is cut off by the daemon's end is done after it.
    const cut = await begin([{ type: 'text', to: PN, text: 'large, over a kill' }], { pad });
    await gateway.restart();
    assert.equal((await finished(cut.event)).state, 'done');
    await bob.waitMessage('large, over a kill');
    await gateway.open('main');
    assert.equal(bob.messages.filter(m => textOf(m) === 'large, over a kill').length, 1);
});

// Two messages of ours at Bob, which may be edited and revoked.
async function target(text) {
    const { run } = await good([{ type: 'text', to: PN, text: `${text} 1` }, { type: 'text', to: PN, text: `${text} 2` }]);
    return { out: run.outcomes.map(o => ({ id: o.messageId, remoteJid: PN, fromMe: true })) };
}

// How often Bob got the reaction, the edit and the revocation.
const changes = (mark, key, [edited, revoked]) => {
    const told = (id, type) => bob.messages.filter(m => { const p = normalizeMessageContent(m.message)?.protocolMessage; return p?.key?.id === id && p.type === type; }).length;
    return [seen.slice(mark).filter(e => e.who === 'bob' && e.name === 'messages.reaction' && e.entry.key.id === key.id).length, told(edited.id, 14), told(revoked.id, 0)];
};

test('an event that is delivered again is not done again', async () => {
    const { out } = await target('to change'), mark = seen.length;
    const { run, event, key } = await good(e => ({ actions: [{ type: 'text', to: PN, text: 'only once' }, { act: 'react', key: e.data.message.key, text: '1' }, { act: 'edit', key: out[0], text: 'changed' }, { act: 'revoke', key: out[1] }] }));
    const times = hook.events.length;
    const replayed = await gateway.call('ctl.webhook.replay', { p: { id: 'main', from: event.sequence ?? run.sequence, to: run.sequence } });
    assert.equal(replayed.status, 200, JSON.stringify(replayed));
    await hook.until(events => events.slice(times).some(e => e.id === event.id));
    await good([{ type: 'text', to: PN, text: 'after it' }]);
    await bob.waitMessage('after it');
    assert.equal(bob.messages.filter(m => textOf(m) === 'only once').length, 1);
    assert.deepEqual(changes(mark, key, out), [1, 1, 1]);
    assert.equal((await runs()).filter(r => r.eventId === event.id).length, 1);
});

test('a daemon that is killed in the middle goes on, and sends nothing twice', async () => {
    const { event } = await begin([{ type: 'text', to: PN, text: 'before the end' }, { act: 'delay', ms: 1500 }, { type: 'text', to: PN, text: 'after the end' }]);
    await bob.waitMessage('before the end');
    await gateway.restart();
    // Answered, and perhaps not stored: then it is delivered again.
    const run = await finished(event);
    assert.deepEqual([run.state, run.outcomes.map(o => o.path)], ['done', ['0', '1', '2']]);
    await bob.waitMessage('after the end');
    const sent = await begin([{ type: 'text', to: PN, text: 'at once' }]);
    await gateway.restart();
    assert.equal((await finished(sent.event)).state, 'done');
    await bob.waitMessage('at once');
    // Killed when Bob has them, before or after their outcomes are stored.
    await gateway.open('main');
    const { out } = await target('to be killed'), mark = seen.length;
    const changed = await begin(e => ({ actions: [{ act: 'parallel', items: [{ act: 'react', key: e.data.message.key, text: '2' }, { act: 'edit', key: out[0], text: 'edited' }, { act: 'revoke', key: out[1] }] }] }));
    await protocol(out[1].id, 0);
    await gateway.restart();
    assert.equal((await finished(changed.event)).state, 'done');
    await protocol(out[0].id, 14);
    await sees(bob, 'bob', mark, 'messages.reaction', e => e.key.id === changed.key.id);
    assert.deepEqual(changes(mark, changed.key, out), [1, 1, 1]);
    await gateway.open('main');
    await good([{ type: 'text', to: PN, text: 'the last' }]);
    await bob.waitMessage('the last');
    for (const text of ['before the end', 'after the end', 'at once']) assert.equal(bob.messages.filter(m => textOf(m) === text).length, 1, text);
});

// What a poll and a file look like to the receiver.
async function told() {
    const event = async content => {
        const id = await bob.send(`${US}@s.whatsapp.net`, content);
        await hook.until(events => events.some(e => e.data.message?.key?.id === id));
        return hook.events.find(e => e.data.message?.key?.id === id).data;
    };
    const poll = await event({ poll: { name: 'Lunch?', values: ['yes', 'no'] } }), file = await event({ document: files['/paper.pdf'][1], mimetype: 'application/pdf', fileName: 'a.pdf' });
    return [poll.text ?? '', file.media.fileLength];
}

test('a changed device record is told, without what is in it, and not for each change of a login', async () => {
    const records = () => hook.events.filter(e => e.event === 'creds_update');
    await hook.until(() => records().length > 0);
    for (const event of records()) assert.deepEqual(event.data, { id: 'main', sessionId: 'main' });
    const times = records().map(e => e.ts);
    assert.ok(times.length < 20, times.join());
});

test('who answers without encryption is not listened to when that is asked for; events are as the original\'s when that is', async () => {
    const length = files['/paper.pdf'][1].length;
    assert.deepEqual(await told(), ['Lunch?', length]);
    await gateway.kill('SIGTERM');
    await gateway.startDaemon({ WAREST_WEBHOOK_ACTIONS_HTTPS_ONLY: 'true', WAREST_COMPAT_LONG_OBJECTS: 'true', WAREST_COMPAT_LEGACY_CONTENT: 'true' });
    await gateway.open('main');
    const { event } = await begin([{ type: 'text', to: PN, text: 'over http' }]);
    await until(() => gateway.log.includes('it did not come over https'));
    assert.equal((await runs()).filter(r => r.eventId === event.id).length, 0);
    assert.deepEqual(await told(), ['', { low: length, high: 0, unsigned: true }]);
});
