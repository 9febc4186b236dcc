/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fetching the file of a message on demand, see fetch.h. */
#include "sessiond/session/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/timefmt.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/mirror.h"
#include "sessiond/session/object.h"
#include "sessiond/session/private.h"
#include "sessiond/session/registry.h"
#include "sessiond/storage/storage.h"

#define KEEP_MS ((int64_t)30 * 24 * 3600 * 1000)

/* One file on its way. */
struct fetch {
	struct fetch *next;
	struct session *session;    /* borrowed */
	char *id;                   /* owned */
	struct jid chat;
	struct buf message;         /* owned */
	struct content content;     /* of the message */
	struct session_call *calls; /* owned list: who waits */
	struct transfer *transfer;  /* under way, NULL otherwise */
	int fd;                     /* owned: the temp file, -1: none */
	char *key;                  /* owned: where it was stored */
};

/* ---- the record ---- */

int fetch_stored(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, const char **key)
{
	const struct store_record_key name = { .kind = RECORD_STORED, .name = id };
	struct span value = { 0 };
	int error = store_record_get(reader, arena, session, &name, 1, &value);

	*key = !error && value.p ? arena_printf(arena, "%.*s", (int)value.n, (const char *)value.p) : NULL;
	return error == STORE_NOT_FOUND ? STORE_OK : error;
}

void fetch_keep(struct store_tx *tx, int64_t session, const char *id, const char *key, int64_t now_ms)
{
	store_tx_record_put(tx, session, RECORD_STORED, id, span_of(key, strlen(key)), now_ms + KEEP_MS);
}

/* ---- life ---- */

static struct fetch *find(const struct session *session, const char *id)
{
	struct fetch *f = session->fetches;

	while (f && strcmp(f->id, id) != 0)
		f = f->next;
	return f;
}

static void free_one(struct fetch *f)
{
	transfer_cancel(&f->transfer);
	if (f->fd >= 0)
		close(f->fd);
	content_free(&f->content);
	buf_wipe(&f->message);
	free(f->key);
	free(f->id);
	free(f);
}

void fetch_free(struct session *session)
{
	while (session->fetches) {
		struct fetch *f = session->fetches;

		session->fetches = f->next;
		while (f->calls) {
			struct session_call *call = f->calls;

			f->calls = call->next;
			free(call->text);
			free(call);
		}
		free_one(f);
	}
}

static void tell(struct session *session, struct session_call *call, enum fetch_error error, const char *text, const char *key)
{
	struct fetch_job *job = call->arg;

	job->error = error;
	snprintf(job->text, sizeof job->text, "%s", text);
	job->key = key ? xstrdup(key) : NULL;
	registry_answer(session, call);
}

static void end(struct fetch *f, enum fetch_error error, const char *text)
{
	struct session *session = f->session;
	struct fetch **place = &session->fetches;

	while (*place != f)
		place = &(*place)->next;
	*place = f->next;
	if (error)
		log_warn(&session->log, "media of a message were not fetched", LOG_STR("session", session->id), LOG_STR("message", f->id), LOG_STR("reason", text));
	while (f->calls) {
		struct session_call *call = f->calls;

		f->calls = call->next;
		tell(session, call, error, text, error ? NULL : f->key);
	}
	free_one(f);
}

/* ---- storing ---- */

/* Without the record the next one who asks fetches it again: nothing is wrong with this answer. */
static void kept(void *arg, int error)
{
	struct fetch *f = arg;
	struct session *session = f->session;

	session->busy--;
	if (error)
		log_warn(&session->log, "the place of a fetched file is not kept", LOG_STR("session", session->id), LOG_STR("reason", store_error_name(error)));
	end(f, FETCH_OK, "");
	session_released(session);
}

static void stored(void *arg, int error, const char *text, const struct storage_object *object)
{
	struct fetch *f = arg;
	struct session *session = f->session;
	struct store_tx *tx;

	if (error) {
		session->busy--;
		end(f, FETCH_FAILED, text);
		session_released(session);
		return;
	}
	f->key = xstrdup(object->key);
	tx = store_tx_new(session->on->daemon->store);
	fetch_keep(tx, session->number, f->id, f->key, timefmt_now_ms());
	async_commit(session->on->loop, session->on->daemon->store, tx, kept, f);
}

static void store_file(struct fetch *f, const struct transfer_file *got)
{
	struct session *session = f->session;
	struct storage_meta meta;
	char mime[CONTENT_MIME_MAX], chat[JID_TEXT_MAX];
	char *file_name = mirror_meta(&meta, session, &f->content, got, mime);

	meta.message_id = f->id;
	meta.chat = jid_format(&f->chat, chat, sizeof chat);
	session->busy++;
	storage_put(session->on->daemon->storage, session->on->loop, f->fd, &meta, stored, f);
	free(file_name);
}

/* ---- downloading ---- */

static void downloaded(void *arg, const struct transfer_result *result)
{
	static const enum fetch_error errors[] = {
		[-TRANSFER_E_OFFLINE] = FETCH_OFFLINE, [-TRANSFER_E_LOCAL] = FETCH_FAILED, [-TRANSFER_E_TOO_LARGE] = FETCH_TOO_LARGE, [-TRANSFER_E_NETWORK] = FETCH_FAILED,
		[-TRANSFER_E_REFUSED] = FETCH_FAILED, [-TRANSFER_E_GONE] = FETCH_GONE, [-TRANSFER_E_FALSE] = FETCH_FAILED, [-TRANSFER_E_INVALID] = FETCH_NO_FILE,
	};
	struct fetch *f = arg;

	f->transfer = NULL;
	if (result->error)
		end(f, errors[-result->error], result->text);
	else
		store_file(f, result->file);
}

static void begin(struct fetch *f, const struct fetch_job *job)
{
	struct session *session = f->session;
	const struct config *config = session->on->daemon->config;
	struct transfer_message message = { .id = f->id, .chat = f->chat, .from_me = job->from_me };
	struct transfer_file file;

	if (mirror_is_view_once(&f->content) && !config->compat_mirror_view_once) {
		end(f, FETCH_VIEW_ONCE, "media that are to be viewed once are not stored");
		return;
	}
	if (!mirror_file_of(&f->content, &file)) {
		end(f, FETCH_NO_FILE, "the message has no file that could be fetched");
		return;
	}
	if (!jid_is_person(&f->chat))
		message.participant = job->author;
	f->fd = transfer_temp_file(config->state_dir);
	if (f->fd < 0)
		end(f, FETCH_FAILED, "no temporary file can be made");
	else
		f->transfer = transfer_download(session, &file, &message, f->fd, (uint64_t)config->media_per_file_mb << 20, downloaded, f);
	transfer_file_free(&file);
}

static void cmd_fetch(struct session *session, struct session_call *call)
{
	const struct fetch_job *job = call->arg;
	struct fetch *f = find(session, job->id);

	if (session->wish || session->view.status != SESSION_OPEN) {
		tell(session, call, FETCH_OFFLINE, "the session is not connected", NULL);
		return;
	}
	if (f) {
		call->next = f->calls;
		f->calls = call;
		return;
	}
	f = xcalloc(1, sizeof *f);
	f->session = session;
	f->id = xstrdup(job->id);
	f->chat = job->chat;
	f->fd = -1;
	buf_append_span(&f->message, job->message);
	content_read(&f->content, buf_span(&f->message), session->on->daemon->config->compat_legacy_content);
	call->next = NULL;
	f->calls = call;
	f->next = session->fetches;
	session->fetches = f;
	begin(f, job);
}

/* ---- from the main loop ---- */

static void came_back(void *arg, int error)
{
	struct fetch_job *job = arg;

	(void)error;
	job->done(job);
}

void sessions_fetch(struct sessions *sessions, struct session_entry *entry, struct fetch_job *job)
{
	(void)sessions;
	job->error = FETCH_OFFLINE;
	registry_call(entry, cmd_fetch, NULL, NULL, came_back, job);
}
