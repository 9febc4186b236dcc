// SPDX-License-Identifier: GPL-3.0-or-later
// Communities: a group that is the parent of others, with an announcement group and a general chat of its own.
import { child, children, node } from './nodes.js';

/** The requests about communities; each handler is only called for those who may ask. */
export class Communities {
    constructor(sim, groups) {
        this.sim = sim;
        this.groups = groups;
    }

    refuse(device, text, iq) {
        return this.sim.strict.refuse(device, 'group_iq', text, iq);
    }

    children(community) {
        return [...this.groups.byId.values()].filter(group => group.parent === community || group.announcementOf === community.jid);
    }

    list(community) {
        if (!community.community) return { error: 400, text: 'bad-request' };
        return [node('sub_groups', {}, this.children(community).map(group => node('group', {
            id: group.id, subject: group.subject, s_t: group.subjectTime, creation: group.creation, creator: group.creator.jid(group.addressing),
            size: group.members.size
        }, [...(group.announcementOf ? [node('default_sub_group')] : []), ...(group.generalChat ? [node('general_chat')] : [])])))];
    }

    people(community) {
        if (!community.community) return { error: 400, text: 'bad-request' };
        const all = new Set([community, ...this.children(community)].flatMap(group => [...group.members.keys()]));
        return [node('linked_groups_participants', {}, [...all].map(account => node('participant', { jid: account.jid('lid'), phone_number: account.jid('pn') })))];
    }

    link(device, community, request, iq) {
        const link = child(request, 'link');
        const wanted = children(link, 'group');
        if (link?.attrs.link_type !== 'sub_group' || !wanted.length) return this.refuse(device, '<links> without sub_group links', iq);
        if (!community.community) return { error: 400, text: 'bad-request' };
        return [node('links', {}, [node('link', { link_type: 'sub_group' }, wanted.map(({ attrs }) => {
            const error = this.linkOne(device, community, this.groups.find(attrs.jid));
            return node('group', { jid: attrs.jid, error });
        }))])];
    }

    linkOne(device, community, group) {
        if (!group) return 404;
        if (!group.isAdmin(device.account)) return 403;
        if (group.parent || group.community) return 409;
        group.parent = community;
        this.tell(device, community, group, 'link');
        /* Who is in a group of the community is in the community. */
        const fresh = [...group.members.keys()].filter(account => !community.members.has(account));
        if (fresh.length) this.groups.participants(community, device.account, 'add', fresh, { reason: 'linked_group_join' }, true);
        return undefined;
    }

    unlink(device, community, request, iq) {
        const wanted = children(request, 'group');
        if (request.attrs.unlink_type !== 'sub_group' || !wanted.length) return this.refuse(device, '<unlink> without sub groups', iq);
        return [node('unlink', { unlink_type: 'sub_group' }, wanted.map(({ attrs }) => {
            const group = this.groups.find(attrs.jid);
            if (!group || group.parent !== community) return node('group', { jid: attrs.jid, error: 404 });
            group.parent = null;
            this.tell(device, community, group, 'unlink');
            return node('group', { jid: attrs.jid });
        }))];
    }

    /** Both sides hear of it. */
    tell(device, community, group, tag) {
        const about = other => node('group', { jid: other.jid, id: other.id, subject: other.subject, s_t: other.subjectTime });
        this.groups.notify(community, device.account, node(tag, { [`${tag}_type`]: 'sub_group' }, [about(group)]));
        this.groups.notify(group, device.account, node(tag, { [`${tag}_type`]: 'parent_group' }, [about(community)]));
    }

    deactivate(device, community) {
        if (!community.community) return { error: 400, text: 'bad-request' };
        for (const group of this.children(community)) {
            group.parent = null;
            group.announcementOf = null;
            this.tell(device, community, group, 'unlink');
        }
        this.groups.notify(community, device.account, node('delete', { reason: 'deactivated' }));
        this.groups.byId.delete(community.id);
        return [];
    }
}
