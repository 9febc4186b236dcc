/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, secrets may end in logs, or log lines can be forged or torn. */
#include "common/log.h"

#include <errno.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct capture {
	int fds[2];
	struct log_sink sink;
	struct log log;
};

static void capture_start(struct capture *c, enum log_level level, enum log_format format)
{
	assert_int_equal(pipe(c->fds), 0);
	log_sink_init(&c->sink, c->fds[1], level, format);
	c->log = (struct log){ .sink = &c->sink, .name = "test" };
}

/* Everything that was written, terminated. */
static void capture_end(struct capture *c, char *out, size_t cap)
{
	size_t len = 0;
	ssize_t n;

	close(c->fds[1]);
	while (len < cap - 1 && (n = read(c->fds[0], out + len, cap - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(c->fds[0]);
	log_sink_free(&c->sink);
}

static void writes_text(void **state)
{
	struct capture c;
	char out[4096];

	(void)state;
	capture_start(&c, LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_info(&c.log, "session opened", LOG_STR("session", "shop"), LOG_INT("attempts", -2), LOG_BOOL("fresh", true),
		LOG_STR("label", "two words\nand a line"), LOG_STR("none", NULL), LOG_REAL("load", 0.5));
	log_debug(&c.log, "not written");
	capture_end(&c, out, sizeof out);
	assert_non_null(strstr(out, "INFO  test: session opened session=shop attempts=-2 fresh=true "
				    "label=\"two words\\nand a line\" none=- load=0.5\n"));
	assert_int_equal(out[4], '-');
	assert_null(strstr(out, "not written"));
}

static void writes_json_that_parses(void **state)
{
	struct capture c;
	char out[4096];
	struct json_object *line;
	struct json_object *value = NULL;

	(void)state;
	capture_start(&c, LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
	log_debug(&c.log, "odd \"text\"", LOG_STR("a", "x\\\"\x01\xff\xc3\xa9"), LOG_STR("b", NULL), LOG_INT("n", INT64_MIN));
	capture_end(&c, out, sizeof out);
	line = json_tokener_parse(out);
	assert_non_null(line);
	assert_true(json_object_object_get_ex(line, "a", &value));
	assert_string_equal(json_object_get_string(value), "x\\\"\x01\xef\xbf\xbd\xc3\xa9");
	assert_true(json_object_object_get_ex(line, "level", &value));
	assert_int_equal(json_object_get_int(value), 20);
	assert_true(json_object_object_get_ex(line, "msg", &value));
	assert_string_equal(json_object_get_string(value), "odd \"text\"");
	json_object_put(line);
}

static void hides_secrets(void **state)
{
	struct capture c;
	char out[4096];

	(void)state;
	capture_start(&c, LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_info(&c.log, "login", LOG_STR("password", "hunter2"), LOG_STR("X-WAREST-API-KEY", "user_hunter2"),
		LOG_SECRET("webhook", "hunter2"), LOG_SECRET("none", ""), LOG_STR("Body", "hunter2"),
		LOG_URL("proxy", "http://me:hunter2@proxy.example:80/x?api_key=hunter2&b=1"));
	capture_end(&c, out, sizeof out);
	assert_null(strstr(out, "hunter2"));
	assert_non_null(strstr(out, "webhook=set none=empty"));
	assert_non_null(strstr(out, "proxy=\"http://m***:***@proxy.example:80/x?api_key=***&b=1\""));
}

static void redacts_urls(void **state)
{
	static const struct {
		const char *url;
		const char *shown;
	} rows[] = { { "https://a.example/x", "https://a.example/x" }, { "socks5://u:p@h:1", "socks5://u***:***@h:1" },
		{ "http://:p@h/", "http://***:***@h/" }, { "http://h/a@b?x=1#f", "http://h/a@b?x=1#f" },
		{ "u:p@h:1", "u***:***@h:1" }, { "http://a@b:c@h/", "http://a***:***@h/" },
		{ "https://h/p?token=1#x", "https://h/p?token=***#x" }, { "", "" } };
	char buf[128];
	char small[8];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(log_redact_url(rows[i].url, buf, sizeof buf), rows[i].shown);
	assert_string_equal(log_redact_url("http://long.example/", small, sizeof small), "http://");
}

static void bounds_a_line(void **state)
{
	struct capture c;
	char out[32768];
	char *big = malloc(100001);
	struct json_object *line;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', 100000);
	big[100000] = '\0';
	capture_start(&c, LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info(&c.log, "big", LOG_STR("a", big), LOG_STR("b", big), LOG_STR("c", big), LOG_STR("d", big), LOG_STR("e", big));
	capture_end(&c, out, sizeof out);
	free(big);
	assert_true(strlen(out) <= 8192);
	line = json_tokener_parse(out);
	assert_non_null(line);
	json_object_put(line);
}

static void keeps_errno_and_takes_no_logger(void **state)
{
	(void)state;
	errno = ENOENT;
	log_error(NULL, "nothing");
	log_error(&(struct log){ .sink = NULL, .name = "x" }, "nothing", LOG_INT("a", 1));
	assert_int_equal(errno, ENOENT);
}

static void reads_levels(void **state)
{
	enum log_level level;

	(void)state;
	assert_true(log_level_parse("WARN", &level));
	assert_int_equal(level, LOG_LEVEL_WARN);
	assert_false(log_level_parse("loud", &level));
	assert_int_equal(level, LOG_LEVEL_INFO);
	assert_string_equal(log_level_name(LOG_LEVEL_DEBUG), "debug");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_text),   cmocka_unit_test(writes_json_that_parses),
		cmocka_unit_test(hides_secrets), cmocka_unit_test(redacts_urls),
		cmocka_unit_test(bounds_a_line), cmocka_unit_test(keeps_errno_and_takes_no_logger),
		cmocka_unit_test(reads_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
