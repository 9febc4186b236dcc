// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a status does not reach those it is for (or reaches somebody twice after a crash), posts in channels are not what the
// server takes, albums and mentions do not show at real WhatsApp clients, or what is to be sent later cannot be taken back.
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { downloadMediaMessage, normalizeMessageContent } from 'baileys';
import { endProcessSoon, textOf } from './baileys-peer.js';
import { isInstalled } from '../e2e/lib/web.js';
import { Parties, until } from './gateway-parties.js';

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
process.removeAllListeners('warning');

const skip = !isInstalled('lighttpd') && 'lighttpd is not installed';
const STATUS = 'status@broadcast';
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
const MP4 = Buffer.concat([Buffer.from('\0\0\0\x20ftypisom', 'latin1'), Buffer.alloc(3000, 7)]);
const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw==', 'base64');
// A second of silence: 16 bit, mono, 8000 Hz.
const WAV = Buffer.concat([Buffer.from('RIFF\xa4>\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0\x80>\0\0\x02\0\x10\0data\x80>\0\0', 'latin1'), Buffer.alloc(16000)]);
const VIEWERS = ['15556100001', '15556100002', '15556100003', '15556100004'];
let p, pages, vera;

before(async () => {
    if (skip) return;
    pages = http.createServer((request, response) => {
        if (request.url === '/p.png') return response.writeHead(200, { 'content-type': 'image/png' }).end(PNG);
        return response.writeHead(200, { 'content-type': 'text/html' })
            .end(`<title>Shop</title><meta property="og:image" content="http://127.0.0.1:${pages.address().port}/p.png">`);
    });
    pages.listen(0, '127.0.0.1');
    await once(pages, 'listening');
    p = await Parties.start('lighttpd', { WAREST_STATUS_CHUNK_SIZE: '2', WAREST_OUTBOUND_ALLOW: 'loopback', WAREST_LINK_PREVIEW: 'true' }, { tls: true });
    for (const phone of VIEWERS) await p.account(phone, { name: `V${phone.slice(-1)}` });
    vera = await p.baileys(VIEWERS[3]);
});
afterEach(async () => {
    if (!p) return;
    await p.call('DELETE', '/faults');
    await p.clean();
});
after(async () => {
    pages?.close();
    await p?.stop();
    endProcessSoon();
});

const post = (path, body) => p.gateway.api('POST', `/messages/${path}`, { body: { sessionId: 'main', to: p.them.phone, ...body } });
const get = (path) => p.gateway.api('GET', `/messages/${path}${path.includes('?') ? '&' : '?'}sessionId=main`);
const raw = (route, bytes, type, more) => p.gateway.api('POST', `/messages/send/${route}?${new URLSearchParams({ sessionId: 'main', to: p.them.phone, ...more })}`,
    { body: bytes, headers: { 'content-type': type } });
const act = (id, what, to, body = {}) => p.gateway.api('POST', `/messages/${id}/action/${what}`, { body: { sessionId: 'main', to, ...body } });
const data = (bytes, type) => `data:${type};base64,${bytes.toString('base64')}`;
const first = (answer, status = 200) => {
    assert.equal(answer.status, status, answer.text);
    return answer.json.results[0];
};
const refused = (answer, status, code, message) => assert.deepEqual([answer.status, answer.json.code, answer.json.message], [status, code, message], answer.text);
const reached = (id, n) => until(async () => (await get(`${id}/broadcast`)).json.results?.[0]?.progress?.reached === n, `status ${id} to reach ${n}`);
const atBob = (id) => p.bob.waitMessage((m) => m.key.id === id);

/** A Baileys client that has to ask for what comes next. */
const forgetSenderKeys = (peer) => peer.socket.authState.keys.set({
    'sender-key': Object.fromEntries([...peer.keyData.keys()].filter((k) => k.startsWith('sender-key/')).map((k) => [k.slice('sender-key/'.length), null]))
});

/** Every viewer's phone has this text once. */
async function onceEach(text) {
    for (const phone of VIEWERS) {
        const { messages } = await p.call('GET', `/accounts/${phone}/inbox?text=${encodeURIComponent(text)}&wait=30000`);
        assert.equal(new Set(messages.map((m) => m.id)).size, 1, `${phone} has "${text}" once`);
    }
}

test('a status: text for many in chunks, with its progress; revoked for all of them', { skip }, async () => {
    const audience = [p.them.phone, ...VIEWERS];
    const entry = first(await post('send/text', { to: STATUS, message: 'to many', backgroundColor: '#112233', font: 2, audience }), 202);
    assert.deepEqual([entry.toJid, entry.status, entry.advancedInfo.audience, entry.advancedInfo.chunks], [STATUS, 'text queued', 5, 3]);
    await reached(entry.messageId, 5);
    const message = await atBob(entry.messageId);
    assert.equal(message.key.remoteJid, STATUS);
    const { extendedTextMessage } = message.message;
    assert.deepEqual([extendedTextMessage.text, extendedTextMessage.backgroundArgb >>> 0, extendedTextMessage.font], ['to many', 0xff112233, 2]);
    await onceEach('to many');
    const status = first(await get(`${entry.messageId}/status`));
    assert.deepEqual(status.progress, { audience: 5, reached: 5, chunks: 3, acked: 3, failed: 0 });
    const { parts } = first(await get(`${entry.messageId}/broadcast`));
    assert.deepEqual(parts.map((m) => m.audience), [2, 2, 1]);
    await vera.waitMessage((m) => m.key.id === entry.messageId);
    // By now everybody is known by LID, and has the key with the second one.
    const second = first(await post('send/text', { to: STATUS, message: 'by LID', audience }), 202);
    for (const viewer of [p.bob, vera]) {
        await viewer.waitMessage((m) => m.key.id === second.messageId);
        await forgetSenderKeys(viewer);
    }
    const again = first(await post('send/text', { to: STATUS, message: 'asked for', audience }), 202);
    for (const viewer of [p.bob, vera]) {
        await viewer.waitMessage((m) => m.key.id === again.messageId && textOf(m) === 'asked for');
        const { events } = await p.call('GET', `/events?type=retry_requested&id=${again.messageId}&wait=30000`);
        assert.ok(events.some((e) => e.from === viewer.jid), `${viewer.jid} asked: ${JSON.stringify(events)}`);
    }
    await reached(again.messageId, 5);
    await until(async () => ['delivered', 'read'].includes((await p.state(again.messageId)).state), 'receipts of all to be counted');
    assert.equal((await act(entry.messageId, 'revoke', STATUS)).status, 200);
    for (const viewer of [p.bob, vera])
        await viewer.waitMessage((m) => m.key.remoteJid === STATUS && m.message.protocolMessage?.type === 0 && m.message.protocolMessage.key.id === entry.messageId);
    refused(await post('send/text', { to: [STATUS, p.them.phone], message: 'x' }), 400, 2002, 'A status goes to nobody else in the same request');
    refused(await post('send/text', { to: STATUS, message: 'x', audience: ['120363000000000001@g.us'] }), 400, 2002, 'audience is a list of persons');
    const many = (n) => Array.from({ length: n }, (_, i) => `1555${String(1000000 + i)}`);
    assert.equal((await post('send/text', { to: STATUS, message: 'x', audience: [...many(10000), ...many(10000)], dry_run: true })).status, 200);
    refused(await post('send/text', { to: STATUS, message: 'x', audience: many(10001), dry_run: true }), 400, 2002, 'audience is a list of persons');
    refused(await post('send/text', { to: STATUS, message: 'x', audience, backgroundColor: 'red' }), 400, 2002, 'Colors are #RRGGBB or #AARRGGBB');
    refused(await get('UNKNOWN/broadcast'), 404, 2601, 'Message not found');
});

test('a status for those whom the account\'s own privacy names: a list, or contacts but some', { skip }, async () => {
    const set = (list) => p.call('PATCH', `/accounts/${p.us.phone}`, { status_list: list });
    await set({ type: 'whitelist', phones: [p.them.phone] });
    const listed = first(await post('send/text', { to: STATUS, message: 'for the list', wait: 'ack' }));
    assert.deepEqual([listed.advancedInfo.audience, listed.advancedInfo.chunks], [1, 1]);
    await atBob(listed.messageId);
    await set({ type: 'blacklist', phones: [VIEWERS[0]] });
    refused(await post('send/text', { to: STATUS, message: 'nobody' }), 400, 2002, 'Nobody would see this status: name an audience');
    await p.call('POST', `/accounts/${p.us.phone}/share-keys`, { device: Number(/:(\d+)@/.exec(p.client)[1]) });
    for (const phone of [p.them.phone, VIEWERS[0]])
        await p.call('POST', `/accounts/${p.us.phone}/app-state`, { index: ['contact', `${phone}@s.whatsapp.net`], value: { contactAction: { fullName: `C ${phone}`, firstName: 'C' } } });
    const known = await until(async () => {
        const answer = await post('send/text', { to: STATUS, message: 'for contacts', wait: 'ack' });
        return answer.status === 200 && answer.json.results[0];
    }, 'contacts');
    assert.equal(known.advancedInfo.audience, 1);
    await atBob(known.messageId);
    await set(null);
});

test('a picture, a video and a voice note as a status; reactions and replies to it and to Bob\'s', { skip }, async () => {
    const audience = p.them.phone;
    const picture = first(await raw('media', PNG, 'image/png', { to: STATUS, audience, caption: 'look' }), 202);
    assert.equal((await atBob(picture.messageId)).message.imageMessage.caption, 'look');
    const video = first(await raw('media', MP4, 'video/mp4', { to: STATUS, audience }), 202);
    assert.ok((await atBob(video.messageId)).message.videoMessage);
    const voice = first(await raw('audio', WAV, 'audio/wav', { to: STATUS, audience, isVN: '1', backgroundColor: '#00ff00' }), 202);
    assert.equal((await atBob(voice.messageId)).message.audioMessage.backgroundArgb >>> 0, 0xff00ff00);

    const key = { remoteJid: STATUS, id: picture.messageId, fromMe: false, participant: p.us.jid };
    await p.bob.send(STATUS, { react: { text: '💚', key } }, { statusJidList: [p.us.jid] });
    const reacted = await p.hook.wait('message_reaction', (d) => d.reaction.key.id === picture.messageId);
    assert.equal(reacted.data.reaction.text, '💚');
    const reply = await p.bob.send(p.us.jid, { text: 'nice' }, { quoted: { key, message: { imageMessage: { caption: 'look' } } } });
    const { data: replied } = await p.hook.wait('message_received', (d) => d.message.key.id === reply);
    const { contextInfo } = replied.message.message.extendedTextMessage;
    assert.deepEqual([contextInfo.stanzaId, contextInfo.remoteJid], [picture.messageId, STATUS]);

    const theirs = await p.bob.send(STATUS, { text: 'bob was here' }, { statusJidList: [p.us.jid] });
    const ours = await until(async () => {
        const answer = await act(theirs, 'reaction', STATUS, { emoji: '👏' });
        return answer.status === 200 && answer;
    }, 'Bob\'s status to be known');
    assert.equal(ours.status, 200);
    const got = await p.bob.waitMessage((m) => m.message.reactionMessage?.key?.id === theirs);
    assert.equal(got.message.reactionMessage.text, '👏');
    assert.equal((await act('UNKNOWN', 'reaction', STATUS, { emoji: '👏' })).status, 502);
});

test('kill -9 between the chunks of a status: the rest goes out, nobody gets it twice', { skip }, async () => {
    await p.call('POST', '/faults', { kind: 'close_before_ack', count: 2, match: { tag: 'message' } });
    const entry = first(await post('send/text', { to: STATUS, message: 'after the crash', audience: VIEWERS }), 202);
    await p.restartDaemon('SIGKILL');
    await reached(entry.messageId, 4);
    await onceEach('after the crash');
});

test('kill -9 before the answer about several files: the repetition tells of each of them', { skip }, async () => {
    const key = { 'idempotency-key': 'files-and-a-crash' };
    const body = { sessionId: 'main', to: p.them.phone, files: [data(PNG, 'image/png'), 'data:text/plain;base64,aGk='], caption: 'two' };
    const send = () => p.gateway.api('POST', '/messages/send/files', { body, headers: key });
    await p.call('POST', '/faults', { kind: 'no_ack', count: 2, match: { tag: 'message' } });
    const lost = send().catch(() => null);
    await p.bob.waitFor(() => p.bob.messages.filter((m) => normalizeMessageContent(m.message)?.documentMessage?.caption === 'two').length === 2, 'both files');
    await p.restartDaemon('SIGKILL');
    await lost;
    await p.call('DELETE', '/faults');
    const entry = first(await send());
    assert.deepEqual(entry.advancedInfo.files.map((f) => [f.mimetype, f.size, f.caption]), [['image/png', PNG.length, 'two'], ['text/plain', 2, 'two']]);
    for (const { messageId } of entry.advancedInfo.files) assert.equal(p.bob.messages.filter((m) => m.key.id === messageId).length, 1);
    assert.equal(p.bob.messages.filter((m) => normalizeMessageContent(m.message)?.documentMessage?.caption === 'two').length, 2);
});

test('channels: posts, files, edits, reactions, deletions', { skip }, async () => {
    const { jid: to } = await p.call('POST', '/newsletters', { owner: p.us.phone, followers: [p.them.phone], name: 'News' });
    const text = first(await post('send/text', { to, message: 'frst' }));
    await p.bob.waitMessage((m) => m.key.remoteJid === to && m.message.conversation === 'frst');
    const file = first(await raw('media', PNG, 'image/png', { to, caption: 'news' }));
    const picture = await p.bob.waitMessage((m) => m.key.remoteJid === to && m.message.imageMessage?.caption === 'news');
    assert.ok(!picture.message.imageMessage.mediaKey?.length);
    assert.equal(picture.message.imageMessage.fileSha256.length, 32);
    const document = first(await post('send/files', { to, files: [data(PNG, 'image/png')] }));
    assert.ok(document.advancedInfo.files[0].messageId);
    const event = async (type, id) => (await p.call('GET', `/events?type=${type}&id=${id}&wait=30000`)).events.at(-1);
    assert.equal((await act(text.messageId, 'edit', to, { message: 'first' })).status, 200);
    assert.equal((await event('newsletter_change', text.messageId)).edit, '3');
    assert.equal((await act(text.messageId, 'reaction', to, { emoji: '👍' })).status, 200);
    assert.equal((await event('newsletter_reaction', text.messageId)).code, '👍');
    assert.equal((await act(file.messageId, 'revoke', to)).status, 200);
    assert.equal((await event('newsletter_change', file.messageId)).edit, '8');
    assert.equal((await act('UNKNOWN', 'reaction', to, { emoji: '👍' })).status, 502);
});

test('albums, video notes, and small pictures of files and links', { skip }, async () => {
    const files = [{ data: data(PNG, 'image/png'), name: 'a.png' }, { data: 'data:image/png;base64,@@', name: 'broken.png' }, { data: data(MP4, 'video/mp4'), name: 'b.mp4' }];
    const entry = first(await post('send/files', { album: true, caption: 'both', files: files.map((f) => f.data) }));
    assert.equal(entry.advancedInfo.files.length, 2, 'the broken one is left out');
    const album = await atBob(entry.messageId);
    assert.deepEqual([album.message.albumMessage.expectedImageCount, album.message.albumMessage.expectedVideoCount], [1, 1]);
    for (const [i, { messageId }] of entry.advancedInfo.files.entries()) {
        const { message } = await atBob(messageId);
        const { associationType, parentMessageKey, messageIndex } = message.messageContextInfo.messageAssociation;
        assert.deepEqual([associationType, parentMessageKey.id, messageIndex, Object.keys(normalizeMessageContent(message))[0]],
            [1, entry.messageId, i, i ? 'videoMessage' : 'imageMessage']);
    }
    refused(await post('send/files', { album: true, files: ['data:text/plain;base64,aGk='] }), 415, 2007, 'An album takes images and videos');
    refused(await post('send/files', { album: true, to: STATUS, files: [data(PNG, 'image/png')] }), 501, 8005, 'Albums can be sent to persons and groups');
    const document = first(await post('send/files', { files: [data(PNG, 'image/png')] }));
    const { documentMessage } = normalizeMessageContent((await atBob(document.advancedInfo.files[0].messageId)).message);
    assert.ok(documentMessage.jpegThumbnail?.length, 'thumbnail of a file');
    const gif = first(await raw('gif', GIF, 'image/gif'));
    const video = await downloadMediaMessage(await atBob(gif.messageId), 'buffer', {});
    const note = first(await raw('media', video, 'video/mp4', { ptv: 'true' }));
    assert.ok((await atBob(note.messageId)).message.ptvMessage);
    refused(await raw('media', PNG, 'image/png', { ptv: 'true' }), 415, 2007, 'A video note is a video');
    const link = first(await post('send/text', { message: `see http://127.0.0.1:${pages.address().port}/shop` }));
    const preview = (await atBob(link.messageId)).message.extendedTextMessage;
    assert.deepEqual([preview.title, !!preview.jpegThumbnail?.length], ['Shop', true]);
});

test('mentions of everybody and of groups', { skip }, async () => {
    const made = await p.call('POST', '/groups', { creator: p.them.phone, members: [p.us.phone, VIEWERS[0]], subject: 'Team' });
    const entry = first(await post('send/text', { to: made.jid, message: '@all and us', mentionAll: true, groupMentions: [made.jid, { groupId: '120363999999999999@g.us', subject: 'Others' }] }));
    const { contextInfo } = (await atBob(entry.messageId)).message.extendedTextMessage;
    assert.equal(contextInfo.nonJidMentions, 1);
    assert.equal(contextInfo.mentionedJid.length, 2, 'all others, not ourselves');
    assert.deepEqual(contextInfo.groupMentions.map((g) => [g.groupJid, g.groupSubject]), [[made.jid, 'Team'], ['120363999999999999@g.us', 'Others']]);
    refused(await post('send/text', { to: made.jid, message: 'x', groupMentions: ['62812@s.whatsapp.net'] }), 400, 2002, 'groupMentions are groups, or objects with groupId and subject');
});

test('read receipts are told as the account\'s privacy says', { skip }, async () => {
    const readType = async (text) => {
        const id = await p.bob.sendText(p.us.jid, text);
        await p.hook.wait('message_received', (d) => d.message.key.id === id);
        assert.equal((await act(id, 'mark-as-read', p.them.phone)).status, 200);
        const { stanzas } = await p.call('GET', `/stanzas?tag=receipt&id=${id}&device=${encodeURIComponent(p.client)}&wait=30000`);
        return stanzas.map((s) => s.stanza.attrs.type).filter((type) => /^read/.test(type));
    };
    const privacy = async (readreceipts) => {
        const { last } = await p.call('GET', '/stanzas?tag=ack');
        await p.call('PATCH', `/accounts/${p.us.phone}`, { privacy: { readreceipts } });
        await p.call('GET', `/stanzas?tag=ack&class=notification&type=account_sync&device=${encodeURIComponent(p.client)}&after=${last}&wait=30000`);
    };
    await privacy('none');
    assert.deepEqual(await readType('in secret'), ['read-self']);
    await privacy('all');
    assert.deepEqual(await readType('openly'), ['read']);
});

test('what is to be sent later: listed, taken back once and for all', { skip }, async () => {
    const at = new Date(Date.now() + 3600e3).toISOString();
    const { messageId } = first(await post('send/text', { message: 'never', send_at: at }), 202);
    const broadcast = first(await post('send/text', { to: STATUS, audience: VIEWERS, message: 'never either', send_at: at }), 202);
    const listed = async () => first(await get('scheduled')).items.map((i) => i.messageId).sort();
    assert.deepEqual(await listed(), [messageId, broadcast.messageId].sort());
    const cancel = (id) => p.gateway.api('DELETE', `/messages/${id}/scheduled`, { body: { sessionId: 'main' } });
    for (let i = 0; i < 2; i++) {
        const answer = await cancel(messageId);
        assert.deepEqual(first(answer), { messageId, state: 'cancelled' });
    }
    assert.equal((await cancel(broadcast.messageId)).status, 200);
    assert.deepEqual(await listed(), []);
    assert.equal(first(await get(`${messageId}/status`)).state, 'cancelled');
    const sent = await p.send(p.them.phone, 'gone');
    refused(await cancel(sent), 409, 2009, 'The message is not waiting for its time: it was sent, is being sent, or has failed');
    refused(await cancel('UNKNOWN'), 404, 2601, 'Message not found');
    await p.restartDaemon('SIGKILL');
    assert.deepEqual(await listed(), []);
});

test('an edit changes what a later quote shows', { skip }, async () => {
    const id = await p.send(p.them.phone, 'befor');
    assert.equal((await act(id, 'edit', p.them.phone, { message: 'before' })).status, 200);
    const { messageId } = first(await post('send/text', { message: 'as said', replyMessageId: id }));
    const { quotedMessage } = (await atBob(messageId)).message.extendedTextMessage.contextInfo;
    assert.equal(quotedMessage.conversation ?? quotedMessage.extendedTextMessage.text, 'before');
});
