// SPDX-License-Identifier: GPL-3.0-or-later
// What webhooks cost: a backlog drained to one keep-alive receiver, and the time from an event's words to its request at 200 events a
// second. Prints JSON. Beside it the same receiver asked by a bare client of its own kind (requests as fast as 8 connections can).
//
//     WAREST_BUILD=build node tests/load/hooks.js [EVENTS]
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

// Counts requests and answers at once; tells texts that begin with "at" with the time they came.
function receive() {
  const server = net.createServer((socket) => {
    let rest = Buffer.alloc(0);
    socket.setNoDelay(true).on('error', () => {});
    socket.on('data', (d) => {
      rest = rest.length ? Buffer.concat([rest, d]) : d;
      for (;;) {
        const head = rest.indexOf('\r\n\r\n');
        if (head < 0) return;
        const length = Number(/content-length: (\d+)/i.exec(rest.latin1Slice(0, head))[1]);
        if (rest.length < head + 4 + length) return;
        const mark = /"text":"at(\d+)"/.exec(rest.latin1Slice(head + 4, head + 4 + length));
        if (mark) parentPort.postMessage({ mark: Number(mark[1]), came: process.hrtime.bigint() });
        rest = rest.subarray(head + 4 + length);
        count++;
        socket.write(ANSWER);
        if (count === wanted) parentPort.postMessage({ all: process.hrtime.bigint() });
      }
    });
  });
  let count = 0, wanted = -1;
  parentPort.on('message', (m) => { count = 0; wanted = m; });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage({ port: server.address().port }));
}

async function bare(port, total) {
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

async function main() {
  const total = Number(process.argv[2] ?? 100000), build = process.env.WAREST_BUILD ?? 'build';
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'warest-hooks-'));
  const worker = new Worker(new URL(import.meta.url));
  const waiting = new Map();
  const told = (what) => new Promise((resolve) => waiting.set(what, resolve));
  const latencies = [];
  const stamps = [];
  worker.on('message', (m) => {
    if (m.mark !== undefined) latencies.push(Number(m.came - stamps[m.mark]) / 1e6);
    for (const name of Object.keys(m)) waiting.get(name)?.(m[name]);
  });
  const port = await told('port');
  const child = spawn(path.join(build, 'hookprobe'), [path.join(dir, 'db')], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (line) => { if (line) child.stdin.write(`${line}\n`); return JSON.parse((await lines.next()).value); };
  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'latin1'))[1]);
  await ask();
  const reference = await bare(port, Math.min(total, 50000));
  await ask(`session sales http://127.0.0.1:${port}/in a-good-secret`);
  await ask('event sales message_received chat0 first');
  worker.postMessage(total);
  const all = told('all');
  await ask(`backlog sales 64 ${total}`);
  const start = process.hrtime.bigint(), before = rss();
  let most = before;
  const watch = setInterval(() => { most = Math.max(most, rss()); }, 200);
  const seconds = Number((await all) - start) / 1e9;
  clearInterval(watch);
  await new Promise((resolve) => setTimeout(resolve, 500));
  worker.postMessage(-1);
  for (let i = 0; i < 1000; i++) {
    stamps[i] = process.hrtime.bigint();
    child.stdin.write(`post sales chat${i % 50} at${i}\n`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  while (latencies.length < 1000) await new Promise((resolve) => setTimeout(resolve, 20));
  latencies.sort((a, b) => a - b);
  console.log(JSON.stringify({
    deliveries: { events: total, seconds: +seconds.toFixed(2), per_second: Math.round(total / seconds), bare_client_per_second: Math.round(reference),
      rss_kib_before: before, rss_kib_most: most },
    latency_ms: { rate_per_second: 200, p50: +latencies[500].toFixed(2), p99: +latencies[990].toFixed(2), most: +latencies[999].toFixed(2) },
  }, null, 2));
  child.stdin.write('stop\n');
  await once(child, 'exit');
  await worker.terminate();
  fs.rmSync(dir, { recursive: true, force: true });
}

if (isMainThread) await main();
else receive();
