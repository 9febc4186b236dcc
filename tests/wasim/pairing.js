// SPDX-License-Identifier: GPL-3.0-or-later
// Linking a client: pair-device refs, the phone that scans the QR code, pair-success, the check of pair-device-sign.
import crypto from 'node:crypto';
import { proto } from 'baileys/WAProto/index.js';
import { bytesOf, child, node } from './nodes.js';
import { hmacSha256, newKeyPair, sign, verify } from './curve.js';
import { SERVER_JID } from './jid.js';
import { Device } from './accounts.js';

const REF_COUNT = 6;
const CLIENT_TYPES = /^[1-9a-f]$/;
const ACCOUNT_PREFIX = Buffer.from([6, 0]);
const DEVICE_PREFIX = Buffer.from([6, 1]);

/** Faults a phone can put into pair-success. */
export const PAIRING_FAULTS = ['none', 'hmac', 'account_signature', 'garbage', 'no_device'];

/** Splits a QR text of either form; {ref, noisePub, identityPub, advSecret, clientType} or throws a TypeError. */
export function parseQr(text) {
    const fields = String(text).slice(String(text).indexOf('#') + 1).split(',');
    if (fields.length !== 4 && fields.length !== 5) throw new TypeError(`QR text has ${fields.length} fields`);
    const [ref, noise, identity, secret, clientType] = fields;
    const key = (name, value) => {
        const bytes = Buffer.from(value, 'base64');
        if (bytes.length !== 32 || bytes.toString('base64') !== value) throw new TypeError(`QR field ${name} is not 32 bytes of padded base64`);
        return bytes;
    };
    if (clientType !== undefined && !CLIENT_TYPES.test(clientType)) throw new TypeError(`QR client type "${clientType}"`);
    return {
        ref, clientType: clientType ?? null, noisePub: key('2 (noise key)', noise),
        identityPub: key('3 (identity key)', identity), advSecret: key('4 (adv secret)', secret),
        urlForm: String(text).startsWith('https://wa.me/settings/linked_devices#')
    };
}

/** Makes the account's part of a device identity; {details, accountSignature}. */
export function issueIdentity(account, keyIndex, identityPub) {
    const details = Buffer.from(proto.ADVDeviceIdentity.encode({
        rawId: account.rawId, timestamp: Math.floor(Date.now() / 1000), keyIndex, accountType: 0, deviceType: 0
    }).finish());
    return { details, accountSignature: sign(account.identity.private, Buffer.concat([ACCOUNT_PREFIX, details, identityPub])) };
}

/** Completes a device identity with the device's signature; adds the encoded form with the account key. */
export function completeIdentity(account, issued, deviceSignature) {
    return {
        ...issued, deviceSignature,
        encoded: Buffer.from(proto.ADVSignedDeviceIdentity.encode({
            details: issued.details, accountSignatureKey: account.identity.public,
            accountSignature: issued.accountSignature, deviceSignature
        }).finish())
    };
}

/** The device's signature over an issued identity. */
export function signDeviceIdentity(privateKey, issued, identityPub, accountKey) {
    return sign(privateKey, Buffer.concat([DEVICE_PREFIX, issued.details, identityPub, accountKey]));
}

/** Checks a received ADVSignedDeviceIdentity against what was issued; a text, or null when all is right. */
export function identityFault(bytes, device, wantAccountKey) {
    let signed;
    try {
        signed = proto.ADVSignedDeviceIdentity.decode(bytes);
    } catch (error) {
        return `device identity is no protobuf: ${error.message}`;
    }
    const accountKey = device.account.identity.public;
    if (!Buffer.from(signed.details || []).equals(device.issued.details)) return 'device identity details differ from the issued ones';
    if (!Buffer.from(signed.accountSignature || []).equals(device.issued.accountSignature)) return 'account signature differs from the issued one';
    const hasKey = signed.accountSignatureKey?.length > 0;
    if (wantAccountKey && !hasKey) return 'accountSignatureKey is missing';
    if (!wantAccountKey && hasKey) return 'accountSignatureKey must not be sent here';
    if (hasKey && !Buffer.from(signed.accountSignatureKey).equals(accountKey)) return 'accountSignatureKey is not the account\'s';
    const message = Buffer.concat([DEVICE_PREFIX, device.issued.details, device.identity, accountKey]);
    return verify(device.identity, message, Buffer.from(signed.deviceSignature || [])) ? null : 'device signature does not verify';
}

/** The server's and the phone's part of linking. */
export class Pairing {
    constructor(sim) {
        this.sim = sim;
    }

    /** A registration connection came up: it gets its refs. */
    begin(connection, registration) {
        connection.pairing = {
            ...registration, refs: this.newRefs(), stage: 'refs', offeredAt: Date.now()
        };
        this.sim.event('registration', { connection: connection.number, props: registration.props });
        this.offerRefs(connection);
    }

    newRefs() {
        return Array.from({ length: REF_COUNT }, (_, i) => `2@${crypto.randomBytes(48).toString('base64').replace(/[,#]/g, 'A')}${i}`);
    }

    async offerRefs(connection) {
        const answer = await connection.query(node('iq', {
            from: SERVER_JID, type: 'set', id: this.sim.newId(), xmlns: 'md'
        }, [node('pair-device', {}, connection.pairing.refs.map(ref => node('ref', {}, Buffer.from(ref))))]));
        if (!answer) return;
        if (answer.attrs.type !== 'result') this.sim.strict.violation(connection, 'pair_device', 'pair-device was not answered by a result', answer);
        this.sim.event('refs_offered', { connection: connection.number, refs: connection.pairing?.refs ?? [] });
    }

    /** The connection that shows a ref, or undefined. */
    connectionOfRef(ref) {
        return [...this.sim.connections].find(c => c.pairing?.refs.includes(ref) && c.state === 'transport');
    }

    /**
     * The phone of an account scans a QR text. Resolves with {device, passkey} when the client answered.
     * Throws TypeError when the text is not one that a phone would accept.
     */
    async scan(account, qrText, { fault = 'none', strict = true } = {}) {
        const qr = parseQr(qrText);
        const connection = this.connectionOfRef(qr.ref);
        if (!connection) throw new TypeError('no connection shows this ref');
        if (!qr.noisePub.equals(connection.noiseKey)) throw new TypeError('QR noise key differs from the handshake');
        if (!qr.identityPub.equals(connection.pairing.identity)) throw new TypeError('QR identity key differs from the registration');
        if (account.passkey) {
            return this.sim.passkey.demand(account, connection, qr.advSecret);
        }
        return this.link(account, connection, qr.advSecret, { fault, strict });
    }

    /** Sends pair-success, waits for the client's signature and completes the link. */
    async link(account, connection, advSecret, { fault = 'none', strict = true } = {}) {
        const { pairing } = connection;
        const { id, keyIndex } = account.allocate();
        const device = new Device(account, id, {
            kind: 'client', keyIndex, noiseKey: connection.noiseKey, identity: pairing.identity,
            registrationId: pairing.registrationId, signedPreKey: pairing.signedPreKey, lenient: !strict, platform: pairing.props?.platformType
        });
        device.issued = issueIdentity(account, keyIndex, pairing.identity);
        pairing.stage = 'success';
        const answer = await connection.query(this.successStanza(device, advSecret, fault));
        if (!answer) return { error: { code: 0, text: 'connection closed' } };
        return this.finish(connection, device, answer);
    }

    successStanza(device, advSecret, fault) {
        const { account, issued } = device;
        const signer = fault === 'account_signature' ? { ...issued, accountSignature: sign(newKeyPair().private, issued.details) } : issued;
        const details = Buffer.from(proto.ADVSignedDeviceIdentity.encode({
            details: signer.details, accountSignatureKey: account.identity.public, accountSignature: signer.accountSignature
        }).finish());
        const hmac = hmacSha256(advSecret, details);
        if (fault === 'hmac') hmac[0] ^= 1;
        const container = fault === 'garbage' ? Buffer.from('ffffffff', 'hex')
            : Buffer.from(proto.ADVSignedDeviceIdentityHMAC.encode({ details, hmac }).finish());
        const content = [node('device-identity', {}, container), node('platform', { name: account.platform })];
        if (fault !== 'no_device') content.push(node('device', { jid: device.jid('pn'), lid: device.jid('lid') }));
        return node('iq', {
            from: SERVER_JID, type: 'set', id: this.sim.newId(), xmlns: 'md', t: this.sim.now()
        }, [node('pair-success', {}, content)]);
    }

    finish(connection, device, answer) {
        if (answer.attrs.type === 'error') {
            const error = child(answer, 'error')?.attrs || {};
            this.sim.event('pair_refused', { connection: connection.number, code: Number(error.code), text: error.text });
            return { error: { code: Number(error.code), text: error.text } };
        }
        const identityNode = child(child(answer, 'pair-device-sign'), 'device-identity');
        const bytes = bytesOf(identityNode);
        const fault = bytes ? identityFault(bytes, device, false) : 'no pair-device-sign/device-identity in the answer';
        const indexFault = identityNode && identityNode.attrs['key-index'] !== String(device.keyIndex) ? 'key-index differs' : null;
        if (fault || indexFault) {
            this.sim.strict.violation(connection, 'pair_device_sign', fault || indexFault, answer);
            connection.close();
            return { error: { code: 400, text: fault || indexFault } };
        }
        const signed = proto.ADVSignedDeviceIdentity.decode(bytes);
        device.adv = completeIdentity(device.account, device.issued, Buffer.from(signed.deviceSignature));
        device.account.addDevice(device);
        connection.pairing = null;
        this.sim.event('paired', { device: device.name, lid: device.jid('lid'), connection: connection.number });
        this.sim.notices.deviceAdded(device);
        connection.sendNow(node('stream:error', { code: 515 }));
        connection.close();
        return { device };
    }

    /** Children of a <ref> request: a fresh ref (passkey pairing asks for one). */
    freshRef(connection) {
        const ref = this.newRefs()[0];
        connection.pairing.refs.push(ref);
        return [node('ref', {}, Buffer.from(ref))];
    }

}
