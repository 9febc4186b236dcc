/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a long session/list is somebody else's, outdated, torn, or lies about after the process has ended. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/memfile.h"
#include "fcgi/answer.h"
#include "fcgi/kept.h"

static struct log_sink sink;
static const struct log silent = { &sink, "test" };
static char dir[64];
static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	log_sink_init(&sink, open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	snprintf(dir, sizeof dir, "/tmp/test_kept.XXXXXX");
	arena_init(&arena, 0);
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	log_sink_free(&sink);
	return rmdir(dir);
}

static int file_of(const char *text)
{
	int fd = memfile_new("test", span_text(text));

	assert_true(fd >= 0);
	return fd;
}

static const char *path_of(struct kept *kept, const char *before, int file, size_t n)
{
	return kept_path(kept, &arena, span_text(before), file, n, span_text("]}"));
}

static void assert_content(const char *path, const char *expected)
{
	char text[128] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_true(fread(text, 1, sizeof text - 1, file) > 0);
	fclose(file);
	assert_string_equal(text, expected);
}

static size_t files_in_dir(void)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	for (const struct dirent *item = readdir(d); item; item = readdir(d))
		n += item->d_name[0] != '.';
	closedir(d);
	return n;
}

static void test_sealed(void **state)
{
	int fd = file_of("content");

	(void)state;
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	close(fd);
}

static void test_kept_from_the_second_time_on(void **state)
{
	struct kept *kept = kept_new(dir, silent);
	int one = file_of("{\"a\":1}"), other = file_of("{\"b\":2}");
	const char *path, *again;

	(void)state;
	assert_non_null(kept);
	assert_null(path_of(kept, "{\"results\":[", one, 7));
	assert_int_equal(files_in_dir(), 0);
	path = path_of(kept, "{\"results\":[", one, 7);
	assert_non_null(path);
	assert_content(path, "{\"results\":[{\"a\":1}]}");
	again = path_of(kept, "{\"results\":[", one, 7);
	assert_non_null(again);
	assert_string_equal(path, again);
	/* another content, and the same in another envelope, are other files */
	assert_null(path_of(kept, "{\"results\":[", other, 7));
	assert_null(path_of(kept, "{\"result\":[", one, 7));
	again = path_of(kept, "{\"results\":[", other, 7);
	assert_non_null(again);
	assert_content(again, "{\"results\":[{\"b\":2}]}");
	again = path_of(kept, "{\"result\":[", one, 7);
	assert_non_null(again);
	assert_content(again, "{\"result\":[{\"a\":1}]}");
	/* a length that is not the file's */
	assert_null(path_of(kept, "{\"results\":[", one, 6));
	assert_null(path_of(kept, "{\"results\":[", one, 8));
	close(one);
	close(other);
	kept_free(kept);
	assert_int_equal(files_in_dir(), 0);
}

static void test_a_cleaned_directory(void **state)
{
	struct kept *kept = kept_new(dir, silent);
	int one = file_of("{}");
	const char *path;

	(void)state;
	assert_null(path_of(kept, "[", one, 2));
	path = path_of(kept, "[", one, 2);
	assert_non_null(path);
	assert_int_equal(unlink(path), 0);
	assert_null(path_of(kept, "[", one, 2));
	assert_null(path_of(kept, "[", one, 2));
	path = path_of(kept, "[", one, 2);
	assert_non_null(path);
	assert_content(path, "[{}]}");
	close(one);
	kept_free(kept);
}

static void test_more_than_there_is_room_for(void **state)
{
	struct kept *kept = kept_new(dir, silent);

	(void)state;
	for (int i = 0; i < 40; i++) {
		int file = file_of("{}");
		const char *path;

		assert_null(path_of(kept, "[", file, 2));
		path = path_of(kept, "[", file, 2);
		if (path)
			assert_content(path, "[{}]}");
		close(file);
	}
	assert_int_equal(files_in_dir(), 16);
	kept_free(kept);
	assert_int_equal(files_in_dir(), 0);
}

static void test_where_nothing_can_be_kept(void **state)
{
	(void)state;
	assert_null(kept_new("", silent));
	assert_null(kept_new("relative", silent));
	assert_null(kept_new("/nonexistent/place", silent));
	kept_free(NULL);
}

static void test_leftovers_go(void **state)
{
	char path[128];
	int fd;

	(void)state;
	/* the largest pid of Linux is 2^22: nobody has this one */
	snprintf(path, sizeof path, "%s/result-99999999-1", dir);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	kept_free(kept_new(dir, silent));
	assert_int_equal(files_in_dir(), 0);
}

static void test_the_envelope_around_a_file(void **state)
{
	struct answer answer;
	struct buf body = { 0 };
	struct rendered out;

	(void)state;
	answer_init(&answer);
	answer_set(&answer, 200, 1000, "OK");
	answer.result_file = true;
	answer.file_length = 12345;
	out = answer_render(&answer, FAMILY_A, &body);
	assert_int_equal(out.file, 12345);
	assert_int_equal(out.middle.n, 0);
	assert_string_equal(buf_text(&body), "{\"status\":true,\"code\":1000,\"message\":\"OK\",\"results\":[]}");
	assert_int_equal(out.at, body.len - 2);
	answer_free(&answer);
	buf_free(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_kept_from_the_second_time_on),
		cmocka_unit_test(test_a_cleaned_directory),
		cmocka_unit_test(test_more_than_there_is_room_for),
		cmocka_unit_test(test_where_nothing_can_be_kept),
		cmocka_unit_test(test_leftovers_go),
		cmocka_unit_test(test_the_envelope_around_a_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
