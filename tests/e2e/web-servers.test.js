// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a web server configuration of etc/ does not carry the API as it must (bodies, escapes, streaming of errors), or a
// dead, slow or restarting daemon, responder or web server leaves clients hanging instead of giving them a clear answer.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { chmodSync } from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';
import { after, before, beforeEach, describe, test } from 'node:test';
import { openStream } from './lib/event-stream.js';
import { fakeDaemon } from './lib/fake-daemon.js';
import { isInstalled, serverKinds, startServer, webLab } from './lib/web.js';
import { until } from './lib/until.js';

const contract = JSON.parse(readFileSync(new URL('../contract/routes.json', import.meta.url)));
const unavailable = { status: false, code: 8001, message: 'Service temporarily unavailable', results: [] };

async function openDaemon(lab) {
  const daemon = await fakeDaemon(lab.socket);
  chmodSync(lab.socket, 0o666);
  return daemon;
}

// A request that names everything the route could want.
function callFor(route) {
  const vote = { pollCreationMessageKey: { id: 'P' }, vote: { encPayload: 'AAAA', encIv: 'AAAA' } };
  const values = { pin: true, emoji: 'x', latitude: 1, longitude: 2, question: 'q', options: ['a', 'b'], buttons: ['b'], sections: [{ rows: ['r'] }],
    string: 'text', type: 'image', mediaKey: 'AAAA', fileSha256: 'AAAA', encrypted: 'AAAA', pollUpdateVote: vote, messageSecret: 'AAAA', sessionId: 's', phone: '62812', username: 'u', password: 'p', apiKey: 'k', url: 'http://x', secret: 'secret', to: '62812',
    message: 'm', schedule: '02:30', groupId: '120363000000000001@g.us', groupName: 'g', description: 'd', inviteLink: 'https://chat.whatsapp.com/AAAAAAAAAAAAAAAAAAAAAA',
    participants: ['62812'], locked: true, announcement: true, picture: 'data:image/png;base64,AAAA', checkNumbers: ['62812'], jid: '62812@s.whatsapp.net',
    input: 'text', key: 'k', value: 'text' };
  const path = route.path.replace('{sessionId}', 's').replace('{chatId}', '62812@s.whatsapp.net').replace('{messageId}', 'M').replace('{target}', 'png');
  if (route.method === 'GET') return [`${path}?${new URLSearchParams(values)}`, {}];
  return [path, { body: values }];
}

for (const kind of serverKinds) {
  describe(kind, { skip: !isInstalled(kind) && 'not installed' }, () => {
    let lab, daemon, server;

    before(async () => {
      lab = await webLab();
      daemon = await openDaemon(lab);
      server = await startServer(kind, lab);
    });
    after(async () => {
      await server?.stop();
      await daemon?.close();
      await lab?.remove();
    });
    beforeEach(() => {
      daemon.requests.length = 0;
      daemon.answer = (request) => ({ status: 200, code: 1000, message: 'OK', result: { m: request.m } });
    });

    test('every route answers', async () => {
      for (const route of contract.routes) {
        const [path, options] = callFor(route);
        const answer = await server.request(route.method, path, { key: 'k', ...options });
        assert.equal(answer.status, 200, `${route.method} ${path}: ${answer.text}`);
        if (route.auth === 'key' || route.auth === 'admin') {
          assert.equal(answer.json.results ? answer.json.results[0].m : daemon.requests.at(-1).m, daemon.requests.at(-1).m);
          assert.equal(daemon.requests.at(-1).route, `${route.method} ${route.path}`);
        }
      }
    });

    test('static pages, their headers, and the rest', async () => {
      for (const path of ['/', '/login', '/login/?next=%2Fdocs', '/docs', '/index.html', '/assets/login.js', '/assets/page.css'])
        assert.equal((await server.request('GET', path)).status, 200, path);
      assert.equal((await server.request('GET', '/elsewhere')).json.code, 2600);
      assert.equal((await server.request('GET', '/assets/../../etc/passwd')).text.includes('root:'), false);
    });

    test('the Authorization header arrives', async () => {
      await server.request('GET', '/api/v1/session/list', { headers: { Authorization: 'Bearer secret' } });
      assert.equal(daemon.requests.at(-1).key, 'secret');
    });

    test('encoded slashes and other escapes of a path reach the responder', async () => {
      // an id with a slash is no session id: the contract's 400 shows that the segment was not split
      const answer = await server.request('POST', '/api/v1/session/a%2Fb/config', { key: 'k', body: {} });
      assert.deepEqual([answer.status, answer.json.code], [400, 1100]);
      await server.request('POST', '/api/v1/session/a%2Db/config', { key: 'k', body: {} });
      assert.equal(daemon.requests.at(-1).session.id, 'a-b');
    });

    test('bodies of DELETE and GET, chunked bodies', async () => {
      await server.request('DELETE', '/api/v1/session/delete', { key: 'k', body: { sessionId: 'd' } });
      assert.equal(daemon.requests.at(-1).session.id, 'd');
      await server.request('GET', '/api/v1/session/devices', { key: 'k', body: { sessionId: 'g' } });
      assert.equal(daemon.requests.at(-1).session.id, 'g');
      const answer = await chunked(server.port, '/api/v1/session/logout', JSON.stringify({ sessionId: 'chunked' }));
      assert.match(answer, /^HTTP\/1.1 200/);
      assert.equal(daemon.requests.at(-1).session.id, 'chunked');
    });

    test('a body over the limit is refused in the contract\'s words', async () => {
      const answer = await server.request('POST', '/api/v1/session/s/config', { key: 'k', body: { x: 'x'.repeat(3 << 20) } });
      assert.deepEqual([answer.status, answer.text], [413, '{"error":"request entity too large"}']);
      const stranger = await server.request('POST', '/api/v1/session/s/config', { body: { x: 'x'.repeat(3 << 20) } });
      assert.deepEqual([stranger.status, stranger.text], [401, '{"error":"Missing X-WAREST-API-KEY"}']);
    });

    test('a large answer arrives whole, and a client that does not read it holds nobody else up', async () => {
      const big = 'x'.repeat(3 << 20);
      daemon.answer = () => ({ status: 200, code: 1000, message: 'OK', result: { big } });
      const socket = net.connect(server.port, '127.0.0.1');
      socket.pause();
      socket.write('GET /api/v1/session/list HTTP/1.1\r\nHost: x\r\nX-API-KEY: k\r\nConnection: close\r\n\r\n');
      await daemon.request(0);
      for (let i = 0; i < 3; i++) {
        const { json } = await server.request('GET', '/api/v1/session/list', { key: 'k' });
        assert.equal(json.results[0].big.length, big.length);
      }
      let length = 0;
      for await (const data of socket) length += data.length;
      assert.ok(length > big.length);
    });

    test('a live view: events arrive while it goes on, and a client that leaves is noticed', async () => {
      const page = (n, cursor, more = {}) => ({ status: 200, code: 1000, message: 'OK', result: { events: n ? [{ event: 'call', number: n }] : [], cursor, more: false, cursors: n ? [cursor] : [], ...more } });
      let polls = 0;
      daemon.answer = (request) => (request.m !== 'events.list' ? { status: 200, code: 1000, message: 'OK' } : polls++ === 0 ? page(0, 'c0') : polls === 2 ? page(1, 'c1') : polls === 3 ? page(2, 'c2') : undefined);
      const stream = await openStream(server.port, '/api/v1/events?events=call', { key: 'k', lastEventId: 'before' });
      assert.deepEqual([stream.status, stream.headers['content-type']], [200, 'text/event-stream; charset=utf-8']);
      assert.deepEqual([await stream.next(), await stream.next()], [1, 2].map((n) => ({ id: `c${n}`, event: 'call', data: { event: 'call', number: n } })));
      const asked = daemon.requests.filter((r) => r.m === 'events.list');
      await daemon.request(daemon.requests.indexOf(asked[0]) + 3);
      const lists = daemon.requests.filter((r) => r.m === 'events.list');
      assert.deepEqual(lists.map((r) => r.p.after), ['before', 'c0', 'c1', 'c2']);
      assert.ok(lists[0].guards.rate && !lists[1].guards.rate);
      if (kind === 'apache-cgi' || kind === 'apache-fcgid') return stream.close();
      const left = once(daemon, 'cancel');
      stream.close();
      await left;
    });

    test('a client that sends its request slowly is answered, and holds nobody else up', async () => {
      const socket = net.connect(server.port, '127.0.0.1');
      await once(socket, 'connect');
      const body = JSON.stringify({ sessionId: 'slow' });
      socket.write(`POST /api/v1/session/logout HTTP/1.1\r\nHost: x\r\nX-API-KEY: k\r\nConnection: close\r\n`);
      for (const header of ['Content-Type: application/json\r\n', `Content-Length: ${body.length}\r\n\r\n`, ...body]) {
        assert.equal((await server.request('GET', '/api/v1/server/ping')).status, 200);
        socket.write(header);
      }
      let text = '';
      for await (const data of socket) text += data;
      assert.match(text, /^HTTP\/1.1 200/);
      assert.equal(daemon.requests.at(-1).session.id, 'slow');
    });

    test('many at once', async () => {
      const all = await Promise.all(Array.from({ length: 40 }, (_, i) => server.request('GET', `/api/v1/session/devices?sessionId=s${i}`, { key: 'k' })))
        .catch((error) => assert.fail(`${error.message}\n${server.complaints()}`));
      assert.ok(all.every((a) => a.status === 200));
      assert.equal(new Set(daemon.requests.map((r) => r.session.id)).size, 40);
    });

    test('daemon down: 503 in the envelope of the route, ping goes on; back again: as before', async () => {
      await daemon.close();
      assert.deepEqual((await server.request('GET', '/api/v1/session/list', { key: 'k' })).json, unavailable);
      const send = await server.request('POST', '/api/v1/messages/send/text', { key: 'k', body: { sessionId: 's', to: '62812', message: 'x' } });
      assert.deepEqual([send.status, send.json], [503, { ...unavailable, results: null }]);
      const login = await server.request('POST', '/api/auth/login', { body: { username: 'a', password: 'b' } });
      assert.deepEqual([login.status, login.text], [503, '{"error":"Service temporarily unavailable"}']);
      assert.equal((await server.request('GET', '/docs/openapi.json', { key: 'k' })).status, 503);
      assert.equal((await server.request('GET', '/api/v1/server/ping')).status, 200);
      daemon = await openDaemon(lab);
      assert.equal((await server.request('GET', '/api/v1/session/list', { key: 'k' })).status, 200);
    });

    test('a daemon that dies in the middle of a request: 503 at once', async () => {
      daemon.answer = (request, socket) => { socket.destroy(); };
      assert.deepEqual((await server.request('GET', '/api/v1/session/list', { key: 'k' })).json, unavailable);
    });

    test('an answer that is none: 503', async () => {
      for (const answer of [[], { status: 'x' }, { status: 99 }, {}]) {
        daemon.answer = () => answer;
        assert.equal((await server.request('GET', '/api/v1/session/list', { key: 'k' })).status, 503);
      }
    });

    test('kill -9 of warest.fcgi: the next requests are answered again', { skip: kind === 'apache-cgi' && 'no process stays' }, async () => {
      await server.request('GET', '/api/v1/server/ping');
      const pids = server.responderPids();
      assert.ok(pids.length);
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      if (server.responder) {
        await server.responder.exited;
        assert.ok((await server.request('GET', '/api/v1/server/ping')).status >= 500);
        await server.startResponder();
      }
      const answer = await until(async () => {
        const one = await server.request('GET', '/api/v1/server/ping');
        return one.status === 200 && one;
      }, 'an answer');
      assert.equal(answer.json.results[0].ping, 'pong');
    });

    test('restart of the web server', async () => {
      await server.restart();
      assert.equal((await server.request('GET', '/api/v1/session/list', { key: 'k' })).status, 200);
    });
  });
}

// A request with Transfer-Encoding: chunked, as raw text; answers the raw response.
async function chunked(port, path, body) {
  const socket = net.connect(port, '127.0.0.1');
  const pieces = [body.slice(0, 5), body.slice(5)].map((p) => `${p.length.toString(16)}\r\n${p}\r\n`).join('');
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nX-API-KEY: k\r\nContent-Type: application/json\r\nConnection: close\r\n` +
    `Transfer-Encoding: chunked\r\n\r\n${pieces}0\r\n\r\n`);
  let text = '';
  for await (const data of socket) text += data;
  return text;
}
