/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Preflights: one signed request to an address that is not in use yet. */
#include <stdlib.h>

#include "common/mem.h"
#include "common/timefmt.h"
#include "sessiond/webhook/envelope.h"
#include "sessiond/webhook/webhooks.h"

struct preflight {
	struct webhooks *webhooks; /* borrowed */
	struct preflight *next, *prev;
	struct http_call *call;    /* owned */
	void (*done)(void *arg, const struct webhook_preflight *result);
	void *arg;
};

static void preflight_free(struct preflight *preflight)
{
	if (preflight->prev)
		preflight->prev->next = preflight->next;
	else
		preflight->webhooks->preflights = preflight->next;
	if (preflight->next)
		preflight->next->prev = preflight->prev;
	free(preflight);
}

static void on_answer(void *arg, const struct http_answer *answer)
{
	struct preflight *preflight = arg;
	struct webhook_preflight result = {
		.ok = verdict_of(answer->error, answer->status) == VERDICT_DELIVERED,
		.status = answer->status,
		.error = answer->error != HTTP_OK ? answer->text : NULL,
		.round_trip_ms = answer->round_trip_ms,
	};

	preflight->done(preflight->arg, &result);
	preflight_free(preflight);
}

void webhooks_preflight(struct webhooks *webhooks, const struct webhook_subject *subject, const struct webhook_trial *trial,
                        void (*done)(void *arg, const struct webhook_preflight *result), void *arg)
{
	const struct webhook_options *options = &webhooks->options;
	struct preflight *preflight = xcalloc(1, sizeof(*preflight));
	const char *lines[ENVELOPE_HEADERS_MAX];
	struct buf body = { 0 };
	struct arena arena;
	int64_t ts_ms = timefmt_now_ms();
	int count;

	preflight->webhooks = webhooks;
	preflight->done = done;
	preflight->arg = arg;
	preflight->next = webhooks->preflights;
	if (preflight->next)
		preflight->next->prev = preflight;
	webhooks->preflights = preflight;
	arena_init(&arena, 0);
	envelope_body(&body, "preflight", span_text("{\"ping\":true}"), ts_ms, subject);
	struct envelope_head head = { .event = "preflight", .body = buf_span(&body), .ts_ms = ts_ms, .now_ms = ts_ms, .subject = subject, .secret = trial->secret,
		.next_secret = trial->next_secret, .headers = trial->headers, .bits = trial->bits ? trial->bits : options->signature_bits, .version = options->version };
	count = envelope_headers(&arena, &head, lines);
	struct http_request request = { .url = trial->url, .headers = lines, .header_count = count > 0 ? (size_t)count : 0, .body = buf_span(&body),
		.timeout_ms = options->preflight_timeout_ms, .max_answer = 0, .guard = options->guard, .follow = true, .http2 = true };

	if (webhooks->stopping || count <= 0 || http_send(&preflight->call, options->net, &request, on_answer, preflight) != 0) {
		struct webhook_preflight result = { .error = webhooks->stopping ? "the server is stopping" : "no memory for a request" };

		done(arg, &result);
		preflight_free(preflight);
	}
	buf_free(&body);
	arena_free(&arena);
}

void preflight_cancel_all(struct webhooks *webhooks)
{
	struct webhook_preflight result = { .error = "the server is stopping" };
	struct preflight *next, *list = webhooks->preflights;

	webhooks->preflights = NULL;
	for (struct preflight *preflight = list; preflight; preflight = next) {
		next = preflight->next;
		http_cancel(&preflight->call);
		preflight->done(preflight->arg, &result);
		free(preflight);
	}
}
