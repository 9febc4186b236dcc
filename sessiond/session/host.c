/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the protocol library asks of the daemon: a connection, a clock, random bytes, stored records, a timer, other threads. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/crash.h"
#include "sessiond/daemon.h"
#include "sessiond/session/lookup.h"
#include "sessiond/session/object.h"

/* ---- connection ---- */

static void link_free(struct link *link)
{
	struct session_loop *on = link->on;

	if (link->prev)
		link->prev->next = link->next;
	else
		on->links = link->next;
	if (link->next)
		link->next->prev = link->prev;
	ws_free(&link->ws);
	free(link);
}

static void on_ws_opened(void *arg)
{
	struct link *link = arg;

	if (!link->session)
		return;
	link->session->online = true;
	wa_client_opened(link->session->client);
}

static void on_ws_data(void *arg, const uint8_t *bytes, size_t len)
{
	struct link *link = arg;

	if (!link->session)
		return;
	link->on->daemon->metrics.rx_bytes += (long long)len;
	link->session->view.last_rx_ms = timefmt_now_ms();
	wa_client_input(link->session->client, bytes, len);
}

static void on_ws_closed(void *arg, const struct ws_end *end)
{
	struct link *link = arg;
	struct session *session = link->session;
	bool opened = session && session->online;

	if (session) {
		session->link = NULL;
		session->online = false;
	}
	link->session = NULL;
	if (session && opened) {
		wa_client_closed(session->client, end->text);
	} else if (session) {
		const struct wa_close why = { .reaction = WA_RECONNECT_BACKOFF, .code = 408, .reason = end->text };

		/* The server was reached, and is no WebSocket server at the moment. */
		if (end->reason == WS_END_UPGRADE)
			session_free_slot(session, DIAL_GOOD, NULL);
		session_on_close(session, &why);
	}
	link_free(link);
}

static const struct ws_handlers handlers = { on_ws_opened, on_ws_data, on_ws_closed };

int session_dial(struct session *session, const char *proxy)
{
	struct session_loop *on = session->on;
	struct link *link = xcalloc(1, sizeof *link);
	const struct ws_options options = {
		.url = on->daemon->config->wa_url,
		.origin = "https://web.whatsapp.com",
		.proxy = proxy && proxy[0] ? proxy : NULL,
	};
	int error;

	link->on = on;
	link->session = session;
	link->next = on->links;
	if (link->next)
		link->next->prev = link;
	on->links = link;
	session->online = false;
	session->link = link;
	error = ws_open(&link->ws, on->net, &options, &handlers, link);
	if (error) {
		session->link = NULL;
		link_free(link);
	}
	return error;
}

void session_hang_up(struct session *session)
{
	struct link *link = session->link;

	session->link = NULL;
	session->online = false;
	if (!link)
		return;
	link->session = NULL;
	ws_close(link->ws, 1000);
}

void session_loop_drop_links(struct session_loop *on)
{
	struct link *next;

	for (struct link *link = on->links; link; link = next) {
		next = link->next;
		if (link->session)
			link->session->link = NULL;
		ws_free(&link->ws);
		free(link);
	}
	on->links = NULL;
}

static void host_send(void *ctx, const uint8_t *bytes, size_t n)
{
	struct session *session = ctx;

	if (!session->link || !session->online)
		return;
	session->on->daemon->metrics.tx_bytes += (long long)n;
	ws_send(session->link->ws, bytes, n);
}

static void host_close(void *ctx, const struct wa_close *why)
{
	struct session *session = ctx;

	session_hang_up(session);
	session_on_close(session, why);
}

/* ---- clock and random ---- */

static int64_t host_wall_ms(void *ctx)
{
	(void)ctx;
	return timefmt_now_ms();
}

static int64_t host_mono_ms(void *ctx)
{
	(void)ctx;
	return timefmt_monotonic_ms();
}

/* One system call serves many small wishes; what was handed out is wiped. */
void session_random(struct session_loop *on, void *out, size_t n)
{
	uint8_t *to = out;

	while (n > 0) {
		size_t take = n < on->random_left ? n : on->random_left;
		unsigned char *from = on->random + sizeof on->random - on->random_left;

		memcpy(to, from, take);
		memset(from, 0, take);
		on->random_left -= take;
		to += take;
		n -= take;
		if (n == 0)
			break;
		if (getentropy(on->random, 256) || getentropy(on->random + 256, 256))
			abort();
		on->random_left = sizeof on->random;
	}
}

double session_random01(struct session_loop *on)
{
	uint32_t bits = 0;

	session_random(on, &bits, sizeof bits);
	return (double)bits / 4294967296.0;
}

static void host_random(void *ctx, void *out, size_t n)
{
	struct session *session = ctx;

	session_random(session->on, out, n);
}

/* ---- timer ---- */

static void wake(void *arg)
{
	struct session *session = arg;

	wa_client_tick(session->client);
}

static void host_timer(void *ctx, int64_t at_ms)
{
	struct session *session = ctx;

	if (at_ms == INT64_MAX)
		timer_stop(session->on->timers, &session->wake);
	else
		timer_start(session->on->timers, &session->wake, at_ms, wake, session);
}

/* ---- records ---- */

struct fetch {
	struct session *session;
	uint64_t life, token;
	int64_t number;
	struct store_record_key *keys; /* in the arena, n of them */
	struct span *values;           /* in the arena */
	size_t n;
	struct lookup_account who;
	int error;
	struct arena arena;
};

static void fetch_read(struct store_reader *reader, void *arg)
{
	struct fetch *f = arg;

	for (size_t i = 0; i < f->n && !f->error; i++) {
		if (f->keys[i].kind == WA_RECORD_MESSAGE)
			f->error = lookup_record(reader, &f->arena, &f->who, f->keys[i].name, &f->values[i]);
		else if (f->keys[i].kind == WA_RECORD_SENT && !strchr(f->keys[i].name, '/'))
			f->error = lookup_sent(reader, &f->arena, f->number, f->keys[i].name, &f->values[i]);
		else
			f->error = store_record_get(reader, &f->arena, f->number, &f->keys[i], 1, &f->values[i]);
	}
}

static void fetch_done(void *arg)
{
	struct fetch *f = arg;
	struct session *session = f->session;

	if (f->error)
		log_error(&session->log, "records cannot be read", LOG_STR("session", session->id), LOG_STR("reason", store_error_name(f->error)));
	if (session->client && session->life == f->life)
		wa_client_fetched(session->client, f->token, f->values, f->n, f->error != 0);
	arena_free(&f->arena);
	free(f);
	session->busy--;
	session_released(session);
}

static void host_fetch(void *ctx, const struct wa_key *keys, size_t n, uint64_t token)
{
	struct session *session = ctx;
	struct fetch *f = xcalloc(1, sizeof *f);

	f->session = session;
	f->life = session->life;
	f->token = token;
	f->number = session->number;
	f->who = (struct lookup_account){ .session = session->number, .pn = session->view.me_pn, .lid = session->view.me_lid };
	f->n = n;
	arena_init(&f->arena, 0);
	f->keys = arena_alloc(&f->arena, n * sizeof *f->keys + 1);
	f->values = arena_alloc(&f->arena, n * sizeof *f->values + 1);
	for (size_t i = 0; i < n; i++) {
		f->keys[i].kind = (int)keys[i].kind;
		f->keys[i].name = arena_strdup(&f->arena, keys[i].name);
	}
	session->busy++;
	async_read(session->on->loop, session->on->daemon->store, fetch_read, fetch_done, f);
}

static void host_commit(void *ctx, struct wa_batch *batch, uint64_t token)
{
	session_commit(ctx, batch, token);
}

static void host_event(void *ctx, const struct wa_event *event)
{
	session_on_event(ctx, event);
}

/* ---- what is being decoded ---- */

static void host_decoding(void *ctx, const char *name)
{
	struct session *session = ctx;

	crash_decoding(session->on->daemon->crash, session->on->index, session->id, name);
}

/* ---- other threads ---- */

struct offload {
	struct session *session;
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

static void offload_work(void *arg)
{
	struct offload *o = arg;

	o->work(o->arg);
}

/* The client of the call still lives: it is not replaced while the session is busy. */
static void offload_done(void *arg)
{
	struct offload *o = arg;
	struct session *session = o->session;

	o->done(o->arg);
	free(o);
	session->busy--;
	session_released(session);
}

static void host_offload(void *ctx, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	struct session *session = ctx;
	struct offload *o = xmalloc(sizeof *o);

	*o = (struct offload){ .session = session, .work = work, .done = done, .arg = arg };
	session->busy++;
	if (loop_offload(session->on->loop, offload_work, offload_done, o))
		abort();
}

static void host_blob(void *ctx, const struct wa_blob *blob, uint64_t token)
{
	session_blob(ctx, blob, token);
}

const struct wa_host session_host = {
	.wall_ms = host_wall_ms,
	.mono_ms = host_mono_ms,
	.random = host_random,
	.send = host_send,
	.close = host_close,
	.timer = host_timer,
	.fetch = host_fetch,
	.commit = host_commit,
	.event = host_event,
	.decoding = host_decoding,
	.offload = host_offload,
	.blob = host_blob,
};
