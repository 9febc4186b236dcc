// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, one hostile message takes the daemon down, again and again, or takes other messages and sessions with it.
import test from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { DaemonBench, program } from './lib/daemon.js';

const trigger = join(tmpdir(), `warest-crash-${process.pid}`);
const bench = new DaemonBench(15556000000, {
  env: { LD_PRELOAD: program('crashshim.so'), CRASH_SHIM: trigger, ASAN_OPTIONS: 'verify_asan_link_order=0' },
});

function varint(n) {
  const bytes = [];
  for (; n > 127; n = Math.floor(n / 128)) bytes.push((n % 128) | 128);
  return Buffer.from([...bytes, n]);
}

function field(number, bytes) {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

async function pair(id) {
  const ours = await bench.linked(id);
  const theirs = await bench.account({ name: 'Bob' });
  return { ...ours, id, peer: theirs.phone };
}

function receives(id, text) {
  return bench.hook.wait('message_received', (d) => d.sessionId === id && d.text === text);
}

async function stillWorks({ id, phone, peer }, text) {
  await bench.phoneSends(peer, phone, `in ${text}`);
  await receives(id, `in ${text}`);
  assert.equal((await bench.sendText(id, peer, `out ${text}`)).status, 200);
  assert.equal((await bench.inbox(peer, `out ${text}`)).length, 1);
}

async function nacks(jid) {
  const { events } = await bench.control('GET', `/events?type=nack&wait=60000&device=${encodeURIComponent(jid)}`);
  return events.map((e) => e.code);
}

test('35 KB of nested wrappers: one message refused', async () => {
  const us = await pair('nested');
  let bomb = field(1, Buffer.from('boom'));
  while (bomb.length < 35000) bomb = field(37, field(1, bomb));
  await bench.phoneSends(us.peer, us.phone, undefined, { base64: bomb.toString('base64') });
  assert.deepEqual(await nacks(us.jid), [491]);
  await stillWorks(us, 'after the bomb');
  await bench.control('DELETE', '/violations');
});

test('a frame that inflates without end costs itself', async () => {
  const us = await pair('zip');
  await stillWorks(us, 'before');
  const warned = bench.daemon.log('warning of the protocol');
  await bench.control('POST', `/clients/${us.client}/frame`, { bomb: 200 << 20 });
  assert.match((await warned).reason, /decompressed/);
  await stillWorks(us, 'after');
});

test('a gap of nearly 2,000 messages', async () => {
  const us = await pair('gap');
  await stillWorks(us, 'before');
  await bench.phoneSends(us.peer, us.phone, 'after the gap', { lose: 1950 });
  await receives('gap', 'after the gap');
  await stillWorks(us, 'after');
});

test('a message that crashes the decoder is refused after the restart, everything else goes on', async () => {
  const us = await pair('crash');
  const others = await pair('bystander');
  await stillWorks(us, 'before');
  await stillWorks(others, 'before');
  await writeFile(trigger, '');
  const { id } = await bench.phoneSends(us.peer, us.phone, 'crashes the decoder');
  const end = await bench.daemon.ended;
  assert.ok(end.signal === 'SIGSEGV' || end.signal === 'SIGABRT' || end.code !== 0, JSON.stringify(end));
  assert.equal(existsSync(trigger), false);
  await bench.phoneSends(us.peer, us.phone, 'while it was down');
  await bench.phoneSends(others.peer, others.phone, 'also while it was down');
  await bench.daemon.start();
  await bench.reconnectRpc();
  await receives('crash', 'while it was down');
  await receives('bystander', 'also while it was down');
  const { events } = await bench.control('GET', `/events?type=nack&wait=60000&device=${encodeURIComponent(us.jid)}`);
  assert.deepEqual(events.map((e) => [e.id, e.code]), [[id, 500]]);
  assert.equal(bench.hook.deliveries.filter((d) => d.data.text === 'crashes the decoder').length, 0);
  await bench.until('crash', 'open');
  await bench.until('bystander', 'open');
  await stillWorks(us, 'after');
  await stillWorks(others, 'after');
});

test('a plain kill loses nothing', async () => {
  const us = await pair('killed');
  await stillWorks(us, 'before');
  for (let i = 0; i < 20; i++) await bench.phoneSends(us.peer, us.phone, `text ${i}`);
  await bench.restart('SIGKILL');
  for (let i = 0; i < 20; i++) await receives('killed', `text ${i}`);
  assert.deepEqual(await bench.control('GET', `/events?type=nack&device=${encodeURIComponent(us.jid)}`).then((a) => a.events), []);
});
