/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pairwise Signal sessions: libsignal-protocol-c over the records of state.h. One struct signal_env per loop; every call works for one
 * account on one operation, whose records were fetched before (wa_signal_keys_for_*). Nothing here waits.
 *
 * Records: SESSION and IDENTITY under "name.device" (name as jid_signal_name()), PREKEY = private(32) || public(32),
 * SIGNED_PREKEY = private(32) || public(32) || signature(64) || created(8, ms), both under the decimal id.
 */
#ifndef WA_SIGNAL_H
#define WA_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/jid.h"
#include "sessiond/wa/state.h"

#define SIGNAL_KEY_BYTES 32U
#define SIGNAL_SIGNATURE_BYTES 64U
#define SIGNAL_IDENTITY_BYTES 33U
#define SIGNAL_PREKEY_RECORD_BYTES 64U
#define SIGNAL_SIGNED_PREKEY_RECORD_BYTES 136U
/* "user_129.65535" */
#define SIGNAL_NAME_MAX (JID_SIGNAL_NAME_MAX + 7)

enum signal_error {
	SIGNAL_OK = 0,
	SIGNAL_DUPLICATE = -1,       /* an old counter: this message was decrypted before */
	SIGNAL_NO_SESSION = -2,
	SIGNAL_INVALID_KEY = -3,
	SIGNAL_INVALID_KEY_ID = -4,  /* a prekey that we do not have (any more) */
	SIGNAL_INVALID_MESSAGE = -5, /* malformed, wrong MAC, or too far ahead */
	SIGNAL_VERSION = -6,
	SIGNAL_INTERNAL = -7
};

/* The account's own long-term keys; the caller keeps them alive during calls. */
struct signal_account {
	uint8_t identity_public[SIGNAL_KEY_BYTES];
	uint8_t identity_private[SIGNAL_KEY_BYTES];
	uint32_t registration_id;
};

/* What a device published: the answer of a key query or the <keys> of a retry receipt. */
struct signal_bundle {
	uint32_t registration_id;
	bool has_prekey;
	uint32_t prekey_id;
	uint8_t prekey[SIGNAL_KEY_BYTES];
	uint32_t signed_prekey_id;
	uint8_t signed_prekey[SIGNAL_KEY_BYTES];
	uint8_t signature[SIGNAL_SIGNATURE_BYTES];
	uint8_t identity[SIGNAL_KEY_BYTES];
};

/* What stands readable in a pkmsg. */
struct signal_prekey_info {
	bool has_prekey_id;
	uint32_t prekey_id;
	uint32_t signed_prekey_id;
	uint32_t registration_id;
	uint8_t identity[SIGNAL_KEY_BYTES];
};

struct signal_env;
struct signal_env *wa_signal_env_new(void);
void wa_signal_env_free(struct signal_env *env);

/* One account's use of the environment for one operation. */
struct signal_call {
	struct signal_env *env;               /* borrowed */
	struct state_op *op;                  /* borrowed */
	const struct signal_account *account; /* borrowed */
	bool identity_changed;                /* set when a call replaced a known identity key by another one */
};

/* Name of the session and identity record of a device; out holds SIGNAL_NAME_MAX bytes. Returns out. */
const char *wa_signal_record_name(const struct jid *device, char *out);
/* Adds the records that a session with this device needs. */
void wa_signal_keys_for_device(struct state_keys *keys, const struct jid *device);
/* Adds the own prekeys that a pkmsg names. */
void wa_signal_keys_for_prekeys(struct state_keys *keys, const struct signal_prekey_info *info);
/* Reads the head of a pkmsg. SIGNAL_OK, SIGNAL_INVALID_MESSAGE, SIGNAL_VERSION or SIGNAL_INVALID_KEY. */
int wa_signal_prekey_info(struct signal_env *env, struct span pkmsg, struct signal_prekey_info *info);

bool wa_signal_has_session(struct signal_call *call, const struct jid *device);
/* Registration id of the peer as the session knows it, 0 without session. */
uint32_t wa_signal_remote_registration(struct signal_call *call, const struct jid *device);
/* Base key of the current session (33 bytes), which changes when either side starts anew. False without session. */
bool wa_signal_base_key(struct signal_call *call, const struct jid *device, uint8_t out[SIGNAL_IDENTITY_BYTES]);
/* Forgets the session (and the identity). */
void wa_signal_delete_session(struct state_op *op, const struct jid *device);
void wa_signal_delete_identity(struct state_op *op, const struct jid *device);
/* Moves session and identity to another address of the same device, unless a session is there already (then the old one stays as
 * it is, as fallback). True if something was moved. */
bool wa_signal_move_session(struct signal_call *call, const struct jid *from, const struct jid *to);

/* Starts a session from a bundle; the signature of the signed prekey is verified. */
int wa_signal_start_session(struct signal_call *call, const struct jid *device, const struct signal_bundle *bundle);
/* Encrypts an already padded message. Appends to out; *prekey tells pkmsg from msg. */
int wa_signal_encrypt(struct signal_call *call, const struct jid *device, struct span padded, struct buf *out, bool *prekey);
/* Decrypts; appends the still padded message to out. Nothing is changed unless SIGNAL_OK is returned. */
int wa_signal_decrypt(struct signal_call *call, const struct jid *device, bool prekey, struct span ciphertext, struct buf *out);

/* Reason code of a retry receipt for a failure (protocol: 0 unknown, 1 no session, 2 invalid key, 3 invalid key id, 4 invalid message). */
unsigned wa_signal_retry_reason(int error);
const char *wa_signal_error_text(int error);

#endif
