// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, accounts do not reach WhatsApp through tinyproxy or microsocks, stay with a proxy that is dead, change their address for
// no reason, or show the server's own one.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { startGateway } from '../e2e/lib/web-gateway.js';
import { Child, isInstalled } from '../e2e/lib/web.js';

const missing = ['tinyproxy', 'microsocks'].filter((name) => !existsSync(`/usr/bin/${name}`)).concat(isInstalled('lighttpd') ? [] : ['lighttpd']);
const skip = missing.length > 0 && `not installed: ${missing.join(', ')}`;
const US = '15557310001', THEM = '15557310002';
const pass = 'dont-tell-anybody';
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
let gateway, ports, tiny, micro, pool, pages, hidden;

async function freePort() {
    const server = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => { server.once('listening', resolve); });
    const { port } = server.address();
    await new Promise((resolve) => { server.close(resolve); });
    return port;
}

async function started(child, port) {
    const accepts = () => new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
        socket.on('error', () => resolve(false));
    });
    while (!(await Promise.race([accepts(), child.failed]))) await new Promise((resolve) => { setTimeout(resolve, 10); });
    return child;
}

function startTiny() {
    const file = path.join(gateway.lab.dir, 'tinyproxy.conf');
    writeFileSync(file, `Port ${ports.tiny}\nListen 127.0.0.1\nTimeout 600\nMaxClients 100\nLogLevel Connect\nBasicAuth us ${pass}\n${[ports.wa, ports.media, ports.pages].map((port) => `ConnectPort ${port}\n`).join('')}`);
    return started(new Child('/usr/bin/tinyproxy', ['-d', '-c', file]), ports.tiny);
}

function startMicro() {
    return started(new Child('/usr/bin/microsocks', ['-i', '127.0.0.1', '-p', String(ports.micro), '-u', 'us', '-P', pass]), ports.micro);
}

// One look at the proxies after the other, until one is as wanted.
async function proxies(wanted) {
    for (;;) {
        const { status, text, json } = await gateway.api('GET', '/server/proxies');
        assert.equal(status, 200, text);
        assert.ok(!text.includes(pass), 'the password is hidden');
        if (await wanted(json.results[0])) return json.results[0];
        await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
}

async function status() {
    return (await gateway.api('GET', '/session/list')).json.results[0].items[0].status;
}

const openThrough = (index) => proxies(async ({ proxies: list }) => list[index].sessions.includes('main') && (await status()) === 'open');

// A file there and back; to us: the account's phone gets it too.
async function thereAndBack(id) {
    const bytes = createHash('shake256', { outputLength: 100000 }).update(id).digest();
    const sent = await gateway.api('POST', `/messages/send/document?sessionId=main&to=${THEM}&messageId=${id}`, { body: bytes, headers: { 'content-type': 'application/pdf' } });
    assert.equal(sent.status, 200, sent.text);
    const { messages } = await gateway.control(`/accounts/${THEM}/inbox?id=${id}&wait=60000`);
    await gateway.control(`/accounts/${THEM}/send`, { to: US, id: `${id}BACK`, base64: messages[0].base64 });
    for (let after = 0, found = false; !found;) {
        const { receipts, last } = await gateway.control(`/accounts/${THEM}/receipts?id=${id}BACK&after=${after}&wait=60000`);
        found = receipts.some((r) => /:\d+@/.test(r.from));
        after = last;
    }
    const got = await gateway.api('POST', `/messages/${id}BACK/media`, { body: { sessionId: 'main' } });
    assert.equal(got.status, 200, got.text);
    assert.equal(got.json.results[0].fileSha256, createHash('sha256').update(bytes).digest('base64'));
}

// A page with a picture and a file. tinyproxy goes to pages only; hidden could be reached just by going past it.
async function site() {
    const server = http.createServer((request, response) => {
        server.asked.push(request.url);
        if (request.url === '/p.png') response.writeHead(200, { 'content-type': 'image/png' }).end(PNG);
        else if (request.url === '/file.txt') response.writeHead(200, { 'content-type': 'text/plain' }).end('from afar');
        else response.writeHead(200, { 'content-type': 'text/html' }).end(`<title>Shop</title><meta property="og:image" content="http://127.0.0.1:${server.address().port}/p.png">`);
    });
    server.asked = [];
    await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    return server;
}

// What was sent under this id, as the other side has it.
async function sentAs(id, route, body) {
    const { status, text, json } = await gateway.api('POST', `/messages/send/${route}`, { body: { sessionId: 'main', to: THEM, messageId: id, ...body } });
    if (status !== 200) return { status, code: json.code, message: json.message };
    const { messages } = await gateway.control(`/accounts/${THEM}/inbox?id=${id}&wait=60000`);
    return { status, text, message: JSON.stringify(messages[0]), base64: Buffer.from(messages[0].base64, 'base64') };
}

before(async () => {
    if (skip) return;
    ports = { tiny: await freePort(), micro: await freePort() };
    pool = [`http://us:${pass}@127.0.0.1:${ports.tiny}`, `socks5h://us:${pass}@127.0.0.1:${ports.micro}`];
    gateway = await startGateway('lighttpd', { RATE_LIMIT_MAX: '0', SPAM_COOLDOWN_MS: '0', QUOTA_MAX: '0', WAREST_OUTBOUND_ALLOW: 'loopback', WAREST_LINK_PREVIEW: 'true', WAREST_RECONNECT_JITTER_MS: '10',
        WAREST_PROXY_URLS: pool.join(','), WAREST_PROXY_STRATEGY: 'failover', WAREST_PROXY_ROTATE_AFTER_FAILURES: '2', WAREST_PROXY_FAILURE_COOLOFF_MS: '600000' }, { tls: true });
    ports.wa = Number(new URL(gateway.wasim.wsUrl).port);
    ports.media = Number(gateway.wasim.sim.media.base.split(':')[1]);
    pages = await site();
    hidden = await site();
    ports.pages = pages.address().port;
    tiny = await startTiny();
    micro = await startMicro();
    await gateway.control('/accounts', { phone: THEM, name: 'Bob' });
    await gateway.link('main', US);
});
after(async () => {
    await gateway?.stop();
    await tiny?.stop();
    await micro?.stop();
    for (const server of [pages, hidden]) {
        server?.closeAllConnections();
        server?.close();
    }
});

test('WebSocket and media go through the first one (tinyproxy)', { skip }, async () => {
    await thereAndBack('TINY');
    const { proxies: [first, second] } = await proxies(() => true);
    assert.equal(first.proxy, `http://u***:***@127.0.0.1:${ports.tiny}`);
    assert.deepEqual([first.state, first.sessions, first.failures, second.state], ['ok', ['main'], 0, 'unused']);
    for (const port of [ports.wa, ports.media]) assert.match(tiny.output, new RegExp(`CONNECT \\S+:${port} `));
    assert.equal(micro.output, '');
});

test('so do link previews, their pictures, and files by address; where it does not go, nothing goes', { skip }, async () => {
    const link = await sentAs('LINKTINY', 'text', { message: `see http://127.0.0.1:${ports.pages}/shop` });
    assert.ok(link.base64.includes('Shop') && link.base64.includes('JFIF'), 'title and picture');
    assert.equal((await sentAs('FILETINY', 'document', { document: `http://127.0.0.1:${ports.pages}/file.txt` })).status, 200);
    assert.deepEqual(pages.asked, ['/shop', '/p.png', '/file.txt']);
    assert.ok(tiny.output.match(new RegExp(`CONNECT \\S+:${ports.pages} `, 'g')).length >= 1);

    const plain = await sentAs('LINKGONE', 'text', { message: `see http://127.0.0.1:${hidden.address().port}/shop` });
    assert.ok(plain.status === 200 && !plain.base64.includes('Shop'));
    for (const [route, name] of [['document', 'document'], ['files', 'files']]) {
        const refused = await sentAs(`GONE${route}`, route, { [name]: `http://127.0.0.1:${hidden.address().port}/file.txt` });
        assert.deepEqual(refused, { status: 502, code: 2803, message: 'The proxy of the session does not connect to that address' });
    }
    assert.deepEqual(hidden.asked, []);
    assert.match(tiny.output, new RegExp(`:${hidden.address().port}\\b`));
});

test('when it dies, the session moves to the next one (microsocks)', { skip }, async () => {
    await tiny.stop('SIGKILL');
    const { proxies: [first] } = await openThrough(1);
    assert.deepEqual([first.state, first.failures, first.sessions], ['cooling', 2, []]);
    assert.ok(first.lastError && Date.parse(first.coolingUntil) > Date.now());
    await thereAndBack('MICRO');
    assert.equal((await sentAs('FILEMICRO', 'document', { document: `http://localhost:${ports.pages}/file.txt` })).status, 200);
    for (const port of [ports.wa, ports.media, ports.pages]) assert.match(micro.output, new RegExp(`:${port}\\b`));
});

test('a restart does not change the address of the account', { skip }, async () => {
    tiny = await startTiny();
    await gateway.daemon.stop();
    await gateway.startDaemon();
    const { proxies: [first] } = await openThrough(1);
    assert.equal(first.state, 'unused');
});

test('proxies can be tried, also new ones', { skip }, async () => {
    const tried = async (body) => (await gateway.api('POST', '/server/proxies/test', { body })).json;
    assert.equal((await tried({ index: 0 })).results[0].ok, true);
    assert.equal((await tried({ proxy: pool[1] })).results[0].ok, true);
    const refused = (await tried({ proxy: pool[0].replace(pass, 'wrong') })).results[0];
    assert.deepEqual([refused.ok, refused.reason, refused.httpStatus >= 400], [false, 'proxy', true]);
    for (const proxy of [pool[1].replace(pass, 'wrong'), `http://127.0.0.1:${await freePort()}`]) {
        const result = (await tried({ proxy })).results[0];
        assert.deepEqual([result.ok, result.reason], [false, 'proxy']);
        assert.ok(result.error && !result.error.includes('wrong'));
    }
    assert.deepEqual([await tried({ proxy: 'ftp://a:1' }), await tried({ index: 9 }), await tried({})].map((a) => a.code), [2002, 2004, 2001]);
});

test('a session has a proxy of its own, and nothing else when that refuses', { skip }, async () => {
    const set = async (proxy) => (await gateway.api('POST', '/session/main/proxy', { body: { proxy } })).json;
    const show = async () => (await gateway.api('GET', '/session/main/proxy')).json.results[0];
    const seen = async (wanted) => { while (!wanted(await show())) await new Promise((resolve) => { setTimeout(resolve, 50); }); };

    assert.equal((await set(pool[0])).results[0].source, 'session');
    await seen((s) => s.status === 'open' && s.current?.proxy.endsWith(`:${ports.tiny}`));
    assert.deepEqual((await proxies(() => true)).overrides.map((o) => [o.sessionId, o.source, o.current.state]), [['main', 'session', 'ok']]);

    await set(pool[0].replace(pass, 'wrong'));
    await seen((s) => s.current?.failures >= 2);
    assert.notEqual(await status(), 'open');
    const asked = pages.asked.length;
    assert.notEqual((await sentAs('FILEWRONG', 'document', { document: `http://127.0.0.1:${ports.pages}/file.txt` })).status, 200);
    assert.equal(pages.asked.length, asked, 'not by another way');
    assert.deepEqual([(await set('ftp://x')).code, (await gateway.api('POST', '/session/nobody/proxy', { body: { proxy: '' } })).status], [2002, 404]);

    await set('direct');
    await seen((s) => s.status === 'open' && s.source === 'direct' && s.current === null);

    assert.equal((await set('')).results[0].source, 'pool');
    await openThrough(1);
});

test('no log has a password', { skip }, () => {
    assert.match(gateway.daemon.output, /no connection through this proxy/);
    assert.ok(!gateway.daemon.output.includes(pass) && !gateway.daemon.output.includes('us:wrong'));
});
