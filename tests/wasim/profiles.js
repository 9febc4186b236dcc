// SPDX-License-Identifier: GPL-3.0-or-later
// What accounts show of themselves: pictures, about texts, privacy with its lists, block lists, default timers, business profiles and
// catalogues. Requests that the real service refuses are refused here; changes are told to the account's other devices and to its contacts.
import { bytesOf, child, children, node, textOf } from './nodes.js';
import { isUserJid, parseJid, LID_SERVER } from './jid.js';
import { sha256 } from './curve.js';
import { jpegSize } from './group-pictures.js';

const BLACKLIST = ['all', 'contacts', 'contact_blacklist', 'none'];
const PRIVACY = {
    last: BLACKLIST, profile: BLACKLIST, status: BLACKLIST, groupadd: BLACKLIST, online: ['all', 'match_last_seen'], readreceipts: ['all', 'none'],
    calladd: ['all', 'known'], messages: ['all', 'contacts'], defense: ['off', 'on_standard'], stickers: ['contacts', 'contact_allowlist', 'none']
};
const TIMERS = new Set(['0', '86400', '604800', '7776000']);
const ABOUT_MAX = 139;
const PICTURE_SIDE = 640;

function dhash(parts) {
    return `2:${sha256([...parts].sort().join(',')).subarray(0, 6).toString('base64')}`;
}

/** Answers the IQs about profiles; what it keeps hangs on the accounts. */
export class Profiles {
    constructor(sim) {
        this.sim = sim;
        this.states = new Map();
    }

    /** What an account shows: {about, aboutTime, picture, timer, business, catalog, lists}. */
    of(account) {
        if (!this.states.has(account)) {
            this.states.set(account, {
                about: 'Hey there! I am using WhatsApp.', aboutTime: this.sim.now(), picture: null, timer: 0, business: null, catalog: null,
                verifiedName: null, lists: new Map()
            });
        }
        return this.states.get(account);
    }

    toJson(account) {
        const { picture, lists, ...rest } = this.of(account);
        return {
            ...rest, picture: picture && { id: picture.id, bytes: picture.bytes.length, ...jpegSize(picture.bytes) },
            privacy: { ...account.settings }, blocked: [...account.blocked],
            lists: Object.fromEntries([...lists].map(([name, people]) => [name, [...people]]))
        };
    }

    /** True if the account shows this (profile, status, last) to somebody. */
    shows(account, what, asker) {
        const value = account.settings[what];
        if (asker === account) return true;
        if (account.blocked.has(asker.phone) || value === 'none') return false;
        if (value === 'contact_blacklist') return !this.of(account).lists.get(what)?.has(asker.phone);
        return value === 'all' || account.chatted.has(asker.phone);
    }

    refuse(device, rule, text, iq, code = 400) {
        return this.sim.strict.refuse(device, rule, text, iq, code);
    }

    /** All client devices of the account but one. */
    tellOwn(device, content) {
        for (const other of device.account.devices.values()) {
            if (other === device || other.kind !== 'client') continue;
            other.queue.push(node('notification', this.sim.notices.attrs('account_sync', device.account.jid('pn')), [content]));
        }
    }

    tellContacts(account, type, content) {
        for (const watcher of this.sim.notices.watchers(account)) {
            watcher.queue.push(node('notification', this.sim.notices.attrs(type, account.jid('pn')), content));
        }
    }

    // ---- pictures

    picture(device, iq) {
        if (iq.attrs.target?.endsWith('@g.us')) return this.sim.groupPictures.handle(device, iq);
        return iq.attrs.type === 'set' ? this.setPicture(device, iq) : this.getPicture(device, iq);
    }

    getPicture(device, iq) {
        const account = this.sim.directory.ofJid(iq.attrs.target);
        const query = child(iq, 'picture');
        if (!query || query.attrs.query !== 'url' || !['image', 'preview'].includes(query.attrs.type)) return this.refuse(device, 'picture', 'picture without query or type', iq);
        if (!account) return { error: 404, text: 'item-not-found' };
        const token = bytesOf(child(query, 'tctoken'));
        if (token && account === device.account) return this.refuse(device, 'picture', 'token for the own picture', iq);
        if (token && !(account.tokensIssued.get(device.account.phone) || []).some(b => b.equals(token))) return this.refuse(device, 'picture', 'tctoken that was not issued', iq);
        const { picture } = this.of(account);
        if (!this.shows(account, 'profile', device.account)) return { error: 401, text: 'not-authorized' };
        if (!picture) return { error: 404, text: 'item-not-found' };
        const { id, bytes } = picture;
        const path = `/v/t61/${bytes.length}_${query.attrs.type}.jpg?ccb=1&id=${id}`;
        return [node('picture', { id, type: query.attrs.type, url: `https://pps.whatsapp.net${path}`, direct_path: path })];
    }

    setPicture(device, iq) {
        const { account } = device;
        const picture = child(iq, 'picture');
        if (iq.attrs.target) return this.refuse(device, 'picture', `target "${iq.attrs.target}" for the own picture`, iq);
        if (!picture) {
            this.of(account).picture = null;
            this.tellOwn(device, node('picture', {}));
            this.tellContacts(account, 'picture', [node('delete', { jid: account.jid('pn') })]);
            return [];
        }
        const size = jpegSize(bytesOf(picture));
        if (picture.attrs.type !== 'image') return this.refuse(device, 'picture', `type "${picture.attrs.type}"`, iq);
        if (!size) return { error: 406, text: 'not-acceptable' };
        if (size.width !== size.height || size.width > PICTURE_SIDE) return this.refuse(device, 'picture', `${size.width} x ${size.height}`, iq, 406);
        const id = String(this.sim.now() * 10 + this.states.size);
        this.of(account).picture = { id, bytes: bytesOf(picture) };
        this.sim.event('picture', { phone: account.phone, id, width: size.width });
        this.tellOwn(device, node('picture', {}));
        this.tellContacts(account, 'picture', [node('set', { jid: account.jid('pn'), id, author: account.jid('pn') })]);
        return [node('picture', { id })];
    }

    // ---- about, timer

    about(device, iq) {
        const status = child(iq, 'status');
        if (child(iq, 'privacy')) return [this.sim.iq.statusPrivacy(device.account)];
        if (iq.attrs.type !== 'set' || !status) return null;
        const text = textOf(status) || '';
        if ([...text].length > ABOUT_MAX) return this.refuse(device, 'about', `${[...text].length} characters`, iq, 406);
        this.setAbout(device.account, text);
        return [];
    }

    setAbout(account, text) {
        Object.assign(this.of(account), { about: text, aboutTime: this.sim.now() });
        this.tellContacts(account, 'status', [node('set', {}, Buffer.from(text))]);
    }

    timer(device, iq) {
        const mode = child(iq, 'disappearing_mode');
        if (iq.attrs.type !== 'set' || !mode) return null;
        if (!TIMERS.has(mode.attrs.duration)) return this.refuse(device, 'disappearing_mode', `duration "${mode.attrs.duration}"`, iq);
        this.of(device.account).timer = Number(mode.attrs.duration);
        this.tellOwn(device, node('disappearing_mode', { duration: mode.attrs.duration, t: this.sim.now() }));
        return [];
    }

    // ---- usync

    statusNode(asker, account) {
        const state = this.of(account);
        if (!this.shows(account, 'status', asker.account)) return node('status', { code: 401 });
        return node('status', { t: state.aboutTime }, state.about ? Buffer.from(state.about) : undefined);
    }

    timerNode(account) {
        return node('disappearing_mode', { duration: this.of(account).timer, t: 0 });
    }

    businessNode(account) {
        const { verifiedName } = this.of(account);
        if (!verifiedName) return undefined;
        const name = Buffer.from(verifiedName);
        const details = Buffer.concat([Buffer.from([0x22, name.length]), name]);
        return node('business', {}, [node('verified_name', { v: '1', verified_level: 'unknown' }, Buffer.concat([Buffer.from([0x0a, details.length]), details]))]);
    }

    // ---- privacy

    categories(account) {
        const { lists } = this.of(account);
        return Object.entries(account.settings).map(([name, value]) => node('category', {
            name, value, dhash: lists.has(name) ? dhash(lists.get(name)) : undefined
        }));
    }

    privacy(device, iq) {
        if (child(iq, 'tokens')) return this.sim.tokens.issue(device, child(iq, 'tokens'), iq);
        const privacy = child(iq, 'privacy');
        if (!privacy) return null;
        if (iq.attrs.type === 'get') return [node('privacy', {}, this.categories(device.account))];
        const changed = [];
        for (const category of children(privacy, 'category')) {
            const fault = this.setCategory(device, privacy, category, iq);
            if (fault) return fault;
            changed.push(node('category', { name: category.attrs.name, value: category.attrs.value }));
        }
        this.tellOwn(device, node('privacy', {}, changed));
        this.sim.event('privacy', { phone: device.account.phone });
        return [node('privacy', {}, this.categories(device.account))];
    }

    setCategory(device, privacy, category, iq) {
        const { name, value } = category.attrs;
        const users = children(category, 'user');
        if (!PRIVACY[name]) return this.refuse(device, 'privacy', `category "${name}"`, iq);
        if (!PRIVACY[name].includes(value)) return this.refuse(device, 'privacy', `${name} = "${value}"`, iq);
        if (users.length) {
            const fault = this.changeList(device, privacy, category, users, iq);
            if (fault) return fault;
        }
        device.account.settings[name] = value;
        return null;
    }

    changeList(device, privacy, category, users, iq) {
        const { name, value } = category.attrs;
        const { lists } = this.of(device.account);
        if (value !== 'contact_blacklist') return this.refuse(device, 'privacy', `a list with ${value}`, iq);
        if (privacy.attrs.addressing_mode !== 'lid') return this.refuse(device, 'privacy', 'a list without addressing_mode', iq);
        if (category.attrs.dhash !== (lists.has(name) ? dhash(lists.get(name)) : 'none')) return { error: 409, text: 'conflict' };
        const people = new Set(lists.get(name));
        for (const user of users) {
            const account = this.sim.directory.ofJid(user.attrs.jid);
            if (!account || parseJid(user.attrs.jid).server !== LID_SERVER) return this.refuse(device, 'privacy', `user "${user.attrs.jid}"`, iq);
            if (user.attrs.action === 'add') people.add(account.phone);
            else if (user.attrs.action === 'remove') people.delete(account.phone);
            else return this.refuse(device, 'privacy', `action "${user.attrs.action}"`, iq);
        }
        lists.set(name, people);
        return null;
    }

    // ---- block list

    blockedHash(account) {
        return dhash(account.blocked);
    }

    blocklist(device, iq) {
        const { account } = device;
        const items = children(iq, 'item');
        if ((iq.attrs.type === 'set') !== (items.length === 1)) return this.refuse(device, 'blocklist', `${iq.attrs.type} with ${items.length} items`, iq);
        for (const item of items) {
            const fault = this.block(device, item, iq);
            if (fault) return fault;
        }
        const list = [...account.blocked].map(phone => node('item', { jid: this.sim.directory.byPhone.get(phone).jid('lid') }));
        return [node('list', { dhash: this.blockedHash(account), addressing_mode: 'lid' }, list)];
    }

    block(device, item, iq) {
        const { account } = device;
        const { jid, action, pn_jid: pn } = item.attrs;
        const target = this.sim.directory.ofJid(jid);
        if (!target || !isUserJid(jid) || parseJid(jid).server !== LID_SERVER) return this.refuse(device, 'blocklist', `jid "${jid}" is no LID`, iq);
        if (action !== 'block' && action !== 'unblock') return this.refuse(device, 'blocklist', `action "${action}"`, iq);
        if (action === 'block' && pn !== target.jid('pn')) return this.refuse(device, 'blocklist', `pn_jid "${pn}"`, iq);
        const before = this.blockedHash(account);
        if (action === 'block') account.blocked.add(target.phone);
        else account.blocked.delete(target.phone);
        this.sim.event('blocklist', { phone: account.phone, target: target.phone, action });
        this.tellOwn(device, node('blocklist', { action: 'modify', dhash: this.blockedHash(account), prev_dhash: before }, [
            node('item', { jid, action, pn_jid: pn })
        ]));
        return null;
    }

    // ---- business

    business(device, iq) {
        const query = child(child(iq, 'business_profile'), 'profile');
        if (!query) return [];
        const account = this.sim.directory.ofJid(query.attrs.jid);
        const business = account && this.of(account).business;
        if (!business) return [node('business_profile', { v: '244' })];
        const text = (tag, value) => (value === undefined ? [] : [node(tag, {}, Buffer.from(value))]);
        return [node('business_profile', { v: '244' }, [node('profile', { jid: query.attrs.jid }, [
            ...text('address', business.address), ...text('description', business.description), ...text('email', business.email),
            ...(business.websites || []).flatMap(w => text('website', w)),
            node('categories', {}, (business.categories || []).map((name, n) => node('category', { id: n + 1 }, Buffer.from(name)))),
            node('business_hours', { timezone: business.timezone }, (business.hours || []).map(h => node('business_hours_config', h)))
        ])])];
    }

    catalog(device, iq) {
        const query = child(iq, 'product_catalog');
        const account = this.sim.directory.ofJid(query?.attrs.jid);
        const products = account && this.of(account).catalog;
        if (!query || !/^\d+$/.test(textOf(child(query, 'limit')) || '')) return this.refuse(device, 'catalog', 'catalog without limit', iq);
        if (!products) return { error: 404, text: 'item-not-found' };
        const from = Number(textOf(child(query, 'after')) || 0);
        const to = from + Number(textOf(child(query, 'limit')));
        const fields = p => Object.entries(p).filter(([key]) => !['image', 'hidden', 'status'].includes(key)).map(([key, value]) => node(key, {}, Buffer.from(String(value))));
        return [node('product_catalog', {}, [
            ...products.slice(from, to).map(p => node('product', { is_hidden: p.hidden ? 'true' : undefined }, [
                ...fields(p),
                node('media', {}, [node('image', {}, [node('request_image_url', {}, Buffer.from(p.image || '')), node('original_image_url', {}, Buffer.from(p.image || ''))])]),
                node('status_info', {}, [node('status', {}, Buffer.from(p.status || 'APPROVED'))])
            ])),
            ...(to < products.length ? [node('paging', {}, [node('after', {}, Buffer.from(String(to)))])] : [])
        ])];
    }

    // ---- what the phone (or a test) changes

    /** body: {about, timer, business, catalog, verified_name, picture: base64 or null, block, unblock}. */
    change(account, body) {
        const state = this.of(account);
        const phone = account.phoneDevice;
        if ('about' in body) this.setAbout(account, String(body.about));
        if ('timer' in body) state.timer = Number(body.timer);
        if ('business' in body) state.business = body.business;
        if ('catalog' in body) state.catalog = body.catalog;
        if ('verified_name' in body) state.verifiedName = body.verified_name;
        if ('picture' in body) {
            state.picture = body.picture ? { id: String(this.sim.now()), bytes: Buffer.from(body.picture, 'base64') } : null;
            this.tellContacts(account, 'picture', [state.picture ? node('set', { jid: account.jid('pn'), id: state.picture.id }) : node('delete', { jid: account.jid('pn') })]);
        }
        for (const action of ['block', 'unblock']) {
            const target = body[action] && this.sim.directory.find(body[action]);
            if (target) this.block(phone, node('item', { jid: target.jid('lid'), pn_jid: target.jid('pn'), action }));
        }
        return this.toJson(account);
    }
}
