// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a kind of message that a real client sends does not reach webhook receivers, or says something else than was sent.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { createCipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { proto, decryptPollVote, generateMessageIDV2 } from 'baileys';
import { DaemonBench } from '../e2e/lib/daemon.js';
import { BaileysPeer, endProcessSoon } from './baileys-peer.js';

const CHOSEN = 'poll_vote,event_response,message_comment,message_refused,message_retry,message_failed,identity_changed';
const bench = new DaemonBench(15558000000, { env: { WAREST_COMMANDS: 'menu', WAREST_WEBHOOK_EVENTS: CHOSEN, WAREST_DOWNLOAD_MEDIA_RECEIVED: 'false' } });
let us;
let them;
let bob;

test('both sides are linked', async () => {
    us = await bench.linked('in');
    them = await bench.account({ name: 'Bob', companions: 1 });
    bob = new BaileysPeer(bench.wasim);
    await bob.pair(them.phone);
});

after(() => {
    bob?.stop();
    endProcessSoon();
});

/** Any message content, as it is, to us; resolves with its id. */
async function relay(message, to = us.account.jid) {
    const id = generateMessageIDV2(bob.jid);
    await bob.socket.relayMessage(to, message, { messageId: id });
    return id;
}

const received = id => bench.hook.wait('message_received', d => d.message.key.id === id).then(e => e.data);
const media = {
    url: 'https://mmg.whatsapp.net/v/t62/1.enc?x=1', directPath: '/v/t62/1.enc?x=1', mediaKey: Buffer.alloc(32, 1), fileSha256: Buffer.alloc(32, 2),
    fileEncSha256: Buffer.alloc(32, 3), fileLength: 5, mediaKeyTimestamp: 1767225599
};
const key = () => ({ remoteJid: us.account.jid, fromMe: true, id: '3EB0TARGET' });

// What is sent, and what its webhook says: contentType, tags, text, further members.
const KINDS = [
    ['conversation', { conversation: 'hello' }, 'text', 'hello'],
    ['extendedTextMessage', { extendedTextMessage: { text: 'linked' } }, 'extended_text', 'linked'],
    ['imageMessage', { imageMessage: { ...media, mimetype: 'image/jpeg', caption: 'look', width: 3, height: 4 } }, 'media', 'look', { media: 'imageMessage' }],
    ['videoMessage', { videoMessage: { ...media, mimetype: 'video/mp4', caption: 'clip', gifPlayback: true } }, 'media', 'clip', { media: 'videoMessage' }],
    ['ptvMessage', { ptvMessage: { ...media, mimetype: 'video/mp4', seconds: 3 } }, 'media', '', { media: 'ptvMessage' }],
    ['audioMessage', { audioMessage: { ...media, mimetype: 'audio/ogg; codecs=opus', ptt: true } }, 'audio', '', { media: 'audioMessage' }],
    ['documentMessage', { documentMessage: { ...media, mimetype: 'application/pdf', fileName: 'a.pdf', caption: 'read' } }, 'file', 'read', { media: 'documentMessage' }],
    ['documentWithCaptionMessage', { documentWithCaptionMessage: { message: { documentMessage: { ...media, mimetype: 'text/plain', caption: 'captioned' } } } },
        'file', 'captioned', { media: 'documentMessage' }],
    ['stickerMessage', { stickerMessage: { ...media, mimetype: 'image/webp', isAnimated: false } }, 'sticker', '', { media: 'stickerMessage' }],
    ['lottieStickerMessage', { lottieStickerMessage: { message: { stickerMessage: { ...media, mimetype: 'application/was', isLottie: true } } } },
        'sticker', '', { media: 'stickerMessage' }],
    ['imageMessage', { viewOnceMessageV2: { message: { imageMessage: { ...media, mimetype: 'image/jpeg', viewOnce: true } } } }, 'media', '', { media: 'imageMessage' }],
    ['audioMessage', { viewOnceMessageV2Extension: { message: { audioMessage: { ...media, mimetype: 'audio/ogg', viewOnce: true } } } }, 'audio', '', { media: 'audioMessage' }],
    ['extendedTextMessage', { ephemeralMessage: { message: { extendedTextMessage: { text: 'gone soon', contextInfo: { expiration: 86400 } } } } }, 'extended_text', 'gone soon'],
    ['extendedTextMessage', { ephemeralMessage: { message: { viewOnceMessage: { message: { extendedTextMessage: { text: 'twice wrapped' } } } } } }, 'extended_text', 'twice wrapped'],
    ['locationMessage', { locationMessage: { degreesLatitude: -6.2, degreesLongitude: 106.8, name: 'HQ' } }, 'location', ''],
    ['liveLocationMessage', { liveLocationMessage: { degreesLatitude: -6.2, degreesLongitude: 106.8, caption: 'on my way', sequenceNumber: 1 } }, 'location', 'on my way'],
    ['liveLocationMessage', { liveLocationMessage: { degreesLatitude: -6.3, degreesLongitude: 106.9, sequenceNumber: 2, timeOffset: 30 } }, 'location', ''],
    ['contactMessage', { contactMessage: { displayName: 'John', vcard: 'BEGIN:VCARD\nVERSION:3.0\nFN:John\nEND:VCARD' } }, 'contact', 'John'],
    ['contactsArrayMessage', { contactsArrayMessage: { displayName: '2', contacts: [{ displayName: 'A', vcard: 'a' }, { displayName: 'B', vcard: 'b' }] } }, 'contacts', 'Contacts: 2'],
    ['groupInviteMessage', { groupInviteMessage: { groupJid: '120363025246125244@g.us', inviteCode: 'AbC', groupName: 'Team', caption: 'join' } }, 'group_invite', ''],
    ['orderMessage', { orderMessage: { orderId: '12', itemCount: 1, orderTitle: 'Shop', token: 'tok' } }, 'order', ''],
    ['productMessage', { productMessage: { product: { productId: '9', title: 'Mug' }, businessOwnerJid: '6281234567890@s.whatsapp.net' } }, 'product', ''],
    ['albumMessage', { albumMessage: { expectedImageCount: 2 } }, 'system', ''],
    ['imageMessage', { messageContextInfo: { messageAssociation: { associationType: 1, parentMessageKey: { remoteJid: '1@s.whatsapp.net', fromMe: true, id: 'ALBUM' } } },
        imageMessage: { ...media, mimetype: 'image/jpeg', caption: 'first of two' } }, 'media', 'first of two', { media: 'imageMessage' }],
    ['associatedChildMessage', { associatedChildMessage: { message: { imageMessage: { ...media, mimetype: 'image/jpeg', caption: 'second of two' } } } },
        'media', 'second of two', { media: 'imageMessage' }],
    ['listResponseMessage', { listResponseMessage: { title: 'Item A1', listType: 1, singleSelectReply: { selectedRowId: 'A1' } } }, 'interactive', 'Item A1',
        { reply: { id: 'A1', title: 'Item A1', source: 'list' } }],
    ['buttonsResponseMessage', { buttonsResponseMessage: { selectedButtonId: 'b1', selectedDisplayText: 'Yes', type: 1 } }, 'interactive', 'Yes',
        { reply: { id: 'b1', title: 'Yes', source: 'buttons' } }],
    ['templateButtonReplyMessage', { templateButtonReplyMessage: { selectedId: 't1', selectedDisplayText: 'OK' } }, 'interactive', 'OK',
        { reply: { id: 't1', title: 'OK', source: 'template' } }],
    ['interactiveResponseMessage', { interactiveResponseMessage: { body: { text: 'Ping' }, nativeFlowResponseMessage: { name: 'quick_reply', paramsJson: '{"id":"ping"}', version: 1 } } },
        'interactive', 'Ping', { reply: { id: 'ping', title: 'Ping', source: 'native_flow' } }],
    ['listMessage', { listMessage: { title: 'Menu', buttonText: 'Open', listType: 1 } }, 'interactive', ''],
    ['buttonsMessage', { buttonsMessage: { contentText: 'Sure?', headerType: 1 } }, 'interactive', ''],
    ['templateMessage', { templateMessage: { hydratedTemplate: { hydratedContentText: 'hi' } } }, 'system', ''],
    ['pinInChatMessage', { pinInChatMessage: { key: { remoteJid: '1@s.whatsapp.net', fromMe: false, id: 'X' }, type: 1 } }, 'pin', ''],
    ['keepInChatMessage', { keepInChatMessage: { key: { remoteJid: '1@s.whatsapp.net', fromMe: false, id: 'X' }, keepType: 1 } }, 'pin', ''],
    ['requestPaymentMessage', { requestPaymentMessage: { currencyCodeIso4217: 'IDR', amount1000: 1000 } }, 'payment', ''],
    ['callLogMesssage', { callLogMesssage: { isVideo: true, callOutcome: 1, durationSecs: '60', callType: 0 } }, 'system', ''],
    ['call', { call: { callKey: Buffer.alloc(32, 7) } }, 'system', ''],
    ['scheduledCallCreationMessage', { scheduledCallCreationMessage: { scheduledTimestampMs: '1767225600000', callType: 1, title: 'Standup' } }, 'system', ''],
    ['messageHistoryNotice', { messageHistoryNotice: { messageHistoryMetadata: { messageCount: '3' } } }, 'system', ''],
    ['groupMentionedMessage', { groupMentionedMessage: { message: { conversation: 'all of you' } } }, 'text', 'all of you'],
    ['commentMessage', { commentMessage: { message: { conversation: 'nice' }, targetMessageKey: { id: 'X' } } }, 'system', '']
];

// Where Bob's client writes to us: by either name, and in groups of three accounts with two devices each.
const PLACES = {
    'by number': () => us.account.jid,
    'by LID': () => us.account.lid_jid,
    'in a group that goes by LID': () => groupOf('lid'),
    'in a group that goes by number': () => groupOf('pn')
};

async function groupOf(addressing) {
    const third = await bench.account({ name: 'Cid', companions: 1 });
    return (await bench.control('POST', '/groups', { subject: 'Us', creator: them.phone, members: [us.phone, third.phone], addressing })).jid;
}

function arrivedAs([contentType, message, tags, text, more = {}], data) {
    const sent = proto.Message.toObject(proto.Message.fromObject(message), { bytes: String, longs: String, enums: String, json: true });
    assert.deepEqual([data.contentType, data.tags, data.text], [contentType, tags, text], JSON.stringify(message));
    const { messageContextInfo: _, ...content } = data.message.message;
    const { messageContextInfo: __, ...wanted } = sent;
    assert.deepEqual(content, wanted);
    assert.equal(data.media?.type, more.media, contentType);
    assert.deepEqual(data.reply, more.reply, contentType);
    if (more.media) {
        assert.deepEqual([data.media.mediaKey, data.media.url, data.media.directPath, data.media.fileLength],
            [media.mediaKey.toString('base64'), media.url, media.directPath, 5]);
    }
}

for (const [place, address] of Object.entries(PLACES)) {
    test(`every kind of content arrives as what it is, ${place}`, async () => {
        const to = await address();
        const ids = [];
        for (const [, message] of KINDS) ids.push(await relay(message, to));
        for (const [i, kind] of KINDS.entries()) {
            const data = await received(ids[i]);
            arrivedAs(kind, data);
            const { isGroup, chatId, authorJid } = data.sender;
            if (to.endsWith('@g.us')) assert.deepEqual([isGroup, chatId, authorJid], [true, to, them.jid]);
            else assert.deepEqual([isGroup, data.message.key.remoteJid], [false, to.endsWith('@lid') ? them.lid_jid : them.jid]);
        }
    });

    test(`reactions, edits and revocations of a Baileys client, ${place}`, async () => {
        const to = await address();
        const id = await bob.sendText(to, 'frist');
        await received(id);
        const mine = { remoteJid: to, fromMe: true, id };
        const reaction = await bob.send(to, { react: { text: '👍', key: mine } });
        const { data } = await bench.hook.wait('message_reaction', d => d.key.id === reaction);
        assert.deepEqual([data.reaction.text, data.reaction.key.id], ['👍', id]);
        await bob.send(to, { text: 'first', edit: mine });
        const edited = await bench.hook.wait('message_edited', d => d.key.id === id);
        assert.equal(edited.data.editedMessage.message.extendedTextMessage?.text ?? edited.data.editedMessage.message.conversation, 'first');
        const answer = await bob.send(to, { text: 'as I said' }, { quoted: { key: mine, message: { conversation: 'first' } } });
        assert.equal((await received(answer)).quoted.text, 'first');
        await bob.send(to, { delete: mine });
        assert.equal((await bench.hook.wait('message_revoked', d => d.key.id === id)).data.scope, 'everyone');
    });
}

test('a kind that nobody knows yet is passed on as such', async () => {
    const { data } = await bench.control('POST', `/accounts/${them.phone}/send`, { to: us.phone, base64: 'uj4DYWJj' })
        .then(sent => bench.hook.wait('message_received', d => d.message.key.id === sent.id));
    assert.deepEqual([data.contentType, data.tags, data.raw], ['unknown', 'system', 'uj4DYWJj']);
});

test('quotes and mentions', async () => {
    const first = await bob.sendText(us.account.jid, 'shall we?');
    const quoted = bob.sent.get(first);
    const id = await bob.send(us.account.jid, { text: 'ok @628123456789', mentions: ['628123456789@s.whatsapp.net'] },
        { quoted: { key: { remoteJid: us.account.jid, fromMe: true, id: first }, message: quoted } });
    const data = await received(id);
    assert.deepEqual([data.quoted.text, data.quoted.type, data.mentions], ['shall we?', 'text', ['628123456789@s.whatsapp.net']]);
});

test('reactions given and taken away, commands', async () => {
    for (const text of ['👍', '']) {
        const id = await bob.send(us.account.jid, { react: { text, key: key() } });
        const { data } = await bench.hook.wait('message_reaction', d => d.key.id === id);
        assert.deepEqual([data.reaction.text, data.reaction.key.id], [text, '3EB0TARGET']);
    }
    const group = await groupOf('lid');
    for (const [text, to] of [['/Menu drinks', us.account.jid], ['!menu', us.account.lid_jid], ['.MENU\nof today', group]]) {
        const id = await bob.sendText(to, text);
        const { data } = await bench.hook.wait('message_command', d => d.message.key.id === id);
        assert.deepEqual([data.text, data.tags, data.media], [text, undefined, undefined]);
    }
    for (const text of ['menu', '/menus', '/ menu', '#menu', '//menu', '/other', '/'])
        assert.equal((await received(await bob.sendText(us.account.jid, text))).text, text);
});

test('edits and revocations of the author, also inside editedMessage', async () => {
    const id = await bob.sendText(us.account.jid, 'frist');
    await received(id);
    await bob.send(us.account.jid, { text: 'first @628123456789', mentions: ['628123456789@s.whatsapp.net'], edit: { remoteJid: us.account.jid, fromMe: true, id } });
    const edited = await bench.hook.wait('message_edited', d => d.key.id === id);
    assert.deepEqual([edited.data.editedMessage.message.extendedTextMessage.text, edited.data.mentions], ['first @628123456789', ['628123456789@s.whatsapp.net']]);
    const other = await bob.sendText(us.account.jid, 'secnod');
    await received(other);
    await relay({ editedMessage: { message: { protocolMessage: { key: { remoteJid: us.account.jid, fromMe: true, id: other }, type: 14, editedMessage: { conversation: 'second' } } } } });
    assert.deepEqual((await bench.hook.wait('message_edited', d => d.key.id === other)).data.editedMessage, { message: { conversation: 'second' } });
    await bob.send(us.account.jid, { delete: { remoteJid: us.account.jid, fromMe: true, id } });
    assert.equal((await bench.hook.wait('message_revoked', d => d.key.id === id)).data.scope, 'everyone');
});

test('an edit counts for 20 minutes, by the times of both messages', async () => {
    const now = Math.floor(Date.now() / 1000);
    const sent = (message, seconds, more) => bench.control('POST', `/accounts/${them.phone}/send`,
        { to: us.phone, message, attrs: { t: String(now - seconds) }, ...more });
    const edit = (id, text) => ({ protocolMessage: { key: { remoteJid: us.account.jid, fromMe: true, id }, type: 'MESSAGE_EDIT', editedMessage: { conversation: text } } });
    const { id } = await sent({ conversation: 'old' }, 3600);
    await received(id);
    await sent(edit(id, 'in time'), 3600 - 1199);
    assert.equal((await bench.hook.wait('message_edited', d => d.key.id === id)).data.editedMessage.message.conversation, 'in time');
    const late = await sent(edit(id, 'too late'), 3600 - 1200);
    const { data } = await bench.hook.wait('message_refused', d => d.key.id === late.id);
    assert.deepEqual([data.action, data.messageKey.id, data.error], ['edit', id, 'the message was more than 20 minutes old']);
    assert.equal(bench.hook.deliveries.filter(d => d.event === 'message_edited' && d.data.key.id === id).length, 1);
});

test('what comes by a broadcast list belongs to the chat with its sender', async () => {
    const carol = await bench.account({ name: 'Carol' });
    const send = more => bench.control('POST', `/accounts/${carol.phone}/send`, { to: '1700000000@broadcast', text: 'to all of you', audience: [us.phone, them.phone], ...more });
    const { id } = await send();
    const data = await received(id);
    assert.deepEqual([data.message.broadcast, data.message.key.remoteJid, data.sender.chatId, data.sender.isGroup, data.text],
        [true, carol.jid, carol.jid, false, 'to all of you']);
    /* Baileys names the list; both are told of the same message. */
    const there = await bob.waitMessage('to all of you');
    assert.deepEqual([there.key.remoteJid, there.key.participant, there.broadcast], ['1700000000@broadcast', carol.jid, true]);
    const { receipts } = await bench.control('GET', `/accounts/${carol.phone}/receipts?id=${id}&wait=20000`);
    assert.ok(receipts.every(r => r.from === '1700000000@broadcast'));
    /* One that cannot be read is asked for again, and comes pairwise. */
    const broken = await send({ text: 'once more', corrupt: true });
    assert.equal((await received(broken.id)).text, 'once more');
});

test('nobody edits or revokes what somebody else wrote', async () => {
    const { result } = await bench.sendText('in', them.phone, 'ours');
    const [{ messageId: ours }] = result;
    const other = await bench.account({ name: 'Cid' });
    const { id: foreign } = await bench.phoneSends(other.phone, us.phone, 'of a third');
    await received(foreign);
    const attempts = [
        [{ key: { remoteJid: us.account.jid, fromMe: false, id: ours }, type: 0 }, 'revoke', ours],
        [{ key: { remoteJid: us.account.jid, fromMe: true, id: ours }, type: 0 }, 'revoke', ours],
        [{ key: { remoteJid: us.account.jid, fromMe: true, id: ours }, type: 14, editedMessage: { conversation: 'theirs' } }, 'edit', ours],
        [{ key: { remoteJid: us.account.jid, fromMe: true, id: foreign }, type: 0 }, 'revoke', foreign]
    ];
    for (const [protocolMessage, action, target] of attempts) {
        const id = await relay({ protocolMessage });
        const { data } = await bench.hook.wait('message_refused', d => d.key.id === id);
        assert.deepEqual([data.action, data.messageKey.id], [action, target]);
        assert.equal(bench.hook.deliveries.some(d => d.event === 'message_received' && d.data.message.key.id === id), false);
    }
    /* Beside another content, or inside a wrapper beside another protocol message, it is not overlooked either. */
    const revoke = { key: { remoteJid: us.account.jid, fromMe: false, id: ours }, type: 0 };
    await relay({ call: { callKey: Buffer.alloc(32) }, protocolMessage: revoke });
    await relay({ protocolMessage: { type: 3, ephemeralExpiration: 0 }, ephemeralMessage: { message: { protocolMessage: revoke } } });
    await received(await bob.sendText(us.account.jid, 'after the attempts'));
    const changes = bench.hook.deliveries.filter(d => ['message_edited', 'message_revoked'].includes(d.event)).map(d => d.data.key.id);
    assert.equal(changes.includes(ours) || changes.includes(foreign), false);
});

/** What a client adds to a message with a secret. */
function seal(use, secret, id, author, adder, plain, bound = true) {
    const info = Buffer.from(id + author + adder + use);
    const cipher = createCipheriv('aes-256-gcm', Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(32), info, 32)), Buffer.alloc(12, 9));
    if (bound) cipher.setAAD(Buffer.from(`${id}\0${adder}`));
    return { encPayload: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]), encIv: Buffer.alloc(12, 9) };
}

const bare = jid => jid.replace(/:\d+@/, '@');
const hash = name => createHash('sha256').update(name).digest();

async function vote(poll, options, { author, voter, at = Date.now(), fromMe = true }) {
    const plain = proto.Message.PollVoteMessage.encode({ selectedOptions: options.map(hash) }).finish();
    const sealed = seal('Poll Vote', poll.secret, poll.id, author, voter, plain);
    assert.equal(decryptPollVote(sealed, { pollCreatorJid: author, pollMsgId: poll.id, pollEncKey: poll.secret, voterJid: voter }).selectedOptions.length, options.length);
    return relay({ pollUpdateMessage: { pollCreationMessageKey: { remoteJid: us.account.jid, fromMe, id: poll.id }, vote: sealed, senderTimestampMs: at } });
}

test('votes in a poll of Baileys, by number and by LID, with a running result that outlives the process', async () => {
    const secret = randomBytes(32);
    const id = await bob.send(us.account.jid, { poll: { name: 'Lunch?', values: ['Yes', 'No'], selectableCount: 1, messageSecret: secret } });
    const created = await received(id);
    assert.deepEqual([created.tags, created.text, created.poll], ['poll', 'Lunch?', { name: 'Lunch?', options: ['Yes', 'No'], selectableCount: 1 }]);
    const poll = { id, secret };
    const [pn, lid] = [bare(bob.jid), bare(bob.lid)];
    const result = async vid => (await bench.hook.wait('poll_vote', d => d.key.id === vid)).data;
    let data = await result(await vote(poll, ['Yes'], { author: pn, voter: pn, at: 1000 }));
    assert.deepEqual([data.votedOptionNames, data.votedOptionIndexes, data.pollTitle, data.voters, data.counted], [['Yes'], [0], 'Lunch?', 1, true]);
    assert.deepEqual(data.pollOptions, [{ index: 0, name: 'Yes', votes: 1 }, { index: 1, name: 'No', votes: 0 }]);
    await bench.restart('SIGKILL');
    await bench.until('in', 'open');
    /* The other namespace, the same person: replaced, not counted twice. */
    data = await result(await vote(poll, ['No'], { author: lid, voter: lid, at: 2000 }));
    assert.deepEqual([data.pollOptions.map(o => o.votes), data.voters, data.pollCreatorJid], [[0, 1], 1, lid]);
    // The list of messages has it as the original stores it.
    const shown = (await bench.call('chats.messages', { session: 'in', family: 'chats-get', p: { chatId: lid, limit: 50, offset: 0 } })).result.data.find(m => m.id === id).poll;
    assert.deepEqual(shown.updates, [{ pollUpdateMessageKey: { remoteJid: pn, fromMe: false, id: data.key.id }, vote: { selectedOptions: [createHash('sha256').update('No').digest('base64')] },
        senderTimestampMs: '2000' }]);
    assert.deepEqual([shown.latestByVoter, shown.results.map(r => r.voters)], [{ [pn]: ['No'] }, [[], [pn]]]);
    data = await result(await vote(poll, ['Yes'], { author: lid, voter: pn, at: 1500 }));
    assert.deepEqual([data.counted, data.pollOptions.map(o => o.votes)], [false, [0, 1]]);
    data = await result(await vote(poll, ['Never offered'], { author: pn, voter: pn, at: 2500 }));
    assert.deepEqual([data.votedOptionNames, data.unknownOptions], [[], 1]);
    data = await result(await vote(poll, [], { author: pn, voter: pn, at: 3000 }));
    assert.deepEqual([data.voters, data.pollOptions.map(o => o.votes)], [0, [0, 0]]);
    /* Another option, as an edit of the poll (Baileys' protobufs do not know this type yet): votes for it count. */
    const pollKey = { remoteJid: us.account.jid, fromMe: true, id };
    const more = proto.Message.encode({ pollCreationMessageV3: { name: 'Lunch?', options: ['Yes', 'No', 'Later'].map(optionName => ({ optionName })), selectableOptionsCount: 1 } }).finish();
    await relay({ secretEncryptedMessage: { targetMessageKey: pollKey, secretEncType: 4, ...seal('Poll Edit', secret, id, pn, pn, more, false) } });
    const edited = await bench.hook.wait('message_edited', d => d.key.id === id);
    assert.equal(edited.data.editedMessage.message.pollCreationMessageV3.options.length, 3);
    data = await result(await vote(poll, ['Later'], { author: pn, voter: pn, at: 4000 }));
    assert.deepEqual([data.votedOptionNames, data.pollOptions.map(o => o.votes)], [['Later'], [0, 0, 1]]);
    const wrong = await vote({ id, secret: randomBytes(32) }, ['Yes'], { author: pn, voter: pn });
    assert.match((await result(wrong)).error, /does not open/);
    const unknown = await vote({ id: '3EB0NOBODY', secret }, ['Yes'], { author: pn, voter: pn });
    assert.match((await result(unknown)).error, /not known/);
    /* On demand: with the stored poll, with a key, as text. */
    const first = bench.hook.deliveries.find(d => d.data.message?.message?.pollUpdateMessage?.pollCreationMessageKey.id === id);
    const { pollUpdateMessage } = first.data.message.message;
    const ask = (p) => bench.call('misc.poll-vote', { session: 'in', family: 'misc', p: { pollUpdateVote: { ...pollUpdateMessage, key: first.data.message.key }, ...p } });
    for (const p of [{}, { pollEncKey: secret.toString('base64') }, { pollEncKey: secret.toString('hex'), voterJid: lid }]) {
        const read = await ask(p);
        assert.deepEqual([read.status, read.code, read.message], [200, 1000, 'Poll vote decrypted']);
        assert.deepEqual([read.result.votedOptionNames, read.result.pollTitle, read.result.pollOptions], [['Yes'], 'Lunch?', [{ index: 0, name: 'Yes' }, { index: 1, name: 'No' }, { index: 2, name: 'Later' }]]);
        assert.deepEqual([read.result.pollCreatorJid, read.result.voterJid], [pn, pn]);
    }
    for (const [p, message] of [[{ pollEncKey: Buffer.alloc(32).toString('base64') }, 'The vote cannot be decrypted with this key and these addresses'],
        [{ pollEncKey: 'AAAA' }, 'pollEncKey is invalid'], [{ pollMsgId: '3EB0NOBODY' }, 'pollEncKey is required'],
        [{ pollUpdateVote: { ...pollUpdateMessage, vote: { encPayload: '*', encIv: '*' } } }, 'encPayload or encIv is invalid']]) {
        const read = await ask(p);
        assert.deepEqual([read.status, read.code, read.message], [400, 2002, message]);
    }
    /* The encrypted form comes as the contract has it, too. */
    assert.equal((await received(wrong)).contentType, 'pollUpdateMessage');
});

test('answers to an event, encrypted reactions, comments and edits', async () => {
    const [pn, us_] = [bare(bob.jid), us.account.jid];
    const messageSecret = randomBytes(32);
    const id = await bob.send(us_, { event: { name: 'Party', startDate: new Date(1767312000000), messageSecret } });
    assert.equal((await received(id)).tags, 'event');
    const eventCreationMessageKey = { remoteJid: us_, fromMe: true, id };
    const answer = proto.Message.EventResponseMessage.encode({ response: 1, timestampMs: 5000, extraGuestCount: 2 }).finish();
    const answered = await relay({ encEventResponseMessage: { eventCreationMessageKey, ...seal('Event Response', messageSecret, id, pn, pn, answer) } });
    const { data } = await bench.hook.wait('event_response', d => d.key.id === answered);
    assert.deepEqual([data.response, data.extraGuestCount, data.timestampMs, data.messageKey.id], ['GOING', 2, 5000, id]);

    const secret = randomBytes(32);
    const plain = await relay({ messageContextInfo: { messageSecret: secret }, conversation: 'with a secret' });
    await received(plain);
    const targetMessageKey = { remoteJid: us_, fromMe: true, id: plain };
    const reaction = proto.Message.ReactionMessage.encode({ text: '🎉', senderTimestampMs: 7000 }).finish();
    const reacted = await relay({ encReactionMessage: { targetMessageKey, ...seal('Enc Reaction', secret, plain, pn, pn, reaction, false) } });
    assert.deepEqual((await bench.hook.wait('message_reaction', d => d.key.id === reacted)).data.reaction,
        { key: { remoteJid: pn, fromMe: false, id: plain }, text: '🎉', senderTimestampMs: '7000' });
    const text = proto.Message.encode({ conversation: 'well said' }).finish();
    const commented = await relay({ encCommentMessage: { targetMessageKey, ...seal('Enc Comment', secret, plain, pn, pn, text, false) } });
    assert.deepEqual((await bench.hook.wait('message_comment', d => d.key.id === commented)).data.message, { conversation: 'well said' });
    const later = proto.Message.encode({ eventMessage: { name: 'Bigger party', startTime: 1767315600 } }).finish();
    await relay({ secretEncryptedMessage: { targetMessageKey: eventCreationMessageKey, secretEncType: 1, ...seal('Event Edit', messageSecret, id, pn, pn, later, false) } });
    assert.deepEqual((await bench.hook.wait('message_edited', d => d.key.id === id)).data.editedMessage,
        { message: { eventMessage: { name: 'Bigger party', startTime: '1767315600' } } });
    await relay({ secretEncryptedMessage: { targetMessageKey, secretEncType: 2, ...seal('Message Edit', secret, plain, pn, pn, text, false) } });
    assert.deepEqual((await bench.hook.wait('message_edited', d => d.key.id === plain)).data.editedMessage, { message: { conversation: 'well said' } });
});

test('a message that was not encrypted for us is asked for from the phone', async () => {
    await bench.control('POST', '/faults', { kind: 'strip_enc', device: us.jid, count: 1 });
    const id = await bob.sendText(us.account.jid, 'only for the phone');
    const data = await received(id);
    assert.deepEqual([data.text, data.sender.chatId, data.type], ['only for the phone', bare(bob.jid), 'append']);
    const { events } = await bench.control('GET', '/events?type=peer_request&wait=1000');
    assert.ok(events.length > 0);
});

test('in a group: content, votes in either form, and revocations of administrators only', async () => {
    const admin = await bench.account({ name: 'Ada' });
    const group = await bench.control('POST', '/groups', { subject: 'Us', creator: admin.phone, members: [us.phone, them.phone], addressing: 'lid' });
    const from = async (who, message) => bench.control('POST', `/accounts/${who.phone}/send`, { to: group.jid, message });
    const { id: hers } = await from(admin, { conversation: 'hers' });
    const { id: his } = await from(them, { extendedTextMessage: { text: 'his' } });
    const data = await received(his);
    assert.deepEqual([data.text, data.sender.isGroup, data.sender.chatId], ['his', true, group.jid]);
    await received(hers);
    const refusedIn = id => bench.hook.wait('message_refused', d => d.key.id === id);
    const key = (id, participant, fromMe = false) => ({ remoteJid: group.jid, fromMe, id, participant });
    const bad = await from(them, { protocolMessage: { key: key(hers, admin.lid_jid), type: 'REVOKE' } });
    assert.equal((await refusedIn(bad.id)).data.action, 'revoke');
    const worse = await from(them, { protocolMessage: { key: key(hers, undefined, true), type: 'MESSAGE_EDIT', editedMessage: { conversation: 'x' } } });
    assert.equal((await refusedIn(worse.id)).data.action, 'edit');
    await from(admin, { protocolMessage: { key: key(his, them.lid_jid), type: 'REVOKE' } });
    const revoked = await bench.hook.wait('message_revoked', d => d.key.id === his);
    assert.deepEqual([revoked.data.key.participant, revoked.data.key.fromMe], [them.lid_jid, false]);

    const secret = randomBytes(32);
    const { id } = await from(admin, { messageContextInfo: { messageSecret: secret.toString('base64') },
        pollCreationMessage: { name: 'Where?', options: [{ optionName: 'Here' }, { optionName: 'There' }], selectableOptionsCount: 0 } });
    await received(id);
    const voters = [[them, them.lid_jid, ['Here', 'There']], [admin, admin.lid_jid, ['There']]];
    let last;
    for (const [who, jid, options] of voters) {
        const sealed = seal('Poll Vote', secret, id, admin.lid_jid, jid, proto.Message.PollVoteMessage.encode({ selectedOptions: options.map(hash) }).finish());
        const vote = { encPayload: sealed.encPayload.toString('base64'), encIv: sealed.encIv.toString('base64') };
        const sent = await from(who, { pollUpdateMessage: { pollCreationMessageKey: key(id, who === admin ? undefined : admin.lid_jid, who === admin), vote, senderTimestampMs: '5000' } });
        last = (await bench.hook.wait('poll_vote', d => d.key.id === sent.id)).data;
        assert.deepEqual(last.votedOptionNames, options);
    }
    assert.deepEqual([last.voters, last.pollOptions.map(o => o.votes)], [2, [1, 2]]);
});

test('what becomes of sent messages, and a new identity, are told to those who chose it', async () => {
    await bench.control('POST', '/faults', { kind: 'corrupt_enc', device: bob.jid, match: { tag: 'message' }, count: 1 });
    const damaged = (await bench.sendText('in', them.phone, 'damaged on its way')).result[0].messageId;
    const { data: retry } = await bench.hook.wait('message_retry', d => d.messageId === damaged);
    assert.deepEqual([retry.answered, retry.count, retry.sessionId], [true, 1, 'in']);
    await bob.waitMessage('damaged on its way');
    await bench.control('POST', '/faults', { kind: 'ack_error', code: 405, device: us.phone, count: 1 });
    const refused = await bench.sendText('in', them.phone, 'refused');
    assert.notEqual(refused.status, 200);
    const { data: failed } = await bench.hook.wait('message_failed', d => d.code === 405);
    assert.match(failed.messageId, /^[0-9A-F]{10,}$/);
    await bench.control('POST', `/accounts/${them.phone}/reinstall`, { keep_companions: true });
    await bench.sendText('in', them.phone, 'to the new phone');
    assert.ok([bare(bob.jid), bare(bob.lid)].includes(bare((await bench.hook.wait('identity_changed')).data.jid)));
});
