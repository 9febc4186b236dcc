/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The device record, see creds.h. */
#include "sessiond/wa/creds.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/proto/creds.pb-c.h"
#include "sessiond/wa/proto_scan.h"

#define CREDS_VERSION 1

static int make_pair(creds_random *random, void *ctx, struct curve_pair *out)
{
	uint8_t seed[CURVE_KEY_LEN];
	int result;

	random(ctx, seed, sizeof seed);
	result = curve_pair_from_random(seed, out);
	crypto_wipe(seed, sizeof seed);
	return result;
}

int creds_make_signed_prekey(const struct wa_creds *creds, struct curve_signer *signer, creds_random *random, void *ctx, uint32_t id,
                             int64_t now_ms, struct signed_prekey *out)
{
	out->id = id;
	out->created_ms = now_ms;
	if (make_pair(random, ctx, &out->pair) != 0)
		return -1;
	return curve_sign_key(signer, creds->identity.private_key, out->pair.public_key, out->signature);
}

int creds_generate(struct wa_creds *creds, struct curve_signer *signer, creds_random *random, void *ctx, int64_t now_ms)
{
	*creds = (struct wa_creds){ .next_prekey_id = 1 };
	if (make_pair(random, ctx, &creds->noise) != 0 || make_pair(random, ctx, &creds->identity) != 0 ||
	    creds_make_signed_prekey(creds, signer, random, ctx, 1, now_ms, &creds->signed_prekey) != 0) {
		creds_free(creds);
		return -1;
	}
	random(ctx, creds->adv_secret, sizeof creds->adv_secret);
	random(ctx, &creds->registration_id, sizeof creds->registration_id);
	/* libsignal and Baileys agree on 1 .. 16380. */
	creds->registration_id = creds->registration_id % 16380U + 1;
	return 0;
}

bool creds_linked(const struct wa_creds *creds)
{
	return !jid_is_none(&creds->pn);
}

static ProtobufCBinaryData key_data(const uint8_t key[CURVE_KEY_LEN])
{
	return proto_data(span_of(key, CURVE_KEY_LEN));
}

void creds_write(const struct wa_creds *creds, struct buf *out)
{
	Wa__Creds m = WA__CREDS__INIT;
	char pn[JID_TEXT_MAX], lid[JID_TEXT_MAX];

	m.has_version = m.has_noise_private = m.has_noise_public = m.has_identity_private = m.has_identity_public = 1;
	m.has_registration_id = m.has_signed_prekey_id = m.has_signed_prekey_private = m.has_signed_prekey_public = 1;
	m.has_signed_prekey_signature = m.has_signed_prekey_ms = m.has_adv_secret = m.has_account = m.has_routing_info = 1;
	m.has_next_prekey_id = m.has_login_count = m.has_prekeys_uploaded = 1;
	m.version = CREDS_VERSION;
	m.noise_private = key_data(creds->noise.private_key);
	m.noise_public = key_data(creds->noise.public_key);
	m.identity_private = key_data(creds->identity.private_key);
	m.identity_public = key_data(creds->identity.public_key);
	m.registration_id = creds->registration_id;
	m.signed_prekey_id = creds->signed_prekey.id;
	m.signed_prekey_private = key_data(creds->signed_prekey.pair.private_key);
	m.signed_prekey_public = key_data(creds->signed_prekey.pair.public_key);
	m.signed_prekey_signature = proto_data(span_of(creds->signed_prekey.signature, CURVE_SIGNATURE_LEN));
	m.signed_prekey_ms = creds->signed_prekey.created_ms;
	m.adv_secret = key_data(creds->adv_secret);
	m.pn = (char *)(uintptr_t)jid_format(&creds->pn, pn, sizeof pn);
	m.lid = (char *)(uintptr_t)jid_format(&creds->lid, lid, sizeof lid);
	m.account = proto_data(buf_span(&creds->account));
	m.platform = creds->platform;
	m.business_name = creds->business_name;
	m.push_name = creds->push_name;
	m.routing_info = proto_data(buf_span(&creds->routing_info));
	m.next_prekey_id = creds->next_prekey_id;
	m.login_count = creds->login_count;
	m.prekeys_uploaded = creds->prekeys_uploaded;
	proto_pack(out, &m.base);
}

static bool read_fixed(protobuf_c_boolean has, ProtobufCBinaryData data, uint8_t *out, size_t n)
{
	if (!has || data.len != n)
		return false;
	memcpy(out, data.data, n);
	return true;
}

/* Absent and empty mean: no JID. */
static bool read_jid(const char *text, struct jid *out)
{
	return text == NULL || text[0] == '\0' || jid_parse_text(out, text) == 0;
}

static bool read_keys(struct wa_creds *creds, const Wa__Creds *m)
{
	struct signed_prekey *skey = &creds->signed_prekey;

	return read_fixed(m->has_noise_private, m->noise_private, creds->noise.private_key, CURVE_KEY_LEN) &&
	       read_fixed(m->has_noise_public, m->noise_public, creds->noise.public_key, CURVE_KEY_LEN) &&
	       read_fixed(m->has_identity_private, m->identity_private, creds->identity.private_key, CURVE_KEY_LEN) &&
	       read_fixed(m->has_identity_public, m->identity_public, creds->identity.public_key, CURVE_KEY_LEN) &&
	       read_fixed(m->has_signed_prekey_private, m->signed_prekey_private, skey->pair.private_key, CURVE_KEY_LEN) &&
	       read_fixed(m->has_signed_prekey_public, m->signed_prekey_public, skey->pair.public_key, CURVE_KEY_LEN) &&
	       read_fixed(m->has_signed_prekey_signature, m->signed_prekey_signature, skey->signature, CURVE_SIGNATURE_LEN) &&
	       read_fixed(m->has_adv_secret, m->adv_secret, creds->adv_secret, sizeof creds->adv_secret);
}

int creds_read(struct wa_creds *creds, struct span stored)
{
	struct arena arena;
	ProtobufCMessage *message;
	const Wa__Creds *m;
	int result = -1;

	arena_init(&arena, 0);
	if (proto_unpack(&arena, &wa__creds__descriptor, stored, &message) != 0)
		goto out;
	m = (const Wa__Creds *)message;
	if (m->version != CREDS_VERSION || !read_keys(creds, m) || !read_jid(m->pn, &creds->pn) ||
	    !read_jid(m->lid, &creds->lid))
		goto out;
	creds->registration_id = m->registration_id;
	creds->signed_prekey.id = m->signed_prekey_id;
	creds->signed_prekey.created_ms = m->signed_prekey_ms;
	creds->next_prekey_id = m->next_prekey_id > 0 && m->next_prekey_id <= CREDS_PREKEY_ID_MAX ? m->next_prekey_id : 1;
	creds->login_count = m->login_count;
	creds->prekeys_uploaded = m->prekeys_uploaded;
	buf_append_span(&creds->account, proto_bytes(m->has_account, m->account));
	buf_append_span(&creds->routing_info, proto_bytes(m->has_routing_info, m->routing_info));
	creds_set_text(&creds->platform, m->platform);
	creds_set_text(&creds->business_name, m->business_name);
	creds_set_text(&creds->push_name, m->push_name);
	result = 0;
out:
	if (result != 0)
		creds_free(creds);
	arena_free(&arena);
	return result;
}

void creds_free(struct wa_creds *creds)
{
	buf_wipe(&creds->account);
	buf_wipe(&creds->routing_info);
	free(creds->platform);
	free(creds->business_name);
	free(creds->push_name);
	crypto_wipe(creds, sizeof *creds);
	*creds = (struct wa_creds){ 0 };
}

uint32_t creds_next_id(uint32_t id)
{
	return id >= CREDS_PREKEY_ID_MAX ? 1 : id + 1;
}

void creds_id_bytes(uint32_t id, uint8_t out[3])
{
	for (unsigned i = 0; i < 3; i++)
		out[i] = (uint8_t)(id >> (16U - 8U * i));
}

void creds_registration_bytes(uint32_t id, uint8_t out[4])
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(id >> (24U - 8U * i));
}

void creds_set_text(char **place, const char *text)
{
	char *copy = text != NULL && text[0] != '\0' ? xstrndup(text, CREDS_TEXT_MAX) : NULL;

	free(*place);
	*place = copy;
}
