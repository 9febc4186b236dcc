// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, the route table of warest.fcgi (seen through the OpenAPI document that is made from it) and the contract's list of
// routes disagree: a documented route, parameter, answer or error text would be missing or different for API users.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { responderPath } from './lib/web.js';

const contract = JSON.parse(readFileSync(new URL('../contract/routes.json', import.meta.url)));
const openapi = JSON.parse(execFileSync(responderPath, ['--openapi'], { encoding: 'utf8' }));

// What the compatible server adds to the list on purpose.
const alsoPost = ['create', 'create/pair-code', 'logout', 'reconnect'].map((p) => `POST /api/v1/session/${p}`); // K5
const passkey = ['GET ', 'POST /response', 'POST /confirm'].map((s) => {
  const [method, tail] = s.split(' ');
  return `${method} /api/v1/session/{sessionId}/passkey${tail}`;
});

const contents = ['live-location', 'event', 'group-invite'].map((what) => `POST /api/v1/messages/send/${what}`);
const scheduled = ['GET /api/v1/messages/{messageId}/broadcast', 'GET /api/v1/messages/scheduled', 'PATCH /api/v1/messages/{messageId}/scheduled',
  'DELETE /api/v1/messages/{messageId}/scheduled'];
const onMessages = ['GET /api/v1/messages/{messageId}/status', 'POST /api/v1/messages/{messageId}/media', 'POST /api/v1/messages/{messageId}/action/forward'];

// What all devices of the account share (fcgi/api_shared.c).
const shared = ['GET /labels', 'POST /labels', 'POST /labels/{labelId}', 'DELETE /labels/{labelId}', 'GET /labels/{labelId}/chats',
  'POST /labels/{labelId}/chats', 'DELETE /labels/{labelId}/chats', 'POST /labels/{labelId}/messages', 'DELETE /labels/{labelId}/messages',
  'GET /quick-replies', 'POST /quick-replies', 'DELETE /quick-replies/{quickReplyId}', 'GET /account/settings', 'POST /account/settings',
  'GET /chats/{chatId}', 'GET /messages', 'POST /chats/{chatId}/unread', 'DELETE /chats/{chatId}', 'POST /chats/{chatId}/lock', 'POST /chats/{chatId}/status-mute'
].map((s) => s.replace(' ', ' /api/v1'));
const groups = ['POST member-add-mode', 'POST join-approval', 'POST ephemeral', 'GET invite/info', 'GET invitation/info', 'POST invitation/accept',
  'POST invitation/revoke'].map((s) => s.replace(' ', ' /api/v1/group/'));
const communities = ['POST create', 'GET info', 'GET groups', 'GET participants', 'POST group/create', 'POST link', 'POST unlink', 'DELETE delete']
  .map((s) => s.replace(' ', ' /api/v1/community/'));

const channels = ['GET ', 'POST ', 'GET /invite/{invite}', 'GET /{channelId}', 'POST /{channelId}', 'DELETE /{channelId}', 'POST /{channelId}/follow',
  'DELETE /{channelId}/follow', 'POST /{channelId}/mute', 'POST /{channelId}/unmute', 'GET /{channelId}/messages', 'GET /{channelId}/updates',
  'POST /{channelId}/live'].map((s) => s.replace(' ', ' /api/v1/channels'));

// The account's profile beyond the original (fcgi/api_profile.c).
const profile = ['POST name', 'POST about', 'POST privacy', 'GET blocklist', 'POST block', 'POST unblock', 'GET catalog', 'POST presence',
  'POST presence/subscribe', 'POST disappearing', 'POST contact', 'DELETE contact', 'GET calls', 'POST calls', 'POST calls/reject'
].map((s) => s.replace(' ', ' /api/v1/profile/'));

// API keys, users, audit log (fcgi/api_key.c, fcgi/api_user.c).
const access = ['GET keys', 'GET keys/current', 'POST keys', 'GET keys/{keyId}', 'POST keys/{keyId}', 'POST keys/{keyId}/rotate', 'DELETE keys/{keyId}',
  'GET users', 'POST users', 'GET users/{username}', 'POST users/{username}', 'DELETE users/{username}', 'POST users/me/password', 'GET audit'
].map((s) => s.replace(' ', ' /api/v1/'));
// Campaigns (fcgi/api_campaign.c).
const campaigns = ['POST ', 'GET ', 'GET /{campaignId}', 'PATCH /{campaignId}', 'DELETE /{campaignId}', 'POST /{campaignId}/recipients',
  'GET /{campaignId}/recipients', ...['start', 'pause', 'resume', 'cancel'].map((what) => `POST /{campaignId}/${what}`)
].map((s) => s.replace(' ', ' /api/v1/campaigns'));

// Receivers beyond a session's own URL (fcgi/api_webhooks.c).
const hook = ['GET ', 'POST ', 'GET /{webhookId}', 'PUT /{webhookId}', 'DELETE /{webhookId}', 'POST /{webhookId}/test', 'POST /{webhookId}/pause',
  'POST /{webhookId}/resume', 'POST /{webhookId}/rotate'];
const hooks = [...hook.map((s) => s.replace(' ', ' /api/v1/webhooks')), ...[...hook, 'GET /{webhookId}/deliveries', 'POST /{webhookId}/replay',
  'GET /{webhookId}/dead-letters', 'POST /{webhookId}/dead-letters/replay'].map((s) => s.replace(' ', ' /api/v1/session/{sessionId}/webhooks'))];

const operations = new Map();
for (const [path, methods] of Object.entries(openapi.paths))
  for (const [method, operation] of Object.entries(methods)) operations.set(`${method.toUpperCase()} ${path}`, operation);

// Descriptions of a status hold "code text; code text", where <..> of the contract stands for any text.
function texts(operation, status) {
  return operation.responses[status]?.description ?? '';
}

function resultSchema(operation, status, envelope) {
  const schema = Object.values(operation.responses[status].content)[0].schema;
  if (envelope === 'B' || envelope === 'C') return schema;
  return envelope === 'S' ? schema.properties.result : schema.properties.results.items;
}

// "a.b[].c" -> is it described?
function hasField(schema, name) {
  let at = schema;
  for (const part of name.replace(/\?$/, '').split('.')) {
    const plain = part.replace(/\[\]$/, '');
    if (plain) at = at?.properties?.[plain];
    if (!at) return false;
    if (part.endsWith('[]')) at = at.items ?? at;
  }
  return true;
}

test('every route of the contract is in the table, and nothing else but the additions', () => {
  const wanted = contract.routes.map((r) => `${r.method} ${r.path}`);
  // One addition a line.
  const additions = [
    ...alsoPost, ...passkey, ...contents, ...onMessages, ...scheduled,
    ...shared,
    ...channels,
    ...profile,
    'POST /api/v1/chats/{chatId}/messages/more',
    'GET /api/v1/server/proxies', 'POST /api/v1/server/proxies/test', 'GET /api/v1/session/{sessionId}/proxy', 'POST /api/v1/session/{sessionId}/proxy',
    'GET /api/v1/session/{sessionId}/actions',
    ...groups, ...communities,
    ...hooks,
    ...access,
    'GET /api/v1/session/{sessionId}/queue', 'PUT /api/v1/session/{sessionId}/queue',
    ...campaigns,
    'GET /api/v1/events', 'GET /healthz', 'GET /readyz', 'GET /metrics',
    'GET /storage/private',
  ];
  assert.deepEqual([...operations.keys()].sort(), [...wanted, ...additions].sort());
});

for (const route of contract.routes) {
  const operation = operations.get(`${route.method} ${route.path}`);
  test(`${route.method} ${route.path}`, () => {
    const security = operation.security.map((s) => Object.keys(s)[0]);
    const wanted = { none: [], key: ['ApiKey', 'Bearer'], admin: ['ApiKey', 'Bearer'], docs: ['ApiKey', 'Bearer', 'Cookie'] }[route.auth];
    assert.deepEqual(security, wanted, 'credentials');
    assert.equal(Boolean(operation.requestBody), route.body !== 'none', 'body');

    const named = new Map(operation.parameters.filter((p) => p.name).map((p) => [p.name, p]));
    for (const [name, schema] of Object.entries(operation.requestBody?.content['application/json'].schema.properties ?? {}))
      named.set(name, { name, in: 'body', description: schema.description, schema });
    for (const param of route.params) {
      if (param.name === 'Authorization') continue;
      const have = named.get(param.name);
      assert.ok(have, `parameter ${param.name}`);
      for (const alias of param.aliases ?? []) assert.ok(have.description.includes(alias), `alias ${alias} of ${param.name}`);
      assert.deepEqual([have.schema.type].flat(), param.type.split('|'), `type of ${param.name}`);
      if (param.enum) assert.deepEqual(have.schema.enum, param.enum, `values of ${param.name}`);
      if (param.default !== undefined && param.default !== false) assert.deepEqual(have.schema.default, param.default, `default of ${param.name}`);
    }
    for (const name of contract.session_selectors[route.session]?.id ?? []) {
      const first = contract.session_selectors[route.session].id[0];
      if (!route.path.includes('{sessionId}'))
        assert.ok(name === first ? named.has(name) : named.get(first).description.includes(name), `session parameter ${name}`);
    }

    for (const success of route.success) {
      const bodies = [success.message ?? []].flat();
      for (const text of bodies) assert.ok(texts(operation, success.status).includes(text), `success text "${text}"`);
      if (success.code) assert.ok(texts(operation, success.status).includes(String(success.code)), `code ${success.code}`);
      for (const field of success.fields ?? [])
        assert.ok(hasField(resultSchema(operation, success.status, route.envelope), field), `field ${field}`);
    }
    const errors = [...route.errors, ...(contract.session_selectors[route.session]?.errors ?? [])];
    for (const error of errors) {
      if (/OpenAPI spec/.test(error.message)) continue; // the document is made, it cannot be missing
      assert.ok(texts(operation, error.status).includes(error.message), `error ${error.status} "${error.message}"`);
      if (error.code) assert.ok(texts(operation, error.status).includes(String(error.code)), `error code ${error.code}`);
    }
    for (const set of route.error_sets ?? [])
      for (const error of contract.error_sets[set]) {
        if (set === 'admin' && route.decisions?.includes('D28')) continue; // other keys get a reduced answer
        if (error.body.error === 'DOCS_ACCESS_FAILED') continue; // 503 says the same more plainly
        assert.ok(texts(operation, error.status).includes(error.body.error), `${set}: "${error.body.error}"`);
      }
  });
}

test('every operation behind a key names the scope that the key needs', () => {
  for (const [name, operation] of operations) {
    const scope = operation['x-scope'];
    if (!operation.security.length || operation.security.length === 3) assert.equal(scope, undefined, name);
    else assert.ok(['read', 'send', 'manage', 'admin', 'any'].includes(scope), name);
    // what only looks needs no more than read, unless it is about access itself
    if (name.startsWith('POST /api/v1/messages/send/')) assert.equal(scope, 'send', name);
    if (/ \/api\/v1\/(users|audit|server\/re)/.test(name) && !name.endsWith('/me/password')) assert.equal(scope, 'admin', name);
  }
});

test('every administrative route is in the audit log', () => {
  const rules = new Set([...readFileSync(new URL('../../sessiond/rpc/audit.c', import.meta.url), 'utf8').matchAll(/^\t\{ "([a-z_.]+)"/gm)].map((m) => m[1]));
  assert.ok(rules.has('session.delete'));
  // What changes nothing.
  const looks = ['webhooks.preflight', 'webhook.test', 'webhooks.test', 'proxy.test'];
  for (const [name, operation] of operations) {
    const method = operation.operationId.replace(/\.[a-z]+$/, '');
    if (/^(POST|PUT|PATCH|DELETE) \/api\/(v1\/(session|keys|users|server|webhooks|proxies|campaigns)|webhooks)\b/.test(name) && !looks.includes(method))
      assert.ok(rules.has(method), `${name}: the table in sessiond/rpc/audit.c lacks ${method}`);
  }
});

test('every operation has texts, an id of its own and references that exist', () => {
  const ids = new Set();
  for (const operation of operations.values()) {
    assert.ok(operation.summary && operation.description && operation.tags.length);
    assert.ok(!ids.has(operation.operationId), operation.operationId);
    ids.add(operation.operationId);
  }
  for (const [, ref] of JSON.stringify(openapi).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const found = ref.split('/').reduce((at, name) => at?.[name], openapi);
    assert.ok(found, ref);
  }
});
