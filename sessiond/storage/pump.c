/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Gives out the content of an encrypted file through a socket, as fast as it is read and no faster: decrypting and sending are a thread's work,
 * waiting for room in the socket is the loop's. 64 KiB of plaintext are in memory per reader, whatever the file's size.
 *
 *     pool: decrypt chunk, send until the socket is full  -->  loop: wait until there is room  -->  pool: ...
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/loop.h"
#include "sessiond/storage/driver.h"
#include "sessiond/storage/sealedfile.h"

enum { CHUNKS_PER_TURN = 16 };

struct pump {
	uv_poll_t poll;         /* first: freed with it */
	struct storage *storage;
	struct pump *next, *prev;
	enum pump_kind kind;
	int fd, socket;         /* owned */
	struct sealed_file sealed;
	struct legacy_file legacy;
	const struct keyring *ring;
	uint64_t at, end;       /* of the content: next byte to read */
	size_t sent, filled;    /* of the buffer */
	size_t first;
	bool begun, over, polling;
	int error;
	uint8_t buffer[SEALED_CHUNK + SEALED_TAG];
};

size_t pump_count(const struct storage *storage)
{
	return storage->pump_count;
}

static void free_pump(uv_handle_t *handle)
{
	struct pump *pump = handle->data;

	close(pump->socket);
	close(pump->fd);
	sealed_close(&pump->sealed);
	crypto_wipe(pump->legacy.key, sizeof pump->legacy.key);
	crypto_wipe(pump->buffer, sizeof pump->buffer);
	free(pump);
}

static void end_pump(struct pump *pump)
{
	struct storage *storage = pump->storage;

	if (pump->prev)
		pump->prev->next = pump->next;
	else
		storage->pumps = pump->next;
	if (pump->next)
		pump->next->prev = pump->prev;
	storage->pump_count--;
	if (pump->error) {
		storage->status.failed++;
		log_warn(&storage->log, "a stored file cannot be read to its end", LOG_STR("error", storage_error_name(pump->error)));
	}
	uv_close((uv_handle_t *)&pump->poll, free_pump);
}

/* The next piece of the content, within one chunk. */
static int fill(struct pump *pump)
{
	uint64_t chunk = pump->at / SEALED_CHUNK, next = (chunk + 1) * SEALED_CHUNK;
	size_t into = (size_t)(pump->at % SEALED_CHUNK);
	size_t n = (size_t)((next < pump->end ? next : pump->end) - pump->at);
	int error;

	if (pump->kind == PUMP_LEGACY) {
		error = legacy_read(&pump->legacy, pump->at, pump->buffer, n);
		into = 0;
	} else {
		error = sealed_read(&pump->sealed, chunk, pump->buffer);
	}
	pump->first = into;
	pump->sent = 0;
	pump->filled = n;
	pump->at += n;
	return error;
}

/* False: no room, or it is over. */
static bool send_some(struct pump *pump)
{
	ssize_t n = send(pump->socket, pump->buffer + pump->first + pump->sent, pump->filled - pump->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return errno == EINTR;
	if (n < 0) {
		/* The reader has had enough. */
		pump->over = true;
		return false;
	}
	pump->sent += (size_t)n;
	return true;
}

static void turn(struct pump *pump)
{
	for (int chunks = 0; !pump->over;) {
		if (pump->sent < pump->filled) {
			if (!send_some(pump))
				return;
		} else if (pump->at == pump->end) {
			pump->over = true;
		} else {
			if (chunks++ == CHUNKS_PER_TURN)
				return;
			pump->error = fill(pump);
			pump->over = pump->error != 0;
		}
	}
}

static void work(void *arg)
{
	struct pump *pump = arg;

	if (pump->kind == PUMP_SEALED && !pump->begun)
		pump->error = sealed_open(&pump->sealed, pump->fd, pump->ring);
	pump->begun = true;
	pump->over = pump->error != 0;
	turn(pump);
}

static void wait_for_room(struct pump *pump);

static void worked(void *arg)
{
	struct pump *pump = arg;

	if (pump->over || pump->storage->stopping)
		end_pump(pump);
	else
		wait_for_room(pump);
}

static void go_on(struct pump *pump)
{
	if (loop_tasks_offload(&pump->storage->tasks, work, worked, pump))
		abort();
}

static void on_room(uv_poll_t *poll, int status, int events)
{
	struct pump *pump = poll->data;

	(void)events;
	uv_poll_stop(poll);
	pump->polling = false;
	if (status < 0)
		end_pump(pump);
	else
		go_on(pump);
}

static void wait_for_room(struct pump *pump)
{
	pump->polling = true;
	if (uv_poll_start(&pump->poll, UV_WRITABLE | UV_DISCONNECT, on_room))
		end_pump(pump);
}

bool pump_start(struct storage_op *op, enum pump_kind kind, int fd)
{
	struct storage *storage = op->storage;
	struct pump *pump;
	int pair[2];

	if (storage->pump_count >= PUMPS_MAX || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		close(fd);
		return false;
	}
	pump = xcalloc(1, sizeof *pump);
	if (uv_poll_init(loop_uv(storage->loop), &pump->poll, pair[0])) {
		close(pair[0]);
		close(pair[1]);
		close(fd);
		free(pump);
		return false;
	}
	pump->poll.data = pump;
	pump->storage = storage;
	pump->kind = kind;
	pump->fd = fd;
	pump->socket = pair[0];
	pump->legacy = op->legacy;
	pump->legacy.fd = fd;
	pump->ring = op->ring;
	pump->at = (uint64_t)op->from;
	pump->end = (uint64_t)(op->from + op->length);
	pump->next = storage->pumps;
	if (pump->next)
		pump->next->prev = pump;
	storage->pumps = pump;
	storage->pump_count++;
	op->out = pair[1];
	go_on(pump);
	return true;
}

void pump_stop_all(struct storage *storage)
{
	for (struct pump *pump = storage->pumps, *next; pump; pump = next) {
		next = pump->next;
		/* The others are in the pool, and end when they come back. */
		if (pump->polling)
			end_pump(pump);
	}
}
