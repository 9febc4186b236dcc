/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Normalising message texts. */
#include "common/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/limits.h"
#include "common/mem.h"

enum { MENTION_MIN = 6, MENTION_MAX = 20, SHORTCODE_MAX = 10, TAG_MAX = sizeof "</strong>" };

static const struct {
	const char *name;
	const char *mark;
} tags[] = {
	{ "b", "*" },  { "strong", "*" }, { "i", "_" },   { "em", "_" },
	{ "s", "~" },  { "strike", "~" }, { "del", "~" }, { "code", "```" },
};

enum { TAG_COUNT = sizeof tags / sizeof tags[0] };

static const struct {
	const char *name;
	const char *emoji;
} shortcodes[] = {
	{ "smile", "\U0001F604" }, { "sad", "\U0001F622" },     { "heart", "\u2764\uFE0F" },  { "thumbsup", "\U0001F44D" },
	{ "clap", "\U0001F44F" },  { "fire", "\U0001F525" },    { "star", "\u2B50" },         { "laugh", "\U0001F602" },
	{ "wink", "\U0001F609" },  { "cry", "\U0001F62D" },     { "angry", "\U0001F620" },    { "party", "\U0001F973" },
	{ "cool", "\U0001F60E" },  { "kiss", "\U0001F618" },    { "thinking", "\U0001F914" }, { "pray", "\U0001F64F" },
	{ "ok_hand", "\U0001F44C" }, { "muscle", "\U0001F4AA" }, { "wave", "\U0001F44B" },    { "poop", "\U0001F4A9" },
	{ "hungry", "\U0001F60B" }, { "badge", "\U0001F4DB" },  { "badboy", "\U0001F608" },   { "bomb", "\U0001F4A3" },
};

static bool starts_with(const char *text, size_t len, const char *start)
{
	size_t n = strlen(start);

	return len >= n && strncasecmp(text, start, n) == 0;
}

/* [https://x] -> https://x */
static void open_brackets(struct buf *out, const char *text, size_t len)
{
	bool no_more_ends = false;

	for (size_t i = 0; i < len; i++) {
		const char *rest = text + i + 1;
		size_t left = len - i - 1;
		const char *end = NULL;

		/* Searched only while there are ends, so that hostile texts cost no more than others. */
		if (text[i] == '[' && !no_more_ends && (starts_with(rest, left, "https://") || starts_with(rest, left, "http://"))) {
			end = memchr(rest, ']', left);
			no_more_ends = end == NULL;
		}
		if (end == NULL) {
			buf_u8(out, (uint8_t)text[i]);
			continue;
		}
		buf_append(out, rest, (size_t)(end - rest));
		i += (size_t)(end - rest) + 1;
	}
}

/* Index of the tag with this name, or -1. */
static int find_tag(const char *name, size_t len)
{
	for (int i = 0; i < TAG_COUNT; i++) {
		if (strlen(tags[i].name) == len && strncasecmp(tags[i].name, name, len) == 0)
			return i;
	}
	return -1;
}

/* How often each closing tag comes from text on; a tag opens only if its partner is still to come. */
static void count_closing(const char *text, size_t len, size_t closing[TAG_COUNT])
{
	memset(closing, 0, TAG_COUNT * sizeof closing[0]);
	for (size_t i = 0; i + 2 < len; i++) {
		size_t room = len - i < TAG_MAX ? len - i : TAG_MAX;
		const char *end;
		int tag;

		if (text[i] != '<' || text[i + 1] != '/' || (end = memchr(text + i, '>', room)) == NULL)
			continue;
		tag = find_tag(text + i + 2, (size_t)(end - text) - i - 2);
		if (tag >= 0)
			closing[tag]++;
	}
}

static bool is_break(const char *name, size_t len)
{
	while (len > 0 && (name[len - 1] == '/' || isspace((unsigned char)name[len - 1])))
		len--;
	return len == 2 && strncasecmp(name, "br", 2) == 0;
}

static void write_tag(struct buf *out, const char *name, size_t len, size_t opened[TAG_COUNT], size_t closing[TAG_COUNT])
{
	bool closes = name[0] == '/';
	int tag = find_tag(name + closes, len - closes);

	if (is_break(name, len)) {
		buf_append_text(out, "\n");
		return;
	}
	if (tag < 0)
		return;
	if (closes) {
		closing[tag]--;
		if (opened[tag] == 0)
			return;
		opened[tag]--;
	} else {
		if (closing[tag] <= opened[tag])
			return;
		opened[tag]++;
	}
	buf_append_text(out, tags[tag].mark);
}

static void translate_tags(struct buf *out, const char *text, size_t len)
{
	size_t opened[TAG_COUNT] = { 0 };
	size_t closing[TAG_COUNT];
	bool no_more_ends = false;

	count_closing(text, len, closing);
	for (size_t i = 0; i < len; i++) {
		const char *end = NULL;

		if (text[i] == '<' && !no_more_ends) {
			end = memchr(text + i, '>', len - i);
			no_more_ends = end == NULL;
		}
		if (end == NULL || end == text + i + 1) {
			buf_u8(out, (uint8_t)text[i]);
			continue;
		}
		write_tag(out, text + i + 1, (size_t)(end - text) - i - 1, opened, closing);
		i = (size_t)(end - text);
	}
}

static const char *find_emoji(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof shortcodes / sizeof shortcodes[0]; i++) {
		if (strlen(shortcodes[i].name) == len && strncasecmp(shortcodes[i].name, name, len) == 0)
			return shortcodes[i].emoji;
	}
	return NULL;
}

static void translate_shortcodes(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t room = len - i - 1 < SHORTCODE_MAX ? len - i - 1 : SHORTCODE_MAX;
		const char *end = text[i] == ':' ? memchr(text + i + 1, ':', room) : NULL;
		const char *emoji = end == NULL ? NULL : find_emoji(text + i + 1, (size_t)(end - text) - i - 1);

		if (emoji == NULL) {
			buf_u8(out, (uint8_t)text[i]);
			continue;
		}
		buf_append_text(out, emoji);
		i = (size_t)(end - text);
	}
}

void text_normalise(struct buf *out, const char *text, size_t len)
{
	struct buf first;
	struct buf second;

	buf_init(&first);
	buf_init(&second);
	open_brackets(&first, text, len);
	translate_tags(&second, (const char *)first.data, first.len);
	translate_shortcodes(out, (const char *)second.data, second.len);
	buf_free(&first);
	buf_free(&second);
}

static void add_mention(struct recipient_list *out, const char *digits, size_t n)
{
	struct jid jid;

	if (out->count == LIMIT_RECIPIENTS || jid_make(&jid, digits, n, JID_SERVER_PN, 0) != 0)
		return;
	for (size_t i = 0; i < out->count; i++) {
		if (jid_equal(&out->items[i], &jid))
			return;
	}
	out->items = xrealloc(out->items, (out->count + 1) * sizeof out->items[0]);
	out->items[out->count++] = jid;
}

void text_mentions(const char *text, size_t len, struct recipient_list *out)
{
	recipient_list_free(out);
	for (size_t i = 0; i < len; i++) {
		size_t n = 0;

		if (text[i] != '@')
			continue;
		while (n < MENTION_MAX && i + 1 + n < len && isdigit((unsigned char)text[i + 1 + n]))
			n++;
		if (n >= MENTION_MIN)
			add_mention(out, text + i + 1, n);
		i += n;
	}
}
