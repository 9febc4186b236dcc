// SPDX-License-Identifier: GPL-3.0-or-later
// Groups: who is in them, their settings, the answers to w:g2 requests, and the w:gp2 notifications about changes.
import crypto from 'node:crypto';
import { bytesOf, child, children, node, textOf } from './nodes.js';
import { participantHash } from './accounts.js';

const ADMIN_CHANGES = new Set(['add', 'remove', 'promote', 'demote', 'invite', 'membership_approval_mode', 'member_add_mode']);
const FLAGS = {
    announcement: ['announce', true], not_announcement: ['announce', false], locked: ['locked', true], unlocked: ['locked', false]
};

/** One group. Members are accounts; `version` counts changes of who is in it. */
export class Group {
    constructor(sim, options) {
        this.sim = sim;
        this.id = options.id || `1203630${crypto.randomInt(10 ** 11, 2 * 10 ** 11)}`;
        this.subject = options.subject || 'Group';
        this.creator = options.creator;
        this.creation = sim.now();
        this.addressing = options.addressing === 'pn' ? 'pn' : 'lid';
        this.announce = !!options.announce;
        this.locked = !!options.locked;
        this.ephemeral = options.ephemeral || 0;
        this.announcementOf = options.announcement_of || null;
        this.hideNumbers = !!options.hide_numbers;
        this.description = null;
        this.inviteCode = crypto.randomBytes(11).toString('base64url');
        this.members = new Map();
        this.removed = new Map();
        this.version = 1;
    }

    get jid() {
        return `${this.id}@g.us`;
    }

    isAdmin(account) {
        return !!this.members.get(account)?.role;
    }

    /** All devices of all members. */
    devices() {
        return [...this.members.keys()].flatMap(account => account.deviceList());
    }

    phash() {
        return participantHash(this.devices().map(d => d.jid(this.addressing)));
    }

    participant(account) {
        const { role } = this.members.get(account) || {};
        const hidden = this.hideNumbers && this.addressing === 'lid';
        return node('participant', {
            jid: account.jid(this.addressing), type: role || undefined,
            phone_number: this.addressing === 'lid' && !hidden ? account.jid('pn') : undefined,
            lid: this.addressing === 'pn' ? account.jid('lid') : undefined
        });
    }

    /** <group> as the service describes it. */
    node() {
        const content = [...this.members.keys()].map(account => this.participant(account));
        if (this.description) {
            content.push(node('description', { id: this.description.id, participant: this.creator.jid(this.addressing), t: this.description.t },
                [node('body', {}, Buffer.from(this.description.text))]));
        }
        if (this.announce) content.push(node('announcement'));
        if (this.locked) content.push(node('locked'));
        if (this.ephemeral) content.push(node('ephemeral', { expiration: this.ephemeral }));
        if (this.announcementOf) content.push(node('linked_parent', { jid: this.announcementOf }), node('default_sub_group'));
        return node('group', {
            id: this.id, subject: this.subject, s_t: this.creation, s_o: this.creator.jid(this.addressing), creator: this.creator.jid(this.addressing),
            creation: this.creation, size: this.members.size, addressing_mode: this.addressing, p_v_id: this.version, a_v_id: this.version
        }, content);
    }

    toJson() {
        return {
            jid: this.jid, subject: this.subject, addressing: this.addressing, announce: this.announce, locked: this.locked, ephemeral: this.ephemeral,
            version: this.version, phash: this.phash(),
            members: [...this.members].map(([account, m]) => ({ phone: account.phone, jid: account.jid('pn'), lid_jid: account.jid('lid'), role: m.role }))
        };
    }
}

/** All groups, with everything that changes them. */
export class Groups {
    constructor(sim) {
        this.sim = sim;
        this.byId = new Map();
    }

    /** The group of a JID or a bare id, or undefined. */
    find(text) {
        return this.byId.get(String(text ?? '').replace(/@g\.us$/, ''));
    }

    /** A new group; members are accounts, the creator is its superadmin. All of them are told. */
    create(options) {
        const group = new Group(this.sim, options);
        this.byId.set(group.id, group);
        for (const account of [options.creator, ...(options.members || [])]) {
            if (!group.members.has(account)) group.members.set(account, { role: account === options.creator ? 'superadmin' : null, since: group.version });
        }
        this.notify(group, group.creator, node('create', { key: options.key, reason: 'invite', type: 'new' }, [group.node()]));
        this.sim.event('group_created', { group: group.jid });
        return group;
    }

    /** A change of one group, told to everybody in it (and to those who are out of it now). */
    notify(group, actor, change, also = []) {
        const { addressing } = group;
        const { version } = group;
        for (const account of new Set([...group.members.keys(), ...also])) {
            for (const device of account.devices.values()) {
                device.queue.push(node('notification', {
                    from: group.jid, type: 'w:gp2', id: this.sim.newId(), t: this.sim.now(), participant: actor.jid(addressing),
                    participant_pn: addressing === 'lid' ? actor.jid('pn') : undefined, participant_lid: addressing === 'pn' ? actor.jid('lid') : undefined,
                    addressing_mode: addressing, notify: actor.pushName
                }, [change]), () => device.groupsKnown.set(group.id, version));
            }
        }
        this.sim.event('group_changed', { group: group.jid, change: change.tag, version });
    }

    bump(group) {
        group.version++;
        return { v_id: group.version, prev_v_id: group.version - 1 };
    }

    /** Adds, removes, promotes or demotes accounts. Returns the result's children. */
    participants(group, actor, action, accounts) {
        const done = [];
        const results = accounts.map(account => {
            const error = this.participantFault(group, action, account);
            if (!error) done.push(account);
            return { account, error };
        });
        if (done.length) {
            const shown = action === 'remove' ? done.map(account => group.participant(account)) : null;
            const versions = this.bump(group);
            for (const account of done) this.apply(group, action, account);
            const tag = action;
            this.notify(group, actor, node(tag, versions, shown || done.map(account => group.participant(account))), action === 'remove' ? done : []);
        }
        return results.map(({ account, error }) => node('participant', { jid: account.jid(group.addressing), error }));
    }

    participantFault(group, action, account) {
        if (action === 'add') return group.members.has(account) ? 409 : undefined;
        return group.members.has(account) ? undefined : 404;
    }

    apply(group, action, account) {
        if (action === 'add') group.members.set(account, { role: null, since: group.version });
        else if (action === 'remove') {
            group.members.delete(account);
            group.removed.set(account, group.version);
        } else group.members.get(account).role = action === 'promote' ? 'admin' : null;
    }

    /** Changes of settings, as the control API and w:g2 requests name them. */
    settings(group, actor, { subject, description, announce, locked, ephemeral, addressing }) {
        const changes = [];
        if (subject !== undefined) {
            group.subject = subject;
            changes.push(node('subject', { subject, s_t: this.sim.now(), s_o: actor.jid(group.addressing) }));
        }
        if (description !== undefined) {
            group.description = description ? { text: description, id: this.sim.newId(), t: this.sim.now() } : null;
            changes.push(description ? node('description', { id: group.description.id }, [node('body', {}, Buffer.from(description))])
                : node('description', {}, [node('delete')]));
        }
        if (announce !== undefined) {
            group.announce = !!announce;
            changes.push(node(announce ? 'announcement' : 'not_announcement', {}));
        }
        if (locked !== undefined) {
            group.locked = !!locked;
            changes.push(node(locked ? 'locked' : 'unlocked', {}));
        }
        if (ephemeral !== undefined) {
            group.ephemeral = ephemeral;
            changes.push(ephemeral ? node('ephemeral', { expiration: ephemeral }) : node('not_ephemeral'));
        }
        /* The service migrates groups without telling anybody: clients learn it from a refusal. */
        if (addressing !== undefined) group.addressing = addressing;
        for (const change of changes) this.notify(group, actor, change);
    }

    /** Answers xmlns="w:g2". */
    handle(device, iq) {
        const { to, type } = iq.attrs;
        if (to === '@g.us' || to === 'g.us') return type === 'get' ? this.globalGet(device, iq) : this.globalSet(device, iq);
        const group = this.find(to);
        if (!group) return { error: 404, text: 'item-not-found' };
        if (!group.members.has(device.account)) return { error: 403, text: 'forbidden' };
        return type === 'get' ? this.get(device, group, iq) : this.set(device, group, iq);
    }

    globalGet(device, iq) {
        const participating = child(iq, 'participating');
        if (!participating) return null;
        const mine = [...this.byId.values()].filter(group => group.members.has(device.account));
        for (const group of mine) device.groupsKnown.set(group.id, group.version);
        return [node('groups', {}, mine.map(group => group.node()))];
    }

    globalSet(device, iq) {
        const create = child(iq, 'create');
        const leave = child(iq, 'leave');
        if (create) {
            const members = children(create, 'participant').map(p => this.sim.directory.ofJid(p.attrs.jid)).filter(Boolean);
            const group = this.create({ subject: create.attrs.subject, creator: device.account, members, key: create.attrs.key, addressing: 'lid' });
            device.groupsKnown.set(group.id, group.version);
            return [group.node()];
        }
        if (!leave) return null;
        const left = children(leave, 'group').map(g => this.find(g.attrs.id));
        for (const group of left) if (group?.members.has(device.account)) this.participants(group, device.account, 'remove', [device.account]);
        return [node('leave', {}, left.filter(Boolean).map(group => node('group', { id: group.jid })))];
    }

    get(device, group, iq) {
        if (child(iq, 'query')) {
            device.groupsKnown.set(group.id, group.version);
            this.sim.event('group_query', { device: device.name, group: group.jid });
            return [group.node()];
        }
        if (child(iq, 'invite')) return [node('invite', { code: group.inviteCode })];
        return null;
    }

    set(device, group, iq) {
        const actor = device.account;
        const request = children(iq)[0];
        const tag = request?.tag;
        const admin = group.isAdmin(actor);
        if (!admin && (ADMIN_CHANGES.has(tag) || tag in FLAGS || group.locked)) return { error: 403, text: 'forbidden' };
        if (['add', 'remove', 'promote', 'demote'].includes(tag)) {
            const accounts = children(request, 'participant').map(p => this.sim.directory.ofJid(p.attrs.jid)).filter(Boolean);
            return [node(tag, {}, this.participants(group, actor, tag, accounts))];
        }
        if (tag in FLAGS) this.settings(group, actor, { [FLAGS[tag][0]]: FLAGS[tag][1] });
        else if (tag === 'subject') this.settings(group, actor, { subject: textOf(request) });
        else if (tag === 'description') this.settings(group, actor, { description: bytesOf(child(request, 'body'))?.toString() ?? '' });
        else if (tag === 'ephemeral') this.settings(group, actor, { ephemeral: Number(request.attrs.expiration) });
        else if (tag === 'not_ephemeral') this.settings(group, actor, { ephemeral: 0 });
        else return null;
        return [];
    }
}
