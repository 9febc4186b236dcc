// SPDX-License-Identifier: GPL-3.0-or-later
// JIDs: parsing, formatting, the server JID in its several spellings.

/** The server's own JID, in the text form that decoders hand out for a JID_PAIR with an empty user. */
export const SERVER_JID = '@s.whatsapp.net';

export const PN_SERVER = 's.whatsapp.net';
export const LID_SERVER = 'lid';

/** Splits a JID; null if the text has no server part. Device 0 when none is written. */
export function parseJid(text) {
    if (typeof text !== 'string') return null;
    const at = text.indexOf('@');
    if (at < 0) return null;
    let server = text.slice(at + 1);
    if (server === 'c.us') server = PN_SERVER;
    let user = text.slice(0, at);
    let device = 0;
    const colon = user.indexOf(':');
    if (colon >= 0) {
        device = Number(user.slice(colon + 1));
        if (!Number.isInteger(device) || device < 0 || device > 65535) return null;
        user = user.slice(0, colon);
    }
    return { user, device, server };
}

/** Writes a JID; device 0 stays unwritten. */
export function formatJid(user, server, device = 0) {
    return device ? `${user}:${device}@${server}` : `${user}@${server}`;
}

/** The JID without its device. */
export function bareJid(text) {
    const jid = parseJid(text);
    return jid ? formatJid(jid.user, jid.server) : text;
}

/** True for "s.whatsapp.net" in either spelling. */
export function isServerJid(text) {
    return text === SERVER_JID || text === PN_SERVER;
}

/** True for JIDs of people (phone number or LID). */
export function isUserJid(text) {
    const jid = parseJid(text);
    return !!jid && jid.user !== '' && (jid.server === PN_SERVER || jid.server === LID_SERVER);
}
