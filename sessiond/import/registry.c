/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See registry.h. */
#include "sessiond/import/registry.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "common/buf.h"

enum { LIST_MAX_BYTES = 64 << 20, JSON_DEPTH = 32 };

static const char sqlite_magic[] = "SQLite format 3";

/* ---- sessions.json: {"sessions":{ID:{id, label, autoStart, webhookUrl, webhookSecret, ownerId, credentialsPath, status, lastConnectedAt}}} ---- */

static const char *text_of(struct arena *arena, struct json_object *object, const char *name)
{
	struct json_object *value = json_object_object_get(object, name);

	return value ? arena_strdup(arena, json_object_get_string(value)) : "";
}

static int take_json(struct import_registry *r, struct json_object *json)
{
	struct json_object *sessions = json_object_is_type(json, json_type_object) ? json_object_object_get(json, "sessions") : NULL;
	struct original *list = &r->list;

	if (!json_object_is_type(sessions, json_type_object))
		return -1;
	list->sessions = arena_alloc(&r->arena, (size_t)json_object_object_length(sessions) * sizeof *list->sessions + 1);
	json_object_object_foreach(sessions, id, value)
	{
		struct json_object *start;

		if (!json_object_is_type(value, json_type_object))
			return -1;
		start = json_object_object_get(value, "autoStart");
		list->sessions[list->nsessions++] = (struct original_session){
			.id = arena_strdup(&r->arena, id),
			.owner = text_of(&r->arena, value, "ownerId"),
			.label = text_of(&r->arena, value, "label"),
			.directory = text_of(&r->arena, value, "credentialsPath"),
			.webhook_url = text_of(&r->arena, value, "webhookUrl"),
			.webhook_secret = text_of(&r->arena, value, "webhookSecret"),
			.status = text_of(&r->arena, value, "status"),
			.connected = text_of(&r->arena, value, "lastConnectedAt"),
			.auto_start = !start || json_object_get_boolean(start),
		};
	}
	return 0;
}

static int read_json(struct import_registry *r, const struct buf *bytes)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
	struct json_object *json = json_tokener_parse_ex(tokener, (const char *)bytes->data, (int)bytes->len);
	int rc = json_tokener_get_error(tokener) == json_tokener_success ? take_json(r, json) : -1;

	json_object_put(json);
	json_tokener_free(tokener);
	return rc;
}

/* The whole file, or as much of it as says that it is a database. */
static int read_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t got = -1;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		do {
			got = read(fd, buf_reserve(out, 65536), 65536);
			if (got > 0)
				buf_commit(out, (size_t)got);
		} while (got > 0 && out->len <= LIST_MAX_BYTES && memcmp(out->data, sqlite_magic, out->len < sizeof sqlite_magic ? out->len : sizeof sqlite_magic) != 0);
	}
	close(fd);
	return got >= 0 && out->len <= LIST_MAX_BYTES ? 0 : -1;
}

int import_registry_read(struct import_registry *r, const char *path, char *why, size_t size)
{
	struct buf bytes = { 0 };
	char *slash;
	int rc = -1;

	*r = (struct import_registry){ 0 };
	arena_init(&r->arena, 0);
	if (!realpath(path, r->file) || read_file(r->file, &bytes)) {
		snprintf(why, size, "%s cannot be read", path);
	} else if (bytes.len >= sizeof sqlite_magic && memcmp(bytes.data, sqlite_magic, sizeof sqlite_magic) == 0) {
		rc = original_read(&r->list, &r->arena, r->file, why, size) ? -1 : 0;
	} else {
		rc = read_json(r, &bytes);
		if (rc)
			snprintf(why, size, "%s is neither a database of the original nor its sessions.json", path);
	}
	snprintf(r->folder, sizeof r->folder, "%s", r->file);
	slash = strrchr(r->folder, '/');
	if (slash)
		*slash = '\0';
	buf_wipe(&bytes);
	return rc;
}

void import_registry_free(struct import_registry *r)
{
	arena_free(&r->arena);
	*r = (struct import_registry){ 0 };
}

const struct original_session *import_registry_find(const struct import_registry *r, const char *id)
{
	for (size_t i = 0; i < r->list.nsessions; i++) {
		if (strcmp(r->list.sessions[i].id, id) == 0)
			return &r->list.sessions[i];
	}
	return NULL;
}

const struct original_user *import_registry_owner(const struct import_registry *r, const char *code)
{
	for (size_t i = 0; i < r->list.nusers; i++) {
		if (strcmp(r->list.users[i].registry, code) == 0)
			return &r->list.users[i];
	}
	return NULL;
}

/* ---- directories ---- */

static bool has_creds(const char *folder, const char *middle, const char *name, char out[PATH_MAX])
{
	char file[PATH_MAX + 16];
	int n = snprintf(out, PATH_MAX, "%s%s%s", folder, middle, name);

	if (n <= 0 || n >= PATH_MAX)
		return false;
	snprintf(file, sizeof file, "%s/creds.json", out);
	return access(file, F_OK) == 0;
}

/* As the original names a session's folder. */
static void name_of(const struct original_session *session, char out[static NAME_MAX + 1])
{
	const char *label = session->label[0] ? session->label : session->id;
	int n = snprintf(out, NAME_MAX + 1, "session_%.100s_", session->owner[0] ? session->owner : "unknown");
	size_t at = n > 0 ? (size_t)n : 0;
	const size_t start = at;

	for (; *label && at < NAME_MAX; label++) {
		unsigned char c = (unsigned char)*label;

		if (c < 0x80 && isalnum(c))
			out[at++] = (char)tolower(c);
		else if (at > start && out[at - 1] != '-')
			out[at++] = '-';
	}
	while (at > start && out[at - 1] == '-')
		at--;
	out[at] = '\0';
	if (at == start)
		snprintf(out + at, NAME_MAX + 1 - at, "session");
}

bool import_registry_directory(const struct import_registry *r, const struct original_session *session, char out[PATH_MAX])
{
	static const char *const middles[] = { "/private/credentials/session/", "/session/", "/" };
	const char *last = strrchr(session->directory, '/');
	char name[NAME_MAX + 1];
	const char *names[] = { last ? last + 1 : session->directory, name };

	name_of(session, name);
	if (session->directory[0] == '/' && has_creds("", "", session->directory, out))
		return true;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		/* A name that would lead elsewhere is none. */
		if (!names[i][0] || names[i][0] == '.' || strchr(names[i], '/'))
			continue;
		for (size_t m = 0; m < sizeof middles / sizeof *middles; m++) {
			if (has_creds(r->folder, middles[m], names[i], out))
				return true;
		}
	}
	return false;
}

/* ---- who has it open ---- */

static bool holds(const char *pid, const struct stat *file)
{
	char path[64 + NAME_MAX];
	struct dirent *entry;
	struct stat st;
	bool found = false;
	DIR *fds;

	snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
	fds = opendir(path);
	while (fds && !found && (entry = readdir(fds)) != NULL) {
		snprintf(path, sizeof path, "/proc/%.20s/fd/%.20s", pid, entry->d_name);
		/* Through the link: the same file also out of a container, where it has another path. */
		found = isdigit((unsigned char)entry->d_name[0]) && stat(path, &st) == 0 && st.st_ino == file->st_ino && st.st_dev == file->st_dev;
	}
	if (fds)
		closedir(fds);
	return found;
}

long import_registry_holder(const struct import_registry *r)
{
	struct dirent *entry;
	struct stat file;
	long found = 0;
	DIR *proc;

	if (r->list.adopted || stat(r->file, &file))
		return 0;
	proc = opendir("/proc");
	while (proc && !found && (entry = readdir(proc)) != NULL) {
		long pid = isdigit((unsigned char)entry->d_name[0]) ? strtol(entry->d_name, NULL, 10) : 0;

		if (pid > 0 && pid != (long)getpid() && holds(entry->d_name, &file))
			found = pid;
	}
	if (proc)
		closedir(proc);
	return found;
}
