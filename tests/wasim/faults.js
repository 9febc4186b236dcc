// SPDX-License-Identifier: GPL-3.0-or-later
// Faults on demand. A rule says what goes wrong, for whom, for which stanzas, and how often.
import protobufs from 'libsignal/src/protobufs.js';
import { children, node } from './nodes.js';

/** Kinds of rules and what they do; shown by the control API. */
export const FAULT_KINDS = {
    certificate: 'Noise certificate chain of the next handshakes is wrong: "value" names the fault (certs.js)',
    login_failure: 'login is answered by <failure>: "attrs" (reason, ...)',
    close_at_byte: 'the TCP connection is cut after "bytes" bytes to the client',
    split_frames: 'every byte travels in a WebSocket message of its own (stays on until removed)',
    merge_frames: 'frames of one turn travel in one WebSocket message (stays on until removed)',
    compress: 'stanzas are sent zlib-compressed',
    drop: 'matching stanzas to the client are lost',
    duplicate: 'matching stanzas are sent twice',
    reorder: 'a matching stanza is sent after its successor',
    delay: 'matching stanzas are sent "ms" later',
    corrupt_enc: 'one byte of each <enc> of matching messages is flipped',
    strip_enc: 'matching messages arrive as <unavailable/>',
    ack_error: 'messages of the client are refused with an ack whose error is "code"',
    no_ack: 'messages of the client are routed, but not acked',
    close_before_ack: 'a message of the client is routed, then the connection is cut without the ack',
    close_after_ack: 'the connection is cut right after the ack of a message',
    lose_message: 'a message of the client is neither routed nor acked, the connection is cut',
    foreign_phash: 'the ack of a message carries a participant hash that fits nothing',
    iq_error: 'IQs are answered with error "code" (match "xmlns")',
    iq_silence: 'IQs are not answered (match "xmlns")',
    iq_answer_lost: 'IQs take effect, but are not answered (match "xmlns")',
    app_state_conflict: 'another device was faster with a change of that collection ("change": as for POST /accounts/A/app-state)',
    app_state_error: 'a collection is answered with error "code"',
    no_one_time_key: 'bundles of the device come without a one-time key',
    bad_bundle_signature: 'bundles of the device carry a wrong signed prekey signature',
    success_twice: '<success> is sent twice'
};

const STANDING = new Set(['split_frames', 'merge_frames']);

/** An <enc> whose Signal message does not authenticate; the envelope of a pkmsg stays readable. */
export function damaged(enc) {
    const bytes = Buffer.from(enc.content);
    if (enc.attrs.type !== 'pkmsg') {
        bytes[bytes.length - 3] ^= 0x55;
        return { ...enc, content: bytes };
    }
    const outer = protobufs.PreKeyWhisperMessage.decode(bytes.subarray(1));
    outer.message = Buffer.from(outer.message);
    outer.message[outer.message.length - 3] ^= 0x55;
    return { ...enc, content: Buffer.concat([bytes.subarray(0, 1), protobufs.PreKeyWhisperMessage.encode(outer).finish()]) };
}

/** The set of active rules. */
export class Faults {
    constructor(sim) {
        this.sim = sim;
        this.rules = [];
        this.nextId = 1;
    }

    get any() {
        return this.rules.length > 0;
    }

    /**
     * Adds a rule: {kind, device?, count?, match?: {tag, type, id, xmlns}, ...values}. device is a JID, phone or LID;
     * without one the rule is for everybody. count is how often it strikes (default 1, 0 = until removed).
     */
    add(spec) {
        if (!(spec.kind in FAULT_KINDS)) throw new TypeError(`unknown fault ${spec.kind}`);
        const rule = { ...spec, id: this.nextId++, left: STANDING.has(spec.kind) || spec.count === 0 ? Infinity : spec.count || 1, struck: 0 };
        this.rules.push(rule);
        return rule;
    }

    remove(id) {
        this.rules = this.rules.filter(r => r.id !== id);
    }

    clear() {
        this.rules = [];
    }

    matches(rule, device, stanza) {
        if (rule.device) {
            if (!device) return false;
            const wanted = this.sim.directory.deviceOf(rule.device);
            const account = this.sim.directory.find(rule.device);
            if (String(rule.device).includes(':') ? wanted !== device : account !== device.account) return false;
        }
        const match = rule.match;
        if (!match || !stanza) return !match || !!stanza;
        return Object.keys(match).every(key => (key === 'tag' ? stanza.tag : stanza.attrs[key]) === match[key]);
    }

    /** The first rule of a kind that fits, without using it up. */
    find(kind, device, stanza) {
        return this.rules.find(r => r.kind === kind && r.left > 0 && this.matches(r, device, stanza)) || null;
    }

    /** Uses a rule up by one. */
    use(rule) {
        rule.struck++;
        if (--rule.left <= 0) this.remove(rule.id);
        this.sim.event('fault', { kind: rule.kind, rule: rule.id, struck: rule.struck });
    }

    /** The first rule of a kind that fits, used up by one; null when there is none. */
    applies(kind, device, stanza) {
        if (!this.rules.length) return null;
        const rule = this.find(kind, device, stanza);
        if (rule) this.use(rule);
        return rule;
    }

    /** A stanza to a client as the content faults change it. */
    rewrite(device, stanza) {
        if (stanza.tag !== 'message') return stanza;
        let out = stanza;
        if (this.applies('corrupt_enc', device, stanza)) {
            out = { ...out, content: children(out).map(c => (c.tag === 'enc' ? damaged(c) : c)) };
        }
        if (this.applies('strip_enc', device, stanza)) {
            out = { ...out, content: [...children(out).filter(c => c.tag !== 'enc'), node('unavailable')] };
        }
        return out;
    }

    list() {
        return this.rules.map(r => ({ ...r, left: r.left === Infinity ? null : r.left }));
    }
}
