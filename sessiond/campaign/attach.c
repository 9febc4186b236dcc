/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of a campaign: out of the storage, through the media route of its type, up to WhatsApp; once for everybody. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/campaign/run.h"

/* Between attempts: longer and longer. */
enum { FIRST_WAIT_MS = 5000, LONGEST_WAIT_MS = 300000, CLOSED_WAIT_MS = 1000, STORE_WAIT_MS = 5000 };

/* True while a copy that old is good. A clock that was set back does not make it new. */
static bool is_fresh(const struct attached *attached)
{
	int64_t age_ms = timefmt_now_ms() - attached->made_ms;

	return age_ms >= 0 && age_ms < CAMPAIGN_UPLOAD_MS;
}

bool attach_is_ready(const struct run *run)
{
	const struct attached *a = &run->attached;

	return !run->spec.input || (a->kept && !a->storing && is_fresh(a));
}

static struct json_object *parse(struct span text)
{
	struct json_tokener *tokener = text.n && text.n <= INT32_MAX ? json_tokener_new() : NULL;
	struct json_object *json = tokener ? json_tokener_parse_ex(tokener, (const char *)text.p, (int)text.n) : NULL;

	if (tokener)
		json_tokener_free(tokener);
	return json;
}

void attach_take_row(struct run *run)
{
	struct attached *a = &run->attached;

	if (a->storing || run->row.built_ms <= a->made_ms)
		return;
	json_object_put(a->kept);
	a->kept = parse(run->row.built);
	a->made_ms = a->kept ? run->row.built_ms : 0;
}

/* ---- the upload ---- */

static void stored(void *arg, int error)
{
	struct run *run = arg;
	struct attached *a = &run->attached;

	run->busy--;
	a->storing = false;
	if (error) {
		json_object_put(a->kept);
		a->kept = NULL;
		a->made_ms = 0;
		run->retry_ms = timefmt_monotonic_ms() + STORE_WAIT_MS;
	}
	if (!run_let_go(run))
		run_pump(run);
}

static void keep(struct run *run, struct json_object *kept)
{
	const struct daemon *daemon = run->all->daemon;
	struct attached *a = &run->attached;
	struct store_tx *tx = store_tx_new(daemon->store);

	json_object_put(a->kept);
	a->kept = json_object_get(kept);
	a->made_ms = timefmt_now_ms();
	a->storing = true;
	a->troubles = 0;
	store_tx_campaign_built(tx, run->row.number, run->row.id, span_text(json_object_to_json_string_ext(kept, JSON_C_TO_STRING_PLAIN)), a->made_ms);
	run->busy++;
	async_commit(daemon->loop, daemon->store, tx, stored, run);
}

/* What the route says about the file stays so; what is ours, or the network's, is tried again. */
static void refused(struct run *run, const struct call_result *result)
{
	struct attached *a = &run->attached;
	bool closed = result->status == 404 && result->code == 1101;
	int64_t wait_ms = FIRST_WAIT_MS;

	if (closed) {
		run->retry_ms = timefmt_monotonic_ms() + CLOSED_WAIT_MS;
	} else if (result->status < 500 && result->status != 429) {
		run_pause(run, result->message);
		return;
	} else {
		for (unsigned i = 0; i < a->troubles && wait_ms < LONGEST_WAIT_MS; i++)
			wait_ms *= 2;
		a->troubles++;
		run->retry_ms = timefmt_monotonic_ms() + (wait_ms < LONGEST_WAIT_MS ? wait_ms : LONGEST_WAIT_MS);
		log_warn(&run->all->log, "the file of a campaign was not uploaded", LOG_STR("campaign", run->id), LOG_INT("status", result->status),
			LOG_STR("reason", result->message));
	}
	run_pump(run);
}

static void uploaded(void *arg, const struct call_result *result)
{
	struct run *run = arg;
	struct json_object *kept = result->status == 200 ? json_object_object_get(result->result, "kept") : NULL;

	run->attached.call = NULL;
	if (kept)
		keep(run, kept);
	else
		refused(run, result);
}

void attach_start(struct run *run)
{
	struct call_request request = { .method = run->spec.method, .family = "messages", .session = run->row.session, .session_id = run->row.session_id,
		.registry = run->row.registry, .source = SEND_BY_CAMPAIGN, .done = uploaded, .arg = run };
	struct json_object *to = json_object_new_array();

	if (run->attached.call || run->attached.storing) {
		json_object_put(to);
		return;
	}
	/* The route wants to know what kind of recipient it is for. */
	json_object_array_add(to, json_object_new_string(run->batch.rows[run->batch.at].jid));
	request.p = NULL;
	json_object_deep_copy(run->spec.p, &request.p, NULL);
	json_object_object_add(request.p, "to", to);
	json_object_object_add(request.p, "input", json_object_get(run->spec.input));
	json_object_object_add(request.p, "onlyUpload", json_object_new_boolean(true));
	run->attached.call = call_start(run->all->daemon, &request);
}

void attach_cancel(struct run *run)
{
	call_cancel(&run->attached.call);
}
