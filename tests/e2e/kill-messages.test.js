// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a crash of the daemon loses a message, sends one twice, hides one from the webhook, or breaks a conversation's keys.
//
// The daemon is killed with SIGKILL at random points while texts go both ways. Judges are others: the simulator's book of what phones
// decrypted, and the receiver's record. KILL_MESSAGES (each way), KILL_TIMES, KILL_SEED change size and course; the seed is printed.
// KILL_HOW=power takes the power away instead (power-loss.test.js).
import assert from 'node:assert';
import { test } from 'node:test';
import { Gateway, PowerlessGateway, Receiver, until } from './lib/gateway.js';

const SLOW = /asan|tsan/.test(process.env.WAREST_BUILD_MODE ?? '');
const COUNT = Number(process.env.KILL_MESSAGES ?? (SLOW ? 100 : 1000));
const TIMES = Number(process.env.KILL_TIMES ?? (SLOW ? 3 : 8));
const SEED = Number(process.env.KILL_SEED ?? Date.now() % 1000000);
const POWER = process.env.KILL_HOW === 'power';
const SECRET = 'a-good-secret';
const SHOP = '15550001111', BOB = '15550002222', CAROL = '15550003333';

// mulberry32: the same seed, the same kills.
function random(seed) {
	let a = seed >>> 0;
	return () => {
		a = (a + 0x6d2b79f5) >>> 0;
		let t = Math.imul(a ^ (a >>> 15), a | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

// Calls back after a random time; the daemon may then be anywhere between reading a stanza and answering for it.
function pause(ms) {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

async function sendAll(gateway, recipients, progress) {
	let next = 0;
	const ids = new Map();
	const worker = async () => {
		while (next < COUNT) {
			const n = next++;
			const text = `out ${n}`;
			const answer = await gateway.persist('messages.send.text', { session: 'shop', family: 'messages', idem: `out-${n}`,
				p: { to: [`${recipients[n % recipients.length]}@s.whatsapp.net`], message: text } });
			ids.set(text, answer.result[0].messageId);
			progress.sent++;
		}
	};
	await Promise.all(Array.from({ length: 16 }, worker));
	return ids;
}

async function receiveAll(gateway, progress) {
	for (let n = 0; n < COUNT; n += 10) {
		await Promise.all(Array.from({ length: Math.min(10, COUNT - n) }, async (_, i) => {
			await gateway.control(`/accounts/${(n + i) % 2 ? BOB : CAROL}/send`, { to: SHOP, text: `in ${n + i}` });
			progress.arrived++;
		}));
		await pause(20);
	}
}

// Nothing lost, nothing under two ids, ids as answered.
function judgeOutgoing(book, ids) {
	const seen = new Map();
	for (const { id, arrivals } of book) {
		for (const { text } of arrivals) {
			if (!text?.startsWith('out '))
				continue;
			assert.ok(!seen.has(text) || seen.get(text) === id, `${text} arrived under two ids: ${seen.get(text)} and ${id}`);
			seen.set(text, id);
		}
	}
	for (const [text, id] of ids)
		assert.equal(seen.get(text), id, text);
	assert.equal(seen.size, COUNT);
}

function judgeWebhooks(events) {
	const ids = new Map(), byChat = new Map();
	for (const e of events.filter((x) => x.event === 'message_received')) {
		const { text } = e.data;
		if (!text.startsWith('in '))
			continue;
		assert.ok(!ids.has(text) || ids.get(text) === e.id, `${text} came under two event ids`);
		if (!ids.has(text)) {
			const chat = e.data.message.key.remoteJid;
			byChat.set(chat, [...(byChat.get(chat) ?? []), text]);
		}
		ids.set(text, e.id);
	}
	const missing = Array.from({ length: COUNT }, (_, n) => `in ${n}`).filter((text) => !ids.has(text));
	assert.deepEqual(missing, []);
	assert.equal(new Set(ids.values()).size, COUNT, 'one event id, one message');
	return byChat;
}

test(`${POWER ? 'power lost' : 'kill -9'} at ${TIMES} random points while ${COUNT} texts go each way (seed ${SEED})`, async (t) => {
	const gateway = await (POWER ? PowerlessGateway : Gateway).start({ wasim: { logStanzas: false } });
	const receiver = new Receiver(SECRET);
	const chance = random(SEED);
	try {
		await receiver.listen();
		await gateway.account(SHOP, 'Shop');
		await gateway.account(BOB, 'Bob', { companions: 1 });
		await gateway.account(CAROL, 'Carol');
		await gateway.link('shop', SHOP);
		await gateway.call('session.config', { session: 'shop', p: { webhookUrl: receiver.url, webhookSecret: SECRET } });
		await gateway.control('/book', {});
		// A slow receiver keeps deliveries in flight when the kill comes.
		receiver.behave = async () => { await pause(chance() * 5); return chance() < 0.02 ? 500 : 200; };

		const progress = { sent: 0, arrived: 0 };
		const outgoing = sendAll(gateway, [BOB, CAROL], progress);
		const incoming = receiveAll(gateway, progress);
		for (let k = 1; k <= TIMES; k++) {
			const due = Math.floor((COUNT * 2 * (k - 1 + chance())) / (TIMES + 0.5));
			await until(() => progress.sent + progress.arrived >= due || progress.sent === COUNT);
			await pause(chance() * 30);
			assert.equal((await gateway.restart()).signal, 'SIGKILL');
		}
		const ids = await outgoing;
		await incoming;
		await gateway.open('shop');
		await receiver.until((events) => new Set(events.filter((e) => e.data.text?.startsWith?.('in ')).map((e) => e.data.text)).size === COUNT);
		await until(async () => {
			const { book } = await gateway.control('/book');
			return new Set(book.flatMap((b) => b.arrivals.map((a) => a.text)).filter((x) => x?.startsWith('out '))).size >= COUNT;
		});

		judgeOutgoing((await gateway.control('/book')).book, ids);
		judgeWebhooks(receiver.events);
		assert.equal(receiver.bad, 0);

		// The ratchets are intact: one more each way, and nobody had to ask again for it.
		receiver.behave = () => 200;
		await gateway.persist('messages.send.text', { session: 'shop', family: 'messages', idem: 'last', p: { to: [`${BOB}@s.whatsapp.net`], message: 'last out' } });
		const inbox = await gateway.control(`/accounts/${BOB}/inbox?text=last%20out&wait=20000`);
		assert.equal(inbox.messages.length, 1);
		assert.equal(inbox.messages[0].errors.length ?? inbox.messages[0].errors, 0);
		await gateway.control(`/accounts/${BOB}/send`, { to: SHOP, text: 'last in' });
		await receiver.until((events) => events.some((e) => e.data.text === 'last in'));
		const violations = await gateway.violations();
		assert.deepEqual(violations, []);
		t.diagnostic(`${gateway.starts} starts, ${receiver.events.length} webhook deliveries`);
	} catch (error) {
		t.diagnostic(gateway.log.slice(-4000));
		throw error;
	} finally {
		receiver.close();
		await gateway.stop();
	}
});
