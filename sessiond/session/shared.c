/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labels, quick replies and settings of the account. */
#include "sessiond/session/shared.h"

#include <stdlib.h>
#include <string.h>

#include "sessiond/json_text.h"

#define NAME_MAX_BYTES 512U

static void put_jid(struct buf *out, const char *name, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	if (!jid_is_none(jid))
		json_put_member(out, name, jid_format(jid, text, sizeof text));
}

/* ---- taking ---- */

struct keeper {
	const char *action;
	int kind;
	const char *setting; /* name of a setting */
	void (*name)(const struct wa_action *a, struct buf *out);
	void (*value)(const struct wa_action *a, struct buf *out);
	bool gone_when_on;  /* deleted labels and quick replies */
	bool gone_when_off; /* a label that is taken off */
};

static void name_of_id(const struct wa_action *a, struct buf *out)
{
	buf_append_text(out, a->id);
}

/* The same person has one name here whichever form the entry uses. */
static void name_of_place(const struct wa_action *a, struct buf *out)
{
	const struct jid *chat = jid_is_none(&a->chat_pn) ? &a->chat : &a->chat_pn;
	char text[JID_TEXT_MAX];

	buf_printf(out, "%s %s", a->id, jid_format(chat, text, sizeof text));
	if (a->message_id)
		buf_printf(out, " %s", a->message_id);
}

static void put_label(const struct wa_action *a, struct buf *out)
{
	json_put_member(out, "labelId", a->id);
	json_put_member(out, "name", a->text ? a->text : "");
	json_put_int(out, "color", a->number);
	json_put_int(out, "predefinedId", a->number2);
	json_put_int(out, "time", a->time_ms / 1000);
}

static void put_place(const struct wa_action *a, struct buf *out)
{
	json_put_member(out, "labelId", a->id);
	put_jid(out, "chat", &a->chat);
	put_jid(out, "chatPn", &a->chat_pn);
	put_jid(out, "chatLid", &a->chat_lid);
	if (a->message_id)
		json_put_member(out, "messageId", a->message_id);
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

static void put_number(const struct wa_action *a, struct buf *out)
{
	buf_printf(out, "%lld", (long long)a->number);
}

static const struct keeper keepers[] = {
	{ "label_edit", RECORD_LABEL, NULL, name_of_id, put_label, .gone_when_on = true },
	{ "label_jid", RECORD_LABELED, NULL, name_of_place, put_place, .gone_when_off = true },
	{ "label_message", RECORD_LABELED, NULL, name_of_place, put_place, .gone_when_off = true },
	{ "quick_reply", RECORD_QUICK_REPLY, NULL, name_of_id, put_quick_reply, .gone_when_on = true },
	{ "setting_pushName", RECORD_SHARED_SETTING, "pushName", NULL, put_text, false, false },
	{ "setting_locale", RECORD_SHARED_SETTING, "locale", NULL, put_text, false, false },
	{ "setting_unarchiveChats", RECORD_SHARED_SETTING, "unarchiveChats", NULL, put_bool, false, false },
	{ "setting_disableLinkPreviews", RECORD_SHARED_SETTING, "disableLinkPreviews", NULL, put_bool, false, false },
	{ "setting_relayAllCalls", RECORD_SHARED_SETTING, "relayAllCalls", NULL, put_bool, false, false },
	{ "time_format", RECORD_SHARED_SETTING, "twentyFourHourFormat", NULL, put_bool, false, false },
	{ "status_privacy", RECORD_SHARED_SETTING, "statusPrivacy", NULL, put_number, false, false },
};

static bool is_gone(const struct keeper *k, const struct wa_action *a)
{
	return a->removed || (k->gone_when_on && a->on) || (k->gone_when_off && !a->on);
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
	for (int kind = RECORD_LABEL; kind <= RECORD_SHARED_SETTING; kind++)
		store_tx_record_clear(tx, session, kind);
}

/* ---- reading ---- */

int shared_list(struct store_reader *reader, struct arena *arena, int64_t session, int kind, const char *prefix, struct buf *out)
{
	size_t skip = prefix ? strlen(prefix) : 0;
	const char **names;
	struct span *values;
	bool first = true;
	size_t n = 0;
	int error = store_record_list(reader, arena, session, kind, &names, &values, &n);

	for (size_t i = 0; !error && i < n; i++) {
		if (prefix && strncmp(names[i], prefix, skip) != 0)
			continue;
		if (!first)
			buf_u8(out, ',');
		buf_append_span(out, values[i]);
		first = false;
	}
	return error;
}

int shared_settings(struct store_reader *reader, struct arena *arena, int64_t session, struct buf *out)
{
	const char **names;
	struct span *values;
	size_t n = 0;
	int error = store_record_list(reader, arena, session, RECORD_SHARED_SETTING, &names, &values, &n);

	for (size_t i = 0; !error && i < n; i++) {
		json_put_name(out, names[i]);
		buf_append_span(out, values[i]);
	}
	return error;
}

int shared_get(struct store_reader *reader, struct arena *arena, int64_t session, int kind, const char *name, struct span *value)
{
	const struct store_record_key key = { .kind = kind, .name = name };

	*value = (struct span){ 0 };
	return store_record_get(reader, arena, session, &key, 1, value);
}

int shared_free_id(struct store_reader *reader, struct arena *arena, int64_t session, int kind, int64_t *id)
{
	const char **names;
	size_t n = 0;
	int error = store_record_list(reader, arena, session, kind, &names, NULL, &n);

	*id = 0;
	for (size_t i = 0; !error && i < n; i++) {
		int64_t number = strtoll(names[i], NULL, 10);

		/* Business apps count from 1; ids beyond that are somebody's own scheme. */
		if (number > *id && number < INT32_MAX)
			*id = number;
	}
	(*id)++;
	return error;
}
