/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client version is data: built in, chosen by the configuration, or looked up at the web client's page (once a day and after a
 * refusal) and remembered in the store.
 */
#include "sessiond/net/version.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/private.h"
#include "sessiond/session/proxies.h"

/* Version of WhatsApp Web that the protocol library was written against. */
enum { BUILTIN_REVISION = 1045649367, PRIMARY = 2, SECONDARY = 3000, CHECK_EVERY_MS = 3600 * 1000 };

static const char setting_name[] = "wa.version"; /* "<revision> <time of the look-up in ms>" */

struct change {
	struct session_loop *on;
	struct wa_version version;
};

static void change_here(void *arg)
{
	struct change *change = arg;

	change->on->wa_config.version = change->version;
	free(change);
}

static void apply(struct sessions *sessions, struct wa_version version, bool running)
{
	sessions->revision = version.tertiary;
	for (unsigned i = 0; i < sessions->loop_count; i++) {
		struct change *change = xmalloc(sizeof *change);

		*change = (struct change){ .on = &sessions->loops[i], .version = version };
		if (!running)
			change_here(change);
		else if (!loop_post(change->on->loop, change_here, change))
			free(change);
	}
}

static void tell_waiting(struct sessions *sessions, const char *why_not)
{
	for (struct session_entry *e = sessions->first; e; e = e->priv->next) {
		if (!e->priv->wants_version)
			continue;
		e->priv->wants_version = false;
		registry_call(e, session_cmd_version, why_not ? xstrdup(why_not) : NULL, NULL, NULL, NULL);
	}
}

static void checked(void *arg, uint32_t revision, int64_t at_ms, const char *text)
{
	struct sessions *sessions = arg;
	bool newer = revision > sessions->revision;
	struct store_tx *tx = store_tx_new(sessions->daemon->store);
	char value[64];

	if (newer) {
		log_info(&sessions->log, "client version looked up", LOG_INT("revision", revision));
		apply(sessions, (struct wa_version){ PRIMARY, SECONDARY, revision }, true);
	} else if (revision == 0) {
		log_warn(&sessions->log, "client version cannot be looked up", LOG_STR("reason", text));
	}
	snprintf(value, sizeof value, "%" PRIu32 " %" PRId64, sessions->revision, at_ms);
	store_tx_setting_put(tx, setting_name, value);
	store_commit(sessions->daemon->store, tx, NULL, NULL);
	tell_waiting(sessions, newer ? NULL : "WhatsApp refuses this client version (405) and no newer one is known; set WAREST_WA_VERSION");
}

static const char *way_out(void *arg)
{
	return proxies_any(arg);
}

static const struct version_handlers handlers = { checked, way_out };

static void check_now_and_then(void *arg)
{
	struct sessions *sessions = arg;

	version_refresh(sessions->version, timefmt_now_ms(), false);
	timer_start(sessions->daemon->timers, &sessions->version_timer, timefmt_monotonic_ms() + CHECK_EVERY_MS, check_now_and_then, sessions);
}

struct remembered {
	struct sessions *sessions;
	struct arena arena;
	const char *value;
	int error;
};

static void remembered_read(struct store_reader *reader, void *arg)
{
	struct remembered *r = arg;

	r->error = store_setting_get(reader, &r->arena, setting_name, &r->value);
}

static void start_checking(struct sessions *sessions, int64_t last_ms)
{
	char *origin = version_origin(sessions->daemon->config->wa_url);

	if (!origin)
		return;
	sessions->version = version_new(sessions->version_net, origin, last_ms, &handlers, sessions);
	free(origin);
	check_now_and_then(sessions);
}

static void remembered_done(void *arg)
{
	struct remembered *r = arg;
	int64_t last_ms = 0;
	char *end = NULL;

	if (r->error == STORE_OK && r->value) {
		unsigned long revision = strtoul(r->value, &end, 10);

		if (revision > r->sessions->revision && revision <= UINT32_MAX)
			apply(r->sessions, (struct wa_version){ PRIMARY, SECONDARY, (uint32_t)revision }, true);
		last_ms = strtoll(end, NULL, 10);
	}
	start_checking(r->sessions, last_ms);
	arena_free(&r->arena);
	free(r);
}

/* "2.3000.1023456789"; its form was checked with the configuration. */
static bool parse_version(const char *text, struct wa_version *version)
{
	char *end = NULL;

	if (!text[0])
		return false;
	version->primary = (uint32_t)strtoul(text, &end, 10);
	version->secondary = *end == '.' ? (uint32_t)strtoul(end + 1, &end, 10) : 0;
	version->tertiary = *end == '.' ? (uint32_t)strtoul(end + 1, &end, 10) : 0;
	return true;
}

void versions_init(struct sessions *sessions)
{
	const struct config *config = sessions->daemon->config;
	const struct net_options options = session_net_options(config);
	struct wa_version version = { PRIMARY, SECONDARY, BUILTIN_REVISION };
	struct remembered *r;

	sessions->version_fixed = parse_version(config->wa_version, &version);
	apply(sessions, version, false);
	if (sessions->version_fixed || !config->wa_version_refresh)
		return;
	if (net_new(&sessions->version_net, loop_uv(sessions->daemon->loop), &options))
		abort();
	r = xcalloc(1, sizeof *r);
	r->sessions = sessions;
	arena_init(&r->arena, 0);
	async_read(sessions->daemon->loop, sessions->daemon->store, remembered_read, remembered_done, r);
}

void versions_free(struct sessions *sessions)
{
	timer_stop(sessions->daemon->timers, &sessions->version_timer);
	if (sessions->version)
		version_free(&sessions->version);
	if (sessions->version_net)
		net_free(&sessions->version_net);
}

void versions_refused(struct session_entry *entry)
{
	struct sessions *sessions = entry->priv->sessions;

	entry->priv->wants_version = true;
	log_warn(&sessions->log, "the service refuses this client version", LOG_STR("session", entry->id), LOG_INT("revision", sessions->revision));
	if (sessions->version && version_refresh(sessions->version, timefmt_now_ms(), true))
		return;
	tell_waiting(sessions, sessions->version_fixed ? "WhatsApp refuses the client version of WAREST_WA_VERSION (405)" :
							"WhatsApp refuses this client version (405) and no newer one can be looked up; set WAREST_WA_VERSION");
}
