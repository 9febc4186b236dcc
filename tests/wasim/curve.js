// SPDX-License-Identifier: GPL-3.0-or-later
// X25519 and XEdDSA. Verification goes through node's Ed25519 (Baileys ignores the result of its own), signing through libsignal.
import crypto from 'node:crypto';
import libsignal from 'libsignal';

const X25519_PRIVATE_DER = Buffer.from('302e020100300506032b656e04220420', 'hex');
const X25519_PUBLIC_DER = Buffer.from('302a300506032b656e032100', 'hex');
const ED25519_PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');
const P = (1n << 255n) - 19n;

/** Key objects by their raw bytes' buffer: parsing a private key costs as much as using it. */
const parsedKeys = new WeakMap();

function privateObject(bytes) {
    let object = parsedKeys.get(bytes);
    if (!object) {
        object = crypto.createPrivateKey({ key: Buffer.concat([X25519_PRIVATE_DER, bytes]), format: 'der', type: 'pkcs8' });
        parsedKeys.set(bytes, object);
    }
    return object;
}

/** New key pair: {public: 32 bytes, private: 32 bytes}. */
export function newKeyPair() {
    const { publicKey, privateKey } = crypto.generateKeyPairSync('x25519');
    const pair = {
        public: Buffer.from(publicKey.export({ format: 'der', type: 'spki' }).subarray(12, 44)),
        private: Buffer.from(privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(16, 48))
    };
    parsedKeys.set(pair.private, privateKey);
    return pair;
}

/** X25519 of a raw private and a raw public key. */
export function dh(privateKey, publicKey) {
    return crypto.diffieHellman({
        privateKey: privateObject(privateKey),
        publicKey: crypto.createPublicKey({
            key: Buffer.concat([X25519_PUBLIC_DER, publicKey]), format: 'der', type: 'spki'
        })
    });
}

/** XEdDSA signature (64 bytes) by a raw X25519 private key. */
export function sign(privateKey, message) {
    return Buffer.from(libsignal.curve.calculateSignature(privateKey, message));
}

function modPow(base, exponent) {
    let result = 1n;
    let b = base % P;
    for (let e = exponent; e > 0n; e >>= 1n) {
        if (e & 1n) result = (result * b) % P;
        b = (b * b) % P;
    }
    return result;
}

function edwardsKey(montgomery, signBit) {
    let u = 0n;
    for (let i = 31; i >= 0; i--) u = (u << 8n) | BigInt(i === 31 ? montgomery[i] & 0x7f : montgomery[i]);
    const denominator = (u + 1n) % P;
    if (denominator === 0n) return null;
    let y = ((u - 1n + P) * modPow(denominator, P - 2n)) % P;
    const out = Buffer.alloc(32);
    for (let i = 0; i < 32; i++, y >>= 8n) out[i] = Number(y & 0xffn);
    out[31] |= signBit;
    return out;
}

/** True if signature is a valid XEdDSA signature of the message by the raw X25519 public key. */
export function verify(publicKey, message, signature) {
    if (publicKey?.length !== 32 || signature?.length !== 64) return false;
    const key = edwardsKey(publicKey, signature[63] & 0x80);
    if (!key) return false;
    const edSignature = Buffer.from(signature);
    edSignature[63] &= 0x7f;
    try {
        return crypto.verify(null, message, crypto.createPublicKey({
            key: Buffer.concat([ED25519_PUBLIC_DER, key]), format: 'der', type: 'spki'
        }), edSignature);
    } catch {
        return false;
    }
}

const DJB_TYPE = Buffer.from([5]);

/** The 33-byte form with the type byte 05. */
export function djb(publicKey) {
    return publicKey.length === 33 ? publicKey : Buffer.concat([DJB_TYPE, publicKey]);
}

/** HKDF-SHA256 as a Buffer. */
export function hkdf(ikm, salt, info, length) {
    return Buffer.from(crypto.hkdfSync('sha256', ikm, salt, info, length));
}

export function sha256(...parts) {
    const hash = crypto.createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest();
}

export function hmacSha256(key, ...parts) {
    const mac = crypto.createHmac('sha256', key);
    for (const part of parts) mac.update(part);
    return mac.digest();
}
