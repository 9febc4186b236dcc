// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a session reconnects when it must not (and is banned or fights with itself), stays down when it need not, or loses its
// credentials for a passing trouble.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Bench, REACTION } from './setup.js';

const bench = new Bench(15550200000);

const STREAM_ERRORS = [
    [{ code: '515' }, REACTION.now, 515], [{ code: '503' }, REACTION.backoff, 503], [{ code: '429' }, REACTION.slow, 429],
    [{ code: '409' }, REACTION.replaced, 440], [{ code: '413' }, REACTION.backoff, 413], [{ code: '999' }, REACTION.backoff, 999],
    [{ children: [{ tag: 'conflict', attrs: { type: 'replaced' } }] }, REACTION.replaced, 440],
    [{ children: [{ tag: 'xml-not-well-formed', attrs: {} }] }, REACTION.backoff, 500],
    [{ children: [{ tag: 'ack', attrs: { id: 'ABC', class: 'message' } }] }, REACTION.backoff, 500],
    [{}, REACTION.backoff, 500]
];

test('takes every stream error as it is meant', async () => {
    const { wire, client } = await bench.linked();
    for (const [body, reaction, code] of STREAM_ERRORS) {
        await bench.call('POST', `/clients/${client}/stream-error`, body);
        const close = await wire.wait('close');
        assert.deepEqual([close.reaction, close.code], [reaction, code], JSON.stringify(body));
        await wire.wait('ws_closed');
        await bench.open(wire);
    }
});

for (const body of [
    { code: '401', children: [{ tag: 'conflict', attrs: { type: 'device_removed' } }] }, { code: '401' }, { code: '516' }
]) {
    test(`unlinked on the phone: ${JSON.stringify(body)}`, async () => {
        const { wire, client } = await bench.linked();
        await bench.call('POST', `/clients/${client}/stream-error`, { ...body, close: false });
        await wire.wait('logged_out');
        assert.equal((await wire.wait('close')).reaction, REACTION.loggedOut);
        assert.equal((await wire.ask('creds')).noise, undefined);
    });
}

const FAILURES = [
    [400, REACTION.stop], [405, REACTION.version], [409, REACTION.stop], [411, REACTION.stop], [415, REACTION.stop], [418, REACTION.stop],
    [419, REACTION.stop], [500, REACTION.backoff], [501, REACTION.stop], [503, REACTION.backoff], [777, REACTION.stop]
];

test('takes every refused login as it is meant, and keeps the credentials', async () => {
    const { wire } = await bench.linked();
    await bench.close(wire);
    for (const [reason, reaction] of FAILURES) {
        await bench.call('POST', '/faults', { kind: 'login_failure', attrs: { reason: String(reason), location: 'test' }, count: 1 });
        wire.tell('open');
        const close = await wire.wait('close');
        assert.deepEqual([close.reaction, close.code], [reaction, reason]);
        await wire.wait('ws_closed');
    }
    await bench.open(wire);
});

test('a temporary ban says until when', async () => {
    const { wire } = await bench.linked();
    await bench.close(wire);
    await bench.call('POST', '/faults', { kind: 'login_failure', attrs: { reason: '402', code: '104', expire: '3600' }, count: 1 });
    wire.tell('open');
    const close = await wire.wait('close');
    assert.equal(close.reaction, REACTION.until);
    assert.match(close.reason, /same message too often/);
    const left = close.until_ms - Date.now();
    assert.ok(left > 3000000 && left <= 3600000 + 60000, String(left));
});

for (const reason of ['401', '403', '406']) {
    test(`a login refused with ${reason} ends the link`, async () => {
        const { wire } = await bench.linked();
        await bench.close(wire);
        await bench.call('POST', '/faults', { kind: 'login_failure', attrs: { reason }, count: 1 });
        wire.tell('open');
        assert.equal((await wire.wait('logged_out')).code, Number(reason));
        const close = await wire.wait('close');
        assert.deepEqual([close.reaction, close.code], [REACTION.loggedOut, Number(reason)]);
        assert.equal((await wire.ask('creds')).noise, undefined);
    });
}

test('logs out', async () => {
    const { wire, account } = await bench.linked();
    wire.tell('logout');
    assert.equal((await wire.wait('logged_out')).code, 401);
    assert.equal((await wire.wait('close')).reaction, REACTION.loggedOut);
    const { devices } = await bench.call('GET', `/accounts/${account.phone}/devices`);
    assert.equal(devices.length, 1);
    // The server may have closed the connection before we did.
    await wire.until(() => wire.events.some(event => event.event === 'ws_closed'), 'ws_closed');
    await bench.linkByQr(wire, account.phone);
});

test('a lost connection is reported as such, and the next one works', async () => {
    const { wire, client } = await bench.linked();
    await bench.call('POST', `/clients/${client}/drop`, {});
    let close = await wire.wait('close');
    assert.deepEqual([close.reaction, close.code], [REACTION.backoff, 428]);
    await bench.open(wire);
    await bench.call('POST', `/clients/${client}/close`, {});
    close = await wire.wait('close');
    assert.deepEqual([close.reaction, close.code], [REACTION.backoff, 428]);
    await bench.open(wire);
});

test('pings when it is quiet, and gives a silent server up', async () => {
    const { wire, client, jid } = await bench.linked();
    wire.tell('silence 31000');
    const { stanzas } = await bench.call('GET', `/stanzas?device=${encodeURIComponent(jid)}&tag=iq&xmlns=w:p&wait=20000`);
    assert.equal(stanzas.length, 1);
    await bench.call('POST', `/clients/${client}/silence`, { on: true });
    wire.tell('silence 31000');
    await bench.call('GET', `/stanzas?device=${encodeURIComponent(jid)}&tag=iq&xmlns=w:p&after=${stanzas[0].seq}&wait=20000`);
    wire.tell('silence 20000');
    const close = await wire.wait('close');
    assert.deepEqual([close.reaction, close.code], [REACTION.backoff, 408]);
});

test('answers pings of the server, also those without id', async () => {
    const { client, jid } = await bench.linked();
    const { answer } = await bench.call('POST', `/clients/${client}/query`, { stanza: { tag: 'iq', attrs: { from: '@s.whatsapp.net', type: 'get', xmlns: 'urn:xmpp:ping' } } });
    assert.equal(answer.attrs.type, 'result');
    const before = (await bench.call('GET', '/stanzas')).last;
    await bench.call('POST', `/clients/${client}/stanza`, { stanza: { tag: 'iq', attrs: { from: '@s.whatsapp.net', type: 'get', xmlns: 'urn:xmpp:ping' } } });
    const { stanzas } = await bench.call('GET', `/stanzas?device=${encodeURIComponent(jid)}&tag=iq&type=result&after=${before}&wait=20000`);
    assert.equal(stanzas[0].stanza.attrs.id, undefined);
});

test('keeps the routing information for the next connection', async () => {
    const { wire, client } = await bench.linked();
    const info = Buffer.from('0805', 'hex');
    await bench.call('POST', `/clients/${client}/stanza`, { stanza: { tag: 'ib', attrs: { from: '@s.whatsapp.net' }, content: [{ tag: 'edge_routing', attrs: {}, content: [{ tag: 'routing_info', attrs: {}, content: { base64: info.toString('base64') } }] }] } });
    const { answer } = await bench.call('POST', `/clients/${client}/query`, { stanza: { tag: 'iq', attrs: { from: '@s.whatsapp.net', type: 'get', xmlns: 'urn:xmpp:ping' } } });
    assert.ok(answer);
    await bench.close(wire);
    await bench.open(wire);
    assert.ok((await wire.ask('creds')).routing_info > 0);
});

test('uploads more prekeys when told that they run low', async () => {
    const { wire, client, jid } = await bench.linked();
    const before = (await bench.call('GET', '/stanzas')).last;
    await bench.call('POST', `/clients/${client}/clear-prekeys`, {});
    await bench.call('POST', `/clients/${client}/low-prekeys`, {});
    const { stanzas } = await bench.call('GET', `/stanzas?device=${encodeURIComponent(jid)}&tag=iq&xmlns=encrypt&type=set&after=${before}&wait=20000`);
    assert.equal(stanzas.length, 1);
    assert.equal((await wire.ask('creds')).next_prekey_id, 863);
});

test('rotates the signed prekey after 27 days', async () => {
    const { wire, jid } = await bench.linked();
    await bench.close(wire);
    wire.tell(`skip ${28 * 86400000}`);
    const before = (await bench.call('GET', '/stanzas')).last;
    await bench.open(wire);
    const { stanzas } = await bench.call('GET', `/stanzas?device=${encodeURIComponent(jid)}&tag=iq&xmlns=encrypt&type=set&after=${before}&wait=20000`);
    assert.equal(stanzas.length, 1);
    await bench.close(wire);
    assert.equal((await wire.ask('creds')).signed_prekey_id, 2);
});

test('does not mind how bytes are cut, joined or compressed', async () => {
    for (const kind of ['split_frames', 'merge_frames', 'compress']) {
        const { fault } = await bench.call('POST', '/faults', { kind, count: 0 });
        const { wire } = await bench.linked();
        await bench.close(wire);
        assert.ok(fault.id);
        await bench.call('DELETE', '/faults');
    }
});

test('a connection that is cut at any byte leads to another try', async () => {
    const { wire } = await bench.linked();
    await bench.close(wire);
    for (const bytes of [1, 40, 150, 200, 300, 400, 520, 700, 900]) {
        await bench.call('POST', '/faults', { kind: 'close_at_byte', bytes, count: 1 });
        wire.tell('open');
        const close = await wire.wait('close');
        assert.equal(close.reaction, REACTION.backoff, `${bytes} bytes: ${JSON.stringify(close)}`);
        await bench.call('DELETE', '/faults');
    }
    await bench.open(wire);
});

test('a second success changes nothing', async () => {
    const { wire } = await bench.linked();
    await bench.close(wire);
    await bench.call('POST', '/faults', { kind: 'success_twice', count: 1 });
    await bench.open(wire);
    assert.equal((await wire.ask('creds')).login_count, 2);
});

test('a login whose prekeys cannot be counted is tried again later', async () => {
    const { wire } = await bench.linked();
    await bench.close(wire);
    await bench.call('POST', '/faults', { kind: 'iq_error', code: 500, match: { xmlns: 'encrypt' }, count: 1 });
    wire.tell('open');
    assert.equal((await wire.wait('close')).reaction, REACTION.backoff);
    await wire.wait('ws_closed');
    await bench.open(wire);
});

test('two connections of one device: the older is told, and stays away', async () => {
    const { wire, client } = await bench.linked();
    await bench.call('POST', `/clients/${client}/stream-error`, { children: [{ tag: 'conflict', attrs: { type: 'replaced' } }] });
    assert.equal((await wire.wait('close')).reaction, REACTION.replaced);
});
