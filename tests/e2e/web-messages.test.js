// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a messages/ route or a media route of misc/ answers something else than the contract's list says: a success without its
// fields, an error with another status, code or text, or a refused request that was sent or left something on the disk all the same.
//
// The cases are made from tests/contract/routes.json: each success, each error of a route, of its way to name a session and of its sets.
// What a route needs to succeed, and how an error is provoked, stands in the tables below; an error without an entry fails the test.
import assert from 'node:assert/strict';
import { createCipheriv, createHash, createHmac, hkdfSync } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { isInstalled, serverKinds, startServer } from './lib/web.js';
import { adminKey, startGateway } from './lib/web-gateway.js';

const contract = JSON.parse(readFileSync(new URL('../contract/routes.json', import.meta.url)));
const covered = /^\/api\/v1\/(messages\/|misc\/(media|convert-string-toqr|whatsapp\/(file-decrypt|poll-update-vote)))/;
const routes = contract.routes.filter((r) => covered.test(r.path));
const nameOf = (route) => `${route.method} ${route.path.replace('/api/v1/', '')}`;

const US = '15557100001', THEM = '15557100002';
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw==', 'base64');
const M4A = Buffer.concat([Buffer.from('\0\0\0\x20ftypM4A ', 'latin1'), Buffer.alloc(500, 1)]);
const big = Buffer.alloc((1 << 20) + 1, 'x');
const mediaKey = Buffer.alloc(32, 5);
const sealed = (() => {
  const keys = Buffer.from(hkdfSync('sha256', mediaKey, '', 'WhatsApp Image Keys', 112));
  const cipher = createCipheriv('aes-256-cbc', keys.subarray(16, 48), keys.subarray(0, 16));
  const blob = Buffer.concat([cipher.update('a picture'), cipher.final()]);
  return Buffer.concat([blob, createHmac('sha256', keys.subarray(48, 80)).update(keys.subarray(0, 16)).update(blob).digest().subarray(0, 10)]).toString('base64');
})();
const base64 = (bytes) => bytes.toString('base64');

let gateway, files, filesUrl, strangerKey, received, own, client;

before(async () => {
  files = createServer((request, response) => {
    const url = new URL(request.url, 'http://x');
    if (url.pathname === '/to') return response.writeHead(302, { location: url.searchParams.get('to') }).end();
    if (url.pathname === '/hangs') return undefined;
    if (url.pathname === '/lies') return response.writeHead(200, { 'content-type': 'image/png', 'content-length': '5000' }).end(PNG, () => response.destroy());
    if (url.pathname === '/empty') return response.writeHead(200, { 'content-type': 'image/png' }).end();
    return response.writeHead(200, { 'content-type': 'image/png' }).end(PNG);
  }).listen(0, '127.0.0.1');
  await once(files, 'listening');
  filesUrl = `http://127.0.0.1:${files.address().port}`;
  gateway = await startGateway('lighttpd', { RATE_LIMIT_MAX: '0', SPAM_COOLDOWN_MS: '0', QUOTA_MAX: '0', MEDIA_PER_FILE_MB: '1', FILE_PER_FILE_MB: '1', FILE_RAW_LIMIT_MB: '3',
    MSG_JSON_LIMIT_MB: '3', WAREST_OUTBOUND_ALLOW: 'loopback', UPLOAD_FETCH_TIMEOUT_MS: '2000', WAREST_MEDIA_TIMEOUT_SEC: '120' }, { tls: true });
  await gateway.control('/accounts', { phone: US, name: 'Ann', share_keys: true });
  await gateway.control('/accounts', { phone: THEM, name: 'Bob' });
  ({ linked: { jid: client } } = await gateway.link('main', US));
  await gateway.api('GET', '/session/create?sessionId=closed');
  await gateway.operator('ctl.user.add', { username: 'stranger', password: 'long enough' });
  strangerKey = (await gateway.operator('ctl.key.create', { username: 'stranger', label: 'test' })).result.key;
  own = (await gateway.api('POST', '/messages/send/text', { body: { sessionId: 'main', to: THEM, message: 'mine' } })).json.results[0].messageId;
  received = 'FROMBOB1';
  await gateway.control(`/accounts/${THEM}/send`, { to: US, text: 'theirs', id: received });
  // By our device; the account's phone tells so, too.
  for (let after = 0, found = false; !found;) {
    const { receipts, last } = await gateway.control(`/accounts/${THEM}/receipts?id=${received}&after=${after}&wait=60000`);
    found = receipts.some((r) => /:\d+@/.test(r.from));
    after = last;
  }
});
after(async () => {
  files?.closeAllConnections();
  files?.close();
  await gateway?.stop();
});

// ---- what each route needs to succeed ----

const poll = { encPayload: base64(Buffer.alloc(48, 0xfb)), encIv: base64(Buffer.alloc(12, 0xfb)) };
const goods = {
  'send/text': () => ({ message: 'hi' }),
  'send/contact': () => ({ contact: { name: 'Ann', phone: '62812' } }),
  'send/location': () => ({ location: { latitude: 1, longitude: 2, name: 'Office', address: 'Street 1' } }),
  'send/poll': () => ({ question: 'Tea?', options: ['yes', 'no'] }),
  'send/button': () => ({ text: 'Sure?', buttons: ['yes'] }),
  'send/list': () => ({ text: 'Menu', sections: [{ rows: ['tea'] }] }),
  'send/files': () => ({ files: [base64(PNG)] }),
  'send/media': () => ({ media: base64(PNG), caption: 'x', compression: { quality: 50 } }),
  'send/audio': () => ({ audio: base64(M4A) }),
  'send/document': () => ({ document: `data:application/pdf;base64,${base64(Buffer.from('%PDF-1.4 x'))}`, filename: 'a.pdf', caption: 'x' }),
  'send/sticker': () => ({ sticker: base64(PNG) }),
  'send/gif': () => ({ gif: base64(GIF), caption: 'x' }),
  reaction: () => ({ emoji: '👍' }),
  edit: () => ({ message: 'edited' }),
  'media/thumbnail': () => ({ file: base64(PNG), type: 'image', output: 'url' }),
  'media/image': () => ({ file: base64(PNG), output: 'url' }),
  'convert-string-toqr/{target}': () => ({ string: 'x' }),
  'whatsapp/file-decrypt': () => ({ mediaKey: base64(mediaKey), file: sealed, mimeType: 'image/png', output: 'url' }),
  'whatsapp/poll-update-vote': () => ({ pollUpdateVote: { vote: poll, pollCreationMessageKey: { id: '3EB0', remoteJid: `${US}@s.whatsapp.net`, fromMe: true } }, pollEncKey: base64(Buffer.alloc(32)) }),
};
// Fields that are told only when there is something to tell, and where else they are tested.
const conditional = /^advancedInfo\.(mentions|error|blockedFiles|viewOnce|isVoiceNote|compression|caption)|\?$|^meta\.format$/;

const keyIn = (table, route) => Object.keys(table).find((k) => route.path.endsWith(`/${k}`));
const isMessages = (route) => route.path.includes('/messages/');
const idOf = (route) => (/\/(edit|revoke)$/.test(route.path) ? own : received);

// The request that succeeds, changed by `change`.
function requestOf(route, change = {}) {
  const name = keyIn(goods, route);
  const body = { ...(isMessages(route) ? { sessionId: 'main', to: THEM } : route.session ? { sessionId: 'main' } : {}), ...(name ? goods[name]() : {}), ...change };
  for (const [k, v] of Object.entries(body)) if (v === undefined) delete body[k];
  const inPath = { messageId: idOf(route), target: 'svg' };
  const path = route.path.replace(/\{(\w+)\}/g, (_, part) => encodeURIComponent(body[part] ?? inPath[part]));
  const rest = Object.fromEntries(Object.entries(body).filter(([k]) => !route.path.includes(`{${k}}`)));
  if (route.method === 'GET') return { method: 'GET', path: `${path}?${new URLSearchParams(rest)}` };
  return { method: route.method, path, body: rest };
}
const ask = (request, options = {}) => gateway.server.request(request.method, request.path, { key: adminKey, body: request.body, ...options });

// ---- how errors are provoked: the body's change, or { body, fault, reaches } ----

// reaches: a stanza leaves all the same, it is WhatsApp that refuses.
const refusedByWhatsApp = { fault: { kind: 'ack_error', code: 463 }, reaches: true };
const appStateRefused = { fault: { kind: 'iq_error', code: 400, match: { xmlns: 'w:sync:app:state' } } };
const errors = {
  "Parameter 'message' is required": { message: undefined },
  "Parameter 'to' is required": { to: undefined },
  "Invalid 'to' value": { to: 'nobody' },
  "Missing or invalid 'to'": { to: '' },
  'Invalid destination': { to: 'x' },
  'Invalid location payload': { location: { latitude: 91, longitude: 0 } },
  'Poll payload invalid': { options: ['one'] },
  'buttons must be a non-empty array': { buttons: [] },
  'list/sections cannot be empty': { sections: undefined },
  'at least one section with one row is required': { sections: [{ rows: [] }] },
  'No files or URLs provided': { files: [] },
  'Invalid media input': { media: '' },
  'Invalid audio input': { audio: 'http://10.0.0.1/x' },
  'Invalid document input': { document: 'data:x;base64,@' },
  'Invalid sticker input': { sticker: '/etc/passwd' },
  'Invalid gif input': { gif: undefined },
  'File too large (limit <n>MB)': { files: [base64(big)] },
  'Media too large (limit <n>MB)': { media: base64(big) },
  'Audio too large (limit <n>MB)': { audio: base64(big) },
  'Document too large (limit <n>MB)': { document: base64(big) },
  'Sticker too large (limit <n>MB)': { sticker: base64(big) },
  'GIF too large (limit <n>MB)': { gif: base64(big) },
  'Unsupported media type for this route': { media: 'data:application/pdf;base64,JVBERi0xLjQKeA==' },
  'Unsupported audio type': { audio: base64(PNG) },
  'Unsupported gif type': { gif: base64(PNG) },
  '<block reason>': { filename: 'run.sh' },
  'Failed to convert audio to WhatsApp voice note format': { audio: 'data:audio/ogg;base64,bm8gYXVkaW8=', isVN: true },
  'Sticker conversion failed': { sticker: 'data:image/png;base64,bm8gcGljdHVyZQ==' },
  'Failed to send files to all recipients': { files: ['data:text/x-python;base64,cHJpbnQ='] },
  'Missing destination or messageId': { to: '' },
  'Missing destination': { to: undefined },
  'Emoji is required': { emoji: '' },
  'Message text is required': { message: ' ' },
  'Editing this message is not allowed': { messageId: 'UNKNOWN' },
  'Failed to revoke message': { messageId: 'UNKNOWN' },
  'Failed to react to message': refusedByWhatsApp,
  'Failed to remove reaction': refusedByWhatsApp,
  'Failed to delete message': appStateRefused,
  'mediaKey is required': { mediaKey: undefined },
  'Encrypted file is required': { file: undefined },
  'mediaKey is invalid': { mediaKey: 'AAAA' },
  'Encrypted payload is too small': { file: 'data:;base64,AAAAAAA=' },
  'MAC verification failed': { mediaKey: base64(Buffer.alloc(32, 6)) },
  'fileSha256 does not match decrypted content': { fileSha256: base64(Buffer.alloc(32)) },
  'pollUpdateVote is required': { pollUpdateVote: undefined },
  'encPayload and encIv are required': { pollUpdateVote: { vote: { encIv: 'AA' } } },
  'poll message id is required': { pollUpdateVote: { vote: poll } },
  'pollEncKey is required': { pollEncKey: undefined },
  'string is required': { string: undefined },
  'Unsupported target format; use base64, svg, png, jpg, jpeg, or webp': { target: 'tiff' },
  'file is required': { file: undefined },
  'type must be image or video': { type: 'sound' },
};

// The text alone does not say how: it depends on the route.
function provoke(route, error) {
  if (!/^(Internal server error|<exception text> or Internal error|The media worker is not available)$/.test(error.message)) return errors[error.message];
  if (error.status === 503) return { later: true };
  if (/send\/files$/.test(route.path)) return { never: 'what cannot be sent is told per file, with 502' };
  if (/\/send\//.test(route.path)) return refusedByWhatsApp;
  if (/\/(mark-as-read|poll-update-vote)$/.test(route.path)) return { never: 'only the database can be the cause' };
  if (/file-decrypt$/.test(route.path)) return { later: true };
  return appStateRefused;
}

// ---- what must not be: something sent, something left ----

function listed(dir) {
  return readdirSync(dir, { recursive: true, withFileTypes: true }).filter((f) => f.isFile() && !/sqlite|\.pid$/.test(f.name)).map((f) => `${f.parentPath ?? f.path}/${f.name}`).sort();
}

async function world() {
  const { last } = await gateway.control('/stanzas?limit=1');
  const { blobs } = await gateway.control('/media');
  return { last, blobs: blobs.length, state: listed(`${gateway.lab.dir}/state`) };
}

async function unchanged(then, what, reaches) {
  assert.deepEqual(readdirSync(`${gateway.lab.dir}/spool`), [], `${what}: the spool is empty`);
  assert.deepEqual(listed(`${gateway.lab.dir}/state`), then.state, `${what}: nothing is left on the disk`);
  if (reaches) return;
  const { stanzas } = await gateway.control(`/stanzas?after=${then.last}&tag=message&device=${encodeURIComponent(client)}`);
  assert.deepEqual(stanzas.map((s) => s.stanza.attrs), [], `${what}: nothing was sent`);
  assert.equal((await gateway.control('/media')).blobs.length, then.blobs, `${what}: nothing was uploaded`);
}

const emptyOf = (route) => (route.envelope === 'A' ? { results: [] } : { results: null });
const fits = (text, pattern) => new RegExp(`^${pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/<[^>]+>/g, '.+')}$`).test(text);

function sameError(route, answer, error, what) {
  assert.equal(answer.status, error.status, `${what}: ${answer.text}`);
  assert.equal(answer.json?.code, error.code, `${what}: ${answer.text}`);
  assert.ok(fits(answer.json.message, error.message), `${what}: "${answer.json.message}"`);
  assert.equal(answer.json.status, false);
  if (error.code !== 3002) assert.deepEqual({ results: answer.json.results }, emptyOf(route), what);
}

async function refused(route, how, check, what) {
  const { fault, reaches, key = adminKey, ...change } = how;
  const then = await world();
  if (fault) await gateway.control('/faults', { ...fault, count: 0 });
  const answer = await ask(requestOf(route, change), { key });
  if (fault) await fetch(`${gateway.wasim.controlUrl}/faults`, { method: 'DELETE' });
  check(answer);
  await unchanged(then, what, reaches);
}

function hasField(value, [first, ...rest]) {
  if (first === undefined) return true;
  const list = first.endsWith('[]');
  const inner = value?.[list ? first.slice(0, -2) : first];
  if (inner === undefined) return false;
  return list ? Array.isArray(inner) && (inner.length === 0 || hasField(inner[0], rest)) : hasField(inner, rest);
}

for (const route of routes) {
  test(`${nameOf(route)} succeeds, with the fields of the contract`, { skip: /poll-update-vote/.test(route.path) && 'a vote needs a voter: tests/peer' }, async () => {
    const [wanted] = route.success;
    const answer = await ask(requestOf(route));
    assert.deepEqual([answer.status, answer.json?.status, answer.json?.code], [wanted.status, true, wanted.code], answer.text);
    assert.ok([wanted.message].flat().some((m) => m.split('|').some((part) => answer.json.message.startsWith(part))) || fits(answer.json.message, wanted.message), answer.text);
    for (const field of wanted.fields ?? [])
      if (!conditional.test(field)) assert.ok(hasField(answer.json.results[0], field.split('.')), `field ${field} of ${answer.text}`);
    assert.deepEqual(readdirSync(`${gateway.lab.dir}/spool`), []);
  });

  test(`${nameOf(route)} refuses as documented`, async () => {
    for (const error of route.errors) {
      const how = provoke(route, error);
      assert.ok(how, `how is "${error.message}" provoked?`);
      if (!how.later && !how.never) await refused(route, how, (answer) => sameError(route, answer, error, error.message), error.message);
    }
    if (isMessages(route)) {
      for (const [what, how] of [['unknown', { sessionId: 'nobody' }], ['closed', { sessionId: 'closed' }], ["another owner's", { key: strangerKey }], ['none', { sessionId: undefined }]])
        await refused(route, how, (answer) => sameError(route, answer, { status: 404, code: 1101, message: 'Session not found' }, what), what);
    } else if (route.session === 'misc') {
      for (const [how, status, code, message] of [[{ sessionId: 'nobody' }, 404, 1101, 'Session not found'], [{ sessionId: 'closed' }, 409, 1106, 'Session is not ready'],
        [{ key: strangerKey }, 404, 1101, 'Session not found'], [{ sessionId: undefined }, 400, 2001, 'Provide sessionId or sessionPhone'],
        [{ sessionId: 'a b' }, 400, 2002, 'sessionId is invalid'], [{ sessionId: undefined, sessionPhone: '1' }, 404, 1101, 'Matching session not found']])
        await refused(route, how, (answer) => sameError(route, answer, { status, code, message }, message), message);
    }
    const bare = async (what, status, error, options) => {
      const then = await world();
      const answer = await ask(requestOf(route), options);
      assert.equal(answer.status, status, `${what}: ${answer.text}`);
      if (error) assert.deepEqual(answer.json, { error }, what);
      await unchanged(then, what);
    };
    await bare('no key', 401, 'Missing X-WAREST-API-KEY', { key: undefined });
    await bare('a wrong key', 401, 'Invalid X-WAREST-API-KEY', { key: 'wrong' });
    if (route.error_sets.includes('json')) {
      await bare('broken JSON', 400, 'Unexpected end of JSON input', { body: '{"a"', headers: { 'content-type': 'application/json' } });
      await bare('a foreign charset', 415, undefined, { body: '{}', headers: { 'content-type': 'application/json; charset=utf-16' } });
    }
    if (route.error_sets.includes('raw')) await bare('too large a body', 413, 'request entity too large', { body: Buffer.alloc(4 << 20), headers: { 'content-type': 'image/png' } });
  });
}

// ---- bad input beyond the list ----

const media = routes.find((r) => r.path.endsWith('/send/media'));

test('files that cannot be had are refused on every route that takes some, with nothing sent and nothing left', async () => {
  const bad = {
    'private address': 'http://192.168.0.1/x', 'link-local': 'http://169.254.169.254/latest/meta-data/', redirect: `${filesUrl}/to?to=${encodeURIComponent('http://169.254.169.254/x')}`,
    'redirect to a private one': `${filesUrl}/to?to=${encodeURIComponent('http://10.0.0.1/')}`, 'redirect to a file': `${filesUrl}/to?to=${encodeURIComponent('file:///etc/passwd')}`,
    hanging: `${filesUrl}/hangs`, 'a wrong length': `${filesUrl}/lies`, empty: `${filesUrl}/empty`, 'broken data URI': 'data:image/png;base64,iVBOR*', 'cut data URI': 'data:image/png;base64',
    'empty data URI': 'data:image/png;base64,', 'broken base64': `${base64(PNG)}*`, 'a path': '/etc/passwd', 'another scheme': 'ftp://127.0.0.1/x', 'no text': { a: 1 },
  };
  for (const kind of ['media', 'audio', 'document', 'sticker', 'gif', 'files']) {
    const route = routes.find((r) => r.path.endsWith(`/send/${kind}`));
    const wanted = kind === 'files' ? { status: 502, code: 3002, message: 'Failed to send files to all recipients' } : { status: 400, code: 2000, message: `Invalid ${kind} input` };
    // Files are had in the same way everywhere: one route tries all of it.
    for (const [what, value] of Object.entries(bad))
      if (kind === 'media' || /^(redirect|a wrong length|empty|broken base64)$/.test(what))
        await refused(route, kind === 'files' ? { files: [value] } : { [kind]: value }, (answer) => sameError(route, answer, wanted, `${kind}: ${what}`), `${kind}: ${what}`);
  }
});

test('multipart without a file, with an empty one, or broken', async () => {
  const send = async (parts, what, check) => {
    const then = await world();
    const form = new FormData();
    for (const [name, value, file] of parts) form.append(name, file ? new Blob([value], { type: 'image/png' }) : value, ...(file ? [file] : []));
    const response = await fetch(`${gateway.server.url}/api/v1/messages/send/media`, { method: 'POST', body: form, headers: { 'x-warest-api-key': adminKey } });
    check({ status: response.status, text: '', json: await response.json() });
    await unchanged(then, what);
  };
  const to = [['sessionId', 'main'], ['to', THEM]];
  const invalid = (what) => (answer) => sameError(media, answer, { status: 400, code: 2000, message: 'Invalid media input' }, what);
  await send(to, 'no file', invalid('no file'));
  await send([...to, ['media', '', 'a.png']], 'an empty file', invalid('an empty file'));
  await send([...to, ['media', big, 'a.png']], 'too large', (answer) => sameError(media, answer, { status: 413, code: 2009, message: 'Media too large (limit 1MB)' }, 'too large'));
  for (const kind of ['audio', 'document', 'sticker', 'gif', 'files']) {
    const empty = await ask({ method: 'POST', path: `/api/v1/messages/send/${kind}?sessionId=main&to=${THEM}` }, { body: Buffer.alloc(0), headers: { 'content-type': 'image/png' } });
    assert.deepEqual([empty.status, empty.json.code], [400, 2000], `${kind}: ${empty.text}`);
  }
  for (const body of ['--x', '--x\r\ncontent-disposition: form-data; name="media"; filename="a.png"\r\n\r\nhalf']) {
    const then = await world();
    const answer = await gateway.api('POST', '/messages/send/media', { body, headers: { 'content-type': 'multipart/form-data; boundary=x' } });
    assert.deepEqual([answer.status, Object.keys(answer.json)], [400, ['error']], answer.text);
    await unchanged(then, 'broken multipart');
  }
});

test('an upload that its caller breaks off, after any number of bytes, is none', async () => {
  const whole = Buffer.concat([Buffer.from(`--x\r\ncontent-disposition: form-data; name="sessionId"\r\n\r\nmain\r\n--x\r\ncontent-disposition: form-data; name="to"\r\n\r\n${THEM}\r\n` +
    '--x\r\ncontent-disposition: form-data; name="media"; filename="a.png"\r\ncontent-type: image/png\r\n\r\n'), big.subarray(0, 300000), Buffer.from('\r\n--x--\r\n')]);
  const then = await world();
  for (const at of [0, 1, 60, 250, 65536, 150000, whole.length - 8, whole.length - 1]) {
    const socket = connect(gateway.server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`POST /api/v1/messages/send/media HTTP/1.1\r\nhost: x\r\nx-warest-api-key: ${adminKey}\r\ncontent-type: multipart/form-data; boundary=x\r\ncontent-length: ${whole.length}\r\n\r\n`);
    socket.end(whole.subarray(0, at));
    await once(socket.resume(), 'close');
  }
  // What comes after it is served: whatever the others have left behind would be seen by now.
  await refused(media, { media: '' }, (answer) => assert.equal(answer.status, 400), 'the next one');
  await unchanged(then, 'broken off');
});

test('polls with one option or thirteen, four buttons, ids that are none', async () => {
  const at = (name) => routes.find((r) => r.path.endsWith(name));
  for (const options of [['a'], Array.from({ length: 13 }, (_, i) => `o${i}`), ['a', 'a']])
    await refused(at('send/poll'), { options }, (answer) => sameError(at('send/poll'), answer, { status: 400, code: 3012, message: 'Poll payload invalid' }, 'poll'), 'poll');
  await refused(at('send/button'), { buttons: ['1', '2', '3', '4'] }, (answer) => sameError(at('send/button'), answer, { status: 400, code: 3010, message: 'Buttons count exceeds limit (3)' }, '4'), '4');
  for (const messageId of ['no id', 'x'.repeat(65)])
    await refused(at('send/text'), { messageId }, (answer) => assert.deepEqual([answer.status, answer.json.code], [400, 2002], answer.text), 'a message id');
});

// What the original does not have stands beside the routes of the contract.
const sends = [...routes.filter((r) => r.method === 'POST' && r.path.includes('/send/')).map((r) => [r.path.replace(/.*\/messages\//, ''), goods[keyIn(goods, r)]()]),
  ['send/live-location', { location: [1, 2] }], ['send/event', { name: 'Party', startTime: 1798135200 }],
  ['send/group-invite', { groupId: '120363000000000001@g.us', inviteCode: 'AbC' }]];

test('every send route: tried out, for later, at a chosen id, and the answer waits as long as it is told to', async () => {
  const sentSince = async ({ last }) => (await gateway.control(`/stanzas?after=${last}&tag=message&device=${encodeURIComponent(client)}`)).stanzas.map((s) => s.stanza.attrs.id);
  const idIn = ([entry]) => entry.messageId ?? entry.advancedInfo.files[0].messageId;
  for (const [n, [path, body]] of sends.entries()) {
    const send = (change, query = '') => gateway.api('POST', `/messages/${path}${query}`, { body: { sessionId: 'main', to: THEM, ...body, ...change } });
    const is = (answer, ...wanted) => assert.deepEqual([answer.status, answer.json.code], wanted, `${path}: ${answer.text}`);
    const then = await world();
    const dry = await send({ dry_run: true });
    is(dry, 200, 1005);
    assert.match(dry.json.results[0].status, / not sent$/, path);
    assert.equal((await gateway.control('/media')).blobs.length, then.blobs, `${path}: nothing was uploaded`);
    for (const change of [{ wait: 'ever' }, { send_at: 'soon' }, { messageId: 'no id' }]) is(await send(change), 400, 2002);
    const later = await send({ send_at: new Date(Date.now() + 3600e3).toISOString() });
    is(later, 202, 1003);
    const id = idIn(later.json.results);
    is(await gateway.api('DELETE', `/messages/${id}/scheduled`, { body: { sessionId: 'main' } }), 200, 1000);
    assert.deepEqual(readdirSync(`${gateway.lab.dir}/spool`), [], path);
    assert.deepEqual(listed(`${gateway.lab.dir}/state`), then.state, `${path}: nothing is left on the disk`);
    assert.deepEqual(await sentSince(then), [], `${path}: nothing was sent`);

    const queued = await send({ messageId: `QUEUED-${n}` }, '?wait=queued');
    is(queued, 202, 3000);
    assert.equal(idIn(queued.json.results), `QUEUED-${n}`);
    const again = await send({ messageId: `QUEUED-${n}`, wait: 'ack' });
    is(again, 409, 2009);
    const delivered = await send({ messageId: `WAITED-${n}`, wait: 'delivered' });
    is(delivered, 200, 1000);
    const { json } = await gateway.api('GET', `/messages/WAITED-${n}/status?sessionId=main`);
    assert.equal(json.results[0].state, 'delivered', `${path}: ${JSON.stringify(json)}`);
    const ids = await sentSince(then);
    assert.deepEqual([...new Set(ids)].sort(), [`QUEUED-${n}`, `WAITED-${n}`], path);
  }
});

test('a recipient WhatsApp does not know or refuses: the caller is told, and the state says why', async () => {
  const text = routes.find((r) => r.path.endsWith('/send/text') && r.method === 'POST');
  const internal = { status: 500, code: 8000, message: 'Internal server error' };
  await refused(text, { to: '15557199999' }, (answer) => sameError(text, answer, internal, 'not on WhatsApp'), 'not on WhatsApp');
  for (const code of [463, 403]) {
    await refused(text, { messageId: `REFUSED${code}`, fault: { kind: 'ack_error', code }, reaches: true }, (answer) => sameError(text, answer, internal, code), code);
    const state = await gateway.api('GET', `/messages/REFUSED${code}/status?sessionId=main`);
    const [{ state: is, code: why, error }] = state.json.results;
    assert.deepEqual([is, why], ['failed', code], state.text);
    assert.match(error, /^[a-z]\w+ .+/i, 'a sentence for people');
  }
});

test('an Idempotency-Key stands for the very bytes of the files', async () => {
  const send = (files, key, more = {}) => gateway.api('POST', '/messages/send/files', { body: { sessionId: 'main', to: THEM, files: files.map(base64), ...more }, headers: { 'idempotency-key': key } });
  const one = Buffer.alloc(300000, 1), other = Buffer.from(one);
  other[299999] = 2;
  const [first, meanwhile] = await Promise.all([send([one, PNG], 'k1'), send([one, PNG], 'k1')]);
  assert.equal(first.status, 200, first.text);
  const then = await world();
  assert.deepEqual(meanwhile.json, first.json);
  assert.deepEqual((await send([one, PNG], 'k1')).json, first.json);
  for (const again of [await send([other, PNG], 'k1'), await send([PNG, one], 'k1'), await send([one, PNG], 'k1', { caption: 'x' })]) assert.deepEqual([again.status, again.json.code], [409, 2009], again.text);
  await unchanged(then, 'nothing was sent again');
});

test('multipart of some MB comes through every web server byte for byte', async () => {
  const parts = [1, 2, 3].map((n) => createHash('shake256', { outputLength: 900000 + n }).update(`part ${n}`).digest());
  const send = async (server) => {
    const form = new FormData();
    for (const [name, value] of [['sessionId', 'main'], ['to', THEM]]) form.append(name, value);
    for (const [i, bytes] of parts.entries()) form.append('files', new Blob([bytes], { type: 'application/pdf' }), `number ${i}.pdf`);
    const response = await fetch(`${server.url}/api/v1/messages/send/files`, { method: 'POST', body: form, headers: { 'x-warest-api-key': adminKey, 'idempotency-key': 'every-server' } });
    return { status: response.status, json: await response.json() };
  };
  const first = await send(gateway.server);
  assert.equal(first.status, 200, JSON.stringify(first.json));
  assert.deepEqual(first.json.results[0].advancedInfo.files.map((f) => [f.name, f.size]), parts.map((bytes, i) => [`number ${i}.pdf`, bytes.length]));
  // The key stands for the SHA-256 of each file: the same answer means the same bytes.
  for (const kind of serverKinds.filter((k) => k !== 'lighttpd' && isInstalled(k))) {
    const server = await startServer(kind, gateway.lab);
    try {
      assert.deepEqual(await send(server), first, kind);
    } finally {
      await server.stop();
    }
  }
  assert.deepEqual(readdirSync(`${gateway.lab.dir}/spool`), []);
});

// ---- limits: the daemon once more with others ----

// The administrator's list of types: with what is unknown on it, others are sent as that; without, they are refused.
async function allowList(again) {
  const jpeg = `data:image/jpeg;base64,${base64(Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]))}`;
  const send = (kind, change) => gateway.api('POST', `/messages/send/${kind}`, { body: { sessionId: 'main', to: THEM, dry_run: true, ...change } });
  const open = async () => { while (!(await gateway.api('GET', '/session/list')).json.results[0].items.some((i) => i.id === 'main' && i.status === 'open')) await new Promise((resolve) => setTimeout(resolve, 50)); };
  await again({ WAREST_MIMETYPE_FILES_ALLOWLIST: 'image/png,application/octet-stream' });
  await open();
  assert.deepEqual((await send('media', { media: jpeg })).json.code, 2007, 'no image any more');
  assert.deepEqual((await send('document', { document: jpeg })).json.results[0].advancedInfo.mimetype, 'application/octet-stream');
  assert.equal((await send('media', { media: base64(PNG) })).status, 200);
  await again({ WAREST_MIMETYPE_FILES_ALLOWLIST: 'image/png' });
  await open();
  const text = 'MIME type "image/jpeg" is not allowed (configure WAREST_MIMETYPE_FILES_ALLOWLIST)';
  const document = await send('document', { document: jpeg });
  assert.deepEqual([document.status, document.json.code, document.json.message], [415, 2007, text]);
  for (const kind of ['media', 'audio', 'sticker', 'gif']) {
    const other = await send(kind, { [kind]: kind === 'gif' ? jpeg.replace('jpeg', 'gif') : kind === 'audio' ? jpeg.replace('image', 'audio') : jpeg });
    assert.deepEqual([other.status, other.json.code], [415, 2007], `${kind}: ${other.text}`);
  }
  const files = await send('files', { files: [jpeg, base64(PNG)], dry_run: false });
  assert.deepEqual(files.json.results[0].advancedInfo.blockedFiles.map((f) => f.reason), [text], files.text);
}

test('limits are answered as documented, on every route that has them; without a worker media tools say so', async () => {
  const again = async (settings) => {
    await gateway.daemon.stop();
    gateway.settings = { ...gateway.settings, RATE_LIMIT_MAX: '0', SPAM_COOLDOWN_MS: '0', QUOTA_MAX: '0', WAREST_MEDIA_WORKER: '', ...settings };
    await gateway.startDaemon();
  };
  const of = (set) => routes.filter((r) => r.error_sets.includes(set));
  const nobody = { sessionId: 'nobody' };
  await allowList(again);
  await again({ RATE_LIMIT_MAX: '1', RATE_LIMIT_WINDOW_MS: '3600000' });
  await gateway.api('GET', '/session/list');
  for (const route of of('rate')) {
    const answer = await ask(requestOf(route, nobody));
    assert.deepEqual([answer.status, answer.json, answer.headers['x-ratelimit-remaining']], [429, { error: 'Too many requests' }, '0'], nameOf(route));
  }
  await again({ QUOTA_MAX: '1', QUOTA_WINDOW_MS: '3600000' });
  await ask(requestOf(of('quota')[0], nobody));
  for (const route of of('quota')) assert.deepEqual((await ask(requestOf(route, nobody))).json, { error: 'Quota exceeded' }, nameOf(route));
  await again({ SPAM_COOLDOWN_MS: '3600000', WAREST_MEDIA_WORKER: '/nowhere/warest-media' });
  await ask(requestOf(of('cooldown')[0], nobody));
  for (const route of of('cooldown')) {
    const { status, json, headers } = await ask(requestOf(route, nobody));
    assert.deepEqual([status, Object.keys(json), json.error, headers['retry-after']], [429, ['error', 'retryAfter'], 'Recipient cooldown', String(json.retryAfter)], nameOf(route));
  }
  for (const route of routes.filter((r) => r.errors.some((e) => e.status === 503)))
    sameError(route, await ask(requestOf(route, { target: 'jpg' })), { status: 503, code: 8001, message: 'The media worker is not available' }, nameOf(route));
});
