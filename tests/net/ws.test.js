// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, sessions cannot reach WhatsApp: no connection, a lost or garbled byte, a certificate not checked, a wrong reason shown.
import assert from 'node:assert';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { test, before, after } from 'node:test';
import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import { makeCertificates, listen, Probe, connectProxy, socksProxy, pattern } from './lab.js';

let certs, plain, secure, plainPort, securePort;
const servers = [];

function startServer(server) {
	const wss = new WebSocketServer({ server, path: '/ws/chat', perMessageDeflate: true, maxPayload: 64 << 20 });
	server.wss = wss;
	servers.push(server);
	return listen(server);
}

async function proxyPort(proxy) {
	servers.push(proxy);
	return listen(proxy);
}

before(async () => {
	certs = makeCertificates();
	plain = http.createServer();
	secure = https.createServer(certs.server);
	plainPort = await startServer(plain);
	securePort = await startServer(secure);
});

after(() => {
	for (const s of servers) {
		s.wss?.clients.forEach((c) => c.terminate());
		s.closeAllConnections?.();
		s.close();
	}
	certs.remove();
});

function accept(server) {
	return once(server.wss, 'connection').then(([socket, request]) => {
		socket.on('error', () => {});
		socket.request = request;
		socket.total = 0;
		socket.bad = 0;
		socket.on('message', (d) => {
			const expected = pattern(d.length);
			if (!d.equals(expected))
				socket.bad++;
			socket.total += d.length;
			socket.emit('progress');
		});
		return socket;
	});
}

async function until(socket, total) {
	while (socket.total < total)
		await once(socket, 'progress');
	assert.equal(socket.bad, 0);
}

async function stat(probe, received) {
	for (;;) {
		probe.command('stat');
		const s = await probe.next('stat');
		if (s.received >= received)
			return s;
		await new Promise(setImmediate);
	}
}

async function roundTrip(server, probe) {
	const socket = await server;
	await probe.next('opened');
	probe.command('send 1000');
	await until(socket, 1000);
	socket.send(pattern(70000));
	const s = await stat(probe, 70000);
	assert.equal(s.received, 70000);
	assert.equal(s.bad, 0);
	probe.command('close 1000');
	const end = await probe.next('closed');
	assert.equal(end.reason, 'closed');
	assert.equal((await probe.stop()).code, 0);
	return socket;
}

test('ws: opens, carries bytes both ways, closes', async () => {
	const server = accept(plain);
	const socket = await roundTrip(server, new Probe('-o', 'https://web.whatsapp.com', `ws://127.0.0.1:${plainPort}/ws/chat?x=1`));
	assert.equal(socket.request.headers.origin, 'https://web.whatsapp.com');
	assert.equal(socket.request.headers.host, `127.0.0.1:${plainPort}`);
	assert.equal(socket.request.url, '/ws/chat?x=1');
	assert.equal(socket.request.headers['sec-websocket-extensions'], undefined);
});

test('wss: opens with a trusted certificate', async () => {
	const server = accept(secure);
	const socket = await roundTrip(server, new Probe('-c', certs.ca, `wss://localhost:${securePort}/ws/chat`));
	assert.notEqual(socket.request.socket.alpnProtocol, 'h2');
});

test('wss: the CONNECT_TO list leads a name elsewhere, the certificate is checked for the name', async () => {
	const server = accept(secure);
	await roundTrip(server, new Probe('-c', certs.ca, '-t', `chat.test:443:127.0.0.1:${securePort}`, 'wss://chat.test/ws/chat'));
	const wrong = new Probe('-c', certs.ca, '-t', `evil.test:443:127.0.0.1:${securePort}`, 'wss://evil.test/ws/chat');
	assert.equal((await wrong.next('closed')).reason, 'tls');
	await wrong.exited;
});

test('wss: a certificate of an unknown CA is refused, also against the system bundle', async () => {
	for (const args of [['-c', certs.otherCa], []]) {
		const probe = new Probe(...args, `wss://localhost:${securePort}/ws/chat`);
		const end = await probe.next('closed');
		assert.equal(end.reason, 'tls');
		assert.match(end.text, /certificate/i);
		await probe.exited;
	}
});

test('a CA file that cannot be read is an error, not "trust everybody"', async () => {
	const probe = new Probe('-c', '/nonexistent.pem', `wss://localhost:${securePort}/ws/chat`);
	assert.equal((await probe.next('closed')).reason, 'tls');
	await probe.exited;
});

test('proxies: http, http with password, https, socks5 by address and by name', async () => {
	const cases = [
		['http', connectProxy(), (port) => `http://127.0.0.1:${port}`],
		['auth', connectProxy({ user: 'u:p@w' }), (port) => `http://u:p%40w@127.0.0.1:${port}`],
		['https', connectProxy({ tlsOptions: certs.server }), (port) => `https://localhost:${port}`],
		['socks5', socksProxy(), (port) => `socks5://127.0.0.1:${port}`],
		['socks5 auth', socksProxy({ user: 'u', password: 'p' }), (port) => `socks5h://u:p@127.0.0.1:${port}`],
	];
	for (const [name, proxy, url] of cases) {
		const port = await proxyPort(proxy);
		for (const [server, target] of [[secure, `wss://localhost:${securePort}/ws/chat`], [plain, `ws://localhost:${plainPort}/ws/chat`]]) {
			const accepted = accept(server);
			await roundTrip(accepted, new Probe('-c', certs.ca, '-p', url(port), target)).catch((e) => { e.message = `${name} ${target}: ${e.message}`; throw e; });
		}
		assert.equal(proxy.log.length, 2, name);
		if (name === 'socks5 auth')
			assert.equal(proxy.log[0].host, 'localhost');
	}
});

test('proxies: refused, absent, wrong password and unknown kinds are told as such', async () => {
	const refusing = await proxyPort(connectProxy({ status: 403 }));
	let probe = new Probe('-p', `http://127.0.0.1:${refusing}`, `ws://localhost:${plainPort}/ws/chat`);
	let end = await probe.next('closed');
	assert.deepEqual([end.reason, end.http_status], ['proxy', 403]);
	await probe.exited;

	const secretive = await proxyPort(connectProxy({ user: 'a:b' }));
	probe = new Probe('-p', `http://a:secret@127.0.0.1:${secretive}`, `ws://localhost:${plainPort}/ws/chat`);
	end = await probe.next('closed');
	assert.deepEqual([end.reason, end.http_status], ['proxy', 407]);
	assert.doesNotMatch(end.text, /secret/);
	await probe.exited;

	const gone = net.createServer();
	const gonePort = await listen(gone);
	gone.close();
	for (const scheme of ['http', 'socks5']) {
		probe = new Probe('-p', `${scheme}://127.0.0.1:${gonePort}`, `ws://localhost:${plainPort}/ws/chat`);
		assert.equal((await probe.next('closed')).reason, 'proxy');
		await probe.exited;
	}
	probe = new Probe('-p', 'ftp://127.0.0.1:1', `ws://localhost:${plainPort}/ws/chat`);
	assert.equal((await probe.next('refused')).error, -22);
	await probe.exited;
});

test('connect refused, unknown name, silent server, wrong address: distinct reasons', async () => {
	const gone = net.createServer();
	const gonePort = await listen(gone);
	gone.close();
	let probe = new Probe(`ws://127.0.0.1:${gonePort}/`);
	assert.equal((await probe.next('closed')).reason, 'connect');
	await probe.exited;

	probe = new Probe('ws://no-such-host.invalid/');
	assert.equal((await probe.next('closed')).reason, 'dns');
	await probe.exited;

	const silent = net.createServer((c) => c.on('error', () => {}));
	servers.push(silent);
	const silentPort = await listen(silent);
	for (const scheme of ['ws', 'wss']) {
		probe = new Probe('-T', '300', `${scheme}://127.0.0.1:${silentPort}/`);
		assert.equal((await probe.next('closed')).reason, 'timeout');
		await probe.exited;
	}
	for (const url of ['http://127.0.0.1/', 'nonsense', 'ws://', 'ws://user:pw@127.0.0.1/', 'file:///etc/passwd']) {
		probe = new Probe(url);
		assert.equal((await probe.next('refused')).error, -22, url);
		await probe.exited;
	}
});

test('an answer other than 101, or a wrong accept key, is refused with its status', async () => {
	let probe = new Probe(`ws://127.0.0.1:${plainPort}/elsewhere`);
	let end = await probe.next('closed');
	assert.deepEqual([end.reason, end.http_status], ['upgrade', 400]);
	await probe.exited;

	for (const answer of [
		'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n',
		'SSH-2.0-nothing\r\n\r\n',
		'HTTP/1.1 503 Busy\r\n\r\n',
		'X'.repeat(20000),
	]) {
		const raw = net.createServer((c) => { c.on('error', () => {}); c.once('data', () => c.write(answer)); });
		servers.push(raw);
		const port = await listen(raw);
		probe = new Probe(`ws://127.0.0.1:${port}/`);
		end = await probe.next('closed');
		assert.equal(end.reason, 'upgrade');
		assert.equal(end.http_status, answer.includes('503') ? 503 : 0);
		await probe.exited;
	}
});

test('bursts, fragments, pings and frames that come with the upgrade arrive whole', async () => {
	for (const [server, url] of [[plain, `ws://127.0.0.1:${plainPort}/ws/chat`], [secure, `wss://localhost:${securePort}/ws/chat`]]) {
		const accepted = accept(server);
		const probe = new Probe('-c', certs.ca, url);
		const socket = await accepted;
		let sent = 0;
		const send = (n, options) => { socket.send(pattern(n, sent), options); sent += n; };
		send(10); // may share a packet with the answer to the upgrade
		await probe.next('opened');
		for (let i = 0; i < 5; i++)
			send(40000);
		const pong = once(socket, 'pong');
		send(100, { fin: false });
		socket.ping('between');
		send(5000, { fin: false });
		send(1, { fin: true });
		assert.equal((await pong)[0].toString(), 'between');
		socket.send('text is not for us');
		for (let i = 0; i < 300; i++)
			send(1 + (i * 7) % 400);
		send(3 << 20);
		const s = await stat(probe, sent);
		assert.deepEqual([s.received, s.bad], [sent, 0]);
		socket.close(4001, 'enough');
		const end = await probe.next('closed');
		assert.deepEqual([end.reason, end.close_code], ['peer_close', 4001]);
		await probe.exited;
	}
});

test('several megabytes to a peer that reads late arrive unbroken', async () => {
	const cases = [[plain, []], [secure, []]];
	const tlsProxy = await proxyPort(connectProxy({ tlsOptions: certs.server }));
	cases.push([secure, ['-p', `https://localhost:${tlsProxy}`]]);
	for (const [server, args] of cases) {
		const url = server === plain ? `ws://127.0.0.1:${plainPort}/ws/chat` : `wss://localhost:${securePort}/ws/chat`;
		const accepted = accept(server);
		const probe = new Probe('-c', certs.ca, ...args, url);
		const socket = await accepted;
		await probe.next('opened');
		socket.pause();
		for (let i = 0; i < 12; i++)
			probe.command(`send ${(1 << 20) + i * 997}`);
		probe.command('stat');
		assert.ok((await probe.next('stat')).queued > 0, 'a part must wait');
		socket.resume();
		const total = 12 * (1 << 20) + 997 * 66;
		await until(socket, total);
		assert.equal(socket.total, total);
		// and the other way while writing is blocked
		probe.command('stat');
		await probe.next('stat');
		probe.command('close 1000');
		assert.equal((await probe.next('closed')).reason, 'closed');
		await probe.exited;
	}
});

test('a peer that never reads ends the connection at the bound, a message above the limit does too', async () => {
	let accepted = accept(plain);
	let probe = new Probe('-q', String(8 << 20), `ws://127.0.0.1:${plainPort}/ws/chat`);
	let socket = await accepted;
	await probe.next('opened');
	socket.pause();
	for (let i = 0; i < 40; i++)
		probe.command(`send ${1 << 20}`);
	let event;
	do
		event = await new Promise((resolve) => probe.events.length ? resolve(probe.events.shift()) : probe.waiting.push(resolve));
	while (event.event === 'send_refused');
	assert.deepEqual([event.event, event.reason], ['closed', 'queue_full']);
	await probe.exited;
	socket.terminate();

	accepted = accept(plain);
	probe = new Probe('-m', '1000', `ws://127.0.0.1:${plainPort}/ws/chat`);
	socket = await accepted;
	await probe.next('opened');
	socket.send(pattern(600), { fin: false });
	socket.send(pattern(600, 600), { fin: true });
	const closed = once(socket, 'close');
	assert.equal((await probe.next('closed')).reason, 'too_big');
	assert.equal((await closed)[0], 1009);
	await probe.exited;
});

test('a broken protocol, a hang-up and a reset are told apart from a close', async () => {
	const bytes = { protocol: Buffer.from([0xc2, 0x01, 0x00]), lost: null };
	for (const [reason, frame] of Object.entries(bytes)) {
		const accepted = accept(plain);
		const probe = new Probe(`ws://127.0.0.1:${plainPort}/ws/chat`);
		const socket = await accepted;
		await probe.next('opened');
		if (frame)
			socket._socket.write(frame);
		else
			socket.terminate();
		assert.equal((await probe.next('closed')).reason, reason);
		await probe.exited;
	}
	for (const [server, url] of [[plain, `ws://127.0.0.1:${plainPort}/ws/chat`], [secure, `wss://localhost:${securePort}/ws/chat`]]) {
		const raw = once(server, server === secure ? 'secureConnection' : 'connection');
		const accepted = accept(server);
		const probe = new Probe('-c', certs.ca, url);
		await accepted;
		await probe.next('opened');
		const [socket] = await raw;
		// A reset while libcurl is not on the stack must be an error value.
		(socket._parent || socket).resetAndDestroy?.();
		socket.destroy();
		assert.equal((await probe.next('closed')).reason, 'lost');
		assert.deepEqual(await probe.exited, { code: 0, signal: null });
	}
});

test('a paused connection takes nothing until it is resumed', async () => {
	const accepted = accept(secure);
	const probe = new Probe('-c', certs.ca, `wss://localhost:${securePort}/ws/chat`);
	const socket = await accepted;
	await probe.next('opened');
	probe.command('pause');
	probe.command('stat');
	await probe.next('stat');
	socket.send(pattern(200000));
	probe.command('stat');
	assert.equal((await probe.next('stat')).received, 0);
	probe.command('resume');
	const s = await stat(probe, 200000);
	assert.deepEqual([s.received, s.bad], [200000, 0]);
	await probe.stop();
});

test('a connection with unread bytes survives the opening of others', async () => {
	// libcurl looks for dead connections in its pool once a second when a new one is made, and unread bytes look like death to it.
	const accepted = accept(secure);
	const probe = new Probe('-c', certs.ca, `wss://localhost:${securePort}/ws/chat`);
	const socket = await accepted;
	await probe.next('opened');
	probe.command('pause');
	await stat(probe, 0);
	socket.send(pattern(100000));
	for (const end = Date.now() + 1500; Date.now() < end;) {
		const other = accept(secure);
		probe.command('more');
		await other;
		await probe.next('opened');
	}
	probe.command('resume');
	const s = await stat(probe, 100000);
	assert.deepEqual([s.received, s.bad], [100000, 0]);
	await probe.stop();
});

test('freeing at any moment leaves nothing behind: while connecting, when open, inside a callback', async () => {
	const silent = net.createServer((c) => c.on('error', () => {}));
	servers.push(silent);
	const silentPort = await listen(silent);
	let probe = new Probe(`ws://127.0.0.1:${silentPort}/`);
	probe.command('free');
	await probe.next('freed');
	assert.deepEqual(await probe.exited, { code: 0, signal: null });

	probe = new Probe(`wss://localhost:${silentPort}/`);
	probe.command('close 1000');
	assert.equal((await probe.next('closed')).reason, 'closed');
	assert.deepEqual(await probe.exited, { code: 0, signal: null });

	for (const url of [`ws://127.0.0.1:${plainPort}/ws/chat`, `wss://localhost:${securePort}/ws/chat`]) {
		const accepted = accept(url.startsWith('wss') ? secure : plain);
		probe = new Probe('-c', certs.ca, '-f', '-e', '100', url);
		const socket = await accepted;
		await probe.next('opened');
		socket.send(pattern(50000));
		await probe.next('freed');
		assert.deepEqual(await probe.exited, { code: 0, signal: null });
	}
});

test('fifty connections at once share one loop', async () => {
	const sockets = [];
	const collect = (s) => { s.on('error', () => {}); sockets.push(s); s.on('message', (d) => s.send(d)); };
	secure.wss.on('connection', collect);
	const probe = new Probe('-c', certs.ca, '-n', '50', `wss://localhost:${securePort}/ws/chat`);
	await probe.next('opened');
	assert.equal(sockets.length, 50);
	probe.command('send 251');
	const s = await stat(probe, 50 * 251);
	assert.deepEqual([s.received, s.bad], [50 * 251, 0]);
	secure.wss.off('connection', collect);
	await probe.stop();
});
