/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prekey bundles. Source: Baileys Socket/messages-send.ts and Utils/signal.ts; the companion check is whatsapp-rust's (adv.rs). */
#include "sessiond/wa/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/proto_walk.h"

struct bundles_query {
	bundles_done *done; /* NULL: cancelled */
	void *arg;
};

/* ---- reading ---- */

static bool read_key(struct span bytes, uint8_t out[SIGNAL_KEY_BYTES])
{
	/* Some devices send the type byte along. */
	if (bytes.n == SIGNAL_IDENTITY_BYTES && bytes.p[0] == CURVE_TYPE)
		bytes = span_of(bytes.p + 1, bytes.n - 1);
	if (bytes.n != SIGNAL_KEY_BYTES)
		return false;
	memcpy(out, bytes.p, SIGNAL_KEY_BYTES);
	return true;
}

static bool read_id(struct span bytes, uint32_t *out)
{
	uint32_t id = 0;

	if (bytes.n == 0 || bytes.n > 4)
		return false;
	for (size_t i = 0; i < bytes.n; i++)
		id = id << 8 | bytes.p[i];
	*out = id;
	return true;
}

bool wa_bundle_read(const struct wa_node *keys, struct span registration, struct signal_bundle *out)
{
	const struct wa_node *signed_prekey = wa_node_child(keys, "skey");
	const struct wa_node *prekey = wa_node_child(keys, "key");
	struct span signature = wa_node_child_content(signed_prekey, "signature");

	*out = (struct signal_bundle){ 0 };
	if (!read_id(registration, &out->registration_id) || !read_key(wa_node_child_content(keys, "identity"), out->identity))
		return false;
	if (!read_id(wa_node_child_content(signed_prekey, "id"), &out->signed_prekey_id) ||
	    !read_key(wa_node_child_content(signed_prekey, "value"), out->signed_prekey) ||
	    signature.n != SIGNAL_SIGNATURE_BYTES)
		return false;
	memcpy(out->signature, signature.p, signature.n);
	if (prekey == NULL)
		return true;
	out->has_prekey = read_id(wa_node_child_content(prekey, "id"), &out->prekey_id) &&
			  read_key(wa_node_child_content(prekey, "value"), out->prekey);
	return out->has_prekey;
}

static void read_user(const struct wa_node *user, struct bundle_answer *out)
{
	const struct wa_node *error = wa_node_child(user, "error");
	const struct wa_node *keys = wa_node_child(user, "keys");
	struct span registration = wa_node_child_content(user, "registration");
	uint64_t code = 0;

	if (error != NULL) {
		out->error = wa_node_get_u64(error, "code", &code) && code > 0 && code < 1000 ? (int)code : -1;
		return;
	}
	if (keys == NULL)
		keys = user;
	if (registration.n == 0)
		registration = wa_node_child_content(keys, "registration");
	out->error = wa_bundle_read(keys, registration, &out->bundle) ? 0 : -1;
	out->device_identity = wa_node_child_content(user, "device-identity");
	if (out->device_identity.n == 0)
		out->device_identity = wa_node_child_content(keys, "device-identity");
}

static void on_answer(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct bundles_query *q = arg;
	const struct wa_node *list;
	struct bundle_answer *answers = NULL;
	size_t n = 0;
	int code = 0;
	const char *text;

	(void)client;
	list = wa_iq_ok(answer, &code, &text) ? wa_node_child(answer, "list") : NULL;
	if (q->done != NULL && list != NULL) {
		answers = xcalloc(list->nnodes + 1, sizeof *answers);
		for (size_t i = 0; i < list->nnodes; i++) {
			if (!wa_node_is(list->nodes[i], "user") || !wa_node_get_jid(list->nodes[i], "jid", &answers[n].device))
				continue;
			read_user(list->nodes[i], &answers[n++]);
		}
	}
	if (q->done != NULL)
		q->done(q->arg, answers, n, code);
	free(answers);
	free(q);
}

struct bundles_query *wa_bundles_fetch(struct wa_client *client, const struct jid *devices, size_t n, bool anew, bundles_done *done,
				       void *arg)
{
	struct bundles_query *q = xcalloc(1, sizeof *q);
	struct wa_node *iq;
	struct wa_node *key;
	struct arena a;

	q->done = done;
	q->arg = arg;
	arena_init(&a, 0);
	iq = wa_iq_new(&a, "get", "encrypt");
	key = wa_node_add_new(&a, iq, "key");
	for (size_t i = 0; i < n; i++) {
		struct wa_node *user = wa_node_add_new(&a, key, "user");

		wa_node_attr_jid(&a, user, "jid", &devices[i]);
		if (anew)
			wa_node_attr(&a, user, "reason", "identity");
	}
	wa_client_iq(client, &a, iq, on_answer, q);
	arena_free(&a);
	return q;
}

void wa_bundles_cancel(struct bundles_query *query)
{
	if (query != NULL)
		query->done = NULL;
}

/* ---- companions ---- */

enum { ADV_DETAILS = 1, ADV_ACCOUNT_KEY = 2, ADV_ACCOUNT_SIGNATURE = 3, ADV_DEVICE_SIGNATURE = 4 };

/* Prefixes of what is signed: ordinary companions, then hosted ones in the two forms that are in use. */
static const struct {
	uint8_t account[2];
	uint8_t device[2];
} ADV_PREFIXES[] = { { { 6, 0 }, { 6, 1 } }, { { 6, 5 }, { 6, 6 } }, { { 6, 5 }, { 6, 1 } } };

static bool signatures_fit(const uint8_t account_prefix[2], const uint8_t device_prefix[2], struct span details,
			   const uint8_t identity[SIGNAL_KEY_BYTES], const uint8_t account_key[SIGNAL_KEY_BYTES],
			   struct span account_signature, struct span device_signature)
{
	struct buf message = { 0 };
	bool ok;

	buf_append(&message, account_prefix, 2);
	buf_append_span(&message, details);
	buf_append(&message, identity, SIGNAL_KEY_BYTES);
	ok = curve_verify(account_key, buf_span(&message), account_signature);
	buf_append(&message, account_key, SIGNAL_KEY_BYTES);
	memcpy(message.data, device_prefix, 2);
	ok = ok && curve_verify(identity, buf_span(&message), device_signature);
	buf_free(&message);
	return ok;
}

bool wa_companion_is_genuine(struct span device_identity, const uint8_t identity[SIGNAL_KEY_BYTES], const uint8_t *account_key)
{
	struct span details = { 0 };
	struct span key = { 0 };
	struct span account_signature = { 0 };
	struct span device_signature = { 0 };

	proto_find(device_identity, ADV_DETAILS, &details);
	proto_find(device_identity, ADV_ACCOUNT_KEY, &key);
	proto_find(device_identity, ADV_ACCOUNT_SIGNATURE, &account_signature);
	proto_find(device_identity, ADV_DEVICE_SIGNATURE, &device_signature);
	if (key.n == SIGNAL_KEY_BYTES) {
		if (account_key != NULL && memcmp(account_key, key.p, SIGNAL_KEY_BYTES) != 0)
			return false;
		account_key = key.p;
	} else if (key.n != 0) {
		return false;
	}
	if (account_key == NULL)
		return true;
	for (size_t i = 0; i < sizeof ADV_PREFIXES / sizeof ADV_PREFIXES[0]; i++)
		if (signatures_fit(ADV_PREFIXES[i].account, ADV_PREFIXES[i].device, details, identity, account_key,
				   account_signature, device_signature))
			return true;
	return false;
}
