#!/usr/bin/env node
// SPDX-License-Identifier: GPL-3.0-or-later
// What big files, transcodes and groups cost: prints one JSON object (see README.md, "Media and groups").
//
//     media.js [MEGABYTES] [cipher,send,receive,transcode,groups]
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, createReadStream, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { loadavg } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { median, percentile, round } from './proc.js';
import { BUILD, Rig, until } from './rig.js';

const run = promisify(execFile);
const megabytes = Number(process.argv[2] ?? 2048);
const parts = (process.argv[3] ?? 'cipher,send,receive,transcode,groups').split(',');
const say = (text) => process.stderr.write(`bench: ${text}\n`);
const WAIT_MS = 600000;

// Memory that the process had at most since start(), beyond what it had then: MiB. The kernel's own high-water mark, set back.
class Peak {
  constructor(pid) {
    this.pid = pid;
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
    this.before = this.kib('VmRSS');
  }

  kib(name) { return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))[1]); }

  get growth() { return round((this.kib('VmHWM') - this.before) / 1024); }
}

// A sparse file with something at its ends.
function bigFile(file, bytes) {
  const fd = openSync(file, 'w');
  ftruncateSync(fd, bytes);
  writeSync(fd, randomBytes(65536), 0, 65536, 0);
  writeSync(fd, randomBytes(65536), 0, 65536, bytes - 65536);
  closeSync(fd);
}

async function sha256(stream) {
  const hash = createHash('sha256');
  for await (const bytes of stream) hash.update(bytes);
  return hash.digest('hex');
}

async function listen() {
  const events = [];
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    response.end('{}');
    events.push(JSON.parse(Buffer.concat(chunks)));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { events, url: `http://127.0.0.1:${server.address().port}/`, close: () => { server.closeAllConnections(); server.close(); } };
}

/* ---- files ---- */

async function cipher(file) {
  const ours = JSON.parse((await run(path.join(BUILD, 'bench_cipher'), [file])).stdout);
  const started = performance.now();
  const key = randomBytes(32).toString('hex');
  const pipeline = 'TIMEFORMAT="%U %S"; time openssl enc -aes-256-cbc -K "$1" -iv "$2" -in "$3" | openssl dgst -sha256';
  const { stderr } = await run('bash', ['-c', pipeline, 'bash', key, key.slice(0, 32), file]);
  const seconds = (performance.now() - started) / 1000;
  const cpu = stderr.trim().split(/\s+/).slice(-2).reduce((sum, text) => sum + Number(text), 0);
  return { ...ours, openssl_seconds: round(seconds, 2), openssl_cpu_seconds: round(cpu, 2), times_openssl: round(ours.seconds / seconds, 2),
    cpu_times_openssl: round(ours.cpu_seconds / cpu, 2) };
}

// curl, so that our own side costs no more than it must.
async function post(rig, route, fields) {
  const form = Object.entries(fields).flatMap(([name, value]) => ['-F', `${name}=${value}`]);
  const started = performance.now();
  const { stdout } = await run('curl', ['-s', '-H', `X-WAREST-API-KEY: ${rig.key}`, '-H', 'Expect:', '-m', String(WAIT_MS / 1000), ...form, `${rig.base}/api/v1/messages/send/${route}`]);
  const answer = JSON.parse(stdout);
  if (answer.code !== 1000) throw new Error(`${route}: ${stdout}`);
  return { result: answer.results[0], seconds: (performance.now() - started) / 1000 };
}

async function sendDocument(rig, peer, file) {
  const [responder] = rig.responders();
  const peaks = [new Peak(rig.daemon.pid), new Peak(responder)];
  const { result, seconds } = await post(rig, 'document', { sessionId: rig.sessions[0].id, to: `+${peer}`, filename: 'big.bin', document: `@${file}` });
  return { id: result.messageId, figures: { megabytes, seconds: round(seconds, 2), mb_per_second: round(megabytes * 1.048576 / seconds),
    daemon_growth_mib: peaks[0].growth, responder_growth_mib: peaks[1].growth } };
}

// The same message once more, to a session of ours: downloaded, checked, decrypted, stored (encrypted), then read back over the web.
async function receiveDocument(rig, hook, peer, base64, file) {
  const peaks = [new Peak(rig.daemon.pid), new Peak(rig.responders()[0])];
  const started = performance.now();
  const { id } = await rig.control(`/accounts/${peer}/send`, { to: rig.sessions[1].phone, base64 });
  const mine = (event) => event.data.sessionId === rig.sessions[1].id && (event.data.message?.key.id === id || event.data.key?.id === id);
  const url = await until('the stored file', () => hook.events.filter(mine).map((e) => e.data.media?.url).find((u) => u?.includes('/storages/')), WAIT_MS);
  const seconds = (performance.now() - started) / 1000;
  const stored = peaks.map((p) => p.growth);
  const read = performance.now();
  const response = await fetch(new URL(new URL(url).pathname + new URL(url).search, rig.base));
  const same = await sha256(response.body) === await sha256(createReadStream(file));
  if (!same) throw new Error(`the stored file is not what was sent (${response.status})`);
  return { megabytes, seconds: round(seconds, 2), mb_per_second: round(megabytes * 1.048576 / seconds), daemon_growth_mib: stored[0], responder_growth_mib: stored[1],
    read_back_seconds: round((performance.now() - read) / 1000, 2), with_read_daemon_growth_mib: peaks[0].growth, with_read_responder_growth_mib: peaks[1].growth };
}

/* ---- transcodes beside texts ---- */

// Texts one after the other until over() says so; latencies.
async function texts(rig, peer, over) {
  const spent = [];
  for (let n = 0; !over(n); n++) {
    const started = performance.now();
    const answer = await rig.api('/api/v1/messages/send/text', { method: 'POST', body: { sessionId: rig.sessions[1].id, to: `+${peer}`, message: `beside ${n}` } });
    if (answer.status !== 200) throw new Error(answer.text);
    spent.push(performance.now() - started);
  }
  return { texts: spent.length, p50_ms: round(median(spent)), p99_ms: round(percentile(spent, 99)) };
}

async function transcode(rig, peer) {
  const clip = path.join(rig.dir, 'clip.avi');
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=25:duration=12', '-c:v', 'mpeg4', '-b:v', '4M', clip]);
  await texts(rig, peer, (n) => n >= 50);
  const without = await texts(rig, peer, (n) => n >= 500);
  let left = 4;
  const started = performance.now();
  const jobs = Array.from({ length: left }, () => post(rig, 'media', { sessionId: rig.sessions[0].id, to: `+${peer}`, media: `@${clip};type=video/x-msvideo` })
    .finally(() => { left--; }));
  const beside = await texts(rig, peer, () => left === 0);
  await Promise.all(jobs);
  return { without, beside_4_transcodes: beside, times_p99: round(beside.p99_ms / without.p99_ms, 2), transcodes_seconds: round((performance.now() - started) / 1000, 1) };
}

/* ---- groups ---- */

async function groups() {
  const f = JSON.parse((await run(path.join(BUILD, 'groupbench'))).stdout);
  return { ...f, group_times_1to1: round(f.group_us / f.text_1to1_us, 2), first_times_bare: round(f.first_ms / f.first_bare_ms, 2),
    receive_10000_times_100: round(f.receive_us_10000 / f.receive_us_100, 2) };
}

const figures = { load: loadavg().map((l) => round(l)) };
const measure = async (name, work) => {
  if (!parts.includes(name)) return;
  say(name);
  figures[name] = await work();
  say(JSON.stringify(figures[name]));
};

await measure('groups', groups);
const hook = await listen();
const rig = await Rig.start({ tls: true, bodyKib: (megabytes + 64) * 1024, env: { FILE_RAW_LIMIT_MB: String(megabytes + 64), FILE_PER_FILE_MB: String(megabytes), MEDIA_PER_FILE_MB: String(megabytes),
  WEBHOOK_DEFAULT_URL: hook.url, WEBHOOK_DEFAULT_SECRET: 'secret of the bench', WAREST_DOWNLOAD_MEDIA_ALLOW_MIMETYPES: '*', WAREST_DOWNLOAD_MEDIA_WAIT_SEC: '3600' } });
try {
  const file = path.join(rig.dir, 'big.bin');
  bigFile(file, megabytes * 1048576);
  await measure('cipher', () => cipher(file));
  await rig.linkMany(2);
  const peer = await rig.account();
  await texts(rig, peer, (n) => n >= 5);
  if (parts.includes('send') || parts.includes('receive')) {
    const small = path.join(rig.dir, 'small.bin');
    bigFile(small, 1048576);
    await sendDocument(rig, peer, small);
    const sent = await sendDocument(rig, peer, file);
    await measure('send', () => sent.figures);
    const { messages } = await rig.control(`/accounts/${peer}/inbox?id=${sent.id}&wait=60000`);
    await measure('receive', () => receiveDocument(rig, hook, peer, messages[0].base64, file));
  }
  await measure('transcode', () => transcode(rig, peer));
} finally {
  await rig.stop();
  hook.close();
}
figures.load_after = loadavg().map((l) => round(l));
process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
