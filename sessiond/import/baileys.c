/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The directory of a session: which files there are, and what each becomes. See import.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/timefmt.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/import/import.h"
#include "sessiond/wa/creds.h"
#include "sessiond/wa/signal.h"
#include "sessiond/wa/signal_group.h"

enum { FILE_MAX_BYTES = 8 << 20, FILES_MAX = 500000, ID_MAX = 255, ID_DIGITS = 8, KEY_DATA = 32 };

struct import {
	struct imported *out;
	int dir;                 /* descriptor of the directory */
	struct import_own own;
	struct buf keys;         /* app state keys, as the keyring stores them */
};

static int fail(struct imported *out, int error, const char *text, const char *name)
{
	snprintf(out->text, sizeof out->text, "%s%s%.120s", text, name ? ": " : "", name ? name : "");
	return error;
}

static struct json_object *sub(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	return json_object_is_type(object, json_type_object) && json_object_object_get_ex(object, name, &value) ? value : NULL;
}

/* ---- files ---- */

/* Never through a link, never out of the directory: names come from readdir(), files are opened beside it. */
static bool read_file(int dir, const char *name, struct buf *out)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t got = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX_BYTES) {
		do {
			got = read(fd, buf_reserve(out, 65536), 65536);
			if (got > 0)
				buf_commit(out, (size_t)got);
		} while (got > 0 && out->len <= FILE_MAX_BYTES);
	}
	close(fd);
	return got == 0;
}

static struct json_object *read_json(int dir, const char *name)
{
	struct json_tokener *tokener = json_tokener_new_ex(64);
	struct buf bytes = { 0 };
	struct json_object *json = NULL;

	if (read_file(dir, name, &bytes) && bytes.len > 0 && bytes.len < INT32_MAX) {
		json = json_tokener_parse_ex(tokener, (const char *)bytes.data, (int)bytes.len);
		if (json_tokener_get_error(tokener) != json_tokener_success) {
			json_object_put(json);
			json = NULL;
		}
	}
	json_tokener_free(tokener);
	buf_wipe(&bytes);
	return json;
}

/* ---- creds.json ---- */

static bool take_pair(struct json_object *pair, struct curve_pair *out)
{
	struct buf key = { 0 }, public_key = { 0 };
	bool ok = import_bytes(sub(pair, "private"), CURVE_KEY_LEN, &key) && import_bytes(sub(pair, "public"), 0, &public_key) &&
		  (public_key.len == CURVE_KEY_LEN || public_key.len == CURVE_KEY_LEN + 1);

	if (ok) {
		memcpy(out->private_key, key.data, CURVE_KEY_LEN);
		memcpy(out->public_key, public_key.data + public_key.len - CURVE_KEY_LEN, CURVE_KEY_LEN);
	}
	buf_wipe(&key);
	buf_free(&public_key);
	return ok;
}

static bool take_fixed(struct json_object *value, uint8_t *out, size_t n)
{
	struct buf bytes = { 0 };
	bool ok = import_bytes(value, n, &bytes);

	if (ok)
		memcpy(out, bytes.data, n);
	buf_wipe(&bytes);
	return ok;
}

static bool take_signed(struct json_object *key, struct signed_prekey *out)
{
	int64_t id = json_object_get_int64(sub(key, "keyId"));

	out->id = (uint32_t)id;
	out->created_ms = timefmt_now_ms();
	return id > 0 && id <= CREDS_PREKEY_ID_MAX && take_pair(sub(key, "keyPair"), &out->pair) &&
	       take_fixed(sub(key, "signature"), out->signature, CURVE_SIGNATURE_LEN);
}

/* ADVSignedDeviceIdentity: details(1), accountSignatureKey(2), accountSignature(3), deviceSignature(4) */
static bool take_account(struct json_object *account, struct buf *out)
{
	static const char *const names[] = { "details", "accountSignatureKey", "accountSignature", "deviceSignature" };
	bool ok = true;

	for (size_t i = 0; ok && i < sizeof names / sizeof names[0]; i++) {
		struct buf bytes = { 0 };

		ok = import_bytes(sub(account, names[i]), 0, &bytes) && bytes.len > 0 && bytes.len < 128 * 128;
		if (ok) {
			buf_u8(out, (uint8_t)((i + 1) << 3 | 2));
			if (bytes.len >= 128)
				buf_u8(out, (uint8_t)(bytes.len & 127) | 128);
			buf_u8(out, (uint8_t)(bytes.len >= 128 ? bytes.len >> 7 : bytes.len));
			buf_append_span(out, buf_span(&bytes));
		}
		buf_free(&bytes);
	}
	return ok;
}

static char *text_of(struct json_object *object, const char *name)
{
	const char *text = json_object_get_string(sub(object, name));

	return text && text[0] && strlen(text) <= CREDS_TEXT_MAX ? xstrdup(text) : NULL;
}

static bool take_creds(struct json_object *json, struct wa_creds *creds)
{
	struct json_object *me = sub(json, "me");
	/* Baileys makes it of one byte, so 0, which others take for none, is as good as the rest here. */
	struct json_object *id = sub(json, "registrationId");
	int64_t registration = json_object_get_int64(id);
	int64_t next = json_object_get_int64(sub(json, "nextPreKeyId"));
	const char *lid = json_object_get_string(sub(me, "lid"));

	if (!json_object_is_type(id, json_type_int) || registration < 0 || registration > INT32_MAX || !take_pair(sub(json, "noiseKey"), &creds->noise) ||
	    !take_pair(sub(json, "signedIdentityKey"), &creds->identity) || !take_signed(sub(json, "signedPreKey"), &creds->signed_prekey) ||
	    !take_account(sub(json, "account"), &creds->account) || jid_parse_text(&creds->pn, json_object_get_string(sub(me, "id"))) ||
	    !jid_is_pn(&creds->pn) || creds->pn.device == 0 || (lid && (jid_parse_text(&creds->lid, lid) || !jid_is_lid(&creds->lid))))
		return false;
	creds->registration_id = (uint32_t)registration;
	/* The secret is only for pairing; older versions do not keep it in this form. */
	if (!take_fixed(sub(json, "advSecretKey"), creds->adv_secret, sizeof creds->adv_secret))
		memset(creds->adv_secret, 0, sizeof creds->adv_secret);
	creds->next_prekey_id = next > 0 && next <= CREDS_PREKEY_ID_MAX ? (uint32_t)next : 1;
	creds->prekeys_uploaded = true;
	creds->platform = text_of(json, "platform");
	creds->push_name = text_of(me, "name");
	import_bytes(sub(json, "routingInfo"), 0, &creds->routing_info);
	if (creds->routing_info.len > 4096)
		buf_free(&creds->routing_info);
	/* The LID as our own device. */
	if (lid && creds->lid.device == 0)
		creds->lid.device = creds->pn.device;
	return true;
}

static void put_signed(struct import *im, const struct signed_prekey *key)
{
	struct buf value = { 0 };
	char name[12];

	buf_append(&value, key->pair.private_key, CURVE_KEY_LEN);
	buf_append(&value, key->pair.public_key, CURVE_KEY_LEN);
	buf_append(&value, key->signature, CURVE_SIGNATURE_LEN);
	buf_be64(&value, (uint64_t)key->created_ms);
	snprintf(name, sizeof name, "%" PRIu32, key->id);
	import_put(im->out, WA_RECORD_SIGNED_PREKEY, name, buf_span(&value));
	buf_wipe(&value);
}

static int import_creds(struct import *im)
{
	struct json_object *json = read_json(im->dir, "creds.json");
	struct imported *out = im->out;
	struct wa_creds creds = { 0 };
	struct buf value = { 0 };
	int rc = IMPORT_OK;

	if (!json)
		return fail(out, errno == ENOENT ? IMPORT_E_NONE : IMPORT_E_BROKEN, "there is no readable creds.json: this is not the directory of a session", NULL);
	if (!json_object_get_string(sub(sub(json, "me"), "id"))) {
		rc = fail(out, IMPORT_E_NONE, "this device was never linked, or was logged out: creds.json names no account", NULL);
	} else if (!take_creds(json, &creds)) {
		rc = fail(out, IMPORT_E_BROKEN, "keys are missing or damaged in", "creds.json");
	} else {
		creds_write(&creds, &value);
		import_put(out, WA_RECORD_CREDS, "", buf_span(&value));
		put_signed(im, &creds.signed_prekey);
		im->own.identity[0] = 0x05;
		memcpy(im->own.identity + 1, creds.identity.public_key, CURVE_KEY_LEN);
		im->own.registration_id = creds.registration_id;
		out->pn = creds.pn;
		out->lid = creds.lid;
		out->push_name = creds.push_name ? xstrdup(creds.push_name) : NULL;
		out->platform = creds.platform ? xstrdup(creds.platform) : NULL;
	}
	creds_free(&creds);
	buf_wipe(&value);
	json_object_put(json);
	return rc;
}

/* ---- the other files: handlers get what stands between prefix and ".json" ---- */

static bool take_prekey(struct import *im, const char *id, struct json_object *json)
{
	struct curve_pair pair;
	uint8_t value[SIGNAL_PREKEY_RECORD_BYTES];
	bool ok = strlen(id) <= ID_DIGITS && id[strspn(id, "0123456789")] == '\0' && take_pair(json, &pair);

	if (ok) {
		memcpy(value, pair.private_key, CURVE_KEY_LEN);
		memcpy(value + CURVE_KEY_LEN, pair.public_key, CURVE_KEY_LEN);
		import_put(im->out, WA_RECORD_PREKEY, id, span_of(value, sizeof value));
		im->out->prekeys++;
	}
	crypto_wipe(&pair, sizeof pair);
	crypto_wipe(value, sizeof value);
	return ok;
}

/* "user.device" or "user_domain.device" */
static bool is_address(const char *id)
{
	size_t user = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	const char *at = id + user;

	if (*at == '_')
		at += 1 + strspn(at + 1, "0123456789");
	return user > 0 && *at == '.' && at[1] && at[1 + strspn(at + 1, "0123456789")] == '\0';
}

static bool take_session(struct import *im, const char *id, struct json_object *json)
{
	struct buf record = { 0 };
	uint8_t identity[33];
	int rc = is_address(id) ? import_session(json, &im->own, &record, identity) : -1;

	if (rc > 0) {
		import_put(im->out, WA_RECORD_SESSION, id, buf_span(&record));
		import_put(im->out, WA_RECORD_IDENTITY, id, span_of(identity, sizeof identity));
		im->out->sessions++;
	} else if (rc == 0) {
		im->out->skipped++;
	}
	buf_wipe(&record);
	return rc >= 0;
}

/* GROUP--USER--DEVICE, once GROUP::USER::DEVICE; the value is JSON once more, as bytes. */
static bool take_sender_key(struct import *im, const char *id, struct json_object *json)
{
	const char *user = strstr(id, "--");
	const char *device = user ? strstr(user + 2, "--") : NULL;
	struct json_object *inner = NULL;
	struct buf bytes = { 0 }, record = { 0 };
	char name[SENDER_KEY_NAME_MAX];
	int n;
	bool ok;

	if (!device || strchr(device + 2, '-'))
		return false;
	n = snprintf(name, sizeof name, "%.*s::%.*s.%s", (int)(user - id), id, (int)(device - user - 2), user + 2, device + 2);
	ok = n > 0 && (size_t)n < sizeof name;
	if (ok && json_object_is_type(json, json_type_array)) {
		inner = json_object_get(json);
	} else if (ok && import_bytes(json, 0, &bytes)) {
		inner = json_tokener_parse(buf_text(&bytes));
	}
	ok = ok && inner && import_sender_key(inner, &record) == 0;
	if (ok && record.len > 0) {
		import_put(im->out, WA_RECORD_SENDER_KEY, name, buf_span(&record));
		im->out->sender_keys++;
	}
	json_object_put(inner);
	buf_wipe(&bytes);
	buf_wipe(&record);
	return ok;
}

/* The id is base64 in the file's name, where "/" has become "__". */
static bool take_app_state_key(struct import *im, const char *id, struct json_object *json)
{
	struct buf text = { 0 }, key_id = { 0 }, data = { 0 };
	struct json_object *time = sub(json, "timestamp");
	int64_t time_s = json_object_get_int64(time);
	bool ok;

	for (const char *at = id; *at; at++) {
		if (at[0] == '_' && at[1] == '_') {
			buf_u8(&text, '/');
			at++;
		} else {
			buf_u8(&text, (uint8_t)*at);
		}
	}
	time = json_object_new_string(buf_text(&text));
	ok = import_bytes(time, 0, &key_id) && key_id.len > 0 && key_id.len < 64 && import_bytes(sub(json, "keyData"), KEY_DATA, &data);
	json_object_put(time);
	if (ok) {
		buf_u8(&im->keys, (uint8_t)key_id.len);
		buf_append_span(&im->keys, buf_span(&key_id));
		buf_append_span(&im->keys, buf_span(&data));
		buf_be64(&im->keys, time_s > 0 ? (uint64_t)time_s : 0);
		im->out->keys++;
	}
	buf_free(&text);
	buf_free(&key_id);
	buf_wipe(&data);
	return ok;
}

static bool is_user(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && n <= 20 && text[n] == '\0';
}

/* "PN" -> LID; "LID_reverse" -> PN: each file says one direction. */
static bool take_mapping(struct import *im, const char *id, struct json_object *json)
{
	static const char reverse[] = "_reverse";
	const char *other = json_object_is_type(json, json_type_string) ? json_object_get_string(json) : "";
	char user[ID_MAX + 1];
	size_t n = strlen(id);
	bool backwards = n > sizeof reverse - 1 && strcmp(id + n - (sizeof reverse - 1), reverse) == 0;

	snprintf(user, sizeof user, "%.*s", (int)(backwards ? n - (sizeof reverse - 1) : n), id);
	if (!is_user(user) || !is_user(other))
		return false;
	import_put(im->out, backwards ? WA_RECORD_PN_OF_LID : WA_RECORD_LID_OF_PN, user, span_text(other));
	im->out->mappings += !backwards;
	return true;
}

static bool take_token(struct import *im, const char *id, struct json_object *json)
{
	struct buf token = { 0 }, value = { 0 };
	struct jid jid;
	int64_t time_s = json_object_get_int64(sub(json, "timestamp"));
	char text[JID_TEXT_MAX];

	/* Index of what there is, and tokens of what is no JID: given anew when needed. */
	if (!jid_parse_text(&jid, id) && import_bytes(sub(json, "token"), 0, &token) && token.len > 0 && token.len <= 1024) {
		jid = jid_bare(&jid);
		buf_u8(&value, 1);
		buf_be64(&value, time_s > 0 ? (uint64_t)time_s : 0);
		buf_be64(&value, 0);
		buf_append_span(&value, buf_span(&token));
		import_put(im->out, WA_RECORD_TOKEN, jid_format(&jid, text, sizeof text), buf_span(&value));
		im->out->tokens++;
	}
	buf_wipe(&token);
	buf_wipe(&value);
	return true;
}

static const struct {
	const char *prefix;
	bool (*take)(struct import *im, const char *id, struct json_object *json); /* NULL: not needed */
} kinds[] = {
	{ "pre-key-", take_prekey },
	{ "session-", take_session },
	{ "sender-key-memory-", NULL },
	{ "sender-key-", take_sender_key },
	{ "app-state-sync-key-", take_app_state_key },
	{ "lid-mapping-", take_mapping },
	{ "tctoken-", take_token },
};

static int import_file(struct import *im, const char *name)
{
	size_t n = strlen(name);
	char id[ID_MAX + 1];

	if (n <= 5 || n > ID_MAX || strcmp(name + n - 5, ".json") != 0)
		return IMPORT_OK;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		size_t prefix = strlen(kinds[i].prefix);
		struct json_object *json;
		bool ok;

		if (strncmp(name, kinds[i].prefix, prefix) != 0 || n - 5 <= prefix)
			continue;
		if (!kinds[i].take)
			return IMPORT_OK;
		snprintf(id, sizeof id, "%.*s", (int)(n - 5 - prefix), name + prefix);
		json = read_json(im->dir, name);
		ok = json && kinds[i].take(im, id, json);
		json_object_put(json);
		return ok ? IMPORT_OK : fail(im->out, IMPORT_E_BROKEN, "a file cannot be read, or is damaged", name);
	}
	return IMPORT_OK;
}

/* ---- the directory ---- */

static int check_quiet(struct import *im, const char *name, int64_t quiet_ms)
{
	struct stat st;
	int64_t age_ms;

	if (quiet_ms == 0 || fstatat(im->dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return IMPORT_OK;
	age_ms = timefmt_now_ms() - ((int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
	if (age_ms >= quiet_ms)
		return IMPORT_OK;
	return fail(im->out, IMPORT_E_LIVE, "the source is still in use: a file was written just now. Stop the program that uses it, or both will fight over the account", name);
}

static int import_all(struct import *im, DIR *dir, int64_t quiet_ms)
{
	size_t files = 0;
	struct dirent *entry;
	int rc = import_creds(im);

	if (!rc)
		rc = check_quiet(im, "creds.json", quiet_ms);
	while (!rc && (entry = readdir(dir)) != NULL && ++files < FILES_MAX) {
		if (entry->d_name[0] == '.')
			continue;
		rc = check_quiet(im, entry->d_name, quiet_ms);
		if (!rc)
			rc = import_file(im, entry->d_name);
	}
	if (!rc && im->keys.len > 0)
		import_put(im->out, WA_RECORD_APPSTATE, "keys", buf_span(&im->keys));
	return rc;
}

int import_baileys(struct imported *out, const char *path, int64_t quiet_ms)
{
	struct import im = { .out = out };
	DIR *dir = opendir(path);
	int rc;

	*out = (struct imported){ 0 };
	if (!dir)
		return fail(out, IMPORT_E_DIR, "the directory cannot be read", strerror(errno));
	im.dir = dirfd(dir);
	rc = import_all(&im, dir, quiet_ms);
	closedir(dir);
	buf_wipe(&im.keys);
	if (rc)
		buf_wipe(&out->records);
	return rc;
}

void imported_free(struct imported *imported)
{
	buf_wipe(&imported->records);
	free(imported->push_name);
	free(imported->platform);
	free(imported->business_name);
	*imported = (struct imported){ 0 };
}
