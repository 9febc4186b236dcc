// SPDX-License-Identifier: GPL-3.0-or-later
// An unmodified Baileys client linked to an account of the simulator: the other party of interoperability tests.
import { EventEmitter } from 'node:events';
import https from 'node:https';
import fs from 'node:fs';
import makeWASocket, {
    WA_CERT_DETAILS, initAuthCreds, BufferJSON, makeCacheableSignalKeyStore, normalizeMessageContent
} from 'baileys';

const WAIT_MS = 60000;
const SILENT = {
    level: 'silent', child: () => SILENT, trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {}
};

/** Makes every Baileys client of this process trust the simulator's Noise root key (hex). */
export function trustRootKey(hex) {
    Buffer.from(hex, 'hex').copy(WA_CERT_DETAILS.PUBLIC_KEY);
}

/** Baileys leaves timers of up to a minute behind: call this in the last hook of a test file, and the process ends soon after it. */
export function endProcessSoon() {
    setTimeout(() => process.exit(), 300).unref();
}

/** Calls the simulator's control API; throws with its error text. */
export async function control(baseUrl, method, path, body) {
    const response = await fetch(baseUrl + path, {
        method, headers: { 'content-type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body)
    });
    const json = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${json.error}`);
    return json;
}

/** Signal keys in memory, through JSON as a file would keep them. */
function memoryKeys(data) {
    return {
        get: async (type, ids) => Object.fromEntries(ids.map(id => [id, data.get(`${type}/${id}`)])
            .filter(([, text]) => text !== undefined).map(([id, text]) => [id, JSON.parse(text, BufferJSON.reviver)])),
        set: async changes => {
            for (const [type, entries] of Object.entries(changes)) {
                for (const [id, value] of Object.entries(entries)) {
                    if (value === null || value === undefined) data.delete(`${type}/${id}`);
                    else data.set(`${type}/${id}`, JSON.stringify(value, BufferJSON.replacer));
                }
            }
        }
    };
}

/** Credentials of a new client. Baileys makes its registration id of one byte, so now and then of 0, which is none: the simulator refuses it. */
function newCreds() {
    const creds = initAuthCreds();
    return creds.registrationId ? creds : newCreds();
}

/** Text of a received message, or null. */
export function textOf(message) {
    const content = normalizeMessageContent(message.message);
    return content?.conversation || content?.extendedTextMessage?.text || null;
}

/**
 * One Baileys client. Options: wsUrl, controlUrl, rootKey, caFile (for wss), history (take history; without it Baileys holds
 * events back for 20 s after linking), socket (further Baileys options).
 * Events that arrived are kept, so that waiting for one that already came returns at once.
 */
export class BaileysPeer {
    constructor(options) {
        this.options = options;
        this.creds = newCreds();
        this.keyData = new Map();
        this.messages = [];
        this.history = [];
        this.statuses = new Map();
        this.updates = [];
        this.changed = new EventEmitter();
        this.changed.setMaxListeners(0);
        this.socket = null;
        this.sent = new Map();
        this.opened = 0;
        trustRootKey(options.rootKey);
    }

    get jid() {
        return this.creds.me?.id;
    }

    get lid() {
        return this.creds.me?.lid;
    }

    /** Starts (or restarts) the socket with the present credentials. */
    start() {
        this.stop();
        const { wsUrl, caFile, socket = {} } = this.options;
        const sock = makeWASocket({
            waWebSocketUrl: wsUrl, logger: SILENT, markOnlineOnConnect: false, syncFullHistory: false,
            shouldSyncHistoryMessage: () => !!this.options.history,
            agent: caFile ? new https.Agent({ ca: fs.readFileSync(caFile) }) : undefined,
            fetchAgent: caFile ? new https.Agent({ ca: fs.readFileSync(caFile) }) : undefined,
            auth: { creds: this.creds, keys: makeCacheableSignalKeyStore(memoryKeys(this.keyData), SILENT) },
            getMessage: async key => this.sent.get(key.id),
            ...socket
        });
        this.socket = sock;
        sock.ev.on('creds.update', update => Object.assign(this.creds, update));
        sock.ev.on('connection.update', update => this.onConnection(sock, update));
        sock.ev.on('messages.upsert', ({ messages, type }) => this.onMessages(messages, type));
        sock.ev.on('messaging-history.set', history => {
            this.history.push(history);
            this.changed.emit('change');
        });
        sock.ev.on('messages.update', list => this.onUpdates(list));
        return sock;
    }

    onConnection(sock, update) {
        if (sock !== this.socket) return;
        this.updates.push(update);
        if (update.connection === 'open') this.opened++;
        const code = update.lastDisconnect?.error?.output?.statusCode;
        if (update.connection === 'close') {
            this.closeCode = code;
            if (code === 515) this.start();
        }
        this.changed.emit('change');
    }

    onMessages(messages, type) {
        for (const message of messages) {
            if (message.message) this.messages.push({ ...message, upsertType: type });
            this.noteStatus(message.key.id, message.status);
        }
        this.changed.emit('change');
    }

    /** Baileys reports a status by itself, or merged into a message that it had held back. */
    noteStatus(id, status) {
        if (typeof status === 'number') this.statuses.set(id, Math.max(status, this.statuses.get(id) ?? 0));
    }

    onUpdates(list) {
        for (const entry of list) this.noteStatus(entry.key?.id, entry.update?.status);
        this.changed.emit('change');
    }

    /** Resolves with find() as soon as that returns something, after any change. */
    waitFor(find, what = 'event', waitMs = WAIT_MS) {
        return new Promise((resolve, reject) => {
            const check = () => {
                const found = find();
                if (found === undefined || found === null || found === false) return;
                clearTimeout(timer);
                this.changed.off('change', check);
                resolve(found);
            };
            const timer = setTimeout(() => {
                this.changed.off('change', check);
                reject(new Error(`Baileys peer waited in vain for ${what}; its connection: ${this.told()}`));
            }, waitMs);
            this.changed.on('change', check);
            check();
        });
    }

    /** The last that Baileys said of its connection, for whoever has to find out why nothing came. */
    told() {
        return this.updates.slice(-4).map(({ connection, isOnline, qr, lastDisconnect }) => [connection, isOnline && 'online', qr && 'QR', lastDisconnect?.error]
            .filter(Boolean).join(' ')).join(', ') || 'nothing';
    }

    /** Links this client to an account of the simulator by QR and waits until it is open. */
    async pair(phone) {
        this.start();
        const { qr } = await this.waitFor(() => this.updates.find(u => u.qr), 'QR text');
        const linked = await control(this.options.controlUrl, 'POST', `/accounts/${phone}/scan`, { qr, strict: false });
        if (!linked.linked) throw new Error(`not linked: ${JSON.stringify(linked)}`);
        return this.waitOpen();
    }

    /** Links by pairing code. */
    async pairByCode(phone, code = '12345678') {
        this.start();
        await this.waitFor(() => this.updates.find(u => u.qr), 'refs');
        await this.socket.requestPairingCode(phone, code);
        const linked = await control(this.options.controlUrl, 'POST', `/accounts/${phone}/code`, { code, strict: false });
        if (!linked.linked) throw new Error(`not linked: ${JSON.stringify(linked)}`);
        return this.waitOpen();
    }

    /** Waits until the connection is open (again). */
    waitOpen(times = 1) {
        return this.waitFor(() => this.opened >= times, 'open connection');
    }

    /** Restarts the socket with what was stored, as after a restart of the process. */
    async restart() {
        const times = this.opened + 1;
        this.start();
        await this.waitOpen(times);
    }

    /** Sends a text; resolves with the message id. */
    async sendText(to, text) {
        return this.send(to, { text });
    }

    /** Sends any Baileys content; resolves with the message id. */
    async send(to, content, options) {
        const sent = await this.socket.sendMessage(to, content, options);
        this.sent.set(sent.key.id, sent.message);
        return sent.key.id;
    }

    /** Waits for a message with this text (or that fits a function). */
    waitMessage(wanted, waitMs) {
        const fits = typeof wanted === 'function' ? wanted : m => textOf(m) === wanted;
        return this.waitFor(() => this.messages.find(fits), `message ${wanted}`, waitMs);
    }

    /** Waits until a message of ours has at least this status (3 delivered, 4 read). */
    waitReceipt(id, status = 3, waitMs) {
        return this.waitFor(() => this.statuses.get(id) >= status && this.statuses.get(id), `receipt of ${id}`, waitMs);
    }

    /** Ends the socket; credentials stay. */
    stop() {
        const { socket } = this;
        this.socket = null;
        socket?.ev.removeAllListeners();
        socket?.end(undefined);
    }
}
