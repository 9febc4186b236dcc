#!/usr/bin/env node
// SPDX-License-Identifier: GPL-3.0-or-later
// A campaign with as many recipients as one may have, through the web server: how long until all are taken, how long pages, counts, start
// and deletion take, what pings wait meanwhile, and what memory it costs. Prints one JSON object. Run by hand: node load/campaign.js
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startGateway } from '../e2e/lib/web-gateway.js';

const { values } = parseArgs({ options: { recipients: { type: 'string', default: '100000' } } });
const MANY = Number(values.recipients), PART = 10000, PAGE = 1000;
const gateway = await startGateway('lighttpd', { RATE_LIMIT_MAX: '0', SPAM_COOLDOWN_MS: '0', QUOTA_MAX: '0', WAREST_OUTBOUND_ALLOW: 'loopback' }, { tls: true });
const memory = (what) => Number(new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync(`/proc/${gateway.daemon.pid}/status`, 'utf8'))[1]) / 1024;
const rounded = (n) => Math.round(n * 10) / 10;
const spread = (times) => { const t = times.toSorted((a, b) => a - b); return { p50: rounded(t[t.length >> 1]), max: rounded(t.at(-1)) }; };

async function timed(method, target, body) {
  const began = performance.now();
  const { status, text, json } = await gateway.api(method, target, body ? { body } : {});
  if (status >= 300) throw new Error(`${method} ${target}: ${status} ${text.slice(0, 300)}`);
  return { ms: performance.now() - began, result: json.result ?? json.results?.[0] ?? json };
}

// Others ask all the time.
const pings = [];
let over = false;
async function pinging() {
  while (!over) {
    pings.push((await timed('GET', '/session/list')).ms);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

const figures = { recipients: MANY };
try {
  await gateway.link('main', '15557390001');
  const before = memory('VmRSS');
  const other = pinging();
  const { result: { campaignId } } = await timed('POST', '/campaigns', { sessionId: 'main', draft: true, content: { message: 'Hi {{name}}' }, pace: { gapMs: 1000 } });
  const adding = [];
  for (let from = 0; from < MANY; from += PART) {
    const recipients = Array.from({ length: Math.min(PART, MANY - from) }, (_, i) => ({ to: String(15600000000 + from + i), name: `Name ${from + i}` }));
    const { ms, result } = await timed('POST', `/campaigns/${campaignId}/recipients`, { recipients });
    if (result.accepted !== recipients.length) throw new Error(`accepted: ${result.accepted}`);
    adding.push(ms);
  }
  figures.accept_ms = { all: rounded(adding.reduce((a, b) => a + b)), per_request: spread(adding) };
  figures.rss_mib = { before: rounded(before), after_accepting: rounded(memory('VmRSS')), peak: rounded(memory('VmHWM')) };

  const reading = [];
  let cursor = null, listed = 0;
  do {
    const { ms, result } = await timed('GET', `/campaigns/${campaignId}/recipients?limit=${PAGE}${cursor ? `&cursor=${cursor}` : ''}`);
    reading.push(ms);
    listed += result.items.length;
    cursor = result.pagination.nextCursor;
  } while (cursor);
  if (listed !== MANY) throw new Error(`listed: ${listed}`);
  figures.pages_ms = { pages: reading.length, all: rounded(reading.reduce((a, b) => a + b)), per_page: spread(reading) };
  figures.show_ms = rounded((await timed('GET', `/campaigns/${campaignId}`)).ms);

  figures.start_ms = rounded((await timed('POST', `/campaigns/${campaignId}/start`)).ms);
  const began = performance.now();
  while ((await timed('GET', `/campaigns/${campaignId}`)).result.progress.pending === MANY) ;
  figures.first_handed_over_ms = rounded(performance.now() - began);
  await timed('POST', `/campaigns/${campaignId}/cancel`);
  figures.delete_ms = rounded((await timed('DELETE', `/campaigns/${campaignId}`)).ms);
  figures.rss_mib.end = rounded(memory('VmRSS'));
  figures.rss_mib.peak_at_the_end = rounded(memory('VmHWM'));
  over = true;
  await other;
  figures.session_list_meanwhile_ms = spread(pings);
} finally {
  over = true;
  await gateway.stop();
}
process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
