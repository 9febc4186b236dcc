/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, sessions reconnect too often or never, timers are lost or QR codes do not scan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

#include "sessiond/session/backoff.h"
#include "sessiond/session/qrpng.h"
#include "sessiond/session/route.h"
#include "sessiond/session/view.h"
#include "sessiond/timers.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delays_grow_and_have_an_end), cmocka_unit_test(only_a_stable_connection_starts_over),
		cmocka_unit_test(conflicts_count_in_a_sliding_window),
		cmocka_unit_test(timers_fire_in_order_once), cmocka_unit_test(qr_codes_are_pictures), cmocka_unit_test(views_are_copied_deeply), cmocka_unit_test(routes_survive_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
