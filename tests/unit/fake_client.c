/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See fake_client.h. */
#include "tests/unit/fake_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* ---- stanzas ---- */

const struct wa_node *wa_stanza_node(const struct wa_stanza *stanza)
{
	return stanza->node;
}

struct arena *wa_stanza_arena(struct wa_stanza *stanza)
{
	return &stanza->arena;
}

bool wa_stanza_live(const struct wa_client *client, const struct wa_stanza *stanza)
{
	(void)stanza;
	return client->connected;
}

void wa_stanza_release(struct wa_client *client, struct wa_stanza *stanza)
{
	(void)client;
	if (stanza->released || stanza->done)
		abort();
	stanza->released = true;
}

void wa_stanza_done(struct wa_client *client, struct wa_stanza *stanza)
{
	(void)client;
	if (stanza->done)
		abort();
	stanza->done = true;
}

void wa_client_ack(struct wa_client *client, const struct wa_node *stanza, int error)
{
	struct arena a;
	struct wa_node *ack;

	arena_init(&a, 0);
	ack = wa_node_new(&a, "ack");
	wa_node_attr(&a, ack, "class", stanza->tag);
	wa_node_attr_copy(&a, ack, "id", stanza, "id");
	wa_node_attr_copy(&a, ack, "to", stanza, "from");
	if (error != 0)
		wa_node_attr_u64(&a, ack, "error", (uint64_t)error);
	wa_client_write(client, ack);
	arena_free(&a);
}

void wa_stanza_ack(struct wa_client *client, struct wa_stanza *stanza, int error)
{
	if (client->connected)
		wa_client_ack(client, stanza->node, error);
}

/* ---- writing ---- */

static void keep(struct wa_client *client, struct wa_node *node)
{
	client->written = xrealloc(client->written, (client->nwritten + 1) * sizeof(struct wa_node *));
	client->written[client->nwritten++] = node;
}

bool wa_client_write(struct wa_client *client, const struct wa_node *node)
{
	if (client->connected)
		keep(client, wa_node_clone(&client->written_arena, node));
	return client->connected;
}

bool wa_client_write_bytes(struct wa_client *client, struct span encoded_node)
{
	struct wa_node *node;

	if (!client->connected)
		return false;
	if (wa_node_decode(&client->written_arena, encoded_node, &node) != WA_NODE_OK)
		abort();
	keep(client, node);
	return true;
}

void wa_client_iq(struct wa_client *client, struct arena *a, struct wa_node *iq, wa_iq_done *done, void *arg)
{
	struct fake_iq *entry = xcalloc(1, sizeof *entry);

	(void)a;
	arena_init(&entry->arena, 0);
	entry->node = wa_node_clone(&entry->arena, iq);
	entry->done = done;
	entry->arg = arg;
	if (client->last_iq != NULL)
		client->last_iq->next = entry;
	else
		client->iqs = entry;
	client->last_iq = entry;
}

bool fake_client_answer(struct wa_client *client, const struct wa_node *answer)
{
	struct fake_iq *iq = client->iqs;

	if (iq == NULL)
		return false;
	client->iqs = iq->next;
	if (client->iqs == NULL)
		client->last_iq = NULL;
	iq->done(client, answer, iq->arg);
	arena_free(&iq->arena);
	free(iq);
	return true;
}

bool wa_iq_ok(const struct wa_node *answer, int *code, const char **text)
{
	bool ok = wa_node_get_is(answer, "type", "result");
	uint64_t number = answer == NULL ? 408 : 0;

	if (answer != NULL && !ok)
		wa_node_get_u64(wa_node_child(answer, "error"), "code", &number);
	if (code != NULL)
		*code = number > INT32_MAX ? 0 : (int)number;
	if (text != NULL)
		*text = ok || answer == NULL ? "" : wa_node_get_or_empty(wa_node_child(answer, "error"), "text");
	return ok;
}

struct wa_node *wa_iq_new(struct arena *a, const char *type, const char *xmlns)
{
	struct wa_node *iq = wa_node_new(a, "iq");

	wa_node_attr_server(a, iq, "to");
	wa_node_attr(a, iq, "type", type);
	wa_node_attr(a, iq, "xmlns", xmlns);
	return iq;
}

void wa_client_close(struct wa_client *client, const struct wa_close *why)
{
	client->host->host.close(client->host, why);
}

void wa_client_event(struct wa_client *client, const struct wa_event *event)
{
	client->host->host.event(client->host, event);
}

void wa_client_warn(struct wa_client *client, int code, const char *text)
{
	(void)code;
	(void)text;
	client->warnings++;
}

/* ---- time ---- */

void wa_timer_stop(struct wa_client *client, struct wa_timer *timer)
{
	for (struct wa_timer **at = &client->timers; *at != NULL; at = &(*at)->next) {
		if (*at != timer)
			continue;
		*at = timer->next;
		break;
	}
	timer->fn = NULL;
	timer->next = NULL;
}

void wa_timer_start(struct wa_client *client, struct wa_timer *timer, int64_t at_ms, wa_timer_fn *fn, void *arg)
{
	wa_timer_stop(client, timer);
	*timer = (struct wa_timer){ .next = client->timers, .at_ms = at_ms, .fn = fn, .arg = arg };
	client->timers = timer;
}

static bool run_timer(struct wa_client *client)
{
	for (struct wa_timer *t = client->timers; t != NULL; t = t->next) {
		wa_timer_fn *fn = t->fn;
		void *arg = t->arg;

		if (t->at_ms > client->host->mono_ms)
			continue;
		wa_timer_stop(client, t);
		fn(client, arg);
		return true;
	}
	return false;
}

int64_t wa_client_mono_ms(const struct wa_client *client)
{
	return client->host->mono_ms;
}

int64_t wa_client_wall_ms(const struct wa_client *client)
{
	return client->host->wall_ms;
}

int64_t wa_client_server_offset_ms(const struct wa_client *client)
{
	(void)client;
	return 0;
}

void wa_client_random(const struct wa_client *client, void *out, size_t n)
{
	client->host->host.random(client->host, out, n);
}

void wa_client_offload(struct wa_client *client, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	client->host->host.offload(client->host, work, done, arg);
}

void wa_client_set_push_name(struct wa_client *client, struct state_op *op, const char *push_name)
{
	struct wa_event *event = wa_event_new(WA_EVENT_PROFILE);

	(void)client;
	event->text = xstrdup(push_name);
	state_op_event(op, event);
}

/* ---- parts ---- */

const struct wa_host *wa_client_host(const struct wa_client *client)
{
	return &client->host->host;
}

void *wa_client_host_ctx(const struct wa_client *client)
{
	return client->host;
}

const struct wa_config *wa_client_config(const struct wa_client *client)
{
	return &client->config;
}

struct wa_state *wa_client_state(const struct wa_client *client)
{
	return client->state;
}

struct wa_messaging *wa_client_messaging(const struct wa_client *client)
{
	return client->messaging;
}

struct signal_env *wa_client_signal(const struct wa_client *client)
{
	return client->signal;
}

struct curve_signer *wa_client_signer(const struct wa_client *client)
{
	return client->signer;
}

const struct wa_creds *wa_client_creds(const struct wa_client *client)
{
	return &client->creds;
}

const struct jid *wa_client_own_pn(const struct wa_client *client)
{
	return &client->creds.pn;
}

const struct jid *wa_client_own_lid(const struct wa_client *client)
{
	return &client->creds.lid;
}

bool wa_client_is_open(const struct wa_client *client)
{
	return client->connected;
}

static void put_pair(struct fake_host *host, uint32_t id, const struct curve_pair *pair)
{
	char name[12];

	snprintf(name, sizeof name, "%u", (unsigned)id);
	fake_host_put(host, WA_RECORD_PREKEY, name, span_of(pair, sizeof *pair));
}

int wa_prekeys_take(struct wa_client *client, struct state_op *op, uint32_t *id, uint8_t public_key[CURVE_KEY_LEN])
{
	struct curve_pair pair;
	uint8_t random[CURVE_KEY_LEN];
	char name[12];

	wa_client_random(client, random, sizeof random);
	if (curve_pair_from_random(random, &pair) != 0)
		return -1;
	*id = client->next_prekey++;
	snprintf(name, sizeof name, "%u", (unsigned)*id);
	state_op_put(op, WA_RECORD_PREKEY, name, span_of(&pair, sizeof pair));
	memcpy(public_key, pair.public_key, CURVE_KEY_LEN);
	return 0;
}

/* ---- life ---- */

static void to_fetched(void *to, uint64_t token, const struct span *values, size_t n, bool error)
{
	wa_state_fetched(((struct wa_client *)to)->state, token, values, n, error);
}

static void to_committed(void *to, uint64_t token, bool ok)
{
	wa_state_committed(((struct wa_client *)to)->state, token, ok);
}

static struct wa_client *client_new(struct fake_host *host)
{
	struct wa_client *client = xcalloc(1, sizeof *client);

	client->host = host;
	client->config.cache_bytes = 1U << 20;
	client->state = wa_state_new(&host->host, host, client->config.cache_bytes, NULL, NULL);
	client->signal = wa_signal_env_new();
	client->signer = curve_signer_new();
	client->next_prekey = 1000;
	arena_init(&client->written_arena, 0);
	host->to = client;
	host->fetched = to_fetched;
	host->committed = to_committed;
	client->messaging = wa_messaging_new(client);
	return client;
}

static void put_signed_prekey(struct fake_host *host, const struct signed_prekey *key)
{
	struct buf record = { 0 };
	char name[12];

	buf_append(&record, &key->pair, sizeof key->pair);
	buf_append(&record, key->signature, sizeof key->signature);
	buf_be64(&record, (uint64_t)key->created_ms);
	snprintf(name, sizeof name, "%u", (unsigned)key->id);
	fake_host_put(host, WA_RECORD_SIGNED_PREKEY, name, buf_span(&record));
	buf_free(&record);
}

struct wa_client *fake_client_new(struct fake_host *host, const char *pn, const char *lid, unsigned prekeys)
{
	struct wa_client *client = client_new(host);
	struct curve_pair pair;
	uint8_t random[CURVE_KEY_LEN];

	if (creds_generate(&client->creds, client->signer, host->host.random, host, host->wall_ms) != 0 ||
	    jid_parse_text(&client->creds.pn, pn) != 0 || jid_parse_text(&client->creds.lid, lid) != 0)
		abort();
	buf_append_text(&client->creds.account, "proof");
	put_signed_prekey(host, &client->creds.signed_prekey);
	for (unsigned i = 1; i <= prekeys; i++) {
		wa_client_random(client, random, sizeof random);
		if (curve_pair_from_random(random, &pair) != 0)
			abort();
		put_pair(host, i, &pair);
	}
	return client;
}

struct wa_client *fake_client_again(struct fake_host *host, const struct wa_creds *creds)
{
	struct wa_client *client = client_new(host);
	struct buf stored = { 0 };

	creds_write(creds, &stored);
	if (creds_read(&client->creds, buf_span(&stored)) != 0)
		abort();
	buf_wipe(&stored);
	return client;
}

static void free_done_stanzas(struct wa_client *client, bool all)
{
	struct wa_stanza **at = &client->stanzas;

	while (*at != NULL) {
		struct wa_stanza *s = *at;

		if (!s->done && !all) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		arena_free(&s->arena);
		free(s);
	}
}

void fake_client_free(struct wa_client *client)
{
	fake_client_disconnect(client);
	wa_messaging_free(client->messaging);
	free_done_stanzas(client, true);
	wa_state_free(client->state);
	wa_signal_env_free(client->signal);
	curve_signer_free(client->signer);
	creds_free(&client->creds);
	arena_free(&client->written_arena);
	free(client->written);
	free(client);
}

void fake_client_connect(struct wa_client *client)
{
	client->connected = true;
	wa_messaging_opened(client->messaging);
	fake_client_run(client);
}

void fake_client_disconnect(struct wa_client *client)
{
	bool was = client->connected;

	client->connected = false;
	while (fake_client_answer(client, NULL))
		;
	if (was)
		wa_messaging_closed(client->messaging);
}

bool fake_client_step(struct wa_client *client)
{
	return fake_host_step(client->host) || run_timer(client);
}

void fake_client_run(struct wa_client *client)
{
	while (fake_client_step(client))
		;
	free_done_stanzas(client, false);
}

void fake_client_receive(struct wa_client *client, wa_stanza_handler *handler, const struct wa_node *node)
{
	struct wa_stanza *stanza = xcalloc(1, sizeof *stanza);

	arena_init(&stanza->arena, 0);
	stanza->node = wa_node_clone(&stanza->arena, node);
	stanza->next = client->stanzas;
	client->stanzas = stanza;
	handler(client, stanza);
}

const struct wa_node *fake_client_written(const struct wa_client *client, const char *tag, size_t n)
{
	for (size_t i = 0; i < client->nwritten; i++)
		if (wa_node_is(client->written[i], tag) && n-- == 0)
			return client->written[i];
	return NULL;
}

size_t fake_client_count(const struct wa_client *client, const char *tag)
{
	size_t n = 0;

	for (size_t i = 0; i < client->nwritten; i++)
		n += wa_node_is(client->written[i], tag);
	return n;
}
