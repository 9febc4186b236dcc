// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, campaigns made over REST do not arrive at real WhatsApp clients as they were written, or wrong ones are taken.
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { endProcessSoon } from './baileys-peer.js';
import { isInstalled } from '../e2e/lib/web.js';
import { Parties, until } from './gateway-parties.js';

const skip = !isInstalled('lighttpd') && 'lighttpd is not installed';
let p;

before(async () => {
    if (!skip) p = await Parties.start('lighttpd', {});
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

test('what makes no sense is refused', { skip }, async () => {
    const content = { message: 'x' };
    refused(await create({}), 400, 2001, 'content is required');
    refused(await create({ type: 'fax', content }), 400, 2002, 'type is not one that a campaign can send');
    refused(await create({ content: {} }), 400, 1100, "Parameter 'message' is required");
    refused(await create({ content, recipients: 'all' }), 400, 2002, 'recipients is a list of phone numbers, JIDs, or objects with to and variables');
    refused(await create({ content, pace: { gapMs: -1 } }), 400, 2002, 'pace is an object with gapMs, jitterMs, perMinute, perHour');
    refused(await create({ content, window: { from: '25:00', to: '1' } }), 400, 2002,
        'window is an object with from and to as HH:MM, zone, and days as mon..sun or 1..7');
    refused(await create({ content, variables: { a: {} } }), 400, 2002, 'variables is an object of texts, numbers and booleans');
    refused(await p.gateway.api('POST', '/campaigns', { body: { sessionId: 'other', content } }), 404, 1101, 'Session not found');
});
