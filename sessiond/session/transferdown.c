/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Downloads (see transferwork.h).
 *
 *     GET https://HOST + direct path + hash=base64url(SHA-256 of the blob)&mms-type=KIND&__wa-mms=
 *
 *     200  -> whole into a nameless file, then checked and decrypted into the caller's
 *     5xx, 429, broken off, false bytes -> the next host, a few times
 *     403, 404, 410 -> the phone is asked once to upload it again, and its new path tried
 *
 * Source: whatsmeow download.go and mediaretry.go; Baileys checks none of the hashes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/session/transferwork.h"

#define TRIES_MAX 5
#define PAUSE_MS 1000
#define RETRY_AFTER_MAX_S 30
#define PHONE_MS 60000

static void fetch(struct transfer *t);

static void conn_ready(struct transfer *t)
{
	char *path;

	/* Only now is known which hosts are WhatsApp's. */
	if (!t->file.direct_path && t->file.url) {
		path = transfer_path_of(t->session, t->file.url);
		t->file.direct_path = path;
	}
	if (!t->file.direct_path || t->file.direct_path[0] != '/') {
		transfer_finish(t, TRANSFER_E_INVALID, NULL);
		return;
	}
	t->host = 0;
	fetch(t);
}

static void fetch_again(void *arg)
{
	fetch(arg);
}

/* The same or the next host after a pause; the last word when every try is used up. */
static void try_again(struct transfer *t, enum transfer_error error, int64_t pause_ms)
{
	if (++t->tries >= TRIES_MAX) {
		transfer_finish(t, error, NULL);
		return;
	}
	if (!transfer_host(t->session, ++t->host))
		t->host = 0;
	transfer_later(t, pause_ms > 0 ? pause_ms : PAUSE_MS * (int64_t)t->tries, fetch_again);
}

/* ---- the phone ---- */

static void phone_is_silent(void *arg)
{
	transfer_finish(arg, TRANSFER_E_GONE, "WhatsApp has lost the file, and the phone did not answer");
}

static void ask_phone(struct transfer *t)
{
	struct wa_media_retry retry = { .id = t->message_id, .chat = t->chat, .participant = t->participant, .from_me = t->from_me, .key = t->file.key };
	struct wa_client *client = t->session->client;

	if (!t->message_id || !t->file.encrypted || t->phone_asked || !client || !wa_client_media_retry(client, &retry)) {
		transfer_finish(t, TRANSFER_E_GONE, NULL);
		return;
	}
	t->phone_asked = t->waits_for_phone = true;
	transfer_later(t, PHONE_MS, phone_is_silent);
}

static void phone_answered(struct transfer *t, const struct wa_event *event)
{
	struct buf scratch = { 0 };
	struct span path;
	enum wa_media_retry_result result =
		event->code ? WA_MEDIA_RETRY_NOT_FOUND : wa_media_retry_open(t->file.key, t->message_id, buf_span(&event->bytes), &scratch, &path);

	/* A forged or foreign answer is as good as none: the true one may still come. */
	if (result != WA_MEDIA_RETRY_FALSE)
		t->waits_for_phone = false;
	if (result == WA_MEDIA_RETRY_OK) {
		free(t->file.direct_path);
		t->file.direct_path = xstrndup((const char *)path.p, path.n);
		timer_stop(t->on->timers, &t->timer);
		t->tries = t->redirects = 0;
		t->host = 0;
		transfer_later(t, 0, fetch_again);
	} else if (result != WA_MEDIA_RETRY_FALSE) {
		transfer_finish(t, TRANSFER_E_GONE, result == WA_MEDIA_RETRY_NOT_FOUND ? "WhatsApp has lost the file, and the phone has no copy" : NULL);
	}
	buf_wipe(&scratch);
}

void transfer_on_retry(struct session *session, const struct wa_event *event)
{
	struct transfer *t, *next;

	for (t = session->transfers ? session->transfers->first : NULL; t; t = next) {
		next = t->next;
		if (t->waits_for_phone && strcmp(t->message_id, event->text) == 0)
			phone_answered(t, event);
	}
}

/* ---- what came ---- */

static void decrypted(struct transfer *t, int result)
{
	const struct media_sums *sums = media_cipher_sums(t->cipher);
	uint64_t length = sums->plain_len;
	bool right_length = t->file.length == 0 || t->file.length == length;

	media_cipher_free(&t->cipher);
	if (result == CRYPTO_EIO || result == CRYPTO_EFAIL) {
		transfer_finish(t, TRANSFER_E_LOCAL, NULL);
		return;
	}
	if (result < 0 || !right_length) {
		/* Another host may have the true bytes. */
		if (t->tries == 0 && transfer_host(t->session, t->host + 1)) {
			try_again(t, TRANSFER_E_FALSE, 1);
			return;
		}
		transfer_finish(t, TRANSFER_E_FALSE, NULL);
		return;
	}
	t->file.length = length;
	transfer_finish(t, TRANSFER_OK, NULL);
}

static void decrypt(struct transfer *t)
{
	struct media_keys keys;

	if (t->file.encrypted && media_keys_derive(&keys, t->file.key, transfer_kind_info(t->file.kind))) {
		transfer_finish(t, TRANSFER_E_LOCAL, NULL);
		return;
	}
	t->cipher = media_decryptor_new(t->file.encrypted ? &keys : NULL, t->blob_fd, t->plain_fd, MEDIA_BLOB_LEN(t->max_len),
					t->file.has_plain_hash ? t->file.plain_hash : NULL, t->file.has_blob_hash ? t->file.blob_hash : NULL);
	crypto_wipe(&keys, sizeof keys);
	transfer_run_cipher(t, decrypted);
}

static void on_fetched(void *arg, const struct http_answer *answer)
{
	struct transfer *t = arg;
	int status = answer->status;
	int64_t after_s = answer->retry_after_s < RETRY_AFTER_MAX_S ? answer->retry_after_s : RETRY_AFTER_MAX_S;

	t->call = NULL;
	t->status = status;
	if (answer->error == HTTP_FILE)
		transfer_finish(t, TRANSFER_E_LOCAL, NULL);
	else if (answer->error == HTTP_TOO_LARGE)
		transfer_finish(t, TRANSFER_E_TOO_LARGE, NULL);
	else if (answer->error)
		try_again(t, TRANSFER_E_NETWORK, 0);
	else if (transfer_redirected(t, answer, fetch_again))
		return;
	else if (status >= 200 && status < 300)
		decrypt(t);
	else if (status == 403 || status == 404 || status == 410)
		ask_phone(t);
	else
		try_again(t, TRANSFER_E_REFUSED, after_s * 1000);
}

static char *address_of(const struct transfer *t)
{
	const char *path = t->file.direct_path;
	char token[64] = "";

	if (t->file.has_blob_hash)
		transfer_token(t->file.blob_hash, token);
	else
		transfer_token(t->file.plain_hash, token);
	return xasprintf("https://%s%s%chash=%s&mms-type=%s&__wa-mms=", transfer_host(t->session, t->host), path, strchr(path, '?') ? '&' : '?', token,
			 transfer_kind_path(t->file.kind));
}

static void fetch(struct transfer *t)
{
	uint64_t length = t->file.length > 0 ? t->file.length : t->max_len;
	struct http_request request = { .has_answer_file = true, .answer_fd = t->blob_fd, .max_answer = MEDIA_BLOB_LEN(length) };
	char *address = t->address ? t->address : address_of(t);

	/* What an earlier try left is not this one's. */
	if (ftruncate(t->blob_fd, 0) != 0) {
		free(address);
		t->address = NULL;
		transfer_finish(t, TRANSFER_E_LOCAL, NULL);
		return;
	}
	t->address = NULL;
	request.url = address;
	transfer_request(t, &request, on_fetched);
	free(address);
}

void transfer_download_begin(void *transfer)
{
	struct transfer *t = transfer;

	t->blob_fd = transfer_temp_file(t->on->daemon->config->state_dir);
	if (t->plain_fd < 0 || t->blob_fd < 0)
		transfer_finish(t, TRANSFER_E_LOCAL, NULL);
	else if (t->file.length > t->max_len)
		transfer_finish(t, TRANSFER_E_TOO_LARGE, NULL);
	else if (!t->file.has_plain_hash || (!t->file.direct_path && !t->file.url))
		transfer_finish(t, TRANSFER_E_INVALID, NULL);
	else
		transfer_want_conn(t, false, conn_ready);
}
