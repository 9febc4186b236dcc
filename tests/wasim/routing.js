// SPDX-License-Identifier: GPL-3.0-or-later
// Messages: from one device to the devices of the recipient and to the sender's own others, with the ack to the sender.
import { bytesOf, child, children, node } from './nodes.js';
import { bareJid, formatJid, isUserJid, parseJid } from './jid.js';
import { namespaceOf, participantHash } from './accounts.js';
import { sha256 } from './curve.js';
import { MessageChecks } from './message-checks.js';
import { BroadcastLists, isListJid } from './broadcast-lists.js';
import { GroupRouter } from './group-routing.js';

const HANDLED_KEPT = 5000;
const COPIED_CHILDREN = new Set(['meta', 'reporting', 'biz', 'bot']);

function encs(stanza) {
    const list = children(child(stanza, 'participants'), 'to').map(to => child(to, 'enc'));
    return [...list, ...children(stanza, 'enc')].filter(Boolean);
}

/** Routes messages and says what the sender gets as an answer. */
export class Router {
    constructor(sim) {
        this.sim = sim;
        this.checks = new MessageChecks(sim);
        this.groups = new GroupRouter(sim, this);
        this.lists = new BroadcastLists(sim, this.groups);
    }

    /** A client's message stanza arrived on its connection. */
    fromClient(connection, stanza) {
        const { device } = connection;
        const { faults } = this.sim;
        if (faults.any && faults.applies('lose_message', device, stanza)) {
            connection.drop();
            return;
        }
        const refusal = faults.any && faults.applies('ack_error', device, stanza);
        const outcome = refusal ? { error: refusal.code } : this.route(device, stanza);
        if (faults.any && faults.applies('no_ack', device, stanza)) return;
        if (faults.any && faults.applies('close_before_ack', device, stanza)) {
            connection.drop();
            return;
        }
        if (faults.any && faults.applies('foreign_phash', device, stanza)) outcome.phash = '2:AAAAAAAA';
        connection.send(this.ack(stanza, outcome));
        if (faults.any && faults.applies('close_after_ack', device, stanza)) connection.drop();
    }

    ack(stanza, { error, phash, server_id: serverId }) {
        return node('ack', {
            class: 'message', id: stanza.attrs.id, from: stanza.attrs.to, t: this.sim.now(), error, phash, server_id: serverId,
            participant: stanza.attrs.participant
        });
    }

    /** Routes a message of any device; {} or {error, phash}. */
    route(sender, stanza) {
        const fault = this.checks.shape(stanza);
        if (fault && this.refuse(sender, 'message_shape', fault, stanza)) return { error: 400 };
        if (stanza.attrs.category === 'peer') return this.routePeer(sender, stanza);
        const { server } = parseJid(stanza.attrs.to) || {};
        if (server === 'g.us' || stanza.attrs.to === 'status@broadcast') return this.groups.route(sender, stanza);
        if (isListJid(stanza.attrs.to)) return this.lists.route(sender, stanza);
        if (server === 'newsletter') return this.sim.newsletters.route(sender, stanza);
        if (!isUserJid(stanza.attrs.to)) {
            this.refuse(sender, 'message_to', `messages to ${stanza.attrs.to} are not routed here`, stanza);
            return { error: 404 };
        }
        const recipient = this.sim.directory.ofJid(stanza.attrs.to);
        if (!recipient) return { error: 404 };
        if (stanza.attrs.device_fanout === 'false' || parseJid(stanza.attrs.to).device) return this.routeResend(sender, recipient, stanza);
        if (this.seenBefore(sender, stanza)) return {};
        return this.routeFanout(sender, recipient, stanza);
    }

    refuse(sender, rule, text, stanza) {
        return sender.kind === 'client' && this.sim.strict.violation(sender, rule, text, stanza);
    }

    /** What the server knows a frame by. A status may come in parts, with one id, for different people each. */
    handledKey(stanza) {
        const people = stanza.attrs.to === 'status@broadcast' ? children(child(stanza, 'participants'), 'to').map(to => bareJid(to.attrs.jid)).join() : '';
        return `${stanza.attrs.id}|${bareJid(stanza.attrs.to)}|${people}`;
    }

    /** The server's own memory of what was sent: a frame sent again is acked and goes nowhere. */
    seenBefore(sender, stanza) {
        if (sender.kind !== 'client') return false;
        const key = this.handledKey(stanza);
        const hash = sha256(...encs(stanza).map(enc => bytesOf(enc) || '')).toString('base64');
        const before = sender.handled.get(key);
        if (before === undefined) {
            sender.handled.set(key, hash);
            if (sender.handled.size > HANDLED_KEPT) sender.handled.delete(sender.handled.keys().next().value);
            return false;
        }
        if (before !== hash && sender.retriesOwed.has(stanza.attrs.id)) {
            // Baileys answers a phone's retry receipt by sending to everybody anew.
            this.sim.event('message_resent', { id: stanza.attrs.id, from: sender.name, to: stanza.attrs.to });
            return false;
        }
        if (before !== hash) this.refuse(sender, 'resent_differs', `message ${stanza.attrs.id} was sent again with other bytes`, stanza);
        this.sim.event('message_sent_again', { device: sender.name, id: stanza.attrs.id, identical: before === hash });
        return true;
    }

    routeFanout(sender, recipient, stanza) {
        const plan = this.checks.fanout(sender, recipient, stanza);
        if (sender.kind === 'client') {
            const error = this.checkClient(sender, recipient, stanza, plan);
            if (error) {
                sender.handled.delete(this.handledKey(stanza));
                return { error };
            }
        }
        sender.counters.sent++;
        recipient.chatted.add(sender.account.phone);
        sender.account.chatted.add(recipient.phone);
        const blocked = recipient.blocked.has(sender.account.phone);
        for (const target of plan.targets) {
            if (blocked && target.device.account === recipient) continue;
            this.deliver(sender, recipient, target, stanza);
        }
        this.sim.event('message', {
            id: stanza.attrs.id, from: sender.name, to: stanza.attrs.to, devices: plan.targets.length, missing: plan.missing.map(d => d.name)
        });
        return plan.missing.length ? { phash: this.phash(sender, recipient, stanza) } : {};
    }

    checkClient(sender, recipient, stanza, plan) {
        if (plan.fault && this.refuse(sender, 'fanout', plan.fault, stanza)) return 400;
        if (!plan.targets.some(t => t.device.account === recipient)) {
            if (this.refuse(sender, 'fanout', 'no device of the recipient in the stanza', stanza)) return 400;
        }
        let hasPreKeyMessage = false;
        for (const { device, enc, jid } of plan.targets) {
            hasPreKeyMessage ||= enc.attrs.type === 'pkmsg';
            const fault = this.checks.envelope(sender, device, enc, stanza.attrs.id);
            if (fault && this.refuse(sender, 'envelope', `${jid}: ${fault}`, stanza)) return 400;
        }
        const identity = this.checks.deviceIdentity(sender, stanza, hasPreKeyMessage);
        if (identity && this.refuse(sender, 'device_identity', identity, stanza)) return 400;
        const peerPn = stanza.attrs.peer_recipient_pn;
        if (peerPn && peerPn !== recipient.jid('pn')) this.refuse(sender, 'peer_recipient_pn', `${peerPn} is not the recipient`, stanza);
        for (const missing of plan.missing) {
            if (this.checks.shouldHaveKnown(sender, missing)) {
                this.refuse(sender, 'missing_device', `known device ${missing.name} is missing from the fan-out`, stanza);
            }
        }
        if (plan.stale.length) {
            this.sim.event('stale_devices', { device: sender.name, id: stanza.attrs.id, jids: plan.stale });
            return 479;
        }
        return recipient === sender.account ? null : this.sim.tokens.check(sender, recipient, stanza);
    }

    phash(sender, recipient, stanza) {
        const namespace = namespaceOf(stanza.attrs.to);
        const all = new Set([...recipient.devices.values(), ...sender.account.devices.values()]);
        return participantHash([...all].map(d => d.jid(namespace)));
    }

    /** The server's own time; simulated devices may have sent something long ago. */
    sentAt(sender, stanza) {
        return sender.kind === 'simulated' && stanza.attrs.t || this.sim.now();
    }

    /** Puts one device's copy into its queue. */
    deliver(sender, recipient, { device, enc }, stanza, extra = {}) {
        const namespace = namespaceOf(stanza.attrs.to);
        const own = device.account === sender.account;
        const attrs = {
            from: sender.jid(namespace), id: stanza.attrs.id, t: this.sentAt(sender, stanza), type: stanza.attrs.type,
            notify: sender.account.pushName, edit: stanza.attrs.edit, ...extra
        };
        if (own) {
            attrs.recipient = recipient.jid(namespace);
            if (namespace === 'lid') attrs.peer_recipient_pn = recipient.jid('pn');
            else attrs.peer_recipient_lid = recipient.jid('lid');
        } else if (this.sim.options.omitAlternate) {
            // Some stanzas of the service name only one of the two addresses.
        } else if (namespace === 'lid') {
            attrs.sender_pn = sender.account.jid('pn');
        } else {
            attrs.sender_lid = sender.account.jid('lid');
        }
        const content = [enc];
        if (enc.attrs.type === 'pkmsg' && child(stanza, 'device-identity')) content.push(child(stanza, 'device-identity'));
        for (const c of children(stanza)) if (COPIED_CHILDREN.has(c.tag)) content.push(c);
        device.queue.push(node('message', attrs, content));
    }

    /** A targeted resend after a retry receipt: one device, bare <enc>. */
    routeResend(sender, recipient, stanza) {
        const target = this.sim.directory.deviceOf(stanza.attrs.to);
        if (!target) return { error: 479 };
        let enc = child(stanza, 'enc');
        if (!enc) {
            const to = children(child(stanza, 'participants'), 'to').find(t => this.sim.directory.deviceOf(t.attrs.jid) === target);
            enc = child(to, 'enc');
        }
        if (!enc) {
            this.refuse(sender, 'resend', 'resend without enc', stanza);
            return { error: 400 };
        }
        if (sender.kind === 'client') {
            const fault = this.checks.envelope(sender, target, enc, stanza.attrs.id)
                || this.checks.deviceIdentity(sender, stanza, enc.attrs.type === 'pkmsg');
            if (fault && this.refuse(sender, 'resend', fault, stanza)) return { error: 400 };
            if (!enc.attrs.count) this.refuse(sender, 'resend', 'resend without count on its enc', stanza);
        }
        const own = target.account === sender.account;
        const chat = own ? this.sim.directory.ofJid(stanza.attrs.recipient) || recipient : recipient;
        this.deliver(sender, chat, { device: target, enc }, { ...stanza, attrs: { ...stanza.attrs, to: formatJid(...this.parts(stanza, chat)) } });
        this.sim.event('message_resent', { id: stanza.attrs.id, from: sender.name, to: stanza.attrs.to });
        return {};
    }

    parts(stanza, chat) {
        const namespace = namespaceOf(stanza.attrs.to);
        const jid = parseJid(chat.jid(namespace));
        return [jid.user, jid.server];
    }

    /** category="peer": to the own phone only. */
    routePeer(sender, stanza) {
        const { account } = sender;
        const target = this.sim.directory.deviceOf(stanza.attrs.to);
        const enc = child(stanza, 'enc');
        if (target !== account.phoneDevice || target === sender) {
            if (sender.kind === 'client' && this.refuse(sender, 'peer', 'peer message to something else than the own phone', stanza)) return { error: 479 };
        }
        if (!enc || child(stanza, 'participants')) {
            if (this.refuse(sender, 'peer', 'peer message needs one bare enc', stanza)) return { error: 479 };
        }
        if (child(stanza, 'tctoken') && this.refuse(sender, 'peer', 'tctoken on a peer message', stanza)) return { error: 479 };
        if (sender.kind === 'client') {
            const fault = this.checks.envelope(sender, target, enc, stanza.attrs.id) || this.checks.deviceIdentity(sender, stanza, enc.attrs.type === 'pkmsg');
            if (fault && this.refuse(sender, 'peer', fault, stanza)) return { error: 400 };
        }
        this.deliverPeer(sender, target, enc, stanza);
        return {};
    }

    deliverPeer(sender, target, enc, stanza) {
        const content = [enc];
        if (enc.attrs.type === 'pkmsg' && child(stanza, 'device-identity')) content.push(child(stanza, 'device-identity'));
        content.push(...children(stanza, 'meta'));
        target.queue.push(node('message', {
            from: sender.jid(namespaceOf(stanza.attrs.to)), id: stanza.attrs.id, t: this.sim.now(), type: stanza.attrs.type, category: 'peer'
        }, content));
    }
}
