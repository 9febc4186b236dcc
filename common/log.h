/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Structured logs: one line per event, as text for people or as JSON for machines.
 *
 *     2026-11-22T10:00:00.123Z INFO  session: session opened session=shop attempts=2
 *     {"level":30,"time":1795341600123,"pid":7,"name":"session","msg":"session opened","session":"shop","attempts":2}
 *
 * Usage: log_info(log, "session opened", LOG_STR("session", id), LOG_INT("attempts", n));
 *
 * Rules: messages are fixed texts, what varies goes into fields. API keys, passwords, cookies, webhook secrets, QR texts,
 * pairing codes and message bodies never go into a field; fields whose names say so are hidden even if somebody tries
 * (log_key_is_secret), and URLs with passwords go through LOG_URL.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Where lines go. One per process; shared by all loggers made from it. */
struct log_sink {
	int fd;                 /* borrowed, never closed here */
	enum log_level level;   /* what is less important is dropped */
	enum log_format format;
	pthread_mutex_t lock;   /* a line is written whole */
};

/* A logger: a sink and the name of the part that speaks. Copy it freely; both members are borrowed. */
struct log {
	struct log_sink *sink; /* NULL: silent */
	const char *name;      /* static text, "webhook" */
};

enum log_field_kind { LOG_KIND_END, LOG_KIND_STR, LOG_KIND_INT, LOG_KIND_REAL, LOG_KIND_BOOL, LOG_KIND_SECRET, LOG_KIND_URL };

struct log_field {
	const char *key;
	enum log_field_kind kind;
	union {
		const char *text;
		int64_t number;
		double real;
		bool flag;
	} v;
};

#define LOG_STR(k, value) ((struct log_field){ .key = (k), .kind = LOG_KIND_STR, .v.text = (value) })
#define LOG_INT(k, value) ((struct log_field){ .key = (k), .kind = LOG_KIND_INT, .v.number = (int64_t)(value) })
#define LOG_REAL(k, value) ((struct log_field){ .key = (k), .kind = LOG_KIND_REAL, .v.real = (value) })
#define LOG_BOOL(k, value) ((struct log_field){ .key = (k), .kind = LOG_KIND_BOOL, .v.flag = (value) })
/* Says only whether there is one: "set" or "empty". */
#define LOG_SECRET(k, value) ((struct log_field){ .key = (k), .kind = LOG_KIND_SECRET, .v.text = (value) })
/* The URL with user and password hidden (log_redact_url). */
#define LOG_URL(k, value) ((struct log_field){ .key = (k), .kind = LOG_KIND_URL, .v.text = (value) })
#define LOG_FIELDS_END ((struct log_field){ .key = NULL, .kind = LOG_KIND_END, .v.text = NULL })

/* fd stays the caller's. */
void log_sink_init(struct log_sink *sink, int fd, enum log_level level, enum log_format format);
void log_sink_free(struct log_sink *sink);

/* The same sink under another name. */
static inline struct log log_named(const struct log *log, const char *name)
{
	return (struct log){ .sink = log->sink, .name = name };
}

static inline bool log_enabled(const struct log *log, enum log_level level)
{
	return log != NULL && log->sink != NULL && level <= log->sink->level;
}

/* Writes one line. After `message` come struct log_field values, the last one LOG_FIELDS_END; use the macros below, which add
 * it. Any thread; a NULL log or sink is silent. errno is kept. */
void log_emit(enum log_level level, const struct log *log, const char *message, ...);

#define log_error(...) log_emit(LOG_LEVEL_ERROR, __VA_ARGS__, LOG_FIELDS_END)
#define log_warn(...) log_emit(LOG_LEVEL_WARN, __VA_ARGS__, LOG_FIELDS_END)
#define log_info(...) log_emit(LOG_LEVEL_INFO, __VA_ARGS__, LOG_FIELDS_END)
#define log_debug(...) log_emit(LOG_LEVEL_DEBUG, __VA_ARGS__, LOG_FIELDS_END)

/* "error", "warn", "info", "debug"; anything else is info and answers false. */
bool log_level_parse(const char *text, enum log_level *out);
const char *log_level_name(enum log_level level);

/* True for field names that hold secrets or message content: password, secret, token, api_key, authorization, cookie, qr,
 * pairing_code, body, text ... (any case; '-' and '_' are ignored). */
bool log_key_is_secret(const char *key);

/* Writes the URL with "user:password@" as "u***:***@" and the values of secret query parameters as "***". Returns buf. */
const char *log_redact_url(const char *url, char *buf, size_t cap);

#endif
