// SPDX-License-Identifier: GPL-3.0-or-later
// Messages to groups and to the status audience: checks of sender keys and their distribution, and delivery to every member's devices.
import { proto } from 'baileys/WAProto/index.js';
import { bytesOf, child, children, node } from './nodes.js';
import { namespaceOf } from './accounts.js';
import { isUserJid } from './jid.js';

const STATUS = 'status@broadcast';
const VERSION = 0x33;
const SIGNATURE = 64;
const ITERATIONS_KEPT = 5000;
const COPIED_CHILDREN = new Set(['meta', 'reporting', 'biz', 'bot']);

/** {id, iteration} of a sender key message, or a text. */
export function parseSenderKeyMessage(bytes) {
    if (!bytes || bytes.length < SIGNATURE + 4 || bytes[0] !== VERSION) return 'skmsg is no sender key message of version 3';
    try {
        const { id, iteration } = proto.SenderKeyMessage.decode(bytes.subarray(1, bytes.length - SIGNATURE));
        return { id: id ?? 0, iteration: iteration ?? 0 };
    } catch (error) {
        return `skmsg does not parse: ${error.message}`;
    }
}

/** Routes messages whose recipients share a sender key. */
export class GroupRouter {
    constructor(sim, router) {
        this.sim = sim;
        this.router = router;
        this.checks = router.checks;
    }

    /** {} or {error, phash} for a message to a group or to status@broadcast. */
    route(sender, stanza) {
        const chat = stanza.attrs.to === STATUS ? this.statusChat(sender, stanza) : this.groupChat(sender, stanza);
        if (chat.error) return chat;
        if (stanza.attrs.participant) return this.resend(sender, chat, stanza);
        if (this.router.seenBefore(sender, stanza)) return {};
        const plan = this.plan(sender, chat, stanza);
        const error = sender.kind === 'client' ? this.check(sender, chat, stanza, plan) : null;
        if (error) {
            sender.handled.delete(this.router.handledKey(stanza));
            return { error };
        }
        sender.counters.sent++;
        this.note(sender, chat, plan);
        for (const device of chat.devices) if (device !== sender) this.deliver(sender, chat, device, plan, stanza);
        this.sim.event('message', { id: stanza.attrs.id, from: sender.name, to: stanza.attrs.to, devices: chat.devices.length - 1, keys: plan.targets.size });
        return chat.group && (stanza.attrs.phash === undefined || stanza.attrs.phash === chat.group.phash()) ? {} : { phash: chat.group?.phash() };
    }

    refuse(sender, rule, text, stanza) {
        return this.router.refuse(sender, rule, text, stanza);
    }

    /** A group as an address: {id, namespace, devices, group}, or {error}. */
    groupChat(sender, stanza) {
        const group = this.sim.groups.find(stanza.attrs.to);
        if (!group) return { error: 404 };
        if (!group.members.has(sender.account)) return { error: 403 };
        if (group.announce && !group.isAdmin(sender.account) && stanza.attrs.type !== 'reaction') return { error: 403 };
        const mode = stanza.attrs.addressing_mode;
        if (mode !== undefined && mode !== group.addressing) return { error: 421 };
        if (mode === undefined) this.refuse(sender, 'group_message', 'group message without addressing_mode', stanza);
        return { id: group.id, namespace: group.addressing, devices: group.devices(), group };
    }

    /** The audience of a status is who is listed in it: with a copy of the key, or by name alone. */
    statusChat(sender, stanza) {
        if (stanza.attrs.addressing_mode || child(stanza, 'status')) {
            this.refuse(sender, 'status_message', 'addressing_mode or <status> on a status', stanza);
            return { error: 479 };
        }
        if (stanza.attrs.phash) this.refuse(sender, 'status_message', 'phash on a status', stanza);
        const listed = children(child(stanza, 'participants'), 'to');
        const accounts = new Set([sender.account, ...listed.map(to => this.sim.directory.ofJid(to.attrs.jid)).filter(Boolean)]);
        const namespace = listed.length ? namespaceOf(listed[0].attrs.jid) : 'lid';
        return { id: STATUS, namespace, devices: [...accounts].flatMap(account => account.deviceList()), group: null };
    }

    /** What the stanza carries: the sender key message, and the key's copies by device. */
    plan(sender, chat, stanza) {
        const plan = { message: children(stanza, 'enc'), targets: new Map(), stale: [], fault: null, key: null };
        for (const to of children(child(stanza, 'participants'), 'to')) {
            const device = this.sim.directory.deviceOf(to.attrs.jid);
            const enc = child(to, 'enc');
            if (!enc && !chat.group && isUserJid(to.attrs.jid)) continue;
            if (!device) plan.stale.push(to.attrs.jid);
            else if (!enc) plan.fault = `<to jid="${to.attrs.jid}"> without enc`;
            else if (plan.targets.has(device)) plan.fault = `device ${to.attrs.jid} twice in participants`;
            else if (device === sender) plan.fault = 'key sent to the sending device itself';
            else if (!chat.devices.includes(device)) plan.fault = `${to.attrs.jid} is not in ${stanza.attrs.to}`;
            else if (chat.group && namespaceOf(to.attrs.jid) !== chat.namespace) plan.fault = `${to.attrs.jid} is not in the namespace of the group`;
            if (device && enc) plan.targets.set(device, enc);
        }
        if (plan.message.length !== 1 || plan.message[0].attrs.type !== 'skmsg' || plan.message[0].attrs.v !== '2') plan.fault = 'needs exactly one enc of type skmsg';
        else plan.key = parseSenderKeyMessage(bytesOf(plan.message[0]));
        if (typeof plan.key === 'string') plan.fault = plan.key;
        return plan;
    }

    check(sender, chat, stanza, plan) {
        if (plan.fault && this.refuse(sender, 'group_message', plan.fault, stanza)) return 400;
        let hasPreKeyMessage = false;
        for (const [device, enc] of plan.targets) {
            hasPreKeyMessage ||= enc.attrs.type === 'pkmsg';
            const fault = this.checks.envelope(sender, device, enc, stanza.attrs.id);
            if (fault && this.refuse(sender, 'envelope', `${device.name}: ${fault}`, stanza)) return 400;
        }
        const identity = this.checks.deviceIdentity(sender, stanza, hasPreKeyMessage);
        if (identity && this.refuse(sender, 'device_identity', identity, stanza)) return 400;
        if (plan.stale.length) {
            this.sim.event('stale_devices', { device: sender.name, id: stanza.attrs.id, jids: plan.stale });
            return 479;
        }
        if (plan.key && typeof plan.key === 'object') this.checkKey(sender, chat, stanza, plan);
        return null;
    }

    keyState(sender, chat, id) {
        const name = `${chat.id}|${id}`;
        let state = sender.senderKeys.get(name);
        if (!state) sender.senderKeys.set(name, state = { given: new Set(), iterations: new Map() });
        return state;
    }

    /** No iteration twice, every known device has the key, and none that is out of the group has it. */
    checkKey(sender, chat, stanza, plan) {
        const state = this.keyState(sender, chat, plan.key.id);
        const mark = stanza.attrs.id + bytesOf(plan.message[0]).toString('base64').slice(-40);
        const before = state.iterations.get(plan.key.iteration);
        if (before !== undefined && before !== mark) this.refuse(sender, 'sender_key', `iteration ${plan.key.iteration} of a sender key used twice`, stanza);
        state.iterations.set(plan.key.iteration, mark);
        if (state.iterations.size > ITERATIONS_KEPT) state.iterations.delete(state.iterations.keys().next().value);
        for (const device of chat.devices) {
            const has = device === sender || state.given.has(device) || plan.targets.has(device);
            if (!has && this.shouldHaveKnown(sender, chat, device)) this.refuse(sender, 'sender_key', `known device ${device.name} was not given the sender key`, stanza);
        }
        const known = chat.group ? sender.groupsKnown.get(chat.group.id) || 0 : 0;
        for (const device of chat.group ? state.given : []) {
            const gone = chat.group.removed.get(device.account);
            if (!chat.group.members.has(device.account) && gone && gone <= known) {
                this.refuse(sender, 'sender_key', `the sender key is one that ${device.name}, removed from the group, has`, stanza);
            }
        }
    }

    shouldHaveKnown(sender, chat, device) {
        if (!chat.group || device.account === sender.account) return this.checks.shouldHaveKnown(sender, device) && !!chat.group;
        return chat.group.members.get(device.account).since <= (sender.groupsKnown.get(chat.group.id) || 0) && this.checks.shouldHaveKnown(sender, device);
    }

    note(sender, chat, plan) {
        if (!plan.key || typeof plan.key !== 'object') return;
        const state = this.keyState(sender, chat, plan.key.id);
        for (const device of plan.targets.keys()) state.given.add(device);
    }

    attrs(sender, chat, stanza) {
        const alternate = this.sim.options.omitAlternate ? {} : chat.namespace === 'lid'
            ? { participant_pn: sender.account.jid('pn') } : { participant_lid: sender.account.jid('lid') };
        return {
            from: stanza.attrs.to, participant: sender.jid(chat.namespace), id: stanza.attrs.id, t: this.router.sentAt(sender, stanza), type: stanza.attrs.type,
            notify: sender.account.pushName, edit: stanza.attrs.edit, addressing_mode: chat.group ? chat.namespace : undefined, ...alternate
        };
    }

    deliver(sender, chat, device, plan, stanza) {
        const enc = plan.targets.get(device);
        const content = [...(enc ? [enc] : []), ...plan.message];
        if (enc?.attrs.type === 'pkmsg' && child(stanza, 'device-identity')) content.push(child(stanza, 'device-identity'));
        for (const c of children(stanza)) if (COPIED_CHILDREN.has(c.tag)) content.push(c);
        device.queue.push(node('message', this.attrs(sender, chat, stanza), content));
    }

    /** A targeted resend after a retry receipt: pairwise, to one device. */
    resend(sender, chat, stanza) {
        const target = this.sim.directory.deviceOf(stanza.attrs.participant);
        if (!target) return { error: 479 };
        const encs = children(stanza, 'enc');
        for (const to of children(child(stanza, 'participants'), 'to')) {
            if (this.sim.directory.deviceOf(to.attrs.jid) === target) encs.push(...children(to, 'enc'));
        }
        const fault = encs.length ? null : 'resend without enc';
        if (fault && this.refuse(sender, 'resend', fault, stanza)) return { error: 400 };
        if (sender.kind === 'client') {
            for (const enc of encs) {
                const wrong = this.checks.envelope(sender, target, enc, stanza.attrs.id)
                    || this.checks.deviceIdentity(sender, stanza, enc.attrs.type === 'pkmsg') || (enc.attrs.count ? null : 'resend without count on its enc');
                if (wrong && this.refuse(sender, 'resend', wrong, stanza)) return { error: 400 };
            }
        }
        const content = [...encs];
        if (child(stanza, 'device-identity')) content.push(child(stanza, 'device-identity'));
        target.queue.push(node('message', this.attrs(sender, chat, stanza), content));
        this.sim.event('message_resent', { id: stanza.attrs.id, from: sender.name, to: stanza.attrs.to, participant: target.name });
        return {};
    }
}
