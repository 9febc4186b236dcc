// SPDX-License-Identifier: GPL-3.0-or-later
// Violations: what a client did that the real service (or the specification) forbids. Tests assert that none were recorded.
import { nodeToJson } from './nodes.js';
import { Log } from './events.js';

/** Records violations. Those of lenient devices are recorded too, but marked and not refused. */
export class Strict {
    constructor(sim) {
        this.sim = sim;
        this.log = new Log(5000);
    }

    /** Notes a violation of a device (or of an unpaired connection). Returns true if the stanza is to be refused. */
    violation(who, rule, text, stanza) {
        const lenient = who?.account ? who.lenient : false;
        const entry = {
            rule, text, lenient, device: who?.account ? who.name : null, connection: who?.account ? null : who?.number ?? null
        };
        if (stanza) entry.stanza = nodeToJson(stanza);
        this.log.add(entry);
        this.sim.event('violation', { rule, text, lenient, device: entry.device });
        return !lenient;
    }

    /** A violation of an IQ: the answer is an IQ error. */
    refuse(device, rule, text, stanza, code = 400) {
        this.violation(device, rule, text, stanza);
        return { error: code, text: text.slice(0, 100) };
    }

    /** Violations; lenient ones only on request. */
    list(includeLenient = false) {
        return this.log.list(0, e => includeLenient || !e.lenient, Infinity);
    }

    clear() {
        this.log.clear();
    }
}
