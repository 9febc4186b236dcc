// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, stored media cannot be fetched (whole, in ranges, by signed address) through a web server of etc/, or somebody gets what is not his.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { RpcClient } from './lib/rpc-client.js';
import { build, Child, isInstalled, serverKinds, startServer, webLab, webUser } from './lib/web.js';
import { until } from './lib/until.js';

const secret = 'secret of signed addresses';
const content = Buffer.alloc(3_000_001);
for (let i = 0; i < content.length; i++) content[i] = (i * 31 + (i >> 9)) & 255;
const sha256 = createHash('sha256').update(content).digest('hex');

let lab, daemon, file;

async function operator(m, p = {}) {
  const rpc = await RpcClient.connect(lab.socket);
  try { return await rpc.send({ m, auth: 'none', p, route: m, guards: {} }); } finally { rpc.close?.(); }
}

async function startDaemon() {
  daemon = new Child(path.join(build, 'warest-sessiond'), [], { env: { ...process.env, WAREST_ENV_FILE: '/dev/null', ...lab.daemon } });
  const answers = async () => RpcClient.connect(lab.socket).then((rpc) => { rpc.close?.(); return true; }, () => false);
  while (!(await Promise.race([answers(), daemon.failed]))) await new Promise((resolve) => setImmediate(resolve));
}

async function put(bytes, options = {}) {
  await writeFile(file, bytes);
  const answer = await operator('ctl.storage.put', { path: file, ...options });
  assert.equal(answer.status, 200, JSON.stringify(answer));
  const { pathname, search } = new URL(answer.result.url);
  return { ...answer.result, target: pathname + search };
}

function objects(dir = lab.daemon.WAREST_STATE_DIR) {
  return readdirSync(dir, { recursive: true, withFileTypes: true }).filter((e) => e.isFile() && (e.parentPath ?? e.path).includes('.objects'));
}

before(async () => {
  const places = { WAREST_STORAGE_LOCAL_SIGNED_PATH: '/files/signed', WAREST_STORAGE_LOCAL_PUBLIC_URL: 'http://cdn.example/files/public/' };
  lab = await webLab(places);
  const state = path.join(lab.dir, 'state');
  await mkdir(state, { mode: 0o700 });
  file = path.join(lab.dir, 'upload');
  lab.daemon = { WAREST_STATE_DIR: state, WAREST_SOCKET: lab.socket, WAREST_STORAGE_LOCAL_SIGNED_SECRET: secret, WAREST_WA_VERSION_REFRESH: 'false', ...places };
  const user = webUser();
  if (user) lab.daemon.WAREST_SOCKET_GROUP = 'www-data';
  await startDaemon();
});
after(async () => {
  await daemon?.stop();
  await lab?.remove();
});

const get = (server, target, headers = {}, method = 'GET') => fetch(server.url + target, { method, headers });
const bytes = async (response) => Buffer.from(await response.arrayBuffer());

for (const kind of serverKinds) {
  describe(kind, { skip: !isInstalled(kind) && 'not installed' }, () => {
    let server, stored, hidden;

    before(async () => {
      server = await startServer(kind, lab);
      stored = await put(content, { mime: 'image/jpeg' });
      hidden = await put(content, { mime: 'text/html', private: true });
    });
    after(() => server?.stop());

    test('a public file, as it was put', async () => {
      assert.equal(stored.sha256, sha256);
      assert.match(stored.url, /^http:\/\/cdn\.example\/files\/public\/operator\/[0-9a-f]{32}\.jpeg$/);
      for (const target of [stored.target, `/storages/${stored.key}`]) {
        const answer = await get(server, target);
        assert.equal(answer.status, 200);
        assert.equal(answer.headers.get('content-type'), 'image/jpeg');
        assert.equal(answer.headers.get('content-disposition'), 'attachment');
        assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
        assert.equal(answer.headers.get('cache-control'), 'public, max-age=86400');
        assert.match(answer.headers.get('content-security-policy'), /sandbox/);
        assert.equal(answer.headers.get('etag'), `"${sha256}"`);
        assert.ok(content.equals(await bytes(answer)));
      }
    });

    test('ranges', async () => {
      const part = async (range, from, to) => {
        const answer = await get(server, stored.target, { range });
        assert.equal(answer.status, 206, range);
        assert.equal(answer.headers.get('content-range'), `bytes ${from}-${to - 1}/${content.length}`);
        assert.ok(content.subarray(from, to).equals(await bytes(answer)), range);
      };
      await part('bytes=0-0', 0, 1);
      await part('bytes=65530-65540', 65530, 65541);
      await part('bytes=2999999-', 2999999, content.length);
      await part('bytes=-70000', content.length - 70000, content.length);
      await part('bytes=1000000-99999999', 1000000, content.length);
      const behind = await get(server, stored.target, { range: `bytes=${content.length}-` });
      assert.deepEqual([behind.status, behind.headers.get('content-range')], [416, `bytes */${content.length}`]);
      for (const range of ['bytes=5-2', 'lines=1-2', 'bytes=x'])
        assert.equal((await bytes(await get(server, stored.target, { range }))).length, content.length, range);
    });

    test('what the client has already is not sent again', async () => {
      const etag = `"${sha256}"`;
      const same = await get(server, stored.target, { 'if-none-match': `"other", W/${etag}` });
      assert.deepEqual([same.status, (await bytes(same)).length], [304, 0]);
      assert.equal((await get(server, stored.target, { range: 'bytes=0-9', 'if-range': etag })).status, 206);
      const changed = await get(server, stored.target, { range: 'bytes=0-9', 'if-range': '"other"' });
      assert.deepEqual([changed.status, (await bytes(changed)).length], [200, content.length]);
    });

    test('HEAD', async () => {
      const head = await get(server, stored.target, {}, 'HEAD');
      assert.equal(head.status, 200);
      // Apache takes the length out when no body follows.
      if (!kind.startsWith('apache-') || kind === 'apache-fcgid') assert.equal(head.headers.get('content-length'), String(content.length));
    });

    test('a private file only by its signed address, as bytes whatever it says it is', async () => {
      const answer = await get(server, hidden.target);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('content-type'), 'application/octet-stream');
      assert.equal(answer.headers.get('cache-control'), 'private, no-store');
      assert.ok(content.equals(await bytes(answer)));
      const sign = (expires, download = '') => createHmac('sha256', secret)
        .update(JSON.stringify({ key: hidden.key, visibility: 'private', expires, scope: 'download', downloadName: download })).digest('hex');
      const ask = async (over) => {
        const expires = over.expires ?? 4102444800;
        const query = { key: hidden.key, visibility: 'private', expires, token: sign(expires, over.download), scope: 'download', ...over };
        return get(server, `/storage/private?${new URLSearchParams(query)}`);
      };
      const named = await ask({ download: 'año "1".jpeg' });
      assert.equal(named.status, 200);
      assert.match(named.headers.get('content-disposition'), /^attachment; filename="a.*_1_\.jpeg"; filename\*=UTF-8''a%C3%B1o%20%221%22\.jpeg$/);
      assert.ok(content.equals(await bytes(named)));
      for (const wrong of [{ token: '0'.repeat(64) }, { token: '' }, { expires: 1 }, { key: stored.key }, { scope: 'upload' }, { key: 'no/such.jpeg' },
        { visibility: 'public', token: 'x' }, { token: sign(4102444801) }]) {
        const refused = await ask(wrong);
        assert.deepEqual([refused.status, await refused.text()], [403, '{"error":"Forbidden"}'], JSON.stringify(wrong));
      }
      assert.equal((await get(server, `/storages/${hidden.key}`)).status, 404);
      assert.equal((await get(server, `/storages/${hidden.key}`, { range: 'bytes=99999999-' })).status, 404);
    });

    test('what is not there, and what is no key', async () => {
      for (const key of ['x', 'incoming-media/a/b/0123.jpeg', '..%2F..%2Fmaster.key', '.objects/AA/x', 'operator/'])
        assert.ok([404, key.startsWith('..') && 400].includes((await get(server, `/storages/${key}`)).status), key); // nginx: 400
    });

    test('a client that leaves in the middle', async () => {
      const answer = await get(server, stored.target);
      const reader = answer.body.getReader();
      await reader.read();
      await reader.cancel();
      assert.equal((await get(server, stored.target, { range: 'bytes=0-1' })).status, 206);
    });
  });
}

test('nothing of a file can be read on the disk', async () => {
  const marker = Buffer.from('a sentence that must not rest on the disk in plain sight');
  await put(Buffer.concat(Array(2000).fill(marker)), { mime: 'text/plain' });
  const files = objects();
  assert.ok(files.length > 0);
  for (const e of files) {
    const name = path.join(e.parentPath ?? e.path, e.name);
    assert.equal(statSync(name).mode & 0o077, 0);
    assert.ok(!(await readFile(name)).includes(marker));
  }
});

test('kill -9 in the middle of storing leaves nothing to be seen, the next start nothing at all', async () => {
  const before = objects().length;
  await writeFile(file, Buffer.alloc(200 << 20, 7));
  const pending = operator('ctl.storage.put', { path: file }).then(() => 'stored', () => 'lost');
  await until(() => objects().length !== before, 'the file that is being stored');
  await daemon.stop('SIGKILL');
  assert.equal(await pending, 'lost');
  assert.equal(objects().length, before + 1);
  await startDaemon();
  await until(() => objects().length <= before, 'the end of what was left');
  const status = await operator('ctl.storage.status');
  assert.equal(status.result.files, before);
  assert.equal(status.result.failed, 0);
});

test('a full disk is said, and leaves nothing', async () => {
  const before = objects().length;
  await writeFile(file, Buffer.alloc(8 << 20));
  const { execFileSync } = await import('node:child_process');
  execFileSync('prlimit', ['--pid', String(daemon.pid), `--fsize=${4 << 20}:unlimited`]);
  const answer = await operator('ctl.storage.put', { path: file });
  execFileSync('prlimit', ['--pid', String(daemon.pid), '--fsize=unlimited:unlimited']);
  assert.equal(answer.status, 500);
  assert.match(answer.message, /disk is full/);
  assert.equal(objects().length, before);
  assert.equal((await operator('ctl.storage.put', { path: file })).status, 200);
});
