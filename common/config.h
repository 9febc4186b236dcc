/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration of both programs: the settings of settings.def.h, out of the environment and an env file.
 *
 *     environment  >  env file  >  default          for each name; a setting's own name before its aliases
 *
 * Bad values are refused, all at once, with one line each that names the setting and what it should be.
 */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/log.h"

struct config_list {
	char **items; /* owned texts, never NULL items */
	size_t count;
};

/* Values of the CHOICE settings, in the order of the table. */
enum config_history { HISTORY_SETTING_OFF, HISTORY_SETTING_RECENT, HISTORY_SETTING_FULL };
enum config_db_client { CONFIG_DB_SQLITE, CONFIG_DB_MYSQL, CONFIG_DB_POSTGRES };
enum config_sslmode { CONFIG_SSL_DISABLE, CONFIG_SSL_REQUIRE, CONFIG_SSL_VERIFY_CA, CONFIG_SSL_VERIFY_FULL };
enum config_sha2 { CONFIG_SHA256, CONFIG_SHA224, CONFIG_SHA384, CONFIG_SHA512 };
enum config_storage { CONFIG_STORAGE_LOCAL, CONFIG_STORAGE_S3 };
enum config_visibility { CONFIG_PUBLIC, CONFIG_PRIVATE };
enum config_proxy_strategy { CONFIG_PROXY_FAILOVER, CONFIG_PROXY_ROUND_ROBIN, CONFIG_PROXY_RANDOM };

struct config {
#define SECTION(title)
#define INT(member, name, aliases, value, least, most, flags, help) int64_t member;
#define REAL(member, name, aliases, value, least, most, flags, help) double member;
#define BOOL(member, name, aliases, value, flags, help) bool member;
#define TEXT(member, name, aliases, value, check, flags, help) char *member; /* owned, never NULL */
#define LIST(member, name, aliases, value, check, flags, help) struct config_list member;
#define CHOICE(member, name, aliases, value, choices, flags, help) int member;
#include "common/settings.def.h"
#undef SECTION
#undef INT
#undef REAL
#undef BOOL
#undef TEXT
#undef LIST
#undef CHOICE
	bool *set;      /* owned; per row of the table: given by somebody, not the default */
	char *env_file; /* owned; the file that was read, NULL if none */
};

struct config_source {
	const char *env_file;    /* NULL: $WAREST_ENV_FILE, else the built-in place if it exists there */
	char *const *environment; /* "NAME=value" texts, NULL-terminated; NULL: none */
};

struct config_report {
	struct buf problems; /* lines, each ends with a newline */
	size_t problem_count;
	struct buf warnings; /* likewise: unknown names, settings without effect */
	size_t warning_count;
};

void config_report_init(struct config_report *report);
void config_report_free(struct config_report *report);

/* Reads everything. 0 and *out (free with config_free), or -1 and the report says why. Warnings come with both.
 * No value of a secret setting is ever in the report. Any thread. */
int config_load(struct config **out, const struct config_source *source, struct config_report *report);
void config_free(struct config *config);

/* True if somebody set this (by name or alias), so that it is not merely the default. */
bool config_is_set(const struct config *config, const char *name);

/* Appends every setting as NAME=value lines, secrets as "(set)" or empty: for --check-config. */
void config_print(const struct config *config, struct buf *out);

/* Appends an env file with every setting, its help and default, commented out: etc/warest.env. */
void config_sample(struct buf *out);

/* At start: the compatibility switches that are not at their default, and the warnings of the report. */
void config_log(const struct config *config, const struct config_report *report, const struct log *log);

/* "1 true yes y on" and "0 false no n off", any case, blanks around. False when it is neither. */
bool config_parse_bool(const char *text, bool *out);

#endif
