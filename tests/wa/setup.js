// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests of the protocol library share: one simulator per file, wawire clients that are ended, accounts, linking.
import { before, after, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { startWasim } from '../wasim/wasim.js';
import { control } from '../peer/baileys-peer.js';
import { Wire } from './wire.js';

// enum wa_reaction of wa.h
export const REACTION = { now: 1, backoff: 2, slow: 3, stop: 4, until: 5, replaced: 6, loggedOut: 7, version: 8, storage: 9 };

export class Bench {
    constructor(firstPhone) {
        this.wires = [];
        this.nextPhone = firstPhone;
        before(async () => {
            this.wasim = await startWasim({});
        });
        afterEach(async () => {
            for (const wire of this.wires.splice(0)) assert.deepEqual(await wire.end(), { event: 'exit', code: 0, signal: null });
            await this.call('DELETE', '/faults');
            const { violations } = await this.call('GET', '/violations');
            await this.call('DELETE', '/violations');
            assert.deepEqual(violations, []);
        });
        after(async () => {
            await this.wasim?.close();
        });
    }

    call(method, path, body) {
        return control(this.wasim.controlUrl, method, path, body);
    }

    wire(options) {
        const wire = new Wire(this.wasim, options);
        this.wires.push(wire);
        return wire;
    }

    account(extra = {}) {
        return this.call('POST', '/accounts', { phone: String(this.nextPhone++), name: 'Ann', ...extra });
    }

    async showQr(wire) {
        wire.tell('open');
        return (await wire.wait('qr')).text;
    }

    async linkByQr(wire, phone) {
        const scanned = this.call('POST', `/accounts/${phone}/scan`, { qr: await this.showQr(wire) });
        const paired = await wire.wait('paired');
        assert.equal((await scanned).linked, true);
        const close = await wire.wait('close');
        assert.deepEqual([close.reaction, close.code], [REACTION.now, 515]);
        await wire.wait('ws_closed');
        return paired;
    }

    async open(wire) {
        wire.tell('open');
        return wire.wait('open');
    }

    // A linked client that is logged in. {wire, account, jid}
    async linked(extra) {
        const account = await this.account(extra);
        const wire = this.wire();
        const { jid } = await this.linkByQr(wire, account.phone);
        await this.open(wire);
        return { wire, account, jid, client: encodeURIComponent(jid.split('@')[0]) };
    }

    async close(wire) {
        wire.tell('stop');
        await wire.wait('close');
        await wire.wait('ws_closed');
    }
}
