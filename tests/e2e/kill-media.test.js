// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a crash of the daemon while a file is fetched or uploaded sends the file twice (to a person or a group), loses a request
// that is repeated, or leaves the file on the disk; or an upload that WhatsApp's server breaks off is not taken up again.
import assert from 'node:assert';
import crypto from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { Gateway, until } from './lib/gateway.js';

const SHOP = '15550001111', BOB = '15550002222', CAROL = '15550003333';
const FILE = crypto.createHash('shake256', { outputLength: 6 << 20 }).update('a file').digest();

// The moments: what the simulator or the file server saw last when the daemon dies.
const MOMENTS = {
	'while the file is fetched': { stalled: true, seen: 'fetch' },
	'before a byte of the upload': { seen: 'media_request' },
	'when the media server has the file, but has not said so': { fault: { on: 'upload', slow_ms: 60000 }, seen: 'media_uploaded' },
	'in the middle of the upload': { fault: { on: 'upload', cut: 3 << 20, times: 0 }, seen: 'media_request' },
	'when the message was sent': { seen: 'message' }
};

test('a file is sent once or not at all, wherever the daemon dies', { timeout: 300000 }, async (t) => {
	let stall = false, fetches = 0;
	const files = http.createServer((request, response) => {
		response.writeHead(200, { 'content-type': 'application/pdf', 'content-length': FILE.length });
		response.write(FILE.subarray(0, 1 << 20));
		fetches++;
		if (!stall)
			response.end(FILE.subarray(1 << 20));
	});
	files.listen(0, '127.0.0.1');
	await once(files, 'listening');
	const gateway = await Gateway.start({ wasim: { tls: true } });
	await gateway.account(SHOP, 'Shop');
	await gateway.account(BOB, 'Bob');
	await gateway.account(CAROL, 'Carol', { companions: 1 });
	await gateway.link('shop', SHOP);
	const { jid: group } = await gateway.control('/groups', { creator: BOB, members: [SHOP, CAROL], addressing: 'lid', subject: 'Us' });
	const state = path.join(gateway.dir, 'state');
	const before = readdirSync(state).filter((n) => !n.startsWith('warest.sqlite'));
	let n = 0;
	for (const [name, moment] of Object.entries(MOMENTS))
		await t.test(name, async () => {
			const request = { session: 'shop', family: 'messages', idem: `file-${++n}`,
				p: { to: [`${BOB}@s.whatsapp.net`, group], filename: `file-${n}.pdf`, input: { url: `http://127.0.0.1:${files.address().port}/${n}` } } };
			const { last } = await gateway.control('/events?limit=1');
			const fetched = fetches;
			stall = moment.stalled ?? false;
			if (moment.fault)
				await gateway.control('/media/faults', moment.fault);
			const lost = gateway.call('messages.send.document', request).catch(() => null);
			if (moment.seen === 'fetch')
				await until(() => fetches > fetched);
			else
				await until(async () => (await gateway.control(`/events?type=${moment.seen}&after=${last}&wait=20000`)).events.length > 0);
			await gateway.restart();
			await lost;
			stall = false;
			await gateway.control('/media/faults', undefined, 'DELETE');
			await gateway.open('shop');
			const answer = await gateway.persist('messages.send.document', request);
			assert.equal(answer.result[0].status, 'document pdf success');
			const [direct, inGroup] = answer.result.map((r) => r.messageId);
			for (const [phone, device, id] of [[BOB, 0, direct], [BOB, 0, inGroup], [CAROL, 0, inGroup], [CAROL, 1, inGroup]]) {
				const { messages } = await gateway.control(`/accounts/${phone}/inbox?device=${device}&id=${id}&wait=30000`);
				assert.deepEqual([messages[0].copies, messages[0].errors], [messages[0].plaintexts, []], 'nothing was decrypted twice');
				assert.equal(messages[0].message.documentMessage.fileName, `file-${n}.pdf`);
			}
			const all = (await gateway.control(`/accounts/${BOB}/inbox`)).messages;
			assert.equal(new Set(all.map((m) => m.id)).size, 2 * n, 'one message for each request and recipient');
			assert.deepEqual(readdirSync(state).filter((f) => !f.startsWith('warest.sqlite')), before, 'nothing is left on the disk');
		});
	await t.test('broken off by the server at any byte: taken up there, or begun anew', async () => {
		const blob = FILE.length + (16 - FILE.length % 16) + 10;
		let { last } = await gateway.control('/events?limit=1');
		for (const [i, cut] of [0, 1, 65535, 5 << 20, blob - 11, blob - 1].entries()) {
			await gateway.control('/media/faults', { on: 'upload', cut, times: 1 });
			const answer = await gateway.persist('messages.send.document', { session: 'shop', family: 'messages', idem: `cut-${i}`,
				p: { to: [`${BOB}@s.whatsapp.net`], filename: `cut-${i}.pdf`, input: { url: `http://127.0.0.1:${files.address().port}/cut` } } });
			const { messages } = await gateway.control(`/accounts/${BOB}/inbox?id=${answer.result[0].messageId}&wait=30000`);
			const { fileSha256 } = messages[0].message.documentMessage;
			assert.equal(fileSha256, crypto.createHash('sha256').update(FILE).digest('base64'));
			// The simulator refuses what does not go on where it stopped, and what is not what its name says.
			const { events } = await gateway.control(`/events?type=media_uploaded&after=${last}&wait=20000`);
			assert.deepEqual(events.map((e) => e.size), [blob], `cut at ${cut}`);
			({ last } = await gateway.control('/events?limit=1'));
		}
		const { requests } = await gateway.control('/media');
		assert.ok(requests.some((r) => Number(r.query.file_offset) >= 5 << 20), 'some were taken up where they had stopped');
		assert.deepEqual(readdirSync(state).filter((f) => !f.startsWith('warest.sqlite')), before, 'nothing is left on the disk');
	});
	assert.deepEqual((await gateway.violations()).map((v) => `${v.rule}: ${v.text}`), []);
	files.closeAllConnections();
	files.close();
	await gateway.stop();
});
