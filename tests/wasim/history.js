// SPDX-License-Identifier: GPL-3.0-or-later
// What a phone tells its companions of the past: keys and history when they are linked, more history later, and older messages of one
// chat on demand. Inlined in the notice, or encrypted on the media servers; whole, or damaged on demand.
import crypto from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { proto } from 'baileys/WAProto/index.js';

const Type = proto.Message.ProtocolMessage.Type;
const SyncType = proto.Message.HistorySyncType ?? proto.HistorySync.HistorySyncType;
const BOMB_BYTES = 100 << 20;

/** How an upload can be damaged. */
export const HISTORY_FAULTS = {
    truncated: 'the compressed stream ends in its middle',
    garbage: 'no zlib stream at all',
    bomb: `${BOMB_BYTES >> 20} MB of zeros`,
    fields: 'fields that are none',
    nested: 'a message nested a thousand times, beside good ones',
    hash: 'the notice names another hash than the file has',
    lost: 'the file is not on the media servers any more',
    path: 'the notice names no path that could be'
};

function encode(message) {
    return Buffer.from(proto.Message.encode(message).finish());
}

function encodeNotice(notice) {
    return encode({ protocolMessage: { type: Type.HISTORY_SYNC_NOTIFICATION, historySyncNotification: notice } });
}

/** A blob as the media servers hold it, and what the notice says of it. */
function encrypted(plain) {
    const mediaKey = crypto.randomBytes(32);
    const keys = Buffer.from(crypto.hkdfSync('sha256', mediaKey, '', 'WhatsApp History Keys', 112));
    const cipher = crypto.createCipheriv('aes-256-cbc', keys.subarray(16, 48), keys.subarray(0, 16));
    const body = Buffer.concat([cipher.update(plain), cipher.final()]);
    const mac = crypto.createHmac('sha256', keys.subarray(48, 80)).update(keys.subarray(0, 16)).update(body).digest().subarray(0, 10);
    const blob = Buffer.concat([body, mac]);
    const sha256 = bytes => crypto.createHash('sha256').update(bytes).digest();
    return { blob, notice: { mediaKey, fileSha256: sha256(plain), fileEncSha256: sha256(blob), fileLength: plain.length } };
}

function nestedMessage(depth) {
    let bytes = Buffer.from([0x0a, 1, 0x78]);
    const length = n => { const out = []; for (; n >= 128; n >>>= 7) out.push(n & 127 | 128); return Buffer.from([...out, n]); };
    for (let i = 0; i < depth; i++) {
        const inner = Buffer.concat([Buffer.from([0x0a]), length(bytes.length), bytes]);
        bytes = Buffer.concat([Buffer.from([0xc2, 0x02]), length(inner.length), inner]);
    }
    return bytes;
}

function damaged(packed, fault) {
    switch (fault) {
        case 'truncated': return packed.subarray(0, packed.length >> 1);
        case 'garbage': return crypto.randomBytes(500);
        case 'bomb': return deflateSync(Buffer.concat([Buffer.from([0x22, 0x80, 0x80, 0x80, 0x40]), Buffer.alloc(BOMB_BYTES)]), { level: 9 });
        case 'fields': return deflateSync(Buffer.from([0x12, 0x7f, 0x0f, 0xff, 0x07]));
        default: return packed;
    }
}

/** Everything that one phone knows of its chats: message texts by chat, oldest first; uploaded and on demand. */
class Archive {
    constructor(sim, account) {
        this.sim = sim;
        this.account = account;
        this.chats = new Map();
        this.made = 0;
    }

    /** chat: {with: phone} or {group: jid}; texts are the newest so far. from: who speaks in a group. */
    add({ with: phone, group, texts = [], names = {}, ...flags }) {
        const other = phone ? this.sim.directory.find(phone) : null;
        const inGroup = group ? this.sim.groups.find(group) : null;
        if (!other && !inGroup) return null;
        const id = other ? other.jid('lid') : inGroup.jid;
        const chat = this.chats.get(id) ?? { id, other, group: inGroup, messages: [], flags: {} };
        this.chats.set(id, chat);
        Object.assign(chat.flags, flags);
        const others = inGroup ? [...inGroup.members.keys()].filter(a => a !== this.account) : [];
        for (const one of texts) {
            const { text, message, stub, ...more } = typeof one === 'string' ? { text: one } : one;
            const n = this.made++;
            const fromMe = n % 2 === 1;
            const author = others.length ? others[n % others.length] : null;
            chat.messages.push({
                key: {
                    remoteJid: id, fromMe, id: `HIST${this.account.phone}N${String(n).padStart(7, '0')}`,
                    participant: author && !fromMe ? author.jid('lid') : undefined
                },
                participant: author && !fromMe ? author.jid('lid') : undefined,
                message: message ? proto.Message.fromObject(message) : text === undefined ? undefined : { conversation: text }, messageStubType: stub,
                messageTimestamp: this.sim.now() - 86400 + n, status: fromMe ? 3 : 4, pushName: fromMe ? undefined : (author ?? other)?.pushName, ...more
            });
        }
        return chat;
    }

    conversation(chat, messages, last = true) {
        const now = messages.length ? messages[messages.length - 1].messageTimestamp : this.sim.now();
        return {
            id: chat.id, name: chat.other ? chat.other.pushName : chat.group.subject, unreadCount: 0, conversationTimestamp: now, endOfHistoryTransfer: last,
            ...(chat.other ? { pnJid: chat.other.jid('pn'), lidJid: chat.other.jid('lid') } : {}), ...chat.flags,
            messages: messages.map((message, i) => ({ message, msgOrderId: i }))
        };
    }

    mappings() {
        return [...this.chats.values()].filter(c => c.other).map(c => ({ pnJid: c.other.jid('pn'), lidJid: c.other.jid('lid') }));
    }

    names() {
        return [...this.chats.values()].filter(c => c.other).map(c => ({ id: c.other.jid('pn'), pushname: c.other.pushName }));
    }
}

export function archiveOf(sim, account) {
    account.archive ??= new Archive(sim, account);
    return account.archive;
}

/** The notice of one history, its bytes inlined or laid on the media servers. */
function notice(sim, syncType, history, { chunk = 1, progress = 100, external = false, fault = null, requestId } = {}) {
    const plain = Buffer.from(proto.HistorySync.encode({ syncType, chunkOrder: chunk, progress, ...history }).finish());
    const packed = damaged(deflateSync(plain), fault);
    const head = { syncType, chunkOrder: chunk, progress, peerDataRequestSessionId: requestId };
    if (!external) return encodeNotice({ ...head, initialHistBootstrapInlinePayload: packed });
    const { blob, notice: file } = encrypted(packed);
    const directPath = sim.media.put(blob, 'md-msg-hist');
    if (fault === 'lost') sim.media.lose({ direct_path: directPath });
    if (fault === 'hash') file.fileEncSha256 = crypto.randomBytes(32);
    return encodeNotice({ ...head, ...file, directPath: fault === 'path' ? 'https://elsewhere.example/x' : directPath });
}

/** Sends a notice and remembers that a receipt of kind hist_sync is owed for it. */
async function deliver(account, device, bytes) {
    const { id } = await account.phoneDevice.simulated.outbox.sendPeer(device, bytes);
    (device.histories ??= new Map()).set(id, 'sent');
    return id;
}

/** Slices of at most `size` messages, over all chats. */
function slices(archive, chats, size) {
    const out = [];
    let present = [], room = size;
    for (const chat of chats) {
        for (let at = 0; at === 0 || at < chat.messages.length;) {
            const part = chat.messages.slice(at, at + room);
            at += Math.max(part.length, 1);
            room -= part.length;
            present.push(archive.conversation(chat, part, at >= chat.messages.length));
            if (room > 0) continue;
            out.push(present);
            [present, room] = [[], size];
        }
    }
    return present.length ? [...out, present] : out;
}

/**
 * Sends key share, bootstrap, push names and history to a companion. chats: [{with: phone | group: jid, texts: [text | WebMessageInfo
 * parts], ...fields of Conversation}]. type: RECENT (default), FULL, INITIAL_BOOTSTRAP, ...; chunk_messages: so many in one notice;
 * newest: only so many of each chat; external: on the media servers; fault: one of HISTORY_FAULTS, of the last notice; past: {group, phones}; only: no bootstrap, no names.
 * Several companions get the very same bytes. Resolves with the ids of the peer messages, of each companion.
 */
export async function sendHistory(sim, account, companions, options = {}) {
    const { chats = [], key_share: share = true, type = 'INITIAL_BOOTSTRAP', chunk_messages: size = Infinity, external = false, fault = null, only = false, newest = Infinity } = options;
    if (fault && !(fault in HISTORY_FAULTS)) throw new TypeError(`fault is one of ${Object.keys(HISTORY_FAULTS).join(', ')}`);
    const archive = archiveOf(sim, account);
    const named = chats.map(c => archive.add(c)).filter(Boolean);
    if (fault === 'nested' && named[0]) {
        named[0].messages.push({ key: { remoteJid: named[0].id, id: 'HISTNESTED' }, message: proto.Message.decode(nestedMessage(60)), messageTimestamp: sim.now() });
    }
    const parts = slices(archive, named.map(c => ({ ...c, messages: c.messages.slice(-newest) })), size);
    const past = options.past && { groupJid: options.past.group, pastParticipants: options.past.phones.map(p => ({ userJid: sim.directory.find(p).jid('lid'), leaveReason: 0, leaveTs: sim.now() })) };
    const bytes = parts.map((conversations, i) => notice(sim, SyncType[type], {
        conversations, phoneNumberToLidMappings: archive.mappings(), pastParticipants: past ? [past] : []
    }, { chunk: i + 1, progress: Math.floor(100 * (i + 1) / parts.length), external, fault: i + 1 === parts.length ? fault : null }));
    if (!only) {
        bytes.push(notice(sim, SyncType.PUSH_NAME, { pushnames: archive.names() }));
        if (type !== 'RECENT') bytes.push(notice(sim, SyncType.RECENT, { conversations: [] }));
    }
    const told = [];
    for (const device of companions) {
        const ids = [];
        if (share && !only) await account.phoneDevice.simulated.outbox.sendPeer(device, sim.appState.keyShare(account));
        for (const one of bytes) ids.push(await deliver(account, device, one));
        told.push(ids);
    }
    return told;
}

/** Notices of made-up history: `count` messages in chats with `peers` people who need no account, `chunk` messages a notice. */
function bulkNotices(sim, { count, peers = 1000, chunk = 100000, words = 12 }) {
    const notices = [];
    const text = n => { let t = `message ${n}`; for (let i = 0; i < words; i++) t += ` ${(n * 7919 + i * 104729) % 9973}`; return t; };
    for (let first = 0; first < count; first += chunk) {
        const last = Math.min(first + chunk, count);
        const chats = new Map();
        for (let n = first; n < last; n++) {
            const peer = n % peers;
            const id = `${700000000000000 + peer}@lid`;
            if (!chats.has(id)) chats.set(id, { id, pnJid: `${62800000000 + peer}@s.whatsapp.net`, lidJid: id, name: `Peer ${peer}`, messages: [] });
            chats.get(id).messages.push({ message: {
                key: { remoteJid: id, fromMe: n % 3 === 0, id: `BULK${String(n).padStart(16, '0')}` },
                message: { conversation: text(n) }, messageTimestamp: sim.now() - count + n, status: 4
            }, msgOrderId: n });
        }
        notices.push(notice(sim, SyncType.FULL, { conversations: [...chats.values()] },
            { chunk: first / chunk + 1, progress: Math.floor(100 * last / count), external: true }));
    }
    return notices;
}

/**
 * Uploads made-up history in bulk (see bulkNotices()); nothing of it is kept. prepare: made and laid on the media servers, but not told of until
 * a call with `prepared`, so that what is measured is not the simulator. Resolves with the ids.
 */
export async function sendBulkHistory(sim, account, device, options) {
    const notices = options.prepared ? account.preparedHistory ?? [] : bulkNotices(sim, options);
    account.preparedHistory = options.prepare ? notices : null;
    const ids = [];
    if (options.prepare) return ids;
    for (const one of notices) ids.push(await deliver(account, device, one));
    return ids;
}

/** The phone's answer to a question for older messages of a chat. Bytes, or null: it says nothing. */
export function answerOnDemand(sim, account, stanza, request) {
    const archive = archiveOf(sim, account);
    const chat = archive.chats.get(request.chatJid) ?? [...archive.chats.values()].find(c => c.other?.jid('pn') === request.chatJid);
    const how = account.onDemand ?? {};
    if (!chat || how.silent) return null;
    const at = chat.messages.findIndex(m => m.key.id === request.oldestMsgId);
    const older = chat.messages.slice(0, at < 0 ? chat.messages.length : at);
    const page = older.slice(-request.onDemandMsgCount);
    const conversation = { ...archive.conversation(chat, page), endOfHistoryTransferType: page.length === older.length ? 1 : 0 };
    return notice(sim, SyncType.ON_DEMAND, { conversations: [conversation], phoneNumberToLidMappings: archive.mappings() },
        { requestId: how.unnamed ? undefined : stanza.attrs.id, fault: how.fault ?? null, external: !!how.external });
}

export { deliver as deliverHistory };
