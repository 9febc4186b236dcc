/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The answer of a send request, one entry per message (rest-a 1.15), and its rebuilding from stored rows. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/idempotency.h"
#include "sessiond/rpc/send.h"
#include "sessiond/session/route.h"

/* How far the messages of a job got when it is answered. */
struct outcome {
	const char *word;   /* of an entry's status */
	const char *verb;   /* of the message */
	int status, code;
};

static struct outcome outcome_of(const struct send_job *job, bool dry)
{
	if (dry)
		return (struct outcome){ "not sent", "not sent: dry run", 200, 1005 };
	if (job->not_before_ms)
		return (struct outcome){ "scheduled", "scheduled", 202, 1003 };
	if (job->wait == SEND_WAIT_QUEUED)
		return (struct outcome){ "queued", "queued", 202, 3000 };
	return (struct outcome){ "success", "sent", 200, 1000 };
}

/* Some of it waits for a reason that may last. */
static bool is_held(const struct send_job *job)
{
	for (size_t i = 0; i < job->n; i++)
		if (job->results[i].hold != HOLD_NONE && !job->results[i].failed)
			return true;
	return false;
}

static struct outcome outcome_of_all(const struct send_job *job)
{
	if (!job->not_before_ms && is_held(job))
		return (struct outcome){ "queued", "queued", 202, 3000 };
	return outcome_of(job, false);
}

const char *send_word(const struct send_job *job)
{
	return outcome_of_all(job).word;
}

int64_t send_retry_after_s(const struct send_job *job)
{
	int64_t soonest_ms = 0, wait_ms;

	for (size_t i = 0; i < job->n; i++) {
		int64_t until_ms = job->results[i].hold_until_ms;

		if (until_ms > 0 && (soonest_ms == 0 || until_ms < soonest_ms))
			soonest_ms = until_ms;
	}
	wait_ms = soonest_ms - timefmt_now_ms();
	return soonest_ms == 0 ? 0 : wait_ms > 0 ? (wait_ms + 999) / 1000 : 1;
}

static void put_hold(struct buf *out, const struct send_result *result)
{
	int64_t wait_ms = result->hold_until_ms - timefmt_now_ms();

	if (result->hold == HOLD_NONE)
		return;
	json_put_member(out, "heldBy", send_hold_name(result->hold));
	if (!result->hold_until_ms)
		return;
	json_put_time(out, "heldUntil", result->hold_until_ms);
	json_put_int(out, "retryAfter", wait_ms > 0 ? (wait_ms + 999) / 1000 : 0);
}

static const char *state_of(const struct send_result *result)
{
	return result->failed ? "failed" : result->delivered ? "delivered" : result->acked ? "server_ack" : "queued";
}

void send_put_advanced(struct buf *out, const struct send_shape *shape, const struct send_result *result)
{
	json_put_name(out, "advancedInfo");
	buf_u8(out, '{');
	json_put_bool(out, "isForwarded", shape->forwarded);
	json_put_member(out, "quotedMessageId", shape->quoted_id);
	if (result->audience)
		json_put_int(out, "audience", (int64_t)result->audience);
	if (result->chunks)
		json_put_int(out, "chunks", (int64_t)result->chunks);
}

/* Of a job whose answer says "queued" because another message of it is held. */
static const char *done_word(const struct send_job *job, const char *word)
{
	return job->wait == SEND_WAIT_QUEUED || job->not_before_ms ? word : "success";
}

/* The account may not write to new contacts: said as such, with the time to come back. */
static bool is_restricted(const struct send_result *result)
{
	return result->failed && result->hold == HOLD_RESTRICTED;
}

static void put_entry(struct buf *out, const struct send_job *job, const struct send_shape *shape, const struct send_result *result, const char *word)
{
	struct jid to = jid_bare(&result->to);
	char text[JID_TEXT_MAX];

	if (out->len > 1)
		buf_u8(out, ',');
	buf_u8(out, '{');
	json_put_member(out, "phone", job->own.user);
	json_put_member(out, "to", to.user);
	json_put_member(out, "toJid", jid_format(&to, text, sizeof text));
	json_put_member(out, "messageId", result->failed || !result->id[0] ? NULL : result->id);
	json_put_name(out, "status");
	buf_printf(out, "\"%s %s\"", shape->kind, result->failed ? "failed" : result->hold ? "queued" : result->acked ? done_word(job, word) : word);
	json_put_int(out, "timestamp", result->time_ms / 1000);
	if (job->not_before_ms)
		json_put_time(out, "scheduledAt", job->not_before_ms);
	if (job->wait != SEND_WAIT_ACK || result->hold)
		json_put_member(out, "state", state_of(result));
	put_hold(out, result);
	send_put_advanced(out, shape, result);
	if (shape->extras.len) {
		buf_u8(out, ',');
		buf_append_span(out, buf_span(&shape->extras));
	}
	if (result->failed) {
		json_put_member(out, "error", result->error[0] ? result->error : "refused by WhatsApp");
		if (result->code)
			json_put_int(out, "code", result->code);
	}
	buf_append_text(out, "}}");
}

void send_answer_put(struct buf *out, int status, int code, const char *message, const struct buf *result, const struct buf *failed)
{
	buf_printf(out, "{\"status\":%d,\"code\":%d,\"message\":", status, code);
	json_put_string(out, message);
	if (result) {
		buf_append_text(out, ",\"result\":");
		buf_append_span(out, buf_span(result));
	}
	if (failed) {
		buf_append_text(out, ",\"failed\":");
		buf_append_span(out, buf_span(failed));
	}
	buf_u8(out, '}');
}

/* D9. */
static int put_answer(struct buf *out, const struct send_job *job, const struct send_shape *shape, struct outcome outcome)
{
	struct buf good = { 0 };
	struct buf bad = { 0 };
	size_t failed = 0, n = job->n / shape->per;
	char message[128];
	int status = outcome.status;

	buf_u8(&good, '[');
	buf_u8(&bad, '[');
	for (size_t i = 0; i < job->n; i += shape->per) {
		put_entry(job->results[i].failed ? &bad : &good, job, shape, &job->results[i], outcome.word);
		failed += job->results[i].failed ? 1 : 0;
	}
	buf_u8(&good, ']');
	buf_u8(&bad, ']');
	if (n > 1)
		snprintf(message, sizeof message, "%s %s (%zu recipients)", shape->label, outcome.verb, n - failed);
	else
		snprintf(message, sizeof message, "%s %s", shape->label, outcome.verb);
	if (failed == 0) {
		send_answer_put(out, status, outcome.code, message, &good, NULL);
	} else if (n == 1 && is_restricted(&job->results[0])) {
		send_answer_put(out, status = 429, 3001, "WhatsApp restricts this account: it may not write to new contacts now", NULL, NULL);
	} else if (n == 1) {
		send_answer_put(out, status = 500, 8000, "Internal server error", NULL, NULL);
	} else if (failed < n) {
		send_answer_put(out, status = 207, 1004, message, &good, &bad);
	} else {
		snprintf(message, sizeof message, "Failed to send %s to all recipients", shape->noun);
		send_answer_put(out, status = 502, 3002, message, &bad, NULL);
	}
	buf_free(&good);
	buf_free(&bad);
	return status;
}

int send_answer(struct buf *out, const struct send_job *job, const struct send_shape *shape)
{
	if (shape->nfiles)
		return send_answer_files(out, job, shape);
	return put_answer(out, job, shape, outcome_of_all(job));
}

int send_answer_dry(struct buf *out, const struct send_job *job, const struct send_shape *shape)
{
	return put_answer(out, job, shape, outcome_of(job, true));
}

/* ---- the shape as text ---- */

void send_file_free(struct send_file *file)
{
	free(file->name);
	free(file->mime);
	free(file->caption);
	free(file->reply);
	free(file->blocked);
	*file = (struct send_file){ 0 };
}

void send_shape_free(struct send_shape *shape)
{
	for (size_t i = 0; i < shape->nfiles; i++)
		send_file_free(&shape->files[i]);
	free(shape->files);
	free(shape->quoted_id);
	buf_wipe(&shape->extras);
	*shape = (struct send_shape){ 0 };
}

static void store_files(struct buf *out, const struct send_shape *shape)
{
	if (!shape->nfiles)
		return;
	json_put_bool(out, "album", shape->album);
	json_put_name(out, "files");
	buf_u8(out, '[');
	for (size_t i = 0; i < shape->nfiles; i++) {
		const struct send_file *file = &shape->files[i];

		buf_append_text(out, i ? ",{" : "{");
		json_put_member(out, "name", file->name);
		json_put_member(out, "mime", file->mime);
		json_put_int(out, "size", (int64_t)file->size);
		json_put_member(out, "caption", file->caption);
		json_put_member(out, "reply", file->reply);
		json_put_member(out, "blocked", file->blocked);
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
}

char *send_shape_store(const struct send_shape *shape, size_t items)
{
	struct buf out = { 0 };
	size_t len;

	buf_u8(&out, '{');
	json_put_int(&out, "items", (int64_t)items);
	json_put_int(&out, "per", (int64_t)shape->per);
	json_put_member(&out, "label", shape->label);
	json_put_member(&out, "kind", shape->kind);
	json_put_member(&out, "noun", shape->noun);
	json_put_bool(&out, "forwarded", shape->forwarded);
	json_put_member(&out, "quoted", shape->quoted_id);
	json_put_name(&out, "extras");
	json_put_span(&out, buf_span(&shape->extras));
	store_files(&out, shape);
	buf_u8(&out, '}');
	buf_u8(&out, 0);
	return (char *)buf_take(&out, &len);
}

static void take(char *to, size_t cap, struct json_object *object, const char *name)
{
	const char *text = json_object_get_string(json_object_object_get(object, name));

	snprintf(to, cap, "%s", text ? text : "");
}

static char *copy(struct json_object *object, const char *name)
{
	const char *text = json_object_get_string(json_object_object_get(object, name));

	return text ? xstrdup(text) : NULL;
}

static void load_files(struct send_shape *shape, struct json_object *object)
{
	struct json_object *list = json_object_object_get(object, "files");
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	if (!n)
		return;
	shape->album = json_object_get_boolean(json_object_object_get(object, "album"));
	shape->files = xcalloc(n, sizeof *shape->files);
	shape->nfiles = n;
	for (size_t i = 0; i < n; i++) {
		struct json_object *file = json_object_array_get_idx(list, i);
		int64_t size = json_object_get_int64(json_object_object_get(file, "size"));

		shape->files[i] = (struct send_file){ .name = copy(file, "name"), .mime = copy(file, "mime"), .caption = copy(file, "caption"),
			.reply = copy(file, "reply"), .blocked = copy(file, "blocked"), .size = size > 0 ? (uint64_t)size : 0 };
	}
}

bool send_shape_load(struct send_shape *shape, const char *info, size_t *items)
{
	struct json_object *object = info ? json_tokener_parse(info) : NULL;
	int64_t n = object ? json_object_get_int64(json_object_object_get(object, "items")) : 0;
	int64_t per = object ? json_object_get_int64(json_object_object_get(object, "per")) : 0;
	const char *extras;

	*shape = (struct send_shape){ 0 };
	*items = n > 0 ? (size_t)n : 0;
	if (n <= 0 || per <= 0) {
		json_object_put(object);
		return false;
	}
	shape->per = (size_t)per;
	take(shape->label, sizeof shape->label, object, "label");
	take(shape->kind, sizeof shape->kind, object, "kind");
	take(shape->noun, sizeof shape->noun, object, "noun");
	shape->forwarded = json_object_get_boolean(json_object_object_get(object, "forwarded"));
	shape->quoted_id = copy(object, "quoted");
	load_files(shape, object);
	extras = json_object_get_string(json_object_object_get(object, "extras"));
	buf_append_text(&shape->extras, extras ? extras : "");
	json_object_put(object);
	return true;
}

/* ---- after a crash ---- */

static bool take_row(struct send_job *job, size_t i, const struct store_outbox *row)
{
	struct send_result *result = &job->results[i];

	if (jid_parse_text(&result->to, row->recipient))
		return false;
	job->items[i].to = result->to;
	snprintf(result->id, sizeof result->id, "%s", row->message_id);
	result->failed = row->state == STORE_OUTBOX_FAILED || row->state == STORE_OUTBOX_CANCELLED;
	result->acked = row->state >= STORE_OUTBOX_ACKED && !result->failed;
	result->delivered = row->state >= STORE_OUTBOX_DELIVERED && !result->failed;
	result->time_ms = row->server_ms > 0 ? row->server_ms : row->created_ms;
	result->code = row->code;
	snprintf(result->error, sizeof result->error, "%s", row->error ? row->error : "");
	job->not_before_ms = row->not_before_ms;
	return true;
}

/* The rows of one item end at *at; *at is then where those of the item before it end. A status has a row for each chunk. */
static bool take_item(struct store_reader *reader, struct arena *arena, struct send_job *job, size_t i, int64_t *at)
{
	struct send_result *result = &job->results[i];
	size_t audience = 0, chunks = 0;
	bool whole = true;

	for (size_t k = 0; whole && (k == 0 || k < chunks); k++) {
		struct store_outbox row;
		struct send_route route = { 0 };

		whole = store_outbox_get(reader, arena, (*at)--, &row) == STORE_OK && (k > 0 || take_row(job, i, &row));
		if (!whole)
			break;
		route_load(&route, row.info);
		chunks = k ? chunks : route.chunks;
		audience += route.naudience;
		snprintf(result->id, sizeof result->id, "%s", row.message_id);
		route_free(&route);
	}
	result->audience = audience;
	result->chunks = chunks;
	return whole;
}

/* An answer that the daemon owed when it died: rebuilt from the rows, which the store numbered one after the other. */
bool idempotency_rebuild(struct rpc_request *request, struct store_reader *reader, struct arena *arena, int64_t last_row, struct buf *out)
{
	struct store_outbox last;
	struct send_shape shape = { 0 };
	struct send_job *job = NULL;
	size_t n = 0;
	bool whole = store_outbox_get(reader, arena, last_row, &last) == STORE_OK && send_shape_load(&shape, last.info, &n);

	if (whole)
		job = send_job_new(0, n);
	for (size_t i = n; i-- > 0 && whole;)
		whole = take_item(reader, arena, job, i, &last_row);
	if (whole) {
		int64_t not_before_ms = job->not_before_ms;

		send_job_common(request, job);
		job->not_before_ms = not_before_ms > 0 ? not_before_ms : job->not_before_ms;
		send_job_audience(request, job);
		send_answer(out, job, &shape);
	}
	send_job_free(job);
	send_shape_free(&shape);
	return whole;
}
