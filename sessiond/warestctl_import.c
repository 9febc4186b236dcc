/* SPDX-License-Identifier: GPL-3.0-or-later */
/* warestctl import: one directory, or the sessions of the original's list, each with its owner and webhook. */
#include "sessiond/warestctl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sessiond/import/command.h"
#include "sessiond/import/import.h"
#include "sessiond/import/registry.h"

enum { IMPORT_WAIT_MS = 25000 };

/* Connected, or why not. */
static int follow(struct ctl *ctl, const char *id)
{
	struct json_object *p = with_text(with_text(NULL, "id", id), "until", "settled");
	struct json_object *answer, *result;
	const char *state, *why;
	int status = STATUS_OK;
	bool connected;

	json_object_object_add(p, "ms", json_object_new_int(IMPORT_WAIT_MS));
	answer = call_with(ctl, "ctl.session.wait", p, -1, &status);
	result = json_object_object_get(answer, "result");
	state = json_object_get_string(json_object_object_get(result, "status"));
	why = json_object_get_string(json_object_object_get(result, "reasonText"));
	connected = state && strcmp(state, "open") == 0;
	if (connected)
		puts("connected");
	else if (state && strcmp(state, "replaced") == 0)
		fputs("warestctl: another connection of the same device took over: the source is still connected. Stop it, then: warestctl session reconnect ID\n",
			stderr);
	else
		fprintf(stderr, "warestctl: not connected: %s %s\n", state ? state : "unknown", why ? why : "");
	json_object_put(answer);
	if (connected)
		return STATUS_OK;
	return status == STATUS_OK ? STATUS_REFUSED : status;
}

static int import_one(struct ctl *ctl, const struct import_request *request)
{
	struct json_object *answer, *p = NULL;
	int status = STATUS_REFUSED;
	int fd = -1;

	if (import_command(request, &p, &fd))
		return STATUS_REFUSED;
	answer = call_with(ctl, "ctl.session.import", p, fd, &status);
	close(fd);
	status = finish(ctl, answer, status, NULL);
	return status == STATUS_OK && ctl->wait && !ctl->json ? follow(ctl, request->id) : status;
}

/* ---- the original's list ---- */

static void show_list(const struct import_registry *registry)
{
	char directory[PATH_MAX];

	printf("%-28s %-12s %-12s %-6s %-26s%s\n", "ID", "OWNER", "LAST STATE", "STARTS", "LAST CONNECTED", "AUTH STATE");
	for (size_t i = 0; i < registry->list.nsessions; i++) {
		const struct original_session *s = &registry->list.sessions[i];
		bool found = import_registry_directory(registry, s, directory);

		printf("%-28s %-12s %-12s %-6s %-26s%s\n", s->id, s->owner[0] ? s->owner : "-", s->status[0] ? s->status : "-", s->auto_start ? "yes" : "no",
			s->connected[0] ? s->connected : "-", found ? directory : "none: was never linked, or is elsewhere");
	}
}

/* The owner's code here: a user of before is made, or given the key of before. NULL: refused. */
static const char *settle_owner(struct ctl *ctl, const struct import_registry *registry, const struct original_session *session, const char **settled)
{
	const struct original_user *user = import_registry_owner(registry, session->owner);
	struct json_object *p, *answer;
	int status = STATUS_OK;

	/* Without users in the list (sessions.json, a database that was taken over) they have to be here. */
	if (ctl->owner || !user || *settled == user->registry)
		return ctl->owner ? ctl->owner : session->owner[0] ? session->owner : NULL;
	p = with_text(with_text(NULL, "registry", user->registry), "username", user->username);
	p = with_text(with_text(p, "password", user->password), "key", user->key);
	json_object_object_add(p, "admin", json_object_new_boolean(user->admin));
	answer = call_with(ctl, "ctl.user.import", p, -1, &status);
	if (status != STATUS_OK || !ctl->json)
		fprintf(status == STATUS_OK ? stdout : stderr, "%s: user %s: %s\n", session->id, user->username,
			answer ? member(answer, "message") : "the daemon does not answer");
	json_object_put(answer);
	*settled = status == STATUS_OK ? user->registry : NULL;
	return *settled;
}

static const char *or_null(const char *text)
{
	return text[0] ? text : NULL;
}

static int import_listed(struct ctl *ctl, const struct import_registry *registry, const struct original_session *session, const char **settled)
{
	char directory[PATH_MAX];
	struct import_request request = { .id = ctl->as ? ctl->as : session->id, .dir = directory, .label = or_null(session->label),
		.webhook_url = or_null(session->webhook_url), .webhook_secret = or_null(session->webhook_secret), .force = ctl->force, .quiet = ctl->json };

	if (!import_registry_directory(registry, session, directory)) {
		fprintf(stderr, "warestctl: %s: nothing was imported: no creds.json in %s, nor beside the list\n", session->id,
			session->directory[0] ? session->directory : "its directory");
		return STATUS_REFUSED;
	}
	request.owner = settle_owner(ctl, registry, session, settled);
	if (!request.owner)
		return STATUS_REFUSED;
	if (!ctl->json) {
		printf("%s: ", session->id);
		fflush(stdout);
	}
	return import_one(ctl, &request);
}

/* --all: what starts by itself and was linked; the rest is named. */
static int import_all(struct ctl *ctl, const struct import_registry *registry)
{
	const char *settled = NULL;
	char directory[PATH_MAX];
	int status = STATUS_OK;

	for (size_t i = 0; i < registry->list.nsessions; i++) {
		const struct original_session *session = &registry->list.sessions[i];
		const char *why = !session->auto_start ? "does not start by itself there; name it to import it"
				  : !import_registry_directory(registry, session, directory) ? "has no auth state: it was never linked, or that lies elsewhere"
				  : NULL;

		if (why)
			fprintf(stderr, "%s: left out: %s\n", session->id, why);
		else if (import_listed(ctl, registry, session, &settled) != STATUS_OK)
			status = STATUS_REFUSED;
	}
	return status;
}

static int import_named(struct ctl *ctl, const struct import_registry *registry)
{
	const char *settled = NULL;
	int status = STATUS_OK;

	for (int i = 0; i < ctl->count; i++) {
		const struct original_session *session = import_registry_find(registry, ctl->args[i]);

		if (!session)
			fprintf(stderr, "warestctl: %s: the list has no such session\n", ctl->args[i]);
		if (!session || import_listed(ctl, registry, session, &settled) != STATUS_OK)
			status = STATUS_REFUSED;
	}
	return status;
}

static int import_registry(struct ctl *ctl)
{
	struct import_registry registry;
	char why[256] = "";
	int status = STATUS_OK;
	long pid = 0;

	if (import_registry_read(&registry, ctl->registry, why, sizeof why)) {
		fprintf(stderr, "warestctl: nothing was imported: %s\n", why);
		status = STATUS_REFUSED;
	} else if (!ctl->all && ctl->count == 0) {
		show_list(&registry);
	} else if (!ctl->force && (pid = import_registry_holder(&registry)) != 0) {
		fprintf(stderr, "warestctl: nothing was imported: process %ld has %s open. The original still runs: stop it first, or both would fight over the accounts"
			" (--force: it has nothing to do with them)\n", pid, ctl->registry);
		status = STATUS_REFUSED;
	} else {
		status = ctl->all ? import_all(ctl, &registry) : import_named(ctl, &registry);
	}
	import_registry_free(&registry);
	return status;
}

int import_source(struct ctl *ctl)
{
	const struct import_request request = { .id = ctl->count > 0 ? ctl->args[0] : NULL, .dir = ctl->count > 1 ? ctl->args[1] : NULL, .owner = ctl->owner,
		.force = ctl->force, .quiet = ctl->json };

	if (ctl->registry && !(ctl->as && (ctl->all || ctl->count != 1)))
		return import_registry(ctl);
	if (ctl->registry || ctl->all || ctl->as || ctl->count != 2) {
		usage(stderr);
		return STATUS_USAGE;
	}
	return import_one(ctl, &request);
}
