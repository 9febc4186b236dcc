// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, phones cannot be linked, a forged answer links a session to somebody else's account, or a linked session does not
// come back after a restart.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Bench, REACTION } from './setup.js';

const bench = new Bench(15550100000);

test('links by QR, logs in, uploads prekeys, logs in again', async () => {
    const ann = await bench.account();
    const wire = bench.wire();
    const paired = await bench.linkByQr(wire, ann.phone);
    assert.match(paired.jid, new RegExp(`^${ann.phone}:\\d+@s\\.whatsapp\\.net$`));
    assert.match(paired.other, /@lid$/);
    const open = await bench.open(wire);
    assert.equal(open.jid, paired.jid);
    // Not "available": the phone must go on notifying its owner.
    const { stanzas } = await bench.call('GET', `/stanzas?device=${encodeURIComponent(paired.jid)}&tag=presence&wait=20000`);
    assert.equal(stanzas[0].stanza.attrs.type, 'unavailable');
    let creds = await wire.ask('creds');
    assert.equal(creds.next_prekey_id, 813);
    assert.equal(creds.login_count, 1);
    await bench.close(wire);
    await bench.open(wire);
    creds = await wire.ask('creds');
    assert.equal(creds.next_prekey_id, 813);
    assert.equal(creds.login_count, 2);
});

test('shows the older QR form when asked to, and links by it', async () => {
    const wire = bench.wire({ options: ['classic'] });
    wire.tell('open');
    const { text, ms } = await wire.wait('qr');
    assert.equal(text.split(',').length, 4);
    assert.ok(!text.includes('#'));
    assert.equal(ms, 60000);
    const ann = await bench.account();
    const scanned = bench.call('POST', `/accounts/${ann.phone}/scan`, { qr: text });
    await wire.wait('paired');
    assert.equal((await scanned).linked, true);
    await wire.wait('ws_closed');
    await bench.open(wire);
});

test('shows one QR text after the other, then gives up', async () => {
    const wire = bench.wire();
    const texts = new Set([await bench.showQr(wire)]);
    wire.tell('skip 60000');
    for (;;) {
        const event = await wire.wait(['qr', 'qr_expired']);
        if (event.event === 'qr_expired') break;
        assert.equal(event.ms, 20000);
        texts.add(event.text);
        wire.tell('skip 20000');
    }
    assert.equal(texts.size, 6);
    assert.equal((await wire.wait('close')).code, 408);
});

test('links by code, its own and a given one', async () => {
    for (const given of [undefined, 'ABCD1234']) {
        const ann = await bench.account();
        const wire = bench.wire();
        await bench.showQr(wire);
        wire.tell('pair', ann.phone, ...(given ? [given] : []));
        const { text } = await wire.wait('pair_code');
        assert.match(text, /^[1-9A-HJ-NP-TV-Z]{8}$/);
        if (given) assert.equal(text, given);
        const entered = bench.call('POST', `/accounts/${ann.phone}/code`, { code: text });
        await wire.wait('paired');
        assert.equal((await entered).linked, true);
        await wire.wait('ws_closed');
        await bench.open(wire);
    }
});

test('a code can be asked for before the server is ready, and replaced by another', async () => {
    const ann = await bench.account();
    const wire = bench.wire();
    wire.tell('open');
    await wire.wait('ws_opened');
    wire.tell('pair', ann.phone);
    const first = (await wire.wait('pair_code')).text;
    wire.tell('pair', ann.phone);
    const second = (await wire.wait('pair_code')).text;
    assert.notEqual(first, second);
    const entered = bench.call('POST', `/accounts/${ann.phone}/code`, { code: second });
    await wire.wait('paired');
    assert.equal((await entered).linked, true);
});

test('a code that nobody types expires', async () => {
    const ann = await bench.account();
    const wire = bench.wire();
    await bench.showQr(wire);
    wire.tell('pair', ann.phone);
    await wire.wait('pair_code');
    wire.tell('skip 180000');
    assert.equal((await wire.wait('pair_error')).code, 408);
});

test('refuses phone numbers and codes that cannot be', async () => {
    const wire = bench.wire();
    await bench.showQr(wire);
    for (const words of [['0155500011'], ['12345'], ['1555x000111'], ['15550001111', 'abc']]) {
        wire.tell('pair', ...words);
        assert.equal((await wire.wait('pair_error')).code, 400);
    }
});

for (const [fault, code, text] of [
    ['hmac', 401, 'hmac-mismatch'], ['account_signature', 401, 'signature-mismatch'],
    ['garbage', 500, 'internal-error'], ['no_device', 500, 'internal-error']
]) {
    test(`a pair-success that is wrong (${fault}) links nothing`, async () => {
        const ann = await bench.account();
        const wire = bench.wire();
        const outcome = await bench.call('POST', `/accounts/${ann.phone}/scan`, { qr: await bench.showQr(wire), fault });
        assert.equal(outcome.linked, false);
        assert.equal(String(outcome.error.code), String(code));
        assert.equal(outcome.error.text, text);
        assert.equal((await wire.wait('pair_error')).text, text);
        assert.equal((await wire.wait('close')).reaction, REACTION.backoff);
        await wire.wait('ws_closed');
        assert.equal((await wire.ask('creds')).pn, undefined);
        await bench.linkByQr(wire, ann.phone);
    });
}

test('what is not stored is not answered', async () => {
    const ann = await bench.account();
    const wire = bench.wire();
    const qr = await bench.showQr(wire);
    wire.tell('fail on');
    const scanned = bench.call('POST', `/accounts/${ann.phone}/scan`, { qr });
    assert.equal((await wire.wait('close')).reaction, REACTION.storage);
    await wire.wait('ws_closed');
    assert.equal((await scanned).linked, false);
    wire.tell('fail off');
    assert.equal((await wire.ask('creds')).pn, undefined);
    await bench.linkByQr(wire, ann.phone);
    await bench.open(wire);
});

async function passkeyRequest(wire, ann) {
    const outcome = await bench.call('POST', `/accounts/${ann.phone}/scan`, { qr: await bench.showQr(wire) });
    assert.equal(outcome.passkey, true);
    return JSON.parse((await wire.wait('passkey_request')).text);
}

test('links an account that demands a passkey', async () => {
    const ann = await bench.account({ passkey: true });
    const wire = bench.wire();
    const options = await passkeyRequest(wire, ann);
    const assertion = await bench.call('POST', `/accounts/${ann.phone}/passkey/assertion`, { challenge: options.challenge });
    assert.equal((await wire.ask('confirm', 'passkey_confirm')).result, -1);
    wire.tell('passkey', JSON.stringify({ nonsense: true }));
    assert.equal((await wire.wait('passkey_response')).result, -1);
    wire.tell('passkey', JSON.stringify(assertion));
    assert.equal((await wire.wait('passkey_response')).result, 0);
    await bench.call('GET', `/events?type=passkey_prologue&phone=${ann.phone}&wait=20000`);
    const approved = bench.call('POST', `/accounts/${ann.phone}/passkey/approve`, {});
    const code = await wire.wait('passkey_code');
    assert.match(code.text, /^[1-9A-HJ-NP-TV-Z]{4}-[1-9A-HJ-NP-TV-Z]{4}$/);
    assert.equal((await approved).code, code.text);
    assert.equal((await wire.ask('confirm', 'passkey_confirm')).result, 0);
    await wire.wait('paired');
    await wire.wait('ws_closed');
    await bench.open(wire);
});

test('a passkey that nobody uses expires', async () => {
    const ann = await bench.account({ passkey: true });
    const wire = bench.wire();
    await passkeyRequest(wire, ann);
    wire.tell('skip 600000');
    assert.equal((await wire.wait('pair_error')).code, 408);
});

test('a linked device is not linked again', async () => {
    const { wire, account } = await bench.linked();
    wire.tell('pair', account.phone);
    assert.equal((await wire.wait('pair_error')).code, 409);
    await bench.close(wire);
    wire.tell('pair', account.phone);
    assert.equal((await wire.wait('pair_error')).code, 428);
});

test('a passkey for another site is refused, with the reason', async () => {
    const ann = await bench.account({ passkey: true });
    const wire = bench.wire();
    const options = await passkeyRequest(wire, ann);
    const assertion = await bench.call('POST', `/accounts/${ann.phone}/passkey/assertion`, { challenge: options.challenge, origin: 'https://example.com' });
    wire.tell('passkey', JSON.stringify(assertion));
    const error = await wire.wait('pair_error');
    assert.match(error.text, /passkey/);
    await bench.call('DELETE', '/violations');
});

const CERTIFICATES = {
    expired: /expired/, not_yet_valid: /not valid yet/, intermediate_expired: /expired/, wrong_root: /root key/, leaf_key_mismatch: /another key/,
    serial_mismatch: /belong together/, issuer_serial: /belong together/, leaf_signature: /intermediate key/, intermediate_signature: /root key/,
    missing_leaf: /malformed/, short_signature: /malformed/
};

for (const [value, reason] of Object.entries(CERTIFICATES)) {
    test(`refuses a server whose certificate is wrong: ${value}`, async () => {
        await bench.call('POST', '/faults', { kind: 'certificate', value, count: 1 });
        const wire = bench.wire();
        wire.tell('open');
        const close = await wire.wait('close');
        assert.match(close.reason, reason);
        assert.equal(close.reaction, REACTION.slow);
        await wire.wait('ws_closed');
        await bench.showQr(wire);
    });
}

test('refuses a server of another root', async () => {
    const wire = bench.wire({ rootKey: '142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b' });
    wire.tell('open');
    assert.match((await wire.wait('close')).reason, /root key/);
});
