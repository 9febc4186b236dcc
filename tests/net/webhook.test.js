// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, users lose events, get them out of order or under new ids, or their receiver's address vanishes after a bad minute.
import assert from 'node:assert';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { spawn } from 'node:child_process';
import { test, after } from 'node:test';
import { once, EventEmitter } from 'node:events';
import http2 from 'node:http2';
import { listen, build, makeCertificates } from './lab.js';

const SECRET = 'a-good-secret';
const cleanups = [];
after(async () => {
	for (const f of cleanups.reverse())
		await f();
});

// A receiver: behave(request, n) answers a status, an object {status, headers}, a promise of one, or 'hang'.
class Receiver extends EventEmitter {
	constructor() {
		super();
		this.got = [];
		this.behave = () => 200;
		this.held = [];
		this.server = http.createServer((req, res) => {
			let body = '';
			req.setEncoding('utf8');
			req.on('data', (d) => { body += d; });
			req.on('end', async () => {
				const r = { headers: req.headers, body, json: JSON.parse(body), url: req.url, method: req.method, id: req.headers['x-warest-event-id'] };
				r.text = r.json.data.text;
				r.chat = r.json.data.chat;
				this.got.push(r);
				const b = await this.behave(r, this.got.length);
				r.answer = typeof b === 'number' ? { status: b } : b;
				if (b === 'hang') {
					this.held.push(res);
				} else {
					res.writeHead(r.answer.status, r.answer.headers);
					res.end('{"ok":true}');
				}
				this.emit('request', r);
			});
		});
		cleanups.push(() => this.close());
	}
	async open(port) {
		if (port) {
			this.server.listen(port, '127.0.0.1');
			await once(this.server, 'listening');
		} else {
			this.port = await listen(this.server);
		}
		this.url = `http://127.0.0.1:${this.port}/hook`;
		return this;
	}
	close() {
		this.server.closeAllConnections();
		this.server.close();
	}
	async until(condition) {
		while (!condition(this.got))
			await once(this, 'request');
	}
	accepted() { return this.got.filter((r) => r.answer && r.answer.status < 300); }
}

class Hooks {
	constructor(dir, ...args) {
		this.dir = dir || fs.mkdtempSync(path.join(os.tmpdir(), 'warest-hook-'));
		if (!dir)
			cleanups.push(() => fs.rmSync(this.dir, { recursive: true, force: true }));
		this.child = spawn(path.join(build, 'hookprobe'), [...args, path.join(this.dir, 'db')], { stdio: ['pipe', 'pipe', 'pipe'] });
		this.stderr = '';
		this.child.stderr.on('data', (d) => { this.stderr += d; });
		this.child.stdin.on('error', () => {});
		this.queue = [];
		this.waiting = [];
		readline.createInterface({ input: this.child.stdout }).on('line', (l) => {
			const e = JSON.parse(l);
			const w = this.waiting.shift();
			if (w)
				w(e);
			else
				this.queue.push(e);
		});
		this.exited = once(this.child, 'exit');
		cleanups.push(() => { this.child.kill('SIGKILL'); });
	}
	async next(name) {
		const e = this.queue.length ? this.queue.shift() : await new Promise((r) => this.waiting.push(r));
		assert.equal(e.event, name, JSON.stringify(e) + this.stderr);
		return e;
	}
	async do(line, answer) {
		this.child.stdin.write(line + '\n');
		return answer ? this.next(answer) : null;
	}
	async status(id = 'sales') { return this.do(`status ${id}`, 'status'); }
	async statusIs(check, id = 'sales') {
		for (;;) {
			const s = await this.status(id);
			if (check(s))
				return s;
			await new Promise(setImmediate);
		}
	}
	async stop() {
		this.child.stdin.write('stop\n');
		const [code, signal] = await this.exited;
		assert.deepEqual([code, signal], [0, null], this.stderr);
	}
	async kill() {
		this.child.kill('SIGKILL');
		await this.exited;
	}
}

async function hooks(dir, ...args) {
	const h = new Hooks(dir, ...args);
	await h.next('ready');
	return h;
}

function assertSigned(r, secret = SECRET, bits = 256) {
	const mac = crypto.createHmac(`sha${bits}`, secret + (r.headers['x-warest-username'] || '')).update(r.body).digest('hex');
	assert.equal(r.headers['x-warest-signature'], `HMAC-SHA${bits}=${mac}`);
	assert.equal(r.headers['x-warest-signature-alg'], `HMAC-SHA${bits}`);
	assert.equal(r.headers['x-warest-timestamp'], String(r.json.ts));
}

// Every chat's texts in order when repeats are left out, and no event under two ids.
function assertComplete(receiver, chats, perChat) {
	const seen = new Map(), ids = new Map();
	for (const r of receiver.accepted()) {
		const key = `${r.chat}/${r.text}`;
		if (ids.has(key)) {
			assert.equal(ids.get(key), r.id, 'one event, one id');
			continue;
		}
		ids.set(key, r.id);
		const list = seen.get(r.chat) || [];
		list.push(Number(r.text));
		seen.set(r.chat, list);
	}
	assert.equal(new Set(ids.values()).size, ids.size, 'one id, one event');
	assert.equal(seen.size, chats);
	for (const [chat, list] of seen)
		assert.deepEqual(list, [...Array(perChat).keys()], chat);
}

test('events arrive signed, in order per chat, once', async () => {
	const receiver = await new Receiver().open();
	const h = await hooks(null);
	await h.do(`session sales ${receiver.url} ${SECRET}`, 'session');
	await h.do('event sales session_status - opened', 'stored');
	await h.do('events sales 5 100', 'stored');
	await receiver.until((got) => got.length >= 101);
	assert.equal(receiver.got.length, 101);
	receiver.got.forEach((r) => assertSigned(r));
	const first = receiver.got.find((r) => r.headers['x-warest-event'] === 'session_status');
	assert.deepEqual(Object.keys(first.json), ['event', 'data', 'ts', 'session']);
	assert.deepEqual(first.json.session, { id: 'sales', label: 'sales', registry: 'admin', username: 'admin' });
	assert.equal(first.body, JSON.stringify(first.json));
	assert.equal(first.method, 'POST');
	assert.equal(first.headers['content-type'], 'application/json');
	assert.equal(first.headers.accept, 'application/json, text/plain, */*');
	assert.match(first.headers['user-agent'], /^WAREst\/1 \(webhook\) /);
	assert.equal(first.headers['x-warest-delivery-attempt'], '1');
	assert.equal(first.headers['x-warest-version'], '1');
	assert.equal(first.headers['x-warest-session'], 'sales');
	assert.equal(first.headers['x-warest-preflight'], undefined);
	receiver.got = receiver.got.filter((r) => r !== first);
	assertComplete(receiver, 5, 20);
	await h.statusIs((s) => s.cursor === 101 && s.state === 'active');
	await h.stop();
	// Nothing comes twice after a clean stop.
	const again = await hooks(h.dir);
	await again.statusIs((s) => s.state === 'active');
	await again.do('event sales message_received chat0 last', 'stored');
	await receiver.until((got) => got.some((r) => r.text === 'last'));
	assert.equal(receiver.got.length, 101);
	await again.stop();
});

test('a failed attempt is repeated: same body, same signature, same id, counted', async () => {
	const receiver = await new Receiver().open();
	receiver.behave = (r, n) => [500, 429, 599, 200][n - 1] || 200;
	const h = await hooks(null, '-B', '512');
	await h.do(`session sales ${receiver.url} ${SECRET}`, 'session');
	await h.do('event sales message_received a one', 'stored');
	await receiver.until((got) => got.length >= 4);
	const [first] = receiver.got;
	assertSigned(first, SECRET, 512);
	receiver.got.forEach((r, i) => {
		assert.deepEqual([r.body, r.id, r.headers['x-warest-signature']], [first.body, first.id, first.headers['x-warest-signature']]);
		assert.equal(r.headers['x-warest-delivery-attempt'], String(i + 1));
	});
	await h.statusIs((s) => s.failures === 0 && s.failedSince === 0 && s.state === 'active');
	await h.stop();
});

test('a chat that waits does not hold up the others', async () => {
	const receiver = await new Receiver().open();
	receiver.behave = (r) => (r.chat === 'slow' && receiver.held.length === 0 ? 'hang' : 200);
	const h = await hooks(null, '-t', '60000');
	await h.do(`session sales ${receiver.url} ${SECRET}`, 'session');
	await h.do('event sales message_received slow first', 'stored');
	await h.do('event sales message_received slow second', 'stored');
	await h.do('events sales 3 30', 'stored');
	await receiver.until((got) => got.length >= 31);
	assert.deepEqual(receiver.got.filter((r) => r.chat === 'slow').map((r) => r.text), ['first']);
	assert.equal((await h.status()).cursor, 0);
	receiver.held[0].end('{}');
	await receiver.until((got) => got.length >= 32);
	await h.statusIs((s) => s.cursor === 32);
	await h.stop();
});

test('a receiver that is down is paused and shown, keeps its address, gets everything when it is back', async () => {
	const receiver = await new Receiver().open();
	const h = await hooks(null, '-r', '1', '-p', '50');
	await h.do(`session sales ${receiver.url} ${SECRET}`, 'session');
	await h.statusIs((s) => s.state === 'active');
	receiver.close();
	await h.do('events sales 4 200', 'stored');
	const s = await h.statusIs((x) => x.state === 'paused' && x.failures >= 5);
	assert.equal(s.url, receiver.url);
	assert.equal(s.lastStatus, 0);
	assert.match(s.lastError, /connection/);
	assert.ok(s.failedSince > 0 && s.next >= s.failedSince);
	await receiver.open(receiver.port);
	await receiver.until(() => receiver.accepted().length >= 200);
	assertComplete(receiver, 4, 50);
	await h.statusIs((x) => x.state === 'active' && x.cursor === 200 && x.lastError === '');
	await h.stop();
});

test('a pause outlives a restart; its events too', async () => {
	const receiver = await new Receiver().open();
	receiver.behave = () => 500;
	const h = await hooks(null, '-r', '0', '-p', '3600000');
	await h.do(`session sales ${receiver.url} ${SECRET}`, 'session');
	await h.do('events sales 2 10', 'stored');
	await h.statusIs((s) => s.state === 'paused');
	await h.do('event sales message_received other x', 'stored');
	while ((await h.do('stored sales', 'stored_receiver')).state !== 'paused')
		await new Promise(setImmediate);
	await h.kill();
	receiver.behave = () => 200;
	const before = receiver.got.length;
	const again = await hooks(h.dir, '-p', '3600000');
	const s = await again.statusIs((x) => x.state !== null);
	assert.equal(s.state, 'paused');
	assert.equal(s.lastStatus, 500);
	assert.equal(receiver.got.length, before);
	await again.do('resume sales');
	await receiver.until(() => receiver.accepted().length >= 11);
	await again.statusIs((x) => x.state === 'active' && x.cursor === 11);
	await again.stop();
});

test('kill -9 at any moment: every event arrives, under one id, in order', async () => {
	const receiver = await new Receiver().open();
	const total = 400, chats = 8;
	let h = await hooks(null);
	await h.do(`session sales ${receiver.url} ${SECRET}`, 'session');
	await h.do(`events sales ${chats} ${total}`, 'stored');
	for (let round = 1; round <= 5; round++) {
		const target = receiver.got.length + 30 + round * 7;
		await receiver.until((got) => got.length >= target || new Set(receiver.accepted().map((r) => r.id)).size === total);
		await h.kill();
		h = await hooks(h.dir);
	}
	await receiver.until(() => new Set(receiver.accepted().map((r) => r.id)).size === total);
	await h.statusIs((s) => s.cursor === total);
	assertComplete(receiver, chats, total / chats);
	await h.stop();
});

test('401 and 403: a long pause; 404, 410, 400, 302: paused, never erased; 307 is followed', async () => {
	for (const status of [401, 403, 404, 410, 400, 302, 405]) {
		const receiver = await new Receiver().open();
		receiver.behave = () => ({ status, headers: { Location: '/elsewhere' } });
		const h = await hooks(null, '-s', '900000', '-p', '60000');
		await h.do(`session sales ${receiver.url} ${SECRET}`, 'session');
		await h.do('event sales message_received a one', 'stored');
		const s = await h.statusIs((x) => x.state === 'paused');
		assert.equal(receiver.got.length, 1, 'no quick repeats');
		assert.deepEqual([s.lastStatus, s.url, s.cursor], [status, receiver.url, 0]);
		const pause = s.next - s.failedSince;
		assert.ok(status === 401 || status === 403 ? pause === 900000 : pause >= 60000 && pause <= 66000, `${status} ${pause}`);
		receiver.behave = () => 200;
		await h.do('resume sales');
		await receiver.until(() => receiver.accepted().length === 1);
		await h.statusIs((x) => x.state === 'active' && x.cursor === 1 && x.lastStatus === 0);
		assert.equal(receiver.got[1].headers['x-warest-delivery-attempt'], '2');
		assert.equal(receiver.got[0].id, receiver.got[1].id);
		await h.stop();
	}
	const receiver = await new Receiver().open();
	receiver.behave = (r) => (r.url === '/hook' ? { status: 307, headers: { Location: '/moved' } } : 200);
	const h = await hooks(null);
	await h.do(`session sales ${receiver.url} ${SECRET}`, 'session');
	await h.do('event sales message_received a one', 'stored');
	await h.statusIs((x) => x.cursor === 1);
	assert.deepEqual(receiver.got.map((r) => [r.method, r.url, r.body === receiver.got[0].body]), [['POST', '/hook', true], ['POST', '/moved', true]]);
	await h.stop();
});

test('one event that the receiver refuses while it takes others becomes a dead letter and can be replayed', async () => {
	const receiver = await new Receiver().open();
	receiver.behave = (r) => (r.text === 'poison' ? 400 : 200);
	const h = await hooks(null, '-p', '20');
	await h.do(`session sales ${receiver.url} ${SECRET}`, 'session');
	await h.do('event sales message_received a poison', 'stored');
	await h.do('event sales message_received a behind', 'stored');
	for (let i = 0; i < 20; i++)
		await h.do(`event sales message_received b ${i}`, 'stored');
	let extra = 0;
	while ((await h.status()).cursor < 22 + extra) {
		await h.do(`event sales message_received c ${extra++}`, 'stored');
		await new Promise((r) => setImmediate(r));
	}
	assert.deepEqual(receiver.got.filter((r) => r.chat === 'a' && r.answer.status === 200).map((r) => r.text), ['behind']);
	for (;;) {
		const { letters } = await h.do('dead sales', 'dead');
		if (letters.length === 0)
			continue;
		assert.deepEqual(letters.map((l) => l.number), [1]);
		break;
	}
	receiver.behave = () => 200;
	const id = receiver.got.find((r) => r.text === 'poison').id;
	assert.equal((await h.do('replay sales 1 1', 'replay')).count, 1);
	await receiver.until((got) => got.some((r) => r.text === 'poison' && r.answer.status === 200));
	assert.equal(receiver.got.at(-1).id, id);
	while ((await h.do('dead sales', 'dead')).letters.length > 0)
		await new Promise((r) => setImmediate(r));
	await h.stop();
});

test('a replay that is under way goes on after kill -9, and is told as queued only when that holds', async () => {
	const receiver = await new Receiver().open();
	const h = await hooks(null, '-p', '20');
	await h.do(`session sales ${receiver.url} ${SECRET}`, 'session');
	await h.do('events sales 4 200', 'stored');
	await receiver.until((got) => got.length === 200);
	await h.statusIs((s) => s.cursor === 200);
	while ((await h.do('stored sales', 'stored_receiver')).cursor < 200)
		await new Promise(setImmediate);
	/* The rest of what is asked for again stands in the way of a receiver that says nothing. */
	receiver.got.length = 0;
	receiver.behave = (r, n) => (n <= 40 ? 200 : 'hang');
	assert.equal((await h.do('replay sales 1 150', 'replay')).count, 150);
	assert.equal((await h.do('replay sales 190 190', 'replay')).count, 1);
	await receiver.until((got) => got.length > 40);
	await h.kill();
	receiver.behave = () => 200;
	receiver.server.closeAllConnections();
	const first = receiver.got.filter((r) => r.answer && r.answer.status === 200).length;
	assert.ok(first < 150);
	const again = await hooks(h.dir, '-p', '20');
	const ids = () => new Set(receiver.got.filter((r) => r.answer?.status === 200).map((r) => r.id)).size;
	await receiver.until(() => ids() === 151);
	// A replay that is over is not begun again. New events may come twice: the one before may end before it has noted an answer.
	let added = 0;
	do {
		await again.do('event sales message_received a new', 'stored');
		added++;
		await new Promise((r) => setTimeout(r, 50));
	} while ((await again.do('replays sales', 'replays')).text !== '');
	await again.stop();
	const old = () => receiver.got.filter((r) => r.text !== 'new' && r.text !== 'last').length;
	const before = old();
	const last = await hooks(h.dir);
	await last.do('event sales message_received a last', 'stored');
	await receiver.until((got) => got.some((r) => r.text === 'last'));
	assert.equal(old(), before);
	assert.equal(ids(), added + 1 + 151);
	await last.stop();
});

test('undelivered events become dead letters after the retention time', async () => {
	const receiver = await new Receiver().open();
	receiver.behave = () => 500;
	const h = await hooks(null, '-R', '300', '-r', '0', '-p', '50');
	await h.do(`session sales ${receiver.url} ${SECRET}`, 'session');
	await h.do('events sales 1 3', 'stored');
	await h.statusIs((s) => s.cursor === 3);
	let letters = [];
	while (letters.length < 3)
		letters = (await h.do('dead sales', 'dead')).letters;
	assert.deepEqual(letters.map((l) => l.number), [1, 2, 3]);
	assert.match(letters[0].reason, /retention/);
	receiver.behave = () => 200;
	await h.do('event sales message_received chat0 fresh', 'stored');
	await receiver.until((got) => got.some((r) => r.text === 'fresh' && r.answer.status === 200));
	await h.stop();
});

test('without a URL events are for nobody; a URL that comes later begins with what comes then; a changed URL goes on', async () => {
	const receiver = await new Receiver().open();
	const other = await new Receiver().open();
	const h = await hooks(null);
	await h.do('session sales - -', 'session');
	await h.statusIs((s) => s.state === 'off');
	await h.do('events sales 1 5', 'stored');
	await h.do(`session sales ${receiver.url} ${SECRET}`, 'session');
	await h.statusIs((s) => s.state === 'active' && s.cursor === 5);
	await h.do('event sales message_received a new', 'stored');
	await h.statusIs((s) => s.cursor === 6);
	assert.deepEqual(receiver.got.map((r) => r.text), ['new']);
	receiver.behave = () => 500;
	await h.do('event sales message_received a moved', 'stored');
	await h.statusIs((s) => s.failures > 0);
	await h.do(`session sales ${other.url} another-secret`, 'session');
	await other.until((got) => got.length === 1);
	assert.equal(other.got[0].text, 'moved');
	assertSigned(other.got[0], 'another-secret');
	await h.statusIs((s) => s.state === 'active' && s.failures === 0 && s.cursor === 7);
	await h.do('session sales - another-secret', 'session');
	await h.statusIs((s) => s.state === 'off');
	await h.do('event sales message_received a unheard', 'stored');
	await h.do('remove sales', 'removed');
	await h.statusIs((s) => s.state === null);
	await h.stop();
	assert.equal(other.got.length, 1);
});

test('default URL and secret; no default secret, no default URL; short secrets sign nothing; unknown kinds stay inside', async () => {
	const receiver = await new Receiver().open();
	let h = await hooks(null, '-u', receiver.url, '-S', 'default-secret', '-i');
	await h.do('session sales - -', 'session');
	await h.do('event sales message_undecryptable a hidden', 'stored');
	await h.do('event sales message_received a shown', 'stored');
	await h.statusIs((s) => s.cursor === 2);
	assert.deepEqual(receiver.got.map((r) => r.text), ['shown']);
	assertSigned(receiver.got[0], 'default-secret');
	assert.equal(receiver.got[0].id, 'sales', 'the compatibility switch');
	await h.do(`session short ${receiver.url} 12345`, 'session');
	await h.statusIs((s) => s.state === 'off', 'short');
	await h.stop();
	h = await hooks(null, '-u', receiver.url);
	await h.do('session sales - -', 'session');
	await h.statusIs((s) => s.state === 'off');
	await h.stop();
});

test('Retry-After is honoured for 503', async () => {
	const receiver = await new Receiver().open();
	const times = [];
	receiver.behave = (r, n) => { times.push(Date.now()); return n === 1 ? { status: 503, headers: { 'Retry-After': '1' } } : 200; };
	const h = await hooks(null, '-b', '1');
	await h.do(`session sales ${receiver.url} ${SECRET}`, 'session');
	await h.do('event sales message_received a one', 'stored');
	await receiver.until((got) => got.length === 2);
	assert.ok(times[1] - times[0] >= 1000);
	await h.stop();
});

test('preflight: signed, marked, any 2xx is fine, errors are told', async () => {
	const receiver = await new Receiver().open();
	const h = await hooks(null);
	const ok = await h.do(`preflight ${receiver.url} s3cretKey42`, 'preflight');
	assert.deepEqual([ok.ok, ok.status], [true, 200]);
	const [r] = receiver.got;
	assertSigned(r, 's3cretKey42');
	assert.equal(r.headers['x-warest-preflight'], '1');
	assert.equal(r.headers['x-warest-event'], 'preflight');
	assert.equal(r.id, undefined);
	assert.equal(r.headers['x-warest-delivery-attempt'], undefined);
	assert.match(r.headers['user-agent'], /^WAREst\/1 \(preflight\) /);
	assert.match(r.body, /^\{"event":"preflight","data":\{"ping":true\},"ts":\d+,"session":\{"id":"sales","label":"Sales","registry":"admin","username":"admin"\}\}$/);
	receiver.behave = () => 418;
	const teapot = await h.do(`preflight ${receiver.url} s3cretKey42`, 'preflight');
	assert.deepEqual([teapot.ok, teapot.status], [false, 418]);
	const refused = await h.do('preflight http://10.0.0.1/ s3cretKey42', 'preflight');
	assert.equal(refused.ok, false);
	assert.match(refused.error, /WAREST_OUTBOUND_ALLOW/);
	await h.stop();
});

test('many sessions at once, one of them with a dead receiver', async () => {
	const receiver = await new Receiver().open();
	const h = await hooks(null, '-r', '0');
	const gone = http.createServer();
	const gonePort = await listen(gone);
	gone.close();
	for (let i = 0; i < 40; i++)
		await h.do(`session s${i} ${i === 7 ? `http://127.0.0.1:${gonePort}/` : receiver.url} ${SECRET}`, 'session');
	for (let i = 0; i < 40; i++)
		await h.do(`events s${i} 2 10`, 'stored');
	await receiver.until((got) => got.length >= 390);
	assert.equal(new Set(receiver.got.map((r) => r.id)).size, 390);
	await h.statusIs((s) => s.state === 'paused' && s.cursor === 0, 's7');
	await h.stop();
});

test('HTTP/2 where the receiver offers it, on one connection; an unknown authority is refused', async () => {
	const certificates = makeCertificates();
	cleanups.push(() => certificates.remove());
	const got = [], sessions = new Set();
	const server = http2.createSecureServer({ ...certificates.server, allowHTTP1: true }, async (req, res) => {
		for await (const part of req)
			void part;
		got.push([req.httpVersion, req.headers['x-warest-event-id']]);
		res.writeHead(200).end();
		server.emit('got');
	});
	server.on('session', (s) => { sessions.add(s); });
	const port = await listen(server);
	cleanups.push(() => { for (const s of sessions) s.destroy(); server.close(); });
	const h = await hooks(null, '-C', certificates.ca);
	await h.do(`session sales https://localhost:${port}/hook ${SECRET}`, 'session');
	await h.do('events sales 4 40', 'stored');
	while (got.length < 40)
		await once(server, 'got');
	assert.ok(got.every(([version]) => version === '2.0'));
	assert.ok(sessions.size <= 8, `${sessions.size} connections for 40 requests`);
	await h.statusIs((s) => s.cursor === 40);
	await h.stop();
	const suspicious = await hooks(null, '-C', certificates.otherCa, '-p', '60000');
	await suspicious.do(`session sales https://localhost:${port}/hook ${SECRET}`, 'session');
	await suspicious.do('event sales message_received a one', 'stored');
	await suspicious.statusIs((s) => s.lastError === 'the certificate was refused');
	assert.equal(got.length, 40);
	await suspicious.stop();
});

test('a receiver that takes five seconds for each answer does not delay another, not even forty of them', async () => {
	const slow = await new Receiver().open(), fast = await new Receiver().open();
	slow.behave = () => new Promise((r) => setTimeout(() => r(200), 5000));
	const h = await hooks(null, '-t', '20000');
	for (let i = 0; i < 40; i++)
		await h.do(`webhook - slow${i} ${slow.url} ${SECRET} none`, 'webhook');
	await h.do(`session sales ${fast.url} ${SECRET}`, 'session');
	await h.do('events sales 8 200', 'stored');
	await fast.until((got) => got.length >= 200);
	// All that forty slow ones could have answered by then is their first requests: half of all at once, and 128 of 8,000.
	assert.ok(slow.accepted().length <= 128, `${slow.accepted().length}`);
	assertComplete(fast, 8, 25);
	await h.kill();
});
