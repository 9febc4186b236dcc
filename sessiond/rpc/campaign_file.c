/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of campaigns, until a campaign holds them (see campaign_file.h). */
#include "sessiond/rpc/campaign_file.h"

#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/rpc/media_input.h"
#include "sessiond/rpc/media_send.h"
#include "sessiond/storage/storage.h"

/* How long a file waits for its campaign. */
enum { ORPHAN_MS = 3600 * 1000 };

struct taking {
	struct rpc_request *request;
	const char *method;       /* borrowed from the request, as the next */
	struct json_object *p;
	struct media_input input;
	void (*done)(void *arg, const char *key);
	void *arg;
};

static void finished(struct taking *t)
{
	media_input_free(&t->input);
	free(t);
}

static void refuse(struct taking *t, int status, int code, const char *text)
{
	struct rpc_request *request = t->request;

	finished(t);
	rpc_answer(request, status, code, text, NULL);
}

static void stored(void *arg, int error, const char *text, const struct storage_object *object)
{
	struct taking *t = arg;
	struct json_object *input;

	(void)text;
	if (error) {
		refuse(t, error == STORAGE_FULL ? 507 : 500, 8000, error == STORAGE_FULL ? "No space left for files" : "The file cannot be stored");
		return;
	}
	input = json_object_new_object();
	json_object_object_add(input, "stored", json_object_new_string(object->key));
	json_object_object_add(input, "name", json_object_new_string(t->input.name));
	json_object_object_add(input, "type", json_object_new_string(t->input.mime));
	json_object_object_add(input, "size", json_object_new_int64((int64_t)t->input.size));
	json_object_object_add(t->p, "input", input);
	t->done(t->arg, object->key);
	finished(t);
}

static void ready(void *arg, struct media_input *input)
{
	struct taking *t = arg;
	const struct daemon *daemon = t->request->context->daemon;
	const struct storage_meta meta = { .folder = "campaigns", .session = t->request->session_id, .mime = input->mime, .file_name = input->name,
		.size = -1, .visibility = STORAGE_PRIVATE, .ttl_ms = ORPHAN_MS };
	char text[MEDIA_FAULT_MAX];
	int code = 0, status = media_send_fault(t->method, input, t->p, text, &code);

	if (status)
		refuse(t, status, code, text);
	else
		storage_put(daemon->storage, daemon->loop, input->fd, &meta, stored, t);
}

void campaign_file_take(struct rpc_request *request, struct json_object *content, void (*done)(void *arg, const char *key), void *arg)
{
	const char *method = json_object_get_string(json_object_object_get(content, "method"));
	struct json_object *p = json_object_object_get(content, "p"), *item = json_object_object_get(p, "input");
	const char *stem = method ? media_send_stem(method) : NULL;
	struct taking *t;

	if (!item || !stem) {
		done(arg, NULL);
		return;
	}
	t = xcalloc(1, sizeof *t);
	*t = (struct taking){ .request = request, .method = method, .p = p, .done = done, .arg = arg };
	media_input_get(&t->input, request, item, (uint64_t)request->context->daemon->config->media_per_file_mb << 20, stem, ready, t);
}
