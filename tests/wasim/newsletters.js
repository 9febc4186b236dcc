// SPDX-License-Identifier: GPL-3.0-or-later
// Channels (newsletters): plaintext posts of their owner to everybody who follows them.
import crypto from 'node:crypto';
import { bytesOf, child, node } from './nodes.js';
import { SERVER_JID } from './jid.js';
import { proto } from 'baileys/WAProto/index.js';

// Numbers of queries: of the web client today, and of the Baileys that is a party here.
const QUERIES = {
    '27456920720571478': 'info', '6563316087068696': 'info', '25399611239711790': 'list', '25149874324715067': 'create', '8823471724422422': 'create',
    '24250201037901610': 'update', '24404358912487870': 'follow', '9767147403369991': 'unfollow', '31938993655691868': 'setting',
    '29766401636284406': 'mute', '9864994326891137': 'unmute', '30062808666639665': 'delete'
};
const LIVE_SECONDS = 300;

class MexError extends Error {
    constructor(code, text) {
        super(text);
        this.code = code;
    }
}

/** Channels and what was posted to them. */
export class Newsletters {
    constructor(sim) {
        this.sim = sim;
        this.byJid = new Map();
    }

    find(jid) {
        return this.byJid.get(jid);
    }

    /** A channel of an account, followed by accounts. */
    create({ owner, followers = [], name = 'Channel' }) {
        const jid = `1203631${crypto.randomInt(10 ** 11, 2 * 10 ** 11)}@newsletter`;
        const channel = { jid, name, owner, followers: new Set([owner, ...followers]), posts: [], description: '', muted: new Set(), live: new Set(),
            invite: crypto.randomBytes(12).toString('hex'), created: this.sim.now() };
        this.byJid.set(jid, channel);
        return channel;
    }

    // ---- GraphQL ----

    mex(device, iq, query) {
        const operation = QUERIES[query?.attrs.query_id];
        if (!operation) return null;
        let answer;
        try {
            const { variables } = JSON.parse(bytesOf(query).toString());
            answer = { data: this[`mex_${operation}`](device, variables, iq) };
        } catch (error) {
            if (!(error instanceof MexError)) {
                this.sim.strict.violation(device, 'mex', `${operation}: ${error.message}`, iq);
                return { error: 400, text: 'bad-request' };
            }
            answer = { data: null, errors: [{ message: error.message, extensions: { error_code: error.code, is_retryable: false, severity: 'CRITICAL' } }] };
        }
        return [node('result', {}, Buffer.from(JSON.stringify(answer)))];
    }

    wanted(jid) {
        if (typeof jid !== 'string' || !jid.endsWith('@newsletter')) throw new TypeError(`newsletter_id ${jid}`);
        const found = this.find(jid);
        if (!found) throw new MexError(404, 'Not Found');
        return found;
    }

    owned(device, jid) {
        const found = this.wanted(jid);
        if (found.owner !== device.account) throw new MexError(403, 'Forbidden');
        return found;
    }

    describe(channel, account) {
        const text = value => ({ id: '1', text: value, update_time: `${channel.created}000000` });
        const role = channel.owner === account ? 'OWNER' : channel.followers.has(account) ? 'SUBSCRIBER' : 'GUEST';
        return {
            id: channel.jid, state: { type: 'ACTIVE' },
            thread_metadata: {
                creation_time: String(channel.created), name: text(channel.name), description: text(channel.description), invite: channel.invite, handle: null,
                picture: { id: '0', direct_path: '', type: 'IMAGE' }, preview: { id: '0', direct_path: '', type: 'PREVIEW' },
                subscribers_count: String(channel.followers.size - 1), verification: 'UNVERIFIED', settings: { reaction_codes: { value: 'ALL' } }
            },
            viewer_metadata: { mute: channel.muted.has(account) ? 'ON' : 'OFF', role }
        };
    }

    mex_info(device, { input }) {
        const byInvite = input.type === 'INVITE';
        if (!byInvite && input.type !== 'JID') throw new TypeError(`type ${input.type}`);
        const found = byInvite ? [...this.byJid.values()].find(c => c.invite === input.key) : this.find(input.key);
        return { xwa2_newsletter: found ? this.describe(found, device.account) : null };
    }

    mex_list(device) {
        const own = [...this.byJid.values()].filter(c => c.followers.has(device.account));
        return { xwa2_newsletter_subscribed: own.map(c => this.describe(c, device.account)) };
    }

    mex_create(device, { input }) {
        if (!input?.name) throw new TypeError('a channel without name');
        if (!device.account.channelTerms) throw new MexError(403, 'Terms of service are not accepted');
        const made = this.create({ owner: device.account, name: input.name });
        made.description = input.description ?? '';
        this.tell(device.account, device, 'on_join', made);
        return { xwa2_newsletter_create: this.describe(made, device.account) };
    }

    mex_update(device, { newsletter_id: jid, updates }) {
        const found = this.owned(device, jid);
        if (!updates || updates.settings !== null) throw new TypeError('updates');
        if (updates.name !== undefined) found.name = updates.name;
        if (updates.description !== undefined) found.description = updates.description;
        for (const account of found.followers) this.tell(account, device, 'on_metadata_update', found);
        return { xwa2_newsletter_update: this.describe(found, device.account) };
    }

    mex_delete(device, { newsletter_id: jid }) {
        const found = this.owned(device, jid);
        this.byJid.delete(jid);
        for (const account of found.followers) this.tell(account, device, 'on_leave', found);
        return { xwa2_newsletter_delete_v2: { id: jid, state: { type: 'DELETED' } } };
    }

    mex_follow(device, { newsletter_id: jid }) {
        const found = this.wanted(jid);
        found.followers.add(device.account);
        this.tell(device.account, device, 'on_join', found);
        return { xwa2_newsletter_join_v2: { id: jid, state: { type: 'ACTIVE' } } };
    }

    mex_unfollow(device, { newsletter_id: jid }) {
        const found = this.wanted(jid);
        if (found.owner === device.account) throw new MexError(403, 'Forbidden');
        found.followers.delete(device.account);
        this.tell(device.account, device, 'on_leave', found);
        return { xwa2_newsletter_leave_v2: { id: jid, state: { type: 'NON_EXISTING' } } };
    }

    setMute(device, jid, on) {
        const found = this.wanted(jid);
        if (!found.followers.has(device.account)) throw new MexError(403, 'Forbidden');
        if (on) found.muted.add(device.account);
        else found.muted.delete(device.account);
        this.tell(device.account, device, 'on_mute_change', found, { mute: on ? 'ON' : 'OFF' });
        return { id: jid, state: { type: 'ACTIVE' } };
    }

    mex_setting(device, { input }) {
        if (input.type !== 'MUTE_FOLLOWER_ACTIVITY' || !['ON', 'OFF'].includes(input.value)) throw new TypeError(`setting ${input.type} ${input.value}`);
        return { xwa2_newsletter_update_user_setting: this.setMute(device, input.newsletter_id, input.value === 'ON') };
    }

    mex_mute(device, { newsletter_id: jid }) {
        return { xwa2_newsletter_mute_v2: this.setMute(device, jid, true) };
    }

    mex_unmute(device, { newsletter_id: jid }) {
        return { xwa2_newsletter_unmute_v2: this.setMute(device, jid, false) };
    }

    /** All other clients of an account learn of it. */
    tell(account, by, what, channel, more) {
        const data = { [`xwa2_notify_newsletter_${what}`]: more ? { id: channel.jid, ...more } : this.describe(channel, account) };
        for (const device of account.devices.values()) {
            if (device === by || device.kind !== 'client') continue;
            device.queue.push(node('notification', this.sim.notices.attrs('mex', SERVER_JID), [
                node('update', { op_name: `NotificationNewsletter_${what}` }, Buffer.from(JSON.stringify({ data })))
            ]));
        }
    }

    // ---- <iq xmlns="newsletter">, <iq xmlns="tos"> ----

    terms(device, iq) {
        const notice = child(iq, 'notice');
        if (iq.attrs.type !== 'set' || notice?.attrs.id !== '20601218' || notice.attrs.stage !== '5') return null;
        device.account.channelTerms = true;
        return [];
    }

    handle(device, iq) {
        const wanted = child(iq, 'messages') ?? child(iq, 'message_updates') ?? child(iq, 'live_updates');
        const channel = this.find(wanted?.tag === 'messages' && wanted.attrs.jid ? wanted.attrs.jid : iq.attrs.to);
        if (!wanted) return null;
        if (!channel) return { error: 404, text: 'item-not-found' };
        if (iq.attrs.type !== (wanted.tag === 'live_updates' ? 'set' : 'get')) return this.sim.strict.refuse(device, 'newsletter', `IQ type "${iq.attrs.type}"`, iq);
        if (wanted.tag === 'live_updates') {
            channel.live.add(device);
            return [node('live_updates', { duration: LIVE_SECONDS })];
        }
        if (!/^[1-9]\d*$/.test(wanted.attrs.count ?? '')) this.sim.strict.violation(device, 'newsletter', `count "${wanted.attrs.count}"`, iq);
        const { before = Infinity, after = 0, count } = wanted.attrs;
        const posts = channel.posts.filter(p => p.serverId < Number(before) && p.serverId > Number(after)).slice(-count);
        const list = node('messages', { jid: channel.jid, t: this.sim.now() }, posts.map(p => this.postNode(p, wanted.tag === 'messages')));
        return [wanted.tag === 'messages' ? list : node('message_updates', {}, [list])];
    }

    postNode(post, whole) {
        return node('message', { ...(post.id ? { id: post.id } : {}), server_id: post.serverId, type: post.type, t: post.t ?? this.sim.now() }, [
            ...(whole ? [node('plaintext', {}, post.bytes)] : []),
            node('views_count', { count: post.views ?? 0 }),
            node('reactions', {}, Object.entries(post.reactions ?? {}).map(([code, count]) => node('reaction', { code, count })))
        ]);
    }

    /** People looked at a post: whoever asked for live updates is told. */
    counters(channel, serverId, { views, reactions }) {
        const post = channel.posts.find(p => p.serverId === serverId);
        Object.assign(post, { views, reactions });
        for (const device of channel.live) {
            device.queue.push(node('notification', { from: channel.jid, type: 'newsletter', id: this.sim.newId(), t: this.sim.now() }, [
                node('live_updates', {}, [node('messages', { jid: channel.jid, t: this.sim.now() }, [this.postNode(post, false)])])
            ]));
        }
    }

    // ---- posts ----

    /** A device posts. {server_id} or {error}. */
    route(sender, stanza) {
        const channel = this.find(stanza.attrs.to);
        if (!channel) return { error: 404 };
        if (channel.owner !== sender.account) return { error: 403 };
        const bytes = bytesOf(child(stanza, 'plaintext'));
        const { edit } = stanza.attrs;
        const fault = edit || stanza.attrs.type === 'reaction' ? this.changeFault(channel, stanza, bytes) : this.fault(stanza, bytes);
        if (fault && this.sim.router.refuse(sender, 'newsletter', fault, stanza)) return { error: 400 };
        if (stanza.attrs.type === 'reaction') return this.react(channel, sender, stanza);
        if (edit) return this.change(channel, sender, stanza, bytes);
        const before = channel.posts.find(p => p.id === stanza.attrs.id);
        if (before) {
            this.sim.event('message_sent_again', { device: sender.name, id: stanza.attrs.id, identical: before.bytes.equals(bytes) });
            return { server_id: before.serverId };
        }
        return { server_id: this.post(channel, sender, stanza.attrs.id, stanza.attrs.type, bytes).serverId };
    }

    fault(stanza, bytes) {
        if (!bytes?.length) return 'post without <plaintext>';
        if (child(stanza, 'enc') || child(stanza, 'participants')) return 'encrypted post';
        if (stanza.attrs.addressing_mode || stanza.attrs.phash || child(stanza, 'tctoken')) return 'addressing_mode, phash or token on a post';
        return this.contentFault(stanza, bytes);
    }

    /** A file in a channel is in the clear, uploaded to the channels' own place, and named by its handle. */
    contentFault(stanza, bytes) {
        let message;
        try {
            message = proto.Message.decode(bytes);
        } catch (error) {
            return `post does not parse: ${error.message}`;
        }
        if (message.protocolMessage || message.reactionMessage) return 'protocol message or reaction as the content of a post';
        const file = message.imageMessage || message.videoMessage || message.audioMessage || message.documentMessage || message.stickerMessage;
        const handle = stanza.attrs.media_id;
        if (!file) return handle ? 'media_id on a post without a file' : null;
        if (file.mediaKey?.length || file.fileEncSha256?.length) return 'file of a post with keys';
        if (stanza.attrs.edit) return null;
        const blob = handle && this.sim.media.blobs.get(handle.replace('handle-', ''));
        if (!blob) return `media_id "${handle}" is not the handle of an upload`;
        return blob.service === 'newsletter' && blob.direct_path === file.directPath ? null : 'media_id is that of another file, or of an encrypted one';
    }

    /** Edits, deletions and reactions name a post that is there. */
    changeFault(channel, stanza, bytes) {
        const { id, edit, type, server_id: serverId } = stanza.attrs;
        if (type === 'reaction') {
            const reaction = child(stanza, 'reaction');
            if (!reaction || child(stanza, 'plaintext')) return 'reaction without <reaction>, or with <plaintext>';
            if (!!reaction.attrs.code === (edit === '7')) return `reaction "${reaction.attrs.code}" with edit "${edit}"`;
            return channel.posts.some(p => String(p.serverId) === serverId) ? null : `no post ${serverId}`;
        }
        if (edit !== '3' && edit !== '8') return `edit "${edit}" in a channel`;
        if (!channel.posts.some(p => p.id === id)) return `edit of ${id}, which is no post`;
        if (edit === '8') return bytes?.length ? 'deletion with a content' : null;
        return bytes?.length ? this.contentFault(stanza, bytes) : 'edit without a content';
    }

    change(channel, sender, stanza, bytes) {
        const post = channel.posts.find(p => p.id === stanza.attrs.id);
        post.bytes = bytes ?? Buffer.alloc(0);
        post.edit = stanza.attrs.edit;
        this.deliver(channel, sender, post);
        this.sim.event('newsletter_change', { newsletter: channel.jid, id: post.id, edit: post.edit });
        return { server_id: post.serverId };
    }

    react(channel, sender, stanza) {
        const post = channel.posts.find(p => String(p.serverId) === stanza.attrs.server_id);
        const code = child(stanza, 'reaction').attrs.code ?? '';
        this.sim.event('newsletter_reaction', { newsletter: channel.jid, id: post.id, server_id: post.serverId, code });
        return { server_id: post.serverId };
    }

    post(channel, sender, id, type, bytes) {
        const post = { id, bytes, type, serverId: channel.posts.length + 100 };
        channel.posts.push(post);
        this.deliver(channel, sender, post);
        this.sim.event('newsletter_post', { newsletter: channel.jid, id, server_id: post.serverId });
        return post;
    }

    deliver(channel, sender, post) {
        const { id, type, bytes, edit } = post;
        const stanza = node('message', { from: channel.jid, id, server_id: post.serverId, t: this.sim.now(), type, edit }, [
            node('plaintext', {}, bytes), ...(edit ? [node('meta', { msg_edit_t: this.sim.now() })] : [])
        ]);
        for (const account of channel.followers) {
            for (const device of account.devices.values()) if (device !== sender) device.queue.push(stanza);
        }
    }

    /** The same posts as a live update: inside a notification. */
    notify(channel, device, serverId) {
        const posts = channel.posts.filter(p => !serverId || p.serverId === serverId);
        device.queue.push(node('notification', { from: channel.jid, type: 'newsletter', id: this.sim.newId(), t: this.sim.now() }, [
            node('live_updates', {}, [node('messages', { jid: channel.jid, t: this.sim.now() }, posts.map(p => node('message', {
                id: p.id, server_id: p.serverId, type: p.type, t: this.sim.now()
            }, [node('plaintext', {}, p.bytes)])))])
        ]));
    }
}
