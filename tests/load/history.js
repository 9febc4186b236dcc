// SPDX-License-Identifier: GPL-3.0-or-later
// What a long past costs: the phone uploads COUNT messages, and they go the whole way: media host, download, decryption, inflate, walk, batches,
// full-text index. Meanwhile another session sends texts at a steady pace. Prints JSON.
//
//     WAREST_BUILD=build node tests/load/history.js [COUNT] [MESSAGES A FILE]
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { cpuNs, median, percentile, pssKib, round } from './proc.js';
import { Rig, until } from './rig.js';

const COUNT = Number(process.argv[2] ?? 1000000);
const CHUNK = Number(process.argv[3] ?? 100000);
const EVERY_MS = 25;
const ALONE_MS = 15000;
const INTAKE_LIMIT_MS = 600000;

const say = (text) => process.stderr.write(`bench: ${text}\n`);
const load = () => Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);

// Texts of a session at a steady pace, whatever the answers take; stop() gives the milliseconds from each request to its answer.
function texts(rig, session, peer) {
  const taken = [];
  const running = new Set();
  let on = true, n = 0;
  const one = async () => {
    const from = performance.now();
    const answer = await rig.api('/api/v1/messages/send/text', { method: 'POST', body: { sessionId: session.id, to: `+${peer}`, message: `text ${n++}` } });
    if (answer.status !== 200) throw new Error(`send: ${answer.status} ${answer.text}`);
    taken.push(performance.now() - from);
  };
  const loop = (async () => {
    for (let due = performance.now(); on; due += EVERY_MS) {
      const work = one().finally(() => running.delete(work));
      running.add(work);
      await pause(Math.max(0, due + EVERY_MS - performance.now()));
    }
    await Promise.all(running);
  })();
  return { stop: async () => { on = false; await loop; return taken; } };
}

const delays = (taken) => ({ texts: taken.length, p50_ms: round(median(taken)), p99_ms: round(percentile(taken, 99)), highest_ms: round(Math.max(...taken)) });

// The highest that memory was: PSS without the pages of files, which the kernel may take at any time, and all of it.
function memory(pid) {
  const read = () => {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const of = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)[1]);
    return { all: of('Pss'), own: of('Pss_Anon') };
  };
  const before = read();
  const highest = { ...before };
  const timer = setInterval(() => {
    const now = read();
    for (const name of Object.keys(now)) highest[name] = Math.max(highest[name], now[name]);
  }, 100);
  return { stop: () => { clearInterval(timer); return { before_kib: before.all, growth_mib: round((highest.all - before.all) / 1024), growth_anonymous_mib: round((highest.own - before.own) / 1024) }; } };
}

async function found(rig, session, text) {
  const answer = await rig.api(`/api/v1/messages?sessionId=${session.id}&q=${encodeURIComponent(text)}&limit=1`);
  return answer.json?.results?.[0]?.data?.length > 0;
}

const rig = await Rig.start({ tls: true });
try {
  const taking = await rig.link();
  const other = await rig.link();
  await rig.allOpen();
  const [peer] = await rig.peers(1);
  const device = Number(taking.jid.split(/[:@]/)[1]);
  const figures = { machine: { cpu: os.cpus()[0].model, cores: os.cpus().length }, settings: { messages: COUNT, per_file: CHUNK, text_every_ms: EVERY_MS } };
  say('texts of another session alone');
  const warm = texts(rig, other, peer);
  await pause(3000);
  await warm.stop();
  const alone = texts(rig, other, peer);
  await pause(ALONE_MS);
  figures.texts_alone = delays(await alone.stop());
  say('the phone makes its history');
  await rig.control(`/accounts/${taking.phone}/history/bulk`, { device, count: COUNT, chunk: CHUNK, prepare: true });
  const pid = rig.daemon.pid;
  const cpu = cpuNs(pid);
  const watched = memory(pid);
  say(`intake, load ${load()}`);
  const beside = texts(rig, other, peer);
  const from = performance.now();
  const { ids } = await rig.control(`/accounts/${taking.phone}/history/bulk`, { device, prepared: true });
  await until('the receipts', async () => {
    const { histories } = await rig.control(`/accounts/${taking.phone}/histories?device=${device}`);
    return ids.every((id) => histories[id] === 'done');
  }, INTAKE_LIMIT_MS);
  const stored = performance.now() - from;
  figures.texts_beside = delays(await beside.stop());
  await until('the index', () => found(rig, taking, `"message ${COUNT - 1}"`), INTAKE_LIMIT_MS);
  const searchable = performance.now() - from;
  figures.intake = { messages: COUNT, files: ids.length, seconds: round(stored / 1000), messages_per_second: Math.round(COUNT / stored * 1000),
    searchable_seconds: round(searchable / 1000), searchable_per_second: Math.round(COUNT / searchable * 1000), cpu_us_per_message: round((cpuNs(pid) - cpu) / 1000 / COUNT), load: load() };
  figures.memory = watched.stop();
  figures.memory.after_kib = pssKib(pid);
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
} finally {
  await rig.stop();
}
