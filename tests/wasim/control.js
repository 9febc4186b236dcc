// SPDX-License-Identifier: GPL-3.0-or-later
// The control API: HTTP and JSON. One table of routes; README.md documents each of them.
import http from 'node:http';
import { ControlError, routes } from './control-routes.js';

const MAX_BODY = 16 * 1024 * 1024;

function readBody(request) {
    return new Promise((resolve, reject) => {
        const parts = [];
        let size = 0;
        request.on('data', part => {
            size += part.length;
            if (size > MAX_BODY) reject(new ControlError(413, 'body too large'));
            else parts.push(part);
        });
        request.on('error', reject);
        request.on('end', () => {
            if (!size) return resolve({});
            try {
                return resolve(JSON.parse(Buffer.concat(parts).toString()));
            } catch (error) {
                return reject(new ControlError(400, `body is no JSON: ${error.message}`));
            }
        });
    });
}

function match(pattern, path) {
    const wanted = pattern.split('/');
    const given = path.split('/');
    if (wanted.length !== given.length) return null;
    const params = {};
    for (let i = 0; i < wanted.length; i++) {
        if (wanted[i].startsWith(':')) params[wanted[i].slice(1)] = decodeURIComponent(given[i]);
        else if (wanted[i] !== given[i]) return null;
    }
    return params;
}

function find(table, method, path) {
    for (const [route, handler] of table) {
        const [wantedMethod, pattern] = route.split(' ');
        if (wantedMethod !== method) continue;
        const params = match(pattern, path);
        if (params) return { handler, params };
    }
    return null;
}

async function answer(table, request) {
    const url = new URL(request.url, 'http://control');
    const found = find(table, request.method, url.pathname.replace(/\/$/, '') || '/');
    if (!found) throw new ControlError(404, `no route ${request.method} ${url.pathname}`);
    const body = await readBody(request);
    return found.handler({ params: found.params, query: Object.fromEntries(url.searchParams), body });
}

/** The HTTP server of the control API (not yet listening). */
export function controlServer(sim) {
    const table = Object.entries(routes(sim));
    return http.createServer(async (request, response) => {
        let status = 200;
        let result;
        try {
            result = await answer(table, request);
        } catch (error) {
            status = error.status || (error instanceof TypeError ? 400 : 500);
            result = { error: error.message };
            if (status === 500) sim.event('control_error', { message: error.stack });
        }
        const text = JSON.stringify(result ?? { ok: true });
        // A connection per request: a kept one might be closed by us just when the next request is written to it.
        response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), connection: 'close' });
        response.end(text);
    });
}
