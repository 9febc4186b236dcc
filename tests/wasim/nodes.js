// SPDX-License-Identifier: GPL-3.0-or-later
// Binary nodes: building, searching, and their JSON form for the control API.
import { inflateSync } from 'node:zlib';
import { encodeBinaryNode, decodeDecompressedBinaryNode } from 'baileys/lib/WABinary/index.js';
import * as constants from 'baileys/lib/WABinary/constants.js';

const MAX_INFLATED = 32 * 1024 * 1024;

/** Builds a node; attributes that are undefined or null are left out. */
export function node(tag, attrs = {}, content) {
    const clean = {};
    for (const key of Object.keys(attrs)) {
        const value = attrs[key];
        if (value !== undefined && value !== null) clean[key] = String(value);
    }
    return content === undefined ? { tag, attrs: clean } : { tag, attrs: clean, content };
}

/** Child nodes of a node, an empty list when the content is bytes, text or missing. */
export function children(parent, tag) {
    const list = Array.isArray(parent?.content) ? parent.content : [];
    return tag === undefined ? list : list.filter(c => c.tag === tag);
}

/** First child with that tag, or undefined. */
export function child(parent, tag) {
    return Array.isArray(parent?.content) ? parent.content.find(c => c.tag === tag) : undefined;
}

/** The content as bytes: binary content as it is, text as UTF-8, otherwise null. */
export function bytesOf(n) {
    if (!n) return null;
    if (Buffer.isBuffer(n.content)) return n.content;
    if (n.content instanceof Uint8Array) return Buffer.from(n.content);
    return typeof n.content === 'string' ? Buffer.from(n.content, 'utf8') : null;
}

/** The content as text, or null. */
export function textOf(n) {
    const bytes = bytesOf(n);
    return bytes ? bytes.toString('utf8') : null;
}

/** Big-endian unsigned integer of a node's content, -1 when missing. */
export function uintOf(n) {
    const bytes = bytesOf(n);
    return bytes && bytes.length > 0 && bytes.length <= 6 ? bytes.readUIntBE(0, bytes.length) : -1;
}

/** Big-endian integer of a fixed width. */
export function beBytes(value, width) {
    const out = Buffer.alloc(width);
    out.writeUIntBE(value, 0, width);
    return out;
}

/** Encodes a node with its leading flag byte 0. */
export function encodeNode(n) {
    return encodeBinaryNode(n);
}

/** Decodes the plaintext of a transport frame; throws on anything that is not exactly one node. */
export function decodeFrame(plain) {
    if (plain.length < 2) throw new Error('frame too short for a node');
    const flags = plain[0];
    if (flags & ~2) throw new Error(`unknown frame flags ${flags}`);
    const body = flags & 2
        ? inflateSync(plain.subarray(1), { maxOutputLength: MAX_INFLATED })
        : plain.subarray(1);
    const cursor = { index: 0 };
    const decoded = decodeDecompressedBinaryNode(body, constants, cursor);
    if (cursor.index !== body.length) {
        throw new Error(`${body.length - cursor.index} bytes left after the node`);
    }
    return decoded;
}

/** JSON form: {tag, attrs, content}, bytes as {"base64": "..."}. */
export function nodeToJson(n) {
    const out = { tag: n.tag, attrs: n.attrs };
    if (Array.isArray(n.content)) out.content = n.content.map(nodeToJson);
    else if (typeof n.content === 'string') out.content = n.content;
    else if (n.content) out.content = { base64: Buffer.from(n.content).toString('base64') };
    return out;
}

/** The reverse of nodeToJson; throws a TypeError for anything else. */
export function nodeFromJson(json) {
    if (!json || typeof json.tag !== 'string') throw new TypeError('node needs a tag');
    const content = json.content;
    if (content === undefined || content === null) return node(json.tag, json.attrs || {});
    if (Array.isArray(content)) return node(json.tag, json.attrs || {}, content.map(nodeFromJson));
    if (typeof content === 'string') return node(json.tag, json.attrs || {}, content);
    if (typeof content.base64 === 'string') {
        return node(json.tag, json.attrs || {}, Buffer.from(content.base64, 'base64'));
    }
    throw new TypeError('node content must be a list, a text or {"base64"}');
}
