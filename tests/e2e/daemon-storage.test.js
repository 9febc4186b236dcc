// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a full disk or a locked database loses messages, kills the daemon, or lets it acknowledge what it has not stored.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { DaemonBench } from './lib/daemon.js';

const bench = new DaemonBench(15559000000, { env: { WAREST_RECONNECT_JITTER_MS: '0', WAREST_SEND_ACK_TIMEOUT_MS: '1500' } });
const run = promisify(execFile);

const database = () => join(bench.directory, 'state', 'data', 'warest.sqlite');

// The largest size that files of the daemon may grow to: what a full disk looks like to it. "unlimited" gives the room back.
const roomFor = (bytes) => run('prlimit', ['--pid', String(bench.daemon.child.pid), `--fsize=${bytes}:unlimited`]);

async function trouble(id, peer, phone, cause, cure) {
  const before = await bench.sendText(id, peer, 'before');
  assert.equal(before.status, 200);
  await cause();
  const refused = await bench.sendText(id, peer, 'while it lasts');
  assert.notEqual(refused.status, 200, 'nothing is promised that is not stored');
  const incoming = await bench.phoneSends(peer, phone, 'came meanwhile');
  assert.equal((await bench.call('session.list')).status, 200, 'the daemon answers');
  await cure();
  await bench.until(id, 'open');
  await bench.hook.wait('message_received', (d) => d.message.key.id === incoming.id);
  const after = await bench.sendText(id, peer, 'afterwards');
  assert.equal(after.status, 200);
  const inbox = await bench.inbox(peer, 'afterwards');
  assert.equal(inbox.length, 1);
  const all = (await bench.control('GET', `/accounts/${peer}/inbox?after=0`)).messages;
  assert.equal(new Set(all.map((m) => m.id)).size, all.length, 'nothing came twice');
  assert.equal(bench.hook.deliveries.filter((d) => d.event === 'message_received' && d.data.message.key.id === incoming.id).length, 1);
}

test('the disk is full for a while: refused honestly, nothing lost, no restart needed', async () => {
  const { phone } = await bench.linked('full');
  const { phone: peer } = await bench.account({ name: 'Bob' });
  await trouble('full', peer, phone, async () => roomFor((await stat(`${database()}-wal`)).size), () => roomFor('unlimited'));
});

// Resolves with what ends it, when another program holds the database locked.
async function lock() {
  const other = spawn('sqlite3', [database()], { stdio: ['pipe', 'pipe', 'inherit'] });
  other.stdin.write('.timeout 60000\nBEGIN IMMEDIATE;\n.print locked\n');
  await once(createInterface(other.stdout), 'line');
  return async () => {
    other.stdin.end('ROLLBACK;\n');
    await once(other, 'exit');
  };
}

test('another program holds the database locked for a while: the same', async () => {
  const { phone } = await bench.linked('locked');
  const { phone: peer } = await bench.account({ name: 'Cid' });
  let unlock;
  await trouble('locked', peer, phone, async () => { unlock = await lock(); }, () => unlock());
});

test('an answer that waits for its entry in the audit log is given once, whatever happens to the session meanwhile', async () => {
  const { phone } = await bench.account();
  const { last } = await bench.control('GET', '/events');
  await bench.control('PATCH', '/options', { firstFrameDelayMs: 800 });
  const created = bench.create('audited');
  await bench.control('GET', `/events?type=connected&after=${last}&wait=60000`);
  const unlock = await lock();
  await bench.control('PATCH', '/options', { firstFrameDelayMs: 0 });
  const { qrString } = await bench.until('audited', 'qr');
  const code = bench.call('session.pair_code', { session: 'audited', family: 'session-create', p: { phone } });
  // The code's request has reached the session by then; that changed the view which the first answer came from.
  await bench.until('audited', 'qr');
  assert.equal((await bench.rpc.call('ctl.status')).status, 200);
  await unlock();
  const answer = await created;
  // Where all is slow the QR code may come after the time that a request waits for it.
  assert.ok(answer.code === 1000 || (answer.code === 1107 && answer.result.qrString === qrString), JSON.stringify(answer));
  assert.equal((await code).status, 200);
  assert.equal((await bench.rpc.call('ctl.status')).status, 200, 'the daemon lives');
});
