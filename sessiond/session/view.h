/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the outside may know about a session: one state with reason, since and attempts, and what pairing needs at the moment.
 *
 * The session (on its loop) makes a view whenever something in it changed and posts a copy to the registry (on the main loop);
 * nobody else writes views, so a shown state is never a guess.
 *
 *                 +------------------ backoff -----------------+
 *                 v                                            |
 *     starting -> connecting -> open --- lost ---------> reconnecting
 *        ^          |   |         |                            |
 *        |          |   +-- QR, pairing code, passkey          +--> storage_error (a commit failed; tries again)
 *      start        |
 *        |          +--> logged_out, banned, replaced, stopped (each with a reason; start leads back)
 */
#ifndef SESSIOND_SESSION_VIEW_H
#define SESSIOND_SESSION_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/jid.h"

enum session_status {
	SESSION_STOPPED = 0,
	SESSION_STARTING,
	SESSION_CONNECTING,
	SESSION_OPEN,
	SESSION_RECONNECTING,
	SESSION_REPLACED,
	SESSION_LOGGED_OUT,
	SESSION_BANNED,
	SESSION_STORAGE_ERROR,
	SESSION_STATUS_COUNT
};

enum passkey_step {
	PASSKEY_NONE = 0,
	PASSKEY_REQUESTED, /* options are there, the user's browser has to answer */
	PASSKEY_ANSWERED,  /* the assertion was handed over */
	PASSKEY_CODE       /* a code is shown, the user has to confirm that the phone shows the same */
};

struct session_view {
	enum session_status status;
	int reason;             /* number of rest-a: 401, 408, 428, 440, 515 ...; 0 = none */
	char reason_text[160];  /* one line for people; "" = none */
	int64_t since_ms;       /* wall clock: when this status began */
	unsigned attempts;      /* connection attempts since the last success */
	int64_t retry_at_ms;    /* wall clock of the next attempt; 0 = none planned */
	int64_t until_ms;       /* wall clock: end of a ban; 0 = unknown or none */

	char *qr;               /* owned; NULL = none to show */
	int64_t qr_seconds;     /* how long a QR code is shown */
	char pair_code[16];     /* "ABCDEFGH"; "" = none */
	char pair_phone[32];    /* digits it was made for */
	int64_t pair_code_at_ms;
	char pair_error[96];    /* why no code came; "" = none */
	enum passkey_step passkey;
	char *passkey_options;  /* owned JSON; NULL = none */
	char passkey_code[24];

	bool registered;        /* linked to an account (credentials are there) */
	struct jid me_pn, me_lid;
	char *push_name;        /* owned; NULL = unknown */
	int64_t last_conn_ms;   /* wall clock of the last opening; 0 = never */
	const char *history_kind; /* static; NULL = no history of the phone is being stored */
	unsigned history_percent; /* of the present one */
	int64_t history_messages;
	char degraded[96];      /* collections of app state that are out of order, blank-separated; "" = none */
	int64_t last_rx_ms;     /* wall clock of the last bytes from the server */
};

/* "open", "logged_out", ...: the names of the contract. */
const char *session_status_name(enum session_status status);
/* The status of that name; SESSION_STOPPED if unknown. */
enum session_status session_status_of(const char *name);
const char *passkey_step_name(enum passkey_step step);

/* A deep copy into out, whose old content is freed. */
void session_view_copy(struct session_view *out, const struct session_view *from);
void session_view_free(struct session_view *view);
/* Changes the status and stamps since_ms when it is another one. text may be NULL. */
void session_view_set(struct session_view *view, enum session_status status, int reason, const char *text, int64_t wall_ms);
/* Forgets QR, pairing code and passkey. */
void session_view_clear_pairing(struct session_view *view);
void session_view_set_text(char **member, const char *text);

/* Members of session/list: "id":...,"status":...,"me":...,"pushName":...,"lastConn":... */
void session_view_put_item(struct buf *out, const char *id, const struct session_view *view);
/* {"id":"62811:7@s.whatsapp.net","name":"..","lid":".."} or null. */
void session_view_put_me(struct buf *out, const struct session_view *view);

#endif
