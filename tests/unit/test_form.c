/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, uploads by browsers, curl or n8n lose fields or bytes, or one upload takes more memory or disk than it may. */
#include "fcgi/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fcgi/json_out.h"
#include "fcgi/multipart.h"

struct input {
	struct span rest;
	size_t step; /* bytes per read */
	bool breaks; /* ends with an error */
};

static ssize_t read_input(void *arg, void *p, size_t n)
{
	struct input *in = arg;

	if (n > in->step)
		n = in->step;
	if (n > in->rest.n)
		n = in->rest.n;
	if (!n && in->breaks)
		return -1;
	if (n)
		memcpy(p, in->rest.p, n);
	in->rest = span_of(in->rest.p + n, in->rest.n - n);
	return (ssize_t)n;
}

/* "fields|name:filename:type=content|..." */
static void describe(const struct form *f, struct buf *out)
{
	json_tree(out, f->fields);
	for (size_t i = 0; i < f->files_count; i++) {
		const struct form_file *file = &f->files[i];
		char content[256];
		ssize_t n = pread(file->spool.fd, content, sizeof content, 0);

		assert_true(n >= 0 && (uint64_t)n == file->spool.size);
		buf_printf(out, "|%.*s:%.*s:%.*s=%.*s", (int)file->name.n, (const char *)file->name.p, (int)file->filename.n,
			   (const char *)file->filename.p, (int)file->type.n, (const char *)file->type.p, (int)n, content);
	}
}

/* In pieces of every small size: a boundary may be cut anywhere. */
static void reads(const char *type, const char *body, size_t n, const char *expected)
{
	for (size_t step = 1; step < 70; step++) {
		struct input in = { span_of(body, n), step, false };
		struct arena a;
		struct form f;
		struct buf out;

		arena_init(&a, 0);
		buf_init(&out);
		form_init(&f, &a, "/tmp", 100);
		assert_int_equal(form_read(&f, span_text(type), read_input, &in), FORM_OK);
		describe(&f, &out);
		assert_string_equal(buf_text(&out), expected);
		form_free(&f);
		buf_free(&out);
		arena_free(&a);
	}
}

static enum form_error result(const char *type, const char *body, bool breaks)
{
	struct input in = { span_text(body), 7, breaks };
	struct arena a;
	struct form f;
	enum form_error error;

	arena_init(&a, 0);
	form_init(&f, &a, "/tmp", 10);
	error = form_read(&f, span_text(type), read_input, &in);
	form_free(&f);
	arena_free(&a);
	return error;
}

#define TYPE "multipart/form-data; boundary=----WebKitFormBoundaryAb12"
#define B "------WebKitFormBoundaryAb12"

static void multipart(void **state)
{
	static const char body[] = "preamble\r\n" B "\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n0812\r\n" B
				   "\r\ncontent-disposition: form-data; name=media; filename=\"a;b=\\\"c\\\".png\"\r\nContent-Type: IMAGE/PNG; x=y\r\n\r\n"
				   "bytes\r\n--not the boundary\r\n-" "\r\n" B "\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n0813\r\n" B "--\r\nepilogue";

	(void)state;
	reads(TYPE, body, sizeof body - 1, "{\"to\":[\"0812\",\"0813\"]}|media:a;b=\"c\".png:image/png=bytes\r\n--not the boundary\r\n-");
}

static void names(void **state)
{
	static const char body[] = "--x\r\nContent-Disposition: form-data; filename*=UTF-8''%e2%82%ac%20.pdf; filename=euro.pdf\r\n\r\n1\r\n"
				   "--x\r\nContent-Disposition: form-data; name=f; filename=\"C:\\dir\\evil/../a.txt\"\r\n\r\n2\r\n"
				   "--x\r\nContent-Disposition: form-data; name=empty; filename=\"\"\r\n\r\n\r\n"
				   "--x\r\n\r\nheaderless\r\n--x--";

	(void)state;
	reads("multipart/form-data; boundary=\"x\"", body, sizeof body - 1,
	      "{\"file\":\"headerless\"}|file:\xe2\x82\xac .pdf:application/octet-stream=1|f:a.txt:application/octet-stream=2|"
	      "empty::application/octet-stream=");
}

static void texts(void **state)
{
	static const char body[] = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\xef\xbb\xbfline\n\r\n--x\r\nContent-Disposition: form-data; name=b\r\n\r\n\xff\r\n--x--";

	(void)state;
	reads("multipart/form-data; boundary=x", body, sizeof body - 1, "{\"a\":\"line\",\"b\":\"\xef\xbf\xbd\"}");
}

static void others(void **state)
{
	(void)state;
	reads("application/x-www-form-urlencoded", "to=0812&message=a+b&x[]=1", 25, "{\"to\":\"0812\",\"message\":\"a b\",\"x\":[\"1\"]}");
	reads("image/png; q=1", "raw\0bytes", 9, "{}|file::image/png=raw");
	reads("", "", 0, "{}");
}

static void refused(void **state)
{
	(void)state;
	assert_int_equal(result("multipart/form-data", "--x--", false), FORM_MALFORMED);
	assert_int_equal(result("multipart/form-data; boundary=x", "", false), FORM_MALFORMED);
	assert_int_equal(result("multipart/form-data; boundary=X", "--x\r\n\r\na\r\n--x--", false), FORM_MALFORMED);
	assert_int_equal(result("multipart/form-data; boundary=x", "--x\r\n\r\na\r\n--x", false), FORM_MALFORMED);
	assert_int_equal(result("multipart/form-data; boundary=x", "--x junk\r\n\r\na\r\n--x--", false), FORM_MALFORMED);
	assert_int_equal(result("multipart/form-data; boundary=x", "--x\r\n\r\na", true), FORM_ABORTED);
	/* what is over its limit is marked: the fields behind it still count */
	assert_int_equal(result("image/png", "12345678901", false), FORM_OK);
	assert_int_equal(result("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; filename=a\r\n\r\n12345678901\r\n--x--", false),
			 FORM_OK);
}

static void bounded(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b);
	buf_append_text(&b, "--x\r\nX: ");
	for (size_t i = 0; i < 2 * MULTIPART_MAX_HEADER_BYTES; i++)
		buf_u8(&b, 'h');
	assert_int_equal(result("multipart/form-data; boundary=x", buf_text(&b), false), FORM_MALFORMED);
	buf_clear(&b);
	for (size_t i = 0; i <= MULTIPART_MAX_PARTS; i++)
		buf_append_text(&b, "--x\r\n\r\n\r\n");
	buf_append_text(&b, "--x--");
	assert_int_equal(result("multipart/form-data; boundary=x", buf_text(&b), false), FORM_MALFORMED);
	buf_clear(&b);
	buf_append_text(&b, "--x\r\n\r\n");
	for (size_t i = 0; i < FORM_MAX_TEXT_BYTES + 1000; i++)
		buf_u8(&b, 't');
	assert_int_equal(result("multipart/form-data; boundary=x", buf_text(&b), false), FORM_TOO_LARGE);
	buf_free(&b);
}

static void no_spool(void **state)
{
	struct spool s;

	(void)state;
	assert_int_equal(spool_open(&s, "/nonexistent", 1), SPOOL_SYSTEM);
	spool_close(&s);
	assert_int_equal(spool_open(&s, "/tmp", 3), SPOOL_OK);
	assert_int_equal(spool_write(&s, span_of("abc", 3)), SPOOL_OK);
	assert_int_equal(spool_write(&s, span_of("d", 1)), SPOOL_TOO_LARGE);
	spool_close(&s);
	assert_int_equal(s.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(multipart), cmocka_unit_test(names),   cmocka_unit_test(texts),
					    cmocka_unit_test(others),    cmocka_unit_test(refused), cmocka_unit_test(bounded),
					    cmocka_unit_test(no_spool) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
