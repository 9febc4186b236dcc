// SPDX-License-Identifier: GPL-3.0-or-later
// Message contents: protobuf from and to JSON, padding, the stanza attributes that go with a content.
import crypto from 'node:crypto';
import { proto } from 'baileys/WAProto/index.js';

/** Message bytes from a control request: {text} or {message: JSON} or {base64}. Throws a TypeError otherwise. */
export function messageBytes(body) {
    if (typeof body.base64 === 'string') return Buffer.from(body.base64, 'base64');
    if (body.message && typeof body.message === 'object') {
        return Buffer.from(proto.Message.encode(proto.Message.fromObject(body.message)).finish());
    }
    if (typeof body.text === 'string') return Buffer.from(proto.Message.encode({ conversation: body.text }).finish());
    throw new TypeError('needs "text", "message" or "base64"');
}

function varint(value) {
    const out = [];
    for (let v = value; ; v = Math.floor(v / 128)) {
        if (v < 128) return Buffer.from([...out, v]);
        out.push((v % 128) | 0x80);
    }
}

function lengthField(number, bytes) {
    return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** The form of a message for the sender's own other devices. Works on bytes: the message may be one that nobody should decode. */
export function deviceSentBytes(chat, bytes) {
    const inner = Buffer.concat([lengthField(1, Buffer.from(chat)), lengthField(2, bytes)]);
    return lengthField(31, inner);
}

/** Stanza attributes of message bytes; those of a text when they cannot be decoded. */
export function attributesOfBytes(bytes) {
    try {
        return stanzaAttributes(proto.Message.decode(bytes));
    } catch {
        return { type: 'text' };
    }
}

/** JSON of a decoded message: bytes as base64, 64-bit numbers as text, enums by name. */
export function messageJson(message) {
    return proto.Message.toObject(message, { bytes: String, longs: String, enums: String });
}

/** The text of a message, or null. */
export function textOfMessage(message) {
    return message.conversation || message.extendedTextMessage?.text || null;
}

/** Appends 1 to 16 bytes, each the count. */
export function pad(plain) {
    const count = 1 + crypto.randomInt(16);
    return Buffer.concat([plain, Buffer.alloc(count, count)]);
}

/** Removes the padding; throws unless all padding bytes are right. */
export function unpad(padded) {
    const count = padded[padded.length - 1];
    if (!count || count > 16 || count > padded.length) throw new Error(`padding of ${count} bytes`);
    for (let i = padded.length - count; i < padded.length; i++) {
        if (padded[i] !== count) throw new Error('padding bytes differ');
    }
    return padded.subarray(0, padded.length - count);
}

const MEDIA = {
    imageMessage: 'image', videoMessage: 'video', audioMessage: 'audio', documentMessage: 'document', stickerMessage: 'sticker',
    locationMessage: 'location', liveLocationMessage: 'livelocation', contactMessage: 'vcard', contactsArrayMessage: 'contact_array',
    groupInviteMessage: 'url', ptvMessage: 'ptv'
};

/** Stanza attributes for a decoded message: {type, mediatype, edit}. */
export function stanzaAttributes(message) {
    const kind = Object.keys(MEDIA).find(k => message[k]);
    if (kind) return { type: 'media', mediatype: message.audioMessage?.ptt ? 'ptt' : MEDIA[kind] };
    if (message.reactionMessage || message.encReactionMessage) return { type: 'reaction' };
    if (message.pollCreationMessage || message.pollCreationMessageV3 || message.pollUpdateMessage) return { type: 'poll' };
    const protocol = message.protocolMessage;
    if (protocol?.type === proto.Message.ProtocolMessage.Type.MESSAGE_EDIT || message.editedMessage) return { type: 'text', edit: '1' };
    if (protocol && (protocol.type ?? 0) === proto.Message.ProtocolMessage.Type.REVOKE && protocol.key?.id) return { type: 'text', edit: '7' };
    return { type: 'text' };
}

/** A message id as phones make them. */
export function newMessageId() {
    return `3A${crypto.randomBytes(9).toString('hex').toUpperCase()}`;
}
