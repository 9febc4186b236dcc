/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages of uploaded files, and what their answers say (see media_send.h). */
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "common/timefmt.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/media_send.h"

void media_prepared_free(struct media_prepared *prepared)
{
	if (prepared->fd >= 0)
		close(prepared->fd);
	prepared->fd = -1;
	buf_free(&prepared->thumbnail);
}

void media_message(struct buf *out, const struct wa_media *media, const struct transfer_file *file, const char *mime, const struct media_prepared *prepared)
{
	struct wa_media m = *media;

	m.url = file->url;
	m.direct_path = file->direct_path;
	m.mimetype = mime;
	m.key = file->encrypted ? file->key : NULL;
	m.plain_hash = file->plain_hash;
	m.blob_hash = file->blob_hash;
	m.length = file->length;
	m.key_time_s = file->key_time_s;
	m.width = prepared->width;
	m.height = prepared->height;
	m.seconds = prepared->seconds;
	m.animated = prepared->animated;
	m.thumbnail = m.type == WA_MEDIA_STICKER ? span_of(NULL, 0) : buf_span(&prepared->thumbnail);
	if (prepared->has_waveform)
		m.waveform = span_of(prepared->waveform, sizeof prepared->waveform);
	if (m.type == WA_MEDIA_STICKER)
		m.sent_ms = timefmt_now_ms();
	wa_build_media(out, &m);
}

/* enable inside the options overrides the switch. */
bool media_compresses(const struct rpc_request *request)
{
	struct json_object *options = json_object_object_get(request->p, "compression");
	struct json_object *enable = json_object_object_get(options, "enable");
	const char *word;

	if (!request->context->daemon->config->compress_enabled)
		return false;
	if (!enable)
		return rpc_param_bool(request, "compress");
	if (!json_object_is_type(enable, json_type_string))
		return json_object_get_boolean(enable);
	word = json_object_get_string(enable);
	return strcasecmp(word, "true") == 0 || strcasecmp(word, "yes") == 0 || strcasecmp(word, "on") == 0 || strcasecmp(word, "y") == 0 ||
	       (word[0] == '1' && !word[1]);
}

bool media_wishes_sound(const struct rpc_request *request)
{
	return json_object_object_get(json_object_object_get(request->p, "wish"), "sound") != NULL;
}

void media_put_compression(struct buf *out, const struct rpc_request *request)
{
	struct json_object *options = json_object_object_get(request->p, "compression");

	if (!media_compresses(request))
		return;
	json_put_name(out, "compression");
	buf_append_text(out, "{\"enable\":true");
	if (json_object_is_type(options, json_type_object)) {
		json_object_object_foreach(options, name, value)
		{
			if (strcasecmp(name, "enable") == 0)
				continue;
			buf_u8(out, ',');
			json_put_string(out, name);
			buf_u8(out, ':');
			buf_append_text(out, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
		}
	}
	buf_u8(out, '}');
}

static size_t count_server(const struct rpc_request *request, enum jid_server server)
{
	struct json_object *to = json_object_object_get(request->p, "to");
	size_t n = json_object_is_type(to, json_type_array) ? json_object_array_length(to) : 0, count = 0;

	for (size_t i = 0; i < n; i++) {
		struct jid jid;

		count += !jid_parse_text(&jid, json_object_get_string(json_object_array_get_idx(to, i))) && jid.server == server;
	}
	return count;
}

bool media_to_status(const struct rpc_request *request)
{
	return count_server(request, JID_SERVER_BROADCAST) > 0;
}

bool media_recipients(struct rpc_request *request, bool *channel)
{
	struct json_object *to = json_object_object_get(request->p, "to");
	size_t n = json_object_is_type(to, json_type_array) ? json_object_array_length(to) : 0, channels = count_server(request, JID_SERVER_NEWSLETTER);

	*channel = channels > 0;
	for (size_t i = 0; i < n; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(to, i));
		struct jid jid;

		if (!text || jid_parse_text(&jid, text))
			n = 0;
	}
	if (n == 0) {
		rpc_answer(request, 400, 2001, "Missing or invalid 'to'", NULL);
	} else if (channels && channels != n) {
		rpc_answer(request, 400, 2002, "Files go to channels or to others, not to both in one request", NULL);
		return false;
	}
	return n > 0;
}

const char *media_not_allowed(const struct media_input *input, char *reason, size_t reason_len)
{
	snprintf(reason, reason_len, "MIME type \"%.100s\" is not allowed (configure WAREST_MIMETYPE_FILES_ALLOWLIST)", input->mime);
	return reason;
}

bool media_blocked(const struct media_input *input, struct span head, char *reason, size_t reason_len)
{
	if (filetype_blocked(input->name, input->mime, head, reason, reason_len))
		return true;
	if (!input->allowed)
		media_not_allowed(input, reason, reason_len);
	return !input->allowed;
}
