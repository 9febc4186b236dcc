// SPDX-License-Identifier: GPL-3.0-or-later
// Groups: who is in them, their settings, and the w:gp2 notifications about changes. The answers to w:g2 requests: group-iq.js.
import crypto from 'node:crypto';
import { node } from './nodes.js';
import { participantHash } from './accounts.js';
import { GroupIq } from './group-iq.js';

const INVITATION_SECONDS = 3 * 86400;

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
        this.subjectOwner = options.creator;
        this.subjectTime = this.creation;
        this.approval = !!options.approval;
        this.memberAdd = !!options.member_add;
        this.community = !!options.community;
        this.parent = options.parent || null;
        this.generalChat = false;
        this.capacity = options.capacity || 1024;
        this.requests = new Map();
        this.invitations = new Map();
        this.picture = null;
        this.newInviteCode();
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

    newInviteCode() {
        this.inviteCode = crypto.randomBytes(18).toString('base64').replace(/[^A-Za-z0-9]/g, 'x').slice(0, 22);
        return this.inviteCode;
    }

    /** Attributes that name somebody in both forms: key in the group's namespace, key_pn beside a LID. */
    named(key, account) {
        return { [key]: account.jid(this.addressing), [`${key}_pn`]: this.addressing === 'lid' && !this.hideNumbers ? account.jid('pn') : undefined };
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

    /** What a <group> has beside its attributes; members and description only for those who asked for them. */
    content({ members = true, description = true } = {}) {
        const content = members ? [...this.members.keys()].map(account => this.participant(account)) : [];
        if (this.description && description) {
            const { id, t, owner, text } = this.description;
            content.push(node('description', { id, ...this.named('participant', owner || this.creator), t }, [node('body', {}, Buffer.from(text))]));
        }
        if (this.announce) content.push(node('announcement'));
        if (this.locked) content.push(node('locked'));
        if (this.ephemeral) content.push(node('ephemeral', { expiration: this.ephemeral }));
        if (this.approval) content.push(node('membership_approval_mode', {}, [node('group_join', { state: 'on' })]));
        content.push(node('member_add_mode', {}, Buffer.from(this.memberAdd ? 'all_member_add' : 'admin_add')));
        if (this.community) content.push(node('parent', { default_membership_approval_mode: 'request_required' }));
        if (this.announcementOf) content.push(node('linked_parent', { jid: this.announcementOf }), node('default_sub_group'));
        else if (this.parent) content.push(node('linked_parent', { jid: this.parent.jid }));
        if (this.generalChat) content.push(node('general_chat'));
        return content;
    }

    /** <group> as the service describes it. */
    node(asked, more = []) {
        return node('group', {
            id: this.id, subject: this.subject, s_t: this.subjectTime, ...this.named('s_o', this.subjectOwner), ...this.named('creator', this.creator),
            creation: this.creation, size: this.members.size, addressing_mode: this.addressing, p_v_id: this.version, a_v_id: this.version
        }, [...this.content(asked), ...more]);
    }

    toJson() {
        return {
            jid: this.jid, subject: this.subject, addressing: this.addressing, announce: this.announce, locked: this.locked, ephemeral: this.ephemeral,
            version: this.version, phash: this.phash(), description: this.description?.text ?? null, invite_code: this.inviteCode,
            approval: this.approval, member_add: this.memberAdd, community: this.community, parent: this.parent?.jid ?? this.announcementOf,
            requests: [...this.requests.keys()].map(account => account.phone), picture: this.picture && { id: this.picture.id, size: this.picture.bytes.length },
            members: [...this.members].map(([account, m]) => ({ phone: account.phone, jid: account.jid('pn'), lid_jid: account.jid('lid'), role: m.role }))
        };
    }
}

/** All groups, with everything that changes them. */
export class Groups {
    constructor(sim) {
        this.sim = sim;
        this.byId = new Map();
        this.byKey = new Map();
        this.iq = new GroupIq(sim, this);
    }

    /** The group of a JID or a bare id, or undefined. */
    find(text) {
        return this.byId.get(String(text ?? '').replace(/@g\.us$/, ''));
    }

    /** A new group; members are accounts, the creator is its superadmin. All of them are told, unless the notification is to be lost. */
    create(options) {
        const group = new Group(this.sim, options);
        this.byId.set(group.id, group);
        for (const account of [options.creator, ...(options.members || [])]) {
            if (!group.members.has(account)) group.members.set(account, { role: account === options.creator ? 'superadmin' : null, since: group.version });
        }
        if (options.description) group.description = { text: options.description, id: this.sim.newId(), t: this.sim.now(), owner: options.creator };
        if (!options.untold) this.notify(group, group.creator, node('create', { key: options.key, reason: 'invite', type: 'new' }, [group.node()]));
        this.sim.event('group_created', { group: group.jid });
        if (group.community) this.furnish(group, options.general_chat);
        return group;
    }

    /** A community has a group for announcements, and a general chat if its maker wanted one. */
    furnish(community, generalChat) {
        const of = { creator: community.creator, subject: community.subject, addressing: community.addressing };
        this.create({ ...of, announce: true, announcement_of: community.jid });
        if (generalChat) this.create({ ...of, subject: 'General', parent: community }).generalChat = true;
    }

    /** Somebody goes by themselves. A group whose last superadmin has gone gets another one. */
    leave(group, account) {
        const { role } = group.members.get(account);
        this.participants(group, account, 'remove', [account]);
        const next = [...group.members.keys()].find(other => group.isAdmin(other)) ?? [...group.members.keys()][0];
        if (role === 'superadmin' && next) group.members.get(next).role = 'superadmin';
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
    participants(group, actor, action, accounts, more = {}, forced = false) {
        const done = [];
        const results = accounts.map(account => {
            const error = forced ? undefined : this.participantFault(group, actor, action, account);
            if (!error) done.push(account);
            return { account, error };
        });
        if (done.length) {
            const shown = action === 'remove' ? done.map(account => group.participant(account)) : null;
            const versions = { ...this.bump(group), ...more };
            for (const account of done) this.apply(group, action, account);
            const tag = action;
            this.notify(group, actor, node(tag, versions, shown || done.map(account => group.participant(account))), action === 'remove' ? done : []);
        }
        return results.map(({ account, error }) => this.result(group, actor, account, error));
    }

    /** One entry of an answer; whose privacy refuses to be added comes with what an invite message to them needs. */
    result(group, actor, account, error) {
        const invite = error === 403 ? [this.invitation(group, actor, account)] : undefined;
        return node('participant', {
            jid: account.jid(group.addressing), error, phone_number: group.addressing === 'lid' ? account.jid('pn') : undefined
        }, invite);
    }

    /** <add_request>: the right of one person to join on the invitation of another. */
    invitation(group, inviter, invitee) {
        const code = crypto.randomBytes(12).toString('base64url').replace(/[^A-Za-z0-9]/g, 'x');
        const expiration = this.sim.now() + INVITATION_SECONDS;
        group.invitations.set(invitee, { code, expiration, inviter });
        return node('add_request', { code, expiration });
    }

    participantFault(group, actor, action, account) {
        const member = group.members.get(account);
        if (action !== 'add') {
            if (!member) return 404;
            return member.role === 'superadmin' && account !== actor ? 405 : undefined;
        }
        if (member) return 409;
        if (group.members.size >= group.capacity) return 419;
        const { groupadd } = account.settings;
        return groupadd === 'none' || (groupadd === 'contacts' && !account.chatted.has(actor.phone)) ? 403 : undefined;
    }

    /** An account joins by itself: by link, by invite message, or let in by an admin. */
    join(group, account, actor = account, reason = 'invite') {
        group.requests.delete(account);
        group.invitations.delete(account);
        const versions = { ...this.bump(group), reason };
        this.apply(group, 'add', account);
        this.notify(group, actor, node('add', versions, [group.participant(account)]));
    }

    /** An account asks to join: the admins are told. */
    request(group, account, method = 'invite_link') {
        group.requests.set(account, { t: this.sim.now(), method });
        this.notify(group, account, node('created_membership_requests', { request_method: method },
            [node('requested_user', { jid: account.jid(group.addressing), phone_number: group.addressing === 'lid' ? account.jid('pn') : undefined })]));
    }

    /** A request ends without a yes: taken back by who asked, or turned down by an admin. */
    dismiss(group, account, actor) {
        group.requests.delete(account);
        this.notify(group, actor, node('revoked_membership_requests', {}, [node('participant', { jid: account.jid(group.addressing) })]));
    }

    apply(group, action, account) {
        if (action === 'add') group.members.set(account, { role: null, since: group.version });
        else if (action === 'remove') {
            group.members.delete(account);
            group.removed.set(account, group.version);
        } else group.members.get(account).role = action === 'promote' ? 'admin' : null;
    }

    /** Changes of settings, as the control API and w:g2 requests name them. */
    settings(group, actor, { subject, description, description_id: id, announce, locked, ephemeral, addressing, approval, member_add: memberAdd }) {
        const changes = [];
        if (subject !== undefined) {
            Object.assign(group, { subject, subjectOwner: actor, subjectTime: this.sim.now() });
            changes.push(node('subject', { subject, s_t: group.subjectTime, ...group.named('s_o', actor) }));
        }
        if (description !== undefined) {
            group.description = description ? { text: description, id: id || this.sim.newId(), t: this.sim.now(), owner: actor } : null;
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
        if (approval !== undefined) {
            group.approval = !!approval;
            changes.push(node('membership_approval_mode', {}, [node('group_join', { state: approval ? 'on' : 'off' })]));
        }
        if (memberAdd !== undefined) {
            group.memberAdd = !!memberAdd;
            changes.push(node('member_add_mode', {}, Buffer.from(memberAdd ? 'all_member_add' : 'admin_add')));
        }
        /* The service migrates groups without telling anybody: clients learn it from a refusal. */
        if (addressing !== undefined) group.addressing = addressing;
        for (const change of changes) this.notify(group, actor, change);
    }

    /** Answers xmlns="w:g2". */
    handle(device, iq) {
        return this.iq.handle(device, iq);
    }
}
