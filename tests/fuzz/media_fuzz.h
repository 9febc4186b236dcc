/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the fuzz targets of media jobs share: one job in this process, with limits that keep a run short. */
#ifndef TESTS_FUZZ_MEDIA_FUZZ_H
#define TESTS_FUZZ_MEDIA_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sessiond/media/job.h"
#include "sessiond/media/wire.h"

enum { FUZZ_PIXELS = 128 * 128, FUZZ_OUTPUT = 1 << 20 };

static inline int fuzz_file(const void *bytes, size_t len)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	return fd;
}

/* A job must end in a result that is within its bounds already, whatever it was given. */
static inline void fuzz_job(struct mediajob *job, const uint8_t *bytes, size_t len)
{
	static struct mediajob_result result, clean;
	int input = fuzz_file(bytes, len), output = fuzz_file("", 0);

	mediajob_options_init(&job->options, NULL);
	job->options.image.min_bytes = job->options.video.min_bytes = 0;
	job->options.image.max_dimension = job->options.video.max_width = 16;
	job->options.video.preset = 0;
	job->max_pixels = FUZZ_PIXELS;
	job->max_output_bytes = FUZZ_OUTPUT;
	wire_job_clean(job);
	job_run(job, input, output, &result);
	clean = result;
	wire_result_clean(&clean);
	if (clean.error != result.error || clean.thumbnail_len != result.thumbnail_len || clean.parts != result.parts ||
	    clean.sent.width != result.sent.width || memcmp(clean.waveform, result.waveform, sizeof clean.waveform) != 0)
		abort();
	if (result.error > 0 || (result.error && !mediajob_error_text(result.error)[0]))
		abort();
	if (lseek(output, 0, SEEK_END) > FUZZ_OUTPUT)
		abort();
	close(input);
	close(output);
}

#endif
