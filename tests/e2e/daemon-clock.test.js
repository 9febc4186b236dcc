// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a server whose clock is set back (by hand, NTP, a resumed machine) stops delivering, doubles messages or forgets keys.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fs from 'node:fs';
import path from 'node:path';
import { BUILD, Gateway, Receiver, until } from './lib/gateway.js';

const SECRET = 'a-good-secret';
const SHOP = '15551110001', BOB = '15551110002';
const HOUR = 3600000;
// The shim stands in front of the sanitizers' own clock functions, which are not ready for it when the process starts.
const skip = /asan|tsan/.test(process.env.WAREST_BUILD_MODE ?? '') && 'the clock cannot be shifted in this build';

class ShiftedGateway extends Gateway {
	get file() { return path.join(this.dir, 'clock'); }

	environment() { return { ...super.environment(), LD_PRELOAD: path.join(BUILD, 'clockshim.so'), CLOCK_SHIM: this.file }; }

	// The daemon's wall clock from now on, in milliseconds off the real one.
	shift(ms) {
		fs.writeFileSync(`${this.file}.new`, `${ms}\n`);
		fs.renameSync(`${this.file}.new`, this.file);
	}
}

function sendText(gateway, message, idem) {
	return gateway.call('messages.send.text', { session: 'shop', family: 'messages', idem, p: { to: [`${BOB}@s.whatsapp.net`], message } });
}

async function arrives(gateway, text) {
	const { messages } = await gateway.control(`/accounts/${BOB}/inbox?text=${encodeURIComponent(text)}&wait=60000`);
	assert.equal(messages.length, 1, text);
	return messages[0];
}

function received(receiver, text) {
	return receiver.until((events) => events.some((e) => e.data.text === text));
}

test('the clock is set back by three hours, the daemon restarts, the clock is set right again', { skip }, async () => {
	const gateway = await ShiftedGateway.start();
	const receiver = new Receiver(SECRET);
	const said = (text) => gateway.control(`/accounts/${BOB}/send`, { to: SHOP, text });
	try {
		await receiver.listen();
		await gateway.account(SHOP, 'Shop');
		await gateway.account(BOB, 'Bob');
		await gateway.link('shop', SHOP);
		await gateway.call('session.config', { session: 'shop', p: { webhookUrl: receiver.url, webhookSecret: SECRET } });
		const before = await sendText(gateway, 'before', 'key-before');
		assert.equal(before.status, 200);

		// Back while an event waits for a receiver in trouble: its pause is not three hours longer.
		let refused = 0;
		receiver.behave = () => { refused++; return 503; };
		await said('waits for the receiver');
		await until(() => refused >= 1);
		gateway.shift(-3 * HOUR);
		receiver.behave = () => 200;
		await received(receiver, 'waits for the receiver');

		// Both ways, in order, under other ids; a repeated request is still known.
		for (const text of ['back 1', 'back 2', 'back 3']) {
			assert.equal((await sendText(gateway, text)).status, 200);
			await arrives(gateway, text);
			await said(`in ${text}`);
			await received(receiver, `in ${text}`);
		}
		const again = await sendText(gateway, 'before', 'key-before');
		assert.equal(again.result[0].messageId, before.result[0].messageId);
		await arrives(gateway, 'before');

		// A process that starts in the past: rows of the "future" do not keep it, nor do their numbers come again.
		await gateway.restart('SIGKILL');
		await gateway.open('shop');
		assert.equal((await sendText(gateway, 'after the restart')).status, 200);
		await arrives(gateway, 'after the restart');
		await said('in after the restart');
		await received(receiver, 'in after the restart');
		assert.equal((await sendText(gateway, 'before', 'key-before')).result[0].messageId, before.result[0].messageId);

		gateway.shift(0);
		assert.equal((await sendText(gateway, 'right again')).status, 200);
		await arrives(gateway, 'right again');
		await said('in right again');
		await received(receiver, 'in right again');
		await gateway.restart('SIGTERM');
		await gateway.open('shop');
		assert.equal((await sendText(gateway, 'at last')).status, 200);
		await arrives(gateway, 'at last');

		const messages = receiver.events.filter((e) => e.event === 'message_received');
		assert.deepEqual([...new Set(messages.map((e) => e.data.text))], ['waits for the receiver', 'in back 1', 'in back 2', 'in back 3', 'in after the restart', 'in right again']);
		assert.equal(new Set(messages.map((e) => e.id)).size, 6, 'one event id, one message');
		assert.deepEqual(await gateway.violations(), []);
	} finally {
		receiver.close();
		await gateway.stop();
	}
});
