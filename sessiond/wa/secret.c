/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys made of message secrets, and the records of secrets. */
#include "sessiond/wa/secret.h"

#include <stdio.h>
#include <string.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/poll.h"
#include "sessiond/wa/proto_walk.h"

enum { RECORD_VERSION = 1 };
enum { CONTEXT_SECRET = 3 };
enum { LEVELS_MAX = 8, PAYLOAD_MAX = 1 << 20 };

/* ---- keys ---- */

static const struct {
	const char *name;
	bool bound; /* id and adder are authenticated too */
} USES[] = {
	[WA_SECRET_POLL_VOTE] = { "Poll Vote", true },
	[WA_SECRET_EVENT_RESPONSE] = { "Event Response", true },
	[WA_SECRET_REACTION] = { "Enc Reaction", false },
	[WA_SECRET_COMMENT] = { "Enc Comment", false },
	[WA_SECRET_MESSAGE_EDIT] = { "Message Edit", false },
	[WA_SECRET_EVENT_EDIT] = { "Event Edit", false },
	[WA_SECRET_POLL_EDIT] = { "Poll Edit", false },
	[WA_SECRET_POLL_ADD_OPTION] = { "Poll Add Option", false },
};

static int make_key(const struct wa_secret *s, uint8_t key[static CRYPTO_KEY_LEN], struct buf *aad)
{
	struct buf info = { 0 };
	int rc;

	buf_append_text(&info, s->id);
	buf_append_text(&info, s->author);
	buf_append_text(&info, s->adder);
	buf_append_text(&info, USES[s->use].name);
	if (USES[s->use].bound) {
		buf_append_text(aad, s->id);
		buf_u8(aad, 0);
		buf_append_text(aad, s->adder);
	}
	rc = crypto_hkdf_sha256(s->secret, SECRET_LEN, NULL, 0, info.data, info.len, key, CRYPTO_KEY_LEN);
	buf_free(&info);
	return rc;
}

int wa_secret_open(const struct wa_secret *s, struct span iv, struct span payload, struct buf *plain)
{
	uint8_t key[CRYPTO_KEY_LEN];
	struct buf aad = { 0 };
	int rc;

	if (iv.n != CRYPTO_GCM_IV_LEN || payload.n < CRYPTO_GCM_TAG_LEN || payload.n > PAYLOAD_MAX)
		return -1;
	rc = make_key(s, key, &aad);
	if (rc == CRYPTO_OK) {
		uint8_t *out = buf_reserve(plain, payload.n);

		rc = crypto_aes_gcm_open(key, iv.p, aad.data, aad.len, payload.p, payload.n, out);
		if (rc == CRYPTO_OK)
			buf_commit(plain, payload.n - CRYPTO_GCM_TAG_LEN);
	}
	crypto_wipe(key, sizeof key);
	buf_free(&aad);
	return rc == CRYPTO_OK ? 0 : -1;
}

int wa_secret_seal(const struct wa_secret *s, const uint8_t iv[static WA_SECRET_IV_LEN], struct span plain, struct buf *payload)
{
	uint8_t key[CRYPTO_KEY_LEN];
	struct buf aad = { 0 };
	int rc = make_key(s, key, &aad);

	if (rc == CRYPTO_OK) {
		uint8_t *out = buf_reserve(payload, plain.n + CRYPTO_GCM_TAG_LEN);

		rc = crypto_aes_gcm_seal(key, iv, aad.data, aad.len, plain.p, plain.n, out);
		if (rc == CRYPTO_OK)
			buf_commit(payload, plain.n + CRYPTO_GCM_TAG_LEN);
	}
	crypto_wipe(key, sizeof key);
	buf_free(&aad);
	return rc == CRYPTO_OK ? 0 : -1;
}

/* ---- the secret in a message ---- */

bool wa_secret_find(struct span message, uint8_t secret[static SECRET_LEN])
{
	for (int depth = 0; depth < LEVELS_MAX && message.p != NULL; depth++) {
		struct span context;
		struct span found;

		if (proto_find(message, E2E_CONTEXT_INFO, &context) && proto_find(context, CONTEXT_SECRET, &found) && found.n == SECRET_LEN) {
			memcpy(secret, found.p, SECRET_LEN);
			return true;
		}
		message = e2e_unwrap_once(message);
	}
	return false;
}

/* ---- records ---- */

bool wa_secret_name(char out[static SECRET_NAME_MAX], char prefix, const struct jid *voter, const struct jid *chat, const struct jid *author,
		    const char *id)
{
	struct jid bare = jid_bare(author);
	struct jid voter_bare = voter != NULL ? jid_bare(voter) : (struct jid){ 0 };
	char chat_text[JID_TEXT_MAX];
	char author_text[JID_TEXT_MAX];
	char voter_text[JID_TEXT_MAX];
	int n = snprintf(out, SECRET_NAME_MAX, "%c:%s%s%s/%s/%s", prefix, jid_format(&voter_bare, voter_text, sizeof voter_text),
			 voter != NULL ? "/" : "", jid_format(chat, chat_text, sizeof chat_text),
			 jid_format(&bare, author_text, sizeof author_text), id);

	return n > 0 && n < SECRET_NAME_MAX;
}

void wa_secret_remember(struct state_op *op, const struct jid *chat, const struct jid *author, const char *id, struct span message)
{
	struct span content;
	enum secret_kind kind = SECRET_NONE;
	uint32_t number = e2e_content(message, &content);
	char name[SECRET_NAME_MAX];
	uint8_t secret[SECRET_LEN];
	struct buf value = { 0 };

	if (wa_poll_is_creation(number))
		kind = SECRET_POLL;
	else if (number == E2E_EVENT)
		kind = SECRET_EVENT;
	if (kind == SECRET_NONE || !wa_secret_find(message, secret) || !wa_secret_name(name, 's', NULL, chat, author, id))
		return;
	buf_u8(&value, RECORD_VERSION);
	buf_u8(&value, (uint8_t)kind);
	buf_append(&value, secret, sizeof secret);
	if (kind == SECRET_POLL)
		wa_poll_write(content, &value);
	state_op_put(op, WA_RECORD_SECRET, name, buf_span(&value));
	buf_wipe(&value);
	crypto_wipe(secret, sizeof secret);
}

void wa_secret_put_poll(struct state_op *op, const char *name, const uint8_t secret[static SECRET_LEN], struct span poll)
{
	struct buf value = { 0 };

	buf_u8(&value, RECORD_VERSION);
	buf_u8(&value, SECRET_POLL);
	buf_append(&value, secret, SECRET_LEN);
	buf_append_span(&value, poll);
	state_op_put(op, WA_RECORD_SECRET, name, buf_span(&value));
	buf_wipe(&value);
}

bool wa_secret_read(struct span value, struct secret_record *out)
{
	struct reader r = reader_of(value.p, value.n);
	uint8_t version = read_u8(&r);
	uint8_t kind = read_u8(&r);
	struct span secret = read_span(&r, SECRET_LEN);

	if (!r.ok || version != RECORD_VERSION || (kind != SECRET_POLL && kind != SECRET_EVENT))
		return false;
	out->kind = (enum secret_kind)kind;
	memcpy(out->secret, secret.p, SECRET_LEN);
	out->poll = read_span(&r, r.left);
	return true;
}
