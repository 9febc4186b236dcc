/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, settings of the original are misread, bad ones are swallowed, or secrets end in logs. */
#include "common/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char path[32];
	struct config *config;
	struct config_report report;
	int rc;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	int fd;

	assert_non_null(f);
	(void)snprintf(f->path, sizeof f->path, "/tmp/test_config.XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	close(fd);
	config_report_init(&f->report);
	*state = f;
	return 0;
}

static void forget(struct fixture *f)
{
	config_free(f->config);
	f->config = NULL;
	config_report_free(&f->report);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	forget(f);
	unlink(f->path);
	free(f);
	return 0;
}

/* Loads this file content over this environment. */
static void load(struct fixture *f, const char *file, char *const *environment)
{
	FILE *out = fopen(f->path, "w");

	assert_non_null(out);
	fputs(file, out);
	assert_int_equal(fclose(out), 0);
	forget(f);
	f->rc = config_load(&f->config, &(struct config_source){ .env_file = f->path, .environment = environment }, &f->report);
	assert_int_equal(f->rc == 0, f->report.problem_count == 0);
}

static void has_the_defaults(void **state)
{
	struct fixture *f = *state;

	load(f, "", NULL);
	assert_int_equal(f->rc, 0);
	assert_int_equal(f->config->port, 7308);
	assert_string_equal(f->config->base_url, "http://localhost:7308");
	assert_string_equal(f->config->country_code, "62");
	assert_int_equal(f->config->rate_limit_max, 120);
	assert_int_equal(f->config->queue_retry_delay_ms, 75);
	assert_true(f->config->queue_retry_jitter > 0.19 && f->config->queue_retry_jitter < 0.21);
	assert_int_equal(f->config->db_client, CONFIG_DB_SQLITE);
	assert_int_equal(f->config->webhook_signature_sha2, CONFIG_SHA256);
	assert_true(f->config->compat_query_api_key);
	assert_false(f->config->compat_login_rotates_key);
	assert_int_equal(f->config->download_media_mimetypes.count, 19);
	assert_int_equal(f->config->outbound_allow.count, 0);
	assert_int_equal(f->config->trusted_proxies.count, 1);
	assert_string_equal(f->config->webhook_default_secret, "");
	assert_int_equal(f->report.warning_count, 0);
	assert_false(config_is_set(f->config, "PORT"));
}

static void orders_environment_file_and_aliases(void **state)
{
	struct fixture *f = *state;

	load(f, "PORT=1000\nAPP_PORT=2000\nHOST=\nAPP_HOST=127.0.0.1\nLOG_LEVEL=debug\nPORT=1001\n",
		(char *const[]){ "APP_PORT=3000", "LOG_LEVEL= WARN ", NULL });
	assert_int_equal(f->rc, 0);
	assert_int_equal(f->config->port, 1001);
	assert_string_equal(f->config->host, "127.0.0.1");
	assert_int_equal(f->config->log_level, LOG_LEVEL_WARN);
	assert_true(config_is_set(f->config, "HOST"));
	load(f, "PORT=1000\n", (char *const[]){ "PORT=3000", NULL });
	assert_int_equal(f->config->port, 3000);
	load(f, "", (char *const[]){ "APP_PORT=3000", NULL });
	assert_string_equal(f->config->base_url, "http://localhost:3000");
}

static void tells_every_problem_at_once(void **state)
{
	struct fixture *f = *state;
	const char *text;

	load(f,
		"PORT=abc\nRATE_LIMIT_MAX=1.5\nAUTOREPLY_ENABLED=maybe\nWAREST_TIMEZONE=Mars/Base\nWAREST_BASE_URL=ftp://x\n"
		"WAREST_STORAGE_DRIVER=tape\nWAREST_WA_ROOT_KEY=12\nWAREST_OUTBOUND_ALLOW=private,10.0.0.0/40\n"
		"WAREST_STATE_DIR=relative\nWAREST_PROXY_URLS=ftp://u:hunter2@h\nWAREST_DB_CLIENT=mysql\nWAREST_CACHING_DRIVER=redis\n"
		"WAREST_DEFAULT_COUNTRY_CODE=062\nWAREST_AUTHADMIN_USERNAME=a\n",
		NULL);
	assert_int_equal(f->rc, -1);
	assert_int_equal(f->report.problem_count, 14);
	text = buf_text(&f->report.problems);
	assert_non_null(strstr(text, "PORT: must be a whole number between 0 and 65535, not abc\n"));
	assert_non_null(strstr(text, "WAREST_STORAGE_DRIVER: must be one of local s3, not tape\n"));
	assert_non_null(strstr(text, "AUTOREPLY_ENABLED: must be true or false, not maybe\n"));
	assert_null(strstr(text, "hunter2"));
}

static void moves_what_the_original_clamps(void **state)
{
	struct fixture *f = *state;

	load(f, "RATE_LIMIT_WINDOW_MS=10\nWAREST_QUEUE_RETRY_JITTER=7\nSPAM_COOLDOWN_MS=0\nQUOTA_MAX=0\n", NULL);
	assert_int_equal(f->rc, 0);
	assert_int_equal(f->config->rate_limit_window_ms, 1000);
	assert_true(f->config->queue_retry_jitter == 1.0);
	assert_int_equal(f->config->spam_cooldown_ms, 0);
	assert_int_equal(f->report.warning_count, 2);
}

static void reads_lists_and_derives(void **state)
{
	struct fixture *f = *state;

	load(f,
		"WAREST_PROXY_URLS=\"http://u:p@a:1, b:2,\nsocks5h://c:3\"\nALLOWED_ORIGINS=https://a.example , ,https://b.example\n"
		"WAREST_WA_CONNECT_TO=mmg.whatsapp.net:443:127.0.0.1:9444\nWAREST_DB_SQLITE_PATH=x.sqlite\nWAREST_STATE_DIR=/tmp/s\n"
		"WAREST_WEBHOOK_SIGNATURE_SHA2=SHA-512\nWAREST_WEBHOOK_DEFAULT_SECRET=abcdef\n",
		NULL);
	assert_int_equal(f->rc, 0);
	assert_int_equal(f->config->proxy_urls.count, 3);
	assert_string_equal(f->config->proxy_urls.items[2], "socks5h://c:3");
	assert_int_equal(f->config->proxy_strategy, CONFIG_PROXY_ROUND_ROBIN);
	assert_int_equal(f->config->proxy_rotate_after, 2);
	assert_int_equal(f->config->allowed_origins.count, 2);
	assert_string_equal(f->config->db_sqlite_path, "/tmp/s/x.sqlite");
	assert_string_equal(f->config->key_pepper_file, "/tmp/s/key.pepper");
	assert_string_equal(f->config->wa_ca_file, "");
	assert_int_equal(f->config->webhook_signature_sha2, CONFIG_SHA512);
	assert_string_equal(f->config->webhook_default_secret, "abcdef");
}

static void warns_about_names_without_effect(void **state)
{
	struct fixture *f = *state;
	const char *text;

	load(f, "WAREST_RATE_LIMT=1\nWAREST_CACHE_REDIS_HOST=h\nOTHER=1\n",
		(char *const[]){ "WAREST_ENV_FILE=x", "WAREST_TYPO=1", "PATH=/bin", NULL });
	assert_int_equal(f->rc, 0);
	assert_int_equal(f->report.warning_count, 3);
	text = buf_text(&f->report.warnings);
	assert_non_null(strstr(text, "WAREST_RATE_LIMT: there is no such setting\n"));
	assert_non_null(strstr(text, "WAREST_TYPO: there is no such setting\n"));
}

static void never_shows_secrets(void **state)
{
	struct fixture *f = *state;
	struct buf out;

	load(f,
		"WAREST_AUTHADMIN_USERNAME=a\nWAREST_AUTHADMIN_PASSWORD=hunter2\nWAREST_ADMIN_APIKEY=hunter2\n"
		"WEBHOOK_DEFAULT_SECRET=hunter2\nWAREST_PROXY_URLS=http://me:hunter2@h:1\n",
		NULL);
	assert_int_equal(f->rc, 0);
	buf_init(&out);
	config_print(f->config, &out);
	assert_null(strstr(buf_text(&out), "hunter2"));
	assert_non_null(strstr(buf_text(&out), "WAREST_ADMIN_APIKEY=(set)\n"));
	assert_non_null(strstr(buf_text(&out), "WAREST_PROXY_URLS=http://m***:***@h:1\n"));
	assert_non_null(strstr(buf_text(&out), "WAREST_DB_CLIENT=sqlite\n"));
	buf_free(&out);
}

static void says_that_the_file_cannot_be_read(void **state)
{
	struct fixture *f = *state;

	forget(f);
	f->rc = config_load(&f->config, &(struct config_source){ .env_file = "/nowhere/x.env" }, &f->report);
	assert_int_equal(f->rc, -1);
	assert_string_equal(buf_text(&f->report.problems), "/nowhere/x.env: cannot be read: No such file or directory\n");
	load(f, "A=1\nB='\n", NULL);
	assert_non_null(strstr(buf_text(&f->report.problems), ":2: the quote is not closed\n"));
}

static void parses_booleans(void **state)
{
	static const char *const yes[] = { "1", "TRUE", " yes ", "On", "y" };
	static const char *const no[] = { "0", "False", "no", "OFF", "n" };
	bool value;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		value = false;
		assert_true(config_parse_bool(yes[i], &value));
		assert_true(value);
		assert_true(config_parse_bool(no[i], &value));
		assert_false(value);
	}
	assert_false(config_parse_bool("", &value));
	assert_false(config_parse_bool("2", &value));
	assert_false(config_parse_bool("yes no", &value));
}

/* The sample that is installed names every setting with its default. */
static void sample_is_complete(void **state)
{
	struct buf out;
	FILE *file = fopen(TEST_VECTORS_DIR "/../../etc/warest.env", "r");
	char line[4096];

	(void)state;
	assert_non_null(file);
	buf_init(&out);
	while (fgets(line, sizeof line, file) != NULL)
		buf_append_text(&out, line);
	(void)fclose(file);
	struct buf sample;
	buf_init(&sample);
	config_sample(&sample);
	for (char *p = strtok((char *)(uintptr_t)buf_text(&sample), "\n"); p != NULL; p = strtok(NULL, "\n")) {
		if (p[0] != '#' || p[1] == ' ')
			continue;
		/* places depend on how it was configured */
		if (strstr(p, "_DIR=") != NULL || strstr(p, "WAREST_SOCKET=") != NULL)
			*(strchr(p, '=') + 1) = '\0';
		if (strstr(buf_text(&out), p) == NULL)
			fail_msg("etc/warest.env lacks %s", p);
	}
	buf_free(&sample);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(has_the_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(orders_environment_file_and_aliases, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_every_problem_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(moves_what_the_original_clamps, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_lists_and_derives, setup, teardown),
		cmocka_unit_test_setup_teardown(warns_about_names_without_effect, setup, teardown),
		cmocka_unit_test_setup_teardown(never_shows_secrets, setup, teardown),
		cmocka_unit_test_setup_teardown(says_that_the_file_cannot_be_read, setup, teardown),
		cmocka_unit_test(parses_booleans),
		cmocka_unit_test(sample_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
