/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a plan to a job and back, see send.h. */
#include "sessiond/rpc/send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/rpc/idempotency.h"
#include "sessiond/rpc/internal.h"

/* What a job needs when it comes back. */
struct order {
	struct rpc_request *request;
	struct send_shape shape;
};

/* ---- plans ---- */

struct send_plan *send_plan_new(size_t ncontents, const char *label, const char *kind, const char *noun)
{
	struct send_plan *plan = xcalloc(1, sizeof *plan);

	plan->contents = xcalloc(ncontents, sizeof *plan->contents);
	plan->ncontents = ncontents;
	snprintf(plan->shape.label, sizeof plan->shape.label, "%s", label);
	snprintf(plan->shape.kind, sizeof plan->shape.kind, "%s", kind);
	snprintf(plan->shape.noun, sizeof plan->shape.noun, "%s", noun);
	return plan;
}

void send_plan_free(struct send_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->ncontents; i++) {
		buf_wipe(&plan->contents[i].message);
		free(plan->contents[i].media_handle);
	}
	for (size_t i = 0; i < plan->ngroup_mentions; i++)
		free(plan->group_mentions[i].subject);
	free(plan->group_mentions);
	free(plan->contents);
	free(plan->mentions);
	send_shape_free(&plan->shape);
	free(plan);
}

/* ---- the common parameters ---- */

static enum presence_target presence_of(const struct rpc_request *request)
{
	static const char *const names[] = {
		[PRESENCE_COMPOSING] = "composing", [PRESENCE_RECORDING] = "recording", [PRESENCE_PAUSED] = "paused",
		[PRESENCE_AVAILABLE] = "available", [PRESENCE_UNAVAILABLE] = "unavailable",
	};
	struct json_object *presence = json_object_object_get(request->p, "presence");
	const char *state = json_object_get_string(json_object_object_get(presence, "state"));

	for (size_t i = PRESENCE_COMPOSING; state && i < sizeof names / sizeof *names; i++) {
		if (strcmp(names[i], state) == 0)
			return (enum presence_target)i;
	}
	return PRESENCE_OFF;
}

static enum send_wait wait_of(const struct rpc_request *request)
{
	const char *wait = rpc_param_text(request, "wait");

	if (wait && strcmp(wait, "queued") == 0)
		return SEND_WAIT_QUEUED;
	return wait && strcmp(wait, "delivered") == 0 ? SEND_WAIT_DELIVERED : SEND_WAIT_ACK;
}

/* Campaigns let others go first unless they say otherwise. */
static enum send_priority priority_of(const struct rpc_request *request)
{
	const char *priority = rpc_param_text(request, "priority");

	if (!priority)
		return request->source == SEND_BY_CAMPAIGN ? SEND_LOW : SEND_NORMAL;
	return strcmp(priority, "high") == 0 ? SEND_HIGH : strcmp(priority, "low") == 0 ? SEND_LOW : SEND_NORMAL;
}

bool send_color(struct rpc_request *request, const char *name, uint32_t *argb)
{
	const char *text = rpc_param_text(request, name);
	size_t n;

	*argb = 0;
	if (!text || !text[0])
		return true;
	text += text[0] == '#';
	n = strspn(text, "0123456789abcdefABCDEF");
	if ((n != 6 && n != 8) || text[n]) {
		rpc_answer(request, 400, 2002, "Colors are #RRGGBB or #AARRGGBB", NULL);
		return false;
	}
	*argb = (uint32_t)strtoul(text, NULL, 16) | (n == 6 ? UINT32_C(0xff000000) : 0);
	return true;
}

void send_job_common(const struct rpc_request *request, struct send_job *job)
{
	job->presence = (int)presence_of(request);
	job->wait = wait_of(request);
	job->priority = priority_of(request);
	job->source = request->source;
	job->forwarded = rpc_param_bool(request, "isForwarded");
	job->forwarding_score = (uint32_t)json_object_get_int(json_object_object_get(request->p, "forwardingScore"));
	job->not_before_ms = json_object_get_int64(json_object_object_get(request->p, "send_at"));
	if (job->not_before_ms <= timefmt_now_ms())
		job->not_before_ms = 0;
}

/* A status may be for many: unless the caller says otherwise, the answer does not wait for it. */
const char *send_job_audience(const struct rpc_request *request, struct send_job *job)
{
	struct json_object *audience = json_object_object_get(request->p, "audience");
	size_t n = json_object_is_type(audience, json_type_array) ? json_object_array_length(audience) : 0, statuses = 0;

	for (size_t i = 0; i < job->n; i++) {
		struct send_item *item = &job->items[i];

		if (!jid_is_status(&item->to))
			continue;
		statuses++;
		item->audience = n ? xcalloc(n, sizeof *item->audience) : NULL;
		for (size_t k = 0; k < n; k++) {
			if (jid_parse_text(&item->audience[item->naudience], json_object_get_string(json_object_array_get_idx(audience, k))) ||
			    !jid_is_person(&item->audience[item->naudience]))
				return "audience is a list of persons";
			item->naudience++;
		}
	}
	if (statuses && statuses != job->n)
		return "A status goes to nobody else in the same request";
	if (statuses && !rpc_param_text(request, "wait"))
		job->wait = SEND_WAIT_QUEUED;
	return NULL;
}

int send_answer_refused(struct buf *out, enum send_state state)
{
	static const struct {
		enum send_state state;
		int status, code;
		const char *text;
	} refusals[] = {
		{ SEND_SESSION_GONE, 404, 1101, "Session not found" },
		{ SEND_QUEUE_FULL, 500, 8000, "Queue limit reached" },
		{ SEND_DUPLICATE_ID, 409, 2009, "messageId was used already" },
		{ SEND_NO_AUDIENCE, 400, 2002, "Nobody would see this status: name an audience" },
	};

	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		if (refusals[i].state == state) {
			send_answer_put(out, refusals[i].status, refusals[i].code, refusals[i].text, NULL, NULL);
			return refusals[i].status;
		}
	}
	send_answer_put(out, 500, 8000, "Internal server error", NULL, NULL);
	return 500;
}

/* NULL: the request was answered. */
static struct send_job *make_job(struct rpc_request *request, const struct send_plan *plan)
{
	struct json_object *to = json_object_object_get(request->p, "to");
	size_t n = json_object_is_type(to, json_type_array) ? json_object_array_length(to) : 0;
	const char *quoted = rpc_param_text(request, "replyMessageId");
	const char *id = rpc_param_text(request, "messageId"), *fault;
	struct send_job *job;

	if (n == 0) {
		rpc_answer(request, 400, 1100, "Parameter 'to' is required", NULL);
		return NULL;
	}
	if (id && id[0] && (n * plan->ncontents != 1 || strlen(id) > SEND_ID_MAX)) {
		rpc_answer(request, 400, 2002, "messageId needs exactly one message and at most 64 characters", NULL);
		return NULL;
	}
	job = send_job_new(plan->ncontents, n * plan->ncontents);
	for (size_t i = 0; i < job->n; i++) {
		struct send_item *item = &job->items[i];

		if (jid_parse_text(&item->to, json_object_get_string(json_object_array_get_idx(to, i / plan->ncontents)))) {
			send_job_free(job);
			rpc_answer(request, 400, 1100, "Invalid 'to' value", NULL);
			return NULL;
		}
		item->content = i % plan->ncontents;
		item->quoted_id = quoted && quoted[0] ? xstrdup(quoted) : NULL;
		snprintf(item->id, sizeof item->id, "%s", id ? id : "");
	}
	send_job_common(request, job);
	fault = send_job_audience(request, job);
	if (!fault)
		return job;
	send_job_free(job);
	rpc_answer(request, 400, 2002, fault, NULL);
	return NULL;
}

/* ---- there and back ---- */

static void order_free(void *arg)
{
	struct order *order = arg;

	send_shape_free(&order->shape);
	free(order);
}

static void log_failures(const struct rpc_request *request, const struct send_job *job)
{
	for (size_t i = 0; i < job->n; i++) {
		if (job->results[i].failed)
			log_warn(&request->context->log, "message refused", LOG_STR("session", request->session_id), LOG_STR("message", job->results[i].id),
				LOG_INT("code", job->results[i].code), LOG_STR("reason", job->results[i].error));
	}
}

static void job_done(struct send_job *job)
{
	struct order *order = job->arg;
	struct rpc_request *request = order->request;
	struct buf answer = { 0 };
	int status;

	if (job->state == SEND_DONE) {
		status = send_answer(&answer, job, &order->shape);
		if (send_retry_after_s(job) > 0)
			rpc_header_int(request, "Retry-After", send_retry_after_s(job));
		log_failures(request, job);
	} else {
		status = send_answer_refused(&answer, job->state);
	}
	idempotency_answer(request, status, &answer, job->state == SEND_DONE);
	buf_free(&answer);
	order_free(order);
	send_job_free(job);
}

void send_dry(struct rpc_request *request, struct send_job *job, const struct send_shape *shape)
{
	struct session_entry *entry = rpc_session(request);
	struct buf answer = { 0 };
	int status;

	if (!entry)
		return;
	job->own = entry->view.me_pn;
	for (size_t i = 0; i < job->n; i++) {
		job->results[i].to = job->items[i].to;
		job->results[i].audience = job->items[i].naudience;
	}
	status = send_answer_dry(&answer, job, shape);
	idempotency_answer(request, status, &answer, false);
	buf_free(&answer);
}

/* The job takes over what the plan says. */
static void fill_job(struct send_job *job, struct send_plan *plan)
{
	memcpy(job->contents, plan->contents, plan->ncontents * sizeof *job->contents);
	memset(plan->contents, 0, plan->ncontents * sizeof *plan->contents);
	job->mentions = plan->mentions;
	job->nmentions = plan->nmentions;
	job->mention_all = plan->mention_all;
	job->group_mentions = plan->group_mentions;
	job->ngroup_mentions = plan->ngroup_mentions;
	plan->group_mentions = NULL;
	plan->ngroup_mentions = 0;
	if (plan->forwarding_score)
		job->forwarding_score = plan->forwarding_score;
	plan->mentions = NULL;
}

void send_go(struct rpc_request *request, struct send_plan *plan)
{
	struct session_entry *entry = rpc_session(request);
	struct send_job *job = entry ? make_job(request, plan) : NULL;
	struct order *order;

	if (!job) {
		send_plan_free(plan);
		return;
	}
	plan->shape.per = plan->ncontents;
	plan->shape.forwarded = job->forwarded;
	plan->shape.quoted_id = job->items[0].quoted_id ? xstrdup(job->items[0].quoted_id) : NULL;
	if (rpc_param_bool(request, "dry_run")) {
		send_dry(request, job, &plan->shape);
		send_job_free(job);
		send_plan_free(plan);
		return;
	}
	fill_job(job, plan);
	if (internal_only_makes(request->internal)) {
		send_plan_free(plan);
		internal_take_job(request->internal, job);
		rpc_answer(request, 200, 1000, "Made", NULL);
		return;
	}
	order = xcalloc(1, sizeof *order);
	order->request = request;
	order->shape = plan->shape;
	plan->shape = (struct send_shape){ 0 };
	send_plan_free(plan);
	job->done = job_done;
	job->forget = order_free;
	job->arg = order;
	idempotency_fill(request, job);
	if (job->idem_key)
		job->info = send_shape_store(&order->shape, job->n);
	sessions_send(request->context->daemon->sessions, entry, job);
}

void send_begin(struct rpc_request *request, rpc_work *build)
{
	idempotency_begin(request, build);
}
