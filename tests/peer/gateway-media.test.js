// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, pictures, videos, voice notes, documents, stickers or GIFs do not reach real WhatsApp clients byte for byte as the REST
// caller sent them, or a bad file is answered otherwise than the contract says.
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { downloadContentFromMessage, downloadMediaMessage, normalizeMessageContent } from 'baileys';
import { endProcessSoon } from './baileys-peer.js';
import { identify, judges, probe } from '../e2e/lib/judge.js';
import { adminKey } from '../e2e/lib/web-gateway.js';
import { isInstalled } from '../e2e/lib/web.js';
import { Parties } from './gateway-parties.js';

// Baileys downloads with fetch(), which takes no certificates of ours; it checks nothing of what it downloads either, this test does.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
process.removeAllListeners('warning');

const skip = !isInstalled('lighttpd') && 'lighttpd is not installed';
let p, files;

const bytesOf = (n, head = '') => Buffer.concat([Buffer.from(head, 'latin1'), crypto.createHash('shake256', { outputLength: n }).update(String(n)).digest()]);
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
const JPEG = bytesOf(3000, '\xff\xd8\xff\xe0');
const MP4 = bytesOf(70000, '\0\0\0\x20ftypisom');
const M4A = bytesOf(2000, '\0\0\0\x20ftypM4A ');
const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw==', 'base64');
const WAV = wav(16000);
const PDF = bytesOf(200000, '%PDF-1.7\n');

// A second of a tone.
function wav(samples) {
    const data = Buffer.alloc(samples * 2);
    for (let i = 0; i < samples; i++) data.writeInt16LE(Math.round(12000 * Math.sin(i / 6) * (i / samples)), i * 2);
    const head = Buffer.alloc(44);
    head.write('RIFF', 0);
    head.writeUInt32LE(36 + data.length, 4);
    head.write('WAVEfmt ', 8);
    for (const [at, value, size] of [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, 16000, 4], [28, 32000, 4], [32, 2, 2], [34, 16, 2]]) head.writeUIntLE(value, at, size);
    head.write('data', 36);
    head.writeUInt32LE(data.length, 40);
    return Buffer.concat([head, data]);
}

before(async () => {
    if (skip) return;
    files = http.createServer((request, response) => {
        const url = new URL(request.url, 'http://x');
        if (url.pathname === '/to') return response.writeHead(302, { location: url.searchParams.get('to') }).end();
        if (url.pathname === '/loop') return response.writeHead(302, { location: '/loop' }).end();
        if (url.pathname === '/lies') return response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': '5000' }).end(JPEG.subarray(0, 100), () => response.destroy());
        if (url.pathname === '/big') return response.writeHead(200, { 'content-type': 'image/jpeg' }).end(Buffer.alloc(3 << 20));
        if (url.pathname === '/404') return response.writeHead(404).end('no');
        return response.writeHead(200, { 'content-type': url.searchParams.get('type') ?? 'image/jpeg; charset=binary' }).end(JPEG);
    });
    files.listen(0, '127.0.0.1');
    await once(files, 'listening');
    p = await Parties.start('lighttpd', { MEDIA_PER_FILE_MB: '1', FILE_PER_FILE_MB: '2', FILE_RAW_LIMIT_MB: '8', WAREST_OUTBOUND_ALLOW: 'loopback',
        INTERACTIVE_DEFAULT_IMAGE: address('/default.jpg') }, { tls: true });
});
afterEach(async () => {
    if (!p) return;
    await p.call('DELETE', '/media/faults');
    await p.clean();
    assert.deepEqual(readdirSync(`${p.gateway.lab.dir}/spool`), [], 'nothing is left in the spool');
});
after(async () => {
    files?.close();
    await p?.stop();
    endProcessSoon();
});

const address = (path) => `http://127.0.0.1:${files.address().port}${path}`;
const query = (more = {}) => new URLSearchParams({ sessionId: 'main', to: p.them.phone, ...more });
const json = (route, body) => p.gateway.api('POST', `/messages/send/${route}`, { body: { sessionId: 'main', to: p.them.phone, ...body } });
const raw = (route, bytes, type, more) => p.gateway.api('POST', `/messages/send/${route}?${query(more)}`, { body: bytes, headers: { 'content-type': type } });

// Multipart as a browser would send it: fields, then files [field, bytes, file name, type].
async function multipart(route, fields, parts) {
    const form = new FormData();
    for (const [name, value] of Object.entries({ sessionId: 'main', to: p.them.phone, ...fields })) form.append(name, value);
    for (const [name, bytes, filename, type] of parts) form.append(name, new Blob([bytes], { type }), filename);
    const response = await fetch(`${p.gateway.server.url}/api/v1/messages/send/${route}`, { method: 'POST', body: form, headers: { 'x-warest-api-key': adminKey } });
    const text = await response.text();
    return { status: response.status, text, json: JSON.parse(text) };
}

async function content(id, peer = p.bob) {
    const message = await peer.waitMessage((m) => m.key.id === id);
    const inner = normalizeMessageContent(message.message);
    const [name] = Object.keys(inner).filter((k) => k.endsWith('Message') && inner[k]?.directPath);
    return { message, name, part: inner[name] };
}

// One message that arrived with these bytes, hashes and lengths right.
async function arrived(answer, name, bytes, label, status) {
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual([answer.json.status, answer.json.code, answer.json.message], [true, 1000, `${label} sent`]);
    const [entry] = answer.json.results;
    assert.deepEqual(Object.keys(entry), ['phone', 'to', 'toJid', 'messageId', 'status', 'timestamp', 'advancedInfo']);
    assert.deepEqual([entry.phone, entry.toJid, entry.status], [p.us.phone, p.them.jid, status]);
    const got = await same(entry.messageId, name, bytes);
    return { entry, ...got };
}

// bytes null: it was converted on the way, only hash and length can be right.
async function same(id, name, bytes, peer) {
    const got = await content(id, peer);
    assert.equal(got.name, name);
    const plain = await downloadMediaMessage(got.message, 'buffer', {});
    bytes ??= plain;
    assert.ok(plain.equals(bytes), `${name}: ${plain.length} bytes arrived of ${bytes.length}`);
    assert.equal(Number(got.part.fileLength), bytes.length);
    assert.deepEqual(Buffer.from(got.part.fileSha256), crypto.createHash('sha256').update(bytes).digest());
    assert.equal(got.part.mediaKey.length, 32);
    return { ...got, plain };
}

// What is above the buttons or the list that arrived.
async function header(what, body) {
    const answer = await json(what, { text: 'Sure?', buttons: ['yes'], ...body });
    assert.equal(answer.status, 200, answer.text);
    const message = await p.bob.waitMessage((m) => m.key.id === answer.json.results[0].messageId);
    return normalizeMessageContent(message.message).interactiveMessage.carouselMessage.cards[0].header;
}

async function refused(answer, status, code, text) {
    assert.deepEqual([answer.status, answer.json], [status, { status: false, code, message: text, results: null }]);
}

test('images: multipart, data URI, base64, raw body, address; captions, quotes, view once', { skip }, async () => {
    const one = await arrived(await multipart('media', { caption: '<b>hi</b>' }, [['media', JPEG, 'a b.jpg', 'image/jpeg']]), 'imageMessage', JPEG, 'Media message', 'image success');
    assert.deepEqual(one.entry.advancedInfo, { isForwarded: false, quotedMessageId: null, caption: '*hi*', compression: { enable: true }, mediaKind: 'image' });
    assert.equal(one.part.caption, '*hi*');
    assert.equal(one.part.mimetype, 'image/jpeg');
    const big = bytesOf(500000, '\xff\xd8\xff');
    await arrived(await json('media', { media: `data:image/jpeg;base64,${big.toString('base64')}` }), 'imageMessage', big, 'Media message', 'image success');
    await arrived(await json('media', { file: big.toString('base64url'), compress: false }), 'imageMessage', big, 'Media message', 'image success');
    await arrived(await json('media', { media: `data:image/png;base64,${PNG.toString('base64')}` }), 'imageMessage', PNG, 'Media message', 'image success');
    await arrived(await raw('media', JPEG, 'image/jpeg', { caption: 'raw' }), 'imageMessage', JPEG, 'Media message', 'image success');
    await arrived(await json('media', { url: address('/x/photo.jpg?a=b') }), 'imageMessage', JPEG, 'Media message', 'image success');
    await arrived(await json('media', { url: address(`/to?to=${encodeURIComponent(address('/y'))}`) }), 'imageMessage', JPEG, 'Media message', 'image success');
    const quoted = await arrived(await json('media', { url: address('/q'), replyMessageId: one.entry.messageId, isForwarded: true, viewOnce: true }), 'imageMessage', JPEG,
        'Media message', 'image success');
    assert.equal(quoted.entry.advancedInfo.viewOnce, true);
    assert.ok(quoted.message.message.viewOnceMessage);
    assert.equal(quoted.part.viewOnce, true);
    assert.equal(quoted.part.contextInfo.stanzaId, one.entry.messageId);
    assert.equal(quoted.part.contextInfo.isForwarded, true);
});

test('videos, GIFs, audio, voice notes, stickers, documents', { skip }, async () => {
    await arrived(await raw('media', MP4, 'application/octet-stream'), 'videoMessage', MP4, 'Media message', 'video success');
    const gif = await arrived(await raw('gif', GIF, 'image/gif', { caption: 'loop' }), 'videoMessage', null, 'GIF message', 'gif success');
    assert.deepEqual([gif.part.gifPlayback, gif.part.mimetype, gif.plain.toString('latin1', 4, 8)], [true, 'video/mp4', 'ftyp']);
    const audio = await arrived(await json('audio', { audio: M4A.toString('base64') }), 'audioMessage', M4A, 'Audio message', 'audio success');
    assert.equal(audio.part.mimetype, 'audio/mp4');
    assert.deepEqual(audio.entry.advancedInfo, { isForwarded: false, quotedMessageId: null, mimeType: 'audio/mp4' });
    const note = await arrived(await raw('audio', WAV, 'audio/wav', { isVN: 'true' }), 'audioMessage', null, 'Audio message', 'ptt success');
    assert.deepEqual([note.part.ptt, note.part.mimetype, note.part.seconds, note.part.waveform.length, note.plain.toString('latin1', 0, 4)],
        [true, 'audio/ogg; codecs=opus', 1, 64, 'OggS']);
    await p.bob.socket.sendReceipt(p.us.jid, undefined, [note.entry.messageId], 'played');
    await p.becomes(note.entry.messageId, 'played');
    const { devices } = (await p.gateway.api('GET', `/messages/${note.entry.messageId}/status?sessionId=main`)).json.results[0];
    assert.equal(devices.filter((d) => d.state === 'played').length, 1, JSON.stringify(devices));
    const sticker = await arrived(await raw('sticker', PNG, 'image/png'), 'stickerMessage', null, 'Sticker message', 'sticker success');
    assert.deepEqual([sticker.part.mimetype, sticker.part.width, sticker.part.height, sticker.plain.toString('latin1', 8, 12)], ['image/webp', 512, 512, 'WEBP']);
    const again = await arrived(await raw('sticker', sticker.plain, 'image/webp'), 'stickerMessage', sticker.plain, 'Sticker message', 'sticker success');
    assert.ok(!again.part.isAnimated);
    const document = await arrived(await multipart('document', { filename: 'Bill 7', caption: 'see' }, [['document', PDF, 'scan.pdf', 'application/pdf']]), 'documentMessage',
        PDF, 'Document message', 'document pdf success');
    assert.deepEqual([document.part.fileName, document.part.caption, document.part.mimetype], ['Bill 7.pdf', 'see', 'application/pdf']);
    assert.deepEqual(document.entry.advancedInfo, { isForwarded: false, quotedMessageId: null, caption: 'see', filename: 'Bill 7.pdf', mimetype: 'application/pdf' });
    const nameless = await arrived(await json('document', { document: `data:application/pdf;base64,${PDF.toString('base64')}` }), 'documentMessage', PDF, 'Document message',
        'document pdf success');
    assert.equal(nameless.part.fileName, 'document.pdf');
});

// Every kind of file once; a timer of the chat stands in each of them.
async function everyFile(to, third, expiration) {
    const kinds = [
        ['media', JPEG, 'image/jpeg', { caption: 'befor' }, 'imageMessage', JPEG], ['media', PNG, 'image/png', { viewOnce: 'true' }, 'imageMessage', PNG],
        ['media', MP4, 'video/mp4', {}, 'videoMessage', MP4], ['audio', M4A, 'audio/mp4', {}, 'audioMessage', M4A], ['audio', WAV, 'audio/wav', { isVN: 'true' }, 'audioMessage'],
        ['document', PDF, 'application/pdf', { caption: 'read' }, 'documentMessage', PDF], ['files', PDF, 'application/pdf', {}, 'documentMessage', PDF],
        ['sticker', PNG, 'image/png', {}, 'stickerMessage'], ['gif', GIF, 'image/gif', {}, 'videoMessage']
    ];
    const ids = [];
    let film;
    const sent = async (route, bytes, type, more, name, wanted) => {
        const answer = await raw(route, bytes, type, { to, ...more });
        assert.deepEqual([answer.status, answer.json.results?.[0].toJid], [200, to], answer.text);
        const [{ messageId, advancedInfo }] = answer.json.results;
        const id = messageId ?? advancedInfo.files[0].messageId;
        const got = await same(id, name, wanted);
        assert.equal(got.part.contextInfo?.expiration || 0, expiration, name);
        await same(id, name, got.plain, p.bobsOther);
        await p.everywhere(id, third);
        ids.push(id);
        return got;
    };
    for (const kind of kinds) film = (await sent(...kind)).plain;
    await sent('media', film, 'video/mp4', { ptv: 'true' }, 'ptvMessage');
    const album = await json('files', { to, album: true, files: [JPEG.toString('base64'), PNG.toString('base64')] });
    assert.equal(album.status, 200, album.text);
    const [{ messageId, advancedInfo }] = album.json.results;
    for (const [i, bytes] of [JPEG, PNG].entries()) {
        const { message } = await same(advancedInfo.files[i].messageId, 'imageMessage', bytes);
        assert.equal(message.message.messageContextInfo.messageAssociation.parentMessageKey.id, messageId);
        await p.everywhere(advancedInfo.files[i].messageId, third);
    }
    return ids;
}

for (const place of ['by LID', 'in a group that goes by LID', 'in a group that goes by number, with a timer']) {
    test(`every kind of file, ${place}: byte for byte, on every device; captions edited, files forwarded`, { skip }, async () => {
        const timer = place.endsWith('timer') ? 86400 : 0;
        const { jid, third } = place === 'by LID' ? { jid: p.them.lid_jid } : await p.groupOf(timer ? 'pn' : 'lid', timer ? { ephemeral: timer } : {});
        const [picture, , , , note] = await everyFile(jid, third, timer);
        const act = (id, what, body) => p.gateway.api('POST', `/messages/${id}/action/${what}`, { body: { sessionId: 'main', to: jid, ...body } });
        assert.equal((await act(picture, 'edit', { message: 'before' })).status, 200);
        const edit = await p.bob.waitMessage((m) => m.message.protocolMessage?.key?.id === picture && m.message.protocolMessage.type === 14);
        assert.equal(edit.message.protocolMessage.editedMessage.imageMessage.caption, 'before');
        const refusedEdit = await act(note, 'edit', { message: 'no caption here' });
        assert.deepEqual([refusedEdit.status, refusedEdit.json.code], [403, 4001]);
        const forwarded = await act(picture, 'forward', {});
        const { part } = await same(forwarded.json.results[0].messageId, 'imageMessage', JPEG);
        assert.deepEqual([part.caption, part.contextInfo.isForwarded], ['before', true]);
        assert.equal((await act(picture, 'revoke', {})).status, 200);
        await p.bob.waitMessage((m) => m.message.protocolMessage?.key?.id === picture && m.message.protocolMessage.type === 0);
    });
}

test('several files at once, in every form, to two recipients', { skip }, async () => {
    const answer = await json('files', {
        to: [p.them.phone, p.us.phone], caption: 'all', files: [
            { file: address('/path/real.jpg'), filename: 'given.jpg', caption: 'own', replyMessageId: 'ABC' },
            { binaryFile: true, file: `data:application/pdf;base64,${PDF.toString('base64')}`, filename: '' },
            { type: 'Buffer', data: [...PNG] }, [...JPEG], { name: 'virus.exe', data: PNG.toString('base64') }, 'data:text/plain;base64,aGVsbG8='
        ]
    });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.message, 'File message sent (2 recipients)');
    const [entry] = answer.json.results;
    assert.deepEqual([entry.messageId, entry.status, entry.toJid], [null, 'files success', p.them.jid]);
    const sent = entry.advancedInfo.files;
    assert.deepEqual(sent.map((f) => [f.name, f.mimetype, f.size, f.caption, f.quotedMessageId]), [
        ['given.jpg', 'image/jpeg', JPEG.length, 'own', 'ABC'], ['document.pdf', 'application/pdf', PDF.length, 'all', undefined],
        ['document.png', 'image/png', PNG.length, 'all', undefined], ['document.jpg', 'image/jpeg', JPEG.length, 'all', undefined], ['document.txt', 'text/plain', 5, 'all', undefined]]);
    assert.deepEqual(entry.advancedInfo.blockedFiles, [{ name: 'virus.exe', mimetype: 'application/x-msdownload', size: PNG.length, reason: 'Files with .exe extensions are not allowed' }]);
    for (const [i, bytes] of [JPEG, PDF, PNG, JPEG, Buffer.from('hello')].entries()) {
        const got = await same(sent[i].messageId, 'documentMessage', bytes);
        assert.equal(got.part.caption, sent[i].caption);
    }
    const parts = await multipart('files', {}, [['one', PDF, 'a.pdf', 'application/pdf'], ['two', JPEG, 'b.jpg', 'image/jpeg']]);
    assert.deepEqual(parts.json.results[0].advancedInfo.files.map((f) => f.name), ['a.pdf', 'b.jpg'], parts.text);
    const blocked = await multipart('files', {}, [['f', Buffer.from('MZ\x90\0'), 'a.txt', 'text/plain']]);
    assert.deepEqual([blocked.status, blocked.json.code, blocked.json.message], [502, 3002, 'Failed to send files to all recipients']);
    assert.equal(blocked.json.results[0].advancedInfo.error, 'All files were blocked by security policy');
});

test('what cannot be sent is refused in the contract\'s words, and nothing is sent', { skip }, async () => {
    const before = (await p.call('GET', '/media')).blobs.length;
    await refused(await json('media', { to: 'x' }), 400, 2001, "Missing or invalid 'to'");
    for (const route of ['media', 'files'])
        await refused(await json(route, { to: ['120363025246125244@newsletter', p.them.phone], file: address('/') }), 400, 2002,
            'Files go to channels or to others, not to both in one request');
    await refused(await json('media', { sessionId: 'nobody', media: address('/') }), 404, 1101, 'Session not found');
    for (const media of [undefined, '', 'data:image/png;base64,@@@', 'data:image/png', 'hello world', '/etc/passwd', 'file:///etc/passwd', 'http://169.254.169.254/x', 'http://10.255.255.1:9/',
        address('/404'), address('/lies'), address(`/to?to=${encodeURIComponent('http://169.254.169.254/')}`), address('/loop'),
        `${'A'.repeat(40000)}@@`])
        await refused(await json('media', { media }), 400, 2000, 'Invalid media input');
    await refused(await multipart('media', {}, [['media', Buffer.alloc(0), 'empty.jpg', 'image/jpeg']]), 400, 2000, 'Invalid media input');
    await refused(await raw('media', Buffer.alloc((1 << 20) + 1, 'x'), 'image/jpeg'), 413, 2009, 'Media too large (limit 1MB)');
    await refused(await json('media', { url: address('/big') }), 413, 2009, 'Media too large (limit 1MB)');
    await refused(await json('document', { document: Buffer.alloc(2 << 20).toString('base64') }), 413, 2011, 'Document too large (limit 1MB)');
    await refused(await raw('files', Buffer.alloc((2 << 20) + 1), 'application/pdf'), 413, 2009, 'File too large (limit 2MB)');
    const huge = await raw('media', Buffer.alloc(9 << 20), 'image/jpeg');
    assert.deepEqual([huge.status, huge.json], [413, { error: 'request entity too large' }]);
    await refused(await raw('media', PDF, 'application/pdf'), 415, 2007, 'Unsupported media type for this route');
    await refused(await raw('media', PDF, 'image/jpeg'), 415, 2007, 'Unsupported media type for this route');
    await refused(await raw('media', Buffer.from('GIF89a...'), 'image/gif'), 415, 2007, 'Unsupported media type for this route');
    await refused(await raw('audio', JPEG, 'image/jpeg'), 415, 2007, 'Unsupported audio type');
    await refused(await raw('gif', JPEG, 'image/jpeg'), 415, 2007, 'Unsupported gif type');
    await refused(await raw('document', PDF, 'application/pdf', { filename: 'run.sh' }), 415, 2007, 'Files with .sh extensions are not allowed');
    await refused(await raw('document', Buffer.from('MZ\x90'), 'application/pdf'), 415, 2007, 'Executable binaries are blocked');
    await refused(await raw('audio', Buffer.from('no audio at all'), 'audio/ogg', { isVN: '1' }), 422, 2014, 'Failed to convert audio to WhatsApp voice note format');
    await refused(await raw('sticker', Buffer.from('no picture'), 'image/png'), 502, 3013, 'Sticker conversion failed');
    await refused(await json('files', { sessionId: 'nobody' }), 400, 2000, 'No files or URLs provided');
    await refused(await json('files', { files: [] }), 400, 2000, 'No files or URLs provided');
    await refused(await json('files', { to: '', files: [address('/')] }), 400, 2001, "Missing or invalid 'to'");
    const bad = await json('files', { files: [address('/404'), 'data:x;base64,@'] });
    assert.deepEqual([bad.status, bad.json.code, bad.json.results[0].advancedInfo.error], [502, 3002, 'No files were sent to this recipient']);
    const broken = await p.gateway.api('POST', '/messages/send/media', { body: '--x', headers: { 'content-type': 'multipart/form-data; boundary=x' } });
    assert.equal(broken.status, 400);
    assert.equal((await p.call('GET', '/media')).blobs.length, before, 'nothing was uploaded');
});

test('media servers that refuse, redirect, break off or forget are survived', { skip }, async () => {

    const fault = (body) => p.call('POST', '/media/faults', body);
    const send = async (bytes = JPEG) => arrived(await raw('media', bytes, 'image/jpeg'), 'imageMessage', bytes, 'Media message', 'image success');
    await fault({ on: 'upload', status: 503 });
    await send();
    await fault({ on: 'upload', garbage: true });
    await send();
    await fault({ on: 'upload', cut: 1000 });
    await send();
    await p.call('POST', '/media/expire-auth', {});
    const { asked } = await p.call('GET', '/media');
    await send();
    assert.equal((await p.call('GET', '/media')).asked, asked + 1, 'one new media_conn');
    await fault({ on: 'upload', redirect: 'https://evil.example/mms/image/x' });
    await send();

    for (let i = 0; i < 10; i++) await fault({ on: 'upload', status: 500 });
    const [answer, without] = await Promise.all([raw('media', JPEG, 'image/jpeg'), header('button', {})]);
    await refused(answer, 500, 8000, 'Internal server error');
    assert.deepEqual([without.title, without.imageMessage ?? null], [' ', null], 'a picture that cannot be uploaded is left out');
});

test('trying out, queued answers and chosen ids', { skip }, async () => {
    const before = (await p.call('GET', '/media')).blobs.length;
    for (const [route, status] of [['document', 'document pdf not sent'], ['files', 'file not sent']]) {
        const dry = await raw(route, PDF, 'application/pdf', { dry_run: 'true' });
        assert.deepEqual([dry.status, dry.json.code, dry.json.results[0].status, dry.json.results[0].messageId], [200, 1005, status, null], dry.text);
    }
    assert.equal((await p.call('GET', '/media')).blobs.length, before, 'nothing was uploaded');
    const queued = await raw('files', PDF, 'application/pdf', { wait: 'queued', messageId: 'MYFILE1' });
    assert.deepEqual([queued.status, queued.json.code, queued.json.message, queued.json.results[0].status], [202, 3000, 'File message queued', 'file queued'], queued.text);
    assert.equal(queued.json.results[0].advancedInfo.files[0].messageId, 'MYFILE1');
    await same('MYFILE1', 'documentMessage', PDF);
    const again = await raw('files', PDF, 'application/pdf', { messageId: 'MYFILE1' });
    assert.deepEqual([again.status, again.json.code], [409, 2009]);
});

test('the same request with an Idempotency-Key sends once', { skip }, async () => {
    const again = () => p.gateway.api('POST', `/messages/send/media?${query()}`, { body: JPEG, headers: { 'content-type': 'image/jpeg', 'idempotency-key': 'media-1' } });
    const first = await again();
    const second = await again();
    assert.equal(first.status, 200, first.text);
    assert.deepEqual(second.json, first.json);
    const other = await p.gateway.api('POST', `/messages/send/media?${query()}`, { body: PNG, headers: { 'content-type': 'image/jpeg', 'idempotency-key': 'media-1' } });
    assert.deepEqual([other.status, other.json.code], [409, 2009]);
});

test('pictures above buttons and lists; what cannot be had is left out', { skip }, async () => {
    const rows = { sections: [{ rows: ['1'] }] };
    for (const [bytes, what, body] of [
        [PNG, 'button', { image: `data:image/png;base64,${PNG.toString('base64')}` }], [JPEG, 'button', { image: JPEG.toString('base64') }],
        [JPEG, 'button', { image: address('/b') }], [JPEG, 'button', {}], [PNG, 'list', { ...rows, image: PNG.toString('base64') }],
        [PNG, 'list', { list: { ...rows, image: `data:image/png;base64,${PNG.toString('base64')}` } }],
    ]) {
        const { hasMediaAttachment, imageMessage } = await header(what, body);
        assert.equal(hasMediaAttachment, true);
        const parts = [];
        for await (const part of await downloadContentFromMessage(imageMessage, 'image', {})) parts.push(part);
        assert.ok(Buffer.concat(parts).equals(bytes));
        assert.deepEqual([Number(imageMessage.fileLength), imageMessage.mimetype], [bytes.length, bytes === PNG ? 'image/png' : 'image/jpeg']);
    }
    for (const image of ['', '/etc/passwd', 'file:///etc/passwd', address('/404'), address('/big'), 'data:image/png;base64,%%%', 'data:text/plain;base64,aGVsbG8=',
        Buffer.concat([JPEG, Buffer.alloc(1 << 20)]).toString('base64')]) {
        const { title, imageMessage } = await header('button', { image });
        assert.deepEqual([title, imageMessage ?? null], [' ', null], image.slice(0, 40));
    }
});

test('what was converted is what other programs take for such a file, too', { skip: skip || (!judges && 'ffprobe, ffmpeg and gm are not installed') }, async () => {
    const seed = (name) => readFileSync(new URL(`../fuzz/seeds/${name}`, import.meta.url));
    const sent = async (route, file, type, more) => {
        const answer = await raw(route, seed(file), type, more);
        assert.equal(answer.status, 200, answer.text);
        const { part, message } = await content(answer.json.results[0].messageId);
        return { part, plain: await downloadMediaMessage(message, 'buffer', {}) };
    };
    const film = await sent('media', 'av/film.webm', 'video/webm', { compress: 'true' });
    const { video, format } = probe(film.plain);
    assert.deepEqual([video.codec_name, video.pix_fmt, film.part.mimetype, video.width, video.height], ['h264', 'yuv420p', 'video/mp4', film.part.width, film.part.height]);
    assert.ok(Math.abs(Number(format.duration) - film.part.seconds) <= 1, `${format.duration} is ${film.part.seconds}`);
    assert.match(identify(film.part.jpegThumbnail)[0], /^JPEG /);

    const gif = await sent('gif', 'av/moving.gif', 'image/gif');
    const loop = probe(gif.plain);
    assert.deepEqual([loop.video.codec_name, loop.video.pix_fmt, loop.audio, loop.video.width % 2, loop.video.height % 2], ['h264', 'yuv420p', undefined, 0, 0]);

    for (const [file, type] of [['av/sound.wav', 'audio/wav'], ['av/song.mp3', 'audio/mpeg'], ['av/sound.m4a', 'audio/mp4']]) {
        const note = await sent('audio', file, type, { isVN: 'true' });
        const heard = probe(note.plain);
        assert.deepEqual([heard.format.format_name, heard.count, heard.audio.codec_name, heard.audio.channels, heard.audio.sample_rate], ['ogg', 1, 'opus', 1, '48000'], file);
        assert.ok(Math.abs(Number(heard.format.duration) - note.part.seconds) <= 1, `${file}: ${heard.format.duration} is ${note.part.seconds}`);
    }
    for (const [file, type] of [['image/alpha.png', 'image/png'], ['image/turned.jpg', 'image/jpeg'], ['image/still.gif', 'image/gif']])
        assert.deepEqual(identify((await sent('sticker', file, type)).plain), ['WEBP 512 512'], file);
    const shrunk = await sent('media', 'image/opaque.png', 'image/png', { compression: '{"minBytes":0,"minSavingsRatio":0,"maxDimension":16}' });
    const [, width, height] = identify(shrunk.plain)[0].split(' ').map(Number);
    assert.deepEqual([Math.max(width, height), width, height], [16, shrunk.part.width, shrunk.part.height]);
    assert.match(identify(shrunk.part.jpegThumbnail)[0], /^JPEG /);
});
