// SPDX-License-Identifier: GPL-3.0-or-later
// Reporting tokens: recomputed from the decrypted message, because no client checks those of others.
import { hkdf, hmacSha256 } from './curve.js';
import { bytesOf, child } from './nodes.js';

const TOKEN_LENGTH = 16;
const EMPTY = Buffer.alloc(0);
const WHOLE = null;
const MESSAGE = 'message';

/** {field: sub-fields}; WHOLE keeps a field as it is, MESSAGE recurses into a wrapped message. */
function fields(...numbers) {
    return Object.fromEntries(numbers.map(n => (typeof n === 'number' ? [n, WHOLE] : n)));
}

const CONTEXT = [17, fields(21, 22)];
const WRAPPER = fields([1, MESSAGE]);
const BUTTON_LIKE = fields(2, [3, fields(1, 2)], [5, fields(21, 22)], [8, fields(1, 2)]);

const TOP = {
    ...fields(1, [3, fields(2, 3, 8, 11, CONTEXT, 25)], [4, fields(1, 16, CONTEXT)], [5, fields(3, 4, 5, 16, CONTEXT)],
        [6, fields(1, CONTEXT, 30)], [7, fields(2, 7, 10, CONTEXT, 20)], [8, fields(2, 7, 8, 9, CONTEXT, 21)],
        [9, fields(2, 6, 7, 13, CONTEXT, 20)], [12, fields(1, 2, [14, MESSAGE], 15)], [18, fields(6, 16, CONTEXT)],
        [26, fields(4, 5, 8, 13, CONTEXT)], [28, fields(1, 2, 4, 5, 6, [7, fields(21, 22)])],
        [66, fields(2, 6, 7, 13, CONTEXT, 20)], [88, fields(1, [2, fields(1)], [3, fields(21, 22)])]),
    ...Object.fromEntries([37, 53, 55, 58, 59, 74, 87, 92, 93, 94].map(n => [n, WRAPPER])),
    ...Object.fromEntries([49, 60, 64].map(n => [n, BUTTON_LIKE]))
};

function readVarint(bytes, at) {
    let value = 0;
    let scale = 1;
    for (let i = at; i < bytes.length && i < at + 10; i++, scale *= 128) {
        value += (bytes[i] & 0x7f) * scale;
        if (bytes[i] < 0x80) return { value, next: i + 1 };
    }
    throw new Error('bad varint');
}

function writeVarint(value) {
    const out = [];
    for (let v = value; ; v = Math.floor(v / 128)) {
        if (v < 128) return Buffer.from([...out, v]);
        out.push((v % 128) | 0x80);
    }
}

/** Splits a serialized message; [{number, raw, body}], body only of length-delimited fields. */
function split(bytes) {
    const out = [];
    for (let at = 0; at < bytes.length;) {
        const tag = readVarint(bytes, at);
        const wire = tag.value % 8;
        let end;
        let body = null;
        if (wire === 0) end = readVarint(bytes, tag.next).next;
        else if (wire === 1) end = tag.next + 8;
        else if (wire === 5) end = tag.next + 4;
        else if (wire === 2) {
            const length = readVarint(bytes, tag.next);
            end = length.next + length.value;
            body = bytes.subarray(length.next, end);
        } else throw new Error(`wire type ${wire}`);
        if (end > bytes.length) throw new Error('field runs over the end');
        out.push({ number: Math.floor(tag.value / 8), key: bytes.subarray(at, tag.next), raw: bytes.subarray(at, end), body });
        at = end;
    }
    return out;
}

/** The content a token is made over. intoWrappers: whether wrapped messages are looked into (implementations differ). */
export function reportingContent(bytes, intoWrappers, wanted = TOP) {
    const kept = [];
    for (const field of split(bytes)) {
        if (!(field.number in wanted)) continue;
        const sub = wanted[field.number];
        if (sub === WHOLE || !field.body) {
            kept.push(field);
            continue;
        }
        const inner = sub === MESSAGE
            ? (intoWrappers ? reportingContent(field.body, true) : EMPTY)
            : reportingContent(field.body, intoWrappers, sub);
        if (inner.length) kept.push({ number: field.number, raw: Buffer.concat([field.key, writeVarint(inner.length), inner]) });
    }
    kept.sort((a, b) => a.number - b.number);
    return Buffer.concat(kept.map(f => f.raw));
}

/** Key of a token. */
export function reportingKey(secret, id, sender, remote) {
    return hkdf(secret, EMPTY, Buffer.from(`${id}${sender}${remote}Report Token`), 32);
}

/**
 * Checks the token of a 1:1 message stanza as a recipient's device got it; a text, or null. plain is the unpadded message,
 * senders and chats are the JIDs that implementations use.
 */
export function reportingFault(stanza, plain, secret, senders, chats) {
    const token = bytesOf(child(child(stanza, 'reporting'), 'reporting_token'));
    if (!token) return null;
    if (token.length !== TOKEN_LENGTH) return `reporting token of ${token.length} bytes`;
    if (secret?.length !== 32) return 'reporting token without a message secret';
    for (const intoWrappers of [true, false]) {
        const content = reportingContent(plain, intoWrappers);
        for (const sender of [...senders, ...chats]) {
            for (const chat of chats) {
                const mac = hmacSha256(reportingKey(secret, stanza.attrs.id, sender, chat), content);
                if (mac.subarray(0, TOKEN_LENGTH).equals(token)) return null;
            }
        }
    }
    return 'reporting token does not verify';
}
