// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, texts do not arrive, arrive twice, or answers and webhooks tell something else than what happened.
import test from 'node:test';
import assert from 'node:assert/strict';
import { DaemonBench } from './lib/daemon.js';

const bench = new DaemonBench(15552000000, { env: { WAREST_SEND_ACK_TIMEOUT_MS: '1500', WAREST_COMMANDS: 'menu', AUTOREPLY_ENABLED: 'true', WAREST_WEBHOOK_EVENTS: 'message_receipt' } });

async function pair(id) {
  const ours = await bench.linked(id);
  const theirs = await bench.account({ name: 'Bob', companions: 1 });
  return { ...ours, peer: theirs.phone, peerLid: theirs.lid };
}

test('a text goes out once, in the shape of the contract', async () => {
  const { phone, peer } = await pair('out');
  const answer = await bench.sendText('out', peer, '<b>hi</b> @628123456789 :heart:');
  assert.deepEqual([answer.status, answer.code, answer.message], [200, 1000, 'Text message sent']);
  const [entry] = answer.result;
  assert.deepEqual(Object.keys(entry), ['phone', 'to', 'toJid', 'messageId', 'status', 'timestamp', 'advancedInfo']);
  assert.deepEqual([entry.phone, entry.to, entry.toJid, entry.status], [phone, peer, `${peer}@s.whatsapp.net`, 'text success']);
  assert.match(entry.messageId, /^3EB0[0-9A-F]{18}$/);
  assert.deepEqual(entry.advancedInfo, { isForwarded: false, quotedMessageId: null, mentions: ['628123456789@s.whatsapp.net'] });
  const [message] = await bench.inbox(peer, '*hi* @628123456789 ❤️');
  assert.equal(message.id, entry.messageId);
  assert.equal(message.copies, 1);
  let state;
  /* The answer is given at the server's ack; that it is stored comes a moment later. */
  do
    state = await bench.call('messages.status', { session: 'out', family: 'messages', p: { messageId: entry.messageId } });
  while (state.result.state === 'sent');
  assert.equal(state.result.toJid, entry.toJid);
  assert.ok(['sent', 'server_ack', 'delivered'].includes(state.result.state));
});

test('the session is found by its own phone number', async () => {
  const { phone, peer } = await pair('byphone');
  const answer = await bench.call('messages.send.text', { phone, family: 'messages', p: { to: [`${peer}@s.whatsapp.net`], message: 'by phone' } });
  assert.equal(answer.status, 200);
  assert.equal((await bench.inbox(peer, 'by phone')).length, 1);
});

test('several recipients: each gets it; one that cannot be reached is told apart', async () => {
  const { peer } = await pair('many');
  const other = await bench.account({ name: 'Cid' });
  const all = await bench.sendText('many', [peer, other.phone], 'to both');
  assert.deepEqual([all.status, all.message, all.result.length], [200, 'Text message sent (2 recipients)', 2]);
  const some = await bench.sendText('many', [peer, '15559999999'], 'to one');
  assert.deepEqual([some.status, some.code, some.result.length, some.failed.length], [207, 1004, 1, 1]);
  assert.deepEqual([some.failed[0].status, some.failed[0].messageId], ['text failed', null]);
  assert.equal(typeof some.failed[0].advancedInfo.error, 'string');
  const none = await bench.sendText('many', ['15559999998', '15559999999'], 'to none');
  assert.deepEqual([none.status, none.code, none.result.length], [502, 3002, 2]);
  const one = await bench.sendText('many', '15559999999', 'to nobody');
  assert.deepEqual([one.status, one.code, one.message], [500, 8000, 'Internal server error']);
});

test('a received text becomes one event in the shape of the contract', async () => {
  const { phone, peer, peerLid } = await pair('in');
  const sent = await bench.phoneSends(peer, phone, 'hello there');
  const { data, session, headers } = await bench.hook.wait('message_received', (d) => d.message.key.id === sent.id);
  const jid = `${peer}@s.whatsapp.net`;
  assert.deepEqual(data, {
    id: 'in', tags: 'text',
    message: {
      key: { remoteJid: jid, fromMe: false, id: sent.id, senderLid: `${peerLid}@lid`, participant: jid },
      messageTimestamp: data.message.messageTimestamp, pushName: 'Bob', broadcast: false, message: { conversation: 'hello there' },
    },
    text: 'hello there', contentType: 'conversation',
    sender: { chatId: jid, fromMe: false, isGroup: false, authorJid: jid },
    mentions: [], type: 'notify', sessionId: 'in',
  });
  assert.deepEqual(session, { id: 'in', label: 'in', registry: 'admin', username: 'admin' });
  assert.match(headers['x-warest-event-id'], /^[0-9A-HJKMNP-TV-Z]{26}$/);
});

test('commands, reactions, revocations and edits are events of their own', async () => {
  const { phone, peer } = await pair('kinds');
  const key = { remoteJid: `${phone}@s.whatsapp.net`, fromMe: true, id: '3EB0B015' };
  await bench.control('POST', `/accounts/${peer}/send`, { to: phone, text: '/Menu drinks' });
  const command = await bench.hook.wait('message_command', (d) => d.id === 'kinds');
  assert.equal(command.data.text, '/Menu drinks');
  assert.equal('tags' in command.data, false);
  await bench.control('POST', `/accounts/${peer}/send`, { to: phone, message: { reactionMessage: { key, text: '👍', senderTimestampMs: '1767225600123' } } });
  const reaction = await bench.hook.wait('message_reaction', (d) => d.id === 'kinds');
  assert.deepEqual(reaction.data.reaction, { key, text: '👍', senderTimestampMs: '1767225600123' });
  await bench.control('POST', `/accounts/${peer}/send`, { to: phone, message: { protocolMessage: { key, type: 'REVOKE' } } });
  const revoked = await bench.hook.wait('message_revoked', (d) => d.id === 'kinds');
  assert.equal(revoked.data.key.id, '3EB0B015');
  await bench.hook.wait('message_received', (d) => d.id === 'kinds' && d.tags === 'system' && d.message.message.protocolMessage.type === 'REVOKE');
  await bench.control('POST', `/accounts/${peer}/send`, { to: phone, message: { protocolMessage: { key, type: 'MESSAGE_EDIT', editedMessage: { conversation: 'fixed' } } } });
  const edited = await bench.hook.wait('message_edited', (d) => d.id === 'kinds');
  assert.deepEqual(edited.data.editedMessage, { message: { conversation: 'fixed' } });
});

test('events beyond the contract are sent where they were chosen, and only those', async () => {
  const { peer } = await pair('chosen');
  const sent = await bench.sendText('chosen', peer, 'did it arrive?');
  const receipt = await bench.hook.wait('message_receipt', (d) => d.ids.includes(sent.result[0].messageId));
  assert.equal(receipt.data.status, 'delivered');
  const before = bench.hook.deliveries.map((d) => d.event);
  assert.equal(before.some((event) => ['message_retry', 'message_failed', 'identity_changed', 'message_undecryptable'].includes(event)), false);
});

test('a received message can be quoted, an unknown one too', async () => {
  const { phone, peer } = await pair('quote');
  const question = await bench.phoneSends(peer, phone, 'shall we?');
  await bench.hook.wait('message_received', (d) => d.message.key.id === question.id);
  const answer = await bench.sendText('quote', peer, 'we shall', { replyMessageId: question.id, isForwarded: true });
  assert.deepEqual(answer.result[0].advancedInfo, { isForwarded: true, quotedMessageId: question.id });
  const [message] = await bench.inbox(peer, 'we shall');
  const context = message.message.extendedTextMessage.contextInfo;
  assert.equal(context.stanzaId, question.id);
  assert.deepEqual(context.quotedMessage, { conversation: 'shall we?' });
  assert.deepEqual([context.isForwarded, context.forwardingScore], [true, 1]);
  const stub = await bench.sendText('quote', peer, 'what?', { replyMessageId: 'UNKNOWN1' });
  assert.equal(stub.status, 200);
  assert.equal((await bench.inbox(peer, 'what?'))[0].message.extendedTextMessage.contextInfo.stanzaId, 'UNKNOWN1');
});

test('typing is shown before the text, and ends with it', async () => {
  const { jid, peer } = await pair('typing');
  await bench.sendText('typing', peer, 'typed', { presence: { state: 'composing' } });
  const { events } = await bench.control('GET', '/events?type=chatstate&after=0&wait=5000');
  assert.deepEqual(events.filter(({ from }) => from === jid).map(({ state }) => state), ['composing', 'paused']);
});

test('the same Idempotency-Key sends once and answers the same; other contents are refused', async () => {
  const { peer } = await pair('idem');
  const [first, second] = await Promise.all([1, 2].map(() => bench.sendText('idem', peer, 'only once', {}, { idem: 'key-1' })));
  assert.deepEqual(first, second);
  const third = await bench.sendText('idem', peer, 'only once', {}, { idem: 'key-1' });
  assert.deepEqual(third.result, first.result);
  const other = await bench.sendText('idem', peer, 'another', {}, { idem: 'key-1' });
  assert.deepEqual([other.status, other.code], [409, 2009]);
  await bench.restart('SIGKILL');
  await bench.until('idem', 'open');
  const later = await bench.sendText('idem', peer, 'only once', {}, { idem: 'key-1' });
  assert.deepEqual(later.result, first.result);
  assert.equal((await bench.inbox(peer, 'only once')).length, 1);
});

test('no ack: the answer comes in time, and the message goes out once in the end', async () => {
  const { peer, client } = await pair('noack');
  await bench.control('POST', '/faults', { kind: 'lose_message', device: decodeURIComponent(client).split(':')[0], count: 1 });
  const answer = await bench.sendText('noack', peer, 'lost at first');
  assert.equal(answer.status, 200);
  const [message] = await bench.inbox(peer, 'lost at first');
  assert.equal(message.id, answer.result[0].messageId);
  assert.equal(message.copies, 1);
});

test('kill -9 between send and ack: the same bytes leave again, once at the recipient', async () => {
  const { phone, peer } = await pair('killed');
  await bench.sendText('killed', peer, 'first');
  await bench.control('POST', '/faults', { kind: 'no_ack', device: phone, count: 1 });
  const answer = await bench.sendText('killed', peer, 'unacked');
  assert.equal(answer.status, 200);
  await bench.restart('SIGKILL');
  await bench.until('killed', 'open');
  await bench.sendText('killed', peer, 'last');
  await bench.inbox(peer, 'last');
  const messages = await bench.inbox(peer, 'unacked');
  assert.deepEqual(messages.map(({ id }) => id), [answer.result[0].messageId]);
});

test('a stop answers who waits for an ack; the message stays in the outbox', async () => {
  const { phone, peer } = await pair('stopping');
  await bench.sendText('stopping', peer, 'before');
  await bench.control('POST', '/faults', { kind: 'no_ack', device: phone, count: 1 });
  const asked = bench.sendText('stopping', peer, 'in the air');
  await bench.inbox(peer, 'in the air');
  bench.daemon.child.kill('SIGTERM');
  const answer = await asked;
  assert.deepEqual([answer.status, answer.result.length], [200, 1]);
  assert.deepEqual(await bench.restart(), { code: 0, signal: null });
  await bench.until('stopping', 'open');
  await bench.sendText('stopping', peer, 'after');
  const messages = await bench.inbox(peer, 'in the air');
  assert.deepEqual(messages.map(({ id }) => id), [answer.result[0].messageId]);
});

test('refused by WhatsApp: an honest failure', async () => {
  const { phone, peer } = await pair('refused');
  await bench.control('POST', '/faults', { kind: 'ack_error', code: 405, device: phone, count: 1 });
  const answer = await bench.sendText('refused', peer, 'refused text');
  assert.deepEqual([answer.status, answer.code], [500, 8000]);
});

test('sessions of others and closed ones are unknown', async () => {
  const { peer } = await pair('closed');
  await bench.call('session.logout', { session: 'closed' });
  for (const id of ['closed', 'nobody']) {
    const answer = await bench.sendText(id, peer, 'x');
    assert.deepEqual([answer.status, answer.code, answer.message], [404, 1101, 'Session not found']);
  }
  await bench.rpc.call('ctl.user.add', { p: { username: 'carol', password: 'long enough' } });
  const { result } = await bench.rpc.call('ctl.key.create', { p: { username: 'carol' } });
  await pair('mine');
  const foreign = await bench.sendText('mine', peer, 'x', {}, { key: result.key });
  assert.deepEqual([foreign.status, foreign.code], [404, 1101]);
  const forbidden = await bench.call('session.devices', { session: 'mine', key: result.key });
  assert.deepEqual([forbidden.status, forbidden.code, forbidden.message], [403, 2201, 'Forbidden']);
  assert.deepEqual((await bench.call('session.list', { key: result.key })).result.items, []);
});

test('a ping is answered once, quoting it; what only begins so is not', async () => {
  const { phone } = await bench.linked('pong');
  const { phone: peer } = await bench.account({ name: 'Pam' });
  await bench.phoneSends(peer, phone, 'ping pong');
  const { id } = await bench.phoneSends(peer, phone, ' Ping\n');
  const waited = await bench.control('GET', `/accounts/${peer}/inbox?after=0&wait=60000`);
  const [answer] = waited.messages;
  assert.match(answer.text, /^pong!\n\n_WAREST v\d/);
  assert.equal(answer.message?.extendedTextMessage?.contextInfo?.stanzaId ?? answer.quoted, id, JSON.stringify(answer));
  assert.equal(waited.messages.length, 1);
});
