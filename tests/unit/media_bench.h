/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A media worker for tests, which runs one job at a time. After cmocka.h and what it needs. */
#ifndef TESTS_UNIT_MEDIA_BENCH_H
#define TESTS_UNIT_MEDIA_BENCH_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "sessiond/loop.h"
#include "sessiond/media/media.h"

#define SEEDS TEST_VECTORS_DIR "/../fuzz/seeds/"

enum { TIMEOUT_MS = 120000, SHORT_MS = 300 };

struct bench {
	struct loop *loop;
	struct log log;
	struct mediajobs *media;
	int output;                 /* of the last job */
	int waiting;
	struct mediajob_result result; /* of the last job */
};

static struct bench bench;

static int start(void **state)
{
	char *program = mediajob_find_program(NULL);
	const struct mediajob_settings settings = { .program = program, .workers = 2, .queue = 8, .timeout_ms = TIMEOUT_MS, .hooks = true, .nice = 0 };

	(void)state;
	bench.loop = loop_new("test");
	bench.media = mediajobs_new(bench.loop, &bench.log, &settings);
	bench.output = -1;
	free(program);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	mediajobs_stop(bench.media);
	mediajobs_free(&bench.media);
	loop_free(bench.loop);
	if (bench.output >= 0)
		close(bench.output);
	/* no zombie, no orphan of ours */
	return waitpid(-1, NULL, WNOHANG) == -1 ? 0 : -1;
}

static void on_done(void *arg, const struct mediajob_result *result)
{
	struct bench *b = arg;

	b->result = *result;
	b->waiting--;
}

static uint64_t submit(const struct mediajob *job)
{
	bench.waiting++;
	return mediajob_submit(bench.media, bench.loop, job, on_done, &bench);
}

static void wait_for(int left)
{
	while (bench.waiting > left)
		uv_run(loop_uv(bench.loop), UV_RUN_ONCE);
}

static int memory_file(const void *bytes, size_t n)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	return fd;
}

static int seed(const char *name)
{
	char path[512];
	int fd;

	snprintf(path, sizeof path, SEEDS "%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s is missing", path);
	return fd;
}

/* Runs one job; takes the input. */
static const struct mediajob_result *run(struct mediajob *job, int input)
{
	if (bench.output >= 0)
		close(bench.output);
	bench.output = memory_file("", 0);
	job->input = input;
	job->output = bench.output;
	if (!job->options.video.max_width)
		mediajob_options_init(&job->options, NULL);
	submit(job);
	close(input);
	wait_for(0);
	return &bench.result;
}

static const struct mediajob_result *prepare(enum mediajob_route route, const char *name)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_PREPARE, .route = route };

	return run(&job, seed(name));
}

static void expect(int error)
{
	if (bench.result.error != error)
		fail_msg("%d (%s) %s", bench.result.error, mediajob_error_text(bench.result.error), bench.result.why);
}

/* What the output of the last job really is. */
static struct mediajob_info output_info(void)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_PROBE, .input = bench.output, .output = -1 };

	submit(&job);
	wait_for(0);
	expect(MEDIAJOB_OK);
	return bench.result.input;
}

#endif
