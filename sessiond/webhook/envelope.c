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

static bool hash_of(int bits, enum crypto_hash *hash)
{
	static const struct {
		int bits;
		enum crypto_hash hash;
	} hashes[] = { { 224, CRYPTO_SHA224 }, { 256, CRYPTO_SHA256 }, { 384, CRYPTO_SHA384 }, { 512, CRYPTO_SHA512 } };

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		if (hashes[i].bits == bits) {
			*hash = hashes[i].hash;
			return true;
		}
	}
	return false;
}

/* Lower-case hex in the arena; NULL without one. */
static const char *hmac_hex(struct arena *arena, int bits, struct span key, struct span message)
{
	uint8_t mac[CRYPTO_HASH_MAX];
	enum crypto_hash hash;
	char *text;

	if (!hash_of(bits, &hash) || crypto_hmac(hash, key.p, key.n, message.p, message.n, mac) != 0)
		return NULL;
	text = arena_alloc(arena, 2 * CRYPTO_HASH_MAX + 1);
	crypto_hex(mac, crypto_hash_len(hash), text);
	return text;
}

static const char *signature(struct arena *arena, const struct envelope_head *head, const char *username)
{
	struct buf key = { 0 };
	const char *hex;

	buf_append_text(&key, head->secret);
	buf_append_text(&key, username);
	hex = hmac_hex(arena, head->bits, buf_span(&key), head->body);
	buf_wipe(&key);
	return hex;
}

static const char *signature_line(struct arena *arena, const struct envelope_head *head)
{
	int64_t seconds = head->now_ms / 1000;
	const char *first, *next = NULL, *line = NULL;
	struct buf message = { 0 };

	buf_printf(&message, "%" PRId64 ".", seconds);
	buf_append_span(&message, head->body);
	first = hmac_hex(arena, head->bits, span_text(head->secret), buf_span(&message));
	if (head->next_secret)
		next = hmac_hex(arena, head->bits, span_text(head->next_secret), buf_span(&message));
	buf_free(&message);
	if (first && (next || !head->next_secret))
		line = arena_printf(arena, "X-WAREST-Signature-V2: t=%" PRId64 ",v1=%s%s%s", seconds, first, next ? ",v1=" : "", next ? next : "");
	return line;
}

/* Adds the lines of a receiver's own headers; their number then. */
static int own_headers(struct arena *arena, const char *text, const char **lines, int n)
{
	for (unsigned i = 0; text && *text && i < TARGET_HEADERS_MAX; i++) {
		size_t len = strcspn(text, "\n");

		lines[n++] = arena_text(arena, text, len);
		text += len + (text[len] == '\n');
	}
	return n;
}

int envelope_headers(struct arena *arena, const struct envelope_head *head, const char *lines[ENVELOPE_HEADERS_MAX])
{
	const struct webhook_subject *subject = head->subject;
	/* Receivers take the user's part of the key from the header: what it cannot carry is not part of the key either. */
	const char *username = fits_header(subject->username) ? subject->username : "";
	const char *hex = signature(arena, head, username);
	const char *second = signature_line(arena, head);
	int n = 0;

	if (!hex || !second)
		return -1;
	lines[n++] = "Content-Type: application/json";
	lines[n++] = "Accept: application/json, text/plain, */*";
	lines[n++] = arena_printf(arena, "User-Agent: WAREst/1 (%s) warest-sessiond/%s", head->attempt ? "webhook" : "preflight", head->version);
	lines[n++] = arena_printf(arena, "X-WAREST-Signature: HMAC-SHA%d=%s", head->bits, hex);
	lines[n++] = arena_printf(arena, "X-WAREST-Signature-Alg: HMAC-SHA%d", head->bits);
	lines[n++] = second;
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
	return own_headers(arena, head->headers, lines, n);
}
