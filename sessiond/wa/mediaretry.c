/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asking the phone to upload a file again that the media servers have lost.
 *
 *     key = HKDF(media key, "WhatsApp Media Retry Notification", 32); AES-256-GCM with the message id as additional data
 *
 *     we     <receipt id to=own type="server-error"><encrypt><enc_p>sealed ServerErrorReceipt{id}</enc_p><enc_iv/></encrypt><rmr jid from_me participant/></receipt>
 *     phone  <notification type="mediaretry" id><encrypt><enc_p>sealed MediaRetryNotification{id, path, result}</enc_p><enc_iv/></encrypt><rmr/></notification>
 *            or with <error code/> instead of <encrypt>
 *
 * Source: whatsmeow mediaretry.go, Baileys encryptMediaRetryRequest, decryptMediaRetryData.
 */
#include <string.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/client.h"
#include "sessiond/wa/media.h"
#include "sessiond/wa/messaging.h"
#include "sessiond/wa/proto_walk.h"

#define RETRY_INFO "WhatsApp Media Retry Notification"
/* A path and an id are short; nothing that is longer comes from a phone. */
#define ANSWER_MAX 8192

enum { RECEIPT_STANZA_ID = 1 };
enum { ANSWER_STANZA_ID = 1, ANSWER_PATH = 2, ANSWER_RESULT = 3 };

static int retry_key(const uint8_t media_key[32], uint8_t out[CRYPTO_KEY_LEN])
{
	return crypto_hkdf_sha256(media_key, 32, NULL, 0, RETRY_INFO, strlen(RETRY_INFO), out, CRYPTO_KEY_LEN);
}

/* The request sealed for the phone; false if OpenSSL failed. */
static bool seal_request(struct wa_client *client, const struct wa_media_retry *retry, uint8_t iv[CRYPTO_GCM_IV_LEN], struct buf *out)
{
	struct buf plain = { 0 };
	uint8_t key[CRYPTO_KEY_LEN];
	bool ok;

	proto_put_bytes(&plain, RECEIPT_STANZA_ID, span_text(retry->id));
	wa_client_random(client, iv, CRYPTO_GCM_IV_LEN);
	ok = retry_key(retry->key, key) == CRYPTO_OK &&
	     crypto_aes_gcm_seal(key, iv, retry->id, strlen(retry->id), plain.data, plain.len, buf_reserve(out, plain.len + CRYPTO_GCM_TAG_LEN)) ==
		     CRYPTO_OK;
	if (ok)
		buf_commit(out, plain.len + CRYPTO_GCM_TAG_LEN);
	crypto_wipe(key, sizeof key);
	buf_free(&plain);
	return ok;
}

bool wa_client_media_retry(struct wa_client *client, const struct wa_media_retry *retry)
{
	struct jid own = jid_bare(wa_client_own_pn(client));
	uint8_t iv[CRYPTO_GCM_IV_LEN];
	struct buf sealed = { 0 };
	struct wa_node *receipt, *encrypt, *rmr;
	struct arena a;
	bool ok;

	if (!seal_request(client, retry, iv, &sealed)) {
		buf_free(&sealed);
		return false;
	}
	arena_init(&a, 0);
	receipt = wa_node_new(&a, "receipt");
	wa_node_attr(&a, receipt, "id", retry->id);
	wa_node_attr_jid(&a, receipt, "to", &own);
	wa_node_attr(&a, receipt, "type", "server-error");
	encrypt = wa_node_add_new(&a, receipt, "encrypt");
	wa_node_add_bytes(&a, encrypt, "enc_p", buf_span(&sealed));
	wa_node_add_bytes(&a, encrypt, "enc_iv", span_of(iv, sizeof iv));
	rmr = wa_node_add_new(&a, receipt, "rmr");
	wa_node_attr_jid(&a, rmr, "jid", &retry->chat);
	wa_node_attr(&a, rmr, "from_me", retry->from_me ? "true" : "false");
	if (!jid_is_none(&retry->participant))
		wa_node_attr_jid(&a, rmr, "participant", &retry->participant);
	ok = wa_client_is_open(client) && wa_client_write(client, receipt);
	arena_free(&a);
	buf_free(&sealed);
	return ok;
}

void wa_on_media_retry(struct wa_client *client, struct wa_stanza *stanza)
{
	const struct wa_node *node = wa_stanza_node(stanza);
	const struct wa_node *encrypt = wa_node_child(node, "encrypt");
	const struct wa_node *error = wa_node_child(node, "error");
	struct wa_event event = { .kind = WA_EVENT_MEDIA_RETRY, .text = (char *)(uintptr_t)wa_node_get(node, "id") };
	struct span iv = wa_node_child_content(encrypt, "enc_iv"), sealed = wa_node_child_content(encrypt, "enc_p");
	uint64_t code;

	if (error != NULL)
		event.code = wa_node_get_u64(error, "code", &code) && code > 0 && code < 1000 ? (int)code : WA_MEDIA_RETRY_NOT_FOUND;
	else if (iv.n == CRYPTO_GCM_IV_LEN && sealed.n >= CRYPTO_GCM_TAG_LEN && sealed.n <= ANSWER_MAX) {
		buf_append_span(&event.bytes, iv);
		buf_append_span(&event.bytes, sealed);
	}
	/* Nothing is stored: whoever asked is still there, or does not need it any more. */
	if (event.text != NULL && (event.code != 0 || event.bytes.len > 0))
		wa_client_event(client, &event);
	buf_free(&event.bytes);
	wa_stanza_ack(client, stanza, 0);
	wa_stanza_done(client, stanza);
}

static enum wa_media_retry_result read_answer(struct span plain, const char *id, struct span *path)
{
	struct reader r = reader_of(plain.p, plain.n);
	enum wa_media_retry_result result = WA_MEDIA_RETRY_ERROR;
	struct proto_field f;
	struct span got = { 0 };

	*path = span_of(NULL, 0);
	while (proto_next(&r, &f)) {
		if (f.number == ANSWER_STANZA_ID && f.wire == PROTO_BYTES)
			got = f.bytes;
		else if (f.number == ANSWER_PATH && f.wire == PROTO_BYTES)
			*path = f.bytes;
		else if (f.number == ANSWER_RESULT && f.wire == PROTO_VARINT)
			result = f.value <= WA_MEDIA_RETRY_UNREADABLE ? (enum wa_media_retry_result)f.value : WA_MEDIA_RETRY_ERROR;
	}
	if (!r.ok || got.p == NULL || got.n != strlen(id) || memcmp(got.p, id, got.n) != 0)
		return WA_MEDIA_RETRY_FALSE;
	if (result == WA_MEDIA_RETRY_OK && (path->n == 0 || path->p[0] != '/'))
		return WA_MEDIA_RETRY_FALSE;
	return result;
}

enum wa_media_retry_result wa_media_retry_open(const uint8_t media_key[32], const char *id, struct span bytes, struct buf *scratch, struct span *path)
{
	uint8_t key[CRYPTO_KEY_LEN];
	size_t sealed_len;
	int rc;

	*path = span_of(NULL, 0);
	if (bytes.n < CRYPTO_GCM_IV_LEN + CRYPTO_GCM_TAG_LEN || bytes.n > CRYPTO_GCM_IV_LEN + ANSWER_MAX)
		return WA_MEDIA_RETRY_FALSE;
	sealed_len = bytes.n - CRYPTO_GCM_IV_LEN;
	buf_clear(scratch);
	rc = retry_key(media_key, key);
	if (!rc)
		rc = crypto_aes_gcm_open(key, bytes.p, id, strlen(id), bytes.p + CRYPTO_GCM_IV_LEN, sealed_len, buf_reserve(scratch, sealed_len));
	crypto_wipe(key, sizeof key);
	if (rc)
		return WA_MEDIA_RETRY_FALSE;
	buf_commit(scratch, sealed_len - CRYPTO_GCM_TAG_LEN);
	return read_answer(buf_span(scratch), id, path);
}
