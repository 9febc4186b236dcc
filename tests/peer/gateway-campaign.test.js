// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, campaigns made over REST do not arrive at real WhatsApp clients as they were written, or wrong ones are taken.
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { downloadMediaMessage, normalizeMessageContent } from 'baileys';
import { endProcessSoon } from './baileys-peer.js';
import { adminKey } from '../e2e/lib/web-gateway.js';
import { isInstalled } from '../e2e/lib/web.js';
import { Parties, until } from './gateway-parties.js';

// Baileys downloads with fetch(), which takes no certificates of ours.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
process.removeAllListeners('warning');

const skip = !isInstalled('lighttpd') && 'lighttpd is not installed';
let p;

before(async () => {
    if (!skip) p = await Parties.start('lighttpd', { MEDIA_PER_FILE_MB: '1' }, { tls: true });
});
afterEach(() => p?.clean());
after(async () => {
    await p?.stop();
    endProcessSoon();
});

const api = (method, path = '', body) => p.gateway.api(method, `/campaigns${path}`, body ? { body } : {});
const create = (body) => api('POST', '', { sessionId: 'main', name: 'news', ...body });
const refused = (answer, status, code, message) => assert.deepEqual([answer.status, answer.json.code, answer.json.message], [status, code, message], answer.text);
const wanted = async (id, state) => until(async () => {
    const answer = await api('GET', `/${id}`);
    return answer.json.result?.state === state && answer.json.result;
}, `${id} to be ${state}`);

test('a text with variables arrives at Baileys; what cannot be addressed is told', { skip }, async () => {
    const answer = await create({ content: { message: 'Hello {{name|friend}} from {{shop}}' }, variables: { shop: 'Corner' }, missing: 'empty',
        pace: { gapMs: 10, jitterMs: 10, perMinute: 100 }, window: { from: '00:00', to: '00:00', zone: 'Europe/Berlin', days: ['mon', 2, 3, 4, 5, 6, 7] },
        recipients: [{ phone: p.them.phone, name: 'Bob' }, `+${p.them.phone}`, 'nobody', { to: 'x@newsletter' }, { to: '15550000001', variables: [] }] });
    assert.equal(answer.status, 201, answer.text);
    const { result } = answer.json;
    assert.deepEqual([result.accepted, result.duplicates, result.rejected.map((r) => r.index)], [1, 1, [2, 3, 4]]);
    assert.deepEqual([result.type, result.content.message, result.content.to], ['text', 'Hello {{name|friend}} from {{shop}}', undefined]);
    const message = await p.bob.waitMessage((m) => JSON.stringify(m.message).includes('from Corner'));
    assert.match(JSON.stringify(message.message), /Hello Bob from Corner/);
    const done = await wanted(result.campaignId, 'done');
    assert.equal(done.progress.total, 1);
    const read = await until(async () => {
        const { json } = await api('GET', `/${result.campaignId}/recipients?state=delivered`);
        return json.result.items[0];
    }, 'the receipt');
    assert.deepEqual([read.toJid, read.messageId, read.variables], [`${p.them.phone}@s.whatsapp.net`, message.key.id, { name: 'Bob' }]);
});

test('a draft is filled, changed, started and deleted by its routes', { skip }, async () => {
    const made = await create({ type: 'poll', draft: true, content: { question: 'Tea, {{name}}?', options: ['yes', 'no'] } });
    assert.equal(made.status, 201, made.text);
    const id = made.json.result.campaignId;
    refused(await api('POST', `/${id}/start`), 409, 2003, 'The campaign has no recipients');
    assert.equal((await api('POST', `/${id}/recipients`, { recipients: [{ to: p.them.phone, name: 'Bob' }] })).json.result.accepted, 1);
    assert.equal((await api('PATCH', `/${id}`, { name: 'other', window: null })).json.result.name, 'other');
    assert.equal((await api('POST', `/${id}/start`)).json.result.state, 'running');
    const message = await p.bob.waitMessage((m) => JSON.stringify(m.message).includes('Tea, Bob?'));
    assert.ok(message);
    await wanted(id, 'done');
    refused(await api('POST', `/${id}/pause`), 409, 2003, 'Only a running campaign can be paused');
    assert.ok((await api('GET', '?state=done&limit=1')).json.result.items.length);
    assert.equal((await api('DELETE', `/${id}`)).json.result.deleted, true);
    refused(await api('GET', `/${id}`), 404, 2600, 'Campaign not found');
});

const bytesOf = (n, head) => Buffer.concat([Buffer.from(head, 'latin1'), crypto.createHash('shake256', { outputLength: n }).update(String(n)).digest()]);
const uri = (type, bytes) => `data:${type};base64,${bytes.toString('base64')}`;

// The message with this text anywhere, and the bytes of its file, which must be those.
async function arrived(peer, name, text, bytes) {
    const message = await peer.waitMessage((m) => JSON.stringify(m.message ?? {}).includes(text));
    const part = normalizeMessageContent(message.message)[name];
    const plain = await downloadMediaMessage(message, 'buffer', {});
    assert.ok(plain.equals(bytes), `${name}: ${plain.length} bytes of ${bytes.length}`);
    assert.deepEqual(Buffer.from(part.fileSha256), crypto.createHash('sha256').update(bytes).digest());
    return part;
}

test('a picture goes up once, and each recipient has it with his own caption', { skip }, async () => {
    const jpeg = bytesOf(30000, '\xff\xd8\xff\xe0'), carl = await p.account('15556000003', { name: 'Carl' }), peer = await p.baileys(carl.phone);
    const uploads = async () => (await p.call('GET', '/events?type=media_uploaded&limit=1000')).events.length, before = await uploads();
    const made = await create({ type: 'media', content: { media: uri('image/jpeg', jpeg), caption: 'Dear {{name}}, {{phone}}' }, missing: 'keep',
        recipients: [{ to: p.them.phone, name: 'Bob' }, { to: carl.phone, name: 'Carl' }] });
    assert.equal(made.status, 201, made.text);
    const { campaignId, content } = made.json.result;
    assert.deepEqual([content.caption, content.input.type, content.input.size, content.media], ['Dear {{name}}, {{phone}}', 'image/jpeg', jpeg.length, undefined]);
    const bobs = await arrived(p.bob, 'imageMessage', 'Dear Bob', jpeg), carls = await arrived(peer, 'imageMessage', 'Dear Carl', jpeg);
    assert.deepEqual([bobs.caption, carls.caption], [`Dear Bob, ${p.them.phone}`, `Dear Carl, ${carl.phone}`]);
    assert.deepEqual([carls.directPath, Buffer.from(carls.mediaKey)], [bobs.directPath, Buffer.from(bobs.mediaKey)]);
    assert.equal((await wanted(campaignId, 'done')).progress.failed, 0);
    assert.equal(await uploads(), before + 1);
});

test('documents come as a part of a form, and out of the storage; the file name has variables, too', { skip }, async () => {
    const pdf = bytesOf(200000, '%PDF-1.7\n'), form = new FormData();
    for (const [name, value] of Object.entries({ sessionId: 'main', name: 'bills', type: 'document', draft: 'true', content: JSON.stringify({ filename: 'Bill {{n}}', caption: 'For {{name}}' }),
        recipients: JSON.stringify([{ to: p.them.phone, name: 'Bob', n: 7 }]) })) form.append(name, value);
    form.append('file', new Blob([pdf], { type: 'application/pdf' }), 'bill.pdf');
    const response = await fetch(`${p.gateway.server.url}/api/v1/campaigns`, { method: 'POST', body: form, headers: { 'x-warest-api-key': adminKey } });
    const draft = (await response.json()).result;
    assert.equal(response.status, 201);
    assert.deepEqual([draft.state, draft.content.input.name], ['draft', 'bill.pdf']);
    const copy = await create({ type: 'document', content: { storageKey: draft.content.input.stored, caption: 'Copy' }, recipients: [p.them.phone] });
    assert.equal(copy.status, 201, copy.text);
    assert.notEqual(copy.json.result.content.input.stored, draft.content.input.stored);
    assert.equal((await arrived(p.bob, 'documentMessage', 'Copy', pdf)).fileName, 'bill.pdf');
    await api('POST', `/${draft.campaignId}/start`);
    const part = await arrived(p.bob, 'documentMessage', 'For Bob', pdf);
    assert.deepEqual([part.fileName, part.mimetype], ['Bill 7.pdf', 'application/pdf']);
    await wanted(draft.campaignId, 'done');
});

test('files that the route would not send are refused when the campaign is made', { skip }, async () => {
    const pdf = bytesOf(2000, '%PDF-1.7\n'), recipients = [p.them.phone];
    refused(await create({ type: 'media', content: { media: uri('application/pdf', pdf) }, recipients }), 415, 2007, 'Unsupported media type for this route');
    refused(await create({ type: 'media', content: { caption: 'x' }, recipients }), 400, 2000, 'Invalid media input');
    refused(await create({ type: 'media', content: { url: 'http://127.0.0.1:1/x' }, recipients }), 400, 2000, 'Invalid media input');
    refused(await create({ type: 'audio', content: { storageKey: 'campaigns/main/no' }, recipients }), 400, 2000, 'Invalid audio input');
    refused(await create({ type: 'document', content: { document: uri('application/pdf', bytesOf(1100000, '%PDF')) }, recipients }), 413, 2011, 'Document too large (limit 1MB)');
    refused(await create({ content: { message: 'x', media: uri('application/pdf', bytesOf(20000, '%PDF')) }, recipients }), 400, 2002,
        'The request brings a file that no content takes');
});

test('what makes no sense is refused', { skip }, async () => {
    const content = { message: 'x' };
    refused(await create({}), 400, 2001, 'content is required');
    refused(await create({ type: 'fax', content }), 400, 2002, 'type is not one that a campaign can send');
    refused(await create({ type: 'files', content: { files: ['data:text/plain;base64,aGk='] } }), 501, 2005, 'A campaign sends each recipient one message, files may be several: send one as media or document');
    refused(await create({ content: {} }), 400, 1100, "Parameter 'message' is required");
    refused(await create({ content, recipients: 'all' }), 400, 2002, 'recipients is a list of phone numbers, JIDs, or objects with to and variables');
    refused(await create({ content, pace: { gapMs: -1 } }), 400, 2002, 'pace is an object with gapMs, jitterMs, perMinute, perHour');
    refused(await create({ content, window: { from: '25:00', to: '1' } }), 400, 2002,
        'window is an object with from and to as HH:MM, zone, and days as mon..sun or 1..7');
    refused(await create({ content, variables: { a: {} } }), 400, 2002, 'variables is an object of texts, numbers and booleans');
    refused(await p.gateway.api('POST', '/campaigns', { body: { sessionId: 'other', content } }), 404, 1101, 'Session not found');
});
