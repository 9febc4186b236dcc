/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes in and out of a job, see work.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sessiond/media/work.h"

int work_fail(struct work *w, int error, const char *format, ...)
{
	va_list args;

	w->result->error = error;
	va_start(args, format);
	vsnprintf(w->result->why, sizeof w->result->why, format, args);
	va_end(args);
	return error;
}

/* A stream has to be held: decoders jump about in their input. */
static int read_stream(struct work *w, int fd)
{
	size_t room = 65536, len = 0;
	uint8_t *bytes = malloc(room);
	ssize_t n = bytes ? 1 : 0;

	while (n > 0 && len <= LIMIT_MEDIA_STREAM_BYTES) {
		if (len == room) {
			uint8_t *bigger = realloc(bytes, room * 2);

			if (!bigger)
				break;
			bytes = bigger;
			room *= 2;
		}
		n = read(fd, bytes + len, room - len);
		len += n > 0 ? (size_t)n : 0;
	}
	w->source = (struct source){ .fd = -1, .owned = bytes, .size = (int64_t)len };
	if (n < 0)
		return work_fail(w, MEDIAJOB_E_INPUT, "the input cannot be read: %s", strerror(errno));
	if (!bytes || n > 0)
		return work_fail(w, MEDIAJOB_E_LIMIT, "a stream may have %d bytes", LIMIT_MEDIA_STREAM_BYTES);
	return 0;
}

int source_open(struct work *w, int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	uint8_t head[64];
	int64_t n;

	w->source = (struct source){ .fd = fd, .size = size };
	if (size < 0 && read_stream(w, fd))
		return w->result->error;
	w->result->input.bytes = w->source.size;
	n = source_read(&w->source, 0, head, sizeof head);
	if (n <= 0)
		return work_fail(w, MEDIAJOB_E_INPUT, "the input is empty");
	w->sniffed = sniff_bytes(head, (size_t)n);
	return 0;
}

void source_close(struct source *source)
{
	free(source->owned);
	source->owned = NULL;
}

int64_t source_read(const struct source *source, int64_t at, void *out, int64_t n)
{
	ssize_t got;

	if (at < 0 || n < 0)
		return -1;
	if (source->owned) {
		if (at >= source->size)
			return 0;
		n = n < source->size - at ? n : source->size - at;
		memcpy(out, source->owned + at, (size_t)n);
		return n;
	}
	do
		got = pread(source->fd, out, (size_t)n, at);
	while (got < 0 && errno == EINTR);
	return got;
}

int source_load(struct work *w, int64_t limit, struct span *out)
{
	struct source *source = &w->source;
	int64_t done = 0, n = 1;
	uint8_t *bytes;

	if (source->size > limit)
		return work_fail(w, MEDIAJOB_E_LIMIT, "an image may have %lld bytes", (long long)limit);
	if (!source->owned) {
		bytes = malloc((size_t)source->size + 1);
		if (!bytes)
			return work_fail(w, MEDIAJOB_E_LIMIT, "not enough memory");
		while (done < source->size && n > 0) {
			n = source_read(source, done, bytes + done, source->size - done);
			done += n > 0 ? n : 0;
		}
		source->owned = bytes;
		/* somebody may have cut it since */
		source->size = done;
	}
	*out = span_of(source->owned, (size_t)source->size);
	return 0;
}

int work_write(struct work *w, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	size_t done = 0;

	if (w->output < 0)
		return work_fail(w, MEDIAJOB_E_OUTPUT, "no output file");
	if ((int64_t)n > w->job->max_output_bytes)
		return work_fail(w, MEDIAJOB_E_OUTPUT, "the result would be larger than allowed");
	while (done < n) {
		ssize_t wrote = pwrite(w->output, p + done, n - done, (off_t)done);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return work_fail(w, MEDIAJOB_E_OUTPUT, "%s", strerror(errno));
		done += (size_t)wrote;
	}
	if (ftruncate(w->output, (off_t)n))
		return work_fail(w, MEDIAJOB_E_OUTPUT, "%s", strerror(errno));
	return 0;
}

int64_t work_written(const struct work *w)
{
	off_t size = lseek(w->output, 0, SEEK_END);

	return size < 0 ? 0 : size;
}

void info_set_duration(struct mediajob_info *info, int64_t duration_ms)
{
	info->duration_ms = duration_ms < 0 ? 0 : duration_ms;
	info->seconds = (int)((info->duration_ms + 500) / 1000);
	if (!info->seconds && info->duration_ms)
		info->seconds = 1;
}

void info_set_mime(struct mediajob_info *info, const char *mime)
{
	snprintf(info->mime, sizeof info->mime, "%s", mime);
}
