/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One history, from its notice to the receipt. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/timefmt.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/historywork.h"

/* A worker gives its thread back after this much, and the store its writer. */
#define SLICE_BYTES (UINT64_C(4) << 20)
#define LEARN_MAX 512U
/* Transactions under way: one is stored while the next is made. */
#define COMMITS_MAX 2U
#define ATTEMPTS_MAX 5U
#define PAUSE_MS INT64_C(20000)
/* People of whom both forms are remembered while rows are made. */
#define OTHERS_MAX 400000U
#define DAY_MS (INT64_C(24) * 3600 * 1000)

enum { STATE_OWED = 2 };

static void next_slice(struct history_job *job);

static struct session *session_of(const struct history_job *job)
{
	return job->of->session;
}

/* ---- the bytes ---- */

static long read_source(void *ctx, void *out, size_t n)
{
	struct history_source *s = ctx;
	ssize_t got;

	if (s->fd < 0) {
		size_t left = s->inlined.n - (size_t)s->at;

		got = (ssize_t)(left < n ? left : n);
		if (got > 0)
			memcpy(out, s->inlined.p + s->at, (size_t)got);
	} else {
		do
			got = pread(s->fd, out, n, (off_t)s->at);
		while (got < 0 && errno == EINTR);
	}
	if (got > 0)
		s->at += (uint64_t)got;
	return (long)got;
}

static void open_reader(struct history_job *job)
{
	wa_history_free(&job->reader);
	job->source.at = 0;
	job->at_end = false;
	job->reader = wa_history_new(read_source, &job->source, true);
}

void history_stop(struct history_job *job)
{
	transfer_cancel(&job->transfer);
	wa_history_free(&job->reader);
	bytemap_free(job->others);
	job->others = NULL;
	wa_learned_free(job->learned);
	job->learned = NULL;
	if (job->tx)
		store_tx_free(job->tx);
	job->tx = NULL;
	if (job->source.fd >= 0)
		close(job->source.fd);
	job->source.fd = -1;
	history_rows_free(job);
}

/* ---- the end ---- */

static void set_reason(struct history_job *job, const char *text)
{
	snprintf(job->reason, sizeof job->reason, "%s", text);
}

static bool take_hash(struct span from, uint8_t to[32])
{
	if (from.n != 32)
		return false;
	memcpy(to, from.p, 32);
	return true;
}

/* False: it came inlined, or the notice of an earlier life is not there any more. */
static bool file_of(const struct history_job *job, struct transfer_file *file)
{
	const struct wa_history_notice *n = &job->notice;

	transfer_file_init(file, TRANSFER_HISTORY);
	if (n->inlined.n > 0 || n->direct_path.n == 0)
		return false;
	file->direct_path = xstrndup((const char *)n->direct_path.p, n->direct_path.n);
	file->handle = n->handle.n > 0 ? xstrndup((const char *)n->handle.p, n->handle.n) : NULL;
	file->encrypted = true;
	if (n->key.n == sizeof file->key)
		memcpy(file->key, n->key.p, sizeof file->key);
	file->has_plain_hash = take_hash(n->plain_sha256, file->plain_hash);
	file->has_blob_hash = take_hash(n->enc_sha256, file->blob_hash);
	return true;
}

/* It was uploaded for this device alone, which has it now. */
static void drop_blob(const struct history_job *job)
{
	struct transfer_file file;

	if (file_of(job, &file) && file.has_blob_hash)
		transfer_drop(session_of(job), &file);
	transfer_file_free(&file);
}

/* The receipt is written: the record may go. Without a connection it stays, and the next opening brings us here again. */
static void pay(struct history_job *job)
{
	struct session *session = session_of(job);
	struct histories *h = job->of;
	struct store_tx *tx;

	if (!session->client || !wa_client_history_done(session->client, job->id))
		return;
	tx = store_tx_new(session->on->daemon->store);
	history_put_record(job, tx, 0);
	store_commit_lazy(session->on->daemon->store, tx, NULL, NULL);
	drop_blob(job);
	history_take_off(h);
	history_pump(session);
}

static void ended(void *arg, int error)
{
	struct history_job *job = arg;
	struct session *session = session_of(job);
	struct histories *h = job->of;

	job->commits--;
	session->busy--;
	if (error) {
		log_error(&session->log, "a history cannot be stored", LOG_STR("session", session->id), LOG_STR("reason", store_error_name(error)));
		set_reason(job, store_error_name(error));
		history_more_settle(h, job, job->reason);
		history_take_off(h);
	} else {
		history_show(h, NULL);
		history_more_settle(h, job, job->reason[0] ? job->reason : NULL);
		job->phase = HISTORY_OWES;
		if (job->reason[0])
			history_take_off(h);
		else
			pay(job);
	}
	history_pump(session);
	session_released(session);
}

static void commit_end(struct history_job *job, struct store_tx *tx)
{
	struct session *session = session_of(job);

	job->phase = HISTORY_ENDS;
	job->commits++;
	session->busy++;
	async_commit(session->on->loop, session->on->daemon->store, tx, ended, job);
}

static void fail(struct history_job *job)
{
	struct session *session = session_of(job);
	struct store_tx *tx = store_tx_new(session->on->daemon->store);

	log_warn(&session->log, "a history of the phone cannot be used", LOG_STR("session", session->id), LOG_STR("kind", wa_history_kind_name(job->notice.kind)),
		LOG_STR("reason", job->reason));
	history_put_record(job, tx, 0);
	history_event(job, tx, "failed", job->reason);
	history_stop(job);
	commit_end(job, tx);
}

static void finish(struct history_job *job)
{
	struct session *session = session_of(job);
	struct store_tx *tx = store_tx_new(session->on->daemon->store);

	log_info(&session->log, "history stored", LOG_STR("session", session->id), LOG_STR("kind", wa_history_kind_name(job->notice.kind)),
		LOG_INT("chats", (int64_t)job->counts.chats), LOG_INT("messages", (int64_t)job->counts.messages),
		LOG_INT("unusable", (int64_t)job->counts.unusable), LOG_INT("ms", timefmt_monotonic_ms() - job->begun_ms));
	history_put_record(job, tx, STATE_OWED);
	history_event(job, tx, "done", NULL);
	history_stop(job);
	commit_end(job, tx);
}

/* ---- slices ---- */

static void survey(struct history_job *job)
{
	uint64_t until = wa_history_counts(job->reader)->bytes + SLICE_BYTES;
	struct wa_history_item item;
	int rc = 1;

	while (job->learned->n < LEARN_MAX && wa_history_counts(job->reader)->bytes < until && (rc = wa_history_next(job->reader, &item)) > 0)
		history_survey_item(job, &item);
	job->at_end = rc == 0;
	job->error = rc < 0 ? rc : 0;
}

static void write_rows(struct history_job *job)
{
	uint64_t until = wa_history_counts(job->reader)->bytes + SLICE_BYTES;
	struct wa_history_item item;
	int rc = 1;

	while (job->rows < HISTORY_BATCH && wa_history_counts(job->reader)->bytes < until && (rc = wa_history_next(job->reader, &item)) > 0)
		history_write_item(job, &item);
	history_rows_flush(job);
	job->at_end = rc == 0;
	job->error = rc < 0 ? rc : 0;
	job->counts = *wa_history_counts(job->reader);
}

/* On a worker thread. */
static void work(void *arg)
{
	struct history_job *job = arg;

	if (job->phase == HISTORY_SURVEYS)
		survey(job);
	else
		write_rows(job);
}

static void survey_over(struct history_job *job)
{
	const struct wa_history_counts *counts = wa_history_counts(job->reader);

	job->total = counts->messages;
	job->bytes_total = counts->bytes;
	job->phase = HISTORY_WRITES;
	open_reader(job);
}

static void went_wrong(struct history_job *job)
{
	if (!job->reason[0])
		set_reason(job, wa_history_error_text(job->error));
	/* Rows under way refer to the job. */
	if (job->commits == 0)
		fail(job);
}

static void learned(void *arg, bool ok)
{
	struct history_job *job = arg;

	job->learning = false;
	if (ok)
		next_slice(job);
	else
		history_pause(job);
}

static void hand_over_learned(struct history_job *job)
{
	struct wa_learned *what = job->learned;

	job->learned = NULL;
	job->learning = true;
	wa_client_learn(session_of(job)->client, what, learned, job);
}

static void rows_stored(void *arg, int error)
{
	struct history_job *job = arg;
	struct session *session = session_of(job);

	job->commits--;
	session->busy--;
	if (error && !job->reason[0]) {
		job->error = HISTORY_E_READ;
		set_reason(job, store_error_name(error));
	}
	if (!error)
		history_show(job->of, job);
	if (!job->working && !job->learning)
		next_slice(job);
	session_released(session);
}

/* Not with the rows: they are overtaken, and events are numbered in the order in which they are made. */
static void tell_progress(struct history_job *job, unsigned percent)
{
	struct session *session = session_of(job);
	struct store_tx *tx = store_tx_new(session->on->daemon->store);

	job->told = percent;
	history_event(job, tx, "progress", NULL);
	event_commit(session, tx);
}

static void commit_rows(struct history_job *job)
{
	struct session *session = session_of(job);
	struct store_tx *tx = job->tx;
	unsigned percent = history_percent(job);

	job->tx = NULL;
	job->rows = 0;
	if (percent >= job->told + 10)
		tell_progress(job, percent);
	job->commits++;
	session->busy++;
	async_commit_bulk(session->on->loop, session->on->daemon->store, tx, rows_stored, job);
}

static void worked(void *arg)
{
	struct history_job *job = arg;
	struct session *session = session_of(job);

	job->working = false;
	session->busy--;
	if (!job->error && !job->reason[0]) {
		if (job->phase == HISTORY_WRITES && job->tx && !store_tx_is_empty(job->tx))
			commit_rows(job);
		if (job->phase == HISTORY_SURVEYS && job->learned->n > 0 && session->client) {
			hand_over_learned(job);
			session_released(session);
			return;
		}
	}
	next_slice(job);
	session_released(session);
}

/* Not connected: begins anew after the next opening. */
void history_pause(struct history_job *job)
{
	if (job->working || job->commits || job->learning)
		return;
	history_stop(job);
	job->phase = HISTORY_WAITS;
}

static bool may_go_on(const struct session *session)
{
	return !session->gone && !session->drop_client && session->client && wa_client_is_open(session->client);
}

/* Whatever comes next: called when a slice, a commit or the library is done. */
static void next_slice(struct history_job *job)
{
	struct session *session = session_of(job);

	if (job->working || job->learning)
		return;
	if (job->error || job->reason[0]) {
		went_wrong(job);
		return;
	}
	if (!may_go_on(session)) {
		history_pause(job);
		return;
	}
	if (job->at_end && job->phase == HISTORY_SURVEYS)
		survey_over(job);
	if (job->at_end) {
		if (job->commits == 0)
			finish(job);
		return;
	}
	if (job->commits >= COMMITS_MAX)
		return;
	if (!job->learned)
		job->learned = xcalloc(1, sizeof *job->learned);
	if (!job->tx && job->phase == HISTORY_WRITES)
		job->tx = store_tx_new(session->on->daemon->store);
	job->working = true;
	session->busy++;
	if (loop_offload(session->on->loop, work, worked, job))
		abort();
}

/* ---- the beginning ---- */

static void begin(struct history_job *job)
{
	struct session *session = session_of(job);
	struct store_tx *tx = store_tx_new(session->on->daemon->store);
	int64_t days = session->on->daemon->config->history_days;

	job->others = bytemap_new(sizeof(struct history_other), OTHERS_MAX);
	job->error = 0;
	job->told = 0;
	job->begun_ms = timefmt_monotonic_ms();
	job->begun_wall_ms = timefmt_now_ms();
	job->session = session->number;
	job->oldest_ms = days > 0 ? job->begun_wall_ms - days * DAY_MS : INT64_MIN;
	job->own = jid_bare(&session->view.me_pn);
	job->own_lid = jid_bare(&session->view.me_lid);
	job->phase = HISTORY_SURVEYS;
	history_event(job, tx, "started", NULL);
	event_commit(session, tx);
	open_reader(job);
	history_show(job->of, job);
	next_slice(job);
}

static void try_later(struct history_job *job, const char *text)
{
	struct session *session = session_of(job);

	history_stop(job);
	job->phase = HISTORY_WAITS;
	if (++job->attempts >= ATTEMPTS_MAX) {
		set_reason(job, text);
		fail(job);
		return;
	}
	job->next_ms = timefmt_monotonic_ms() + PAUSE_MS * (int64_t)job->attempts;
	history_pump(session);
}

static void downloaded(void *arg, const struct transfer_result *result)
{
	struct history_job *job = arg;

	job->transfer = NULL;
	switch (result->error) {
	case TRANSFER_OK:
		begin(job);
		break;
	case TRANSFER_E_OFFLINE:
		history_stop(job);
		job->phase = HISTORY_WAITS;
		break;
	case TRANSFER_E_NETWORK:
	case TRANSFER_E_LOCAL:
		try_later(job, result->text);
		break;
	default:
		set_reason(job, result->text);
		fail(job);
		break;
	}
}

static void download(struct history_job *job)
{
	struct session *session = session_of(job);
	struct transfer_file file;

	job->source.fd = transfer_temp_file(session->on->daemon->config->state_dir);
	if (job->source.fd < 0) {
		try_later(job, "a temporary file cannot be made");
		return;
	}
	file_of(job, &file);
	job->phase = HISTORY_FETCHES;
	job->transfer = transfer_download(session, &file, NULL, job->source.fd, LIMIT_WA_HISTORY_FILE_BYTES, downloaded, job);
	transfer_file_free(&file);
}

/* Nothing of this kind is stored: the phone is told that it has arrived. */
static bool is_unwanted(const struct history_job *job)
{
	const struct config *config = session_of(job)->on->daemon->config;

	if (job->notice.kind == HISTORY_NONE || job->notice.kind == HISTORY_MESSAGE_ACCESS)
		return true;
	return config->history == HISTORY_SETTING_OFF && job->notice.kind != HISTORY_ON_DEMAND;
}

void history_run(struct history_job *job)
{
	if (job->working || job->learning || job->commits)
		return;
	if (job->phase == HISTORY_OWES) {
		pay(job);
	} else if (job->phase != HISTORY_WAITS) {
		return;
	} else if (job->reason[0]) {
		fail(job);
	} else if (is_unwanted(job)) {
		job->phase = HISTORY_OWES;
		pay(job);
	} else if (job->notice.inlined.n > 0) {
		job->source.inlined = job->notice.inlined;
		begin(job);
	} else {
		download(job);
	}
}
