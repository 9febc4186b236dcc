// SPDX-License-Identifier: GPL-3.0-or-later
// A simulated device (phone or extra companion): decrypts what arrives, answers with receipts, keeps an inbox, sends.
import { proto } from 'baileys/WAProto/index.js';
import { beBytes, bytesOf, child, children, node } from './nodes.js';
import { bareJid, isUserJid, parseJid } from './jid.js';
import { sha256 } from './curve.js';
import { namespaceOf } from './accounts.js';
import { KEY_TYPE, signedKeyNode } from './prekeys.js';
import { SignalStore } from './signal-store.js';
import { messageJson, textOfMessage, unpad } from './content.js';
import { Outbox } from './outbox.js';
import { reportingFault } from './reporting.js';
import { answerPeerRequest } from './peer-requests.js';
import { Log } from './events.js';

const SEEN_KEPT = 20000;
const NOT_SHOWN = new Set(['senderKeyDistributionMessage', 'messageContextInfo']);

/** True for a message that only carries a sender key. */
function onlySenderKey(message) {
    const fields = Object.keys(proto.Message.toObject(message));
    return !!message.senderKeyDistributionMessage && fields.every(field => NOT_SHOWN.has(field));
}

const MAX_RETRIES = 5;
/* Seconds after which nobody's edit of a message counts any more (whatsmeow EditWindow, WhatsApp Web's message_edit_window_duration_seconds). */
const EDIT_WINDOW = 1200;

/** Plays one device on the server's inside; its queue delivers to it as to a connection. */
export class SimulatedDevice {
    constructor(sim, device, identity) {
        this.sim = sim;
        this.device = device;
        this.store = new SignalStore(identity);
        device.registrationId = this.store.registrationId;
        device.simulated = this;
        this.online = false;
        this.epoch = 0;
        this.work = Promise.resolve();
        this.inbox = new Log(sim.options.inboxLimit);
        this.byMessage = new Map();
        this.receipts = new Log(sim.options.inboxLimit);
        this.seen = new Map();
        this.retryCounts = new Map();
        this.outbox = new Outbox(this);
        this.stats = { received: 0, duplicates: 0, failures: 0, retries_asked: 0, resent: 0, sent: 0, receipts: 0 };
        this.compact = false;
        this.sink = false;
        this.autoRead = false;
        this.answerRetries = true;
    }

    /** One-time keys are made when somebody asks for a bundle. */
    refillPreKeys() {
        this.device.signedPreKey = this.store.signedPreKey;
        if (this.device.preKeys.count === 0) this.device.preKeys.add([this.store.newPreKey()]);
    }

    goOnline() {
        if (this.online) return;
        this.online = true;
        this.device.queue.attach(this, false);
    }

    goOffline() {
        this.online = false;
        this.epoch++;
        this.device.queue.detach(this);
    }

    /** Stanzas from the server, one after the other. */
    send(stanza) {
        const { epoch } = this;
        this.work = this.work.then(() => (epoch === this.epoch ? this.process(stanza) : undefined)).catch(error => {
            this.sim.event('simulator_error', { device: this.device.name, message: error.stack });
        });
    }

    /** Runs a job between two stanzas and resolves with its result. */
    run(job) {
        const result = this.work.then(job);
        this.work = result.catch(() => undefined);
        return result;
    }

    async process(stanza) {
        switch (stanza.tag) {
            case 'message': return this.onMessage(stanza);
            case 'receipt': return this.onReceipt(stanza);
            case 'notification':
                this.device.queue.answer('notification', stanza.attrs.id, stanza.attrs.from, stanza.attrs.participant);
                return undefined;
            default: return undefined;
        }
    }

    answerReceipt(stanza, type, content) {
        const { id, from, participant, recipient, category } = stanza.attrs;
        this.sim.receipts.receipt(this.device, node('receipt', {
            id, to: from, participant, recipient: type === 'sender' || type === 'retry' ? recipient : undefined,
            type: category === 'peer' && !type ? 'peer_msg' : type, t: this.sim.now()
        }, content));
    }

    async onMessage(stanza) {
        if (child(stanza, 'plaintext')) return this.onPost(stanza);
        const many = !isUserJid(stanza.attrs.from);
        const sender = this.sim.directory.deviceOf(many ? stanza.attrs.participant : stanza.attrs.from);
        const own = sender?.account === this.device.account;
        if (this.sink) {
            this.stats.received++;
            this.sim.bulk.arrived(this, stanza.attrs.id, null);
            this.answerReceipt(stanza, this.settlingType(stanza, own));
            return undefined;
        }
        const record = this.recordOf(stanza, sender, own);
        record.deliveries++;
        let failed = null;
        for (const enc of children(stanza, 'enc')) {
            try {
                await this.decryptEnc(stanza, sender, own, enc, record);
            } catch (error) {
                failed = error;
                record.errors.push(error.message);
            }
        }
        if (child(stanza, 'unavailable')) record.unavailable = true;
        if (failed && !record.plaintexts) {
            this.stats.failures++;
            this.askRetry(stanza, sender);
        } else {
            this.answerReceipt(stanza, this.settlingType(stanza, own));
            this.retryCounts.delete(record.key);
        }
        this.inboxChanged(record, failed);
        if (this.autoRead && !own && !failed) this.outbox.read(bareJid(stanza.attrs.from), [stanza.attrs.id], 'read', stanza.attrs.participant);
        return undefined;
    }

    settlingType(stanza, own) {
        return own && (stanza.attrs.recipient || stanza.attrs.participant) ? 'sender' : undefined;
    }

    /** A channel's post: nothing to decrypt, an ack instead of a receipt. */
    onPost(stanza) {
        const record = this.recordOf(stanza, null, false);
        record.deliveries++;
        const plain = bytesOf(child(stanza, 'plaintext'));
        const message = proto.Message.decode(plain);
        record.plaintexts++;
        record.text = textOfMessage(message);
        record.message = messageJson(message);
        record.base64 = plain.toString('base64');
        this.stats.received++;
        this.device.queue.answer('message', stanza.attrs.id, stanza.attrs.from);
        this.inboxChanged(record, null);
    }

    recordOf(stanza, sender, own) {
        const key = `${sender?.account.phone}|${stanza.attrs.id}`;
        let record = this.byMessage.get(key);
        if (record) return record;
        record = {
            key, id: stanza.attrs.id, from: stanza.attrs.from, from_phone: sender?.account.phone ?? null, from_me: own,
            chat: own ? stanza.attrs.recipient ?? bareJid(stanza.attrs.from) : bareJid(stanza.attrs.from),
            participant: stanza.attrs.participant ?? null, type: stanza.attrs.type, push_name: stanza.attrs.notify ?? null,
            t: Number(stanza.attrs.t), edit: stanza.attrs.edit ?? null, deliveries: 0, plaintexts: 0, copies: 0, errors: [], retries: 0,
            unavailable: false, text: null, message: null, base64: null, enc_type: null, offline: 'offline' in stanza.attrs
        };
        this.byMessage.set(key, record);
        if (this.byMessage.size > this.sim.options.inboxLimit) this.byMessage.delete(this.byMessage.keys().next().value);
        return record;
    }

    inboxChanged(record, failed) {
        if (this.compact) {
            this.byMessage.delete(record.key);
            if (!failed) return;
        }
        this.inbox.add({ record, id: record.id, failed: failed ? failed.message : null });
    }

    async decryptEnc(stanza, sender, own, enc, record) {
        const bytes = bytesOf(enc);
        const digest = sha256(bytes).toString('base64');
        if (this.seen.has(digest)) {
            record.copies++;
            this.stats.duplicates++;
            return;
        }
        if (!sender) throw new Error(`message from unknown device ${stanza.attrs.from}`);
        const padded = enc.attrs.type === 'skmsg' ? await this.store.decryptForGroup(stanza.attrs.from, sender, bytes)
            : await this.store.decrypt(sender, enc.attrs.type, bytes);
        this.seen.set(digest, true);
        if (this.seen.size > SEEN_KEPT) this.seen.delete(this.seen.keys().next().value);
        this.stats.received++;
        record.plaintexts++;
        record.copies++;
        record.enc_type = enc.attrs.type;
        const plain = this.unpad(sender, padded, stanza);
        if (plain) await this.takePlaintext(stanza, sender, own, plain, record);
    }

    unpad(sender, padded, stanza) {
        try {
            return unpad(padded);
        } catch (error) {
            this.sim.strict.violation(sender, 'padding', error.message, stanza);
            return null;
        }
    }

    async takePlaintext(stanza, sender, own, plain, record) {
        let message;
        try {
            message = proto.Message.decode(plain);
        } catch (error) {
            this.sim.strict.violation(sender, 'message_protobuf', error.message, stanza);
            return;
        }
        if (!own) this.checkReporting(stanza, sender, plain, message);
        const wrapper = message.deviceSentMessage;
        if (wrapper?.message) {
            if (!own) this.sim.strict.violation(sender, 'device_sent_message', 'deviceSentMessage to another account', stanza);
            else this.checkWrapper(stanza, sender, wrapper);
            message = wrapper.message;
        } else if (own && stanza.attrs.recipient && stanza.attrs.category !== 'peer') {
            this.sim.strict.violation(sender, 'device_sent_message', 'own device got a message without deviceSentMessage', stanza);
        }
        if (message.senderKeyDistributionMessage) await this.takeSenderKey(stanza, sender, message.senderKeyDistributionMessage);
        if (onlySenderKey(message)) return;
        this.checkEdit(stanza, sender, message);
        if (stanza.attrs.category === 'peer' && own) answerPeerRequest(this, sender, stanza, message);
        if (this.compact) {
            this.sim.bulk.arrived(this, record.id, textOfMessage(message));
            return;
        }
        const encoded = Buffer.from(proto.Message.encode({ ...message, messageContextInfo: undefined, senderKeyDistributionMessage: undefined }).finish());
        this.sim.sameContent(sender, stanza, encoded);
        record.text = textOfMessage(message);
        record.message = messageJson(message);
        record.base64 = (wrapper?.message ? Buffer.from(proto.Message.encode(message).finish()) : plain).toString('base64');
        this.sim.bulk.arrived(this, record.id, record.text);
    }

    /** The key must be for the chat that it came in. */
    async takeSenderKey(stanza, sender, distribution) {
        if (distribution.groupId !== stanza.attrs.from) {
            this.sim.strict.violation(sender, 'sender_key', `distribution for "${distribution.groupId}" in ${stanza.attrs.from}`, stanza);
            return;
        }
        await this.store.takeSenderKey(stanza.attrs.from, sender, Buffer.from(distribution.axolotlSenderKeyDistributionMessage));
    }

    /** An edit that comes too late: no client shows it. */
    checkEdit(stanza, sender, message) {
        const protocol = message.protocolMessage ?? message.editedMessage?.message?.protocolMessage;
        if (sender.kind !== 'client' || protocol?.type !== proto.Message.ProtocolMessage.Type.MESSAGE_EDIT) return;
        const target = this.byMessage.get(`${sender.account.phone}|${protocol.key?.id}`);
        if (target && Number(stanza.attrs.t) - target.t >= EDIT_WINDOW) {
            this.sim.strict.violation(sender, 'edit_window', `message ${target.id} is edited ${Number(stanza.attrs.t) - target.t} seconds after it was sent`, stanza);
        }
    }

    checkReporting(stanza, sender, plain, message) {
        if (!isUserJid(stanza.attrs.from)) return;
        if (!child(stanza, 'reporting')) return;
        const both = account => [account.jid('pn'), account.jid('lid')];
        const secret = message.messageContextInfo?.messageSecret;
        const fault = reportingFault(stanza, plain, secret && Buffer.from(secret), both(sender.account), both(this.device.account));
        if (fault) this.sim.strict.violation(sender, 'reporting_token', fault, stanza);
    }

    checkWrapper(stanza, sender, wrapper) {
        const chat = this.sim.directory.ofJid(stanza.attrs.recipient);
        const named = this.sim.directory.ofJid(wrapper.destinationJid);
        if (!named || named !== chat || parseJid(wrapper.destinationJid).device) {
            this.sim.strict.violation(sender, 'device_sent_message', `destinationJid "${wrapper.destinationJid}" is not the bare chat`, stanza);
        }
    }

    /** Decryption failed: ask as a phone does, with keys from the second time on, and take the stanza off the queue. */
    askRetry(stanza, sender) {
        const key = `${sender?.account.phone}|${stanza.attrs.id}`;
        const count = (this.retryCounts.get(key) || 0) + 1;
        this.retryCounts.set(key, count);
        if (count <= MAX_RETRIES) {
            this.stats.retries_asked++;
            this.answerReceipt(stanza, 'retry', this.retryContent(stanza, count, count >= 2));
        }
        this.device.queue.answer('message', stanza.attrs.id, stanza.attrs.from, stanza.attrs.participant);
    }

    /** Children of a retry receipt. */
    retryContent({ attrs }, count, withKeys) {
        const content = [
            node('retry', { count, id: attrs.id, t: attrs.t ?? this.sim.now(), v: 1 }),
            node('registration', {}, beBytes(this.store.registrationId, 4))
        ];
        if (!withKeys) return content;
        const oneTime = this.store.newPreKey();
        const keys = [
            node('type', {}, KEY_TYPE), node('identity', {}, this.store.identity.public),
            node('key', {}, [node('id', {}, beBytes(oneTime.id, 3)), node('value', {}, oneTime.public)]),
            signedKeyNode(this.store.signedPreKey)
        ];
        if (this.device.adv) keys.push(node('device-identity', {}, this.device.adv.encoded));
        this.device.preKeys.everOffered.add(oneTime.id);
        this.device.preKeys.handedOut.set(oneTime.id, this.sim.directory.deviceOf(attrs.participant ?? attrs.from)?.name ?? '?');
        content.push(node('keys', {}, keys));
        return content;
    }

    async onReceipt(stanza) {
        const { id, from, participant, type, t, recipient } = stanza.attrs;
        this.device.queue.answer('receipt', id, from, stanza.attrs.participant, type);
        this.stats.receipts++;
        if (type === 'retry') {
            if (this.answerRetries) await this.outbox.onRetry(stanza);
        }
        if (this.compact && type !== 'retry') return;
        const ids = [id, ...children(child(stanza, 'list'), 'item').map(i => i.attrs.id)];
        for (const one of ids) {
            this.receipts.add({ id: one, from, receipt_type: type ?? 'delivery', t: Number(t), recipient: recipient ?? null, participant: participant ?? null, namespace: namespaceOf(participant ?? from) });
        }
    }
}
