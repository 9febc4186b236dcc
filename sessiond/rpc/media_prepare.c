/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making files fit for WhatsApp (see media_send.h): by the caged media worker, or as they are where that plays. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/loop.h"
#include "sessiond/media/media.h"
#include "sessiond/rpc/media_send.h"

struct preparing {
	struct media_send *s;
	enum mediajob_route route;
	int output; /* owned; -1: none */
	int error;
	void (*done)(void *arg, int error);
	void *arg;
};

static enum mediajob_route route_of(const struct media_send *s)
{
	switch (s->media.type) {
	case WA_MEDIA_GIF:
		return MEDIAJOB_ROUTE_GIF;
	case WA_MEDIA_PTV:
		return MEDIAJOB_ROUTE_VIDEO_NOTE;
	case WA_MEDIA_AUDIO:
		return MEDIAJOB_ROUTE_AUDIO;
	case WA_MEDIA_PTT:
		return media_wishes_sound(s->request) ? MEDIAJOB_ROUTE_AUDIO : MEDIAJOB_ROUTE_VOICE;
	case WA_MEDIA_STICKER:
		return MEDIAJOB_ROUTE_STICKER;
	case WA_MEDIA_DOCUMENT:
		return MEDIAJOB_ROUTE_DOCUMENT;
	case WA_MEDIA_IMAGE:
	case WA_MEDIA_VIDEO:
		break;
	}
	return MEDIAJOB_ROUTE_MEDIA;
}

/* True if this content is of a kind that every client plays without conversion. */
static bool plays(const struct media_send *s)
{
	struct span head = span_of(s->input.head, s->input.head_len);
	const char *content = filetype_sniff(head);

	switch (s->media.type) {
	case WA_MEDIA_STICKER:
		return content && strcmp(content, "image/webp") == 0;
	case WA_MEDIA_PTT:
		return filetype_is_opus(head);
	case WA_MEDIA_GIF:
	case WA_MEDIA_PTV:
		return content && strcmp(content, "video/mp4") == 0;
	case WA_MEDIA_IMAGE:
	case WA_MEDIA_VIDEO:
	case WA_MEDIA_AUDIO:
	case WA_MEDIA_DOCUMENT:
		break;
	}
	return true;
}

/* The worker could not be asked: that says nothing about the file. */
static bool is_no_verdict(int error)
{
	return error == MEDIAJOB_E_BUSY || error == MEDIAJOB_E_WORKER || error == MEDIAJOB_E_TIMEOUT || error == MEDIAJOB_E_CANCELLED;
}

static void finish(struct preparing *p, int error)
{
	void (*done)(void *arg, int error) = p->done;
	void *arg = p->arg;

	if (p->output >= 0)
		close(p->output);
	free(p);
	done(arg, error);
}

static uint32_t positive(int n)
{
	return n > 0 ? (uint32_t)n : 0;
}

/* What the worker found out, and made. */
static void take(struct preparing *p, const struct mediajob_result *result)
{
	struct media_prepared *prepared = &p->s->prepared;
	const struct mediajob_info *sent = &result->sent;
	bool names_type = p->route != MEDIAJOB_ROUTE_DOCUMENT && p->route != MEDIAJOB_ROUTE_AUDIO;

	if (!result->unchanged) {
		prepared->fd = p->output;
		p->output = -1;
	}
	if (sent->mime[0] && (names_type || !result->unchanged))
		memcpy(prepared->mime, sent->mime, sizeof sent->mime);
	prepared->width = positive(sent->width);
	prepared->height = positive(sent->height);
	prepared->seconds = positive(sent->seconds);
	prepared->animated = sent->animated;
	prepared->has_waveform = result->has_waveform;
	memcpy(prepared->waveform, result->waveform, sizeof prepared->waveform);
	buf_append(&prepared->thumbnail, result->thumbnail, result->thumbnail_len);
	if (p->route == MEDIAJOB_ROUTE_DOCUMENT) {
		prepared->width = positive(result->thumbnail_width);
		prepared->height = positive(result->thumbnail_height);
	}
}

static void made(void *arg, const struct mediajob_result *result)
{
	struct preparing *p = arg;
	const struct log *log = &p->s->request->context->log;

	if (!result->error) {
		take(p, result);
		finish(p, MEDIA_PREPARE_OK);
		return;
	}
	log_info(log, "a file could not be prepared", LOG_STR("error", mediajob_error_text(result->error)), LOG_STR("reason", result->why));
	if (mediajob_may_send_input(p->route, result) || (is_no_verdict(result->error) && plays(p->s)))
		finish(p, MEDIA_PREPARE_OK);
	else
		finish(p, MEDIA_PREPARE_CANNOT_CONVERT);
}

static void set_options(struct mediajob *job, const struct rpc_request *request)
{
	struct json_object *options = json_object_object_get(request->p, "compression"), *wish = json_object_object_get(request->p, "wish");

	mediajob_options_init(&job->options, request->context->daemon->config);
	if (json_object_is_type(options, json_type_object)) {
		json_object_object_foreach(options, name, value)
			mediajob_options_text(&job->options, job->route, name, json_object_get_string(value));
	}
	job->options.compress = media_compresses(request);
	/* Of actions only: warest.fcgi hands no such parameter over. */
	if (json_object_is_type(wish, json_type_object)) {
		json_object_object_foreach(wish, part, wanted)
			mediajob_wish_text(&job->options, part, json_object_get_string(wanted));
	}
}

static void nothing(void *arg)
{
	(void)arg;
}

static void as_it_is(void *arg)
{
	finish(arg, MEDIA_PREPARE_OK);
}

void media_prepare(struct media_send *s, void (*done)(void *arg, int error), void *arg)
{
	struct daemon *daemon = s->request->context->daemon;
	struct mediajob job = { .task = MEDIAJOB_TASK_PREPARE, .route = route_of(s), .input = s->input.fd, .output = -1 };
	struct preparing *p = xcalloc(1, sizeof *p);
	enum filetype_kind kind = filetype_kind(s->input.mime);

	*p = (struct preparing){ .s = s, .route = job.route, .output = -1, .done = done, .arg = arg };
	/* Of other documents there is no picture to make. */
	if (s->media.type == WA_MEDIA_DOCUMENT && kind != FILETYPE_IMAGE && kind != FILETYPE_VIDEO && kind != FILETYPE_GIF) {
		if (rpc_offload(s->request->context, nothing, as_it_is, p))
			abort();
		return;
	}
	p->output = job.output = mediajob_scratch(daemon->config->state_dir);
	set_options(&job, s->request);
	mediajob_submit(daemon->media, daemon->loop, &job, made, p);
}
