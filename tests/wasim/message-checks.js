// SPDX-License-Identifier: GPL-3.0-or-later
// What a message stanza of a client must look like before it is routed: shape, fan-out, Signal envelopes, device identity.
import protobufs from 'libsignal/src/protobufs.js';
import { bytesOf, child, children } from './nodes.js';
import { djb } from './curve.js';
import { parseJid } from './jid.js';
import { identityFault } from './pairing.js';
import { namespaceOf } from './accounts.js';

const MESSAGE_VERSION = 0x33;
const RATCHETS_KEPT = 4;
const COUNTERS_KEPT = 2000;
const TYPES = new Set(['text', 'media', 'poll', 'reaction', 'event', 'medianotify']);

/** Parses the Signal envelope of an <enc>; {kind, counter, ratchet, prekey?} or a text. */
export function parseEnvelope(enc) {
    const bytes = bytesOf(enc);
    const { type } = enc.attrs;
    if (enc.attrs.v !== '2') return `enc version "${enc.attrs.v}"`;
    if (type !== 'pkmsg' && type !== 'msg') return `enc type "${type}" in a 1:1 message`;
    if (!bytes || bytes.length < 10 || bytes[0] !== MESSAGE_VERSION) return 'enc is no Signal message of version 3';
    try {
        if (type === 'msg') return { kind: type, ...signalMessage(bytes) };
        const outer = protobufs.PreKeyWhisperMessage.decode(bytes.subarray(1));
        return {
            kind: type, preKeyId: outer.preKeyId || 0, signedPreKeyId: outer.signedPreKeyId,
            registrationId: outer.registrationId, identityKey: Buffer.from(outer.identityKey || []),
            baseKey: Buffer.from(outer.baseKey || []).toString('base64'), ...signalMessage(Buffer.from(outer.message))
        };
    } catch (error) {
        return `enc does not parse: ${error.message}`;
    }
}

function signalMessage(bytes) {
    if (bytes[0] !== MESSAGE_VERSION) throw new Error('inner version');
    const inner = protobufs.WhisperMessage.decode(bytes.subarray(1, -8));
    if (inner.ephemeralKey?.length !== 33) throw new Error('ratchet key is not 33 bytes');
    return { ratchet: Buffer.from(inner.ephemeralKey).toString('base64'), counter: inner.counter || 0 };
}

/** Checks of messages; each returns a text for a fault, or null. */
export class MessageChecks {
    constructor(sim) {
        this.sim = sim;
    }

    /** Shape of the stanza's own attributes. */
    shape(stanza) {
        const { id, to, type } = stanza.attrs;
        if (!id) return 'message without id';
        if (!to) return 'message without to';
        if (!TYPES.has(type)) return `message type "${type}"`;
        if (stanza.attrs.phash && parseJid(to)?.server !== 'g.us') return 'phash on a 1:1 message';
        return null;
    }

    /** The envelope of one recipient against what the server knows of both devices. */
    envelope(sender, target, enc, id) {
        const envelope = parseEnvelope(enc);
        if (typeof envelope === 'string') return envelope;
        if (envelope.kind === 'pkmsg') {
            const fault = this.preKeyEnvelope(sender, target, envelope);
            if (fault) return fault;
        }
        return this.counter(sender, target, envelope, id, bytesOf(enc));
    }

    preKeyEnvelope(sender, target, envelope) {
        if (!envelope.identityKey.equals(djb(sender.identity))) return 'pkmsg carries another identity key';
        if (envelope.registrationId !== sender.registrationId) return `pkmsg registration id ${envelope.registrationId}`;
        if (!target.simulated && target.signedPreKey && envelope.signedPreKeyId > 0xffffff) return 'signed prekey id out of range';
        if (!envelope.preKeyId) return null;
        const given = target.preKeys.handedOut.get(envelope.preKeyId);
        if (given === undefined) return `one-time key ${envelope.preKeyId} was never handed out`;
        if (given === sender.name) {
            target.preKeys.handedOut.set(envelope.preKeyId, { who: sender.name, baseKey: envelope.baseKey });
            return null;
        }
        if (given.who !== sender.name) return `one-time key ${envelope.preKeyId} was handed out to ${given.who || given}`;
        return given.baseKey === envelope.baseKey ? null : `one-time key ${envelope.preKeyId} used for two sessions`;
    }

    /** A counter may come again only with the same bytes in the same message: a frame that is sent again. */
    counter(sender, target, envelope, id, bytes) {
        let ratchets = sender.ratchets.get(target);
        if (!ratchets) sender.ratchets.set(target, ratchets = new Map());
        let counters = ratchets.get(envelope.ratchet);
        if (!counters) {
            ratchets.set(envelope.ratchet, counters = new Map());
            if (ratchets.size > RATCHETS_KEPT) ratchets.delete(ratchets.keys().next().value);
        }
        const mark = id + bytes.toString('latin1', Math.max(0, bytes.length - 40));
        const before = counters.get(envelope.counter);
        if (before !== undefined && before !== mark) return `message key ${envelope.counter} of a ratchet used twice`;
        counters.set(envelope.counter, mark);
        if (counters.size > COUNTERS_KEPT) counters.delete(counters.keys().next().value);
        return null;
    }

    /** <device-identity> must be there with a pkmsg, and right whenever it is there. */
    deviceIdentity(sender, stanza, hasPreKeyMessage) {
        const bytes = bytesOf(child(stanza, 'device-identity'));
        if (!bytes) return hasPreKeyMessage ? 'pkmsg without device-identity' : null;
        if (bytes.equals(sender.adv.encoded)) return null;
        return identityFault(bytes, sender, true);
    }

    /**
     * The recipients' list of a fan-out. Returns {targets: [{device, jid, enc}], stale, missing, fault}.
     */
    fanout(sender, recipient, stanza) {
        const namespace = namespaceOf(stanza.attrs.to);
        const list = children(child(stanza, 'participants'), 'to');
        const bare = child(stanza, 'enc');
        const out = { targets: [], stale: [], missing: [], fault: null };
        const seen = new Set();
        const entries = list.map(to => ({ jid: to.attrs.jid, enc: child(to, 'enc') }));
        if (bare) entries.push({ jid: recipient.jid(namespace), enc: bare });
        for (const { jid, enc } of entries) {
            const device = this.sim.directory.deviceOf(jid);
            if (!enc) out.fault = `<to jid="${jid}"> without enc`;
            else if (!device) out.stale.push(jid);
            else if (seen.has(device)) out.fault = `device ${jid} twice in participants`;
            else if (device === sender) out.fault = 'message to the sending device itself';
            else if (device.account !== recipient && device.account !== sender.account) out.fault = `${jid} is neither the recipient's nor an own device`;
            else if (namespaceOf(jid) !== namespace) out.fault = `${jid} is not in the namespace of ${stanza.attrs.to}`;
            if (device && enc) {
                seen.add(device);
                out.targets.push({ device, jid, enc });
            }
        }
        for (const device of [...recipient.devices.values(), ...sender.account.devices.values()]) {
            if (device !== sender && !seen.has(device)) out.missing.push(device);
        }
        return out;
    }

    /** True if the sender could have used this device: a phone, or a companion on a list that it was told of. */
    shouldHaveKnown(sender, device) {
        if (device.id === 0) return !sender.excused.has(device);
        return sender.knownLists.get(device.account.phone) === device.account.listVersion && !sender.excused.has(device);
    }
}
