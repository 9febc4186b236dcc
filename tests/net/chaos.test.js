// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, events get lost, come out of order, or vanish from the books when receivers misbehave and the daemon dies between.
import assert from 'node:assert';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { spawn } from 'node:child_process';
import { test, after } from 'node:test';
import { once } from 'node:events';
import { build } from './lab.js';

const SECRET = 'a-good-secret', CHATS = 6, PER_CHAT = 50, POISON = 3, KILLS = 5;
const seed = Number(process.env.CHAOS_SEED ?? (Date.now() % 1e6));
let state = seed || 1;
const random = (n) => { // xorshift32: the same misbehaviour for the same seed and order of requests
  state ^= state << 13; state ^= state >>> 17; state ^= state << 5; state >>>= 0;
  return state % n;
};
const cleanups = [];
after(async () => { for (const f of cleanups.reverse()) await f(); });

// What receivers do to us. Each gets the socket and what was asked; what accepts calls take().
const no = (status, more = '') => (socket) => socket.write(`HTTP/1.1 ${status} x\r\n${more}Content-Length: 2\r\n\r\n{}`);
const refusals = [no(400), no(404), no(410), no(401), no(302, 'Location: /elsewhere\r\n'), no(405)];
const troubles = [
  no(500), no(503), no(429, 'Retry-After: 0\r\n'),
  (socket) => socket.write('!!! this is no HTTP at all\r\n\r\n\u0000\u0001'),
  (socket) => socket.destroy(),
  (socket, take) => { take(); socket.write('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"half":'); setImmediate(() => socket.destroy()); },
  (socket, take) => { take(); socket.write('HTTP/1.1 20'); setImmediate(() => socket.destroy()); },
  (socket, take, ok) => setTimeout(ok, 50 + random(100)),
  () => {}, // silence until the time limit
  no(308, 'Location: /moved\r\n'),
  no(307, 'Location: http://127.0.0.1:1/\r\n'),
];

class Receiver {
  constructor(name) {
    this.name = name;
    this.taken = new Map(); // id -> { chat, text }: what a receiver that remembers ids has worked on, once each, in order
    this.repeats = 0;
    this.refused = new Map();
    this.calm = false;
    this.sockets = new Set();
  }
  async open() {
    this.server = net.createServer((socket) => {
      let input = '';
      this.sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.sockets.delete(socket)).setEncoding('utf8');
      socket.on('data', (d) => {
        input += d;
        for (;;) {
          const head = input.indexOf('\r\n\r\n');
          const length = head < 0 ? 0 : Number(/content-length: (\d+)/i.exec(input.slice(0, head))?.[1] ?? 0);
          if (head < 0 || input.length < head + 4 + length) return;
          const body = input.slice(head + 4, head + 4 + length);
          const id = /x-warest-event-id: (\S+)/i.exec(input.slice(0, head))[1];
          const moved = input.startsWith('POST /moved ');
          input = input.slice(head + 4 + length);
          this.answer(socket, id, JSON.parse(body).data, moved);
        }
      });
    });
    this.server.listen(this.port ?? 0, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    this.url = `http://127.0.0.1:${this.port}/in`;
    return this;
  }
  answer(socket, id, data, moved) {
    const take = () => {
      if (this.taken.has(id)) this.repeats++;
      else this.taken.set(id, data);
    };
    const ok = () => {
      take();
      if (!socket.destroyed) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
    };
    if (data.text.startsWith('poison')) return no(422)(socket);
    if (this.calm || moved || random(100) < 45) return ok();
    // An event that is refused three times while others are taken belongs among the dead letters: good ones are refused less often.
    const refused = this.refused.get(id) ?? 0;
    if (random(3) === 0 && refused < 1) {
      this.refused.set(id, refused + 1);
      return refusals[random(refusals.length)](socket);
    }
    return troubles[random(troubles.length)](socket, take, ok);
  }
  async close() {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}

class Probe {
  constructor(dir) {
    this.child = spawn(path.join(build, 'hookprobe'), ['-r', '1', '-b', '5', '-p', '25', '-s', '25', '-t', '400', path.join(dir, 'db')],
      { stdio: ['pipe', 'pipe', 'ignore'] });
    this.child.stdin.on('error', () => {});
    this.exited = once(this.child, 'exit');
    this.answers = readline.createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    cleanups.push(() => this.child.kill('SIGKILL'));
  }
  async next(name) {
    const { value } = await this.answers.next();
    if (value === undefined) return null;
    const answer = JSON.parse(value);
    assert.equal(answer.event, name, value);
    return answer;
  }
  ask(line, name) {
    this.child.stdin.write(`${line}\n`);
    return this.next(name);
  }
}

test(`chaos (CHAOS_SEED=${seed}): everything arrives or is a dead letter, in order, and the books balance`, { timeout: 240000 }, async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'warest-chaos-'));
  cleanups.push(() => fs.rmSync(dir, { recursive: true, force: true }));
  const receivers = await Promise.all(['webhook', 'wh-session', 'wh-none'].map((name) => new Receiver(name).open()));
  cleanups.push(() => Promise.all(receivers.map((r) => r.close())));
  let probe = new Probe(dir);
  await probe.next('ready');
  await probe.ask(`session sales ${receivers[0].url} ${SECRET}`, 'session');
  await probe.ask(`webhook sales wh-session ${receivers[1].url} ${SECRET} session`, 'webhook');
  await probe.ask(`webhook - wh-none ${receivers[2].url} ${SECRET} none`, 'webhook');
  const books = async () => {
    const counts = await probe.ask('counts sales', 'counts');
    for (const r of counts?.receivers ?? [])
      assert.equal(r.cursor - r.start, r.delivered + r.dead + r.skipped + r.missed, JSON.stringify(r));
    return counts;
  };
  // Events in portions; in between the daemon is killed and receivers go away for a while.
  let stored = 0;
  for (let round = 0; round <= KILLS; round++) {
    for (let i = 0; i < CHATS * PER_CHAT / (KILLS + 1); i++, stored++)
      await probe.ask(`event sales message_received chat${stored % CHATS} ${Math.floor(stored / CHATS)}`, 'stored');
    if (round < POISON)
      await probe.ask(`event sales message_received chat${round} poison${round}`, 'stored');
    await probe.ask('event sales unknown_kind - inside', 'stored');
    await books();
    const away = receivers[round % 3];
    await away.close();
    const progress = receivers[(round + 1) % 3].taken.size + 3;
    while (receivers[(round + 1) % 3].taken.size < Math.min(progress, stored)) await new Promise((r) => setTimeout(r, 5));
    await away.open();
    if (round === KILLS) break;
    probe.child.kill('SIGKILL');
    await probe.exited;
    probe = new Probe(dir);
    await probe.next('ready');
  }
  const total = CHATS * PER_CHAT;
  receivers.forEach((r) => { r.calm = true; });
  // Poison needs somebody who shows that the receiver takes others: a little traffic goes on until the books are settled.
  let more = 0, counts;
  for (;;) {
    counts = await books();
    if (counts.receivers.length === 3 && counts.receivers.every((r) => r.cursor === counts.last)) break;
    await probe.ask(`event sales message_received calm ${more++}`, 'stored');
    await new Promise((r) => setTimeout(r, 100));
  }
  for (const receiver of receivers) {
    const row = counts.receivers.find((r) => r.name === receiver.name);
    assert.deepEqual([row.start, row.delivered, row.dead, row.skipped, row.missed], [0, total + more, POISON, KILLS + 1, 0], JSON.stringify(row));
    assert.equal(receiver.taken.size, total + more, 'each event was worked on, once');
    const seen = new Map();
    for (const { chat, text } of receiver.taken.values()) seen.set(chat, [...(seen.get(chat) ?? []), Number(text)]);
    for (const [chat, list] of seen) {
      const want = [...Array(chat === 'calm' ? more : PER_CHAT).keys()];
      assert.deepEqual(receiver.name === 'wh-none' ? list.sort((x, y) => x - y) : list, want, `${receiver.name} ${chat}`);
    }
  }
  const { letters } = await probe.ask('dead sales', 'dead');
  for (const receiver of receivers) {
    const mine = letters.filter((l) => l.receiver === receiver.name);
    assert.deepEqual([mine.length, ...new Set(mine.map((l) => l.status))], [POISON, 422]);
  }
  probe.child.stdin.write('stop\n');
  assert.deepEqual(await probe.exited, [0, null]);
});
