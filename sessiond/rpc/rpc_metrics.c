/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * server.metrics: what a monitoring system wants to know, in the text format of Prometheus. Counters are kept as plain numbers where things
 * happen; everything is put together only when somebody asks.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/memfile.h"
#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/media/media.h"
#include "sessiond/rpc/live.h"
#include "sessiond/rpc/metrics_text.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/messagekind.h"
#include "sessiond/session/session.h"
#include "sessiond/storage/storage.h"
#include "sessiond/store/campaigns.h"
#include "sessiond/webhook/webhook.h"

#define TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct gathering {
	struct rpc_request *request; /* borrowed */
	struct arena arena;
	struct store_figures figures;
	int64_t now_ms;
	int error;
};

static void free_gathering(void *arg)
{
	struct gathering *g = arg;

	arena_free(&g->arena);
	free(g);
}

static void read_figures(struct store_reader *reader, void *arg)
{
	struct gathering *g = arg;

	g->error = store_figures(reader, &g->arena, g->now_ms, &g->figures);
}

/* ---- the process ---- */

/* The second number of statm, in pages. */
static double resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	char line[128] = "", *end = line;
	long long pages = 0;

	if (file && fgets(line, sizeof line, file)) {
		(void)strtoll(line, &end, 10);
		pages = strtoll(end, NULL, 10);
	}
	if (file)
		fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	double n = -3; /* ".", ".." and the folder's own */

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n < 0 ? 0 : n;
}

static void put_process(struct buf *out, const struct daemon *daemon)
{
	struct rusage usage;
	double cpu = 0;

	if (getrusage(RUSAGE_SELF, &usage) == 0)
		cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	metric_family(out, "warest_build_info", "gauge", "Version of the daemon, as a label");
	metric_labelled(out, "warest_build_info", 1, "version", daemon->version, (const char *)NULL);
	metric_one(out, "warest_uptime_seconds", "gauge", "Since the daemon's start", (double)(timefmt_monotonic_ms() - daemon->started_mono_ms) / 1000);
	metric_one(out, "process_resident_memory_bytes", "gauge", "Memory of the daemon", resident_bytes());
	metric_one(out, "process_cpu_seconds_total", "counter", "Processor time of the daemon", cpu);
	metric_one(out, "process_open_fds", "gauge", "Open descriptors of the daemon", open_descriptors());
}

/* ---- sessions and messages ---- */

static void count_status(struct session_entry *entry, void *arg)
{
	int64_t *counts = arg;

	counts[entry->view.status]++;
}

static void put_sessions(struct buf *out, const struct daemon *daemon)
{
	int64_t counts[SESSION_STATUS_COUNT] = { 0 };

	sessions_each(daemon->sessions, count_status, counts);
	metric_family(out, "warest_sessions", "gauge", "Sessions by state");
	for (int i = 0; i < SESSION_STATUS_COUNT; i++)
		metric_labelled(out, "warest_sessions", (double)counts[i], "state", session_status_name((enum session_status)i), (const char *)NULL);
}

static void put_kinds(struct buf *out, const struct metrics *m)
{
	const struct {
		const char *direction, *outcome;
		const atomic_llong *counts;
	} rows[] = { { "in", "decrypted", m->in_kinds }, { "out", "acked", m->acked_kinds }, { "out", "failed", m->failed_kinds } };

	metric_family(out, "warest_messages_by_kind_total", "counter", "Messages by direction, kind and outcome; change is an edit, a revocation or a pin");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int kind = 0; kind < KIND_COUNT; kind++)
			metric_labelled(out, "warest_messages_by_kind_total", (double)rows[i].counts[kind], "direction", rows[i].direction, "kind",
					message_kind_name((enum message_kind)kind), "outcome", rows[i].outcome, (const char *)NULL);
}

static void put_messages(struct buf *out, const struct metrics *m)
{
	const struct {
		const char *direction, *outcome;
		long long count;
	} rows[] = {
		{ "in", "decrypted", m->decrypted }, { "in", "undecryptable", m->undecryptable },
		{ "out", "sent", m->sent },          { "out", "acked", m->acked },
		{ "out", "failed", m->send_failed }, { "out", "retried", m->retries },
	};

	metric_family(out, "warest_messages_total", "counter",
		      "Messages by direction and what became of them: sent left, acked was taken by WhatsApp, retried was asked for once more by a recipient");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		metric_labelled(out, "warest_messages_total", (double)rows[i].count, "direction", rows[i].direction, "outcome", rows[i].outcome, (const char *)NULL);
	put_kinds(out, m);
	metric_one(out, "warest_websocket_received_bytes_total", "counter", "From WhatsApp", (double)m->rx_bytes);
	metric_one(out, "warest_websocket_sent_bytes_total", "counter", "To WhatsApp", (double)m->tx_bytes);
}

static void put_queue(struct buf *out, const struct gathering *g)
{
	const struct store_figures *f = &g->figures;
	double age = f->due_oldest_ms && f->due_oldest_ms < g->now_ms ? (double)(g->now_ms - f->due_oldest_ms) / 1000 : 0;

	metric_family(out, "warest_outbox_messages", "gauge", "Messages that WhatsApp has not taken yet: due now, or scheduled for later");
	metric_labelled(out, "warest_outbox_messages", (double)f->due, "state", "due", (const char *)NULL);
	metric_labelled(out, "warest_outbox_messages", (double)f->scheduled, "state", "scheduled", (const char *)NULL);
	metric_one(out, "warest_outbox_oldest_seconds", "gauge", "Age of the oldest message that is due", age);
}

static void put_queue_counts(struct buf *out, const struct metrics *m)
{
	const struct {
		const char *outcome;
		long long count;
	} rows[] = { { "queued", m->queued }, { "full", m->queue_full }, { "retried", m->queue_retried }, { "timed_out", m->queue_timed_out }, { "restricted", m->queue_restricted } };

	metric_family(out, "warest_send_queue_total", "counter",
		      "Messages that send queues took (queued) or had no room for (full), and attempts that were repeated, took too long, or met a restriction of the account");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		metric_labelled(out, "warest_send_queue_total", (double)rows[i].count, "outcome", rows[i].outcome, (const char *)NULL);
}

static void put_campaigns(struct buf *out, const struct store_figures *f)
{
	static const struct {
		const char *name;
		int state;
	} campaigns[] = { { "draft", STORE_CAMPAIGN_DRAFT }, { "active", STORE_CAMPAIGN_ACTIVE }, { "paused", STORE_CAMPAIGN_PAUSED },
			  { "done", STORE_CAMPAIGN_DONE }, { "cancelled", STORE_CAMPAIGN_CANCELLED } },
	  recipients[] = { { "pending", STORE_RECIPIENT_PENDING }, { "queued", STORE_OUTBOX_QUEUED }, { "sent", STORE_OUTBOX_SENT }, { "acked", STORE_OUTBOX_ACKED },
			   { "delivered", STORE_OUTBOX_DELIVERED }, { "read", STORE_OUTBOX_READ }, { "played", STORE_OUTBOX_PLAYED },
			   { "failed", STORE_OUTBOX_FAILED }, { "cancelled", STORE_OUTBOX_CANCELLED } };

	metric_family(out, "warest_campaigns", "gauge", "Campaigns by state");
	for (size_t i = 0; i < sizeof campaigns / sizeof *campaigns; i++)
		metric_labelled(out, "warest_campaigns", (double)f->campaigns[campaigns[i].state], "state", campaigns[i].name, (const char *)NULL);
	metric_family(out, "warest_campaign_recipients", "gauge", "Recipients of campaigns by state");
	for (size_t i = 0; i < sizeof recipients / sizeof *recipients; i++)
		metric_labelled(out, "warest_campaign_recipients", (double)f->recipients[recipients[i].state], "state", recipients[i].name, (const char *)NULL);
}

/* ---- journal and receivers ---- */

struct lag {
	struct buf *out;
	const struct store_figures *figures;
	void (*put)(struct lag *lag, const struct webhook_status *status, int64_t behind);
};

static int compare_ends(const void *a, const void *b)
{
	int64_t x = ((const struct store_journal_end *)a)->session, y = ((const struct store_journal_end *)b)->session;

	return x < y ? -1 : x > y;
}

static void each_receiver(void *arg, int64_t session, const struct webhook_status *status)
{
	struct lag *lag = arg;
	const struct store_journal_end key = { .session = session };
	const struct store_journal_end *end = lag->figures->ends_n
						      ? bsearch(&key, lag->figures->ends, lag->figures->ends_n, sizeof key, compare_ends)
						      : NULL;

	lag->put(lag, status, end && end->last > status->cursor ? end->last - status->cursor : 0);
}

static void put_lag(struct lag *lag, const struct webhook_status *status, int64_t behind)
{
	metric_labelled(lag->out, "warest_receiver_lag_events", (double)behind, "session", status->session ? status->session : "", "receiver", status->name, "state",
			status->state, (const char *)NULL);
}

static void put_lost(struct lag *lag, const struct webhook_status *status, int64_t behind)
{
	(void)behind;
	metric_labelled(lag->out, "warest_receiver_lost_events", (double)status->lost, "session", status->session ? status->session : "", "receiver", status->name,
			(const char *)NULL);
}

static void put_attempts(struct buf *out, const struct webhook_attempts *a)
{
	const struct {
		const char *outcome;
		uint64_t count;
	} rows[] = { { "2xx", a->success }, { "4xx", a->client_error }, { "5xx", a->server_error }, { "other", a->other },
		     { "unreachable", a->unreachable }, { "timeout", a->timeout }, { "refused", a->refused } };

	metric_family(out, "warest_webhook_attempts_total", "counter",
		      "Requests to receivers by what came of them; refused: by the guard of addresses, before anything was sent");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		metric_labelled(out, "warest_webhook_attempts_total", (double)rows[i].count, "outcome", rows[i].outcome, (const char *)NULL);
}

static void put_journal(struct buf *out, const struct gathering *g, const struct store_status *store)
{
	const struct rpc_context *context = g->request->context;
	const struct daemon *daemon = context->daemon;
	struct lag lag = { .out = out, .figures = &g->figures, .put = put_lag };

	metric_one(out, "warest_events_total", "counter", "Rows written to the event journal", (double)daemon->metrics.events);
	metric_one(out, "warest_journal_bytes", "gauge", "Payload in the event journal", (double)store->journal_bytes);
	metric_one(out, "warest_journal_max_bytes", "gauge", "Bound of the event journal", (double)daemon->config->journal_max_mb * 1048576);
	metric_family(out, "warest_receiver_lag_events", "gauge", "Events that a receiver has not taken yet");
	webhooks_each(daemon->webhooks, each_receiver, &lag);
	metric_family(out, "warest_receiver_lost_events", "gauge", "Events that the journal's bound took away before a receiver had them");
	lag.put = put_lost;
	webhooks_each(daemon->webhooks, each_receiver, &lag);
	put_attempts(out, webhooks_attempts(daemon->webhooks));
	metric_one(out, "warest_dead_letters", "gauge", "Events given up for a receiver", (double)g->figures.dead_letters);
	metric_one(out, "warest_live_views", "gauge", "Streams and waiting pages of GET /api/v1/events", (double)live_count(context->live));
	metric_one(out, "warest_live_lost_events_total", "counter", "Events that live views came too late for", (double)context->live->lost);
}

/* ---- store, media, requests ---- */

static void put_store(struct buf *out, const struct store_status *store)
{
	uint64_t sum = 0;
	char end[24];

	metric_family(out, "warest_store_commit_seconds", "histogram", "Time of a database commit");
	for (size_t i = 0; i < STORE_COMMIT_CLASSES; i++) {
		sum += store->commit_classes[i];
		if (i < STORE_COMMIT_CLASSES - 1)
			snprintf(end, sizeof end, "%g", store_commit_ends_ms[i] / 1000);
		else
			snprintf(end, sizeof end, "+Inf");
		metric_labelled(out, "warest_store_commit_seconds_bucket", (double)sum, "le", end, (const char *)NULL);
	}
	metric_labelled(out, "warest_store_commit_seconds_sum", (double)store->commit_us / 1e6, (const char *)NULL);
	metric_labelled(out, "warest_store_commit_seconds_count", (double)sum, (const char *)NULL);
	metric_one(out, "warest_store_transactions_total", "counter", "Changes stored, of which one commit takes many", (double)store->txs);
	metric_one(out, "warest_store_queued_transactions", "gauge", "Changes that wait for their commit", (double)store->queued);
	metric_one(out, "warest_store_failing", "gauge", "1: the last commit failed", store->last_error != 0);
	metric_one(out, "warest_store_wal_bytes", "gauge", "Write-ahead log", (double)store->wal_bytes);
}

static void put_work(struct buf *out, const struct rpc_context *context)
{
	const struct daemon *daemon = context->daemon;
	struct mediajob_counts media = { 0 };

	if (daemon->media)
		mediajobs_counts(daemon->media, &media);
	metric_family(out, "warest_media_jobs", "gauge", "Jobs of the media workers");
	metric_labelled(out, "warest_media_jobs", media.waiting, "state", "waiting", (const char *)NULL);
	metric_labelled(out, "warest_media_jobs", media.running, "state", "running", (const char *)NULL);
	metric_family(out, "warest_media_jobs_total", "counter", "Jobs of the media workers that have ended");
	metric_labelled(out, "warest_media_jobs_total", (double)media.done, "outcome", "done", (const char *)NULL);
	metric_labelled(out, "warest_media_jobs_total", (double)media.failed, "outcome", "failed", (const char *)NULL);
	metric_one(out, "warest_requests_total", "counter", "Requests of warest.fcgi and warestctl", (double)daemon->metrics.rpc_requests);
	metric_one(out, "warest_requests_refused_total", "counter", "Of these, with a key that is none", (double)daemon->metrics.rpc_refused);
	metric_one(out, "warest_requests_running", "gauge", "Requests that wait for their answer", (double)context->active);
}

static void gathered(void *arg)
{
	struct gathering *g = arg;
	struct rpc_request *request = g->request;
	const struct daemon *daemon = request->context->daemon;
	struct store_status store;
	struct buf out = { 0 };
	int fd; /* the answer is read from its beginning */

	if (g->error) {
		rpc_answer_error(request, 503, "The database cannot be read");
		return;
	}
	store_status(daemon->store, &store);
	put_process(&out, daemon);
	put_sessions(&out, daemon);
	put_messages(&out, &daemon->metrics);
	put_queue(&out, g);
	put_queue_counts(&out, &daemon->metrics);
	put_campaigns(&out, &g->figures);
	put_journal(&out, g, &store);
	put_store(&out, &store);
	put_work(&out, request->context);
	fd = memfile_new("metrics", buf_span(&out));
	rpc_header(request, "Cache-Control", "no-store");
	if (fd < 0 || lseek(fd, 0, SEEK_SET) != 0)
		rpc_answer_error(request, 503, "No memory for the answer");
	else
		rpc_answer_file(request, 200, TEXT_TYPE, (int64_t)out.len, fd);
	buf_free(&out);
}

static void do_metrics(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	struct gathering *g = xcalloc(1, sizeof *g);

	*g = (struct gathering){ .request = request, .now_ms = timefmt_now_ms() };
	arena_init(&g->arena, 0);
	request->work = g;
	request->work_free = free_gathering;
	async_read(daemon->loop, daemon->store, read_figures, gathered, g);
}

const struct rpc_method rpc_metrics_methods[] = {
	{ "server.metrics", do_metrics },
	{ NULL, NULL },
};
