// SPDX-License-Identifier: GPL-3.0-or-later
// Signal state of a simulated device, in the shape that libsignal wants, and the ciphers on top of it.
import { GroupCipher, GroupSessionBuilder, SenderKeyDistributionMessage } from 'baileys/lib/Signal/Group/index.js';
import { SenderKeyName } from 'baileys/lib/Signal/Group/sender-key-name.js';
import { SenderKeyRecord } from 'baileys/lib/Signal/Group/sender-key-record.js';
import { BufferJSON } from 'baileys/lib/Utils/generics.js';
import crypto from 'node:crypto';
import libsignal from 'libsignal';
import { djb, newKeyPair, sign } from './curve.js';

const { ProtocolAddress, SessionBuilder, SessionCipher, SessionRecord } = libsignal;

const NOISY = /^(Closing session|Closing open session|Opening session|Session already|Removing old closed session|Decrypted message with closed|Failed to decrypt message|Session error|V1 session|Migrating session)/;

/** libsignal prints session records with their keys to the console; those lines are dropped. */
export function quietLibsignal() {
    for (const level of ['log', 'info', 'warn', 'error']) {
        const original = console[level];
        if (original.quietLibsignal) continue;
        console[level] = (...args) => { if (!NOISY.test(String(args[0]))) original.apply(console, args); };
        console[level].quietLibsignal = true;
    }
}

/** Keys and sessions of one simulated device. Sessions live under the LID of the other side. */
export class SignalStore {
    constructor(identity) {
        this.identity = identity;
        this.registrationId = crypto.randomInt(1, 16380);
        this.sessions = new Map();
        this.preKeys = new Map();
        this.nextPreKeyId = 1;
        this.signed = null;
        this.senderKeys = new Map();
    }

    /** The signed prekey, made when first needed (signing is slow). */
    get signedPreKey() {
        if (!this.signed) {
            const pair = newKeyPair();
            this.signed = { id: 1, pair, public: pair.public, signature: sign(this.identity.private, djb(pair.public)) };
        }
        return this.signed;
    }

    newPreKey() {
        const pair = newKeyPair();
        const id = this.nextPreKeyId++;
        this.preKeys.set(id, pair);
        return { id, public: pair.public };
    }

    loadSession(address) {
        const data = this.sessions.get(address);
        return data ? SessionRecord.deserialize(data) : undefined;
    }

    storeSession(address, record) {
        this.sessions.set(address, record.serialize());
    }

    isTrustedIdentity() {
        return true;
    }

    loadPreKey(id) {
        const pair = this.preKeys.get(id);
        return pair && { pubKey: djb(pair.public), privKey: pair.private };
    }

    removePreKey(id) {
        this.preKeys.delete(id);
    }

    loadSignedPreKey(id) {
        const key = this.signedPreKey;
        return key.id === id ? { pubKey: djb(key.public), privKey: key.pair.private } : undefined;
    }

    getOurRegistrationId() {
        return this.registrationId;
    }

    getOurIdentity() {
        return { pubKey: djb(this.identity.public), privKey: this.identity.private };
    }

    /** Sender keys, through their serialized form, as a phone's database would keep them. */
    async loadSenderKey(name) {
        return new SenderKeyRecord(JSON.parse(this.senderKeys.get(name.toString()) ?? '[]', BufferJSON.reviver));
    }

    async storeSenderKey(name, record) {
        this.senderKeys.set(name.toString(), JSON.stringify(record.serialize(), BufferJSON.replacer));
    }

    senderKeyName(chat, device) {
        return new SenderKeyName(chat, { id: this.address(device).id, deviceId: device.id, toString: () => this.address(device).toString() });
    }

    /** Forgets the sender key of a device (or all of a chat). */
    forgetSenderKeys(chat, device) {
        for (const name of [...this.senderKeys.keys()]) {
            if (device ? name === this.senderKeyName(chat, device).toString() : name.startsWith(`${chat}::`)) this.senderKeys.delete(name);
        }
    }

    /** {bytes, distribution} with the own sender key of a chat, made when there is none. */
    async encryptForGroup(chat, own, plain) {
        const name = this.senderKeyName(chat, own);
        const distribution = Buffer.from((await new GroupSessionBuilder(this).create(name)).serialize());
        const bytes = plain ? Buffer.from(await new GroupCipher(this, name).encrypt(plain)) : null;
        return { bytes, distribution };
    }

    async decryptForGroup(chat, author, bytes) {
        return Buffer.from(await new GroupCipher(this, this.senderKeyName(chat, author)).decrypt(bytes));
    }

    async takeSenderKey(chat, author, distribution) {
        const message = new SenderKeyDistributionMessage(null, null, null, null, distribution);
        await new GroupSessionBuilder(this).process(this.senderKeyName(chat, author), message);
    }

    address(device) {
        return new ProtocolAddress(`${device.account.lid}_1`, device.id);
    }

    /** Registration id of the open session with a device, or null. */
    sessionRegistration(device) {
        const session = this.loadSession(this.address(device).toString())?.getOpenSession();
        return session ? session.registrationId : null;
    }

    deleteSession(device) {
        this.sessions.delete(this.address(device).toString());
    }

    /** Builds an outgoing session from a bundle of prekeys.js. */
    async install(device, bundle) {
        await new SessionBuilder(this, this.address(device)).initOutgoing({
            registrationId: bundle.registrationId,
            identityKey: djb(bundle.identity),
            signedPreKey: { keyId: bundle.signedPreKey.id, publicKey: djb(bundle.signedPreKey.public), signature: bundle.signedPreKey.signature },
            preKey: bundle.oneTime ? { keyId: bundle.oneTime.id, publicKey: djb(bundle.oneTime.public) } : undefined
        });
    }

    /** {type: 'pkmsg'|'msg', bytes} for a device with a session. */
    async encrypt(device, plain) {
        const result = await new SessionCipher(this, this.address(device)).encrypt(plain);
        return { type: result.type === 3 ? 'pkmsg' : 'msg', bytes: Buffer.from(result.body) };
    }

    /** The padded plaintext; throws what libsignal throws. */
    async decrypt(device, type, bytes) {
        const cipher = new SessionCipher(this, this.address(device));
        if (type === 'pkmsg') return Buffer.from(await cipher.decryptPreKeyWhisperMessage(bytes));
        return this.decryptWithAny(cipher, bytes);
    }

    /**
     * Tries every session on a copy of its own. libsignal's own loop lets a failed try step that session's ratchet and then stores
     * it, which breaks one of two sessions after first messages that crossed; phones do not have that fault.
     */
    async decryptWithAny(cipher, bytes) {
        const address = cipher.addr.toString();
        const data = this.sessions.get(address);
        if (!data) throw new Error('no session');
        const used = key => data._sessions[key].indexInfo.used || 0;
        let failure = null;
        for (const key of Object.keys(data._sessions).sort((a, b) => used(b) - used(a))) {
            const record = SessionRecord.deserialize(data);
            try {
                const plain = await cipher.doDecryptWhisperMessage(bytes, record.sessions[key]);
                record.sessions[key].indexInfo.used = Date.now();
                this.storeSession(address, record);
                return Buffer.from(plain);
            } catch (error) {
                failure ||= error;
            }
        }
        throw new Error(`no session decrypts it: ${failure?.message}`);
    }
}
