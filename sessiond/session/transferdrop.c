/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blobs that nobody needs any more (see transferwork.h): the account's history lies on the servers for this device alone.
 *
 *     DELETE https://HOST/mms/KIND/TOKEN?auth=AUTH&token=TOKEN&d_md=base64url(direct path without its query)[&e_handle=HANDLE]
 *
 * Asked once; a server that refuses keeps the blob until it expires, and nothing depends on it. Source: whatsmeow upload.go (DeleteMedia).
 */
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/session/transferwork.h"

static void on_dropped(void *arg, const struct http_answer *answer)
{
	struct transfer *t = arg;

	t->call = NULL;
	t->status = answer->status;
	if (answer->error || answer->status < 200 || answer->status > 299)
		log_info(&t->session->log, "a blob that is not needed any more stays on WhatsApp's servers until it expires", LOG_STR("session", t->session->id),
			 LOG_STR("kind", transfer_kind_path(t->file.kind)), LOG_INT("status", answer->status), LOG_STR("reason", answer->text));
	transfer_finish(t, TRANSFER_OK, NULL);
}

static char *address_of(const struct transfer *t)
{
	size_t n = strcspn(t->file.direct_path, "?");
	char *path = xmalloc(CRYPTO_BASE64_ROOM(n));
	char *auth = curl_easy_escape(NULL, t->session->transfers->auth, 0);
	char *handle = t->file.handle ? curl_easy_escape(NULL, t->file.handle, 0) : NULL;
	char token[64], *address;

	transfer_token(t->file.blob_hash, token);
	crypto_base64(CRYPTO_BASE64_URL_BARE, t->file.direct_path, n, path);
	address = xasprintf("https://%s/mms/%s/%s?auth=%s&token=%s&d_md=%s%s%s", transfer_host(t->session, 0), transfer_kind_path(t->file.kind), token,
			    auth ? auth : "", token, path, handle ? "&e_handle=" : "", handle ? handle : "");
	curl_free(handle);
	curl_free(auth);
	free(path);
	return address;
}

static void conn_ready(struct transfer *t)
{
	struct http_request request = { .method = "DELETE" };
	char *address;

	if (!t->session->transfers->auth) {
		transfer_finish(t, TRANSFER_OK, NULL);
		return;
	}
	address = address_of(t);
	request.url = address;
	transfer_request(t, &request, on_dropped);
	free(address);
}

void transfer_drop_begin(void *transfer)
{
	transfer_want_conn(transfer, false, conn_ready);
}
