/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stored files (contract config.md 3, routes.json GET /storages/{key}). The daemon judges the address, resolves the range and passes a descriptor
 * that gives the bytes; here they only go through.
 */
#include <string.h>

#include "common/utf8.h"
#include "fcgi/json_out.h"
#include "fcgi/request.h"
#include "fcgi/route.h"
#include "fcgi/storage_path.h"

struct span storage_path(const struct settings *settings, struct arena *arena, struct span path)
{
	size_t n = strlen(settings->storage_path);

	if (span_is(path, settings->signed_path))
		return span_text("/storage/private");
	if (n > 1 && path.n > n && path.p[n] == '/' && memcmp(path.p, settings->storage_path, n) == 0 && strcmp(settings->storage_path, "/storages") != 0)
		return span_text(arena_printf(arena, "/storages%.*s", (int)(path.n - n), (const char *)path.p + n));
	return path;
}

static void put_header(struct request *r, struct buf *p, const char *member, const char *variable)
{
	const char *value = request_var(r, variable);

	if (!value)
		return;
	json_name(p, member);
	json_span(p, utf8_clean(r->arena, span_text(value)));
}

static int add_headers(struct request *r, struct buf *p, struct answer *answer)
{
	(void)answer;
	put_header(r, p, "range", "HTTP_RANGE");
	put_header(r, p, "ifRange", "HTTP_IF_RANGE");
	put_header(r, p, "ifNoneMatch", "HTTP_IF_NONE_MATCH");
	json_name(p, "head");
	json_bool(p, !strcmp(r->method, "HEAD"));
	return 0;
}

#define NOT_FOUND { 404, 0, "not found" }
#define FORBIDDEN { 403, 0, "Forbidden" }
#define UNSATISFIABLE { 416, 0, "Range not satisfiable" }
#define UNREADABLE { 500, 0, "The stored file cannot be read" }

static const struct param public_params[] = {
	{ .name = "key", .in = { PLACE_PATH }, .kind = PARAM_VERBATIM, .type = "string", .required = true, .missing = NOT_FOUND,
	  .note = "the file's key, slashes as they are" },
};

static const struct param private_params[] = {
	{ .name = "key", .in = { PLACE_QUERY }, .kind = PARAM_VERBATIM, .type = "string", .required = true, .missing = FORBIDDEN, .note = "the file's key" },
	{ .name = "visibility", .in = { PLACE_QUERY }, .kind = PARAM_VERBATIM, .type = "string", .note = "part of the address; decides nothing" },
	{ .name = "expires", .in = { PLACE_QUERY }, .kind = PARAM_VERBATIM, .type = "string", .required = true, .missing = FORBIDDEN,
	  .note = "end of the address, Unix seconds" },
	{ .name = "token", .in = { PLACE_QUERY }, .kind = PARAM_VERBATIM, .type = "string", .required = true, .missing = FORBIDDEN,
	  .note = "hex of HMAC-SHA256" },
	{ .name = "scope", .in = { PLACE_QUERY }, .kind = PARAM_VERBATIM, .type = "string", .note = "part of what is signed" },
	{ .name = "download", .in = { PLACE_QUERY }, .kind = PARAM_VERBATIM, .type = "string", .note = "name to save the file under" },
};

static const struct success file_successes[] = { { 200, 0, NULL, "" }, { 206, 0, NULL, "" }, { 304, 0, NULL, "" }, { 0 } };

static const struct route routes[] = {
	{ .method = "GET", .path = "/storages/{key}", .name = "storage.public", .auth = AUTH_NONE, .family = FAMILY_FILE, .flags = ROUTE_TAIL | ROUTE_SLOW,
	  .params = public_params, .params_count = COUNT(public_params), .prepare = add_headers, .tag = "Files", .title = "A stored public file",
	  .text = "Ranges, If-Range, If-None-Match and HEAD are understood. Files are sent as attachments of a harmless type, never as pages.",
	  .successes = file_successes, .errors = (const struct fault[]){ NOT_FOUND, UNSATISFIABLE, UNREADABLE, { 0 } } },
	{ .method = "GET", .path = "/storage/private", .name = "storage.private", .auth = AUTH_NONE, .family = FAMILY_FILE, .flags = ROUTE_SLOW,
	  .params = private_params, .params_count = COUNT(private_params), .prepare = add_headers, .tag = "Files", .title = "A stored file by signed address",
	  .text = "As media.url and meta.url give it when files are private. Whatever is wrong with the address, and a file that is gone: 403.",
	  .successes = file_successes, .errors = (const struct fault[]){ FORBIDDEN, UNSATISFIABLE, UNREADABLE, { 0 } } },
};

extern const struct route_group storage_routes;
const struct route_group storage_routes = { routes, COUNT(routes) };
