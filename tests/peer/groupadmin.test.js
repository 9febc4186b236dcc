// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a group made or changed over REST looks different to its members, or what a member changes does not show in our routes
// and webhooks. One simulator, one gateway with two sessions (main: Ann, eve: Eve), one Baileys client (Bob) as the judge.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { startGateway } from '../e2e/lib/web-gateway.js';
import { BaileysPeer, control, endProcessSoon } from './baileys-peer.js';
import { Hook, until } from './gateway-parties.js';

const contract = JSON.parse(readFileSync(new URL('../contract/routes.json', import.meta.url)));
const ANN = '15554000001';
const BOB = '15554000002';
const CARL = '15554000003';
const DORA = '15554000004';
const EVE = '15554000005';
const NOBODY = '15559999999';
const REST = { RATE_LIMIT_MAX: '0', SPAM_COOLDOWN_MS: '0', QUOTA_MAX: '0', WAREST_RECONNECT_JITTER_MS: '50', WAREST_WEBHOOK_BACKOFF_MS: '50', WAREST_WEBHOOK_JITTER_MS: '20' };

let gateway;
let hook;
let bob;
let group; // "Friends", made by the first test: Ann (creator), Bob, Carl
const pn = phone => `${phone}@s.whatsapp.net`;
const people = {};
const seen = [];

const sim = (method, path, body) => control(gateway.wasim.controlUrl, method, path, body);
const wire = id => sim('GET', `/groups/${id}`);
const membersOf = async id => Object.fromEntries((await wire(id)).members.map(m => [m.phone, m.role]));

async function api(method, path, p = {}, session = 'main') {
    const all = { sessionId: session, ...p };
    const answer = method === 'GET' ? await gateway.api('GET', `${path}?${new URLSearchParams(all)}`) : await gateway.api(method, path, { body: all });
    return { http: answer.status, ...answer.json };
}

async function good(method, path, p, message, session) {
    const answer = await api(method, path, p, session);
    assert.deepEqual([answer.http, answer.code, answer.message], [200, 1000, message], JSON.stringify(answer));
    assert.equal(answer.results.length, 1);
    return answer.results[0];
}

async function bad(method, path, p, [http, code, message], session) {
    const answer = await api(method, path, p, session);
    assert.deepEqual([answer.http, answer.code], [http, code], JSON.stringify(answer));
    assert.ok(message instanceof RegExp ? message.test(answer.message) : answer.message === message, `${answer.message} instead of ${message}`);
    return answer;
}

/** The webhook of our session that fits, among those after the mark. */
const told = (mark, name, fits, session = 'main') => until(
    () => hook.events.slice(mark).find(e => e.event === name && e.data.sessionId === session && fits(e.data))?.data, `webhook ${name}`);
const bobSees = (mark, name, fits) => bob.waitFor(() => seen.slice(mark).find(e => e.name === name && fits(e.entry)), name);

function crc32(bytes) {
    let crc = 0xffffffff;
    for (const byte of bytes) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    }
    return (crc ^ 0xffffffff) >>> 0;
}

function png(width, height) {
    const chunk = (type, data) => {
        const body = Buffer.concat([Buffer.from(type), data]);
        const out = Buffer.alloc(body.length + 8);
        out.writeUInt32BE(data.length, 0);
        body.copy(out, 4);
        out.writeUInt32BE(crc32(body), body.length + 4);
        return out;
    };
    const head = Buffer.alloc(13);
    head.writeUInt32BE(width, 0);
    head.writeUInt32BE(height, 4);
    head.set([8, 2], 8);
    const rows = Buffer.alloc((width * 3 + 1) * height, 0x7f);
    for (let y = 0; y < height; y++) rows[y * (width * 3 + 1)] = 0;
    return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

before(async () => {
    hook = await new Hook().listen();
    gateway = await startGateway('lighttpd', { ...REST, WEBHOOK_DEFAULT_URL: hook.url, WEBHOOK_DEFAULT_SECRET: 'secret of the gateway tests', WAREST_WEBHOOK_EVENTS: 'group_join_request' });
    for (const [phone, name] of [[BOB, 'Bob'], [CARL, 'Carl'], [DORA, 'Dora']]) people[phone] = await sim('POST', '/accounts', { phone, name });
    await gateway.link('main', ANN);
    await gateway.link('eve', EVE);
    for (const phone of [ANN, EVE]) people[phone] = await sim('GET', `/accounts/${phone}`);
    await sim('PATCH', `/accounts/${DORA}`, { privacy: { groupadd: 'none' } });
    bob = new BaileysPeer(gateway.wasim);
    await bob.pair(BOB);
    for (const name of ['groups.update', 'groups.upsert', 'group-participants.update', 'group.join-request']) {
        bob.socket.ev.on(name, data => {
            for (const entry of [data].flat()) seen.push({ name, entry });
            bob.changed.emit('change');
        });
    }
});

after(async () => {
    bob?.stop();
    await gateway?.stop();
    hook?.close();
    endProcessSoon();
});

afterEach(async () => {
    await sim('DELETE', '/faults');
    assert.deepEqual((await sim('GET', '/violations')).violations.map(v => `${v.rule}: ${v.text}`), []);
    assert.deepEqual(hook.faults, []);
});

test('a group made over REST has the right people in the view of a Baileys member', async () => {
    const made = await good('POST', '/group/create', {
        groupName: 'Friends', participants: [`+1 555 400 0002`, pn(CARL), `${people[DORA].lid}@lid`, NOBODY, 'nonsense', ANN]
    }, 'Group created');
    group = made.groupId;
    assert.match(group, /^\d+@g\.us$/);
    assert.deepEqual(made.participants.map(p => [p.status, p.code]), [['success', 200], ['success', 200], ['failed', 403], ['failed', 404], ['failed', 400], ['success', 200]]);
    assert.deepEqual([made.participants[0].jid, made.participants[0].lid], [pn(BOB), `${people[BOB].lid}@lid`]);
    assert.equal(made.participants[2].phone, DORA);
    assert.match(made.participants[2].inviteCode, /^\w{16}$/);
    assert.ok(made.participants[2].inviteExpiration > Date.now() / 1000);
    assert.deepEqual(await membersOf(group), { [ANN]: 'superadmin', [BOB]: null, [CARL]: null });
    await bobSees(0, 'groups.upsert', g => g.id === group && g.subject === 'Friends');
    const meta = await bob.socket.groupMetadata(group);
    assert.deepEqual(meta.participants.map(p => [p.phoneNumber, p.admin]).sort(), [[pn(ANN), 'superadmin'], [pn(BOB), null], [pn(CARL), null]].sort());
});

test('groups, info and participants show it with both identities', async () => {
    const { data } = await good('GET', '/groups', {}, 'Groups list fetched');
    assert.equal(data.length, 1);
    const { data: info, phone } = await good('GET', '/group/info', { gid: group }, 'Group info');
    assert.equal(phone, ANN);
    assert.deepEqual({ ...info, subjectTime: 0, creation: 0 }, {
        id: group, addressingMode: 'lid', subject: 'Friends', subjectOwner: `${people[ANN].lid}@lid`, subjectOwnerJid: pn(ANN), subjectTime: 0, creation: 0,
        owner: `${people[ANN].lid}@lid`, ownerJid: pn(ANN), restrict: false, announce: false, isCommunity: false, isCommunityAnnounce: false,
        joinApprovalMode: false, memberAddMode: false, participantsCount: 3
    });
    assert.deepEqual(data[0], info);
    const { participants } = await good('GET', '/group/participants', { group: group.replace('@g.us', '') }, 'Participants fetched');
    const lid = phoneOf => `${people[phoneOf].lid}@lid`;
    assert.deepEqual(participants, [[ANN, true, true, true], [BOB, false, false, false], [CARL, false, false, false]].map(([p, isMe, isAdmin, isSuperAdmin]) => (
        { id: lid(p), jid: pn(p), lid: lid(p), isMe, isAdmin, isSuperAdmin })));
    assert.deepEqual((await sim('GET', '/events?limit=5000')).events.filter(e => e.type === 'group_list' && e.members), [], 'the list asks for no members');
});

test('settings over REST reach the member', async () => {
    const id = { groupId: group };
    const cases = [
        ['name', { groupName: 'Best friends' }, 'Group name updated', u => u.subject === 'Best friends', { groupName: 'Best friends', status: 'success update group name' }],
        ['description', { desc: 'First' }, 'Group description updated', u => u.desc === 'First', { groupDescription: 'First', status: 'success update group description' }],
        ['description', { description: 'Second' }, 'Group description updated', u => u.desc === 'Second', { groupDescription: 'Second' }],
        ['locked', { locked: true }, 'Group locked', u => u.restrict === true, { status: 'success locked group' }],
        ['locked', { locked: 'off' }, 'Group unlocked', u => u.restrict === false, { status: 'success unlocked group' }],
        ['announcement', { announcement: 'yes' }, 'Announcement mode enabled', u => u.announce === true, { status: 'success set announcement mode' }],
        ['announcement', { announcement: false }, 'Announcement mode disabled', u => u.announce === false, { status: 'success set announcement mode' }],
        ['member-add-mode', { allMembers: true }, 'All members may add others', u => u.memberAddMode === true, { allMembers: true }],
        ['member-add-mode', { memberAddMode: false }, 'Only admins may add others', u => u.memberAddMode === false, { allMembers: false }],
        ['join-approval', { enabled: true }, 'Join approval enabled', u => u.joinApprovalMode === true, { enabled: true }],
        ['join-approval', { enabled: false }, 'Join approval disabled', u => u.joinApprovalMode === false, { enabled: false }]
    ];
    for (const [path, p, message, fits, expected] of cases) {
        const mark = seen.length;
        const result = await good('POST', `/group/${path}`, { ...id, ...p }, message);
        assert.deepEqual({ ...result, ...expected, sessionId: 'main', phone: ANN, groupId: group }, result);
        await bobSees(mark, 'groups.update', u => u.id === group && fits(u));
    }
    await good('POST', '/group/ephemeral', { ...id, duration: 86400 }, 'Disappearing messages enabled');
    const meta = await bob.socket.groupMetadata(group);
    assert.deepEqual([meta.subject, meta.desc, meta.ephemeralDuration, meta.descOwnerPn], ['Best friends', 'Second', 86400, pn(ANN)]);
    await good('POST', '/group/ephemeral', { ...id, duration: 0 }, 'Disappearing messages disabled');
    assert.equal((await good('POST', '/group/description', id, 'Group description updated')).groupDescription, '');
    assert.equal((await bob.socket.groupMetadata(group)).desc, undefined);
});

test('what a Baileys admin changes shows in routes and webhooks', async () => {
    const mark = hook.events.length;
    await good('POST', '/group/participants/promote', { groupId: group, participants: [BOB] }, 'Participants promoted');
    await told(mark, 'group_participants', d => d.action === 'promote' && d.participants.includes(pn(BOB)));
    const { socket } = bob;
    const updates = [
        [() => socket.groupUpdateSubject(group, 'From Bob'), u => u.subject === 'From Bob' && u.author === pn(BOB), i => i.subject === 'From Bob' && i.subjectOwnerJid === pn(BOB)],
        [() => socket.groupUpdateDescription(group, 'Bob was here'), u => u.desc === 'Bob was here', i => i.desc === 'Bob was here' && i.descOwnerJid === pn(BOB)],
        [() => socket.groupSettingUpdate(group, 'announcement'), u => u.announce === true, i => i.announce],
        [() => socket.groupSettingUpdate(group, 'not_announcement'), u => u.announce === false, i => !i.announce],
        [() => socket.groupSettingUpdate(group, 'locked'), u => u.restrict === true, i => i.restrict],
        [() => socket.groupSettingUpdate(group, 'unlocked'), u => u.restrict === false, i => !i.restrict],
        [() => socket.groupMemberAddMode(group, 'all_member_add'), u => u.memberAddMode === true, i => i.memberAddMode],
        [() => socket.groupMemberAddMode(group, 'admin_add'), u => u.memberAddMode === false, i => !i.memberAddMode],
        [() => socket.groupJoinApprovalMode(group, 'on'), u => u.joinApprovalMode === true, i => i.joinApprovalMode],
        [() => socket.groupJoinApprovalMode(group, 'off'), u => u.joinApprovalMode === false, i => !i.joinApprovalMode],
        [() => socket.groupToggleEphemeral(group, 604800), u => u.ephemeralDuration === 604800, i => i.ephemeralDuration === 604800],
        [() => socket.groupToggleEphemeral(group, 0), u => u.ephemeralDuration === 0, i => !i.ephemeralDuration]
    ];
    for (const [act, fits, shows] of updates) {
        const at = hook.events.length;
        await act();
        await told(at, 'group_update', d => d.update.id === group && fits(d.update));
        assert.ok(shows((await good('GET', '/group/info', { groupId: group }, 'Group info')).data), act.toString());
    }
    const at = hook.events.length;
    await socket.groupRevokeInvite(group);
    const code = (await told(at, 'group_update', d => d.update.inviteCode)).update.inviteCode;
    assert.equal((await good('GET', '/group/invite', { groupId: group }, 'Invite link fetched')).inviteLink, `https://chat.whatsapp.com/${code}`);
    await socket.groupParticipantsUpdate(group, [pn(CARL)], 'remove');
    const left = await told(at, 'group_leave', d => d.groupId === group && d.participants[0] === pn(CARL));
    assert.deepEqual([left.author, left.people], [pn(BOB), [{ jid: pn(CARL), lid: `${people[CARL].lid}@lid` }]]);
    await told(at, 'message_received', d => d.message.messageStubType === 'GROUP_PARTICIPANT_REMOVE' && d.message.messageStubParameters[0] === pn(CARL)
        && d.sender.authorJid === pn(BOB) && d.tags === 'system');
    await socket.groupParticipantsUpdate(group, [pn(CARL)], 'add');
    await told(at, 'group_join', d => d.groupId === group && d.participants[0] === pn(CARL));
    await socket.groupParticipantsUpdate(group, [pn(CARL)], 'promote');
    await told(at, 'group_participants', d => d.action === 'promote');
    await socket.groupParticipantsUpdate(group, [pn(CARL)], 'demote');
    await told(at, 'group_participants', d => d.action === 'demote');
});

test('members are added, removed, promoted, demoted, with a result for each', async () => {
    const p = participants => ({ groupId: group, participants });
    const add = await bad('POST', '/group/participants/add', p([EVE, BOB, DORA, NOBODY, 'x@example.org']), [207, 1004, 'Some participants failed to add']);
    assert.deepEqual([add.results[0].addedParticipants, add.results[0].failedToAdd, add.results[0].status], [[EVE], [BOB, DORA, NOBODY, 'x@example.org'], 'partial']);
    assert.deepEqual(add.results[0].participants.map(x => x.code), [200, 409, 403, 404, 400]);
    assert.match(add.results[0].participants[2].inviteCode, /^\w+$/);
    assert.deepEqual(Object.keys(await membersOf(group)).sort(), [ANN, BOB, CARL, EVE]);
    const promote = await bad('POST', '/group/participants/promote', p([`${people[EVE].lid}@lid`, ANN, DORA]), [207, 1004, 'Some participants failed to promote']);
    assert.deepEqual(promote.results[0].participants.map(x => [x.phone, x.status]), [[EVE, 'promoted'], [ANN, 'not permitted'], [DORA, 'failed']]);
    assert.equal((await membersOf(group))[EVE], 'admin');
    const demote = await good('POST', '/group/participants/demote', p([EVE]), 'Participants demoted');
    assert.deepEqual([demote.participants[0].status, demote.status], ['demoted', 'success']);
    const remove = await good('DELETE', '/group/participants/remove', p(`${EVE}, ${CARL}`), 'Participants removed');
    assert.deepEqual([remove.removedParticipants, remove.failedToRemove, remove.status], [[EVE, CARL], [], 'success']);
    await bobSees(0, 'group-participants.update', u => u.id === group && u.action === 'remove' && u.participants.some(x => x.phoneNumber === pn(EVE)));
    assert.deepEqual(Object.keys(await membersOf(group)).sort(), [ANN, BOB]);
    const none = await bad('DELETE', '/group/participants/remove', p([EVE]), [207, 1004, 'Some participants failed to remove']);
    assert.deepEqual([none.results[0].failedToRemove, none.results[0].status], [[EVE], 'failed']);
});

test('joining: by link, with approval, by invite message', async () => {
    const id = { groupId: group };
    const { inviteLink } = await good('GET', '/group/invite', id, 'Invite link fetched');
    const preview = await good('GET', '/group/join-via-link', { link: inviteLink }, 'Invite info fetched', 'eve');
    assert.deepEqual({ ...preview, groupDescription: '' }, { sessionId: 'eve', phone: EVE, groupId: group, groupName: 'From Bob', groupDescription: '', participantsCount: 2,
        isGroupLocked: false, isAnnouncement: false, isEphemeral: false, inviteLink, groupPicture: null });
    assert.equal((await good('GET', '/group/invite/info', { inviteLink }, 'Invite info fetched', 'eve')).data.id, group);
    let mark = hook.events.length;
    const joined = await good('POST', '/group/join-via-link', { inviteLink }, 'Joined group via link', 'eve');
    assert.deepEqual([joined.status, joined.groupId], ['success joined group', group]);
    await told(mark, 'group_join', d => d.groupId === group && d.participants[0] === pn(EVE));
    await good('POST', '/group/leave', id, 'Left group', 'eve');
    await told(mark, 'group_leave', d => d.groupId === group && d.participants[0] === pn(EVE));

    await good('POST', '/group/join-approval', { ...id, enabled: true }, 'Join approval enabled');
    assert.equal((await good('POST', '/group/join-via-link', { inviteLink }, 'Joined group via link', 'eve')).status, 'pending approval to join');
    await sim('POST', `/groups/${group}/request`, { phone: CARL });
    await told(mark, 'group_join_request', d => d.groupId === group && d.participants[0] === pn(CARL) && d.action === 'created');
    const { joinRequests } = await good('GET', '/group/participants/requests', id, 'Join requests fetched');
    assert.deepEqual(joinRequests.map(r => [r.jid, r.lid, r.phone, r.requestMethod]), [EVE, CARL].map(p => [pn(p), `${people[p].lid}@lid`, p, 'invite_link']));
    assert.ok(Math.abs(joinRequests[0].requestTime - Date.now() / 1000) < 600);
    const approve = await bad('POST', '/group/participants/request/approve', { ...id, participants: [`${people[EVE].lid}@lid`, DORA] }, [207, 1004, 'Some participants failed to approve']);
    assert.deepEqual([approve.results[0].approvedParticipants, approve.results[0].failedToApprove], [[EVE], [DORA]]);
    const reject = await good('POST', '/group/participants/request/reject', { ...id, participants: [CARL] }, 'Participants rejected');
    assert.deepEqual([reject.participants[0].phone, reject.participants[0].status, reject.status], [CARL, 'rejected', 'success']);
    assert.deepEqual(Object.keys(await membersOf(group)).sort(), [ANN, BOB, EVE]);
    await good('POST', '/group/join-approval', { ...id, enabled: false }, 'Join approval disabled');

    const reset = await good('POST', '/group/invite/revoke', id, 'Invite link revoked');
    assert.ok(reset.inviteLink.startsWith('https://chat.whatsapp.com/') && reset.inviteLink !== inviteLink);
    await bad('POST', '/group/join-via-link', { inviteLink }, [502, 2800, /^not-acceptable/], 'eve');
    const dead = await good('GET', '/group/join-via-link', { inviteLink }, 'Invite info fetched', 'eve');
    assert.deepEqual([dead.groupId, dead.groupName, dead.participantsCount, dead.isGroupLocked, 'groupPicture' in dead], [null, null, 0, false, false]);

    await good('DELETE', '/group/participants/remove', { ...id, participants: [EVE] }, 'Participants removed');
    await sim('PATCH', `/accounts/${EVE}`, { privacy: { groupadd: 'none' } });
    const refused = (await bad('POST', '/group/participants/add', { ...id, participants: [EVE] }, [207, 1004, 'Some participants failed to add'])).results[0].participants[0];
    const invitation = { ...id, inviteCode: refused.inviteCode, inviteExpiration: refused.inviteExpiration, inviter: ANN };
    assert.equal((await good('GET', '/group/invitation/info', invitation, 'Invite info fetched', 'eve')).data.subject, 'From Bob');
    await bad('POST', '/group/invitation/accept', { ...invitation, inviter: BOB }, [502, 2800, /^item-not-found/], 'eve');
    mark = hook.events.length;
    await good('POST', '/group/invitation/accept', invitation, 'Joined group via invite message', 'eve');
    await told(mark, 'group_join', d => d.groupId === group && d.participants[0] === pn(EVE));
    await bad('POST', '/group/invitation/accept', invitation, [502, 2800, /^conflict/], 'eve');
    const taken = await good('POST', '/group/invitation/revoke', { ...id, participants: [DORA] }, 'Invites revoked');
    assert.equal(taken.participants[0].status, 'revoked');
});

test('the picture is cut to a square of 640 pixels; what is no picture is refused', async () => {
    const id = { groupId: group };
    assert.equal((await good('GET', '/group/picture', id, 'Group picture')).pictureUrl, null);
    const picture = `data:image/png;base64,${png(900, 700).toString('base64')}`;
    const set = await good('POST', '/group/picture', { ...id, picture }, 'Group picture updated');
    assert.equal(set.status, 'success update group picture');
    const { picture: kept } = await wire(group);
    assert.ok(kept.size > 500);
    assert.match(set.pictureUrl, new RegExp(`${kept.id}$`));
    assert.equal((await good('GET', '/group/picture', id, 'Group picture')).pictureUrl, set.pictureUrl);
    assert.equal(await bob.socket.profilePictureUrl(group, 'image'), set.pictureUrl);
    await bad('POST', '/group/picture', { ...id, picture: `data:image/png;base64,${Buffer.from('no picture at all').toString('base64')}` }, [400, 2002, 'picture is invalid or unreadable']);
    await bad('POST', '/group/picture', { ...id, image: 'http://127.0.0.1:1/none.png' }, [400, 2002, 'picture is invalid or unreadable']);
    await bad('POST', '/group/picture', id, [400, 2001, 'picture is required']);
    assert.equal((await wire(group)).picture.id, kept.id);
    assert.equal((await good('DELETE', '/group/picture', id, 'Group picture removed')).status, 'success remove group picture');
    assert.equal((await wire(group)).picture, null);
    assert.equal((await bad('DELETE', '/group/picture', id, [207, 1004, 'Failed to remove group picture'])).results[0].status, 'failed');
});

test('every required parameter of the contract\'s group routes is asked for', async () => {
    const values = { groupId: group, groupName: 'x', participants: [BOB], inviteLink: 'https://chat.whatsapp.com/aaaaaaaaaaaaaaaaaaaaaa', picture: 'x', locked: true, announcement: true };
    await gateway.api('GET', '/session/create?sessionId=closed');
    for (const route of contract.routes.filter(r => r.session === 'groups')) {
        const path = route.path.replace('/api/v1', '');
        const required = route.params.filter(q => q.required || ['locked', 'announcement'].includes(q.name));
        for (const missing of required) {
            const p = Object.fromEntries(required.filter(q => q !== missing).map(q => [q.name, values[q.name]]));
            await bad(route.method, path, p, [400, 2001, `${missing.name} is required`]);
        }
        await bad(route.method, path, values, [404, 1101, 'Session not found'], 'none-such');
        await bad(route.method, path, values, [409, 1106, 'Login required (scan QR or pairing)'], 'closed');
        await bad(route.method, path, values, [400, 2002, 'sessionId is invalid'], '../x');
        if (route.params.some(q => q.name === 'groupId')) await bad(route.method, path, { ...values, groupId: pn(BOB) }, [400, 2001, 'groupId is required']);
    }
});

test('what cannot be done is said, and nothing has changed', async () => {
    const id = { groupId: group };
    const before = await wire(group);
    const foreign = (await sim('POST', '/groups', { creator: CARL, members: [DORA], subject: 'Not ours' })).jid;
    const gone = { groupId: '120363000000000009@g.us' };
    for (const [target, word] of [[{ groupId: foreign }, /^forbidden: this account is not in the group/], [gone, /^item-not-found: there is no such group/]]) {
        await bad('GET', '/group/info', target, [500, 8000, word]);
        await bad('GET', '/group/participants', target, [500, 8000, word]);
        await bad('POST', '/group/name', { ...target, groupName: 'Mine' }, [502, 2800, word]);
        await bad('POST', '/group/description', { ...target, desc: 'Mine' }, [502, 2800, word]);
        await bad('POST', '/group/locked', { ...target, locked: true }, [502, 2800, word]);
        await bad('POST', '/group/announcement', { ...target, announcement: true }, [502, 2800, word]);
        await bad('POST', '/group/participants/add', { ...target, participants: [BOB] }, [207, 1004, 'Some participants failed to add']);
        await bad('POST', '/group/participants/promote', { ...target, participants: [BOB] }, [500, 8000, word]);
        await bad('DELETE', '/group/delete', target, [500, 8000, word]);
        assert.deepEqual((await good('GET', '/group/participants/requests', target, 'Join requests fetched')).joinRequests, []);
        assert.equal((await good('GET', '/group/invite', target, 'Invite link fetched')).inviteLink, null);
        assert.deepEqual([(await good('POST', '/group/invite/revoke', target, 'Invite link revoked')).status], ['failed']);
        assert.equal((await bad('POST', '/group/leave', target, [207, 1004, 'Failed to leave group'])).results[0].status, 'failed');
    }
    // Eve is a member, no admin.
    await bad('POST', '/group/announcement', { ...id, announcement: true }, [502, 2800, /^forbidden/], 'eve');
    const kick = await bad('DELETE', '/group/participants/remove', { ...id, participants: [BOB] }, [207, 1004, 'Some participants failed to remove'], 'eve');
    assert.deepEqual([kick.results[0].failedToRemove, kick.results[0].status, kick.results[0].participants[0].code], [[BOB], 'failed', 403]);
    await bad('DELETE', '/group/delete', id, [403, 2201, 'Bot is not an admin in this group'], 'eve');
    assert.equal((await good('GET', '/group/invite', id, 'Invite link fetched', 'eve')).inviteLink, null);

    await bad('POST', '/group/description', { ...id, desc: 'ä'.repeat(100000) }, [400, 2002, 'groupDescription is longer than 2048 characters']);
    await bad('POST', '/group/name', { ...id, name: 'n'.repeat(101) }, [400, 2002, 'groupName is longer than 100 characters']);
    await bad('POST', '/group/create', { groupName: 'n'.repeat(101) }, [400, 2002, 'groupName is longer than 100 characters']);
    await bad('POST', '/group/locked', { ...id, locked: 'maybe' }, [400, 2002, 'locked must be true or false']);
    await bad('POST', '/group/ephemeral', { ...id, duration: 60 }, [400, 2002, 'duration is one of 0, 86400, 604800, 7776000']);
    await bad('POST', '/group/join-via-link', { inviteLink: 'https://chat.whatsapp.com/' }, [400, 2001, 'inviteLink is required']);
    await bad('POST', '/group/join-via-link', { inviteLink: 'nosuchcode0123456789ab' }, [502, 2800, /^not-acceptable/]);
    await bad('GET', '/group/invite/info', { inviteLink: 'nosuchcode0123456789ab' }, [502, 2800, /^not-acceptable/]);
    await bad('POST', '/group/participants/add', { ...id, participants: [] }, [400, 2001, 'participants is required']);
    await bad('GET', '/community/info', { communityId: group }, [400, 2002, 'communityId is a group, not a community']);
    const { phash, version, ...kept } = await wire(group);
    assert.deepEqual({ ...kept, phash, version }, before);

    await sim('POST', '/faults', { kind: 'iq_error', match: { xmlns: 'w:g2' }, code: 403, text: 'forbidden' });
    await bad('POST', '/group/create', { groupName: 'Refused' }, [500, 8000, /^forbidden/]);
    // Trouble is not hidden as an empty answer.
    await sim('POST', '/faults', { kind: 'iq_error', match: { xmlns: 'w:g2' }, code: 503, count: 3 });
    await bad('GET', '/groups', {}, [502, 2800, /service-unavailable|injected/]);
    await bad('GET', '/group/participants/requests', id, [502, 2800, /service-unavailable|injected/]);
    await bad('GET', '/group/invite', id, [502, 2800, /service-unavailable|injected/]);
});

test('communities: made, linked, unlinked, looked at, ended', async () => {
    const { communityId } = await good('POST', '/community/create', { communityName: 'Town', description: 'All of us' }, 'Community created');
    const id = { communityId };
    const { data } = await good('GET', '/community/info', id, 'Community info');
    assert.deepEqual([data.subject, data.desc, data.isCommunity], ['Town', 'All of us', true]);
    const { groups } = await good('GET', '/community/groups', id, 'Community groups fetched');
    assert.deepEqual(groups.map(g => [g.subject, g.isCommunityAnnounce, g.isGeneralChat]), [['Town', true, false], ['General', false, true]]);
    /* The announcement group as a recipient: its admin writes, everybody else is refused; reactions are free. */
    const news = groups[0].id;
    await sim('PATCH', `/accounts/${EVE}`, { privacy: { groupadd: 'all' } });
    await sim('POST', `/groups/${news}/add`, { phones: [BOB, EVE], by: ANN });
    const say = (session, route, more) => gateway.api('POST', `/messages/${route}`, { body: { sessionId: session, to: news, ...more } });
    const said = await say('main', 'send/text', { message: 'Town meeting' });
    assert.equal(said.status, 200, JSON.stringify(said.json));
    await bob.waitMessage('Town meeting');
    const { messageId } = said.json.results[0];
    await until(() => hook.events.find(e => e.event === 'message_received' && e.data.sessionId === 'eve' && e.data.message.key.id === messageId), 'the announcement at Eve');
    const refused = await say('eve', 'send/text', { message: 'Me too', messageId: '3EB0NOADMIN' });
    assert.deepEqual([refused.status, refused.json.code], [500, 8000], JSON.stringify(refused.json));
    const [why] = (await gateway.api('GET', '/messages/3EB0NOADMIN/status?sessionId=eve')).json.results;
    assert.deepEqual([why.state, why.code], ['failed', 403]);
    assert.equal((await say('eve', `${messageId}/action/reaction`, { emoji: '👍' })).status, 200);
    const sub = await good('POST', '/community/group/create', { ...id, groupName: 'Street', participants: [BOB] }, 'Group created');
    assert.equal(sub.participants[0].status, 'success');
    assert.equal((await good('GET', '/group/info', { groupId: sub.groupId }, 'Group info')).data.linkedParent, communityId);
    const mark = hook.events.length;
    const link = await bad('POST', '/community/link', { ...id, groups: [group, '120363000000000009@g.us'] }, [207, 1004, 'Some groups failed to link']);
    assert.deepEqual(link.results[0].groups.map(g => [g.status, g.code]), [['linked', 200], ['failed', 404]]);
    await told(mark, 'group_update', d => d.update.id === group && d.update.linkedParent === communityId);
    const linked = await bob.socket.communityFetchLinkedGroups(group);
    assert.equal(linked.communityJid, communityId);
    await bad('GET', '/community/groups', { communityId: group }, [502, 2800, /^bad-request/]);
    const { participants } = await good('GET', '/community/participants', id, 'Community participants fetched');
    assert.deepEqual(participants.map(p => p.jid).sort(), [ANN, BOB, EVE].map(pn).sort());
    assert.ok(participants.every(p => p.lid.endsWith('@lid')));
    await good('POST', '/community/unlink', { ...id, groups: [group] }, 'Groups unlinked');
    await told(mark, 'group_update', d => d.update.id === group && d.update.linkedParent === null);
    assert.equal((await wire(group)).parent, null);
    await bad('POST', '/community/link', id, [400, 2001, 'groups is required']);
    await bad('POST', '/community/link', { ...id, groups: [pn(BOB)] }, [400, 2002, 'groups must be group ids']);
    await good('DELETE', '/community/delete', id, 'Community deactivated');
    await bad('GET', '/community/info', id, [502, 2800, /^item-not-found/]);
    assert.equal((await wire(sub.groupId)).parent, null);
});

test('a message still reaches everybody after all of this, and nobody who has left', async () => {
    await good('DELETE', '/group/participants/remove', { groupId: group, participants: [EVE] }, 'Participants removed');
    const sent = await gateway.api('POST', '/messages/send/text', { body: { sessionId: 'main', to: group, message: 'Still here' } });
    assert.equal(sent.status, 200, JSON.stringify(sent.json));
    await bob.waitMessage('Still here');
});

test('a group is left and disbanded', async () => {
    const { groupId } = await good('POST', '/group/create', { groupName: 'Short', participants: [BOB, CARL] }, 'Group created');
    const mark = seen.length;
    const gone = await good('DELETE', '/group/delete', { groupId }, 'Group disbanded');
    assert.deepEqual([gone.removedParticipants.sort(), gone.failedToRemove, gone.status], [[BOB, CARL], [], 'success delete group']);
    await bobSees(mark, 'group-participants.update', u => u.id === groupId && u.action === 'remove');
    assert.deepEqual((await wire(groupId)).members, []);
    assert.equal((await good('POST', '/group/leave', { groupId: group }, 'Left group')).status, 'success leave');
    assert.deepEqual(await membersOf(group), { [BOB]: 'superadmin' });
});
