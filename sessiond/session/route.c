/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Routes as text (see route.h). */
#include "sessiond/session/route.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "sessiond/json_text.h"

const char *route_message_id(const struct send_route *route, const char *row_id)
{
	return route->chunk && route->wire_id ? route->wire_id : row_id;
}

bool route_is_empty(const struct send_route *route)
{
	return !route->naudience && !route->chunks && !route->wire_id && !route->media_handle && !route->server_id && !route->priority &&
		!route->source;
}

void route_free(struct send_route *route)
{
	free(route->audience);
	free(route->wire_id);
	free(route->media_handle);
	*route = (struct send_route){ 0 };
}

/* ---- out ---- */

static void put_audience(struct buf *out, const struct send_route *route)
{
	char text[JID_TEXT_MAX];

	json_put_name(out, "audience");
	buf_u8(out, '"');
	for (size_t i = 0; i < route->naudience; i++) {
		if (i)
			buf_u8(out, ' ');
		buf_append_text(out, jid_format(&route->audience[i], text, sizeof text));
	}
	buf_u8(out, '"');
}

static void put_route(struct buf *out, const struct send_route *route)
{
	json_put_name(out, "route");
	buf_u8(out, '{');
	if (route->chunks) {
		put_audience(out, route);
		json_put_int(out, "first", route->first);
		json_put_int(out, "chunk", (int64_t)route->chunk);
		json_put_int(out, "chunks", (int64_t)route->chunks);
	}
	if (route->wire_id)
		json_put_member(out, "wire", route->wire_id);
	if (route->media_handle)
		json_put_member(out, "handle", route->media_handle);
	if (route->server_id)
		json_put_int(out, "post", route->server_id);
	if (route->priority)
		json_put_int(out, "priority", (int64_t)route->priority);
	if (route->source)
		json_put_int(out, "source", (int64_t)route->source);
	buf_u8(out, '}');
}

char *route_store(const struct send_route *route, const char *info)
{
	struct buf out = { 0 };
	size_t n;

	if (route_is_empty(route))
		return info ? xstrdup(info) : NULL;
	if (info) {
		buf_append_text(&out, info);
		out.len--; /* its closing brace */
	} else {
		buf_u8(&out, '{');
	}
	put_route(&out, route);
	buf_u8(&out, '}');
	buf_u8(&out, 0);
	return (char *)buf_take(&out, &n);
}

/* ---- and back ---- */

static size_t count_words(const char *text)
{
	size_t n = text[0] != '\0';

	for (; *text; text++)
		n += *text == ' ';
	return n;
}

static void take_audience(struct send_route *route, const char *text)
{
	route->audience = xcalloc(count_words(text) + 1, sizeof *route->audience);
	while (*text) {
		size_t n = strcspn(text, " ");

		if (!jid_parse(&route->audience[route->naudience], text, n))
			route->naudience++;
		text += n + (text[n] == ' ');
	}
}

static int64_t number(struct json_object *object, const char *name)
{
	return json_object_get_int64(json_object_object_get(object, name));
}

static char *text_of(struct json_object *object, const char *name)
{
	const char *text = json_object_get_string(json_object_object_get(object, name));

	return text ? xstrdup(text) : NULL;
}

/* 0 for what is out of range. */
static int64_t below(int64_t value, int64_t end)
{
	return value > 0 && value < end ? value : 0;
}

void route_load(struct send_route *route, const char *info)
{
	struct json_object *whole = info ? json_tokener_parse(info) : NULL;
	struct json_object *object = whole ? json_object_object_get(whole, "route") : NULL;
	const char *audience = object ? json_object_get_string(json_object_object_get(object, "audience")) : NULL;

	*route = (struct send_route){ 0 };
	if (object) {
		if (audience)
			take_audience(route, audience);
		route->first = number(object, "first");
		route->chunk = (size_t)number(object, "chunk");
		route->chunks = (size_t)number(object, "chunks");
		route->wire_id = text_of(object, "wire");
		route->media_handle = text_of(object, "handle");
		route->server_id = number(object, "post");
		route->priority = (enum send_priority)below(number(object, "priority"), SEND_PRIORITIES);
		route->source = (enum send_source)below(number(object, "source"), SEND_SOURCES);
	}
	json_object_put(whole);
}
