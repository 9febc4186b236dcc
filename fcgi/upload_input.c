/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which files a request means: uploaded ones, and what its fields say (rest-a 1.13, 7.2). */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fcgi/json_cut.h"
#include "fcgi/json_out.h"
#include "fcgi/upload.h"
#include "fcgi/upload_input.h"

#define BASE64_TEXT_MIN 16U

/* What an item of messages/send/files says besides its bytes. */
struct item_words {
	struct span name, type, reply, caption;
};

static const char *const file_keys[] = { "files", "file", "media", "document", "upload", "source", NULL };
static const char *const url_keys[] = { "urls", "url", NULL };

static struct json *field(struct request *r, const char *name)
{
	struct json *v = json_get(r->body, name);

	return v ? v : json_get(r->query, name);
}

static struct span trimmed(struct span s)
{
	while (s.n && isspace(s.p[0]))
		s = span_of(s.p + 1, s.n - 1);
	while (s.n && isspace(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* ---- one input ---- */

static void put_words(struct buf *p, const struct item_words *w)
{
	if (!w)
		return;
	if (w->reply.n) {
		json_name(p, "replyMessageId");
		json_span(p, w->reply);
	}
	if (w->caption.n) {
		json_name(p, "caption");
		json_span(p, w->caption);
	}
}

static void put_name_and_type(struct request *r, struct buf *p, const struct form_file *file, const struct item_words *w)
{
	struct span name = w && w->name.n ? w->name : file->filename;
	struct span type = w && w->type.n ? w->type : file->type;
	size_t n = 0;

	while (n < type.n && type.p[n] != ';' && !isspace(type.p[n]))
		n++;
	if (name.n) {
		json_name(p, "name");
		json_span(p, utf8_clean(r->arena, name));
	}
	if (n) {
		json_name(p, "type");
		json_span(p, utf8_clean(r->arena, span_of(type.p, n)));
	}
}

static void put_file(struct request *r, struct buf *p, struct form_file *file, const struct item_words *w)
{
	struct upload *u = r->upload;

	json_open(p, '{');
	if (file->too_large)
		u->too_large = true;
	if (file->broken || u->nfds == LIMIT_RPC_DESCRIPTORS) {
		json_name(p, "broken");
		json_bool(p, true);
	} else {
		json_name(p, "fd");
		json_int(p, (int64_t)u->nfds);
		json_name(p, "size");
		json_int(p, (int64_t)file->spool.size);
		u->fds[u->nfds++] = file->spool.fd;
	}
	put_name_and_type(r, p, file, w);
	put_words(p, w);
	json_close(p, '}');
}

/* Bytes that are in memory become a file like any other. */
static void put_bytes(struct request *r, struct buf *p, struct span bytes, struct span type, bool broken, const struct item_words *w)
{
	struct form *form = &r->upload->form;
	struct form_file *file = form->files_count < FORM_MAX_FILES ? form_add_file(form, span_of(NULL, 0), span_of(NULL, 0), type) : NULL;
	struct form_file none = { .broken = true };

	if (file && !broken && form_write_file(form, file, bytes))
		broken = true;
	if (!file)
		file = &none;
	file->cut = true;
	file->broken = file->broken || broken;
	put_file(r, p, file, w);
}

/* True when a bare text is base64 by the contract's rule: then a file, else an address. */
static bool is_base64(struct span s)
{
	size_t n = 0;
	bool special = false;

	for (size_t i = 0; i < s.n; i++) {
		if (isspace(s.p[i]))
			continue;
		special = special || isdigit(s.p[i]) || strchr("+/=-_", s.p[i]);
		n++;
	}
	return n % 4 != 1 && (n >= BASE64_TEXT_MIN || special);
}

static void put_url(struct buf *p, struct span url, const struct item_words *w)
{
	json_open(p, '{');
	json_name(p, "url");
	json_span(p, url);
	if (w && w->name.n) {
		json_name(p, "name");
		json_span(p, w->name);
	}
	if (w && w->type.n) {
		json_name(p, "type");
		json_span(p, w->type);
	}
	put_words(p, w);
	json_close(p, '}');
}

static void put_text(struct request *r, struct buf *p, struct span text, const struct item_words *w)
{
	struct form_file *cut = json_cut_file(&r->upload->form, text);
	struct base64_reader reader = { 0 };
	struct span type, data;
	struct buf bytes = { 0 };
	bool uri, good;

	if (cut) {
		put_file(r, p, cut, w);
		return;
	}
	uri = text.n > 5 && !strncasecmp((const char *)text.p, "data:", 5);
	if (!json_cut_sniff(text, text.n, &type, &data) || (!uri && !is_base64(data))) {
		if (!uri) {
			put_url(p, text, w);
			return;
		}
		data = span_of(NULL, 0);
	}
	good = base64_read(&reader, data.p, data.n, &bytes) && base64_end(&reader, &bytes);
	/* Bits that no byte stands for: encoding the bytes would give another text. "/etc/passwd" is such a one. */
	if (!uri && ((reader.have == 2 && reader.bits & 15) || (reader.have == 3 && reader.bits & 3)))
		good = false;
	if (!good && !uri)
		put_url(p, text, w);
	else
		put_bytes(r, p, buf_span(&bytes), type, !good, w);
	buf_wipe(&bytes);
}

/* [1,2,3] or {"type":"Buffer","data":[1,2,3]}: the array of numbers, NULL otherwise. */
static const struct json *byte_array(const struct json *v)
{
	if (v && v->type == JSON_OBJECT)
		v = json_get(v, "data");
	if (!v || v->type != JSON_ARRAY || !v->first || v->first->type != JSON_NUMBER)
		return NULL;
	return v;
}

static void put_numbers(struct request *r, struct buf *p, const struct json *array, const struct item_words *w)
{
	struct buf bytes = { 0 };
	bool broken = false;

	for (const struct json *v = array->first; v; v = v->next) {
		unsigned long n = v->type == JSON_NUMBER && v->text.n <= 3 ? strtoul(arena_text(r->arena, v->text.p, v->text.n), NULL, 10) : 256;

		broken = broken || n > 255 || !isdigit(v->text.p[0]);
		buf_u8(&bytes, (uint8_t)n);
	}
	put_bytes(r, p, buf_span(&bytes), span_of(NULL, 0), broken, w);
	buf_wipe(&bytes);
}

/* ---- the routes with one file ---- */

static bool matches(const struct form_file *file, const char *key)
{
	size_t n = strlen(key);

	return (file->name.n == n && !strncasecmp((const char *)file->name.p, key, n)) ||
	       (file->filename.n == n && !strncasecmp((const char *)file->filename.p, key, n));
}

/* A file input of a form that nobody filled in. */
static bool is_unused(const struct form_file *file)
{
	return file->cut || (file->spool.size == 0 && file->filename.n == 0);
}

static struct form_file *uploaded(struct upload *u, const char *const *keys)
{
	for (size_t k = 0; keys[k]; k++)
		for (size_t i = 0; i < u->form.files_count; i++)
			if (!is_unused(&u->form.files[i]) && matches(&u->form.files[i], keys[k]))
				return &u->form.files[i];
	for (size_t i = 0; i < u->form.files_count; i++)
		if (!is_unused(&u->form.files[i]))
			return &u->form.files[i];
	return NULL;
}

static bool put_value(struct request *r, const struct json *v, struct buf *p)
{
	const struct json *numbers = byte_array(v);
	struct span text = v && v->type == JSON_STRING ? trimmed(v->text) : span_of(NULL, 0);
	const struct json *data = v && v->type == JSON_OBJECT ? json_get(v, "data") : NULL;

	if (!text.n && data && data->type == JSON_STRING)
		text = data->text;
	if (!text.n && !numbers)
		return false;
	json_name(p, "input");
	if (text.n)
		put_text(r, p, text, NULL);
	else
		put_numbers(r, p, numbers, NULL);
	return true;
}

static int too_large(struct request *r, int code, const char *noun, uint64_t limit, struct answer *answer)
{
	const struct fault fault = { 413, code, arena_printf(r->arena, "%s too large (limit %" PRIu64 "MB)", noun, limit >> 20) };

	answer_fault(answer, &fault);
	return -1;
}

/* A file that rests in the storage already, by its key. */
static bool put_stored(struct request *r, struct buf *p)
{
	static const char *const names[] = { "storageKey", "storage_key", NULL };
	const struct json *v = NULL;

	for (size_t i = 0; names[i] && !v; i++)
		v = field(r, names[i]);
	if (!v || v->type != JSON_STRING || !trimmed(v->text).n)
		return false;
	json_name(p, "input");
	json_open(p, '{');
	json_name(p, "stored");
	json_span(p, trimmed(v->text));
	json_close(p, '}');
	return true;
}

int upload_put_one(struct request *r, const struct upload_rules *rules, struct buf *p, struct answer *answer)
{
	struct form_file *file = uploaded(r->upload, rules->keys);
	bool found = file != NULL;

	if (file) {
		json_name(p, "input");
		put_file(r, p, file, NULL);
	}
	for (size_t k = 0; rules->keys[k] && !found; k++)
		found = put_value(r, field(r, rules->keys[k]), p);
	if (!found && !put_stored(r, p)) {
		answer_fault(answer, &rules->invalid);
		return -1;
	}
	if (!r->upload->too_large)
		return 0;
	if (rules->noun)
		return too_large(r, rules->too_large_code, rules->noun, r->settings->media_limit, answer);
	answer_fault(answer, &(const struct fault){ 413, rules->too_large_code, "input exceeds limit (50.0 MB)" });
	return -1;
}

void upload_put_optional(struct request *r, const struct json *v, struct buf *p)
{
	size_t mark = p->len;

	if (!r->upload)
		upload_begin(r, r->settings->media_limit);
	if (put_value(r, v, p) && !r->upload->too_large)
		return;
	p->len = mark;
	json_name(p, "input");
	json_null(p);
}

/* ---- messages/send/files ---- */

/* Every item that a request names, in order, until the visitor has enough. */
typedef bool visit_item(void *arg, const struct json *item, struct span text);

static bool visit_text(struct request *r, struct span text, bool list, visit_item *visit, void *arg)
{
	const char *error;
	struct json *v = text.n && text.p[0] == '[' ? json_parse(r->arena, text, &error) : NULL;

	if (v && v->type == JSON_ARRAY) {
		for (const struct json *c = v->first; c; c = c->next)
			if (!visit(arg, c, span_of(NULL, 0)))
				return false;
		return true;
	}
	while (list && text.n && !json_cut_file(&r->upload->form, text) && strncasecmp((const char *)text.p, "data:", text.n < 5 ? text.n : 5) != 0) {
		const uint8_t *comma = memchr(text.p, ',', text.n);
		size_t n = comma ? (size_t)(comma - text.p) : text.n;
		struct span one = trimmed(span_of(text.p, n));

		if (one.n && !visit(arg, NULL, one))
			return false;
		text = comma ? span_of(comma + 1, text.n - n - 1) : span_of(NULL, 0);
	}
	return !text.n || visit(arg, NULL, text);
}

static bool visit_field(struct request *r, const char *name, bool list, visit_item *visit, void *arg)
{
	const struct json *v = field(r, name);

	if (!v)
		return true;
	if (v->type == JSON_STRING)
		return visit_text(r, trimmed(v->text), list, visit, arg);
	if (v->type == JSON_OBJECT || byte_array(v))
		return visit(arg, v, span_of(NULL, 0));
	for (const struct json *c = v->type == JSON_ARRAY ? v->first : NULL; c; c = c->next)
		if (!visit(arg, c, span_of(NULL, 0)))
			return false;
	return true;
}

static void visit_all(struct request *r, visit_item *visit, void *arg)
{
	for (size_t k = 0; file_keys[k]; k++)
		if (!visit_field(r, file_keys[k], false, visit, arg))
			return;
	for (size_t k = 0; url_keys[k]; k++)
		if (field(r, url_keys[k])) {
			visit_field(r, url_keys[k], true, visit, arg);
			return;
		}
}

/* The first member of these names that is a text with something in it. */
static struct span word(const struct json *o, const char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		const struct json *v = json_get(o, names[i]);

		if (v && (v->type == JSON_STRING || v->type == JSON_NUMBER) && trimmed(v->text).n)
			return trimmed(v->text);
	}
	return span_of(NULL, 0);
}

static struct item_words words_of(const struct json *o)
{
	static const char *const names[] = { "filename", "name", "fileName", "label", NULL };
	static const char *const types[] = { "mimetype", "mimeType", "contentType", "partMime", "type", NULL };
	static const char *const replies[] = { "replyMessageId", "quotedMessageId", "quoteMessageId", "replyId", "quoteId", NULL };
	static const char *const captions[] = { "caption", NULL };
	struct item_words w = { word(o, names), word(o, types), word(o, replies), word(o, captions) };

	/* "type":"Buffer" is no type of a file. */
	if (!memchr(w.type.n ? w.type.p : (const uint8_t *)"", '/', w.type.n))
		w.type = span_of(NULL, 0);
	return w;
}

struct inputs {
	struct request *r;
	struct buf *p;
	size_t count;
};

static bool put_object(struct request *r, struct buf *p, const struct json *o)
{
	static const char *const bytes[] = { "buffer", "data", "file", "binary", "blob", NULL };
	static const char *const texts[] = { "file", "base64", "upload", "value", "contents", "body", "payload", "dataUri", "dataURI", "uri", "buffer", "data",
					     "binary", "blob", "url", "href", "link", NULL };
	struct item_words w = words_of(o);
	const struct json *numbers = byte_array(o);
	struct span text;

	for (size_t i = 0; bytes[i] && !numbers; i++)
		numbers = byte_array(json_get(o, bytes[i]));
	text = numbers ? span_of(NULL, 0) : word(o, texts);
	if (numbers)
		put_numbers(r, p, numbers, &w);
	else if (text.n)
		put_text(r, p, text, &w);
	return numbers || text.n;
}

static bool put_item(void *arg, const struct json *item, struct span text)
{
	struct inputs *in = arg;
	bool put = true;

	if (item && item->type == JSON_STRING)
		text = trimmed(item->text);
	if (text.n)
		put_text(in->r, in->p, text, NULL);
	else if (item && item->type == JSON_OBJECT)
		put = put_object(in->r, in->p, item);
	else if (item && byte_array(item))
		put_numbers(in->r, in->p, byte_array(item), NULL);
	else
		put = false;
	in->count += put;
	return in->count < FORM_MAX_FILES;
}

int upload_put_all(struct request *r, struct buf *p, struct answer *answer)
{
	struct upload *u = r->upload;
	struct inputs in = { .r = r, .p = p };
	size_t parts = u->form.files_count;

	json_name(p, "inputs");
	json_open(p, '[');
	visit_all(r, put_item, &in);
	/* What the items above became files of is behind the uploaded parts. */
	for (size_t i = 0; i < parts && in.count < FORM_MAX_FILES; i++) {
		if (is_unused(&u->form.files[i]))
			continue;
		put_file(r, p, &u->form.files[i], NULL);
		in.count++;
	}
	json_close(p, ']');
	return u->too_large ? too_large(r, 2009, "File", r->settings->file_limit, answer) : 0;
}

static bool note_item(void *arg, const struct json *item, struct span text)
{
	bool *any = arg;
	bool empty = item && (item->type == JSON_NULL || (item->type == JSON_STRING && !trimmed(item->text).n));

	*any = text.n || (item && !empty);
	return !*any;
}

bool upload_has_any(struct request *r)
{
	bool any = false;

	for (size_t i = 0; i < r->upload->form.files_count; i++)
		any = any || !is_unused(&r->upload->form.files[i]);
	if (!any)
		visit_all(r, note_item, &any);
	return any;
}

/* ---- compression ---- */

static void merge(struct request *r, struct json *into, const struct json *v)
{
	const char *error;

	if (v && v->type == JSON_STRING && v->text.n && v->text.p[0] == '{')
		v = json_parse(r->arena, v->text, &error);
	if (!v || v->type != JSON_OBJECT)
		return;
	for (const struct json *c = v->first; c; c = c->next) {
		struct json *copy = arena_dup(r->arena, c, sizeof *c);

		copy->next = NULL;
		json_add(into, c->name, copy);
	}
}

void upload_put_compression(struct request *r, struct buf *p)
{
	struct json *all = json_new(r->arena, JSON_OBJECT);

	merge(r, all, json_get(r->body, "compression"));
	merge(r, all, json_get(r->body, "compressOptions"));
	merge(r, all, json_get(r->query, "compression"));
	merge(r, all, json_get(r->query, "compressOptions"));
	if (!all->first)
		return;
	json_name(p, "compression");
	json_tree(p, all);
}
