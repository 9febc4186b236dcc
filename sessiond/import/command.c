/* SPDX-License-Identifier: GPL-3.0-or-later */
/* warestctl import ID DIRECTORY: checks, conversion, and the hand-over to the daemon. */
#include "sessiond/import/command.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sessiond/import/import.h"

/* Baileys writes at least whenever a message comes or a keep-alive is due. */
#define QUIET_MS 60000

/* A process of a JavaScript runtime whose working directory holds the source. */
static bool is_user_of(const char *pid, const char *dir)
{
	char path[64], cwd[PATH_MAX], comm[64] = "";
	ssize_t n;
	size_t len;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%.20s/cwd", pid);
	n = readlink(path, cwd, sizeof cwd - 1);
	if (n <= 1)
		return false;
	cwd[n] = '\0';
	len = (size_t)n;
	if (strncmp(dir, cwd, len) != 0 || (dir[len] != '/' && dir[len] != '\0'))
		return false;
	snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
	f = fopen(path, "r");
	if (f) {
		if (!fgets(comm, sizeof comm, f))
			comm[0] = '\0';
		fclose(f);
	}
	return strncmp(comm, "node", 4) == 0 || strncmp(comm, "bun", 3) == 0 || strncmp(comm, "deno", 4) == 0 || strncmp(comm, "PM2", 3) == 0;
}

/* Its process id, 0: none was found. */
static long running(const char *given)
{
	char dir[PATH_MAX];
	DIR *proc = realpath(given, dir) ? opendir("/proc") : NULL;
	struct dirent *entry;
	long found = 0;

	while (proc && !found && (entry = readdir(proc)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]) && is_user_of(entry->d_name, dir))
			found = strtol(entry->d_name, NULL, 10);
	if (proc)
		closedir(proc);
	return found;
}

static void add(struct json_object *p, const char *name, const char *text)
{
	if (text && text[0])
		json_object_object_add(p, name, json_object_new_string(text));
}

static int make_file(const struct imported *im)
{
	int fd = memfd_create("warest-import", MFD_CLOEXEC);
	size_t at = 0;

	while (fd >= 0 && at < im->records.len) {
		ssize_t n = write(fd, im->records.data + at, im->records.len - at);

		if (n <= 0) {
			close(fd);
			return -1;
		}
		at += (size_t)n;
	}
	return fd;
}

int import_command(const struct import_request *request, struct json_object **p, int *fd)
{
	long pid = request->force ? 0 : running(request->dir);
	char text[JID_TEXT_MAX];
	struct imported im;
	int rc;

	if (pid) {
		fprintf(stderr, "warestctl: process %ld runs in the directory that holds the source. Stop it first: both would fight over the account"
			" (--force: it has nothing to do with it)\n", pid);
		return IMPORT_E_LIVE;
	}
	rc = import_baileys(&im, request->dir, request->force ? 0 : QUIET_MS);
	if (rc) {
		fprintf(stderr, "warestctl: nothing was imported: %s%s\n", im.text, rc == IMPORT_E_LIVE ? " (--force: it has been stopped)" : "");
		imported_free(&im);
		return rc;
	}
	*fd = make_file(&im);
	if (*fd < 0) {
		fprintf(stderr, "warestctl: nothing was imported: %s\n", strerror(errno));
		rc = IMPORT_E_DIR;
	} else {
		*p = json_object_new_object();
		add(*p, "id", request->id);
		add(*p, "registry", request->owner);
		add(*p, "pn", jid_format(&im.pn, text, sizeof text));
		if (!jid_is_none(&im.lid))
			add(*p, "lid", jid_format(&im.lid, text, sizeof text));
		add(*p, "pushName", im.push_name);
		add(*p, "device", im.platform);
		add(*p, "label", request->label);
		add(*p, "webhookUrl", request->webhook_url);
		add(*p, "webhookSecret", request->webhook_secret);
		if (!request->quiet)
			printf("%zu Signal sessions, %zu group keys, %zu prekeys, %zu app state keys, %zu LID mappings, %zu tokens\n", im.sessions, im.sender_keys,
				im.prekeys, im.keys, im.mappings, im.tokens);
	}
	imported_free(&im);
	return rc;
}
