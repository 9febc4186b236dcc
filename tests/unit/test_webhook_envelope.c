/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, receivers refuse our webhooks: wrong signature, header or body form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sessiond/webhook/envelope.h"

static const struct webhook_subject subject = { .id = "sales", .label = "sales", .registry = "admin", .username = "admin" };

/* The worked example of the webhook contract. */
#define BODY_A "{\"event\":\"preflight\",\"data\":{\"ping\":true},\"ts\":1767225600000,\"session\":{\"id\":\"sales\",\"label\":\"sales\",\"registry\":\"admin\",\"username\":\"admin\"}}"
#define DATA_B "{\"id\":\"sales\",\"tags\":\"text\",\"message\":{\"key\":{\"remoteJid\":\"6281234567890@s.whatsapp.net\",\"fromMe\":false,\"id\":\"3EB0C431C26A1916E07A\"},\"messageTimestamp\":1767225600,\"pushName\":\"Budi\",\"broadcast\":false,\"message\":{\"conversation\":\"caf\xc3\xa9 \xf0\x9f\x91\x8d\"},\"__warestMentionInfo\":{\"normalized\":[],\"replacements\":[]}},\"text\":\"caf\xc3\xa9 \xf0\x9f\x91\x8d\",\"contentType\":\"conversation\",\"sender\":{\"chatId\":\"6281234567890@s.whatsapp.net\",\"fromMe\":false,\"isGroup\":false,\"authorJid\":\"6281234567890@s.whatsapp.net\"},\"mentions\":[],\"type\":\"notify\",\"sessionId\":\"sales\"}"

static const struct {
	int bits;
	const char *a, *b;
} vectors[] = {
	{ 224, "16e05a7498b193f989c01ea711e0fd48eb69c27148e4754daa94eab3", "6fb726deedd27fdb6b4cd97bf7f3acd58c13501546aaf639db3a8e10" },
	{ 256, "8890b069516a482dcb7975f201bdfc82dc69488676983f34cf0762d07a4b53d6", "a64eeb3d3949c9967ad21d2332a29ae91c15f91d1b03c1cf633d69e2392cbe88" },
	{ 384, "7730a0df01cb6eeed2c8883cde7be768771aecd91a0d6a28e71fea8c4db31eadf6a38e81b858586f9cbf8431b3b489e2",
	  "37b657b41891b51918219ea1478df1c173b48d3ce5928a69d66bbd791e9ed8f31ff989124d0708f2f63411a1619f66db" },
	{ 512, "606ab91507a5021115af43bd908a387f874457c21c2e618db94b59acc6d719c4ad00aa62fc4228fe4eb12e79ac46128f3765b34c41f201cd646c2733c6ef1c9a",
	  "349d366e55d69bc3df3d15a13e4f159db2fd846a7ac558dc63834489bd22cb51597b80dbfab1716849e59c823898b35c72658c97b2538171e362a3385b596a4f" },
};

static struct arena arena;
static const char *lines[ENVELOPE_HEADERS_MAX];
static int count;

static const char *header(const char *name)
{
	for (int i = 0; i < count; i++)
		if (strncmp(lines[i], name, strlen(name)) == 0 && lines[i][strlen(name)] == ':')
			return lines[i] + strlen(name) + 2;
	return NULL;
}

static void make(const char *event, struct span body, const struct webhook_subject *who, int bits, const char *id, unsigned attempt)
{
	struct envelope_head head = { .event = event, .body = body, .ts_ms = 1767225600000, .subject = who, .secret = "s3cretKey42",
		.bits = bits, .version = "0.1.0", .event_id = id, .attempt = attempt };

	arena_free(&arena);
	count = envelope_headers(&arena, &head, lines);
}

static void test_vectors(void **state)
{
	struct buf a = { 0 }, b = { 0 };
	char expected[200];

	(void)state;
	envelope_body(&a, "preflight", span_text("{\"ping\":true}"), 1767225600000, &subject);
	assert_string_equal(buf_text(&a), BODY_A);
	assert_int_equal(a.len, 140);
	envelope_body(&b, "message_received", span_text(DATA_B), 1767225601234, &subject);
	assert_int_equal(b.len, 656);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		make("preflight", buf_span(&a), &subject, vectors[i].bits, NULL, 0);
		snprintf(expected, sizeof(expected), "HMAC-SHA%d=%s", vectors[i].bits, vectors[i].a);
		assert_string_equal(header("X-WAREST-Signature"), expected);
		make("message_received", buf_span(&b), &subject, vectors[i].bits, "01", 1);
		snprintf(expected, sizeof(expected), "HMAC-SHA%d=%s", vectors[i].bits, vectors[i].b);
		assert_string_equal(header("X-WAREST-Signature"), expected);
		snprintf(expected, sizeof(expected), "HMAC-SHA%d", vectors[i].bits);
		assert_string_equal(header("X-WAREST-Signature-Alg"), expected);
	}
	make("preflight", buf_span(&a), &subject, 333, NULL, 0);
	assert_true(count < 0);
	buf_free(&a);
	buf_free(&b);
}

static void test_without_username(void **state)
{
	struct webhook_subject nobody = subject;

	(void)state;
	nobody.username = NULL;
	make("preflight", span_text(BODY_A), &nobody, 256, NULL, 0);
	assert_string_equal(header("X-WAREST-Signature"), "HMAC-SHA256=b18af461de1605fff2918d03cbc8528807ff7387797a1c38bbcea548c8face9f");
	assert_null(header("X-WAREST-Username"));
	/* What the header cannot carry is not in the key: the receiver could not know it. */
	nobody.username = "b\xc3\xb6se";
	make("preflight", span_text(BODY_A), &nobody, 256, NULL, 0);
	assert_string_equal(header("X-WAREST-Signature"), "HMAC-SHA256=b18af461de1605fff2918d03cbc8528807ff7387797a1c38bbcea548c8face9f");
	assert_null(header("X-WAREST-Username"));
}

static void test_headers(void **state)
{
	struct webhook_subject odd = { .id = "sales", .label = "a\r\nX-Evil: 1", .registry = "", .username = "admin" };

	(void)state;
	make("session_status", span_text("{}"), &subject, 256, "01JCZ0000000000000000000AB", 3);
	assert_string_equal(header("Content-Type"), "application/json");
	assert_string_equal(header("User-Agent"), "WAREst/1 (webhook) warest-sessiond/0.1.0");
	assert_string_equal(header("X-WAREST-Timestamp"), "1767225600000");
	assert_string_equal(header("X-WAREST-Event"), "session_status");
	assert_string_equal(header("X-WAREST-Event-Id"), "01JCZ0000000000000000000AB");
	assert_string_equal(header("X-WAREST-Session"), "sales");
	assert_string_equal(header("X-WAREST-Registry"), "admin");
	assert_string_equal(header("X-WAREST-Label"), "sales");
	assert_string_equal(header("X-WAREST-Username"), "admin");
	assert_string_equal(header("X-WAREST-Version"), "1");
	assert_string_equal(header("X-WAREST-Delivery-Attempt"), "3");
	assert_null(header("X-WAREST-Preflight"));
	make("preflight", span_text("{}"), &odd, 256, NULL, 0);
	assert_string_equal(header("User-Agent"), "WAREst/1 (preflight) warest-sessiond/0.1.0");
	assert_string_equal(header("X-WAREST-Preflight"), "1");
	assert_null(header("X-WAREST-Event-Id"));
	assert_null(header("X-WAREST-Delivery-Attempt"));
	assert_null(header("X-WAREST-Label"));
	assert_null(header("X-WAREST-Registry"));
	for (int i = 0; i < count; i++)
		assert_null(strpbrk(lines[i], "\r\n"));
}

/* The additional signature: over time and body, with the secret alone; during a rotation one for each secret. */
static void test_second_signature(void **state)
{
	static const char v1[] = "8b10362715fd1ca5b569715c88fb713455e3ae3faddb3e1f9981325375e2dfda", v2[] = "25eff0d6c9e21aa67351553e67fe318a0efbb8b39882f9e45a99d19af4a41865";
	struct envelope_head head = { .event = "call", .body = span_text("{}"), .ts_ms = 1767225600000, .now_ms = 1767225601999, .subject = &subject,
		.secret = "s3cretKey42", .bits = 256, .version = "0.1.0", .event_id = "E", .attempt = 1, .headers = "Authorization: Bearer x\nX-Team: a\n" };
	char expected[400];

	(void)state;
	arena_free(&arena);
	count = envelope_headers(&arena, &head, lines);
	snprintf(expected, sizeof(expected), "t=1767225601,v1=%s", v1);
	assert_string_equal(header("X-WAREST-Signature-V2"), expected);
	assert_string_equal(header("Authorization"), "Bearer x");
	assert_string_equal(header("X-Team"), "a");
	head.next_secret = "an0therKey43";
	count = envelope_headers(&arena, &head, lines);
	snprintf(expected, sizeof(expected), "t=1767225601,v1=%s,v1=%s", v1, v2);
	assert_string_equal(header("X-WAREST-Signature-V2"), expected);
	/* The original's header knows one secret: the first. */
	make("call", span_text("{}"), &subject, 256, "E", 1);
	snprintf(expected, sizeof(expected), "%s", header("X-WAREST-Signature"));
	count = envelope_headers(&arena, &head, lines);
	assert_string_equal(header("X-WAREST-Signature"), expected);
}

static void test_escapes(void **state)
{
	struct buf text = { 0 };

	(void)state;
	envelope_json_text(&text, "a\"b\\c/d\b\f\n\r\t\x01\x1f\x7f \xc3\xa9 \xe2\x80\xa8");
	assert_string_equal(buf_text(&text), "\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0001\\u001f\x7f \xc3\xa9 \xe2\x80\xa8\"");
	buf_clear(&text);
	envelope_json_text(&text, NULL);
	envelope_json_text(&text, "");
	assert_string_equal(buf_text(&text), "null\"\"");
	buf_free(&text);
}

static int release(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors), cmocka_unit_test(test_without_username), cmocka_unit_test(test_headers), cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_second_signature),
	};

	return cmocka_run_group_tests(tests, NULL, release);
}
