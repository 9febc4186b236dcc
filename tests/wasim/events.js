// SPDX-License-Identifier: GPL-3.0-or-later
// Bounded, numbered logs that can be waited on: tests wait for an entry, never for time.

/** Entries {seq, time_ms, ...}; the oldest fall out beyond the limit. */
export class Log {
    constructor(limit) {
        this.limit = limit;
        this.entries = [];
        this.lastSeq = 0;
        this.waiters = new Set();
    }

    /** Appends an entry (the object is completed with seq and time_ms) and wakes who waits for it. */
    add(entry) {
        entry.seq = ++this.lastSeq;
        entry.time_ms = Date.now();
        this.entries.push(entry);
        if (this.entries.length > this.limit * 1.25) this.entries = this.entries.slice(-this.limit);
        for (const waiter of [...this.waiters]) waiter(entry);
        return entry;
    }

    /** Entries with seq > after that pass the filter, oldest first, at most `limit`. */
    list(after = 0, filter = () => true, limit = 1000) {
        const out = [];
        for (let i = this.firstIndexAfter(after); i < this.entries.length && out.length < limit; i++) {
            if (filter(this.entries[i])) out.push(this.entries[i]);
        }
        return out;
    }

    firstIndexAfter(after) {
        if (!this.entries.length) return 0;
        return Math.max(0, after - this.entries[0].seq + 1);
    }

    /** As list, but waits up to waitMs for the first match (and resolves with [] when none came). */
    async wait(after, filter, waitMs, limit) {
        const found = this.list(after, filter, limit);
        if (found.length || !waitMs) return found;
        return new Promise(resolve => {
            const done = result => {
                clearTimeout(timer);
                this.waiters.delete(waiter);
                resolve(result);
            };
            const waiter = entry => { if (filter(entry)) done([entry]); };
            const timer = setTimeout(() => done([]), waitMs);
            this.waiters.add(waiter);
        });
    }

    /** Forgets all entries; numbers go on. */
    clear() {
        this.entries = [];
    }
}
