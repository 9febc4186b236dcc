// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, warest.fcgi hangs or lies when there is more work than threads, when the daemon is slow or speaks another version, when
// clients leave, or when it is told to stop; or it does not run as plain CGI any more.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import net from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { fakeDaemon } from './lib/fake-daemon.js';
import { isInstalled, responderPath, startServer, webLab } from './lib/web.js';

const unavailable = { status: false, code: 8001, message: 'Service temporarily unavailable', results: [] };
const good = { status: 200, code: 1000, message: 'OK' };
let lab, daemon, server;

async function setUp(kind, env) {
  lab = await webLab(env);
  daemon = await fakeDaemon(lab.socket);
  chmodSync(lab.socket, 0o666);
  if (kind) server = await startServer(kind, lab);
}

afterEach(async () => {
  await server?.stop();
  await daemon?.close();
  await lab?.remove();
  lab = daemon = server = undefined;
});

const list = (options) => server.request('GET', '/api/v1/session/list', { key: 'k', ...options });
const ping = () => server.request('GET', '/api/v1/server/ping');

// A daemon that answers nothing until release() is called.
function holdAnswers() {
  let release;
  const gate = new Promise((resolve) => { release = resolve; });
  daemon.answer = () => gate.then(() => good);
  return release;
}

for (const kind of ['lighttpd', 'nginx', 'apache-proxy-fcgi'].filter(isInstalled)) {
  describe(kind, () => {
    test('more requests than threads: those that waited too long get 503, ping is answered, the others are served', async () => {
      await setUp(kind, { WAREST_FCGI_THREADS: '2' });
      const release = holdAnswers();
      const held = [list(), list()];
      await daemon.request(1);
      const [refused, pong] = await Promise.all([list(), ping()]);
      assert.deepEqual([refused.status, refused.json], [503, unavailable]);
      assert.equal(pong.status, 200);
      assert.equal(daemon.requests.length, 2);
      release();
      for (const answer of await Promise.all(held)) assert.equal(answer.status, 200);
      assert.equal((await list()).status, 200);
    });

    test('waiting requests are served as soon as a thread is free', async () => {
      await setUp(kind, { WAREST_FCGI_THREADS: '1' });
      const release = holdAnswers();
      const all = [list()];
      await daemon.request(0);
      all.push(...Array.from({ length: 5 }, () => list()));
      release();
      for (const answer of await Promise.all(all)) assert.equal(answer.status, 200);
    });

    test('a slow daemon: 503 after WAREST_FCGI_TIMEOUT_MS, and its late answer confuses nobody', async () => {
      await setUp(kind, { WAREST_FCGI_TIMEOUT_MS: '200', WAREST_FCGI_THREADS: '1' });
      const release = holdAnswers();
      assert.deepEqual((await list()).json, unavailable);
      release();
      daemon.answer = () => ({ ...good, message: 'second' });
      assert.equal((await list()).json.message, 'second');
    });

    test('a daemon that accepts and says nothing: 503', async () => {
      await setUp(kind, { WAREST_FCGI_TIMEOUT_MS: '200' });
      daemon.hello = null;
      assert.deepEqual((await list()).json, unavailable);
    });

    test('a daemon of another version: 503', async () => {
      await setUp(kind, {});
      daemon.hello = { program: 'warest-sessiond', version: 'x', protocol: 99 };
      assert.deepEqual((await list()).json, unavailable);
    });

    // lighttpd and Apache take a closed connection for a half-closed one until they write to it
    test('a client that leaves frees its thread, and the daemon is told', { skip: kind !== 'nginx' && 'this web server notices too late' }, async () => {
      await setUp(kind, { WAREST_FCGI_THREADS: '1' });
      holdAnswers();
      const client = net.connect(server.port, '127.0.0.1');
      client.write('GET /api/v1/session/list HTTP/1.1\r\nHost: x\r\nX-API-KEY: k\r\n\r\n');
      await daemon.request(0);
      const told = once(daemon, 'cancel');
      client.destroy();
      await told;
      daemon.answer = () => good;
      assert.equal((await list()).status, 200);
    });
  });
}

describe('the process', () => {
  test('told to stop, it finishes what it has begun and ends', { skip: !isInstalled('nginx') && 'nginx is not installed' }, async () => {
    await setUp('nginx', {});
    const release = holdAnswers();
    const held = list();
    await daemon.request(0);
    server.responder.process.kill('SIGTERM');
    release();
    assert.equal((await held).status, 200);
    assert.deepEqual(await server.responder.exited, { code: 0, signal: null });
  });

  test('a kept daemon connection that died while idle is replaced without an error', { skip: !isInstalled('lighttpd') && 'lighttpd is not installed' }, async () => {
    await setUp('lighttpd', {});
    assert.equal((await list()).status, 200);
    await daemon.close();
    daemon = await fakeDaemon(lab.socket);
    daemon.answer = () => good;
    assert.equal((await list()).status, 200);
  });

  test('a bad setting stops the start with a line that names it', () => {
    const { status, stderr } = spawnSync(responderPath, ['--socket', '/nonexistent/x'], { env: { RATE_LIMIT_MAX: 'many', WAREST_ENV_FILE: '/dev/null' }, encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, /RATE_LIMIT_MAX/);
  });

  test('links neither OpenSSL nor libcurl nor a database', () => {
    const libraries = execFileSync('ldd', [responderPath], { encoding: 'utf8' });
    assert.match(libraries, /libfcgi/);
    assert.doesNotMatch(libraries, /libssl|libcrypto|libcurl|libsqlite|libpq|libmariadb|libmysql/);
  });
});

describe('plain CGI', () => {
  const run = (env, input = '') => new Promise((resolve, reject) => {
    const started = process.hrtime.bigint();
    import('node:child_process').then(({ execFile }) => {
      const child = execFile(responderPath, [], { env: { WAREST_ENV_FILE: lab.envFile, GATEWAY_INTERFACE: 'CGI/1.1', REMOTE_ADDR: '127.0.0.1', ...env } },
        (error, stdout) => (error ? reject(error) : resolve({ stdout, ms: Number(process.hrtime.bigint() - started) / 1e6 })));
      child.stdin.on('error', () => {}); // it may have answered and ended before reading
      child.stdin.end(input);
    });
  });

  test('one request from environment and standard input', async (t) => {
    await setUp(null, {});
    const pong = await run({ REQUEST_METHOD: 'GET', REQUEST_URI: '/api/v1/server/ping' });
    assert.match(pong.stdout, /^Status: 200 OK\r\n/);
    assert.match(pong.stdout, /"ping":"pong"/);
    t.diagnostic(`cold start to answer: ${pong.ms.toFixed(1)} ms`);
    const body = '{"sessionId":"cgi"}';
    const out = await run({ REQUEST_METHOD: 'DELETE', REQUEST_URI: '/cgi-bin/warest.fcgi/api/v1/session/delete?x=1', SCRIPT_NAME: '/cgi-bin/warest.fcgi',
      CONTENT_TYPE: 'application/json', CONTENT_LENGTH: String(body.length), HTTP_X_API_KEY: 'k' }, `${body}trailing bytes are not part of it`);
    assert.match(out.stdout, /^Status: 200 OK\r\n/);
    assert.deepEqual([daemon.requests[0].m, daemon.requests[0].session.id], ['session.delete', 'cgi']);
  });

  test('without REQUEST_URI: script name and path info', async () => {
    await setUp(null, {});
    const out = await run({ REQUEST_METHOD: 'GET', SCRIPT_NAME: '/cgi-bin/warest.fcgi', PATH_INFO: '/api/v1/server/ping', QUERY_STRING: 'a=b' });
    assert.match(out.stdout, /"ping":"pong"/);
  });

  test('a body shorter than announced is refused', async () => {
    await setUp(null, {});
    const out = await run({ REQUEST_METHOD: 'POST', REQUEST_URI: '/api/auth/login', CONTENT_TYPE: 'application/json', CONTENT_LENGTH: '50' }, '{"username":');
    assert.match(out.stdout, /^Status: 400 /);
    assert.match(out.stdout, /\{"error":"request aborted"\}$/);
  });
});
