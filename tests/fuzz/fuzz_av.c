/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this finds something, whoever sends a video or a voice note can make conversions fail in ways nobody expects. */
#include "media_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct mediajob jobs[] = {
	{ .task = MEDIAJOB_TASK_PROBE },
	{ .task = MEDIAJOB_TASK_PREPARE, .route = MEDIAJOB_ROUTE_VOICE },
	{ .task = MEDIAJOB_TASK_FRAMES, .frames = { 16, 16, 2, true } },
	{ .task = MEDIAJOB_TASK_PREPARE, .route = MEDIAJOB_ROUTE_GIF },
	{ .task = MEDIAJOB_TASK_PREPARE, .route = MEDIAJOB_ROUTE_VIDEO_NOTE },
	{ .task = MEDIAJOB_TASK_PREPARE, .route = MEDIAJOB_ROUTE_DOCUMENT },
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static int warm;
	struct mediajob job = jobs[len ? bytes[len - 1] % 6 : 0];

	if (!warm++)
		job_warm_up();
	fuzz_job(&job, bytes, len);
	return 0;
}
