// SPDX-License-Identifier: GPL-3.0-or-later
// Starts warest.fcgi behind a real web server, with the configurations of etc/, on a free loopback port in a directory of its own.
//
//     const lab = await webLab()                         // directory, env file, built programs
//     const server = await startServer('lighttpd', lab)  // lighttpd | apache-proxy-fcgi | apache-fcgid | apache-cgi | nginx
//     await server.request('GET', '/api/v1/server/ping') // { status, headers, text, json }
//     await server.stop(); await lab.remove()
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chmodSync, chownSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
export const build = path.resolve(process.env.WAREST_BUILD_DIR || path.join(root, 'build'));
export const responderPath = path.join(build, 'warest.fcgi');
const isRoot = process.getuid() === 0;

export const serverKinds = ['lighttpd', 'apache-proxy-fcgi', 'apache-fcgid', 'apache-cgi', 'nginx'];

// Apache and nginx give up root and answer as www-data: so must what they talk to.
export function webUser() {
  if (!isRoot) return null;
  const fields = readFileSync('/etc/passwd', 'utf8').split('\n').map((l) => l.split(':')).find((f) => f[0] === 'www-data');
  return fields ? { uid: Number(fields[2]), gid: Number(fields[3]) } : null;
}

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

// A directory with an env file for warest.fcgi; `env` adds settings. `socket` is where the daemon listens.
export async function webLab(env = {}) {
  const dir = await mkdtemp(path.join(tmpdir(), 'warest-web-'));
  const socket = path.join(dir, 'd.sock');
  const settings = { WAREST_SOCKET: socket, WAREST_SPOOL_DIR: path.join(dir, 'spool'), LOG_PRETTY: 'true', ...env };
  const envFile = path.join(dir, 'fcgi.env');
  await writeFile(envFile, Object.entries(settings).map(([k, v]) => `${k}=${v}\n`).join(''));
  for (const sub of ['spool', 'sendfile', 'web']) await mkdir(path.join(dir, sub), { recursive: true });
  const user = webUser();
  if (user) for (const sub of ['', 'spool', 'sendfile', 'web']) chownSync(path.join(dir, sub), user.uid, user.gid);
  chmodSync(dir, 0o755);
  return { dir, socket, envFile, settings, remove: () => rm(dir, { recursive: true, force: true }) };
}

async function template(name, values) {
  let text = await readFile(path.join(root, 'etc', name), 'utf8');
  for (const [key, value] of Object.entries(values)) text = text.replaceAll(`@${key}@`, value);
  return text;
}


// Resolves when something accepts connections; `gone` is a promise that rejects when waiting has become pointless.
async function untilAccepts(port, gone) {
  const attempt = () => new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
  while (!(await Promise.race([attempt(), gone]))) await new Promise((resolve) => setImmediate(resolve));
}

export class Child {
  constructor(command, args, options = {}) {
    this.output = '';
    this.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    for (const stream of [this.process.stdout, this.process.stderr]) stream?.on('data', (d) => { this.output += d; });
    this.exited = once(this.process, 'exit').then(([code, signal]) => ({ code, signal }));
    this.failed = this.exited.then(({ code, signal }) => {
      throw new Error(`${command} ended (${code ?? signal}): ${this.output}`);
    });
    this.failed.catch(() => {});
  }

  get pid() { return this.process.pid; }

  async stop(signal = 'SIGTERM') {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal);
    return this.exited;
  }
}

// warest.fcgi on a UNIX socket, for web servers that do not start it.
export async function startResponder(lab, options = {}) {
  const socket = path.join(lab.dir, 'web', 'fcgi.sock');
  const child = new Child(responderPath, ['--socket', socket], {
    env: { ...process.env, WAREST_ENV_FILE: lab.envFile, ...options.env }, ...(options.user ?? {}),
  });
  const accepts = () => new Promise((resolve) => {
    const s = net.connect(socket, () => { s.destroy(); resolve(true); });
    s.on('error', () => resolve(false));
  });
  while (!(await Promise.race([accepts(), child.failed]))) await new Promise((resolve) => setImmediate(resolve));
  return child;
}

const modules = '/usr/lib/apache2/modules';

async function apacheConfig(kind, lab, values) {
  const names = ['mpm_event', 'authz_core', 'mime', 'dir', 'alias', 'rewrite', 'headers', 'env', 'unixd'];
  names.push(...{ 'apache-proxy-fcgi': ['proxy', 'proxy_fcgi'], 'apache-fcgid': ['fcgid'], 'apache-cgi': ['cgid'] }[kind]);
  const load = names.filter((n) => existsSync(`${modules}/mod_${n}.so`)).map((n) => `LoadModule ${n}_module ${modules}/mod_${n}.so`);
  const web = path.join(lab.dir, 'web');
  // MaxSpareThreads: Apache ends no process for being idle, which can close a connection that this process has just taken.
  return [...load, `Listen ${values.HOST}:${values.PORT}`, `PidFile ${web}/apache.pid`, `ErrorLog ${web}/error.log`, `DefaultRuntimeDir ${web}`,
    `Mutex file:${web}`, 'ServerName localhost', 'TypesConfig /etc/mime.types', 'StartServers 1', 'MaxSpareThreads 400',
    kind === 'apache-cgi' ? `ScriptSock ${web}/cgid.sock` : '', isRoot ? 'User www-data\nGroup www-data' : '',
    await template(`${kind}.conf.in`, values)].join('\n');
}

async function nginxConfig(lab, values) {
  const web = path.join(lab.dir, 'web');
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((n) => `${n}_temp_path ${web}/${n};`).join(' ');
  return `${isRoot ? 'user www-data;' : ''} pid ${web}/nginx.pid; error_log ${web}/error.log; events {}
    http { include /etc/nginx/mime.types; access_log off; ${temp}\n${await template('nginx.conf.in', values)}}`;
}

const starters = {
  lighttpd: { command: 'lighttpd', args: (file) => ['-D', '-f', file], config: (lab, values) => template('lighttpd.conf.in', values) },
  nginx: { command: 'nginx', args: (file) => ['-e', 'stderr', '-c', file, '-g', 'daemon off;'], config: nginxConfig, external: true },
};
for (const kind of ['apache-proxy-fcgi', 'apache-fcgid', 'apache-cgi'])
  starters[kind] = { command: 'apache2', args: (file) => ['-D', 'FOREGROUND', '-f', file],
    config: (lab, values) => apacheConfig(kind, lab, values), external: kind === 'apache-proxy-fcgi' };

// Which of the web servers is there to be tested.
export function isInstalled(kind) {
  const places = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin'];
  const found = places.some((p) => existsSync(path.join(p, starters[kind].command)));
  const module = { 'apache-fcgid': 'fcgid', 'apache-proxy-fcgi': 'proxy_fcgi', 'apache-cgi': 'cgid' }[kind];
  return found && (!module || existsSync(`${modules}/mod_${module}.so`));
}

// Processes below `pid` that run warest.fcgi.
function responders(pid) {
  const found = [];
  const children = new Map();
  for (const name of readdirSync('/proc').filter((n) => /^\d+$/.test(n))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), { pid: Number(name), comm: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')) }]);
    } catch { /* it has ended meanwhile */ }
  }
  const queue = [pid];
  while (queue.length)
    for (const child of children.get(queue.pop()) ?? []) {
      if (child.comm === 'warest.fcgi') found.push(child.pid);
      queue.push(child.pid);
    }
  return found;
}

class WebServer {
  constructor(kind, lab, port, configFile) {
    Object.assign(this, { kind, lab, port, configFile, url: `http://127.0.0.1:${port}` });
  }

  async start() {
    const { command, args, external } = starters[this.kind];
    if (external && !this.responder) await this.startResponder();
    this.child = new Child(command, args(this.configFile), { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
    await untilAccepts(this.port, this.child.failed);
    return this;
  }

  async startResponder() {
    this.responder = await startResponder(this.lab, { user: webUser() });
  }

  // The processes that answer requests at this moment.
  responderPids() {
    return this.responder ? [this.responder.pid] : responders(this.child.pid);
  }

  // The web server alone; a responder that it did not start goes on.
  async restart() {
    await this.child.stop();
    await this.start();
  }

  async stop() {
    await this.child?.stop();
    await this.responder?.stop();
  }

  request(method, target, options) {
    return httpRequest(this.port, method, target, options);
  }

  // What the web server wrote to its error log last.
  complaints() {
    const places = [path.join(this.lab.dir, 'web', 'error.log'), path.join(this.lab.dir, 'lighttpd.log')];
    return places.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8').slice(-3000)).join('\n');
  }
}

// One HTTP request with its path sent as written. body: string or Buffer, or an object that goes as JSON.
export function httpRequest(port, method, target, { headers = {}, body, key, signal } = {}) {
  const json = body !== undefined && typeof body === 'object' && !Buffer.isBuffer(body);
  const bytes = body === undefined ? undefined : Buffer.from(json ? JSON.stringify(body) : body);
  const all = { ...(json ? { 'content-type': 'application/json' } : {}), ...(bytes ? { 'content-length': bytes.length } : {}),
    ...(key ? { 'x-warest-api-key': key } : {}), ...headers };
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, method, path: target, headers: all, signal, agent: false }, (response) => {
      const chunks = [];
      response.on('data', (d) => chunks.push(d));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        let parsed;
        try { parsed = JSON.parse(text); } catch { parsed = undefined; }
        resolve({ status: response.statusCode, headers: response.headers, text, json: parsed });
      });
    });
    request.on('error', reject);
    request.end(bytes);
  });
}

export async function startServer(kind, lab) {
  accessSync(responderPath);
  const port = await freePort();
  const external = starters[kind].external;
  const values = { HOST: '127.0.0.1', PORT: String(port), DIR: path.join(lab.dir, external || kind !== 'lighttpd' ? 'web' : ''),
    WWW: path.join(root, 'www'), FCGI: responderPath, FCGIDIR: path.dirname(responderPath), ENVFILE: lab.envFile };
  const configFile = path.join(lab.dir, `${kind}.conf`);
  await writeFile(configFile, await starters[kind].config(lab, values));
  return new WebServer(kind, lab, port, configFile).start();
}
