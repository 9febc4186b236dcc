// SPDX-License-Identifier: GPL-3.0-or-later
// Calls: offers of simulated phones or of clients go to all devices of the callee; refusals and ends go back.
import crypto from 'node:crypto';
import { children, node } from './nodes.js';
import { namespaceOf } from './accounts.js';

/** Calls under way, by their id. */
export class Calls {
    constructor(sim) {
        this.sim = sim;
        this.calls = new Map();
    }

    push(account, from, action, more = {}) {
        for (const device of account.devices.values()) {
            if (device.kind === 'client' && !more.except?.includes(device)) {
                device.queue.push(node('call', { from, id: this.sim.newId(), t: this.sim.now(), offline: more.offline ? '1' : undefined }, [action]));
            }
        }
    }

    /** A phone calls: {to, video, group, lid, offline}. */
    offer(caller, callee, body) {
        const id = body.id || crypto.randomBytes(16).toString('hex').toUpperCase();
        const creator = caller.phoneDevice.jid(body.lid ? 'lid' : 'pn');
        this.calls.set(id, { id, caller, callee, creator });
        if (callee.blocked.has(caller.phone)) return { id };
        this.push(callee, creator, node('offer', {
            'call-id': id, 'call-creator': creator, caller_pn: body.lid ? caller.jid('pn') : undefined,
            'group-jid': body.group, type: body.group ? 'group' : undefined
        }, [node('audio', { enc: 'opus', rate: '16000' }), ...(body.video ? [node('video', {})] : []), node('net', { medium: '3' })]), { offline: body.offline });
        return { id };
    }

    /** The caller (or time) ends it. */
    terminate(id, reason) {
        const call = this.calls.get(id);
        if (!call) throw new TypeError(`no call ${id}`);
        this.push(call.callee, call.creator, node('terminate', { 'call-id': id, 'call-creator': call.creator, reason }));
        this.calls.delete(id);
        return { id };
    }

    /** <call> of a client. */
    handle(device, stanza) {
        const action = children(stanza)[0];
        const id = action?.attrs['call-id'];
        const violation = text => this.sim.strict.violation(device, 'call', text, stanza);
        if (!stanza.attrs.id || !stanza.attrs.to) violation('call without id or to');
        if (action?.tag === 'offer') this.offered(device, stanza, action);
        else if (action?.tag === 'reject') this.rejected(device, stanza, action, violation);
        else if (action?.tag === 'terminate' && this.calls.has(id)) this.terminate(id, action.attrs.reason);
        else violation(`<${action?.tag}>`);
        return node('ack', { class: 'call', id: stanza.attrs.id, from: stanza.attrs.to, type: action?.tag });
    }

    offered(device, stanza, action) {
        const callee = this.sim.directory.ofJid(stanza.attrs.to);
        const id = action.attrs['call-id'];
        if (!callee) return;
        this.calls.set(id, { id, caller: device.account, callee, creator: action.attrs['call-creator'] });
        this.push(callee, device.jid(namespaceOf(stanza.attrs.to)), action);
    }

    rejected(device, stanza, action, violation) {
        const { 'call-id': id, 'call-creator': creator, count } = action.attrs;
        const call = this.calls.get(id);
        if (count !== '0') violation(`reject with count "${count}"`);
        this.sim.event('call_rejected', { device: device.name, id, to: stanza.attrs.to });
        if (!call) return;
        if (this.sim.directory.ofJid(creator) !== call.caller) violation(`call-creator "${creator}"`);
        if (this.sim.directory.ofJid(stanza.attrs.to) !== call.caller) violation(`reject to "${stanza.attrs.to}"`);
        this.calls.delete(id);
        this.push(call.caller, device.jid(namespaceOf(stanza.attrs.to)), node('reject', { 'call-id': id, 'call-creator': call.creator, count }));
        this.push(call.callee, call.creator, node('terminate', { 'call-id': id, 'call-creator': call.creator, reason: 'rejected_elsewhere' }), { except: [device] });
    }
}
