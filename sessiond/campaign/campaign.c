/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All campaigns: start and end of the daemon, changes of state, message ids. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/campaign/run.h"
#include "sessiond/crypto/crypto.h"

/* As those that the account's own clients make: 3EB0 and 18 hex digits. */
#define ID_PREFIX "3EB0"
enum { ID_RANDOM_BYTES = 9 };

void campaign_message_id(const char *campaign, const char *jid, char out[SEND_ID_MAX + 1])
{
	uint8_t digest[CRYPTO_SHA256_LEN];
	struct buf text = { 0 };

	buf_printf(&text, "campaign\n%s\n%s", campaign, jid);
	if (crypto_sha256(text.data, text.len, digest))
		abort();
	buf_free(&text);
	memcpy(out, ID_PREFIX, sizeof ID_PREFIX);
	for (size_t i = 0; i < ID_RANDOM_BYTES; i++)
		snprintf(out + sizeof ID_PREFIX - 1 + 2 * i, 3, "%02X", digest[i]);
}

/* ---- changes of state ---- */

/* A state on its way into the store. The row is copied: whoever asked may be gone. */
struct changing {
	struct changing *next;
	struct campaigns *all;
	struct run *run;       /* borrowed, held; NULL: it does not run */
	char *id, *session_id, *name, *reason; /* owned */
	struct store_campaign row;
	unsigned from;
	int64_t counts[STORE_RECIPIENT_STATES];
	int error;
	void (*done)(void *arg, int error);
	void *arg;
};

static void changing_free(struct changing *c)
{
	free(c->id);
	free(c->session_id);
	free(c->name);
	free(c->reason);
	free(c);
}

static void finish(struct changing *c)
{
	struct campaigns *all = c->all;
	struct changing **at = &all->changes;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	if (c->run) {
		c->run->held--;
		/* From here on it holds, whatever the next look at the row will take. */
		if (!c->error && c->row.state != STORE_CAMPAIGN_ACTIVE)
			run_halt(c->run);
	}
	campaigns_look(all, c->id);
	if (c->done)
		c->done(c->arg, c->error);
	changing_free(c);
}

static void stored(void *arg, int error)
{
	struct changing *c = arg;

	c->error = error;
	finish(c);
}

static void count(struct store_reader *reader, void *arg)
{
	struct changing *c = arg;

	c->error = store_campaign_counts(reader, c->row.number, c->counts);
}

static void counted(void *arg)
{
	struct changing *c = arg;
	const struct daemon *daemon = c->all->daemon;
	struct store_tx *tx;

	if (c->error) {
		finish(c);
		return;
	}
	tx = store_tx_new(daemon->store);
	store_tx_campaign_state(tx, c->row.number, c->from, c->row.state, c->reason, timefmt_now_ms());
	tell_event(c->all, tx, &c->row, c->row.state == STORE_CAMPAIGN_DONE ? "campaign_done" : "campaign_update", c->counts);
	async_commit(daemon->loop, daemon->store, tx, stored, c);
}

void campaigns_change(struct campaigns *all, const struct store_campaign *row, unsigned from, enum store_campaign_state to, const char *reason,
		      void (*done)(void *arg, int error), void *arg)
{
	struct changing *c = xcalloc(1, sizeof *c);

	c->all = all;
	c->run = run_find(all, row->id);
	c->id = xstrdup(row->id);
	c->session_id = xstrdup(row->session_id);
	c->name = xstrdup(row->name);
	c->reason = reason ? xstrdup(reason) : NULL;
	c->row = (struct store_campaign){ .number = row->number, .id = c->id, .session = row->session, .session_id = c->session_id, .name = c->name,
		.state = to, .reason = c->reason, .start_ms = row->start_ms };
	c->from = from;
	c->done = done;
	c->arg = arg;
	if (c->run)
		c->run->held++;
	c->next = all->changes;
	all->changes = c;
	async_read(all->daemon->loop, all->daemon->store, count, counted, c);
}

/* ---- start and end ---- */

struct campaigns *campaigns_new(struct daemon *daemon)
{
	struct campaigns *all = xcalloc(1, sizeof *all);

	all->daemon = daemon;
	all->log = log_named(&daemon->log, "campaigns");
	arena_init(&all->arena, 0);
	return all;
}

static void list(struct store_reader *reader, void *arg)
{
	struct campaigns *all = arg;

	all->error = store_campaign_active(reader, &all->arena, &all->active, &all->nactive);
}

static void listed(void *arg)
{
	struct campaigns *all = arg;

	if (all->error)
		log_error(&all->log, "campaigns cannot be read", LOG_STR("reason", store_error_name(all->error)));
	for (size_t i = 0; i < all->nactive && !all->error; i++)
		campaigns_look(all, all->active[i]);
	arena_free(&all->arena);
}

void campaigns_start(struct campaigns *all)
{
	async_read(all->daemon->loop, all->daemon->store, list, listed, all);
}

void campaigns_stop(struct campaigns *all)
{
	all->stopping = true;
	for (struct run *run = all->runs; run; run = run->next)
		run_halt(run);
}

void campaigns_free(struct campaigns *all)
{
	if (!all)
		return;
	while (all->changes) {
		struct changing *c = all->changes;

		all->changes = c->next;
		changing_free(c);
	}
	runs_free(all);
	arena_free(&all->arena);
	free(all);
}
