/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * messages.send.files: up to 20 files to every recipient (rest-a 7.2, D9, D10), each a document of its own; with album, pictures and videos
 * that belong together.
 *
 *     inputs one after another: got --> judged (blocked? broken?) --> [ media worker: thumbnail, or made to play ] --> uploaded --> content
 *     then one job: recipients x ([ album ] contents); its answer has one entry per recipient (files_answer.c)
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/appcode.h"
#include "common/mem.h"
#include "common/text.h"
#include "sessiond/rpc/idempotency.h"
#include "sessiond/rpc/media_send.h"
#include "sessiond/rpc/send.h"
#include "sessiond/wa/wa.h"

#define FILES_MAX 20

struct files_send {
	struct rpc_request *request;
	struct json_object *items; /* borrowed from the request */
	size_t at;                 /* of items */
	struct media_send one;     /* the file that is under way */
	char *caption, *reply;     /* owned: for files that have none of their own */
	bool album, channel;
	struct send_shape shape;   /* with the files so far */
	struct send_content contents[FILES_MAX]; /* owned; of the file in that place */
	uint32_t images, videos;
};

static void next(struct files_send *s);

static void finished(void *arg)
{
	struct files_send *s = arg;

	for (size_t i = 0; i < FILES_MAX; i++) {
		buf_wipe(&s->contents[i].message);
		free(s->contents[i].media_handle);
	}
	send_shape_free(&s->shape);
	media_input_free(&s->one.input);
	media_prepared_free(&s->one.prepared);
	transfer_file_free(&s->one.upload.file);
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

static void job_done(struct send_job *job)
{
	struct files_send *s = job->arg;
	struct buf answer = { 0 };
	int status = job->state == SEND_DONE ? send_answer(&answer, job, &s->shape) : send_answer_refused(&answer, job->state);

	idempotency_answer(s->request, status, &answer, job->state == SEND_DONE);
	buf_free(&answer);
	finished(s);
	send_job_free(job);
}

static const char *recipient(const struct files_send *s, size_t n)
{
	return json_object_get_string(json_object_array_get_idx(json_object_object_get(s->request->p, "to"), n));
}

/* There is nothing to send: every recipient's entry says why. */
static void answer_nothing(struct files_send *s, const struct jid *own, size_t recipients)
{
	struct send_job *job = send_job_new(0, recipients);
	struct buf answer = { 0 };
	int status;

	for (size_t i = 0; i < recipients; i++)
		jid_parse_text(&job->results[i].to, recipient(s, i));
	job->own = *own;
	s->shape.per = 1;
	s->shape.forwarded = rpc_param_bool(s->request, "isForwarded");
	s->shape.quoted_id = s->reply ? xstrdup(s->reply) : NULL;
	status = send_answer_files(&answer, job, &s->shape);
	idempotency_answer(s->request, status, &answer, false);
	buf_free(&answer);
	send_job_free(job);
	finished(s);
}

/* ---- all inputs are through ---- */

static size_t count_contents(const struct files_send *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->shape.nfiles; i++)
		n += s->shape.files[i].blocked == NULL;
	return n;
}

/* Contents of the job: [ the album ] and the files that are not blocked. */
static void take_contents(struct files_send *s, struct send_job *job)
{
	size_t c = 0;

	if (s->shape.album)
		wa_build_album(&job->contents[c++].message, s->images, s->videos);
	for (size_t i = 0; i < s->shape.nfiles; i++) {
		if (s->shape.files[i].blocked)
			continue;
		job->contents[c] = s->contents[i];
		s->contents[i] = (struct send_content){ 0 };
		job->contents[c].album = s->shape.album ? 1 : 0;
		job->contents[c].album_index = s->shape.album ? (uint32_t)c - 1 : 0;
		c++;
	}
}

static const char *reply_of(const struct files_send *s, size_t content)
{
	size_t nth = content - (s->shape.album ? 1 : 0);

	if (s->shape.album && content == 0)
		return s->reply;
	for (size_t i = 0; i < s->shape.nfiles; i++) {
		if (s->shape.files[i].blocked)
			continue;
		if (nth-- == 0)
			return s->shape.files[i].reply ? s->shape.files[i].reply : s->shape.album ? NULL : s->reply;
	}
	return NULL;
}

/* False: the request was answered. */
static bool set_items(struct files_send *s, struct send_job *job)
{
	const char *id = rpc_param_text(s->request, "messageId"), *fault;

	if (id && id[0] && (job->n != 1 || strlen(id) > SEND_ID_MAX)) {
		refuse(s, 400, 2002, "messageId needs exactly one message and at most 64 characters");
		return false;
	}
	for (size_t i = 0; i < job->n; i++) {
		struct send_item *item = &job->items[i];
		const char *reply = reply_of(s, i % job->ncontents);

		jid_parse_text(&item->to, recipient(s, i / job->ncontents));
		item->content = i % job->ncontents;
		item->quoted_id = reply ? xstrdup(reply) : NULL;
		snprintf(item->id, sizeof item->id, "%s", id ? id : "");
	}
	send_job_common(s->request, job);
	fault = send_job_audience(s->request, job);
	if (fault)
		refuse(s, 400, 2002, fault);
	return !fault;
}

static void send_all(struct files_send *s)
{
	struct rpc_request *request = s->request;
	struct session_entry *entry = rpc_session(request);
	size_t recipients = json_object_array_length(json_object_object_get(request->p, "to")), contents = count_contents(s);
	struct send_job *job;

	if (!entry) {
		finished(s);
		return;
	}
	/* Nobody waits any more: nothing is sent that nobody would know of. */
	if (!rpc_request_is_awaited(request)) {
		refuse(s, 500, 8000, "Internal server error");
		return;
	}
	if (contents == 0) {
		answer_nothing(s, &entry->view.me_pn, recipients);
		return;
	}
	/* One picture alone is no album. */
	s->shape.album = s->album && contents > 1;
	s->shape.per = contents + (s->shape.album ? 1 : 0);
	job = send_job_new(s->shape.per, recipients * s->shape.per);
	if (!set_items(s, job)) {
		send_job_free(job);
		return;
	}
	s->shape.forwarded = job->forwarded;
	s->shape.quoted_id = s->reply ? xstrdup(s->reply) : NULL;
	if (rpc_param_bool(request, "dry_run")) {
		send_dry(request, job, &s->shape);
		send_job_free(job);
		finished(s);
		return;
	}
	take_contents(s, job);
	job->done = job_done;
	job->forget = finished;
	job->arg = s;
	idempotency_fill(request, job);
	if (job->idem_key)
		job->info = send_shape_store(&s->shape, job->n);
	sessions_send(request->context->daemon->sessions, entry, job);
}

/* ---- one input ---- */

static struct send_file *add_file(struct files_send *s)
{
	struct send_file *file = &s->shape.files[s->shape.nfiles++];
	const struct media_input *input = &s->one.input;

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

static void count_visual(struct files_send *s)
{
	if (s->one.media.type == WA_MEDIA_IMAGE)
		s->images++;
	else if (s->one.media.type == WA_MEDIA_VIDEO)
		s->videos++;
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
		struct send_content *content = &s->contents[s->shape.nfiles];
		struct send_file *file = add_file(s);

		s->one.media.file_name = s->one.media.type == WA_MEDIA_DOCUMENT ? file->name : NULL;
		s->one.media.caption = file->caption;
		media_message(&content->message, &s->one.media, &job->file, s->one.mime, &s->one.prepared);
		content->media_handle = job->file.handle ? xstrdup(job->file.handle) : NULL;
		count_visual(s);
	}
	transfer_file_free(&job->file);
	next(s);
}

static void prepared(void *arg, int error)
{
	struct files_send *s = arg;
	struct media_send *one = &s->one;
	struct session_entry *entry;

	/* A picture or video that no client would show is skipped like one that cannot be uploaded. */
	if (error) {
		next(s);
		return;
	}
	entry = rpc_session(s->request);
	if (!entry) {
		finished(s);
		return;
	}
	one->mime = one->prepared.mime[0] ? one->prepared.mime : one->input.mime;
	one->upload.fd = one->prepared.fd >= 0 ? one->prepared.fd : one->input.fd;
	one->upload.max_len = one->input.limit;
	one->upload.plain = s->channel;
	one->upload.done = uploaded;
	one->upload.arg = s;
	sessions_upload(s->request->context->daemon->sessions, entry, &one->upload);
}

/* What the message of this file is. False: the request was refused. */
static bool choose_type(struct files_send *s)
{
	enum filetype_kind kind = filetype_kind(s->one.input.mime);

	s->one.media.type = WA_MEDIA_DOCUMENT;
	s->one.upload.kind = TRANSFER_DOCUMENT;
	if (!s->album)
		return true;
	if (kind != FILETYPE_IMAGE && kind != FILETYPE_VIDEO) {
		refuse(s, 415, 2007, "An album takes images and videos");
		return false;
	}
	s->one.media.type = kind == FILETYPE_VIDEO ? WA_MEDIA_VIDEO : WA_MEDIA_IMAGE;
	s->one.upload.kind = kind == FILETYPE_VIDEO ? TRANSFER_VIDEO : TRANSFER_IMAGE;
	return true;
}

static void input_ready(void *arg, struct media_input *input)
{
	struct files_send *s = arg;
	char text[256];

	if (input->error == INPUT_TOO_LARGE) {
		snprintf(text, sizeof text, "File too large (limit %" PRIu64 "MB)", input->limit >> 20);
		refuse(s, 413, 2009, text);
		return;
	}
	if (input->error == INPUT_PROXY) {
		refuse(s, 502, APP_NETWORK_ERROR, INPUT_PROXY_TEXT);
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
	if (!choose_type(s))
		return;
	if (rpc_param_bool(s->request, "dry_run")) {
		add_file(s);
		next(s);
		return;
	}
	media_prepare(&s->one, prepared, s);
}

static void next(struct files_send *s)
{
	size_t n = json_object_is_type(s->items, json_type_array) ? json_object_array_length(s->items) : 0;
	const struct config *config = s->request->context->daemon->config;
	struct rpc_request *request = s->request;

	media_input_free(&s->one.input);
	media_prepared_free(&s->one.prepared);
	s->one = (struct media_send){ .request = request, .input = { .fd = -1 }, .prepared = { .fd = -1 } };
	if (s->at >= n || s->at >= FILES_MAX) {
		send_all(s);
		return;
	}
	media_input_get(&s->one.input, request, json_object_array_get_idx(s->items, s->at++), (uint64_t)config->file_per_file_mb << 20,
			s->album ? "upload" : "document", input_ready, s);
}

static void build(struct rpc_request *request)
{
	const char *caption = rpc_param_text(request, "caption"), *reply = rpc_param_text(request, "replyMessageId");
	bool album = rpc_param_bool(request, "album"), channel;
	struct files_send *s;

	if (!media_recipients(request, &channel))
		return;
	if (album && (channel || media_to_status(request))) {
		rpc_answer(request, 501, 8005, "Albums can be sent to persons and groups", NULL);
		return;
	}
	s = xcalloc(1, sizeof *s);
	s->request = request;
	s->items = json_object_object_get(request->p, "inputs");
	s->one.input.fd = s->one.prepared.fd = -1;
	s->album = album;
	s->channel = channel;
	s->shape = (struct send_shape){ .label = "File message", .kind = "file", .noun = "files", .files = xcalloc(FILES_MAX, sizeof *s->shape.files) };
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
