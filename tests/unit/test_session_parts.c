/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, sessions reconnect too often or never, timers are lost, QR codes do not scan or messages are counted as what they are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

#include "sessiond/session/backoff.h"
#include "sessiond/session/messagekind.h"
#include "sessiond/session/qrpng.h"
#include "sessiond/session/route.h"
#include "sessiond/session/view.h"
#include "sessiond/timers.h"
#include "sessiond/wa/proto_walk.h"

static void delays_grow_and_have_an_end(void **state)
{
	const int64_t seconds[] = { 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 900, 900 };
	struct backoff b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
		assert_int_equal(backoff_next_ms(&b, 0, 0.5), seconds[i] * 1000);
	b = (struct backoff){ 0 };
	assert_int_equal(backoff_next_ms(&b, 0, 0.0), 900);
	assert_true(backoff_next_ms(&b, 0, 0.999999) < 1101);
	assert_int_equal(backoff_next_ms(&b, 5000, 0.5), 5000);
}

static void only_a_stable_connection_starts_over(void **state)
{
	struct backoff b = { 0 };

	(void)state;
	for (int i = 0; i < 4; i++)
		backoff_next_ms(&b, 0, 0.5);
	backoff_opened(&b, 1000);
	backoff_closed(&b, 1000 + BACKOFF_STABLE_MS - 1);
	assert_int_equal(backoff_next_ms(&b, 0, 0.5), 5000);
	backoff_opened(&b, 1000);
	backoff_closed(&b, 1000 + BACKOFF_STABLE_MS);
	assert_int_equal(backoff_next_ms(&b, 0, 0.5), 1000);
	backoff_advance(&b, BACKOFF_RATE_LIMITED_STEPS);
	assert_int_equal(backoff_next_ms(&b, 0, 0.5), 13000);
	backoff_advance(&b, 1000);
	assert_int_equal(backoff_next_ms(&b, 0, 0.5), BACKOFF_MAX_MS);
}

static void conflicts_count_in_a_sliding_window(void **state)
{
	struct conflict_window w = { { 0 }, 0, 0 };

	(void)state;
	assert_int_equal(conflict_noted(&w, 1000), 1);
	assert_int_equal(conflict_noted(&w, 2000), 2);
	assert_int_equal(conflict_noted(&w, 1000 + CONFLICT_WINDOW_MS), 2);
	assert_int_equal(conflict_noted(&w, 1000 + 3 * (int64_t)CONFLICT_WINDOW_MS), 1);
	for (int i = 0; i < 20; i++)
		conflict_noted(&w, 1000 + 3 * (int64_t)CONFLICT_WINDOW_MS);
	assert_int_equal(conflict_noted(&w, 1000 + 3 * (int64_t)CONFLICT_WINDOW_MS), CONFLICT_KEPT);
}

static int fired[300];
static int fired_count;

static void note(void *arg)
{
	fired[fired_count++] = *(int *)arg;
}

static void timers_fire_in_order_once(void **state)
{
	static struct timer timers_of[300];
	static int numbers[300];
	uv_loop_t loop;
	struct timers *t;
	int64_t now_ms = (int64_t)(uv_hrtime() / 1000000U);

	(void)state;
	uv_loop_init(&loop);
	t = timers_new(&loop);
	for (int i = 0; i < 300; i++) {
		numbers[i] = i;
		timer_start(t, &timers_of[i], now_ms + (i * 7919) % 300 / 30, note, &numbers[i]);
	}
	for (int i = 0; i < 300; i += 3)
		timer_stop(t, &timers_of[i]);
	timer_stop(t, &timers_of[0]);
	timer_start(t, &timers_of[0], now_ms + 60, note, &numbers[0]);
	timer_start(t, &timers_of[0], now_ms + 20, note, &numbers[0]);
	while (fired_count < 201)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(fired[200], 0);
	for (int i = 0; i < 199; i++)
		assert_true((fired[i] * 7919) % 300 / 30 <= (fired[i + 1] * 7919) % 300 / 30);
	timers_free(t);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void qr_codes_are_pictures(void **state)
{
	char *uri = qr_png_data_uri("2@abc,def,ghi,jkl", 300);
	char *text = qr_terminal("2@abc,def,ghi,jkl");
	char big[8000];

	(void)state;
	assert_non_null(uri);
	assert_memory_equal(uri, "data:image/png;base64,iVBORw0KGgo", 33);
	assert_non_null(strstr(text, "\xe2\x96\x84"));
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	assert_null(qr_png_data_uri(big, 300));
	assert_null(qr_png_data_uri("x", 0));
	free(uri);
	free(text);
}

static void views_are_copied_deeply(void **state)
{
	struct session_view a = { 0 };
	struct session_view b = { 0 };
	struct buf out = { 0 };

	(void)state;
	session_view_set_text(&a.qr, "code");
	session_view_set_text(&a.push_name, "Shop \"1\"");
	session_view_set(&a, SESSION_OPEN, 0, NULL, 5000);
	a.registered = true;
	a.last_conn_ms = 7;
	jid_parse_text(&a.me_pn, "628111111111:12@s.whatsapp.net");
	jid_parse_text(&a.me_lid, "123456789012345:12@lid");
	session_view_copy(&b, &a);
	session_view_clear_pairing(&a);
	assert_string_equal(b.qr, "code");
	buf_u8(&out, '{');
	session_view_put_item(&out, "shop", &b);
	assert_string_equal(buf_text(&out), "{\"id\":\"shop\",\"status\":\"open\",\"me\":{\"id\":\"628111111111:12@s.whatsapp.net\",\"name\":\"Shop \\\"1\\\"\","
					    "\"lid\":\"123456789012345:12@lid\"},\"pushName\":\"Shop \\\"1\\\"\",\"lastConn\":7");
	/* the same state again does not look new */
	session_view_set(&b, SESSION_OPEN, 0, NULL, 6000);
	assert_int_equal(b.since_ms, 5000);
	for (int i = 0; i < SESSION_STATUS_COUNT; i++)
		assert_int_equal(session_status_of(session_status_name((enum session_status)i)), i);
	buf_free(&out);
	session_view_free(&a);
	session_view_free(&b);
}

static void routes_survive_as_text(void **state)
{
	struct send_route route = { .first = 17, .chunk = 1, .chunks = 3, .server_id = 12 }, back;
	char *text;

	(void)state;
	assert_null(route_store(&(struct send_route){ 0 }, NULL));
	route.audience = calloc(2, sizeof *route.audience);
	route.naudience = 2;
	jid_parse_text(&route.audience[0], "628111111111@s.whatsapp.net");
	jid_parse_text(&route.audience[1], "123456789012345@lid");
	route.wire_id = strdup("3EB0");
	route.media_handle = strdup("a\"b");
	text = route_store(&route, "{\"items\":1}");
	route_load(&back, text);
	assert_int_equal(back.naudience, 2);
	assert_true(jid_equal(&back.audience[1], &route.audience[1]));
	assert_int_equal(back.first, 17);
	assert_int_equal(back.chunk, 1);
	assert_int_equal(back.chunks, 3);
	assert_int_equal(back.server_id, 12);
	assert_string_equal(back.wire_id, "3EB0");
	assert_string_equal(back.media_handle, "a\"b");
	free(text);
	route_free(&back);
	route_free(&route);
	text = route_store(&route, "{\"items\":1}");
	assert_string_equal(text, "{\"items\":1}");
	route_load(&back, text);
	assert_true(route_is_empty(&back));
	free(text);
	route_load(&back, "no JSON");
	assert_true(route_is_empty(&back));
}

/* ---- kinds of messages ---- */

/* A Message with one content, inside of wrappers (0: none), outermost first. */
static enum message_kind kind_of(uint32_t field, uint32_t wrapper, unsigned times)
{
	struct buf message = { 0 }, outer;
	enum message_kind kind;

	proto_put_bytes(&message, field, span_text("\n\1x"));
	for (; times; times--) {
		struct buf proof = { 0 };

		outer = (struct buf){ 0 };
		proto_put_bytes(&proof, 1, buf_span(&message));
		proto_put_bytes(&outer, wrapper, buf_span(&proof));
		buf_free(&proof);
		buf_free(&message);
		message = outer;
	}
	kind = message_kind_of(buf_span(&message));
	buf_free(&message);
	return kind;
}

static void messages_have_kinds(void **state)
{
	/* Fields of WAProto's Message. */
	static const struct {
		uint32_t field;
		const char *name;
	} kinds[] = { { 1, "text" }, { 6, "text" }, { 3, "image" }, { 9, "video" }, { 66, "video" }, { 8, "audio" }, { 7, "document" }, { 26, "sticker" }, { 5, "location" },
		      { 18, "location" }, { 4, "contact" }, { 13, "contact" }, { 49, "poll" }, { 60, "poll" }, { 64, "poll" }, { 50, "poll" }, { 75, "event" },
		      { 45, "interactive" }, { 46, "reaction" }, { 12, "change" }, { 63, "change" }, { 2, "other" }, { 35, "other" }, { 999, "other" } };
	static const uint32_t wrappers[] = { 37, 40, 53, 55, 58, 59, 62, 91 };

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		assert_string_equal(message_kind_name(kind_of(kinds[i].field, 0, 0)), kinds[i].name);
	for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
		assert_int_equal(kind_of(3, wrappers[i], 1), KIND_IMAGE);
	assert_int_equal(kind_of(8, 40, 4), KIND_AUDIO);
	assert_int_equal(kind_of(8, 40, 5), KIND_OTHER);
	assert_int_equal(kind_of(8, 41, 1), KIND_OTHER);
	assert_string_equal(message_kind_name(KIND_COUNT), "other");
}

static void kinds_of_what_is_none(void **state)
{
	/* What comes with a content is passed over: a sender key (2), a context (35), numbers. Bytes that end too early are no content. */
	static const struct {
		const char *bytes;
		size_t n;
		enum message_kind kind;
	} odd[] = { { "", 0, KIND_OTHER }, { "\x12\1a\x9a\2\1b\n\2hi", 11, KIND_TEXT }, { "\x08\5", 2, KIND_OTHER }, { "\n\5hi", 4, KIND_OTHER }, { "\xff\xff\xff", 3, KIND_OTHER },
		    { "\xc2\2\0", 3, KIND_OTHER } /* view once around nothing */ };

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		assert_int_equal(message_kind_of(span_of((const uint8_t *)odd[i].bytes, odd[i].n)), odd[i].kind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delays_grow_and_have_an_end), cmocka_unit_test(only_a_stable_connection_starts_over),
		cmocka_unit_test(conflicts_count_in_a_sliding_window),
		cmocka_unit_test(timers_fire_in_order_once), cmocka_unit_test(qr_codes_are_pictures), cmocka_unit_test(views_are_copied_deeply), cmocka_unit_test(routes_survive_as_text),
		cmocka_unit_test(messages_have_kinds), cmocka_unit_test(kinds_of_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
