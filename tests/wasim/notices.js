// SPDX-License-Identifier: GPL-3.0-or-later
// Notifications the server makes on its own: devices added and removed, identity changes, privacy tokens, unlinking.
import { node } from './nodes.js';
import { participantHash } from './accounts.js';
import { SERVER_JID } from './jid.js';
import { timelockJson } from './iq.js';

/** Builds and queues notifications. */
export class Notices {
    constructor(sim) {
        this.sim = sim;
    }

    attrs(type, from, extra = {}) {
        return { from, type, id: this.sim.newId(), t: this.sim.now(), ...extra };
    }

    /** Devices of other accounts that asked for the account's list before, or exchanged messages with it. */
    watchers(account) {
        const out = [];
        for (const other of this.sim.directory.byPhone.values()) {
            if (other === account) continue;
            for (const device of other.devices.values()) {
                if (device.kind === 'client' && device.knownLists.has(account.phone)) out.push(device);
            }
        }
        return out;
    }

    hash(account, namespace) {
        return participantHash(account.deviceList().map(d => d.jid(namespace)));
    }

    change(kind, device, withHash) {
        const { account } = device;
        const hash = withHash === 'wrong' ? '2:AAAAAAAA' : this.hash(account, 'pn');
        const lidHash = withHash === 'wrong' ? '2:AAAAAAAA' : this.hash(account, 'lid');
        const list = account.keyIndexList();
        return node(kind, { device_hash: hash, device_lid_hash: lidHash }, [
            node('device', { jid: device.jid('pn'), lid: device.jid('lid'), 'key-index': kind === 'add' ? device.keyIndex : undefined }),
            node('key-index-list', { ts: list.timestamp }, list.bytes)
        ]);
    }

    tellWatchers(kind, device, withHash) {
        const { account } = device;
        for (const watcher of this.watchers(account)) {
            const version = account.listVersion;
            watcher.queue.push(node('notification', this.attrs('devices', account.jid('pn'), { lid: account.jid('lid') }), [
                this.change(kind, device, withHash)
            ]), () => watcher.knownLists.set(account.phone, version));
        }
        this.tellOwn(account, device);
    }

    tellOwn(account, except) {
        for (const own of account.devices.values()) {
            if (own === except || own.kind !== 'client') continue;
            const version = account.listVersion;
            own.queue.push(node('notification', this.attrs('account_sync', account.jid('pn')), [
                node('devices', { dhash: this.hash(account, 'pn') }, account.deviceList().map(d => node('device', {
                    jid: d.jid('pn'), lid: d.jid('lid'), 'key-index': d.keyIndex || undefined
                })))
            ]), () => own.knownLists.set(account.phone, version));
        }
    }

    deviceAdded(device, withHash) {
        this.tellWatchers('add', device, withHash);
    }

    deviceRemoved(device, withHash) {
        this.tellWatchers('remove', device, withHash);
    }

    /** The account's phone was re-installed: everybody who knows it is told. */
    identityChanged(account) {
        for (const watcher of this.watchers(account)) {
            watcher.queue.push(node('notification', this.attrs('encrypt', account.jid('pn'), { lid: account.jid('lid') }), [node('identity')]));
        }
    }

    /** A contact's privacy token for an account, to all its client devices. */
    privacyToken(from, to, token, t) {
        for (const device of to.devices.values()) {
            if (device.kind !== 'client') continue;
            device.queue.push(node('notification', this.attrs('privacy_token', from.jid('pn'), { sender_lid: from.jid('lid') }), [
                node('tokens', {}, [node('token', { type: 'trusted_contact', t, jid: to.jid('pn') }, token)])
            ]));
        }
    }

    /** The account's privacy was changed on the phone: its clients are told. */
    privacy(account) {
        for (const device of account.devices.values()) {
            if (device.kind !== 'client') continue;
            device.queue.push(node('notification', this.attrs('account_sync', account.jid('pn')), [
                node('privacy', {}, Object.entries(account.settings).map(([name, value]) => node('category', { name, value })))
            ]));
        }
    }

    /** Takes a client out of its account: removed from the list, connection told and closed. */
    unlink(device, stanza) {
        const { connection } = device;
        device.account.removeDevice(device);
        this.deviceRemoved(device);
        this.sim.event('unlinked', { device: device.name });
        if (!connection) return;
        connection.sendNow(stanza || node('stream:error', { code: 401 }, [node('conflict', { type: 'device_removed' })]));
        connection.close();
    }

    /** The account was locked (or freed) from writing to strangers: all its clients are told. */
    timelock(account) {
        const data = { xwa2_notify_account_reachout_timelock: timelockJson(account.timelock) };
        for (const device of account.devices.values()) {
            if (device.kind !== 'client') continue;
            this.custom(device, 'mex', [node('update', { op_name: 'NotificationUserReachoutTimelockUpdate' }, Buffer.from(JSON.stringify({ data })))]);
        }
    }

    /** A notification with free content to one device. */
    custom(device, type, content, attrs) {
        device.queue.push(node('notification', this.attrs(type, SERVER_JID, attrs), content));
    }
}
