// SPDX-License-Identifier: GPL-3.0-or-later
// A reader of server-sent events over node's http, written from the WHATWG text alone.
//
//     const stream = await openStream(port, '/api/v1/events', { key, lastEventId })
//     stream.status, stream.headers, stream.text (of an answer that is no stream)
//     const event = await stream.next()      // { id, event, data }, or null when the connection has ended
//     stream.lastEventId, stream.retry, stream.comments
//     stream.close()
import http from 'node:http';

class EventStream {
  lastEventId = '';
  comments = 0;
  events = [];
  #pending = '';
  #waiting = [];
  #block = { id: undefined, event: '', data: [] };

  constructor(response, request) {
    Object.assign(this, { request, status: response.statusCode, headers: response.headers });
    response.setEncoding('utf8');
    response.on('data', (text) => this.#take(text));
    response.on('error', () => this.#end());
    response.on('close', () => this.#end());
  }

  #end() {
    this.ended = true;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #take(text) {
    const lines = (this.#pending + text).split('\n');
    this.#pending = lines.pop();
    for (const line of lines) this.#line(line);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #line(line) {
    if (line === '') return this.#dispatch();
    if (line.startsWith(':')) return void this.comments++;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon), value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'id') this.#block.id = value;
    else if (field === 'event') this.#block.event = value;
    else if (field === 'data') this.#block.data.push(value);
    else if (field === 'retry') this.retry = Number(value);
    else throw new Error(`no field of an event stream: ${line}`);
  }

  #dispatch() {
    const { id, event, data } = this.#block;
    if (id !== undefined) this.lastEventId = id;
    if (data.length) this.events.push({ id: this.lastEventId, event: event || 'message', data: JSON.parse(data.join('\n')) });
    this.#block = { id: undefined, event: '', data: [] };
  }

  async next() {
    while (!this.events.length && !this.ended) await new Promise((wake) => this.#waiting.push(wake));
    return this.events.shift() ?? null;
  }

  // Until something arrives, be it a comment.
  async stir() {
    if (!this.ended) await new Promise((wake) => this.#waiting.push(wake));
  }

  close() {
    this.request.destroy();
  }
}

export function openStream(port, target, { key, lastEventId, headers = {} } = {}) {
  const all = { accept: 'text/event-stream', ...(key ? { 'x-warest-api-key': key } : {}), ...(lastEventId ? { 'last-event-id': lastEventId } : {}), ...headers };
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, path: target, headers: all, agent: false }, (response) => {
      if (response.headers['content-type']?.startsWith('text/event-stream')) return resolve(new EventStream(response, request));
      const chunks = [];
      response.on('data', (d) => chunks.push(d));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode, headers: response.headers, text, json: JSON.parse(text), close() {} });
      });
    });
    request.on('error', reject);
    request.end();
  });
}
