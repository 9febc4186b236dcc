/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See square_picture.h. */
#include "sessiond/rpc/square_picture.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/appcode.h"
#include "common/limits.h"
#include "common/mem.h"
#include "sessiond/media/media.h"
#include "sessiond/rpc/media_input.h"

/* As Baileys makes them (Utils/messages-media.ts). */
enum { SIDE = 640, QUALITY = 50, MAX_BYTES = 1 << 20 };

struct square_picture {
	struct rpc_request *request; /* borrowed */
	struct media_input input;
	int output;                  /* owned */
	square_picture_done *done;
	void *arg;
};

void square_picture_free(struct square_picture *p)
{
	if (!p)
		return;
	media_input_free(&p->input);
	if (p->output >= 0)
		close(p->output);
	free(p);
}

static void refuse(struct square_picture *p, int status, int code, const char *text)
{
	rpc_answer(p->request, status, code, text, NULL);
}

static void deliver(struct square_picture *p, size_t bytes)
{
	uint8_t *jpeg = xmalloc(bytes + 1);

	if (bytes == 0 || pread(p->output, jpeg, bytes, 0) != (ssize_t)bytes)
		refuse(p, 500, 8000, "Internal error");
	else
		p->done(p->arg, span_of(jpeg, bytes));
	free(jpeg);
}

static void converted(void *arg, const struct mediajob_result *result)
{
	struct square_picture *p = arg;

	switch (result->error) {
	case MEDIAJOB_OK:
		deliver(p, (size_t)result->sent.bytes);
		break;
	case MEDIAJOB_E_BUSY:
	case MEDIAJOB_E_WORKER:
		refuse(p, 503, 8001, "The media worker is not available");
		break;
	case MEDIAJOB_E_OUTPUT:
	case MEDIAJOB_E_CANCELLED:
		refuse(p, 500, 8000, "Internal error");
		break;
	default:
		refuse(p, 400, 2002, "picture is invalid or unreadable");
	}
}

static void got(void *arg, struct media_input *input)
{
	struct square_picture *p = arg;
	struct daemon *daemon = p->request->context->daemon;
	struct mediajob job = {
		.task = MEDIAJOB_TASK_IMAGE,
		.image = { .width = SIDE, .height = SIDE, .fit = MEDIAJOB_FIT_COVER, .format = MEDIAJOB_FORMAT_JPEG, .quality = QUALITY },
		.max_output_bytes = MAX_BYTES,
	};

	if (input->error == INPUT_TOO_LARGE) {
		refuse(p, 413, 2006, "input exceeds limit (50.0 MB)");
		return;
	}
	if (input->error == INPUT_PROXY) {
		refuse(p, 502, APP_NETWORK_ERROR, INPUT_PROXY_TEXT);
		return;
	}
	if (input->error && input->error != INPUT_SYSTEM) {
		refuse(p, 400, 2002, "picture is invalid or unreadable");
		return;
	}
	p->output = input->error ? -1 : mediajob_scratch(daemon->config->state_dir);
	if (p->output < 0) {
		refuse(p, 500, 8000, "Internal error");
		return;
	}
	job.input = input->fd;
	job.output = p->output;
	mediajob_submit(daemon->media, daemon->loop, &job, converted, p);
}

struct square_picture *square_picture_get(struct rpc_request *request, square_picture_done *done, void *arg)
{
	struct square_picture *p = xcalloc(1, sizeof *p);

	*p = (struct square_picture){ .request = request, .output = -1, .done = done, .arg = arg };
	media_input_get(&p->input, request, json_object_object_get(request->p, "input"), LIMIT_MISC_FILE_BYTES, "picture", got, p);
	return p;
}
