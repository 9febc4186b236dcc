#!/usr/bin/env node
// SPDX-License-Identifier: GPL-3.0-or-later
// The benchmark: prints one JSON object with figures, the machine they were taken on, and the yardsticks measured in the same run.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { atRest, bareSignal, baseMemory, guardsCost, memory, memoryHeld, memoryRestarted, pingUnderWaits, receiveTexts, reconnect, sendTexts, startTime, staticFloor, web } from './figures.js';
import { Rig } from './rig.js';

const { values } = parseArgs({ options: {
  sessions: { type: 'string', default: '100,500,1000' },
  texts: { type: 'string', default: '3000' },
  seconds: { type: 'string', default: '5' },
  only: { type: 'string' },
  hold: { type: 'string', default: '0' },
} });
const counts = values.sessions.split(',').map(Number);
const texts = Number(values.texts);
const seconds = Number(values.seconds);
const wanted = (name) => !values.only || values.only.split(',').includes(name);

function machine() {
  const cpu = os.cpus();
  return { cpu: cpu[0].model, cores: cpu.length, memory_gib: Number((os.totalmem() / 2 ** 30).toFixed(1)), kernel: os.release(),
    system: /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? os.type(),
    curl: execFileSync('curl', ['--version'], { encoding: 'utf8' }).split(' ')[1], node: process.version };
}

const figures = { machine: machine(), settings: { sessions: counts, texts, wrk_seconds: seconds } };
const say = (text) => process.stderr.write(`bench: ${text}\n`);
const rig = await Rig.start({ tls: true });
try {
  const measure = async (name, work) => {
    if (!wanted(name)) return;
    say(name);
    figures[name] = await work();
    say(JSON.stringify(figures[name]));
  };
  await atRest();
  const base = baseMemory(rig);
  figures.base_memory = base;
  await measure('ping', () => web(rig, '/api/v1/server/ping', seconds));
  const small = wanted('memory') ? counts.slice(0, 1) : [10];
  const first = await memory(rig, base, small);
  await measure('bare_signal', () => bareSignal(texts));
  await measure('guards', guardsCost);
  await measure('send', () => sendTexts(rig, texts));
  await measure('receive', () => receiveTexts(rig, texts));
  await measure('ping_under_waits', () => pingUnderWaits(rig, 5));
  await measure('memory', async () => [...first, ...(await memory(rig, base, counts.slice(1)))]);
  if (Number(values.hold) > 0) await measure('memory_held', () => memoryHeld(rig, Number(values.hold)));
  await measure('session_list', () => web(rig, '/api/v1/session/list', seconds));
  await measure('session_list_floor', () => staticFloor(rig, '/api/v1/session/list', seconds));
  await measure('start', () => startTime(rig));
  await measure('memory_restarted', () => memoryRestarted(rig, base));
  await measure('reconnect', () => reconnect(rig));
} finally {
  await rig.stop();
}
process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
