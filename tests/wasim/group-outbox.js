// SPDX-License-Identifier: GPL-3.0-or-later
// What a simulated device sends to groups and to status@broadcast: a sender key message, and the key for whoever lacks it.
import { proto } from 'baileys/WAProto/index.js';
import { node } from './nodes.js';
import { attributesOfBytes, newMessageId, pad } from './content.js';

const STATUS = 'status@broadcast';

/** The sending side of a simulated device for chats with a sender key. */
export class GroupOutbox {
    constructor(outbox) {
        this.outbox = outbox;
        this.owner = outbox.owner;
        this.sim = outbox.sim;
        this.given = new Map();
    }

    /** Options beside those of a 1:1 message: audience (phones, for a status), redistribute (the key goes to everybody again), no_key (to nobody), lose. */
    async send(to, bytes, options) {
        const { device, store } = this.owner;
        const chat = this.chat(to, options);
        const id = options.id || newMessageId();
        const attributes = attributesOfBytes(bytes);
        this.outbox.remember(id, { chat: to, bytes, attributes });
        for (let i = 0; i < (options.lose || 0); i++) await store.encryptForGroup(to, device, pad(Buffer.from('lost')));
        const padded = options.pad === false ? bytes : pad(bytes);
        const { bytes: ciphertext, distribution } = await store.encryptForGroup(to, device, padded);
        const { participants, hasPreKeyMessage } = await this.distribute(chat, distribution, options);
        const content = [];
        if (participants.length) content.push(node('participants', {}, participants));
        if (hasPreKeyMessage && device.adv) content.push(this.outbox.deviceIdentity(options));
        const enc = node('enc', { v: 2, type: 'skmsg', mediatype: attributes.mediatype }, options.corrupt ? Buffer.concat([ciphertext.subarray(0, -1), Buffer.from([ciphertext.at(-1) ^ 1])]) : ciphertext);
        content.push(enc, ...(options.children || []));
        this.owner.stats.sent++;
        const outcome = this.sim.router.route(device, node('message', {
            id, to, type: attributes.type, edit: attributes.edit, addressing_mode: chat.group?.addressing, ...options.attrs
        }, content));
        return { id, to, devices: chat.devices.filter(d => d !== device).map(d => d.name), ack: outcome };
    }

    chat(to, options) {
        if (to === STATUS) {
            const accounts = new Set([this.owner.device.account, ...(options.audience || []).map(phone => this.sim.directory.find(phone))]);
            return { to, group: null, namespace: 'lid', devices: [...accounts].flatMap(account => account.deviceList()) };
        }
        const group = this.sim.groups.find(to);
        if (!group) throw new TypeError(`no group ${to}`);
        return { to, group, namespace: group.addressing, devices: group.devices() };
    }

    async distribute(chat, distribution, options) {
        const { device } = this.owner;
        const given = this.given.get(chat.to) || new Set();
        this.given.set(chat.to, given);
        const message = Buffer.from(proto.Message.encode({
            senderKeyDistributionMessage: { groupId: chat.to, axolotlSenderKeyDistributionMessage: distribution }
        }).finish());
        const participants = [];
        let hasPreKeyMessage = false;
        for (const target of chat.devices) {
            if (target === device || options.no_key || (given.has(target) && !options.redistribute && chat.group)) continue;
            const enc = await this.outbox.encrypt(target, message, {}, options.bogus_prekey ? options : {});
            hasPreKeyMessage ||= enc.attrs.type === 'pkmsg';
            participants.push(node('to', { jid: target.jid(chat.namespace) }, [enc]));
            given.add(target);
        }
        return { participants, hasPreKeyMessage };
    }

    /** The message and the key, for one device that asked. */
    async resend(requester, id, entry, count) {
        const { device, store } = this.owner;
        const { distribution } = await store.encryptForGroup(entry.chat, device, null);
        const message = proto.Message.decode(entry.bytes);
        message.senderKeyDistributionMessage = { groupId: entry.chat, axolotlSenderKeyDistributionMessage: distribution };
        const enc = await this.outbox.encrypt(requester, Buffer.from(proto.Message.encode(message).finish()), entry.attributes, { count });
        const content = [enc];
        if (enc.attrs.type === 'pkmsg' && device.adv) content.push(node('device-identity', {}, device.adv.encoded));
        const group = this.sim.groups.find(entry.chat);
        this.owner.stats.resent++;
        this.sim.router.route(device, node('message', {
            id, to: entry.chat, participant: requester.jid(group?.addressing ?? 'lid'), type: entry.attributes.type, addressing_mode: group?.addressing
        }, content));
    }
}
