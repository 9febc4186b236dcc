/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tasks of a job, see job.h. */
#include "sessiond/media/job.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sessiond/media/av.h"

enum { FRAME_QUALITY = 80 };

/* ---- images ---- */

static enum mediajob_format same_format(const struct work *w)
{
	return w->sniffed == SNIFF_JPEG ? MEDIAJOB_FORMAT_JPEG : w->sniffed == SNIFF_WEBP ? MEDIAJOB_FORMAT_WEBP : MEDIAJOB_FORMAT_PNG;
}

static int convert_image(struct work *w)
{
	const struct mediajob_image *want = &w->job->image;
	struct still_format format = { .format = want->format ? want->format : same_format(w), .quality = want->quality, .png_level = 6, .webp_effort = 4,
				       .palette = want->quality < 100 };
	struct mediajob_info *sent = &w->result->sent;
	struct buf made = { 0 };
	struct still *still;
	int error;

	if (image_probe(w) || still_open(w, 0, &still))
		return w->result->error;
	if (format.format == MEDIAJOB_FORMAT_JPEG)
		still_flatten(w, still);
	error = still_resize(w, still, want->width, want->height, want->fit, format.format == MEDIAJOB_FORMAT_JPEG);
	if (!error)
		error = still_encode(w, still, &format, &made);
	if (!error)
		error = work_write(w, made.data, made.len);
	if (!error) {
		*sent = (struct mediajob_info){ .kind = MEDIAJOB_IMAGE, .width = still_width(still), .height = still_height(still), .bytes = (int64_t)made.len };
		info_set_mime(sent, format.format == MEDIAJOB_FORMAT_JPEG ? "image/jpeg" : format.format == MEDIAJOB_FORMAT_WEBP ? "image/webp" : "image/png");
	}
	still_close(still);
	buf_free(&made);
	return error;
}

/* ---- thumbnails ---- */

static int add_frame(struct work *w, struct still *still, enum mediajob_fit fit, struct buf *all)
{
	const struct still_format format = { .format = MEDIAJOB_FORMAT_JPEG, .quality = FRAME_QUALITY };
	struct mediajob_result *result = w->result;
	size_t before = all->len;

	if (still_flatten(w, still) || still_resize(w, still, w->job->frames.width, w->job->frames.height, fit, true) || still_encode(w, still, &format, all))
		return result->error;
	result->part[result->parts++] = (int64_t)(all->len - before);
	return 0;
}

static int image_frame(struct work *w, struct buf *all)
{
	const struct mediajob_frames *want = &w->job->frames;
	struct still *still;
	int error;

	if (image_probe(w) || still_open(w, 2 * (want->width > want->height ? want->width : want->height), &still))
		return w->result->error;
	error = add_frame(w, still, MEDIAJOB_FIT_COVER, all);
	still_close(still);
	return error;
}

static int video_frames(struct work *w, struct buf *all)
{
	int count = w->job->frames.count, error;
	struct av_in in;

	if (av_open(w, &in))
		return w->result->error;
	error = in.tracks[AV_VIDEO].stream < 0 ? work_fail(w, MEDIAJOB_E_UNSUPPORTED, "there is no picture in it") : av_describe(&in);
	for (int i = 1; !error && i <= count; i++) {
		struct still *still;

		error = frames_at(&in, w->result->input.duration_ms * i / (count + 1), &still);
		if (!error)
			error = add_frame(w, still, MEDIAJOB_FIT_FILL, all);
		still_close(still);
	}
	av_close(&in);
	return error;
}

static int make_frames(struct work *w)
{
	struct buf all = { 0 };
	int error = w->job->frames.video ? video_frames(w, &all) : image_frame(w, &all);

	if (!error)
		error = work_write(w, all.data, all.len);
	if (!error) {
		w->result->sent = (struct mediajob_info){ .kind = MEDIAJOB_IMAGE, .width = w->job->frames.width, .height = w->job->frames.height, .bytes = (int64_t)all.len };
		info_set_mime(&w->result->sent, "image/jpeg");
	}
	buf_free(&all);
	return error;
}

/* ---- misbehaviour for tests ---- */

static int misbehave(struct work *w)
{
	static const char byte = 0;
	volatile unsigned turns = 0;
	char *p;
	int n = 0;

	switch (w->job->hook) {
	case MEDIAJOB_HOOK_CRASH:
		abort();
	case MEDIAJOB_HOOK_OPEN:
		n = open("/etc/hostname", O_RDONLY);
		return n >= 0 ? 0 : work_fail(w, MEDIAJOB_E_CAGE, "no path can be opened");
	case MEDIAJOB_HOOK_SOCKET:
		n = socket(AF_INET, SOCK_STREAM, 0);
		return n >= 0 ? 0 : work_fail(w, MEDIAJOB_E_CAGE, "no socket can be made");
	case MEDIAJOB_HOOK_FORK:
		n = (int)fork();
		if (n == 0)
			_exit(EXIT_SUCCESS);
		return n > 0 ? 0 : work_fail(w, MEDIAJOB_E_CAGE, "no process can be made");
	case MEDIAJOB_HOOK_SPIN:
		for (;;)
			turns++;
	case MEDIAJOB_HOOK_MEMORY:
		for (; n < 4096; n++) {
			p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (p == MAP_FAILED)
				return work_fail(w, MEDIAJOB_E_LIMIT, "not enough memory");
			memset(p, 1, 1 << 20);
		}
		return 0;
	case MEDIAJOB_HOOK_OUTPUT:
		while (pwrite(w->output, &byte, 1, (off_t)n << 20) == 1)
			n++;
		return work_fail(w, MEDIAJOB_E_OUTPUT, "the output takes no more");
	}
	return work_fail(w, MEDIAJOB_E_UNSUPPORTED, "no such hook");
}

/* ---- the table ---- */

static int (*const tasks[])(struct work *w) = {
	[MEDIAJOB_TASK_PROBE] = probe_input, [MEDIAJOB_TASK_PREPARE] = prepare_run, [MEDIAJOB_TASK_IMAGE] = convert_image,
	[MEDIAJOB_TASK_FRAMES] = make_frames, [MEDIAJOB_TASK_HOOK] = misbehave,
};

void job_run(const struct mediajob *job, int input, int output, struct mediajob_result *result)
{
	struct work w = { .job = job, .result = result, .output = output };

	memset(result, 0, sizeof *result);
	if ((unsigned)job->task >= sizeof tasks / sizeof *tasks)
		work_fail(&w, MEDIAJOB_E_UNSUPPORTED, "no such task");
	else if (job->task == MEDIAJOB_TASK_HOOK || !source_open(&w, input))
		tasks[job->task](&w);
	source_close(&w.source);
	if (!result->error)
		result->why[0] = '\0';
}

void job_warm_up(void)
{
	av_warm_up();
	image_warm_up();
}
