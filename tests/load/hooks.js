// SPDX-License-Identifier: GPL-3.0-or-later
// What webhooks cost: a backlog drained to one keep-alive receiver (drain), the journal's bound while a receiver is down (bound), the time from an event's words to its request (event) and from
// the simulator's stanza to the request, through the real daemon (road), both at 200 a second. Prints JSON. Beside it, in the same run: the same
// receiver asked by a bare client of its own kind as fast as 8 connections can, and by bare libcurl at the same pace.
//
//     WAREST_BUILD=build node tests/load/hooks.js [EVENTS] [PARTS]        PARTS: drain,bound,bare,event,road (all of them)
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { percentile, round } from './proc.js';
import { road } from './hook_road.js';

const build = process.env.WAREST_BUILD ?? 'build';
const RATE = 200, SECONDS = 10;

class Receiver {
  constructor() {
    this.worker = new Worker(new URL('hook_receiver.js', import.meta.url));
    this.waiting = new Map();
    this.marks = [];
    this.worker.on('message', (m) => {
      if (m.mark !== undefined) this.marks.push([m.mark, m.came]);
      for (const name of Object.keys(m)) this.waiting.get(name)?.(m[name]);
    });
  }
  told(what) { return new Promise((resolve) => this.waiting.set(what, resolve)); }
  count(n) { this.worker.postMessage(n); }
  async marked(n) {
    while (this.marks.length < n) await this.told('mark');
    return this.marks.splice(0);
  }
}

class Probe {
  constructor(file, ...options) {
    this.child = spawn(path.join(build, 'hookprobe'), [...options, file], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.lines = readline.createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }
  async answer() { return JSON.parse((await this.lines.next()).value); }
  tell(line) { this.child.stdin.write(`${line}\n`); }
  ask(line) {
    this.tell(line);
    return this.answer();
  }
  rssKib() { return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${this.child.pid}/status`, 'latin1'))[1]); }
  async stop() {
    this.tell('stop');
    await once(this.child, 'exit');
  }
}

async function bareClient(port, total) {
  const body = JSON.stringify({ text: 'x'.repeat(200) });
  const request = `POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  let left = total, done = 0;
  const start = process.hrtime.bigint();
  await new Promise((resolve) => {
    for (let i = 0; i < 8; i++) {
      const socket = net.connect(port, '127.0.0.1', () => { left--; socket.write(request); });
      socket.setNoDelay(true).on('data', () => {
        if (++done === total) resolve();
        if (left-- > 0) socket.write(request);
        else socket.end();
      });
    }
  });
  return total / (Number(process.hrtime.bigint() - start) / 1e9);
}

const quantiles = (times) => ({ rate_per_second: RATE, p50: round(percentile(times, 50), 2), p99: round(percentile(times, 99), 2), most: round(Math.max(...times), 2) });
const sizeOf = (dir) => fs.readdirSync(dir).reduce((sum, name) => sum + fs.statSync(path.join(dir, name)).size, 0);

async function drain(dir, probe, receiver, port, total) {
  const reference = await bareClient(port, Math.min(total, 50000));
  receiver.count(total);
  const all = receiver.told('all');
  await probe.ask(`backlog sales 64 ${total}`);
  const start = process.hrtime.bigint(), before = probe.rssKib(), tenths = [];
  let most = before;
  const watch = setInterval(() => { most = Math.max(most, probe.rssKib()); }, 200);
  const samples = setInterval(() => tenths.push(probe.rssKib()), 5000);
  const seconds = Number((await all) - start) / 1e9;
  clearInterval(watch);
  clearInterval(samples);
  receiver.count(-1);
  return { events: total, seconds: round(seconds, 2), per_second: Math.round(total / seconds), bare_client_per_second: Math.round(reference),
    rss_kib_before: before, rss_kib_most: most, rss_kib_every_5s: tenths, database_bytes: sizeOf(dir) };
}

async function events(probe, receiver) {
  const stamps = [];
  receiver.marks.length = 0;
  for (let i = 0; i < RATE * SECONDS; i++) {
    stamps[i] = process.hrtime.bigint();
    probe.tell(`post sales chat${i % 50} at${i}`);
    await new Promise((resolve) => setTimeout(resolve, 1000 / RATE));
  }
  return quantiles((await receiver.marked(RATE * SECONDS)).map(([mark, came]) => Number(came - stamps[mark]) / 1e6));
}

async function bareLibcurl(receiver, port) {
  const child = spawn(path.join(build, 'baseline_post'), [`http://127.0.0.1:${port}/in`, String(RATE * SECONDS), String(RATE)], { stdio: ['ignore', 'ignore', 'inherit'] });
  receiver.marks.length = 0;
  await once(child, 'exit');
  return quantiles((await receiver.marked(RATE * SECONDS)).map(([mark, came]) => Number(came - BigInt(mark)) / 1e6));
}

// A receiver that is down while the journal goes far beyond its bound: what the files take then, and what became of the events.
async function bound(total) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'warest-hooks-')), bytes = 2 << 20;
  const probe = new Probe(path.join(dir, 'db'), '-J', String(bytes));
  await probe.answer();
  await probe.ask('session sales http://127.0.0.1:9/in a-good-secret');
  const before = probe.rssKib(), files = [];
  for (let i = 0; i < 10; i++) {
    // Each in a commit of its own, as they come in life: some thousands a second.
    await probe.ask(`events sales 64 ${Math.ceil(total / 10)}`);
    files.push(sizeOf(dir));
  }
  const { receivers, last } = await probe.ask('counts sales');
  const out = { events: last, bound_bytes: bytes, files_bytes_each_tenth: files, rss_kib_before: before, rss_kib_after: probe.rssKib(), receiver: receivers.at(-1) };
  await probe.stop();
  fs.rmSync(dir, { recursive: true, force: true });
  return out;
}

async function main() {
  const total = Number(process.argv[2] ?? 100000), parts = (process.argv[3] ?? 'drain,bound,bare,event,road').split(',');
  const out = {};
  if (parts.includes('bound')) out.journal_bound = await bound(Math.min(total, 20000));
  if (parts.some((part) => ['drain', 'bare', 'event'].includes(part))) await alone(out, total, parts);
  if (parts.includes('road')) out.stanza_to_request_ms = await road(RATE, SECONDS);
  console.log(JSON.stringify(out, null, 2));
}

// Without WhatsApp: a store, the dispatcher, a receiver.
async function alone(out, total, parts) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'warest-hooks-'));
  const receiver = new Receiver();
  const port = await receiver.told('port');
  const probe = new Probe(path.join(dir, 'db'));
  await probe.answer();
  await probe.ask(`session sales http://127.0.0.1:${port}/in a-good-secret`);
  await probe.ask('event sales message_received chat0 first');
  if (parts.includes('drain')) out.deliveries = await drain(dir, probe, receiver, port, total);
  if (parts.includes('bare')) out.bare_libcurl_ms = await bareLibcurl(receiver, port);
  if (parts.includes('event')) out.event_to_request_ms = await events(probe, receiver);
  await probe.stop();
  await receiver.worker.terminate();
  fs.rmSync(dir, { recursive: true, force: true });
}

await main();
