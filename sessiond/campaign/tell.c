/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How campaigns show: in answers, and in events of the journal (campaign.h). */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ulid.h"
#include "sessiond/async.h"
#include "sessiond/campaign/run.h"
#include "sessiond/json_text.h"

const char *campaign_state_name(const struct store_campaign *row, int64_t now_ms)
{
	static const char *const names[] = { [STORE_CAMPAIGN_DRAFT] = "draft", [STORE_CAMPAIGN_ACTIVE] = "running", [STORE_CAMPAIGN_PAUSED] = "paused",
		[STORE_CAMPAIGN_DONE] = "done", [STORE_CAMPAIGN_CANCELLED] = "cancelled" };

	if (row->state == STORE_CAMPAIGN_ACTIVE && row->start_ms > now_ms)
		return "scheduled";
	return (size_t)row->state < sizeof names / sizeof *names && names[row->state] ? names[row->state] : "unknown";
}

static void put_counts(struct buf *out, const struct store_campaign *row, const int64_t counts[STORE_RECIPIENT_STATES])
{
	static const char *const names[STORE_RECIPIENT_STATES] = { "pending", "queued", "sent", "server_ack", "delivered", "read", "played", "failed", "cancelled" };
	int64_t total = 0;
	/* What never had its turn when a campaign was cancelled is cancelled. */
	bool cancelled = row->state == STORE_CAMPAIGN_CANCELLED;

	for (int i = 0; i < STORE_RECIPIENT_STATES; i++)
		total += counts[i];
	json_put_name(out, "progress");
	buf_u8(out, '{');
	json_put_int(out, "total", total);
	for (int i = 0; i < STORE_RECIPIENT_STATES; i++) {
		int64_t count = counts[i];

		if (cancelled && i == STORE_RECIPIENT_PENDING)
			count = 0;
		if (cancelled && i == STORE_OUTBOX_CANCELLED)
			count += counts[STORE_RECIPIENT_PENDING];
		json_put_int(out, names[i], count);
	}
	buf_u8(out, '}');
}

void campaign_put(struct buf *out, const struct store_campaign *row, const int64_t counts[STORE_RECIPIENT_STATES], int64_t now_ms)
{
	json_put_member(out, "state", campaign_state_name(row, now_ms));
	if (row->reason)
		json_put_member(out, "reason", row->reason);
	if (row->start_ms)
		json_put_time(out, "startAt", row->start_ms);
	if (counts)
		put_counts(out, row, counts);
}

void tell_event(struct campaigns *campaigns, struct store_tx *tx, const struct store_campaign *row, const char *kind,
		const int64_t counts[STORE_RECIPIENT_STATES])
{
	struct session_entry *entry = sessions_find(campaigns->daemon->sessions, row->session_id);
	struct buf payload = { 0 };
	char event_id[ULID_LENGTH + 1];
	struct store_event event = { .session = row->session, .event_id = event_id, .kind = kind, .time_ms = timefmt_now_ms() };

	if (!entry || entry->number != row->session)
		return;
	ulid_new(event_id);
	buf_u8(&payload, '{');
	json_put_member(&payload, "id", row->session_id);
	json_put_name(&payload, "campaign");
	buf_u8(&payload, '{');
	json_put_member(&payload, "id", row->id);
	json_put_member(&payload, "name", row->name);
	campaign_put(&payload, row, counts, event.time_ms);
	buf_u8(&payload, '}');
	json_put_member(&payload, "sessionId", row->session_id);
	buf_u8(&payload, '}');
	event.payload = buf_span(&payload);
	store_tx_event_add(tx, &event, NULL);
	campaigns->daemon->metrics.events++;
	buf_free(&payload);
}

/* ---- progress ---- */

static void count(struct store_reader *reader, void *arg)
{
	struct run *run = arg;

	run->told_error = store_campaign_counts(reader, run->row.number, run->told);
}

static void journalled(void *arg, int error)
{
	struct run *run = arg;

	(void)error;
	run->busy--;
	run_let_go(run);
}

/* Grows with every step of every recipient behind the server's ack. */
static int64_t steps(const int64_t counts[STORE_RECIPIENT_STATES])
{
	int64_t sum = 0;

	for (int i = STORE_OUTBOX_ACKED; i < STORE_RECIPIENT_STATES; i++)
		sum += counts[i] * i;
	return sum;
}

static void counted(void *arg)
{
	struct run *run = arg;
	const struct daemon *daemon = run->all->daemon;
	struct store_tx *tx;

	if (run->told_error || !run->ready || run->all->stopping || steps(run->told) == run->told_steps) {
		run->busy--;
		run_let_go(run);
		return;
	}
	run->told_steps = steps(run->told);
	tx = store_tx_new(daemon->store);
	tell_event(run->all, tx, &run->row, "campaign_progress", run->told);
	async_commit(daemon->loop, daemon->store, tx, journalled, run);
}

static void tell_now(void *arg)
{
	struct run *run = arg;
	const struct daemon *daemon = run->all->daemon;

	if (!run->ready)
		return;
	run->busy++;
	async_read(daemon->loop, daemon->store, count, counted, run);
}

void tell_later(struct run *run)
{
	if (!timer_runs(&run->tell) && run->ready && !run->all->stopping)
		timer_start(run->all->daemon->timers, &run->tell, timefmt_monotonic_ms() + CAMPAIGN_TELL_MS, tell_now, run);
}
