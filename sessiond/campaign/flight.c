/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One recipient: template filled in, message made by the code of the send route, handed to the outbox under the recipient's own id. */
#include <stdlib.h>
#include <string.h>

#include "common/appcode.h"
#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/campaign/run.h"
#include "sessiond/session/lookup.h"

enum {
	TROUBLES_MAX = 3,       /* attempts of one recipient's message that end in an error of ours, or of the media servers */
	TROUBLE_WAIT_MS = 5000,
	CLOSED_WAIT_MS = 1000
};

void flight_free(struct flight *flight)
{
	json_object_put(flight->p);
	free(flight);
}

static void land(struct flight *flight)
{
	struct run *run = flight->run;
	struct flight **at = &run->flights;

	while (*at != flight)
		at = &(*at)->next;
	*at = flight->next;
	run->flying--;
	flight_free(flight);
	if (!run_let_go(run))
		run_pump(run);
}

/* ---- nothing can be sent ---- */

static void failed(void *arg, int error)
{
	struct flight *flight = arg;

	/* It stays pending, and will fail again. */
	if (error)
		run_rewind(flight->run, TROUBLE_WAIT_MS);
	else
		tell_later(flight->run);
	land(flight);
}

static void fail(struct flight *flight, int code, const char *reason)
{
	const struct daemon *daemon = flight->run->all->daemon;
	struct store_tx *tx = store_tx_new(daemon->store);

	store_tx_recipient_fail(tx, flight->recipient, code, reason, timefmt_now_ms());
	async_commit(daemon->loop, daemon->store, tx, failed, flight);
}

/* ---- sending ---- */

static void sent(struct send_job *job)
{
	struct flight *flight = job->arg;
	struct run *run = flight->run;
	const struct send_result *result = &job->results[0];

	switch (job->state) {
	case SEND_DONE:
		run->count_first = run->count_first || (!result->acked && !result->failed);
		break;
	case SEND_DUPLICATE_ID:
		/* It was handed over in an earlier life, and its state says so; one that is pending still would come up for ever. */
		send_job_free(job);
		fail(flight, APP_DUPLICATE_REQUEST, "The message id was used already");
		return;
	case SEND_SESSION_GONE:
		run_rewind(run, CLOSED_WAIT_MS);
		break;
	case SEND_QUEUE_FULL:
	case SEND_STORE_ERROR:
	case SEND_NO_AUDIENCE:
	default:
		run_rewind(run, TROUBLE_WAIT_MS);
		break;
	}
	send_job_free(job);
	tell_later(run);
	land(flight);
}

/* The main loop has ended; the run goes with campaigns_free(). */
static void forget(void *arg)
{
	(void)arg;
}

static void hand_over(struct flight *flight, struct send_job *job)
{
	struct run *run = flight->run;
	struct sessions *sessions = run->all->daemon->sessions;
	struct session_entry *entry = sessions_find(sessions, run->row.session_id);

	if (!run->ready || run->held || !entry || entry->number != run->row.session || job->n != 1) {
		run_rewind(run, CLOSED_WAIT_MS);
		send_job_free(job);
		land(flight);
		return;
	}
	memcpy(job->items[0].id, flight->id, sizeof flight->id);
	job->not_before_ms = 0;
	job->wait = SEND_WAIT_ACK;
	job->priority = SEND_LOW;
	job->source = SEND_BY_CAMPAIGN;
	job->done = sent;
	job->forget = forget;
	job->arg = flight;
	sessions_send(sessions, entry, job);
}

/* ---- making ---- */

/* What a route refuses is this recipient's fate; what is ours, or the network's, is tried again. */
static void refused(struct flight *flight, const struct call_result *result)
{
	struct run *run = flight->run;
	bool closed = result->status == 404 && result->code == 1101;
	bool ours = result->status >= 500 || result->status == 429;

	if (run->troubled != flight->recipient)
		run->troubles = 0;
	run->troubled = flight->recipient;
	if (closed || (ours && ++run->troubles < TROUBLES_MAX)) {
		run_rewind(run, closed ? CLOSED_WAIT_MS : TROUBLE_WAIT_MS);
		land(flight);
		return;
	}
	fail(flight, result->code, result->message);
}

static void made(void *arg, const struct call_result *result)
{
	struct flight *flight = arg;

	flight->call = NULL;
	if (result->job)
		hand_over(flight, result->job);
	else
		refused(flight, result);
}

static struct json_object *variables_of(const struct store_recipient *recipient)
{
	struct json_tokener *tokener = recipient->variables.n ? json_tokener_new() : NULL;
	struct json_object *json = tokener ? json_tokener_parse_ex(tokener, (const char *)recipient->variables.p, (int)recipient->variables.n) : NULL;

	if (tokener)
		json_tokener_free(tokener);
	return json;
}

/* The route's parameters for this recipient; NULL: values->lacking has no value. */
static struct json_object *parameters(const struct run *run, const struct store_recipient *recipient, struct template_values *values)
{
	struct json_object *p = template_tree(run->spec.p, values), *to = json_object_new_array(), *input;

	json_object_array_add(to, json_object_new_string(recipient->jid));
	if (p && run->spec.input) {
		input = json_object_new_object();
		json_object_object_add(input, "kept", json_object_get(run->attached.kept));
		json_object_object_add(p, "input", input);
	}
	if (p)
		json_object_object_add(p, "to", to);
	else
		json_object_put(to);
	return p;
}

/* The recipient's row is not looked at any more after that: its page may go. False: why says what is missing. */
static bool take_parameters(struct flight *flight, const struct store_recipient *recipient, char why[TEMPLATE_NAME_MAX + 32])
{
	const struct run *run = flight->run;
	struct json_object *own = variables_of(recipient);
	struct template_values values = { .own = own, .common = run->spec.variables, .phone = flight->to.user, .missing = run->spec.missing };

	flight->p = parameters(run, recipient, &values);
	json_object_put(own);
	if (!flight->p)
		snprintf(why, TEMPLATE_NAME_MAX + 32, "Variable %s has no value", values.lacking);
	return flight->p != NULL;
}

static void make(struct flight *flight)
{
	struct run *run = flight->run;
	struct call_request request = { .method = run->spec.method, .family = "messages", .session = run->row.session, .session_id = run->row.session_id,
		.registry = run->row.registry, .only_make = true, .done = made, .arg = flight, .p = flight->p };

	flight->p = NULL;
	flight->call = call_start(run->all->daemon, &request);
}

/* ---- the same person, added before under the other name ---- */

static void find_twin(struct store_reader *reader, void *arg)
{
	struct flight *flight = arg;
	struct twin *twin = &flight->twin;
	struct arena arena;
	struct jid other;

	arena_init(&arena, 0);
	other = lookup_other(reader, &arena, twin->session, &flight->to);
	twin->error = STORE_NOT_FOUND;
	if (!jid_is_none(&other))
		twin->error = store_campaign_has_before(reader, twin->campaign, jid_format(&other, twin->jid, sizeof twin->jid), flight->recipient);
	arena_free(&arena);
}

static void twin_sought(void *arg)
{
	struct flight *flight = arg;
	struct run *run = flight->run;
	char reason[JID_TEXT_MAX + 48];

	if (!run->ready || run->held) {
		run_rewind(run, CLOSED_WAIT_MS);
		land(flight);
	} else if (flight->twin.error && flight->twin.error != STORE_NOT_FOUND) {
		run_rewind(run, TROUBLE_WAIT_MS);
		land(flight);
	} else if (!flight->twin.error) {
		snprintf(reason, sizeof reason, "Duplicate: the same person as %s", flight->twin.jid);
		fail(flight, APP_DUPLICATE_REQUEST, reason);
	} else {
		make(flight);
	}
}

static void seek_twin(struct flight *flight)
{
	const struct run *run = flight->run;
	const struct daemon *daemon = run->all->daemon;

	flight->twin = (struct twin){ .session = run->row.session, .campaign = run->row.number };
	async_read(daemon->loop, daemon->store, find_twin, twin_sought, flight);
}

void flight_start(struct run *run, const struct store_recipient *recipient)
{
	struct flight *flight = xcalloc(1, sizeof *flight);
	char lacking[TEMPLATE_NAME_MAX + 32];

	flight->run = run;
	flight->recipient = recipient->number;
	snprintf(flight->id, sizeof flight->id, "%s", recipient->message_id);
	flight->next = run->flights;
	run->flights = flight;
	run->flying++;
	if (jid_parse_text(&flight->to, recipient->jid))
		fail(flight, 3007, "The address cannot be read");
	else if (!take_parameters(flight, recipient, lacking))
		fail(flight, 2001, lacking);
	else if (jid_is_person(&flight->to))
		seek_twin(flight);
	else
		make(flight);
}

void flights_cancel(struct run *run)
{
	struct flight *next;

	for (struct flight *flight = run->flights; flight; flight = next) {
		next = flight->next;
		if (!flight->call)
			continue;
		call_cancel(&flight->call);
		run->rewind = true;
		for (struct flight **at = &run->flights; *at; at = &(*at)->next) {
			if (*at == flight) {
				*at = flight->next;
				break;
			}
		}
		run->flying--;
		flight_free(flight);
	}
}
