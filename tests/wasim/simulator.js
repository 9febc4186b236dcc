// SPDX-License-Identifier: GPL-3.0-or-later
// The simulated service: ties accounts, connections, routing and the simulated phones together.
import crypto from 'node:crypto';
import { node, nodeToJson } from './nodes.js';
import { hmacSha256, newKeyPair, sha256 } from './curve.js';
import { Device, Directory } from './accounts.js';
import { CertificateAuthority } from './certs.js';
import { Log } from './events.js';
import { Strict } from './strict.js';
import { Faults } from './faults.js';
import { PreKeyService } from './prekeys.js';
import { Usync } from './usync.js';
import { IqService, TokenService } from './iq.js';
import { Login } from './login.js';
import { Pairing, completeIdentity, issueIdentity, signDeviceIdentity } from './pairing.js';
import { CodePairing } from './code-pairing.js';
import { Passkey } from './passkey.js';
import { AppStateService } from './app-state.js';
import { Notices } from './notices.js';
import { Router } from './routing.js';
import { MediaHost } from './media.js';
import { Receipts } from './receipts.js';
import { Profiles } from './profiles.js';
import { Presence } from './presence.js';
import { Calls } from './calls.js';
import { SimulatedDevice } from './sim-device.js';
import { Bulk } from './bulk.js';
import { Groups } from './groups.js';
import { GroupPictures } from './group-pictures.js';
import { Newsletters } from './newsletters.js';

const CONTENTS_KEPT = 5000;

const DEFAULTS = {
    minVersion: 0, firstFrameDelayMs: 0, edgeRouting: 'wasim-edge', tokensToLid: false, props: {}, mediaHosts: [],
    stanzaLimit: 20000, eventLimit: 50000, inboxLimit: 20000, logStanzas: true,
    omitAlternate: false, appStateSnapshots: false
};

/** One simulated WhatsApp. */
export class Simulator {
    constructor(options = {}) {
        this.options = { ...DEFAULTS, ...options };
        this.directory = new Directory();
        this.authority = new CertificateAuthority();
        this.connections = new Set();
        this.connectionNumber = 0;
        this.idNumber = 0;
        this.events = new Log(this.options.eventLimit);
        this.stanzas = new Log(this.options.stanzaLimit);
        this.contents = new Map();
        this.strict = new Strict(this);
        this.faults = new Faults(this);
        this.preKeys = new PreKeyService(this);
        this.usync = new Usync(this);
        this.tokens = new TokenService(this);
        this.login = new Login(this);
        this.pairing = new Pairing(this);
        this.codePairing = new CodePairing(this);
        this.passkey = new Passkey(this);
        this.notices = new Notices(this);
        this.appState = new AppStateService(this);
        this.groups = new Groups(this);
        this.groupPictures = new GroupPictures(this);
        this.newsletters = new Newsletters(this);
        this.media = new MediaHost(this);
        this.router = new Router(this);
        this.receipts = new Receipts(this);
        this.profiles = new Profiles(this);
        this.presence = new Presence(this);
        this.calls = new Calls(this);
        this.iq = new IqService(this);
        this.bulk = new Bulk(this);
        this.dispatch = {
            iq: (c, s) => this.iq.handle(c, s),
            message: (c, s) => this.router.fromClient(c, s),
            receipt: (c, s) => c.send(this.receipts.receipt(c.device, s)),
            ack: (c, s) => this.receipts.ack(c.device, s),
            presence: (c, s) => this.presence.handle(c.device, s),
            chatstate: (c, s) => this.presence.chatstate(c.device, s),
            ib: (c, s) => this.receipts.ib(c.device, s),
            call: (c, s) => c.send(this.calls.handle(c.device, s))
        };
    }

    /** Server time in seconds. */
    now() {
        return Math.floor(Date.now() / 1000);
    }

    /** A stanza id that the server makes. */
    newId() {
        return `${++this.idNumber}-${crypto.randomBytes(3).toString('hex')}`;
    }

    hmac(key, text) {
        return hmacSha256(key, text);
    }

    /** Appends to the event log. */
    event(type, fields = {}) {
        return this.events.add({ type, ...fields });
    }

    /** Appends to the stanza log. direction: 'in' from a client, 'out' to a client. */
    logStanza(direction, connection, stanza) {
        if (!this.options.logStanzas) return;
        this.stanzas.add({ direction, connection: connection.number, device: connection.device?.name ?? null, stanza });
    }

    /** JSON form of an entry of the stanza log. */
    static stanzaEntryToJson(entry) {
        return { ...entry, stanza: nodeToJson(entry.stanza) };
    }

    /** Makes an account with its phone and extra simulated companions. */
    createAccount(options) {
        const account = this.directory.create(options);
        const phone = new Device(account, 0, { kind: 'simulated', identity: account.identity.public });
        account.addDevice(phone);
        account.phoneDevice = phone;
        this.animate(phone, account.identity, options);
        for (let i = 0; i < (options.companions || 0); i++) this.addCompanion(account, options);
        this.event('account', { phone: account.phone, lid: account.lid });
        return account;
    }

    /** Links one more simulated companion. */
    addCompanion(account, options = {}) {
        const { id, keyIndex } = account.allocate();
        const identity = newKeyPair();
        const device = new Device(account, id, { kind: 'simulated', keyIndex, identity: identity.public });
        device.issued = issueIdentity(account, keyIndex, identity.public);
        const signature = signDeviceIdentity(identity.private, device.issued, identity.public, account.identity.public);
        device.adv = completeIdentity(account, device.issued, signature);
        account.addDevice(device);
        this.animate(device, identity, options);
        this.notices.deviceAdded(device, options.hash);
        return device;
    }

    animate(device, identity, options) {
        const simulated = new SimulatedDevice(this, device, identity);
        simulated.compact = !!options.compact;
        simulated.sink = !!options.sink;
        simulated.autoRead = !!options.auto_read;
        if (options.offline !== true) simulated.goOnline();
        return simulated;
    }

    /** Takes a device (simulated or client) out of its account. */
    removeDevice(device) {
        if (device.simulated) {
            device.simulated.goOffline();
            device.account.removeDevice(device);
            this.notices.deviceRemoved(device);
        } else {
            this.notices.unlink(device);
        }
    }

    /** The phone is re-installed: new identity, no sessions, companions gone (unless kept). */
    reinstall(account, { keep_companions: keep = false, notify = true } = {}) {
        for (const device of account.deviceList()) if (device.id && !keep) this.removeDevice(device);
        account.identity = newKeyPair();
        account.rawId = crypto.randomInt(1, 2 ** 31);
        account.signedKeyIndexList = null;
        const old = account.phoneDevice;
        const phone = new Device(account, 0, { kind: 'simulated', identity: account.identity.public });
        phone.queue = old.queue;
        phone.queue.device = phone;
        old.simulated.goOffline();
        account.phoneDevice = phone;
        account.addDevice(phone);
        const simulated = this.animate(phone, account.identity, { compact: old.simulated.compact, auto_read: old.simulated.autoRead });
        simulated.inbox = old.simulated.inbox;
        if (notify) this.notices.identityChanged(account);
        this.event('reinstalled', { phone: account.phone });
    }

    /** A stanza of a client, decoded. */
    onClientStanza(connection, stanza) {
        this.logStanza('in', connection, stanza);
        const handler = this.dispatch[stanza.tag];
        if (!handler) {
            this.strict.violation(connection.device || connection, 'unknown_stanza', `<${stanza.tag}>`, stanza);
            return;
        }
        if (!connection.device && stanza.tag !== 'iq') {
            this.unpairedStanza(connection, stanza);
            return;
        }
        handler(connection, stanza);
    }

    unpairedStanza(connection, stanza) {
        if (stanza.tag === 'ack' || stanza.tag === 'ib' || stanza.tag === 'presence') return;
        this.strict.violation(connection, 'unpaired', `<${stanza.tag}> on a connection without login`, stanza);
    }

    onConnectionClosed(connection, code) {
        this.connections.delete(connection);
        const { device } = connection;
        if (device) {
            device.queue.detach(connection);
            if (device.connection === connection) {
                device.connection = null;
                this.presence.closed(device);
            }
        }
        connection.pairing?.code?.resolve?.({ error: { code: 0, text: 'connection closed' } });
        this.event('closed', { connection: connection.number, device: device?.name ?? null, code });
    }

    /** All copies of one message must have the same content; differing ones are the sender's violation. */
    sameContent(sender, stanza, encoded) {
        if (sender.kind !== 'client') return;
        const key = `${sender.name}|${stanza.attrs.id}`;
        const digest = sha256(encoded).toString('base64');
        const before = this.contents.get(key);
        if (before === undefined) {
            this.contents.set(key, digest);
            if (this.contents.size > CONTENTS_KEPT) this.contents.delete(this.contents.keys().next().value);
        } else if (before !== digest) {
            this.strict.violation(sender, 'fanout_content', `devices got different contents of message ${stanza.attrs.id}`, stanza);
        }
    }
}
