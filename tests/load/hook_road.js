// SPDX-License-Identifier: GPL-3.0-or-later
// The whole road at a pace: from the moment the simulator has a message for the account to the webhook's request, through the connection,
// decryption, commit and dispatcher of the real daemon, TLS and full durability on; a second receiver takes five seconds for each answer.
import { Worker } from 'node:worker_threads';
import { cpuNs, percentile, round } from './proc.js';
import { Rig, until } from './rig.js';

const SESSIONS = 2, CHATS = 10, SLOW_MS = 5000;

function receiver(workerData) {
  const worker = new Worker(new URL('hook_receiver.js', import.meta.url), { workerData });
  const came = new Map();
  const port = new Promise((resolve) => worker.on('message', (m) => {
    if (m.port) resolve(m.port);
    if (m.mark !== undefined && !came.has(m.mark)) came.set(m.mark, m.came);
  }));
  return { worker, came, port };
}

async function prepare(rig, run, session, each) {
  const [from] = await rig.peers(1);
  await rig.control(`/accounts/${from}/send`, { to: session.phone, text: 'first' });
  const bulk = await rig.control('/bulk', { from, to: session.phone, count: each, prefix: `road${run}`, prepare: true });
  await until(`run ${run}`, async () => (await rig.control(`/bulk/${bulk.id}`)).built >= each, 300000);
  return { run, id: bulk.id };
}

async function measure(rig, fast, slow, perSecond, seconds) {
  await rig.linkMany(SESSIONS);
  for (const session of rig.sessions) {
    for (const port of [await fast.port, await slow.port]) {
      const answer = await rig.api(`/api/v1/session/${session.id}/webhooks`, { method: 'POST',
        body: { name: `r${port}`, url: `http://127.0.0.1:${port}/in`, secret: 'bench-secret-1' } });
      if (answer.status >= 300) throw new Error(answer.text);
    }
  }
  const each = Math.ceil(perSecond * seconds / (SESSIONS * CHATS));
  const runs = [];
  for (let i = 0; i < SESSIONS * CHATS; i++) runs.push(await prepare(rig, i, rig.sessions[i % SESSIONS], each));
  const cpu = cpuNs(rig.daemon.pid), simulator = cpuNs(rig.simulator.child.pid);
  for (const { id } of runs) {
    await rig.control(`/bulk/${id}/start`, { per_second: perSecond / (SESSIONS * CHATS) });
    // Not all in the same millisecond.
    await new Promise((resolve) => setTimeout(resolve, 1000 / perSecond));
  }
  const times = [];
  for (const { id, run } of runs) {
    await until(`run ${run}`, async () => (await rig.control(`/bulk/${id}?wait=30000`)).done, 300000);
    await until(`requests of run ${run}`, () => fast.came.has(`${run} ${each}`));
    for (const [i, message] of (await rig.control(`/bulk/${id}?messages=true`)).messages.entries())
      times.push(Number(fast.came.get(`${run} ${i + 1}`) - BigInt(message.at_ns)) / 1e6);
  }
  return { rate_per_second: perSecond, messages: times.length, p50: round(percentile(times, 50), 2), p99: round(percentile(times, 99), 2),
    most: round(Math.max(...times), 2), daemon_cpu_ms_per_message: round((cpuNs(rig.daemon.pid) - cpu) / 1e6 / times.length, 3),
    simulator_cpu_ms_per_message: round((cpuNs(rig.simulator.child.pid) - simulator) / 1e6 / times.length, 3) };
}

// Told in the simulator's order of things: what it spends itself before the bytes are on their way is in it.
export async function road(perSecond, seconds) {
  const fast = receiver(), slow = receiver({ delayMs: SLOW_MS });
  const rig = await Rig.start();
  try {
    return await measure(rig, fast, slow, perSecond, seconds);
  } finally {
    await rig.stop();
    for (const { worker } of [fast, slow]) await worker.terminate();
  }
}
