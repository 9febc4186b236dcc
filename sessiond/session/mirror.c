/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The queue of messages that wait for their media, and the way of each through download and storage. */
#include "sessiond/session/mirror.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/timefmt.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/session/fetch.h"
#include "sessiond/session/message_json.h"
#include "sessiond/session/normalise.h"
#include "sessiond/session/object.h"
#include "sessiond/storage/storage.h"

enum { NAME_MAX_BYTES = 400, RETRY_FIRST_MS = 5000 };

/* A message on its way. */
struct run {
	struct mirror *mirror;
	struct mirror_item *item;        /* NULL: dropped meanwhile */
	struct arena arena;              /* of the record */
	struct span value;               /* in the arena */
	int error;
	struct wa_message *message;      /* owned */
	struct content content;
	bool read_content;
	struct transfer *transfer; /* under way, NULL otherwise */
	int fd;                          /* owned: the temp file, -1: none */
};

struct mirror_item {
	struct mirror_item *next;
	char *name;                      /* owned: of the record */
	int64_t deadline_ms;             /* monotonic: then it is told in any case */
	int64_t next_ms;                 /* monotonic: no attempt before */
	unsigned attempts;
	bool told;
	struct run *run;                 /* owned, NULL: waits */
};

struct mirror {
	struct session *session;         /* borrowed */
	struct mirror_item *first;       /* owned list, oldest first */
	struct mirror_item **end;
	size_t n, running;
	bool loaded;
	struct timer timer;
};

static struct mirror *mirror_of(struct session *session)
{
	if (!session->mirror) {
		session->mirror = xcalloc(1, sizeof *session->mirror);
		session->mirror->session = session;
		session->mirror->end = &session->mirror->first;
	}
	return session->mirror;
}

/* ---- the queue ---- */

static void name_of(const struct wa_message *m, char out[static NAME_MAX_BYTES])
{
	char chat[JID_TEXT_MAX];
	char sender[JID_TEXT_MAX];

	snprintf(out, NAME_MAX_BYTES, "%013" PRId64 "/%s/%s/%.120s", m->time_ms, jid_format(&m->chat, chat, sizeof chat),
		jid_format(&m->sender, sender, sizeof sender), m->id);
}

static struct mirror_item *add(struct mirror *mirror, const char *name)
{
	struct mirror_item *item;

	for (item = mirror->first; item; item = item->next)
		if (strcmp(item->name, name) == 0)
			return item;
	item = xcalloc(1, sizeof *item);
	item->name = xstrdup(name);
	item->deadline_ms = timefmt_monotonic_ms() + mirror->session->on->daemon->config->download_media_wait_sec * 1000;
	*mirror->end = item;
	mirror->end = &item->next;
	mirror->n++;
	return item;
}

static void run_free(struct run *run)
{
	if (run->item) {
		run->item->run = NULL;
		run->mirror->running--;
	}
	transfer_cancel(&run->transfer);
	if (run->fd >= 0)
		close(run->fd);
	if (run->read_content)
		content_free(&run->content);
	mirror_message_free(run->message);
	arena_free(&run->arena);
	free(run);
}

static void drop(struct mirror *mirror, struct mirror_item *item)
{
	struct mirror_item **place = &mirror->first;

	while (*place != item)
		place = &(*place)->next;
	*place = item->next;
	if (mirror->end == &item->next)
		mirror->end = place;
	mirror->n--;
	if (item->run) {
		item->run->item = NULL;
		mirror->running--;
	}
	free(item->name);
	free(item);
}

void mirror_free(struct session *session)
{
	struct mirror *mirror = session->mirror;

	if (!mirror)
		return;
	timer_stop(session->on->timers, &mirror->timer);
	while (mirror->first) {
		struct run *run = mirror->first->run;

		drop(mirror, mirror->first);
		if (run)
			run_free(run);
	}
	free(mirror);
	session->mirror = NULL;
}

/* ---- which messages ---- */

/* The address, not whether it is good: what is wrong with it is told. */
static bool has_address(const struct content *c)
{
	return message_text(&c->media, "directPath").n > 0 || message_text(&c->media, "url").n > 0;
}

static bool wanted(const struct config *config, const struct wa_message *m)
{
	char mime[CONTENT_MIME_MAX];
	struct content c;
	bool is;

	if (!config->download_media || m->from_me || m->chat.server == JID_SERVER_NEWSLETTER || m->chat.server == JID_SERVER_BROADCAST)
		return false;
	content_read(&c, buf_span(&m->plaintext), config->compat_legacy_content);
	is = content_has_file(&c);
	if (is) {
		content_mime(&c, mime);
		is = mirror_mime_allowed(config, mime) && has_address(&c) && (config->compat_mirror_view_once || !mirror_is_view_once(&c)) &&
		     !normalise_is_command(config, &c);
	}
	content_free(&c);
	return is;
}

bool mirror_wanted(const struct session *session, const struct wa_message *m)
{
	if (session->mirror && session->mirror->n >= MIRROR_WAITING_MAX)
		return false;
	return wanted(session->on->daemon->config, m);
}

void mirror_keep(struct session *session, struct store_tx *tx, const struct wa_message *m)
{
	char name[NAME_MAX_BYTES];
	struct buf value = { 0 };

	name_of(m, name);
	mirror_write(&value, false, m);
	store_tx_record_put(tx, session->number, RECORD_MIRROR, name, buf_span(&value), 0);
	buf_wipe(&value);
}

void mirror_stored(struct session *session, const struct wa_message *m)
{
	char name[NAME_MAX_BYTES];

	/* The queue may have become full meanwhile; the record is there all the same. */
	if (!m || !wanted(session->on->daemon->config, m))
		return;
	name_of(m, name);
	add(mirror_of(session), name);
	mirror_pump(session);
}

/* ---- telling ---- */

static void put_message_media(struct run *run, struct store_tx *tx, const struct content_file *file)
{
	struct session *session = run->mirror->session;
	struct buf payload = { 0 };
	char chat[JID_TEXT_MAX];

	buf_u8(&payload, '{');
	json_put_member(&payload, "id", session->id);
	json_put_name(&payload, "key");
	normalise_key(&payload, run->message);
	content_put_media(&payload, &run->content, session->on->daemon->config, file);
	json_put_member(&payload, "sessionId", session->id);
	buf_u8(&payload, '}');
	event_add(session, tx, "message_media", jid_format(&run->message->chat, chat, sizeof chat), run->item->name, &payload, timefmt_now_ms());
	buf_free(&payload);
}

/* The event, now. last: nothing more will come of it. */
static void tell(struct run *run, const struct content_file *file, bool last)
{
	struct session *session = run->mirror->session;
	struct store_tx *tx = store_tx_new(session->on->daemon->store);
	struct buf value = { 0 };

	if (!run->item->told)
		normalise_add(session, tx, run->message, file);
	else if (last)
		put_message_media(run, tx, file);
	run->item->told = true;
	if (file && file->key)
		fetch_keep(tx, session->number, run->message->id, file->key, timefmt_now_ms());
	if (last) {
		store_tx_record_delete(tx, session->number, RECORD_MIRROR, run->item->name);
	} else {
		mirror_write(&value, true, run->message);
		store_tx_record_put(tx, session->number, RECORD_MIRROR, run->item->name, buf_span(&value), 0);
		buf_wipe(&value);
	}
	event_commit(session, tx);
}

static void end(struct run *run, const struct content_file *file)
{
	struct mirror *mirror = run->mirror;
	struct mirror_item *item = run->item;

	tell(run, file, true);
	run_free(run);
	drop(mirror, item);
	mirror_pump(mirror->session);
}

static void end_without(struct run *run, const char *why)
{
	struct session *session = run->mirror->session;
	const struct content_file file = { .error = why };

	log_warn(&session->log, "media of a message were not stored", LOG_STR("session", session->id), LOG_STR("message", run->message->id),
		LOG_STR("reason", why));
	end(run, &file);
}

static void try_later(struct run *run, const char *why)
{
	struct mirror *mirror = run->mirror;
	struct mirror_item *item = run->item;

	if (++item->attempts >= MIRROR_ATTEMPTS) {
		end_without(run, why);
		return;
	}
	item->next_ms = timefmt_monotonic_ms() + ((int64_t)RETRY_FIRST_MS << item->attempts);
	run_free(run);
	mirror_pump(mirror->session);
}

/* ---- download and storage ---- */

static void stored(void *arg, int error, const char *text, const struct storage_object *object)
{
	struct run *run = arg;
	struct session *session = run->mirror->session;
	const struct content_file file = { .url = object ? object->url : NULL, .key = object ? object->key : NULL,
					   .driver = object ? object->driver : NULL };

	session->busy--;
	if (error == STORAGE_FULL || error == STORAGE_IO || error == STORAGE_AWAY)
		try_later(run, text);
	else if (error != STORAGE_OK)
		end_without(run, text);
	else
		end(run, &file);
	session_released(session);
}

static void store_file(struct run *run, const struct transfer_file *got)
{
	struct session *session = run->mirror->session;
	struct storage_meta meta;
	char mime[CONTENT_MIME_MAX];
	char chat[JID_TEXT_MAX];
	char *file_name = mirror_meta(&meta, session, &run->content, got, mime);

	meta.message_id = run->message->id;
	meta.chat = jid_format(&run->message->chat, chat, sizeof chat);
	session->busy++;
	storage_put(session->on->daemon->storage, session->on->loop, run->fd, &meta, stored, run);
	free(file_name);
}

static void downloaded(void *arg, const struct transfer_result *result)
{
	struct run *run = arg;
	struct mirror *mirror = run->mirror;

	run->transfer = NULL;
	switch (result->error) {
	case TRANSFER_OK:
		store_file(run, result->file);
		break;
	case TRANSFER_E_OFFLINE:
		/* Goes on when the session is open again. */
		run_free(run);
		break;
	case TRANSFER_E_LOCAL:
	case TRANSFER_E_NETWORK:
		try_later(run, result->text);
		break;
	default:
		end_without(run, result->text);
		break;
	}
	(void)mirror;
}

static void download(struct run *run)
{
	struct session *session = run->mirror->session;
	const struct config *config = session->on->daemon->config;
	struct transfer_message message = { .id = run->message->id, .chat = run->message->chat, .from_me = run->message->from_me };
	struct transfer_file file;

	if (!mirror_file_of(&run->content, &file)) {
		end_without(run, "the message has no usable media key");
		return;
	}
	if (jid_is_group(&run->message->chat))
		message.participant = jid_bare(&run->message->sender);
	run->fd = transfer_temp_file(config->state_dir);
	if (run->fd < 0) {
		transfer_file_free(&file);
		try_later(run, "no temporary file can be made");
		return;
	}
	run->transfer = transfer_download(session, &file, &message, run->fd, (uint64_t)config->media_per_file_mb << 20, downloaded, run);
	transfer_file_free(&file);
}

/* ---- a run begins with its record ---- */

static bool is_online(const struct session *session)
{
	return session->client && wa_client_is_open(session->client);
}

static void record_read(struct store_reader *reader, void *arg)
{
	struct run *run = arg;
	const struct store_record_key key = { .kind = RECORD_MIRROR, .name = run->item->name };

	run->error = store_record_get(reader, &run->arena, run->mirror->session->number, &key, 1, &run->value);
}

static void record_loaded(void *arg)
{
	struct run *run = arg;
	struct mirror *mirror = run->mirror;
	struct session *session = mirror->session;
	struct mirror_item *item = run->item;
	bool told = false;

	session->busy--;
	if (!run->error && run->value.p)
		run->message = mirror_read(run->value, &told);
	if (run->error) {
		item->next_ms = timefmt_monotonic_ms() + RETRY_FIRST_MS;
		run_free(run);
	} else if (!run->message) {
		/* Told at once when it came, or the session is gone. */
		run_free(run);
		drop(mirror, item);
	} else {
		item->told = item->told || told;
		content_read(&run->content, buf_span(&run->message->plaintext), session->on->daemon->config->compat_legacy_content);
		run->read_content = true;
		if (!item->told && item->deadline_ms <= timefmt_monotonic_ms())
			tell(run, NULL, false);
		if (is_online(session))
			download(run);
		else
			run_free(run);
	}
	mirror_pump(session);
	session_released(session);
}

static void start(struct mirror *mirror, struct mirror_item *item)
{
	struct run *run = xcalloc(1, sizeof *run);

	run->mirror = mirror;
	run->item = item;
	run->fd = -1;
	arena_init(&run->arena, 0);
	item->run = run;
	mirror->running++;
	mirror->session->busy++;
	async_read(mirror->session->on->loop, mirror->session->on->daemon->store, record_read, record_loaded, run);
}

static void on_time(void *arg)
{
	struct mirror *mirror = arg;

	mirror_pump(mirror->session);
}

/* An item whose time is up is told by its run if it has one, else by a run made for that, whatever else runs. */
static void look_at(struct mirror *mirror, struct mirror_item *item, int64_t now_ms)
{
	bool due = !item->told && item->deadline_ms <= now_ms;

	if (item->run && item->run->read_content && due)
		tell(item->run, NULL, false);
	else if (!item->run && (due || (is_online(mirror->session) && item->next_ms <= now_ms && mirror->running < MIRROR_PARALLEL)))
		start(mirror, item);
}

void mirror_pump(struct session *session)
{
	struct mirror *mirror = session->mirror;
	int64_t now_ms = timefmt_monotonic_ms();
	int64_t wake_ms = INT64_MAX;

	if (!mirror || session->gone)
		return;
	for (struct mirror_item *item = mirror->first; item; item = item->next) {
		look_at(mirror, item, now_ms);
		if (!item->told && item->deadline_ms < wake_ms && !(item->run && !item->run->read_content))
			wake_ms = item->deadline_ms;
		if (!item->run && item->next_ms > now_ms && item->next_ms < wake_ms && is_online(session))
			wake_ms = item->next_ms;
	}
	if (wake_ms == INT64_MAX)
		timer_stop(session->on->timers, &mirror->timer);
	else
		timer_start(session->on->timers, &mirror->timer, wake_ms, on_time, mirror);
}

/* ---- the last life's ---- */

struct reload {
	struct session *session;
	struct arena arena;
	const char **names;
	size_t n;
	int error;
};

static void names_read(struct store_reader *reader, void *arg)
{
	struct reload *r = arg;

	r->error = store_record_list(reader, &r->arena, r->session->number, RECORD_MIRROR, &r->names, NULL, &r->n);
}

static void names_loaded(void *arg)
{
	struct reload *r = arg;
	struct session *session = r->session;

	session->busy--;
	if (r->error)
		mirror_of(session)->loaded = false;
	for (size_t i = 0; !r->error && i < r->n; i++)
		add(mirror_of(session), r->names[i]);
	arena_free(&r->arena);
	free(r);
	mirror_pump(session);
	session_released(session);
}

void mirror_reload(struct session *session)
{
	struct reload *r;

	if (mirror_of(session)->loaded)
		return;
	session->mirror->loaded = true;
	r = xcalloc(1, sizeof *r);
	r->session = session;
	arena_init(&r->arena, 0);
	session->busy++;
	async_read(session->on->loop, session->on->daemon->store, names_read, names_loaded, r);
}
