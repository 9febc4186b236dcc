// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a text to a group that a REST caller asked for does not reach its members, or webhooks tell nothing of what happens in
// groups.
import test from 'node:test';
import assert from 'node:assert/strict';
import { DaemonBench } from './lib/daemon.js';

const bench = new DaemonBench(15552700000, { env: { WAREST_WEBHOOK_EVENTS: 'group_join_request' } });

async function inGroup(id, addressing) {
  const ours = await bench.linked(id);
  const theirs = await bench.account({ name: 'Bob', companions: 1 });
  const group = await bench.control('POST', '/groups', { creator: theirs.phone, members: [ours.phone], addressing, subject: 'Us' });
  return { phone: ours.phone, peer: theirs, jid: group.jid };
}

for (const addressing of ['pn', 'lid']) {
  test(`a text to a group and one from it (${addressing})`, async () => {
    const id = `group-${addressing}`;
    const { peer, jid } = await inGroup(id, addressing);
    for (const text of ['hello all', 'and again']) {
      const answer = await bench.sendText(id, jid, text);
      assert.deepEqual([answer.status, answer.code], [200, 1000], JSON.stringify(answer));
      assert.equal(answer.result[0].toJid, jid);
      const [message] = await bench.inbox(peer.phone, text);
      assert.deepEqual([message.id, message.chat], [answer.result[0].messageId, jid]);
    }
    const sent = await bench.control('POST', `/accounts/${peer.phone}/send`, { to: jid, text: 'hello you' });
    const { data } = await bench.hook.wait('message_received', (d) => d.message.key.id === sent.id);
    assert.deepEqual([data.text, data.sender.isGroup, data.sender.chatId, data.sender.authorJid], ['hello you', true, jid, `${peer.phone}@s.whatsapp.net`]);
  });
}

test('changes of a group are told', async () => {
  const { peer, jid } = await inGroup('changes', 'lid');
  const other = await bench.account({ name: 'Cid' });
  const own = `${other.phone}@s.whatsapp.net`;
  await bench.control('POST', `/groups/${jid}/add`, { phones: [other.phone] });
  const joined = await bench.hook.wait('group_join', (d) => d.id === 'changes');
  assert.deepEqual(joined.data, { id: 'changes', groupId: jid, participants: [own], action: 'add', author: `${peer.phone}@s.whatsapp.net`,
    people: [{ jid: own, lid: joined.data.people[0].lid }], sessionId: 'changes' });
  assert.match(joined.data.people[0].lid, /^\d+@lid$/);
  const stub = await bench.hook.wait('message_received', (d) => d.id === 'changes' && d.message.messageStubType === 'GROUP_PARTICIPANT_ADD');
  assert.deepEqual([stub.data.tags, stub.data.message.messageStubParameters, stub.data.sender.authorJid, stub.data.text, stub.data.type],
    ['system', [own], `${peer.phone}@s.whatsapp.net`, '', 'append']);
  assert.match(stub.data.message.messageTimestamp, /^\d{10}$/);
  await bench.control('POST', `/groups/${jid}/promote`, { phones: [other.phone] });
  await bench.hook.wait('group_participants', (d) => d.id === 'changes' && d.action === 'promote');
  await bench.control('PATCH', `/groups/${jid}`, { subject: 'New name' });
  const renamed = await bench.hook.wait('group_update', (d) => d.id === 'changes');
  assert.deepEqual(renamed.data.update, { id: jid, subject: 'New name', author: `${peer.phone}@s.whatsapp.net` });
  await bench.control('POST', `/groups/${jid}/remove`, { phones: [other.phone], by: other.phone });
  const left = await bench.hook.wait('group_leave', (d) => d.id === 'changes');
  assert.deepEqual([left.data.participants, left.data.action], [[own], 'remove']);
});

test('groups that changed unseen are read again when the server says so, and only those', async () => {
  const { phone, peer, jid } = await inGroup('dirty', 'lid');
  const quiet = await bench.control('POST', '/groups', { creator: peer.phone, members: [phone], subject: 'Quiet' });
  const other = await bench.account({ name: 'Cid' });
  const texts = async (text) => { for (const to of [jid, quiet.jid]) assert.equal((await bench.sendText('dirty', to, text)).status, 200); };
  await texts('first');
  const client = (await bench.control('GET', '/connections')).connections.findLast((c) => c.device)?.device;
  await bench.control('POST', '/faults', { kind: 'drop', device: client, match: { tag: 'notification', type: 'w:gp2' }, count: 0 });
  await bench.control('POST', `/groups/${jid}/add`, { phones: [other.phone] });
  await bench.control('DELETE', '/faults');
  const { last } = await bench.control('GET', '/events?limit=1');
  await bench.control('POST', `/clients/${client}/stanza`, { stanza: { tag: 'ib', attrs: { from: 's.whatsapp.net' }, content: [{ tag: 'dirty', attrs: { type: 'groups', timestamp: '1700000000' } }] } });
  const { stanzas } = await bench.control('GET', `/stanzas?xmlns=urn:xmpp:whatsapp:dirty&device=${encodeURIComponent(client)}&wait=60000`);
  const cleaned = stanzas.map((s) => s.stanza.content[0].attrs).find((a) => a.type === 'groups');
  assert.deepEqual(cleaned, { type: 'groups', timestamp: '1700000000' });
  await texts('second');
  const { events } = await bench.control('GET', `/events?after=${last}`);
  assert.equal(events.filter((e) => e.type === 'group_list' && !e.members).length, 1);
  assert.deepEqual(events.filter((e) => e.type === 'group_query').map((e) => e.group), [jid], 'only the one that changed');
  assert.equal((await bench.inbox(other.phone, 'second')).length, 1);
});

test('a group that this account is not in is refused', async () => {
  await bench.linked('outside');
  const theirs = await bench.account({ name: 'Bob' });
  const group = await bench.control('POST', '/groups', { creator: theirs.phone, members: [] });
  const answer = await bench.sendText('outside', group.jid, 'let me in');
  assert.notEqual(answer.status, 200);
});
