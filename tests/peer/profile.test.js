// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, what an account shows of itself over REST looks different to others, or what others show, block, or call does not reach
// our routes and webhooks. One simulator, one gateway (session main: Ann), two Baileys clients as judges: Bob, and Mate, who is a companion of Ann.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { startGateway } from '../e2e/lib/web-gateway.js';
import { BaileysPeer, control, endProcessSoon } from './baileys-peer.js';
import { Hook, until } from './gateway-parties.js';

const ANN = '15557100001', BOB = '15557100002', CARL = '15557100003', NOBODY = '15557199999';
const seed = (name) => readFileSync(new URL(`../fuzz/seeds/image/${name}`, import.meta.url));
const SETTINGS = {
  RATE_LIMIT_MAX: '0', SPAM_COOLDOWN_MS: '0', QUOTA_MAX: '0', WAREST_RECONNECT_JITTER_MS: '50', WAREST_WEBHOOK_BACKOFF_MS: '50',
  WAREST_WEBHOOK_JITTER_MS: '20', WAREST_WEBHOOK_EVENTS: 'contact_update,blocklist_update,message_receipt',
};

let gateway, hook, bob, mate;
const people = {};
const seen = [];
const pn = (phone) => `${phone}@s.whatsapp.net`;
const sim = (method, path, body) => control(gateway.wasim.controlUrl, method, path, body);
const shown = (phone) => sim('GET', `/accounts/${phone}/profile`);

async function api(method, path, p = {}) {
  const all = Object.fromEntries(Object.entries({ sessionId: 'main', ...p }).filter(([, v]) => v !== undefined));
  const answer = method === 'GET' ? await gateway.api('GET', `${path}?${new URLSearchParams(Object.entries(all).flatMap(([k, v]) => [v].flat().map((x) => [k, x])))}`)
    : await gateway.api(method, path, { body: all });
  return { http: answer.status, ...answer.json };
}

async function good(method, path, p, message) {
  const answer = await api(method, path, p);
  assert.deepEqual([answer.http, answer.code, answer.message], [200, 1000, message], JSON.stringify(answer));
  return answer.results[0];
}

async function bad(method, path, p, [http, code, message]) {
  const answer = await api(method, path, p);
  assert.deepEqual([answer.http, answer.code], [http, code], `${method} ${path}: ${JSON.stringify(answer)}`);
  assert.ok(message instanceof RegExp ? message.test(answer.message) : answer.message === message, `${answer.message} instead of ${message}`);
}

const told = (mark, name, fits = () => true) => until(() => hook.events.slice(mark).find((e) => e.event === name && fits(e.data))?.data, `webhook ${name}`);

function watch(who, peer) {
  for (const name of ['blocklist.update', 'presence.update', 'call', 'contacts.update', 'creds.update'])
    peer.socket.ev.on(name, (data) => {
      for (const entry of [data].flat()) seen.push({ who, name, entry });
      peer.changed.emit('change');
    });
}
const sees = (peer, who, mark, name, fits) => peer.waitFor(() => seen.slice(mark).find((e) => e.who === who && e.name === name && fits(e.entry)), name);

before(async () => {
  hook = await new Hook().listen();
  gateway = await startGateway('lighttpd', { ...SETTINGS, WEBHOOK_DEFAULT_URL: hook.url, WEBHOOK_DEFAULT_SECRET: 'secret of the gateway tests' });
  for (const [phone, name, more] of [[ANN, 'Ann', { share_keys: true }], [BOB, 'Bob'], [CARL, 'Carl']])
    people[phone] = await sim('POST', '/accounts', { phone, name, ...more });
  const { linked } = await gateway.link('main', ANN);
  people.client = linked.jid;
  bob = new BaileysPeer(gateway.wasim);
  await bob.pair(BOB);
  bob.creds.me.name = 'Bob'; // without a name Baileys shows no presence
  mate = new BaileysPeer(gateway.wasim);
  await mate.pair(ANN);
  watch('bob', bob);
  watch('mate', mate);
  // Bob and Ann know each other: he hears of her changes.
  await api('POST', '/messages/send/text', { to: BOB, message: 'hello' });
  await bob.waitMessage('hello');
  await bob.sendText(pn(ANN), 'hi Ann');
  await told(0, 'message_received', (d) => d.text === 'hi Ann');
});

after(async () => {
  bob?.stop();
  mate?.stop();
  await gateway?.stop();
  hook?.close();
  endProcessSoon();
});

afterEach(async () => {
  await fetch(`${gateway.wasim.controlUrl}/faults`, { method: 'DELETE' });
  const { violations } = await sim('GET', '/violations');
  assert.deepEqual(violations.map((v) => `${v.rule}: ${v.text}`), []);
  assert.deepEqual(hook.faults, []);
});

describe('own profile', () => {
  test('the about text is what a Baileys peer reads', async () => {
    const result = await good('POST', '/profile/about', { about: 'On a boat ⛵' }, 'Profile about updated');
    assert.deepEqual(result, { sessionId: 'main', phone: ANN, about: 'On a boat ⛵' });
    const [entry] = await bob.socket.fetchStatus(pn(ANN));
    assert.equal(entry.status.status, 'On a boat ⛵');
    await good('POST', '/profile/about', { about: '' }, 'Profile about updated');
    await bad('POST', '/profile/about', {}, [400, 2001, 'about is required']);
    await bad('POST', '/profile/about', { about: 'x'.repeat(140) }, [400, 2002, 'about may have at most 139 characters']);
    await good('POST', '/profile/about', { about: 'On a boat ⛵' }, 'Profile about updated');
  });

  test('the picture is cut to a square by the media worker and seen by a Baileys peer', async () => {
    const mark = seen.length;
    const uri = `data:image/png;base64,${seed('opaque.png').toString('base64')}`;
    const set = await good('POST', '/profile/picture', { picture: uri }, 'Profile picture updated');
    const { picture } = await shown(ANN);
    assert.deepEqual([picture.width, picture.height], [640, 640]);
    assert.deepEqual([set.phone, set.id, set.type], [ANN, picture.id, 'image']);
    assert.equal(await bob.socket.profilePictureUrl(pn(ANN), 'image'), set.imgFull);
    await sees(bob, 'bob', mark, 'contacts.update', (e) => e.imgUrl === 'changed');
    assert.deepEqual(await good('GET', '/profile/picture', {}, 'Profile picture'), set);
    await bad('POST', '/profile/picture', {}, [400, 2001, 'picture is required']);
    await bad('POST', '/profile/picture', { avatar: Buffer.from('no picture at all, only text').toString('base64') }, [400, 2002, 'picture is invalid or unreadable']);
    await bad('POST', '/profile/picture', { picture: '/etc/passwd' }, [400, 2002, 'picture is invalid or unreadable']);
    assert.equal((await shown(ANN)).picture.id, set.id, 'nothing has changed');
    const removed = await api('DELETE', '/profile/picture');
    assert.deepEqual([removed.http, removed.message, removed.results], [200, 'Profile picture removed', []]);
    assert.deepEqual(await good('GET', '/profile/picture', {}, 'Profile picture'), { phone: ANN, url: null, id: null, type: null, imgFull: null, imgPreview: null });
  });

  test('the name is the account\'s on all devices', async () => {
    const result = await until(async () => {
      const answer = await api('POST', '/profile/name', { name: 'Ann of the sea' });
      return answer.http === 200 && answer.results[0];
    }, 'the phone\'s keys');
    assert.deepEqual(result, { sessionId: 'main', phone: ANN, name: 'Ann of the sea' });
    await mate.waitFor(() => mate.creds.me?.name === 'Ann of the sea', 'the new name');
    await until(async () => (await good('GET', '/profile/info', {}, 'Profile info')).pushName === 'Ann of the sea', 'the name in info');
    await bad('POST', '/profile/name', {}, [400, 2001, 'name is required']);
    await bad('POST', '/profile/name', { name: 'n'.repeat(26) }, [400, 2002, 'name may have at most 25 characters']);
  });

  test('info brings everything', async () => {
    const info = await good('GET', '/profile/info', {}, 'Profile info');
    assert.deepEqual(Object.keys(info), ['phone', 'verifiedName', 'pushName', 'about', 'pictureId', 'businessProfile', 'entries', 'profilePicture']);
    assert.deepEqual([info.phone, info.about, info.pictureId, info.businessProfile], [ANN, 'On a boat ⛵', null, null]);
    assert.deepEqual([info.entries.User, info.entries.Server], [ANN, 's.whatsapp.net']);
    assert.equal(typeof info.entries.Agent, 'number');
    assert.deepEqual(await good('GET', '/profile/info', { sessionId: undefined, phone: `+${ANN}` }, 'Profile info'), info, 'by phone');
  });

  test('the timer of new chats reaches the companion', async () => {
    const mark = seen.length;
    await good('POST', '/profile/disappearing', { duration: 604800 }, 'Default disappearing timer updated');
    assert.equal((await shown(ANN)).timer, 604800);
    await sees(mate, 'mate', mark, 'creds.update', (e) => e.accountSettings?.defaultDisappearingMode?.ephemeralExpiration === 604800);
    await bad('POST', '/profile/disappearing', { duration: 5 }, [400, 2002, 'duration must be 0, 86400, 604800 or 7776000']);
    await bad('POST', '/profile/disappearing', {}, [400, 2001, 'duration is required']);
  });
});

describe('privacy and block list', () => {
  test('settings are read, changed, and act', async () => {
    const before = await good('GET', '/profile/privacy', {}, 'Privacy settings');
    assert.deepEqual(before, { phone: ANN, readReceipts: 'all', profilePhoto: 'all', status: 'all', online: 'all', lastSeen: 'all', groupAdd: 'all', callAdd: 'all', stikers: 'contacts', stickers: 'contacts', messages: 'all', defense: 'off' });
    const after = await good('POST', '/profile/privacy', { category: 'status', value: 'none' }, 'Privacy setting updated');
    assert.equal(after.status, 'none');
    assert.equal((await mate.socket.fetchPrivacySettings(true)).status, 'none');
    assert.equal((await bob.socket.fetchStatus(pn(ANN)))[0].status.status, '', 'hidden from Bob');
    await good('POST', '/profile/privacy', { category: 'status', value: 'contact_blacklist', disallow: [BOB, CARL] }, 'Privacy setting updated');
    assert.deepEqual((await shown(ANN)).lists.status.sort(), [BOB, CARL]);
    await good('POST', '/profile/privacy', { category: 'status', value: 'contact_blacklist', allow: BOB }, 'Privacy setting updated');
    assert.deepEqual((await shown(ANN)).lists.status, [CARL]);
    assert.equal((await bob.socket.fetchStatus(pn(ANN)))[0].status.status, 'On a boat ⛵');
    for (const [p, fault] of [[{ value: 'all' }, [400, 2001, 'category is required']], [{ category: 'last' }, [400, 2001, 'value is required']],
      [{ category: 'shoes', value: 'all' }, [400, 2002, 'Unknown privacy category']], [{ category: 'online', value: 'none' }, [400, 2002, 'value must be one of all|match_last_seen']],
      [{ category: 'lastSeen', value: 'all', disallow: BOB }, [400, 2002, 'allow and disallow need contact_blacklist']],
      [{ category: 'lastSeen', value: 'contact_blacklist', disallow: NOBODY }, [404, 2600, 'Not on WhatsApp']]])
      await bad('POST', '/profile/privacy', p, fault);
    // What the companion changes is seen here.
    await mate.socket.updateReadReceiptsPrivacy('none');
    assert.equal((await good('GET', '/profile/privacy', {}, 'Privacy settings')).readReceipts, 'none');
    await mate.socket.updateReadReceiptsPrivacy('all');
  });

  test('the block list is the same in the Baileys companion, both ways', async () => {
    const mark = seen.length, hooked = hook.events.length;
    const carl = people[CARL].lid_jid;
    assert.deepEqual(await good('POST', '/profile/block', { jid: CARL }, 'Contact blocked'), { sessionId: 'main', phone: ANN, jid: pn(CARL), lid: carl, blocked: true });
    await sees(mate, 'mate', mark, 'blocklist.update', (e) => e.type === 'add' && e.blocklist[0] === carl);
    assert.deepEqual(await mate.socket.fetchBlocklist(), [carl]);
    assert.deepEqual((await good('GET', '/profile/blocklist', {}, 'Block list')).data, [{ jid: pn(CARL), lid: carl, phone: CARL }]);
    await good('POST', '/profile/unblock', { jid: carl }, 'Contact unblocked');
    assert.deepEqual(await mate.socket.fetchBlocklist(), []);
    await mate.socket.updateBlockStatus(people[BOB].lid_jid, 'block').catch(async () => {
      // Baileys does not know the number of a LID it never wrote to: the phone blocks then.
      await sim('PATCH', `/accounts/${ANN}/profile`, { block: BOB });
    });
    const event = await told(hooked, 'blocklist_update', (d) => d.action === 'block');
    assert.deepEqual([event.jid, event.lid], [pn(BOB), people[BOB].lid_jid]);
    assert.deepEqual((await good('GET', '/profile/blocklist', {}, 'Block list')).data.map((d) => d.phone), [BOB]);
    await good('POST', '/profile/unblock', { jid: BOB }, 'Contact unblocked');
    for (const [p, fault] of [[{}, [400, 2001, 'jid is required']], [{ jid: 'nonsense@nowhere' }, [400, 2002, 'jid is invalid']],
      [{ jid: '120363000000000001@g.us' }, [400, 2002, 'jid must be a person']], [{ jid: NOBODY }, [404, 2600, 'Not on WhatsApp']]])
      await bad('POST', '/profile/block', p, fault);
  });
});

describe('others', () => {
  test('numbers are looked up, in both identities, deep and flat', async () => {
    const one = await good('GET', '/profile/on-whatsapp', { checkNumbers: `+${BOB}` }, 'Lookup complete');
    assert.deepEqual(one, { data: { jid: pn(BOB), lid: people[BOB].lid_jid, phone: BOB, isOnWhatsApp: true } });
    await sim('PATCH', `/accounts/${CARL}/profile`, {
      about: 'Open all day', verified_name: 'Carl & Sons', picture: seed('small.jpg').toString('base64'),
      business: { address: 'Dock 1', email: 'c@example.com', websites: ['https://carl.example'], categories: ['Shop'], timezone: 'Asia/Jakarta',
        hours: [{ day_of_week: 'mon', mode: 'specific_hours', open_time: '540', close_time: '1020' }, { day_of_week: 'tue', mode: 'open_24h' }] },
    });
    const many = await good('GET', '/profile/on-whatsapp', { checkNumbers: [`${CARL},${NOBODY}`, CARL], deep: 'true' }, 'Lookup complete');
    assert.deepEqual(many.data.map((d) => [d.phone, d.isOnWhatsApp]), [[CARL, true], [NOBODY, false], [CARL, true]]);
    const [carl] = many.data;
    assert.deepEqual([carl.about, carl.businessProfile.email, typeof carl.picture.full], ['Open all day', 'c@example.com', 'string']);
    assert.deepEqual(many.data[1], { jid: pn(NOBODY), lid: null, phone: NOBODY, isOnWhatsApp: false });
    await bad('GET', '/profile/on-whatsapp', {}, [400, 2001, 'checkNumbers is required']);
    await bad('GET', '/profile/on-whatsapp', { checkNumbers: Array.from({ length: 501 }, (_, n) => 15550000000 + n).join() }, [400, 2002, 'At most 500 numbers at a time']);
  });

  test('business profiles and catalogues', async () => {
    const profile = await good('GET', '/profile/business-profile', { checkNumbers: CARL }, 'Business profile info');
    assert.deepEqual(profile, {
      jid: pn(CARL), phone: CARL, email: 'c@example.com', address: 'Dock 1', categories: ['Shop'], businessHoursTimezone: 'Asia/Jakarta',
      businessHours: [{ day_of_week: 'mon', mode: 'specific_hours', open_time: '09:00', close_time: '17:00' }, { day_of_week: 'tue', mode: 'open_24h', open_time: null, close_time: null }],
      description: null, websites: ['https://carl.example'], wid: pn(CARL),
    });
    const both = await good('GET', '/profile/business-profile', { checkNumbers: `${BOB},${CARL},${BOB}` }, 'Business profile info');
    assert.deepEqual(both.data.map((d) => [d.phone, d.wid, d.categories.length]), [[BOB, null, 0], [CARL, pn(CARL), 1]]);
    await bad('GET', '/profile/business-profile', {}, [400, 2001, 'checkNumbers is required']);
    await sim('PATCH', `/accounts/${CARL}/profile`, { catalog: [{ id: '1', name: 'Rope', price: 12500, currency: 'EUR' }, { id: '2', name: 'Sail', description: 'white', hidden: true }] });
    const first = await good('GET', '/profile/catalog', { jid: CARL, limit: 1 }, 'Business catalog');
    assert.deepEqual([first.products.length, first.products[0].priceThousandths, first.products[0].currency, first.products[0].isHidden, first.next], [1, 12500, 'EUR', false, '1']);
    const second = await good('GET', '/profile/catalog', { jid: CARL, limit: 1, cursor: first.next }, 'Business catalog');
    assert.deepEqual([second.products[0].name, second.products[0].isHidden, second.next], ['Sail', true, null]);
    await bad('GET', '/profile/catalog', { jid: BOB }, [404, 2600, 'No catalog']);
  });

  test('what contacts change is told', async () => {
    const mark = hook.events.length;
    await bob.socket.updateProfileStatus('Bob was here');
    const event = await told(mark, 'contact_update', (d) => d.changed === 'about');
    assert.deepEqual([event.about, event.chatPn, event.chatLid], ['Bob was here', pn(BOB), people[BOB].lid_jid]);
    await bob.socket.removeProfilePicture(pn(BOB));
    const picture = await told(mark, 'contact_update', (d) => d.changed === 'picture');
    assert.deepEqual([picture.removed, picture.chatPn], [true, pn(BOB)]);
  });

  test('contacts are saved, listed and removed', async () => {
    const saved = await good('POST', '/profile/contact', { jid: CARL, name: 'Carl the shop' }, 'Contact saved');
    assert.deepEqual(saved, { sessionId: 'main', phone: ANN, jid: pn(CARL), lid: people[CARL].lid_jid, name: 'Carl the shop', firstName: 'Carl' });
    const entry = Object.values(await sim('GET', `/accounts/${ANN}/app-state`)).flatMap((c) => c.entries ?? []).find((e) => e.index[0] === 'contact' && e.index[1] === pn(CARL));
    assert.equal(entry.value.contactAction.fullName, 'Carl the shop');
    await bad('POST', '/profile/contact', { jid: CARL }, [400, 2001, 'name is required']);
    await bad('POST', '/profile/contact', { jid: CARL, name: 'x'.repeat(101) }, [400, 2002, 'name may have at most 100 characters']);
    // Who changed last comes first.
    await until(async () => (await api('GET', '/profile/list-contacts', { limit: 1 })).results[0].data[0]?.name === 'Carl the shop', 'Carl in the list');
    await sim('POST', `/accounts/${BOB}/send`, { to: ANN, text: 'me, too' });
    await until(async () => (await api('GET', '/profile/list-contacts', { limit: 1 })).results[0].data[0]?.phone === BOB, 'Bob before Carl');
    const list = await api('GET', '/profile/list-contacts', { limit: 1000 });
    assert.deepEqual([list.http, list.message, list.results[0].phone, Array.isArray(list.results[0].data)], [200, 'Contacts list', ANN, true]);
    await good('DELETE', '/profile/contact', { jid: CARL }, 'Contact removed');
  });

  test('people in groups are listed without ourselves', async () => {
    const group = await sim('POST', '/groups', { subject: 'Us', creator: BOB, members: [ANN, CARL] });
    const { data } = await good('GET', '/profile/list-contacts', { type: 'groups', groupIds: group.jid ?? `${group.id}@g.us`, deep: 'true' }, 'Contacts list');
    assert.deepEqual(data.map((d) => d.phone).sort(), [BOB, CARL]);
    assert.ok(data.every((d) => d.lid?.endsWith('@lid')));
    assert.equal(data.find((d) => d.phone === CARL).about, 'Open all day');
    assert.deepEqual((await good('GET', '/profile/list-contacts', { type: 'groups', limit: 1, offset: 5 }, 'Contacts list')).data, []);
  });
});

describe('presence and calls', () => {
  test('a Baileys peer\'s presence reaches our webhook, ours reaches it', async () => {
    const mark = hook.events.length, marked = seen.length;
    await good('POST', '/profile/presence/subscribe', { jid: BOB }, 'Subscribed to presence');
    await bob.socket.sendPresenceUpdate('available');
    await told(mark, 'presence_update', (d) => Object.values(d.presence.presences)[0].lastKnownPresence === 'available' && d.presence.id === pn(BOB));
    await bob.socket.sendPresenceUpdate('unavailable');
    const gone = await told(mark, 'presence_update', (d) => d.presence.presences[pn(BOB)]?.lastKnownPresence === 'unavailable' && d.presence.presences[pn(BOB)].lastSeen);
    assert.equal(gone.presence.id, pn(BOB));
    await bob.socket.sendPresenceUpdate('available');
    await bob.socket.presenceSubscribe(pn(ANN));
    await good('POST', '/profile/presence', { presence: 'unavailable' }, 'Presence updated');
    await sees(bob, 'bob', marked, 'presence.update', (e) => e.presences[pn(ANN)]?.lastKnownPresence === 'unavailable');
    await good('POST', '/profile/presence', { presence: 'available' }, 'Presence updated');
    await sees(bob, 'bob', marked, 'presence.update', (e) => e.presences[pn(ANN)]?.lastKnownPresence === 'available');
    await good('POST', '/profile/presence', { presence: 'recording', to: BOB }, 'Presence updated');
    await sees(bob, 'bob', marked, 'presence.update', (e) => Object.values(e.presences)[0].lastKnownPresence === 'recording');
    await bad('POST', '/profile/presence', { presence: 'composing' }, [400, 2001, 'to is required']);
    await bad('POST', '/profile/presence', { presence: 'asleep' }, [400, 2002, 'presence must be available, unavailable, composing, recording or paused']);
  });

  const offer = (id, video) => bob.socket.query({ tag: 'call', attrs: { from: bob.jid, to: pn(ANN), id: bob.socket.generateMessageTag() },
    content: [{ tag: 'offer', attrs: { 'call-id': id, 'call-creator': bob.jid }, content: [{ tag: 'audio', attrs: { enc: 'opus', rate: '16000' } }, ...(video ? [{ tag: 'video', attrs: {} }] : [])] }] });

  test('a Baileys peer calls: the event, the refusal, the end', async () => {
    const mark = hook.events.length, marked = seen.length;
    await offer('CALL-1', true);
    const { calls: [call] } = await told(mark, 'call', (d) => d.calls[0].status === 'offer');
    assert.deepEqual([call.chatId, call.from, call.id, call.offline, call.isVideo, call.isGroup, call.callerPn, call.callerLid], [pn(BOB), pn(BOB), 'CALL-1', false, true, false, pn(BOB), people[BOB].lid_jid]);
    assert.match(call.date, /^20\d\d-.*Z$/);
    assert.deepEqual(await good('POST', '/profile/calls/reject', { callId: call.id, from: call.from }, 'Call rejected'), { sessionId: 'main', phone: ANN, callId: 'CALL-1', from: pn(BOB) });
    await sees(bob, 'bob', marked, 'call', (e) => e.status === 'reject' && e.id === 'CALL-1');
    const { id } = await sim('POST', `/accounts/${CARL}/call`, { to: ANN, lid: true });
    const missed = await told(mark, 'call', (d) => d.calls[0].id === id);
    assert.deepEqual([missed.calls[0].isVideo, missed.calls[0].callerPn], [false, pn(CARL)]);
    await sim('POST', `/calls/${id}/terminate`, { reason: 'timeout' });
    const end = await told(mark, 'call', (d) => d.calls[0].id === id && d.calls[0].status === 'timeout');
    const entry = await told(mark, 'message_received', (d) => d.message.key.id === id);
    assert.deepEqual([entry.tags, entry.message.messageStubType, entry.type, entry.sender], ['system', 'CALL_MISSED_VOICE', 'notify', { chatId: pn(CARL), fromMe: false, isGroup: false, authorJid: pn(CARL) }]);
    assert.equal(end.calls[0].isVideo, false, 'known from the offer');
    await bad('POST', '/profile/calls/reject', { from: BOB }, [400, 2001, 'callId is required']);
    await bad('POST', '/profile/calls/reject', { callId: 'x', from: '1@g.us' }, [400, 2002, 'from is invalid']);
  });

  test('calls are refused by themselves, with a text, if that is wished', async () => {
    assert.deepEqual(await good('GET', '/profile/calls', {}, 'Call settings'), { sessionId: 'main', phone: ANN, reject: false, message: '', own: false });
    await good('POST', '/profile/calls', { reject: true, message: 'Please write instead' }, 'Call settings updated');
    const marked = seen.length;
    await offer('CALL-2');
    await sees(bob, 'bob', marked, 'call', (e) => e.status === 'reject' && e.id === 'CALL-2');
    await bob.waitMessage('Please write instead');
    assert.deepEqual(await good('POST', '/profile/calls', {}, 'Call settings updated'), { sessionId: 'main', phone: ANN, reject: false, message: '', own: false });
    await bad('POST', '/profile/calls', { reject: 'perhaps' }, [400, 2002, 'reject must be true or false']);
  });
});

describe('misc', () => {
  const misc = (path, p, message) => good('POST', `/misc/${path}`, { sessionId: undefined, ...p }, message);

  test('numbers and addresses', async () => {
    const phone = await misc('whatsapp/validate/phone', { phone: `+${BOB}` }, 'Phone validation complete');
    assert.deepEqual(phone.data, { exists: true, e164: `+${BOB}`, jid: pn(BOB), lid: people[BOB].lid_jid, country: 'US' });
    assert.deepEqual((await misc('whatsapp/validate/phone', { number: '0812 3456 7890' }, 'Phone validation complete')).data, { exists: false, e164: '+6281234567890', jid: '6281234567890@s.whatsapp.net', lid: null, country: 'ID' });
    assert.equal((await misc('whatsapp/validate/phone', { phone: '4155552671', country: 'US' }, 'Phone validation complete')).data.e164, '+14155552671');
    assert.deepEqual((await misc('whatsapp/validate/jid', { jid: pn(BOB) }, 'JID validation complete')).data, { exists: true, type: 'user' });
    for (const [jid, type, exists] of [['120363000000000009@g.us', 'group', false], ['status@broadcast', 'broadcast', true], ['1@newsletter', 'newsletter', false], ['123456789012345@lid', 'lid', false], ['15550001111@nowhere', 'user', false]])
      assert.deepEqual((await misc('whatsapp/validate/jid', { target: jid }, 'JID validation complete')).data, { exists, type }, jid);
    assert.deepEqual((await misc('whatsapp/resolve/jid-or-lid', { input: people[BOB].lid_jid }, 'Identifier resolved')).data, { isValid: true, type: 'lid', lid: people[BOB].lid_jid, jid: pn(BOB), country: 'US' });
    assert.deepEqual((await misc('whatsapp/resolve/jid-or-lid', { value: CARL }, 'Identifier resolved')).data, { isValid: true, type: 'jid', lid: people[CARL].lid_jid, jid: pn(CARL), country: 'US' });
    assert.deepEqual((await misc('whatsapp/resolve/jid-or-lid', { input: 'nobody' }, 'Identifier resolved')).data, { isValid: false, type: 'invalid', lid: null, jid: null, country: null });
    for (const [path, p, fault] of [['validate/phone', {}, [400, 2001, 'phone is required']], ['validate/phone', { phone: 'abc' }, [400, 2002, 'Invalid phone number']],
      ['validate/jid', {}, [400, 2001, 'jid is required']], ['resolve/jid-or-lid', {}, [400, 2001, 'input is required']], ['validate/jid', { jid: 'a@g.us', sessionId: 'other' }, [404, 1101, 'Session not found']]])
      await bad('POST', `/misc/whatsapp/${path}`, { sessionId: undefined, ...p }, fault);
  });

  test('identifiers', async () => {
    const v4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    const { data } = await misc('uuid/generate', { count: 3 }, 'Identifiers generated');
    assert.equal(new Set(data).size, 3);
    assert.ok(data.every((id) => v4.test(id)));
    const dns = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
    assert.deepEqual((await misc('uuid/generate', { version: 'v5', namespace: dns, name: 'www.example.com', count: 2 }, 'Identifiers generated')).data, Array(2).fill('2ed6657d-e927-568b-95e1-2665a8aea6a2'));
    assert.deepEqual((await misc('uuid/generate', { version: 'v3', namespace: dns, name: 'www.example.com' }, 'Identifiers generated')).data, ['5df41881-3aed-3515-88a7-2f4a814cf09e']);
    assert.deepEqual((await misc('uuid/generate', { version: 'nil' }, 'Identifiers generated')).data, ['00000000-0000-0000-0000-000000000000']);
    assert.match((await misc('uuid/generate', { type: 'ulid', format: 'ID-xxxx' }, 'Identifiers generated')).data[0], /^ID-[0-9A-HJKMNP-TV-Z]{4}$/);
    const [v1] = (await misc('uuid/generate', { version: 'v1' }, 'Identifiers generated')).data;
    for (const [value, type, valid, version] of [[v1, 'uuid', true, 'v1'], [data[0], 'uuid', true, 'v4'], ['00000000-0000-0000-0000-000000000000', 'uuid', true, 'v0'], ['nope', 'uuid', false, null], ['01ARZ3NDEKTSV4RRFFQ69G5FAV', 'ulid', true, null], ['8ZZZZZZZZZZZZZZZZZZZZZZZZZ', 'ulid', false, null]])
      assert.deepEqual((await misc('uuid/validate', { value, type }, 'Validation complete')).data, { isValid: valid, type, version }, value);
    await bad('POST', '/misc/uuid/generate', { version: 'v5' }, [400, 2002, 'namespace and name required for v3|v5']);
    await bad('POST', '/misc/uuid/generate', { version: 'v5', namespace: 'x', name: 'y' }, [400, 2002, 'Invalid UUID']);
    await bad('POST', '/misc/uuid/validate', {}, [400, 2001, 'value is required']);
  });

  test('digests and base64 of texts and files, never of server files', async () => {
    const sha = (bytes, form = 'hex') => createHash('sha256').update(bytes).digest(form);
    const big = 'word'.repeat(8000); // long, and of the base64 alphabet
    for (const [p, data] of [[{ input: 'text' }, sha('text')], [{ input: '/etc/passwd' }, sha('/etc/passwd')], [{ input: 'text', algo: 'MD5', output: 'base64url' }, createHash('md5').update('text').digest('base64url')],
      [{ input: Buffer.from('sixteen bytes ok').toString('base64') }, sha('sixteen bytes ok')], [{ input: Buffer.from('sixteen bytes ok').toString('base64'), inputEncoding: 'utf8' }, sha(Buffer.from('sixteen bytes ok').toString('base64'))],
      [{ input: '00ff', inputEncoding: 'hex' }, sha(Buffer.from([0, 255]))], [{ data: `data:text/plain;base64,${Buffer.from('hi').toString('base64')}` }, sha('hi')], [{ file: { type: 'Buffer', data: [1, 2, 3] } }, sha(Buffer.from([1, 2, 3]))]])
      assert.equal((await misc('crypto/hash', p, 'Hash generated')).data, data, JSON.stringify(p).slice(0, 80));
    assert.equal((await misc('crypto/hmac', { input: 'text', key: 'secret', algo: 'sha1' }, 'HMAC generated')).data, createHmac('sha1', 'secret').update('text').digest('hex'));
    assert.equal((await misc('base64', { input: big }, 'Encoded to base64')).data, Buffer.from(big).toString('base64'));
    const decoded = await misc('base64', { action: 'decode', input: Buffer.from('grüße').toString('base64') }, 'Decoded from base64');
    assert.deepEqual(decoded, { data: 'grüße', meta: { mode: 'string', mimeType: 'application/octet-stream', size: 7 } });
    assert.equal((await misc('base64', { action: 'decode', input: 'AAEC', output: 'dataurl' }, 'Decoded from base64')).data, 'data:application/octet-stream;base64,AAEC');
    for (const [path, p, fault] of [['crypto/hash', {}, [400, 2001, 'input is required']], ['crypto/hash', { input: 'x', algo: 'rot13' }, [400, 2002, 'Unsupported hash algorithm']],
      ['crypto/hash', { input: 'x', output: 'roman' }, [400, 2002, 'output must be hex, base64, base64url, latin1 or utf8']], ['crypto/hmac', { input: 'x' }, [400, 2001, 'input and key are required']],
      ['crypto/hmac', { key: 'x' }, [400, 2001, 'input and key are required']], ['crypto/hmac', { input: 'x', key: 'k', algo: 'rot13' }, [400, 2002, 'Unsupported HMAC algorithm']],
      ['base64', {}, [400, 2001, 'input is required']], ['base64', { input: 'x', action: 'stir' }, [400, 2002, 'action must be encode or decode']], ['base64', { input: '***', action: 'decode' }, [400, 2002, 'input cannot be read']]])
      await bad('POST', `/misc/${path}`, { sessionId: undefined, ...p }, fault);
  });
});

test('what WhatsApp does not answer is 502, what it refuses is null', async () => {
  const faults = (kind, xmlns, code) => sim('POST', '/faults', { kind, device: people.client, xmlns, code });
  const start = Date.now();
  await faults('iq_error', 'w:profile:picture', 401);
  assert.equal((await good('GET', '/profile/info', {}, 'Profile info')).phone, ANN);
  await fetch(`${gateway.wasim.controlUrl}/faults`, { method: 'DELETE' });
  await faults('iq_error', 'privacy', 503);
  await bad('GET', '/profile/privacy', {}, [502, 2800, /service-unavailable/]);
  await fetch(`${gateway.wasim.controlUrl}/faults`, { method: 'DELETE' });
  for (const [p, fault] of [[{ sessionId: undefined }, [400, 2001, 'Provide sessionId or phone']], [{ sessionId: 'b@d' }, [400, 2002, 'sessionId is invalid']],
    [{ sessionId: 'none' }, [404, 1101, 'Session not found']], [{ sessionId: undefined, phone: '15550000000' }, [404, 1101, 'Open session for this phone not found']]])
    await bad('GET', '/profile/info', { sessionId: undefined, ...p }, fault);
  assert.ok(Date.now() - start < 60000);
});
