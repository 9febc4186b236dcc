// SPDX-License-Identifier: GPL-3.0-or-later
// Pictures of groups: xmlns="w:profile:picture" with a group as target.
import { bytesOf, child, children, node } from './nodes.js';

const SIDE = 640;
const MAX_BYTES = 512 * 1024;

/** Width and height of a JPEG, or null if it is none. */
export function jpegSize(bytes) {
    if (!bytes || bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return null;
    for (let at = 2; at + 9 < bytes.length;) {
        if (bytes[at] !== 0xff) return null;
        const marker = bytes[at + 1];
        if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
            return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
        }
        at += 2 + bytes.readUInt16BE(at + 2);
    }
    return null;
}

/** Reads, sets and removes pictures of groups. */
export class GroupPictures {
    constructor(sim) {
        this.sim = sim;
        this.lastId = 0;
    }

    handle(device, iq) {
        const group = this.sim.groups.find(iq.attrs.target);
        if (!group) return { error: 404, text: 'item-not-found' };
        const member = group.members.has(device.account);
        if (iq.attrs.type === 'get') return this.get(device, group, iq);
        if (!member || (group.locked && !group.isAdmin(device.account))) return { error: 403, text: 'forbidden' };
        return child(iq, 'picture') ? this.set(device, group, iq) : this.remove(device, group, iq);
    }

    get(device, group, iq) {
        const picture = child(iq, 'picture');
        if (!picture || !['image', 'preview'].includes(picture.attrs.type) || picture.attrs.query !== 'url') {
            return this.sim.strict.refuse(device, 'picture', 'no <picture type query="url">', iq);
        }
        if (!group.picture) return { error: 404, text: 'item-not-found' };
        const { id } = group.picture;
        return [node('picture', { id, type: picture.attrs.type, url: `https://pps.wasim.invalid/v/${group.id}/${id}`, direct_path: `/v/${group.id}/${id}` })];
    }

    set(device, group, iq) {
        const picture = child(iq, 'picture');
        const bytes = bytesOf(picture);
        const size = jpegSize(bytes);
        if (picture.attrs.type !== 'image' || children(iq).length !== 1) return this.sim.strict.refuse(device, 'picture', 'not one <picture type="image">', iq);
        if (!size || bytes.length > MAX_BYTES) return this.sim.strict.refuse(device, 'picture', `no JPEG, or ${bytes?.length} bytes of it`, iq, 406);
        if (size.width !== SIDE || size.height !== SIDE) return this.sim.strict.refuse(device, 'picture', `${size.width} x ${size.height} pixels`, iq, 406);
        this.lastId = Math.max(this.lastId + 1, this.sim.now());
        group.picture = { id: String(this.lastId), bytes };
        this.tell(device, group, 'set');
        return [node('picture', { id: group.picture.id })];
    }

    remove(device, group) {
        if (!group.picture) return { error: 404, text: 'item-not-found' };
        group.picture = null;
        this.tell(device, group, 'delete');
        return [];
    }

    tell(device, group, tag) {
        const author = device.account.jid(group.addressing);
        for (const account of group.members.keys()) {
            for (const other of account.devices.values()) {
                other.queue.push(node('notification', { from: group.jid, type: 'picture', id: this.sim.newId(), t: this.sim.now() },
                    [node(tag, { jid: group.jid, id: group.picture?.id, author })]));
            }
        }
    }
}
