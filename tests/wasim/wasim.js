#!/usr/bin/env node
// SPDX-License-Identifier: GPL-3.0-or-later
// The WhatsApp simulator: command line and startWasim() for tests in the same process.
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';
import { Simulator } from './simulator.js';
import { ClientConnection } from './connection.js';
import { makeTlsFiles } from './certs.js';
import { quietLibsignal } from './signal-store.js';
import { controlServer } from './control.js';

const WS_PATH = '/ws/chat';
const WEB_ORIGIN = 'https://web.whatsapp.com';

const USAGE = `usage: wasim.js [--listen HOST:PORT] [--control HOST:PORT] [--tls] [options]
  --listen HOST:PORT     where clients connect (default 127.0.0.1:0, port 0 = any free one)
  --control HOST:PORT    where the control API answers (default 127.0.0.1:0)
  --tls                  wss instead of ws; makes a CA and a certificate
  --state-dir DIR        where the CA and certificate are kept (default: a new temporary directory)
  --min-version N        refuse clients whose version 2.3000.N is lower (405)
  --first-frame-delay MS wait before the first frame after the handshake (old clients need 50)
  --no-stanza-log        do not keep stanzas (long or big runs)
  --stdin-close          exit when standard input closes
`;

function hostPort(text) {
    const at = text.lastIndexOf(':');
    const port = Number(text.slice(at + 1));
    if (at < 1 || !Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`"${text}" is not HOST:PORT`);
    return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port };
}

function listen(server, { host, port }) {
    return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => resolve(server.address()));
    });
}

function authority(host, { port, family }) {
    return family === 'IPv6' ? `[${host}]:${port}` : `${host}:${port}`;
}

function acceptClients(sim, server) {
    const sockets = new WebSocketServer({ server, path: WS_PATH, perMessageDeflate: false, maxPayload: 16 * 1024 * 1024 });
    sockets.on('connection', (socket, request) => {
        const connection = new ClientConnection(sim, socket, ++sim.connectionNumber);
        sim.connections.add(connection);
        sim.event('connected', { connection: connection.number });
        if (request.headers.origin !== WEB_ORIGIN) {
            sim.strict.violation(connection, 'origin', `Origin is "${request.headers.origin}"`);
        }
        request.socket.setNoDelay(true);
    });
    return sockets;
}

/**
 * Starts a simulator. Options: listen, control ("HOST:PORT"), tls, stateDir, and those of Simulator.
 * Resolves with {wsUrl, controlUrl, rootKey (hex), caFile, sim, close()}.
 */
export async function startWasim(options = {}) {
    quietLibsignal();
    const sim = new Simulator(options);
    const listenAt = hostPort(options.listen || '127.0.0.1:0');
    const controlAt = hostPort(options.control || '127.0.0.1:0');
    const ownDir = options.tls && !options.stateDir ? fs.mkdtempSync(path.join(os.tmpdir(), 'wasim-')) : null;
    const tls = options.tls ? makeTlsFiles(options.stateDir || ownDir) : null;
    const server = tls ? https.createServer({ key: tls.key, cert: tls.cert, ALPNProtocols: ['http/1.1'] }) : http.createServer();
    // Clients that keep a connection for the next file must not meet its end.
    server.keepAliveTimeout = 600000;
    server.on('request', (request, response) => {
        if (!tls || !sim.media.handle(request, response)) response.writeHead(404).end();
    });
    const sockets = acceptClients(sim, server);
    const control = controlServer(sim);
    const address = await listen(server, listenAt);
    const controlAddress = await listen(control, controlAt);
    if (tls) sim.media.listenAt(authority(listenAt.host, address));
    const close = async () => {
        for (const client of sockets.clients) client.terminate();
        control.closeAllConnections();
        server.closeAllConnections();
        await Promise.all([server, control].map(s => new Promise(resolve => { s.close(resolve); })));
        sim.media.close();
        if (ownDir) fs.rmSync(ownDir, { recursive: true, force: true });
    };
    return {
        wsUrl: `${tls ? 'wss' : 'ws'}://${authority(listenAt.host, address)}${WS_PATH}`,
        controlUrl: `http://${authority(controlAt.host, controlAddress)}`,
        rootKey: sim.authority.root.public.toString('hex'),
        caFile: tls?.caFile ?? null, sim, close
    };
}

async function main() {
    const { values } = parseArgs({
        options: {
            listen: { type: 'string' }, control: { type: 'string' }, tls: { type: 'boolean' }, 'state-dir': { type: 'string' },
            'min-version': { type: 'string' }, 'first-frame-delay': { type: 'string' }, 'no-stanza-log': { type: 'boolean' },
            'stdin-close': { type: 'boolean' }, help: { type: 'boolean' }
        }
    });
    if (values.help) {
        process.stdout.write(USAGE);
        return;
    }
    const started = await startWasim({
        listen: values.listen, control: values.control, tls: values.tls, stateDir: values['state-dir'],
        minVersion: Number(values['min-version'] || 0), firstFrameDelayMs: Number(values['first-frame-delay'] || 0),
        logStanzas: !values['no-stanza-log']
    });
    const stop = () => {
        started.close().then(() => process.exit(0));
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
    if (values['stdin-close']) process.stdin.on('end', stop).resume();
    process.stdout.write(`${JSON.stringify({
        ws_url: started.wsUrl, control_url: started.controlUrl, ca_file: started.caFile, root_key: started.rootKey, pid: process.pid
    })}\n`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
    main().catch(error => {
        process.stderr.write(`wasim: ${error.message}\n${USAGE}`);
        process.exit(2);
    });
}
