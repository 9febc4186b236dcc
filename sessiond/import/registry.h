/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The original's list of sessions: its database (data/warest.sqlite, read-only), or data/private/credentials/sessions.json, which it keeps
 * beside every kind of database. Where a session's auth state lies is written there as an absolute path; when that is no longer true (another
 * machine, a container's volume), it is looked for beside the list, under the name that the original gives it:
 *
 *     <path of the row>, <list's folder>/private/credentials/session/<name>, <list's folder>/session/<name>, <list's folder>/<name>
 *     name: last part of that path, or session_<owner>_<label, lower case, "-" for anything but letters and digits>
 */
#ifndef SESSIOND_IMPORT_REGISTRY_H
#define SESSIOND_IMPORT_REGISTRY_H

#include <limits.h>

#include "sessiond/store/original.h"

struct import_registry {
	struct original list;
	struct arena arena;    /* owned: what list refers to */
	char file[PATH_MAX];
	char folder[PATH_MAX];
};

/* 0, or -1 with a line for people in why. import_registry_free() in both cases. */
int import_registry_read(struct import_registry *registry, const char *path, char *why, size_t size);
void import_registry_free(struct import_registry *registry);
/* False: there is no creds.json anywhere where it could be. */
bool import_registry_directory(const struct import_registry *registry, const struct original_session *session, char out[PATH_MAX]);
/* NULL: the list has no such session, or no such owner. */
const struct original_session *import_registry_find(const struct import_registry *registry, const char *id);
const struct original_user *import_registry_owner(const struct import_registry *registry, const char *code);
/* A process that has the list open, or 0. Its own database the daemon may hold open: then always 0. */
long import_registry_holder(const struct import_registry *registry);

#endif
