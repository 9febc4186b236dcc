// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, the media tools of the API (thumbnails, conversions, QR codes) answer something else than documented, or a hostile
// file sent to them disturbs others.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createCipheriv, createHash, createHmac, hkdfSync } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { identify, judges } from './lib/judge.js';
import { startGateway } from './lib/web-gateway.js';

const seed = (name) => readFileSync(new URL(`../fuzz/seeds/${name}`, import.meta.url));

let gateway, files, filesUrl;

before(async () => {
  gateway = await startGateway('lighttpd', { RATE_LIMIT_MAX: '0', WAREST_OUTBOUND_ALLOW: 'loopback', WAREST_MEDIA_TIMEOUT_SEC: '120' });
  files = createServer((request, response) => response.end(seed(request.url.slice(1)))).listen(0, '127.0.0.1');
  await new Promise((resolve) => files.once('listening', resolve));
  filesUrl = `http://127.0.0.1:${files.address().port}`;
});
after(async () => {
  files?.close();
  await gateway?.stop();
});

const post = (target, body) => gateway.api('POST', `/misc/${target}`, { body });

async function good(target, body, message) {
  const answer = await post(target, body);
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual([answer.json.status, answer.json.code, answer.json.message], [true, 1000, message]);
  assert.equal(answer.json.results.length, 1);
  return answer.json.results[0];
}

async function bad(target, body, status, code, message) {
  const answer = await post(target, body);
  assert.equal(answer.status, status, answer.text);
  assert.deepEqual([answer.json.status, answer.json.code, answer.json.results], [false, code, []], answer.text);
  if (message) assert.match(answer.json.message, message);
}

const jpeg = (bytes) => bytes[0] === 0xff && bytes[1] === 0xd8;

// Width and height of a PNG, and its pixels as rows of 0 and 1 (one bit a pixel, palette).
function readPng(png) {
  assert.equal(png.subarray(1, 4).toString(), 'PNG');
  const width = png.readUInt32BE(16), data = [];
  let palette;
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    const type = png.subarray(at + 4, at + 8).toString(), chunk = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    if (type === 'IDAT') data.push(chunk);
    if (type === 'PLTE') palette = chunk;
  }
  const rows = inflateSync(Buffer.concat(data)), stride = Math.ceil(width / 8) + 1;
  return { width, height: png.readUInt32BE(20), palette, dark: (x, y) => (rows[y * stride + 1 + (x >> 3)] >> (7 - (x & 7))) & 1 };
}

test('images are converted, scaled and compressed', async () => {
  const file = seed('image/turned.jpg').toString('base64');
  const result = await good('media/image', { file, actions: { convert: 'png', resize: { width: 10, height: 20, fit: 'fill' }, compress: { quality: 50 } } }, 'Image processed');
  assert.deepEqual(result.actionsPerformed, { converted: true, resized: true, compressed: true });
  const png = Buffer.from(result.data, 'base64');
  assert.deepEqual(result.details, { format: 'png', width: 10, height: 20, size: png.length });
  assert.deepEqual(result.meta, { mode: 'base64', mimeType: 'image/png', size: png.length });
  assert.equal(png.readUInt32BE(16), 10);
  assert.ok(!Number.isNaN(Date.parse(result.createdAt)));

  const kept = await good('media/image', { source: `data:image/jpeg;base64,${file}`, output: 'dataurl' }, 'Image processed');
  assert.deepEqual([kept.details.format, kept.details.width, kept.details.height], ['jpg', 30, 40], 'turned by its EXIF orientation');
  assert.ok(kept.data.startsWith('data:image/jpeg;base64,'));
  assert.deepEqual(kept.actionsPerformed, { converted: false, resized: false, compressed: false });

  const webp = await good('media/image', { url: `${filesUrl}/image/alpha.png`, actions: JSON.stringify({ convert: 'WEBP', resize: { width: 12 } }) }, 'Image processed');
  assert.equal(Buffer.from(webp.data, 'base64').subarray(8, 12).toString(), 'WEBP');
  assert.deepEqual([webp.details.width, webp.details.height], [12, 8]);
  const judged = [[png, 'PNG 10 20'], [Buffer.from(kept.data.split(',')[1], 'base64'), 'JPEG 30 40'], [Buffer.from(webp.data, 'base64'), 'WEBP 12 8']];
  if (judges) for (const [bytes, what] of judged) assert.deepEqual(identify(bytes), [what]);
});

test('results go into the storage when they are wanted as an address or a key', async () => {
  const file = seed('image/small.jpg').toString('base64');
  for (const output of ['url', 'file']) {
    const result = await good('media/image', { file, output }, 'Image processed');
    assert.deepEqual(Object.keys(result.meta), ['mode', 'mimeType', 'size', 'key', 'url']);
    assert.match(result.meta.key, /^misc\/[\w/-]+\.jpe?g$/);
    assert.equal(result.data, output === 'url' ? result.meta.url : result.meta.key);
    assert.match(result.meta.url, /^https?:\/\//);
  }
});

test('thumbnails of images and videos', async () => {
  const one = await good('media/thumbnail', { file: seed('image/alpha.png').toString('base64'), type: 'image', width: 20, height: 16 }, 'Thumbnails generated');
  assert.equal(one.data.length, 1);
  assert.ok(jpeg(Buffer.from(one.data[0].thumbnail, 'base64')));
  if (judges) assert.deepEqual(identify(Buffer.from(one.data[0].thumbnail, 'base64')), ['JPEG 20 16']);
  assert.equal(one.data[0].meta.mimeType, 'image/jpeg');

  const video = { type: 'VIDEO', width: 32, count: 2 };
  const two = await good('media/thumbnail', { url: `${filesUrl}/av/film.mp4`, ...video }, 'Thumbnails generated');
  assert.equal(two.data.length, 2);
  for (const { thumbnail, meta } of two.data) {
    assert.ok(jpeg(Buffer.from(thumbnail, 'base64')));
    assert.equal(Buffer.from(thumbnail, 'base64').length, meta.size);
  }
  const stored = await good('media/thumbnail', { data: seed('av/film.webm').toString('base64'), ...video, output: 'url' }, 'Thumbnails generated');
  assert.deepEqual(stored.data.map((t) => t.meta.url), stored.data.map((t) => t.thumbnail));
  assert.notEqual(stored.data[0].thumbnail, stored.data[1].thumbnail);
});

test('QR codes in every format and style', async () => {
  const text = 'HELLO WORLD';
  const base64 = await good('convert-string-toqr/base64', { string: text }, 'String converted to QR-friendly PNG (base64 data URI)');
  assert.deepEqual(base64.meta, { mode: 'dataurl', mimeType: 'image/png', format: 'png' });
  const png = readPng(Buffer.from(base64.data.split(',')[1], 'base64'));
  assert.deepEqual([png.width, png.height], [138, 138], '21 modules, margin 1, 6 pixels each');
  assert.deepEqual([png.dark(0, 0), png.dark(6, 6), png.dark(12, 12), png.dark(18, 18)], [0, 1, 0, 1], 'the finder pattern');

  const styled = await good('convert-string-toqr/base64', { string: text, margin: 4, scale: 3, dark: '#f00', light: '00ff0080', errorCorrectionLevel: 'h' },
    'String converted to QR-friendly PNG (base64 data URI)');
  const other = readPng(Buffer.from(styled.data.split(',')[1], 'base64'));
  assert.equal(other.width % 3, 0);
  assert.ok(other.width > (21 + 8) * 3, 'level H needs a larger code');
  assert.deepEqual([...other.palette], [0, 255, 0, 255, 0, 0]);

  for (const [target, mime, label] of [['svg', 'image/svg+xml', 'SVG'], ['png', 'image/png', 'PNG'], ['JPG', 'image/jpeg', 'JPEG'], ['jpeg', 'image/jpeg', 'JPEG'],
    ['webp', 'image/webp', 'WEBP']]) {
    const result = await good(`convert-string-toqr/${target}`, { string: 12345 }, `String converted to QR-friendly ${label} format`);
    assert.deepEqual(Object.keys(result.meta), ['mode', 'mimeType', 'size', 'temporary', 'key', 'url', 'expiresAt']);
    assert.deepEqual([result.meta.mode, result.meta.mimeType, result.meta.temporary], ['url', mime, true]);
    assert.equal(result.data, result.meta.url);
    const left = Date.parse(result.meta.expiresAt) - Date.now();
    assert.ok(left > 100_000 && left < 400_000, 'lives for WAREST_STORAGE_TEMP_TTL_SEC');
  }
});

test('what cannot be done is said', async () => {
  await bad('media/image', {}, 400, 2001, /^file is required$/);
  await bad('media/thumbnail', { type: 'image' }, 400, 2001, /^file is required$/);
  const file = seed('image/small.jpg').toString('base64');
  await bad('media/thumbnail', { file }, 400, 2002, /^type must be image or video$/);
  await bad('media/thumbnail', { file, type: 'sound' }, 400, 2002, /^type must be image or video$/);
  await bad('media/thumbnail', { file, type: 'video' }, 415, 2007);
  await bad('media/image', { file, actions: { resize: { width: 0 } } }, 400, 2002, /must be positive/);
  await bad('media/image', { file, actions: { resize: { width: 5, fit: 'squeeze' } } }, 400, 2002, /^fit must be/);
  await bad('media/image', { file: '/etc/passwd' }, 400, 2002, /cannot be read/);
  await bad('media/image', { file: 'http://192.0.2.1.invalid/x.png' }, 400, 2002, /cannot be read/);
  await bad('media/image', { file: seed('av/film.mp4').toString('base64') }, 415, 2007);
  await bad('media/image', { file: seed('image/huge.png').toString('base64') }, 400, 2002, /60000 x 60000/);
  await bad('media/image', { file: seed('image/cut.png').toString('base64') }, 400, 2002);
  await bad('convert-string-toqr/base64', {}, 400, 2001, /^string is required$/);
  await bad('convert-string-toqr/tiff', { string: 'x' }, 400, 2002, /^Unsupported target format/);
  await bad('convert-string-toqr/png', { string: 'x', errorCorrectionLevel: 'Z' }, 400, 2002, /^errorCorrectionLevel/);
  await bad('convert-string-toqr/png', { string: 'x', dark: 'url(#)' }, 400, 2002, /colours/);
  await bad('convert-string-toqr/png', { string: 'x'.repeat(3000) }, 400, 2002, /^The amount of data is too big/);
  await bad('convert-string-toqr/png', { string: 'x'.repeat(2000), scale: 64, margin: 64 }, 400, 2002, /4096/);
  const answer = await gateway.api('POST', '/misc/media/image', { key: 'wrong', body: { file } });
  assert.equal(answer.status, 401);
});

// The children of a process by name, as the kernel shows them.
const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  .filter((child) => readFileSync(`/proc/${child}/comm`, 'utf8').startsWith('warest-media'));

test('a killed worker is replaced, and ends with the daemon', { skip: !readdirSync(`/proc/self/task/${process.pid}`).includes('children') }, async () => {
  const file = seed('image/small.jpg').toString('base64');
  await good('media/image', { file }, 'Image processed');
  const [worker] = children(gateway.daemon.pid ?? gateway.daemon.process.pid);
  assert.ok(worker, 'there is a worker');
  execFileSync('kill', ['-9', worker]);
  await good('media/image', { file }, 'Image processed');
  const [next] = children(gateway.daemon.pid ?? gateway.daemon.process.pid);
  assert.notEqual(next, worker);
  await gateway.daemon.stop();
  assert.throws(() => readFileSync(`/proc/${next}/comm`), 'nothing is left of it');
  await gateway.startDaemon();
});

test('media files of WhatsApp are decrypted, with every way to say what they are', async () => {
  const plain = Buffer.from('a voice note'), mediaKey = Buffer.alloc(32, 5);
  const sealed = (kind) => {
    const keys = Buffer.from(hkdfSync('sha256', mediaKey, '', `WhatsApp ${kind} Keys`, 112));
    const cipher = createCipheriv('aes-256-cbc', keys.subarray(16, 48), keys.subarray(0, 16));
    const blob = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([blob, createHmac('sha256', keys.subarray(48, 80)).update(keys.subarray(0, 16)).update(blob).digest().subarray(0, 10)]);
  };
  const key = mediaKey.toString('base64'), file = sealed('Audio').toString('base64'), sha256 = createHash('sha256').update(plain).digest('base64');
  const target = 'whatsapp/file-decrypt';
  for (const body of [{ mediaKey: key, file, mimeType: 'audio/ogg; codecs=opus' }, { media_key: mediaKey.toString('hex'), encrypted: file, fileSha256: sha256 }]) {
    const result = await good(target, body, 'File decrypted');
    assert.equal(Buffer.from(result.data, 'base64').toString(), 'a voice note');
    assert.equal(result.meta.size, plain.length);
  }
  assert.equal((await good(target, { mediaKey: key, blob: { type: 'Buffer', data: [...sealed('Image')] }, mimetype: 'image/png', output: 'dataurl' }, 'File decrypted')).data,
    `data:image/png;base64,${plain.toString('base64')}`);
  assert.equal((await good(target, { mediaKey: key, file: sealed('Video').toString('base64'), output: 'string' }, 'File decrypted')).data, 'a voice note');
  await bad(target, { file }, 400, 2001, /^mediaKey is required$/);
  await bad(target, { mediaKey: key }, 400, 2001, /^Encrypted file is required$/);
  await bad(target, { mediaKey: 'AAAA', file }, 400, 2002, /^mediaKey is invalid$/);
  await bad(target, { mediaKey: key, file: 'data:;base64,AAAAAAA=' }, 400, 2002, /^Encrypted payload is too small$/);
  await bad(target, { mediaKey: key, file, mimeType: 'video/mp4' }, 400, 2002, /^MAC verification failed$/);
  await bad(target, { mediaKey: Buffer.alloc(32, 6).toString('base64'), file }, 400, 2002, /^MAC verification failed$/);
  await bad(target, { mediaKey: key, file, sha256: Buffer.alloc(32).toString('base64') }, 400, 2002, /^fileSha256 does not match decrypted content$/);
});
