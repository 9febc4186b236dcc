// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, who moves from the original has to scan again, loses messages on the way, or moves a session that is still in use.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BufferJSON } from 'baileys';
import { BUILD, Gateway, Receiver, until } from '../e2e/lib/gateway.js';
import { BaileysPeer, endProcessSoon } from './baileys-peer.js';

const ANN = '15550001111', BOB = '15550002222', CID = '15550003333', DORA = '15550004444', SECRET = 'of the import tests';
const OWNER = 'QWERTZUIOP', OLD_KEY = 'user_01J0000000000000000000000_0123456789ab', OWN_SECRET = 'of maria';
let gateway, hook, ownHook, dir, old, group;

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

/** As if nobody had written there for an hour. */
function rest(to) {
    const then = Date.now() / 1000 - 3600;
    for (const name of fs.readdirSync(to)) fs.utimesSync(path.join(to, name), then, then);
}

const sqlite = (file, sql) => execFileSync('sqlite3', [file, sql], { encoding: 'utf8' });

/** A stopped installation of the original: its database, sessions.json, and the auth state of Cid's device under the name it gives it. */
async function installation(name) {
    const data = path.join(dir, name, 'data'), file = path.join(data, 'warest.sqlite');
    const session = path.join(data, 'private/credentials/session', `session_${OWNER}_sales-team-1`);
    const device = new BaileysPeer({ ...gateway.wasim, history: true });
    await device.pair(CID);
    device.stop();
    await until(async () => (await gateway.control('/connections')).connections.every(c => !c.device?.startsWith(CID) || c.device !== device.jid));
    save(device, session);
    rest(session);
    const salt = crypto.randomBytes(16);
    const password = `scrypt:${salt.toString('hex')}:${crypto.scryptSync('a password of maria', salt, 64).toString('hex')}`;
    sqlite(file, `CREATE TABLE _migrations (id integer, name varchar(255));
        CREATE TABLE users (id varchar(255) primary key, registry varchar(255) unique, username varchar(255) unique, password varchar(255), api_key varchar(255) unique,
            is_admin boolean, last_login_at datetime, created_at datetime DEFAULT CURRENT_TIMESTAMP, updated_at datetime);
        CREATE TABLE sessions (id varchar(255) primary key, registry_user varchar(255), label varchar(255) unique, credentials_path text, auto_start boolean, webhook_url text,
            webhook_secret varchar(255), status varchar(255), session_profile text, last_connected_at datetime, created_at datetime DEFAULT CURRENT_TIMESTAMP,
            updated_at datetime);
        INSERT INTO users VALUES ('u1', '${OWNER}', 'maria', '${password}', '${crypto.createHash('sha256').update(OLD_KEY).digest('hex')}', 0, NULL,
            '2025-01-02 03:04:05', NULL);
        INSERT INTO sessions VALUES ('sales', '${OWNER}', 'Sales Team #1', '/opt/gone/data/private/credentials/session/session_${OWNER}_sales-team-1', 1,
            '${ownHook.url}', '${OWN_SECRET}', 'open', '[]', '2026-01-02T03:04:05.000Z', '2025-01-02 03:04:05', NULL);
        INSERT INTO sessions VALUES ('never', '${OWNER}', 'never', NULL, 1, NULL, NULL, 'starting', NULL, NULL, '2025-01-03 03:04:05', NULL);
        INSERT INTO sessions VALUES ('asleep', '${OWNER}', 'asleep', NULL, 0, NULL, NULL, 'stopped', NULL, NULL, '2025-01-04 03:04:05', NULL);`);
    fs.writeFileSync(path.join(data, 'private/credentials/sessions.json'), JSON.stringify({ sessions: {
        sales: { id: 'sales', label: 'Sales Team #1', autoStart: true, webhookUrl: '', webhookSecret: '', ownerId: 'NOBODYHERE', credentialsPath: '/opt/gone/x' },
    } }));
    return { data, file, json: path.join(data, 'private/credentials/sessions.json'), session, device };
}

async function ctl(...args) {
    const child = spawn(path.join(BUILD, 'warestctl'), ['--socket', gateway.socket, ...args], { env: gateway.environment() });
    let out = '', err = '';
    child.stdout.on('data', d => { out += d; });
    child.stderr.on('data', d => { err += d; });
    const [code] = await once(child, 'close');
    return { code, out, err };
}

const received = text => hook.until(events => events.some(e => e.event === 'message_received' && e.data.text === text));
const inboxOf = async (phone, text) => (await gateway.control(`/accounts/${phone}/inbox?wait=60000&text=${encodeURIComponent(text)}`)).messages;

before(async () => {
    hook = new Receiver(SECRET);
    ownHook = new Receiver(OWN_SECRET);
    ownHook.url = await ownHook.listen();
    gateway = await Gateway.start({ WEBHOOK_DEFAULT_URL: await hook.listen(), WEBHOOK_DEFAULT_SECRET: SECRET });
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'warest-import-'));
    for (const [phone, name] of [[ANN, 'Ann'], [BOB, 'Bob'], [CID, 'Cid'], [DORA, 'Dora']]) await gateway.account(phone, name);
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
    ownHook.close();
    fs.rmSync(dir, { recursive: true, force: true });
    endProcessSoon();
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

test('the list of the original: its sessions come with owner, key, password and webhook; what runs, is taken or is no list is refused', async () => {
    const from = await installation('warest');
    const list = await ctl('import', '--registry', from.file);
    assert.match(list.out, new RegExp(`sales +${OWNER} +open +yes +2026-01-02T03:04:05.000Z +${from.session}\n`));
    assert.match(list.out, /never +QWERTZUIOP +starting +yes +- +none/);
    assert.equal((await gateway.state('sales')), undefined);

    // Whoever has the database open is the original.
    const held = fs.openSync(from.file, 'r');
    const running = await ctl('import', '--registry', from.file, '--all');
    fs.closeSync(held);
    assert.equal(running.code, 1);
    assert.match(running.err, new RegExp(`process ${process.pid} has .* open. The original still runs`));
    // So is whoever has just written there.
    fs.utimesSync(path.join(from.session, 'creds.json'), Date.now() / 1000, Date.now() / 1000);
    assert.match((await ctl('import', '--registry', from.file, '--all', '--owner', 'admin')).err, /still in use/);
    rest(from.session);

    const before = fs.readFileSync(from.file);
    const moved = await ctl('import', '--registry', from.file, '--all');
    assert.equal(moved.code, 0, moved.err);
    assert.match(moved.out, /user maria: User imported[^]*Session imported\nconnected/);
    assert.match(moved.err, /never: left out: has no auth state[^]*asleep: left out: does not start by itself/);
    assert.deepEqual(fs.readFileSync(from.file), before, 'nothing was written into the source');
    assert.deepEqual(fs.readdirSync(from.data).sort(), ['private', 'warest.sqlite']);

    // Maria's workflows go on with the key they have, and her receiver with its secret.
    const sent = await gateway.call('messages.send.text', { key: OLD_KEY, session: 'sales', family: 'messages', p: { to: [`${BOB}@s.whatsapp.net`], message: 'maria moved' } });
    assert.equal(sent.status, 200, sent.message);
    assert.equal((await inboxOf(BOB, 'maria moved')).length, 1);
    await gateway.control(`/accounts/${BOB}/send`, { to: CID, text: 'to maria' });
    await ownHook.until(events => events.some(e => e.event === 'message_received' && e.data.text === 'to maria'));
    const users = JSON.parse((await ctl('--json', 'user', 'list')).out).result.items;
    assert.deepEqual(users.filter(u => u.username === 'maria').map(u => [u.registry, u.role, u.sessions]), [[OWNER, 'user', 1]]);
    assert.equal((await gateway.call('auth.login', { auth: 'none', p: { username: 'maria', password: 'a password of maria' } })).status, 200);

    // Once more: the user and the key are known, the session is linked.
    const again = await ctl('import', '--registry', from.file, 'sales', 'unheard-of');
    assert.equal(again.code, 1);
    assert.match(again.out, /User and key are here already/);
    assert.match(again.err, /taken by a session that is linked[^]*unheard-of: the list has no such session/);
    assert.match((await ctl('import', '--registry', from.file, 'sales', '--as', 'twice')).err, /a session already/);

    // The list in JSON knows no users; one that is here must be named.
    assert.match((await ctl('import', '--registry', from.json)).out, new RegExp(`sales +NOBODYHERE +- +yes +- +none`));
    fs.writeFileSync(from.json, fs.readFileSync(from.json, 'utf8').replace('/opt/gone/x', from.session));
    assert.match((await ctl('import', '--registry', from.json, 'sales', '--as', 'json')).err, /a session already/);

    const noList = path.join(dir, 'no-list');
    fs.writeFileSync(noList, '{"sessions":[]}');
    assert.match((await ctl('import', '--registry', noList)).err, /neither a database of the original nor its sessions.json/);
    fs.rmSync(noList);
    sqlite(noList, 'CREATE TABLE users (x)');
    assert.match((await ctl('import', '--registry', noList)).err, /cannot be read as a database of the original: no such table/);
    fs.writeFileSync(noList, Buffer.concat([Buffer.from('SQLite format 3\0'), crypto.randomBytes(8192)]));
    assert.match((await ctl('import', '--registry', noList)).err, /cannot be read as a database/);
    assert.match((await ctl('import', '--registry', path.join(dir, 'nowhere'))).err, /cannot be read/);
});

test('a session that is here without a device takes the imported one, also while it shows its code', async () => {
    const source = path.join(dir, 'shop'), device = new BaileysPeer({ ...gateway.wasim, history: true });
    await device.pair(BOB);
    device.stop();
    save(device, source);
    rest(source);
    assert.equal((await ctl('session', 'create', 'shop', '--no-wait')).code, 0);
    await until(async () => (await gateway.call('session.create', { session: 'shop', family: 'session-create' })).result?.qrString);
    assert.match((await ctl('import', 'shop', source, '--owner', OWNER)).err, /a session of another user/);
    const done = await ctl('import', 'shop', source);
    assert.equal(done.code, 0, done.err);
    assert.match(done.out, /connected/);
    await gateway.control(`/accounts/${ANN}/send`, { to: BOB, text: 'to the shop' });
    await received('to the shop');
    await gateway.restart('SIGTERM');
    await gateway.open('shop');
    assert.match((await ctl('import', 'shop', source)).err, /log it out first/);
    // Logged out, it may be given another one; that the old one is dead is WhatsApp's word, not a crash.
    assert.equal((await ctl('session', 'logout', 'shop')).code, 0);
    const dead = await ctl('import', 'shop', source);
    assert.equal(dead.code, 1);
    assert.match(dead.err, /not connected: logged_out/);
    assert.deepEqual(await gateway.violations(), []);
});

// What the daemon made of the original's database is a session without a device, and the row of the original, that knows where its auth state lies.
test('after the original\'s database was taken over, its sessions take their devices from where it kept them', async () => {
    const database = path.join(gateway.dir, 'state', 'warest.sqlite'), source = path.join(dir, 'adopted');
    const device = new BaileysPeer({ ...gateway.wasim, history: true });
    await device.pair(DORA);
    device.stop();
    save(device, source);
    rest(source);
    assert.equal((await ctl('session', 'create', 'adopted', '--no-wait')).code, 0);
    await gateway.kill('SIGTERM');
    sqlite(database, `CREATE TABLE original_sessions (id, registry_user, label, credentials_path, auto_start, webhook_url, webhook_secret, status, last_connected_at, created_at);
        INSERT INTO original_sessions VALUES ('adopted', 'admin', 'Adopted', '${source}', 1, NULL, NULL, 'open', NULL, '2025-01-02 03:04:05');
        INSERT INTO original_sessions VALUES ('foreign', '${OWNER}', 'Foreign', '${source}', 0, NULL, NULL, 'open', NULL, '2025-01-03 03:04:05');`);
    await gateway.startDaemon();
    assert.match((await ctl('import', '--registry', database)).out, new RegExp(`adopted +admin +open +yes +- +${source}\n`));
    // The daemon has it open, which is as it should be. What is named is taken, what does not start by itself is left.
    const moved = await ctl('import', '--registry', database, '--all');
    assert.equal(moved.code, 0, moved.err);
    assert.match(moved.out, /adopted: [^]*connected/);
    assert.match(moved.err, /foreign: left out/);
    await gateway.control(`/accounts/${ANN}/send`, { to: DORA, text: 'to the adopted one' });
    await received('to the adopted one');
    assert.match((await ctl('import', '--registry', database, 'foreign')).err, /a session already/);
    assert.deepEqual(await gateway.violations(), []);
});
