// SPDX-License-Identifier: GPL-3.0-or-later
// Answers to w:g2 requests: one handler for each request, behind the checks of who may ask. A request that has not the form that the
// service knows is a violation; what the service refuses (no admin, no such group, too long) is only refused.
import { bytesOf, child, children, node, textOf } from './nodes.js';
import { Communities } from './communities.js';
import { isUserJid } from './jid.js';

const SUBJECT_MAX = 100;
const DESCRIPTION_MAX = 2048;
const FORBIDDEN = { error: 403, text: 'forbidden' };
const NOT_AUTHORIZED = { error: 401, text: 'not-authorized' };
const NOT_FOUND = { error: 404, text: 'item-not-found' };
const NOT_ACCEPTABLE = { error: 406, text: 'not-acceptable' };
const GONE = { error: 410, text: 'gone' };
const CONFLICT = { error: 409, text: 'conflict' };

const characters = text => [...text].length;

/** The requests about groups. A handler returns the result's children, {error, text}, or null for "not known". */
export class GroupIq {
    constructor(sim, groups) {
        this.sim = sim;
        this.groups = groups;
        const communities = new Communities(sim, groups);
        this.global = {
            get: { participating: (d, n) => this.participating(d, n), invite: (d, n) => this.inviteInfo(n) },
            set: { create: (d, n, iq) => this.create(d, n, iq), leave: (d, n, iq) => this.leave(d, n, iq), invite: (d, n) => this.joinByLink(d, n) }
        };
        // For everybody in the group.
        this.member = {
            get: { query: (d, g) => this.query(d, g), sub_groups: (d, g) => communities.list(g), linked_groups_participants: (d, g) => communities.people(g) },
            set: { add: (d, g, n, iq) => this.change(d, g, n, iq) }
        };
        // For those who may change it: admins, and all if it is not locked.
        this.editor = {
            subject: (d, g, n, iq) => this.subject(d, g, n, iq),
            description: (d, g, n, iq) => this.description(d, g, n, iq),
            ephemeral: (d, g, n, iq) => this.ephemeral(d, g, n, iq),
            not_ephemeral: (d, g) => this.set(d, g, { ephemeral: 0 })
        };
        this.admin = {
            get: { invite: (d, g) => [node('invite', { code: g.inviteCode })], membership_approval_requests: (d, g) => this.requests(g) },
            set: {
                remove: (d, g, n, iq) => this.change(d, g, n, iq), promote: (d, g, n, iq) => this.change(d, g, n, iq),
                demote: (d, g, n, iq) => this.change(d, g, n, iq), invite: (d, g) => this.resetInvite(d, g),
                announcement: (d, g) => this.set(d, g, { announce: true }), not_announcement: (d, g) => this.set(d, g, { announce: false }),
                locked: (d, g) => this.set(d, g, { locked: true }), unlocked: (d, g) => this.set(d, g, { locked: false }),
                member_add_mode: (d, g, n, iq) => this.memberAdd(d, g, n, iq),
                membership_approval_mode: (d, g, n, iq) => this.approval(d, g, n, iq),
                membership_requests_action: (d, g, n, iq) => this.decide(d, g, n, iq),
                revoke: (d, g, n) => this.revokeInvitations(g, n),
                links: (d, g, n, iq) => communities.link(d, g, n, iq), unlink: (d, g, n, iq) => communities.unlink(d, g, n, iq),
                delete_parent: (d, g) => communities.deactivate(d, g)
            }
        };
    }

    refuse(device, text, iq) {
        return this.sim.strict.refuse(device, 'group_iq', text, iq);
    }

    handle(device, iq) {
        const { to, type } = iq.attrs;
        const requests = children(iq);
        if (requests.length !== 1) return this.refuse(device, `${requests.length} requests in one IQ`, iq);
        const [request] = requests;
        if (to === '@g.us' || to === 'g.us') return this.global[type]?.[request.tag]?.(device, request, iq) ?? null;
        const group = this.groups.find(to);
        if (!group) return NOT_FOUND;
        const outside = this.outside(device, group, type, request);
        if (outside) return outside;
        if (!group.members.has(device.account)) return FORBIDDEN;
        return this.inside(device, group, type, request, iq);
    }

    /** What those may ask who are not in the group. */
    outside(device, group, type, request) {
        if (type === 'set' && request.tag === 'accept') return this.accept(device, group, request);
        const invitation = type === 'get' && request.tag === 'query' ? child(request, 'add_request') : null;
        if (!invitation) return null;
        return this.invitationFault(device.account, group, invitation) || [group.node({ members: false })];
    }

    inside(device, group, type, request, iq) {
        const { tag } = request;
        const admin = group.isAdmin(device.account);
        const open = this.member[type]?.[tag] || (type === 'set' && this.editor[tag]);
        if (!open && !this.admin[type]?.[tag]) return null;
        if (!open && !admin) return type === 'get' ? NOT_AUTHORIZED : FORBIDDEN;
        if (tag in this.editor && !admin && group.locked) return FORBIDDEN;
        if (tag === 'add' && !admin && !group.memberAdd) return FORBIDDEN;
        return (open || this.admin[type][tag])(device, group, request, iq);
    }

    set(device, group, change) {
        this.groups.settings(group, device.account, change);
        return [];
    }

    // ---- reading ----

    participating(device, request) {
        const mine = [...this.groups.byId.values()].filter(group => group.members.has(device.account));
        const asked = { members: !!child(request, 'participants'), description: !!child(request, 'description') };
        if (asked.members) for (const group of mine) device.groupsKnown.set(group.id, group.version);
        this.sim.event('group_list', { device: device.name, members: asked.members });
        return [node('groups', {}, mine.map(group => group.node(asked)))];
    }

    query(device, group) {
        device.groupsKnown.set(group.id, group.version);
        this.sim.event('group_query', { device: device.name, group: group.jid });
        return [group.node()];
    }

    byCode(code) {
        return [...this.groups.byId.values()].find(group => group.inviteCode === code);
    }

    inviteInfo(request) {
        const group = this.byCode(request.attrs.code);
        return group ? [group.node()] : NOT_ACCEPTABLE;
    }

    requests(group) {
        return [node('membership_approval_requests', {}, [...group.requests].map(([account, { t, method }]) => node('membership_approval_request', {
            jid: account.jid(group.addressing), phone_number: group.addressing === 'lid' ? account.jid('pn') : undefined, request_time: t, request_method: method
        })))];
    }

    // ---- making and leaving ----

    /** The accounts of a request's participants, or null: the form is wrong. */
    people(device, request, iq) {
        const list = children(request, 'participant');
        const bad = list.find(p => !isUserJid(p.attrs.jid) || p.attrs.jid.includes(':'));
        if (bad || list.length !== children(request).length) {
            this.refuse(device, `<${request.tag}> with ${bad ? `participant "${bad.attrs.jid}"` : 'other children than participants'}`, iq);
            return null;
        }
        return list.map(p => ({ jid: p.attrs.jid, account: this.sim.directory.ofJid(p.attrs.jid) }));
    }

    create(device, request, iq) {
        const { subject, key } = request.attrs;
        if (!subject || !key) return this.refuse(device, '<create> without subject or key', iq);
        if (characters(subject) > SUBJECT_MAX) return NOT_ACCEPTABLE;
        const again = this.groups.byKey.get(`${device.account.phone}/${key}`);
        if (again) return [again.node()];
        const people = this.people(device, { ...request, content: children(request, 'participant') }, iq);
        if (!people) return { error: 400, text: 'bad-request' };
        const parent = child(request, 'linked_parent');
        const community = parent ? this.groups.find(parent.attrs.jid) : null;
        if (parent && !community?.community) return NOT_FOUND;
        if (community && !community.isAdmin(device.account)) return FORBIDDEN;
        const made = this.made(device, request, people, community);
        this.groups.byKey.set(`${device.account.phone}/${key}`, made.group);
        device.groupsKnown.set(made.group.id, made.group.version);
        return [made.group.node({}, made.refused)];
    }

    made(device, request, people, community) {
        const groups = this.groups;
        const draft = { members: new Map(), capacity: 1024 };
        const fault = ({ account }) => (account ? groups.participantFault(draft, device.account, 'add', account) : 404);
        const group = groups.create({
            subject: request.attrs.subject, creator: device.account, members: people.filter(p => !fault(p)).map(p => p.account), key: request.attrs.key,
            addressing: 'lid', parent: community, community: !!child(request, 'parent'), description: textOf(child(child(request, 'description'), 'body')),
            general_chat: !!child(request, 'create_general_chat')
        });
        const refused = people.filter(fault).map(p => (p.account ? groups.result(group, device.account, p.account, fault(p))
            : node('participant', { jid: p.jid, error: 404 })));
        return { group, refused };
    }

    leave(device, request, iq) {
        const left = children(request).map(n => ({ tag: n.tag, group: this.groups.find(n.attrs.id) }));
        if (!left.length) return this.refuse(device, '<leave> of nothing', iq);
        return [node('leave', {}, left.map(({ tag, group }) => {
            if (!group?.members.has(device.account)) return node(tag, { id: group?.jid, error: 404 });
            this.groups.leave(group, device.account);
            return node(tag, { id: group.jid });
        }))];
    }

    joinByLink(device, request) {
        const group = this.byCode(request.attrs.code);
        const { account } = device;
        if (!group) return NOT_ACCEPTABLE;
        if (group.members.has(account)) return CONFLICT;
        if (group.members.size >= group.capacity) return { error: 419, text: 'resource-limit' };
        if (group.approval) {
            this.groups.request(group, account);
            return [node('membership_approval_request', { jid: group.jid })];
        }
        this.groups.join(group, account);
        return [node('group', { jid: group.jid })];
    }

    // ---- invite messages ----

    invitationFault(account, group, { attrs }) {
        const known = group.invitations.get(account);
        if (!known || known.code !== attrs.code) return NOT_FOUND;
        if (this.sim.directory.ofJid(attrs.admin) !== known.inviter) return NOT_FOUND;
        return String(known.expiration) !== attrs.expiration || known.expiration < this.sim.now() ? GONE : null;
    }

    accept(device, group, request) {
        const fault = group.members.has(device.account) ? CONFLICT : this.invitationFault(device.account, group, request);
        if (fault) return fault;
        this.groups.join(group, device.account, group.invitations.get(device.account).inviter);
        return [];
    }

    revokeInvitations(group, request) {
        for (const p of children(request, 'participant')) group.invitations.delete(this.sim.directory.ofJid(p.attrs.jid));
        return [];
    }

    resetInvite(device, group) {
        const code = group.newInviteCode();
        this.groups.notify(group, device.account, node('invite', { code }));
        return [node('invite', { code })];
    }

    // ---- members ----

    change(device, group, request, iq) {
        const { tag } = request;
        const people = this.people(device, request, iq);
        if (!people?.length) return people ? this.refuse(device, `<${tag}> of nobody`, iq) : { error: 400, text: 'bad-request' };
        const known = people.filter(p => p.account).map(p => p.account);
        const results = this.groups.participants(group, device.account, tag, known);
        return [node(tag, {}, people.map(p => (p.account ? results[known.indexOf(p.account)] : node('participant', { jid: p.jid, error: 404 }))))];
    }

    decide(device, group, request, iq) {
        const [verdict] = children(request);
        const people = verdict && ['approve', 'reject'].includes(verdict.tag) ? this.people(device, verdict, iq) : null;
        if (!people?.length) return this.refuse(device, 'no verdict, or on nobody', iq);
        return [node('membership_requests_action', {}, [node(verdict.tag, {}, people.map(({ jid, account }) => {
            if (!group.requests.has(account)) return node('participant', { jid, error: 404 });
            if (verdict.tag === 'approve') this.groups.join(group, account, device.account, 'invite');
            else this.groups.dismiss(group, account, device.account);
            return node('participant', { jid });
        }))])];
    }

    // ---- settings ----

    subject(device, group, request, iq) {
        const text = textOf(request);
        if (!text) return this.refuse(device, 'empty subject', iq);
        return characters(text) > SUBJECT_MAX ? NOT_ACCEPTABLE : this.set(device, group, { subject: text });
    }

    description(device, group, request, iq) {
        const { id, prev, delete: gone } = request.attrs;
        const text = bytesOf(child(request, 'body'))?.toString() ?? '';
        if (gone ? text : !text || !id) return this.refuse(device, '<description> without id or body, or deleted with one', iq);
        if ((prev ?? null) !== (group.description?.id ?? null)) return CONFLICT;
        return characters(text) > DESCRIPTION_MAX ? NOT_ACCEPTABLE : this.set(device, group, { description: text, description_id: id });
    }

    ephemeral(device, group, request, iq) {
        const seconds = Number(request.attrs.expiration);
        if (!Number.isInteger(seconds) || seconds <= 0) return this.refuse(device, `expiration "${request.attrs.expiration}"`, iq);
        return this.set(device, group, { ephemeral: seconds });
    }

    memberAdd(device, group, request, iq) {
        const mode = textOf(request);
        if (mode !== 'all_member_add' && mode !== 'admin_add') return this.refuse(device, `member_add_mode "${mode}"`, iq);
        return this.set(device, group, { member_add: mode === 'all_member_add' });
    }

    approval(device, group, request, iq) {
        const state = (child(request, 'group_join') || child(request, 'community_join'))?.attrs.state;
        if (state !== 'on' && state !== 'off') return this.refuse(device, `approval state "${state}"`, iq);
        return this.set(device, group, { approval: state === 'on' });
    }
}
