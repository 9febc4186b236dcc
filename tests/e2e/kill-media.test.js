// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a crash of the daemon while a file is fetched or uploaded sends the file twice, loses a request that is repeated, or
// leaves the file on the disk.
import assert from 'node:assert';
import crypto from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { Gateway, until } from './lib/gateway.js';

const SHOP = '15550001111', BOB = '15550002222';
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
	await gateway.link('shop', SHOP);
	const state = path.join(gateway.dir, 'state');
	const before = readdirSync(state).filter((n) => !n.startsWith('warest.sqlite'));
	let n = 0;
	for (const [name, moment] of Object.entries(MOMENTS))
		await t.test(name, async () => {
			const request = { session: 'shop', family: 'messages', idem: `file-${++n}`,
				p: { to: [`${BOB}@s.whatsapp.net`], filename: `file-${n}.pdf`, input: { url: `http://127.0.0.1:${files.address().port}/${n}` } } };
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
			const id = answer.result[0].messageId;
			const { messages } = await gateway.control(`/accounts/${BOB}/inbox?id=${id}&wait=30000`);
			assert.equal(messages[0].plaintexts, 1);
			assert.equal(messages[0].message.documentMessage.fileName, `file-${n}.pdf`);
			const all = (await gateway.control(`/accounts/${BOB}/inbox`)).messages;
			assert.equal(new Set(all.map((m) => m.id)).size, n, 'one message for each request');
			assert.deepEqual(readdirSync(state).filter((f) => !f.startsWith('warest.sqlite')), before, 'nothing is left on the disk');
		});
	assert.deepEqual((await gateway.violations()).map((v) => `${v.rule}: ${v.text}`), []);
	files.closeAllConnections();
	files.close();
	await gateway.stop();
});
