// SPDX-License-Identifier: GPL-3.0-or-later
// What the transport tests share: a wsprobe process, certificates made on the spot, small proxies. Everything listens on a free port.
import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { once, EventEmitter } from 'node:events';

const build = process.env.WAREST_BUILD_DIR || fileURLToPath(new URL('../../build', import.meta.url));

// A CA and a server certificate for localhost and 127.0.0.1; other = a second CA that nobody trusts.
function makeCertificates() {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'warest-net-'));
	const run = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
	for (const name of ['ca', 'other'])
		run('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
			'-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`);
	fs.writeFileSync(path.join(dir, 'ext'), 'subjectAltName=DNS:localhost,DNS:chat.test,IP:127.0.0.1\n');
	run('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
	run('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'ext', '-out', 'server.pem');
	return {
		dir,
		ca: path.join(dir, 'ca.pem'),
		otherCa: path.join(dir, 'other.pem'),
		server: { key: fs.readFileSync(path.join(dir, 'server.key')), cert: fs.readFileSync(path.join(dir, 'server.pem')) },
		remove: () => fs.rmSync(dir, { recursive: true, force: true }),
	};
}

async function listen(server) {
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return server.address().port;
}

// Runs wsprobe; events arrive in order through next(name), which fails on any other event.
class Probe extends EventEmitter {
	constructor(...args) {
		super();
		this.child = spawn(path.join(build, 'wsprobe'), args, { stdio: ['pipe', 'pipe', 'pipe'] });
		this.stderr = '';
		this.child.stderr.on('data', (d) => { this.stderr += d; });
		this.events = [];
		this.waiting = [];
		this.child.stdin.on('error', () => {});
		readline.createInterface({ input: this.child.stdout }).on('line', (line) => this.take(JSON.parse(line)));
		this.exited = once(this.child, 'exit').then(([code, signal]) => {
			this.take({ event: 'exit', code, signal });
			return { code, signal };
		});
	}
	take(event) {
		const waiter = this.waiting.shift();
		if (waiter)
			waiter(event);
		else
			this.events.push(event);
	}
	async next(name) {
		const event = this.events.length ? this.events.shift() : await new Promise((resolve) => this.waiting.push(resolve));
		if (event.event !== name)
			throw new Error(`expected ${name}, got ${JSON.stringify(event)} ${this.stderr}`);
		return event;
	}
	command(line) { this.child.stdin.write(line + '\n'); }
	async stop() {
		this.child.stdin.end();
		return this.exited;
	}
}

// An HTTP CONNECT proxy; log holds what was asked for.
function connectProxy({ user, tlsOptions, status } = {}) {
	const proxy = tlsOptions ? https.createServer(tlsOptions) : http.createServer();
	proxy.log = [];
	proxy.on('connect', (req, client, head) => {
		proxy.log.push({ target: req.url, auth: req.headers['proxy-authorization'] });
		client.on('error', () => {});
		if (status || (user && req.headers['proxy-authorization'] !== 'Basic ' + Buffer.from(user).toString('base64'))) {
			client.end(`HTTP/1.1 ${status || 407} No\r\nContent-Length: 0\r\n\r\n`);
			return;
		}
		const [, port] = req.url.split(':');
		const upstream = net.connect(port, '127.0.0.1', () => {
			client.write('HTTP/1.1 200 OK\r\n\r\n');
			upstream.write(head);
			upstream.pipe(client).pipe(upstream);
		});
		upstream.on('error', () => client.destroy());
		client.on('close', () => upstream.destroy());
	});
	return proxy;
}

// SOCKS5 (RFC 1928) without authentication, or with user and password (RFC 1929).
function socksProxy({ user, password } = {}) {
	const proxy = net.createServer((client) => {
		let stage = 'greeting', pending = Buffer.alloc(0);
		client.on('error', () => {});
		const onData = (d) => {
			pending = Buffer.concat([pending, d]);
			if (stage === 'greeting' && pending.length >= 2 + pending[1]) {
				pending = pending.subarray(2 + pending[1]);
				client.write(Buffer.from([5, user ? 2 : 0]));
				stage = user ? 'auth' : 'request';
			}
			if (stage === 'auth' && pending.length >= 2 && pending.length >= 3 + pending[1] + pending[2 + pending[1]]) {
				const name = pending.subarray(2, 2 + pending[1]).toString();
				const at = 3 + pending[1];
				const secret = pending.subarray(at, at + pending[at - 1]).toString();
				pending = pending.subarray(at + pending[at - 1]);
				client.write(Buffer.from([1, name === user && secret === password ? 0 : 1]));
				stage = 'request';
			}
			if (stage === 'request' && pending.length >= 7) {
				const named = pending[3] === 3;
				const addressEnd = named ? 5 + pending[4] : pending[3] === 4 ? 20 : 8;
				if (pending.length < addressEnd + 2)
					return;
				const host = named ? pending.subarray(5, addressEnd).toString() : pending.subarray(4, addressEnd).join('.');
				const port = pending.readUInt16BE(addressEnd);
				proxy.log.push({ host, port });
				stage = 'pipe';
				client.off('data', onData);
				const upstream = net.connect(port, '127.0.0.1', () => {
					client.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
					upstream.pipe(client).pipe(upstream);
				});
				upstream.on('error', () => client.destroy());
				client.on('close', () => upstream.destroy());
			}
		};
		client.on('data', onData);
	});
	proxy.log = [];
	return proxy;
}

// n bytes as wsprobe sends and expects them.
function pattern(n, from = 0) {
	const b = Buffer.alloc(n);
	for (let i = 0; i < n; i++)
		b[i] = (from + i) % 251;
	return b;
}

export { build, makeCertificates, listen, Probe, connectProxy, socksProxy, pattern };
