// SPDX-License-Identifier: GPL-3.0-or-later
// Signal prekeys as the server keeps them: registration, upload, count, digest, rotation, bundles.
import crypto from 'node:crypto';
import { beBytes, bytesOf, child, children, node, uintOf } from './nodes.js';
import { djb, verify } from './curve.js';
import { SERVER_JID } from './jid.js';

export const KEY_TYPE = Buffer.from([5]);
const LOW_WATER = 5;
const MAX_KEY_ID = 0xffffff;

/** One-time keys, consumed from the front. Ids that were ever offered are remembered. */
export class PreKeyPool {
    constructor() {
        this.chunks = [];
        this.count = 0;
        this.everOffered = new Set();
        this.handedOut = new Map();
    }

    /** keys: [{id, public}]; the caller checked them. */
    add(keys) {
        const ids = Uint32Array.from(keys, k => k.id);
        this.chunks.push({ ids, data: Buffer.concat(keys.map(k => k.public)), next: 0 });
        this.count += keys.length;
        for (const id of ids) this.everOffered.add(id);
    }

    /** Takes the next key for a recipient, or null when the pool is empty. */
    take(forWhom) {
        const chunk = this.chunks[0];
        if (!chunk) return null;
        const key = { id: chunk.ids[chunk.next], public: chunk.data.subarray(chunk.next * 32, chunk.next * 32 + 32) };
        if (++chunk.next === chunk.ids.length) this.chunks.shift();
        this.count--;
        this.handedOut.set(key.id, forWhom);
        return key;
    }

    /** The keys that are still there, in order. */
    remaining() {
        const out = [];
        for (const chunk of this.chunks) {
            for (let i = chunk.next; i < chunk.ids.length; i++) {
                out.push({ id: chunk.ids[i], public: chunk.data.subarray(i * 32, i * 32 + 32) });
            }
        }
        return out;
    }

    clear() {
        this.chunks = [];
        this.count = 0;
    }
}

/** Parses <skey>; {id, public, signature} or a text that says what is wrong. */
export function parseSignedKey(skey, identity) {
    const id = bytesOf(child(skey, 'id'));
    const value = bytesOf(child(skey, 'value'));
    const signature = bytesOf(child(skey, 'signature'));
    if (id?.length !== 3) return 'skey id is not 3 bytes';
    if (value?.length !== 32) return 'skey value is not 32 bytes';
    if (signature?.length !== 64) return 'skey signature is not 64 bytes';
    if (!verify(identity, djb(value), signature)) return 'skey signature does not verify';
    return { id: id.readUIntBE(0, 3), public: Buffer.from(value), signature: Buffer.from(signature) };
}

/** Parses one <key> of an upload; {id, public} or a text. */
export function parseOneTimeKey(key) {
    const id = bytesOf(child(key, 'id'));
    const value = bytesOf(child(key, 'value'));
    if (id?.length !== 3) return 'key id is not 3 bytes';
    if (value?.length !== 32) return 'key value is not 32 bytes';
    const number = id.readUIntBE(0, 3);
    if (number < 1 || number > MAX_KEY_ID) return `key id ${number} out of range`;
    return { id: number, public: value };
}

function parseUpload(device, iq) {
    const registration = bytesOf(child(iq, 'registration'));
    const type = bytesOf(child(iq, 'type'));
    const identity = bytesOf(child(iq, 'identity'));
    if (registration?.length !== 4) return 'registration is not 4 bytes';
    if (registration.readUInt32BE(0) === 0) return 'registration id is 0';
    if (!type?.equals(KEY_TYPE)) return 'key type is not 05';
    if (identity?.length !== 32) return 'identity is not 32 bytes';
    if (!identity.equals(device.identity)) return 'identity differs from the paired one';
    const skey = parseSignedKey(child(iq, 'skey'), identity);
    if (typeof skey === 'string') return skey;
    const keys = [];
    const seen = new Set();
    for (const key of children(child(iq, 'list'), 'key')) {
        const parsed = parseOneTimeKey(key);
        if (typeof parsed === 'string') return parsed;
        if (seen.has(parsed.id)) return `key id ${parsed.id} twice in one upload`;
        if (device.preKeys.everOffered.has(parsed.id)) return `key id ${parsed.id} was offered before`;
        seen.add(parsed.id);
        keys.push(parsed);
    }
    if (!keys.length) return 'no one-time keys';
    return { registrationId: registration.readUInt32BE(0), skey, keys };
}

/** Answers of the "encrypt" namespace. Registered with the IQ dispatcher in iq.js. */
export class PreKeyService {
    constructor(sim) {
        this.sim = sim;
    }

    handle(device, iq) {
        if (iq.attrs.type === 'get') {
            if (child(iq, 'count')) return [node('count', { value: device.preKeys.count })];
            if (child(iq, 'digest')) return this.digest(device);
            if (child(iq, 'key')) return this.bundles(device, child(iq, 'key'));
        } else if (child(iq, 'rotate')) {
            return this.rotate(device, child(iq, 'rotate'));
        } else if (child(iq, 'list')) {
            return this.upload(device, iq);
        }
        return null;
    }

    upload(device, iq) {
        const parsed = parseUpload(device, iq);
        if (typeof parsed === 'string') return this.sim.strict.refuse(device, 'prekey_upload', parsed, iq, 406);
        device.registrationId = parsed.registrationId;
        device.signedPreKey = parsed.skey;
        device.preKeys.add(parsed.keys);
        this.sim.event('prekeys_uploaded', { device: device.name, count: parsed.keys.length, total: device.preKeys.count });
        return [];
    }

    rotate(device, rotate) {
        const skey = parseSignedKey(child(rotate, 'skey'), device.identity);
        if (typeof skey === 'string') return this.sim.strict.refuse(device, 'prekey_rotate', skey, rotate, 406);
        device.signedPreKey = skey;
        this.sim.event('signed_prekey_rotated', { device: device.name, id: skey.id });
        return [];
    }

    digest(device) {
        const keys = device.preKeys.remaining();
        if (!device.signedPreKey) return { error: 404, text: 'item-not-found' };
        const hash = crypto.createHash('sha1');
        hash.update(device.identity).update(device.signedPreKey.public).update(device.signedPreKey.signature);
        for (const key of keys) hash.update(key.public);
        return [node('digest', {}, [
            node('registration', {}, beBytes(device.registrationId, 4)), node('type', {}, KEY_TYPE),
            node('identity', {}, device.identity), signedKeyNode(device.signedPreKey),
            node('list', {}, keys.map(k => node('id', {}, beBytes(k.id, 3)))), node('hash', {}, hash.digest())
        ])];
    }

    bundles(device, request) {
        const users = children(request, 'user').map(user => {
            const target = this.sim.directory.deviceOf(user.attrs.jid);
            if (!target) return node('user', { jid: user.attrs.jid }, [node('error', { code: 406, text: 'not-acceptable' })]);
            const bundle = this.bundle(target, device);
            return node('user', { jid: user.attrs.jid }, bundleNodes(bundle));
        });
        if (!users.length) return this.sim.strict.refuse(device, 'bundle_request', 'no user in <key>', request, 400);
        if (users.every(u => child(u, 'error'))) return { error: 406, text: 'not-acceptable' };
        return [node('list', {}, users)];
    }

    /** Takes one bundle of a device; simulated devices make their one-time key on demand. */
    bundle(target, forDevice) {
        if (target.simulated) target.simulated.refillPreKeys();
        const oneTime = this.sim.faults.applies('no_one_time_key', target) ? null : target.preKeys.take(forDevice.name);
        this.afterTake(target);
        let { signedPreKey } = target;
        if (this.sim.faults.applies('bad_bundle_signature', target)) {
            signedPreKey = { ...signedPreKey, signature: Buffer.alloc(64, 7) };
            forDevice.excused.add(target);
        } else {
            forDevice.excused.delete(target);
        }
        return { registrationId: target.registrationId, identity: target.identity, signedPreKey, oneTime, adv: target.id ? target.adv : null };
    }

    afterTake(target) {
        if (target.simulated || target.preKeys.count >= LOW_WATER || !target.connection) return;
        const waiting = target.queue.list().some(s => s.tag === 'notification' && s.type === 'encrypt');
        if (!waiting) this.sendLowNotice(target);
    }

    /** The notice that a device's pool runs low. */
    sendLowNotice(target) {
        target.queue.push(node('notification', {
            from: SERVER_JID, type: 'encrypt', id: this.sim.newId(), t: this.sim.now()
        }, [node('count', { value: target.preKeys.count })]));
    }
}

export function signedKeyNode(skey) {
    return node('skey', {}, [
        node('id', {}, beBytes(skey.id, 3)), node('value', {}, skey.public), node('signature', {}, skey.signature)
    ]);
}

/** Children of <user> (or of <keys>) for a bundle. */
export function bundleNodes(bundle) {
    const out = [
        node('registration', {}, beBytes(bundle.registrationId, 4)), node('type', {}, KEY_TYPE),
        node('identity', {}, bundle.identity), signedKeyNode(bundle.signedPreKey)
    ];
    if (bundle.oneTime) {
        out.push(node('key', {}, [node('id', {}, beBytes(bundle.oneTime.id, 3)), node('value', {}, bundle.oneTime.public)]));
    }
    if (bundle.adv) out.push(node('device-identity', {}, bundle.adv.encoded));
    return out;
}

/** Reads the <keys> of a retry receipt with its sibling <registration>; a bundle or a text. */
export function parseRetryKeys(receipt) {
    const keys = child(receipt, 'keys');
    if (!keys) return null;
    const identity = bytesOf(child(keys, 'identity'));
    if (identity?.length !== 32) return 'identity in <keys> is not 32 bytes';
    if (!bytesOf(child(keys, 'type'))?.equals(KEY_TYPE)) return 'type in <keys> is not 05';
    const skey = parseSignedKey(child(keys, 'skey'), identity);
    if (typeof skey === 'string') return skey;
    const key = child(keys, 'key') ? parseOneTimeKey(child(keys, 'key')) : null;
    if (typeof key === 'string') return key;
    return {
        registrationId: uintOf(child(receipt, 'registration')), identity, signedPreKey: skey, oneTime: key,
        deviceIdentity: bytesOf(child(keys, 'device-identity'))
    };
}

