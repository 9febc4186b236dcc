// SPDX-License-Identifier: GPL-3.0-or-later
// A bare companion for testing the simulator itself: it does exactly what a test says, wrong things included.
import crypto from 'node:crypto';
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import WebSocket from 'ws';
import { proto } from 'baileys/WAProto/index.js';
import { dh, djb, hkdf, hmacSha256, newKeyPair, sha256, sign } from '../curve.js';
import { beBytes, bytesOf, child, children, decodeFrame, encodeNode, node, textOf } from '../nodes.js';
import { SERVER_JID, parseJid } from '../jid.js';
import { KEY_TYPE } from '../prekeys.js';
import { SignalStore } from '../signal-store.js';
import { pad, unpad } from '../content.js';

const NAME = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0', 'latin1');
const INTRO = Buffer.from('57410603', 'hex');
const EMPTY = Buffer.alloc(0);
const VERSION = { primary: 2, secondary: 3000, tertiary: 1045649367 };
const WAIT_MS = 10000;

function iv(n) {
    const out = Buffer.alloc(12);
    out.writeUInt32BE(n, 8);
    return out;
}

function seal(key, n, aad, plain) {
    const c = crypto.createCipheriv('aes-256-gcm', key, iv(n));
    c.setAAD(aad);
    return Buffer.concat([c.update(plain), c.final(), c.getAuthTag()]);
}

function open(key, n, aad, sealed) {
    const d = crypto.createDecipheriv('aes-256-gcm', key, iv(n));
    d.setAAD(aad);
    d.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([d.update(sealed.subarray(0, -16)), d.final()]);
}

/** A device's lasting state and its connection. */
export class WireClient {
    constructor(wasim) {
        this.wasim = wasim;
        this.noiseKey = newKeyPair();
        this.identity = newKeyPair();
        this.store = new SignalStore(this.identity);
        this.advSecret = crypto.randomBytes(32);
        this.events = new EventEmitter();
        this.events.setMaxListeners(0);
        this.received = [];
        this.auto = true;
        this.iqNumber = 0;
    }

    /** Connects, shakes hands and sends the payload (registration unless paired). Overrides change payload fields. */
    async connect(overrides = {}) {
        this.received = [];
        this.closed = null;
        this.input = EMPTY;
        this.counters = { read: 0, write: 0 };
        const ca = this.wasim.caFile ? fs.readFileSync(this.wasim.caFile) : undefined;
        this.socket = new WebSocket(this.wasim.wsUrl, { origin: 'https://web.whatsapp.com', ca, ...overrides.socket });
        const mine = this.socket;
        mine.on('close', code => {
            if (mine !== this.socket) return;
            this.closed = code;
            this.events.emit('change');
        });
        mine.on('error', () => undefined);
        await new Promise((resolve, reject) => {
            this.socket.once('open', resolve);
            this.socket.once('error', reject);
        });
        this.chunks = [];
        const { socket } = this;
        socket.on('message', data => {
            if (socket !== this.socket) return;
            this.chunks.push(data);
            this.onBytes(data);
        });
        await this.handshake(overrides);
    }

    onBytes(data) {
        this.input = Buffer.concat([this.input, data]);
        while (this.input.length >= 3) {
            const length = this.input.readUIntBE(0, 3);
            if (this.input.length < 3 + length) return;
            const payload = this.input.subarray(3, 3 + length);
            this.input = this.input.subarray(3 + length);
            if (!this.readKey) this.helloDone(payload);
            else this.onStanza(decodeFrame(open(this.readKey, this.counters.read++, EMPTY, payload)));
        }
    }

    async handshake(overrides) {
        this.readKey = null;
        let h = sha256(NAME, INTRO);
        let ck = NAME;
        let k = NAME;
        const mixKey = secret => {
            const o = hkdf(secret, ck, EMPTY, 64);
            ck = o.subarray(0, 32);
            k = o.subarray(32);
        };
        const e = newKeyPair();
        h = sha256(h, e.public);
        const answered = new Promise(resolve => { this.helloDone = resolve; });
        const hello = Buffer.from(proto.HandshakeMessage.encode({ clientHello: { ephemeral: e.public } }).finish());
        const edge = this.routing ? Buffer.concat([Buffer.from('45440001', 'hex'), beBytes(this.routing.length, 3), this.routing]) : EMPTY;
        this.socket.send(Buffer.concat([edge, INTRO, beBytes(hello.length, 3), hello]));
        const { serverHello } = proto.HandshakeMessage.decode(await answered);
        h = sha256(h, serverHello.ephemeral);
        mixKey(dh(e.private, Buffer.from(serverHello.ephemeral)));
        const serverStatic = open(k, 0, h, Buffer.from(serverHello.static));
        h = sha256(h, serverHello.static);
        mixKey(dh(e.private, serverStatic));
        this.chain = proto.CertChain.decode(open(k, 0, h, Buffer.from(serverHello.payload)));
        this.serverStatic = serverStatic;
        h = sha256(h, serverHello.payload);
        const st = seal(k, 1, h, this.noiseKey.public);
        h = sha256(h, st);
        mixKey(dh(this.noiseKey.private, Buffer.from(serverHello.ephemeral)));
        const payload = seal(k, 0, h, this.payload(overrides));
        const keys = hkdf(EMPTY, ck, EMPTY, 64);
        this.writeKey = keys.subarray(0, 32);
        this.readKey = keys.subarray(32);
        const finish = Buffer.from(proto.HandshakeMessage.encode({ clientFinish: { static: st, payload } }).finish());
        this.socket.send(Buffer.concat([beBytes(finish.length, 3), finish]));
    }

    payload({ payload = {}, pairing = {} }) {
        const base = {
            passive: !!this.jid, connectType: 1, connectReason: 1, pull: !!this.jid, webInfo: { webSubPlatform: 0 },
            userAgent: { platform: 14, appVersion: VERSION, mcc: '000', mnc: '000', osVersion: '0.1', device: 'Desktop', releaseChannel: 0 }
        };
        if (this.jid) {
            const { user, device } = parseJid(this.jid);
            Object.assign(base, { username: Number(user), device });
        } else {
            const skey = this.store.signedPreKey;
            base.devicePairingData = {
                eRegid: beBytes(this.store.registrationId, 4), eKeytype: KEY_TYPE, eIdent: this.identity.public,
                eSkeyId: beBytes(skey.id, 3), eSkeyVal: skey.public, eSkeySig: skey.signature,
                buildHash: crypto.createHash('md5').update(Object.values(VERSION).join('.')).digest(),
                deviceProps: Buffer.from(proto.DeviceProps.encode({ os: 'Linux', platformType: 1 }).finish()), ...pairing
            };
        }
        return Buffer.from(proto.ClientPayload.encode({ ...base, ...payload }).finish());
    }

    send(stanza) {
        const sealed = seal(this.writeKey, this.counters.write++, EMPTY, encodeNode(stanza));
        this.socket.send(Buffer.concat([beBytes(sealed.length, 3), sealed]));
    }

    onStanza(stanza) {
        this.received.push(stanza);
        if (this.auto && stanza.tag === 'iq' && child(stanza, 'pair-device')) {
            this.send(node('iq', { to: SERVER_JID, type: 'result', id: stanza.attrs.id }));
        }
        if (this.auto && (stanza.tag === 'notification' || stanza.tag === 'receipt')) this.ack(stanza);
        this.events.emit('change');
    }

    ack({ tag, attrs }, extra = {}) {
        this.send(node('ack', { class: tag, id: attrs.id, to: attrs.from, participant: attrs.participant, type: tag === 'message' ? undefined : attrs.type, ...extra }));
    }

    /** Resolves with find() once that is true, after any change. */
    waitChange(find, what) {
        return new Promise((resolve, reject) => {
            const check = () => {
                const found = find();
                if (!found) return;
                clearTimeout(timer);
                this.events.off('change', check);
                resolve(found);
            };
            const timer = setTimeout(() => {
                this.events.off('change', check);
                reject(new Error(`no ${what}; got ${this.received.map(s => s.tag).join(' ')}`));
            }, WAIT_MS);
            this.events.on('change', check);
            check();
        });
    }

    /** Waits for a received stanza that fits. */
    waitFor(fits, what) {
        const wanted = typeof fits === 'string' ? s => s.tag === fits : fits;
        return this.waitChange(() => this.received.find(wanted), what || fits);
    }

    waitClosed() {
        return this.waitChange(() => this.closed !== null, 'close');
    }

    async query(xmlns, type, content) {
        const id = `w${++this.iqNumber}`;
        this.send(node('iq', { to: SERVER_JID, type, xmlns, id }, content));
        return this.waitFor(s => s.tag === 'iq' && s.attrs.id === id, `answer of ${xmlns}`);
    }

    /** QR text of the first ref. */
    async qr() {
        const offer = await this.waitFor(s => child(s, 'pair-device'), 'pair-device');
        const ref = textOf(children(child(offer, 'pair-device'), 'ref')[0]);
        const keys = [this.noiseKey.public, this.identity.public, this.advSecret].map(b => b.toString('base64'));
        return `https://wa.me/settings/linked_devices#${[ref, ...keys, '1'].join(',')}`;
    }

    /** Answers pair-success rightly (or refuses) and keeps what it says. */
    async acceptPairing(change = {}) {
        const iq = await this.waitFor(s => child(s, 'pair-success'), 'pair-success');
        const success = child(iq, 'pair-success');
        const container = proto.ADVSignedDeviceIdentityHMAC.decode(bytesOf(child(success, 'device-identity')));
        const details = Buffer.from(container.details);
        this.hmacGood = hmacSha256(this.advSecret, details).equals(Buffer.from(container.hmac));
        const account = proto.ADVSignedDeviceIdentity.decode(details);
        const inner = Buffer.from(account.details);
        this.accountKey = Buffer.from(account.accountSignatureKey);
        const message = Buffer.concat([Buffer.from([6, 1]), inner, this.identity.public, this.accountKey]);
        account.deviceSignature = change.badSignature ? Buffer.alloc(64, 1) : sign(this.identity.private, message);
        this.adv = Buffer.from(proto.ADVSignedDeviceIdentity.encode(account).finish());
        const reply = proto.ADVSignedDeviceIdentity.encode({ ...account, accountSignatureKey: undefined }).finish();
        const index = proto.ADVDeviceIdentity.decode(inner).keyIndex;
        this.send(node('iq', { to: SERVER_JID, type: 'result', id: iq.attrs.id }, [
            node('pair-device-sign', {}, [node('device-identity', { 'key-index': index }, Buffer.from(reply))])
        ]));
        const device = child(success, 'device');
        this.jid = device.attrs.jid;
        this.lid = device.attrs.lid;
    }

    /** The whole of linking and logging in, with prekeys. */
    async link(phone, callControl) {
        await this.connect();
        const scanned = callControl('POST', `/accounts/${phone}/scan`, { qr: await this.qr() });
        await this.acceptPairing();
        const outcome = await scanned;
        await this.waitClosed();
        await this.login();
        await this.query('encrypt', 'set', this.upload(20));
        return outcome;
    }

    async login(active = true) {
        await this.connect();
        await this.waitFor('success');
        if (active) await this.query('passive', 'set', [node('active')]);
    }

    /** Children of a prekey upload. */
    upload(count, change = {}) {
        const skey = this.store.signedPreKey;
        const keys = Array.from({ length: count }, () => this.store.newPreKey());
        return [
            node('registration', {}, beBytes(this.store.registrationId, 4)), node('type', {}, KEY_TYPE), node('identity', {}, this.identity.public),
            node('list', {}, keys.map(k => node('key', {}, [node('id', {}, beBytes(change.id ?? k.id, 3)), node('value', {}, k.public)]))),
            node('skey', {}, [node('id', {}, beBytes(skey.id, 3)), node('value', {}, skey.public),
                node('signature', {}, change.signature || skey.signature)])
        ];
    }

    /** A device as the store addresses it. */
    peer(jid) {
        const device = this.wasim.sim.directory.deviceOf(jid);
        return { account: { lid: device.account.lid }, id: device.id };
    }

    /** Fetches a bundle and builds the session. */
    async install(jid) {
        const answer = await this.query('encrypt', 'get', [node('key', {}, [node('user', { jid })])]);
        const user = children(child(answer, 'list'), 'user')[0];
        const read = (parent, tag) => bytesOf(child(parent, tag));
        const skey = child(user, 'skey');
        const key = child(user, 'key');
        await this.store.install(this.peer(jid), {
            registrationId: read(user, 'registration').readUInt32BE(0), identity: read(user, 'identity'),
            signedPreKey: { id: read(skey, 'id').readUIntBE(0, 3), public: read(skey, 'value'), signature: read(skey, 'signature') },
            oneTime: key ? { id: read(key, 'id').readUIntBE(0, 3), public: read(key, 'value') } : null
        });
    }

    /** Encrypts a text for one device as <to>; own devices get the wrapped form. */
    async to(jid, chat, text) {
        if (this.store.sessionRegistration(this.peer(jid)) === null) await this.install(jid);
        const own = [parseJid(this.jid).user, parseJid(this.lid).user].includes(parseJid(jid).user);
        const message = { conversation: text };
        const plain = Buffer.from(proto.Message.encode(own ? { deviceSentMessage: { destinationJid: chat, message } } : message).finish());
        const { type, bytes } = await this.store.encrypt(this.peer(jid), pad(plain));
        return node('to', { jid }, [node('enc', { v: 2, type }, bytes)]);
    }

    /** Sends a text to a chat with these devices; resolves with the ack. */
    async text(chat, devices, text, attrs = {}) {
        const id = attrs.id || `3EB0${crypto.randomBytes(9).toString('hex').toUpperCase()}`;
        const list = [];
        for (const jid of devices) list.push(await this.to(jid, chat, text));
        this.lastMessage = node('message', { id, to: chat, type: 'text', ...attrs }, [
            node('participants', {}, list), node('device-identity', {}, this.adv)
        ]);
        return this.sendMessage(this.lastMessage);
    }

    async sendMessage(stanza) {
        const before = this.received.length;
        this.send(stanza);
        return this.waitFor(s => s.tag === 'ack' && s.attrs.id === stanza.attrs.id && this.received.indexOf(s) >= before, 'ack');
    }

    /** Decrypts a received message stanza to its protobuf. */
    async decrypt(stanza) {
        const enc = child(stanza, 'enc');
        return proto.Message.decode(unpad(await this.store.decrypt(this.peer(stanza.attrs.from), enc.attrs.type, bytesOf(enc))));
    }

    /** A delivery receipt for a message. */
    receipt(stanza, attrs = {}, content) {
        this.send(node('receipt', { id: stanza.attrs.id, to: stanza.attrs.from, ...attrs }, content));
    }

    drop() {
        this.socket.terminate();
        return this.waitClosed();
    }

    /** The signed identity key with its type byte, for hand-made envelopes. */
    get publicIdentity() {
        return djb(this.identity.public);
    }
}
