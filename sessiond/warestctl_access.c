/* SPDX-License-Identifier: GPL-3.0-or-later */
/* warestctl: keys, users, audit log. */
#include "sessiond/warestctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/timefmt.h"

/* ---- keys ---- */

/* "a,b" as an array; text NULL: no member. */
static struct json_object *with_list(struct json_object *p, const char *name, const char *text)
{
	struct json_object *list;

	if (!text)
		return p;
	list = json_object_new_array();
	for (size_t len; *text; text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		if (len > 0)
			json_object_array_add(list, json_object_new_string_len(text, (int)len));
	}
	json_object_object_add(p, name, list);
	return p;
}

/* "30d", "12h" from now on, or ISO 8601. */
static bool read_end(const char *text, int64_t *at_ms)
{
	char *unit = NULL;
	long long n = strtoll(text, &unit, 10);
	int64_t unit_ms = *unit == 'd' ? 24 * 3600000 : *unit == 'h' ? 3600000 : 0;

	if (n > 0 && n < 100000 && unit_ms > 0 && unit[1] == '\0') {
		*at_ms = timefmt_now_ms() + n * unit_ms;
		return true;
	}
	return timefmt_parse(text, at_ms);
}

int key_create(struct ctl *ctl)
{
	struct json_object *p = with_text(with_text(NULL, "username", ctl->args[0]), "label", ctl->count > 1 ? ctl->args[1] : NULL);
	int64_t end_ms;

	with_list(p, "scopes", ctl->scopes);
	with_list(p, "sessions", ctl->sessions);
	with_list(p, "networks", ctl->networks);
	if (ctl->expires && !read_end(ctl->expires, &end_ms)) {
		fputs("warestctl: --expires takes 30d, 12h, or a date\n", stderr);
		json_object_put(p);
		return STATUS_USAGE;
	}
	if (ctl->expires)
		json_object_object_add(p, "expiresAt", json_object_new_int64(end_ms));
	return ask(ctl, "ctl.key.create", p, show_members);
}

static void show_keys(struct json_object *list)
{
	printf("%-8s %-20s %-8s %-24s%-24s%-24s%-24s%s\n", "NUMBER", "USER", "KIND", "CREATED (UTC)", "USED (UTC)", "EXPIRES (UTC)", "MAY", "LABEL");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *k = json_object_array_get_idx(list, i);

		printf("%-8s %-20s %-8s ", member(k, "number"), member(k, "username"), member(k, "kind"));
		show_time(k, "created");
		show_time(k, "used");
		show_time(k, "expires");
		printf("%-23s %s\n", member(k, "may"), member(k, "label"));
	}
}

int key_list(struct ctl *ctl)
{
	return ask(ctl, "ctl.key.list", with_text(NULL, "username", ctl->count > 0 ? ctl->args[0] : NULL), show_keys);
}

int key_rotate(struct ctl *ctl)
{
	struct json_object *p = with_number(NULL, "number", ctl->args[0]);

	return ask(ctl, "ctl.key.rotate", ctl->grace ? with_number(p, "graceSeconds", ctl->grace) : p, show_members);
}

int key_revoke(struct ctl *ctl)
{
	return ask(ctl, "ctl.key.revoke", with_number(NULL, "number", ctl->args[0]), NULL);
}

/* ---- users ---- */

static int with_password(struct ctl *ctl, const char *method)
{
	char password[1100];

	if (!fgets(password, sizeof password, stdin)) {
		fputs("warestctl: the password is read from standard input\n", stderr);
		return STATUS_USAGE;
	}
	password[strcspn(password, "\r\n")] = '\0';
	return ask(ctl, method, with_text(with_text(NULL, "username", ctl->args[0]), "password", password), NULL);
}

int user_add(struct ctl *ctl)
{
	return with_password(ctl, "ctl.user.add");
}

int user_password(struct ctl *ctl)
{
	return with_password(ctl, "ctl.user.change");
}

static void show_users(struct json_object *result)
{
	struct json_object *list = json_object_object_get(result, "items");

	printf("%-24s %-6s %-9s %-9s %-24s%s\n", "USER", "ROLE", "DISABLED", "SESSIONS", "CREATED (UTC)", "LOGGED IN (UTC)");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *u = json_object_array_get_idx(list, i);

		printf("%-24s %-6s %-9s %-9s ", member(u, "username"), member(u, "role"), member(u, "disabled"), member(u, "sessions"));
		show_time(u, "createdAt");
		show_time(u, "lastLoginAt");
		puts("");
	}
}

int user_list(struct ctl *ctl)
{
	return ask(ctl, "ctl.user.list", NULL, show_users);
}

int user_role(struct ctl *ctl)
{
	if (strcmp(ctl->args[1], "admin") != 0 && strcmp(ctl->args[1], "user") != 0) {
		fputs("warestctl: a role is admin or user\n", stderr);
		return STATUS_USAGE;
	}
	return ask(ctl, "ctl.user.change", with_text(with_text(NULL, "username", ctl->args[0]), "role", ctl->args[1]), NULL);
}

static int set_disabled(struct ctl *ctl, bool disabled)
{
	struct json_object *p = with_text(NULL, "username", ctl->args[0]);

	json_object_object_add(p, "disabled", json_object_new_boolean(disabled));
	return ask(ctl, "ctl.user.change", p, NULL);
}

int user_disable(struct ctl *ctl)
{
	return set_disabled(ctl, true);
}

int user_enable(struct ctl *ctl)
{
	return set_disabled(ctl, false);
}

int user_delete(struct ctl *ctl)
{
	return ask(ctl, "ctl.user.delete", with_text(with_text(NULL, "username", ctl->args[0]), "sessions", ctl->force ? "delete" : "refuse"), NULL);
}

/* ---- audit log ---- */

static void show_audit(struct json_object *result)
{
	struct json_object *list = json_object_object_get(result, "items");

	printf("%-24s%-20s %-6s %-24s %-26s %-8s %s\n", "TIME (UTC)", "WHO", "KEY", "FROM", "ACTION", "OUTCOME", "TARGET");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *e = json_object_array_get_idx(list, i);

		show_time(e, "time");
		printf("%-20s %-6s %-24s %-26s %-8s %s\n", member(e, "username"), member(e, "keyId"), member(e, "address"), member(e, "action"), member(e, "outcome"),
			member(e, "target"));
	}
}

int audit_list(struct ctl *ctl)
{
	return ask(ctl, "ctl.audit.list", with_text(NULL, "action", ctl->count > 0 ? ctl->args[0] : NULL), show_audit);
}
