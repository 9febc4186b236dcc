// SPDX-License-Identifier: GPL-3.0-or-later
// The figures of the bench: each function measures one thing on a rig and returns plain numbers.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cpuNs, median, percentile, pssKib, round } from './proc.js';
import { BUILD, until } from './rig.js';

const run = promisify(execFile);

/* ---- memory ---- */

async function bareTls(rig, count) {
  const url = rig.simulator.ws_url.replace(/^wss/, 'https');
  const child = spawn(path.join(BUILD, 'baseline_tls'), [url, rig.simulator.ca_file, String(count)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const [line] = await once(createInterface(child.stdout), 'line');
  child.stdin.end();
  await gone;
  return JSON.parse(line);
}

export function baseMemory(rig) {
  const daemon = pssKib(rig.daemon.pid);
  const responder = rig.responders().reduce((sum, pid) => sum + pssKib(pid), 0);
  return { daemon_kib: daemon, responder_kib: responder, together_mib: round((daemon + responder) / 1024, 2) };
}

// All sessions open in a fresh process: without what linking them has left behind.
export async function memoryRestarted(rig, base) {
  await rig.stopDaemon();
  await rig.startDaemon();
  await until('the first answer', async () => (await rig.api('/api/v1/session/list').catch(() => null))?.status === 200);
  await rig.allOpen();
  await atRest();
  const pss = pssKib(rig.daemon.pid);
  const sessions = rig.sessions.length;
  return { sessions, daemon_pss_kib: pss, kib_per_session: round((pss - base.daemon_kib) / sessions) };
}

// A quiet daemon gives back what a burst has left (sessiond/quiet.h, after three to six seconds); idle memory is what stays then.
const REST_MS = 9000;

export const atRest = () => pause(REST_MS);

export async function memory(rig, base, counts) {
  const out = [];
  for (const sessions of counts) {
    await rig.linkMany(sessions);
    const linked = pssKib(rig.daemon.pid);
    await atRest();
    const pss = pssKib(rig.daemon.pid);
    const bare = await bareTls(rig, sessions);
    const each = (pss - base.daemon_kib) / sessions;
    out.push({ sessions, daemon_pss_linked_kib: linked, daemon_pss_kib: pss, kib_per_session: round(each), bare_tls_kib: bare.kib_per_connection,
      times_bare: round(each / bare.kib_per_connection, 2) });
  }
  return out;
}

// Idle sessions held for a while: does their memory grow? The first minute is left to whatever linking still has under way.
export async function memoryHeld(rig, minutes) {
  const samples = [];
  for (let minute = 0; minute <= minutes; minute++) {
    await pause(60000);
    samples.push(pssKib(rig.daemon.pid));
    process.stderr.write(`bench: ${minute} min: ${samples.at(-1)} KiB\n`);
  }
  const sessions = rig.sessions.length;
  if (await rig.openCount() < sessions) throw new Error('sessions were lost while they were held');
  return { sessions, minutes, first_kib: samples[0], last_kib: samples.at(-1), highest_kib: Math.max(...samples),
    growth_percent: round((samples.at(-1) / samples[0] - 1) * 100, 2) };
}

/* ---- texts ---- */

export async function bareSignal(texts) {
  return JSON.parse((await run(path.join(BUILD, 'baseline_signal'), [String(texts)])).stdout);
}

// What rate limit, cooldown and quota of one request cost, as the unit test measures it (1,000 keys, 20,000 recipients).
export async function guardsCost() {
  const { stdout, stderr } = await run(path.join(BUILD, 'test_rpc_guards'), []);
  return { us_per_request: Number(/guards: ([0-9.]+) us a request/.exec(stdout + stderr)[1]) };
}

async function inParallel(jobs, width, work) {
  let next = 0;
  const worker = async () => { while (next < jobs) await work(next++); };
  await Promise.all(Array.from({ length: width }, worker));
}

// 16 requests in flight over 10 sessions, each recipient one device, our own phone too, every fifth text answered by the recipient.
export async function sendTexts(rig, texts) {
  const sessions = rig.sessions.slice(0, 10);
  const peers = await rig.peers(sessions.length);
  const latency = [];
  const one = async (n, at) => {
    const session = sessions[at % sessions.length];
    const started = performance.now();
    const answer = await rig.api('/api/v1/messages/send/text', { method: 'POST',
      body: { sessionId: session.id, to: `+${peers[at % peers.length]}`, message: `bench text ${n} ${'x'.repeat(60)}` } });
    if (answer.status !== 200) throw new Error(`send: ${answer.status} ${answer.text}`);
    latency.push(performance.now() - started);
    if (n % 5 === 4) await rig.control(`/accounts/${peers[at % peers.length]}/send`, { to: session.phone, text: `answer ${n}` });
  };
  await inParallel(sessions.length * 5, 16, (n) => one(n, n));
  latency.length = 0;
  const cpu = cpuNs(rig.daemon.pid);
  const simulator = cpuNs(rig.simulator.child.pid);
  const started = performance.now();
  await inParallel(texts, 16, (n) => one(n, n));
  const seconds = (performance.now() - started) / 1000;
  const perText = (spent) => round(spent / 1e6 / texts, 3);
  return { texts, daemon_cpu_ms_per_text: perText(cpuNs(rig.daemon.pid) - cpu),
    simulator_cpu_ms_per_text: perText(cpuNs(rig.simulator.child.pid) - simulator), texts_per_second: round(texts / seconds),
    p50_ms: round(median(latency)), p99_ms: round(percentile(latency, 99)) };
}

export async function receiveTexts(rig, texts) {
  const sessions = rig.sessions.slice(0, 10);
  const each = Math.ceil(texts / sessions.length);
  const bulks = [];
  for (const session of sessions) {
    const [from] = await rig.peers(1);
    await rig.control(`/accounts/${from}/send`, { to: session.phone, text: 'first' });
    const bulk = await rig.control('/bulk', { from, to: session.phone, count: each, prefix: 'bench', prepare: true });
    bulks.push(bulk.id ?? bulk.bulk ?? bulk.run);
  }
  for (const id of bulks) await until(`preparation of bulk ${id}`, async () => (await rig.control(`/bulk/${id}`)).built >= each, 300000);
  const cpu = cpuNs(rig.daemon.pid);
  const started = performance.now();
  await Promise.all(bulks.map((id) => rig.control(`/bulk/${id}/start`, {})));
  for (const id of bulks)
    await until(`bulk ${id}`, async () => {
      const state = await rig.control(`/bulk/${id}?wait=30000`);
      return state.done;
    }, 300000);
  // Received means: stored, and the simulator has the receipt for everything it queued.
  for (const session of sessions)
    await until(`receipts of ${session.id}`, async () => (await rig.control(`/clients/${session.jid}`)).pending.length === 0, 300000);
  const seconds = (performance.now() - started) / 1000;
  return { texts: each * sessions.length, daemon_cpu_ms_per_text: round((cpuNs(rig.daemon.pid) - cpu) / 1e6 / (each * sessions.length), 3),
    texts_per_second: round((each * sessions.length) / seconds) };
}

/* ---- the web side ---- */

const WRK_UNITS = { us: 0.001, ms: 1, s: 1000, m: 60000 };
const inMs = (text) => { const [, n, unit] = /([\d.]+)(us|ms|s|m)/.exec(text); return round(Number(n) * WRK_UNITS[unit], 3); };

async function wrk(rig, route, connections, seconds) {
  const parts = () => [[rig.web.pid], rig.responders(), [rig.daemon.pid]].map((pids) => pids.reduce((sum, pid) => sum + cpuNs(pid), 0));
  const before = parts();
  const { stdout } = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-H', `X-WAREST-API-KEY: ${rig.key}`, rig.base + route]);
  const [web, responder, daemon] = parts().map((ns, i) => ns - before[i]);
  const requests = Number(/(\d+) requests in/.exec(stdout)[1]);
  const bad = /Non-2xx or 3xx responses: (\d+)/.exec(stdout);
  return { connections, requests_per_second: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]), p50_ms: inMs(/^\s+50%\s+(\S+)/m.exec(stdout)[1]),
    p99_ms: inMs(/^\s+99%\s+(\S+)/m.exec(stdout)[1]), cpu_us_per_request: round((web + responder + daemon) / 1000 / requests),
    cpu_us_of: { web: round(web / 1000 / requests), responder: round(responder / 1000 / requests), daemon: round(daemon / 1000 / requests) }, refused: bad ? Number(bad[1]) : 0 };
}

export async function web(rig, route, seconds) {
  const out = [];
  for (const connections of [1, 16, 64]) out.push(await wrk(rig, route, connections, seconds));
  return out;
}

// The web server's own floor for an answer of this size: the same bytes as a static file, without responder and daemon.
export async function staticFloor(rig, route, seconds) {
  const { text } = await rig.api(route);
  writeFileSync(path.join(rig.www, 'assets', 'floor.json'), text);
  return { bytes: Buffer.byteLength(text), runs: await web(rig, '/assets/floor.json', seconds) };
}

// ping while 60 requests wait for acks that the simulator holds back.
export async function pingUnderWaits(rig, seconds) {
  const session = rig.sessions[0];
  const peers = await rig.peers(60);
  await rig.control('/faults', { kind: 'no_ack', device: session.phone, count: 60 });
  const waiting = peers.map((peer) => rig.api('/api/v1/messages/send/text', { method: 'POST',
    body: { sessionId: session.id, to: `+${peer}`, message: 'waits' } }));
  const figures = await wrk(rig, '/api/v1/server/ping', 4, seconds);
  await Promise.all(waiting);
  await rig.control('/faults', undefined, 'DELETE');
  return { waiting: peers.length, p50_ms: figures.p50_ms, p99_ms: figures.p99_ms };
}

/* ---- starts and storms ---- */

export async function startTime(rig, times = 3) {
  const spent = [];
  for (let i = 0; i < times; i++) {
    await rig.stopDaemon();
    const started = await rig.startDaemon();
    await until('the first answer', async () => (await rig.api('/api/v1/session/list').catch(() => null))?.status === 200);
    spent.push(Number(process.hrtime.bigint() - started) / 1e6);
  }
  return { sessions: rig.sessions.length, first_answer_ms: round(median(spent)) };
}

export async function reconnect(rig) {
  await rig.allOpen();
  const started = performance.now();
  await rig.control('/drop-all', {});
  await until('the drop', async () => (await rig.openCount()) < rig.sessions.length);
  await rig.allOpen();
  return { sessions: rig.sessions.length, seconds: round((performance.now() - started) / 1000, 2) };
}
