// SPDX-License-Identifier: GPL-3.0-or-later
// Drives the wawire program: one client of the protocol library, its events as JSON lines.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');

function program() {
    const places = [process.env.WAREST_BUILD_DIR, root, join(root, 'build')].filter(Boolean);
    const found = places.map(place => join(place, 'wawire')).find(existsSync);
    if (!found) throw new Error('wawire is not built: make check_PROGRAMS, or set WAREST_BUILD_DIR');
    return found;
}

export class Wire {
    constructor(wasim, { url = wasim.wsUrl, rootKey = wasim.rootKey, options = [] } = {}) {
        this.events = [];
        this.seen = 0;
        this.waiters = [];
        this.process = spawn(program(), [url, rootKey, ...(wasim.caFile ? [wasim.caFile] : []), ...options], { stdio: ['pipe', 'pipe', 'inherit'] });
        this.exited = new Promise(done => this.process.once('exit', (code, signal) => {
            this.dead = { event: 'exit', code, signal };
            for (const waiter of this.waiters.splice(0)) waiter.fail(new Error(`wawire ended (${code ?? signal}) while waiting for ${waiter.name}`));
            done(this.dead);
        }));
        createInterface({ input: this.process.stdout }).on('line', line => {
            this.events.push(JSON.parse(line));
            this.look();
        });
    }

    look() {
        for (const waiter of this.waiters.slice()) {
            const at = this.events.findIndex((event, index) => index >= waiter.from && waiter.test(event));
            if (at < 0) continue;
            this.waiters.splice(this.waiters.indexOf(waiter), 1);
            waiter.done(this.events[at]);
            this.seen = Math.max(this.seen, at + 1);
        }
    }

    // The next event with this name or one of these names (after the last one that was waited for).
    wait(name, test = () => true) {
        const names = [name].flat();
        return new Promise((done, fail) => {
            if (this.dead) return fail(new Error('wawire has ended'));
            // Only so that a test that cannot succeed ends: nothing is measured.
            const watchdog = setTimeout(() => fail(new Error(`${names} did not come; last: ${JSON.stringify(this.events.slice(-5))}`)), 20000);
            watchdog.unref();
            this.waiters.push({ name, from: this.seen, done, fail, test: event => names.includes(event.event) && test(event) });
            this.look();
        });
    }

    // Resolves once test() holds, looked at after each event.
    until(test, name = 'a condition') {
        return new Promise((done, fail) => {
            const watchdog = setTimeout(() => fail(new Error(`${name} did not come true`)), 60000);
            watchdog.unref();
            this.waiters.push({ name, from: 0, test, done, fail });
            this.look();
        });
    }

    tell(...words) {
        this.process.stdin.write(`${words.join(' ')}\n`);
    }

    async ask(command, event = command) {
        const answer = this.wait(event);
        this.tell(command);
        return answer;
    }

    async end() {
        if (this.dead) return this.dead;
        this.process.stdin.end();
        return this.exited;
    }
}
