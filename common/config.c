/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loading, checking and showing the configuration. */
#include "common/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config_check.h"
#include "common/envfile.h"
#include "common/limits.h"
#include "common/mem.h"

#ifndef DEFAULT_ENV_FILE
#define DEFAULT_ENV_FILE "/etc/warest/warest.env"
#endif
#ifndef DEFAULT_STATE_DIR
#define DEFAULT_STATE_DIR "/var/lib/warest"
#endif
#ifndef DEFAULT_SOCKET
#define DEFAULT_SOCKET "/run/warest/sessiond.sock"
#endif
#ifndef DEFAULT_SPOOL_DIR
#define DEFAULT_SPOOL_DIR "/var/spool/warest"
#endif

enum kind { KIND_SECTION, KIND_INT, KIND_REAL, KIND_BOOL, KIND_TEXT, KIND_LIST, KIND_CHOICE };
enum flag { SECRET = 1, CLAMP = 2, NO_EFFECT = 4, PATH = 8 };
enum { VALUE_SHOWN_MAX = 60 };

struct row {
	enum kind kind;
	const char *name;    /* of a section: its title */
	const char *aliases; /* separated by blanks */
	const char *fallback;
	const char *choices;
	const char *help;
	size_t offset;
	double least;
	double most;
	enum config_check check;
	unsigned flags;
};

static const struct row rows[] = {
#define SECTION(title_) { .kind = KIND_SECTION, .name = (title_) },
#define COMMON_PART(kind_, member_, name_, aliases_, value_, flags_, help_) \
	.kind = (kind_), .name = (name_), .aliases = (aliases_), .fallback = (value_), .flags = (flags_), .help = (help_), \
	.offset = offsetof(struct config, member_)
#define INT(member, name_, aliases_, value, least_, most_, flags_, help_) \
	{ COMMON_PART(KIND_INT, member, name_, aliases_, value, flags_, help_), .least = (double)(least_), .most = (double)(most_) },
#define REAL(member, name_, aliases_, value, least_, most_, flags_, help_) \
	{ COMMON_PART(KIND_REAL, member, name_, aliases_, value, flags_, help_), .least = (least_), .most = (most_) },
#define BOOL(member, name_, aliases_, value, flags_, help_) { COMMON_PART(KIND_BOOL, member, name_, aliases_, value, flags_, help_) },
#define TEXT(member, name_, aliases_, value, check_, flags_, help_) \
	{ COMMON_PART(KIND_TEXT, member, name_, aliases_, value, flags_, help_), .check = CHECK_##check_ },
#define LIST(member, name_, aliases_, value, check_, flags_, help_) \
	{ COMMON_PART(KIND_LIST, member, name_, aliases_, value, flags_, help_), .check = CHECK_##check_ },
#define CHOICE(member, name_, aliases_, value, choices_, flags_, help_) \
	{ COMMON_PART(KIND_CHOICE, member, name_, aliases_, value, flags_, help_), .choices = (choices_) },
#include "common/settings.def.h"
#undef SECTION
#undef INT
#undef REAL
#undef BOOL
#undef TEXT
#undef LIST
#undef CHOICE
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

/* A name and value that somebody gave. */
struct given {
	char *name;  /* owned */
	char *value; /* owned, trimmed */
};

struct loader {
	struct config *config;
	struct config_report *report;
	struct given *file; /* owned; later lines win */
	size_t file_count;
	char *const *environment;
};

static void *member_of(const struct config *config, const struct row *row)
{
	return (char *)(uintptr_t)config + row->offset;
}

__attribute__((format(printf, 3, 4))) static void report_line(struct buf *lines, size_t *count, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	buf_printf(lines, "%s\n", text);
	(*count)++;
}

#define problem(loader, ...) report_line(&(loader)->report->problems, &(loader)->report->problem_count, __VA_ARGS__)
#define warning(loader, ...) report_line(&(loader)->report->warnings, &(loader)->report->warning_count, __VA_ARGS__)

/* The value as it may be shown in a message: not at all if secret, cut if long, no control characters. */
static const char *shown(const struct row *row, const char *value, char *buf, size_t cap)
{
	size_t n = 0;

	if ((row->flags & SECRET) != 0)
		return "(hidden)";
	while (n < VALUE_SHOWN_MAX && n < cap - 1 && value[n] != '\0') {
		buf[n] = iscntrl((unsigned char)value[n]) ? ' ' : value[n];
		n++;
	}
	buf[n] = '\0';
	return buf;
}

static void refuse(struct loader *loader, const struct row *row, const char *value, const char *expected)
{
	char buf[VALUE_SHOWN_MAX + 4];

	problem(loader, "%s: %s, not %s", row->name, expected, shown(row, value, buf, sizeof buf));
}

/* ---- where values come from ---- */

static char *trimmed(const char *text)
{
	size_t n = strlen(text);

	while (isspace((unsigned char)*text)) {
		text++;
		n--;
	}
	while (n > 0 && isspace((unsigned char)text[n - 1]))
		n--;
	return xstrndup(text, n);
}

static void remember(void *arg, const char *name, const char *value, size_t line)
{
	struct loader *loader = arg;

	(void)line;
	loader->file = xrealloc(loader->file, (loader->file_count + 1) * sizeof loader->file[0]);
	loader->file[loader->file_count++] = (struct given){ .name = xstrdup(name), .value = trimmed(value) };
}

static const char *from_environment(const struct loader *loader, const char *name, size_t len)
{
	for (char *const *p = loader->environment; p != NULL && *p != NULL; p++) {
		if (strncmp(*p, name, len) == 0 && (*p)[len] == '=')
			return *p + len + 1;
	}
	return NULL;
}

/* The value of this very name as a new text, or NULL if it is nowhere or empty. */
static char *find_name(const struct loader *loader, const char *name, size_t len)
{
	const char *value = from_environment(loader, name, len);
	char *copy;

	for (size_t i = loader->file_count; i-- > 0 && value == NULL;) {
		if (strlen(loader->file[i].name) == len && memcmp(loader->file[i].name, name, len) == 0)
			value = loader->file[i].value;
	}
	if (value == NULL)
		return NULL;
	copy = trimmed(value);
	if (*copy != '\0')
		return copy;
	free(copy);
	return NULL;
}

static char *find_value(const struct loader *loader, const struct row *row)
{
	char *value = find_name(loader, row->name, strlen(row->name));
	const char *alias = row->aliases;

	while (value == NULL && *alias != '\0') {
		size_t n = strcspn(alias, " ");
		value = find_name(loader, alias, n);
		alias += n + strspn(alias + n, " ");
	}
	return value;
}

/* ---- one reader per kind ---- */

bool config_parse_bool(const char *text, bool *out)
{
	static const char *const yes[] = { "1", "true", "yes", "y", "on" };
	static const char *const no[] = { "0", "false", "no", "n", "off" };
	size_t n;

	text += strspn(text, " \t\r\n");
	n = strcspn(text, " \t\r\n");
	if (text[n + strspn(text + n, " \t\r\n")] != '\0')
		return false;
	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
		if (strlen(yes[i]) == n && strncasecmp(text, yes[i], n) == 0) {
			*out = true;
			return true;
		}
		if (strlen(no[i]) == n && strncasecmp(text, no[i], n) == 0) {
			*out = false;
			return true;
		}
	}
	return false;
}

/* A decimal number within the row's bounds; moved to the bound if the row says so. */
static bool read_number(struct loader *loader, const struct row *row, const char *value, bool whole, double *out)
{
	char expected[96];
	char *end = NULL;
	double number;

	(void)snprintf(expected, sizeof expected, "must be a%s number between %.15g and %.15g", whole ? " whole" : "", row->least,
		row->most);
	number = strtod(value, &end);
	if (end == value || *end != '\0' || strspn(value, "0123456789+-.eE") != strlen(value) || !isfinite(number) ||
		(whole && floor(number) != number)) {
		refuse(loader, row, value, expected);
		return false;
	}
	if (number < row->least || number > row->most) {
		if ((row->flags & CLAMP) == 0) {
			refuse(loader, row, value, expected);
			return false;
		}
		number = number < row->least ? row->least : row->most;
		warning(loader, "%s: %s is out of range, %.15g is used", row->name, value, number);
	}
	*out = number;
	return true;
}

static void read_int(struct loader *loader, const struct row *row, const char *value)
{
	double number;

	if (read_number(loader, row, value, true, &number))
		*(int64_t *)member_of(loader->config, row) = (int64_t)number;
}

static void read_real(struct loader *loader, const struct row *row, const char *value)
{
	double number;

	if (read_number(loader, row, value, false, &number))
		*(double *)member_of(loader->config, row) = number;
}

static void read_bool(struct loader *loader, const struct row *row, const char *value)
{
	if (!config_parse_bool(value, member_of(loader->config, row)))
		refuse(loader, row, value, "must be true or false");
}

static void set_text(char **member, const char *value)
{
	free(*member);
	*member = xstrdup(value);
}

static void read_text(struct loader *loader, const struct row *row, const char *value)
{
	const char *expected = config_check(row->check, value);

	if (expected != NULL)
		refuse(loader, row, value, expected);
	else
		set_text(member_of(loader->config, row), value);
}

static void list_free(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct config_list){ .items = NULL, .count = 0 };
}

static void read_list(struct loader *loader, const struct row *row, const char *value)
{
	struct config_list *list = member_of(loader->config, row);

	list_free(list);
	while (*value != '\0') {
		size_t n = strcspn(value, ",\n");
		char *piece = xstrndup(value, n);
		char *item = trimmed(piece);
		const char *expected = config_check(row->check, item);

		free(piece);
		if (expected != NULL)
			refuse(loader, row, item, expected);
		if (*item == '\0' || expected != NULL) {
			free(item);
		} else {
			list->items = xrealloc(list->items, (list->count + 1) * sizeof list->items[0]);
			list->items[list->count++] = item;
		}
		value += n + (value[n] != '\0');
	}
}

static void read_choice(struct loader *loader, const struct row *row, const char *value)
{
	char expected[192];
	int index = 0;

	for (const char *p = row->choices; *p != '\0';) {
		size_t n = strcspn(p, ",|");

		if (strlen(value) == n && strncasecmp(p, value, n) == 0) {
			*(int *)member_of(loader->config, row) = index;
			return;
		}
		if (p[n] == '|')
			index++;
		p += n + (p[n] != '\0');
	}
	(void)snprintf(expected, sizeof expected, "must be one of %s", row->choices);
	for (char *p = expected; *p != '\0'; p++) {
		if (*p == '|')
			*p = ' ';
	}
	refuse(loader, row, value, expected);
}

typedef void read_fn(struct loader *loader, const struct row *row, const char *value);

static read_fn *const readers[] = {
	[KIND_INT] = read_int,
	[KIND_REAL] = read_real,
	[KIND_BOOL] = read_bool,
	[KIND_TEXT] = read_text,
	[KIND_LIST] = read_list,
	[KIND_CHOICE] = read_choice,
};

static void load_row(struct loader *loader, size_t index)
{
	const struct row *row = &rows[index];
	char *value;

	if (row->kind == KIND_SECTION)
		return;
	value = find_value(loader, row);
	loader->config->set[index] = value != NULL;
	readers[row->kind](loader, row, row->fallback);
	if (value == NULL)
		return;
	readers[row->kind](loader, row, value);
	if ((row->flags & NO_EFFECT) != 0)
		warning(loader, "%s: has no effect here (%s)", row->name, row->help);
	free(value);
}

/* ---- what depends on several settings ---- */

static bool name_is_known(const char *name, size_t len)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (rows[i].kind == KIND_SECTION)
			continue;
		if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
			return true;
		for (const char *a = rows[i].aliases; *a != '\0';) {
			size_t n = strcspn(a, " ");
			if (n == len && memcmp(a, name, len) == 0)
				return true;
			a += n + strspn(a + n, " ");
		}
	}
	return len == strlen("WAREST_ENV_FILE") && memcmp(name, "WAREST_ENV_FILE", len) == 0;
}

static void warn_unknown(struct loader *loader, const char *name, size_t len)
{
	if (len > 7 && memcmp(name, "WAREST_", 7) == 0 && !name_is_known(name, len))
		warning(loader, "%.*s: there is no such setting", (int)(len < 100 ? len : 100), name);
}

static void warn_about_names(struct loader *loader)
{
	for (size_t i = 0; i < loader->file_count; i++)
		warn_unknown(loader, loader->file[i].name, strlen(loader->file[i].name));
	for (char *const *p = loader->environment; p != NULL && *p != NULL; p++)
		warn_unknown(loader, *p, strcspn(*p, "="));
}

static void make_absolute(const struct config *config, char **path)
{
	char *joined;

	if (**path == '\0' || **path == '/')
		return;
	joined = xasprintf("%s/%s", config->state_dir, *path);
	free(*path);
	*path = joined;
}

static void derive_database(struct loader *loader)
{
	struct config *c = loader->config;

	/* The original's README promises that the URL alone selects PostgreSQL. */
	if (*c->db_url != '\0' && !config_is_set(c, "WAREST_DB_CLIENT"))
		c->db_client = CONFIG_DB_POSTGRES;
	if (c->db_client != CONFIG_DB_SQLITE)
		problem(loader, "WAREST_DB_CLIENT: this release has only the sqlite driver");
	if (c->db_port == 0)
		c->db_port = c->db_client == CONFIG_DB_POSTGRES ? 5432 : 3306;
	if (c->db_ssl && !config_is_set(c, "WAREST_DB_SSLMODE"))
		c->db_sslmode = CONFIG_SSL_VERIFY_FULL;
}

static void derive_proxies(struct config *c)
{
	if (!config_is_set(c, "WAREST_PROXY_STRATEGY"))
		c->proxy_strategy = c->proxy_urls.count > 1 ? CONFIG_PROXY_ROUND_ROBIN : CONFIG_PROXY_FAILOVER;
	if (c->proxy_rotate_after == 0)
		c->proxy_rotate_after = c->proxy_urls.count > 1 ? 2 : 1;
}

static void derive_rest(struct loader *loader)
{
	struct config *c = loader->config;

	if (*c->base_url == '\0') {
		free(c->base_url);
		c->base_url = xasprintf("http://localhost:%lld", (long long)c->port);
	}
	if (c->storage_driver == CONFIG_STORAGE_S3 && *c->s3_bucket == '\0')
		problem(loader, "WAREST_STORAGE_S3_BUCKET: the name of a bucket is needed for WAREST_STORAGE_DRIVER=s3");
	if (c->caching_driver != 0)
		problem(loader, "WAREST_CACHING_DRIVER: only local; the daemon holds this data itself and needs no cache server");
	if ((*c->admin_username == '\0') != (*c->admin_password == '\0'))
		problem(loader, "WAREST_AUTHADMIN_USERNAME and WAREST_AUTHADMIN_PASSWORD: set both or none");
	if (*c->webhook_default_url != '\0' && *c->webhook_default_secret == '\0')
		warning(loader, "WEBHOOK_DEFAULT_URL: is not used because WEBHOOK_DEFAULT_SECRET is empty");
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (rows[i].kind == KIND_TEXT && (rows[i].flags & PATH) != 0)
			make_absolute(c, member_of(c, &rows[i]));
	}
}

/* ---- the env file ---- */

static bool read_whole_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	if (fd < 0)
		return false;
	while (n > 0 && out->len <= LIMIT_ENV_FILE_BYTES) {
		n = read(fd, buf_reserve(out, 4096), 4096);
		if (n > 0)
			buf_commit(out, (size_t)n);
	}
	if (out->len > LIMIT_ENV_FILE_BYTES) {
		errno = EFBIG;
		n = -1;
	}
	(void)close(fd);
	return n == 0;
}

static const char *choose_file(const struct loader *loader, const struct config_source *source)
{
	const char *path = source->env_file;

	if (path == NULL)
		path = from_environment(loader, "WAREST_ENV_FILE", strlen("WAREST_ENV_FILE"));
	if (path != NULL && *path != '\0')
		return path;
	return access(DEFAULT_ENV_FILE, F_OK) == 0 ? DEFAULT_ENV_FILE : NULL;
}

static void load_file(struct loader *loader, const char *path)
{
	struct envfile_error error;
	struct buf text;

	buf_init(&text);
	loader->config->env_file = xstrdup(path);
	if (!read_whole_file(path, &text))
		problem(loader, "%s: cannot be read: %s", path, strerror(errno));
	else if (envfile_parse((const char *)text.data, text.len, remember, loader, &error) != 0)
		problem(loader, "%s:%zu: %s", path, error.line, error.message);
	buf_wipe(&text);
}

static void wipe_text(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

int config_load(struct config **out, const struct config_source *source, struct config_report *report)
{
	struct loader loader = { .report = report, .environment = source->environment };
	const char *path;

	loader.config = xcalloc(1, sizeof *loader.config);
	loader.config->set = xcalloc(ROW_COUNT, sizeof loader.config->set[0]);
	path = choose_file(&loader, source);
	if (path != NULL)
		load_file(&loader, path);
	for (size_t i = 0; i < ROW_COUNT; i++)
		load_row(&loader, i);
	warn_about_names(&loader);
	derive_database(&loader);
	derive_proxies(loader.config);
	derive_rest(&loader);
	for (size_t i = 0; i < loader.file_count; i++) {
		free(loader.file[i].name);
		wipe_text(loader.file[i].value);
	}
	free(loader.file);
	if (report->problem_count > 0) {
		config_free(loader.config);
		loader.config = NULL;
	}
	*out = loader.config;
	return loader.config == NULL ? -1 : 0;
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		void *member = member_of(config, &rows[i]);

		if (rows[i].kind == KIND_TEXT)
			wipe_text(*(char **)member);
		else if (rows[i].kind == KIND_LIST)
			list_free(member);
	}
	free(config->set);
	free(config->env_file);
	free(config);
}

bool config_is_set(const struct config *config, const char *name)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (rows[i].kind != KIND_SECTION && strcmp(rows[i].name, name) == 0)
			return config->set[i];
	}
	return false;
}

void config_report_init(struct config_report *report)
{
	memset(report, 0, sizeof *report);
}

void config_report_free(struct config_report *report)
{
	buf_free(&report->problems);
	buf_free(&report->warnings);
	config_report_init(report);
}

/* ---- showing it ---- */

static void print_list(const struct config_list *list, bool secret, struct buf *out)
{
	char redacted[512];

	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			buf_append_text(out, ",");
		buf_append_text(out, secret ? log_redact_url(list->items[i], redacted, sizeof redacted) : list->items[i]);
	}
}

static void print_choice(const struct row *row, int index, struct buf *out)
{
	const char *p = row->choices;

	for (; index > 0 && *p != '\0'; p++) {
		if (*p == '|')
			index--;
	}
	buf_append(out, p, strcspn(p, ",|"));
}

static void print_value(const struct config *config, const struct row *row, struct buf *out)
{
	const void *member = member_of(config, row);
	const char *text;

	switch (row->kind) {
	case KIND_INT:
		buf_printf(out, "%lld", (long long)*(const int64_t *)member);
		break;
	case KIND_REAL:
		buf_printf(out, "%g", *(const double *)member);
		break;
	case KIND_BOOL:
		buf_append_text(out, *(const bool *)member ? "true" : "false");
		break;
	case KIND_LIST:
		print_list(member, (row->flags & SECRET) != 0, out);
		break;
	case KIND_CHOICE:
		print_choice(row, *(const int *)member, out);
		break;
	default:
		text = *(char *const *)member;
		buf_append_text(out, (row->flags & SECRET) != 0 && *text != '\0' ? "(set)" : text);
	}
}

void config_print(const struct config *config, struct buf *out)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (rows[i].kind == KIND_SECTION)
			continue;
		buf_printf(out, "%s=", rows[i].name);
		print_value(config, &rows[i], out);
		buf_append_text(out, "\n");
	}
}

void config_sample(struct buf *out)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		const struct row *row = &rows[i];

		if (row->kind == KIND_SECTION) {
			buf_printf(out, "\n# ---- %s ----\n", row->name);
			continue;
		}
		buf_printf(out, "\n# %s", row->help);
		if (row->kind == KIND_CHOICE) {
			buf_append_text(out, " (");
			for (const char *p = row->choices; *p != '\0'; p++)
				buf_append_text(out, *p == '|' || *p == ',' ? ", " : (char[]){ *p, '\0' });
			buf_append_text(out, ")");
		}
		if (*row->aliases != '\0')
			buf_printf(out, " [also: %s]", row->aliases);
		buf_printf(out, "\n#%s=%s\n", row->name, row->fallback);
	}
}

void config_log(const struct config *config, const struct config_report *report, const struct log *log)
{
	const char *line = (const char *)report->warnings.data;
	size_t left = report->warnings.len;
	char text[512];

	while (left > 0) {
		const char *end = memchr(line, '\n', left);
		size_t n = end == NULL ? left : (size_t)(end - line);

		(void)snprintf(text, sizeof text, "%.*s", (int)(n < sizeof text ? n : sizeof text - 1), line);
		log_warn(log, "setting", LOG_STR("note", text));
		line += n + 1;
		left -= n < left ? n + 1 : n;
	}
	for (size_t i = 0; i < ROW_COUNT; i++) {
		bool fallback = false;
		bool value;

		if (rows[i].kind != KIND_BOOL || strncmp(rows[i].name, "WAREST_COMPAT_", 14) != 0)
			continue;
		value = *(const bool *)member_of(config, &rows[i]);
		(void)config_parse_bool(rows[i].fallback, &fallback);
		if (value != fallback)
			log_info(log, "compatibility switch", LOG_STR("name", rows[i].name), LOG_BOOL("value", value));
	}
}
