/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bodies of upload routes, see form.h. */
#include "fcgi/form.h"

#include <string.h>
#include <strings.h>

#include "fcgi/multipart.h"
#include "fcgi/query.h"

#define CHUNK_BYTES 65536U

/* The part that is being read. */
struct reading {
	struct form *form;
	struct span name;       /* of a text field, in the form's arena */
	struct buf text;        /* its bytes so far */
	struct form_file *file; /* NULL: a text field, or a file that is left out */
	bool skip;
};

void form_init(struct form *f, struct arena *arena, const char *spool_dir, uint64_t file_limit)
{
	*f = (struct form){ .arena = arena, .spool_dir = spool_dir, .limit = file_limit };
	f->fields = json_new(arena, JSON_OBJECT);
}

void form_free(struct form *f)
{
	for (size_t i = 0; i < f->files_count; i++)
		spool_close(&f->files[i].spool);
	f->files_count = 0;
}

static int fail(struct form *f, enum form_error error)
{
	if (!f->error)
		f->error = error;
	return -1;
}

static struct span keep(struct form *f, struct span s)
{
	return span_of(arena_dup(f->arena, s.p, s.n), s.n);
}

struct form_file *form_add_file(struct form *f, struct span name, struct span filename, struct span type)
{
	struct form_file *file = &f->files[f->files_count];

	if (spool_open(&file->spool, f->spool_dir, f->limit)) {
		fail(f, FORM_SYSTEM);
		return NULL;
	}
	f->files_count++;
	file->name = keep(f, name);
	file->filename = keep(f, filename);
	file->type = keep(f, type);
	return file;
}

int form_write_file(struct form *f, struct form_file *file, struct span bytes)
{
	if (file->too_large)
		return 0;
	switch (spool_write(&file->spool, bytes)) {
	case SPOOL_OK:
		return 0;
	case SPOOL_TOO_LARGE:
		file->too_large = true;
		return 0;
	case SPOOL_FULL:
		return fail(f, FORM_NO_SPACE);
	case SPOOL_SYSTEM:
		break;
	}
	return fail(f, FORM_SYSTEM);
}

static int part_begin(void *arg, const struct multipart_part *part)
{
	struct reading *r = arg;

	r->file = NULL;
	r->skip = part->is_file && r->form->files_count == FORM_MAX_FILES;
	buf_clear(&r->text);
	if (part->is_file && !r->skip) {
		r->file = form_add_file(r->form, part->name, part->filename, part->type);
		return r->file ? 0 : -1;
	}
	r->name = keep(r->form, part->name);
	return 0;
}

static int part_content(void *arg, struct span bytes)
{
	struct reading *r = arg;

	if (r->skip)
		return 0;
	if (r->file)
		return form_write_file(r->form, r->file, bytes);
	r->form->text_bytes += bytes.n;
	if (r->form->text_bytes > FORM_MAX_TEXT_BYTES)
		return fail(r->form, FORM_TOO_LARGE);
	buf_append_span(&r->text, bytes);
	return 0;
}

/* Without a leading BOM and without one line end at the end. */
static struct span field_text(struct span s)
{
	if (s.n >= 3 && !memcmp(s.p, "\xef\xbb\xbf", 3))
		s = span_of(s.p + 3, s.n - 3);
	if (s.n && s.p[s.n - 1] == '\n') {
		s.n--;
		if (s.n && s.p[s.n - 1] == '\r')
			s.n--;
	}
	return s;
}

static void add_field(struct form *f, struct span name, struct json *value)
{
	struct json *have = NULL, *first;

	for (struct json *v = f->fields->first; v; v = v->next)
		if (span_equal(v->name, name))
			have = v;
	if (!have) {
		json_add(f->fields, name, value);
		return;
	}
	if (have->type != JSON_ARRAY) {
		first = json_new_string(f->arena, have->text);
		have->type = JSON_ARRAY;
		json_add(have, span_of(NULL, 0), first);
	}
	json_add(have, span_of(NULL, 0), value);
}

static int part_end(void *arg)
{
	struct reading *r = arg;
	struct span text;

	if (r->file || r->skip)
		return 0;
	text = keep(r->form, field_text(buf_span(&r->text)));
	add_field(r->form, r->name, json_new_string(r->form->arena, utf8_clean(r->form->arena, text)));
	return 0;
}

static const struct multipart_events part_events = { part_begin, part_content, part_end };

/* Hands every piece of the body to `take` until it refuses. */
static int pump(struct form *f, form_source *source, void *source_arg, int (*take)(void *arg, struct span bytes), void *arg)
{
	uint8_t *chunk = arena_alloc(f->arena, CHUNK_BYTES);
	ssize_t n;

	while ((n = source(source_arg, chunk, CHUNK_BYTES)) > 0)
		if (take(arg, span_of(chunk, (size_t)n)))
			return fail(f, FORM_MALFORMED);
	return n < 0 ? fail(f, FORM_ABORTED) : 0;
}

static int feed_multipart(void *arg, struct span bytes)
{
	return multipart_feed(arg, bytes);
}

static void read_multipart(struct form *f, struct span type, form_source *source, void *arg)
{
	struct reading reading = { .form = f };
	struct multipart *m = multipart_new(type, &part_events, &reading);

	if (!m) {
		fail(f, FORM_MALFORMED);
		return;
	}
	if (!pump(f, source, arg, feed_multipart, m) && multipart_finish(m))
		fail(f, FORM_MALFORMED);
	multipart_free(m);
	buf_free(&reading.text);
}

static int take_text(void *arg, struct span bytes)
{
	return part_content(arg, bytes);
}

static void read_urlencoded(struct form *f, form_source *source, void *arg)
{
	struct reading reading = { .form = f };

	if (!pump(f, source, arg, take_text, &reading))
		f->fields = query_parse(f->arena, keep(f, buf_span(&reading.text)));
	buf_free(&reading.text);
}

static void read_raw(struct form *f, struct span type, form_source *source, void *arg)
{
	struct reading reading = { .form = f };
	size_t n = 0;

	while (n < type.n && type.p[n] != ';' && type.p[n] != ' ')
		n++;
	reading.file = form_add_file(f, span_text("file"), span_of(NULL, 0), n ? span_of(type.p, n) : span_text("application/octet-stream"));
	if (reading.file && !pump(f, source, arg, take_text, &reading) && !reading.file->spool.size) {
		/* no body at all is no file */
		form_free(f);
	}
}

static bool starts_with(struct span s, const char *word)
{
	size_t n = strlen(word);

	return s.n >= n && !strncasecmp((const char *)s.p, word, n);
}

enum form_error form_read(struct form *f, struct span content_type, form_source *source, void *arg)
{
	if (starts_with(content_type, "multipart/form-data"))
		read_multipart(f, content_type, source, arg);
	else if (starts_with(content_type, "application/x-www-form-urlencoded"))
		read_urlencoded(f, source, arg);
	else
		read_raw(f, content_type, source, arg);
	return (enum form_error)f->error;
}
