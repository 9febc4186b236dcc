/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Structured logs: builds one bounded line per event and writes it with a single call. */
#include "common/log.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "common/utf8.h"

enum { LINE_MAX_BYTES = 8192, LINE_TAIL = 8, URL_MAX = 2048 };

/* A line under construction. Content that does not fit is cut at a character, the line stays well-formed. */
struct line {
	char text[LINE_MAX_BYTES];
	size_t len;
};

static const struct {
	const char *name;
	const char *label;
	int number; /* as pino counts, which readers of the original's logs expect */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", "ERROR", 50 },
	[LOG_LEVEL_WARN] = { "warn", "WARN ", 40 },
	[LOG_LEVEL_INFO] = { "info", "INFO ", 30 },
	[LOG_LEVEL_DEBUG] = { "debug", "DEBUG", 20 },
};

static const char *const secret_keys[] = { "password", "passwd", "secret", "apikey", "token", "authorization", "cookie", "qr",
	"qrtext", "pairingcode", "privatekey", "signature", "body", "text", "messagetext", "caption", "pepper" };

static bool same_word(const char *key, const char *word)
{
	while (*key != '\0') {
		if (*key == '-' || *key == '_') {
			key++;
			continue;
		}
		if (tolower((unsigned char)*key) != *word)
			return false;
		key++;
		word++;
	}
	return *word == '\0';
}

bool log_key_is_secret(const char *key)
{
	for (size_t i = 0; i < sizeof secret_keys / sizeof secret_keys[0]; i++) {
		if (same_word(key, secret_keys[i]))
			return true;
	}
	return same_word(key, "xwarestapikey") || same_word(key, "webhooksecret") || same_word(key, "key");
}

static bool line_has_room(const struct line *line, size_t n)
{
	return n <= sizeof line->text - LINE_TAIL - line->len;
}

static void put(struct line *line, const char *text)
{
	size_t n = strlen(text);

	if (!line_has_room(line, n))
		return;
	memcpy(line->text + line->len, text, n);
	line->len += n;
}

/* Appends text with quotes, backslashes and control characters escaped as in JSON. Room for the closing quote and brace is
 * kept by LINE_TAIL. */
static void put_escaped(struct line *line, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	const unsigned char *end = p + strlen(text);
	char piece[8];

	while (*p != '\0') {
		size_t n = utf8_length((const char *)p, (size_t)(end - p));
		if (n == 0)
			(void)snprintf(piece, sizeof piece, "\\ufffd");
		else if (*p == '"' || *p == '\\')
			(void)snprintf(piece, sizeof piece, "\\%c", *p);
		else if (*p == '\n')
			(void)snprintf(piece, sizeof piece, "\\n");
		else if (*p < 0x20 || *p == 0x7f)
			(void)snprintf(piece, sizeof piece, "\\u%04x", *p);
		else {
			memcpy(piece, p, n);
			piece[n] = '\0';
		}
		/* A foreign text may fill a quarter of the line at most, so that the fields after it stay readable. */
		if ((size_t)(p - (const unsigned char *)text) > LINE_MAX_BYTES / 4 || !line_has_room(line, strlen(piece) + sizeof "...\"")) {
			put(line, "...");
			return;
		}
		put(line, piece);
		p += n == 0 ? 1 : n;
	}
}

static void put_quoted(struct line *line, const char *text)
{
	put(line, "\"");
	put_escaped(line, text);
	put(line, "\"");
}

static bool needs_quotes(const char *text)
{
	if (*text == '\0')
		return true;
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p <= ' ' || *p >= 0x7f || *p == '"' || *p == '\\' || *p == '=')
			return true;
	}
	return false;
}

static void put_text(struct line *line, const char *text, enum log_format format)
{
	if (format == LOG_FORMAT_JSON || needs_quotes(text))
		put_quoted(line, text);
	else
		put_escaped(line, text);
}

static void put_value(struct line *line, const struct log_field *field, enum log_format format)
{
	char number[40];
	char url[URL_MAX];

	if (field->kind == LOG_KIND_SECRET || (field->kind == LOG_KIND_STR && log_key_is_secret(field->key))) {
		put_text(line, field->v.text == NULL || *field->v.text == '\0' ? "empty" : "set", format);
		return;
	}
	switch (field->kind) {
	case LOG_KIND_INT:
		(void)snprintf(number, sizeof number, "%lld", (long long)field->v.number);
		put(line, number);
		return;
	case LOG_KIND_REAL:
		(void)snprintf(number, sizeof number, "%.6g", isfinite(field->v.real) ? field->v.real : 0.0);
		put(line, number);
		return;
	case LOG_KIND_BOOL:
		put(line, field->v.flag ? "true" : "false");
		return;
	case LOG_KIND_URL:
		put_text(line, log_redact_url(field->v.text == NULL ? "" : field->v.text, url, sizeof url), format);
		return;
	default:
		if (field->v.text == NULL)
			put(line, format == LOG_FORMAT_JSON ? "null" : "-");
		else
			put_text(line, field->v.text, format);
	}
}

static void put_field(struct line *line, const struct log_field *field, enum log_format format)
{
	/* A field is written whole or not at all when the line is nearly full: its name, quotes and a few characters. */
	if (!line_has_room(line, strlen(field->key) * 2 + 64))
		return;
	if (format == LOG_FORMAT_JSON) {
		put(line, ",");
		put_quoted(line, field->key);
		put(line, ":");
	} else {
		put(line, " ");
		put_escaped(line, field->key);
		put(line, "=");
	}
	put_value(line, field, format);
}

static void put_head(struct line *line, enum log_level level, const struct log *log, const char *message)
{
	struct timespec now;
	struct tm tm;
	char head[96];
	char day[32];
	const char *name = log->name == NULL ? "warest" : log->name;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (log->sink->format == LOG_FORMAT_JSON) {
		(void)snprintf(head, sizeof head, "{\"level\":%d,\"time\":%lld%03d,\"pid\":%ld,\"name\":", levels[level].number,
			(long long)now.tv_sec, (int)(now.tv_nsec / 1000000), (long)getpid());
		put(line, head);
		put_quoted(line, name);
		put(line, ",\"msg\":");
		put_quoted(line, message);
		return;
	}
	(void)gmtime_r(&now.tv_sec, &tm);
	(void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(head, sizeof head, "%s.%03dZ %s ", day, (int)(now.tv_nsec / 1000000), levels[level].label);
	put(line, head);
	put_escaped(line, name);
	put(line, ": ");
	put_escaped(line, message);
}

static void write_line(struct log_sink *sink, struct line *line)
{
	size_t done = 0;

	if (sink->format == LOG_FORMAT_JSON)
		line->text[line->len++] = '}';
	line->text[line->len++] = '\n';
	(void)pthread_mutex_lock(&sink->lock);
	while (done < line->len) {
		ssize_t n = write(sink->fd, line->text + done, line->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break; /* nobody can be told that the log is gone */
		done += (size_t)n;
	}
	(void)pthread_mutex_unlock(&sink->lock);
}

void log_emit(enum log_level level, const struct log *log, const char *message, ...)
{
	int saved = errno;
	struct line line;
	va_list fields;

	if (!log_enabled(log, level))
		return;
	line.len = 0;
	put_head(&line, level, log, message);
	va_start(fields, message);
	for (;;) {
		struct log_field field = va_arg(fields, struct log_field);
		if (field.kind == LOG_KIND_END)
			break;
		put_field(&line, &field, log->sink->format);
	}
	va_end(fields);
	write_line(log->sink, &line);
	errno = saved;
}

void log_sink_init(struct log_sink *sink, int fd, enum log_level level, enum log_format format)
{
	sink->fd = fd;
	sink->level = level;
	sink->format = format;
	(void)pthread_mutex_init(&sink->lock, NULL);
}

void log_sink_free(struct log_sink *sink)
{
	(void)pthread_mutex_destroy(&sink->lock);
	sink->fd = -1;
}

bool log_level_parse(const char *text, enum log_level *out)
{
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		if (strcasecmp(text, levels[i].name) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	*out = LOG_LEVEL_INFO;
	return false;
}

const char *log_level_name(enum log_level level)
{
	return levels[level].name;
}

/* Appends n bytes of text to buf, always terminated. */
static void add(char *buf, size_t cap, size_t *len, const char *text, size_t n)
{
	size_t room = cap - 1 - *len;

	if (n > room)
		n = room;
	memcpy(buf + *len, text, n);
	*len += n;
	buf[*len] = '\0';
}

/* Appends a query string, with the values of secret parameters replaced. */
static void add_query(char *buf, size_t cap, size_t *len, const char *query)
{
	char name[64];

	while (*query != '\0') {
		size_t item = strcspn(query, "&#");
		size_t name_len = strcspn(query, "=&#");
		size_t keep = name_len < sizeof name ? name_len : sizeof name - 1;

		memcpy(name, query, keep);
		name[keep] = '\0';
		if (name_len < item && log_key_is_secret(name)) {
			add(buf, cap, len, query, name_len + 1);
			add(buf, cap, len, "***", 3);
		} else {
			add(buf, cap, len, query, item);
		}
		query += item;
		if (*query != '\0')
			add(buf, cap, len, query++, 1);
	}
}

const char *log_redact_url(const char *url, char *buf, size_t cap)
{
	const char *scheme = strstr(url, "://");
	const char *host = scheme == NULL ? url : scheme + 3;
	size_t authority = strcspn(host, "/?#");
	size_t len = 0;
	const char *query;

	if (cap == 0)
		return "";
	buf[0] = '\0';
	for (size_t i = authority; i-- > 0;) {
		if (host[i] != '@')
			continue;
		add(buf, cap, &len, url, (size_t)(host - url));
		add(buf, cap, &len, host, i > 0 && host[0] != ':' ? 1 : 0);
		add(buf, cap, &len, "***:***@", 8);
		host += i + 1;
		url = host;
		break;
	}
	query = strchr(url, '?');
	if (query == NULL) {
		add(buf, cap, &len, url, strlen(url));
		return buf;
	}
	add(buf, cap, &len, url, (size_t)(query - url) + 1);
	add_query(buf, cap, &len, query + 1);
	return buf;
}
