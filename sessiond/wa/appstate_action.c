/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading and writing the entries of app state. */
#include "sessiond/wa/appstate_action.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/utf8.h"
#include "sessiond/wa/proto_walk.h"

#define PARTS_MAX 8U
#define PART_BYTES 512U

enum { VALUE_TIME = 1 };
enum { RANGE_LAST_MESSAGE = 1 };
enum { LISTED_ID = 1, LISTED_MAX_BYTES = 16384 };
enum { NCT_SALT_VALUE = 80, NCT_SALT = 1 };

/* Letters of the index parts after the name. */
enum part {
	PART_CHAT = 'c',        /* JID of a chat or person */
	PART_MESSAGE = 'm',     /* message id */
	PART_FROM_ME = 'f',     /* "1" or "0" */
	PART_PARTICIPANT = 'p', /* JID, or "0" */
	PART_ID = 'i',          /* label, quick reply */
	PART_STARRED = 's',     /* "1": starred ones too */
	PART_MEDIA = 'd',       /* "1": media too */
	PART_ZERO = '0'         /* always "0" */
};

/* Field numbers inside the action's submessage; 0: it has no such thing. */
struct action_spec {
	const char *name;
	enum appstate_collection collection;
	int32_t version;
	uint32_t field;
	const char *parts;
	uint32_t on, media, until, number, number2, text, text2, pn, lid, range;
	uint32_t list; /* of submessages with a JID in their first field: only read */
};

static const struct action_spec specs[] = {
	{ "archive", APPSTATE_REGULAR_LOW, 3, 17, "c", .on = 1, .range = 2 },
	{ "pin_v1", APPSTATE_REGULAR_LOW, 5, 5, "c", .on = 1 },
	{ "markChatAsRead", APPSTATE_REGULAR_LOW, 3, 20, "c", .on = 1, .range = 2 },
	{ "mute", APPSTATE_REGULAR_HIGH, 2, 4, "c", .on = 1, .until = 2 },
	{ "star", APPSTATE_REGULAR_HIGH, 2, 2, "cmfp", .on = 1 },
	{ "deleteMessageForMe", APPSTATE_REGULAR_HIGH, 3, 18, "cmfp", .media = 1, .number = 2 },
	{ "clearChat", APPSTATE_REGULAR_HIGH, 6, 21, "csd", .range = 1 },
	{ "deleteChat", APPSTATE_REGULAR_HIGH, 6, 22, "cd", .range = 1 },
	{ "lock", APPSTATE_REGULAR_LOW, 7, 50, "c", .on = 1 },
	{ "userStatusMute", APPSTATE_REGULAR_HIGH, 7, 29, "c", .on = 1 },
	{ "contact", APPSTATE_CRITICAL_UNBLOCK_LOW, 2, 3, "c", .text = 1, .text2 = 2, .lid = 3, .on = 4, .pn = 5 },
	{ "lid_contact", APPSTATE_CRITICAL_UNBLOCK_LOW, 1, 61, "c", .text = 1, .text2 = 2 },
	{ "pnForLidChat", APPSTATE_REGULAR, 8, 37, "c", .pn = 1 },
	{ "setting_pushName", APPSTATE_CRITICAL_BLOCK, 1, 7, "", .text = 1 },
	{ "setting_locale", APPSTATE_CRITICAL_BLOCK, 3, 16, "", .text = 1 },
	{ "setting_unarchiveChats", APPSTATE_REGULAR_LOW, 4, 23, "", .on = 1 },
	{ "setting_disableLinkPreviews", APPSTATE_REGULAR, 8, 53, "", .on = 1 },
	{ "setting_relayAllCalls", APPSTATE_REGULAR, 1, 41, "", .on = 1 },
	{ "time_format", APPSTATE_REGULAR_LOW, 7, 30, "", .on = 1 },
	{ "status_privacy", APPSTATE_REGULAR_HIGH, 7, 44, "", .number = 1 },
	{ "label_edit", APPSTATE_REGULAR, 3, 14, "i", .text = 1, .number = 2, .number2 = 3, .on = 4 },
	{ "label_jid", APPSTATE_REGULAR, 3, 15, "ic", .on = 1 },
	{ "label_message", APPSTATE_REGULAR, 3, 15, "icm00", .on = 1 },
	{ "quick_reply", APPSTATE_REGULAR, 2, 8, "i", .text = 1, .text2 = 2, .on = 5 },
	{ "favorites", APPSTATE_REGULAR_HIGH, 1, 56, "", .list = 1 },
	{ "nct_salt_sync", APPSTATE_REGULAR_HIGH, 1, NCT_SALT_VALUE, "", .on = 0 },
};

static const char *const collections[APPSTATE_COLLECTIONS] = {
	[APPSTATE_CRITICAL_BLOCK] = "critical_block", [APPSTATE_CRITICAL_UNBLOCK_LOW] = "critical_unblock_low",
	[APPSTATE_REGULAR_HIGH] = "regular_high",     [APPSTATE_REGULAR_LOW] = "regular_low",
	[APPSTATE_REGULAR] = "regular",
};

const char *appstate_collection_name(enum appstate_collection collection)
{
	return collections[collection];
}

enum appstate_collection appstate_collection_find(const char *name)
{
	size_t i = 0;

	while (i < APPSTATE_COLLECTIONS && strcmp(collections[i], name) != 0)
		i++;
	return (enum appstate_collection)i;
}

static const struct action_spec *spec_find(const char *name)
{
	for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
		if (strcmp(specs[i].name, name) == 0)
			return &specs[i];
	return NULL;
}

/* ---- the index: a JSON array of strings ---- */

struct index {
	char parts[PARTS_MAX][PART_BYTES];
	size_t n;
};

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex4(struct reader *r, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(read_u8(r));

		if (digit < 0)
			return false;
		*out = *out << 4 | (uint32_t)digit;
	}
	return r->ok;
}

static bool read_unicode(struct reader *r, uint32_t *c)
{
	uint32_t low;

	if (!read_hex4(r, c))
		return false;
	if (*c < 0xd800 || *c > 0xdfff)
		return true;
	if (*c > 0xdbff || read_u8(r) != '\\' || read_u8(r) != 'u' || !read_hex4(r, &low) || low < 0xdc00 || low > 0xdfff)
		return false;
	*c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

/* What stands behind a backslash; 0 if it is none of JSON's. */
static uint32_t read_escape(struct reader *r)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	uint8_t letter = read_u8(r);
	const char *at = letter != 0 ? strchr(letters, letter) : NULL;
	uint32_t c;

	if (at != NULL)
		return (uint8_t)meanings[at - letters];
	return letter == 'u' && read_unicode(r, &c) ? c : 0;
}

/* The rest of a string whose opening quote is read. */
static bool read_string(struct reader *r, char out[PART_BYTES])
{
	size_t n = 0;

	for (;;) {
		uint8_t c = read_u8(r);
		uint32_t escaped;

		if (!r->ok || c < 0x20)
			return false;
		if (c == '"')
			break;
		if (n + 4 >= PART_BYTES)
			return false;
		if (c != '\\') {
			out[n++] = (char)c;
			continue;
		}
		escaped = read_escape(r);
		if (!r->ok || escaped == 0)
			return false;
		n += utf8_put(escaped, out + n);
	}
	out[n] = '\0';
	return utf8_is_valid(out, n);
}

static uint8_t read_token(struct reader *r)
{
	uint8_t c;

	do
		c = read_u8(r);
	while (r->ok && (c == ' ' || c == '\t' || c == '\n' || c == '\r'));
	return c;
}

static bool read_index(struct span text, struct index *out)
{
	struct reader r = reader_of(text.p, text.n);
	uint8_t c;

	out->n = 0;
	if (read_token(&r) != '[')
		return false;
	do {
		if (out->n == PARTS_MAX || read_token(&r) != '"' || !read_string(&r, out->parts[out->n]))
			return false;
		out->n++;
		c = read_token(&r);
	} while (r.ok && c == ',');
	return r.ok && c == ']' && r.left == 0;
}

/* As JavaScript writes it: only what must be is escaped. */
static void put_string(struct buf *out, const char *text)
{
	buf_u8(out, '"');
	for (const char *p = text; *p != '\0'; p++) {
		uint8_t c = (uint8_t)*p;

		if (c == '"' || c == '\\')
			buf_u8(out, '\\');
		if (c < 0x20)
			buf_printf(out, "\\u%04x", c);
		else
			buf_u8(out, c);
	}
	buf_u8(out, '"');
}

/* ---- reading ---- */

static bool take_part(struct wa_action *a, enum part part, const char *text)
{
	switch (part) {
	case PART_CHAT:
		return jid_parse_text(&a->chat, text) == 0;
	case PART_MESSAGE:
		a->message_id = xstrdup(text);
		return text[0] != '\0';
	case PART_FROM_ME:
		a->from_me = strcmp(text, "1") == 0;
		return true;
	case PART_PARTICIPANT:
		return strcmp(text, "0") == 0 || text[0] == '\0' || jid_parse_text(&a->participant, text) == 0;
	case PART_ID:
		a->id = xstrdup(text);
		return text[0] != '\0';
	case PART_STARRED:
		a->starred_too = strcmp(text, "1") == 0;
		return true;
	case PART_MEDIA:
		a->media_too = strcmp(text, "1") == 0;
		return true;
	case PART_ZERO:
		return true;
	}
	return false;
}

static char *take_text(struct span bytes)
{
	if (bytes.n == 0 || memchr(bytes.p, 0, bytes.n) != NULL || !utf8_is_valid((const char *)bytes.p, bytes.n))
		return NULL;
	return xstrndup((const char *)bytes.p, bytes.n);
}

static void replace(char **at, char *text)
{
	free(*at);
	*at = text;
}

static int64_t last_message(struct span range)
{
	struct reader r = reader_of(range.p, range.n);
	struct proto_field f;
	int64_t time_s = 0;

	while (proto_next(&r, &f))
		if (f.number == RANGE_LAST_MESSAGE && f.wire == PROTO_VARINT)
			time_s = (int64_t)f.value;
	return time_s;
}

static void take_number(const struct action_spec *s, struct wa_action *a, const struct proto_field *f)
{
	if (f->number == s->on)
		a->on = f->value != 0;
	else if (f->number == s->media)
		a->media_too = f->value != 0;
	else if (f->number == s->until)
		a->until_ms = (int64_t)f->value;
	else if (f->number == s->number)
		a->number = (int64_t)f->value;
	else if (f->number == s->number2)
		a->number2 = (int64_t)f->value;
}

/* One more line for the text. */
static void take_listed(struct wa_action *a, struct span listed)
{
	struct span id = { 0 };
	struct jid jid;
	char text[JID_TEXT_MAX];
	char *lines;

	if (!proto_find(listed, LISTED_ID, &id) || jid_parse(&jid, (const char *)id.p, id.n) != 0 || (a->text != NULL && strlen(a->text) > LISTED_MAX_BYTES))
		return;
	jid_format(&jid, text, sizeof text);
	lines = a->text == NULL ? xstrdup(text) : xasprintf("%s\n%s", a->text, text);
	replace(&a->text, lines);
}

static void take_bytes(const struct action_spec *s, struct wa_action *a, const struct proto_field *f)
{
	const char *text = (const char *)f->bytes.p;

	if (f->number == s->text)
		replace(&a->text, take_text(f->bytes));
	else if (f->number == s->text2)
		replace(&a->text2, take_text(f->bytes));
	else if (f->number == s->pn && jid_parse(&a->pn, text, f->bytes.n) == 0 && !jid_is_pn(&a->pn))
		a->pn = (struct jid){ 0 };
	else if (f->number == s->lid && jid_parse(&a->lid, text, f->bytes.n) == 0 && !jid_is_lid(&a->lid))
		a->lid = (struct jid){ 0 };
	else if (f->number == s->range)
		a->last_message_s = last_message(f->bytes);
	else if (f->number == s->list)
		take_listed(a, f->bytes);
}

static void take_value(const struct action_spec *s, struct wa_action *a, struct span value)
{
	struct reader r = reader_of(value.p, value.n);
	struct span inner = { 0 };
	struct proto_field f;

	while (proto_next(&r, &f))
		if (f.number == VALUE_TIME && f.wire == PROTO_VARINT)
			a->time_ms = (int64_t)f.value;
	proto_find(value, s->field, &inner);
	r = reader_of(inner.p, inner.n);
	while (proto_next(&r, &f)) {
		if (f.wire == PROTO_VARINT)
			take_number(s, a, &f);
		else if (f.wire == PROTO_BYTES)
			take_bytes(s, a, &f);
	}
}

struct wa_action *appstate_action_read(struct span index, struct span value, bool removed)
{
	struct index parts = { 0 };
	const struct action_spec *s;
	struct wa_action *a;
	bool good = true;

	if (!read_index(index, &parts))
		return NULL;
	s = spec_find(parts.parts[0]);
	if (s == NULL || parts.n < strlen(s->parts) + 1)
		return NULL;
	a = xcalloc(1, sizeof *a);
	a->name = s->name;
	a->removed = removed;
	for (size_t i = 0; good && s->parts[i] != '\0'; i++)
		good = take_part(a, (enum part)s->parts[i], parts.parts[i + 1]);
	if (!good) {
		wa_action_free(a);
		return NULL;
	}
	take_value(s, a, value);
	return a;
}

struct span appstate_action_salt(struct span value)
{
	struct span inner = { 0 };
	struct span salt = { 0 };

	if (proto_find(value, NCT_SALT_VALUE, &inner))
		proto_find(inner, NCT_SALT, &salt);
	return salt;
}

/* ---- writing ---- */

static bool put_jid(struct buf *out, const struct jid *jid)
{
	struct jid bare = jid_bare(jid);
	char text[JID_TEXT_MAX];

	if (jid_is_none(jid))
		return false;
	put_string(out, jid_format(&bare, text, sizeof text));
	return true;
}

static bool put_part(const struct wa_action *a, enum part part, struct buf *out)
{
	switch (part) {
	case PART_CHAT:
		return put_jid(out, &a->chat);
	case PART_MESSAGE:
		put_string(out, a->message_id != NULL ? a->message_id : "");
		return a->message_id != NULL && a->message_id[0] != '\0';
	case PART_FROM_ME:
		put_string(out, a->from_me ? "1" : "0");
		return true;
	case PART_PARTICIPANT:
		/* Named where the chat does not say it: somebody else's message in a group. */
		if (!a->from_me && !jid_is_person(&a->chat) && !jid_is_none(&a->participant))
			return put_jid(out, &a->participant);
		put_string(out, "0");
		return true;
	case PART_ID:
		put_string(out, a->id != NULL ? a->id : "");
		return a->id != NULL && a->id[0] != '\0';
	case PART_STARRED:
		put_string(out, a->starred_too ? "1" : "0");
		return true;
	case PART_MEDIA:
		put_string(out, a->media_too ? "1" : "0");
		return true;
	case PART_ZERO:
		put_string(out, "0");
		return true;
	}
	return false;
}

static void put_number(struct buf *out, uint32_t field, int64_t value)
{
	if (field == 0)
		return;
	proto_put_varint(out, (uint64_t)field << 3 | PROTO_VARINT);
	proto_put_varint(out, (uint64_t)value);
}

static void put_text(struct buf *out, uint32_t field, const char *text)
{
	if (field != 0 && text != NULL)
		proto_put_bytes(out, field, span_text(text));
}

static void put_form(struct buf *out, uint32_t field, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	if (field != 0 && !jid_is_none(jid))
		proto_put_bytes(out, field, span_text(jid_format(jid, text, sizeof text)));
}

static void put_value(const struct action_spec *s, const struct wa_action *a, int64_t now_ms, struct buf *out)
{
	struct buf inner = { 0 };
	struct buf range = { 0 };

	if (!a->removed) {
		put_number(&inner, s->on, a->on);
		put_number(&inner, s->media, a->media_too);
		if (a->until_ms != 0)
			put_number(&inner, s->until, a->until_ms);
		if (a->number != 0)
			put_number(&inner, s->number, a->number);
		if (a->number2 != 0)
			put_number(&inner, s->number2, a->number2);
		put_text(&inner, s->text, a->text);
		put_text(&inner, s->text2, a->text2);
		put_form(&inner, s->pn, &a->pn);
		put_form(&inner, s->lid, &a->lid);
	}
	if (s->range != 0 && a->last_message_s != 0) {
		put_number(&range, RANGE_LAST_MESSAGE, a->last_message_s);
		proto_put_bytes(&inner, s->range, buf_span(&range));
	}
	put_number(out, VALUE_TIME, now_ms);
	proto_put_bytes(out, s->field, buf_span(&inner));
	buf_free(&inner);
	buf_free(&range);
}

bool appstate_action_write(const struct wa_action *a, int64_t now_ms, struct buf *index, struct buf *value, int32_t *version,
			   enum appstate_collection *collection)
{
	const struct action_spec *s = spec_find(a->name);
	bool good = s != NULL && s->field != NCT_SALT_VALUE && s->list == 0;

	if (!good)
		return false;
	buf_u8(index, '[');
	put_string(index, s->name);
	for (size_t i = 0; good && s->parts[i] != '\0'; i++) {
		buf_u8(index, ',');
		good = put_part(a, (enum part)s->parts[i], index);
	}
	buf_u8(index, ']');
	put_value(s, a, now_ms, value);
	*version = s->version;
	*collection = s->collection;
	return good;
}
