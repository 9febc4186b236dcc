// SPDX-License-Identifier: GPL-3.0-or-later
// The media servers: take blobs whose hash is their token, give them back by direct path, lose and spoil them on demand; and what phones
// do when a client asks them to upload a lost file again.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { proto } from 'baileys/WAProto/index.js';
import { normalizeMessageContent } from 'baileys';
import { bytesOf, child, node } from './nodes.js';

const KINDS = new Set(['image', 'video', 'audio', 'document', 'md-app-state', 'md-msg-hist', 'thumbnail-link', 'sticker-pack']);

function unpadded(text) {
    return String(text ?? '').replace(/=+$/, '').replace(/\+/g, '-').replace(/\//g, '_');
}

function retryKey(mediaKey) {
    return Buffer.from(crypto.hkdfSync('sha256', mediaKey, '', 'WhatsApp Media Retry Notification', 32));
}

/** Faults of the media servers. "on": upload, resume or download; "times" (default 1, 0 = until removed). */
export const MEDIA_FAULTS = {
    status: 'answers with this HTTP status',
    cut: 'the connection is cut after so many bytes of the body (of the upload or of the answer)',
    corrupt: 'one byte of the answer is flipped',
    slow_ms: 'a pause before the answer',
    redirect: 'redirects there (Location)',
    garbage: 'answers 200 with something that is no JSON',
    no_length: 'the answer has no Content-Length'
};

/** One service for all accounts of a simulator; blobs lie in files. */
export class MediaHost {
    constructor(sim) {
        this.sim = sim;
        this.auth = 'wasim-auth';
        this.blobs = new Map();
        this.partial = new Map();
        this.faults = [];
        this.requests = [];
        this.asked = 0;
        this.base = null;
    }

    get dir() {
        this.folder ??= fs.mkdtempSync(path.join(os.tmpdir(), 'wasim-media-'));
        return this.folder;
    }

    /** The address clients are told, "host:port". */
    listenAt(authority) {
        this.base = authority;
    }

    close() {
        if (this.folder) fs.rmSync(this.folder, { recursive: true, force: true });
    }

    /** Children of the answer to <media_conn/>. */
    connection() {
        this.asked++;
        const hosts = this.sim.options.mediaHosts.length ? this.sim.options.mediaHosts : this.base ? [this.base] : [];
        return [node('media_conn', { auth: this.auth, ttl: 300, auth_ttl: 21600, max_buckets: 12 },
            hosts.map((hostname, n) => node('host', { hostname, type: n ? 'fallback' : 'primary' })))];
    }

    /** What was given out as auth is refused from now on. */
    expireAuth() {
        this.auth = `wasim-auth-${crypto.randomInt(1e9)}`;
    }

    violation(rule, text) {
        this.sim.strict.violation({ number: 'media' }, rule, text);
    }

    fault(on, kind) {
        const found = this.faults.find(f => f.on === on && (!f.kind || f.kind === kind));
        if (found && found.times && --found.left === 0) this.faults.splice(this.faults.indexOf(found), 1);
        return found ?? {};
    }

    addFault({ on, times = 1, ...more }) {
        if (!['upload', 'resume', 'download'].includes(on)) throw new TypeError(`no media fault on "${on}"`);
        this.faults.push({ on, times, left: times, ...more });
    }

    list() {
        return [...this.blobs.values()].map(({ direct_path, kind, size, hash, lost, downloads }) => ({ direct_path, kind, size, hash, lost, downloads }));
    }

    find(pathname) {
        return [...this.blobs.values()].find(b => b.direct_path.split('?')[0] === pathname);
    }

    /** An HTTP request; false if it is not one for the media servers. */
    handle(request, response) {
        const url = new URL(request.url, 'https://x');
        const match = /^\/(mms|newsletter|product)\/([a-z-]+)\/([A-Za-z0-9_%=-]+)$/.exec(url.pathname);
        if (request.method === 'POST' && match) this.upload(request, response, url, match);
        else if (request.method === 'GET' && url.pathname.startsWith('/v/')) this.download(request, response, url);
        else if (request.method === 'DELETE' && match) this.drop(response, url, match);
        else return false;
        this.requests.push({ method: request.method, path: url.pathname, query: Object.fromEntries(url.searchParams), headers: request.headers });
        this.sim.event('media_request', { method: request.method, path: url.pathname });
        return true;
    }

    answer(response, status, body, headers = {}) {
        const text = JSON.stringify(body ?? {});
        response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers }).end(text);
    }

    upload(request, response, url, [, service, name, rawToken]) {
        const kind = name.replace(/^newsletter-/, '');
        const token = unpadded(decodeURIComponent(rawToken));
        if (!KINDS.has(kind) && service === 'mms') return this.answer(response, 404);
        if (url.searchParams.get('auth') !== this.auth) {
            request.resume();
            return this.answer(response, 401, { error: 'auth' });
        }
        if (unpadded(url.searchParams.get('token')) !== token) this.violation('media_token', 'the token of the query is not the one of the path');
        if ((service === 'newsletter') !== name.startsWith('newsletter-')) this.violation('media_path', `upload to /${service}/${name}`);
        if (url.searchParams.get('resume') === '1') return this.resume(request, response, kind, token);
        const fault = this.fault('upload', kind);
        if (fault.status || fault.redirect || fault.garbage) {
            request.resume();
            if (fault.redirect) return this.answer(response, fault.status || 307, {}, { location: fault.redirect });
            return fault.garbage ? response.writeHead(200).end('<html>') : this.answer(response, fault.status, { error: 'injected' });
        }
        return this.take(request, response, url, { kind, service }, token, fault);
    }

    /** A client deletes what was uploaded for it alone: only histories, and not a second time. */
    drop(response, url, [, , kind, rawToken]) {
        const token = unpadded(decodeURIComponent(rawToken));
        const pathname = Buffer.from(url.searchParams.get('d_md') ?? '', 'base64url').toString();
        const blob = this.find(pathname);
        if (url.searchParams.get('auth') !== this.auth) return this.answer(response, 401, { error: 'auth' });
        if (unpadded(url.searchParams.get('token')) !== token) this.violation('media_token', 'the token of the query is not the one of the path');
        if (kind !== 'md-msg-hist' || blob?.kind !== kind || blob.hash !== token || !blob.downloads) this.violation('media_delete', `deletion of ${kind} ${pathname}`);
        if (blob) blob.lost = 'gone';
        this.sim.event('media_deleted', { kind, direct_path: blob?.direct_path ?? null });
        return this.answer(response, blob ? 200 : 404);
    }

    resume(request, response, kind, token) {
        request.resume();
        const fault = this.fault('resume', kind);
        if (fault.status) return this.answer(response, fault.status, { error: 'injected' });
        const done = [...this.blobs.values()].find(b => b.hash === token && !b.lost);
        if (done) return this.answer(response, 200, { resume: 'complete', ...this.place(done) });
        return this.answer(response, 200, { resume: String(this.partial.get(token)?.size ?? 0) });
    }

    place(blob) {
        return { url: `https://${this.base}${blob.direct_path}`, direct_path: blob.direct_path, handle: `handle-${blob.id}`, object_id: blob.id };
    }

    take(request, response, url, place, token, fault) {
        const declared = request.headers['content-length'];
        const offset = Number(url.searchParams.get('file_offset') ?? 0);
        const have = this.partial.get(token) ?? { size: 0, file: path.join(this.dir, crypto.randomUUID()) };
        if (declared === undefined) this.violation('media_length', 'upload without Content-Length');
        if (offset !== 0 && offset !== have.size) this.violation('media_offset', `file_offset ${offset}, but ${have.size} bytes are here`);
        const out = fs.createWriteStream(have.file, { flags: offset ? 'r+' : 'w', start: offset });
        let size = offset;
        this.partial.set(token, have);
        request.on('data', bytes => {
            if (out.closing) return;
            size += bytes.length;
            have.size = size;
            if (!out.write(bytes)) {
                request.pause();
                out.once('drain', () => request.resume());
            }
            if (fault.cut !== undefined && size >= fault.cut) {
                out.closing = true;
                out.end(() => request.socket.destroy());
            }
        });
        request.on('end', () => {
            if (out.closing) return;
            out.end(() => this.taken(response, place, token, have, fault));
        });
        request.on('error', () => out.end());
    }

    taken(response, { kind, service }, token, { file, size }, fault) {
        const hash = crypto.createHash('sha256');
        fs.createReadStream(file).on('data', bytes => hash.update(bytes)).on('end', () => {
            const digest = hash.digest('base64url');
            this.partial.delete(token);
            if (digest !== token) {
                this.violation('media_hash', `the body's hash ${digest} is not its token ${token}`);
                return this.answer(response, 400, { error: 'hash' });
            }
            const blob = this.store(kind, file, size, digest, service);
            this.sim.event('media_uploaded', { kind, size, direct_path: blob.direct_path });
            setTimeout(() => this.answer(response, 200, this.place(blob)), fault.slow_ms ?? 0).unref();
            return undefined;
        });
    }

    /** A blob that a phone or the service lays there; its direct path. */
    put(bytes, kind) {
        const file = path.join(this.dir, crypto.randomUUID());
        fs.writeFileSync(file, bytes);
        return this.store(kind, file, bytes.length, crypto.createHash('sha256').update(bytes).digest('base64url')).direct_path;
    }

    store(kind, file, size, hash, service = 'mms') {
        const id = crypto.randomBytes(9).toString('hex');
        const blob = { id, kind, service, file, size, hash, lost: false, downloads: 0, direct_path: `/v/t62.7118-24/${id}.enc?ccb=11-4&oh=01_${id}&oe=6A000000&_nc_sid=5e03e0` };
        this.blobs.set(id, blob);
        return blob;
    }

    download(request, response, url) {
        const blob = this.find(url.pathname);
        const fault = this.fault('download', blob?.kind);
        if (fault.redirect) return this.answer(response, fault.status || 302, {}, { location: fault.redirect });
        if (fault.status) return this.answer(response, fault.status, { error: 'injected' }, fault.retry_after ? { 'retry-after': fault.retry_after } : {});
        if (!blob || blob.lost) return this.answer(response, blob?.lost === 'gone' ? 410 : 404);
        blob.downloads++;
        const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
        const start = range ? Number(range[1]) : 0;
        const end = range && range[2] ? Math.min(Number(range[2]), blob.size - 1) : blob.size - 1;
        const headers = { 'content-type': 'application/octet-stream' };
        if (!fault.no_length) headers['content-length'] = end - start + 1;
        if (range) headers['content-range'] = `bytes ${start}-${end}/${blob.size}`;
        setTimeout(() => {
            response.writeHead(range ? 206 : 200, headers);
            this.pour(response, blob, start, end, fault);
        }, fault.slow_ms ?? 0);
        return undefined;
    }

    pour(response, blob, start, end, fault) {
        let at = start;
        const stream = fs.createReadStream(blob.file, { start, end });
        stream.on('data', bytes => {
            if (fault.corrupt) bytes[bytes.length >> 1] ^= 1;
            at += bytes.length;
            if (fault.cut !== undefined && at - start >= fault.cut) {
                stream.destroy();
                response.write(bytes.subarray(0, Math.max(0, bytes.length - (at - start - fault.cut))), () => response.destroy());
                return;
            }
            if (!response.write(bytes)) {
                stream.pause();
                response.once('drain', () => stream.resume());
            }
        });
        stream.on('end', () => response.end());
        stream.on('error', () => response.destroy());
        response.on('close', () => stream.destroy());
    }

    /** Loses a blob (all without a path): 404, or 410 with gone. The bytes stay for phones that upload them again. */
    lose({ direct_path: which, gone }) {
        for (const blob of this.blobs.values()) if (!which || blob.direct_path === which) blob.lost = gone ? 'gone' : true;
    }

    /** A client's <receipt type="server-error">: its account's phone answers as account.mediaRetry says. */
    retry(device, stanza) {
        const phone = device.account.phoneDevice.simulated;
        const how = device.account.mediaRetry ?? 'upload';
        const { id } = stanza.attrs;
        if (!this.checkRetry(device, stanza) || how === 'silent') return;
        const record = [...phone.byMessage.values()].find(r => r.id === id);
        const content = record?.base64 ? Object.values(normalizeMessageContent(proto.Message.decode(Buffer.from(record.base64, 'base64'))) ?? {})
            .find(v => v?.mediaKey) : null;
        this.sim.event('media_retry', { id, device: device.name, how: content ? how : 'unknown' });
        const rmr = child(stanza, 'rmr');
        const children = how === 'upload' && content ? this.uploadAgain(device, stanza, content)
            : how === 'failed' && content ? this.sealed(content, id, { stanzaId: id, result: 0 })
                : [node('error', { code: '2' })];
        if (children) device.queue.push(node('notification', { from: device.account.jid('pn'), id, type: 'mediaretry', t: this.sim.now() }, [...children, rmr]));
    }

    checkRetry(device, stanza) {
        const encrypt = child(stanza, 'encrypt');
        const rmr = child(stanza, 'rmr');
        const fault = !encrypt || !bytesOf(child(encrypt, 'enc_p')) ? 'no enc_p'
            : bytesOf(child(encrypt, 'enc_iv'))?.length !== 12 ? 'enc_iv is not 12 bytes'
                : !rmr?.attrs.jid ? 'no rmr with jid'
                    : !['true', 'false'].includes(rmr.attrs.from_me) ? 'no from_me' : null;
        if (fault) this.sim.strict.violation(device, 'media_retry', fault, stanza);
        return !fault;
    }

    uploadAgain(device, stanza, content) {
        const encrypt = child(stanza, 'encrypt');
        const { id } = stanza.attrs;
        const key = retryKey(content.mediaKey);
        try {
            const bytes = bytesOf(child(encrypt, 'enc_p'));
            const open = crypto.createDecipheriv('aes-256-gcm', key, bytesOf(child(encrypt, 'enc_iv')));
            open.setAAD(Buffer.from(id));
            open.setAuthTag(bytes.subarray(-16));
            const request = proto.ServerErrorReceipt.decode(Buffer.concat([open.update(bytes.subarray(0, -16)), open.final()]));
            if (request.stanzaId !== id) throw new Error(`stanzaId "${request.stanzaId}"`);
        } catch (error) {
            this.sim.strict.violation(device, 'media_retry', `the request cannot be read: ${error.message}`, stanza);
            return null;
        }
        const hash = Buffer.from(content.fileEncSha256).toString('base64url');
        const old = [...this.blobs.values()].find(b => b.hash === hash);
        if (!old) return [node('error', { code: '2' })];
        const fresh = this.store(old.kind, old.file, old.size, old.hash);
        return this.sealed(content, id, { stanzaId: id, directPath: fresh.direct_path, result: 1 });
    }

    sealed(content, id, answer) {
        const key = retryKey(content.mediaKey);
        const iv = crypto.randomBytes(12);
        const seal = crypto.createCipheriv('aes-256-gcm', key, iv);
        seal.setAAD(Buffer.from(id));
        const plain = proto.MediaRetryNotification.encode(answer).finish();
        const bytes = Buffer.concat([seal.update(plain), seal.final(), seal.getAuthTag()]);
        return [node('encrypt', {}, [node('enc_p', {}, bytes), node('enc_iv', {}, iv)])];
    }

    routes(account) {
        return {
            'GET /media': () => ({ blobs: this.list(), requests: this.requests.slice(-200), asked: this.asked }),
            'POST /media/faults': ({ body }) => this.addFault(body),
            'DELETE /media/faults': () => { this.faults = []; },
            'POST /media/lose': ({ body }) => this.lose(body),
            'POST /media/expire-auth': () => this.expireAuth(),
            'POST /accounts/:account/media-retry': ({ params, body }) => { account(params.account).mediaRetry = body.how; }
        };
    }
}
