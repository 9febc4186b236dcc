/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Output modes of the misc routes, see misc_output.h. */
#include "sessiond/rpc/misc_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "sessiond/json_text.h"
#include "sessiond/storage/storage.h"

/* An answer frame has to hold it, as base64 and with what stands around it. */
#define MOST_INLINE ((int64_t)LIMIT_RPC_FRAME_BYTES / 4 * 3 - 65536)

struct putting {
	struct misc_output output; /* mode and mime: owned copies */
	misc_output_done *done;
	void *arg;
	bool file;                 /* mode "file", else "url" */
	int fd;                    /* owned copy of a part; -1: the caller's file is it */
};

static void put_meta(struct buf *meta, const struct misc_output *output)
{
	buf_u8(meta, '{');
	json_put_member(meta, "mode", output->mode);
	json_put_member(meta, "mimeType", output->mime);
	json_put_int(meta, "size", output->size);
}

/* ---- in the answer ---- */

static int read_part(const struct misc_output *output, struct buf *out)
{
	uint8_t *p = buf_reserve(out, (size_t)output->size + 1);
	int64_t done = 0;

	while (done < output->size) {
		ssize_t n = pread(output->fd, p + done, (size_t)(output->size - done), output->from + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		done += n;
	}
	buf_commit(out, (size_t)done);
	return 0;
}

static void put_data(struct buf *data, const struct misc_output *output, struct span bytes)
{
	struct buf base64 = { 0 };

	if (strcasecmp(output->mode, "string") == 0) {
		json_put_span(data, bytes);
	} else if (strcasecmp(output->mode, "dataurl") == 0) {
		json_put_base64(&base64, bytes);
		buf_printf(data, "\"data:%s;base64,", output->mime);
		/* without its first quote */
		buf_append(data, base64.data + 1, base64.len - 1);
		buf_free(&base64);
	} else {
		json_put_base64(data, bytes);
	}
}

static void answer_inline(const struct misc_output *output, misc_output_done *done, void *arg)
{
	struct buf bytes = { 0 }, data = { 0 }, meta = { 0 };

	if (output->size > MOST_INLINE) {
		done(arg, MISC_OUTPUT_TOO_LARGE, NULL, NULL);
	} else if (read_part(output, &bytes)) {
		done(arg, MISC_OUTPUT_FILE, NULL, NULL);
	} else {
		put_data(&data, output, buf_span(&bytes));
		put_meta(&meta, output);
		buf_u8(&meta, '}');
		done(arg, MISC_OUTPUT_OK, buf_text(&data), buf_text(&meta));
	}
	buf_free(&bytes);
	buf_free(&data);
	buf_free(&meta);
}

/* ---- in the storage ---- */

static void putting_free(struct putting *putting)
{
	if (putting->fd >= 0)
		close(putting->fd);
	free((char *)(uintptr_t)putting->output.mode);
	free((char *)(uintptr_t)putting->output.mime);
	free(putting);
}

static void stored(void *arg, int error, const char *text, const struct storage_object *object)
{
	struct putting *putting = arg;
	struct buf data = { 0 }, meta = { 0 };

	(void)text;
	if (error) {
		putting->done(putting->arg, MISC_OUTPUT_STORAGE, NULL, NULL);
	} else {
		json_put_string(&data, putting->file ? object->key : object->url);
		put_meta(&meta, &putting->output);
		if (putting->output.temporary)
			json_put_bool(&meta, "temporary", true);
		json_put_member(&meta, "key", object->key);
		json_put_member(&meta, "url", object->url);
		if (putting->output.temporary)
			json_put_time(&meta, "expiresAt", object->expires_ms);
		buf_u8(&meta, '}');
		putting->done(putting->arg, MISC_OUTPUT_OK, buf_text(&data), buf_text(&meta));
	}
	buf_free(&data);
	buf_free(&meta);
	putting_free(putting);
}

/* The storage takes whole files: a part becomes one of its own. */
static int part_file(const struct misc_output *output)
{
	struct buf bytes = { 0 };
	int fd = output->size <= MOST_INLINE ? memfd_create("part", MFD_CLOEXEC) : -1;

	if (fd >= 0 && (read_part(output, &bytes) || write(fd, bytes.data, bytes.len) != (ssize_t)bytes.len)) {
		close(fd);
		fd = -1;
	}
	buf_free(&bytes);
	return fd;
}

static void put_into_storage(struct daemon *daemon, const struct misc_output *output, bool file, misc_output_done *done, void *arg)
{
	struct putting *putting = xcalloc(1, sizeof *putting);
	bool part = output->from > 0 || lseek(output->fd, 0, SEEK_END) != output->size;
	time_t now = time(NULL);
	char date[16];
	struct tm tm;
	const struct storage_meta meta = { .folder = output->temporary ? "misc/temp" : "misc", .kind = date, .mime = output->mime, .size = output->size,
					   .visibility = file ? STORAGE_PRIVATE : STORAGE_PUBLIC,
					   .ttl_ms = output->temporary ? daemon->config->storage_temp_ttl_sec * 1000 : 0 };

	strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &tm));
	*putting = (struct putting){ .output = *output, .done = done, .arg = arg, .file = file, .fd = -1 };
	putting->output.mode = xstrdup(output->mode);
	putting->output.mime = xstrdup(output->mime);
	if (part)
		putting->fd = part_file(output);
	if (part && putting->fd < 0) {
		putting_free(putting);
		done(arg, MISC_OUTPUT_FILE, NULL, NULL);
		return;
	}
	storage_put(daemon->storage, daemon->loop, part ? putting->fd : output->fd, &meta, stored, putting);
}

void misc_output_put(struct daemon *daemon, const struct misc_output *output, misc_output_done *done, void *arg)
{
	if (strcasecmp(output->mode, "url") == 0)
		put_into_storage(daemon, output, false, done, arg);
	else if (strcasecmp(output->mode, "file") == 0)
		put_into_storage(daemon, output, true, done, arg);
	else
		answer_inline(output, done, arg);
}

void misc_output_refuse(struct rpc_request *request, int error)
{
	if (error == MISC_OUTPUT_TOO_LARGE)
		rpc_answer(request, 413, 2006, "The result is too large for this output; use url or file", NULL);
	else if (error == MISC_OUTPUT_STORAGE)
		rpc_answer(request, 500, 8000, "The result cannot be stored", NULL);
	else
		rpc_answer(request, 500, 8000, "Internal error", NULL);
}
