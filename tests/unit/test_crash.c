/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, one poisonous message stops the gateway at every start, or good messages are refused after a power cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sessiond/crash.h"

static char path[] = "/tmp/warest-crash-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || close(fd) ? -1 : 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

/* A process that decodes and ends without a regular close. */
static void live(const char *name, int mark)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct crash *crash = crash_open(path);

		crash_decoding(crash, 0, "other", "harmless");
		crash_decoding(crash, 0, "other", NULL);
		crash_decoding(crash, 3, "shop", name);
		if (mark)
			crash_mark(crash);
		_exit(crash ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void only_a_crash_makes_suspects(void **state)
{
	struct crash *crash;

	(void)state;
	live("chat/3EB0AA", 0);
	crash = crash_open(path);
	assert_null(crash_suspect(crash, "shop"));
	crash_close(crash);
	live("chat/3EB0AA", 1);
	crash = crash_open(path);
	assert_string_equal(crash_suspect(crash, "shop"), "chat/3EB0AA");
	assert_null(crash_suspect(crash, "other"));
	crash_close(crash);
	/* the suspicion is for one life */
	crash = crash_open(path);
	assert_null(crash_suspect(crash, "shop"));
	crash_close(crash);
}

static void long_names_and_odd_files_do_no_harm(void **state)
{
	struct crash *crash;
	char name[1000];

	(void)state;
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	live(name, 1);
	crash = crash_open(path);
	assert_int_equal(strlen(crash_suspect(crash, "shop")), CRASH_NAME_MAX - 1);
	crash_decoding(crash, CRASH_SLOTS, "x", "y");
	crash_decoding(NULL, 0, "x", "y");
	crash_close(crash);
	assert_null(crash_open("/nowhere/at/all"));
	assert_null(crash_suspect(NULL, "x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(only_a_crash_makes_suspects), cmocka_unit_test(long_names_and_odd_files_do_no_harm) };

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
