/* SPDX-License-Identifier: GPL-3.0-or-later */
/* misc.poll-vote: decrypts one vote on demand (contract rest-b 5.3). */
#include <stdlib.h>
#include <string.h>

#include "common/appcode.h"
#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/lookup.h"
#include "sessiond/session/session.h"
#include "sessiond/wa/poll.h"

/* Creators that are tried: the named one, ourselves, the voter; each in both namespaces. */
enum { BYTES_MAX = 64 << 10, FORMS = 2, CREATORS = 6 };

struct vote {
	struct rpc_request *request;
	const char *id;             /* of the poll; borrowed from the request */
	struct buf payload, iv;
	uint8_t secret[WA_SECRET_LEN];
	bool has_secret;
	struct jid creators[CREATORS], voters[FORMS]; /* odd ones: the other namespace, where known */
	struct jid chat;
	struct lookup_account who;
	struct lookup found;
	struct arena arena;
};

static void vote_free(void *arg)
{
	struct vote *v = arg;

	crypto_wipe(v->secret, sizeof v->secret);
	buf_free(&v->payload);
	buf_free(&v->iv);
	arena_free(&v->arena);
	free(v);
}

/* ---- what the request says ---- */

/* A Buffer object: {"type":"Buffer","data":[1,2,3]} or {"0":1,"1":2}, as JSON.stringify of the original prints bytes. */
static bool put_numbers(struct json_object *array, struct buf *out)
{
	size_t n = json_object_array_length(array);

	for (size_t i = 0; i < n && n <= BYTES_MAX; i++)
		buf_u8(out, (uint8_t)json_object_get_int(json_object_array_get_idx(array, i)));
	return n <= BYTES_MAX;
}

/* base64, hex or a Buffer object. */
static bool bytes_of(struct json_object *value, struct buf *out)
{
	const char *text;
	size_t len;
	size_t n = 0;

	if (json_object_is_type(value, json_type_object)) {
		struct json_object *data = json_object_object_get(value, "data");

		return json_object_is_type(data, json_type_array) && put_numbers(data, out);
	}
	if (!json_object_is_type(value, json_type_string))
		return false;
	text = json_object_get_string(value);
	len = (size_t)json_object_get_string_len(value);
	if (len > BYTES_MAX)
		return false;
	buf_reserve(out, len + 4);
	if (len % 2 == 0 && crypto_unhex(text, len, out->data, len / 2) == 0) {
		buf_commit(out, len / 2);
		return true;
	}
	if (crypto_unbase64(text, len, out->data, &n) != 0)
		return false;
	buf_commit(out, n);
	return true;
}

static struct json_object *member(struct json_object *object, const char *name)
{
	return json_object_is_type(object, json_type_object) ? json_object_object_get(object, name) : NULL;
}

static struct json_object *creation_key(const struct rpc_request *request)
{
	struct json_object *update = json_object_object_get(request->p, "pollUpdateVote");
	struct json_object *key = member(update, "pollCreationMessageKey");

	return key ? key : member(update, "pollMessageKey");
}

/* False if the value is there and no address; *out stays as it is without one. */
static bool take_jid(const char *text, struct jid *out)
{
	struct jid jid;

	if (!text || !text[0] || jid_parse_text(&jid, text))
		return false;
	*out = jid_bare(&jid);
	return true;
}

static const char *text_at(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

/* Who made the poll, and who votes (contract: in this order; a poll in a direct chat is by its key's "from me"). */
static void take_sides(struct vote *v)
{
	const struct rpc_request *request = v->request;
	struct json_object *update = json_object_object_get(request->p, "pollUpdateVote");
	struct json_object *poll_key = creation_key(request);
	struct json_object *key = member(update, "key");
	bool from_me = json_object_get_boolean(member(poll_key, "fromMe"));
	struct jid chat = { 0 };

	take_jid(text_at(poll_key, "remoteJid"), &chat);
	take_jid(rpc_param_text(request, "pollRemoteJid"), &chat);
	v->chat = chat;
	v->creators[0] = jid_bare(&v->who.pn);
	if (!take_jid(rpc_param_text(request, "pollCreatorJid"), &v->creators[0]) && !take_jid(text_at(poll_key, "participant"), &v->creators[0])) {
		if (jid_is_person(&chat) && member(poll_key, "fromMe"))
			v->creators[0] = from_me ? v->creators[0] : chat;
		else
			take_jid(text_at(key, "participant"), &v->creators[0]);
	}
	v->voters[0] = jid_bare(&v->who.pn);
	if (!take_jid(rpc_param_text(request, "voterJid"), &v->voters[0]) && !take_jid(text_at(key, "participant"), &v->voters[0]))
		take_jid(text_at(key, "remoteJid"), &v->voters[0]);
}

/* ---- what is stored ---- */

/* The same person in the other namespace. */
static void other_form(struct store_reader *reader, struct vote *v, struct jid forms[static FORMS])
{
	struct store_record_key key = { .kind = jid_is_lid(&forms[0]) ? WA_RECORD_PN_OF_LID : WA_RECORD_LID_OF_PN, .name = forms[0].user };
	struct span value;

	if (jid_same_user(&forms[0], &v->who.pn))
		forms[1] = jid_bare(&v->who.lid);
	else if (jid_same_user(&forms[0], &v->who.lid))
		forms[1] = jid_bare(&v->who.pn);
	else if ((jid_is_pn(&forms[0]) || jid_is_lid(&forms[0])) && store_record_get(reader, &v->arena, v->who.session, &key, 1, &value) == STORE_OK && value.p)
		jid_make(&forms[1], (const char *)value.p, value.n, jid_is_lid(&forms[0]) ? JID_SERVER_PN : JID_SERVER_LID, 0);
}

static void look_up(struct store_reader *reader, void *arg)
{
	struct vote *v = arg;

	lookup_message(reader, &v->arena, &v->who, v->id, &v->found);
	other_form(reader, v, v->voters);
	other_form(reader, v, v->creators);
	/* "From me" in a key may be the voter's word or ours; the vote opens with the right creator only. */
	if (!rpc_param_text(v->request, "pollCreatorJid")) {
		v->creators[2] = jid_bare(&v->who.pn);
		v->creators[3] = jid_bare(&v->who.lid);
		v->creators[4] = v->voters[0];
		v->creators[5] = v->voters[1];
	}
}

/* ---- the answer ---- */

static bool open_vote(struct vote *v, struct buf *plain, size_t *creator, size_t *voter)
{
	char author[JID_TEXT_MAX], adder[JID_TEXT_MAX];
	const struct wa_secret s = { .secret = v->secret, .id = v->id, .author = author, .adder = adder, .use = WA_SECRET_POLL_VOTE };

	for (*creator = 0; *creator < CREATORS; ++*creator) {
		for (*voter = 0; *voter < FORMS; ++*voter) {
			if (jid_is_none(&v->creators[*creator]) || jid_is_none(&v->voters[*voter]))
				continue;
			jid_format(&v->creators[*creator], author, sizeof author);
			jid_format(&v->voters[*voter], adder, sizeof adder);
			if (wa_secret_open(&s, buf_span(&v->iv), buf_span(&v->payload), plain) == 0)
				return true;
		}
	}
	return false;
}

static void put_jid(struct buf *out, const char *name, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	json_put_member(out, name, jid_format(jid, text, sizeof text));
}

static void put_key(struct buf *out, const struct vote *v)
{
	struct json_object *key = creation_key(v->request);
	const char *participant = text_at(key, "participant");

	json_put_name(out, "messageKey");
	buf_u8(out, '{');
	json_put_member(out, "id", v->id);
	if (!jid_is_none(&v->chat))
		put_jid(out, "remoteJid", &v->chat);
	if (participant)
		json_put_member(out, "participant", participant);
	if (json_object_is_type(member(key, "fromMe"), json_type_boolean))
		json_put_bool(out, "fromMe", json_object_get_boolean(member(key, "fromMe")));
	buf_u8(out, '}');
}

static void put_poll(struct buf *out, const struct poll *poll, const struct poll_vote *vote)
{
	json_put_name(out, "votedOptionIndexes");
	buf_u8(out, '[');
	for (size_t i = 0; i < vote->n; i++)
		buf_printf(out, "%s%u", i ? "," : "", (unsigned)vote->options[i]);
	buf_append_text(out, "],\"votedOptionNames\":[");
	for (size_t i = 0; i < vote->n; i++) {
		if (i)
			buf_u8(out, ',');
		json_put_span(out, poll->names[vote->options[i]]);
	}
	buf_u8(out, ']');
	if (poll->n == 0)
		return;
	json_put_name(out, "pollTitle");
	json_put_span(out, poll->title);
	json_put_int(out, "selectableOptionsCount", poll->selectable ? (int64_t)poll->selectable : (int64_t)poll->n);
	json_put_name(out, "pollOptions");
	buf_u8(out, '[');
	for (size_t i = 0; i < poll->n; i++) {
		buf_append_text(out, i ? ",{" : "{");
		json_put_int(out, "index", (int64_t)i);
		json_put_name(out, "name");
		json_put_span(out, poll->names[i]);
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
}

static void put_time(struct buf *out, const struct vote *v)
{
	struct json_object *update = json_object_object_get(v->request->p, "pollUpdateVote");
	struct json_object *vote = member(update, "vote");
	struct json_object *places[] = { member(update, "timestamp"), member(vote, "timestamp"), member(vote, "ts"), member(update, "senderTimestampMs") };

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		int64_t time_ms = places[i] ? json_object_get_int64(places[i]) : 0;

		if (time_ms > 0) {
			/* seconds or milliseconds */
			json_put_int(out, "timestampMs", time_ms > INT64_C(20000000000) ? time_ms : time_ms * 1000);
			return;
		}
	}
}

static void answer(struct vote *v, struct span stored, const struct buf *plain, size_t creator, size_t voter)
{
	struct poll *poll = xcalloc(1, sizeof *poll);
	struct poll_vote vote = { 0 };
	struct buf out = { 0 };
	struct buf written = { 0 };

	/* The options, where the poll is known. */
	if (wa_poll_of_message(stored, &written) && !wa_poll_read(buf_span(&written), poll))
		poll->n = 0;
	wa_poll_vote_read(buf_span(plain), poll, &vote);
	buf_u8(&out, '{');
	put_key(&out, v);
	put_jid(&out, "pollCreatorJid", &v->creators[creator]);
	put_jid(&out, "voterJid", &v->voters[voter]);
	put_poll(&out, poll, &vote);
	put_time(&out, v);
	buf_u8(&out, '}');
	rpc_answer(v->request, 200, APP_SUCCESS, "Poll vote decrypted", buf_text(&out));
	buf_free(&out);
	buf_free(&written);
	free(poll);
}

static void looked_up(void *arg)
{
	struct vote *v = arg;
	struct rpc_request *request = v->request;
	struct span stored = v->found.error == STORE_OK ? v->found.message : span_of(NULL, 0);
	struct span first = v->found.first.p ? v->found.first : stored;
	struct span secret = { 0 };
	struct buf plain = { 0 };
	size_t creator, voter;

	if (!v->has_secret && first.p && wa_message_secret(first, &secret) && secret.n == WA_SECRET_LEN) {
		memcpy(v->secret, secret.p, secret.n);
		v->has_secret = true;
	}
	if (!v->has_secret)
		rpc_answer(request, 400, APP_INVALID_PARAMETER, "pollEncKey is required", NULL);
	else if (!open_vote(v, &plain, &creator, &voter))
		rpc_answer(request, 400, APP_INVALID_PARAMETER, "The vote cannot be decrypted with this key and these addresses", NULL);
	else
		answer(v, stored, &plain, creator, voter);
	buf_free(&plain);
}

static void poll_vote(struct rpc_request *request)
{
	struct json_object *vote = member(json_object_object_get(request->p, "pollUpdateVote"), "vote");
	const char *id = text_at(creation_key(request), "id");
	struct session_entry *entry = rpc_session(request);
	const char *key = rpc_param_text(request, "pollEncKey");
	struct buf secret = { 0 };
	struct vote *v;

	if (!entry)
		return;
	v = xcalloc(1, sizeof *v);
	v->request = request;
	arena_init(&v->arena, 0);
	request->work = v;
	request->work_free = vote_free;
	v->id = rpc_param_text(request, "pollMsgId") ? rpc_param_text(request, "pollMsgId") : id;
	v->who = (struct lookup_account){ .session = request->session_number, .pn = entry->view.me_pn, .lid = entry->view.me_lid };
	if (!bytes_of(member(vote, "encPayload"), &v->payload) || !bytes_of(member(vote, "encIv"), &v->iv) || v->iv.len != WA_SECRET_IV_LEN) {
		rpc_answer(request, 400, APP_INVALID_PARAMETER, "encPayload or encIv is invalid", NULL);
		return;
	}
	if (key && key[0]) {
		v->has_secret = bytes_of(json_object_object_get(request->p, "pollEncKey"), &secret) && secret.len == WA_SECRET_LEN;
		if (v->has_secret)
			memcpy(v->secret, secret.data, secret.len);
		buf_wipe(&secret);
		if (!v->has_secret) {
			rpc_answer(request, 400, APP_INVALID_PARAMETER, "pollEncKey is invalid", NULL);
			return;
		}
	}
	take_sides(v);
	async_read(request->context->daemon->loop, request->context->daemon->store, look_up, looked_up, v);
}

const struct rpc_method rpc_poll_methods[] = { { "misc.poll-vote", poll_vote }, { NULL, NULL } };
