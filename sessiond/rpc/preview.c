/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Link previews (see preview.h). What cannot be had, or says nothing, is left out. */
#include "sessiond/rpc/preview.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/htmlmeta.h"
#include "common/mem.h"
#include "sessiond/net/http.h"
#include "sessiond/rpc/media_send.h"

enum { TIMEOUT_MS = 3000, PAGE_BYTES = 256 * 1024, IMAGE_BYTES = 2 * 1024 * 1024 };

struct preview {
	struct rpc_request *request;
	preview_done *done;
	void *arg;
	char *link;               /* owned */
	struct htmlmeta meta;     /* owned contents */
	struct http_call *call;
	struct media_send picture; /* input and prepared are used */
	struct json_object *item; /* owned: describes the picture */
};

static void finish(struct preview *p)
{
	struct wa_preview preview = { .matched_text = p->link, .thumbnail = buf_span(&p->picture.prepared.thumbnail) };

	if (p->meta.title.len)
		preview.title = buf_text(&p->meta.title);
	if (p->meta.description.len)
		preview.description = buf_text(&p->meta.description);
	p->done(p->arg, preview.title ? &preview : NULL);
	media_input_free(&p->picture.input);
	media_prepared_free(&p->picture.prepared);
	htmlmeta_free(&p->meta);
	json_object_put(p->item);
	free(p->link);
	free(p);
}

/* ---- the picture ---- */

static void scaled(void *arg, int error)
{
	(void)error;
	finish(arg);
}

static void picture_got(void *arg, struct media_input *input)
{
	struct preview *p = arg;

	if (input->error || filetype_kind(input->mime) != FILETYPE_IMAGE)
		finish(p);
	else
		media_prepare(&p->picture, scaled, p);
}

static void fetch_picture(struct preview *p)
{
	const char *address = buf_text(&p->meta.image);

	if (!p->meta.title.len || !p->meta.image.len || !http_url_is_valid(address)) {
		finish(p);
		return;
	}
	p->item = json_object_new_object();
	json_object_object_add(p->item, "url", json_object_new_string(address));
	p->picture.request = p->request;
	/* As it is for documents: the bytes stay as they are, only the small picture is made. */
	p->picture.media.type = WA_MEDIA_DOCUMENT;
	media_input_get(&p->picture.input, p->request, p->item, IMAGE_BYTES, "image", picture_got, p);
}

/* ---- the page ---- */

static void page_fetched(void *arg, const struct http_answer *answer)
{
	struct preview *p = arg;

	p->call = NULL;
	if (!answer->error && answer->status == 200 && strncasecmp(answer->type, "text/html", 9) == 0)
		htmlmeta_read(&p->meta, answer->body);
	fetch_picture(p);
}

void preview_get(struct rpc_request *request, struct span text, preview_done *done, void *arg)
{
	const struct daemon *daemon = request->context->daemon;
	struct span link = htmlmeta_first_link(text);
	struct http_request get = { .timeout_ms = TIMEOUT_MS, .max_answer = PAGE_BYTES, .guard = daemon->guard, .follow = true, .follow_get = true };
	struct preview *p;

	if (!daemon->config->link_preview || !rpc_param_bool(request, "linkPreview") || !link.n || rpc_param_bool(request, "dry_run")) {
		done(arg, NULL);
		return;
	}
	p = xcalloc(1, sizeof *p);
	p->request = request;
	p->done = done;
	p->arg = arg;
	p->link = xstrndup((const char *)link.p, link.n);
	p->picture.input.fd = p->picture.prepared.fd = -1;
	get.url = p->link;
	media_input_way(request, &get);
	if (!http_url_is_valid(get.url) || http_send(&p->call, daemon->net, &get, page_fetched, p))
		finish(p);
}
