// SPDX-License-Identifier: GPL-3.0-or-later
// What a simulated device sends: messages to all devices of both sides, resends after retry receipts, read receipts.
import { bytesOf, child, node } from './nodes.js';
import { bareJid, isUserJid } from './jid.js';
import { isListJid, ListOutbox } from './broadcast-lists.js';
import { GroupOutbox } from './group-outbox.js';
import { namespaceOf } from './accounts.js';
import { damaged } from './faults.js';
import { parseRetryKeys } from './prekeys.js';
import { newKeyPair } from './curve.js';
import { attributesOfBytes, deviceSentBytes, newMessageId, pad } from './content.js';

const SENT_KEPT = 5000;
const MAX_RETRIES = 5;
const BOGUS_KEY_ID = 0xfffff0;

/** The sending side of a simulated device. */
export class Outbox {
    constructor(owner) {
        this.owner = owner;
        this.sim = owner.sim;
        this.sent = new Map();
        this.groups = new GroupOutbox(this);
        this.lists = new ListOutbox(this);
    }

    /**
     * Sends message bytes to a JID. Options: id, corrupt (every enc damaged), attrs (merged into the stanza), skip (device JIDs that
     * get nothing), pad (false: no padding), children (further child nodes), lose (that many messages are encrypted and lost before), bogus_prekey
     * (new sessions name a one-time key that does not exist), device_identity ('absent', 'forged'). Resolves with {id, devices, ack}.
     */
    send(to, bytes, options = {}) {
        if (!isUserJid(to)) return this.owner.run(() => this.many(to).send(to, bytes, options));
        return this.owner.run(() => this.sendNow(to, bytes, options));
    }

    many(to) {
        return isListJid(to) ? this.lists : this.groups;
    }

    async sendNow(to, bytes, options) {
        if (options.lose) await this.skipAhead(to, options.lose, options);
        const stanza = await this.build(to, bytes, options);
        const outcome = this.sim.router.route(this.owner.device, stanza);
        return { id: stanza.attrs.id, to: stanza.attrs.to, devices: this.targetsOf(to, options).map(d => d.name), ack: outcome };
    }

    targetsOf(to, options = {}) {
        const { device } = this.owner;
        const recipient = this.sim.directory.ofJid(to);
        if (!recipient) throw new TypeError(`no account ${to}`);
        const skip = new Set((options.skip || []).map(jid => this.sim.directory.deviceOf(jid)));
        return [...new Set([...recipient.devices.values(), ...device.account.devices.values()])]
            .filter(d => d !== device && !skip.has(d));
    }

    /** Encrypts for every device and makes the stanza; what it consumed of the ratchets is gone even if it is never routed. */
    async build(to, bytes, options = {}) {
        const { device } = this.owner;
        const chat = bareJid(to);
        const namespace = namespaceOf(chat);
        const id = options.id || newMessageId();
        const attributes = attributesOfBytes(bytes);
        this.remember(id, { chat, bytes, attributes });
        const wrapped = deviceSentBytes(chat, bytes);
        const participants = [];
        let hasPreKeyMessage = false;
        for (const target of this.targetsOf(to, options)) {
            const plain = target.account === device.account ? wrapped : bytes;
            const enc = await this.encrypt(target, plain, attributes, options);
            hasPreKeyMessage ||= enc.attrs.type === 'pkmsg';
            participants.push(node('to', { jid: target.jid(namespace) }, [enc]));
        }
        const content = [node('participants', {}, participants)];
        if (hasPreKeyMessage && device.adv && options.device_identity !== 'absent') content.push(this.deviceIdentity(options));
        content.push(...(options.children || []));
        this.owner.stats.sent++;
        return node('message', { id, to: chat, type: attributes.type, edit: attributes.edit, ...options.attrs }, content);
    }

    /** Sends message bytes to one own device as a peer message (key shares, history, answers to requests). */
    sendPeer(target, bytes, options = {}) {
        return this.owner.run(async () => {
            const { device } = this.owner;
            const id = options.id || newMessageId();
            const enc = await this.encrypt(target, bytes, {}, options);
            const content = [enc];
            if (enc.attrs.type === 'pkmsg' && device.adv) content.push(node('device-identity', {}, device.adv.encoded));
            const stanza = node('message', { id, to: target.jid('pn'), type: 'text', category: 'peer' }, content);
            this.remember(id, { chat: target.jid('pn'), bytes, attributes: { type: 'text' }, peer: true });
            return { id, ack: this.sim.router.route(device, stanza) };
        });
    }

    remember(id, entry) {
        this.sent.set(id, entry);
        if (this.sent.size > SENT_KEPT) this.sent.delete(this.sent.keys().next().value);
    }

    /** The own device identity, or a forged one. */
    deviceIdentity({ device_identity: kind }) {
        const bytes = Buffer.from(this.owner.device.adv.encoded);
        if (kind === 'forged') bytes[bytes.length - 5] ^= 0x55;
        return node('device-identity', {}, bytes);
    }

    /** Encrypts messages for every device that are never sent: a gap in the chain. */
    async skipAhead(to, count, options) {
        for (const target of this.targetsOf(to, options)) {
            for (let i = 0; i < count; i++) await this.encrypt(target, Buffer.from('lost'), {}, {});
        }
    }

    async encrypt(target, plain, attributes, options = {}) {
        const { store, device } = this.owner;
        if (options.bogus_prekey) {
            const bundle = this.sim.preKeys.bundle(target, device);
            await store.install(target, { ...bundle, oneTime: { id: BOGUS_KEY_ID, public: newKeyPair().public } });
        }
        if (store.sessionRegistration(target) === null) await store.install(target, this.sim.preKeys.bundle(target, device));
        const { type, bytes } = await store.encrypt(target, options.pad === false ? plain : pad(plain));
        const enc = node('enc', { v: 2, type, mediatype: attributes.mediatype, count: options.count }, bytes);
        return options.corrupt ? damaged(enc) : enc;
    }

    /** Somebody could not decrypt a message of ours. */
    async onRetry(stanza) {
        const retry = child(stanza, 'retry');
        const requester = this.sim.directory.deviceOf(stanza.attrs.participant ?? stanza.attrs.from);
        const entry = this.sent.get(stanza.attrs.id);
        const count = Number(retry?.attrs.count);
        if (!requester || !entry || !(count <= MAX_RETRIES)) {
            this.sim.event('retry_unanswered', { id: stanza.attrs.id, from: stanza.attrs.from, count, known: !!entry });
            return;
        }
        await this.renewSession(stanza, requester, count);
        if (!isUserJid(entry.chat)) {
            await this.many(entry.chat).resend(requester, stanza.attrs.id, entry, count);
            return;
        }
        const own = requester.account === this.owner.device.account;
        const plain = own && !entry.peer ? deviceSentBytes(entry.chat, entry.bytes) : entry.bytes;
        const enc = await this.encrypt(requester, plain, entry.attributes, { count });
        const content = [enc];
        if (enc.attrs.type === 'pkmsg' && this.owner.device.adv) content.push(node('device-identity', {}, this.owner.device.adv.encoded));
        this.owner.stats.resent++;
        this.sim.router.route(this.owner.device, node('message', {
            id: stanza.attrs.id, to: requester.jid(namespaceOf(entry.chat)), type: entry.attributes.type,
            device_fanout: 'false', category: entry.peer ? 'peer' : undefined, recipient: own && !entry.peer ? entry.chat : undefined
        }, content));
    }

    async renewSession(stanza, requester, count) {
        const { store, device } = this.owner;
        const keys = parseRetryKeys(stanza);
        if (keys && typeof keys !== 'string') {
            await store.install(requester, keys);
            return;
        }
        const registration = bytesOf(child(stanza, 'registration'))?.readUInt32BE(0);
        const known = store.sessionRegistration(requester);
        if (known === null || known !== registration || count >= 2) {
            await store.install(requester, this.sim.preKeys.bundle(requester, device));
        }
    }

    /** Read receipts for messages of a chat. */
    read(chat, ids, type = 'read', participant = undefined) {
        const [first, ...rest] = ids;
        this.sim.receipts.receipt(this.owner.device, node('receipt', {
            id: first, to: bareJid(chat), type, participant, t: this.sim.now()
        }, rest.length ? [node('list', {}, rest.map(id => node('item', { id })))] : undefined));
    }

    /** Asks again for a message that arrived well: a retry receipt as if it had not been decrypted. */
    askAgain(from, id, { count = 1, keys = false, participant, recipient } = {}) {
        const stanza = node('message', { from, id, participant, recipient, t: this.sim.now() });
        this.sim.receipts.receipt(this.owner.device, node('receipt', {
            id, to: from, participant, recipient, type: 'retry'
        }, this.owner.retryContent(stanza, count, keys)));
    }
}
