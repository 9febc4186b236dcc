// SPDX-License-Identifier: GPL-3.0-or-later
// Linking by an eight-character code: the server's three stages and the phone's cryptography.
import crypto from 'node:crypto';
import { promisify } from 'node:util';
import { bytesOf, child, node, textOf } from './nodes.js';
import { dh, hkdf, newKeyPair } from './curve.js';
import { SERVER_JID } from './jid.js';

const pbkdf2 = promisify(crypto.pbkdf2);
const CODE_ITERATIONS = 131072;
const CODE_ALPHABET = /^[1-9A-HJ-NP-TV-Z]{8}$/;
const BUNDLE_INFO = 'link_code_pairing_key_bundle_encryption_key';
const EMPTY = Buffer.alloc(0);
const DISPLAY = /^(Chrome|Firefox|Edge|Safari|Opera|IE|Chromium) \((Windows|Mac OS|Linux|Android|iOS|Ubuntu|UBUNTU)\)$/;

function ctr(key, iv, data) {
    const cipher = crypto.createCipheriv('aes-256-ctr', key, iv);
    return Buffer.concat([cipher.update(data), cipher.final()]);
}

function codeKey(code, salt) {
    return pbkdf2(code, salt, CODE_ITERATIONS, 32, 'sha256');
}

function openGcm(key, iv, sealed) {
    const decipher = crypto.createDecipheriv('aes-256-gcm', key, iv);
    decipher.setAuthTag(sealed.subarray(sealed.length - 16));
    return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - 16)), decipher.final()]);
}

/** The server's and the phone's part of pairing by code. */
export class CodePairing {
    constructor(sim) {
        this.sim = sim;
    }

    /** IQ link_code_companion_reg of an unpaired connection; children of the result or {error}. */
    handle(connection, iq) {
        const reg = child(iq, 'link_code_companion_reg');
        if (reg.attrs.stage === 'companion_hello') return this.hello(connection, reg);
        if (reg.attrs.stage === 'companion_finish') return this.finish(connection, reg);
        return this.bad(connection, `stage "${reg.attrs.stage}"`, reg);
    }

    bad(connection, text, reg) {
        return this.sim.strict.refuse(connection, 'link_code', text, reg);
    }

    hello(connection, reg) {
        const account = this.sim.directory.ofJid(reg.attrs.jid);
        const wrapped = bytesOf(child(reg, 'link_code_pairing_wrapped_companion_ephemeral_pub'));
        const noise = bytesOf(child(reg, 'companion_server_auth_key_pub'));
        const platform = textOf(child(reg, 'companion_platform_id'));
        const display = textOf(child(reg, 'companion_platform_display')) || '';
        if (!account) return { error: 404, text: 'item-not-found' };
        if (wrapped?.length !== 80) return this.bad(connection, 'wrapped companion key is not 80 bytes', reg);
        if (!noise?.equals(connection.noiseKey)) return this.bad(connection, 'companion_server_auth_key_pub differs from the handshake', reg);
        if (!/^[0-9a-f]{1,2}$/.test(platform || '')) return this.bad(connection, `companion_platform_id "${platform}"`, reg);
        if (!DISPLAY.test(display)) return this.bad(connection, `companion_platform_display "${display}"`, reg);
        if (!child(reg, 'link_code_pairing_nonce')) return this.bad(connection, 'nonce is missing', reg);
        const ref = crypto.randomBytes(24).toString('base64');
        connection.pairing.code = { account, wrapped: Buffer.from(wrapped), ref, jid: reg.attrs.jid, stage: 'hello' };
        this.sim.event('pairing_code_requested', {
            connection: connection.number, phone: account.phone, platform, display,
            push: reg.attrs.should_show_push_notification === 'true'
        });
        return [node('link_code_companion_reg', {}, [node('link_code_pairing_ref', {}, Buffer.from(ref))])];
    }

    /**
     * The user types the code on the phone. Resolves when the client is linked (or refused). The options forge single
     * values: {wrong_ref, stage}. Throws a TypeError when no client waits for a code of this account.
     */
    async enter(account, code, options = {}) {
        const text = String(code).replace(/[-\s]/g, '').toUpperCase();
        if (!CODE_ALPHABET.test(text)) throw new TypeError(`"${code}" is no pairing code`);
        const connection = [...this.sim.connections].reverse()
            .find(c => c.state === 'transport' && c.pairing?.code?.account === account);
        if (!connection) throw new TypeError('no client asked for a code of this account');
        const state = connection.pairing.code;
        const { wrapped } = state;
        state.companionEphemeral = ctr(await codeKey(text, wrapped.subarray(0, 32)), wrapped.subarray(32, 48), wrapped.subarray(48));
        state.ephemeral = newKeyPair();
        const salt = crypto.randomBytes(32);
        const iv = crypto.randomBytes(16);
        const mine = Buffer.concat([salt, iv, ctr(await codeKey(text, salt), iv, state.ephemeral.public)]);
        state.stage = 'primary';
        state.strict = options.strict;
        const done = new Promise(resolve => { state.resolve = resolve; });
        connection.send(node('notification', {
            from: SERVER_JID, type: 'link_code_companion_reg', id: this.sim.newId(), t: this.sim.now()
        }, [node('link_code_companion_reg', { stage: options.stage || 'primary_hello' }, [
            node('link_code_pairing_ref', {}, Buffer.from(options.wrong_ref ? 'bm90IHRoZSByZWY=' : state.ref)),
            node('link_code_pairing_wrapped_primary_ephemeral_pub', {}, mine),
            node('primary_identity_pub', {}, account.identity.public)
        ])]));
        return done;
    }

    finish(connection, reg) {
        const state = connection.pairing?.code;
        if (state?.stage !== 'primary') return this.bad(connection, 'companion_finish without primary_hello', reg);
        let advSecret;
        try {
            advSecret = this.openBundle(connection, state, reg);
        } catch (error) {
            state.resolve({ error: { code: 400, text: error.message } });
            return this.bad(connection, error.message, reg);
        }
        state.stage = 'finished';
        setImmediate(async () => {
            const link = state.account.passkey
                ? this.sim.passkey.demand(state.account, connection, advSecret)
                : await this.sim.pairing.link(state.account, connection, advSecret, { strict: state.strict });
            state.resolve(link);
        });
        return [];
    }

    openBundle(connection, state, reg) {
        const bundle = bytesOf(child(reg, 'link_code_pairing_wrapped_key_bundle'));
        const identity = bytesOf(child(reg, 'companion_identity_public'));
        if (reg.attrs.jid !== state.jid) throw new Error('jid differs from companion_hello');
        if (textOf(child(reg, 'link_code_pairing_ref')) !== state.ref) throw new Error('ref differs');
        if (!identity?.equals(connection.pairing.identity)) throw new Error('companion identity differs from the registration');
        if (bundle?.length !== 156) throw new Error('key bundle is not 156 bytes');
        const shared = dh(state.ephemeral.private, state.companionEphemeral);
        const key = hkdf(shared, bundle.subarray(0, 32), BUNDLE_INFO, 32);
        let plain;
        try {
            plain = openGcm(key, bundle.subarray(32, 44), bundle.subarray(44));
        } catch {
            throw new Error('key bundle does not decrypt (wrong code?)');
        }
        if (!plain.subarray(0, 32).equals(identity)) throw new Error('companion identity inside the bundle differs');
        if (!plain.subarray(32, 64).equals(state.account.identity.public)) throw new Error('primary identity inside the bundle differs');
        const second = dh(state.account.identity.private, identity);
        return hkdf(Buffer.concat([shared, second, plain.subarray(64, 96)]), EMPTY, 'adv_secret', 32);
    }
}
