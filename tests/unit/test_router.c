/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a request reaches the wrong route, a route's table entry contradicts itself, or trusted proxies are misjudged. */
#include "fcgi/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/config.h"
#include "common/mem.h"
#include "fcgi/param_kinds.h"
#include "fcgi/settings.h"

static const char *found(const char *method, const char *path)
{
	struct route_match m = route_find(method, span_text(path));

	return m.route ? m.route->name : m.other_method ? "(method)" : "(none)";
}

static void routes(void **state)
{
	struct route_match m;

	(void)state;
	assert_string_equal(found("GET", "/api/v1/session/list"), "session.list");
	assert_string_equal(found("HEAD", "/API/v1/Session/List/"), "session.list");
	assert_string_equal(found("GET", "/api/v1/session/list//"), "(none)");
	assert_string_equal(found("GET", "//api/v1/session/list"), "(none)");
	assert_string_equal(found("GET", "/api/v1/session/list/x"), "(none)");
	assert_string_equal(found("GET", "/api/v1/session"), "(none)");
	assert_string_equal(found("PUT", "/api/v1/session/list"), "(method)");
	assert_string_equal(found("get", "/api/v1/session/list"), "(method)");
	assert_string_equal(found("POST", "/api/v1/session//config"), "(none)");
	assert_string_equal(found("GET", ""), "(none)");
	assert_string_equal(found("GET", "/api/v1/session/create/pair-code"), "session.pair_code");
	assert_string_equal(found("GET", "/storages/a/b%2Fc/d.jpeg"), "storage.public");
	assert_string_equal(found("HEAD", "/storages/a"), "storage.public");
	assert_string_equal(found("GET", "/storages/"), "(none)");
	assert_string_equal(found("GET", "/storages"), "(none)");
	assert_string_equal(found("POST", "/storages/a/b"), "(method)");
	assert_string_equal(found("GET", "/storage/private"), "storage.private");
	m = route_find("GET", span_text("/storages/a/b/"));
	assert_true(span_is(route_value(&m, "key"), "a/b/"));
	m = route_find("POST", span_text("/api/v1/session/a%2Fb/passkey/response"));
	assert_string_equal(m.route->name, "session.passkey.response");
	assert_true(span_is(route_value(&m, "sessionId"), "a%2Fb"));
	assert_int_equal(route_value(&m, "session").n, 0);
}

static size_t path_names(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '{';
	return n;
}

static void check_param(const struct route *r, const struct param *p)
{
	assert_non_null(p->name);
	assert_non_null(p->type);
	assert_true(p->in[0] != PLACE_END);
	assert_true((p->kind == PARAM_ENUM) <= (p->values != NULL));
	assert_true(p->kind == PARAM_DOCUMENT || param_readers[p->kind].read);
	/* what is required says what its absence answers, unless prepare() does */
	assert_true(!p->required || p->missing.message || p->kind == PARAM_DOCUMENT || r->prepare);
	if (p->in[0] == PLACE_PATH)
		assert_non_null(strstr(r->path, p->name));
}

static void table(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct route_group *const *g = route_groups; *g; g++)
		for (size_t i = 0; i < (*g)->count; i++) {
			const struct route *r = &(*g)->routes[i];

			n++;
			assert_true(r->name && r->title && r->text && r->tag && r->successes);
			assert_true(path_names(r->path) <= ROUTE_MAX_PATH_VALUES);
			assert_string_equal(found(r->method, r->path), r->name);
			/* without a scope only keys without limits could use it: somebody forgot */
			assert_true((r->auth == AUTH_KEY || r->auth == AUTH_ADMIN) == (scope_name(r->scope) != NULL));
			assert_true((r->auth == AUTH_ADMIN) == (r->scope == SCOPE_ADMIN));
			assert_true(!(r->guards & GUARD_COOLDOWN) || r->body != BODY_NONE);
			assert_true(!r->selector || r->auth == AUTH_KEY);
			for (size_t k = 0; k < r->params_count; k++)
				check_param(r, &r->params[k]);
		}
	assert_true(n > 20);
}

static void selectors_are_complete(void **state)
{
	(void)state;
	for (const struct selector *const *s = selectors; *s; s++) {
		assert_non_null((*s)->name);
		assert_non_null((*s)->ids[0]);
		/* Without one of its own the daemon chooses the session. */
		assert_true((*s)->missing.message != NULL || *s == &selector_misc_auto);
		assert_true((*s)->in[0] != PLACE_END);
	}
}

static struct config *config_with(const char *line)
{
	char *environment[] = { (char *)line, NULL };
	struct config_source source = { .env_file = "/dev/null", .environment = environment };
	struct config_report report;
	struct config *config = NULL;

	config_report_init(&report);
	assert_int_equal(config_load(&config, &source, &report), 0);
	config_report_free(&report);
	return config;
}

static void trusted_proxies(void **state)
{
	struct config *config = config_with("WAREST_TRUSTED_PROXIES=private,203.0.113.128/25,2001:db8::1");
	struct settings s;
	char *error = NULL;

	(void)state;
	assert_int_equal(settings_init(&s, config, &error), 0);
	assert_true(settings_trusts(&s, "10.1.2.3"));
	assert_true(settings_trusts(&s, "172.31.255.255"));
	assert_false(settings_trusts(&s, "172.32.0.0"));
	assert_true(settings_trusts(&s, "::ffff:192.168.0.1"));
	assert_true(settings_trusts(&s, "203.0.113.200"));
	assert_false(settings_trusts(&s, "203.0.113.127"));
	assert_true(settings_trusts(&s, "2001:db8::1"));
	assert_false(settings_trusts(&s, "2001:db8::2"));
	assert_false(settings_trusts(&s, "127.0.0.1"));
	assert_false(settings_trusts(&s, ""));
	assert_false(settings_trusts(&s, "x"));
	settings_free(&s);
	config_free(config);
}

static void origins(void **state)
{
	struct config *config = config_with("WAREST_BASE_URL=https://wa.example/path/");
	struct settings s;
	char *error = NULL;

	(void)state;
	assert_int_equal(settings_init(&s, config, &error), 0);
	assert_string_equal(s.origins[0], "https://wa.example");
	assert_string_equal(s.origins[1], "http://localhost:7308");
	assert_string_equal(s.origins[2], "http://127.0.0.1:7308");
	assert_null(s.origins[3]);
	assert_false(s.all_origins);
	settings_free(&s);
	config_free(config);
	config = config_with("ALLOWED_ORIGINS=https://a.example/x,*");
	assert_int_equal(settings_init(&s, config, &error), 0);
	assert_string_equal(s.origins[0], "https://a.example");
	assert_true(s.all_origins);
	settings_free(&s);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(routes), cmocka_unit_test(table), cmocka_unit_test(selectors_are_complete),
					    cmocka_unit_test(trusted_proxies), cmocka_unit_test(origins) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
