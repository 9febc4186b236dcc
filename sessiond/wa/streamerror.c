/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the server ends a connection, and what we do about it: <stream:error>, <failure>, the end of the stream. */
#include <stdio.h>
#include <string.h>

#include "sessiond/wa/connection.h"

#define REASON_LEN 200

struct reaction {
	int code;
	enum wa_reaction reaction;
	const char *text;
};

/* Sources: whatsmeow connectionevents.go, Baileys DisconnectReason, whatsapp-rust. */
static const struct reaction stream_codes[] = {
	{ 401, WA_STOP_LOGGED_OUT, "logged out: the device was unlinked" },
	{ 409, WA_STOP_REPLACED, "replaced by another connection of this device" },
	{ 429, WA_RECONNECT_SLOW, "the server limits our rate" },
	{ 503, WA_RECONNECT_BACKOFF, "the server restarts" },
	{ 515, WA_RECONNECT_NOW, "restart required" },
	{ 516, WA_STOP_LOGGED_OUT, "logged out: the device was removed" },
};

static const struct reaction failure_codes[] = {
	{ 400, WA_STOP, "login refused: bad request" },
	{ 401, WA_STOP_LOGGED_OUT, "logged out: the device was unlinked" },
	{ 402, WA_STOP_UNTIL, "temporarily banned" },
	{ 403, WA_STOP_LOGGED_OUT, "logged out: the account is locked" },
	{ 405, WA_STOP_VERSION, "client version too old" },
	{ 406, WA_STOP_LOGGED_OUT, "logged out: the account is banned" },
	{ 409, WA_STOP, "login refused: bad user agent" },
	{ 411, WA_STOP, "login refused: multi-device mismatch" },
	{ 413, WA_STOP, "login refused: token expired" },
	{ 414, WA_STOP, "login refused: token invalid" },
	{ 415, WA_STOP, "login refused: not found" },
	{ 418, WA_STOP, "login refused: unknown client" },
	{ 419, WA_STOP, "login refused: unauthorized" },
	{ 500, WA_RECONNECT_BACKOFF, "server error at login" },
	{ 501, WA_STOP, "login refused: experimental" },
	{ 503, WA_RECONNECT_BACKOFF, "the service is unavailable" },
};

static const struct {
	uint64_t code;
	const char *text;
} ban_causes[] = {
	{ 101, "sent to too many people" },
	{ 102, "blocked by too many users" },
	{ 103, "created too many groups" },
	{ 104, "sent the same message too often" },
	{ 106, "sent to too many broadcast lists" },
};

static const struct reaction *find(const struct reaction *table, size_t n, uint64_t code)
{
	for (size_t i = 0; i < n; i++)
		if ((uint64_t)table[i].code == code)
			return &table[i];
	return NULL;
}

/* The end of a connection, with the credentials' fate. */
static void end(struct wa_client *client, enum wa_reaction reaction, int code, const char *reason)
{
	if (reaction != WA_STOP_LOGGED_OUT)
		client_close(client, reaction, code, reason);
	else if (!creds_linked(&client->creds))
		client_close(client, WA_STOP, code, reason);
	else if (!client->logging_out)
		client_logged_out(client, code, reason);
}

static void warn_whole(struct wa_client *client, const struct wa_node *node, int code)
{
	struct buf text = { 0 };

	wa_node_describe(&text, node);
	wa_client_warn(client, code, buf_text(&text));
	buf_free(&text);
}

static void malformed(struct wa_client *client)
{
	struct buf text = { 0 };

	buf_append_text(&text, "the server could not read one of our stanzas; the last ones were:");
	for (unsigned i = 0; i < LAST_SENT; i++) {
		const char *sent = client->last_sent[(client->last_sent_next + i) % LAST_SENT];

		if (sent[0] != '\0')
			buf_printf(&text, " [%s]", sent);
	}
	wa_client_warn(client, CODE_BAD_SESSION, buf_text(&text));
	buf_free(&text);
	client_close(client, WA_RECONNECT_BACKOFF, CODE_BAD_SESSION, "the server could not read one of our stanzas");
}

static void stream_error(struct wa_client *client, const struct wa_node *node)
{
	const struct wa_node *conflict = wa_node_child(node, "conflict");
	const struct reaction *known;
	char reason[REASON_LEN];
	uint64_t code = 0;
	bool coded = wa_node_get_u64(node, "code", &code) && code <= INT32_MAX;

	known = find(stream_codes, sizeof stream_codes / sizeof stream_codes[0], code);
	if (conflict != NULL && wa_node_get_is(conflict, "type", "replaced")) {
		end(client, WA_STOP_REPLACED, CODE_REPLACED, "replaced by another connection of this device");
	} else if (conflict != NULL) {
		end(client, WA_STOP_LOGGED_OUT, CODE_LOGGED_OUT, "logged out: the device was unlinked");
	} else if (wa_node_child(node, "xml-not-well-formed") != NULL) {
		malformed(client);
	} else if (known != NULL) {
		end(client, known->reaction, code == 409 ? CODE_REPLACED : known->code, known->text);
	} else {
		warn_whole(client, node, coded ? (int)code : CODE_BAD_SESSION);
		if (wa_node_child(node, "ack") != NULL)
			snprintf(reason, sizeof reason, "the server misses an ack");
		else if (coded)
			snprintf(reason, sizeof reason, "stream error %d", (int)code);
		else
			snprintf(reason, sizeof reason, "stream error without a code");
		end(client, WA_RECONNECT_BACKOFF, coded ? (int)code : CODE_BAD_SESSION, reason);
	}
}

void failure_on_stream_error(struct wa_client *client, struct wa_stanza *stanza)
{
	/* After pairing any end of the stream means: log in now. */
	if (pair_succeeded(client))
		client_close(client, WA_RECONNECT_NOW, CODE_RESTART, "restart after pairing");
	else
		stream_error(client, wa_stanza_node(stanza));
	wa_stanza_done(client, stanza);
}

void failure_on_stream_end(struct wa_client *client, struct wa_stanza *stanza)
{
	if (pair_succeeded(client))
		client_close(client, WA_RECONNECT_NOW, CODE_RESTART, "restart after pairing");
	else
		client_close(client, WA_RECONNECT_BACKOFF, CODE_CLOSED, "the server ended the stream");
	wa_stanza_done(client, stanza);
}

static void banned(struct wa_client *client, const struct wa_node *node)
{
	struct wa_close why = { .reaction = WA_STOP_UNTIL, .code = 402 };
	char reason[REASON_LEN];
	const char *cause = "";
	uint64_t code = 0, expire_s = 0;

	wa_node_get_u64(node, "code", &code);
	for (size_t i = 0; i < sizeof ban_causes / sizeof ban_causes[0]; i++)
		if (ban_causes[i].code == code)
			cause = ban_causes[i].text;
	/* An absurd time would overflow; a year is longer than any known ban. */
	if (!wa_node_get_u64(node, "expire", &expire_s) || expire_s > 366U * 86400U)
		expire_s = 366U * 86400U;
	snprintf(reason, sizeof reason, "temporarily banned (code %u) for %u s%s%s", (unsigned)code, (unsigned)expire_s,
	         cause[0] != '\0' ? ": " : "", cause);
	why.reason = reason;
	why.until_ms = wa_client_wall_ms(client) + (int64_t)expire_s * 1000;
	wa_client_close(client, &why);
}

void failure_on_failure(struct wa_client *client, struct wa_stanza *stanza)
{
	const struct wa_node *node = wa_stanza_node(stanza);
	const char *message = wa_node_get_or_empty(node, "message");
	const struct reaction *known;
	char reason[REASON_LEN];
	uint64_t code = 0;

	if (!wa_node_get_u64(node, "reason", &code) || code > INT32_MAX)
		code = 0;
	known = find(failure_codes, sizeof failure_codes / sizeof failure_codes[0], code);
	warn_whole(client, node, (int)code);
	if (code == 402) {
		banned(client, node);
	} else if (known != NULL) {
		snprintf(reason, sizeof reason, "%s%s%.100s", known->text, message[0] != '\0' ? ": " : "", message);
		end(client, known->reaction, known->code, reason);
	} else {
		snprintf(reason, sizeof reason, "login refused for an unknown reason (%d)", (int)code);
		end(client, WA_STOP, code != 0 ? (int)code : CODE_BAD_SESSION, reason);
	}
	wa_stanza_done(client, stanza);
}
