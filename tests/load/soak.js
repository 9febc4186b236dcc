// SPDX-License-Identifier: GPL-3.0-or-later
// The soak: many sessions with mixed traffic (texts, group texts, changes of chats and labels from both sides, receipts, lost
// connections) for a while. At the end both sides must hold the same, nothing was lost or came twice, and the daemon has grown neither
// in memory nor in descriptors.
//
//     SOAK_MINUTES=30 SOAK_SESSIONS=50 node soak.js      (make soak SOAK_MINUTES=30); prints one JSON object, exit 1 if something is wrong
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Gateway, Receiver, until } from '../e2e/lib/gateway.js';
import { median, pssKib, round } from './proc.js';

const SECRET = 'secret of the soak';
const PEERS = 10;
const GROUPS = 5;
const SAMPLE_MS = 5000;
const GROWTH_KIB = 8192;
const FDS_MORE = 8;
const SLOW_MS = 60000;
// Shorter runs are over before the caches are full: their growth is shown, not judged.
const JUDGED_MINUTES = 4;

const pick = list => list[Math.floor(Math.random() * list.length)];
const fdsOf = pid => readdirSync(`/proc/${pid}/fd`).length;
const jidOf = phone => `${phone}@s.whatsapp.net`;

class Soak {
    constructor({ minutes, sessions, pause = 400 }) {
        Object.assign(this, { minutes, count: sessions, pause, sessions: [], peers: [], groups: [], counts: {}, refused: {}, faults: [], pss: [], fds: [] });
        this.doing = new Map();
        this.sent = new Set();
        this.owed = new Set();
        this.next = 0;
    }

    async start() {
        this.hook = new Receiver(SECRET);
        this.gateway = await Gateway.start({ WEBHOOK_DEFAULT_URL: await this.hook.listen(), WEBHOOK_DEFAULT_SECRET: SECRET, LOG_LEVEL: 'warn' });
        clearTimeout(this.gateway.limit);
        for (let i = 0; i < PEERS; i++) {
            const phone = `1556${String(1000000 + i)}`;
            await this.gateway.account(phone, `Peer ${i}`);
            this.peers.push(phone);
        }
        for (let i = 0; i < this.count; i++) {
            const session = { id: `soak${i}`, phone: `1557${String(1000000 + i)}`, labels: 0 };
            await this.gateway.account(session.phone, `Session ${i}`, { share_keys: true });
            session.jid = (await this.gateway.link(session.id, session.phone)).jid;
            this.sessions.push(session);
        }
        for (let i = 0; i < GROUPS; i++) {
            const members = [...this.sessions.filter((_, n) => n % GROUPS === i).map(s => s.phone), ...this.peers.slice(0, 3)];
            this.groups.push({ jid: (await this.gateway.control('/groups', { creator: this.peers[0], subject: `Group ${i}`, members: members.filter(m => m !== this.peers[0]) })).jid, members });
        }
    }

    /** A request, again while the session is between two connections. */
    async ask(session, method, family, p) {
        for (;;) {
            const answer = await this.gateway.call(method, { session: session.id, family, p });
            if (answer.status < 300) return answer;
            if (answer.status === 400) throw new Error(JSON.stringify(answer));
            const key = `${method} ${answer.status} ${answer.message}`;
            this.refused[key] = (this.refused[key] ?? 0) + 1;
            if (this.over) return null;
            await new Promise(resolve => setTimeout(resolve, 50));
        }
    }

    async text(session, to) {
        const answer = await this.ask(session, 'messages.send.text', 'messages', { to: [to], message: `soak ${this.next++}` });
        if (answer) this.sent.add(answer.result[0].messageId);
    }

    actions = {
        text: s => this.text(s, jidOf(pick(this.peers))),
        groupText: s => this.text(s, this.groups[this.sessions.indexOf(s) % GROUPS].jid),
        incoming: async s => {
            const id = `SOAK${this.next++}`;
            this.owed.add(`${s.id} ${id}`);
            await this.gateway.control(`/accounts/${pick(this.peers)}/send`, { to: s.phone, text: `to ${s.id}`, id });
        },
        incomingGroup: async s => {
            const group = this.groups[this.sessions.indexOf(s) % GROUPS];
            const id = `SOAK${this.next++}`;
            for (const one of this.sessions) if (group.members.includes(one.phone)) this.owed.add(`${one.id} ${id}`);
            await this.gateway.control(`/accounts/${this.peers[0]}/send`, { to: group.jid, text: 'to all', id });
        },
        archive: s => this.ask(s, `messages.action.${pick(['archive', 'unarchive'])}`, 'messages', { to: [jidOf(pick(this.peers))] }),
        mute: s => this.ask(s, 'messages.action.mute', 'messages', { to: [jidOf(pick(this.peers))], duration: 60 }),
        pin: s => this.ask(s, 'chats.pin', 'chats-post', { chatId: [jidOf(pick(this.peers))], pin: Math.random() < 0.5 }),
        label: s => (s.labels++ < 30 ? this.ask(s, 'labels.create', 'messages', { name: `Label ${s.labels}`, color: s.labels % 20 }) : null),
        setting: s => this.ask(s, 'account.settings.change', 'messages', { unarchiveChats: Math.random() < 0.5 }),
        phoneLabel: s => this.gateway.control(`/accounts/${s.phone}/app-state`, { index: ['label_edit', String(900 + this.next++ % 20)],
            value: { labelEditAction: { name: `Phone ${this.next}`, color: 3, deleted: Math.random() < 0.3 } } }),
        phoneReply: s => this.gateway.control(`/accounts/${s.phone}/app-state`, { index: ['quick_reply', String(1700000000 + this.next++ % 20)],
            value: { quickReplyAction: { shortcut: '/x', message: `reply ${this.next}`, deleted: Math.random() < 0.3 } } }),
        read: async s => {
            // Nothing to be read is an answer, too.
            await this.gateway.call('chats.read', { session: s.id, family: 'chats-post', p: { chatId: [jidOf(pick(this.peers))], messages: 5, days: 1 } });
        },
        drop: s => this.gateway.control(`/clients/${encodeURIComponent(s.jid)}/drop`, {}).catch(() => null),
        reconnect: s => this.gateway.call('session.reconnect', { session: s.id, family: 'session' })
    };

    // How often, in relation to each other.
    weights = Object.entries({ text: 20, groupText: 6, incoming: 20, incomingGroup: 3, archive: 4, mute: 3, pin: 3, label: 2, setting: 1, phoneLabel: 3, phoneReply: 2,
        read: 4, drop: 1, reconnect: 1 }).flatMap(([name, n]) => Array(n).fill(name));

    async work(session) {
        while (!this.over) {
            const name = pick(this.weights);
            this.doing.set(session.id, { name, since: Date.now() });
            try {
                await this.actions[name](session);
                this.counts[name] = (this.counts[name] ?? 0) + 1;
            } catch (error) {
                this.faults.push(`${session.id} ${name}: ${error.message}`);
            }
            this.doing.delete(session.id);
            await new Promise(resolve => setTimeout(resolve, this.pause * (0.5 + Math.random())));
        }
    }

    /** False after a bounded time: what hangs is told, not waited for. */
    async within(limitMs, promise) {
        let timer;
        const late = new Promise(resolve => { timer = setTimeout(() => resolve(false), limitMs); });
        const done = await Promise.race([promise.then(() => true), late]);
        clearTimeout(timer);
        return done;
    }

    sample() {
        const { pid } = this.gateway.daemon;
        // While it still runs, somebody may want to look into the daemon.
        for (const [id, doing] of this.doing)
            if (!doing.told && Date.now() - doing.since > SLOW_MS) {
                doing.told = true;
                process.stderr.write(`${new Date().toISOString()} soak: ${id} waits for ${doing.name} since ${new Date(doing.since).toISOString()}, daemon ${pid}\n`);
            }
        this.pss.push(pssKib(pid));
        this.fds.push(fdsOf(pid));
    }

    /** Both sides hold the same labels, quick replies and settings. */
    async differences(session) {
        const { regular, regular_low: low } = await this.gateway.control(`/accounts/${session.phone}/app-state`);
        const of = (name, collection = regular) => collection.entries.filter(e => e.index[0] === name);
        const theirs = {
            labels: of('label_edit').filter(e => !e.value.labelEditAction.deleted).map(e => `${e.index[1]} ${e.value.labelEditAction.name}`).sort(),
            replies: of('quick_reply').filter(e => !e.value.quickReplyAction.deleted).map(e => `${e.index[1]} ${e.value.quickReplyAction.message}`).sort(),
            unarchive: of('setting_unarchiveChats', low)[0]?.value.unarchiveChatsSetting.unarchiveChats
        };
        const list = name => this.gateway.call(name, { session: session.id, family: 'messages', p: {} });
        const ours = {
            labels: (await list('labels.list')).result.labels.map(l => `${l.labelId} ${l.name}`).sort(),
            replies: (await list('quick_replies.list')).result.quickReplies.map(q => `${q.quickReplyId} ${q.message}`).sort(),
            unarchive: (await list('account.settings')).result.settings.unarchiveChats
        };
        return JSON.stringify(ours) === JSON.stringify(theirs) ? null : `${session.id}: ours ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}`;
    }

    async settled(limitMs) {
        const end = Date.now() + limitMs;
        let open = [];
        for (;;) {
            open = [];
            for (const session of this.sessions) {
                const difference = await this.differences(session);
                if (difference) open.push(difference);
            }
            // A delivery whose answer was late comes again under the same event id: that is one.
            const got = new Map();
            const ids = new Set();
            for (const event of this.hook.events) {
                if (event.event !== 'message_received' || ids.has(event.id)) continue;
                ids.add(event.id);
                const key = `${event.session.id} ${event.data.message.key.id}`;
                got.set(key, (got.get(key) ?? 0) + 1);
            }
            const lost = [...this.owed].filter(key => !got.has(key));
            const twice = [...got].filter(([, n]) => n > 1).map(([key]) => key);
            if (!open.length && !lost.length && !twice.length) return { differences: [], lost: [], twice: [] };
            if (Date.now() > end) return { differences: open.slice(0, 5), lost: lost.slice(0, 20), twice: twice.slice(0, 20) };
            await new Promise(resolve => setTimeout(resolve, 200));
        }
    }

    async run() {
        await this.start();
        const started = Date.now();
        const sampler = setInterval(() => this.sample(), Math.min(SAMPLE_MS, this.minutes * 6000));
        const workers = this.sessions.map(s => this.work(s));
        await new Promise(resolve => setTimeout(resolve, this.minutes * 60000));
        this.over = true;
        if (!await this.within(180000, Promise.all(workers)))
            this.faults.push(...[...this.doing].map(([id, { name }]) => `${id}: ${name} has no answer`));
        for (const session of this.sessions) {
            if (!await this.within(60000, this.gateway.open(session.id))) this.faults.push(`${session.id} is not open: ${await this.gateway.state(session.id)}`);
        }
        const end = await this.settled(120000);
        this.sample();
        clearInterval(sampler);
        const violations = (await this.gateway.violations()).map(v => `${v.rule}: ${v.text}`);
        const exit = await this.gateway.stop();
        this.hook.close();
        return this.report((Date.now() - started) / 1000, { ...end, violations, exit });
    }

    report(seconds, end) {
        const quarter = Math.floor(this.pss.length / 4);
        const early = median(this.pss.slice(quarter, 2 * quarter));
        const late = median(this.pss.slice(-Math.max(1, quarter)));
        const figures = {
            sessions: this.count, seconds: round(seconds), actions: this.counts, sent: this.sent.size, received: this.owed.size, refused: this.refused,
            pss_kib: { early, late, growth: late - early, most: Math.max(...this.pss) }, descriptors: { early: median(this.fds.slice(quarter, 2 * quarter)), end: this.fds.at(-1) }
        };
        const wrong = [...this.faults.slice(0, 20), ...end.differences, ...end.lost.map(k => `lost: ${k}`), ...end.twice.map(k => `twice: ${k}`), ...end.violations];
        if (end.exit.code !== 0) wrong.push(`the daemon ended with ${JSON.stringify(end.exit)}`);
        if (this.hook.bad) wrong.push(`${this.hook.bad} webhooks with a wrong signature`);
        if (figures.descriptors.end > figures.descriptors.early + FDS_MORE) wrong.push(`descriptors: ${JSON.stringify(figures.descriptors)}`);
        if (this.minutes >= JUDGED_MINUTES && late - early > GROWTH_KIB) wrong.push(`memory: ${JSON.stringify(figures.pss_kib)}`);
        if (wrong.length) wrong.push(...this.gateway.log.trim().split('\n').slice(-40));
        return { figures, wrong };
    }
}

export async function soak(options) {
    return new Soak(options).run();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const { figures, wrong } = await soak({ minutes: Number(process.env.SOAK_MINUTES || 30), sessions: Number(process.env.SOAK_SESSIONS || 50) });
    process.stdout.write(`${JSON.stringify({ ...figures, wrong }, null, 1)}\n`);
    process.exit(wrong.length ? 1 : 0);
}
