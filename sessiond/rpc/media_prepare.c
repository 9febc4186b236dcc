/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making files fit for WhatsApp (see media_send.h): what plays as it is goes as it is. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/loop.h"
#include "sessiond/rpc/media_send.h"

struct preparing {
	struct media_send *s;
	void (*done)(void *arg, int error);
	void *arg;
};

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
		return content && strcmp(content, "video/mp4") == 0;
	case WA_MEDIA_IMAGE:
	case WA_MEDIA_VIDEO:
	case WA_MEDIA_PTV:
	case WA_MEDIA_AUDIO:
	case WA_MEDIA_DOCUMENT:
		break;
	}
	return true;
}

static void nothing(void *arg)
{
	(void)arg;
}

static void decided(void *arg)
{
	struct preparing *p = arg;
	struct media_send *s = p->s;
	void (*done)(void *arg, int error) = p->done;
	void *done_arg = p->arg;

	free(p);
	done(done_arg, plays(s) ? MEDIA_PREPARE_OK : MEDIA_PREPARE_CANNOT_CONVERT);
}

void media_prepare(struct media_send *s, void (*done)(void *arg, int error), void *arg)
{
	struct preparing *p = xmalloc(sizeof *p);

	*p = (struct preparing){ s, done, arg };
	if (loop_offload(s->request->context->daemon->loop, nothing, decided, p))
		abort();
}
