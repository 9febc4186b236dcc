// SPDX-License-Identifier: GPL-3.0-or-later
// App state: five encrypted, versioned collections for each account. The server stores patches and answers conflicts; the phone, which
// has the keys, checks every MAC and every hash that a client uploads, with node's crypto alone, and can change entries by itself.
import crypto from 'node:crypto';
import zlib from 'node:zlib';
import { proto } from 'baileys/WAProto/index.js';
import { bytesOf, child, children, node } from './nodes.js';
import { SERVER_JID } from './jid.js';

const COLLECTIONS = ['critical_block', 'critical_unblock_low', 'regular_high', 'regular_low', 'regular'];
const HASH_BYTES = 128;
const MAC_BYTES = 32;
const PAGE = 10;
const KEY_FIELDS = ['index', 'value', 'valueMac', 'snapshotMac', 'patchMac'];

// Where the official client keeps them, and under which version.
const ACTIONS = {
    archive: ['regular_low', 3, 'archiveChatAction'], pin_v1: ['regular_low', 5, 'pinAction'], markChatAsRead: ['regular_low', 3, 'markChatAsReadAction'],
    mute: ['regular_high', 2, 'muteAction'], star: ['regular_high', 2, 'starAction'], deleteMessageForMe: ['regular_high', 3, 'deleteMessageForMeAction'],
    clearChat: ['regular_high', 6, 'clearChatAction'], deleteChat: ['regular_high', 6, 'deleteChatAction'],
    contact: ['critical_unblock_low', 2, 'contactAction'], setting_pushName: ['critical_block', 1, 'pushNameSetting'],
    lock: ['regular_low', 7, 'lockChatAction'], userStatusMute: ['regular_high', 7, 'userStatusMuteAction'],
    setting_unarchiveChats: ['regular_low', 4, 'unarchiveChatsSetting'], label_message: ['regular', 3, 'labelAssociationAction'],
    label_edit: ['regular', 3, 'labelEditAction'], label_jid: ['regular', 3, 'labelAssociationAction'], quick_reply: ['regular', 2, 'quickReplyAction'],
    lid_contact: ['critical_unblock_low', 1, 'lidContactAction'], setting_locale: ['critical_block', 3, 'localeSetting'],
    setting_disableLinkPreviews: ['regular', 8, 'privacySettingDisableLinkPreviewsAction'], setting_relayAllCalls: ['regular', 1, 'privacySettingRelayAllCalls'],
    time_format: ['regular_low', 7, 'timeFormatAction'], status_privacy: ['regular_high', 7, 'statusPrivacy'], favorites: ['regular_high', 1, 'favoritesAction']
};
const PARTS = { star: 5, deleteMessageForMe: 5, clearChat: 4, deleteChat: 3, setting_pushName: 1, setting_unarchiveChats: 1, label_jid: 3, label_message: 6,
    setting_locale: 1, setting_disableLinkPreviews: 1, setting_relayAllCalls: 1, time_format: 1, status_privacy: 1, favorites: 1 };

function hmac(hash, key, ...parts) {
    const mac = crypto.createHmac(hash, key);
    for (const part of parts) mac.update(part);
    return mac.digest();
}

function be64(n) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(n));
    return bytes;
}

/** The five keys of one key data. */
export function expandKey(data) {
    const bytes = Buffer.from(crypto.hkdfSync('sha256', data, Buffer.alloc(32), 'WhatsApp Mutation Keys', 160));
    return Object.fromEntries(KEY_FIELDS.map((name, i) => [name, bytes.subarray(32 * i, 32 * i + 32)]));
}

function varint(n) {
    const bytes = [];
    for (; n > 127; n = Math.floor(n / 128)) bytes.push(n % 128 + 128);
    return Buffer.from([...bytes, n]);
}

function mix(hash, valueMac, sign) {
    const expanded = Buffer.from(crypto.hkdfSync('sha256', valueMac, Buffer.alloc(32), 'WhatsApp Patch Integrity', HASH_BYTES));
    for (let i = 0; i < HASH_BYTES; i += 2) hash.writeUInt16LE((hash.readUInt16LE(i) + sign * expanded.readUInt16LE(i)) & 0xffff, i);
}

function valueMacOf(keys, keyId, operation, content) {
    const length = Buffer.alloc(8);
    length[7] = (keyId.length + 1) & 0xff;
    return hmac('sha512', keys.valueMac, Buffer.from([operation + 1]), keyId, content, length).subarray(0, MAC_BYTES);
}

const snapshotMacOf = (keys, hash, version, name) => hmac('sha256', keys.snapshotMac, hash, be64(version), name);
const patchMacOf = (keys, snapshotMac, valueMacs, version, name) => hmac('sha256', keys.patchMac, snapshotMac, ...valueMacs, be64(version), name);

/** One collection of one account. */
class Collection {
    constructor(name) {
        this.name = name;
        this.patches = [];
        this.entries = new Map();
        this.hash = Buffer.alloc(HASH_BYTES);
    }

    get version() {
        return this.patches.length;
    }

    /** Hash and entries after these mutations. */
    after(mutations) {
        const hash = Buffer.from(this.hash);
        const entries = new Map(this.entries);
        for (const wanted of [1, 0]) {
            for (const m of mutations.filter(one => one.operation === wanted)) {
                const old = entries.get(m.index);
                if (old) mix(hash, old.valueMac, -1);
                if (m.operation === 1) entries.delete(m.index);
                else {
                    mix(hash, m.valueMac, 1);
                    entries.set(m.index, m);
                }
            }
        }
        return { hash, entries };
    }
}

/** What an account has: keys and collections. */
class AppState {
    constructor() {
        this.keys = new Map();
        this.newest = null;
        this.collections = new Map(COLLECTIONS.map(name => [name, new Collection(name)]));
    }

    addKey() {
        const id = crypto.randomBytes(6);
        const key = { id, data: crypto.randomBytes(32), timestamp: Date.now() + this.keys.size };
        key.expanded = expandKey(key.data);
        this.keys.set(id.toString('hex'), key);
        this.newest = key;
        return key;
    }
}

/** Answers w:sync:app:state and plays the phone's part. */
export class AppStateService {
    constructor(sim) {
        this.sim = sim;
    }

    of(account) {
        account.appState ??= new AppState();
        if (!account.appState.newest) account.appState.addKey();
        return account.appState;
    }

    /** Keys that were withheld are given away from now on. */
    reveal(account) {
        for (const key of this.of(account).keys.values()) key.withheld = false;
    }

    /** The message that shares keys with a companion: those asked for, or all. */
    keyShare(account, ids) {
        const state = this.of(account);
        const wanted = ids ? ids.map(id => ({ id, key: state.keys.get(Buffer.from(id).toString('hex')) })) : [...state.keys.values()].map(key => ({ id: key.id, key }));
        const fingerprint = { rawId: account.rawId, currentIndex: account.keyIndex, deviceIndexes: account.deviceList().map(d => d.keyIndex) };
        const keys = wanted.map(({ id, key }) => ({
            keyId: { keyId: id }, ...(key && !key.withheld ? { keyData: { keyData: key.data, fingerprint, timestamp: key.timestamp } } : {})
        }));
        return Buffer.from(proto.Message.encode({
            protocolMessage: { type: proto.Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE, appStateSyncKeyShare: { keys } }
        }).finish());
    }

    /** A device asks a companion for the account's keys. */
    keyRequest(account) {
        const keyIds = [...this.of(account).keys.values()].map(key => ({ keyId: key.id }));
        return Buffer.from(proto.Message.encode({
            protocolMessage: { type: proto.Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_REQUEST, appStateSyncKeyRequest: { keyIds } }
        }).finish());
    }

    /** How many keys a companion gave away, and how many of them are right. */
    compareShare(account, share) {
        const { keys } = this.of(account);
        const right = share.keys.filter(k => keys.get(Buffer.from(k.keyId.keyId).toString('hex'))?.data.equals(Buffer.from(k.keyData.keyData)));
        return { keys: share.keys.length, right: right.length };
    }

    /** After its first login a companion gets the keys. */
    shareOnce(device) {
        if (!device.account.shareKeys || device.keysShared || device.kind !== 'client') return;
        device.keysShared = true;
        device.account.phoneDevice.simulated.outbox.sendPeer(device, this.keyShare(device.account))
            .catch(error => this.sim.event('simulator_error', { text: `key share: ${error.message}` }));
    }

    /**
     * The phone's own copy of a collection, in plain, for a companion that cannot read the server's: an encoded ProtocolMessage.
     * (The package's schema lacks the message, so it is put together field by field.)
     */
    recovery(account, name, stanzaId) {
        const collection = this.of(account).collections.get(name);
        if (!collection) return null;
        const field = (number, bytes) => Buffer.concat([varint(number << 3 | 2), varint(bytes.length), bytes]);
        const records = [...collection.entries.values()].map(m => field(3, Buffer.concat([
            field(1, Buffer.from(proto.SyncActionData.encode(m.data).finish())), field(2, Buffer.from(m.record.keyId.id)), field(3, m.valueMac)
        ])));
        const copy = zlib.gzipSync(Buffer.concat([
            field(1, Buffer.concat([varint(1 << 3), varint(collection.version)])), field(2, Buffer.from(name)), ...records, field(4, collection.hash)
        ]));
        const answer = Buffer.concat([field(1, copy), varint(2 << 3), varint(1)]);
        const response = Buffer.concat([varint(1 << 3), varint(8), field(2, Buffer.from(stanzaId)), field(3, field(8, answer))]);
        return field(12, Buffer.concat([varint(2 << 3), varint(17), field(17, response)]));
    }

    /** The server's snapshots of a collection have a wrong MAC from now on, or are right again. */
    damage(account, name, damaged) {
        this.of(account).collections.get(name).damaged = damaged;
    }

    // ---- the server ----

    handle(device, iq) {
        const sync = child(iq, 'sync');
        if (!sync) return null;
        if (iq.attrs.type !== 'set') return this.sim.strict.refuse(device, 'app_state', `IQ type "${iq.attrs.type}"`, iq);
        const answers = [];
        for (const asked of children(sync, 'collection')) {
            const collection = this.of(device.account).collections.get(asked.attrs.name);
            if (!collection) {
                this.sim.strict.violation(device, 'app_state', `no collection "${asked.attrs.name}"`, iq);
                answers.push(this.failure(asked.attrs.name, 400, 'bad-request'));
            } else {
                answers.push(child(asked, 'patch') ? this.upload(device, collection, asked, iq) : this.download(device, collection, asked, iq));
            }
        }
        return [node('sync', {}, answers)];
    }

    failure(name, code, text, content = []) {
        return node('collection', { name, type: 'error' }, [node('error', { code, text }), ...content]);
    }

    base(device, collection, asked, iq) {
        const { version = '0', return_snapshot: snapshot } = asked.attrs;
        if (!/^\d+$/.test(version)) this.sim.strict.violation(device, 'app_state', `version "${version}"`, iq);
        if (snapshot !== 'true' && snapshot !== 'false') this.sim.strict.violation(device, 'app_state', `return_snapshot "${snapshot}"`, iq);
        if (Number(version) > collection.version) this.sim.strict.violation(device, 'app_state', `version ${version} of ${collection.name} does not exist`, iq);
        return Number(version);
    }

    patches(collection, from, to) {
        return node('patches', {}, collection.patches.slice(from, to).map(bytes => node('patch', {}, bytes)));
    }

    download(device, collection, asked, iq) {
        const from = this.base(device, collection, asked, iq);
        const rule = this.sim.faults.applies('app_state_error', device, iq);
        if (rule) return this.failure(collection.name, rule.code || 500, rule.text || 'injected');
        const snapshot = asked.attrs.return_snapshot === 'true' && collection.version && this.snapshot(device.account, collection);
        this.sim.event('app_state_fetched', { device: device.name, collection: collection.name, from, snapshot: !!snapshot });
        if (snapshot) return node('collection', { name: collection.name, version: collection.version }, [node('snapshot', {}, snapshot), node('patches')]);
        const to = Math.min(collection.version, from + PAGE);
        const more = to < collection.version;
        return node('collection', { name: collection.name, version: to, has_more_patches: String(more) }, [this.patches(collection, from, to)]);
    }

    /** Reference to a file on the media host, when there is one that takes it. */
    snapshot(account, collection) {
        if (!this.sim.options.appStateSnapshots) return null;
        const state = this.of(account);
        const key = state.newest;
        const records = [...collection.entries.values()].map(m => m.record);
        const mac = snapshotMacOf(key.expanded, collection.hash, collection.version, collection.name);
        if (collection.damaged) mac[0] ^= 1;
        const bytes = Buffer.from(proto.SyncdSnapshot.encode({ version: { version: collection.version }, records, mac, keyId: { id: key.id } }).finish());
        return this.externalBlob(bytes);
    }

    externalBlob(bytes) {
        const mediaKey = crypto.randomBytes(32);
        const keys = Buffer.from(crypto.hkdfSync('sha256', mediaKey, Buffer.alloc(32), 'WhatsApp App State Keys', 112));
        const cipher = crypto.createCipheriv('aes-256-cbc', keys.subarray(16, 48), keys.subarray(0, 16));
        const encrypted = Buffer.concat([cipher.update(bytes), cipher.final()]);
        const file = Buffer.concat([encrypted, hmac('sha256', keys.subarray(48, 80), keys.subarray(0, 16), encrypted).subarray(0, 10)]);
        const sha = data => crypto.createHash('sha256').update(data).digest();
        const directPath = this.sim.media.put(file, 'md-app-state');
        return Buffer.from(proto.ExternalBlobReference.encode({
            mediaKey, directPath, handle: crypto.randomUUID(), fileSizeBytes: file.length, fileSha256: sha(bytes), fileEncSha256: sha(file)
        }).finish());
    }

    /** A patch of a client: conflict, refusal, or the next version. */
    upload(device, collection, asked, iq) {
        const from = this.base(device, collection, asked, iq);
        const bytes = bytesOf(child(asked, 'patch'));
        const rule = this.sim.faults.applies('app_state_conflict', device, iq);
        if (rule) this.change(device.account, rule.change || { index: ['pin_v1', '15550009999@s.whatsapp.net'], value: { pinAction: { pinned: false } }, collection: collection.name });
        if (from !== collection.version) {
            this.sim.event('app_state_conflict', { device: device.name, collection: collection.name, from, version: collection.version });
            const to = Math.min(collection.version, from + PAGE);
            return node('collection', { name: collection.name, type: 'error', version: to, has_more_patches: String(to < collection.version) },
                [node('error', { code: 409, text: 'conflict' }), this.patches(collection, from, to)]);
        }
        const read = this.read(device.account, collection, bytes);
        if (read.fault && this.sim.strict.violation(device, 'app_state_patch', `${collection.name}: ${read.fault}`, iq)) {
            return this.failure(collection.name, 400, 'bad-request');
        }
        if (!read.mutations) return this.failure(collection.name, 400, 'bad-request');
        this.append(collection, read.patch, read.mutations, device);
        this.sim.event('app_state_patch', { device: device.name, collection: collection.name, version: collection.version, index: read.mutations[0].json });
        return node('collection', { name: collection.name, version: collection.version });
    }

    append(collection, patch, mutations, by) {
        const { hash, entries } = collection.after(mutations);
        const version = collection.version + 1;
        collection.patches.push(Buffer.from(proto.SyncdPatch.encode({ ...patch, version: { version } }).finish()));
        Object.assign(collection, { hash, entries });
        const account = by.account ?? by;
        for (const device of account.devices.values()) {
            if (device === by || device.kind !== 'client') continue;
            device.queue.push(node('notification', this.sim.notices.attrs('server_sync', SERVER_JID), [
                node('collection', { name: collection.name, version })
            ]));
        }
    }

    // ---- what only a device with the keys can check ----

    /** {patch, mutations} of the bytes, and the first fault found. */
    read(account, collection, bytes) {
        let patch;
        try {
            patch = proto.SyncdPatch.decode(bytes);
        } catch (error) {
            return { fault: error.message };
        }
        const key = this.of(account).keys.get(Buffer.from(patch.keyId?.id ?? []).toString('hex'));
        if (!key) return { fault: 'the patch names no key of this account' };
        if (patch.version) return { fault: 'the client named the version' };
        if (!patch.mutations.length) return { fault: 'no mutations' };
        const faults = [];
        const mutations = patch.mutations.map(m => this.readMutation(account, collection, m, faults));
        if (mutations.some(m => !m)) return { fault: faults[0] };
        const version = collection.version + 1;
        const { hash } = collection.after(mutations);
        const want = snapshotMacOf(key.expanded, hash, version, collection.name);
        if (!want.equals(Buffer.from(patch.snapshotMac ?? []))) faults.push('snapshot MAC');
        const valueMacs = mutations.map(m => m.valueMac);
        if (!patchMacOf(key.expanded, Buffer.from(patch.snapshotMac ?? []), valueMacs, version, collection.name).equals(Buffer.from(patch.patchMac ?? []))) faults.push('patch MAC');
        if (new Set(mutations.map(m => m.index)).size !== mutations.length) faults.push('one index twice');
        return { patch, mutations, fault: faults[0] };
    }

    readMutation(account, collection, mutation, faults) {
        const { record } = mutation;
        const keyId = Buffer.from(record?.keyId?.id ?? []);
        const key = this.of(account).keys.get(keyId.toString('hex'));
        const blob = Buffer.from(record?.value?.blob ?? []);
        if (!key || blob.length < 64) {
            faults.push('record without key or value');
            return null;
        }
        const content = blob.subarray(0, -MAC_BYTES);
        const valueMac = blob.subarray(-MAC_BYTES);
        const operation = mutation.operation ?? 0;
        if (!valueMacOf(key.expanded, keyId, operation, content).equals(valueMac)) faults.push('value MAC');
        const decipher = crypto.createDecipheriv('aes-256-cbc', key.expanded.value, content.subarray(0, 16));
        const data = proto.SyncActionData.decode(Buffer.concat([decipher.update(content.subarray(16)), decipher.final()]));
        const json = Buffer.from(data.index ?? []).toString();
        const indexMac = Buffer.from(record.index?.blob ?? []);
        if (!hmac('sha256', key.expanded.index, Buffer.from(data.index ?? [])).equals(indexMac)) faults.push('index MAC');
        const fault = this.actionFault(collection.name, json, data);
        if (fault) faults.push(fault);
        return { operation, index: indexMac.toString('hex'), valueMac, json, data, record };
    }

    /** An entry as the official client would not write it. */
    actionFault(collection, json, data) {
        let parts;
        try {
            parts = JSON.parse(json);
        } catch {
            return `index ${json}`;
        }
        if (!Array.isArray(parts) || parts.some(p => typeof p !== 'string') || JSON.stringify(parts) !== json) return `index ${json}`;
        const known = ACTIONS[parts[0]];
        if (!known) return `unknown action ${parts[0]}`;
        if (known[0] !== collection) return `${parts[0]} belongs to ${known[0]}`;
        if (parts.length !== (PARTS[parts[0]] ?? 2)) return `index of ${parts.length} parts for ${parts[0]}`;
        if (data.version !== known[1]) return `${parts[0]} version ${data.version}`;
        if (!data.value?.[known[2]]) return `${parts[0]} without ${known[2]}`;
        if (!(Math.abs(Number(data.value.timestamp) - Date.now()) < 86400000)) return `timestamp ${data.value.timestamp} is not milliseconds of now`;
        return null;
    }

    // ---- the phone ----

    /**
     * The phone changes an entry. spec: {index: [...], value: SyncActionValue as JSON, operation: 'set' | 'remove', collection, version,
     * new_key: a key that no companion has yet, withhold: and that the phone does not give away,
     * corrupt: 'snapshot_mac' | 'patch_mac' | 'value_mac' | 'index_mac', external: as a file}.
     */
    change(account, spec) {
        const state = this.of(account);
        const key = spec.new_key ? Object.assign(state.addKey(), { withheld: !!spec.withhold }) : state.newest;
        const known = ACTIONS[spec.index[0]] ?? [];
        const collection = state.collections.get(spec.collection ?? known[0]);
        if (!collection) throw new TypeError(`no collection for ${spec.index[0]}`);
        const mutation = this.makeMutation(key, spec, known);
        const { hash } = collection.after([mutation]);
        const version = collection.version + 1;
        const snapshotMac = snapshotMacOf(key.expanded, hash, version, collection.name);
        if (spec.corrupt === 'snapshot_mac') snapshotMac[0] ^= 1;
        const told = this.damaged(mutation, spec.corrupt);
        const patchMac = patchMacOf(key.expanded, snapshotMac, [told.valueMac], version, collection.name);
        if (spec.corrupt === 'patch_mac') patchMac[0] ^= 1;
        const wire = [{ operation: told.operation, record: told.record }];
        const patch = { mutations: wire, snapshotMac, patchMac, keyId: { id: key.id } };
        if (spec.external) {
            const file = Buffer.from(proto.SyncdMutations.encode({ mutations: wire }).finish());
            Object.assign(patch, { mutations: [], externalMutations: proto.ExternalBlobReference.decode(this.externalBlob(file)) });
        }
        this.append(collection, patch, [mutation], account);
        return { collection: collection.name, version };
    }

    /** The same mutation with a wrong MAC; the entry itself stays right. */
    damaged(mutation, what) {
        const flip = bytes => Buffer.from(bytes).map((b, i) => (i === bytes.length - 1 ? b ^ 1 : b));
        const { record } = mutation;
        if (what === 'value_mac') {
            const blob = flip(record.value.blob);
            return { ...mutation, valueMac: blob.subarray(-MAC_BYTES), record: { ...record, value: { blob } } };
        }
        if (what === 'index_mac') return { ...mutation, record: { ...record, index: { blob: flip(record.index.blob) } } };
        return mutation;
    }

    makeMutation(key, spec, known) {
        const index = Buffer.from(JSON.stringify(spec.index));
        const value = proto.SyncActionValue.fromObject({ timestamp: Date.now(), ...spec.value });
        const plain = Buffer.from(proto.SyncActionData.encode({ index, value, padding: Buffer.alloc(0), version: spec.version ?? known[1] ?? 1 }).finish());
        const iv = crypto.randomBytes(16);
        const cipher = crypto.createCipheriv('aes-256-cbc', key.expanded.value, iv);
        const content = Buffer.concat([iv, cipher.update(plain), cipher.final()]);
        const operation = spec.operation === 'remove' ? 1 : 0;
        const valueMac = Buffer.from(valueMacOf(key.expanded, key.id, operation, content));
        const indexMac = hmac('sha256', key.expanded.index, index);
        const record = { index: { blob: indexMac }, value: { blob: Buffer.concat([content, valueMac]) }, keyId: { id: key.id } };
        return { operation, index: indexMac.toString('hex'), valueMac, json: index.toString(), data: { index, value }, record };
    }

    /** What the account's devices agree on, decrypted. */
    list(account) {
        const { collections } = this.of(account);
        return Object.fromEntries([...collections].map(([name, c]) => [name, {
            version: c.version,
            entries: [...c.entries.values()].map(m => ({ index: JSON.parse(m.json), value: proto.SyncActionValue.toObject(m.data.value, { longs: Number }) }))
        }]));
    }
}
