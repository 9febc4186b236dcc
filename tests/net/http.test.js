// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, webhooks and preflights reach places they must not, hang, swallow memory, or do not reach their receiver at all.
import assert from 'node:assert';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { execFile } from 'node:child_process';
import { test, before, after } from 'node:test';
import { makeCertificates, listen, build, connectProxy, socksProxy } from './lab.js';

let certs, port, securePort, silentPort, log;
const servers = [];

function probe(...args) {
	return new Promise((resolve, reject) => {
		execFile(path.join(build, 'httpprobe'), args, { env: { ...process.env, http_proxy: 'http://127.0.0.1:9' } }, (error, stdout, stderr) => {
			if (error)
				reject(new Error(`${error} ${stderr}`));
			else
				resolve(stdout.trim().split('\n').map((line) => JSON.parse(line)));
		});
	});
}

const one = async (...args) => (await probe(...args))[0];

function handler(req, res) {
	let body = '';
	req.on('data', (d) => { body += d; });
	req.on('end', () => {
		log.push({ method: req.method, url: req.url, headers: req.headers, body });
		const [, word, rest] = /^\/([a-z-]+)\/?(.*)$/.exec(req.url) || [null, '', ''];
		if (word === 'status') {
			res.writeHead(Number(rest.split('/')[0]), rest.includes('/') ? { 'Retry-After': rest.split('/')[1] } : {});
			res.end('no');
		} else if (word === 'to') {
			const [code, target] = [rest.slice(0, 3), decodeURIComponent(rest.slice(4))];
			res.writeHead(Number(code), { Location: target });
			res.end();
		} else if (word === 'big') {
			res.writeHead(200);
			res.end(Buffer.alloc(Number(rest), 'x'));
		} else if (word === 'slow') {
			res.writeHead(200);
			res.write('a'); // and never ends
		} else if (word === 'cut') {
			req.socket.destroy();
		} else if (word === 'sw') {
			res.writeHead(200);
			res.end('a={\\"client_revision\\":1035194821,\\"b\\":1}');
		} else {
			res.writeHead(200, { 'Content-Type': 'application/json' });
			res.end('{"ok":true}');
		}
	});
}

before(async () => {
	certs = makeCertificates();
	const plain = http.createServer(handler);
	const secure = https.createServer(certs.server, handler);
	const silent = net.createServer((c) => c.on('error', () => {}));
	servers.push(plain, secure, silent);
	port = await listen(plain);
	securePort = await listen(secure);
	silentPort = await listen(silent);
});

after(() => {
	for (const s of servers) {
		s.closeAllConnections?.();
		s.close();
	}
	certs.remove();
});

test('posts the exact body and headers', async () => {
	log = [];
	const a = await one('-a', 'loopback', '-b', '{"a":"é"}', '-H', 'X-WAREST-Version: 1', `http://127.0.0.1:${port}/hook?x=1`);
	assert.deepEqual([a.error, a.status, a.body], ['ok', 200, '{"ok":true}']);
	assert.deepEqual([log[0].method, log[0].url, log[0].body, log[0].headers['x-warest-version']], ['POST', '/hook?x=1', '{"a":"é"}', '1']);
	assert.equal(log[0].headers.expect, undefined);
	const b = await one('-a', 'loopback', '-H', 'X-A: 1\r\nX-Evil: 2', `http://localhost:${port}/`);
	assert.equal(b.status, 200);
	assert.equal(log[1].headers['x-evil'], undefined);
	assert.equal(log[1].headers.host, `localhost:${port}`);
});

test('private, loopback and disguised addresses are refused before anything is dialled', async () => {
	log = [];
	for (const host of ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0', '2130706433', '0x7f.1', '127.1', '0177.0.0.1', '[::ffff:127.0.0.1]', '10.0.0.1',
		'169.254.169.254', '[fe80::1]', 'LOCALHOST']) {
		const a = await one(`http://${host}:${port}/`);
		assert.equal(a.error, 'refused', host);
		assert.match(a.text, /WAREST_OUTBOUND_ALLOW/);
	}
	for (const url of ['ftp://127.0.0.1/', 'file:///etc/passwd', 'gopher://127.0.0.1/', 'nonsense', 'http://', 'http://[fe80::1%25lo]/', 'javascript:1'])
		assert.equal((await one('-a', 'loopback,linklocal', url)).error, 'bad_url', url);
	assert.equal((await one('-a', 'private', `http://127.0.0.1:${port}/`)).error, 'refused');
	assert.equal((await one('-a', '127.0.0.0/8', `http://127.0.0.1:${port}/`)).status, 200);
	assert.equal((await one('-a', 'localhost', `http://localhost:${port}/`)).status, 200);
	assert.equal((await one('-a', 'localhost', `http://127.0.0.1:${port}/`)).error, 'refused');
	assert.equal(log.length, 2);
});

test('redirects: 307 and 308 keep method and body, others are not followed, every hop is judged', async () => {
	log = [];
	const target = encodeURIComponent(`http://127.0.0.1:${port}/end`);
	for (const code of [307, 308]) {
		const a = await one('-a', 'loopback', '-b', 'body', `http://127.0.0.1:${port}/to/${code}/${target}`);
		assert.equal(a.status, 200);
		assert.deepEqual([log.at(-1).method, log.at(-1).url, log.at(-1).body], ['POST', '/end', 'body']);
	}
	for (const code of [301, 302, 303, 300, 304]) {
		const before_ = log.length;
		assert.equal((await one('-a', 'loopback', '-b', 'body', `http://127.0.0.1:${port}/to/${code}/${target}`)).status, code);
		assert.equal(log.length, before_ + 1);
	}
	const relative = await one('-a', 'loopback', '-b', 'x', `http://127.0.0.1:${port}/to/307/${encodeURIComponent('/end?y')}`);
	assert.equal(relative.status, 200);
	assert.equal(log.at(-1).url, '/end?y');
	const loop = await one('-a', 'loopback', `http://127.0.0.1:${port}/to/307/${encodeURIComponent('/to/307/' + encodeURIComponent('/to/307/' + encodeURIComponent('/to/307/%2Fend')))}`);
	assert.equal(loop.error, 'redirects');
	for (const evil of ['http://localhost:1/', 'http://169.254.169.254/latest', 'file:///etc/passwd', 'http://10.0.0.1/']) {
		const a = await one('-a', '127.0.0.0/8', `http://127.0.0.1:${port}/to/307/${encodeURIComponent(evil)}`);
		assert.ok(['refused', 'bad_url', 'connect'].includes(a.error), `${evil} ${a.error}`);
		if (!evil.includes('localhost'))
			assert.notEqual(a.error, 'connect');
	}
});

test('sizes and times are bounded', async () => {
	const cut = await one('-a', 'loopback', '-m', '1000', `http://127.0.0.1:${port}/big/5000000`);
	assert.deepEqual([cut.error, cut.status, cut.length, cut.truncated], ['ok', 200, 1000, true]);
	const whole = await one('-a', 'loopback', '-m', '1000', `http://127.0.0.1:${port}/big/1000`);
	assert.deepEqual([whole.length, whole.truncated], [1000, false]);
	for (const url of [`http://127.0.0.1:${port}/slow`, `http://127.0.0.1:${silentPort}/`, `https://127.0.0.1:${silentPort}/`])
		assert.equal((await one('-a', 'loopback', '-T', '300', url)).error, 'timeout');
});

test('errors are told apart, Retry-After is read', async () => {
	const gone = net.createServer();
	const gonePort = await listen(gone);
	gone.close();
	assert.equal((await one('-a', 'loopback', `http://127.0.0.1:${gonePort}/`)).error, 'connect');
	assert.equal((await one('-a', 'loopback', 'http://no-such-host.invalid/')).error, 'dns');
	assert.equal((await one('-a', 'loopback', `http://127.0.0.1:${port}/cut`)).error, 'broken');
	const busy = await one('-a', 'loopback', `http://127.0.0.1:${port}/status/429/7`);
	assert.deepEqual([busy.status, busy.retry_after], [429, 7]);
	assert.equal((await one('-a', 'loopback', `http://127.0.0.1:${port}/status/500`)).retry_after, -1);
});

test('certificates are verified, for the name in the URL', async () => {
	assert.equal((await one('-a', 'loopback', `https://localhost:${securePort}/`)).error, 'tls');
	assert.equal((await one('-a', 'loopback', '-c', certs.otherCa, `https://localhost:${securePort}/`)).error, 'tls');
	assert.equal((await one('-a', 'loopback', '-c', certs.ca, `https://localhost:${securePort}/`)).status, 200);
	assert.equal((await one('-g', '-c', certs.ca, '-t', `evil.test:443:127.0.0.1:${securePort}`, 'https://evil.test/')).error, 'tls');
	assert.equal((await one('-g', '-c', certs.ca, '-t', `chat.test:443:127.0.0.1:${securePort}`, 'https://chat.test/')).status, 200);
});

test('fifty requests at once', async () => {
	const answers = await probe('-a', 'loopback', '-n', '50', '-b', 'x', `http://localhost:${port}/`);
	assert.equal(answers.length, 50);
	assert.ok(answers.every((a) => a.status === 200));
});

test('the client version is found on the page, once a day and after a refusal', async () => {
	const lists = { sw: (req, res) => res.end(req.url === '/sw.js' ? '{\\"client_revision\\":1035194821,' : 'x'),
		page: (req, res) => { res.statusCode = req.url === '/sw.js' ? 404 : 200; res.end('{"client_revision":1045649367,"x":1}'); },
		none: (req, res) => res.end('nothing') };
	const expected = { sw: 1035194821, page: 1045649367, none: 0 };
	for (const [name, f] of Object.entries(lists)) {
		const server = http.createServer(f);
		servers.push(server);
		const p = await listen(server);
		const v = await one('-v', `http://127.0.0.1:${p}`);
		assert.deepEqual([v.revision, v.at, v.again, v.rejected_soon], [expected[name], 1000000, false, false]);
		assert.equal(v.text === '', v.revision > 0);
	}
});

test('through a proxy: the guard holds, the proxy is told the judged address or, if so wanted, the name, and nothing goes past it', async () => {
	const connect = connectProxy(), socks = socksProxy(), refusing = connectProxy({ status: 403 });
	servers.push(connect, socks, refusing);
	const [connectPort, socksPort, refusingPort] = [await listen(connect), await listen(socks), await listen(refusing)];
	const ways = [[`http://127.0.0.1:${connectPort}`, () => connect.log.splice(0).map((c) => c.target)],
		[`socks5h://127.0.0.1:${socksPort}`, () => socks.log.splice(0).map((c) => `${c.host}:${c.port}`)],
		[`socks5://127.0.0.1:${socksPort}`, () => socks.log.splice(0).map((c) => `${c.host}:${c.port}`)]];

	for (const [proxy, asked] of ways) {
		// The proxy would reach all of these.
		for (const url of [`http://127.0.0.1:${port}/`, `http://localhost:${port}/`, `http://127.1:${port}/`, `http://[::ffff:127.0.0.1]:${port}/`])
			assert.equal((await one('-p', proxy, url)).error, 'refused', url);
		for (const url of [`http://127.0.0.1:${port}/`, `http://localhost:${port}/`, `http://0x7f000001:${port}/`, `http://db.internal:${port}/`, `http://router:${port}/`])
			assert.equal((await one('-p', proxy, '-r', url)).error, 'refused', url);
		assert.deepEqual(asked(), []);

		log = [];
		assert.equal((await one('-p', proxy, '-a', 'loopback', `http://localhost:${port}/a`)).status, 200);
		assert.deepEqual([asked(), log.length, log[0].headers.host], [[`127.0.0.1:${port}`], 1, `localhost:${port}`]);
		assert.equal((await one('-p', proxy, '-a', 'loopback', '-c', certs.ca, `https://localhost:${securePort}/b`)).status, 200);
		assert.deepEqual(asked(), [`127.0.0.1:${securePort}`]);
		// A place that is public and sends us to one that is not.
		assert.equal((await one('-p', proxy, '-a', 'localhost', `http://localhost:${port}/to/307/${encodeURIComponent(`http://127.0.0.1:${port}/x`)}`)).error, 'refused');
		assert.deepEqual(asked(), [`127.0.0.1:${port}`]);
	}
	for (const [proxy, asked] of ways.slice(0, 2)) {
		log = [];
		assert.equal((await one('-p', proxy, '-r', `http://not-known-here.example:${port}/c`)).status, 200);
		assert.deepEqual([asked(), log[0].headers.host], [[`not-known-here.example:${port}`], `not-known-here.example:${port}`]);
	}
	log = [];
	for (const proxy of [`http://127.0.0.1:${refusingPort}`, 'http://127.0.0.1:1', 'socks5h://127.0.0.1:1', 'http://nowhere.invalid:1'])
		for (const url of [`http://127.0.0.1:${port}/d`, `https://127.0.0.1:${securePort}/d`])
			assert.equal((await one('-p', proxy, '-a', 'loopback', url)).error, 'proxy', `${proxy} ${url}`);
	assert.equal(log.length, 0);
});
