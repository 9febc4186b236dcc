// SPDX-License-Identifier: GPL-3.0-or-later
// Broadcast lists: a phone writes to many at once, pairwise, and everybody gets it from LIST@broadcast with the phone as participant.
import { child, children, node } from './nodes.js';
import { parseJid } from './jid.js';
import { attributesOfBytes, deviceSentBytes, newMessageId } from './content.js';

const STATUS = 'status@broadcast';

/** True for LIST@broadcast; a status is none. */
export function isListJid(jid) {
    return jid !== STATUS && parseJid(jid)?.server === 'broadcast';
}

/** The server's side. Only phones have lists: linked devices cannot write to one (whatsmeow refuses it, Baileys has no code for it). */
export class BroadcastLists {
    constructor(sim, groups) {
        this.sim = sim;
        this.groups = groups;
    }

    route(sender, stanza) {
        if (sender.kind === 'client') {
            this.sim.strict.violation(sender, 'broadcast_list', 'a linked device writes to a broadcast list', stanza);
            return { error: 404 };
        }
        const chat = { namespace: 'pn', group: null };
        if (stanza.attrs.participant) return this.groups.resend(sender, chat, stanza);
        for (const to of children(child(stanza, 'participants'), 'to')) {
            const enc = child(to, 'enc');
            const identity = enc.attrs.type === 'pkmsg' && child(stanza, 'device-identity');
            this.sim.directory.deviceOf(to.attrs.jid).queue.push(node('message', this.groups.attrs(sender, chat, stanza), identity ? [enc, identity] : [enc]));
        }
        return {};
    }
}

/** The sending side of a phone. */
export class ListOutbox {
    constructor(outbox) {
        this.outbox = outbox;
        this.owner = outbox.owner;
        this.sim = outbox.sim;
    }

    /** Options beside those of a 1:1 message: audience (phones). */
    async send(list, bytes, options) {
        const { device } = this.owner;
        const id = options.id || newMessageId();
        const attributes = attributesOfBytes(bytes);
        this.outbox.remember(id, { chat: list, bytes, attributes });
        const accounts = new Set([device.account, ...(options.audience || []).map(phone => this.sim.directory.find(phone))]);
        const targets = [...accounts].flatMap(account => account.deviceList()).filter(target => target !== device);
        const participants = [];
        for (const target of targets) {
            const plain = target.account === device.account ? deviceSentBytes(list, bytes) : bytes;
            participants.push(node('to', { jid: target.jid('pn') }, [await this.outbox.encrypt(target, plain, attributes, options)]));
        }
        const content = [node('participants', {}, participants)];
        if (device.adv) content.push(this.outbox.deviceIdentity(options));
        this.owner.stats.sent++;
        const ack = this.sim.router.route(device, node('message', { id, to: list, type: attributes.type, ...options.attrs }, content));
        return { id, to: list, devices: targets.map(target => target.name), ack };
    }

    /** For one device that could not read it. */
    async resend(requester, id, entry, count) {
        const { device } = this.owner;
        const enc = await this.outbox.encrypt(requester, entry.bytes, entry.attributes, { count });
        const content = enc.attrs.type === 'pkmsg' && device.adv ? [enc, node('device-identity', {}, device.adv.encoded)] : [enc];
        this.owner.stats.resent++;
        this.sim.router.route(device, node('message', { id, to: entry.chat, participant: requester.jid('pn'), type: entry.attributes.type }, content));
    }
}
