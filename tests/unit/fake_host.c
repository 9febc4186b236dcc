/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See fake_host.h. */
#include "tests/unit/fake_host.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "common/mem.h"

static int64_t host_wall(void *ctx)
{
	return ((struct fake_host *)ctx)->wall_ms;
}

static int64_t host_mono(void *ctx)
{
	return ((struct fake_host *)ctx)->mono_ms;
}

static void host_random(void *ctx, void *out, size_t n)
{
	(void)ctx;
	if (RAND_bytes(out, (int)n) != 1)
		abort();
}

static void host_send(void *ctx, const uint8_t *bytes, size_t n)
{
	struct fake_host *h = ctx;

	h->sent = xrealloc(h->sent, (h->nsent + 1) * sizeof *h->sent);
	h->sent[h->nsent] = (struct buf){ 0 };
	buf_append(&h->sent[h->nsent++], bytes, n);
}

static void host_close(void *ctx, const struct wa_close *why)
{
	struct fake_host *h = ctx;

	h->closes++;
	h->last_close = *why;
}

static void host_timer(void *ctx, int64_t at_ms)
{
	((struct fake_host *)ctx)->timer_ms = at_ms;
}

static void answer_later(struct fake_host *h, struct fake_answer answer)
{
	struct fake_answer *a = xmemdup(&answer, sizeof answer);

	if (h->last_answer != NULL)
		h->last_answer->next = a;
	else
		h->answers = a;
	h->last_answer = a;
}

static void host_fetch(void *ctx, const struct wa_key *keys, size_t n, uint64_t token)
{
	struct fake_host *h = ctx;
	struct wa_key *copy = xcalloc(n + 1, sizeof *copy);

	for (size_t i = 0; i < n; i++)
		copy[i] = (struct wa_key){ .kind = keys[i].kind, .name = xstrdup(keys[i].name) };
	h->fetched_keys += n;
	answer_later(h, (struct fake_answer){ .token = token, .keys = copy, .n = n });
}

static void host_commit(void *ctx, struct wa_batch *batch, uint64_t token)
{
	answer_later(ctx, (struct fake_answer){ .token = token, .batch = batch });
}

static void host_event(void *ctx, const struct wa_event *event)
{
	(void)event;
	((struct fake_host *)ctx)->volatile_events++;
}

static void host_offload(void *ctx, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	(void)ctx;
	work(arg);
	done(arg);
}

void fake_host_init(struct fake_host *h)
{
	*h = (struct fake_host){
		.host = {
			.wall_ms = host_wall, .mono_ms = host_mono, .random = host_random, .send = host_send, .close = host_close,
			.timer = host_timer, .fetch = host_fetch, .commit = host_commit, .event = host_event, .offload = host_offload,
		},
		.wall_ms = 1767225600000,
		.mono_ms = 1000,
		.timer_ms = INT64_MAX,
	};
}

static void answer_free(struct fake_answer *a)
{
	for (size_t i = 0; i < a->n; i++)
		free((void *)(uintptr_t)a->keys[i].name);
	free(a->keys);
	wa_batch_free(a->batch);
	free(a);
}

void fake_host_crash(struct fake_host *h)
{
	while (h->answers != NULL) {
		struct fake_answer *a = h->answers;

		h->answers = a->next;
		answer_free(a);
	}
	h->last_answer = NULL;
}

void fake_host_free(struct fake_host *h)
{
	fake_host_crash(h);
	for (size_t i = 0; i < h->nrecords; i++) {
		free(h->records[i].name);
		buf_free(&h->records[i].value);
	}
	for (size_t i = 0; i < h->nevents; i++)
		wa_event_free(h->events[i]);
	for (size_t i = 0; i < h->nsent; i++)
		buf_free(&h->sent[i]);
	free(h->records);
	free(h->events);
	free(h->sent);
	*h = (struct fake_host){ 0 };
}

struct fake_record *fake_host_find(struct fake_host *h, enum wa_record_kind kind, const char *name)
{
	for (size_t i = 0; i < h->nrecords; i++)
		if (h->records[i].kind == kind && strcmp(h->records[i].name, name) == 0)
			return &h->records[i];
	return NULL;
}

void fake_host_put(struct fake_host *h, enum wa_record_kind kind, const char *name, struct span value)
{
	struct fake_record *r = fake_host_find(h, kind, name);

	if (r == NULL) {
		if (h->nrecords == h->cap_records) {
			h->cap_records = h->cap_records == 0 ? 64 : h->cap_records * 2;
			h->records = xrealloc(h->records, h->cap_records * sizeof *h->records);
		}
		r = &h->records[h->nrecords++];
		*r = (struct fake_record){ .kind = kind, .name = xstrdup(name) };
	}
	buf_clear(&r->value);
	buf_append_span(&r->value, value);
}

static void remove_record(struct fake_host *h, enum wa_record_kind kind, const char *name)
{
	struct fake_record *r = fake_host_find(h, kind, name);

	if (r == NULL)
		return;
	free(r->name);
	buf_free(&r->value);
	*r = h->records[--h->nrecords];
}

size_t fake_host_count(const struct fake_host *h, enum wa_record_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < h->nrecords; i++)
		n += h->records[i].kind == kind;
	return n;
}

static void store_batch(struct fake_host *h, struct wa_batch *batch)
{
	for (size_t i = 0; i < batch->nputs; i++) {
		if (batch->puts[i].absent)
			remove_record(h, batch->puts[i].kind, batch->puts[i].name);
		else
			fake_host_put(h, batch->puts[i].kind, batch->puts[i].name, buf_span(&batch->puts[i].value));
	}
	h->events = xrealloc(h->events, (h->nevents + batch->nevents + 1) * sizeof(struct wa_event *));
	for (size_t i = 0; i < batch->nevents; i++)
		h->events[h->nevents++] = batch->events[i];
	batch->nevents = 0;
	h->commits++;
}

static void give_fetch(struct fake_host *h, const struct fake_answer *a)
{
	struct span *values = xcalloc(a->n + 1, sizeof *values);

	for (size_t i = 0; i < a->n; i++) {
		struct fake_record *r = fake_host_find(h, a->keys[i].kind, a->keys[i].name);

		if (r != NULL)
			values[i] = span_of(r->value.data != NULL ? r->value.data : (const uint8_t *)"", r->value.len);
	}
	h->fetched(h->to, a->token, values, a->n, h->fail_fetches);
	free(values);
}

bool fake_host_step(struct fake_host *h)
{
	struct fake_answer *a = h->answers;

	if (a == NULL)
		return false;
	h->answers = a->next;
	if (h->answers == NULL)
		h->last_answer = NULL;
	if (a->batch == NULL) {
		give_fetch(h, a);
	} else {
		if (!h->fail_commits)
			store_batch(h, a->batch);
		h->committed(h->to, a->token, !h->fail_commits);
	}
	answer_free(a);
	return true;
}

void fake_host_run(struct fake_host *h)
{
	while (fake_host_step(h))
		;
}

struct wa_event *fake_host_event(const struct fake_host *h, enum wa_event_kind kind, size_t n)
{
	for (size_t i = 0; i < h->nevents; i++)
		if (h->events[i]->kind == kind && n-- == 0)
			return h->events[i];
	return NULL;
}

size_t fake_host_events(const struct fake_host *h, enum wa_event_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < h->nevents; i++)
		n += h->events[i]->kind == kind;
	return n;
}
