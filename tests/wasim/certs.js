// SPDX-License-Identifier: GPL-3.0-or-later
// Noise certificate chains, right ones and every kind of wrong one, and the TLS certificate for wss.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { proto } from 'baileys/WAProto/index.js';
import { newKeyPair, sign } from './curve.js';

const DAY = 86400;

/** The faults a chain can be made with; 'none' is a chain that every client must accept. */
export const CHAIN_FAULTS = [
    'none', 'expired', 'not_yet_valid', 'intermediate_expired', 'wrong_root', 'leaf_key_mismatch',
    'serial_mismatch', 'issuer_serial', 'leaf_signature', 'intermediate_signature', 'missing_leaf', 'short_signature'
];

function certificate(details, signerPrivate) {
    const encoded = Buffer.from(proto.CertChain.NoiseCertificate.Details.encode(details).finish());
    return { details: encoded, signature: sign(signerPrivate, encoded) };
}

/** Root and intermediate of one simulator, and the chains made from them. */
export class CertificateAuthority {
    constructor() {
        this.root = newKeyPair();
        this.intermediate = newKeyPair();
        this.leaf = newKeyPair();
        this.cache = new Map();
    }

    /** The encoded CertChain for the simulator's static key with one fault. */
    chain(fault = 'none') {
        if (!CHAIN_FAULTS.includes(fault)) throw new Error(`unknown certificate fault ${fault}`);
        let encoded = this.cache.get(fault);
        if (!encoded) {
            encoded = this.make(fault);
            this.cache.set(fault, encoded);
        }
        return encoded;
    }

    make(fault) {
        const now = Math.floor(Date.now() / 1000);
        const rootKey = fault === 'wrong_root' ? newKeyPair() : this.root;
        const intermediate = certificate({
            serial: 3,
            issuerSerial: fault === 'issuer_serial' ? 7 : 0,
            key: this.intermediate.public,
            notBefore: now - 200 * DAY,
            notAfter: fault === 'intermediate_expired' ? now - DAY : now + 400 * DAY
        }, rootKey.private);
        const leaf = certificate({
            serial: 355,
            issuerSerial: fault === 'serial_mismatch' ? 4 : 3,
            key: fault === 'leaf_key_mismatch' ? newKeyPair().public : this.leaf.public,
            notBefore: fault === 'not_yet_valid' ? now + DAY : now - 30 * DAY,
            notAfter: fault === 'expired' ? now - DAY : now + 100 * DAY
        }, this.intermediate.private);
        if (fault === 'leaf_signature') leaf.signature[10] ^= 1;
        if (fault === 'intermediate_signature') intermediate.signature[10] ^= 1;
        if (fault === 'short_signature') leaf.signature = leaf.signature.subarray(0, 63);
        const chain = fault === 'missing_leaf' ? { intermediate } : { leaf, intermediate };
        return Buffer.from(proto.CertChain.encode(chain).finish());
    }
}

const LEAF_EXTENSIONS = `basicConstraints=CA:FALSE
keyUsage=digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth
subjectAltName=DNS:web.whatsapp.net,DNS:web.whatsapp.com,DNS:mmg.whatsapp.net,DNS:*.whatsapp.net,DNS:localhost,IP:127.0.0.1,IP:::1
`;

/** Makes a CA and a server certificate with the openssl command in dir; returns {caFile, key, cert}. */
export function makeTlsFiles(dir) {
    fs.mkdirSync(dir, { recursive: true });
    const file = name => path.join(dir, name);
    const caFile = file('ca.pem');
    if (!fs.existsSync(caFile) || !fs.existsSync(file('server.pem'))) {
        const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
        const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
        openssl('req', '-x509', ...ec, '-keyout', file('ca.key'), '-out', caFile, '-days', '30',
            '-subj', '/CN=wasim test CA', '-addext', 'keyUsage=keyCertSign,cRLSign');
        openssl('req', ...ec, '-keyout', file('server.key'), '-out', file('server.csr'), '-subj', '/CN=web.whatsapp.net');
        fs.writeFileSync(file('server.ext'), LEAF_EXTENSIONS);
        openssl('x509', '-req', '-in', file('server.csr'), '-CA', caFile, '-CAkey', file('ca.key'),
            '-set_serial', `0x${crypto.randomBytes(8).toString('hex')}`, '-days', '30',
            '-extfile', file('server.ext'), '-out', file('server.pem'));
    }
    return { caFile, key: fs.readFileSync(file('server.key')), cert: fs.readFileSync(file('server.pem')) };
}
