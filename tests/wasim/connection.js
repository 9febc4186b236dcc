// SPDX-License-Identifier: GPL-3.0-or-later
// One WebSocket connection of a client: frame reassembly, handshake, encrypted stanzas both ways, transport faults.
import { deflateSync } from 'node:zlib';
import { proto } from 'baileys/WAProto/index.js';
import { NoiseResponder, PROLOGUE } from './noise.js';
import { decodeFrame, encodeNode, node } from './nodes.js';

const MAX_FRAME = 2 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

function frame(payload) {
    const out = Buffer.allocUnsafe(payload.length + 3);
    out.writeUIntBE(payload.length, 0, 3);
    payload.copy(out, 3);
    return out;
}

/** States: 'intro', 'hello', 'finish', 'transport', 'closed'. */
export class ClientConnection {
    constructor(sim, socket, number) {
        this.sim = sim;
        this.socket = socket;
        this.number = number;
        this.state = 'intro';
        this.input = EMPTY;
        this.noise = new NoiseResponder(sim.authority.leaf);
        this.transport = null;
        this.device = null;
        this.pairing = null;
        this.payload = null;
        this.noiseKey = null;
        this.routingInfo = null;
        this.silent = false;
        this.cut = false;
        this.merged = null;
        this.heldBack = null;
        this.bytesSent = 0;
        this.iqWaiters = new Map();
        this.stanzasIn = 0;
        socket.on('message', (data, isBinary) => this.onMessage(data, isBinary));
        socket.on('close', code => this.onClose(code));
        socket.on('error', error => sim.event('socket_error', { connection: number, message: error.message }));
    }

    get label() {
        return this.device ? this.device.name : `connection ${this.number}`;
    }

    onMessage(data, isBinary) {
        if (this.state === 'closed' || this.silent) return;
        if (!isBinary) {
            this.sim.strict.violation(this.device || this, 'text_frame', 'client sent a WebSocket text message');
            return;
        }
        this.input = this.input.length ? Buffer.concat([this.input, data]) : data;
        try {
            this.readFrames();
        } catch (error) {
            this.fail('frame', error);
        }
    }

    fail(rule, error) {
        this.sim.strict.violation(this.device || this, rule, error.message);
        if (this.state === 'transport') this.sendNow(node('stream:error', {}, [node('xml-not-well-formed')]));
        this.close();
    }

    readFrames() {
        if (this.state === 'intro' && !this.readIntro()) return;
        while (this.state !== 'closed' && this.input.length >= 3) {
            const length = this.input.readUIntBE(0, 3);
            if (length > MAX_FRAME) throw new Error(`frame of ${length} bytes`);
            if (this.input.length < 3 + length) return;
            const payload = this.input.subarray(3, 3 + length);
            this.input = this.input.subarray(3 + length);
            if (length) this.onFrame(payload);
        }
    }

    readIntro() {
        let offset = 0;
        if (this.input.length >= 2 && this.input[0] === 0x45 && this.input[1] === 0x44) {
            if (this.input.length < 7) return false;
            if (this.input[2] !== 0 || this.input[3] !== 1) throw new Error('bad edge routing prefix');
            const length = this.input.readUIntBE(4, 3);
            if (this.input.length < 7 + length) return false;
            this.routingInfo = Buffer.from(this.input.subarray(7, 7 + length));
            offset = 7 + length;
        }
        if (this.input.length < offset + 4) return false;
        if (!this.input.subarray(offset, offset + 4).equals(PROLOGUE)) throw new Error('bad intro');
        this.input = this.input.subarray(offset + 4);
        this.state = 'hello';
        return true;
    }

    onFrame(payload) {
        if (this.state === 'hello') this.onHello(payload);
        else if (this.state === 'finish') this.onFinish(payload);
        else this.onStanzaFrame(payload);
    }

    onHello(payload) {
        const { clientHello } = proto.HandshakeMessage.decode(payload);
        if (clientHello?.ephemeral?.length !== 32) throw new Error('clientHello without a 32-byte ephemeral key');
        if (clientHello.static?.length || clientHello.payload?.length) throw new Error('only the XX handshake is offered');
        const fault = this.sim.faults.applies('certificate', null)?.value || 'none';
        const serverHello = this.noise.answer(Buffer.from(clientHello.ephemeral), this.sim.authority.chain(fault));
        this.state = 'finish';
        this.write(frame(Buffer.from(proto.HandshakeMessage.encode({ serverHello }).finish())));
    }

    onFinish(payload) {
        const { clientFinish } = proto.HandshakeMessage.decode(payload);
        if (!clientFinish?.static?.length || !clientFinish.payload?.length) throw new Error('incomplete clientFinish');
        const done = this.noise.finish(Buffer.from(clientFinish.static), Buffer.from(clientFinish.payload));
        this.noise = null;
        this.transport = done.transport;
        this.noiseKey = done.clientStatic;
        this.payload = proto.ClientPayload.decode(done.payload);
        this.state = 'transport';
        const start = () => { if (this.state === 'transport') this.sim.login.onClientPayload(this); };
        if (this.sim.options.firstFrameDelayMs) setTimeout(start, this.sim.options.firstFrameDelayMs);
        else start();
    }

    onStanzaFrame(payload) {
        let stanza;
        try {
            stanza = decodeFrame(this.transport.open(payload));
        } catch (error) {
            throw new Error(`undecodable frame: ${error.message}`);
        }
        this.stanzasIn++;
        this.sim.onClientStanza(this, stanza);
    }

    /** Sends a stanza, subject to the outgoing faults of the connection's device. */
    send(stanza, entry) {
        if (this.state !== 'transport') return;
        const faults = this.sim.faults;
        if (faults.any) {
            if (faults.applies('drop', this.device, stanza)) return;
            const changed = faults.rewrite(this.device, stanza);
            if (changed !== stanza) stanza = changed;
            if (faults.applies('reorder', this.device, stanza) && !this.heldBack) {
                this.heldBack = stanza;
                return;
            }
            if (faults.applies('duplicate', this.device, stanza)) {
                if (entry) this.device.queue.owedAgain(entry);
                this.sendNow(stanza);
            }
            const delay = faults.applies('delay', this.device, stanza);
            if (delay) {
                setTimeout(() => this.sendNow(stanza), delay.ms);
                return;
            }
        }
        this.sendNow(stanza);
        if (this.heldBack) {
            const late = this.heldBack;
            this.heldBack = null;
            this.sendNow(late);
        }
        if (entry) this.device.counters.received++;
    }

    /** Encodes, seals and writes a stanza without asking for stanza faults. */
    sendNow(stanza) {
        if (this.state !== 'transport' || this.silent) return;
        this.sim.logStanza('out', this, stanza);
        let plain = encodeNode(stanza);
        if (this.sim.faults.any && this.sim.faults.applies('compress', this.device, stanza)) {
            plain = Buffer.concat([Buffer.from([2]), deflateSync(plain.subarray(1))]);
        }
        this.write(frame(this.transport.seal(plain)));
    }

    /** Seals and writes a plaintext as it is: flag byte and node, or anything else. */
    sendFrame(plain) {
        if (this.state === 'transport' && !this.silent) this.write(frame(this.transport.seal(plain)));
    }

    /** Writes bytes, subject to the transport faults. */
    write(bytes) {
        const faults = this.sim.faults;
        if (this.cut) return;
        if (!faults.any) {
            this.socket.send(bytes);
            return;
        }
        const limit = faults.find('close_at_byte', this.device);
        if (limit) {
            const room = Math.max(0, limit.bytes - this.bytesSent);
            this.bytesSent += bytes.length;
            if (bytes.length >= room) {
                faults.use(limit);
                this.cut = true;
                this.socket.send(bytes.subarray(0, room), () => this.drop());
                return;
            }
        }
        if (faults.find('split_frames', this.device)) {
            for (let i = 0; i < bytes.length; i++) this.socket.send(bytes.subarray(i, i + 1));
        } else if (faults.find('merge_frames', this.device)) {
            this.merge(bytes);
        } else {
            this.socket.send(bytes);
        }
    }

    merge(bytes) {
        if (this.merged) {
            this.merged.push(bytes);
            return;
        }
        this.merged = [bytes];
        setImmediate(() => {
            const all = Buffer.concat(this.merged);
            this.merged = null;
            if (this.state !== 'closed') this.socket.send(all);
        });
    }

    /** Sends an IQ to the client and resolves with its result or error stanza; null when the connection ends first. */
    query(iq) {
        return new Promise(resolve => {
            this.iqWaiters.set(iq.attrs.id, resolve);
            this.sendNow(iq);
        });
    }

    /** Closes with a WebSocket close frame, after what was written. */
    close(code = 1000) {
        if (this.state === 'closed') return;
        this.socket.close(code);
    }

    /** Cuts the TCP connection. */
    drop() {
        this.socket.terminate();
    }

    onClose(code) {
        if (this.state === 'closed') return;
        this.state = 'closed';
        for (const resolve of this.iqWaiters.values()) resolve(null);
        this.iqWaiters.clear();
        this.sim.onConnectionClosed(this, code);
    }

    toJson() {
        return {
            connection: this.number, state: this.state, device: this.device?.name ?? null,
            pairing: !!this.pairing, refs: this.pairing?.refs ?? [], silent: this.silent,
            routing_info: this.routingInfo ? this.routingInfo.toString('base64') : null
        };
    }
}
