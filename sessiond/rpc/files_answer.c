/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The answer of a request that sends several files: one entry per recipient, with its files (rest-a 7.2, D9, D10). */
#include <stdio.h>
#include <string.h>

#include "common/timefmt.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/send.h"

/* Where the messages of one recipient are in the job's results. */
struct part {
	const struct send_job *job;
	const struct send_shape *shape;
	size_t first;   /* its first message; with an album that is the album */
};

static const struct send_result *result_of(const struct part *part, size_t nth)
{
	return &part->job->results[part->first + (part->shape->album ? 1 : 0) + nth];
}

static void put_file(struct buf *out, const struct send_file *file, const struct send_result *result, bool first)
{
	buf_append_text(out, first ? "{" : ",{");
	json_put_member(out, "name", file->name);
	json_put_member(out, "mimetype", file->mime);
	json_put_int(out, "size", (int64_t)file->size);
	json_put_member(out, "messageId", result->id);
	if (file->reply)
		json_put_member(out, "quotedMessageId", file->reply);
	if (file->caption)
		json_put_member(out, "caption", file->caption);
	json_put_int(out, "timestamp", result->time_ms / 1000);
	buf_u8(out, '}');
}

static void put_files(struct buf *out, const struct part *part)
{
	size_t n = 0;

	json_put_name(out, "files");
	buf_u8(out, '[');
	for (size_t i = 0, nth = 0; i < part->shape->nfiles; i++) {
		const struct send_result *result;

		if (part->shape->files[i].blocked)
			continue;
		result = result_of(part, nth++);
		if (!result->failed)
			put_file(out, &part->shape->files[i], result, n++ == 0);
	}
	buf_u8(out, ']');
}

static size_t blocked_count(const struct send_shape *shape)
{
	size_t n = 0;

	for (size_t i = 0; i < shape->nfiles; i++)
		n += shape->files[i].blocked != NULL;
	return n;
}

static void put_blocked(struct buf *out, const struct send_shape *shape)
{
	size_t n = 0;

	if (!blocked_count(shape))
		return;
	json_put_name(out, "blockedFiles");
	buf_u8(out, '[');
	for (size_t i = 0; i < shape->nfiles; i++) {
		const struct send_file *file = &shape->files[i];

		if (!file->blocked)
			continue;
		buf_append_text(out, n++ ? ",{" : "{");
		json_put_member(out, "name", file->name);
		json_put_member(out, "mimetype", file->mime);
		json_put_int(out, "size", (int64_t)file->size);
		json_put_member(out, "reason", file->blocked);
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
}

static void put_details(struct buf *out, const struct part *part, size_t sent)
{
	const struct send_shape *shape = part->shape;
	const struct send_result *first = &part->job->results[part->first];
	size_t blocked = blocked_count(shape);

	send_put_advanced(out, shape, first);
	if (sent)
		put_files(out, part);
	put_blocked(out, shape);
	if (!sent)
		json_put_member(out, "error", blocked && blocked == shape->nfiles ? "All files were blocked by security policy" : "No files were sent to this recipient");
	buf_u8(out, '}');
}

/* One recipient's entry. True if at least one file was sent to it. */
static bool put_entry(struct buf *good, struct buf *bad, const struct part *part)
{
	const struct send_job *job = part->job;
	size_t files = part->shape->nfiles - blocked_count(part->shape), sent = 0;
	struct jid to = jid_bare(&job->results[part->first].to);
	int64_t time_ms = timefmt_now_ms();
	char text[JID_TEXT_MAX];
	struct buf *out;

	for (size_t i = 0; i < files; i++) {
		if (result_of(part, i)->failed)
			continue;
		time_ms = result_of(part, i)->time_ms;
		sent++;
	}
	out = sent ? good : bad;
	if (out->len > 1)
		buf_u8(out, ',');
	buf_u8(out, '{');
	json_put_member(out, "phone", job->own.user);
	json_put_member(out, "to", to.user);
	json_put_member(out, "toJid", jid_format(&to, text, sizeof text));
	json_put_member(out, "messageId", part->shape->album ? job->results[part->first].id : NULL);
	json_put_name(out, "status");
	buf_printf(out, "\"%s %s\"", sent > 1 ? "files" : "file", sent ? send_word(job) : "failed");
	json_put_int(out, "timestamp", time_ms / 1000);
	put_details(out, part, sent);
	buf_u8(out, '}');
	return sent > 0;
}

int send_answer_files(struct buf *out, const struct send_job *job, const struct send_shape *shape)
{
	const char *word = send_word(job), *verb = strcmp(word, "success") == 0 ? "sent" : word;
	size_t n = job->n / shape->per, good_count = 0;
	struct buf good = { 0 }, bad = { 0 };
	char message[64];
	int status;

	buf_u8(&good, '[');
	buf_u8(&bad, '[');
	for (size_t i = 0; i < n; i++)
		good_count += put_entry(&good, &bad, &(struct part){ job, shape, i * shape->per });
	buf_u8(&good, ']');
	buf_u8(&bad, ']');
	if (n > 1)
		snprintf(message, sizeof message, "File message %s (%zu recipients)", verb, good_count);
	else
		snprintf(message, sizeof message, "File message %s", verb);
	if (good_count == n && verb == word)
		send_answer_put(out, status = 202, job->not_before_ms ? 1003 : 3000, message, &good, NULL);
	else if (good_count == n)
		send_answer_put(out, status = 200, 1000, message, &good, NULL);
	else if (good_count)
		send_answer_put(out, status = 207, 1004, message, &good, &bad);
	else
		send_answer_put(out, status = 502, 3002, "Failed to send files to all recipients", &bad, NULL);
	buf_free(&good);
	buf_free(&bad);
	return status;
}
