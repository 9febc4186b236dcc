/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labels, quick replies and settings of the account. */
#include "sessiond/session/shared.h"

#include <stdlib.h>
#include <string.h>

#include "sessiond/json_text.h"

#define NAME_MAX_BYTES 512U

/* ---- taking ---- */

struct keeper {
	const char *action;
	int kind;
	const char *setting; /* name of a setting */
	void (*name)(const struct wa_action *a, struct buf *out);
	void (*value)(const struct wa_action *a, struct buf *out);
	bool gone_when_on;  /* deleted quick replies */
};

static void name_of_id(const struct wa_action *a, struct buf *out)
{
	buf_append_text(out, a->id);
}

static void put_quick_reply(const struct wa_action *a, struct buf *out)
{
	json_put_member(out, "quickReplyId", a->id);
	json_put_member(out, "shortcut", a->text ? a->text : "");
	json_put_member(out, "message", a->text2 ? a->text2 : "");
	json_put_int(out, "time", a->time_ms / 1000);
}

static void put_bool(const struct wa_action *a, struct buf *out)
{
	buf_append_text(out, a->on ? "true" : "false");
}

static void put_text(const struct wa_action *a, struct buf *out)
{
	json_put_string(out, a->text);
}

void shared_put_lines(struct buf *out, const char *text)
{
	const char *lines = text ? text : "";

	buf_u8(out, '[');
	while (*lines) {
		size_t n = strcspn(lines, "\n");

		json_put_span(out, span_of(lines, n));
		lines += n + (lines[n] == '\n');
		if (*lines)
			buf_u8(out, ',');
	}
	buf_u8(out, ']');
}

static void put_lines(const struct wa_action *a, struct buf *out)
{
	shared_put_lines(out, a->text);
}

static void put_number(const struct wa_action *a, struct buf *out)
{
	buf_printf(out, "%lld", (long long)a->number);
}

static const struct keeper keepers[] = {
	{ "quick_reply", RECORD_QUICK_REPLY, NULL, name_of_id, put_quick_reply, .gone_when_on = true },
	{ "setting_pushName", RECORD_SHARED_SETTING, "pushName", NULL, put_text, false },
	{ "setting_locale", RECORD_SHARED_SETTING, "locale", NULL, put_text, false },
	{ "setting_unarchiveChats", RECORD_SHARED_SETTING, "unarchiveChats", NULL, put_bool, false },
	{ "setting_disableLinkPreviews", RECORD_SHARED_SETTING, "disableLinkPreviews", NULL, put_bool, false },
	{ "setting_relayAllCalls", RECORD_SHARED_SETTING, "relayAllCalls", NULL, put_bool, false },
	{ "time_format", RECORD_SHARED_SETTING, "twentyFourHourFormat", NULL, put_bool, false },
	{ "status_privacy", RECORD_SHARED_SETTING, "statusPrivacy", NULL, put_number, false },
	{ "favorites", RECORD_SHARED_SETTING, "favorites", NULL, put_lines, false },
};

static bool is_gone(const struct keeper *k, const struct wa_action *a)
{
	return a->removed || (k->gone_when_on && a->on);
}

static void keep(struct store_tx *tx, int64_t session, const struct keeper *k, const struct wa_action *a)
{
	struct buf name = { 0 };
	struct buf value = { 0 };

	if (k->setting)
		buf_append_text(&name, k->setting);
	else
		k->name(a, &name);
	/* Index parts of other devices' making: what is no sensible name is not kept. */
	if (name.len <= NAME_MAX_BYTES && is_gone(k, a)) {
		store_tx_record_delete(tx, session, k->kind, buf_text(&name));
	} else if (name.len <= NAME_MAX_BYTES) {
		if (!k->setting)
			buf_u8(&value, '{');
		k->value(a, &value);
		if (!k->setting)
			buf_u8(&value, '}');
		store_tx_record_put(tx, session, k->kind, buf_text(&name), buf_span(&value), 0);
	}
	buf_free(&name);
	buf_free(&value);
}

void shared_take(struct store_tx *tx, int64_t session, const struct wa_action *action)
{
	for (size_t i = 0; i < sizeof keepers / sizeof *keepers; i++)
		if (strcmp(keepers[i].action, action->name) == 0)
			keep(tx, session, &keepers[i], action);
}

void shared_clear(struct store_tx *tx, int64_t session)
{
	store_tx_labels_forget(tx, session);
	for (int kind = RECORD_QUICK_REPLY; kind <= RECORD_SHARED_SETTING; kind++)
		store_tx_record_clear(tx, session, kind);
}

/* ---- reading ---- */

static const int record_kinds[] = { [SHARED_QUICK_REPLY] = RECORD_QUICK_REPLY, [SHARED_SETTING] = RECORD_SHARED_SETTING };

static void begin(struct buf *out)
{
	buf_append_text(out, out->len > 0 ? ",{" : "{");
}

static void put_label(struct buf *out, const struct store_label *label)
{
	begin(out);
	json_put_member(out, "labelId", label->id);
	json_put_member(out, "name", label->name);
	json_put_int(out, "color", label->color);
	json_put_int(out, "predefinedId", label->predefined);
	json_put_int(out, "time", label->updated_ms / 1000);
	buf_u8(out, '}');
}

static void put_member(struct buf *out, const char *label, const struct store_label_member *member)
{
	bool by_lid = member->chat_lid && strcmp(member->chat_jid, member->chat_lid) == 0;

	begin(out);
	json_put_member(out, "labelId", label);
	json_put_member(out, "chat", member->chat_jid);
	if (member->chat_lid && !by_lid)
		json_put_member(out, "chatPn", member->chat_jid);
	if (member->chat_lid)
		json_put_member(out, "chatLid", member->chat_lid);
	if (member->message_id[0])
		json_put_member(out, "messageId", member->message_id);
	buf_u8(out, '}');
}

static int list_labels(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, struct buf *out)
{
	struct store_label *labels;
	size_t n = 0;
	int error = store_label_list(reader, arena, session, id, &labels, &n);

	for (size_t i = 0; !error && i < n; i++)
		put_label(out, &labels[i]);
	return error;
}

int shared_label_members(struct store_reader *reader, struct arena *arena, int64_t session, const char *label, struct buf *out)
{
	struct store_label_member *members;
	size_t n = 0;
	int error = store_label_members(reader, arena, session, label, &members, &n);

	for (size_t i = 0; !error && i < n; i++)
		put_member(out, label, &members[i]);
	return error;
}

int shared_list(struct store_reader *reader, struct arena *arena, int64_t session, enum shared_kind kind, struct buf *out)
{
	const char **names;
	struct span *values;
	size_t n = 0;
	int error;

	if (kind == SHARED_LABEL)
		return list_labels(reader, arena, session, NULL, out);
	error = store_record_list(reader, arena, session, record_kinds[kind], &names, &values, &n);
	for (size_t i = 0; !error && i < n; i++) {
		if (kind == SHARED_SETTING)
			json_put_name(out, names[i]);
		else if (i > 0)
			buf_u8(out, ',');
		buf_append_span(out, values[i]);
	}
	return error;
}

static int get_label(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, struct span *value)
{
	struct buf out = { 0 };
	int error = list_labels(reader, arena, session, id, &out);

	if (!error && out.len > 0)
		*value = span_of(arena_dup(arena, out.data, out.len), out.len);
	buf_free(&out);
	return error;
}

int shared_get(struct store_reader *reader, struct arena *arena, int64_t session, enum shared_kind kind, const char *id, struct span *value)
{
	const struct store_record_key key = { .kind = record_kinds[kind], .name = id };

	*value = (struct span){ 0 };
	return kind == SHARED_LABEL ? get_label(reader, arena, session, id, value) : store_record_get(reader, arena, session, &key, 1, value);
}

/* Business apps count from 1; ids beyond that are somebody's own scheme. */
static void count_id(const char *id, int64_t *last)
{
	int64_t number = strtoll(id, NULL, 10);

	if (number > *last && number < INT32_MAX)
		*last = number;
}

int shared_free_id(struct store_reader *reader, struct arena *arena, int64_t session, enum shared_kind kind, int64_t *id)
{
	struct store_label *labels;
	const char **names;
	size_t n = 0;
	int error = kind == SHARED_LABEL ? store_label_list(reader, arena, session, NULL, &labels, &n) :
	                                   store_record_list(reader, arena, session, record_kinds[kind], &names, NULL, &n);

	*id = 0;
	for (size_t i = 0; !error && i < n; i++)
		count_id(kind == SHARED_LABEL ? labels[i].id : names[i], id);
	(*id)++;
	return error;
}
