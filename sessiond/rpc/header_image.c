/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See header_image.h. */
#include "sessiond/rpc/header_image.h"

#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/rpc/media_send.h"

struct header_image {
	struct media_send send;   /* without a route */
	struct json_object *item; /* owned: what describes the input */
	header_image_done *done;
	void *arg;
};

static void finish(struct header_image *h, const struct span *image)
{
	header_image_done *done = h->done;
	void *arg = h->arg;

	done(arg, image);
	media_input_free(&h->send.input);
	media_prepared_free(&h->send.prepared);
	transfer_file_free(&h->send.upload.file);
	json_object_put(h->item);
	free(h);
}

static void go_without(struct header_image *h, const char *reason)
{
	const struct span none = span_of(NULL, 0);

	log_info(&h->send.request->context->log, "a message goes without its picture", LOG_STR("session", h->send.request->session_id),
		 LOG_STR("reason", reason));
	finish(h, &none);
}

static void uploaded(struct upload_job *job)
{
	struct header_image *h = job->arg;
	struct buf message = { 0 };
	struct span image;

	if (job->error) {
		go_without(h, transfer_error_name(job->error));
		return;
	}
	media_message(&message, &h->send.media, &job->file, h->send.mime, &h->send.prepared);
	image = buf_span(&message);
	finish(h, &image);
	buf_wipe(&message);
}

static void prepared(void *arg, int error)
{
	struct header_image *h = arg;
	struct media_send *s = &h->send;
	struct session_entry *entry;

	if (error) {
		go_without(h, "it cannot be shown");
		return;
	}
	entry = rpc_session(s->request);
	if (!entry) {
		finish(h, NULL);
		return;
	}
	s->mime = s->prepared.mime[0] ? s->prepared.mime : s->input.mime;
	s->upload.kind = TRANSFER_IMAGE;
	s->upload.fd = s->prepared.fd >= 0 ? s->prepared.fd : s->input.fd;
	s->upload.max_len = s->input.limit;
	s->upload.done = uploaded;
	s->upload.arg = h;
	sessions_upload(s->request->context->daemon->sessions, entry, &s->upload);
}

static void got(void *arg, struct media_input *input)
{
	struct header_image *h = arg;

	if (input->error)
		go_without(h, input->error == INPUT_TOO_LARGE ? "it is too large" : "it cannot be had");
	else if (filetype_kind(input->mime) != FILETYPE_IMAGE)
		go_without(h, "it is no image");
	else
		media_prepare(&h->send, prepared, h);
}

/* What describes the picture; NULL: there is none. Owned by the caller. */
static struct json_object *item_of(const struct rpc_request *request)
{
	const char *fallback = request->context->daemon->config->interactive_default_image;
	struct json_object *item = NULL;

	if (json_object_object_get_ex(request->p, "input", &item))
		return json_object_is_type(item, json_type_object) ? json_object_get(item) : NULL;
	if (!fallback || !fallback[0])
		return NULL;
	item = json_object_new_object();
	json_object_object_add(item, "url", json_object_new_string(fallback));
	return item;
}

void header_image_get(struct rpc_request *request, header_image_done *done, void *arg)
{
	const struct config *config = request->context->daemon->config;
	const struct span none = span_of(NULL, 0);
	struct json_object *item = item_of(request);
	struct header_image *h;

	if (!item) {
		done(arg, &none);
		return;
	}
	h = xcalloc(1, sizeof *h);
	*h = (struct header_image){ .item = item, .done = done, .arg = arg };
	h->send.request = request;
	h->send.prepared.fd = -1;
	h->send.media.type = WA_MEDIA_IMAGE;
	media_input_get(&h->send.input, request, item, (uint64_t)config->media_per_file_mb << 20, "image", got, h);
}
