/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers of parameter values, see param_kinds.h and rest-a 1.7 to 1.9 of the contract. */
#include "fcgi/param_kinds.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/timefmt.h"
#include "fcgi/json_out.h"
#include "fcgi/recipients.h"
#include "fcgi/validate.h"

#define MESSAGE_ID_MAX 64
/* The last millisecond of the year 9999. */
#define LAST_TIME_MS 253402300799999.0
#define FARTHEST_MS ((int64_t)366 * 24 * 3600 * 1000)

static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct span trim(struct span s)
{
	while (s.n && is_blank(s.p[0]))
		s = span_of(s.p + 1, s.n - 1);
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool param_text(const struct json *v, struct span *text)
{
	switch (v->type) {
	case JSON_STRING:
		*text = trim(v->text);
		return text->n > 0;
	case JSON_NUMBER:
		*text = v->text;
		return true;
	case JSON_BOOL:
		*text = span_text(v->truth ? "true" : "false");
		return true;
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return false;
}

bool param_is_text(const struct json *v)
{
	struct span text;

	return param_text(v, &text);
}

static bool is_text_or_array(const struct json *v)
{
	return param_is_text(v) || (v->type == JSON_ARRAY && v->count);
}

static bool is_anything(const struct json *v)
{
	(void)v;
	return true;
}

static bool one_of(struct span s, const char *const *words)
{
	for (; *words; words++)
		if (s.n == strlen(*words) && !strncasecmp((const char *)s.p, *words, s.n))
			return true;
	return false;
}

int param_truth(const struct json *v)
{
	static const char *const yes[] = { "1", "true", "yes", "y", "on", NULL };
	static const char *const no[] = { "0", "false", "no", "n", "off", NULL };
	struct span text;

	if (!param_text(v, &text))
		return -1;
	return one_of(text, yes) ? 1 : one_of(text, no) ? 0 : -1;
}

static enum param_result read_string(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	struct span text;

	(void)r;
	if (!param_text(v, &text))
		return PARAM_ABSENT;
	if ((double)text.n < p->min)
		return PARAM_INVALID;
	json_span(out, text);
	return PARAM_OK;
}

static enum param_result read_verbatim(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	struct span text;

	(void)r;
	if (!param_text(v, &text))
		text = span_of("", 0);
	if (text.n && (double)text.n < p->min)
		return PARAM_INVALID;
	json_span(out, text);
	return PARAM_OK;
}

static enum param_result read_number(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	struct span text;
	const char *s;
	char *end;
	double d;

	if (!param_text(v, &text) || v->type == JSON_BOOL)
		return PARAM_INVALID;
	s = arena_text(r->arena, text.p, text.n);
	d = strtod(s, &end);
	if (*end || !isfinite(d) || d < 0 || strpbrk(s, "xXpP"))
		return PARAM_INVALID;
	if (p->max > p->min)
		d = d < p->min ? p->min : d > p->max ? p->max : d;
	json_raw(out, span_text(arena_printf(r->arena, "%.15g", d)));
	return PARAM_OK;
}

static enum param_result read_bool(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	int truth = param_truth(v);

	(void)r;
	(void)p;
	if (truth < 0)
		return PARAM_INVALID;
	json_bool(out, truth);
	return PARAM_OK;
}

static enum param_result read_true_only(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	(void)r;
	(void)p;
	json_bool(out, v->type == JSON_BOOL && v->truth);
	return PARAM_OK;
}

static enum param_result read_enum(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	struct span text;

	(void)r;
	if (!param_text(v, &text))
		return PARAM_ABSENT;
	for (const char *const *word = p->values; *word; word++) {
		if (text.n != strlen(*word) || strncasecmp((const char *)text.p, *word, text.n))
			continue;
		json_text(out, *word);
		return PARAM_OK;
	}
	return PARAM_INVALID;
}

static enum param_result read_digits(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	struct span text;
	uint8_t *digits;
	size_t n = 0;

	(void)p;
	if (!param_text(v, &text))
		return PARAM_ABSENT;
	digits = arena_alloc(r->arena, text.n);
	for (size_t i = 0; i < text.n; i++)
		if (isdigit(text.p[i]))
			digits[n++] = text.p[i];
	if (!n)
		return PARAM_ABSENT;
	json_span(out, span_of(digits, n));
	return PARAM_OK;
}

static enum param_result read_strings(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	struct span text;
	size_t n = 0;

	(void)r;
	(void)p;
	json_open(out, '[');
	for (const struct json *c = v->type == JSON_ARRAY ? v->first : v; c; c = v->type == JSON_ARRAY ? c->next : NULL) {
		if (!param_text(c, &text))
			continue;
		json_span(out, text);
		n++;
	}
	json_close(out, ']');
	return n ? PARAM_OK : PARAM_ABSENT;
}

static enum param_result read_first(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	struct span text;

	(void)r;
	(void)p;
	if (!param_text(v->type == JSON_ARRAY ? v->first : v, &text))
		return PARAM_ABSENT;
	json_span(out, text);
	return PARAM_OK;
}

/* The state that a word asks for; "" = do not show any, NULL = the route's own (rest-a 1.9). */
static const char *presence_word(struct span word)
{
	static const struct {
		const char *state;
		const char *words[12];
	} rows[] = {
		{ "", { "0", "false", "no", "n", "off" } },
		{ "composing", { "typing", "compose", "writing", "text", "composing" } },
		{ "recording", { "recording", "rec", "audio", "voice", "mic", "microphone", "ptt" } },
		{ "available", { "available", "online" } },
		{ "unavailable", { "unavailable", "offline" } },
		{ "paused", { "paused" } },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (one_of(word, rows[i].words))
			return rows[i].state;
	return NULL;
}

static enum param_result read_presence(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	const char *state = NULL;
	struct span text;

	if (!param_text(v, &text))
		return PARAM_ABSENT;
	if (v->type == JSON_NUMBER)
		state = strtod(arena_text(r->arena, text.p, text.n), NULL) > 0 ? NULL : "";
	else
		state = presence_word(text);
	if (state && !*state)
		return PARAM_ABSENT;
	json_open(out, '{');
	json_member(out, "state", state ? state : p->state ? p->state : "composing");
	if (!state) {
		json_name(out, "own");
		json_bool(out, true);
	}
	json_close(out, '}');
	return PARAM_OK;
}

static enum param_result read_message_id(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	struct span text;

	(void)r;
	(void)p;
	if (!param_text(v, &text))
		return PARAM_ABSENT;
	if (text.n > MESSAGE_ID_MAX)
		return PARAM_INVALID;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] >= 0x80 || !(isalnum(text.p[i]) || (text.p[i] && strchr("._-", text.p[i]))))
			return PARAM_INVALID;
	json_span(out, text);
	return PARAM_OK;
}

/* Numbers below this are seconds: as milliseconds they would be in 1973. */
#define SECONDS_BELOW 1e11

static enum param_result take_time(struct request *r, const struct json *v, int64_t *ms)
{
	struct span text;
	const char *s;
	char *end;
	double d;

	if (!param_text(v, &text) || v->type == JSON_BOOL)
		return PARAM_INVALID;
	if (text.n == 0)
		return PARAM_ABSENT;
	s = arena_text(r->arena, text.p, text.n);
	d = strtod(s, &end);
	if (end != s && !*end && !strpbrk(s, "xXpP")) {
		if (!isfinite(d) || d < 0 || d > LAST_TIME_MS)
			return PARAM_INVALID;
		*ms = (int64_t)(d < SECONDS_BELOW ? d * 1000 : d);
		return PARAM_OK;
	}
	return timefmt_parse(s, ms) && *ms >= 0 ? PARAM_OK : PARAM_INVALID;
}

static enum param_result read_time(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	int64_t ms = 0;

	(void)p;
	if (take_time(r, v, &ms) != PARAM_OK || ms > timefmt_now_ms() + FARTHEST_MS)
		return PARAM_INVALID;
	json_int(out, ms);
	return PARAM_OK;
}

static enum param_result read_moment(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	int64_t ms = 0;
	enum param_result result = take_time(r, v, &ms);

	(void)p;
	if (result == PARAM_OK)
		json_int(out, ms);
	return result;
}

static enum param_result read_schedule(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	struct span text;
	unsigned hour = 0;
	size_t i = 0;

	(void)p;
	if (!param_text(v, &text))
		return PARAM_ABSENT;
	if (span_is(text, "0")) {
		json_text(out, "0");
		return PARAM_OK;
	}
	for (; i < 2 && i < text.n && isdigit(text.p[i]); i++)
		hour = hour * 10 + (unsigned)(text.p[i] - '0');
	if (!i || hour > 23 || text.n != i + 3 || text.p[i] != ':' || text.p[i + 1] < '0' || text.p[i + 1] > '5' || !isdigit(text.p[i + 2]))
		return PARAM_INVALID;
	json_text(out, arena_printf(r->arena, "%02u:%c%c", hour, text.p[i + 1], text.p[i + 2]));
	return PARAM_OK;
}

static enum param_result read_recipients(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	return recipients_write(r->arena, r->settings->country_code, v, p->max > 0 ? (size_t)p->max : VALIDATE_MAX_RECIPIENTS, out) ? PARAM_INVALID : PARAM_OK;
}

static enum param_result read_recipient(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	(void)p;
	return recipients_write_one(r->arena, r->settings->country_code, v, out) ? PARAM_INVALID : PARAM_OK;
}

static enum param_result read_untrimmed(struct request *r, const struct param *p, const struct json *v, struct buf *out)
{
	(void)r;
	(void)p;
	if (v->type != JSON_STRING)
		return PARAM_ABSENT;
	json_span(out, v->text);
	return PARAM_OK;
}

const struct param_reader param_readers[] = {
	[PARAM_STRING] = { param_is_text, read_string },
	[PARAM_VERBATIM] = { is_anything, read_verbatim },
	[PARAM_NUMBER] = { param_is_text, read_number },
	[PARAM_BOOL] = { param_is_text, read_bool },
	[PARAM_TRUE_ONLY] = { is_anything, read_true_only },
	[PARAM_ENUM] = { param_is_text, read_enum },
	[PARAM_DIGITS] = { param_is_text, read_digits },
	[PARAM_STRINGS] = { is_text_or_array, read_strings },
	[PARAM_FIRST] = { is_text_or_array, read_first },
	[PARAM_RECIPIENTS] = { is_text_or_array, read_recipients },
	[PARAM_RECIPIENT] = { is_text_or_array, read_recipient },
	[PARAM_UNTRIMMED] = { param_is_text, read_untrimmed },
	[PARAM_PRESENCE] = { param_is_text, read_presence },
	[PARAM_MESSAGE_ID] = { param_is_text, read_message_id },
	[PARAM_TIME] = { param_is_text, read_time },
	[PARAM_MOMENT] = { param_is_text, read_moment },
	[PARAM_SCHEDULE] = { param_is_text, read_schedule },
	[PARAM_DOCUMENT] = { is_anything, NULL },
};
