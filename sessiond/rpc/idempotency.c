/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Idempotency keys: look up, wait, store, answer. */
#include "sessiond/rpc/idempotency.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/bytemap.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/loop.h"
#include "sessiond/session/session.h"

struct keyed {
	struct rpc_request *request;
	rpc_work *work;
	char *scope, *key;            /* owned */
	char *slot;                   /* owned: scope and key, the name of the running entry */
	uint8_t digest[CRYPTO_SHA256_LEN];
	struct hashing *hashing;      /* under way, NULL otherwise */
	struct keyed *waiting;        /* others that wait for this one's answer */
	bool leads;                   /* is in the table of running ones */
	struct arena arena;           /* of the look-up */
	struct store_idempotency entry;
	int error;
	struct buf answer;
	int status;
};

/* What a thread needs to hash the files of a request, which may be gone before it ends. */
struct hashing {
	struct keyed *keyed;          /* NULL: gone */
	int fds[LIMIT_RPC_DESCRIPTORS]; /* owned */
	size_t n;
	uint8_t digests[LIMIT_RPC_DESCRIPTORS][CRYPTO_SHA256_LEN];
	int error;
};

static void keyed_free(void *arg)
{
	struct keyed *k = arg;
	struct keyed *other = k->request->context->dropping ? NULL : k->waiting;

	if (k->leads)
		bytemap_remove(k->request->context->running, k->slot, strlen(k->slot));
	/* The first request ended without an answer that counts for the others: nothing was sent. */
	while (other) {
		struct keyed *next = other->waiting;

		other->waiting = NULL;
		rpc_answer(other->request, 503, 8001, "Service temporarily unavailable", NULL);
		other = next;
	}
	if (k->hashing)
		k->hashing->keyed = NULL;
	arena_free(&k->arena);
	buf_free(&k->answer);
	free(k->scope);
	free(k->key);
	free(k->slot);
	free(k);
}

static void refuse(struct rpc_request *request)
{
	rpc_answer(request, 409, 2009, "Idempotency-Key was used with another request", NULL);
}

/* What makes two requests the same: the session, every parameter as it came, and what the files hold. */
static void make_digest(struct keyed *k, const struct hashing *files)
{
	struct buf text = { 0 };

	buf_printf(&text, "%s\n%s\n%s", k->scope, k->request->session_id ? k->request->session_id : "",
		json_object_to_json_string_ext(k->request->p, JSON_C_TO_STRING_PLAIN));
	for (size_t i = 0; files && i < files->n; i++)
		buf_append(&text, files->digests[i], sizeof files->digests[i]);
	if (crypto_sha256(text.data, text.len, k->digest))
		abort();
	buf_wipe(&text);
}

static void looked_up(void *arg)
{
	struct keyed *k = arg;

	if (k->error == STORE_NOT_FOUND) {
		k->work(k->request);
		return;
	}
	if (k->error) {
		rpc_answer(k->request, 500, 8000, "Internal server error", NULL);
	} else if (!crypto_equal(k->entry.digest, k->digest, sizeof k->digest)) {
		refuse(k->request);
	} else if (k->entry.status || k->answer.len) {
		if (!k->answer.len)
			buf_append_span(&k->answer, k->entry.answer);
		idempotency_answer(k->request, 0, &k->answer, false);
	} else {
		rpc_answer(k->request, 500, 8000, "Internal server error", NULL);
	}
}

static void look_up(struct store_reader *reader, void *arg)
{
	struct keyed *k = arg;

	k->error = store_idempotency_get(reader, &k->arena, k->scope, k->key, &k->entry);
	/* The daemon died between storing the rows and answering. */
	if (k->error == STORE_OK && !k->entry.status && k->entry.outbox)
		idempotency_rebuild(k->request, reader, &k->arena, k->entry.outbox, &k->answer);
}

static void begin(struct keyed *k, const struct hashing *files)
{
	struct rpc_request *request = k->request;
	const struct daemon *daemon = request->context->daemon;
	struct keyed **running = bytemap_put(request->context->running, k->slot, strlen(k->slot));

	make_digest(k, files);
	if (!running) {
		rpc_answer(request, 503, 8001, "Service temporarily unavailable", NULL);
	} else if (!*running) {
		*running = k;
		k->leads = true;
		async_read(daemon->loop, daemon->store, look_up, looked_up, k);
	} else if (!crypto_equal((*running)->digest, k->digest, sizeof k->digest)) {
		refuse(request);
	} else {
		k->waiting = (*running)->waiting;
		(*running)->waiting = k;
	}
}

/* ---- files ---- */

static void hash_files(void *arg)
{
	struct hashing *h = arg;

	for (size_t i = 0; i < h->n && !h->error; i++)
		h->error = crypto_sha256_file(h->fds[i], h->digests[i]);
}

static void files_hashed(void *arg)
{
	struct hashing *h = arg;
	struct keyed *k = h->keyed;

	for (size_t i = 0; i < h->n; i++)
		close(h->fds[i]);
	if (k) {
		k->hashing = NULL;
		if (h->error)
			rpc_answer(k->request, 500, 8000, "Internal server error", NULL);
		else
			begin(k, h);
	}
	free(h);
}

static void hash(struct keyed *k)
{
	const struct rpc_request *request = k->request;
	struct hashing *h = xcalloc(1, sizeof *h);

	h->keyed = k;
	for (size_t i = 0; i < request->nfds && !h->error; i++) {
		h->fds[i] = fcntl(request->fds[i], F_DUPFD_CLOEXEC, 0);
		h->n += h->fds[i] >= 0 ? 1 : 0;
		h->error = h->fds[i] < 0 ? CRYPTO_EIO : CRYPTO_OK;
	}
	k->hashing = h;
	if (rpc_offload(request->context, hash_files, files_hashed, h))
		abort();
}

void idempotency_begin(struct rpc_request *request, rpc_work *work)
{
	struct json_object *idem = json_object_object_get(request->json, "idem");
	const char *key = json_object_get_string(json_object_object_get(idem, "key"));
	const char *route = json_object_get_string(json_object_object_get(request->json, "route"));
	struct keyed *k;

	if (!key || !key[0]) {
		work(request);
		return;
	}
	k = xcalloc(1, sizeof *k);
	k->request = request;
	k->work = work;
	k->scope = request->scope ? xstrdup(request->scope) : xasprintf("%" PRId64 " %s", request->caller.key, route ? route : request->method->name);
	k->key = xstrdup(key);
	k->slot = xasprintf("%s\n%s", k->scope, k->key);
	arena_init(&k->arena, 0);
	request->work = k;
	request->work_free = keyed_free;
	if (request->nfds)
		hash(k);
	else
		begin(k, NULL);
}

void idempotency_fill(struct rpc_request *request, struct send_job *job)
{
	const struct keyed *k = request->work;

	if (!k)
		return;
	job->idem_scope = xstrdup(k->scope);
	job->idem_key = xstrdup(k->key);
	memcpy(job->idem_digest, k->digest, sizeof job->idem_digest);
}

static void answer_all(struct keyed *k)
{
	struct keyed *other = k->waiting;

	k->waiting = NULL;
	while (other) {
		struct keyed *next = other->waiting;

		other->waiting = NULL;
		rpc_answer_text(other->request, &k->answer);
		other = next;
	}
	rpc_answer_text(k->request, &k->answer);
}

static void answer_stored(void *arg, int error)
{
	struct keyed *k = arg;

	/* The message is on its way in any case; without the stored text a repetition rebuilds the answer from the rows. */
	if (error)
		log_error(&k->request->context->log, "answer of an idempotent request cannot be stored", LOG_STR("reason", store_error_name(error)));
	answer_all(k);
}

void idempotency_answer(struct rpc_request *request, int status, const struct buf *answer, bool remember)
{
	const struct daemon *daemon = request->context->daemon;
	struct keyed *k = request->work;
	struct store_tx *tx;

	if (!k) {
		rpc_answer_text(request, answer);
		return;
	}
	if (answer != &k->answer) {
		buf_clear(&k->answer);
		buf_append_span(&k->answer, buf_span(answer));
	}
	if (!remember) {
		answer_all(k);
		return;
	}
	tx = store_tx_new(daemon->store);
	store_tx_idempotency_answer(tx, k->scope, k->key, status, buf_span(&k->answer));
	async_commit(daemon->loop, daemon->store, tx, answer_stored, k);
}
