/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Single pictures out of films, see av.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/media/av.h"

/* Turned clockwise by 90, 180 or 270 degrees into another buffer. */
static void turn(const uint8_t *from, uint8_t *to, int width, int height, int degrees)
{
	for (int y = 0; y < height; y++) {
		for (int x = 0; x < width; x++) {
			int tx = degrees == 90 ? height - 1 - y : degrees == 180 ? width - 1 - x : y;
			int ty = degrees == 90 ? x : degrees == 180 ? height - 1 - y : width - 1 - x;
			int stride = degrees == 180 ? width : height;

			memcpy(to + ((size_t)ty * (size_t)stride + (size_t)tx) * 4, from + ((size_t)y * (size_t)width + (size_t)x) * 4, 4);
		}
	}
}

struct still *av_still(struct av_in *in, const AVFrame *frame)
{
	assert(frame->width > 0 && frame->height > 0);

	int width = frame->width, height = frame->height;
	size_t bytes = (size_t)width * (size_t)height * 4;
	/* swscale writes whole vectors: room behind the last line */
	uint8_t *rgba = av_malloc(bytes + 64), *turned = in->turned ? malloc(bytes) : NULL;
	uint8_t *planes[4] = { rgba };
	const int strides[4] = { width * 4 };
	struct SwsContext *sws = sws_getContext(width, height, (enum AVPixelFormat)frame->format, width, height, AV_PIX_FMT_RGBA, SWS_BILINEAR, NULL, NULL, NULL);
	struct still *still = NULL;

	if (rgba && sws && (turned || !in->turned) && sws_scale(sws, (const uint8_t *const *)frame->data, frame->linesize, 0, height, planes, strides) > 0) {
		if (in->turned)
			turn(rgba, turned, width, height, in->turned);
		if (in->turned % 180)
			still = still_of_rgba(turned, height, width);
		else
			still = still_of_rgba(in->turned ? turned : rgba, width, height);
	}
	sws_freeContext(sws);
	av_free(rgba);
	free(turned);
	return still;
}

int frames_at(struct av_in *in, int64_t ms, struct still **out)
{
	AVFrame *frame = av_frame_alloc(), *last = av_frame_alloc();
	int track, rc = 0, error = 0;

	*out = NULL;
	if (!frame || !last)
		error = work_fail(in->w, MEDIAJOB_E_LIMIT, "not enough memory");
	assert(error || (frame && last));
	if (!error && !in->tracks[AV_VIDEO].decoder)
		error = av_decode(in, AV_VIDEO);
	if (!error)
		av_seek(in, ms);
	while (!error && (rc = av_next(in, frame, &track)) > 0) {
		if (track != AV_VIDEO)
			continue;
		av_frame_unref(last);
		av_frame_move_ref(last, frame);
		if (av_frame_ms(in, AV_VIDEO, last) >= ms)
			break;
	}
	if (!error && rc < 0)
		error = rc;
	if (!error && !last->width)
		error = work_fail(in->w, MEDIAJOB_E_INPUT, "there is no picture in it");
	if (!error) {
		*out = av_still(in, last);
		if (!*out)
			error = work_fail(in->w, MEDIAJOB_E_LIMIT, "not enough memory");
	}
	av_frame_free(&frame);
	av_frame_free(&last);
	return error;
}
