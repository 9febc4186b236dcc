// SPDX-License-Identifier: GPL-3.0-or-later
// What each control request does.
import { deflateSync } from 'node:zlib';
import { nodeFromJson, nodeToJson, node } from './nodes.js';
import { Simulator } from './simulator.js';
import { FAULT_KINDS } from './faults.js';
import { messageBytes, newMessageId } from './content.js';
import { PAIRING_FAULTS } from './pairing.js';
import { archiveOf, sendBulkHistory, sendHistory } from './history.js';

const MAX_WAIT_MS = 60000;

/** An error with an HTTP status. */
export class ControlError extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

function account(sim, key) {
    const found = sim.directory.find(key);
    if (!found) throw new ControlError(404, `no account ${key}`);
    return found;
}

function deviceOf(sim, key) {
    const text = String(key ?? '');
    const found = text.includes('@') ? sim.directory.deviceOf(text) : sim.directory.deviceOf(`${text}@s.whatsapp.net`) || sim.directory.deviceOf(`${text}@lid`);
    if (!found) throw new ControlError(404, `no device ${text}`);
    return found;
}

function clientOf(sim, key) {
    const connection = /^\d{1,6}$/.test(key)
        ? [...sim.connections].find(c => c.number === Number(key))
        : deviceOf(sim, key).connection;
    if (!connection) throw new ControlError(409, `${key} has no connection`);
    return connection;
}

function simulatedOf(found, id) {
    const device = found.devices.get(Number(id ?? 0));
    if (!device?.simulated) throw new ControlError(404, `account has no simulated device ${id}`);
    return device;
}

function companionOf(found, id) {
    const device = found.devices.get(Number(id));
    if (!device || !device.id) throw new ControlError(404, `account has no companion ${id}`);
    return device;
}

function targetJid(sim, text) {
    const raw = String(text ?? '');
    if (raw.includes('@')) return raw;
    const found = account(sim, raw);
    return found.lid === raw ? found.jid('lid') : found.jid('pn');
}

function listOptions(query) {
    return { after: Number(query.after || 0), wait: Math.min(Number(query.wait || 0), MAX_WAIT_MS), limit: Number(query.limit || 1000) };
}

async function linkOutcome(sim, promise) {
    const outcome = await promise;
    if (outcome.error) return { linked: false, error: outcome.error };
    if (outcome.passkey) return { linked: false, passkey: true };
    return { linked: true, jid: outcome.device.jid('pn'), lid_jid: outcome.device.jid('lid'), device: outcome.device.toJson() };
}

function accountRoutes(sim) {
    return {
        'POST /accounts': ({ body }) => sim.createAccount(body).toJson(),
        'GET /accounts': () => ({ accounts: [...sim.directory.byPhone.values()].map(a => a.toJson()) }),
        'GET /accounts/:account': ({ params }) => account(sim, params.account).toJson(),
        'PATCH /accounts/:account': ({ params, body }) => {
            const found = account(sim, params.account);
            if ('name' in body) found.pushName = String(body.name);
            if ('strict' in body) found.strict = !!body.strict;
            if ('passkey' in body) found.passkey = !!body.passkey;
            if ('require_token' in body) found.requireToken = !!body.require_token;
            if (body.privacy) {
                Object.assign(found.settings, body.privacy);
                sim.notices.privacy(found);
            }
            if ('status_list' in body) found.statusList = body.status_list;
            if ('timelock' in body) {
                found.timelock = body.timelock;
                if (!body.quiet) sim.notices.timelock(found);
            }
            if ('cap' in body) found.cap = body.cap;
            return found.toJson();
        },
        'GET /accounts/:account/devices': ({ params }) => ({ devices: account(sim, params.account).deviceList().map(d => d.toJson()) }),
        'POST /accounts/:account/companions': ({ params, body }) => sim.addCompanion(account(sim, params.account), body).toJson(),
        'DELETE /accounts/:account/devices/:id': ({ params }) => {
            const device = account(sim, params.account).devices.get(Number(params.id));
            if (!device || !device.id) throw new ControlError(404, `no companion ${params.id}`);
            sim.removeDevice(device);
        },
        'POST /accounts/:account/reinstall': ({ params, body }) => {
            sim.reinstall(account(sim, params.account), body);
            return account(sim, params.account).toJson();
        },
        'POST /accounts/:account/offline': ({ params, body }) => simulatedOf(account(sim, params.account), body.device).simulated.goOffline(),
        'POST /accounts/:account/online': ({ params, body }) => simulatedOf(account(sim, params.account), body.device).simulated.goOnline(),
        'GET /accounts/:account/profile': ({ params }) => sim.profiles.toJson(account(sim, params.account)),
        'PATCH /accounts/:account/profile': ({ params, body }) => sim.profiles.change(account(sim, params.account), body),
        'POST /accounts/:account/presence': ({ params, body }) => sim.presence.simulate(account(sim, params.account), !!body.online),
        'POST /accounts/:account/call': ({ params, body }) => sim.calls.offer(account(sim, params.account), account(sim, body.to), body),
        'POST /calls/:call/terminate': ({ params, body }) => sim.calls.terminate(params.call, body.reason),
        'POST /accounts/:account/token': ({ params, body }) => sim.tokens.grant(account(sim, params.account), account(sim, body.to), body.t)
    };
}

function linkRoutes(sim) {
    return {
        'POST /accounts/:account/scan': ({ params, body }) => {
            if (body.fault && !PAIRING_FAULTS.includes(body.fault)) throw new TypeError(`fault is one of ${PAIRING_FAULTS.join(', ')}`);
            return linkOutcome(sim, sim.pairing.scan(account(sim, params.account), body.qr, body));
        },
        'POST /accounts/:account/code': ({ params, body }) => linkOutcome(sim, sim.codePairing.enter(account(sim, params.account), body.code, body)),
        'POST /accounts/:account/passkey/assertion': ({ params, body }) =>
            sim.passkey.authenticator(account(sim, params.account)).assertion(body.challenge, body.origin),
        'POST /accounts/:account/passkey/approve': ({ params }) => sim.passkey.approve(account(sim, params.account))
    };
}

function messageRoutes(sim) {
    return {
        'POST /accounts/:account/send': ({ params, body }) => {
            const { to, text, message, base64, device: from, ...options } = body;
            const device = simulatedOf(account(sim, params.account), from);
            return device.simulated.outbox.send(targetJid(sim, to), messageBytes({ text, message, base64 }), options);
        },
        'GET /accounts/:account/inbox': async ({ params, query }) => {
            const { simulated } = simulatedOf(account(sim, params.account), query.device);
            const { after, wait, limit } = listOptions(query);
            const fits = e => (!query.id || e.id === query.id) && (!query.text || e.record.text === query.text)
                && (!query.from || sim.directory.ofJid(e.record.from) === sim.directory.find(query.from));
            const entries = await simulated.inbox.wait(after, fits, wait, limit);
            return { messages: entries.map(e => ({ seq: e.seq, failed: e.failed, ...e.record })), last: simulated.inbox.lastSeq };
        },
        'GET /accounts/:account/receipts': async ({ params, query }) => {
            const { simulated } = simulatedOf(account(sim, params.account), query.device);
            const { after, wait, limit } = listOptions(query);
            const fits = e => (!query.id || e.id === query.id) && (!query.type || e.receipt_type === query.type);
            return { receipts: await simulated.receipts.wait(after, fits, wait, limit), last: simulated.receipts.lastSeq };
        },
        'GET /accounts/:account/stats': ({ params, query }) => ({ ...simulatedOf(account(sim, params.account), query.device).simulated.stats }),
        'POST /accounts/:account/read': ({ params, body }) => {
            simulatedOf(account(sim, params.account), body.device).simulated.outbox.read(targetJid(sim, body.chat), body.ids, body.type, body.participant);
        },
        'POST /accounts/:account/peer': ({ params, body }) => {
            const found = account(sim, params.account);
            return found.phoneDevice.simulated.outbox.sendPeer(companionOf(found, body.device), messageBytes(body), { id: body.id });
        },
        'POST /accounts/:account/history': async ({ params, body }) => {
            const found = account(sim, params.account);
            const devices = body.devices ?? [body.device];
            const told = await sendHistory(sim, found, devices.map(d => companionOf(found, d)), body);
            return { ids: told[0], devices: Object.fromEntries(devices.map((d, i) => [d, told[i]])) };
        },
        'POST /accounts/:account/history/bulk': async ({ params, body }) => {
            const found = account(sim, params.account);
            return { ids: await sendBulkHistory(sim, found, companionOf(found, body.device), body) };
        },
        'POST /accounts/:account/archive': ({ params, body }) => {
            const found = account(sim, params.account);
            if (body.on_demand) found.onDemand = body.on_demand;
            return { chats: (body.chats ?? []).map(c => archiveOf(sim, found).add(c)).map(c => c && { id: c.id, messages: c.messages.length }) };
        },
        'GET /accounts/:account/histories': ({ params, query }) => ({ histories: Object.fromEntries(companionOf(account(sim, params.account), query.device).histories ?? []) }),
        'POST /accounts/:account/share-keys': ({ params, body }) => {
            const found = account(sim, params.account);
            if (body.reveal) sim.appState.reveal(found);
            return found.phoneDevice.simulated.outbox.sendPeer(companionOf(found, body.device), sim.appState.keyShare(found));
        },
        'POST /accounts/:account/ask-keys': ({ params, body }) => {
            const found = account(sim, params.account);
            return found.phoneDevice.simulated.outbox.sendPeer(companionOf(found, body.device), sim.appState.keyRequest(found));
        },
        'POST /accounts/:account/app-state': ({ params, body }) => sim.appState.change(account(sim, params.account), body),
        'POST /accounts/:account/app-state/damage': ({ params, body }) => sim.appState.damage(account(sim, params.account), body.collection, body.damaged),
        'GET /accounts/:account/app-state': ({ params }) => sim.appState.list(account(sim, params.account)),
        'POST /accounts/:account/ask-again': ({ params, body }) => {
            simulatedOf(account(sim, params.account), body.device).simulated.outbox.askAgain(body.from, body.id, body);
        },
        'POST /accounts/:account/behaviour': ({ params, body }) => {
            const { simulated } = simulatedOf(account(sim, params.account), body.device);
            if ('compact' in body) simulated.compact = !!body.compact;
            if ('sink' in body) simulated.sink = !!body.sink;
            if ('auto_read' in body) simulated.autoRead = !!body.auto_read;
            if ('answer_retries' in body) simulated.answerRetries = !!body.answer_retries;
        }
    };
}

function group(sim, key) {
    const found = sim.groups.find(key);
    if (!found) throw new ControlError(404, `no group ${key}`);
    return found;
}

function groupRoutes(sim) {
    const channel = key => {
        const found = sim.newsletters.find(key);
        if (!found) throw new ControlError(404, `no channel ${key}`);
        return found;
    };
    const change = action => ({ params, body }) => {
        const found = group(sim, params.group);
        const actor = body.by ? account(sim, body.by) : found.creator;
        const accounts = [body.phones ?? body.phone].flat().map(phone => account(sim, phone));
        const results = sim.groups.participants(found, actor, action, accounts);
        return { ...found.toJson(), results: results.map(r => r.attrs) };
    };
    return {
        'POST /groups': ({ body }) => sim.groups.create({
            ...body, creator: account(sim, body.creator), members: (body.members || []).map(phone => account(sim, phone))
        }).toJson(),
        'GET /groups/:group': ({ params }) => group(sim, params.group).toJson(),
        'PATCH /groups/:group': ({ params, body }) => {
            const found = group(sim, params.group);
            sim.groups.settings(found, body.by ? account(sim, body.by) : found.creator, body);
            return found.toJson();
        },
        'POST /groups/:group/request': ({ params, body }) => {
            const found = group(sim, params.group);
            if (body.back) sim.groups.dismiss(found, account(sim, body.phone), account(sim, body.phone));
            else sim.groups.request(found, account(sim, body.phone), body.method);
            return found.toJson();
        },
        'POST /groups/:group/add': change('add'),
        'POST /groups/:group/remove': change('remove'),
        'POST /groups/:group/promote': change('promote'),
        'POST /groups/:group/demote': change('demote'),
        'POST /accounts/:account/forget-sender-keys': ({ params, body }) => {
            const { store } = simulatedOf(account(sim, params.account), body.device).simulated;
            store.forgetSenderKeys(String(body.chat), body.author ? deviceOf(sim, body.author) : null);
        },
        'POST /newsletters': ({ body }) => {
            const made = sim.newsletters.create({ ...body, owner: account(sim, body.owner), followers: (body.followers || []).map(phone => account(sim, phone)) });
            return { jid: made.jid, name: made.name, invite: made.invite };
        },
        'POST /newsletters/:channel/post': ({ params, body }) => {
            const found = channel(params.channel);
            const { id = newMessageId(), text, message, base64 } = body;
            const post = sim.newsletters.post(found, found.owner.phoneDevice, id, 'text', messageBytes({ text, message, base64 }));
            return { id: post.id, server_id: post.serverId };
        },
        'POST /newsletters/:channel/counters': ({ params, body }) => sim.newsletters.counters(channel(params.channel), body.server_id, body),
        'POST /newsletters/:channel/notify': ({ params, body }) => sim.newsletters.notify(channel(params.channel), deviceOf(sim, body.client), body.server_id)
    };
}

function clientRoutes(sim) {
    return {
        'GET /connections': () => ({ connections: [...sim.connections].map(c => c.toJson()) }),
        'GET /clients/:client': ({ params }) => {
            const device = deviceOf(sim, params.client);
            return { ...device.toJson(), pending: device.queue.list(), queue_mode: device.queue.mode };
        },
        'POST /clients/:client/drop': ({ params }) => clientOf(sim, params.client).drop(),
        'POST /clients/:client/close': ({ params, body }) => clientOf(sim, params.client).close(body.code),
        'POST /clients/:client/silence': ({ params, body }) => { clientOf(sim, params.client).silent = body.on !== false; },
        'POST /clients/:client/stream-error': ({ params, body }) => {
            const connection = clientOf(sim, params.client);
            const content = (body.children || []).map(nodeFromJson);
            connection.sendNow(node('stream:error', { code: body.code }, content.length ? content : undefined));
            if (body.close !== false) connection.close();
        },
        'POST /clients/:client/stanza': ({ params, body }) => {
            const stanza = nodeFromJson(body.stanza);
            if (body.queued) deviceOf(sim, params.client).queue.push(stanza);
            else clientOf(sim, params.client).sendNow(stanza);
        },
        'POST /clients/:client/frame': ({ params, body }) => {
            const plain = body.bomb ? Buffer.concat([Buffer.from([2]), deflateSync(Buffer.alloc(Number(body.bomb)))]) : Buffer.from(body.base64, 'base64');
            clientOf(sim, params.client).sendFrame(plain);
            return { bytes: plain.length };
        },
        'POST /clients/:client/query': async ({ params, body }) => {
            const answer = await clientOf(sim, params.client).query(nodeFromJson(body.stanza));
            return { answer: answer && nodeToJson(answer) };
        },
        'POST /clients/:client/replay': ({ params, body }) => {
            const device = deviceOf(sim, params.client);
            const entry = sim.stanzas.list(0, e => e.direction === 'out' && e.device === device.name && e.stanza.attrs.id === body.id && e.stanza.tag === (body.tag || 'message'), Infinity)[0];
            if (!entry) throw new ControlError(404, `no stanza ${body.id} in the log`);
            device.queue.push(entry.stanza);
        },
        'POST /clients/:client/notification': ({ params, body }) => {
            sim.notices.custom(deviceOf(sim, params.client), body.type, (body.content || []).map(nodeFromJson), body.attrs);
        },
        'POST /clients/:client/low-prekeys': ({ params }) => sim.preKeys.sendLowNotice(deviceOf(sim, params.client)),
        'POST /clients/:client/clear-prekeys': ({ params }) => deviceOf(sim, params.client).preKeys.clear(),
        'POST /clients/:client/unlink': ({ params }) => sim.notices.unlink(deviceOf(sim, params.client)),
        'POST /drop-all': () => {
            const all = [...sim.connections];
            for (const connection of all) connection.drop();
            return { dropped: all.length };
        }
    };
}

function logRoutes(sim) {
    const stanzaFits = query => e => (!query.device || e.device === query.device) && (!query.direction || e.direction === query.direction)
        && (!query.connection || e.connection === Number(query.connection)) && (!query.tag || e.stanza.tag === query.tag)
        && ['id', 'type', 'xmlns', 'to', 'from', 'class'].every(k => !query[k] || e.stanza.attrs[k] === query[k]);
    const eventFits = query => e => Object.keys(query)
        .every(k => ['after', 'wait', 'limit'].includes(k) || String(e[k]) === query[k]);
    return {
        'GET /stanzas': async ({ query }) => {
            const { after, wait, limit } = listOptions(query);
            const filter = stanzaFits({ direction: 'in', ...query, ...(query.direction === 'any' ? { direction: '' } : {}) });
            const entries = await sim.stanzas.wait(after, filter, wait, limit);
            return { stanzas: entries.map(Simulator.stanzaEntryToJson), last: sim.stanzas.lastSeq };
        },
        'GET /events': async ({ query }) => {
            const { after, wait, limit } = listOptions(query);
            return { events: await sim.events.wait(after, eventFits(query), wait, limit), last: sim.events.lastSeq };
        },
        'GET /violations': ({ query }) => ({ violations: sim.strict.list(query.lenient === 'true') }),
        'DELETE /violations': () => sim.strict.clear()
    };
}

function faultRoutes(sim) {
    return {
        'GET /faults': () => ({ faults: sim.faults.list(), kinds: FAULT_KINDS }),
        'POST /faults': ({ body }) => ({ fault: { ...sim.faults.add(body), left: undefined } }),
        'DELETE /faults': () => sim.faults.clear(),
        'DELETE /faults/:id': ({ params }) => sim.faults.remove(Number(params.id)),
        'PATCH /options': ({ body }) => {
            for (const key of Object.keys(body)) {
                if (!(key in sim.options)) throw new TypeError(`no option ${key}`);
                sim.options[key] = body[key];
            }
            return { ...sim.options };
        }
    };
}

function bulkRoutes(sim) {
    const run = key => {
        const found = sim.bulk.runs.get(Number(key));
        if (!found) throw new ControlError(404, `no run ${key}`);
        return found;
    };
    return {
        'POST /bulk': ({ body }) => sim.bulk.create({
            device: simulatedOf(account(sim, body.from), body.device), to: targetJid(sim, body.to),
            count: Number(body.count), prefix: body.prefix, prepare: body.prepare
        }).toJson(),
        'GET /bulk/:run': async ({ params, query }) => {
            const found = run(params.run);
            if (query.wait && !found.done) {
                await sim.events.wait(0, e => ['bulk_done', 'bulk_prepared'].includes(e.type) && e.run === found.id, listOptions(query).wait, 1);
            }
            return found.toJson(query.messages === 'true');
        },
        'POST /bulk/:run/start': ({ params, body }) => {
            const found = run(params.run);
            found.work = sim.bulk.start(found, Number(body?.per_second ?? 0));
            return found.toJson();
        },
        'DELETE /bulk/:run': ({ params }) => { sim.bulk.runs.delete(Number(params.run)); },
        'POST /book': () => sim.bulk.openBook(),
        'GET /book': () => ({ book: sim.bulk.bookJson() })
    };
}

/** The whole table: "METHOD /path/:param" to handler({params, query, body}). */
export function routes(sim) {
    return {
        'GET /': () => ({ wasim: 1, root_key: sim.authority.root.public.toString('hex'), connections: sim.connections.size }),
        ...accountRoutes(sim), ...linkRoutes(sim), ...messageRoutes(sim), ...clientRoutes(sim),
        ...groupRoutes(sim), ...logRoutes(sim), ...faultRoutes(sim), ...bulkRoutes(sim), ...sim.media.routes(key => account(sim, key))
    };
}
