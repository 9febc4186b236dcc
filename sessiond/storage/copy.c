/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * storage_copy(): a stored file into a plain one. Its bytes come as storage_open() gives them, a file or a socket; reading and writing are a
 * thread's work, waiting for the socket is the loop's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/storage/driver.h"

enum { PIECE = 64 * 1024, PIECES_PER_TURN = 16 };

struct copying {
	uv_poll_t poll;             /* first: freed with it */
	struct storage *storage;    /* borrowed */
	struct copying *next, *prev; /* list of the storage, while its bytes come */
	char *owner;                /* owned: id of the session that it must belong to */
	int from;                   /* owned; -1: not yet */
	int to;                     /* the caller's */
	bool is_socket, polling, over;
	int64_t at, size;           /* written, announced */
	int error;
	char *key, *mime, *name;    /* owned: of the object; mime and name may be NULL */
	storage_copy_done *done;
	void *arg;
};

static void release(struct copying *c)
{
	if (c->from >= 0)
		close(c->from);
	free(c->owner);
	free(c->key);
	free(c->mime);
	free(c->name);
	free(c);
}

static void closed(uv_handle_t *handle)
{
	release(handle->data);
}

static void unlist(struct copying *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		c->storage->copies = c->next;
	if (c->next)
		c->next->prev = c->prev;
}

static void end_copy(struct copying *c)
{
	unlist(c);
	if (c->is_socket)
		uv_close((uv_handle_t *)&c->poll, closed);
	else
		release(c);
}

static void tell(struct copying *c, const char *text)
{
	const struct storage_object object = { .key = c->key, .mime = c->mime, .file_name = c->name, .session = c->owner, .size = c->size };

	c->done(c->arg, c->error, text, c->error ? NULL : &object);
}

/* ---- bytes ---- */

static int write_all(int fd, const uint8_t *p, size_t n, int64_t at)
{
	while (n > 0) {
		ssize_t done = pwrite(fd, p, n, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return errno == ENOSPC || errno == EDQUOT ? STORAGE_FULL : STORAGE_IO;
		p += done;
		n -= (size_t)done;
		at += done;
	}
	return 0;
}

/* In the thread pool. */
static void work(void *arg)
{
	struct copying *c = arg;
	uint8_t *piece = xmalloc(PIECE);

	for (int i = 0; i < PIECES_PER_TURN && !c->over; i++) {
		ssize_t n = read(c->from, piece, PIECE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n > 0 && c->at + n <= c->size)
			c->error = write_all(c->to, piece, (size_t)n, c->at);
		else if (n != 0 || c->at != c->size)
			c->error = n < 0 ? STORAGE_IO : STORAGE_DAMAGED;
		c->at += n > 0 ? n : 0;
		c->over = n <= 0 || c->error;
	}
	free(piece);
}

static void worked(void *arg);

static void go_on(struct copying *c)
{
	if (loop_tasks_offload(&c->storage->tasks, work, worked, c))
		abort();
}

static void on_bytes(uv_poll_t *poll, int status, int events)
{
	struct copying *c = poll->data;

	(void)status;
	(void)events;
	uv_poll_stop(poll);
	c->polling = false;
	go_on(c);
}

static void worked(void *arg)
{
	struct copying *c = arg;

	if (c->storage->stopping) {
		end_copy(c);
	} else if (c->over) {
		tell(c, c->error ? "a stored file could not be read to its end" : "");
		end_copy(c);
	} else if (!c->is_socket) {
		go_on(c);
	} else {
		c->polling = true;
		if (uv_poll_start(&c->poll, UV_READABLE | UV_DISCONNECT, on_bytes))
			abort();
	}
}

/* ---- the file is found ---- */

static void fail(struct copying *c, int error, const char *text)
{
	c->error = error;
	tell(c, text);
	release(c);
}

static bool watch(struct copying *c)
{
	struct stat info;

	if (fstat(c->from, &info) != 0)
		return false;
	c->is_socket = !S_ISREG(info.st_mode);
	if (!c->is_socket)
		return true;
	c->poll.data = c;
	return fcntl(c->from, F_SETFL, O_NONBLOCK) == 0 && uv_poll_init(loop_uv(c->storage->loop), &c->poll, c->from) == 0;
}

static void opened(void *arg, int error, const char *text, const struct storage_object *object, int fd, int64_t from, int64_t length)
{
	struct copying *c = arg;
	bool foreign = !object || !object->session || strcmp(object->session, c->owner) != 0;

	(void)from;
	c->from = fd;
	if (error || !object || foreign || length == 0) {
		fail(c, error ? error : STORAGE_NOT_FOUND, error ? text : "no such file of this session");
		return;
	}
	c->key = xstrdup(object->key);
	c->mime = object->mime ? xstrdup(object->mime) : NULL;
	c->name = object->file_name ? xstrdup(object->file_name) : NULL;
	c->size = length;
	if (!watch(c)) {
		fail(c, STORAGE_IO, "a stored file cannot be read");
		return;
	}
	c->next = c->storage->copies;
	if (c->next)
		c->next->prev = c;
	c->storage->copies = c;
	go_on(c);
}

void storage_copy(struct storage *storage, const char *key, const char *session, int to, storage_copy_done *done, void *arg)
{
	struct copying *c = xcalloc(1, sizeof *c);

	c->storage = storage;
	c->owner = xstrdup(session);
	c->from = -1;
	c->to = to;
	c->done = done;
	c->arg = arg;
	storage_open(storage, storage->loop, key, NULL, opened, c);
}

void storage_copy_stop_all(struct storage *storage)
{
	for (struct copying *c = storage->copies, *next; c; c = next) {
		next = c->next;
		/* The others are in the pool, and end when they come back. */
		if (c->polling)
			end_copy(c);
	}
}
