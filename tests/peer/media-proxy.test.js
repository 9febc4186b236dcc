// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a session that has a proxy shows its own address to WhatsApp's media servers, or cannot exchange files at all.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { startGateway } from '../e2e/lib/web-gateway.js';
import { isInstalled } from '../e2e/lib/web.js';
import { connectProxy, listen, socksProxy } from '../net/lab.js';

const skip = !isInstalled('lighttpd') && 'lighttpd is not installed';
const US = '15557300001', THEM = '15557300002';
const http = connectProxy(), socks = socksProxy();
let gateway, ports, media;

before(async () => {
    if (skip) return;
    ports = { http: await listen(http), socks: await listen(socks) };
    gateway = await startGateway('lighttpd', { RATE_LIMIT_MAX: '0', SPAM_COOLDOWN_MS: '0', QUOTA_MAX: '0', WAREST_OUTBOUND_ALLOW: 'loopback', WAREST_RECONNECT_JITTER_MS: '50',
        WAREST_PROXY_URLS: `http://127.0.0.1:${ports.http}` }, { tls: true });
    // A name that leads nowhere from here: only the proxies know where that is.
    media = `mmg.whatsapp.net:${gateway.wasim.sim.media.base.split(':')[1]}`;
    gateway.wasim.sim.options.mediaHosts = [media];
    await gateway.control('/accounts', { phone: THEM, name: 'Bob' });
    await gateway.link('main', US);
});
after(async () => {
    await gateway?.stop();
    http.closeAllConnections?.();
    http.close();
    socks.close();
});

// To us: the account's phone tells so, too.
async function delivered(id) {
    for (let after = 0, found = false; !found;) {
        const { receipts, last } = await gateway.control(`/accounts/${THEM}/receipts?id=${id}&after=${after}&wait=60000`);
        found = receipts.some((r) => /:\d+@/.test(r.from));
        after = last;
    }
}

// A file there, and the same one back; the connection may be the same.
async function thereAndBack(id, seen) {
    const bytes = createHash('shake256', { outputLength: 300000 }).update(id).digest();
    const sent = await gateway.api('POST', `/messages/send/document?sessionId=main&to=${THEM}&messageId=${id}`, { body: bytes, headers: { 'content-type': 'application/pdf' } });
    assert.equal(sent.status, 200, sent.text);
    assert.ok(seen() > 0, 'uploaded through the proxy');
    const { messages } = await gateway.control(`/accounts/${THEM}/inbox?id=${id}&wait=60000`);
    await gateway.control(`/accounts/${THEM}/send`, { to: US, id: `${id}BACK`, base64: messages[0].base64 });
    await delivered(`${id}BACK`);
    const got = await gateway.api('POST', `/messages/${id}BACK/media`, { body: { sessionId: 'main' } });
    assert.equal(got.status, 200, got.text);
    assert.equal(got.json.results[0].fileSha256, createHash('sha256').update(bytes).digest('base64'));
}

test('files go through an HTTP proxy, by CONNECT', { skip }, async () => {
    await thereAndBack('VIAHTTP', () => http.log.filter((c) => c.target === media).length);
    assert.equal(socks.log.length, 0);
});

test('files go through a SOCKS5 proxy, which resolves the name', { skip }, async () => {
    await gateway.daemon.stop();
    gateway.settings.WAREST_PROXY_URLS = `socks5h://127.0.0.1:${ports.socks}`;
    const before = http.log.length;
    await gateway.startDaemon();
    while ((await gateway.api('GET', '/session/list')).json.results[0].items[0].status !== 'open') await new Promise((resolve) => { setTimeout(resolve, 20); });
    await thereAndBack('VIASOCKS', () => socks.log.filter((c) => `${c.host}:${c.port}` === media).length);
    assert.equal(http.log.length, before);
});
