/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a stanza says about its content. Source: whatsapp-rust (interactive nodes), Baileys and whatsmeow (meta). */
#include "sessiond/wa/extras.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sessiond/wa/e2e.h"

/* How far in the past the business account says that it agreed to be hosted; found by trial by others. */
#define PRIVACY_MODE_AGE_S 77980457

struct extra {
	const char *content;    /* name of the content field */
	void (*add)(struct arena *a, struct wa_node *message, const char *value, int64_t now_s);
	const char *value;
	bool direct_bot;        /* 1:1: marked as a business bot's */
};

static void add_polltype(struct arena *a, struct wa_node *message, const char *value, int64_t now_s)
{
	(void)now_s;
	wa_node_attr(a, wa_node_add_new(a, message, "meta"), "polltype", value);
}

static void add_event_type(struct arena *a, struct wa_node *message, const char *value, int64_t now_s)
{
	(void)now_s;
	wa_node_attr(a, wa_node_add_new(a, message, "meta"), "event_type", value);
}

static void add_native_flow(struct arena *a, struct wa_node *message, const char *value, int64_t now_s)
{
	struct wa_node *biz = wa_node_add_new(a, message, "biz");
	struct wa_node *interactive, *flow;
	char time[24];

	snprintf(time, sizeof time, "%" PRId64, now_s - PRIVACY_MODE_AGE_S);
	wa_node_attr(a, biz, "actual_actors", "2");
	wa_node_attr(a, biz, "host_storage", "2");
	wa_node_attr(a, biz, "privacy_mode_ts", time);
	interactive = wa_node_add_new(a, biz, "interactive");
	wa_node_attr(a, interactive, "type", "native_flow");
	wa_node_attr(a, interactive, "v", "1");
	flow = wa_node_add_new(a, interactive, "native_flow");
	wa_node_attr(a, flow, "v", "9");
	wa_node_attr(a, flow, "name", value);
	wa_node_attr(a, wa_node_add_new(a, biz, "quality_control"), "source_type", "third_party");
}

static void add_list(struct arena *a, struct wa_node *message, const char *value, int64_t now_s)
{
	struct wa_node *list = wa_node_add_new(a, wa_node_add_new(a, message, "biz"), "list");

	(void)now_s;
	wa_node_attr(a, list, "v", "2");
	wa_node_attr(a, list, "type", value);
}

static void add_buttons(struct arena *a, struct wa_node *message, const char *value, int64_t now_s)
{
	(void)now_s;
	wa_node_add_new(a, wa_node_add_new(a, message, "biz"), value);
}

static const struct extra extras[] = {
	{ "pollCreationMessage", add_polltype, "creation", false },
	{ "pollCreationMessageV2", add_polltype, "creation", false },
	{ "pollCreationMessageV3", add_polltype, "creation", false },
	{ "pollCreationMessageV5", add_polltype, "creation", false },
	{ "pollUpdateMessage", add_polltype, "vote", false },
	{ "eventMessage", add_event_type, "creation", false },
	{ "encEventResponseMessage", add_event_type, "response", false },
	{ "interactiveMessage", add_native_flow, "mixed", true },
	{ "listMessage", add_list, "single_select", false },
	{ "buttonsMessage", add_buttons, "buttons", false },
};

void wa_stanza_extras(struct arena *a, struct wa_node *message, struct span plaintext, const struct jid *chat, int64_t now_s)
{
	const char *name = e2e_content_name(plaintext);

	for (size_t i = 0; name && i < sizeof extras / sizeof *extras; i++) {
		if (strcmp(extras[i].content, name) != 0)
			continue;
		if (extras[i].direct_bot && jid_is_person(chat))
			wa_node_attr(a, wa_node_add_new(a, message, "bot"), "biz_bot", "1");
		extras[i].add(a, message, extras[i].value, now_s);
	}
}
