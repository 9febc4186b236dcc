/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What warest.fcgi takes from the configuration, read once at start and never changed. */
#ifndef FCGI_SETTINGS_H
#define FCGI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address_range {
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
	unsigned bits;
};

struct address_list {
	struct address_range *ranges; /* owned */
	size_t count;
};

struct settings {
	const char *socket;        /* of the daemon; borrowed from the configuration */
	const char *spool_dir;     /* for uploads */
	const char *sendfile_dir;  /* for kept.h; empty: none */
	struct timezone_rules *zone; /* owned: of dates in answers */
	const char *locale;        /* shown by ping, dates are always English */
	const char *country_code;  /* digits that replace a leading 0 of a phone number */
	unsigned port;
	char **origins;            /* owned: allowed CORS origins; ends with NULL */
	bool all_origins;
	char *storage_path;        /* owned: where public files are asked for, "/storages" */
	char *signed_path;         /* owned: where signed addresses lead, "/storage/private" */
	bool production;           /* cookies only over https */
	bool query_key;            /* C3: api_key in the query counts */
	size_t json_limit;         /* body of messages/send/... */
	uint64_t upload_limit;     /* body of the upload routes */
	uint64_t media_limit, file_limit; /* one file of them */
	struct address_list proxies; /* whose X-Forwarded-* headers are believed */
	struct address_list metrics; /* from where /metrics needs no key */
	unsigned threads;
	int64_t stream_life_ms;    /* of a live view's connection */
	int64_t stream_beat_ms;    /* a sign of life after so long without events */
	int64_t timeout_ms;        /* how long an ordinary request waits for the daemon */
};

struct config;

/* 0, or -1 with *error (freed by the caller) saying which setting is wrong. The settings borrow texts from the configuration. */
int settings_init(struct settings *s, const struct config *config, char **error);
void settings_free(struct settings *s);
/* True if this address (text form) belongs to a trusted proxy. */
bool settings_trusts(const struct settings *s, const char *address);
/* True if this address may read /metrics without a key. */
bool settings_metrics_allowed(const struct settings *s, const char *address);

#endif
