/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In-memory libsignal store, see memory_store.h. */
#include "tests/load/memory_store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <signal/session_pre_key.h>

#define RECORDS 8

/* One stored value under a number or an address; few of them, so a list is searched. */
struct record {
	enum { RECORD_FREE, RECORD_SESSION, RECORD_PREKEY, RECORD_SIGNED_PREKEY } kind;
	char name[64];
	int64_t number;
	signal_buffer *value; /* owned */
};

struct memory_store {
	signal_context *signal;                  /* borrowed */
	signal_protocol_store_context *context;  /* owned */
	ratchet_identity_key_pair *identity;     /* owned */
	session_signed_pre_key *signed_prekey;   /* owned */
	session_pre_key *prekey;                 /* owned */
	uint32_t registration;
	struct record records[RECORDS];
};

static struct record *find(struct memory_store *s, int kind, const char *name, size_t name_len, int64_t number)
{
	for (size_t i = 0; i < RECORDS; i++) {
		struct record *r = &s->records[i];

		if ((int)r->kind == kind && r->number == number && strlen(r->name) == name_len && !memcmp(r->name, name, name_len))
			return r;
	}
	return NULL;
}

static int put(struct memory_store *s, int kind, const char *name, size_t name_len, int64_t number, const uint8_t *value, size_t len)
{
	struct record *r = find(s, kind, name, name_len, number);

	for (size_t i = 0; !r && i < RECORDS; i++)
		if (s->records[i].kind == RECORD_FREE)
			r = &s->records[i];
	if (!r || name_len >= sizeof r->name)
		return SG_ERR_NOMEM;
	signal_buffer_free(r->value);
	*r = (struct record){ .kind = (unsigned)kind, .number = number, .value = signal_buffer_create(value, len) };
	memcpy(r->name, name, name_len);
	return r->value ? 0 : SG_ERR_NOMEM;
}

static int load_session(signal_buffer **record, signal_buffer **user, const signal_protocol_address *address, void *arg)
{
	struct record *r = find(arg, RECORD_SESSION, address->name, address->name_len, address->device_id);

	*user = NULL;
	if (!r)
		return 0;
	*record = signal_buffer_copy(r->value);
	return *record ? 1 : SG_ERR_NOMEM;
}

static int no_devices(signal_int_list **devices, const char *name, size_t name_len, void *arg)
{
	(void)name;
	(void)name_len;
	(void)arg;
	*devices = signal_int_list_alloc();
	return *devices ? 0 : SG_ERR_NOMEM;
}

static int store_session(const signal_protocol_address *address, uint8_t *record, size_t len, uint8_t *user, size_t user_len, void *arg)
{
	(void)user;
	(void)user_len;
	return put(arg, RECORD_SESSION, address->name, address->name_len, address->device_id, record, len);
}

static int contains_session(const signal_protocol_address *address, void *arg)
{
	return find(arg, RECORD_SESSION, address->name, address->name_len, address->device_id) != NULL;
}

static int delete_session(const signal_protocol_address *address, void *arg)
{
	struct record *r = find(arg, RECORD_SESSION, address->name, address->name_len, address->device_id);

	if (!r)
		return 0;
	signal_buffer_free(r->value);
	*r = (struct record){ 0 };
	return 1;
}

static int delete_sessions(const char *name, size_t name_len, void *arg)
{
	(void)name;
	(void)name_len;
	(void)arg;
	return 0;
}

static int load_numbered(struct memory_store *s, int kind, signal_buffer **record, uint32_t id)
{
	struct record *r = find(s, kind, "", 0, id);

	if (!r)
		return SG_ERR_INVALID_KEY_ID;
	*record = signal_buffer_copy(r->value);
	return *record ? SG_SUCCESS : SG_ERR_NOMEM;
}

static int load_prekey(signal_buffer **record, uint32_t id, void *arg)
{
	return load_numbered(arg, RECORD_PREKEY, record, id);
}

static int store_prekey(uint32_t id, uint8_t *record, size_t len, void *arg)
{
	return put(arg, RECORD_PREKEY, "", 0, id, record, len);
}

static int contains_prekey(uint32_t id, void *arg)
{
	return find(arg, RECORD_PREKEY, "", 0, id) != NULL;
}

/* Kept: the benchmark's parties meet once. */
static int remove_prekey(uint32_t id, void *arg)
{
	(void)id;
	(void)arg;
	return 0;
}

static int load_signed(signal_buffer **record, uint32_t id, void *arg)
{
	return load_numbered(arg, RECORD_SIGNED_PREKEY, record, id);
}

static int store_signed(uint32_t id, uint8_t *record, size_t len, void *arg)
{
	return put(arg, RECORD_SIGNED_PREKEY, "", 0, id, record, len);
}

static int contains_signed(uint32_t id, void *arg)
{
	return find(arg, RECORD_SIGNED_PREKEY, "", 0, id) != NULL;
}

static int identity_pair(signal_buffer **public_data, signal_buffer **private_data, void *arg)
{
	struct memory_store *s = arg;
	int error = ec_public_key_serialize(public_data, ratchet_identity_key_pair_get_public(s->identity));

	return error ? error : ec_private_key_serialize(private_data, ratchet_identity_key_pair_get_private(s->identity));
}

static int registration_id(void *arg, uint32_t *id)
{
	*id = ((struct memory_store *)arg)->registration;
	return 0;
}

static int save_identity(const signal_protocol_address *address, uint8_t *key, size_t len, void *arg)
{
	(void)address;
	(void)key;
	(void)len;
	(void)arg;
	return 0;
}

static int trust_all(const signal_protocol_address *address, uint8_t *key, size_t len, void *arg)
{
	(void)address;
	(void)key;
	(void)len;
	(void)arg;
	return 1;
}

static int install(struct memory_store *s)
{
	const signal_protocol_session_store sessions = { load_session, no_devices, store_session, contains_session, delete_session,
		                                         delete_sessions, NULL, s };
	const signal_protocol_pre_key_store prekeys = { load_prekey, store_prekey, contains_prekey, remove_prekey, NULL, s };
	const signal_protocol_signed_pre_key_store signed_prekeys = { load_signed, store_signed, contains_signed, remove_prekey, NULL, s };
	const signal_protocol_identity_key_store identities = { identity_pair, registration_id, save_identity, trust_all, NULL, s };

	if (signal_protocol_store_context_create(&s->context, s->signal))
		return -1;
	return signal_protocol_store_context_set_session_store(s->context, &sessions) ||
	       signal_protocol_store_context_set_pre_key_store(s->context, &prekeys) ||
	       signal_protocol_store_context_set_signed_pre_key_store(s->context, &signed_prekeys) ||
	       signal_protocol_store_context_set_identity_key_store(s->context, &identities);
}

static int make_keys(struct memory_store *s)
{
	signal_protocol_key_helper_pre_key_list_node *list = NULL;
	int error = signal_protocol_key_helper_generate_identity_key_pair(&s->identity, s->signal) ||
	            signal_protocol_key_helper_generate_registration_id(&s->registration, 0, s->signal) ||
	            signal_protocol_key_helper_generate_signed_pre_key(&s->signed_prekey, s->identity, 1, (uint64_t)time(NULL), s->signal) ||
	            signal_protocol_key_helper_generate_pre_keys(&list, 1, 1, s->signal);

	if (!error) {
		s->prekey = signal_protocol_key_helper_key_list_element(list);
		SIGNAL_REF(s->prekey);
		error = signal_protocol_signed_pre_key_store_key(s->context, s->signed_prekey) ||
		        signal_protocol_pre_key_store_key(s->context, s->prekey);
	}
	signal_protocol_key_helper_key_list_free(list);
	return error;
}

struct memory_store *memory_store_new(signal_context *context)
{
	struct memory_store *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->signal = context;
	if (install(s) || make_keys(s)) {
		memory_store_free(s);
		return NULL;
	}
	return s;
}

void memory_store_free(struct memory_store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < RECORDS; i++)
		signal_buffer_free(s->records[i].value);
	SIGNAL_UNREF(s->prekey);
	SIGNAL_UNREF(s->signed_prekey);
	SIGNAL_UNREF(s->identity);
	if (s->context)
		signal_protocol_store_context_destroy(s->context);
	free(s);
}

signal_protocol_store_context *memory_store_context(struct memory_store *s)
{
	return s->context;
}

struct session_pre_key_bundle *memory_store_bundle(struct memory_store *s)
{
	session_pre_key_bundle *bundle = NULL;
	ec_key_pair *prekey = session_pre_key_get_key_pair(s->prekey);
	ec_key_pair *signed_prekey = session_signed_pre_key_get_key_pair(s->signed_prekey);

	if (session_pre_key_bundle_create(&bundle, s->registration, 0, 1, ec_key_pair_get_public(prekey), 1,
	                                  ec_key_pair_get_public(signed_prekey), session_signed_pre_key_get_signature(s->signed_prekey),
	                                  session_signed_pre_key_get_signature_len(s->signed_prekey),
	                                  ratchet_identity_key_pair_get_public(s->identity)))
		return NULL;
	return bundle;
}
