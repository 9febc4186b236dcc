// SPDX-License-Identifier: GPL-3.0-or-later
// A stand-in for warest-sessiond on the local socket (frames of common/rpc.h), for tests of warest.fcgi alone and of its
// behaviour when the daemon misbehaves. It records every request and answers what the test tells it to.
//
//     const daemon = await fakeDaemon(path)
//     daemon.answer = (request) => ({ status: 200, code: 1000, message: 'OK', result: {} })   // or a promise, or undefined: never
//     daemon.requests            // every request so far
//     await daemon.request(n)    // resolves when the n-th request (0 = first) has arrived
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:net';
import { rm } from 'node:fs/promises';

export const HELLO = 1, REQUEST = 2, ANSWER = 3, CANCEL = 5;

export function frame(type, id, payload) {
  const body = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  const head = Buffer.alloc(12);
  head.writeUInt32BE(body.length + 8, 0);
  head[4] = 1;
  head[5] = type;
  head.writeUInt32BE(id, 8);
  return Buffer.concat([head, body]);
}

class FakeDaemon extends EventEmitter {
  requests = [];
  cancelled = 0;
  hello = { program: 'warest-sessiond', version: 'test', protocol: 1 };
  answer = (request) => (request.m === 'guards.check' || request.m === 'docs.guard'
    ? { status: 200, code: 1000, message: 'OK' }
    : { status: 200, code: 1000, message: 'OK', result: { m: request.m, p: request.p ?? null } });

  constructor(path) {
    super();
    this.setMaxListeners(0);
    this.path = path;
    this.sockets = new Set();
  }

  async listen() {
    await rm(this.path, { force: true });
    this.server = createServer((socket) => this.#serve(socket));
    this.server.listen(this.path);
    await once(this.server, 'listening');
    return this;
  }

  async request(n) {
    while (this.requests.length <= n) await once(this, 'request');
    return this.requests[n];
  }

  #serve(socket) {
    let pending = Buffer.alloc(0);
    this.sockets.add(socket);
    socket.on('close', () => { this.sockets.delete(socket); this.emit('disconnect'); });
    socket.on('error', () => {});
    if (this.hello) socket.write(frame(HELLO, 0, this.hello));
    socket.on('data', (data) => {
      pending = Buffer.concat([pending, data]);
      while (pending.length >= 12 && pending.length >= pending.readUInt32BE(0) + 4) {
        const end = pending.readUInt32BE(0) + 4;
        this.#frame(socket, pending[5], pending.readUInt32BE(8), pending.subarray(12, end).toString());
        pending = pending.subarray(end);
      }
    });
  }

  async #frame(socket, type, id, text) {
    if (type === CANCEL) {
      this.cancelled++;
      this.emit('cancel');
    }
    if (type !== REQUEST) return;
    const request = JSON.parse(text);
    this.requests.push(request);
    this.emit('request', request);
    const answer = await this.answer(request, socket);
    if (answer !== undefined && !socket.destroyed) socket.write(frame(ANSWER, id, answer));
  }

  // As a daemon that dies: connections break off, nobody listens any more.
  async close() {
    for (const socket of this.sockets) socket.destroy();
    if (this.server.listening) {
      this.server.close();
      await once(this.server, 'close');
    }
  }
}

export function fakeDaemon(path) {
  return new FakeDaemon(path).listen();
}
