/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * storage.public, storage.private: a stored file for warest.fcgi, as a descriptor with the answer (contract config.md 3.2, routes.json
 * GET /storages/{key}; RFC 9110 13, 14). ctl.storage.*: what warestctl asks.
 *
 *     p {"key", "range"?, "ifRange"?, "ifNoneMatch"?, "head"}   and for storage.private "expires", "token", "scope"?, "download"?
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/request.h"
#include "sessiond/storage/naming.h"
#include "sessiond/storage/storage.h"

/* What the answer needs to know of the question. */
struct serving {
	bool is_private, head, retried;
	char *download; /* owned, may be NULL */
	struct storage_range range;
	bool ranged;
};

static void free_serving(void *arg)
{
	struct serving *s = arg;

	free(s->download);
	free(s);
}

static void refuse(struct rpc_request *request, const struct serving *s)
{
	/* A signed address tells nobody whether there is such a file. */
	if (s->is_private)
		rpc_answer_error(request, 403, "Forbidden");
	else
		rpc_answer_error(request, 404, "not found");
}

/* ---- ranges ---- */

static bool read_number(const char **at, int64_t *out)
{
	size_t n = strspn(*at, "0123456789");

	if (n == 0 || n > 18)
		return false;
	*out = strtoll(*at, NULL, 10);
	*at += n;
	return true;
}

/* One range of bytes; several, and what cannot be read, count as none (RFC 9110 14.2). */
static bool parse_range(const char *text, struct storage_range *range)
{
	int64_t first = 0, last = 0;
	bool has_first;

	if (!text || strncasecmp(text, "bytes=", 6) != 0)
		return false;
	text += 6;
	text += strspn(text, " \t");
	has_first = read_number(&text, &first);
	if (*text++ != '-')
		return false;
	if (!has_first) {
		if (!read_number(&text, &last) || *text)
			return false;
		/* The last 0 bytes: behind the end. */
		*range = (struct storage_range){ last ? -last : INT64_MAX, -1 };
		return true;
	}
	*range = (struct storage_range){ first, -1 };
	if (!*text)
		return true;
	if (!read_number(&text, &last) || *text || last < first)
		return false;
	range->length = last - first + 1;
	return true;
}

/* ---- headers ---- */

static void etag_of(const struct storage_object *object, char out[68])
{
	static const uint8_t none[32];
	char hex[65];

	crypto_hex(object->sha256, sizeof object->sha256, hex);
	if (memcmp(object->sha256, none, sizeof none) == 0)
		snprintf(out, 68, "\"%" PRIx64 "-%" PRIx64 "\"", (uint64_t)object->created_ms, (uint64_t)object->size);
	else
		snprintf(out, 68, "\"%s\"", hex);
}

/* Is the tag in a list as If-None-Match has it? */
static bool etag_listed(const char *list, const char *etag)
{
	size_t n = strlen(etag);

	for (const char *at = list; at && *at; at += strcspn(at, ","), at += *at == ',') {
		at += strspn(at, " \t");
		if (*at == '*')
			return true;
		if (strncmp(at, "W/", 2) == 0)
			at += 2;
		if (strncmp(at, etag, n) == 0)
			return true;
	}
	return false;
}

/* A name in both forms of RFC 6266: what every client reads, and what is right. */
static void disposition(struct rpc_request *request, const char *how, const char *name)
{
	struct buf out = { 0 };

	buf_append_text(&out, how);
	if (name && name[0]) {
		buf_append_text(&out, "; filename=\"");
		for (const char *c = name; *c; c++)
			buf_u8(&out, (uint8_t)(*c < 0x20 || *c == 0x7f || *c == '"' || *c == '\\' || *c == '/' || *c == '%' ? '_' : *c));
		buf_append_text(&out, "\"; filename*=UTF-8''");
		for (const char *c = name; *c; c++) {
			if (isalnum((unsigned char)*c) || strchr("-._~", *c))
				buf_u8(&out, (uint8_t)*c);
			else
				buf_printf(&out, "%%%02X", (unsigned char)*c);
		}
	}
	rpc_header(request, "Content-Disposition", buf_text(&out));
	buf_free(&out);
}

static bool shown_inline(const struct rpc_request *request, const char *type)
{
	return request->context->daemon->config->compat_media_names &&
	       (strncmp(type, "image/", 6) == 0 || strncmp(type, "video/", 6) == 0 || strncmp(type, "audio/", 6) == 0 || strcmp(type, "application/pdf") == 0);
}

static void put_headers(struct rpc_request *request, const struct serving *s, const char *type, const char *etag)
{
	rpc_header(request, "ETag", etag);
	rpc_header(request, "Accept-Ranges", "bytes");
	rpc_header(request, "Cache-Control", s->is_private ? "private, no-store" : "public, max-age=86400");
	rpc_header(request, "Content-Security-Policy", "sandbox; default-src 'none'");
	disposition(request, shown_inline(request, type) ? "inline" : "attachment", s->download);
}

/* ---- the answer ---- */

static void open_file(struct rpc_request *request);

static void range_refused(struct rpc_request *request, int64_t size)
{
	char text[48];

	snprintf(text, sizeof text, "bytes */%" PRId64, size);
	rpc_header(request, "Content-Range", text);
	rpc_answer_error(request, 416, "Range not satisfiable");
}

static void opened(void *arg, int error, const char *text, const struct storage_object *object, int fd, int64_t from, int64_t length)
{
	struct rpc_request *request = arg;
	struct serving *s = request->work;
	const char *type, *if_range = rpc_param_text(request, "ifRange");
	char etag[68], range[80];

	(void)text;
	if (object && !s->is_private && !object->is_public)
		error = STORAGE_NOT_FOUND;
	assert(object || (error && error != STORAGE_RANGE));
	if (!error)
		etag_of(object, etag);
	if (error || etag_listed(rpc_param_text(request, "ifNoneMatch"), etag) || (s->ranged && if_range && strcmp(if_range, etag) != 0)) {
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	if (error == STORAGE_RANGE) {
		range_refused(request, object->size);
	} else if (error == STORAGE_NOT_FOUND) {
		refuse(request, s);
	} else if (error) {
		rpc_answer_error(request, error == STORAGE_AWAY ? 503 : 500, "The stored file cannot be read");
	} else if (etag_listed(rpc_param_text(request, "ifNoneMatch"), etag)) {
		put_headers(request, s, "", etag);
		rpc_answer_file(request, 304, "", 0, -1);
	} else if (s->ranged && if_range && strcmp(if_range, etag) != 0) {
		/* Another file than the client has a part of: all of it. */
		s->ranged = false;
		open_file(request);
	} else {
		type = naming_served_type(object->mime);
		put_headers(request, s, type, etag);
		if (s->ranged && !s->head && length > 0) {
			snprintf(range, sizeof range, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, from, from + length - 1, object->size);
			rpc_header(request, "Content-Range", range);
			rpc_answer_file(request, 206, type, length, fd);
		} else {
			rpc_answer_file(request, 200, type, s->head ? object->size : length, fd);
		}
	}
}

static void open_file(struct rpc_request *request)
{
	struct daemon *daemon = request->context->daemon;
	const struct serving *s = request->work;
	struct storage_range range = { 0, s->head ? 0 : -1 };

	if (s->ranged && !s->head)
		range = s->range;
	storage_open(daemon->storage, daemon->loop, rpc_param_text(request, "key"), &range, opened, request);
}

static void serve(struct rpc_request *request, bool is_private)
{
	struct serving *s = xcalloc(1, sizeof *s);
	const char *key = rpc_param_text(request, "key"), *download = rpc_param_text(request, "download");

	s->is_private = is_private;
	s->head = rpc_param_bool(request, "head");
	s->ranged = parse_range(rpc_param_text(request, "range"), &s->range);
	request->work = s;
	request->work_free = free_serving;
	if (!key || (is_private && !storage_token_fits(request->context->daemon->storage, key, rpc_param_text(request, "expires"),
				  rpc_param_text(request, "token"), rpc_param_text(request, "scope"), download))) {
		refuse(request, s);
		return;
	}
	s->download = is_private && download ? xstrdup(download) : NULL;
	open_file(request);
}

static void do_public(struct rpc_request *request)
{
	serve(request, false);
}

static void do_private(struct rpc_request *request)
{
	serve(request, true);
}

/* ---- ctl ---- */

static void do_status(struct rpc_request *request)
{
	struct storage_status s;
	struct buf out = { 0 };
	char id[9];

	storage_status(request->context->daemon->storage, &s);
	snprintf(id, sizeof id, "%08" PRIx32, s.key_id);
	buf_u8(&out, '{');
	json_put_member(&out, "driver", s.driver);
	json_put_int(&out, "files", s.files);
	json_put_int(&out, "bytes", s.bytes);
	json_put_member(&out, "key", id);
	json_put_int(&out, "filesUnderOtherKeys", s.other_key);
	json_put_bool(&out, "rotating", s.rotating);
	json_put_bool(&out, "sweeping", s.sweeping);
	json_put_int(&out, "put", s.put);
	json_put_int(&out, "swept", s.swept);
	json_put_int(&out, "failed", s.failed);
	json_put_member(&out, "lastError", s.last_error[0] ? s.last_error : NULL);
	buf_u8(&out, '}');
	rpc_answer(request, 200, 1000, "Storage", buf_text(&out));
	buf_free(&out);
}

static void do_sweep(struct rpc_request *request)
{
	storage_sweep(request->context->daemon->storage);
	rpc_answer(request, 200, 1000, "Sweeping", NULL);
}

static void done(void *arg, int error, const char *text)
{
	struct rpc_request *request = arg;

	if (error)
		rpc_answer(request, error == STORAGE_NOT_FOUND ? 404 : 500, error == STORAGE_NOT_FOUND ? 2600 : 8000, text, NULL);
	else
		rpc_answer(request, 200, 1000, "Done", NULL);
}

static void do_rotate(struct rpc_request *request)
{
	struct daemon *daemon = request->context->daemon;

	storage_rotate(daemon->storage, daemon->loop, done, request);
}

static void do_delete(struct rpc_request *request)
{
	struct daemon *daemon = request->context->daemon;
	const char *key = rpc_param_text(request, "key");

	storage_delete(daemon->storage, daemon->loop, key ? key : "", done, request);
}

static void put_done(void *arg, int error, const char *text, const struct storage_object *object)
{
	struct rpc_request *request = arg;
	struct buf out = { 0 };
	char hex[65];

	if (error) {
		rpc_answer(request, 500, 8000, text, NULL);
		return;
	}
	crypto_hex(object->sha256, sizeof object->sha256, hex);
	buf_u8(&out, '{');
	json_put_member(&out, "key", object->key);
	json_put_member(&out, "url", object->url);
	json_put_member(&out, "driver", object->driver);
	json_put_int(&out, "size", object->size);
	json_put_member(&out, "sha256", hex);
	buf_u8(&out, '}');
	rpc_answer(request, 200, 1000, "Stored", buf_text(&out));
	buf_free(&out);
}

/* Reads the file with the daemon's own rights: the asker is root or the daemon's own user. */
static void do_put(struct rpc_request *request)
{
	struct daemon *daemon = request->context->daemon;
	const char *path = rpc_param_text(request, "path"), *name = path ? strrchr(path, '/') : NULL;
	int fd = path && path[0] == '/' ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
	const struct storage_meta meta = {
		.folder = "operator",
		.mime = rpc_param_text(request, "mime"),
		.file_name = name ? name + 1 : NULL,
		.size = -1,
		.visibility = rpc_param_bool(request, "private") ? STORAGE_PRIVATE : STORAGE_DEFAULT,
	};

	if (fd < 0) {
		rpc_answer(request, 400, 2002, path && path[0] == '/' ? strerror(errno) : "An absolute path is needed", NULL);
		return;
	}
	storage_put(daemon->storage, daemon->loop, fd, &meta, put_done, request);
	close(fd);
}

static void url_found(void *arg, int error, const char *text, const struct storage_object *object, int fd, int64_t from, int64_t length)
{
	(void)fd;
	(void)from;
	(void)length;
	put_done(arg, error, text, object);
}

static void do_url(struct rpc_request *request)
{
	struct daemon *daemon = request->context->daemon;
	const char *key = rpc_param_text(request, "key");

	storage_open(daemon->storage, daemon->loop, key ? key : "", &(struct storage_range){ 0, 0 }, url_found, request);
}

const struct rpc_method rpc_storage_methods[] = {
	{ "storage.public", do_public },
	{ "storage.private", do_private },
	{ "ctl.storage.status", do_status },
	{ "ctl.storage.sweep", do_sweep },
	{ "ctl.storage.rotate", do_rotate },
	{ "ctl.storage.put", do_put },
	{ "ctl.storage.url", do_url },
	{ "ctl.storage.delete", do_delete },
	{ NULL, NULL },
};
