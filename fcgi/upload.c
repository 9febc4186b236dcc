/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading bodies that bring files, see upload.h. What the fields say about files is in upload_input.c. */
#include "fcgi/upload.h"

#include <string.h>

#include "common/limits.h"
#include "fcgi/json_cut.h"
#include "fcgi/upload_input.h"

#define CHUNK_BYTES 65536U

/* The body while it is read, bounded as a whole. */
struct source {
	struct request *r;
	uint64_t left;
	bool too_large;
};

static const struct {
	int error;
	struct fault fault;
} faults[] = {
	{ FORM_MALFORMED, { 400, 0, "Malformed form data" } },
	{ FORM_TOO_LARGE, { 413, 0, "request entity too large" } },
	{ FORM_NO_SPACE, { 507, 0, "No space left for uploads" } },
	{ FORM_SYSTEM, { 500, 0, "Uploads cannot be stored" } },
	{ FORM_ABORTED, { 400, 0, "request aborted" } },
};

static ssize_t read_body(void *arg, void *p, size_t n)
{
	struct source *s = arg;
	ssize_t got = s->r->x->ops->read(s->r->x, p, n);

	if (got > 0 && (uint64_t)got > s->left) {
		s->too_large = true;
		return -1;
	}
	if (got > 0)
		s->left -= (uint64_t)got;
	return got;
}

static void set_fault(struct request *r, int error)
{
	for (size_t i = 0; i < COUNT(faults); i++)
		if (faults[i].error == error)
			r->body_fault = faults[i].fault;
}

/* Of an array its first element. What is no JSON is {} below messages/, as in the original, and a fault elsewhere. */
static struct json *fields_of(struct request *r, struct span text)
{
	const char *error;
	struct json *v = r->match.route->family != FAMILY_A_NULL ? body_parse(r, text) : json_parse(r->arena, text, &error);

	if (v && v->type == JSON_ARRAY)
		v = v->first;
	return v && v->type == JSON_OBJECT ? v : json_new(r->arena, JSON_OBJECT);
}

static int read_json(struct request *r, struct source *source)
{
	struct upload *u = r->upload;
	uint8_t *chunk = arena_alloc(r->arena, CHUNK_BYTES);
	struct json_cut cut;
	ssize_t n = 0;
	int error;

	json_cut_init(&cut, &u->form, r->body_bytes, LIMIT_HTTP_TEXT_JSON_BYTES);
	cut.texts_stay = r->match.route->flags & ROUTE_TEXTS_STAY;
	while ((n = read_body(source, chunk, CHUNK_BYTES)) > 0 && !json_cut_feed(&cut, span_of(chunk, (size_t)n)))
		;
	error = n < 0 ? FORM_ABORTED : cut.error;
	json_cut_free(&cut);
	if (!error)
		r->body = fields_of(r, buf_span(r->body_bytes));
	return error;
}

void upload_begin(struct request *r, uint64_t file_limit)
{
	r->upload = arena_alloc(r->arena, sizeof *r->upload);
	memset(r->upload, 0, sizeof *r->upload);
	form_init(&r->upload->form, r->arena, r->settings->spool_dir, file_limit);
}

void upload_read(struct request *r)
{
	struct source source = { .r = r, .left = r->settings->upload_limit };
	const char *type = request_var(r, "CONTENT_TYPE");
	unsigned flags = r->match.route->flags;
	uint64_t file_limit = flags & ROUTE_MISC_FILES ? LIMIT_MISC_FILE_BYTES : flags & ROUTE_LARGE_FILES ? r->settings->file_limit : r->settings->media_limit;
	int error;

	upload_begin(r, file_limit);
	if (body_empty(r))
		return;
	if (body_over(r, r->settings->upload_limit)) {
		set_fault(r, FORM_TOO_LARGE);
		return;
	}
	if (body_is_json(r))
		error = read_json(r, &source);
	else if (r->body_fault.message)
		return;
	else
		error = form_read(&r->upload->form, span_text(type ? type : ""), read_body, &source);
	if (!r->body)
		r->body = r->upload->form.fields;
	if (error)
		set_fault(r, source.too_large ? FORM_TOO_LARGE : error);
}

void upload_free(struct request *r)
{
	if (r->upload)
		form_free(&r->upload->form);
	r->upload = NULL;
}
