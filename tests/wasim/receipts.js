// SPDX-License-Identifier: GPL-3.0-or-later
// Receipts, acks, chat states and presence of clients: what they settle in the queue, and who else hears of them.
import { child, children, node, uintOf } from './nodes.js';
import { isServerJid, isUserJid, parseJid } from './jid.js';
import { namespaceOf } from './accounts.js';
import { parseRetryKeys } from './prekeys.js';
import { identityFault } from './pairing.js';

const SETTLING = new Set([undefined, 'delivery', 'inactive', 'sender', 'peer_msg']);
const READING = new Set(['read', 'played', 'read-self', 'played-self']);
const OTHER = new Set(['hist_sync', 'server-error', 'view', 'sent']);
const MAX_RETRIES = 5;
const RETRIES_KEPT = 1000;
/* Seconds that a status is seen for; nobody asks again for an older one (WhatsApp Web, as whatsapp-rust has it). */
const STATUS_MAX_AGE = 24 * 3600;

/** Handles receipts and their like, of clients and of simulated devices. */
export class Receipts {
    constructor(sim) {
        this.sim = sim;
    }

    /** A receipt of a device. Returns the ack for it. */
    receipt(sender, stanza) {
        const { id, to, type } = stanza.attrs;
        if (!id) this.sim.strict.violation(sender, 'receipt', 'receipt without id', stanza);
        if (!to && !sender.lenient) this.sim.strict.violation(sender, 'receipt', 'receipt without to', stanza);
        if (SETTLING.has(type)) this.settle(sender, stanza);
        else if (type === 'retry') this.retry(sender, stanza);
        else if (READING.has(type)) this.read(sender, stanza);
        else if (type === 'server-error') this.sim.media.retry(sender, stanza);
        else if (type === 'hist_sync') this.history(sender, stanza);
        else if (!OTHER.has(type)) this.sim.strict.violation(sender, 'receipt', `receipt type "${type}"`, stanza);
        this.sim.event('receipt', { id, from: sender.name, to, receipt_type: type ?? null });
        return node('ack', { class: 'receipt', id, from: to, type, participant: stanza.attrs.participant });
    }

    /** Once for each history, and only for one that this device was told of; to the own account. */
    history(sender, stanza) {
        const { id, to } = stanza.attrs;
        const state = sender.histories?.get(id);
        const fault = !state ? `hist_sync for ${id}, which is no history of this device` : state === 'done' ? `history ${id} was confirmed twice`
            : this.sim.directory.ofJid(to) !== sender.account || parseJid(to).device ? `hist_sync goes to "${to}"` : null;
        if (fault && !sender.simulated) this.sim.strict.violation(sender, 'history_receipt', fault, stanza);
        sender.histories?.set(id, 'done');
    }

    ids(stanza) {
        return [stanza.attrs.id, ...children(child(stanza, 'list'), 'item').map(i => i.attrs.id)];
    }

    settle(sender, stanza) {
        const { to, participant, type } = stanza.attrs;
        for (const id of this.ids(stanza)) {
            const result = sender.queue.answer('message', id, to, participant);
            if (result !== 'ok' && !sender.simulated) {
                const text = result === 'again' ? `message ${id} was answered twice` : `receipt for a message ${id} that was not delivered from ${to}`;
                this.sim.strict.violation(sender, result === 'again' ? 'answered_twice' : 'receipt_unknown', text, stanza);
            }
        }
        if (type === 'peer_msg') return;
        if (participant && !isUserJid(to)) {
            this.tellAuthor(sender, stanza, type);
            return;
        }
        const target = parseJid(to);
        const account = target && this.sim.directory.ofJid(to);
        if (!account) return;
        if (account === sender.account) {
            const device = this.sim.directory.deviceOf(to);
            if (device && device !== sender) this.forward(sender, device, stanza, { type: 'sender', recipient: stanza.attrs.recipient });
            return;
        }
        for (const device of account.devices.values()) this.forward(sender, device, stanza, { type });
    }

    forward(sender, device, stanza, extra, content) {
        device.queue.push(node('receipt', {
            from: sender.jid(namespaceOf(stanza.attrs.to)), id: stanza.attrs.id, t: this.sim.now(), ...extra
        }, content ?? (child(stanza, 'list') ? [child(stanza, 'list')] : undefined)));
    }

    /** A receipt for a message of a group or a status goes to the devices of its author. */
    tellAuthor(sender, stanza, type) {
        const { to, participant } = stanza.attrs;
        const author = this.sim.directory.ofJid(participant);
        for (const device of author?.devices.values() ?? []) {
            if (device !== sender) this.forwardInGroup(sender, device, stanza, { type, from: to, participant: sender.jid(namespaceOf(participant)) });
        }
    }

    forwardInGroup(sender, device, stanza, extra, content) {
        const lid = namespaceOf(extra.participant) === 'lid';
        this.forward(sender, device, stanza, {
            ...extra, participant_pn: lid ? sender.account.jid('pn') : undefined, participant_lid: lid ? undefined : sender.account.jid('lid')
        }, content);
    }

    read(sender, stanza) {
        if (stanza.attrs.participant && !isUserJid(stanza.attrs.to)) {
            const { type, to, participant } = stanza.attrs;
            if (!type.endsWith('-self')) this.tellAuthor(sender, stanza, type);
            for (const device of sender.account.devices.values()) {
                if (device !== sender) this.forwardInGroup(sender, device, stanza, { type, from: to, participant: sender.jid(namespaceOf(participant)) });
            }
            return;
        }
        const account = this.sim.directory.ofJid(stanza.attrs.to);
        if (!account) return;
        const { type } = stanza.attrs;
        if (!type.endsWith('-self')) {
            for (const device of account.devices.values()) this.forward(sender, device, stanza, { type });
        }
        for (const device of sender.account.devices.values()) {
            if (device !== sender) this.forward(sender, device, stanza, { type, recipient: stanza.attrs.to });
        }
    }

    /** A retry receipt: checked, noted, and passed to the device that sent the message. */
    retry(sender, stanza) {
        const retry = child(stanza, 'retry');
        const many = !isUserJid(stanza.attrs.to);
        const author = many ? stanza.attrs.participant : stanza.attrs.to;
        const target = this.sim.directory.deviceOf(author);
        const count = Number(retry?.attrs.count);
        const fault = sender.kind === 'client' ? this.retryFault(sender, stanza, retry, count) : null;
        if (fault && this.sim.strict.violation(sender, 'retry_receipt', fault, stanza)) return;
        if (!sender.simulated && !sender.queue.pending('message', stanza.attrs.id, stanza.attrs.to, stanza.attrs.participant)) {
            this.sim.strict.violation(sender, 'receipt_unknown', `retry receipt for a message ${stanza.attrs.id} that is not pending`, stanza);
        }
        this.sim.event('retry_requested', { id: stanza.attrs.id, from: sender.name, to: stanza.attrs.to, count, keys: !!child(stanza, 'keys') });
        if (!target) return;
        target.retriesOwed.add(stanza.attrs.id);
        if (target.retriesOwed.size > RETRIES_KEPT) target.retriesOwed.delete(target.retriesOwed.values().next().value);
        const content = children(stanza);
        if (many) this.forwardInGroup(sender, target, stanza, { type: 'retry', from: stanza.attrs.to, participant: sender.jid(namespaceOf(author)) }, content);
        else this.forward(sender, target, stanza, { type: 'retry', recipient: stanza.attrs.recipient }, content);
    }

    retryFault(sender, stanza, retry, count) {
        if (!retry || retry.attrs.id !== stanza.attrs.id || retry.attrs.v !== '1' || !retry.attrs.t) return 'retry child is missing or wrong';
        if (!(count >= 1 && count <= MAX_RETRIES)) return `retry count "${retry.attrs.count}"`;
        if (uintOf(child(stanza, 'registration')) !== sender.registrationId) return 'registration id in the retry receipt is wrong';
        if (stanza.attrs.to === 'status@broadcast' && this.sim.now() - Number(retry.attrs.t) > STATUS_MAX_AGE) return 'retry receipt for a status of yesterday';
        const keys = parseRetryKeys(stanza);
        if (keys === null) return count >= 2 ? 'second retry without <keys>' : null;
        if (typeof keys === 'string') return keys;
        if (!keys.identity.equals(sender.identity)) return 'identity in <keys> is not the own one';
        if (!keys.deviceIdentity) return '<keys> without device-identity';
        const identity = identityFault(keys.deviceIdentity, sender, true);
        if (identity) return identity;
        if (!keys.oneTime) return null;
        const pool = sender.preKeys;
        if (pool.everOffered.has(keys.oneTime.id)) return `one-time key ${keys.oneTime.id} in <keys> was offered before`;
        pool.everOffered.add(keys.oneTime.id);
        pool.handedOut.set(keys.oneTime.id, this.sim.directory.deviceOf(isUserJid(stanza.attrs.to) ? stanza.attrs.to : stanza.attrs.participant)?.name ?? '?');
        return null;
    }

    /** An ack of a client: settles exactly one stanza. */
    ack(device, stanza) {
        const { class: tag, id, to, participant, error, type } = stanza.attrs;
        if (tag === 'iq') {
            this.sim.strict.violation(device, 'ack', 'ack for an iq', stanza);
            return;
        }
        const result = device.queue.answer(tag, id, to, participant, type);
        if (error) this.sim.event('nack', { device: device.name, class: tag, id, code: Number(error) });
        if (result === 'ok') {
            this.checkAckType(device, stanza, device.queue.lastAnswered.stanza);
            return;
        }
        const rule = result === 'again' ? 'answered_twice' : 'ack_unknown';
        this.sim.strict.violation(device, rule, `ack for ${tag} ${id} from ${to}: ${result}`, stanza);
    }

    /** An ack repeats the type of the stanza; only messages and identity notices may leave it out. */
    checkAckType(device, ack, stanza) {
        const { type } = stanza.attrs;
        if (ack.attrs.type === type || stanza.tag === 'message' || stanza.tag === 'call') return;
        if (stanza.tag === 'notification' && type === 'encrypt' && child(stanza, 'identity')) return;
        this.sim.strict.violation(device, 'ack_type', `ack of ${stanza.tag} ${stanza.attrs.id} has type "${ack.attrs.type}", not "${type}"`, ack);
    }

    /** ib of a client: batches of the backlog, telemetry. */
    ib(device, stanza) {
        const batch = child(stanza, 'offline_batch');
        if (batch) device.queue.batch(Number(batch.attrs.count) || 0);
        const unified = child(stanza, 'unified_session');
        if (unified && !/^\d+$/.test(unified.attrs.id || '')) {
            this.sim.strict.violation(device, 'unified_session', `id "${unified.attrs.id}"`, stanza);
        }
        if (!children(stanza).length || isServerJid(stanza.attrs.to) === false && stanza.attrs.to) {
            this.sim.strict.violation(device, 'ib', 'empty ib, or ib to somebody', stanza);
        }
    }
}
