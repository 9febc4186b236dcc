/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All sessions of this node: entries, loading at start, what sessions report, lists. */
#include "sessiond/session/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/memfile.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/session/private.h"
#include "sessiond/webhook/webhook.h"

enum { MAX_SESSIONS = 100000, MAX_LOOPS = 64, DEFAULT_LOOPS = 4, SPREAD_MS_PER_SESSION = 5 };

/* From here on a descriptor is cheaper than the copies. */
enum { LIST_FILE_BYTES = 32 << 10 };

/* Issuer "WhatsAppLongTerm1", serial 0. */
static const char builtin_root_key[] = "142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b";

/* ---- making ---- */

static void fill_wa_config(struct wa_config *wa, const struct config *config)
{
	const char *root = config->wa_root_key[0] ? config->wa_root_key : builtin_root_key;

	if (crypto_unhex(root, strlen(root), wa->root_key, sizeof wa->root_key))
		abort();
	wa->os_name = "Mac OS";
	wa->browser_name = "Chrome";
	wa->full_history = config->history == HISTORY_SETTING_FULL;
	wa->history_days = (unsigned)config->history_days;
	wa->mark_online = false;
	wa->classic_qr = config->wa_classic_qr;
	wa->cache_bytes = 64U << 10;
}

struct net_options session_net_options(const struct config *config)
{
	return (struct net_options){
		.ca_file = config->wa_ca_file[0] ? config->wa_ca_file : NULL,
		.connect_to = (const char *const *)config->wa_connect_to.items,
		.connect_to_count = config->wa_connect_to.count,
	};
}

static void loop_init(struct sessions *sessions, struct session_loop *on, unsigned index)
{
	struct daemon *daemon = sessions->daemon;
	const struct net_options options = session_net_options(daemon->config);
	char *name = xasprintf("session-%u", index);

	on->daemon = daemon;
	on->sessions = sessions;
	on->log = daemon->log;
	on->index = index;
	on->loop = loop_new(name);
	on->timers = timers_new(loop_uv(on->loop));
	if (net_new(&on->net, loop_uv(on->loop), &options))
		abort();
	fill_wa_config(&on->wa_config, daemon->config);
	on->wa = wa_loop_new(&on->wa_config);
	free(name);
}

struct sessions *sessions_new(struct daemon *daemon, unsigned count)
{
	struct sessions *sessions = xcalloc(1, sizeof *sessions);
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	/* One core is left to the main loop and the store's threads: as many loops as cores only wake each other more often. */
	if (count == 0)
		count = cores > DEFAULT_LOOPS ? DEFAULT_LOOPS : cores > 1 ? (unsigned)cores - 1 : 1;
	sessions->daemon = daemon;
	sessions->log = log_named(&daemon->log, "sessions");
	sessions->loop_count = count < MAX_LOOPS ? count : MAX_LOOPS;
	sessions->loops = xcalloc(sessions->loop_count, sizeof *sessions->loops);
	sessions->by_id = bytemap_new(sizeof(struct session_entry *), MAX_SESSIONS);
	sessions->lists = bytemap_new(sizeof(struct owner_list), MAX_SESSIONS);
	proxies_init(sessions);
	if (!sessions->by_id || !sessions->lists)
		abort();
	for (unsigned i = 0; i < sessions->loop_count; i++)
		loop_init(sessions, &sessions->loops[i], i);
	versions_init(sessions);
	for (unsigned i = 0; i < sessions->loop_count; i++) {
		if (loop_start_thread(sessions->loops[i].loop))
			abort();
	}
	return sessions;
}

/* A row's view before the session has said anything. */
static void first_view(struct session_view *view, const struct store_session *row)
{
	enum session_status status = session_status_of(row->state);
	bool lasting = status == SESSION_REPLACED || status == SESSION_BANNED || status == SESSION_LOGGED_OUT;

	view->registered = row->me_jid && !jid_parse_text(&view->me_pn, row->me_jid);
	if (row->me_lid)
		jid_parse_text(&view->me_lid, row->me_lid);
	session_view_set_text(&view->push_name, row->push_name);
	view->last_conn_ms = row->connected_ms;
	view->status = lasting ? status : SESSION_STOPPED;
	view->since_ms = row->since_ms;
	if (row->reason)
		session_view_set(view, view->status, 0, row->reason, row->since_ms);
}

static void attach(void *arg)
{
	/* The letter itself is the point: what was written before it is seen on the loop. */
	(void)arg;
}

struct session_entry *registry_add(struct sessions *sessions, const struct store_session *row)
{
	struct session_entry *entry = xcalloc(1, sizeof *entry);
	struct session_private *p = xcalloc(1, sizeof *p);
	struct session_entry **slot = bytemap_put(sessions->by_id, row->id, strlen(row->id));

	if (!slot)
		abort();
	entry->number = row->number;
	entry->id = xstrdup(row->id);
	entry->registry = xstrdup(row->registry);
	entry->label = xstrdup(row->label ? row->label : row->id);
	entry->webhook_url = xstrdup(row->webhook_url ? row->webhook_url : "");
	entry->webhook_secret = xstrdup(row->webhook_secret ? row->webhook_secret : "");
	entry->proxy_url = row->proxy ? xstrdup(row->proxy) : NULL;
	entry->auto_start = row->auto_start;
	entry->created_ms = row->created_ms;
	first_view(&entry->view, row);
	entry->priv = p;
	p->sessions = sessions;
	proxies_entry_init(entry, row->last_proxy);
	p->on = &sessions->loops[(uint64_t)row->number % sessions->loop_count];
	p->session = session_new(p->on, entry, row);
	session_view_copy(&p->session->view, &entry->view);
	p->prev = sessions->last;
	if (sessions->last)
		sessions->last->priv->next = entry;
	else
		sessions->first = entry;
	sessions->last = entry;
	*slot = entry;
	sessions->total++;
	sessions->daemon->metrics.sessions++;
	registry_forget_list(sessions, entry->registry);
	loop_post(p->on->loop, attach, p->session);
	return entry;
}

static void entry_free(struct session_entry *entry)
{
	free(entry->id);
	free(entry->registry);
	free(entry->label);
	free(entry->webhook_url);
	if (entry->webhook_secret)
		crypto_wipe(entry->webhook_secret, strlen(entry->webhook_secret));
	free(entry->webhook_secret);
	proxies_entry_free(entry);
	session_view_free(&entry->view);
	free(entry->priv);
	free(entry);
}

static void unlist(struct session_entry *entry)
{
	struct session_private *p = entry->priv;
	struct sessions *sessions = p->sessions;

	if (p->prev)
		p->prev->priv->next = p->next;
	else
		sessions->first = p->next;
	if (p->next)
		p->next->priv->prev = p->prev;
	else
		sessions->last = p->prev;
	bytemap_remove(sessions->by_id, entry->id, strlen(entry->id));
	sessions->total--;
	sessions->daemon->metrics.sessions--;
	registry_forget_list(sessions, entry->registry);
}

/* ---- loading ---- */

struct loading {
	struct sessions *sessions;
	struct arena arena;
	struct store_session *rows;
	size_t n;
	int error;
	void (*done)(void *arg, int error);
	void *arg;
};

static void load_read(struct store_reader *reader, void *arg)
{
	struct loading *l = arg;

	l->error = store_session_list(reader, &l->arena, NULL, &l->rows, &l->n);
}

/* Known accounts come up by themselves; what was ended on purpose or by the other side stays down until somebody starts it. */
static bool shall_start(const struct session_entry *entry)
{
	enum session_status status = entry->view.status;

	return entry->auto_start && entry->view.registered && status == SESSION_STOPPED;
}

static void load_done(void *arg)
{
	struct loading *l = arg;
	size_t started = 0;

	for (size_t i = 0; i < l->n && !l->error; i++) {
		struct session_entry *entry = registry_add(l->sessions, &l->rows[i]);

		if (shall_start(entry)) {
			/* Nobody is to see "stopped" before the session itself has spoken. */
			session_view_set(&entry->view, SESSION_STARTING, 0, NULL, timefmt_now_ms());
			sessions_start(l->sessions, entry);
			started++;
		}
	}
	log_info(&l->sessions->log, "sessions loaded", LOG_INT("sessions", l->n), LOG_INT("starting", started));
	l->done(l->arg, l->error);
	arena_free(&l->arena);
	free(l);
}

void sessions_load(struct sessions *sessions, void (*done)(void *arg, int error), void *arg)
{
	struct loading *l = xcalloc(1, sizeof *l);

	l->sessions = sessions;
	l->done = done;
	l->arg = arg;
	arena_init(&l->arena, 0);
	async_read(sessions->daemon->loop, sessions->daemon->store, load_read, load_done, l);
}

void sessions_join(struct sessions *sessions)
{
	for (unsigned i = 0; i < sessions->loop_count; i++)
		loop_stop(sessions->loops[i].loop);
	for (unsigned i = 0; i < sessions->loop_count; i++)
		loop_join(sessions->loops[i].loop);
}

static void drop_file(struct owner_list *list)
{
	if (list->filed)
		close(list->file);
	list->filed = false;
}

static bool free_list(const void *key, size_t key_len, void *value, void *arg)
{
	struct owner_list *list = value;

	(void)key;
	(void)key_len;
	(void)arg;
	drop_file(list);
	buf_free(&list->json);
	return true;
}

void sessions_free(struct sessions *sessions)
{
	struct session_entry *next;

	if (!sessions)
		return;
	for (struct session_entry *entry = sessions->first; entry; entry = next) {
		next = entry->priv->next;
		session_free(entry->priv->session);
		entry_free(entry);
	}
	for (unsigned i = 0; i < sessions->loop_count; i++) {
		struct session_loop *on = &sessions->loops[i];

		session_loop_drop_links(on);
		net_free(&on->net);
		wa_loop_free(on->wa);
		timers_free(on->timers);
		loop_free(on->loop);
		crypto_wipe(on->random, sizeof on->random);
	}
	versions_free(sessions);
	proxies_free(sessions);
	bytemap_free(sessions->by_id);
	bytemap_each(sessions->lists, free_list, NULL);
	bytemap_free(sessions->lists);
	free(sessions->loops);
	free(sessions);
}

/* ---- looking ---- */

struct session_entry *sessions_find(struct sessions *sessions, const char *id)
{
	struct session_entry **slot = id ? bytemap_get(sessions->by_id, id, strlen(id)) : NULL;

	return slot && !(*slot)->priv->removing ? *slot : NULL;
}

struct session_entry *sessions_find_phone(struct sessions *sessions, const char *registry, const struct reach *reach, const char *digits)
{
	for (struct session_entry *e = sessions->first; e; e = e->priv->next) {
		if (e->view.status == SESSION_OPEN && strcmp(e->view.me_pn.user, digits) == 0 && (!registry || strcmp(e->registry, registry) == 0) &&
			!e->priv->removing && reach_has_session(reach, e->id))
			return e;
	}
	return NULL;
}

struct session_entry *sessions_first_open(struct sessions *sessions, const char *registry, const struct reach *reach)
{
	for (struct session_entry *e = sessions->first; e; e = e->priv->next) {
		if (e->view.status == SESSION_OPEN && strcmp(e->registry, registry) == 0 && !e->priv->removing && reach_has_session(reach, e->id))
			return e;
	}
	return NULL;
}

void sessions_each(struct sessions *sessions, void (*visit)(struct session_entry *entry, void *arg), void *arg)
{
	struct session_entry *next;

	for (struct session_entry *e = sessions->first; e; e = next) {
		next = e->priv->next;
		if (!e->priv->removing)
			visit(e, arg);
	}
}

size_t sessions_total(const struct sessions *sessions)
{
	return sessions->total;
}

void registry_forget_list(struct sessions *sessions, const char *registry)
{
	struct owner_list *list = bytemap_get(sessions->lists, registry, strlen(registry));

	if (list)
		list->valid = false;
}

const struct buf *sessions_list_json(struct sessions *sessions, const char *registry)
{
	struct owner_list *list = bytemap_put(sessions->lists, registry, strlen(registry));
	bool first = true;

	if (!list)
		abort();
	if (list->valid)
		return &list->json;
	drop_file(list);
	buf_clear(&list->json);
	buf_append_text(&list->json, "{\"items\":[");
	for (struct session_entry *e = sessions->first; e; e = e->priv->next) {
		if (strcmp(e->registry, registry) != 0 || e->priv->removing)
			continue;
		buf_append_text(&list->json, first ? "{" : ",{");
		session_view_put_item(&list->json, e->id, &e->view);
		buf_u8(&list->json, '}');
		first = false;
	}
	buf_append_text(&list->json, "]}");
	list->valid = true;
	return &list->json;
}

int sessions_list_file(struct sessions *sessions, const char *registry, size_t *length)
{
	const struct buf *json = sessions_list_json(sessions, registry);
	struct owner_list *list = bytemap_get(sessions->lists, registry, strlen(registry));

	*length = json->len;
	if (json->len < LIST_FILE_BYTES)
		return -1;
	if (!list->filed)
		list->file = memfile_new("session-list", buf_span(json));
	list->filed = list->file >= 0;
	return list->filed ? list->file : -1;
}

/* ---- letters from sessions ---- */

struct view_letter {
	struct session_entry *entry;
	struct session_view view;
};

static void view_arrived(void *arg)
{
	struct view_letter *letter = arg;
	struct session_entry *entry = letter->entry;

	session_view_free(&entry->view);
	entry->view = letter->view;
	free(letter);
	registry_forget_list(entry->priv->sessions, entry->registry);
	registry_tell_watches(entry, entry);
}

void registry_view(struct session *session)
{
	struct view_letter *letter = xcalloc(1, sizeof *letter);

	letter->entry = session->entry;
	session_view_copy(&letter->view, &session->view);
	loop_post(session->on->daemon->loop, view_arrived, letter);
}

static void slot_wanted(void *arg)
{
	slots_want(arg);
}

void registry_want_slot(struct session *session)
{
	loop_post(session->on->daemon->loop, slot_wanted, session->entry);
}

struct slot_letter {
	struct session_entry *entry;
	enum dial_outcome outcome;
	char why[160];
};

static void slot_given_back(void *arg)
{
	struct slot_letter *letter = arg;

	slots_free(letter->entry, letter->outcome, letter->why);
	free(letter);
}

void registry_free_slot(struct session *session, enum dial_outcome outcome, const char *why)
{
	struct slot_letter *letter = xcalloc(1, sizeof *letter);

	letter->entry = session->entry;
	letter->outcome = outcome;
	snprintf(letter->why, sizeof letter->why, "%s", why ? why : "");
	if (!loop_post(session->on->daemon->loop, slot_given_back, letter))
		free(letter);
}

/*
 * A removed session is out of the registry first, then its letters are read to the end, then it is freed, then its entry:
 *
 *     session's loop:  registry_removed()              session_let_go() -> registry_freed()
 *     main loop:                            removed()                                        entry_gone()
 */
static void entry_gone(void *arg)
{
	entry_free(arg);
}

void registry_freed(struct session_loop *on, struct session_entry *entry)
{
	loop_post(on->daemon->loop, entry_gone, entry);
}

static void let_go(void *arg)
{
	session_let_go(arg);
}

static void removed(void *arg)
{
	struct session_entry *entry = arg;
	struct session_private *p = entry->priv;

	slots_free(entry, DIAL_NONE, NULL);
	registry_tell_watches(entry, NULL);
	unlist(entry);
	webhooks_session_changed(p->sessions->daemon->webhooks, entry->number, entry->id);
	loop_post(p->on->loop, let_go, p->session);
}

void registry_removed(struct session *session)
{
	loop_post(session->on->daemon->loop, removed, session->entry);
}

static void version_refused(void *arg)
{
	versions_refused(arg);
}

void registry_want_version(struct session *session)
{
	loop_post(session->on->daemon->loop, version_refused, session->entry);
}

static void job_returns(void *arg)
{
	struct send_job *job = arg;

	job->done(job);
}

void registry_job_done(struct session *session, struct send_job *job)
{
	if (loop_post(session->on->daemon->loop, job_returns, job))
		return;
	if (job->forget)
		job->forget(job->arg);
	send_job_free(job);
}

int64_t registry_spread_ms(const struct session *session)
{
	long long total = session->on->daemon->metrics.sessions;
	int64_t most_ms = session->on->daemon->config->reconnect_jitter_ms;
	int64_t spread_ms = (int64_t)total * SPREAD_MS_PER_SESSION;

	return spread_ms < most_ms ? spread_ms : most_ms;
}
