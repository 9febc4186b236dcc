// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, media do not get into an S3 bucket or out of it, leave rubbish there, or a broken S3 server breaks more than storage. The server is
// the npm package s3rver; a relay before it checks what s3rver believes unseen (signature, hash of the body, end of an address) and plays the faults.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import S3rver from 's3rver';
import { RpcClient } from './lib/rpc-client.js';
import { build, Child, freePort, startServer, webLab, webUser } from './lib/web.js';
import { until } from './lib/until.js';

const MiB = 1 << 20;
let lab, s3, relay, daemon, web, file;

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const hmac = (key, text, form) => createHmac('sha256', key).update(text).digest(form);
const encoded = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

// What a real server would say about the request's signature (AWS Signature Version 4), undefined if it is good.
function refusal({ method, url, headers }, body) {
  const { pathname, searchParams } = new URL(url, 'http://x');
  const presigned = searchParams.has('X-Amz-Signature');
  const fields = presigned ? { Credential: searchParams.get('X-Amz-Credential'), SignedHeaders: searchParams.get('X-Amz-SignedHeaders'),
    Signature: searchParams.get('X-Amz-Signature') } : Object.fromEntries((headers.authorization ?? '').replace(/^AWS4-HMAC-SHA256 /, '').split(',').map((f) => f.split(/=(.*)/s)));
  const refused = (code) => ({ status: 403, body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>by the relay</Message></Error>` });
  const now = presigned ? searchParams.get('X-Amz-Date') : headers['x-amz-date'];
  const payload = presigned ? 'UNSIGNED-PAYLOAD' : headers['x-amz-content-sha256'];
  if (!fields.Signature) return refused('AccessDenied');
  const age = Date.now() - Date.parse(now.replace(/^(....)(..)(..T..)(..)/, '$1-$2-$3:$4:'));
  if (age < -5000 || age > (presigned ? Number(searchParams.get('X-Amz-Expires')) * 1000 : 900_000)) return refused('AccessDenied');
  const [key, ...scope] = fields.Credential.split('/');
  if (key !== 'S3RVER') return refused('InvalidAccessKeyId');
  const names = fields.SignedHeaders.split(';');
  const unsigned = Object.keys(headers).filter((n) => /^(host$|x-amz-)/.test(n) && !names.includes(n));
  if (unsigned.length) return refused('AccessDenied');
  const query = [...searchParams].filter(([n]) => n !== 'X-Amz-Signature').map(([n, v]) => `${encoded(n)}=${encoded(v)}`).sort().join('&');
  const canonical = [method, pathname, query, ...names.map((n) => `${n}:${headers[n]}`), '', names.join(';'), payload].join('\n');
  const signing = ['AWS4S3RVER', ...scope].reduce((secret, part) => hmac(secret, part));
  if (hmac(signing, ['AWS4-HMAC-SHA256', now, scope.join('/'), sha256(canonical)].join('\n'), 'hex') !== fields.Signature) return refused('SignatureDoesNotMatch');
  return !presigned && payload !== sha256(body) ? { ...refused('XAmzContentSHA256Mismatch'), status: 400 } : undefined;
}

// Between daemon and server: fault(request, body) answers what happens instead: {status, body}, 'drop', 'hang', or nothing.
class Relay {
  requests = [];
  fault = () => undefined;

  async start(port) {
    this.hanging = new Set();
    this.server = http.createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const seen = { method: request.method, url: request.url, headers: request.headers, length: body.length };
      this.requests.push(seen);
      const fault = this.fault(seen, this.requests.length) ?? refusal(seen, body);
      if (fault === 'drop') return request.socket.destroy();
      if (fault === 'hang') return this.hanging.add(response);
      if (fault) return response.writeHead(fault.status, { 'content-type': 'application/xml' }).end(fault.body ?? '');
      const forward = http.request({ port, host: '127.0.0.1', method: request.method, path: request.url, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      forward.on('error', () => response.destroy());
      forward.end(body);
    }).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    return this;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

async function operator(m, p = {}) {
  const rpc = await RpcClient.connect(lab.socket);
  try { return await rpc.send({ m, auth: 'none', p, route: m, guards: {} }); } finally { rpc.close?.(); }
}

async function startDaemon(env = {}) {
  daemon = new Child(path.join(build, 'warest-sessiond'), [], { env: { ...process.env, WAREST_ENV_FILE: '/dev/null', ...lab.daemon, ...env } });
  const answers = async () => RpcClient.connect(lab.socket).then((rpc) => { rpc.close?.(); return true; }, () => false);
  while (!(await Promise.race([answers(), daemon.failed]))) await new Promise((resolve) => setImmediate(resolve));
}

async function restart(env) {
  await daemon.stop();
  await startDaemon(env);
}

const put = async (bytes, options = {}) => {
  await writeFile(file, bytes);
  return operator('ctl.storage.put', { path: file, mime: 'image/jpeg', ...options });
};

function random(size, seed) {
  const bytes = Buffer.alloc(size + 4);
  for (let i = 0, x = seed; i < size; i += 4) bytes.writeUInt32LE(x = (Math.imul(x, 1664525) + 1013904223) >>> 0, i);
  return bytes.subarray(0, size);
}

// Names of what is in the bucket.
const bucket = () => readdirSync(path.join(lab.dir, 'bucket', 'media'), { recursive: true, withFileTypes: true }).filter((e) => e.isFile())
  .map((e) => path.join(e.parentPath ?? e.path, e.name)).filter((name) => name.endsWith('_object'));

before(async () => {
  lab = await webLab();
  file = path.join(lab.dir, 'upload');
  await mkdir(path.join(lab.dir, 'state'), { mode: 0o700 });
  s3 = new S3rver({ port: await freePort(), address: '127.0.0.1', silent: true, serviceEndpoint: 'localhost', directory: path.join(lab.dir, 'bucket'), configureBuckets: [{ name: 'media' }] });
  const { port } = await s3.run();
  relay = await new Relay().start(port);
  lab.daemon = { WAREST_STATE_DIR: path.join(lab.dir, 'state'), WAREST_SOCKET: lab.socket, WAREST_WA_VERSION_REFRESH: 'false', WAREST_STORAGE_DRIVER: 's3',
    WAREST_STORAGE_S3_BUCKET: 'media', WAREST_STORAGE_S3_KEY: 'S3RVER', WAREST_STORAGE_S3_SECRET: 'S3RVER', WAREST_STORAGE_S3_TIMEOUT_MS: '1000',
    WAREST_STORAGE_S3_ENDPOINT: `http://127.0.0.1:${relay.port}`, ...(webUser() ? { WAREST_SOCKET_GROUP: 'www-data' } : {}) };
  await startDaemon();
  web = await startServer('lighttpd', lab);
});
after(async () => {
  await web?.stop();
  await daemon?.stop();
  relay?.close();
  s3?.httpServer.closeAllConnections();
  await s3?.close();
  await lab?.remove();
});
beforeEach(() => {
  relay.requests.length = 0;
  relay.fault = () => undefined;
});

test('a small file: one PUT with its hash, a presigned address, ranges through us, gone when deleted', async () => {
  const bytes = random(100_000, 1);
  const stored = await put(bytes);
  assert.equal(stored.status, 200, JSON.stringify(stored));
  assert.equal(stored.result.driver, 's3');
  assert.deepEqual(relay.requests.map((r) => r.method), ['PUT']);
  const { headers } = relay.requests[0];
  assert.equal(headers['x-amz-content-sha256'], sha256(bytes));
  assert.equal(headers['content-type'], 'image/jpeg');
  assert.equal(headers['x-amz-acl'], undefined, 'buckets with owner enforced would refuse it');
  const url = new URL(stored.result.url);
  assert.equal(url.pathname, `/media/${stored.result.key}`);
  const direct = await fetch(url);
  assert.equal(direct.status, 200);
  assert.equal(direct.headers.get('content-type'), 'image/jpeg');
  assert.ok(bytes.equals(Buffer.from(await direct.arrayBuffer())));
  url.searchParams.set('X-Amz-Expires', '5');
  assert.equal((await fetch(url)).status, 403, 'a signature binds the end');
  assert.ok(readFileSync(bucket()[0]).equals(bytes));
  assert.equal((await fetch(`${web.url}/storages/${stored.result.key}`)).status, 404, 'private');
  assert.equal((await operator('ctl.storage.delete', { key: stored.result.key })).status, 200);
  assert.deepEqual(bucket(), []);
});

test('a big file goes in parts, comes back whole and in ranges', async () => {
  const bytes = random(20 * MiB + 5, 2);
  await restart({ WAREST_STORAGE_S3_PUBLIC_URL: 'https://cdn.example/media/' });
  const stored = await put(bytes);
  assert.equal(stored.status, 200, JSON.stringify(stored));
  assert.equal(stored.result.url, `https://cdn.example/media/${stored.result.key}`);
  assert.equal(stored.result.sha256, sha256(bytes));
  assert.deepEqual(relay.requests.map((r) => r.method), ['POST', 'PUT', 'PUT', 'PUT', 'PUT', 'POST']);
  assert.ok(Math.max(...relay.requests.map((r) => r.length)) <= 6 * MiB);
  const target = `${web.url}/storages/${stored.result.key}`;
  assert.ok(bytes.equals(Buffer.from(await (await fetch(target)).arrayBuffer())));
  const part = await fetch(target, { headers: { range: 'bytes=6291450-6291460' } });
  assert.equal(part.status, 206);
  assert.ok(bytes.subarray(6291450, 6291461).equals(Buffer.from(await part.arrayBuffer())));
  const leaving = await fetch(target);
  await leaving.body.cancel();
  await operator('ctl.storage.delete', { key: stored.result.key });
  assert.deepEqual(bucket(), []);
  await restart();
});

test('a busy or breaking server is tried again, with a new signature', async () => {
  relay.fault = (r, n) => [{ status: 503, body: '<Error><Code>SlowDown</Code><Message>reduce your rate</Message></Error>' }, 'drop'][n - 1];
  const stored = await put(random(1000, 3));
  assert.equal(stored.status, 200, JSON.stringify(stored));
  assert.equal(relay.requests.length, 3);
  await operator('ctl.storage.delete', { key: stored.result.key });
});

test('a part that fails for good ends the upload there, too', async () => {
  relay.fault = (r) => (/partNumber=2/.test(r.url) ? { status: 403, body: '<Error><Code>AccessDenied</Code><Message>no &lt;more&gt;</Message></Error>' } : undefined);
  const answer = await put(random(13 * MiB, 4));
  assert.equal(answer.status, 500);
  assert.equal(answer.message, 'the S3 server answers 403 AccessDenied: no <more>');
  const ended = relay.requests.filter((r) => r.method === 'DELETE');
  assert.ok(ended.some((r) => /uploadId=/.test(r.url)), 'aborted');
  assert.deepEqual(bucket(), []);
});

test('a wrong secret, a missing bucket, a dead and a silent server: said clearly', async () => {
  await restart({ WAREST_STORAGE_S3_SECRET: 'wrong' });
  const refused = await put(random(10, 5));
  assert.match(refused.message, /^the S3 server answers 403 SignatureDoesNotMatch/);
  await restart({ WAREST_STORAGE_S3_BUCKET: 'missing' });
  assert.match((await put(random(10, 5))).message, /^the S3 server answers 404 NoSuchBucket/);
  await restart({ WAREST_STORAGE_S3_ENDPOINT: `http://127.0.0.1:${await freePort()}` });
  assert.equal((await put(random(10, 5))).message, 'the S3 server: nobody answers there');
  await restart();
  relay.fault = () => 'hang';
  const silent = await put(random(10, 5));
  assert.equal(silent.message, 'the S3 server: it fell silent');
  assert.equal((await operator('ctl.storage.status')).result.files, 0, 'and nothing is left');
});

test('kill -9 in the middle of an upload: the next start ends it', async () => {
  let held;
  const second = new Promise((resolve) => { held = resolve; });
  relay.fault = (r) => (/partNumber=2/.test(r.url) ? (held(), 'hang') : undefined);
  const pending = put(random(13 * MiB, 6)).then(() => 'stored', () => 'lost');
  await second;
  await daemon.stop('SIGKILL');
  assert.equal(await pending, 'lost');
  relay.fault = () => undefined;
  relay.requests.length = 0;
  await startDaemon();
  const ended = () => relay.requests.findIndex((r) => r.method === 'DELETE' && /uploadId=/.test(r.url));
  await until(() => ended() >= 0 && relay.requests.length >= ended() + 2, 'the end of the upload');
  assert.equal(relay.requests[ended() + 1].url, relay.requests[ended()].url.replace(/\?.*/, ''), 'and whatever may be there under the key');
  assert.deepEqual(bucket(), []);
});

test('encryption at the server is asked for in headers; under a key of ours an object is had through us alone', async () => {
  const key = Buffer.alloc(32, 9).toString('base64');
  await restart({ WAREST_STORAGE_S3_SSE: 'AES256', WAREST_STORAGE_S3_SIGNED_TTL_SEC: '77' });
  for (const size of [10, 13 * MiB]) {
    relay.requests.length = 0;
    const stored = await put(random(size, 6));
    assert.equal(stored.status, 200, JSON.stringify(stored));
    const [first, ...rest] = relay.requests.filter((r) => r.url.includes(stored.result.key));
    assert.deepEqual([first.method, first.headers['x-amz-server-side-encryption'], first.headers['x-amz-server-side-encryption-aws-kms-key-id']],
      [size > MiB ? 'POST' : 'PUT', 'AES256', undefined]);
    for (const part of rest) assert.equal(part.headers['x-amz-server-side-encryption'], undefined, 'a part is not asked for it');
    const { searchParams } = new URL(stored.result.url);
    assert.equal(searchParams.get('X-Amz-Expires'), '77');
    assert.equal((await fetch(stored.result.url)).status, 200);
    await operator('ctl.storage.delete', { key: stored.result.key });
  }
  await restart({ WAREST_STORAGE_S3_SSE: 'aws:kms', WAREST_STORAGE_S3_SSE_KMS_KEY: 'key-1', WAREST_STORAGE_S3_ACL: 'bucket-owner-full-control' });
  const kms = await put(random(10, 7));
  assert.equal(kms.status, 200, JSON.stringify(kms));
  const lastPut = () => relay.requests.findLast((r) => r.method === 'PUT');
  let { headers } = lastPut();
  assert.deepEqual([headers['x-amz-server-side-encryption'], headers['x-amz-server-side-encryption-aws-kms-key-id'], headers['x-amz-acl']],
    ['aws:kms', 'key-1', 'bucket-owner-full-control']);
  await restart({ WAREST_STORAGE_S3_SSE_CUSTOMER_KEY: key });
  const bytes = random(5000, 8);
  const own = await put(bytes);
  assert.equal(own.status, 200, JSON.stringify(own));
  ({ headers } = lastPut());
  assert.equal(headers['x-amz-server-side-encryption-customer-algorithm'], 'AES256');
  assert.equal(headers['x-amz-server-side-encryption-customer-key-md5'], createHash('md5').update(Buffer.alloc(32, 9)).digest('base64'));
  const { pathname, search } = new URL(own.result.url);
  assert.equal(pathname, '/storage/private');
  const got = await fetch(web.url + pathname + search);
  assert.equal(got.status, 200);
  assert.ok(bytes.equals(Buffer.from(await got.arrayBuffer())));
  assert.equal(relay.requests.findLast((r) => r.method === 'GET').headers['x-amz-server-side-encryption-customer-key'], key);
});

test('the bucket in the host name: stored, read, signed and deleted there', async () => {
  await restart({ WAREST_STORAGE_S3_ENDPOINT: `http://s3.localhost:${relay.port}` });
  relay.requests.length = 0;
  const before = bucket();
  const bytes = random(13 * MiB, 9);
  const stored = await put(bytes);
  assert.equal(stored.status, 200, JSON.stringify(stored));
  const url = new URL(stored.result.url);
  assert.deepEqual([url.host, url.pathname], [`media.s3.localhost:${relay.port}`, `/${stored.result.key}`]);
  assert.ok(relay.requests.length > 3 && relay.requests.every((r) => r.headers.host === url.host && r.url.startsWith(`/${stored.result.key}`)), 'in parts');
  assert.equal(bucket().length, before.length + 1);
  const got = await new Promise((resolve, reject) => http.get({ host: '127.0.0.1', port: relay.port, path: url.pathname + url.search, headers: { host: url.host } }, async (response) => {
    const parts = [];
    for await (const part of response) parts.push(part);
    resolve({ status: response.statusCode, body: Buffer.concat(parts) });
  }).on('error', reject));
  assert.equal(got.status, 200);
  assert.ok(got.body.equals(bytes));
  assert.equal((await operator('ctl.storage.delete', { key: stored.result.key })).status, 200);
  assert.deepEqual(bucket(), before);
  await restart();
});

test('health tells of the bucket: whether something can be put there', async () => {
  const storage = async () => (await operator('server.healthz')).result;
  let health = await storage();
  assert.deepEqual(health.services.storage, { status: 'ok', storageType: 's3', region: 'auto' });
  relay.fault = () => ({ status: 403, body: '<Error><Code>AccessDenied</Code><Message>no</Message></Error>' });
  health = await storage();
  assert.equal(health.status, 'degraded');
  assert.deepEqual(health.services.storage, { status: 'error', storageType: 's3', region: 'auto', error: 'the S3 server answers 403 AccessDenied: no' });
});

test('settings that cannot work stop the start with a line', async () => {
  for (const [env, line] of [[{ WAREST_STORAGE_S3_BUCKET: '' }, /WAREST_STORAGE_S3_BUCKET/], [{ WAREST_STORAGE_S3_SECRET: '' }, /WAREST_STORAGE_S3_SECRET/],
    [{ WAREST_STORAGE_S3_KEY: '', AWS_PROFILE: 'role' }, /roles of machines and profiles of AWS tools are not asked for keys/],
    [{ WAREST_STORAGE_S3_SSE: 'rot13' }, /WAREST_STORAGE_S3_SSE/], [{ WAREST_STORAGE_S3_SSE_CUSTOMER_KEY: 'short' }, /SSE_CUSTOMER_KEY/]]) {
    await daemon.stop();
    const child = new Child(path.join(build, 'warest-sessiond'), [], { env: { PATH: process.env.PATH, WAREST_ENV_FILE: '/dev/null', ...lab.daemon, ...env } });
    assert.notEqual((await child.exited).code, 0);
    assert.match(child.output, line);
  }
  await startDaemon();
});
