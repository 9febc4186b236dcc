/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers as files for X-Sendfile, see kept.h. */
#include "fcgi/kept.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/timefmt.h"

/* REST_MS without a request: far more than a web server takes from our answer to opening the file. */
enum { ENTRIES = 16, REST_MS = 10000, TEXT_MOST = 512 };

#define PREFIX "result-"

struct entry {
	int file;          /* owned: keeps the inode from being used anew; -1: free */
	dev_t device;
	ino_t inode;
	char *path;        /* owned; NULL: seen once */
	uint8_t text[TEXT_MOST]; /* before and after, as the file has them */
	size_t text_len;
	int64_t used_ms;
};

struct kept {
	char *dir;         /* owned */
	struct log log;
	pthread_mutex_t lock;
	struct entry entries[ENTRIES];
	uint64_t made;
	bool failing;      /* said once */
};

static void clear(struct entry *e)
{
	if (e->file >= 0)
		(void)close(e->file);
	if (e->path)
		(void)unlink(e->path);
	free(e->path);
	*e = (struct entry){ .file = -1 };
}

/* What processes left that are no more. */
static void remove_leftovers(const char *dir_path)
{
	DIR *dir = opendir(dir_path);
	const struct dirent *item;

	while (dir && (item = readdir(dir))) {
		long pid = strncmp(item->d_name, PREFIX, sizeof PREFIX - 1) ? 0 : strtol(item->d_name + sizeof PREFIX - 1, NULL, 10);

		if (pid > 0 && (pid == (long)getpid() || (kill((pid_t)pid, 0) && errno == ESRCH)))
			(void)unlinkat(dirfd(dir), item->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

struct kept *kept_new(const char *dir, struct log log)
{
	struct kept *kept;

	if (!dir[0])
		return NULL;
	/* the web server takes %xx in the path for what it stands for */
	if (dir[0] != '/' || strchr(dir, '%') || access(dir, W_OK | X_OK)) {
		log_warn(&log, "no answers are kept for X-Sendfile: not an absolute path to a directory that we can write to", LOG_STR("dir", dir));
		return NULL;
	}
	kept = xcalloc(1, sizeof *kept);
	kept->dir = xstrdup(dir);
	kept->log = log;
	for (size_t i = 0; i < ENTRIES; i++)
		kept->entries[i].file = -1;
	(void)pthread_mutex_init(&kept->lock, NULL);
	remove_leftovers(dir);
	return kept;
}

void kept_free(struct kept *kept)
{
	if (!kept)
		return;
	for (size_t i = 0; i < ENTRIES; i++)
		clear(&kept->entries[i]);
	(void)pthread_mutex_destroy(&kept->lock);
	free(kept->dir);
	free(kept);
}

static bool same_text(const struct entry *e, struct span before, struct span after)
{
	return e->text_len == before.n + after.n && !memcmp(e->text, before.p, before.n) && !memcmp(e->text + before.n, after.p, after.n);
}

/* With the lock held, as all below. The entry of this content; NULL: there is none. */
static struct entry *find(struct kept *kept, const struct stat *st, struct span before, struct span after)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		struct entry *e = &kept->entries[i];

		if (e->file >= 0 && e->inode == st->st_ino && e->device == st->st_dev && same_text(e, before, after))
			return e;
	}
	return NULL;
}

/* A free entry, after those at rest were let go; NULL: all are in use. */
static struct entry *make_room(struct kept *kept, int64_t now_ms)
{
	struct entry *room = NULL;

	for (size_t i = 0; i < ENTRIES; i++) {
		struct entry *e = &kept->entries[i];

		if (e->file >= 0 && now_ms - e->used_ms > REST_MS)
			clear(e);
		if (e->file < 0)
			room = e;
	}
	return room;
}

static void remember(struct kept *kept, const struct stat *st, struct span before, int file, struct span after, int64_t now_ms)
{
	struct entry *e = make_room(kept, now_ms);
	int copy = e ? fcntl(file, F_DUPFD_CLOEXEC, 0) : -1;

	if (copy < 0)
		return;
	*e = (struct entry){ .file = copy, .device = st->st_dev, .inode = st->st_ino, .text_len = before.n + after.n, .used_ms = now_ms };
	memcpy(e->text, before.p, before.n);
	memcpy(e->text + before.n, after.p, after.n);
}

static bool write_text(int to, struct span text)
{
	return write(to, text.p, text.n) == (ssize_t)text.n;
}

static bool copy_file(int to, int from, uint64_t n)
{
	off_t at = 0;

	while (n > 0) {
		ssize_t put = sendfile(to, from, &at, n < (1U << 30) ? (size_t)n : 1U << 30);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		n -= (uint64_t)put;
	}
	return true;
}

/* Nobody knows the path before the file is whole. */
static void store(struct kept *kept, struct entry *e, struct span before, uint64_t n, struct span after)
{
	char *path = xasprintf("%s/" PREFIX "%ld-%llu", kept->dir, (long)getpid(), (unsigned long long)++kept->made);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool good = fd >= 0 && write_text(fd, before) && copy_file(fd, e->file, n) && write_text(fd, after);
	int saved = errno;

	if (fd >= 0 && close(fd))
		good = false;
	if (good) {
		e->path = path;
		kept->failing = false;
		return;
	}
	if (fd >= 0)
		(void)unlink(path);
	if (!kept->failing)
		log_warn(&kept->log, "an answer cannot be kept for X-Sendfile", LOG_STR("path", path), LOG_STR("reason", strerror(saved)));
	kept->failing = true;
	free(path);
}

const char *kept_path(struct kept *kept, struct arena *arena, struct span before, int file, uint64_t n, struct span after)
{
	int64_t now_ms = timefmt_monotonic_ms();
	const char *path = NULL;
	struct entry *e;
	struct stat st;

	if (before.n + after.n > TEXT_MOST || fstat(file, &st) || st.st_size < 0 || (uint64_t)st.st_size != n)
		return NULL;
	(void)pthread_mutex_lock(&kept->lock);
	e = find(kept, &st, before, after);
	if (!e) {
		remember(kept, &st, before, file, after, now_ms);
	} else {
		e->used_ms = now_ms;
		if (!e->path)
			store(kept, e, before, n, after);
		/* out of the directory it would be 404: somebody who cleans it must not break the answers */
		if (e->path && !access(e->path, F_OK))
			path = arena_text(arena, e->path, strlen(e->path));
		else
			clear(e);
	}
	(void)pthread_mutex_unlock(&kept->lock);
	return path;
}
