/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Uploads (see transferwork.h).
 *
 *     POST https://HOST/mms/KIND/TOKEN?auth=AUTH&token=TOKEN    TOKEN = base64url(SHA-256 of the blob)
 *     -> {"url":"https://...","direct_path":"/v/...","handle":"..."}
 *
 *     from 5 MiB on first  POST ...&resume=1  without a body -> {"resume":"complete",...} or {"resume":"<bytes the server has>"},
 *     then the rest with   &file_offset=<bytes>
 *
 * Source: Baileys getWAUploadToServer, whatsmeow upload.go, whatsapp-rust upload.
 */
#include <curl/curl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/session/transferwork.h"

#define RESUMABLE_BYTES ((uint64_t)5 << 20)
#define ANSWER_MAX 65536
#define ANSWER_DEPTH 8
/* Times that a host is asked at all, and the pause before each further time. */
#define TRIES_MAX 5
#define PAUSE_MS 1000

static void send_blob(struct transfer *t);

/* ---- addresses ---- */

static char *address_of(const struct transfer *t, const char *extra)
{
	struct transfers *media = t->session->transfers;
	char token[64], *auth, *address;

	transfer_token(t->file.blob_hash, token);
	auth = curl_easy_escape(NULL, media->auth, 0);
	address = xasprintf("https://%s/%s%s/%s?auth=%s&token=%s%s", transfer_host(t->session, t->host), t->file.encrypted ? "mms/" : "newsletter/newsletter-",
			    transfer_kind_path(t->file.kind), token, auth ? auth : "", token, extra);
	curl_free(auth);
	return address;
}

/* ---- answers ---- */

static const char *text_member(struct json_object *answer, const char *name)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(answer, name, &value) || !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

static struct json_object *parse(struct span body)
{
	struct json_tokener *tokener = json_tokener_new_ex(ANSWER_DEPTH);
	struct json_object *answer = json_tokener_parse_ex(tokener, (const char *)body.p, (int)body.n);

	json_tokener_free(tokener);
	if (answer && json_object_is_type(answer, json_type_object))
		return answer;
	json_object_put(answer);
	return NULL;
}

/* True if the answer says where the file is now. */
static bool take_place(struct transfer *t, struct json_object *answer)
{
	const char *path = text_member(answer, "direct_path"), *url = text_member(answer, "url"), *handle = text_member(answer, "handle");

	if (!path || path[0] != '/')
		return false;
	t->file.direct_path = xstrdup(path);
	t->file.url = url ? xstrdup(url) : xasprintf("https://%s%s", transfer_host(t->session, t->host), path);
	t->file.handle = handle ? xstrdup(handle) : NULL;
	return true;
}

/* ---- what comes next ---- */

static void conn_renewed(struct transfer *t)
{
	if (!t->session->transfers->auth) {
		transfer_finish(t, TRANSFER_E_OFFLINE, NULL);
		return;
	}
	t->host = 0;
	send_blob(t);
}

static void go_on(void *arg)
{
	struct transfer *t = arg;

	/* What is known of the servers may have expired meanwhile. */
	transfer_want_conn(t, false, conn_renewed);
}

static void go_on_here(void *arg)
{
	struct transfer *t = arg;

	if (t->session->transfers->auth)
		send_blob(t);
	else
		go_on(t);
}

static void next_host(struct transfer *t, enum transfer_error error)
{
	t->resume_asked = false;
	t->resume_at = 0;
	if (++t->tries >= TRIES_MAX) {
		transfer_finish(t, error, NULL);
		return;
	}
	t->host++;
	if (t->host >= t->session->transfers->nhosts)
		t->host = 0;
	transfer_later(t, PAUSE_MS * (int64_t)t->tries, go_on_here);
}

static void refused(struct transfer *t, int status)
{
	if ((status == 401 || status == 403) && !t->refreshed) {
		t->refreshed = true;
		t->resume_asked = false;
		t->resume_at = 0;
		transfer_want_conn(t, true, conn_renewed);
		return;
	}
	next_host(t, TRANSFER_E_REFUSED);
}

static void on_uploaded(void *arg, const struct http_answer *answer)
{
	struct transfer *t = arg;
	struct json_object *json;
	bool placed;

	t->call = NULL;
	t->status = answer->status;
	if (answer->error == HTTP_FILE) {
		transfer_finish(t, TRANSFER_E_LOCAL, NULL);
		return;
	}
	if (answer->error) {
		next_host(t, TRANSFER_E_NETWORK);
		return;
	}
	if (transfer_redirected(t, answer, go_on_here))
		return;
	if (answer->status < 200 || answer->status > 299) {
		refused(t, answer->status);
		return;
	}
	json = parse(answer->body);
	placed = json && take_place(t, json);
	json_object_put(json);
	if (placed)
		transfer_finish(t, TRANSFER_OK, NULL);
	else
		refused(t, 401); /* an unusable answer: other servers once, then the next host */
}

/* Failing to learn how much the server has is no failure: everything is sent then. */
static void on_resume_known(void *arg, const struct http_answer *answer)
{
	struct transfer *t = arg;
	struct json_object *json;
	const char *resume;
	bool placed = false;

	t->call = NULL;
	json = !answer->error && answer->status == 200 ? parse(answer->body) : NULL;
	resume = json ? text_member(json, "resume") : NULL;
	if (resume && strcmp(resume, "complete") == 0) {
		placed = take_place(t, json);
	} else if (resume && resume[0] >= '0' && resume[0] <= '9') {
		char *end;
		uint64_t have = strtoull(resume, &end, 10);

		t->resume_at = *end == '\0' && have < t->blob_len ? have : 0;
	}
	json_object_put(json);
	if (placed)
		transfer_finish(t, TRANSFER_OK, NULL);
	else
		send_blob(t);
}

static void ask_resume(struct transfer *t)
{
	char *address = address_of(t, "&resume=1");
	struct http_request request = { .method = "POST", .url = address, .body = span_of("", 0), .max_answer = ANSWER_MAX };

	t->resume_asked = true;
	transfer_request(t, &request, on_resume_known);
	free(address);
}

static void send_blob(struct transfer *t)
{
	char offset[48] = "";
	char *address;
	struct http_request request = { .has_body_file = true, .max_answer = ANSWER_MAX };

	if (t->blob_len >= RESUMABLE_BYTES && !t->resume_asked && !t->address) {
		ask_resume(t);
		return;
	}
	if (t->resume_at > 0)
		snprintf(offset, sizeof offset, "&file_offset=%" PRIu64, t->resume_at);
	address = t->address ? t->address : address_of(t, offset);
	t->address = NULL;
	request.url = address;
	request.body_fd = t->blob_fd >= 0 ? t->blob_fd : t->plain_fd;
	request.body_at = t->resume_at;
	request.body_len = t->blob_len - t->resume_at;
	transfer_request(t, &request, on_uploaded);
	free(address);
}

/* ---- before the network ---- */

static void encrypted(struct transfer *t, int result)
{
	const struct media_sums *sums = media_cipher_sums(t->cipher);

	if (result < 0) {
		transfer_finish(t, result == CRYPTO_EARG ? TRANSFER_E_TOO_LARGE : TRANSFER_E_LOCAL, NULL);
		return;
	}
	memcpy(t->file.plain_hash, sums->plain_hash, sizeof t->file.plain_hash);
	memcpy(t->file.blob_hash, sums->blob_hash, sizeof t->file.blob_hash);
	t->file.has_plain_hash = t->file.has_blob_hash = true;
	t->file.length = sums->plain_len;
	t->file.key_time_s = timefmt_now_ms() / 1000;
	t->blob_len = sums->blob_len;
	media_cipher_free(&t->cipher);
	transfer_want_conn(t, false, conn_renewed);
}

void transfer_upload_begin(void *transfer)
{
	struct transfer *t = transfer;
	struct media_keys keys;

	if (t->file.encrypted) {
		session_random(t->on, t->file.key, sizeof t->file.key);
		t->blob_fd = transfer_temp_file(t->on->daemon->config->state_dir);
		if (t->blob_fd < 0 || media_keys_derive(&keys, t->file.key, transfer_kind_info(t->file.kind))) {
			transfer_finish(t, TRANSFER_E_LOCAL, NULL);
			return;
		}
	}
	if (t->plain_fd < 0) {
		transfer_finish(t, TRANSFER_E_LOCAL, NULL);
		return;
	}
	t->cipher = media_encryptor_new(t->file.encrypted ? &keys : NULL, t->plain_fd, t->blob_fd, t->max_len);
	crypto_wipe(&keys, sizeof keys);
	transfer_run_cipher(t, encrypted);
}
