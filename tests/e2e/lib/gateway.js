// SPDX-License-Identifier: GPL-3.0-or-later
// A daemon of a test's own against a simulator of its own: started, killed, started again in the same directory; and a webhook receiver.
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import { once, EventEmitter } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startWasim } from '../../wasim/wasim.js';
import { RpcClient } from './rpc-client.js';

export const BUILD = process.env.WAREST_BUILD_DIR || fileURLToPath(new URL('../../../build', import.meta.url));
// A test that has not ended by then never will.
const LIMIT_MS = 480000;
const KEY = 'kill-test-admin-key-0123456789abcdef';

// Tries again after a turn of the event loop until check() gives something; ends when the test does.
export async function until(check) {
	for (;;) {
		const value = await check();
		if (value)
			return value;
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}

export class Gateway {
	constructor(settings = {}) {
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'warest-e2e-'));
		this.settings = settings;
		this.socket = path.join(this.dir, 'sessiond.sock');
		this.starts = 0;
		this.log = '';
	}

	static async start({ wasim = {}, ...settings } = {}) {
		const gateway = new this(settings);
		gateway.wasim = await startWasim(wasim);
		await gateway.startDaemon();
		gateway.limit = setTimeout(() => gateway.giveUp('the test hangs'), LIMIT_MS);
		gateway.limit.unref();
		return gateway;
	}

	get program() { return 'warest-sessiond'; }

	environment() {
		const env = { PATH: process.env.PATH, HOME: this.dir, LANG: 'C.UTF-8',
			WAREST_STATE_DIR: path.join(this.dir, 'state'), WAREST_SOCKET: this.socket, WAREST_SPOOL_DIR: path.join(this.dir, 'spool'),
			WAREST_ENV_FILE: path.join(this.dir, 'warest.env'), WAREST_WA_URL: this.wasim.wsUrl, WAREST_WA_ROOT_KEY: this.wasim.rootKey,
			WAREST_AUTHADMIN_USERNAME: 'admin', WAREST_AUTHADMIN_PASSWORD: 'a-long-password', WAREST_ADMIN_APIKEY: KEY,
			WAREST_OUTBOUND_ALLOW: 'loopback', RATE_LIMIT_MAX: '0', SPAM_COOLDOWN_MS: '0', QUOTA_MAX: '0', LOG_LEVEL: 'info',
			WAREST_WEBHOOK_BACKOFF_MS: '50', WAREST_WEBHOOK_JITTER_MS: '20', WAREST_RECONNECT_JITTER_MS: '50', ...this.settings };
		for (const name of ['ASAN_OPTIONS', 'UBSAN_OPTIONS', 'TSAN_OPTIONS', 'LSAN_OPTIONS', 'LD_PRELOAD'])
			if (process.env[name] && !(name in env))
				env[name] = process.env[name];
		if (this.wasim.caFile)
			env.WAREST_WA_CA_FILE = this.wasim.caFile;
		return env;
	}

	async startDaemon(extra = {}) {
		for (const name of ['state', 'spool'])
			fs.mkdirSync(path.join(this.dir, name), { recursive: true, mode: 0o700 });
		fs.writeFileSync(path.join(this.dir, 'warest.env'), '', { mode: 0o600 });
		this.daemon = spawn(path.join(BUILD, this.program), [], { env: { ...this.environment(), ...extra }, stdio: ['ignore', 'pipe', 'pipe'] });
		this.starts++;
		this.exit = once(this.daemon, 'exit').then(([code, signal]) => ({ code, signal }));
		for (const stream of [this.daemon.stdout, this.daemon.stderr])
			stream.on('data', (d) => { this.log = (this.log + d).slice(-200000); });
		let gone = false;
		this.expected = false;
		this.exit.then((end) => {
			gone = true;
			if (!this.expected && this.rpc)
				this.giveUp(`the daemon ended by itself: ${JSON.stringify(end)}`);
		});
		this.rpc = await until(async () => {
			if (gone)
				throw new Error(`the daemon ended: ${this.log}`);
			return RpcClient.connect(this.socket).catch(() => null);
		});
	}

	// Nothing that a test waits for will come any more.
	giveUp(why) {
		process.stderr.write(`${why}\n${this.log.slice(-8000)}\n`);
		this.daemon.kill('SIGKILL');
		fs.rmSync(this.dir, { recursive: true, force: true });
		process.exit(1);
	}

	async kill(signal = 'SIGKILL') {
		this.expected = true;
		this.daemon.kill(signal);
		const end = await this.exit;
		this.rpc?.close();
		this.rpc = null;
		return end;
	}

	async restart(signal = 'SIGKILL') {
		const end = await this.kill(signal);
		await this.startDaemon();
		return end;
	}

	async call(m, options = {}) {
		if (!this.rpc || this.rpc.closed)
			throw new Error('the daemon is away');
		return this.rpc.call(m, { key: KEY, ...options });
	}

	// The call, again under the same idempotency key as long as the daemon dies under it or answers that it could not.
	async persist(m, options) {
		for (;;) {
			if (this.stopped)
				throw new Error('the gateway was stopped under this call');
			const answer = await this.call(m, options).catch(() => null);
			if (answer && answer.status < 300)
				return answer;
			this.refused = answer ?? this.refused;
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}

	async control(route, body, method) {
		const response = await fetch(this.wasim.controlUrl + route, { method: method ?? (body === undefined ? 'GET' : 'POST'),
			body: body === undefined ? undefined : JSON.stringify(body) });
		const answer = await response.json();
		if (!response.ok)
			throw new Error(`simulator ${route}: ${JSON.stringify(answer)}`);
		return answer;
	}

	account(phone, name, options = {}) { return this.control('/accounts', { phone, name, ...options }); }

	async link(id, phone) {
		const qr = await until(async () => (await this.call('session.create', { session: id, family: 'session-create' })).result?.[0]?.qrString ??
			(await this.call('session.create', { session: id, family: 'session-create' })).result?.qrString);
		const linked = await this.control(`/accounts/${phone}/scan`, { qr });
		if (!linked.linked)
			throw new Error(JSON.stringify(linked));
		await this.open(id);
		return linked;
	}

	async state(id) {
		const answer = await this.call('session.list').catch(() => null);
		const items = answer?.result?.[0]?.items ?? answer?.result?.items ?? [];
		return items.find((item) => item.id === id)?.status;
	}

	open(id) { return until(async () => (await this.state(id)) === 'open'); }

	async violations() { return (await this.control('/violations')).violations; }

	async stop() {
		this.expected = this.stopped = true;
		clearTimeout(this.limit);
		this.daemon.kill('SIGTERM');
		const end = await this.exit;
		this.rpc?.close();
		await this.wasim.close();
		fs.rmSync(this.dir, { recursive: true, force: true });
		return end;
	}
}

// The same, but kill() takes the power away: the database is then what its disk held, with writes lost and torn that were not synced.
export class PowerlessGateway extends Gateway {
	get program() { return 'powerlossd'; }

	environment() {
		return { ...super.environment(), WAREST_DB_SQLITE_PATH: 'warest.sqlite', POWERLOSS_FOLDER: this.disk, POWERLOSS_SEED: String(this.starts + 1) };
	}

	get disk() { return path.join(this.dir, 'disk'); }

	async startDaemon(extra) {
		fs.rmSync(this.disk, { recursive: true, force: true });
		fs.mkdirSync(this.disk, { mode: 0o700 });
		await super.startDaemon(extra);
	}

	// Nothing that a test waits for will come any more.
	giveUp(why) {
		process.stderr.write(`${why}\n${this.log.slice(-8000)}\n`);
		this.daemon.kill('SIGKILL');
		fs.rmSync(this.dir, { recursive: true, force: true });
		process.exit(1);
	}

	async kill(signal = 'SIGKILL') {
		this.expected = true;
		if (signal !== 'SIGKILL')
			return super.kill(signal);
		const end = await super.kill('SIGUSR1');
		const state = path.join(this.dir, 'state');
		const written = fs.readdirSync(state).filter((n) => /^warest\.sqlite(-wal|-shm)?$/.test(n));
		if (written.length < 2)
			throw new Error('the database is not where the power is cut');
		for (const name of written)
			fs.rmSync(path.join(state, name));
		for (const name of fs.readdirSync(this.disk))
			fs.copyFileSync(path.join(this.disk, name), path.join(state, name));
		return end;
	}
}

// A webhook receiver; every event is kept, signatures are checked. behave(event, n) answers a status, or what the body is to hold.
export class Receiver extends EventEmitter {
	constructor(secret) {
		super();
		this.setMaxListeners(0);
		this.secret = secret;
		this.events = [];
		this.bad = 0;
		this.behave = () => 200;
		this.server = http.createServer((request, response) => {
			const parts = [];
			request.on('data', (d) => parts.push(d));
			request.on('end', async () => {
				const body = Buffer.concat(parts);
				const mac = crypto.createHmac('sha256', this.secret + (request.headers['x-warest-username'] ?? '')).update(body).digest('hex');
				if (request.headers['x-warest-signature'] !== `HMAC-SHA256=${mac}`)
					this.bad++;
				const event = { id: request.headers['x-warest-event-id'], event: request.headers['x-warest-event'], ...JSON.parse(body) };
				const said = await this.behave(event, this.events.length);
				const status = typeof said === 'number' ? said : 200;
				response.writeHead(status, { 'Content-Type': 'application/json' }).end(typeof said === 'number' ? '{"ok":true}' : JSON.stringify(said));
				if (status < 300) {
					this.events.push(event);
					this.emit('event', event);
				}
			});
		});
	}

	async listen() {
		this.server.listen(0, '127.0.0.1');
		await once(this.server, 'listening');
		this.url = `http://127.0.0.1:${this.server.address().port}/hook`;
		return this.url;
	}

	async until(condition) {
		while (!condition(this.events))
			await once(this, 'event');
	}

	close() {
		this.server.closeAllConnections();
		this.server.close();
	}
}
