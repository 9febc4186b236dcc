/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Privacy tokens: keeping, showing and giving them. */
#include "sessiond/wa/tctoken.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"

#define RECORD_VERSION 1
#define TOKEN_BYTES_MAX 1024

struct token_record {
	int64_t received_s, given_s;
	struct span token; /* borrowed from the record */
};

bool wa_tctoken_expired(int64_t received_s, int64_t now_s)
{
	return received_s < (now_s / TCTOKEN_BUCKET_S - (TCTOKEN_BUCKETS - 1)) * TCTOKEN_BUCKET_S;
}

bool wa_tctoken_due(int64_t given_s, int64_t now_s)
{
	return given_s == 0 || now_s / TCTOKEN_BUCKET_S > given_s / TCTOKEN_BUCKET_S;
}

static void record_name(const struct jid *user, char out[JID_TEXT_MAX])
{
	struct jid bare = jid_bare(user);

	jid_format(&bare, out, JID_TEXT_MAX);
}

void wa_tctoken_keys(struct state_keys *keys, const struct jid *user)
{
	char name[JID_TEXT_MAX];

	record_name(user, name);
	state_keys_add(keys, WA_RECORD_TOKEN, name);
	state_keys_add(keys, WA_RECORD_MISC, TCTOKEN_SALT_NAME);
}

static bool record_load(struct state_op *op, const struct jid *user, struct token_record *out)
{
	char name[JID_TEXT_MAX];
	struct span value;
	struct reader r;

	*out = (struct token_record){ 0 };
	record_name(user, name);
	if (!state_op_get(op, WA_RECORD_TOKEN, name, &value))
		return false;
	r = reader_of(value.p, value.n);
	if (read_u8(&r) != RECORD_VERSION)
		return false;
	out->received_s = (int64_t)read_be64(&r);
	out->given_s = (int64_t)read_be64(&r);
	out->token = read_span(&r, r.left);
	return r.ok;
}

static void record_store(struct state_op *op, const struct jid *user, const struct token_record *t)
{
	char name[JID_TEXT_MAX];
	struct buf value = { 0 };

	buf_u8(&value, RECORD_VERSION);
	buf_be64(&value, (uint64_t)t->received_s);
	buf_be64(&value, (uint64_t)t->given_s);
	buf_append_span(&value, t->token);
	record_name(user, name);
	state_op_put(op, WA_RECORD_TOKEN, name, buf_span(&value));
	buf_free(&value);
}

void wa_tctoken_attach(struct state_op *op, struct arena *a, struct wa_node *message, const struct jid *user, const struct jid *lid,
		       int64_t now_s)
{
	struct token_record t;
	struct span salt;
	char text[JID_TEXT_MAX];
	uint8_t token[CRYPTO_SHA256_LEN];

	if (record_load(op, user, &t) && t.token.n > 0 && !wa_tctoken_expired(t.received_s, now_s)) {
		wa_node_add_bytes(a, message, "tctoken", t.token);
		return;
	}
	if (jid_is_none(lid) || !state_op_get(op, WA_RECORD_MISC, TCTOKEN_SALT_NAME, &salt) || salt.n == 0)
		return;
	record_name(lid, text);
	if (crypto_hmac(CRYPTO_SHA256, salt.p, salt.n, text, strlen(text), token) == CRYPTO_OK)
		wa_node_add_bytes(a, message, "cstoken", span_of(token, sizeof token));
}

bool wa_tctoken_mark_given(struct state_op *op, const struct jid *user, int64_t now_s, bool anyway)
{
	struct token_record t;

	record_load(op, user, &t);
	if (!anyway && !wa_tctoken_due(t.given_s, now_s))
		return false;
	t.given_s = now_s;
	record_store(op, user, &t);
	return true;
}

bool wa_tctoken_was_given(struct state_op *op, const struct jid *user)
{
	struct token_record t;

	return record_load(op, user, &t) && t.given_s != 0;
}

bool wa_tctoken_put(struct state_op *op, const struct jid *user, struct span token, int64_t time_s, int64_t given_s)
{
	struct token_record t;
	bool newer;

	record_load(op, user, &t);
	newer = token.n > 0 && token.n <= TOKEN_BYTES_MAX && time_s > t.received_s;
	if (!newer && given_s <= t.given_s)
		return false;
	if (newer) {
		t.received_s = time_s;
		t.token = token;
	}
	if (given_s > t.given_s)
		t.given_s = given_s;
	record_store(op, user, &t);
	return true;
}

bool wa_tctoken_take(struct state_op *op, const struct jid *user, const struct wa_node *tokens)
{
	bool taken = false;

	for (size_t i = 0; tokens != NULL && i < tokens->nnodes; i++) {
		const struct wa_node *node = tokens->nodes[i];
		struct span bytes = wa_node_content(node);
		struct token_record t;
		uint64_t time;

		if (!wa_node_is(node, "token") || !wa_node_get_is(node, "type", "trusted_contact"))
			continue;
		if (!wa_node_get_u64(node, "t", &time) || time == 0 || time > INT64_MAX || bytes.n == 0 || bytes.n > TOKEN_BYTES_MAX)
			continue;
		record_load(op, user, &t);
		if ((int64_t)time < t.received_s)
			continue;
		t.received_s = (int64_t)time;
		t.token = bytes;
		record_store(op, user, &t);
		taken = true;
	}
	return taken;
}

/* ---- giving ---- */

struct issue {
	struct state_op op;
	struct jid user;
	struct arena arena;     /* of the answer's copy */
	struct wa_node *tokens; /* in the arena */
};

static void issue_free(struct issue *i)
{
	state_op_end(&i->op);
	arena_free(&i->arena);
	free(i);
}

static void issue_fetched(void *arg, bool ok)
{
	struct issue *i = arg;

	if (ok && wa_tctoken_take(&i->op, &i->user, i->tokens))
		state_op_commit(&i->op, NULL, NULL);
	issue_free(i);
}

static void issue_answered(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct issue *i = arg;
	const struct wa_node *tokens;
	struct state_keys keys = { 0 };
	int code;
	const char *text;

	tokens = wa_iq_ok(answer, &code, &text) ? wa_node_child(answer, "tokens") : NULL;
	if (tokens == NULL) {
		issue_free(i);
		return;
	}
	state_op_init(&i->op, wa_client_state(client));
	i->tokens = wa_node_clone(&i->arena, tokens);
	wa_tctoken_keys(&keys, &i->user);
	state_op_fetch(&i->op, keys.keys, keys.n, issue_fetched, i);
	state_keys_free(&keys);
}

void wa_tctoken_issue(struct wa_client *client, const struct jid *contact, const struct jid *user, int64_t now_s)
{
	struct issue *i = xcalloc(1, sizeof *i);
	struct wa_node *iq;
	struct wa_node *token;
	struct arena a;

	arena_init(&i->arena, 0);
	i->user = jid_bare(user);
	arena_init(&a, 0);
	iq = wa_iq_new(&a, "set", "privacy");
	token = wa_node_add_new(&a, wa_node_add_new(&a, iq, "tokens"), "token");
	wa_node_attr_jid(&a, token, "jid", contact);
	wa_node_attr_u64(&a, token, "t", (uint64_t)now_s);
	wa_node_attr(&a, token, "type", "trusted_contact");
	wa_client_iq(client, &a, iq, issue_answered, i);
	arena_free(&a);
}
