/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * messages.media: where the file of a message rests, after fetching it if it does not rest here yet.
 *
 *     message, place (read) -> stored? -> yes: its address
 *                                      -> no: sessions_fetch() -> its address
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/content.h"
#include "sessiond/session/fetch.h"
#include "sessiond/session/lookup.h"
#include "sessiond/storage/storage.h"

struct wish {
	struct rpc_request *request;
	const char *id;              /* borrowed from the request */
	struct lookup_account who;
	struct arena arena;
	struct lookup found;
	const char *key;             /* in the arena; NULL: nothing rests here */
	bool fetched;                /* now, for this request */
	struct fetch_job job;
};

static void wish_free(void *arg)
{
	struct wish *w = arg;

	free(w->job.key);
	arena_free(&w->arena);
	free(w);
}

static void put_entry(struct buf *out, const struct wish *w, const struct storage_object *object)
{
	struct content content;
	char chat[JID_TEXT_MAX], hash[CRYPTO_BASE64_ROOM(32)];

	content_read(&content, w->found.message, w->request->context->daemon->config->compat_legacy_content);
	crypto_base64(CRYPTO_BASE64, object->sha256, sizeof object->sha256, hash);
	buf_append_text(out, "[{");
	json_put_member(out, "sessionId", w->request->session_id);
	json_put_member(out, "messageId", w->id);
	json_put_member(out, "chatId", jid_format(&w->found.chat, chat, sizeof chat));
	json_put_member(out, "type", content.media_type);
	json_put_member(out, "mimeType", object->mime);
	json_put_member(out, "fileName", object->file_name);
	json_put_int(out, "fileLength", object->size);
	json_put_member(out, "fileSha256", hash);
	json_put_member(out, "url", object->url);
	if (object->url_expires_ms)
		json_put_time(out, "urlExpiresAt", object->url_expires_ms);
	json_put_member(out, "storageKey", object->key);
	json_put_member(out, "storageDriver", object->driver);
	json_put_bool(out, "fetched", w->fetched);
	buf_append_text(out, "}]");
	content_free(&content);
}

static void fetch(struct wish *w);

static void looked_at(void *arg, int error, const char *text, const struct storage_object *object, int fd, int64_t from, int64_t length)
{
	struct wish *w = arg;
	struct buf result = { 0 };

	(void)fd;
	(void)from;
	(void)length;
	if (!error) {
		put_entry(&result, w, object);
		rpc_answer(w->request, 200, 1000, w->fetched ? "Media fetched" : "Media already stored", buf_text(&result));
		buf_free(&result);
	} else if (error == STORAGE_NOT_FOUND && !w->fetched) {
		/* Retention has taken it. */
		fetch(w);
	} else {
		log_warn(&w->request->context->log, "a stored file cannot be had", LOG_STR("message", w->id), LOG_STR("reason", text));
		rpc_answer(w->request, 502, 5500, "Failed to download media", NULL);
	}
}

/* Its address and what is known of it, without opening it. */
static void look_at(struct wish *w, const char *key)
{
	const struct storage_range nothing = { 0, 0 };
	const struct daemon *daemon = w->request->context->daemon;

	storage_open(daemon->storage, daemon->loop, key, &nothing, looked_at, w);
}

static void fetched(struct fetch_job *job)
{
	static const struct {
		int status, code;
		const char *text; /* NULL: the job's */
	} answers[] = {
		[-FETCH_OFFLINE] = { 404, 1101, "Session not found" }, [-FETCH_NO_FILE] = { 400, 3004, "The message has no media" },
		[-FETCH_TOO_LARGE] = { 413, 5503, "Media size exceeds limit" }, [-FETCH_GONE] = { 410, 5504, "Media no longer available" },
		[-FETCH_FAILED] = { 502, 5500, "Failed to download media" }, [-FETCH_VIEW_ONCE] = { 403, 2201, "Media that are to be viewed once are not stored" },
	};
	struct wish *w = job->arg;

	if (job->error) {
		rpc_answer(w->request, answers[-job->error].status, answers[-job->error].code, answers[-job->error].text, NULL);
		return;
	}
	w->fetched = true;
	look_at(w, job->key);
}

static void fetch(struct wish *w)
{
	struct session_entry *entry = rpc_session(w->request);

	if (!entry)
		return;
	w->job = (struct fetch_job){ .id = w->id, .chat = w->found.chat, .author = jid_bare(&w->found.author), .from_me = w->found.from_me,
				     .message = w->found.message, .done = fetched, .arg = w };
	sessions_fetch(w->request->context->daemon->sessions, entry, &w->job);
}

static void look_up(struct store_reader *reader, void *arg)
{
	struct wish *w = arg;

	lookup_message(reader, &w->arena, &w->who, w->id, &w->found);
	if (w->found.error == STORE_OK)
		w->found.error = fetch_stored(reader, &w->arena, w->who.session, w->id, &w->key);
}

static void looked_up(void *arg)
{
	struct wish *w = arg;

	if (w->found.error == STORE_NOT_FOUND)
		rpc_answer(w->request, 404, 2601, "Message not found", NULL);
	else if (w->found.error)
		rpc_answer(w->request, 500, 8003, "Database error", NULL);
	else if (w->key)
		look_at(w, w->key);
	else
		fetch(w);
}

static void do_media(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	struct session_entry *entry = rpc_session(request);
	const char *id = rpc_param_text(request, "messageId");
	struct wish *w;

	if (!entry)
		return;
	if (!id || !id[0]) {
		rpc_answer(request, 400, 2001, "Missing messageId", NULL);
		return;
	}
	w = xcalloc(1, sizeof *w);
	w->request = request;
	w->id = id;
	w->who = (struct lookup_account){ .session = entry->number, .pn = entry->view.me_pn, .lid = entry->view.me_lid };
	arena_init(&w->arena, 0);
	request->work = w;
	request->work_free = wish_free;
	async_read(daemon->loop, daemon->store, look_up, looked_up, w);
}

const struct rpc_method rpc_fetch_methods[] = {
	{ "messages.media", do_media },
	{ NULL, NULL },
};
