// SPDX-License-Identifier: GPL-3.0-or-later
// Bulk runs: many texts from a phone, with plain records of what was sent and of what arrived anywhere.
import { proto } from 'baileys/WAProto/index.js';

const SLICE = 20;

/** One run: {id, from, to, total, built, routed, done, messages: [{id, text, error, at_ns: when it was routed (monotonic clock), paced runs only}]}. */
class Run {
    constructor(id, fields) {
        Object.assign(this, { id, built: 0, routed: 0, done: false, error: null, messages: [], stanzas: [], startedAt: 0, endedAt: 0 }, fields);
    }

    toJson(withMessages) {
        const out = {
            id: this.id, from: this.from, to: this.to, total: this.total, built: this.built, routed: this.routed, done: this.done,
            error: this.error, prepare_ms: this.prepareMs ?? null, send_ms: this.endedAt ? this.endedAt - this.startedAt : null
        };
        if (withMessages) out.messages = this.messages;
        return out;
    }
}

/** Runs and the arrival book. */
export class Bulk {
    constructor(sim) {
        this.sim = sim;
        this.runs = new Map();
        this.nextId = 1;
        this.book = null;
    }

    /**
     * Sends count texts "prefix N" from a device. With prepare the stanzas are only encrypted; start() routes them.
     * Returns the run at once; it goes on by itself.
     */
    create({ device, to, count, prefix = 'bulk', prepare = false }) {
        const run = new Run(this.nextId++, { from: device.name, to, total: count });
        this.runs.set(run.id, run);
        run.work = this.build(run, device, prefix, prepare).catch(error => {
            run.error = error.message;
            this.finish(run);
        });
        return run;
    }

    async build(run, device, prefix, prepare) {
        const begin = Date.now();
        run.device = device;
        if (!prepare) run.startedAt = begin;
        for (let i = 1; i <= run.total; i++) {
            const text = `${prefix} ${i}`;
            const bytes = Buffer.from(proto.Message.encode({ conversation: text }).finish());
            const stanza = await device.simulated.run(async () => {
                const built = await device.simulated.outbox.build(run.to, bytes);
                if (!prepare) this.route(run, built);
                return built;
            });
            run.messages.push({ id: stanza.attrs.id, text });
            run.built++;
            if (prepare) run.stanzas.push(stanza);
            if (i % SLICE === 0) await new Promise(setImmediate);
        }
        run.prepareMs = Date.now() - begin;
        if (prepare) this.sim.event('bulk_prepared', { run: run.id });
        else this.finish(run);
    }

    route(run, stanza) {
        const outcome = this.sim.router.route(run.device, stanza);
        if (outcome.error) run.error = `message refused with ${outcome.error}`;
        run.routed++;
    }

    /** Routes a prepared run: in slices as fast as it goes, or one by one, perSecond of them. */
    async start(run, perSecond) {
        run.startedAt = Date.now();
        if (perSecond) await this.pace(run, perSecond);
        while (run.stanzas.length) {
            for (const stanza of run.stanzas.splice(0, SLICE)) this.route(run, stanza);
            await new Promise(setImmediate);
        }
        this.finish(run);
    }

    async pace(run, perSecond) {
        let due = performance.now();
        while (run.stanzas.length) {
            const wait = due - performance.now();
            await new Promise(resolve => (wait > 0 ? setTimeout(resolve, wait) : setImmediate(resolve)));
            // What could not keep the pace is not made up for: a burst would be measured instead.
            due = Math.max(due, performance.now() - 1) + 1000 / perSecond;
            run.messages[run.routed].at_ns = String(process.hrtime.bigint());
            this.route(run, run.stanzas.shift());
        }
    }

    finish(run) {
        run.endedAt = Date.now();
        run.done = true;
        this.sim.event('bulk_done', { run: run.id, routed: run.routed, error: run.error });
    }

    /** Opens an arrival book: from now on every text that a simulated device decrypts is written down by id. */
    openBook() {
        this.book = new Map();
    }

    /** A simulated device decrypted a message. */
    arrived(simulated, id, text) {
        if (!this.book) return;
        const list = this.book.get(id);
        const entry = { device: simulated.device.name, text };
        if (list) list.push(entry);
        else this.book.set(id, [entry]);
    }

    /** The book as JSON: [{id, arrivals: [{device, text}]}]. */
    bookJson() {
        return [...(this.book || new Map())].map(([id, arrivals]) => ({ id, arrivals }));
    }
}
