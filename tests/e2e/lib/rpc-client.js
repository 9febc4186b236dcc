// SPDX-License-Identifier: GPL-3.0-or-later
// Speaks to warest-sessiond over its socket (frames of common/rpc.h), many requests at once over one connection.
//
//     const rpc = await RpcClient.connect(path)
//     const answer = await rpc.call('session.list', { key, session, p })      // {status, code, message, result, bare, headers, ...}
import { once } from 'node:events';
import { connect } from 'node:net';
import { PATIENCE_MS } from './until.js';
import { frame, HELLO, REQUEST, ANSWER, CANCEL } from './fake-daemon.js';

export class RpcClient {
  #socket; #pending = Buffer.alloc(0); #waiting = new Map(); #next = 1;

  static async connect(path) {
    const client = new RpcClient();
    client.#socket = connect(path);
    await once(client.#socket, 'connect');
    client.#socket.on('data', (data) => client.#take(data));
    client.#socket.on('error', () => {});
    client.#socket.on('close', () => {
      client.closed = true;
      for (const { reject } of client.#waiting.values()) reject(new Error('the daemon closed the connection'));
      client.#waiting.clear();
    });
    client.#socket.write(frame(HELLO, 0, { program: 'test', version: '0', protocol: 1 }));
    return client;
  }

  #take(data) {
    this.#pending = Buffer.concat([this.#pending, data]);
    while (this.#pending.length >= 12) {
      const length = this.#pending.readUInt32BE(0) + 4;
      if (this.#pending.length < length) return;
      const type = this.#pending[5], id = this.#pending.readUInt32BE(8);
      const body = this.#pending.subarray(12, length).toString();
      this.#pending = this.#pending.subarray(length);
      if (type !== ANSWER) continue;
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      waiting?.resolve(JSON.parse(body));
    }
  }

  send(request) {
    if (this.closed) return Promise.reject(new Error('the connection to the daemon is closed'));
    const id = this.#next++;
    const promise = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`no answer within ${PATIENCE_MS} ms to ${JSON.stringify(request).slice(0, 200)}`));
      }, PATIENCE_MS);
      const ends = (end) => (value) => { clearTimeout(timer); end(value); };
      this.#waiting.set(id, { resolve: ends(resolve), reject: ends(reject), timer });
    });
    this.#socket.write(frame(REQUEST, id, request));
    promise.id = id;
    return promise;
  }

  // The answer may come or not.
  cancel(id) {
    clearTimeout(this.#waiting.get(id)?.timer);
    this.#socket.write(frame(CANCEL, id, '{}'));
  }

  /* A request with a key. session: id of the session, family: whose rules choose it. */
  call(m, { key, auth = key ? 'key' : 'none', session, family = 'session', phone, p = {}, guards = {}, idem, route = `TEST ${m}`, ip = '127.0.0.1' } = {}) {
    const request = { m, auth, key, ip, guards, route, p };
    if (session !== undefined || phone !== undefined) request.session = { family, id: session, phone };
    if (idem) request.idem = { key: idem };
    return this.send(request);
  }

  write(bytes) { this.#socket.write(bytes); }

  close() { this.#socket.destroy(); }
}
