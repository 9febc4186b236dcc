// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, pictures and voice notes of a real client are lost, or their messages are: whatever happens to a file, its message is told once.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import https from 'node:https';
import { join } from 'node:path';
import { prepareWAMessageMedia, generateMessageIDV2 } from 'baileys';
import { DaemonBench } from '../e2e/lib/daemon.js';
import { BaileysPeer, endProcessSoon } from './baileys-peer.js';

const bench = new DaemonBench(15558100000, {
    wasim: { tls: true },
    env: { WAREST_WEBHOOK_EVENTS: 'message_media', WAREST_DOWNLOAD_MEDIA_WAIT_SEC: '8', MEDIA_PER_FILE_MB: '1', WAREST_BASE_URL: 'https://wa.example.com/x', WAREST_STORAGE_LOCAL_ENCRYPT_PUBLIC: 'false' }
});
let us;
let them;
let bob;

test('both sides are linked', async () => {
    us = await bench.linked('in');
    them = await bench.account({ name: 'Bob', companions: 1 });
    bob = new BaileysPeer(bench.wasim);
    await bob.pair(them.phone);
});

after(() => {
    bob?.stop();
    endProcessSoon();
});

/** Baileys encrypts; this is the transport of the blob. */
async function upload(file, { fileEncSha256B64, mediaType }) {
    const kind = { sticker: 'image', ptv: 'video', gif: 'video', ptt: 'audio' }[mediaType] ?? mediaType;
    const token = Buffer.from(fileEncSha256B64, 'base64').toString('base64url');
    const { media } = bench.wasim.sim;
    const bytes = Buffer.concat(await createReadStream(file).toArray());
    const request = https.request(`https://${media.base}/mms/${kind}/${token}?auth=${media.auth}&token=${token}`,
        { method: 'POST', rejectUnauthorized: false, headers: { 'content-length': bytes.length } });
    request.end(bytes);
    const [response] = await once(request, 'response');
    const answer = JSON.parse(Buffer.concat(await response.toArray()));
    return { mediaUrl: `https://mmg.whatsapp.net${answer.direct_path}`, directPath: answer.direct_path };
}

async function send(content, wrap = m => m, to = us.account.jid) {
    const message = wrap(await prepareWAMessageMedia(content, { upload, jid: to }));
    const id = generateMessageIDV2(bob.jid);
    await bob.socket.relayMessage(to, message, { messageId: id });
    return { id, message };
}

const jpeg = Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), randomBytes(70000)]);
const received = id => bench.hook.wait('message_received', d => d.message.key.id === id).then(e => e.data);
const count = id => bench.hook.deliveries.filter(d => d.event === 'message_received' && d.data.message.key.id === id).length;
const image = { image: jpeg, mimetype: 'image/jpeg; charset=x', caption: 'look', jpegThumbnail: 'AAAA', width: 3, height: 4 };

/** What lies in the storage: the bytes of each file (not encrypted here). */
async function files() {
    const paths = (await readdir(bench.directory, { recursive: true })).filter(f => f.includes('.objects/')).map(f => join(bench.directory, f));
    const found = [];
    for (const path of paths) if ((await stat(path)).isFile()) found.push(await readFile(path));
    return found;
}

test('a picture is stored, then told with its address', async () => {
    const { id } = await send(image);
    const data = await received(id);
    const { media } = data;
    const sent = data.message.message.imageMessage;
    assert.match(media.url, /^https:\/\/wa\.example\.com\/x\/storages\/incoming-media\/in\/imageMessage\/[0-9a-f]{32}\.jpeg$/);
    assert.deepEqual(Object.keys(media), ['hasMedia', 'type', 'mimeType', 'caption', 'fileSha256', 'mediaKey', 'url', 'fileLength', 'width', 'height', 'storageKey', 'storageDriver']);
    assert.deepEqual([media.mimeType, media.storageDriver, media.fileLength, media.caption], ['image/jpeg', 'local', jpeg.length, 'look']);
    assert.ok(media.url.endsWith(media.storageKey));
    assert.deepEqual([sent.url, 'directPath' in sent, sent.mediaKey], [media.url, false, media.mediaKey]);
    assert.deepEqual(await files(), [jpeg]);
    // The list of messages has both addresses, WhatsApp's and ours.
    const { mediaMetadata } = (await bench.call('chats.messages', { session: 'in', family: 'chats-get', p: { chatId: `${them.phone}@s.whatsapp.net`, limit: 5, offset: 0 } }))
        .result.data.find(m => m.id === id);
    assert.deepEqual([mediaMetadata.urlDecrypt, mediaMetadata.storageKey, mediaMetadata.storageDriver], [media.url, media.storageKey, 'local']);
    assert.match(mediaMetadata.url, /^https:\/\/mmg\.whatsapp\.net/);
});

async function groupOf(addressing) {
    const third = await bench.account({ name: 'Cid', companions: 1 });
    return (await bench.control('POST', '/groups', { subject: 'Us', creator: them.phone, members: [us.phone, third.phone], addressing })).jid;
}

for (const [place, address] of [['by number', () => us.account.jid], ['by LID', () => us.account.lid_jid], ['in a group by LID', () => groupOf('lid')], ['in a group by number', () => groupOf('pn')]]) {
    test(`voice notes, stickers, videos and captioned documents too, ${place}, byte for byte`, async () => {
        const to = await address();
        const kinds = [
            [{ image: randomBytes(2000), mimetype: 'image/png', jpegThumbnail: 'AAAA', width: 3, height: 4 }, 'imageMessage', 'png'],
            [{ audio: randomBytes(3000), mimetype: 'audio/ogg; codecs=opus', ptt: true, seconds: 3, waveform: new Uint8Array(64) }, 'audioMessage', 'ogg'],
            [{ sticker: randomBytes(3000) }, 'stickerMessage', 'webp'],
            [{ video: randomBytes(3000), mimetype: 'video/mp4', jpegThumbnail: 'AAAA', seconds: 1 }, 'videoMessage', 'mp4'],
            [{ video: randomBytes(3000), mimetype: 'video/mp4', jpegThumbnail: 'AAAA', seconds: 1, gifPlayback: true }, 'videoMessage', 'mp4'],
            [{ video: randomBytes(3000), mimetype: 'video/mp4', jpegThumbnail: 'AAAA', seconds: 1, ptv: true }, 'ptvMessage', 'mp4'],
            [{ document: randomBytes(3000), mimetype: 'application/pdf', fileName: '../../etc/passwd.html' }, 'documentMessage', 'pdf', m => ({ documentWithCaptionMessage: { message: m } })]
        ];
        for (const [content, type, extension, wrap] of kinds) {
            const { id } = await send(content, wrap, to);
            const { media } = await received(id);
            assert.equal(media.type, type);
            assert.match(media.storageKey, new RegExp(`^incoming-media/in/${type}/[0-9a-f]{32}\\.${extension}$`));
        }
        const stored = await files();
        for (const [content, type] of kinds)
            assert.ok(stored.some(bytes => bytes.equals(Object.values(content).find(Buffer.isBuffer))), type);
    });
}

test('what the settings do not want is told at once, as it came', async () => {
    const unwanted = [
        [{ ...image, mimetype: 'image/tiff' }],
        [image, m => ({ viewOnceMessageV2: { message: { imageMessage: { ...m.imageMessage, viewOnce: true } } } })]
    ];
    for (const [content, wrap] of unwanted) {
        const { id } = await send(content, wrap);
        const { media } = await received(id);
        assert.deepEqual([media.storageKey, media.storageError], [undefined, undefined]);
        assert.ok(media.directPath.startsWith('/v/'));
    }
});

test('a file that is false, too large or lost is told with the reason; its message is not lost', async () => {
    const before = (await files()).length;
    const cases = [
        [image, m => ({ imageMessage: { ...m.imageMessage, fileSha256: Buffer.alloc(32, 1) } })],
        [{ ...image, image: Buffer.alloc(1200000, 7) }],
        [image, m => ({ imageMessage: { ...m.imageMessage, mediaKey: undefined, fileSha256: undefined } })],
        [image, m => ({ imageMessage: { ...m.imageMessage, mediaKey: Buffer.alloc(5) } })]
    ];
    for (const [content, wrap] of cases) {
        const { id } = await send(content, wrap);
        const { media } = await received(id);
        assert.equal(typeof media.storageError, 'string', JSON.stringify(media));
        assert.equal(media.storageKey, undefined);
    }
    assert.equal((await files()).length, before);
});

test('a host that fails is tried again, a lost file is asked for from the phone', async () => {
    await bench.control('POST', '/media/faults', { on: 'download', status: 500, times: 1 });
    assert.ok((await received((await send(image)).id)).media.storageKey);
    await bench.control('DELETE', '/media/faults');
    const message = await prepareWAMessageMedia(image, { upload, jid: us.account.jid });
    await bench.control('POST', '/media/lose', { direct_path: message.imageMessage.directPath });
    const id = generateMessageIDV2(bob.jid);
    await bob.socket.relayMessage(us.account.jid, message, { messageId: id });
    assert.ok((await received(id)).media.storageKey);
    const { events } = await bench.control('GET', `/events?type=media_retry&id=${id}&wait=1000`);
    assert.equal(events.length, 1);
});

test('another host is asked when one has false bytes, and when one does not answer', async () => {
    const { options, media } = bench.wasim.sim;
    options.mediaHosts = [media.base, '127.0.0.1:1', media.base];
    const { account } = await bench.linked('hosts');
    await bench.control('POST', '/media/faults', { on: 'download', corrupt: true, times: 1 });
    const { media: got } = await received((await send(image, m => m, account.jid)).id);
    assert.match(got.storageKey ?? got.storageError, /^incoming-media\/hosts\//);
    assert.deepEqual(bench.wasim.sim.media.faults, []);
    options.mediaHosts = [];
});

test('a file that the phone has lost, too, is told with the reason, and so on demand', async () => {
    await bench.control('POST', `/accounts/${us.phone}/media-retry`, { how: 'failed' });
    const message = await prepareWAMessageMedia(image, { upload, jid: us.account.jid });
    await bench.control('POST', '/media/lose', { direct_path: message.imageMessage.directPath, gone: true });
    const id = generateMessageIDV2(bob.jid);
    await bob.socket.relayMessage(us.account.jid, message, { messageId: id });
    const { media } = await received(id);
    assert.deepEqual([media.storageKey, media.storageError], [undefined, 'WhatsApp has lost the file, and the phone did not upload it again']);
    const answer = await bench.call('messages.media', { session: 'in', family: 'messages', p: { messageId: id } });
    assert.deepEqual([answer.status, answer.code, answer.message], [410, 5504, 'Media no longer available'], JSON.stringify(answer));
    await bench.control('POST', `/accounts/${us.phone}/media-retry`, { how: 'upload' });
});

test('killed in the middle of a download, the next life goes on; the message is told once', async () => {
    await bench.control('POST', '/media/faults', { on: 'download', slow_ms: 3000, times: 1 });
    const { id } = await send(image);
    await bench.control('GET', `/events?type=media_request&method=GET&after=${bench.wasim.sim.events.lastSeq}&wait=20000`);
    assert.equal(count(id), 0);
    await bench.restart('SIGKILL');
    await bench.until('in', 'open');
    assert.ok((await received(id)).media.storageKey);
    await received(await bob.sendText(us.account.jid, 'after the kill'));
    assert.equal(count(id), 1);
});

test('a message does not wait for ever: it is told without, and message_media follows', async () => {
    await bench.control('POST', '/media/faults', { on: 'download', slow_ms: 9000, times: 1 });
    const { id } = await send(image);
    const { media } = await received(id);
    assert.deepEqual([media.storageKey, media.storageError], [undefined, undefined]);
    const late = await bench.hook.wait('message_media', d => d.key.id === id);
    assert.ok(late.data.media.storageKey);
    assert.equal(count(id), 1);
});

test('on demand: fetched once, asked for from the phone when it is lost, told again for nothing', async () => {
    const ask = messageId => bench.call('messages.media', { session: 'in', family: 'messages', p: { messageId } });
    const { id } = await send({ ...image, mimetype: 'image/tiff' });
    assert.equal((await received(id)).media.storageKey, undefined);
    const before = (await files()).length;
    const [first, second] = await Promise.all([ask(id), ask(id)]);
    assert.equal(first.status, 200, JSON.stringify(first));
    const [entry] = first.result;
    assert.deepEqual(Object.keys(entry), ['sessionId', 'messageId', 'chatId', 'type', 'mimeType', 'fileName', 'fileLength', 'fileSha256', 'url', 'storageKey', 'storageDriver', 'fetched']);
    assert.deepEqual([entry.messageId, entry.chatId, entry.type, entry.mimeType, entry.fileLength, entry.fetched], [id, entry.chatId, 'imageMessage', 'image/tiff', jpeg.length, true]);
    assert.ok(entry.url.endsWith(entry.storageKey));
    assert.equal(second.result[0].storageKey, entry.storageKey, 'both got the same file');
    assert.equal((await files()).length, before + 1);
    const { asked } = await bench.control('GET', '/media');
    const again = await ask(id);
    assert.deepEqual([again.message, again.result[0].storageKey, again.result[0].fetched], ['Media already stored', entry.storageKey, false]);
    assert.equal((await bench.control('GET', '/media')).asked, asked);

    const mirrored = await send(image);
    const { media } = await received(mirrored.id);
    assert.deepEqual((await ask(mirrored.id)).result[0].storageKey, media.storageKey, 'what was stored as it came');

    const lost = await prepareWAMessageMedia({ ...image, mimetype: 'image/tiff' }, { upload, jid: us.account.jid });
    await bench.control('POST', '/media/lose', { direct_path: lost.imageMessage.directPath });
    const lostId = generateMessageIDV2(bob.jid);
    await bob.socket.relayMessage(us.account.jid, lost, { messageId: lostId });
    await received(lostId);
    assert.equal((await ask(lostId)).result?.[0].fetched, true);
    assert.equal((await bench.control('GET', `/events?type=media_retry&id=${lostId}&wait=1000`)).events.length, 1);

    const text = await bob.sendText(us.account.jid, 'no file here');
    await received(text);
    const once = await send(image, m => ({ viewOnceMessageV2: { message: { imageMessage: { ...m.imageMessage, viewOnce: true } } } }));
    await received(once.id);
    const large = await send({ ...image, mimetype: 'image/tiff', image: Buffer.alloc(1200000, 7) });
    await received(large.id);
    const broken = await send({ ...image, mimetype: 'image/tiff' }, m => ({ imageMessage: { ...m.imageMessage, fileSha256: Buffer.alloc(32, 1) } }));
    await received(broken.id);
    for (const [messageId, status, code] of [[text, 400, 3004], [once.id, 403, 2201], [large.id, 413, 5503], [broken.id, 502, 5500], ['UNKNOWN', 404, 2601]]) {
        const answer = await ask(messageId);
        assert.deepEqual([answer.status, answer.code], [status, code], JSON.stringify(answer));
    }
    await bench.hook.wait('message_received', d => d.message.key.id === broken.id);
});
