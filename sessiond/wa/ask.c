/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions on behalf of the host: what their answers have in common. */
#include "sessiond/wa/ask.h"

#include <stdlib.h>

#include "common/mem.h"

int wa_ask_code(struct wa_client *client, const struct wa_node *answer)
{
	const char *text;
	int code = 0;

	if (answer == NULL)
		return wa_client_is_open(client) ? 408 : ASK_GONE;
	if (wa_iq_ok(answer, &code, &text))
		return 0;
	return code != 0 ? code : ASK_STORAGE;
}

struct plain {
	wa_done *done;
	void *arg;
};

static void on_answer(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct plain *p = arg;

	p->done(p->arg, wa_ask_code(client, answer));
	free(p);
}

void wa_ask_done(struct wa_client *client, struct arena *a, struct wa_node *iq, wa_done *done, void *arg)
{
	struct plain *p = xmalloc(sizeof *p);

	*p = (struct plain){ done, arg };
	wa_client_iq(client, a, iq, on_answer, p);
}

const char *wa_ask_text(struct arena *a, const struct wa_node *parent, const char *tag)
{
	struct span content = wa_node_child_content(parent, tag);

	return content.n > 0 ? arena_text(a, content.p, content.n) : NULL;
}
