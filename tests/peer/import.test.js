// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, who moves from the original has to scan again, loses messages on the way, or moves a session that is still in use.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BufferJSON } from 'baileys';
import { BUILD, Gateway, Receiver, until } from '../e2e/lib/gateway.js';
import { BaileysPeer } from './baileys-peer.js';

const ANN = '15550001111', BOB = '15550002222', CID = '15550003333', SECRET = 'of the import tests';
let gateway, hook, dir, old, group;

/** The directory as Baileys' useMultiFileAuthState writes it. */
function save(peer, to) {
    const write = (name, value) => fs.writeFileSync(path.join(to, name.replace(/\//g, '__').replace(/:/g, '-')), JSON.stringify(value, BufferJSON.replacer));
    fs.mkdirSync(to, { recursive: true });
    write('creds.json', peer.creds);
    for (const [key, text] of peer.keyData) {
        const type = key.slice(0, key.indexOf('/'));
        write(`${type}-${key.slice(type.length + 1)}.json`, JSON.parse(text, BufferJSON.reviver));
    }
}

async function ctl(...args) {
    const child = spawn(path.join(BUILD, 'warestctl'), ['--socket', gateway.socket, ...args], { env: gateway.environment() });
    let out = '', err = '';
    child.stdout.on('data', d => { out += d; });
    child.stderr.on('data', d => { err += d; });
    const [code] = await once(child, 'exit');
    return { code, out, err };
}

const received = text => hook.until(events => events.some(e => e.event === 'message_received' && e.data.text === text));
const inboxOf = async (phone, text) => (await gateway.control(`/accounts/${phone}/inbox?wait=60000&text=${encodeURIComponent(text)}`)).messages;

before(async () => {
    hook = new Receiver(SECRET);
    gateway = await Gateway.start({ WEBHOOK_DEFAULT_URL: await hook.listen(), WEBHOOK_DEFAULT_SECRET: SECRET });
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'warest-import-'));
    for (const [phone, name] of [[ANN, 'Ann'], [BOB, 'Bob'], [CID, 'Cid']]) await gateway.account(phone, name);
    group = await gateway.control('/groups', { creator: BOB, subject: 'Team', members: [ANN, CID] });
    old = new BaileysPeer({ ...gateway.wasim, history: true });
    await old.pair(ANN);
    // Ratchets in every state: Bob has written and been answered, several times; Cid was written to and has not answered; the group in both directions.
    for (const n of [1, 2]) {
        await gateway.control(`/accounts/${BOB}/send`, { to: ANN, text: `to the old one ${n}` });
        await old.waitMessage(`to the old one ${n}`);
        await old.sendText(`${BOB}@s.whatsapp.net`, `from the old one ${n}`);
        await inboxOf(BOB, `from the old one ${n}`);
    }
    await old.sendText(`${CID}@s.whatsapp.net`, 'unanswered');
    await inboxOf(CID, 'unanswered');
    await gateway.control(`/accounts/${BOB}/send`, { to: group.jid, text: 'group to the old one' });
    await old.waitMessage('group to the old one');
    await old.sendText(group.jid, 'group from the old one');
    await inboxOf(BOB, 'group from the old one');
});

after(async () => {
    old?.stop();
    await gateway.stop();
    hook.close();
    fs.rmSync(dir, { recursive: true, force: true });
});

test('what cannot be moved is refused, and nothing is left of it', async () => {
    const source = path.join(dir, 'bad');
    assert.match((await ctl('import', 'x', path.join(dir, 'nowhere'))).err, /nothing was imported: the directory cannot be read/);
    fs.mkdirSync(source);
    assert.match((await ctl('import', 'x', source)).err, /creds.json/);
    save(old, source);
    assert.match((await ctl('import', 'x', source)).err, /still in use/);
    const victim = fs.readdirSync(source).find(n => n.startsWith('session-'));
    fs.writeFileSync(path.join(source, victim), '{"_sessions":{"x":{"indexInfo":{"closed":-1}}},"version":"v1"}');
    assert.match((await ctl('import', 'x', source, '--force')).err, new RegExp(`damaged: ${victim.replace(/[.]/g, '\\.')}`));
    fs.writeFileSync(path.join(source, victim), 'no JSON');
    assert.match((await ctl('import', 'x', source, '--force')).err, /damaged/);
    // Names that would lead elsewhere are no names of ours, links are not followed.
    fs.rmSync(path.join(source, victim));
    fs.symlinkSync('/etc/passwd', path.join(source, 'session-15550009999.0.json'));
    assert.match((await ctl('import', 'x', source, '--force')).err, /damaged: session-15550009999/);
    fs.rmSync(path.join(source, 'session-15550009999.0.json'));
    fs.writeFileSync(path.join(source, 'session-..__..__etc.0.json'), '{"_sessions":{}}');
    assert.match((await ctl('import', 'x', source, '--force')).err, /damaged/);
    assert.equal(await gateway.state('x'), undefined);
});

test('the session goes on with its ratchets in both directions, without a question', async () => {
    const source = path.join(dir, 'good');
    old.stop();
    await until(async () => (await gateway.control('/connections')).connections.every(c => !c.device?.startsWith(ANN)));
    save(old, source);
    const done = await ctl('import', 'moved', source, '--force');
    assert.equal(done.code, 0, done.err);
    assert.match(done.out, /connected/);
    const taken = await ctl('import', 'moved', source, '--force');
    assert.match(taken.err, /taken/);
    assert.match((await ctl('import', 'again', source, '--force')).err, /a session already/);
    const sent = (to, message) => gateway.call('messages.send.text', { session: 'moved', family: 'messages', p: { to: [to], message } });
    for (const n of [1, 2, 3]) {
        assert.equal((await sent(`${BOB}@s.whatsapp.net`, `from the new one ${n}`)).status, 200);
        assert.equal((await inboxOf(BOB, `from the new one ${n}`)).length, 1);
        await gateway.control(`/accounts/${BOB}/send`, { to: ANN, text: `to the new one ${n}` });
        await received(`to the new one ${n}`);
    }
    await sent(`${CID}@s.whatsapp.net`, 'still unanswered');
    await inboxOf(CID, 'still unanswered');
    await gateway.control(`/accounts/${CID}/send`, { to: ANN, text: 'an answer at last' });
    await received('an answer at last');
    await gateway.control(`/accounts/${BOB}/send`, { to: group.jid, text: 'group to the new one' });
    await received('group to the new one');
    assert.equal((await sent(group.jid, 'group from the new one')).status, 200);
    assert.equal((await inboxOf(CID, 'group from the new one')).length, 1);
    assert.deepEqual((await gateway.control('/events?type=retry_requested')).events, []);
    assert.deepEqual(await gateway.violations(), []);
});
