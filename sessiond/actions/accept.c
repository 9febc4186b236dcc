/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See accept.h. */
#include "sessiond/actions/accept.h"

#include <string.h>

enum { JSON_DEPTH = 64, RAW = 'R', RAW_HEAD = 5 };

static size_t count_templates(struct span text)
{
	size_t n = 0;

	for (size_t i = 0; i + 1 < text.n; i++)
		n += text.p[i] == '{' && text.p[i + 1] == '{';
	return n;
}

bool accept_is_quick(struct span answer, struct span sent)
{
	if (answer.n > ACCEPT_QUICK_ANSWER || sent.n > ACCEPT_QUICK_WORK)
		return false;
	/* A template is not longer than the envelope once it is expanded. */
	return answer.n + (count_templates(answer) + 1) * sent.n <= ACCEPT_QUICK_WORK;
}

static struct json_object *parse(struct span text)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
	struct json_object *json = tokener && text.n ? json_tokener_parse_ex(tokener, (const char *)text.p, (int)text.n) : NULL;

	json_tokener_free(tokener);
	if (json_object_is_type(json, json_type_object))
		return json;
	json_object_put(json);
	return NULL;
}

enum plan_error accept_read(struct span answer, struct span sent, int64_t default_delay_ms, struct json_object **plan)
{
	struct json_object *said, *envelope;
	enum plan_error error = PLAN_NOTHING;

	*plan = NULL;
	if (!plan_is_parsable(answer)) {
		*plan = json_object_new_object();
		return PLAN_TOO_COMPLEX;
	}
	said = parse(answer);
	if (said) {
		envelope = parse(sent);
		error = plan_accept(said, envelope, default_delay_ms, plan);
		json_object_put(envelope);
	}
	json_object_put(said);
	return error;
}

void accept_pack(struct buf *out, struct span answer, struct span sent)
{
	buf_u8(out, RAW);
	for (unsigned i = 0; i < 4; i++)
		buf_u8(out, (uint8_t)(answer.n >> 8 * i));
	buf_append_span(out, answer);
	buf_append_span(out, sent);
}

enum plan_error accept_unpack(struct span stored, int64_t default_delay_ms, struct json_object **plan)
{
	size_t n = 0;

	*plan = NULL;
	if (stored.n && stored.p[0] != RAW) {
		*plan = parse(stored);
		return *plan ? PLAN_OK : PLAN_NOTHING;
	}
	if (stored.n < RAW_HEAD)
		return PLAN_NOTHING;
	for (unsigned i = 0; i < 4; i++)
		n |= (size_t)stored.p[1 + i] << 8 * i;
	if (n > stored.n - RAW_HEAD)
		return PLAN_NOTHING;
	return accept_read(span_of(stored.p + RAW_HEAD, n), span_of(stored.p + RAW_HEAD + n, stored.n - RAW_HEAD - n), default_delay_ms, plan);
}
