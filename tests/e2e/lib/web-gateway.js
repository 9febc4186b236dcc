// SPDX-License-Identifier: GPL-3.0-or-later
// The whole gateway: simulator of WhatsApp, warest-sessiond, warest.fcgi behind a web server, each on free ports in one directory.
//
//     const gateway = await startGateway('lighttpd', { RATE_LIMIT_MAX: '0' })
//     await gateway.api('GET', '/session/list')           // with the administrator's key
//     await gateway.control('/accounts', { phone: '..' }) // the simulator's control API
//     await gateway.stop()
import { chownSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { startWasim } from '../../wasim/wasim.js';
import { RpcClient } from './rpc-client.js';
import { build, Child, startServer, webLab, webUser } from './web.js';
import { until } from './until.js';

export const adminKey = 'admin-key-of-the-tests';
export const adminPassword = 'a password of the tests';

class Gateway {
  async startDaemon() {
    this.daemon = new Child(path.join(build, 'warest-sessiond'), [], { env: { PATH: process.env.PATH, ...this.settings } });
    while (!(await Promise.race([this.#answers(), this.daemon.failed]))) await new Promise((resolve) => setImmediate(resolve));
  }

  async #answers() {
    const rpc = await RpcClient.connect(this.lab.socket).catch(() => null);
    rpc?.close?.();
    return rpc !== null;
  }

  // An operator's question over the local socket, as warestctl asks it.
  async operator(m, p = {}) {
    const rpc = await RpcClient.connect(this.lab.socket);
    try {
      return await rpc.send({ m, auth: 'none', p, route: m, guards: {} });
    } finally {
      rpc.close?.();
    }
  }

  api(method, target, options = {}) {
    return this.server.request(method, `/api/v1${target}`, { key: adminKey, ...options });
  }

  async control(target, body) {
    const response = await fetch(this.wasim.controlUrl + target, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
    return response.json();
  }

  // A session of the simulator's phone, linked by QR and open.
  async link(sessionId, phone, options) {
    await this.control('/accounts', { phone, name: `Phone ${phone}` });
    let created, linked;
    // On a busy machine the first answer may come without a QR code, or with one that has been replaced meanwhile.
    for (const end = Date.now() + 60000; !linked?.linked;) {
      created = await this.api('GET', `/session/create?sessionId=${sessionId}`, options);
      const qr = created.json?.results?.[0]?.qrString;
      linked = qr && await this.control(`/accounts/${phone}/scan`, { qr });
      if (!linked?.linked && Date.now() > end) throw new Error(`not linked: ${created.text} ${JSON.stringify(linked)}`);
    }
    await until(async () => {
      const list = await this.api('GET', '/session/list', options);
      return list.json.results[0].items.find((i) => i.id === sessionId)?.status === 'open';
    }, 'the open session');
    return { created, linked };
  }

  async stop() {
    await this.server?.stop();
    await this.daemon?.stop();
    await this.wasim?.close();
    await this.lab?.remove();
  }
}

export async function startGateway(kind, settings = {}, wasim = {}) {
  const gateway = new Gateway();
  try {
    gateway.wasim = await startWasim(wasim);
    gateway.lab = await webLab({ ...settings });
    const state = path.join(gateway.lab.dir, 'state');
    await mkdir(state, { mode: 0o700 });
    const user = webUser();
    gateway.settings = { WAREST_ENV_FILE: '/dev/null', WAREST_STATE_DIR: state, WAREST_SOCKET: gateway.lab.socket, WAREST_WA_URL: gateway.wasim.wsUrl,
      WAREST_WA_ROOT_KEY: gateway.wasim.rootKey, WAREST_WA_VERSION_REFRESH: 'false', WAREST_MEDIA_NICE: '0', WAREST_AUTHADMIN_USERNAME: 'admin', WAREST_AUTHADMIN_PASSWORD: adminPassword,
      WAREST_ADMIN_APIKEY: adminKey, WAREST_OUTBOUND_ALLOW: 'private,loopback', LOG_PRETTY: 'true', ...(user ? { WAREST_SOCKET_GROUP: 'www-data' } : {}), ...(gateway.wasim.caFile ? { WAREST_WA_CA_FILE: gateway.wasim.caFile } : {}), ...settings };
    if (user) chownSync(gateway.lab.dir, 0, 0);
    await gateway.startDaemon();
    gateway.server = await startServer(kind, gateway.lab);
    return gateway;
  } catch (error) {
    await gateway.stop();
    throw error;
  }
}
