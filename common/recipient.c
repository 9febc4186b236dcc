/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From what callers write to addresses. */
#include "common/recipient.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"

enum { PHONE_DIGITS_MAX = 20, E164_DIGITS_MAX = 15, GROUP_DIGITS_MIN = 18, NEST_MAX = 8 };

static const char blanks[] = " \t\r\n";

static void trim(const char **text, size_t *len)
{
	while (*len > 0 && strchr(blanks, **text) != NULL && **text != '\0') {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && (*text)[*len - 1] != '\0' && strchr(blanks, (*text)[*len - 1]) != NULL)
		(*len)--;
}

/* The digits among text, at most cap - 1 of them; how many there are altogether. */
static size_t collect_digits(const char *text, size_t len, char *out, size_t cap)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			continue;
		if (count < cap - 1)
			out[count] = text[i];
		count++;
	}
	out[count < cap - 1 ? count : cap - 1] = '\0';
	return count;
}

int recipient_phone(const char *text, size_t len, const char *country_code, char *out, size_t cap)
{
	char digits[PHONE_DIGITS_MAX + 8];
	size_t count = collect_digits(text, len, digits, sizeof digits);
	const char *p = digits;
	const char *prefix = "";
	size_t n;

	if (count == 0)
		return RECIPIENT_NOTHING;
	if (count >= sizeof digits)
		return RECIPIENT_REFUSED;
	if (p[0] == '0' && p[1] == '0')
		p += 2;
	if (*p == '0') {
		prefix = country_code;
		p += strspn(p, "0");
	}
	n = strlen(prefix) + strlen(p);
	if (*p == '\0' || n > PHONE_DIGITS_MAX || n >= cap)
		return RECIPIENT_REFUSED;
	(void)snprintf(out, cap, "%s%s", prefix, p);
	return (int)n;
}

/* "digits-digits" longer than any phone number, or a modern group id. */
static bool looks_like_group(const char *text, size_t len)
{
	const char *dash = memchr(text, '-', len);
	size_t digits = 0;

	for (size_t i = 0; i < len; i++) {
		if (isdigit((unsigned char)text[i]))
			digits++;
		else if (text + i != dash)
			return false;
	}
	if (dash != NULL)
		return dash != text && dash != text + len - 1 && digits > E164_DIGITS_MAX;
	return digits >= GROUP_DIGITS_MIN && memcmp(text, "120363", 6) == 0;
}

static int resolve_address(struct jid *out, const char *text, size_t len)
{
	static const bool addressable[JID_SERVER_COUNT] = {
		[JID_SERVER_PN] = true,        [JID_SERVER_LEGACY] = true,    [JID_SERVER_LID] = true,
		[JID_SERVER_GROUP] = true,     [JID_SERVER_BROADCAST] = true, [JID_SERVER_NEWSLETTER] = true,
		[JID_SERVER_HOSTED] = true,    [JID_SERVER_HOSTED_LID] = true, [JID_SERVER_BOT] = true,
	};

	if (*text == '+') {
		text++;
		len--;
	}
	if (jid_parse(out, text, len) != 0 || !addressable[out->server] || out->user[0] == '\0') {
		memset(out, 0, sizeof *out);
		return RECIPIENT_REFUSED;
	}
	*out = jid_bare(out);
	return RECIPIENT_OK;
}

int recipient_resolve(struct jid *out, const char *text, size_t len, const char *country_code)
{
	char digits[PHONE_DIGITS_MAX + 1];
	int n;

	memset(out, 0, sizeof *out);
	trim(&text, &len);
	if (memchr(text, '@', len) != NULL)
		return resolve_address(out, text, len);
	if (looks_like_group(text, len))
		return recipient_group(out, text, len);
	n = recipient_phone(text, len, country_code, digits, sizeof digits);
	if (n < 0)
		return n;
	return jid_make(out, digits, (size_t)n, JID_SERVER_PN, 0) == 0 ? RECIPIENT_OK : RECIPIENT_REFUSED;
}

int recipient_group(struct jid *out, const char *text, size_t len)
{
	memset(out, 0, sizeof *out);
	trim(&text, &len);
	if (len == 0)
		return RECIPIENT_NOTHING;
	if (memchr(text, '@', len) == NULL)
		return jid_make(out, text, len, JID_SERVER_GROUP, 0) == 0 ? RECIPIENT_OK : RECIPIENT_REFUSED;
	if (jid_parse(out, text, len) == 0 && out->server == JID_SERVER_GROUP && out->user[0] != '\0') {
		*out = jid_bare(out);
		return RECIPIENT_OK;
	}
	memset(out, 0, sizeof *out);
	return RECIPIENT_REFUSED;
}

/* ---- lists ---- */

void recipient_list_init(struct recipient_list *list)
{
	memset(list, 0, sizeof *list);
}

void recipient_list_free(struct recipient_list *list)
{
	free(list->items);
	recipient_list_init(list);
}

static void note_error(struct recipient_list *list, int error)
{
	if (list->error == RECIPIENT_OK)
		list->error = error;
}

static void add_one(struct recipient_list *list, const char *text, size_t len, const char *country_code)
{
	struct jid jid;
	int rc = recipient_resolve(&jid, text, len, country_code);

	if (rc == RECIPIENT_REFUSED)
		note_error(list, rc);
	if (rc != RECIPIENT_OK)
		return;
	for (size_t i = 0; i < list->count; i++) {
		if (jid_equal(&list->items[i], &jid))
			return;
	}
	if (list->count == LIMIT_RECIPIENTS) {
		note_error(list, RECIPIENT_TOO_MANY);
		return;
	}
	list->items = xrealloc(list->items, (list->count + 1) * sizeof list->items[0]);
	list->items[list->count++] = jid;
}

static void add_value(struct recipient_list *list, struct json_object *value, const char *country_code, unsigned depth);

/* Text that is itself a JSON array, as form fields and query strings carry it. */
static bool add_json_text(struct recipient_list *list, const char *text, size_t len, const char *country_code, unsigned depth)
{
	struct json_tokener *tokener;
	struct json_object *array = NULL;

	trim(&text, &len);
	if (len == 0 || *text != '[' || len > LIMIT_RPC_FRAME_BYTES)
		return false;
	tokener = json_tokener_new_ex(NEST_MAX);
	if (tokener == NULL)
		return false;
	array = json_tokener_parse_ex(tokener, text, (int)len);
	json_tokener_free(tokener);
	if (!json_object_is_type(array, json_type_array)) {
		json_object_put(array);
		return false;
	}
	add_value(list, array, country_code, depth + 1);
	json_object_put(array);
	return true;
}

static void add_text(struct recipient_list *list, const char *text, size_t len, const char *country_code, unsigned depth)
{
	if (add_json_text(list, text, len, country_code, depth))
		return;
	while (len > 0) {
		size_t n = 0;

		while (n < len && text[n] != ',' && text[n] != ';' && text[n] != '\n')
			n++;
		if (n > 0)
			add_one(list, text, n, country_code);
		n += n < len;
		text += n;
		len -= n;
	}
}

static void add_value(struct recipient_list *list, struct json_object *value, const char *country_code, unsigned depth)
{
	const char *text;

	if (depth > NEST_MAX) {
		note_error(list, RECIPIENT_TOO_MANY);
		return;
	}
	switch (json_object_get_type(value)) {
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(value); i++)
			add_value(list, json_object_array_get_idx(value, i), country_code, depth + 1);
		break;
	case json_type_int:
		text = json_object_get_string(value);
		add_one(list, text, strlen(text), country_code);
		break;
	case json_type_string:
		add_text(list, json_object_get_string(value), (size_t)json_object_get_string_len(value), country_code, depth);
		break;
	default:
		break; /* objects, booleans, null: no digits of a number */
	}
}

int recipient_list_read(struct recipient_list *list, struct json_object *value, const char *country_code)
{
	recipient_list_free(list);
	add_value(list, value, country_code, 0);
	if (list->error != RECIPIENT_OK)
		return list->error;
	return list->count > 0 ? RECIPIENT_OK : RECIPIENT_NOTHING;
}
