/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * If this fails, a hostile message takes the daemon down, or its webhook is no JSON. The input is a serialized Message; with first byte
 * odd it is a stored record of a message that waits for its media; with bit 3 it is JSON that WhatsApp answered about channels.
 */
#include <stdlib.h>

#include <json-c/json.h>

#include "sessiond/session/channels.h"
#include "sessiond/session/content.h"
#include "sessiond/session/messagekind.h"
#include "sessiond/session/mirror.h"
#include "sessiond/session/normalise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(struct buf *payload)
{
	struct json_tokener *tokener = json_tokener_new_ex(128);
	struct json_object *json = json_tokener_parse_ex(tokener, buf_text(payload), (int)payload->len);

	if (json == NULL)
		abort();
	json_object_put(json);
	json_tokener_free(tokener);
}

static void tell(const struct wa_message *m, bool legacy)
{
	static char *commands[] = { (char *)(uintptr_t)"menu" };
	const struct config config = { .compat_legacy_content = legacy, .compat_long_objects = legacy, .compat_protocol_copies = true,
				       .commands = { .items = commands, .count = 1 } };
	const struct content_file files[] = { { .url = "https://x/y", .key = "k", .driver = "local" }, { .error = "gone" } };
	struct normalised n;

	for (size_t i = 0; i < 3; i++) {
		normalise(&n, "sales", &config, m, i < 2 ? &files[i] : NULL);
		if (n.kind)
			check_json(&n.payload);
		if (n.kind2)
			check_json(&n.payload2);
		normalised_free(&n);
	}
}

static void look_at_file(const struct wa_message *m)
{
	struct transfer_file file;
	struct content c;

	content_read(&c, buf_span(&m->plaintext), false);
	if (mirror_file_of(&c, &file))
		transfer_file_free(&file);
	content_free(&c);
}

/* A channel is shown as JSON, a refusal has a code and a text. */
static void look_at_channels(struct span json)
{
	char error[200] = "";
	struct json_object *value = NULL;
	struct buf out = { 0 };
	int code = mex_read(json, "x", &value, error, sizeof error);

	if (code < 0 || (code != 0 && (error[0] == '\0' || value)))
		abort();
	if (channel_json(&out, value))
		check_json(&out);
	json_object_put(value);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wa_message m = { .id = (char *)(uintptr_t)"3EB0", .target = (char *)(uintptr_t)"3EB0B014", .time_ms = 1767225600000 };
	struct wa_message *stored;
	bool told;

	if (size < 1)
		return 0;
	if (data[0] & 8) {
		look_at_channels(span_of(data + 1, size - 1));
		return 0;
	}
	if (data[0] & 1) {
		stored = mirror_read(span_of(data + 1, size - 1), &told);
		if (stored)
			tell(stored, false);
		mirror_message_free(stored);
		return 0;
	}
	jid_parse_text(&m.chat, data[0] & 2 ? "120363@g.us" : "111@s.whatsapp.net");
	jid_parse_text(&m.sender, "911:2@lid");
	buf_append(&m.plaintext, data + 1, size - 1);
	if (!message_kind_name(message_kind_of(buf_span(&m.plaintext))))
		abort();
	tell(&m, data[0] & 4);
	look_at_file(&m);
	buf_free(&m.plaintext);
	return 0;
}
