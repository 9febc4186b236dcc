// SPDX-License-Identifier: GPL-3.0-or-later
// The parties of the tests through the whole gateway: our session behind a web server, Baileys clients on the other account and on
// our own one, simulated phones and companions of both, and a webhook receiver that checks every signature by itself.
import assert from 'node:assert/strict';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { adminKey, startGateway } from '../e2e/lib/web-gateway.js';
import { RpcClient } from '../e2e/lib/rpc-client.js';
import { BaileysPeer, control } from './baileys-peer.js';

const SECRET = 'secret of the gateway tests';
const WAIT_MS = 60000;

/** Calls check() until it gives something; each call asks a party that has to answer, so this does not spin. */
export async function until(check, what) {
    const end = Date.now() + WAIT_MS;
    for (;;) {
        const found = await check();
        if (found) return found;
        if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
        await new Promise(resolve => { setTimeout(resolve, 20); });
    }
}

/** The receiver's side of webhooks: verifies as the contract's receivers do. */
export class Hook extends EventEmitter {
    constructor() {
        super();
        this.setMaxListeners(0);
        this.events = [];
        this.faults = [];
        this.server = createServer((request, response) => this.take(request, response));
    }

    async listen() {
        this.server.listen(0, '127.0.0.1');
        await once(this.server, 'listening');
        this.url = `http://127.0.0.1:${this.server.address().port}/hook`;
        return this;
    }

    take(request, response) {
        const parts = [];
        request.on('data', part => parts.push(part));
        request.on('end', () => {
            const raw = Buffer.concat(parts);
            const fault = Hook.fault(request.headers, raw);
            if (fault) this.faults.push(fault);
            response.writeHead(fault ? 401 : 200, { 'content-type': 'application/json' }).end('{"ok":true}');
            if (!fault) {
                this.events.push({ id: request.headers['x-warest-event-id'], ...JSON.parse(raw) });
                this.emit('event');
            }
        });
    }

    static fault(headers, raw) {
        const [algorithm, hex] = (headers['x-warest-signature'] ?? '').split('=');
        if (algorithm !== 'HMAC-SHA256' || headers['x-warest-signature-alg'] !== 'HMAC-SHA256') return `algorithm ${algorithm}`;
        const mac = createHmac('sha256', SECRET + (headers['x-warest-username'] ?? '')).update(raw).digest();
        const given = Buffer.from(hex ?? '', 'hex');
        if (given.length !== mac.length || !timingSafeEqual(given, mac)) return 'signature';
        const body = JSON.parse(raw);
        if (headers['x-warest-timestamp'] !== String(body.ts)) return 'timestamp';
        if (headers['x-warest-event'] !== body.event) return 'event name';
        return /^[0-9A-HJKMNP-TV-Z]{26}$/.test(headers['x-warest-event-id'] ?? '') ? null : 'event id';
    }

    /** The first event, past or future, that fits. */
    async wait(name, fits = () => true) {
        const end = Date.now() + WAIT_MS;
        for (;;) {
            const found = this.events.find(e => e.event === name && fits(e.data));
            if (found) return found;
            if (Date.now() > end) throw new Error(`no webhook ${name}; got ${this.events.map(e => `${e.event} ${e.data.text ?? e.data.status ?? ''}`).join(', ')}`);
            await Promise.race([once(this, 'event'), new Promise(resolve => { setTimeout(resolve, 1000).unref(); })]);
        }
    }

    /** All events of a received message. */
    ofMessage(id) {
        return this.events.filter(e => e.event === 'message_received' && e.data.message.key.id === id);
    }

    close() {
        this.server.closeAllConnections();
        this.server.close();
    }
}

/** Everything that one file of tests needs. */
export class Parties {
    /** kind: the web server; settings of the gateway and options of the simulator ({ tls: true } brings media servers). */
    static async start(kind, settings = {}, wasim = {}) {
        const parties = new Parties();
        parties.peers = [];
        try {
            await parties.setUp(kind, settings, wasim);
        } catch (error) {
            await parties.stop();
            throw error;
        }
        return parties;
    }

    async setUp(kind, settings, wasim) {
        this.hook = await new Hook().listen();
        this.gateway = await startGateway(kind, {
            WEBHOOK_DEFAULT_URL: this.hook.url, WEBHOOK_DEFAULT_SECRET: SECRET, RATE_LIMIT_MAX: '0', SPAM_COOLDOWN_MS: '0', QUOTA_MAX: '0',
            WAREST_RECONNECT_JITTER_MS: '50', WAREST_WEBHOOK_BACKOFF_MS: '50', WAREST_WEBHOOK_JITTER_MS: '20', ...settings
        }, wasim);
        this.us = await this.account('15556000001', { name: 'Ann' });
        this.them = await this.account('15556000002', { name: 'Bob' });
        await this.linkGateway();
        this.bob = await this.baileys(this.them.phone);
        this.bobsOther = await this.baileys(this.them.phone);
        this.mate = await this.baileys(this.us.phone);
    }

    call(method, path, body) {
        return control(this.gateway.wasim.controlUrl, method, path, body);
    }

    account(phone, more) {
        return this.call('POST', '/accounts', { phone, ...more });
    }

    async baileys(phone) {
        const peer = new BaileysPeer(this.gateway.wasim);
        this.peers.push(peer);
        await peer.pair(phone);
        return peer;
    }

    /** Our session "main", linked by QR through the REST API. */
    async linkGateway() {
        // On a busy machine a code may have been replaced before it is scanned.
        const linked = await until(async () => {
            const created = await this.gateway.api('GET', '/session/create?sessionId=main');
            const qr = created.status === 202 && created.json.results[0].qrString;
            return qr && this.call('POST', `/accounts/${this.us.phone}/scan`, { qr }).catch(() => null);
        }, 'a QR text that links');
        assert.equal(linked.linked, true);
        this.client = linked.jid;
        await this.hook.wait('session_status', d => d.status === 'open');
        await this.isOpen();
    }

    isOpen() {
        return until(async () => {
            const list = await this.gateway.api('GET', '/session/list');
            return list.json?.results?.[0]?.items?.find(i => i.id === 'main')?.status === 'open';
        }, 'an open session');
    }

    /** POST /messages/send/text; resolves with the message id. */
    async send(to, message) {
        const answer = await this.gateway.api('POST', '/messages/send/text', { body: { sessionId: 'main', to, message } });
        assert.equal(answer.status, 200, answer.text);
        const [entry] = answer.json.results;
        assert.equal(entry.status, 'text success');
        return entry.messageId;
    }

    /** A Baileys client has this message once, under this id. */
    async arrives(peer, id, text) {
        const message = await peer.waitMessage(text);
        assert.equal(message.key.id, id);
        assert.equal(peer.messages.filter(m => m.key.id === id).length, 1);
        return message;
    }

    /** A simulated device has this message, decrypted once. */
    async onPhone(account, id, device = 0) {
        const { messages } = await this.call('GET', `/accounts/${account.phone}/inbox?device=${device}&id=${id}&wait=30000`);
        assert.equal(messages.at(-1)?.plaintexts, 1, `${account.phone} device ${device} has ${id}`);
        return messages.at(-1);
    }

    /** A group of three accounts with two devices each (or more), made by Bob, that goes by "lid" or "pn". */
    async groupOf(addressing, more = {}) {
        this.third = String(Number(this.third ?? 15556000003) + 1);
        const third = await this.account(this.third, { name: 'Cid', companions: 1 });
        const group = await this.call('POST', '/groups', { creator: this.them.phone, members: [this.us.phone, third.phone], addressing, subject: 'Us', ...more });
        return { jid: group.jid, third };
    }

    /** Whoever is in the conversation has this message of ours on every device, once: Baileys clients, phones and a simulated companion. */
    async everywhere(id, third) {
        for (const peer of [this.bob, this.bobsOther, this.mate]) {
            await peer.waitMessage(m => m.key.id === id);
            assert.equal(peer.messages.filter(m => m.key.id === id).length, 1);
        }
        for (const [account, device] of [[this.us, 0], [this.them, 0], ...(third ? [[third, 0], [third, 1]] : [])]) {
            const { messages } = await this.call('GET', `/accounts/${account.phone}/inbox?device=${device}&id=${id}&wait=30000`);
            const { deliveries, errors, text, message } = messages.at(-1) ?? {};
            assert.deepEqual([deliveries, errors], [1, []], `${account.phone} device ${device} has ${id}`);
            assert.ok(text ?? message);
        }
    }

    /** The webhook of a received text: there, once, and as the contract says. */
    async received(id, text, peer, lid) {
        const { data } = await this.hook.wait('message_received', d => d.message.key.id === id);
        assert.deepEqual([data.text, data.tags, data.sender.fromMe, data.id], [text, data.contentType === 'conversation' ? 'text' : 'extended_text', false, 'main']);
        const chat = lid ? this.them.lid_jid : this.them.jid;
        assert.equal(data.message.key.remoteJid, chat);
        assert.equal(this.hook.ofMessage(id).length, 1);
        return data;
    }

    /** State of a sent message, as the daemon tells it. */
    async state(messageId) {
        const rpc = await RpcClient.connect(this.gateway.lab.socket);
        try {
            const answer = await rpc.call('messages.status', { key: adminKey, session: 'main', family: 'messages', p: { messageId } });
            return answer.result;
        } finally {
            rpc.close();
        }
    }

    becomes(id, ...states) {
        return until(async () => states.includes((await this.state(id))?.state), `message ${id} to be ${states}`);
    }

    /** Ends the daemon by a signal and starts it again on its state. */
    async restartDaemon(signal) {
        const { daemon } = this.gateway;
        await daemon.stop(signal);
        await this.gateway.startDaemon();
        await this.isOpen();
    }

    /** Our client owes the service nothing, nothing was refused, all webhooks were well signed. */
    async clean() {
        await until(async () => (await this.call('GET', `/clients/${this.client}`)).pending.length === 0, 'all stanzas to be answered');
        const { violations } = await this.call('GET', '/violations');
        assert.deepEqual(violations.map(v => `${v.rule}: ${v.text}`), []);
        assert.deepEqual(this.hook.faults, []);
    }

    async stop() {
        for (const peer of this.peers) peer.stop();
        await this.gateway?.stop();
        this.hook?.close();
    }
}
