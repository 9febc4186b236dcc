/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this finds something, whoever sends a picture can make conversions fail in ways nobody expects. */
#include "media_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct mediajob jobs[] = {
	{ .task = MEDIAJOB_TASK_PREPARE, .route = MEDIAJOB_ROUTE_MEDIA },
	{ .task = MEDIAJOB_TASK_IMAGE, .image = { 8, 8, MEDIAJOB_FIT_CONTAIN, MEDIAJOB_FORMAT_WEBP, 50 } },
	{ .task = MEDIAJOB_TASK_FRAMES, .frames = { 16, 16, 1, false } },
	{ .task = MEDIAJOB_TASK_PROBE },
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static int warm;
	struct mediajob job = jobs[len ? bytes[len - 1] % 4 : 0];

	if (!warm++)
		job_warm_up();
	/* Pictures only: films have a target of their own. */
	if (len < 12 || (memcmp(bytes, "GIF8", 4) != 0 && memcmp(bytes, "RIFF", 4) != 0 && memcmp(bytes, "BM", 2) != 0 && memcmp(bytes, "II*", 3) != 0 &&
				memcmp(bytes, "\x89PNG", 4) != 0 && memcmp(bytes, "\xff\xd8", 2) != 0))
		return -1;
	fuzz_job(&job, bytes, len);
	return 0;
}
