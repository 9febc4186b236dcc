/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of event names, see eventfilter.h. */
#include "common/eventfilter.h"

#include <string.h>

void eventfilter_init(struct eventfilter *filter)
{
	*filter = (struct eventfilter){ .count = 0 };
}

void eventfilter_free(struct eventfilter *filter)
{
	buf_free(&filter->patterns);
	eventfilter_init(filter);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_divider(char c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool in_name(char c)
{
	c = lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' || c == '*';
}

static bool add_one(struct eventfilter *filter, const char *text, size_t n)
{
	bool excludes = text[0] == '!';
	size_t name = n - (excludes ? 1 : 0);

	if (name == 0 || name > EVENTFILTER_MAX_NAME || filter->count == EVENTFILTER_MAX_PATTERNS)
		return false;
	for (size_t i = n - name; i < n; i++) {
		if (!in_name(text[i]))
			return false;
	}
	for (size_t i = 0; i < n; i++)
		buf_u8(&filter->patterns, (uint8_t)lower(text[i]));
	buf_u8(&filter->patterns, 0);
	filter->count++;
	filter->chooses = filter->chooses || !excludes;
	return true;
}

bool eventfilter_add(struct eventfilter *filter, const char *list)
{
	const struct eventfilter before = *filter;

	while (*list) {
		size_t n = 0;

		if (is_divider(*list)) {
			list++;
			continue;
		}
		while (list[n] && !is_divider(list[n]))
			n++;
		if (!add_one(filter, list, n)) {
			filter->patterns.len = before.patterns.len;
			filter->count = before.count;
			filter->chooses = before.chooses;
			return false;
		}
		list += n;
	}
	return true;
}

/* Going back is only ever to the last '*': what an earlier one could take, the last one can as well. */
static bool matches(const char *pattern, const char *name)
{
	const char *star = NULL, *from = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			from = name;
		} else if (*pattern == lower(*name)) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool eventfilter_wants(const struct eventfilter *filter, const char *event)
{
	const char *at = (const char *)filter->patterns.data;
	bool chosen = !filter->chooses;

	for (size_t i = 0; i < filter->count; i++, at += strlen(at) + 1) {
		if (at[0] == '!' && matches(at + 1, event))
			return false;
		chosen = chosen || (at[0] != '!' && matches(at, event));
	}
	return chosen;
}

void eventfilter_format(const struct eventfilter *filter, struct buf *out)
{
	const char *at = (const char *)filter->patterns.data;

	for (size_t i = 0; i < filter->count; i++, at += strlen(at) + 1) {
		if (i > 0)
			buf_u8(out, ',');
		buf_append_text(out, at);
	}
}
