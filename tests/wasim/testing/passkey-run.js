// SPDX-License-Identifier: GPL-3.0-or-later
// The client's half of passkey pairing, as the simulator's own test needs it.
import crypto from 'node:crypto';
import { proto } from 'baileys/WAProto/index.js';
import { dh, hkdf, hmacSha256, newKeyPair, sha256 } from '../curve.js';
import { bytesOf, child, node, textOf } from '../nodes.js';

const EMPTY = Buffer.alloc(0);

/** Walks a client through the passkey stages up to pair-success; resolves with the code that the phone shows. */
export async function passkeyRun(client, phone, call) {
    const request = await client.waitFor(s => s.attrs.type === 'passkey_prologue_request', 'passkey request');
    const options = JSON.parse(textOf(child(request, 'passkey_request_options')));
    const handoffKey = hkdf(client.advSecret, EMPTY, 'shortcake-passkey-handoff-v1', 32);
    client.advSecret = crypto.randomBytes(32);
    const assertion = await call('POST', `/accounts/${phone}/passkey/assertion`, { challenge: options.challenge });
    const ref = textOf(child(await client.query('md', 'get', [node('ref')]), 'ref'));
    const pair = newKeyPair();
    const nonce = crypto.randomBytes(32);
    const identity = Buffer.from(proto.CompanionEphemeralIdentity.encode({ publicKey: pair.public, deviceType: 1, ref }).finish());
    const payload = Buffer.from(proto.ProloguePayload.encode({
        companionEphemeralIdentity: identity, commitment: { hash: sha256(identity, nonce) }
    }).finish());
    await client.query('md', 'set', [node('passkey_prologue', {}, [
        node('credential_id', {}, Buffer.from(assertion.rawId, 'base64url')),
        node('webauthn_assertion', {}, Buffer.from(JSON.stringify(assertion))),
        node('prologue_payload', {}, payload), node('pairing_handoff_proof', {}, hmacSha256(handoffKey, payload))
    ])]);
    const approved = call('POST', `/accounts/${phone}/passkey/approve`);
    const continuation = await client.waitFor(s => s.attrs.type === 'crsc_continuation', 'continuation');
    const primary = proto.PrimaryEphemeralIdentity.decode(bytesOf(child(continuation, 'primary_ephemeral_identity')));
    await client.query('md', 'set', [node('companion_nonce', {}, nonce)]);
    const { code } = await approved;
    const key = hkdf(dh(pair.private, Buffer.from(primary.publicKey)), Buffer.from(`Companion Pairing 1 with ref ${ref}`),
        'Pairing Information Encryption Key', 32);
    const iv = crypto.randomBytes(12);
    const cipher = crypto.createCipheriv('aes-256-gcm', key, iv);
    const plain = Buffer.from(proto.PairingRequest.encode({
        companionPublicKey: client.noiseKey.public, companionIdentityKey: client.identity.public, advSecret: client.advSecret
    }).finish());
    const encryptedPayload = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    await client.query('md', 'set', [node('encrypted_pairing_request', {}, Buffer.from(proto.EncryptedPairingRequest.encode({ encryptedPayload, iv }).finish()))]);
    return code;
}
