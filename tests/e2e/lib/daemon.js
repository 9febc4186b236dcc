// SPDX-License-Identifier: GPL-3.0-or-later
// What the daemon's tests share: one simulator and one real warest-sessiond per file, in a directory of their own; a receiver
// of webhooks; words for the steps that every test takes.
//
//     const bench = new DaemonBench(15550100000)
//     const { session, phone, account } = await bench.linked('main')
//     await bench.sendText('main', phone, 'hi')
import { before, after, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve, dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startWasim } from '../../wasim/wasim.js';
import { control } from '../../peer/baileys-peer.js';
import { RpcClient } from './rpc-client.js';
import { PATIENCE_MS } from './until.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

export const ADMIN_KEY = 'admin_key_of_the_tests';

// The directory whose programs are tested: as told, else the tree itself or its ./build.
export function program(name) {
  const places = [process.env.WAREST_BUILD_DIR, join(root, 'build'), root].filter(Boolean);
  const found = places.map((place) => join(place, name)).find((path) => existsSync(path));
  assert.ok(found, `${name} is not built (WAREST_BUILD_DIR)`);
  return found;
}

// A webhook receiver that keeps what it got; wait(event, test) resolves with the first delivery that fits, past or future.
export class Receiver {
  deliveries = [];
  #waiting = [];
  answer = () => 200;

  async listen() {
    this.server = createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const delivery = { headers: request.headers, raw: Buffer.concat(chunks), ...JSON.parse(Buffer.concat(chunks)) };
        response.statusCode = this.answer(delivery);
        response.end('{}');
        this.deliveries.push(delivery);
        this.#waiting = this.#waiting.filter(({ fits, resolve: done }) => !fits(delivery) || (done(delivery), false));
      });
    });
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.url = `http://127.0.0.1:${this.server.address().port}/hook`;
    return this;
  }

  wait(event, test = () => true) {
    const fits = (delivery) => delivery.event === event && test(delivery.data);
    const known = this.deliveries.find(fits);
    return known ? Promise.resolve(known) : new Promise((done, fail) => {
      const timer = setTimeout(() => {
        const came = this.deliveries.slice(-20).map((d) => d.raw.toString().slice(0, 300)).join('\n');
        fail(new Error(`no ${event} came that fits ${test}; the last of ${this.deliveries.length}:\n${came}`));
      }, PATIENCE_MS);
      this.#waiting.push({ fits, resolve: (delivery) => { clearTimeout(timer); done(delivery); } });
    });
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

export class Daemon {
  lines = [];
  #waiting = [];

  constructor(directory, wasim, env = {}) {
    this.directory = directory;
    this.socket = join(directory, 's.sock');
    this.env = {
      PATH: process.env.PATH,
      WAREST_ENV_FILE: '/dev/null',
      WAREST_STATE_DIR: join(directory, 'state'),
      WAREST_SOCKET: this.socket,
      WAREST_PID_FILE: join(directory, 'pid'),
      WAREST_WA_URL: wasim?.wsUrl ?? 'ws://127.0.0.1:1/ws/chat',
      WAREST_WA_ROOT_KEY: wasim?.rootKey ?? '',
      ...(wasim?.caFile ? { WAREST_WA_CA_FILE: wasim.caFile } : {}),
      WAREST_WA_VERSION_REFRESH: 'false',
      WAREST_MEDIA_NICE: '0',
      WAREST_AUTHADMIN_USERNAME: 'admin',
      WAREST_AUTHADMIN_PASSWORD: 'a long password',
      WAREST_ADMIN_APIKEY: ADMIN_KEY,
      WAREST_OUTBOUND_ALLOW: 'private,loopback',
      RATE_LIMIT_MAX: '0',
      QUOTA_MAX: '0',
      SPAM_COOLDOWN_MS: '0',
      ...env,
    };
  }

  // Starts the program; resolves when it answers. Options of sanitizers are kept.
  async start(args = []) {
    for (const [name, value] of Object.entries(process.env)) if (/^(A|T|UB|L)SAN_OPTIONS$/.test(name)) this.env[name] = value;
    this.child = spawn(program('warest-sessiond'), args, { env: this.env, stdio: ['ignore', 'ignore', 'pipe'] });
    if (process.env.WAREST_TEST_LOG) this.child.stderr.on('data', (data) => process.stderr.write(data));
    const { child } = this;
    this.ended = once(this.child, 'exit').then(([code, signal]) => ({ code, signal }));
    child.once('close', (code, signal) => {
      if (!child.killed) process.stderr.write(`the daemon ended by itself: ${code ?? signal}\n${this.tail()}\n`);
    });
    createInterface({ input: this.child.stderr }).on('line', (line) => this.#take(line));
    const winner = await Promise.race([this.log('ready'), this.ended]);
    assert.equal(winner.msg, 'ready', `the daemon ended: ${JSON.stringify(winner)}\n${this.lines.map((l) => JSON.stringify(l)).join('\n')}`);
    return this;
  }

  #take(line) {
    let entry;
    try { entry = JSON.parse(line); } catch { entry = { msg: line }; }
    this.lines.push(entry);
    this.#waiting = this.#waiting.filter(({ message, resolve: done }) => entry.msg !== message || (done(entry), false));
  }

  // What it said last.
  tail() {
    return this.lines.slice(-60).map((line) => JSON.stringify(line)).join('\n');
  }

  // The next line with this message.
  log(message) {
    return new Promise((done) => this.#waiting.push({ message, resolve: done }));
  }

  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return this.ended;
  }

  connect() {
    return RpcClient.connect(this.socket);
  }
}

export class DaemonBench {
  constructor(firstPhone, { env = {}, wasim = {} } = {}) {
    this.nextPhone = firstPhone;
    before(async () => {
      this.directory = await mkdtemp(join(tmpdir(), 'warest-e2e-'));
      this.wasim = await startWasim(wasim);
      this.hook = await new Receiver().listen();
      this.daemon = await new Daemon(this.directory, this.wasim, { WEBHOOK_DEFAULT_URL: this.hook.url, WEBHOOK_DEFAULT_SECRET: 'a secret of tests', ...env }).start();
      this.rpc = await this.daemon.connect();
    });
    afterEach(async () => {
      await this.control('DELETE', '/faults');
      const { violations } = await this.control('GET', '/violations');
      await this.control('DELETE', '/violations');
      assert.deepEqual(violations, []);
    });
    after(async () => {
      this.rpc?.close();
      const end = await this.daemon?.stop();
      await this.wasim?.close();
      this.hook?.close();
      await rm(this.directory, { recursive: true, force: true });
      if (end) assert.deepEqual(end, { code: 0, signal: null });
    });
  }

  control(method, path, body) {
    return control(this.wasim.controlUrl, method, path, body);
  }

  account(extra = {}) {
    return this.control('POST', '/accounts', { phone: String(this.nextPhone++), name: 'Ann', ...extra });
  }

  call(method, options = {}) {
    return this.rpc.call(method, { key: ADMIN_KEY, ...options });
  }

  // Resolves when the session's view is so; see ctl.session.wait.
  async until(id, until, ms = 60000) {
    const answer = await this.rpc.call('ctl.session.wait', { p: { id, until, ms } });
    assert.equal(answer.status, 200, `${id} is not ${until}: ${JSON.stringify(answer)}`);
    return answer.result;
  }

  async session(id) {
    return (await this.rpc.call('ctl.session.get', { p: { id } })).result;
  }

  create(id) {
    return this.call('session.create', { session: id, family: 'session-create' });
  }

  // The same, repeated where a busy machine had no QR code within the time that the contract gives a request.
  async createWithQr(id) {
    const answer = await this.create(id);
    if (answer.code !== 1000) return answer;
    assert.equal(answer.result.qrString, null);
    await this.until(id, 'qr');
    return this.create(id);
  }

  async pairCode(id, phone) {
    for (;;) {
      const answer = await this.call('session.pair_code', { session: id, family: 'session-create', p: { phone } });
      if (answer.code !== 1110) return answer;
    }
  }

  // A session that is linked to a fresh account and open.
  async linked(id, extra = {}) {
    const account = await this.account(extra);
    await this.create(id);
    const { qrString } = await this.until(id, 'qr');
    const scanned = await this.control('POST', `/accounts/${account.phone}/scan`, { qr: qrString }).catch((error) => ({ error: String(error) }));
    assert.equal(scanned.linked, true, `${JSON.stringify(scanned)}\n${this.daemon.tail()}`);
    await this.until(id, 'open');
    return { account, phone: account.phone, jid: scanned.jid, client: encodeURIComponent(scanned.jid.split('@')[0]) };
  }

  sendText(id, to, message, p = {}, options = {}) {
    const list = (Array.isArray(to) ? to : [to]).map((one) => (one.includes('@') ? one : `${one}@s.whatsapp.net`));
    return this.call('messages.send.text', { session: id, family: 'messages', p: { to: list, message, isForwarded: false, ...p }, ...options });
  }

  async inbox(phone, text) {
    const { messages } = await this.control('GET', `/accounts/${phone}/inbox?after=0&wait=60000&text=${encodeURIComponent(text)}`);
    return messages;
  }

  phoneSends(from, to, text, extra = {}) {
    return this.control('POST', `/accounts/${from}/send`, { to, text, ...extra });
  }

  // A new process on the same state, after a clean stop or a kill.
  async restart(signal = 'SIGTERM') {
    this.rpc.close();
    const end = await this.daemon.stop(signal);
    await this.daemon.start();
    this.rpc = await this.daemon.connect();
    return end;
  }

  async reconnectRpc() {
    this.rpc.close();
    this.rpc = await this.daemon.connect();
  }
}

export { readFile };
