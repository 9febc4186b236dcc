// SPDX-License-Identifier: GPL-3.0-or-later
// Channels (newsletters): plaintext posts of their owner to everybody who follows them.
import crypto from 'node:crypto';
import { bytesOf, child, node } from './nodes.js';
import { proto } from 'baileys/WAProto/index.js';

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
        const channel = { jid, name, owner, followers: new Set([owner, ...followers]), posts: [] };
        this.byJid.set(jid, channel);
        return channel;
    }

    /** A device posts. {server_id} or {error}. */
    route(sender, stanza) {
        const channel = this.find(stanza.attrs.to);
        if (!channel) return { error: 404 };
        if (channel.owner !== sender.account) return { error: 403 };
        const bytes = bytesOf(child(stanza, 'plaintext'));
        const fault = this.fault(stanza, bytes);
        if (fault && this.sim.router.refuse(sender, 'newsletter', fault, stanza)) return { error: 400 };
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
        try {
            proto.Message.decode(bytes);
            return null;
        } catch (error) {
            return `post does not parse: ${error.message}`;
        }
    }

    post(channel, sender, id, type, bytes) {
        const post = { id, bytes, type, serverId: channel.posts.length + 100 };
        channel.posts.push(post);
        const stanza = node('message', { from: channel.jid, id, server_id: post.serverId, t: this.sim.now(), type }, [node('plaintext', {}, bytes)]);
        for (const account of channel.followers) {
            for (const device of account.devices.values()) if (device !== sender) device.queue.push(stanza);
        }
        this.sim.event('newsletter_post', { newsletter: channel.jid, id, server_id: post.serverId });
        return post;
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
