/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Title and description of a web page. */
#include "common/htmlmeta.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/utf8.h"

/* Attributes of one tag that are looked at. */
struct tag {
	struct span name, key, content; /* key: of property= or name= */
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(struct span s, const char *word)
{
	return s.n == strlen(word) && !strncasecmp((const char *)s.p, word, s.n);
}

/* Cuts n bytes off the front. */
static struct span skip(struct span s, size_t n)
{
	return span_of(s.p + n, s.n - n);
}

static struct span skip_blanks(struct span s)
{
	while (s.n && (is_blank(s.p[0]) || s.p[0] == '/'))
		s = skip(s, 1);
	return s;
}

static bool ends_name(uint8_t c)
{
	return is_blank(c) || c == '=' || c == '>' || c == '/';
}

static struct span take_name(struct span *s)
{
	size_t n = 0;

	while (n < s->n && !ends_name(s->p[n]))
		n++;
	struct span name = span_of(s->p, n);

	*s = skip(*s, n);
	return name;
}

static struct span take_value(struct span *s)
{
	struct span value;
	size_t n = 0;
	uint8_t quote;

	*s = skip_blanks(skip(*s, 1));
	quote = s->n && (s->p[0] == '"' || s->p[0] == '\'') ? s->p[0] : 0;
	if (quote)
		*s = skip(*s, 1);
	while (n < s->n && (quote ? s->p[n] != quote : !is_blank(s->p[n]) && s->p[n] != '>'))
		n++;
	value = span_of(s->p, n);
	*s = skip(*s, quote && n < s->n ? n + 1 : n);
	return value;
}

/* Reads a tag behind its '<'; what follows its '>' stays. */
static struct tag take_tag(struct span *s)
{
	struct tag tag = { .name = take_name(s) };

	for (;;) {
		struct span name, value;

		*s = skip_blanks(*s);
		if (!s->n || s->p[0] == '>')
			break;
		name = take_name(s);
		value = span_of(NULL, 0);
		while (s->n && is_blank(s->p[0]))
			*s = skip(*s, 1);
		if (s->n && s->p[0] == '=')
			value = take_value(s);
		else if (!name.n)
			*s = skip(*s, 1);
		if (is_word(name, "property") || is_word(name, "name"))
			tag.key = value;
		else if (is_word(name, "content"))
			tag.content = value;
	}
	if (s->n)
		*s = skip(*s, 1);
	return tag;
}

/* ---- texts ---- */

static void put_code_point(struct buf *out, unsigned long c)
{
	if (c < 0x20 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return;
	if (c < 0x80) {
		buf_u8(out, (uint8_t)c);
	} else if (c < 0x800) {
		buf_u8(out, (uint8_t)(0xc0 | c >> 6));
		buf_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_u8(out, (uint8_t)(0xe0 | c >> 12));
		buf_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		buf_u8(out, (uint8_t)(0xf0 | c >> 18));
		buf_u8(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		buf_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

/* Resolves the entity at the front of s; its length, 0 if it is none. */
static size_t put_entity(struct buf *out, struct span s)
{
	static const struct { const char *name; uint8_t c; } names[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' }, { "nbsp", ' ' } };
	const uint8_t *end = memchr(s.p, ';', s.n < 12 ? s.n : 12);
	char text[12];
	size_t n;

	if (!end)
		return 0;
	n = (size_t)(end - s.p) - 1;
	memcpy(text, s.p + 1, n);
	text[n] = '\0';
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(names[i].name, text) == 0) {
			buf_u8(out, names[i].c);
			return n + 2;
		}
	}
	if (text[0] != '#')
		return 0;
	put_code_point(out, text[1] == 'x' || text[1] == 'X' ? strtoul(text + 2, NULL, 16) : strtoul(text + 1, NULL, 10));
	return n + 2;
}

static void put_text(struct buf *out, struct span s)
{
	buf_clear(out);
	while (s.n && out->len < HTMLMETA_MAX - 4) {
		size_t n;

		if (is_blank(s.p[0])) {
			if (out->len && out->data[out->len - 1] != ' ')
				buf_u8(out, ' ');
			s = skip(s, 1);
			continue;
		}
		n = s.p[0] == '&' ? put_entity(out, s) : 0;
		if (!n) {
			n = utf8_length((const char *)s.p, s.n);
			if (n && s.p[0] >= 0x20)
				buf_append(out, s.p, n);
		}
		s = skip(s, n ? n : 1);
	}
	if (out->len && out->data[out->len - 1] == ' ')
		out->len--;
}

/* ---- the page ---- */

static void take_meta(struct htmlmeta *meta, const struct tag *tag, bool *og_title, bool *og_description)
{
	if (is_word(tag->key, "og:title") && tag->content.n) {
		put_text(&meta->title, tag->content);
		*og_title = meta->title.len > 0;
	} else if (is_word(tag->key, "og:description") && tag->content.n) {
		put_text(&meta->description, tag->content);
		*og_description = meta->description.len > 0;
	} else if (is_word(tag->key, "og:image") && tag->content.n && !meta->image.len) {
		put_text(&meta->image, tag->content);
	} else if (is_word(tag->key, "description") && !*og_description) {
		put_text(&meta->description, tag->content);
	}
}

void htmlmeta_read(struct htmlmeta *meta, struct span html)
{
	bool og_title = false, og_description = false;

	*meta = (struct htmlmeta){ 0 };
	while (html.n) {
		const uint8_t *start = memchr(html.p, '<', html.n);
		struct tag tag;

		if (!start)
			break;
		html = skip(html, (size_t)(start - html.p) + 1);
		tag = take_tag(&html);
		if (is_word(tag.name, "body"))
			break;
		if (is_word(tag.name, "meta")) {
			take_meta(meta, &tag, &og_title, &og_description);
		} else if (is_word(tag.name, "title") && !og_title && !meta->title.len) {
			const uint8_t *end = html.n ? memchr(html.p, '<', html.n) : NULL;

			put_text(&meta->title, span_of(html.p, end ? (size_t)(end - html.p) : html.n));
		}
	}
}

void htmlmeta_free(struct htmlmeta *meta)
{
	buf_free(&meta->title);
	buf_free(&meta->description);
	buf_free(&meta->image);
}

struct span htmlmeta_first_link(struct span text)
{
	static const char *const schemes[] = { "https://", "http://" };

	for (size_t i = 0; i < text.n; i++) {
		for (size_t k = 0; k < 2; k++) {
			size_t n = strlen(schemes[k]);

			if (text.n - i <= n || strncasecmp((const char *)text.p + i, schemes[k], n) || (i && !is_blank(text.p[i - 1]) && !strchr("(<\"'*_~", text.p[i - 1])))
				continue;
			while (i + n < text.n && text.p[i + n] > 0x20 && !strchr("<>\"", text.p[i + n]))
				n++;
			/* What ends a sentence is no part of the address. */
			while (n && strchr(".,;:!?)'*_~", text.p[i + n - 1]))
				n--;
			return n > strlen(schemes[k]) ? span_of(text.p + i, n) : span_of(NULL, 0);
		}
	}
	return span_of(NULL, 0);
}
