// SPDX-License-Identifier: GPL-3.0-or-later
// Presence and chat states: who is online, who is told of it. Neither is acked, neither is kept for later.
import { bytesOf, child, children, node } from './nodes.js';
import { isUserJid } from './jid.js';
import { namespaceOf } from './accounts.js';

/** The presence table and its subscribers; they live as long as the connection. */
export class Presence {
    constructor(sim) {
        this.sim = sim;
        this.lastSeen = new Map();
    }

    online(account) {
        return [...account.devices.values()].some(d => d.available && (d.connection || d.simulated?.online));
    }

    /** <presence> of a client. */
    handle(device, stanza) {
        const { type, to } = stanza.attrs;
        this.sim.event('presence', { device: device.name, presence: type ?? null, to: to ?? null });
        if (type === 'subscribe' || type === 'unsubscribe') {
            this.subscribe(device, stanza);
            return;
        }
        if ((stanza.attrs.name || '').includes('@')) this.sim.strict.violation(device, 'presence', 'name with @', stanza);
        // a changed name is told without saying whether its owner is there
        if (type === undefined && stanza.attrs.name && !to) return;
        if (type !== 'available' && type !== 'unavailable') {
            this.sim.strict.violation(device, 'presence', `type "${type}"`, stanza);
            return;
        }
        this.set(device, type === 'available');
    }

    set(device, available) {
        const before = this.online(device.account);
        device.available = available;
        if (before && !this.online(device.account)) this.lastSeen.set(device.account, this.sim.now());
        if (before !== this.online(device.account)) this.tell(device.account);
    }

    subscribe(device, stanza) {
        const { type, to } = stanza.attrs;
        const target = this.sim.directory.ofJid(to);
        const token = bytesOf(child(stanza, 'tctoken'));
        if (!target) {
            if (!to?.endsWith('@g.us')) this.sim.strict.violation(device, 'presence', `subscription to "${to}"`, stanza);
            return;
        }
        if (token && !(target.tokensIssued.get(device.account.phone) || []).some(b => b.equals(token))) {
            this.sim.strict.violation(device, 'presence', 'tctoken that was not issued', stanza);
            return;
        }
        device.watching ??= new Map();
        device.watching.set(target, to);
        if (type === 'unsubscribe') device.watching.delete(target);
        else this.tellOne(device, target);
    }

    tell(account) {
        for (const other of this.sim.directory.byPhone.values()) {
            for (const device of other.devices.values()) {
                if (device.watching?.has(account)) this.tellOne(device, account);
            }
        }
    }

    /** Only who is online itself is told, and only what the other side shows. */
    tellOne(device, account) {
        if (!device.available || !device.connection || account.blocked.has(device.account.phone)) return;
        const online = this.online(account);
        const visible = this.sim.profiles.shows(account, 'last', device.account);
        if (account.settings.online === 'match_last_seen' && !visible) return;
        device.connection.send(node('presence', {
            from: device.watching.get(account), type: online ? undefined : 'unavailable',
            last: online ? undefined : visible ? this.lastSeen.get(account) ?? this.sim.now() : 'deny'
        }));
    }

    /** The connection is gone: so are its subscriptions, and maybe the account's presence. */
    closed(device) {
        device.watching?.clear();
        if (device.available) this.set(device, false);
    }

    /** <chatstate>: passed on to the devices of the other side, or of the other members, that are connected. */
    chatstate(device, stanza) {
        const state = children(stanza)[0];
        const kind = state?.tag;
        const { to } = stanza.attrs;
        const group = this.sim.groups.find(to);
        const account = this.sim.directory.ofJid(to);
        if ((!account && !group) || (kind !== 'composing' && kind !== 'paused')) {
            this.sim.strict.violation(device, 'chatstate', `chatstate <${kind}> to ${to}`, stanza);
            return;
        }
        this.sim.event('chatstate', { from: device.name, to, state: kind, media: state.attrs.media ?? null });
        if (account && account.blocked.has(device.account.phone)) return;
        const namespace = group ? group.addressing : namespaceOf(to);
        const attrs = group ? { from: to, participant: device.account.jid(namespace) } : { from: device.account.jid(namespace) };
        const targets = group ? [...group.members.keys()].filter(m => m !== device.account) : [account];
        for (const target of targets.flatMap(t => [...t.devices.values()])) target.connection?.send(node('chatstate', attrs, [state]));
    }

    /** A simulated device goes on- or offline for others. */
    simulate(account, online) {
        if (!isUserJid(account.jid('pn'))) return;
        this.set(account.phoneDevice, online);
    }
}
