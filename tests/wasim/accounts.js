// SPDX-License-Identifier: GPL-3.0-or-later
// Accounts and devices: who exists, under which numbers, with which keys.
import crypto from 'node:crypto';
import { proto } from 'baileys/WAProto/index.js';
import { newKeyPair, sign, sha256 } from './curve.js';
import { LID_SERVER, PN_SERVER, formatJid, parseJid } from './jid.js';
import { DeviceQueue } from './queue.js';
import { PreKeyPool } from './prekeys.js';

const KEY_INDEX_LIST_PREFIX = Buffer.from([6, 2]);

/** One device of an account: the phone (id 0), a linked client, or a simulated companion. */
export class Device {
    constructor(account, id, fields) {
        this.account = account;
        this.id = id;
        this.keyIndex = fields.keyIndex || 0;
        this.kind = fields.kind;
        this.noiseKey = fields.noiseKey || null;
        this.identity = fields.identity;
        this.registrationId = fields.registrationId;
        this.signedPreKey = fields.signedPreKey || null;
        this.adv = fields.adv || null;
        this.platform = fields.platform || null;
        this.preKeys = new PreKeyPool();
        this.queue = new DeviceQueue(this);
        this.connection = null;
        this.simulated = null;
        this.available = false;
        this.handled = new Map();
        this.ratchets = new Map();
        this.knownLists = new Map();
        this.excused = new Set();
        this.markedLenient = !!fields.lenient;
        this.retriesOwed = new Set();
        this.senderKeys = new Map();
        this.groupsKnown = new Map();
        this.counters = { sent: 0, received: 0 };
    }

    /** JID in one namespace: 'pn' or 'lid'. */
    jid(namespace = 'pn') {
        return namespace === 'lid'
            ? formatJid(this.account.lid, LID_SERVER, this.id)
            : formatJid(this.account.phone, PN_SERVER, this.id);
    }

    get name() {
        return this.jid('pn');
    }

    /** True for clients whose faults are only noted: linked as such, or of an account made so. */
    get lenient() {
        return this.markedLenient || !this.account.strict;
    }

    toJson() {
        return {
            jid: this.jid('pn'), lid_jid: this.jid('lid'), id: this.id, key_index: this.keyIndex, kind: this.kind,
            online: !!this.connection || !!this.simulated?.online, available: this.available,
            queued: this.queue.size, one_time_keys: this.preKeys.count,
            registration_id: this.registrationId ?? null
        };
    }
}

/** One WhatsApp account with its identity key (also the Signal identity of the phone). */
export class Account {
    constructor(options) {
        this.phone = options.phone;
        this.lid = options.lid;
        this.pushName = options.name || `User ${options.phone}`;
        this.platform = options.platform || 'android';
        this.passkey = !!options.passkey;
        this.strict = options.strict !== false;
        this.requireToken = !!options.require_token;
        this.shareKeys = !!options.share_keys;
        this.appState = null;
        this.identity = newKeyPair();
        this.rawId = crypto.randomInt(1, 2 ** 31);
        this.nctSalt = crypto.randomBytes(32);
        this.devices = new Map();
        this.nextDeviceId = options.first_device_id || 1;
        this.keyIndex = 0;
        this.listVersion = 1;
        this.tokensIssued = new Map();
        this.timelock = null;
        this.cap = null;
        this.chatted = new Set();
        this.blocked = new Set();
        this.phoneDevice = null;
        this.settings = { readreceipts: 'all', last: 'all', online: 'all', profile: 'all', status: 'all', groupadd: 'all', calladd: 'all', messages: 'all', stickers: 'contacts', defense: 'off' };
    }

    jid(namespace = 'pn') {
        return namespace === 'lid' ? formatJid(this.lid, LID_SERVER) : formatJid(this.phone, PN_SERVER);
    }

    /** Devices by id, the phone first. */
    deviceList() {
        return [...this.devices.values()].sort((a, b) => a.id - b.id);
    }

    addDevice(device) {
        this.devices.set(device.id, device);
        this.listVersion++;
        this.signedKeyIndexList = null;
    }

    removeDevice(device) {
        this.devices.delete(device.id);
        this.listVersion++;
        this.signedKeyIndexList = null;
    }

    /** A new device id and key index, as the phone hands them out. */
    allocate() {
        return { id: this.nextDeviceId++, keyIndex: ++this.keyIndex };
    }

    /** Encoded ADVSignedKeyIndexList of the present device list. */
    keyIndexList() {
        if (!this.signedKeyIndexList) {
            const timestamp = Math.floor(Date.now() / 1000);
            const details = Buffer.from(proto.ADVKeyIndexList.encode({
                rawId: this.rawId, timestamp, currentIndex: this.keyIndex,
                validIndexes: this.deviceList().map(d => d.keyIndex), accountType: 0
            }).finish());
            const signature = sign(this.identity.private, Buffer.concat([KEY_INDEX_LIST_PREFIX, details]));
            this.signedKeyIndexList = {
                timestamp,
                bytes: Buffer.from(proto.ADVSignedKeyIndexList.encode({ details, accountSignature: signature }).finish())
            };
        }
        return this.signedKeyIndexList;
    }

    toJson() {
        return {
            phone: this.phone, lid: this.lid, jid: this.jid('pn'), lid_jid: this.jid('lid'), name: this.pushName,
            passkey: this.passkey, strict: this.strict, require_token: this.requireToken,
            devices: this.deviceList().map(d => d.toJson())
        };
    }
}

/** All accounts, found by phone number or LID. */
export class Directory {
    constructor() {
        this.byPhone = new Map();
        this.byLid = new Map();
    }

    /** Creates an account without devices; throws on a bad or taken number. */
    create(options) {
        const phone = String(options.phone || '');
        if (!/^[1-9]\d{6,14}$/.test(phone)) throw new TypeError(`bad phone number "${phone}"`);
        if (this.byPhone.has(phone)) throw new TypeError(`phone number ${phone} is taken`);
        const lid = String(options.lid || (10n ** 14n + BigInt(phone) * 7n).toString());
        if (!/^\d{5,20}$/.test(lid)) throw new TypeError(`bad LID "${lid}"`);
        if (this.byLid.has(lid)) throw new TypeError(`LID ${lid} is taken`);
        const account = new Account({ ...options, phone, lid });
        this.byPhone.set(phone, account);
        this.byLid.set(lid, account);
        return account;
    }

    /** Account of a JID of either namespace, or undefined. */
    ofJid(text) {
        const jid = parseJid(text);
        if (!jid) return undefined;
        return jid.server === LID_SERVER ? this.byLid.get(jid.user)
            : jid.server === PN_SERVER ? this.byPhone.get(jid.user) : undefined;
    }

    /** Device of a JID of either namespace, or undefined. */
    deviceOf(text) {
        return this.ofJid(text)?.devices.get(parseJid(text).device);
    }

    /** Account by phone number, LID or JID, as control requests write it. */
    find(text) {
        const key = String(text ?? '').replace(/^\+/, '');
        return key.includes('@') ? this.ofJid(key) : this.byPhone.get(key) || this.byLid.get(key);
    }
}

/** "pn" or "lid" for a JID's server part. */
export function namespaceOf(text) {
    return parseJid(text)?.server === LID_SERVER ? 'lid' : 'pn';
}

/** Hash over devices as clients compare it (6 bytes of SHA-256 over the sorted full device names). */
export function participantHash(jids) {
    const names = jids.map(text => {
        const jid = parseJid(text);
        return `${jid.user}.0:${jid.device}@${jid.server}`;
    }).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return `2:${sha256(names.join('')).subarray(0, 6).toString('base64')}`;
}
