// SPDX-License-Identifier: GPL-3.0-or-later
// Linking of accounts that demand a passkey: the server's challenge, the WebAuthn assertion, the phone's confirmation.
import crypto from 'node:crypto';
import { proto } from 'baileys/WAProto/index.js';
import { bytesOf, child, node, textOf } from './nodes.js';
import { dh, hkdf, hmacSha256, newKeyPair, sha256 } from './curve.js';
import { SERVER_JID } from './jid.js';

const RP_ID = 'web.whatsapp.com';
const ORIGIN = 'https://web.whatsapp.com';
const CODE_ALPHABET = '123456789ABCDEFGHJKLMNPQRSTVWXYZ';
const HANDOFF_INFO = 'shortcake-passkey-handoff-v1';
const REQUEST_INFO = 'Pairing Information Encryption Key';
const EMPTY = Buffer.alloc(0);
const USER_PRESENT_AND_VERIFIED = 0x05;

function fiveBits(bytes) {
    let bits = BigInt(`0x${bytes.toString('hex')}`);
    let out = '';
    for (let i = 0; i < 8; i++, bits >>= 5n) out = CODE_ALPHABET[Number(bits & 31n)] + out;
    return `${out.slice(0, 4)}-${out.slice(4)}`;
}

/** What a client sends to prove that it is the one whose QR code (or pairing code) carried that adv secret. */
function handoffProof(advSecret, payload) {
    return hmacSha256(hkdf(advSecret, EMPTY, HANDOFF_INFO, 32), payload);
}

/** The passkey of an account, as its owner's authenticator holds it. */
export class Authenticator {
    constructor() {
        const { publicKey, privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
        this.publicKey = publicKey;
        this.privateKey = privateKey;
        this.credentialId = crypto.randomBytes(16).toString('base64url');
        this.counter = 0;
    }

    /** The answer of navigator.credentials.get() to a challenge (base64url), as JSON. */
    assertion(challenge, origin = ORIGIN) {
        const clientData = Buffer.from(JSON.stringify({ type: 'webauthn.get', challenge, origin, crossOrigin: false }));
        const counter = Buffer.alloc(4);
        counter.writeUInt32BE(++this.counter);
        const authenticatorData = Buffer.concat([sha256(RP_ID), Buffer.from([USER_PRESENT_AND_VERIFIED]), counter]);
        const signature = crypto.sign('sha256', Buffer.concat([authenticatorData, sha256(clientData)]), this.privateKey);
        return {
            id: this.credentialId, rawId: this.credentialId, type: 'public-key', authenticatorAttachment: 'platform',
            response: {
                clientDataJSON: clientData.toString('base64url'), authenticatorData: authenticatorData.toString('base64url'),
                signature: signature.toString('base64url'), userHandle: null
            },
            clientExtensionResults: {}
        };
    }

    /** A text that says what is wrong with an assertion, or null. */
    fault(assertion, challenge) {
        try {
            const { response } = assertion;
            const clientData = Buffer.from(response.clientDataJSON, 'base64url');
            const parsed = JSON.parse(clientData.toString());
            if (parsed.type !== 'webauthn.get') return `client data type "${parsed.type}"`;
            if (parsed.challenge.replace(/=+$/, '') !== challenge) return 'assertion is for another challenge';
            if (parsed.origin !== ORIGIN) return `origin "${parsed.origin}"`;
            const data = Buffer.from(response.authenticatorData, 'base64url');
            if (!data.subarray(0, 32).equals(sha256(RP_ID))) return 'assertion is for another relying party';
            const message = Buffer.concat([data, sha256(clientData)]);
            const good = crypto.verify('sha256', message, this.publicKey, Buffer.from(response.signature, 'base64url'));
            return good ? null : 'assertion signature does not verify';
        } catch (error) {
            return `assertion does not parse: ${error.message}`;
        }
    }
}

/** The server's and the phone's part. */
export class Passkey {
    constructor(sim) {
        this.sim = sim;
    }

    authenticator(account) {
        account.authenticator ||= new Authenticator();
        return account.authenticator;
    }

    options(state) {
        return {
            challenge: state.challenge, timeout: 60000, rpId: RP_ID, userVerification: 'required',
            allowCredentials: [{ type: 'public-key', id: this.authenticator(state.account).credentialId, transports: ['internal', 'hybrid'] }],
            extensions: {}
        };
    }

    optionsNode(state) {
        return node('passkey_request_options', {}, Buffer.from(JSON.stringify(this.options(state))));
    }

    /** Instead of pair-success: the client must show a passkey first. */
    demand(account, connection, advSecret) {
        const state = { account, advSecret, challenge: crypto.randomBytes(32).toString('base64url'), stage: 'requested' };
        connection.pairing.passkey = state;
        connection.send(node('notification', {
            from: SERVER_JID, type: 'passkey_prologue_request', id: this.sim.newId(), t: this.sim.now()
        }, [this.optionsNode(state)]));
        this.sim.event('passkey_requested', { connection: connection.number, phone: account.phone, options: this.options(state) });
        return { passkey: true };
    }

    /** IQs of the md namespace of an unpaired connection; null when not one of ours. */
    handle(connection, iq) {
        const state = connection.pairing?.passkey;
        if (iq.attrs.type === 'get' && child(iq, 'ref')) {
            const children = this.sim.pairing.freshRef(connection);
            if (state) state.ref = textOf(children[0]);
            return children;
        }
        if (!state) return null;
        if (child(iq, 'passkey_request_options')) return [this.optionsNode(state)];
        const step = ['passkey_prologue', 'companion_nonce', 'encrypted_pairing_request'].find(tag => child(iq, tag));
        if (!step) return null;
        const fault = this[step](connection, state, child(iq, step));
        if (!fault) return [];
        this.sim.event('passkey_refused', { connection: connection.number, step, text: fault });
        return this.sim.strict.refuse(connection, step, fault, iq);
    }

    passkey_prologue(connection, state, prologue) {
        if (state.stage !== 'requested') return `passkey_prologue in stage ${state.stage}`;
        const authenticator = this.authenticator(state.account);
        if (!bytesOf(child(prologue, 'credential_id'))?.equals(Buffer.from(authenticator.credentialId, 'base64url'))) return 'credential_id is not the account\'s';
        const fault = authenticator.fault(JSON.parse(textOf(child(prologue, 'webauthn_assertion')) || '{}'), state.challenge);
        if (fault) return fault;
        const payload = bytesOf(child(prologue, 'prologue_payload')) || EMPTY;
        const decoded = proto.ProloguePayload.decode(payload);
        state.identityBytes = Buffer.from(decoded.companionEphemeralIdentity || []);
        state.commitment = Buffer.from(decoded.commitment?.hash || []);
        state.companion = proto.CompanionEphemeralIdentity.decode(state.identityBytes);
        if (state.companion.publicKey?.length !== 32) return 'companion ephemeral key is not 32 bytes';
        if (state.companion.ref !== state.ref) return 'ref is not the one that was handed out';
        if (state.commitment.length !== 32) return 'commitment is not 32 bytes';
        state.proof = bytesOf(child(prologue, 'pairing_handoff_proof'));
        if (state.proof && state.advSecret && !handoffProof(state.advSecret, payload).equals(state.proof)) return 'handoff proof does not verify';
        state.stage = 'prologue';
        this.sim.event('passkey_prologue', { connection: connection.number, phone: state.account.phone, handoff: !!state.proof });
        return null;
    }

    /**
     * The phone's owner approves: the phone sends its half. Resolves with {code} that both sides show once the client
     * revealed its nonce. Throws a TypeError when no client got that far.
     */
    async approve(account) {
        const connection = [...this.sim.connections].reverse()
            .find(c => c.state === 'transport' && c.pairing?.passkey?.account === account);
        const state = connection?.pairing.passkey;
        if (state?.stage !== 'prologue') throw new TypeError('no client presented a passkey for this account');
        state.ephemeral = newKeyPair();
        state.nonce = crypto.randomBytes(32);
        state.stage = 'continued';
        const shown = new Promise(resolve => { state.resolve = resolve; });
        connection.send(node('notification', {
            from: SERVER_JID, type: 'crsc_continuation', id: this.sim.newId(), t: this.sim.now()
        }, [node('primary_ephemeral_identity', {}, Buffer.from(proto.PrimaryEphemeralIdentity.encode({
            publicKey: state.ephemeral.public, nonce: state.nonce
        }).finish()))]));
        return shown;
    }

    companion_nonce(connection, state, n) {
        if (state.stage !== 'continued') return `companion_nonce in stage ${state.stage}`;
        const nonce = bytesOf(n);
        if (nonce?.length !== 32) return 'companion nonce is not 32 bytes';
        if (!sha256(state.identityBytes, nonce).equals(state.commitment)) return 'nonce does not open the commitment';
        const digest = sha256(nonce, state.ephemeral.public);
        state.code = fiveBits(Buffer.from(digest.subarray(0, 5).map((b, i) => b ^ state.nonce[i])));
        state.stage = 'code';
        this.sim.event('passkey_code', { connection: connection.number, phone: state.account.phone, code: state.code });
        state.resolve({ code: state.code });
        return null;
    }

    encrypted_pairing_request(connection, state, n) {
        if (state.stage !== 'code') return `encrypted_pairing_request in stage ${state.stage}`;
        let request;
        try {
            request = this.openRequest(state, bytesOf(n));
        } catch (error) {
            return `pairing request does not decrypt: ${error.message}`;
        }
        if (!connection.noiseKey.equals(Buffer.from(request.companionPublicKey || []))) return 'noise key in the request differs';
        if (!connection.pairing.identity.equals(Buffer.from(request.companionIdentityKey || []))) return 'identity key in the request differs';
        if (request.advSecret?.length !== 32) return 'adv secret is not 32 bytes';
        state.stage = 'done';
        setImmediate(() => this.sim.pairing.link(state.account, connection, Buffer.from(request.advSecret)));
        return null;
    }

    openRequest(state, bytes) {
        const wrapped = proto.EncryptedPairingRequest.decode(bytes || EMPTY);
        const salt = `Companion Pairing ${state.companion.deviceType ?? 0} with ref ${state.ref}`;
        const key = hkdf(dh(state.ephemeral.private, Buffer.from(state.companion.publicKey)), Buffer.from(salt), REQUEST_INFO, 32);
        const sealed = Buffer.from(wrapped.encryptedPayload);
        const decipher = crypto.createDecipheriv('aes-256-gcm', key, Buffer.from(wrapped.iv));
        decipher.setAuthTag(sealed.subarray(sealed.length - 16));
        const plain = Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - 16)), decipher.final()]);
        return proto.PairingRequest.decode(plain);
    }
}
