/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * messages.send.files: up to 20 files, each a document of its own, to every recipient (rest-a 7.2, D9, D10).
 *
 *     inputs one after another: got --> judged (blocked? broken?) --> uploaded --> content
 *     then one job: recipients x contents; its answer has one entry per recipient
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/idempotency.h"
#include "sessiond/rpc/media_send.h"
#include "sessiond/rpc/send.h"

#define FILES_MAX 20

/* A file that was uploaded, or blocked. */
struct file {
	char *name, *mime, *caption, *reply; /* owned */
	uint64_t size;
	char *blocked;                       /* owned: the reason; NULL: it was uploaded */
	struct buf message;                  /* owned */
};

struct files_send {
	struct rpc_request *request;
	struct json_object *items; /* borrowed from the request */
	size_t at;                 /* of items */
	struct media_input input;
	struct upload_job upload;
	char *caption, *reply;     /* owned: for files that have none of their own */
	struct file files[FILES_MAX];
	size_t count;
};

static void next(struct files_send *s);

static void finished(void *arg)
{
	struct files_send *s = arg;

	for (size_t i = 0; i < s->count; i++) {
		free(s->files[i].name);
		free(s->files[i].mime);
		free(s->files[i].caption);
		free(s->files[i].reply);
		free(s->files[i].blocked);
		buf_wipe(&s->files[i].message);
	}
	media_input_free(&s->input);
	transfer_file_free(&s->upload.file);
	free(s->caption);
	free(s->reply);
	free(s);
}

static void refuse(struct files_send *s, int status, int code, const char *text)
{
	rpc_answer(s->request, status, code, text, NULL);
	finished(s);
}

/* ---- the answer ---- */

static void put_files(struct buf *out, const struct files_send *s, const struct send_job *job, size_t first)
{
	size_t n = 0;

	json_put_name(out, "files");
	buf_u8(out, '[');
	for (size_t i = 0, content = 0; i < s->count; i++) {
		const struct send_result *result;

		if (s->files[i].blocked)
			continue;
		result = &job->results[first + content++];
		if (result->failed)
			continue;
		buf_append_text(out, n++ ? ",{" : "{");
		json_put_member(out, "name", s->files[i].name);
		json_put_member(out, "mimetype", s->files[i].mime);
		json_put_int(out, "size", (int64_t)s->files[i].size);
		json_put_member(out, "messageId", result->id);
		if (s->files[i].reply)
			json_put_member(out, "quotedMessageId", s->files[i].reply);
		if (s->files[i].caption)
			json_put_member(out, "caption", s->files[i].caption);
		json_put_int(out, "timestamp", result->time_ms / 1000);
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
	/* Empty arrays are left out of advancedInfo. */
	if (n == 0)
		out->len -= strlen(",\"files\":[]");
}

static size_t blocked_count(const struct files_send *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		n += s->files[i].blocked != NULL;
	return n;
}

static void put_blocked(struct buf *out, const struct files_send *s)
{
	size_t n = 0;

	if (!blocked_count(s))
		return;
	json_put_name(out, "blockedFiles");
	buf_u8(out, '[');
	for (size_t i = 0; i < s->count; i++) {
		if (!s->files[i].blocked)
			continue;
		buf_append_text(out, n++ ? ",{" : "{");
		json_put_member(out, "name", s->files[i].name);
		json_put_member(out, "mimetype", s->files[i].mime);
		json_put_int(out, "size", (int64_t)s->files[i].size);
		json_put_member(out, "reason", s->files[i].blocked);
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
}

/* How far the messages got when the request is answered (SEND_WAIT_QUEUED, send_at). */
static const char *word_of(const struct send_job *job)
{
	if (job && job->not_before_ms)
		return "scheduled";
	return job && job->wait == SEND_WAIT_QUEUED ? "queued" : "success";
}

/* One recipient's entry. True if at least one file was sent to it. */
static bool put_entry(struct buf *good, struct buf *bad, const struct files_send *s, const struct send_job *job, const struct jid *recipient, size_t first,
		      size_t contents, const char *own)
{
	struct jid to = jid_bare(recipient);
	char text[JID_TEXT_MAX];
	int64_t time_ms = timefmt_now_ms();
	struct buf *out;
	size_t sent = 0;

	for (size_t i = 0; i < contents; i++) {
		if (job->results[first + i].failed)
			continue;
		time_ms = job->results[first + i].time_ms;
		sent++;
	}
	out = sent ? good : bad;
	if (out->len > 1)
		buf_u8(out, ',');
	buf_u8(out, '{');
	json_put_member(out, "phone", own);
	json_put_member(out, "to", to.user);
	json_put_member(out, "toJid", jid_format(&to, text, sizeof text));
	json_put_member(out, "messageId", NULL);
	json_put_name(out, "status");
	buf_printf(out, "\"%s %s\"", sent > 1 ? "files" : "file", sent ? word_of(job) : "failed");
	json_put_int(out, "timestamp", time_ms / 1000);
	json_put_name(out, "advancedInfo");
	buf_u8(out, '{');
	json_put_bool(out, "isForwarded", rpc_param_bool(s->request, "isForwarded"));
	json_put_member(out, "quotedMessageId", s->reply);
	if (sent)
		put_files(out, s, job, first);
	put_blocked(out, s);
	if (!sent)
		json_put_member(out, "error", blocked_count(s) && blocked_count(s) == s->count ? "All files were blocked by security policy" :
												"No files were sent to this recipient");
	buf_append_text(out, "}}");
	return sent > 0;
}

/* job NULL: there was nothing to send. */
static void answer(struct files_send *s, const struct send_job *job, const char *own, size_t contents)
{
	struct json_object *to = json_object_object_get(s->request->p, "to");
	size_t n = json_object_array_length(to), good_count = 0;
	struct buf good = { 0 }, bad = { 0 }, json = { 0 };
	const char *word = word_of(job), *verb = strcmp(word, "success") == 0 ? "sent" : word;
	char message[64];
	int status;

	buf_u8(&good, '[');
	buf_u8(&bad, '[');
	for (size_t i = 0; i < n; i++) {
		struct jid recipient = { .server = JID_SERVER_NONE };

		if (jid_parse_text(&recipient, json_object_get_string(json_object_array_get_idx(to, i))))
			continue;
		good_count += put_entry(&good, &bad, s, job, &recipient, i * contents, contents, own);
	}
	buf_u8(&good, ']');
	buf_u8(&bad, ']');
	if (n > 1)
		snprintf(message, sizeof message, "File message %s (%zu recipients)", verb, good_count);
	else
		snprintf(message, sizeof message, "File message %s", verb);
	if (good_count == n && verb == word)
		send_answer_put(&json, status = 202, job->not_before_ms ? 1003 : 3000, message, &good, NULL);
	else if (good_count == n)
		send_answer_put(&json, status = 200, 1000, message, &good, NULL);
	else if (good_count)
		send_answer_put(&json, status = 207, 1004, message, &good, &bad);
	else
		send_answer_put(&json, status = 502, 3002, "Failed to send files to all recipients", &bad, NULL);
	idempotency_answer(s->request, status, &json, job != NULL);
	buf_free(&good);
	buf_free(&bad);
	buf_free(&json);
	finished(s);
}

static void job_done(struct send_job *job)
{
	struct files_send *s = job->arg;
	size_t contents = job->ncontents;

	if (job->state == SEND_DONE)
		answer(s, job, job->own.user, contents);
	else if (job->state == SEND_SESSION_GONE)
		refuse(s, 404, 1101, "Session not found");
	else if (job->state == SEND_DUPLICATE_ID)
		refuse(s, 409, 2009, "messageId was used already");
	else
		refuse(s, 500, 8000, "Internal server error");
	send_job_free(job);
}

/* What an answer is made of that a crash prevented: one entry per recipient, without the list of files. */
static char *shape_of(const struct files_send *s, const struct send_job *job)
{
	struct send_shape shape = { .label = "File message", .kind = "file", .noun = "files", .per = job->ncontents, .forwarded = job->forwarded,
				    .quoted_id = s->reply ? xstrdup(s->reply) : NULL };
	char *text = send_shape_store(&shape, job->n);

	send_shape_free(&shape);
	return text;
}

/* Everything was looked at; nothing was uploaded. */
static void answer_dry(struct files_send *s, size_t contents)
{
	struct rpc_request *request = s->request;

	finished(s);
	send_go(request, send_plan_new(contents, "File message", "file", "files"));
}

/* ---- all inputs are through ---- */

static void send_all(struct files_send *s)
{
	struct session_entry *entry = rpc_session(s->request);
	struct json_object *to = json_object_object_get(s->request->p, "to");
	size_t recipients = json_object_array_length(to), contents = s->count - blocked_count(s), item = 0;
	const char *id = rpc_param_text(s->request, "messageId");
	struct send_job *job;

	if (!entry) {
		finished(s);
		return;
	}
	/* Nobody waits any more: nothing is sent that nobody would know of. */
	if (!s->request->conn) {
		refuse(s, 500, 8000, "Internal server error");
		return;
	}
	if (contents == 0) {
		answer(s, NULL, entry->view.me_pn.user, 0);
		return;
	}
	if (id && id[0] && (recipients * contents != 1 || strlen(id) > SEND_ID_MAX)) {
		refuse(s, 400, 2002, "messageId needs exactly one message and at most 64 characters");
		return;
	}
	if (rpc_param_bool(s->request, "dry_run")) {
		answer_dry(s, contents);
		return;
	}
	job = send_job_new(contents, recipients * contents);
	for (size_t i = 0, c = 0; i < s->count; i++) {
		if (!s->files[i].blocked)
			job->contents[c++].message = s->files[i].message;
		s->files[i].message = (struct buf){ 0 };
	}
	for (size_t r = 0; r < recipients; r++) {
		for (size_t i = 0, c = 0; i < s->count; i++) {
			const char *reply = s->files[i].reply ? s->files[i].reply : s->reply;

			if (s->files[i].blocked)
				continue;
			jid_parse_text(&job->items[item].to, json_object_get_string(json_object_array_get_idx(to, r)));
			job->items[item].content = c++;
			job->items[item].quoted_id = reply ? xstrdup(reply) : NULL;
			snprintf(job->items[item].id, sizeof job->items[item].id, "%s", id ? id : "");
			item++;
		}
	}
	send_job_common(s->request, job);
	job->done = job_done;
	job->forget = finished;
	job->arg = s;
	idempotency_fill(s->request, job);
	if (job->idem_key)
		job->info = shape_of(s, job);
	sessions_send(s->request->context->daemon->sessions, entry, job);
}

/* ---- one input ---- */

static struct file *add_file(struct files_send *s)
{
	struct file *file = &s->files[s->count++];
	const struct media_input *input = &s->input;

	file->name = xstrdup(input->name);
	file->mime = xstrdup(input->mime);
	file->size = input->size;
	file->reply = input->reply ? xstrdup(input->reply) : NULL;
	if (input->caption && input->caption[0]) {
		struct buf normal = { 0 };

		text_normalise(&normal, input->caption, strlen(input->caption));
		file->caption = xstrdup(buf_text(&normal));
		buf_free(&normal);
	} else if (s->caption) {
		file->caption = xstrdup(s->caption);
	}
	return file;
}

static void uploaded(struct upload_job *job)
{
	struct files_send *s = job->arg;

	if (job->error == TRANSFER_E_OFFLINE) {
		refuse(s, 404, 1101, "Session not found");
		return;
	}
	/* A file that cannot be uploaded is skipped. */
	if (!job->error) {
		struct file *file = add_file(s);
		const struct wa_media media = { .type = WA_MEDIA_DOCUMENT, .file_name = file->name, .caption = file->caption };
		const struct media_prepared as_it_is = { .fd = -1 };

		media_message(&file->message, &media, &job->file, file->mime, &as_it_is);
	}
	transfer_file_free(&job->file);
	next(s);
}

static void input_ready(void *arg, struct media_input *input)
{
	struct files_send *s = arg;
	struct session_entry *entry;
	char text[256];

	if (input->error == INPUT_TOO_LARGE) {
		snprintf(text, sizeof text, "File too large (limit %" PRIu64 "MB)", input->limit >> 20);
		refuse(s, 413, 2009, text);
		return;
	}
	if (input->error) {
		next(s);
		return;
	}
	if (media_blocked(input, span_of(input->head, input->head_len), text, sizeof text)) {
		add_file(s)->blocked = xstrdup(text);
		next(s);
		return;
	}
	entry = rpc_session(s->request);
	if (!entry) {
		finished(s);
		return;
	}
	if (rpc_param_bool(s->request, "dry_run")) {
		add_file(s);
		next(s);
		return;
	}
	s->upload = (struct upload_job){ .kind = TRANSFER_DOCUMENT, .fd = input->fd, .max_len = input->limit, .done = uploaded, .arg = s };
	sessions_upload(s->request->context->daemon->sessions, entry, &s->upload);
}

static void next(struct files_send *s)
{
	size_t n = json_object_is_type(s->items, json_type_array) ? json_object_array_length(s->items) : 0;
	const struct config *config = s->request->context->daemon->config;

	media_input_free(&s->input);
	if (s->at >= n || s->at >= FILES_MAX) {
		send_all(s);
		return;
	}
	media_input_get(&s->input, s->request, json_object_array_get_idx(s->items, s->at++), (uint64_t)config->file_per_file_mb << 20, "document", input_ready, s);
}

static void build(struct rpc_request *request)
{
	const char *caption = rpc_param_text(request, "caption"), *reply = rpc_param_text(request, "replyMessageId");
	struct files_send *s;

	if (!media_recipients(request))
		return;
	s = xcalloc(1, sizeof *s);
	s->request = request;
	s->items = json_object_object_get(request->p, "inputs");
	s->input.fd = -1;
	s->reply = reply && reply[0] ? xstrdup(reply) : NULL;
	if (caption && caption[0]) {
		struct buf normal = { 0 };

		text_normalise(&normal, caption, strlen(caption));
		s->caption = xstrdup(buf_text(&normal));
		buf_free(&normal);
	}
	next(s);
}

void rpc_send_files(struct rpc_request *request)
{
	send_begin(request, build);
}
