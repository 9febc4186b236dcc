/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scanner of JSON objects, see json_scan.h. */
#include "fcgi/json_scan.h"

#include <string.h>

static void skip(struct json_scan *s, size_t n)
{
	s->rest = span_of(s->rest.p + n, s->rest.n - n);
}

static void skip_blanks(struct json_scan *s)
{
	while (s->rest.n && (s->rest.p[0] == ' ' || s->rest.p[0] == '\n' || s->rest.p[0] == '\r' || s->rest.p[0] == '\t'))
		skip(s, 1);
}

static bool take(struct json_scan *s, uint8_t c)
{
	skip_blanks(s);
	if (!s->rest.n || s->rest.p[0] != c)
		return false;
	skip(s, 1);
	return true;
}

/* Length of the string at p, quotes included; 0 if it does not end. */
static size_t string_length(struct span s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return 0;
}

/* Length of the value that starts the span; 0 if there is none. */
static size_t value_length(struct span s)
{
	size_t depth = 0, i = 0;

	while (i < s.n) {
		size_t n = 1;

		if (s.p[i] == '"') {
			n = string_length(span_of(s.p + i, s.n - i));
			if (!n)
				return 0;
		} else if (s.p[i] == '{' || s.p[i] == '[') {
			depth++;
		} else if (s.p[i] == '}' || s.p[i] == ']') {
			if (!depth)
				return i;
			depth--;
		} else if (s.p[i] == ',' && !depth) {
			return i;
		}
		i += n;
		if (!depth && (s.p[i - 1] == '"' || s.p[i - 1] == '}' || s.p[i - 1] == ']'))
			return i;
	}
	return 0;
}

struct json_scan json_scan_object(struct span json)
{
	struct json_scan s = { .rest = json };

	s.broken = !take(&s, '{');
	return s;
}

bool json_scan_next(struct json_scan *s, struct span *name, struct span *value)
{
	size_t n;

	if (s->broken || take(s, '}'))
		return false;
	(void)take(s, ',');
	skip_blanks(s);
	n = s->rest.n && s->rest.p[0] == '"' ? string_length(s->rest) : 0;
	if (!n) {
		s->broken = true;
		return false;
	}
	*name = span_of(s->rest.p + 1, n - 2);
	skip(s, n);
	s->broken = !take(s, ':');
	skip_blanks(s);
	n = s->broken ? 0 : value_length(s->rest);
	if (!n) {
		s->broken = true;
		return false;
	}
	*value = span_of(s->rest.p, n);
	skip(s, n);
	return true;
}

struct json_scan json_scan_array(struct span json)
{
	struct json_scan s = { .rest = json };

	s.broken = !take(&s, '[');
	return s;
}

bool json_scan_item(struct json_scan *s, struct span *value)
{
	size_t n;

	if (s->broken || take(s, ']'))
		return false;
	(void)take(s, ',');
	skip_blanks(s);
	n = value_length(s->rest);
	if (!n) {
		s->broken = true;
		return false;
	}
	*value = span_of(s->rest.p, n);
	skip(s, n);
	return true;
}
