// SPDX-License-Identifier: GPL-3.0-or-later
// The responder's side of Noise XX, and the transport cipher that follows it.
import crypto from 'node:crypto';
import { dh, hkdf, newKeyPair, sha256 } from './curve.js';

const XX_NAME = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0', 'latin1');
export const PROLOGUE = Buffer.from('57410603', 'hex');
const EMPTY = Buffer.alloc(0);

function iv(counter) {
    const out = Buffer.alloc(12);
    out.writeUInt32BE(counter, 8);
    return out;
}

function gcmSeal(key, counter, aad, plain) {
    const cipher = crypto.createCipheriv('aes-256-gcm', key, iv(counter));
    if (aad.length) cipher.setAAD(aad);
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function gcmOpen(key, counter, aad, sealed) {
    if (sealed.length < 16) throw new Error('ciphertext shorter than its tag');
    const decipher = crypto.createDecipheriv('aes-256-gcm', key, iv(counter));
    if (aad.length) decipher.setAAD(aad);
    decipher.setAuthTag(sealed.subarray(sealed.length - 16));
    return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - 16)), decipher.final()]);
}

/** Handshake state of one connection. */
export class NoiseResponder {
    constructor(staticKeyPair) {
        this.staticKey = staticKeyPair;
        this.hash = XX_NAME;
        this.chain = XX_NAME;
        this.key = XX_NAME;
        this.counter = 0;
        this.mixHash(PROLOGUE);
    }

    mixHash(data) {
        this.hash = sha256(this.hash, data);
    }

    mixKey(secret) {
        const out = hkdf(secret, this.chain, EMPTY, 64);
        this.chain = out.subarray(0, 32);
        this.key = out.subarray(32);
        this.counter = 0;
    }

    seal(plain) {
        const sealed = gcmSeal(this.key, this.counter++, this.hash, plain);
        this.mixHash(sealed);
        return sealed;
    }

    open(sealed) {
        const plain = gcmOpen(this.key, this.counter++, this.hash, sealed);
        this.mixHash(sealed);
        return plain;
    }

    /** Takes the client's ephemeral key; returns the three fields of serverHello. */
    answer(clientEphemeral, certificateChain) {
        this.mixHash(clientEphemeral);
        this.ephemeral = newKeyPair();
        this.mixHash(this.ephemeral.public);
        this.mixKey(dh(this.ephemeral.private, clientEphemeral));
        const sealedStatic = this.seal(this.staticKey.public);
        this.mixKey(dh(this.staticKey.private, clientEphemeral));
        return { ephemeral: this.ephemeral.public, static: sealedStatic, payload: this.seal(certificateChain) };
    }

    /** Takes clientFinish; returns {clientStatic, payload, transport}. Throws when a tag does not fit. */
    finish(sealedStatic, sealedPayload) {
        const clientStatic = this.open(sealedStatic);
        if (clientStatic.length !== 32) throw new Error('client static key is not 32 bytes');
        this.mixKey(dh(this.ephemeral.private, clientStatic));
        const payload = this.open(sealedPayload);
        const keys = hkdf(EMPTY, this.chain, EMPTY, 64);
        return { clientStatic, payload, transport: new Transport(keys.subarray(32), keys.subarray(0, 32)) };
    }
}

/** The cipher of an established connection; counters count frames. */
class Transport {
    constructor(writeKey, readKey) {
        this.writeKey = writeKey;
        this.readKey = readKey;
        this.writeCounter = 0;
        this.readCounter = 0;
    }

    seal(plain) {
        return gcmSeal(this.writeKey, this.writeCounter++, EMPTY, plain);
    }

    open(sealed) {
        return gcmOpen(this.readKey, this.readCounter++, EMPTY, sealed);
    }
}
