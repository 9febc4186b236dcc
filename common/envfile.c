/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading environment files. */
#include "common/envfile.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "common/buf.h"
#include "common/limits.h"

struct scanner {
	const char *at;
	const char *end;
	size_t line;
	const char *problem; /* static */
	struct buf name;
	struct buf value;
};

static bool at_end(const struct scanner *s)
{
	return s->at == s->end;
}

static char peek(const struct scanner *s)
{
	return at_end(s) ? '\0' : *s->at;
}

static void skip_blanks(struct scanner *s)
{
	while (!at_end(s) && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

static void skip_line(struct scanner *s)
{
	while (!at_end(s) && *s->at != '\n')
		s->at++;
}

static bool fail(struct scanner *s, const char *problem)
{
	s->problem = problem;
	return false;
}

static bool put(struct scanner *s, struct buf *out, char c)
{
	if (c == '\0')
		return fail(s, "a NUL byte");
	if (out->len >= LIMIT_ENV_VALUE_BYTES)
		return fail(s, "the value is too long");
	buf_u8(out, (uint8_t)c);
	return true;
}

static bool read_name(struct scanner *s)
{
	buf_clear(&s->name);
	while (!at_end(s) && (isalnum((unsigned char)*s->at) || *s->at == '_' || *s->at == '.')) {
		if (!put(s, &s->name, *s->at++))
			return false;
	}
	if (s->name.len == 0 || isdigit((unsigned char)s->name.data[0]))
		return fail(s, "expected NAME=value");
	return true;
}

static char unescape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

static bool read_quoted(struct scanner *s, char quote)
{
	size_t first = s->line;

	s->at++;
	while (!at_end(s) && *s->at != quote) {
		char c = *s->at++;

		if (c == '\r' && peek(s) == '\n')
			continue;
		if (c == '\n')
			s->line++;
		if (c == '\\' && quote == '"' && !at_end(s) && strchr("nrt\\\"$`", *s->at) != NULL && *s->at != '\0')
			c = unescape(*s->at++);
		if (!put(s, &s->value, c))
			return false;
	}
	if (at_end(s)) {
		s->line = first;
		return fail(s, "the quote is not closed");
	}
	s->at++;
	skip_blanks(s);
	if (!at_end(s) && *s->at != '\n' && *s->at != '#')
		return fail(s, "text after the closing quote");
	skip_line(s);
	return true;
}

static bool read_plain(struct scanner *s)
{
	while (!at_end(s) && *s->at != '\n') {
		if (*s->at == '#' && (s->value.len == 0 || s->at[-1] == ' ' || s->at[-1] == '\t'))
			break;
		if (!put(s, &s->value, *s->at++))
			return false;
	}
	skip_line(s);
	while (s->value.len > 0 && isspace(s->value.data[s->value.len - 1]))
		s->value.len--;
	return true;
}

/* "export" in front of the name. */
static void skip_export(struct scanner *s)
{
	if ((size_t)(s->end - s->at) > 7 && memcmp(s->at, "export", 6) == 0 && (s->at[6] == ' ' || s->at[6] == '\t')) {
		s->at += 7;
		skip_blanks(s);
	}
}

static bool read_setting(struct scanner *s)
{
	char quote;

	skip_export(s);
	if (!read_name(s))
		return false;
	skip_blanks(s);
	if (peek(s) != '=')
		return fail(s, "expected = after the name");
	s->at++;
	skip_blanks(s);
	buf_clear(&s->value);
	quote = peek(s);
	return quote == '"' || quote == '\'' || quote == '`' ? read_quoted(s, quote) : read_plain(s);
}

static int parse_all(struct scanner *s, envfile_fn *found, void *arg)
{
	while (!at_end(s)) {
		skip_blanks(s);
		if (!at_end(s) && *s->at != '\n' && *s->at != '#') {
			size_t line = s->line;

			if (!read_setting(s))
				return -1;
			found(arg, buf_text(&s->name), buf_text(&s->value), line);
		}
		skip_line(s);
		if (!at_end(s)) {
			s->at++;
			s->line++;
		}
	}
	return 0;
}

int envfile_parse(const char *text, size_t len, envfile_fn *found, void *arg, struct envfile_error *error)
{
	struct scanner s = { .at = text, .end = text + len, .line = 1 };
	int rc;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		s.at += 3;
	rc = parse_all(&s, found, arg);
	if (rc != 0)
		*error = (struct envfile_error){ .line = s.line, .message = s.problem };
	/* Values may be secrets. */
	buf_wipe(&s.value);
	buf_free(&s.name);
	return rc;
}
