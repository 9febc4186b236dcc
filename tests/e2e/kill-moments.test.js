// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a crash at a bad moment (while the backlog comes in, while a phone is being linked, while a receiver is down, at an
// ordinary restart) loses or doubles something, or leaves a session that nobody can use.
import assert from 'node:assert';
import { test } from 'node:test';
import { Gateway, Receiver, until } from './lib/gateway.js';

const SLOW = /asan|tsan/.test(process.env.WAREST_BUILD_MODE ?? '');
const SECRET = 'a-good-secret';
const SHOP = '15550001111', BOB = '15550002222', CAROL = '15550003333';
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function withGateway(work, settings) {
	const gateway = await Gateway.start(settings);
	const receiver = new Receiver(SECRET);
	try {
		await receiver.listen();
		await work(gateway, receiver);
		assert.deepEqual(await gateway.violations(), []);
		assert.equal(receiver.bad, 0);
	} catch (error) {
		error.message += `\n${gateway.log.slice(-3000)}`;
		throw error;
	} finally {
		receiver.close();
		await gateway.stop();
	}
}

async function linkedShop(gateway, receiver) {
	await gateway.account(SHOP, 'Shop');
	await gateway.account(BOB, 'Bob');
	await gateway.account(CAROL, 'Carol');
	await gateway.link('shop', SHOP);
	await gateway.call('session.config', { session: 'shop', p: { webhookUrl: receiver.url, webhookSecret: SECRET } });
}

const texts = (receiver) => receiver.events.filter((e) => e.event === 'message_received' && !e.data.message.messageStubType);

// Every text once or more, always under the same event id; a chat's texts in the order they were sent in.
function assertAll(receiver, expected) {
	const ids = new Map(), order = [];
	for (const e of texts(receiver)) {
		assert.ok(!ids.has(e.data.text) || ids.get(e.data.text) === e.id, `${e.data.text} came under two event ids`);
		if (!ids.has(e.data.text))
			order.push(e.data.text);
		ids.set(e.data.text, e.id);
	}
	assert.equal(new Set(ids.values()).size, ids.size);
	for (const chat of expected)
		assert.deepEqual(order.filter((text) => chat.includes(text)), chat);
}

test('killed again and again while the backlog comes in', async () => withGateway(async (gateway, receiver) => {
	const count = SLOW ? 60 : 300;
	await linkedShop(gateway, receiver);
	await gateway.kill();
	const sent = { [BOB]: [], [CAROL]: [] };
	for (let n = 0; n < count; n++) {
		const from = n % 3 ? BOB : CAROL;
		await gateway.control(`/accounts/${from}/send`, { to: SHOP, text: `backlog ${n}` });
		sent[from].push(`backlog ${n}`);
	}
	for (let k = 0; k < 6; k++) {
		await gateway.startDaemon();
		const before = receiver.events.length;
		await until(() => receiver.events.length > before || receiver.events.length >= count);
		await pause(Math.random() * 120);
		await gateway.kill();
	}
	await gateway.startDaemon();
	await receiver.until(() => new Set(texts(receiver).map((e) => e.data.text)).size === count);
	assertAll(receiver, Object.values(sent));
}));

test('killed while a phone is being linked: the session is usable afterwards', async () => withGateway(async (gateway, receiver) => {
	await gateway.account(BOB, 'Bob');
	for (let k = 0; k < (SLOW ? 3 : 8); k++) {
		const id = `pairing${k}`, phone = `1555100000${k}`;
		await gateway.account(phone, `Phone ${k}`);
		const qr = await until(async () => (await gateway.call('session.create', { session: id, family: 'session-create' })).result?.qrString);
		const scan = gateway.control(`/accounts/${phone}/scan`, { qr }).catch(() => null);
		await pause(Math.random() * 150);
		await gateway.restart();
		await scan;
		// Either the link is stored and the session opens by itself, or it is not and a new code is shown.
		let tried = '';
		await until(async () => {
			if ((await gateway.state(id)) === 'open')
				return true;
			const fresh = (await gateway.call('session.create', { session: id, family: 'session-create' })).result?.qrString;
			if (fresh && fresh !== tried) {
				tried = fresh;
				await gateway.control(`/accounts/${phone}/scan`, { qr: fresh }).catch(() => null);
			}
			return false;
		});
		const answer = await gateway.persist('messages.send.text', { session: id, family: 'messages', idem: `hello-${k}`,
			p: { to: [`${BOB}@s.whatsapp.net`], message: `hello ${k}` } });
		const inbox = await gateway.control(`/accounts/${BOB}/inbox?text=hello%20${k}&wait=20000`);
		assert.deepEqual(inbox.messages.map((m) => m.id), [answer.result[0].messageId]);
	}
	void receiver;
}));

test('killed while the receiver is down: everything is delivered when it is back', async () => withGateway(async (gateway, receiver) => {
	await linkedShop(gateway, receiver);
	receiver.behave = () => 503;
	const sent = [];
	for (let n = 0; n < 20; n++) {
		await gateway.control(`/accounts/${BOB}/send`, { to: SHOP, text: `held ${n}` });
		sent.push(`held ${n}`);
		if (n % 7 === 6)
			await gateway.restart();
	}
	await gateway.open('shop');
	await gateway.control(`/accounts/${BOB}/receipts?type=delivery&wait=1`).catch(() => null);
	receiver.behave = () => 200;
	await until(async () => {
		await gateway.call('ctl.webhook.resume', { auth: 'none', session: 'shop', p: { id: 'shop' } }).catch(() => null);
		return new Set(texts(receiver).map((e) => e.data.text)).size === sent.length;
	});
	assertAll(receiver, [sent]);
}, { WAREST_WEBHOOK_RETRIES: '0' }));

test('ordinary restarts under load: nothing is lost, nothing comes under two ids', async () => withGateway(async (gateway, receiver) => {
	const count = SLOW ? 40 : 150;
	await linkedShop(gateway, receiver);
	await gateway.control('/book', {});
	let next = 0, done = 0;
	const ids = new Map();
	const workers = Promise.all(Array.from({ length: 8 }, async () => {
		while (next < count) {
			const n = next++;
			const answer = await gateway.persist('messages.send.text', { session: 'shop', family: 'messages', idem: `load-${n}`,
				p: { to: [`${BOB}@s.whatsapp.net`], message: `load ${n}` } });
			ids.set(`load ${n}`, answer.result[0].messageId);
			done++;
		}
	}));
	for (let k = 1; k <= 3; k++) {
		await until(() => done >= (count * k) / 5);
		assert.deepEqual(await gateway.restart('SIGTERM'), { code: 0, signal: null });
	}
	await workers;
	const arrived = await until(async () => {
		const { book } = await gateway.control('/book');
		const list = book.flatMap(({ id, arrivals }) => arrivals.filter((a) => a.text?.startsWith('load ')).map((a) => [a.text, id]));
		return new Set(list.map(([text]) => text)).size === count && list;
	});
	for (const [text, id] of arrived)
		assert.equal(id, ids.get(text), text);
}));

test('killed while texts to a group go out and come in: nothing is lost or doubled, the sender keys go on', async () => withGateway(async (gateway, receiver) => {
	const count = SLOW ? 30 : 80;
	await linkedShop(gateway, receiver);
	const { jid } = await gateway.control('/groups', { creator: BOB, members: [SHOP, CAROL], addressing: 'lid', subject: 'Us' });
	await gateway.control('/book', {});
	const send = async (text) => (await gateway.persist('messages.send.text', { session: 'shop', family: 'messages', idem: text,
		p: { to: [jid], message: text } })).result[0].messageId;
	const ids = new Map(), sent = { [BOB]: [], [CAROL]: [] };
	let next = 0;
	const outgoing = Promise.all(Array.from({ length: 4 }, async () => {
		while (next < count) {
			const text = `out ${next++}`;
			ids.set(text, await send(text));
		}
	}));
	const incoming = (async () => {
		for (let n = 0; n < count; n++) {
			const from = n % 2 ? BOB : CAROL;
			await gateway.control(`/accounts/${from}/send`, { to: jid, text: `in ${n}` });
			sent[from].push(`in ${n}`);
			await until(() => ids.size >= Math.min(n - 10, count));
		}
	})();
	for (let k = 0; k < 4; k++) {
		await until(() => ids.size >= (count * k) / 4);
		await pause(Math.random() * 60);
		await gateway.restart();
	}
	await Promise.all([outgoing, incoming]);
	await receiver.until(() => new Set(texts(receiver).map((e) => e.data.text)).size === count);
	assertAll(receiver, Object.values(sent));

	// Neither side has to ask again for the next ones, nobody is given our key anew.
	const last = await send('last out');
	ids.set('last out', last);
	for (const phone of [BOB, CAROL]) {
		const { messages } = await gateway.control(`/accounts/${phone}/inbox?id=${last}&wait=30000`);
		assert.deepEqual(messages.map((m) => [m.text, m.plaintexts, m.retries]), [['last out', 1, 0]]);
	}
	const { stanzas: [{ stanza }] } = await gateway.control(`/stanzas?tag=message&id=${last}`);
	assert.deepEqual(stanza.content.map((child) => child.tag).filter((tag) => tag === 'participants'), []);
	await gateway.control(`/accounts/${BOB}/send`, { to: jid, text: 'last in' });
	await receiver.until(() => texts(receiver).some((e) => e.data.text === 'last in'));
	for (const phone of [BOB, CAROL]) {
		const { failures, resent } = await gateway.control(`/accounts/${phone}/stats`);
		assert.deepEqual([failures, resent], [0, 0], phone);
	}
	const { book } = await gateway.control('/book');
	for (const phone of [BOB, CAROL]) {
		const seen = new Map();
		for (const { id, arrivals } of book)
			for (const { text } of arrivals.filter((a) => a.device.startsWith(phone) && ids.has(a.text)))
				assert.equal(seen.set(text, id).get(text), ids.get(text), text);
		assert.equal(seen.size, ids.size, phone);
	}
}));
