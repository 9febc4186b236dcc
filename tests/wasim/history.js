// SPDX-License-Identifier: GPL-3.0-or-later
// What a phone sends to a newly linked companion: an app-state key, and its history in inline chunks.
import { deflateSync } from 'node:zlib';
import { proto } from 'baileys/WAProto/index.js';

const Type = proto.Message.ProtocolMessage.Type;
const SyncType = proto.Message.HistorySyncType ?? proto.HistorySync.HistorySyncType;

function encode(message) {
    return Buffer.from(proto.Message.encode(message).finish());
}

function notification(syncType, history, chunkOrder, progress) {
    const payload = deflateSync(Buffer.from(proto.HistorySync.encode({ syncType, chunkOrder, progress, ...history }).finish()));
    return encode({
        protocolMessage: {
            type: Type.HISTORY_SYNC_NOTIFICATION,
            historySyncNotification: { syncType, chunkOrder, progress, initialHistBootstrapInlinePayload: payload }
        }
    });
}

function conversation(sim, account, other, texts) {
    const now = sim.now();
    return {
        id: other.jid('lid'), pnJid: other.jid('pn'), lidJid: other.jid('lid'), name: other.pushName, unreadCount: 0,
        conversationTimestamp: now, endOfHistoryTransfer: true,
        messages: texts.map((text, i) => ({
            message: {
                key: { remoteJid: other.jid('lid'), fromMe: i % 2 === 1, id: `HIST${account.phone}${other.phone}${i}` },
                message: { conversation: text }, messageTimestamp: now - 60 * (texts.length - i), status: 4
            },
            msgOrderId: i
        }))
    };
}

/**
 * Sends key share, bootstrap, push names and recent history to a companion. options.chats: [{with: phone, texts: [...]}].
 * Resolves with the ids of the peer messages.
 */
export async function sendHistory(sim, account, device, { chats = [], key_share: share = true } = {}) {
    const others = chats.map(c => ({ account: sim.directory.find(c.with), texts: c.texts || [] })).filter(c => c.account);
    const conversations = others.map(c => conversation(sim, account, c.account, c.texts));
    const mappings = others.map(c => ({ pnJid: c.account.jid('pn'), lidJid: c.account.jid('lid') }));
    const parts = [
        notification(SyncType.INITIAL_BOOTSTRAP, { conversations, phoneNumberToLidMappings: mappings }, 1, 100),
        notification(SyncType.PUSH_NAME, { pushnames: others.map(c => ({ id: c.account.jid('pn'), pushname: c.account.pushName })) }, 1, 100),
        notification(SyncType.RECENT, { conversations: [] }, 1, 100)
    ];
    if (share) parts.unshift(sim.appState.keyShare(account));
    const ids = [];
    for (const bytes of parts) ids.push((await account.phoneDevice.simulated.outbox.sendPeer(device, bytes)).id);
    return ids;
}
