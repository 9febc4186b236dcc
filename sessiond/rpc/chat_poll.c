/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stored poll and its votes as JSON (rest-b 2.2: poll). */
#include "sessiond/rpc/chat_parts.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"

bool chat_poll_read(const struct content *c, struct chat_poll *poll)
{
	struct reader r = reader_of(c->media.bytes.p, c->media.bytes.n);
	struct wire_field f;

	*poll = (struct chat_poll){ .n = 0 };
	if (!c->media_type || strncmp(c->media_type, "pollCreationMessage", 19) != 0 || !c->media.bytes.p)
		return false;
	poll->question = message_text(&c->media, "name");
	while (wire_next(&r, &f)) {
		const struct schema_field *field = message_field(c->media.schema, f.number);

		if (field && strcmp(field->name, "options") == 0 && f.type == 2 && poll->n < CHAT_POLL_OPTIONS) {
			const struct message_part option = { .bytes = f.bytes.p ? f.bytes : span_of("", 0), .schema = field->sub };

			poll->options[poll->n++] = message_text(&option, "optionName");
		} else if (field && strcmp(field->name, "selectableOptionsCount") == 0) {
			poll->selectable = f.value;
		}
	}
	return true;
}

static void put_creation(struct buf *out, const struct chat_poll *poll)
{
	buf_append_text(out, "\"creation\":{");
	json_put_name(out, "question");
	json_put_span(out, poll->question);
	buf_append_text(out, ",\"options\":[");
	for (size_t i = 0; i < poll->n; i++) {
		buf_append_text(out, i > 0 ? ",{" : "{");
		json_put_int(out, "index", (int64_t)i);
		json_put_name(out, "name");
		json_put_span(out, poll->options[i]);
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
	json_put_int(out, "selectableCount", (int64_t)(poll->selectable == 0 ? poll->n : poll->selectable & 0xffff));
	buf_u8(out, '}');
}

/* Votes are kept as JSON arrays of names. */
static bool voted_for(const struct store_addon *vote, struct span option)
{
	struct json_object *names = vote->value ? json_tokener_parse(vote->value) : NULL;
	bool found = false;

	for (size_t i = 0; json_object_is_type(names, json_type_array) && i < json_object_array_length(names) && !found; i++)
		found = span_is(option, json_object_get_string(json_object_array_get_idx(names, i)));
	json_object_put(names);
	return found;
}

static void put_results(const struct chat_view *view, struct buf *out, const struct chat_poll *poll, const struct store_message_row *row)
{
	buf_append_text(out, ",\"results\":[");
	for (size_t i = 0; i < poll->n; i++) {
		bool first = true;

		buf_append_text(out, i > 0 ? ",{" : "{");
		json_put_name(out, "name");
		json_put_span(out, poll->options[i]);
		buf_append_text(out, ",\"voters\":[");
		for (size_t k = 0; k < row->naddons; k++) {
			if (row->addons[k].kind != STORE_ADDON_VOTE || !voted_for(&row->addons[k], poll->options[i]))
				continue;
			if (!first)
				buf_u8(out, ',');
			first = false;
			json_put_string(out, chat_adder(view, &row->addons[k]));
		}
		buf_append_text(out, "]}");
	}
	buf_u8(out, ']');
}

static void put_votes(const struct chat_view *view, struct buf *out, const struct store_message_row *row, bool by_voter)
{
	bool first = true;

	buf_append_text(out, by_voter ? ",\"latestByVoter\":{" : ",\"events\":[");
	for (size_t i = 0; i < row->naddons; i++) {
		const struct store_addon *vote = &row->addons[i];

		if (vote->kind != STORE_ADDON_VOTE)
			continue;
		if (!first)
			buf_u8(out, ',');
		first = false;
		if (by_voter) {
			json_put_string(out, chat_adder(view, vote));
			buf_u8(out, ':');
			buf_append_text(out, vote->value ? vote->value : "[]");
			continue;
		}
		buf_u8(out, '{');
		json_put_member(out, "by", chat_adder(view, vote));
		json_put_raw(out, "selected", vote->value ? vote->value : "[]");
		json_put_int(out, "ts", vote->time_ms / 1000);
		buf_u8(out, '}');
	}
	buf_u8(out, by_voter ? '}' : ']');
}

static bool has_votes(const struct store_message_row *row)
{
	for (size_t i = 0; i < row->naddons; i++) {
		if (row->addons[i].kind == STORE_ADDON_VOTE)
			return true;
	}
	return false;
}

/* A hash of each chosen name, as votes carry them. */
static void put_selected(struct buf *out, const struct store_addon *vote)
{
	struct json_object *names = vote->value ? json_tokener_parse(vote->value) : NULL;
	size_t n = json_object_is_type(names, json_type_array) ? json_object_array_length(names) : 0;
	uint8_t hash[CRYPTO_SHA256_LEN];

	json_put_name(out, "selectedOptions");
	buf_u8(out, '[');
	for (size_t i = 0; i < n; i++) {
		struct json_object *name = json_object_array_get_idx(names, i);

		if (crypto_sha256(json_object_get_string(name), (size_t)json_object_get_string_len(name), hash))
			abort();
		if (i > 0)
			buf_u8(out, ',');
		json_put_base64(out, span_of(hash, sizeof hash));
	}
	buf_u8(out, ']');
	json_object_put(names);
}

/* The key of the message that the vote came in; its id is not known of votes of before. */
static void put_vote_key(const struct chat_view *view, struct buf *out, const struct store_message_row *row, const struct store_addon *vote)
{
	bool own = vote->author[0] == '\0';

	json_put_name(out, "pollUpdateMessageKey");
	buf_u8(out, '{');
	json_put_member(out, "remoteJid", row->chat_jid);
	json_put_bool(out, "fromMe", own);
	if (vote->source)
		json_put_member(out, "id", vote->source);
	if (strstr(row->chat_jid, "@g.us"))
		json_put_member(out, "participant", chat_adder(view, vote));
	buf_u8(out, '}');
}

/* PollUpdate as the original stores it: protobuf JSON, 64-bit numbers as text. */
static void put_updates(const struct chat_view *view, struct buf *out, const struct store_message_row *row)
{
	bool first = true;

	buf_append_text(out, ",\"updates\":[");
	for (size_t i = 0; i < row->naddons; i++) {
		const struct store_addon *vote = &row->addons[i];

		if (vote->kind != STORE_ADDON_VOTE)
			continue;
		buf_append_text(out, first ? "{" : ",{");
		first = false;
		put_vote_key(view, out, row, vote);
		json_put_name(out, "vote");
		buf_u8(out, '{');
		put_selected(out, vote);
		buf_u8(out, '}');
		json_put_name(out, "senderTimestampMs");
		buf_printf(out, "\"%" PRId64 "\"}", vote->time_ms);
	}
	buf_u8(out, ']');
}

void chat_poll_put(const struct chat_view *view, struct buf *out, const char *name, const struct chat_poll *poll, const struct store_message_row *row)
{
	json_put_name(out, name);
	buf_u8(out, '{');
	put_creation(out, poll);
	if (has_votes(row)) {
		put_updates(view, out, row);
		put_results(view, out, poll, row);
		put_votes(view, out, row, true);
		put_votes(view, out, row, false);
	}
	buf_u8(out, '}');
}
