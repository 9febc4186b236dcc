/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signal sessions and sender keys: JSON of libsignal for node -> protobufs of libsignal-protocol-c.
 *
 *     node                                          C (LocalStorageProtocol.proto)
 *     _sessions{ baseKey: { ... } }                 RecordStructure{ 1: open session, 2: closed ones, last used first }
 *     currentRatchet.rootKey                        SessionStructure.rootKey(4)
 *     _chains[own ephemeral], chainType 1           senderChain(6), with the private key
 *     _chains[their ephemerals], chainType 2        receiverChains(7), oldest first, at most 5
 *     chainKey.counter = last used index            Chain.chainKey(3).index = next index
 *     messageKeys{ index: seed }                    Chain.messageKeys(4): HKDF(seed, "WhisperMessageKeys") as cipher key, MAC key, IV
 *     chainKey.key deleted: chain is closed         a chain key of zeros: it opens nothing, and nothing more can come on it
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/import/import.h"
#include "sessiond/wa/proto_walk.h"

enum { KEY = 32, TYPED_KEY = 33, RECEIVER_CHAINS_MAX = 5, MESSAGE_KEYS_MAX = 2000, CLOSED_MAX = 40, CHAINS_MAX = 256 };
enum { CHAIN_SENDING = 1, CHAIN_RECEIVING = 2, SESSION_VERSION = 3 };
/* RecordStructure, SessionStructure */
enum { RECORD_CURRENT = 1, RECORD_PREVIOUS = 2 };
enum {
	SESSION_VERSION_FIELD = 1,
	SESSION_LOCAL_IDENTITY = 2,
	SESSION_REMOTE_IDENTITY = 3,
	SESSION_ROOT_KEY = 4,
	SESSION_PREVIOUS_COUNTER = 5,
	SESSION_SENDER_CHAIN = 6,
	SESSION_RECEIVER_CHAINS = 7,
	SESSION_PENDING = 9,
	SESSION_REMOTE_REGISTRATION = 10,
	SESSION_LOCAL_REGISTRATION = 11,
	SESSION_BASE_KEY = 13
};
/* Chain, ChainKey, MessageKey, PendingPreKey */
enum { CHAIN_KEY_PUBLIC = 1, CHAIN_KEY_PRIVATE = 2, CHAIN_KEY_CHAIN = 3, CHAIN_KEY_MESSAGES = 4 };
enum { CHAIN_INDEX = 1, CHAIN_SEED = 2 };
enum { MESSAGE_INDEX = 1, MESSAGE_CIPHER = 2, MESSAGE_MAC = 3, MESSAGE_IV = 4 };
enum { PENDING_PREKEY = 1, PENDING_BASE_KEY = 2, PENDING_SIGNED = 3 };
/* SenderKeyRecordStructure */
enum { SENDER_STATES = 1, SENDER_ID = 1, SENDER_CHAIN = 2, SENDER_SIGNING = 3, SENDER_MESSAGES = 4, PAIR_PUBLIC = 1, PAIR_PRIVATE = 2 };

static struct json_object *sub(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	return json_object_is_type(object, json_type_object) && json_object_object_get_ex(object, name, &value) ? value : NULL;
}

static bool number_of(struct json_object *value, int64_t least, int64_t most, int64_t *out)
{
	if (!json_object_is_type(value, json_type_int))
		return false;
	*out = json_object_get_int64(value);
	return *out >= least && *out <= most;
}

/* A public key with its type byte, whichever form it has. */
static bool typed_key(struct json_object *value, uint8_t out[static TYPED_KEY])
{
	struct buf bytes = { 0 };
	bool ok = import_bytes(value, 0, &bytes) && ((bytes.len == TYPED_KEY && bytes.data[0] == 0x05) || bytes.len == KEY);

	if (ok) {
		out[0] = 0x05;
		memcpy(out + 1, bytes.data + bytes.len - KEY, KEY);
	}
	buf_wipe(&bytes);
	return ok;
}

/* ---- chains ---- */

static bool put_message_key(struct buf *chain, uint32_t index, struct span seed)
{
	uint8_t keys[80];
	struct buf out = { 0 };
	bool ok = crypto_hkdf_sha256(seed.p, seed.n, NULL, 0, "WhisperMessageKeys", strlen("WhisperMessageKeys"), keys, sizeof keys) == CRYPTO_OK;

	proto_put_uint(&out, MESSAGE_INDEX, index);
	proto_put_bytes(&out, MESSAGE_CIPHER, span_of(keys, 32));
	proto_put_bytes(&out, MESSAGE_MAC, span_of(keys + 32, 32));
	proto_put_bytes(&out, MESSAGE_IV, span_of(keys + 64, 16));
	if (ok)
		proto_put_bytes(chain, CHAIN_KEY_MESSAGES, buf_span(&out));
	crypto_wipe(keys, sizeof keys);
	buf_wipe(&out);
	return ok;
}

static bool index_of(const char *text, uint32_t *out)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || value > UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}

static bool put_message_keys(struct buf *chain, struct json_object *keys, size_t *n)
{
	*n = 0;
	if (!keys)
		return true;
	if (!json_object_is_type(keys, json_type_object))
		return false;
	json_object_object_foreach(keys, name, value)
	{
		struct buf seed = { 0 };
		uint32_t index;
		bool ok = ++*n <= MESSAGE_KEYS_MAX && index_of(name, &index) && import_bytes(value, KEY, &seed) && put_message_key(chain, index, buf_span(&seed));

		buf_wipe(&seed);
		if (!ok)
			return false;
	}
	return true;
}

/* Appends a Chain. private_key empty: a receiving one. *useful false: closed, and no key is left in it. */
static bool put_chain(struct buf *out, struct json_object *chain, const uint8_t public_key[static TYPED_KEY], struct span private_key, bool *useful)
{
	static const uint8_t zeros[KEY];
	struct json_object *chain_key = sub(chain, "chainKey");
	struct json_object *key = sub(chain_key, "key");
	struct buf seed = { 0 }, inner = { 0 };
	int64_t counter;
	size_t messages = 0;
	bool ok = number_of(sub(chain_key, "counter"), -1, UINT32_MAX - 1, &counter) && (!key || import_bytes(key, KEY, &seed));

	if (ok) {
		proto_put_bytes(out, CHAIN_KEY_PUBLIC, span_of(public_key, TYPED_KEY));
		if (private_key.n > 0)
			proto_put_bytes(out, CHAIN_KEY_PRIVATE, private_key);
		proto_put_uint(&inner, CHAIN_INDEX, (uint64_t)(counter + 1));
		proto_put_bytes(&inner, CHAIN_SEED, seed.len > 0 ? buf_span(&seed) : span_of(zeros, sizeof zeros));
		proto_put_bytes(out, CHAIN_KEY_CHAIN, buf_span(&inner));
		ok = put_message_keys(out, sub(chain, "messageKeys"), &messages);
	}
	*useful = key != NULL || messages > 0;
	buf_wipe(&seed);
	buf_wipe(&inner);
	return ok;
}

/* The sending chain, and the receiving ones in the order in which they began. */
static bool put_chains(struct buf *out, struct json_object *session, const uint8_t own_key[static TYPED_KEY], struct span own_private)
{
	struct json_object *chains = sub(session, "_chains");
	struct buf receiving[RECEIVER_CHAINS_MAX] = { { 0 } };
	size_t n = 0, all = 0;
	bool ok = json_object_is_type(chains, json_type_object);

	if (!ok)
		return false;
	json_object_object_foreach(chains, name, chain)
	{
		struct json_object *text = json_object_new_string(name);
		uint8_t key[TYPED_KEY];
		struct buf one = { 0 };
		int64_t type = 0;
		bool useful = false, sending;

		ok = ok && ++all <= CHAINS_MAX && typed_key(text, key) && number_of(sub(chain, "chainType"), CHAIN_SENDING, CHAIN_RECEIVING, &type);
		sending = type == CHAIN_SENDING;
		ok = ok && (!sending || memcmp(key, own_key, TYPED_KEY) == 0) && put_chain(&one, chain, key, sending ? own_private : span_of(NULL, 0), &useful);
		json_object_put(text);
		if (ok && sending) {
			proto_put_bytes(out, SESSION_SENDER_CHAIN, buf_span(&one));
		} else if (ok && useful) {
			if (n == RECEIVER_CHAINS_MAX) {
				buf_wipe(&receiving[0]);
				memmove(&receiving[0], &receiving[1], (RECEIVER_CHAINS_MAX - 1) * sizeof receiving[0]);
				n--;
			}
			receiving[n++] = one;
			one = (struct buf){ 0 };
		}
		buf_wipe(&one);
	}
	for (size_t i = 0; i < n; i++) {
		if (ok)
			proto_put_bytes(out, SESSION_RECEIVER_CHAINS, buf_span(&receiving[i]));
		buf_wipe(&receiving[i]);
	}
	return ok;
}

/* ---- sessions ---- */

static bool put_pending(struct buf *out, struct json_object *session)
{
	struct json_object *pending = sub(session, "pendingPreKey");
	struct json_object *prekey = sub(pending, "preKeyId");
	uint8_t base[TYPED_KEY];
	struct buf inner = { 0 };
	int64_t signed_id, id = 0;
	bool ok;

	if (!pending)
		return true;
	ok = number_of(sub(pending, "signedKeyId"), 0, INT32_MAX, &signed_id) && typed_key(sub(pending, "baseKey"), base) &&
	     (!prekey || number_of(prekey, 0, UINT32_MAX, &id));
	if (ok) {
		if (prekey)
			proto_put_uint(&inner, PENDING_PREKEY, (uint64_t)id);
		proto_put_uint(&inner, PENDING_SIGNED, (uint64_t)signed_id);
		proto_put_bytes(&inner, PENDING_BASE_KEY, span_of(base, sizeof base));
		proto_put_bytes(out, SESSION_PENDING, buf_span(&inner));
	}
	buf_free(&inner);
	return ok;
}

static bool put_session(struct buf *out, struct json_object *session, const struct import_own *own, uint8_t identity[static TYPED_KEY])
{
	struct json_object *ratchet = sub(session, "currentRatchet");
	struct json_object *pair = sub(ratchet, "ephemeralKeyPair");
	struct json_object *index = sub(session, "indexInfo");
	uint8_t own_key[TYPED_KEY], base[TYPED_KEY];
	struct buf root = { 0 }, own_private = { 0 };
	int64_t registration, previous;
	bool ok = number_of(sub(session, "registrationId"), 0, UINT32_MAX, &registration) && number_of(sub(ratchet, "previousCounter"), -1, UINT32_MAX, &previous) &&
		  typed_key(sub(pair, "pubKey"), own_key) && import_bytes(sub(pair, "privKey"), KEY, &own_private) &&
		  import_bytes(sub(ratchet, "rootKey"), KEY, &root) && typed_key(sub(index, "baseKey"), base) && typed_key(sub(index, "remoteIdentityKey"), identity);

	if (ok) {
		proto_put_uint(out, SESSION_VERSION_FIELD, SESSION_VERSION);
		proto_put_bytes(out, SESSION_LOCAL_IDENTITY, span_of(own->identity, sizeof own->identity));
		proto_put_bytes(out, SESSION_REMOTE_IDENTITY, span_of(identity, TYPED_KEY));
		proto_put_bytes(out, SESSION_ROOT_KEY, buf_span(&root));
		proto_put_uint(out, SESSION_PREVIOUS_COUNTER, previous < 0 ? 0 : (uint64_t)previous);
		ok = put_chains(out, session, own_key, buf_span(&own_private)) && put_pending(out, session);
		proto_put_uint(out, SESSION_REMOTE_REGISTRATION, (uint64_t)registration);
		proto_put_uint(out, SESSION_LOCAL_REGISTRATION, own->registration_id);
		proto_put_bytes(out, SESSION_BASE_KEY, span_of(base, sizeof base));
	}
	buf_wipe(&root);
	buf_wipe(&own_private);
	return ok;
}

struct closed {
	struct json_object *session;
	int64_t used;
};

static int last_used_first(const void *a, const void *b)
{
	int64_t x = ((const struct closed *)a)->used, y = ((const struct closed *)b)->used;

	return x < y ? 1 : x > y ? -1 : 0;
}

static bool is_open(struct json_object *session)
{
	return json_object_get_int64(sub(sub(session, "indexInfo"), "closed")) == -1;
}

static bool put_closed(struct buf *out, struct json_object *sessions, const struct import_own *own)
{
	struct closed list[CLOSED_MAX] = { { NULL, 0 } };
	size_t n = 0;

	json_object_object_foreach(sessions, name, session)
	{
		(void)name;
		if (!is_open(session) && n < CLOSED_MAX)
			list[n++] = (struct closed){ session, json_object_get_int64(sub(sub(session, "indexInfo"), "used")) };
	}
	qsort(list, n, sizeof list[0], last_used_first);
	for (size_t i = 0; i < n; i++) {
		struct buf one = { 0 };
		uint8_t identity[TYPED_KEY];

		/* One that is not complete opens nothing any more. */
		if (put_session(&one, list[i].session, own, identity))
			proto_put_bytes(out, RECORD_PREVIOUS, buf_span(&one));
		buf_wipe(&one);
	}
	return true;
}

int import_session(struct json_object *record, const struct import_own *own, struct buf *out, uint8_t identity[static 33])
{
	struct json_object *sessions = sub(record, "_sessions");
	struct json_object *open = NULL;
	struct buf one = { 0 };
	bool ok;

	if (!json_object_is_type(sessions, json_type_object))
		return -1;
	json_object_object_foreach(sessions, name, session)
	{
		(void)name;
		if (!open && is_open(session))
			open = session;
	}
	if (!open)
		return 0;
	ok = put_session(&one, open, own, identity);
	if (ok) {
		proto_put_bytes(out, RECORD_CURRENT, buf_span(&one));
		put_closed(out, sessions, own);
	}
	buf_wipe(&one);
	return ok ? 1 : -1;
}

/* ---- sender keys ---- */

static bool put_chain_key(struct buf *out, uint32_t field, struct json_object *chain)
{
	struct buf seed = { 0 }, inner = { 0 };
	int64_t iteration;
	bool ok = number_of(sub(chain, "iteration"), 0, UINT32_MAX, &iteration) && import_bytes(sub(chain, "seed"), KEY, &seed);

	if (ok) {
		proto_put_uint(&inner, CHAIN_INDEX, (uint64_t)iteration);
		proto_put_bytes(&inner, CHAIN_SEED, buf_span(&seed));
		proto_put_bytes(out, field, buf_span(&inner));
	}
	buf_wipe(&seed);
	buf_wipe(&inner);
	return ok;
}

static bool put_signing(struct buf *out, struct json_object *signing)
{
	struct json_object *private_key = sub(signing, "private");
	uint8_t public_key[TYPED_KEY];
	struct buf secret = { 0 }, inner = { 0 };
	bool ok = typed_key(sub(signing, "public"), public_key) && (!private_key || import_bytes(private_key, 0, &secret)) && (secret.len == 0 || secret.len == KEY);

	if (ok) {
		proto_put_bytes(&inner, PAIR_PUBLIC, span_of(public_key, sizeof public_key));
		if (secret.len > 0)
			proto_put_bytes(&inner, PAIR_PRIVATE, buf_span(&secret));
		proto_put_bytes(out, SENDER_SIGNING, buf_span(&inner));
	}
	buf_wipe(&secret);
	buf_wipe(&inner);
	return ok;
}

static bool put_state(struct buf *record, struct json_object *state)
{
	struct json_object *messages = sub(state, "senderMessageKeys");
	size_t n = json_object_is_type(messages, json_type_array) ? json_object_array_length(messages) : 0;
	struct buf out = { 0 };
	int64_t id;
	bool ok = number_of(sub(state, "senderKeyId"), 0, UINT32_MAX, &id) && n <= MESSAGE_KEYS_MAX;

	if (ok)
		proto_put_uint(&out, SENDER_ID, (uint64_t)id);
	ok = ok && put_chain_key(&out, SENDER_CHAIN, sub(state, "senderChainKey")) && put_signing(&out, sub(state, "senderSigningKey"));
	for (size_t i = 0; ok && i < n; i++)
		ok = put_chain_key(&out, SENDER_MESSAGES, json_object_array_get_idx(messages, i));
	if (ok)
		proto_put_bytes(record, SENDER_STATES, buf_span(&out));
	buf_wipe(&out);
	return ok;
}

/* The newest state is the last one there, and the first one here. */
int import_sender_key(struct json_object *record, struct buf *out)
{
	size_t n;

	if (!json_object_is_type(record, json_type_array))
		return -1;
	n = json_object_array_length(record);
	for (size_t i = n; i > 0; i--) {
		if (!put_state(out, json_object_array_get_idx(record, i - 1)))
			return -1;
	}
	return 0;
}
