/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * misc.file-decrypt: a media file as WhatsApp's servers keep it, decrypted with the key of its message (contract rest-b 5.2).
 *
 *     input (media_input.h) --> decryptor on a worker thread, kind after kind --> output (misc_output.h) --> answer
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/appcode.h"
#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/crypto/mediacipher.h"
#include "sessiond/json_text.h"
#include "sessiond/loop.h"
#include "sessiond/rpc/media_input.h"
#include "sessiond/rpc/misc_output.h"
#include "sessiond/session/transfer.h"

enum { KEY_TEXT_MAX = 128, SMALLEST = 11 };

#define INPUT_LIMIT ((uint64_t)50 << 20)

struct decryption {
	struct rpc_request *request; /* borrowed: it owns us */
	struct media_input input;
	bool has_input;
	uint8_t key[MEDIA_KEY_LEN];
	uint8_t hash[CRYPTO_SHA256_LEN];
	bool has_hash, any_kind;     /* any_kind: the MIME type says nothing, so all are tried */
	enum transfer_kind kind;
	const char *mime, *mode;     /* borrowed from the request, or static */
	int fd;                      /* owned: the decrypted file */
	int result;                  /* of the worker */
	bool hash_differs;
	uint64_t size;
};

static void decryption_free(void *arg)
{
	struct decryption *d = arg;

	if (d->has_input)
		media_input_free(&d->input);
	if (d->fd >= 0)
		close(d->fd);
	crypto_wipe(d->key, sizeof d->key);
	free(d);
}

static void refuse(struct decryption *d, const char *why)
{
	rpc_answer(d->request, 400, APP_INVALID_PARAMETER, why, NULL);
}

/* ---- the answer ---- */

static void put_done(void *arg, int error, const char *data, const char *meta)
{
	struct decryption *d = arg;
	struct buf json = { 0 };

	if (error) {
		misc_output_refuse(d->request, error);
		return;
	}
	buf_u8(&json, '{');
	json_put_raw(&json, "data", data);
	json_put_raw(&json, "meta", meta);
	buf_u8(&json, '}');
	rpc_answer(d->request, 200, APP_SUCCESS, "File decrypted", buf_text(&json));
	buf_free(&json);
}

/* ---- decryption ---- */

static int decrypt_as(struct decryption *d, enum transfer_kind kind)
{
	struct media_keys keys;
	struct media_cipher *cipher;
	int rc = media_keys_derive(&keys, d->key, transfer_kind_info(kind));

	if (rc != CRYPTO_OK)
		return rc;
	cipher = media_decryptor_new(&keys, d->input.fd, d->fd, INPUT_LIMIT, NULL, NULL);
	crypto_wipe(&keys, sizeof keys);
	if (!cipher)
		return CRYPTO_EFAIL;
	while ((rc = media_cipher_step(cipher, 1 << 20)) == 1)
		;
	if (rc == CRYPTO_OK) {
		const struct media_sums *sums = media_cipher_sums(cipher);

		d->size = sums->plain_len;
		d->hash_differs = d->has_hash && !crypto_equal(sums->plain_hash, d->hash, sizeof d->hash);
	}
	media_cipher_free(&cipher);
	return rc;
}

/* On a worker thread. */
static void decrypt(void *arg)
{
	static const enum transfer_kind kinds[] = { TRANSFER_IMAGE, TRANSFER_VIDEO, TRANSFER_AUDIO, TRANSFER_DOCUMENT };
	struct decryption *d = arg;

	d->result = decrypt_as(d, d->kind);
	for (size_t i = 0; d->any_kind && d->result == CRYPTO_EAUTH && i < sizeof kinds / sizeof *kinds; i++)
		d->result = decrypt_as(d, kinds[i]);
}

static void decrypted(void *arg)
{
	struct decryption *d = arg;
	const struct misc_output output = { .mode = d->mode, .mime = d->mime, .fd = d->fd, .size = (int64_t)d->size };

	if (d->result == CRYPTO_EAUTH || d->result == CRYPTO_EARG)
		refuse(d, "MAC verification failed");
	else if (d->result != CRYPTO_OK)
		rpc_answer(d->request, 500, APP_INTERNAL_ERROR, "Internal error", NULL);
	else if (d->hash_differs)
		refuse(d, "fileSha256 does not match decrypted content");
	else
		misc_output_put(d->request->context->daemon, &output, put_done, d);
}

static void input_ready(void *arg, struct media_input *input)
{
	struct decryption *d = arg;

	if (input->error == INPUT_TOO_LARGE) {
		rpc_answer(d->request, 413, APP_PAYLOAD_TOO_LARGE, "input exceeds limit (50.0 MB)", NULL);
	} else if (input->error == INPUT_PROXY) {
		rpc_answer(d->request, 502, APP_NETWORK_ERROR, INPUT_PROXY_TEXT, NULL);
	} else if (input->error != INPUT_OK) {
		rpc_answer(d->request, 400, APP_MISSING_PARAMETER, "Encrypted file is required", NULL);
	} else if (input->size < SMALLEST) {
		refuse(d, "Encrypted payload is too small");
	} else {
		d->fd = transfer_temp_file(d->request->context->daemon->config->state_dir);
		if (d->fd < 0)
			rpc_answer(d->request, 500, APP_INTERNAL_ERROR, "Internal error", NULL);
		else if (rpc_offload(d->request->context, decrypt, decrypted, d))
			abort();
	}
}

/* ---- the request ---- */

/* base64, or hex where that fits exactly. */
static bool take_bytes(const char *text, uint8_t out[static 32])
{
	size_t len = text ? strlen(text) : 0;
	uint8_t bytes[KEY_TEXT_MAX];
	size_t n = 0;

	if (len == 64 && crypto_unhex(text, len, out, 32) == 0)
		return true;
	if (len == 0 || len > KEY_TEXT_MAX || crypto_unbase64(text, len, bytes, &n) != 0 || n != 32)
		return false;
	memcpy(out, bytes, 32);
	crypto_wipe(bytes, sizeof bytes);
	return true;
}

static enum transfer_kind kind_of(const char *mime)
{
	if (strncasecmp(mime, "image/", 6) == 0)
		return TRANSFER_IMAGE;
	if (strncasecmp(mime, "video/", 6) == 0)
		return TRANSFER_VIDEO;
	return strncasecmp(mime, "audio/", 6) == 0 || strcasestr(mime, "ptt") ? TRANSFER_AUDIO : TRANSFER_DOCUMENT;
}

static void file_decrypt(struct rpc_request *request)
{
	struct decryption *d = xcalloc(1, sizeof *d);
	const char *mime = rpc_param_text(request, "mimeType");
	const char *mode = rpc_param_text(request, "output");

	d->request = request;
	d->fd = -1;
	request->work = d;
	request->work_free = decryption_free;
	d->mime = mime && mime[0] ? mime : "application/octet-stream";
	d->any_kind = strcasecmp(d->mime, "application/octet-stream") == 0;
	d->kind = kind_of(d->mime);
	d->mode = mode && mode[0] ? mode : "base64";
	d->has_hash = take_bytes(rpc_param_text(request, "fileSha256"), d->hash);
	if (!take_bytes(rpc_param_text(request, "mediaKey"), d->key)) {
		refuse(d, "mediaKey is invalid");
		return;
	}
	d->has_input = true;
	media_input_get(&d->input, request, json_object_object_get(request->p, "input"), INPUT_LIMIT, "file", input_ready, d);
}

const struct rpc_method rpc_decrypt_methods[] = { { "misc.file-decrypt", file_decrypt }, { NULL, NULL } };
