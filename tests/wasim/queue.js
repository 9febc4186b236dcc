// SPDX-License-Identifier: GPL-3.0-or-later
// Per-device queue of stanzas that the device owes an answer for. A stanza stays until acked or receipted, and comes again on every connect.
import { node } from './nodes.js';

const PRIMER = 5;
const AUTO_BATCH = 100;
const REMEMBERED_ACKS = 4096;

/** Receipts of several types may carry one id, so their type is part of the key. */
function entryKey(tag, id, from, participant, type) {
    return `${tag}|${id}|${from}|${participant || ''}|${tag === 'receipt' ? type || '' : ''}`;
}

/** Modes: 'detached' (no connection), 'held' (until active), 'draining' (backlog in batches), 'live'. */
export class DeviceQueue {
    constructor(device) {
        this.device = device;
        this.entries = new Map();
        this.byKey = new Map();
        this.nextNumber = 1;
        this.unsent = [];
        this.head = 0;
        this.mode = 'detached';
        this.connection = null;
        this.allowance = 0;
        this.offlineLeft = 0;
        this.offlineTotal = 0;
        this.inFlight = 0;
        this.answered = new Map();
        this.lastAnswered = null;
    }

    get size() {
        return this.entries.size;
    }

    /** Adds a stanza and sends it when the device is live. onAnswer runs once the device has answered it. */
    push(stanza, onAnswer = null) {
        const number = this.nextNumber++;
        const entry = { number, stanza, sentOn: null, offline: this.mode === 'detached', sends: 0, onAnswer };
        entry.key = entryKey(stanza.tag, stanza.attrs.id, stanza.attrs.from, stanza.attrs.participant, stanza.attrs.type);
        this.keep(entry);
        this.unsent.push(entry);
        this.pump();
        return entry;
    }

    keep(entry) {
        this.entries.set(entry.number, entry);
        const list = this.byKey.get(entry.key);
        if (list) list.push(entry);
        else this.byKey.set(entry.key, [entry]);
    }

    /** A stanza was sent a second time on the same connection: a second answer is owed. */
    owedAgain(entry) {
        this.keep({ ...entry, number: this.nextNumber++, onAnswer: null });
        this.inFlight++;
    }

    /** A connection came up: everything unanswered is due again. */
    attach(connection, held) {
        this.connection = connection;
        this.unsent = [...this.entries.values()];
        this.head = 0;
        for (const entry of this.unsent) entry.offline = true;
        this.offlineLeft = this.offlineTotal = this.unsent.length;
        this.inFlight = 0;
        this.allowance = PRIMER;
        this.mode = held ? 'held' : 'draining';
        connection.send(this.preview());
        this.pump();
    }

    preview() {
        const counts = { message: 0, receipt: 0, notification: 0, call: 0 };
        for (const entry of this.unsent) if (entry.stanza.tag in counts) counts[entry.stanza.tag]++;
        return node('ib', { from: '@s.whatsapp.net' }, [
            node('offline_preview', { count: this.offlineTotal, ...counts, appdata: 0 })
        ]);
    }

    /** The connection is gone. */
    detach(connection) {
        if (this.connection !== connection) return;
        this.connection = null;
        this.mode = 'detached';
        this.unsent = [];
        this.head = 0;
    }

    /** The client said <active/>. */
    release() {
        if (this.mode === 'held') {
            this.mode = 'draining';
            this.pump();
        }
    }

    /** The client said <passive/>. */
    hold() {
        if (this.mode !== 'detached') this.mode = 'held';
    }

    /** The client asked for a batch of its backlog. */
    batch(count) {
        this.allowance += count;
        this.pump();
    }

    pump() {
        if (this.mode === 'draining') this.drain();
        if (this.mode !== 'live') return;
        while (this.head < this.unsent.length) this.deliver(this.unsent[this.head++]);
        this.unsent = [];
        this.head = 0;
    }

    drain() {
        while (this.offlineLeft > 0 && this.allowance > 0 && this.head < this.unsent.length) {
            const entry = this.unsent[this.head++];
            this.offlineLeft--;
            if (!this.entries.has(entry.number)) continue;
            this.allowance--;
            this.deliver(entry);
        }
        if (this.offlineLeft === 0) {
            this.mode = 'live';
            this.connection.send(node('ib', { from: '@s.whatsapp.net' }, [node('offline', { count: this.offlineTotal })]));
        }
    }

    deliver(entry) {
        const { connection } = this;
        if (!connection) return;
        entry.sentOn = connection;
        entry.sends++;
        this.inFlight++;
        const stanza = entry.offline
            ? { ...entry.stanza, attrs: { ...entry.stanza.attrs, offline: String(Math.min(entry.sends - 1, 9)) } }
            : entry.stanza;
        connection.send(stanza, entry);
    }

    /**
     * The client answered a stanza. Returns 'ok', or why the answer fits nothing:
     * 'again' (that stanza was answered before), 'unknown' (no such stanza was sent).
     */
    answer(tag, id, to, participant, type) {
        const key = entryKey(tag, id, to, participant, type);
        const list = this.byKey.get(key);
        const entry = list?.find(e => e.sentOn) ?? null;
        if (!entry) return this.answered.has(key) ? 'again' : 'unknown';
        this.forget(entry);
        this.lastAnswered = entry;
        entry.onAnswer?.();
        this.answered.set(key, true);
        if (this.answered.size > REMEMBERED_ACKS) this.answered.delete(this.answered.keys().next().value);
        if (this.inFlight > 0) this.inFlight--;
        if (this.mode === 'draining' && this.inFlight === 0 && this.allowance === 0) this.batch(AUTO_BATCH);
        return 'ok';
    }

    /** True if a stanza with these marks is still waiting for its answer. */
    pending(tag, id, from, participant) {
        return this.byKey.has(entryKey(tag, id, from, participant));
    }

    forget(entry) {
        this.entries.delete(entry.number);
        const list = this.byKey.get(entry.key).filter(e => e !== entry);
        if (list.length) this.byKey.set(entry.key, list);
        else this.byKey.delete(entry.key);
    }

    /** Stanzas without an answer, for the control API. */
    list() {
        return [...this.entries.values()].map(e => ({
            tag: e.stanza.tag, id: e.stanza.attrs.id, from: e.stanza.attrs.from,
            type: e.stanza.attrs.type, sends: e.sends, offline: e.offline
        }));
    }
}
