// SPDX-License-Identifier: GPL-3.0-or-later
// What a phone answers when one of its own clients asks for something by peer message.
import { proto } from 'baileys/WAProto/index.js';
import { answerOnDemand, deliverHistory } from './history.js';

const Type = proto.Message.ProtocolMessage.Type;
const Operation = proto.Message.PeerDataOperationRequestType;

function webMessage(phone, request) {
    const key = request.messageKey;
    const record = [...phone.byMessage.values()].find(r => r.id === key?.id && r.base64);
    if (!record) return null;
    return Buffer.from(proto.WebMessageInfo.encode({
        key, message: proto.Message.decode(Buffer.from(record.base64, 'base64')), messageTimestamp: record.t, pushName: record.push_name
    }).finish());
}

function placeholderAnswer(phone, stanza, request) {
    const results = request.placeholderMessageResendRequest.map(one => {
        const webMessageInfoBytes = webMessage(phone, one);
        return webMessageInfoBytes ? { placeholderMessageResendResponse: { webMessageInfoBytes } } : {};
    });
    return {
        type: Type.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE,
        peerDataOperationRequestResponseMessage: {
            peerDataOperationRequestType: Operation.PLACEHOLDER_MESSAGE_RESEND, stanzaId: stanza.attrs.id, peerDataOperationResult: results
        }
    };
}

/** What a phone would not understand. */
function onDemandFault(sim, account, stanza, request) {
    if (!request?.chatJid) return 'no chat';
    if (!request.oldestMsgId) return 'no oldest message';
    if (!(request.onDemandMsgCount > 0)) return 'no number of messages';
    const time = Number(request.oldestMsgTimestampMs);
    return time > sim.now() + 3600 || time <= 0 ? `oldest time ${time} is not in seconds of the past` : null;
}

/** Answers a peer request of an own client, if it is one that phones answer. */
export function answerPeerRequest(phone, sender, stanza, message) {
    const protocol = message.protocolMessage;
    if (!protocol) return;
    phone.sim.event('peer_request', { from: sender.name, id: stanza.attrs.id, protocol: protocol.type });
    if (protocol.appStateSyncKeyShare) phone.sim.event('key_share', { from: sender.name, ...phone.sim.appState.compareShare(phone.device.account, protocol.appStateSyncKeyShare) });
    const request = protocol.peerDataOperationRequestMessage;
    let bytes = null;
    if (request?.peerDataOperationRequestType === Operation.PLACEHOLDER_MESSAGE_RESEND) {
        bytes = Buffer.from(proto.Message.encode({ protocolMessage: placeholderAnswer(phone, stanza, request) }).finish());
    } else if (request?.peerDataOperationRequestType === Operation.HISTORY_SYNC_ON_DEMAND) {
        const { account } = phone.device;
        const fault = onDemandFault(phone.sim, account, stanza, request.historySyncOnDemandRequest);
        if (fault) phone.sim.strict.violation(sender, 'history_request', fault, stanza);
        const history = fault ? null : answerOnDemand(phone.sim, account, stanza, request.historySyncOnDemandRequest);
        if (history) deliverHistory(account, sender, history);
    } else if (request?.peerDataOperationRequestType === Operation.COMPANION_SYNCD_SNAPSHOT_FATAL_RECOVERY) {
        bytes = phone.sim.appState.recovery(phone.device.account, request.syncdCollectionFatalRecoveryRequest.collectionName, stanza.attrs.id);
    } else if (protocol.type === Type.APP_STATE_SYNC_KEY_REQUEST) {
        bytes = phone.sim.appState.keyShare(phone.device.account, protocol.appStateSyncKeyRequest.keyIds.map(k => k.keyId));
    }
    if (bytes) phone.outbox.sendPeer(sender, bytes);
}
