// SPDX-License-Identifier: GPL-3.0-or-later
// The bench's rig: the simulator, the daemon and lighttpd with warest.fcgi, in a directory and on ports of their own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { childrenOf } from './proc.js';

const TESTS = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const SOURCE = path.dirname(TESTS);
export const BUILD = process.env.WAREST_BUILD ?? path.join(SOURCE, 'build');
const KEY = 'bench-admin-key-0123456789abcdef';

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

// Asks again until check() gives something, for a bounded time: the bench measures, it does not synchronise on time.
export async function until(what, check, limitMs = 120000) {
  const end = Date.now() + limitMs;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`gave up waiting for ${what}`);
    await pause(20);
  }
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 128 });

export function request(url, options = {}) {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const data = body === undefined ? undefined : JSON.stringify(body);
    const req = http.request(url, {
      method, agent, headers: { ...headers, ...(data ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(data) } : {}) },
    }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (chunk) => { text += chunk; });
      res.on('end', () => {
        let json = null;
        try { json = JSON.parse(text); } catch { /* not JSON: text tells */ }
        resolve({ status: res.statusCode, json, text });
      });
    });
    // The server closed a kept connection just as it was used again: nothing was received there.
    req.on('error', (error) => (req.reusedSocket && error.code === 'ECONNRESET' ? resolve(request(url, options)) : reject(error)));
    req.end(data);
  });
}

export class Rig {
  constructor() {
    this.dir = mkdtempSync(path.join(tmpdir(), 'warest-bench-'));
    this.log = openSync(path.join(this.dir, 'log'), 'a');
    this.children = new Set();
    this.sessions = [];
    this.accounts = 0;
  }

  // Options: tls; env (further settings); bodyKib (the largest body that the web server takes).
  static async start(options = {}) {
    const rig = new Rig();
    rig.options = options;
    try {
      await rig.startSimulator(options);
      await rig.startDaemon();
      await rig.startWeb();
    } catch (error) {
      await rig.stop();
      throw error;
    }
    return rig;
  }

  launch(command, args, options = {}) {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
    this.children.add(child);
    child.once('exit', () => this.children.delete(child));
    return child;
  }

  async startSimulator({ tls = true } = {}) {
    const child = this.launch(process.execPath, [path.join(TESTS, 'wasim/wasim.js'), '--no-stanza-log', ...(tls ? ['--tls'] : [])]);
    const [line] = await once(createInterface(child.stdout), 'line');
    this.simulator = { ...JSON.parse(line), child };
  }

  environment() {
    const at = (name) => path.join(this.dir, name);
    return {
      PATH: process.env.PATH, HOME: this.dir, LANG: 'C.UTF-8',
      WAREST_STATE_DIR: at('state'), WAREST_SOCKET: at('sessiond.sock'), WAREST_SPOOL_DIR: at('spool'), WAREST_ENV_FILE: at('warest.env'),
      WAREST_WA_URL: this.simulator.ws_url, WAREST_WA_ROOT_KEY: this.simulator.root_key,
      ...(this.simulator.ca_file ? { WAREST_WA_CA_FILE: this.simulator.ca_file } : {}),
      WAREST_AUTHADMIN_USERNAME: 'admin', WAREST_AUTHADMIN_PASSWORD: 'bench-password', WAREST_ADMIN_APIKEY: KEY,
      WAREST_OUTBOUND_ALLOW: 'private,loopback', RATE_LIMIT_MAX: '0', SPAM_COOLDOWN_MS: '0', QUOTA_MAX: '0', LOG_LEVEL: 'warn', ...this.options?.env,
    };
  }

  async startDaemon() {
    const env = this.environment();
    for (const name of ['state', 'spool']) mkdirSync(path.join(this.dir, name), { recursive: true, mode: 0o700 });
    writeFileSync(env.WAREST_ENV_FILE, Object.entries(env).filter(([k]) => !['PATH', 'HOME', 'LANG', 'WAREST_ENV_FILE'].includes(k))
      .map(([k, v]) => `${k}=${v}\n`).join(''), { mode: 0o600 });
    const started = process.hrtime.bigint();
    this.daemon = this.launch(path.join(BUILD, 'warest-sessiond'), ['--foreground'], { env, stdio: ['ignore', this.log, this.log] });
    return started;
  }

  async stopDaemon(signal = 'SIGTERM') {
    const { daemon } = this;
    if (!daemon || daemon.exitCode !== null || daemon.signalCode) return;
    const gone = once(daemon, 'exit');
    daemon.kill(signal);
    await gone;
  }

  async startWeb() {
    const port = await freePort();
    const at = (name) => path.join(this.dir, name);
    this.www = at('www');
    mkdirSync(path.join(this.www, 'assets'), { recursive: true });
    mkdirSync(at('sendfile'), { mode: 0o700 });
    const conf = readFileSync(path.join(SOURCE, 'etc/lighttpd.conf.in'), 'utf8')
      .replaceAll('@HOST@', '127.0.0.1').replaceAll('@PORT@', String(port)).replaceAll('@DIR@', this.dir)
      .replaceAll('@FCGI@', path.join(BUILD, 'warest.fcgi')).replaceAll('@WWW@', this.www)
      .replaceAll('@ENVFILE@', at('warest.env')).replace(/(max-request-size = )\d+/, (line, name) => (this.options?.bodyKib ? name + this.options.bodyKib : line));
    writeFileSync(at('lighttpd.conf'), conf);
    this.web = this.launch('/usr/sbin/lighttpd', ['-D', '-f', at('lighttpd.conf')], { env: this.environment(), stdio: ['ignore', this.log, this.log] });
    this.base = `http://127.0.0.1:${port}`;
    await until('the gateway', async () => (await this.api('/api/v1/session/list').catch(() => null))?.status === 200);
  }

  api(route, options = {}) {
    return request(this.base + route, { ...options, headers: { 'x-warest-api-key': KEY, ...options.headers } });
  }

  get key() { return KEY; }

  async control(route, body, method) {
    const answer = await request(this.simulator.control_url + route, { method: method ?? (body === undefined ? 'GET' : 'POST'), body });
    if (answer.status >= 400) throw new Error(`simulator ${route}: ${answer.text}`);
    return answer.json;
  }

  // A simulated phone with nothing linked.
  async account() {
    const phone = `1555${String(1000000 + ++this.accounts)}`;
    await this.control('/accounts', { phone, name: `Phone ${this.accounts}` });
    return phone;
  }

  // Accounts to talk to: their contents are not kept.
  async peers(count) {
    const phones = [];
    for (let i = 0; i < count; i++) {
      phones.push(await this.account());
      await this.control(`/accounts/${phones[i]}/behaviour`, { compact: true });
    }
    return phones;
  }

  // A session of ours, linked to a new account and open.
  async link() {
    const id = `bench${this.sessions.length + 1}`;
    const session = { id, phone: null };
    this.sessions.push(session);
    session.phone = await this.account();
    const create = async () => (await this.api(`/api/v1/session/create?sessionId=${id}`)).json?.results?.[0]?.qrString;
    const qr = await until(`QR of ${id}`, create);
    const linked = await this.control(`/accounts/${session.phone}/scan`, { qr });
    if (!linked.linked) throw new Error(`${id}: ${JSON.stringify(linked)}`);
    session.jid = linked.jid;
    return session;
  }

  async linkMany(count, width = 4) {
    const worker = async () => { while (this.sessions.length < count) await this.link(); };
    await Promise.all(Array.from({ length: width }, worker));
    await this.allOpen(count);
  }

  async openCount() {
    const items = (await this.api('/api/v1/session/list')).json?.results?.[0]?.items ?? [];
    return items.filter((item) => item.status === 'open').length;
  }

  allOpen(count = this.sessions.length, limitMs = 300000) {
    return until(`${count} open sessions`, async () => (await this.openCount()) >= count, limitMs);
  }

  // The responder(s) that lighttpd spawned.
  responders() { return childrenOf(this.web.pid); }

  async stop() {
    await this.stopDaemon();
    for (const child of this.children) {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    }
    agent.destroy();
    if (!process.env.BENCH_KEEP) rmSync(this.dir, { recursive: true, force: true });
  }
}
