// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a newcomer's first two commands do not work, or instances get into each other's way.
// Needs an installation that ./quickstart made: WAREST_BUILT=DIR (with DIR/inst and DIR/src); skipped without it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'quickstart');
const built = process.env.WAREST_BUILT;
const options = { skip: built ? false : 'WAREST_BUILT names no installation' };
let home;

before(() => {
  home = mkdtempSync(join(tmpdir(), 'quickstart-'));
});

after(() => {
  for (const name of readdirSync(home)) quickstart('stop', '--dir', join(home, name));
  rmSync(home, { recursive: true, force: true });
});

function quickstart(...args) {
  const extra = ['start', 'demo'].includes(args[0]) ? ['--no-install', '--built', built] : [];
  return spawnSync(script, [...args, ...extra], { encoding: 'utf8', env: { ...process.env, PORT: '1', WAREST_STATE_DIR: '/nonexistent' } });
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(String(port)));
    });
  });
}

async function start(name, ...args) {
  const dir = join(home, name);
  const result = quickstart('start', '--dir', dir, '--port', await freePort(), '--json', ...args);
  assert.equal(result.status, 0, result.stderr);
  return { dir, ...JSON.parse(result.stdout) };
}

/** One request on a connection of its own: a kept one may just be closed by the server when the next request is written. */
function call(instance, path, { key = instance.api_key, body } = {}) {
  return new Promise((resolve, reject) => {
    const headers = { 'X-WAREST-API-KEY': key, ...(body ? { 'Content-Type': 'application/json' } : {}) };
    const sent = request(`${instance.base_url}${path}`, { agent: false, method: body ? 'POST' : 'GET', headers }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve({ status: answer.statusCode, body: JSON.parse(Buffer.concat(parts)) }));
    });
    sent.on('error', reject);
    sent.end(body ? JSON.stringify(body) : undefined);
  });
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('two instances stand side by side and end without a trace', options, async () => {
  const [one, two] = [await start('one'), await start('two')];
  assert.deepEqual(Object.keys(one).slice(1), ['base_url', 'api_key', 'username', 'password', 'pid_file']);
  assert.notEqual(one.api_key, two.api_key);
  assert.equal((await call(one, '/api/v1/session/list')).status, 200);
  assert.equal((await call(two, '/api/v1/session/list', { key: one.api_key })).status, 401);
  const login = await call(two, '/api/auth/login', { body: { username: two.username, password: two.password } });
  assert.equal(login.status, 200);
  for (const name of ['warest.env', 'secrets', 'state']) {
    assert.equal(statSync(join(one.dir, name)).mode & 0o077, 0, `${name} is readable by others`);
  }
  const pid = Number(readFileSync(one.pid_file, 'utf8'));
  const status = quickstart('status', '--dir', one.dir, '--json');
  assert.equal(status.status, 0);
  assert.equal(JSON.parse(status.stdout).state, 'running');
  assert.equal(quickstart('stop', '--dir', one.dir).status, 0);
  assert.equal(isRunning(pid), false);
  assert.equal(existsSync(one.pid_file), false);
  assert.equal(quickstart('status', '--dir', one.dir).status, 3);
  assert.equal((await call(two, '/api/v1/session/list')).status, 200, 'the other one goes on');
});

test('a second start keeps the secrets', options, async () => {
  const first = await start('again');
  assert.equal(quickstart('stop', '--dir', first.dir).status, 0);
  const second = await start('again');
  assert.equal(second.api_key, first.api_key);
  assert.equal((await call(second, '/api/v1/session/list')).status, 200);
});

test('settings in the file win', options, async () => {
  const file = join(home, 'my.env');
  writeFileSync(file, 'WAREST_ADMIN_APIKEY="admin_mine"\nWAREST_SERVER_NAME=My gateway\n');
  const instance = await start('file', '--env', file);
  rmSync(file);
  assert.equal(instance.api_key, 'admin_mine');
  const info = await call(instance, '/api/v1/server/info');
  assert.equal(info.body.results[0].serviceName, 'My gateway');
});

test('a bad setting is named and nothing stays behind', options, async () => {
  const file = join(home, 'bad.env');
  writeFileSync(file, 'RATE_LIMIT_MAX=many\n');
  const dir = join(home, 'bad');
  const result = quickstart('start', '--dir', dir, '--port', await freePort(), '--env', file);
  rmSync(file);
  assert.notEqual(result.status, 0);
  assert.match(result.stderr, /RATE_LIMIT_MAX: must be a whole number/);
  assert.equal(quickstart('status', '--dir', dir).status, 3);
});

test('the demonstration shows a message each way', options, () => {
  const dir = join(home, 'demo');
  const result = quickstart('demo', '--dir', dir);
  assert.equal(result.status, 0, result.stdout + result.stderr);
  assert.match(result.stdout, /Bob's phone shows: "Hello Bob/);
  assert.match(result.stdout, /webhook: message_received/);
  assert.match(result.stdout, /Everything is stopped/);
});
