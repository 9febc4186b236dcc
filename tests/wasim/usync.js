// SPDX-License-Identifier: GPL-3.0-or-later
// usync: device lists, LIDs, contact checks and what else clients ask about users.
import { child, children, node, textOf } from './nodes.js';
import { participantHash } from './accounts.js';
import { isUserJid } from './jid.js';

const CONTEXTS = new Set(['message', 'background', 'interactive', 'notification', 'add']);
const MODES = new Set(['query', 'full', 'delta']);

function deviceNode(device) {
    return node('device', { id: device.id, 'key-index': device.keyIndex || undefined });
}

/** Answers usync IQs. */
export class Usync {
    constructor(sim) {
        this.sim = sim;
    }

    /** Children of the result, or {error}. */
    handle(device, iq) {
        const usync = child(iq, 'usync');
        const query = child(usync, 'query');
        const list = child(usync, 'list');
        if (!usync || !query || !list) return this.sim.strict.refuse(device, 'usync', 'usync without query or list', iq);
        if (!MODES.has(usync.attrs.mode)) return this.sim.strict.refuse(device, 'usync', `mode "${usync.attrs.mode}"`, iq);
        if (!CONTEXTS.has(usync.attrs.context)) return this.sim.strict.refuse(device, 'usync', `context "${usync.attrs.context}"`, iq);
        if (!usync.attrs.sid || usync.attrs.index !== '0' || usync.attrs.last !== 'true') {
            return this.sim.strict.refuse(device, 'usync', 'sid, index or last are wrong', iq);
        }
        const protocols = children(query).map(c => c.tag);
        const devices = child(query, 'devices');
        if (devices && devices.attrs.version !== '2') return this.sim.strict.refuse(device, 'usync', 'devices version is not 2', iq);
        const users = children(list, 'user').map(user => this.user(device, user, protocols));
        const { sid, index, last, mode, context } = usync.attrs;
        return [node('usync', { sid, index, last, mode, context }, [
            node('result', {}, protocols.map(tag => node(tag))), node('list', {}, users)
        ])];
    }

    user(asker, user, protocols) {
        const asked = user.attrs.jid;
        const phoneText = textOf(child(user, 'contact'));
        const account = asked ? this.sim.directory.ofJid(asked) : this.sim.directory.find((phoneText || '').replace(/\D/g, ''));
        if (asked && !isUserJid(asked)) this.sim.strict.violation(asker, 'usync', `user jid "${asked}"`);
        if (!account) {
            const answers = protocols.filter(p => p === 'contact').map(() => node('contact', { type: 'out' }, phoneText ? Buffer.from(phoneText) : undefined));
            return node('user', { jid: asked }, answers);
        }
        const answers = protocols.map(tag => this.protocol(tag, asker, account, phoneText)).filter(Boolean);
        return node('user', { jid: asked || account.jid('pn') }, answers);
    }

    protocol(tag, asker, account, phoneText) {
        switch (tag) {
            case 'devices': return this.devices(asker, account);
            case 'lid': return node('lid', { val: account.jid('lid') });
            case 'contact': return node('contact', { type: 'in' }, phoneText ? Buffer.from(phoneText) : undefined);
            case 'status': return this.sim.profiles.statusNode(asker, account);
            case 'picture': return node('picture', { id: '1' });
            case 'disappearing_mode': return this.sim.profiles.timerNode(account);
            case 'business': return this.sim.profiles.businessNode(account);
            case 'sidelist': return node('sidelist');
            case 'username': return undefined;
            default: return node(tag, {}, [node('error', { code: 501, text: 'feature-not-implemented' })]);
        }
    }

    devices(asker, account) {
        asker.knownLists.set(account.phone, account.listVersion);
        const list = account.keyIndexList();
        const all = account.deviceList();
        return node('devices', {}, [
            node('device-list', { hash: participantHash(all.map(d => d.jid('pn'))) }, all.map(deviceNode)),
            node('key-index-list', { ts: list.timestamp }, list.bytes)
        ]);
    }
}

