/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, texts of campaigns are filled in wrongly, go out too fast or at the wrong time of day, or a recipient is sent to twice. */
#include "store_fixture.h"

#include "sessiond/campaign/pace.h"
#include "sessiond/campaign/spec.h"
#include "sessiond/campaign/template.h"

/* ---- template ---- */

static const char *filled(struct buf *out, const char *text, enum template_missing missing, char lacking[TEMPLATE_NAME_MAX + 1])
{
	struct json_object *own = json_tokener_parse("{\"name\":\"Ann {{x}}\",\"n\":3,\"yes\":true}");
	struct json_object *common = json_tokener_parse("{\"name\":\"you\",\"shop\":\"Corner\"}");
	struct template_values values = { .own = own, .common = common, .phone = "1555", .missing = missing };
	bool good;

	buf_clear(out);
	good = template_text(out, span_text(text), &values);
	memcpy(lacking, values.lacking, sizeof values.lacking);
	json_object_put(own);
	json_object_put(common);
	return good ? buf_text(out) : NULL;
}

static void test_template(void **state)
{
	char lacking[TEMPLATE_NAME_MAX + 1];
	struct buf out = { 0 };

	(void)state;
	assert_string_equal(filled(&out, "Hi {{name}}, {{ n }} {{yes}} at {{shop}}: {{phone}}", TEMPLATE_FAIL, lacking), "Hi Ann {{x}}, 3 true at Corner: 1555");
	assert_string_equal(filled(&out, "{{a | b c }}{{a|}}", TEMPLATE_FAIL, lacking), "b c");
	assert_string_equal(filled(&out, "{{{name}}} {{ not a name }} {{}} {{ {name} }} {{open", TEMPLATE_FAIL, lacking),
	                    "{Ann {{x}}} {{ not a name }} {{}} {{ {name} }} {{open");
	assert_null(filled(&out, "{{name}} {{title}}", TEMPLATE_FAIL, lacking));
	assert_string_equal(lacking, "title");
	assert_string_equal(filled(&out, "<{{title}}>", TEMPLATE_EMPTY, lacking), "<>");
	assert_string_equal(filled(&out, "<{{title}}>", TEMPLATE_KEEP, lacking), "<{{title}}>");
	assert_string_equal(filled(&out, "", TEMPLATE_FAIL, lacking), "");
	buf_free(&out);
}

static void test_template_tree(void **state)
{
	struct json_object *tree = json_tokener_parse("{\"a\":[\"{{x}}\",1,null],\"b\":{\"c\":\"{{x}}!\"}}");
	struct json_object *own = json_tokener_parse("{\"x\":\"\\\"q\\\"\"}"), *made;
	struct template_values values = { .own = own };

	(void)state;
	assert_true(template_in_tree(tree));
	made = template_tree(tree, &values);
	assert_string_equal(json_object_to_json_string_ext(made, JSON_C_TO_STRING_PLAIN), "{\"a\":[\"\\\"q\\\"\",1,null],\"b\":{\"c\":\"\\\"q\\\"!\"}}");
	assert_false(template_in_tree(made));
	json_object_put(made);
	values.own = NULL;
	assert_null(template_tree(tree, &values));
	json_object_put(tree);
	json_object_put(own);
}

/* ---- pace ---- */

#define NOW INT64_C(1767225600000) /* Thursday, 1 January 2026, 00:00 UTC */
enum { MINUTE = 60000, HOUR = 3600000 };

static void test_pace(void **state)
{
	const struct pace pace = { .gap_ms = 1000, .jitter_ms = 500, .per_minute = 3, .per_hour = 5 };
	struct pace_state s = { 0 };
	int64_t now = NOW;

	(void)state;
	assert_int_equal(pace_due(&pace, &s, now), now);
	pace_take(&pace, &s, now, 0.5);
	assert_int_equal(pace_due(&pace, &s, now), NOW + 1250);
	/* The clock is set back: no longer than the longest gap. */
	assert_int_equal(pace_due(&pace, &s, now - HOUR), now - HOUR + 1500);
	pace_take(&pace, &s, now += 2000, 0);
	pace_take(&pace, &s, now += 2000, 0);
	assert_int_equal(pace_due(&pace, &s, now), NOW + MINUTE);
	pace_take(&pace, &s, now = NOW + MINUTE, 0);
	pace_take(&pace, &s, now += 2000, 0);
	assert_int_equal(pace_due(&pace, &s, now + 5000), NOW + HOUR);
	assert_int_equal(pace_due(&(struct pace){ 0 }, &s, now + 5000), now + 5000);
}

static void test_window(void **state)
{
	struct timezone_rules *utc = timefmt_zone_load("UTC");
	const struct window day = { .set = true, .from_min = 9 * 60, .to_min = 18 * 60, .days = 0x3e, .zone = utc }; /* Monday to Friday */
	const struct window night = { .set = true, .from_min = 22 * 60, .to_min = 6 * 60, .days = 1U << 4, .zone = utc }; /* of Thursdays */
	const struct window days = { .set = true, .days = 1U << 1, .zone = utc };

	(void)state;
	assert_int_equal(window_open(&(struct window){ .set = false }, NOW), NOW);
	assert_int_equal(window_open(&day, NOW), NOW + 9 * HOUR);
	assert_int_equal(window_open(&day, NOW + 10 * HOUR), NOW + 10 * HOUR);
	assert_int_equal(window_open(&day, NOW + 24 * HOUR + 18 * HOUR), NOW + (24 * 4 + 9) * (int64_t)HOUR);
	assert_int_equal(window_open(&night, NOW + HOUR), NOW + 22 * HOUR);
	assert_int_equal(window_open(&night, NOW + 29 * HOUR), NOW + 29 * HOUR);
	assert_int_equal(window_open(&night, NOW + 30 * HOUR), NOW + (24 * 7 + 22) * (int64_t)HOUR);
	assert_int_equal(window_open(&days, NOW), NOW + 24 * 4 * (int64_t)HOUR);
	timefmt_zone_free(utc);
}

static int64_t at(const char *text)
{
	int64_t ms;

	assert_true(timefmt_parse(text, &ms));
	return ms;
}

/* Berlin: 02:00 becomes 03:00 on 29 March 2026 and 03:00 becomes 02:00 on 25 October, both at 01:00 UTC. */
static void test_window_when_clocks_change(void **state)
{
	static const struct {
		int from, to;
		const char *now, *opens;
	} cases[] = {
		{ 540, 1080, "2026-03-28T20:00:00Z", "2026-03-29T07:00:00Z" }, { 540, 1080, "2026-10-24T20:00:00Z", "2026-10-25T08:00:00Z" },
		{ 540, 1080, "2026-03-29T16:00:00Z", "2026-03-30T07:00:00Z" }, { 540, 1080, "2026-10-25T16:59:59Z", "2026-10-25T16:59:59Z" },
		/* It would open in the hour that is left out: when that is over. All of it is left out: not that night. */
		{ 150, 360, "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z" },  { 130, 170, "2026-03-29T00:30:00Z", "2026-03-30T00:10:00Z" },
		{ 150, 360, "2026-03-29T04:00:00Z", "2026-03-30T00:30:00Z" },
		/* It opens in the hour that comes twice: twice. */
		{ 150, 360, "2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z" },  { 150, 360, "2026-10-25T00:45:00Z", "2026-10-25T00:45:00Z" },
		{ 150, 360, "2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z" },  { 150, 360, "2026-10-25T05:00:00Z", "2026-10-26T01:30:00Z" },
		{ 1320, 150, "2026-10-25T00:20:00Z", "2026-10-25T00:20:00Z" }, { 1320, 150, "2026-10-25T01:20:00Z", "2026-10-25T01:20:00Z" },
		{ 1320, 150, "2026-10-25T01:40:00Z", "2026-10-25T21:00:00Z" }, { 1320, 150, "2026-03-29T01:00:00Z", "2026-03-29T20:00:00Z" },
		{ 0, 0, "2026-03-29T00:30:00Z", "2026-03-29T00:30:00Z" },
	};
	struct timezone_rules *berlin = timefmt_zone_load("Europe/Berlin");
	char text[TIMEFMT_MAX];

	(void)state;
	assert_non_null(berlin);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct window window = { .set = true, .from_min = cases[i].from, .to_min = cases[i].to, .zone = berlin };
		int64_t opens = window_open(&window, at(cases[i].now));

		if (opens != at(cases[i].opens))
			fail_msg("%d-%d at %s: opens %s", cases[i].from, cases[i].to, cases[i].now, timefmt_utc(opens, text, sizeof text));
	}
	timefmt_zone_free(berlin);
}

static void test_spec(void **state)
{
	static const char good[] = "{\"content\":{\"type\":\"text\",\"method\":\"messages.send.text\",\"p\":{\"message\":\"{{a}}\"}},\"missing\":\"keep\","
				   "\"pace\":{\"gapMs\":5},\"window\":{\"from\":1,\"to\":2,\"zone\":\"UTC\"}}";
	struct campaign_spec spec;

	(void)state;
	assert_int_equal(campaign_spec_read(&spec, span_text(good)), 0);
	assert_string_equal(spec.method, "messages.send.text");
	assert_true(spec.varies && spec.missing == TEMPLATE_KEEP && spec.pace.gap_ms == 5 && spec.window.set && spec.window.to_min == 2);
	campaign_spec_free(&spec);
	assert_int_equal(campaign_spec_read(&spec, span_text("[]")), -1);
	assert_int_equal(campaign_spec_read(&spec, span_text("{\"content\":{}}")), -1);
}

/* ---- store ---- */

static void read_all(struct store_reader *reader, void *arg)
{
	struct fixture_read *read = arg;
	static int64_t counts[STORE_RECIPIENT_STATES];
	struct store_campaign row;

	read->rc = store_campaign_get(reader, &read->f->arena, read->text, &row);
	read->number = read->rc == 0 ? row.number : 0;
	if (read->rc == 0 && !(row.spec.n == 2 && memcmp(row.spec.p, "{}", 2) == 0))
		read->rc = STORE_CORRUPT;
	read->session = row.state;
	if (read->rc == 0)
		read->rc = store_campaign_counts(reader, row.number, counts);
	read->rows = counts;
}

static struct fixture_read look(struct fixture *f)
{
	struct fixture_read read = { .f = f, .text = "C1" };

	store_read_wait(f->store, read_all, &read);
	return read;
}

static int add_row(struct fixture *f, int64_t session, const char *id)
{
	struct store_tx *tx = store_tx_new(f->store);

	store_tx_outbox_add(tx, &(struct store_outbox){ .session = session, .message_id = id, .recipient = "1@s.whatsapp.net", .message = span_text("m"), .created_ms = 7 },
	                    NULL);
	return store_commit_wait(f->store, tx);
}

static void test_store(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "s"), added = -1;
	const struct store_recipient people[] = { { .jid = "1@s.whatsapp.net", .message_id = "A", .variables = span_text("{}") },
		{ .jid = "2@s.whatsapp.net", .message_id = "B" }, { .jid = "1@s.whatsapp.net", .message_id = "A" } };
	struct store_tx *tx = store_tx_new(f->store);
	struct fixture_read now;
	const int64_t *counts;

	store_tx_campaign_add(tx, &(struct store_campaign){ .id = "C1", .registry = "owner", .session = session, .session_id = "s", .name = "n",
		.state = STORE_CAMPAIGN_DRAFT, .created_ms = 5, .spec = span_text("{}") });
	store_tx_campaign_recipients(tx, "C1", people, 3, 2, &added);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(added, 2);
	tx = store_tx_new(f->store);
	store_tx_campaign_recipients(tx, "C1", &(struct store_recipient){ .jid = "3@s.whatsapp.net", .message_id = "C" }, 1, 2, &added);
	assert_int_equal(store_commit_wait(f->store, tx), STORE_CONSTRAINT);
	/* The recipient follows its row of the outbox, which takes an id once. */
	assert_int_equal(add_row(f, session, "A"), 0);
	assert_int_equal(add_row(f, session, "A"), STORE_CONSTRAINT);
	now = look(f);
	counts = now.rows;
	assert_int_equal(now.rc, 0);
	assert_true(counts[STORE_RECIPIENT_PENDING] == 1 && counts[STORE_OUTBOX_QUEUED] == 1);
	tx = store_tx_new(f->store);
	store_tx_outbox_receipt(tx, session, "A", "1:2@s.whatsapp.net", STORE_OUTBOX_READ, 9);
	store_tx_campaign_state(tx, now.number, STORE_CAMPAIGN_BIT(STORE_CAMPAIGN_DRAFT), STORE_CAMPAIGN_ACTIVE, NULL, 9);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	tx = store_tx_new(f->store);
	store_tx_campaign_state(tx, now.number, STORE_CAMPAIGN_BIT(STORE_CAMPAIGN_DRAFT), STORE_CAMPAIGN_ACTIVE, NULL, 9);
	assert_int_equal(store_commit_wait(f->store, tx), STORE_NOT_FOUND);
	now = look(f);
	assert_true(counts[STORE_OUTBOX_READ] == 1 && now.session == STORE_CAMPAIGN_ACTIVE);
	/* The session goes: the campaign ends, what is known stays. */
	tx = store_tx_new(f->store);
	store_tx_session_remove(tx, session);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	now = look(f);
	assert_true(now.rc == 0 && now.session == STORE_CAMPAIGN_CANCELLED && counts[STORE_OUTBOX_READ] == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_template), cmocka_unit_test(test_template_tree), cmocka_unit_test(test_pace), cmocka_unit_test(test_window), cmocka_unit_test(test_window_when_clocks_change),
		cmocka_unit_test(test_spec), cmocka_unit_test_setup_teardown(test_store, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
