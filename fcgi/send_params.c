/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading of structured contents, see send_params.h. */
#include "fcgi/send_params.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/json_out.h"
#include "fcgi/param_kinds.h"
#include "fcgi/uri.h"

const char *const send_presence_values[] = { "true", "false", "typing", "compose", "writing", "text", "composing", "recording", "rec",
					     "audio", "voice", "mic", "microphone", "ptt", "available", "online", "unavailable",
					     "offline", "paused", NULL };
const char *const send_wait_values[] = { "queued", "ack", "delivered", NULL };
const char *const send_priority_values[] = { "high", "normal", "low", NULL };

const struct json *send_member(struct request *r, const struct json *object, const char *const *names)
{
	for (; *names; names++) {
		const struct json *v = json_get(object, *names);
		struct span text;
		const char *error;

		if (!v || v->type == JSON_NULL)
			continue;
		if (v->type == JSON_STRING && param_text(v, &text) && (text.p[0] == '{' || text.p[0] == '[')) {
			struct json *parsed = json_parse(r->arena, text, &error);

			if (parsed)
				return parsed;
		}
		return v;
	}
	return NULL;
}

struct span send_text(const struct json *object, const char *const *names)
{
	struct span text = span_of(NULL, 0);

	for (; *names; names++) {
		const struct json *v = json_get(object, *names);

		if (v && param_text(v, &text))
			return text;
	}
	return span_of(NULL, 0);
}

struct span send_path_value(struct request *r, const char *name)
{
	struct span raw = route_value(&r->match, name);

	return raw.n ? uri_decode(r->arena, raw, false) : raw;
}

void send_put_text(struct buf *p, const char *name, struct span text)
{
	if (!text.n)
		return;
	json_name(p, name);
	json_span(p, text);
}

bool send_number(struct request *r, const struct json *v, double *number)
{
	struct span text;
	const char *s;
	char *end;

	if (!v || v->type == JSON_BOOL || !param_text(v, &text))
		return false;
	s = arena_text(r->arena, text.p, text.n);
	*number = strtod(s, &end);
	return end != s && !*end && isfinite(*number) && !strpbrk(s, "xXpP");
}
