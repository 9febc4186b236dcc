/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, an operator cannot move a session that is whole, or moves one that is damaged, or loses the list of a database taken over. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "sessiond/import/import.h"
#include "sessiond/import/registry.h"
#include "sessiond/session/import.h"
#include "sessiond/wa/creds.h"

#define KEY "{\"type\":\"Buffer\",\"data\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}"
#define SHORT "{\"type\":\"Buffer\",\"data\":\"AAAA\"}"
#define PAIR "{\"private\":" KEY ",\"public\":" KEY "}"
#define SIGNATURE "{\"data\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\"}"
#define ACCOUNT "{\"details\":" SHORT ",\"accountSignatureKey\":" SHORT ",\"accountSignature\":" SHORT ",\"deviceSignature\":" SHORT "}"

struct field {
	const char *name, *json;
};

static const struct field whole[] = {
	{ "registrationId", "0" },
	{ "noiseKey", PAIR },
	{ "signedIdentityKey", PAIR },
	{ "signedPreKey", "{\"keyId\":1,\"keyPair\":" PAIR ",\"signature\":" SIGNATURE "}" },
	{ "account", ACCOUNT },
	{ "me", "{\"id\":\"15550001111:7@s.whatsapp.net\",\"lid\":\"222333444:7@lid\"}" },
};

static char folder[] = "/tmp/warest-test-import-XXXXXX";

static void path_of(const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", folder, name);
}

static void put(const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	path_of(name, path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void drop(const char *name)
{
	char path[PATH_MAX];

	path_of(name, path);
	assert_int_equal(unlink(path), 0);
}

/* creds.json with one field changed; its json NULL: left out. */
static void put_creds(const struct field *changed)
{
	struct buf text = { 0 };

	buf_u8(&text, '{');
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
		const char *json = changed && strcmp(changed->name, whole[i].name) == 0 ? changed->json : whole[i].json;

		if (json)
			buf_printf(&text, "%s\"%s\":%s", text.len > 1 ? "," : "", whole[i].name, json);
	}
	buf_u8(&text, '}');
	put("creds.json", buf_text(&text));
	buf_free(&text);
}

/* The first record of the file: kind(1) name length(2) name value length(4) value. */
static struct span first_value(const struct imported *imported, uint8_t *kind)
{
	struct reader r = reader_of(imported->records.data, imported->records.len);

	read_span(&r, strlen(IMPORT_MAGIC));
	*kind = read_u8(&r);
	read_span(&r, read_be16(&r));
	return read_span(&r, read_be32(&r));
}

/* Baileys makes its registration id of one byte: one device in 256 has this one. */
static void registration_id_zero_is_one(void **state)
{
	struct imported imported;
	struct wa_creds creds = { .registration_id = 99 };
	struct span value;
	uint8_t kind;

	(void)state;
	put_creds(NULL);
	assert_int_equal(import_baileys(&imported, folder, 0), IMPORT_OK);
	assert_int_equal(session_import_count(buf_span(&imported.records)), 2);
	value = first_value(&imported, &kind);
	assert_int_equal(kind, WA_RECORD_CREDS);
	assert_int_equal(creds_read(&creds, value), 0);
	assert_int_equal(creds.registration_id, 0);
	assert_int_equal(creds.pn.device, 7);
	creds_free(&creds);
	imported_free(&imported);
}

static void refused(const char *file, int error)
{
	struct imported imported;
	int rc = import_baileys(&imported, folder, 0);

	if (rc != error || !strstr(imported.text, file) || imported.records.len != 0)
		fail_msg("%s: %d, \"%s\", %zu bytes left", file, rc, imported.text, imported.records.len);
	imported_free(&imported);
}

static void damaged_creds_are_refused(void **state)
{
	static const struct field cases[] = {
		{ "registrationId", NULL }, { "registrationId", "\"5\"" }, { "registrationId", "-1" }, { "registrationId", "2147483648" }, { "registrationId", "1.5" },
		{ "noiseKey", NULL }, { "noiseKey", "{\"private\":" SHORT ",\"public\":" KEY "}" }, { "signedIdentityKey", "[]" },
		{ "signedPreKey", "{\"keyId\":0,\"keyPair\":" PAIR ",\"signature\":" SIGNATURE "}" },
		{ "signedPreKey", "{\"keyId\":1,\"keyPair\":" PAIR ",\"signature\":" SHORT "}" }, { "account", NULL }, { "account", "{\"details\":" SHORT "}" },
		{ "me", "{\"id\":\"15550001111@s.whatsapp.net\"}" }, { "me", "{\"id\":\"222333444:7@lid\"}" }, { "me", "{\"id\":\"no one\"}" },
		{ "me", "{\"id\":\"15550001111:7@s.whatsapp.net\",\"lid\":\"15550001111:7@s.whatsapp.net\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		put_creds(&cases[i]);
		refused("creds.json", IMPORT_E_BROKEN);
	}
	put("creds.json", "{\"registrationId\":");
	refused("creds.json", IMPORT_E_BROKEN);
	put("creds.json", "");
	refused("creds.json", IMPORT_E_BROKEN);
	put_creds(&(struct field){ "me", NULL });
	refused("never linked", IMPORT_E_NONE);
	put_creds(&(struct field){ "me", "{\"id\":null}" });
	refused("never linked", IMPORT_E_NONE);
	drop("creds.json");
	refused("creds.json", IMPORT_E_NONE);
	put_creds(NULL);
}

static void damaged_files_are_refused_by_name(void **state)
{
	static const struct field cases[] = {
		{ "pre-key-x.json", PAIR }, { "pre-key-123456789.json", PAIR }, { "pre-key-1.json", "{\"private\":" SHORT ",\"public\":" KEY "}" },
		{ "session-15550002222.0.json", "{\"_sessions\":[]}" }, { "session-15550002222.json", "{\"_sessions\":{}}" },
		{ "session-15550002222.0.json", "{\"_sessions\":{\"x\":{\"indexInfo\":{\"closed\":-1}}}}" },
		{ "sender-key-1203@g.us--222333444.json", "[]" }, { "sender-key-1203@g.us--222333444--7.json", "[{\"senderKeyId\":-1}]" },
		{ "sender-key-1203@g.us--222333444--7.json", "{\"data\":\"bm8gSlNPTg==\"}" },
		{ "app-state-sync-key-AAAAAA.json", "{\"keyData\":" SHORT "}" }, { "app-state-sync-key-?.json", "{\"keyData\":" KEY "}" },
		{ "lid-mapping-15550001111.json", "222333444" }, { "lid-mapping-x.json", "\"222333444\"" }, { "lid-mapping-_reverse.json", "\"1\"" },
		{ "tctoken-x.json", "no JSON" },
	};

	(void)state;
	put_creds(NULL);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		put(cases[i].name, cases[i].json);
		refused(cases[i].name, IMPORT_E_BROKEN);
		drop(cases[i].name);
	}
}

static void a_source_in_use_is_refused(void **state)
{
	struct imported imported;

	(void)state;
	put_creds(NULL);
	assert_int_equal(import_baileys(&imported, folder, 60000), IMPORT_E_LIVE);
	assert_non_null(strstr(imported.text, "in use"));
	assert_int_equal(imported.records.len, 0);
	imported_free(&imported);
}

/* Neither cut anywhere, nor with anything before it, is the file that the daemon takes. */
static void a_file_that_is_cut_is_none(void **state)
{
	struct imported imported;

	(void)state;
	put_creds(NULL);
	assert_int_equal(import_baileys(&imported, folder, 0), IMPORT_OK);
	for (size_t n = 0; n < imported.records.len; n++) {
		long count = session_import_count(span_of(imported.records.data, n));

		/* A whole number of records is what a shorter import would be. */
		assert_true(count <= 1);
	}
	assert_int_equal(session_import_count(span_of(imported.records.data + 1, imported.records.len - 1)), -1);
	imported_free(&imported);
}

static void a_database_that_was_taken_over_still_lists_its_sessions(void **state)
{
	char path[PATH_MAX], found[PATH_MAX], why[256] = "";
	struct import_registry registry;
	const struct original_session *session;
	sqlite3 *db;

	(void)state;
	put_creds(NULL);
	path_of("warest.sqlite", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE sessions (id TEXT, number INTEGER); INSERT INTO sessions VALUES ('ours', 1);"
		"CREATE TABLE original_sessions (id, registry_user, label, credentials_path, auto_start, webhook_url, webhook_secret, status, last_connected_at, created_at);"
		"INSERT INTO original_sessions VALUES ('sales', 'QWERTZ', 'Sales', NULL, 1, 'http://x', NULL, 'open', NULL, '2025-01-02 03:04:05');"
		"INSERT INTO original_sessions VALUES ('twice', 'QWERTZ', CAST(x'610062' AS TEXT), '/nowhere/', 0, NULL, NULL, NULL, NULL, '2025-01-01 03:04:05');",
		NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(import_registry_read(&registry, path, why, sizeof why), 0);
	assert_true(registry.list.adopted);
	assert_int_equal(registry.list.nsessions, 2);
	assert_int_equal(registry.list.nusers, 0);
	assert_null(import_registry_find(&registry, "ours"));
	session = import_registry_find(&registry, "sales");
	assert_non_null(session);
	assert_true(session->auto_start);
	assert_string_equal(session->owner, "QWERTZ");
	assert_string_equal(session->webhook_secret, "");
	/* A label with a NUL is none. */
	assert_string_equal(import_registry_find(&registry, "twice")->label, "");
	assert_false(import_registry_directory(&registry, session, found));
	/* The daemon has it open, as it should. */
	assert_int_equal(import_registry_holder(&registry), 0);
	import_registry_free(&registry);
	sqlite3_close(db);
	drop("warest.sqlite");
}

static int enter(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int leave(void **state)
{
	(void)state;
	drop("creds.json");
	return rmdir(folder);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(registration_id_zero_is_one),
		cmocka_unit_test(damaged_creds_are_refused),
		cmocka_unit_test(damaged_files_are_refused_by_name),
		cmocka_unit_test(a_source_in_use_is_refused),
		cmocka_unit_test(a_file_that_is_cut_is_none),
		cmocka_unit_test(a_database_that_was_taken_over_still_lists_its_sessions),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
