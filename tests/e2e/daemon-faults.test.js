// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a session dies, lies about its state or takes others with it when the server, the network, the disk or an
// operator misbehaves.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DaemonBench, ADMIN_KEY, program } from './lib/daemon.js';
import { frame, REQUEST } from './lib/fake-daemon.js';

const bench = new DaemonBench(15553000000, { env: { WAREST_RECONNECT_JITTER_MS: '0' } });

const at = (session) => `/clients/${session.client}`;

test('stream errors, closes and cut connections: reconnects, and says so', async () => {
  const session = await bench.linked('streams');
  const faults = [['stream-error', { code: 503 }], ['stream-error', { code: 515 }], ['close', {}], ['drop', {}]];
  for (const [path, body] of faults) {
    const before = (await bench.session('streams')).lastConn;
    await bench.control('POST', `${at(session)}/${path}`, body);
    let view;
    do {
      await bench.control('GET', `/events?type=login&after=0&wait=100`);
      view = await bench.until('streams', 'open');
    } while (view.lastConn === before);
    assert.equal(view.attempts, 0);
  }
  const lost = await bench.hook.wait('session_status', (d) => d.id === 'streams' && d.status === 'reconnecting');
  assert.equal(typeof lost.data.attempts, 'number');
});

test('replaced by another client: stops, with the reason, and comes back when asked', async () => {
  const session = await bench.linked('replaced');
  await bench.control('POST', `${at(session)}/stream-error`, { children: [{ tag: 'conflict', attrs: { type: 'replaced' } }] });
  const view = await bench.until('replaced', 'replaced');
  assert.equal(view.reason, 440);
  const event = await bench.hook.wait('session_status', (d) => d.id === 'replaced' && d.status === 'replaced');
  assert.deepEqual([event.data.reason, event.data.tags], [440, 'conflict_replaced']);
  const closed = await bench.sendText('replaced', '15550000001', 'x');
  assert.equal(closed.status, 404);
  const answer = await bench.call('session.reconnect', { session: 'replaced' });
  assert.deepEqual([answer.status, answer.code, answer.message], [202, 1109, 'Reconnect scheduled']);
  await bench.until('replaced', 'open');
});

test('login refused: version, ban and lock are told apart', async () => {
  const session = await bench.linked('refused');
  await bench.control('POST', '/faults', { kind: 'login_failure', attrs: { reason: '405' }, device: session.phone, count: 5 });
  await bench.control('POST', `${at(session)}/drop`, {});
  const old = await bench.until('refused', 'stopped');
  assert.equal(old.reason, 405);
  assert.match(old.reasonText, /version/);
  await bench.control('DELETE', '/faults');
  await bench.call('session.reconnect', { session: 'refused' });
  await bench.until('refused', 'open');
  await bench.control('POST', '/faults', { kind: 'login_failure', attrs: { reason: '402', code: '101', expire: '3600' }, device: session.phone, count: 1 });
  await bench.control('POST', `${at(session)}/drop`, {});
  const banned = await bench.until('refused', 'banned');
  assert.equal(banned.reason, 402);
});

test('a failing session touches no other', async () => {
  const good = await bench.linked('healthy');
  const peer = await bench.account();
  const bad = await bench.linked('sick');
  await bench.control('POST', '/faults', { kind: 'login_failure', attrs: { reason: '503' }, device: bad.phone, count: 3 });
  await bench.control('POST', `${at(bad)}/drop`, {});
  await bench.until('sick', 'reconnecting');
  const answer = await bench.sendText('healthy', peer.phone, 'still fine');
  assert.equal(answer.status, 200);
  assert.ok(good.jid);
});

test('garbage on the socket ends that connection only', async () => {
  const broken = await bench.daemon.connect();
  broken.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 0, 0, 0, 0, 0, 1]));
  await assert.rejects(broken.call('session.list', { key: ADMIN_KEY }));
  const odd = await bench.daemon.connect();
  odd.write(frame(REQUEST, 77, 'this is no JSON'));
  const unknown = await odd.call('no.such.method', { key: ADMIN_KEY });
  assert.deepEqual([unknown.status, unknown.code], [501, 8005]);
  assert.equal((await odd.call('session.list', { key: ADMIN_KEY })).status, 200);
  odd.close();
  assert.equal((await bench.call('session.list')).status, 200);
});

test('a removed socket file is made again', async () => {
  const made = bench.daemon.log('socket file had gone, made again');
  await rm(bench.daemon.socket);
  await made;
  assert.equal((await stat(bench.daemon.socket)).mode & 0o777, 0o660);
  await bench.reconnectRpc();
  assert.equal((await bench.call('session.list')).status, 200);
});

test('one daemon for one state directory, and one for one socket', async () => {
  const ends = async (status, more = {}) => {
    const child = spawn(program('warest-sessiond'), [], { env: { ...bench.daemon.env, ...more }, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (data) => { said += data; });
    assert.equal((await once(child, 'close'))[0], status, said);
  };
  await ends(74);
  await ends(71, { WAREST_STATE_DIR: join(bench.directory, 'other'), WAREST_PID_FILE: '' });
  assert.equal((await bench.call('session.list')).status, 200);
});

test('wrong settings end the start with one clear line', async () => {
  const child = spawn(program('warest-sessiond'), ['--check-config'], { env: { ...bench.daemon.env, RATE_LIMIT_MAX: 'many' }, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks = [];
  child.stderr.on('data', (chunk) => chunks.push(chunk));
  const [code] = await once(child, 'close');
  assert.equal(code, 1);
  assert.match(Buffer.concat(chunks).toString(), /RATE_LIMIT_MAX/);
  const good = spawn(program('warest-sessiond'), ['--check-config'], { env: bench.daemon.env, stdio: ['ignore', 'pipe', 'ignore'] });
  const out = [];
  good.stdout.on('data', (chunk) => out.push(chunk));
  assert.equal((await once(good, 'close'))[0], 0);
  assert.equal(Buffer.concat(out).toString().includes(ADMIN_KEY), false);
});

test('the service is away at the start: the daemon answers, sessions keep trying', async () => {
  const { jid } = await bench.linked('away');
  assert.ok(jid);
  bench.daemon.env.WAREST_WA_URL = 'ws://127.0.0.1:1/ws/chat';
  await bench.restart();
  const view = await bench.until('away', 'reconnecting');
  bench.daemon.env.WAREST_WA_URL = bench.wasim.wsUrl;
  assert.match(view.reasonText, /./);
  assert.ok(view.retryAt > 0);
  await bench.restart();
  await bench.until('away', 'open');
});

test('a database out of a backup does not connect before somebody confirms it', async () => {
  await bench.linked('backup');
  const database = join(bench.directory, 'state/data/warest.sqlite');
  await bench.restart();
  await bench.daemon.stop();
  await cp(database, `${database}.old`);
  await bench.daemon.start();
  await bench.reconnectRpc();
  await bench.until('backup', 'open');
  bench.rpc.close();
  await bench.daemon.stop();
  for (const suffix of ['', '-wal', '-shm']) await rm(database + suffix, { force: true });
  await cp(`${database}.old`, database);
  await bench.daemon.start();
  await bench.reconnectRpc();
  const view = await bench.until('backup', 'stopped');
  assert.match(view.reasonText, /backup/);
  assert.equal((await bench.rpc.call('ctl.session.confirm', { p: { id: 'backup' } })).status, 200);
  await bench.until('backup', 'open');
});

test('server.restart comes back as the same process with the same sessions', async () => {
  await bench.linked('restarting');
  const before = await bench.rpc.call('ctl.status');
  const ready = bench.daemon.log('ready');
  const answer = await bench.call('server.restart', { auth: 'admin', p: { delaySeconds: 1.5, reason: 'test' } });
  assert.deepEqual([answer.status, answer.code, answer.result.restartInitiated], [202, 1003, true]);
  const again = await bench.call('server.restart', { auth: 'admin', p: { delaySeconds: 1.5 } });
  assert.deepEqual([again.status, again.code, again.result.restartInitiated], [200, 1005, false]);
  await ready;
  await bench.reconnectRpc();
  const after = await bench.rpc.call('ctl.status');
  assert.equal(after.result.pid, before.result.pid);
  await bench.until('restarting', 'open');
});

test('a daily restart is stored, shown and cancelled', async () => {
  const p = { schedule: '2:30', timezone: 'Asia/Jakarta' };
  const set = await bench.call('server.restart_scheduled', { auth: 'admin', p });
  assert.deepEqual([set.status, set.code, set.message], [202, 1003, 'Restart scheduled daily at 02:30 (Asia/Jakarta)']);
  assert.equal(set.result.scheduledRestart, '02:30');
  assert.equal(new Date(set.result.nextRestartAt).getUTCHours(), 19);
  for (const [schedule, message] of [['25:00', 'Schedule must use HH:MM 24-hour format (e.g., 02:30)'], ['', 'Schedule is required (HH:MM 24-hour format or 0 to cancel)']])
    assert.equal((await bench.call('server.restart_scheduled', { auth: 'admin', p: { schedule } })).message, message);
  assert.equal((await bench.call('server.restart_scheduled', { auth: 'admin', p: { schedule: '2:30', timezone: 'Mars/Base' } })).message, 'Invalid timezone provided');
  assert.equal((await bench.call('server.restart_scheduled', { auth: 'admin', p: { schedule: '0' } })).message, 'Scheduled restart cancelled');
  assert.equal((await bench.call('server.restart_scheduled', { auth: 'admin', p: { schedule: '0' } })).message, 'No scheduled restart configured');
});
