/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a webhook request looks like (see envelope.h). */
#include "sessiond/webhook/envelope.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "sessiond/crypto/crypto.h"

void envelope_json_text(struct buf *to, const char *text)
{
	static const char letters[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
	const char *run = text;

	if (!text) {
		buf_append_text(to, "null");
		return;
	}
	buf_u8(to, '"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= ' ' && c != '"' && c != '\\')
			continue;
		buf_append(to, run, (size_t)(text - run));
		run = text + 1;
		if (c == '"' || c == '\\')
			buf_printf(to, "\\%c", c);
		else if (c < sizeof(letters) && letters[c])
			buf_printf(to, "\\%c", letters[c]);
		else
			buf_printf(to, "\\u%04x", c);
	}
	buf_append(to, run, (size_t)(text - run));
	buf_u8(to, '"');
}

void envelope_body(struct buf *to, const char *event, struct span data, int64_t ts_ms, const struct webhook_subject *subject)
{
	buf_append_text(to, "{\"event\":");
	envelope_json_text(to, event);
	buf_append_text(to, ",\"data\":");
	buf_append_span(to, data);
	buf_printf(to, ",\"ts\":%" PRId64 ",\"session\":{\"id\":", ts_ms);
	envelope_json_text(to, subject->id);
	buf_append_text(to, ",\"label\":");
	envelope_json_text(to, subject->label);
	buf_append_text(to, ",\"registry\":");
	envelope_json_text(to, subject->registry);
	buf_append_text(to, ",\"username\":");
	envelope_json_text(to, subject->username);
	buf_append_text(to, "}}");
}

/* What a header can carry on every receiver. */
static bool fits_header(const char *text)
{
	if (!text || !text[0])
		return false;
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static int signature(struct arena *arena, const struct envelope_head *head, const char *username, const char **hex)
{
	static const struct {
		int bits;
		enum crypto_hash hash;
	} hashes[] = { { 224, CRYPTO_SHA224 }, { 256, CRYPTO_SHA256 }, { 384, CRYPTO_SHA384 }, { 512, CRYPTO_SHA512 } };
	uint8_t mac[CRYPTO_HASH_MAX];
	struct buf key = { 0 };
	char *text;
	int error = CRYPTO_EARG;

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		if (hashes[i].bits != head->bits)
			continue;
		buf_append_text(&key, head->secret);
		buf_append_text(&key, username);
		error = crypto_hmac(hashes[i].hash, key.data, key.len, head->body.p, head->body.n, mac);
		text = arena_alloc(arena, 2 * CRYPTO_HASH_MAX + 1);
		crypto_hex(mac, crypto_hash_len(hashes[i].hash), text);
		*hex = text;
	}
	buf_wipe(&key);
	return error;
}

int envelope_headers(struct arena *arena, const struct envelope_head *head, const char *lines[ENVELOPE_HEADERS_MAX])
{
	const struct webhook_subject *subject = head->subject;
	/* Receivers take the user's part of the key from the header: what it cannot carry is not part of the key either. */
	const char *username = fits_header(subject->username) ? subject->username : "";
	const char *hex = NULL;
	int n = 0;

	if (signature(arena, head, username, &hex) != 0)
		return -1;
	lines[n++] = "Content-Type: application/json";
	lines[n++] = "Accept: application/json, text/plain, */*";
	lines[n++] = arena_printf(arena, "User-Agent: WAREst/1 (%s) warest-sessiond/%s", head->attempt ? "webhook" : "preflight", head->version);
	lines[n++] = arena_printf(arena, "X-WAREST-Signature: HMAC-SHA%d=%s", head->bits, hex);
	lines[n++] = arena_printf(arena, "X-WAREST-Signature-Alg: HMAC-SHA%d", head->bits);
	lines[n++] = arena_printf(arena, "X-WAREST-Timestamp: %" PRId64, head->ts_ms);
	lines[n++] = arena_printf(arena, "X-WAREST-Event: %s", head->event);
	if (head->event_id && fits_header(head->event_id))
		lines[n++] = arena_printf(arena, "X-WAREST-Event-Id: %s", head->event_id);
	if (fits_header(subject->id))
		lines[n++] = arena_printf(arena, "X-WAREST-Session: %s", subject->id);
	if (fits_header(subject->registry))
		lines[n++] = arena_printf(arena, "X-WAREST-Registry: %s", subject->registry);
	if (fits_header(subject->label))
		lines[n++] = arena_printf(arena, "X-WAREST-Label: %s", subject->label);
	if (username[0])
		lines[n++] = arena_printf(arena, "X-WAREST-Username: %s", username);
	lines[n++] = "X-WAREST-Version: 1";
	if (head->attempt)
		lines[n++] = arena_printf(arena, "X-WAREST-Delivery-Attempt: %u", head->attempt);
	else
		lines[n++] = "X-WAREST-Preflight: 1";
	return n;
}
