// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, users cannot link their phone to the gateway, or a linked one is not unlinked where they asked for it.
import test from 'node:test';
import assert from 'node:assert/strict';
import { DaemonBench } from './lib/daemon.js';

const bench = new DaemonBench(15551000000);

test('links by QR code, says so everywhere, and stays linked', async () => {
  const account = await bench.account();
  const created = await bench.createWithQr('qr');
  assert.deepEqual([created.status, created.code, created.message], [202, 1107, 'Scan the QR to continue']);
  assert.deepEqual(Object.keys(created.result).filter((name) => name !== 'createdAt'), ['registryUser', 'sessionId', 'qrString', 'qr', 'qrDuration', 'webhookUrl', 'webhookSecret']);
  assert.match(created.result.qr, /^data:image\/png;base64,iVBOR/);
  const again = await bench.create('qr');
  assert.deepEqual([again.status, again.code], [202, 1107]);
  assert.match(again.result.createdAt, /^20\d\d-.*Z$/);
  const scanned = await bench.control('POST', `/accounts/${account.phone}/scan`, { qr: again.result.qrString });
  assert.equal(scanned.linked, true);
  await bench.until('qr', 'open');
  const open = await bench.create('qr');
  assert.deepEqual([open.status, open.code, open.message], [200, 1104, 'Session already open']);
  assert.equal('qr' in open.result, false);
  const list = await bench.call('session.list');
  const item = list.result.items.find(({ id }) => id === 'qr');
  assert.equal(item.status, 'open');
  assert.equal(item.me.id, scanned.jid);
  assert.equal(item.me.lid, scanned.lid_jid);
  assert.equal(typeof item.lastConn, 'number');
  const devices = await bench.call('session.devices', { session: 'qr' });
  assert.equal(devices.message, 'Device info');
  assert.equal(devices.result.phone, account.phone);
  const events = [];
  for (const fits of [(d) => d.tags === 'create', (d) => d.tags === 'connecting', (d) => d.tags === 'qr', (d) => d.status === 'open'])
    events.push(await bench.hook.wait('session_status', (d) => d.id === 'qr' && fits(d)));
  assert.match(events[2].data.qr, /^data:image\/png;base64,/);
  assert.equal(events[3].data.me.id, scanned.jid);
  assert.equal(Object.keys(events[3].data).at(-1), 'sessionId');
});

test('two requests for the same new session at once: one session, both are answered', async () => {
  const answers = await Promise.all([bench.createWithQr('twice'), bench.createWithQr('twice'), bench.createWithQr('twice')]);
  for (const answer of answers) assert.deepEqual([answer.status, answer.code], [202, 1107], answer.message);
  assert.equal((await bench.call('session.list')).result.items.filter(({ id }) => id === 'twice').length, 1);
});

test('links by pairing code', async () => {
  const account = await bench.account();
  const answer = await bench.pairCode('code', account.phone);
  assert.deepEqual([answer.status, answer.code, answer.message], [200, 1000, 'Pair code generated']);
  assert.match(answer.result.pairCode, /^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  const again = await bench.call('session.pair_code', { session: 'code', family: 'session-create', p: { phone: account.phone } });
  assert.equal(again.result.pairCode, answer.result.pairCode);
  const entered = await bench.control('POST', `/accounts/${account.phone}/code`, { code: answer.result.pairCode });
  assert.equal(entered.linked, true);
  await bench.until('code', 'open');
  const open = await bench.call('session.pair_code', { session: 'code', family: 'session-create', p: { phone: account.phone } });
  assert.deepEqual([open.status, open.code, open.result.status], [200, 1104, 'open']);
});

test('links an account that demands a passkey', async () => {
  const account = await bench.account({ passkey: true });
  await bench.create('passkey');
  const none = await bench.call('session.passkey.get', { session: 'passkey' });
  assert.equal(none.result.status, 'none');
  const refused = await bench.call('session.passkey.response', { session: 'passkey', p: { credential: {} } });
  assert.deepEqual([refused.status, refused.code], [409, 2003]);
  const { qrString } = await bench.until('passkey', 'qr');
  const scanned = await bench.control('POST', `/accounts/${account.phone}/scan`, { qr: qrString });
  assert.equal(scanned.passkey, true);
  await bench.until('passkey', 'passkey');
  const asked = await bench.call('session.passkey.get', { session: 'passkey' });
  assert.equal(asked.result.status, 'awaiting_response');
  const credential = await bench.control('POST', `/accounts/${account.phone}/passkey/assertion`, { challenge: asked.result.challenge.challenge });
  const answered = bench.call('session.passkey.response', { session: 'passkey', p: { credential } });
  await bench.control('GET', `/events?type=passkey_prologue&phone=${account.phone}&wait=60000`);
  const approved = bench.control('POST', `/accounts/${account.phone}/passkey/approve`, {});
  const shown = await answered;
  assert.deepEqual([shown.status, shown.result.status], [200, 'awaiting_confirmation']);
  assert.equal((await approved).code, shown.result.code);
  const confirmed = await bench.call('session.passkey.confirm', { session: 'passkey' });
  assert.equal(confirmed.status, 200);
  await bench.until('passkey', 'open');
});

test('logout unlinks the device on the phone and keeps the session', async () => {
  const { phone, jid } = await bench.linked('leaving');
  const answer = await bench.call('session.logout', { session: 'leaving' });
  assert.deepEqual([answer.status, answer.message, answer.result], [200, 'Logout success', { sessionId: 'leaving', steps: { runtime: true, creds: true } }]);
  const account = await bench.control('GET', `/accounts/${phone}`);
  assert.equal(account.devices.some((device) => device.jid === jid), false);
  const view = await bench.session('leaving');
  assert.deepEqual([view.status, view.me], ['stopped', null]);
  await bench.hook.wait('session_status', (d) => d.id === 'leaving' && d.tags === 'close');
  // another account can be linked to the same session
  const other = await bench.linked('leaving');
  assert.notEqual(other.phone, phone);
});

test('delete unlinks the device and removes the session', async () => {
  const { phone, jid } = await bench.linked('deleted');
  const answer = await bench.call('session.delete', { session: 'deleted' });
  assert.deepEqual([answer.status, answer.message, answer.result.steps], [200, 'Session deleted', { runtime: true, creds: true, meta: true }]);
  const account = await bench.control('GET', `/accounts/${phone}`);
  assert.equal(account.devices.some((device) => device.jid === jid), false);
  assert.equal((await bench.call('session.delete', { session: 'deleted' })).status, 404);
  // the id is free again
  assert.equal((await bench.create('deleted')).result.webhookUrl, '');
});

test('unlinked on the phone: the state says so, and new codes are offered at once', async () => {
  const { client } = await bench.linked('unlinked');
  await bench.control('POST', `/clients/${client}/unlink`, {});
  const gone = await bench.hook.wait('session_status', (d) => d.id === 'unlinked' && d.status === 'logged_out');
  assert.equal(gone.data.reason, 401);
  const view = await bench.until('unlinked', 'qr');
  assert.equal(view.me, null);
});

test('a session that is not linked is not started by itself after a restart, a linked one is', async () => {
  await bench.create('never-linked');
  const { jid } = await bench.linked('linked');
  assert.deepEqual(await bench.restart(), { code: 0, signal: null });
  await bench.until('linked', 'open');
  assert.equal((await bench.session('linked')).me.id, jid);
  assert.equal((await bench.session('never-linked')).status, 'stopped');
});
