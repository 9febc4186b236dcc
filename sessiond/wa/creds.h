/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The device record: the keys this companion device was made with, and what the account gave it at pairing. Stored whole as one
 * record (WA_RECORD_CREDS, name ""). A record without a phone-number JID belongs to a device that is not linked yet.
 */
#ifndef SESSIOND_WA_CREDS_H
#define SESSIOND_WA_CREDS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/jid.h"
#include "sessiond/wa/curve.h"

#define CREDS_PREKEY_ID_MAX 0xffffffU
#define CREDS_TEXT_MAX 255

struct signed_prekey {
	uint32_t id; /* 1 .. CREDS_PREKEY_ID_MAX */
	struct curve_pair pair;
	uint8_t signature[CURVE_SIGNATURE_LEN];
	int64_t created_ms; /* wall clock */
};

/* Holds secrets: free with creds_free(), which wipes. */
struct wa_creds {
	struct curve_pair noise;
	struct curve_pair identity;
	uint32_t registration_id; /* 31 bits; 0 only if it was imported */
	struct signed_prekey signed_prekey;
	uint8_t adv_secret[32];
	struct jid pn, lid;      /* own device; JID_SERVER_NONE before pairing */
	struct buf account;      /* ADVSignedDeviceIdentity, complete; empty before pairing */
	char *platform;          /* owned: "android", ...; NULL if unknown */
	char *business_name;     /* owned, may be NULL */
	char *push_name;         /* owned, may be NULL */
	struct buf routing_info; /* for the intro of the next connection */
	uint32_t next_prekey_id; /* next one-time prekey to make; ids are never offered twice */
	bool prekeys_uploaded;   /* the first, big upload is done */
	uint32_t login_count;
};

typedef void creds_random(void *ctx, void *out, size_t n);

/* A fresh, unlinked device. 0, or -1 if OpenSSL or libsignal failed. */
int creds_generate(struct wa_creds *creds, struct curve_signer *signer, creds_random *random, void *ctx, int64_t now_ms);
/* A new signed prekey with this id. */
int creds_make_signed_prekey(const struct wa_creds *creds, struct curve_signer *signer, creds_random *random, void *ctx, uint32_t id,
                             int64_t now_ms, struct signed_prekey *out);
bool creds_linked(const struct wa_creds *creds);
/* Appends the stored form. */
void creds_write(const struct wa_creds *creds, struct buf *out);
/* -1: not a device record of this version. *creds must be zero; it is zero again after an error. */
int creds_read(struct wa_creds *creds, struct span stored);
/* Wipes and frees the content; zero afterwards. */
void creds_free(struct wa_creds *creds);
/* The id after this one, 1 after the greatest. */
uint32_t creds_next_id(uint32_t id);
/* Big-endian 3 and 4 bytes, as ids travel. */
void creds_id_bytes(uint32_t id, uint8_t out[3]);
void creds_registration_bytes(uint32_t id, uint8_t out[4]);
/* Replaces an owned text; NULL or empty text clears it. */
void creds_set_text(char **place, const char *text);

#endif
