/* SPDX-License-Identifier: GPL-3.0-or-later */
/* State of pairing, alive only while the device is not linked: pair.c (QR, success), paircode.c, passkey.c. */
#ifndef SESSIOND_WA_PAIRING_H
#define SESSIOND_WA_PAIRING_H

#include "common/limits.h"
#include "sessiond/wa/connection.h"

#define PAIRING_REF_MAX 1024U
#define PAIRING_CODE_LEN 8
#define PAIRING_PHONE_MAX 20

enum paircode_step {
	PAIRCODE_NONE,
	PAIRCODE_WANTED,   /* before the server offered pairing */
	PAIRCODE_DERIVING, /* key of the code, in another thread */
	PAIRCODE_HELLO,    /* companion_hello sent */
	PAIRCODE_SHOWN,    /* the user types it */
	PAIRCODE_ACCEPTED, /* primary_hello came */
	PAIRCODE_FINISHED  /* companion_finish sent */
};

struct paircode_job;

struct paircode {
	enum paircode_step step;
	char phone[PAIRING_PHONE_MAX + 1];
	char code[PAIRING_CODE_LEN + 1]; /* secret */
	bool custom;
	struct curve_pair ephemeral;
	uint8_t wrapped[80];
	struct buf ref;           /* owned */
	unsigned hellos;          /* primary_hello received */
	struct paircode_job *job; /* owned by whoever runs it; told when we go */
	struct buf bundle;        /* owned: companion_finish, until the new secret is stored */
	struct wa_timer timer;
};

enum passkey_step {
	PASSKEY_NONE,
	PASSKEY_REQUESTED, /* the host has the options */
	PASSKEY_REF,       /* asked the server for a ref */
	PASSKEY_PROLOGUE,  /* prologue sent */
	PASSKEY_WAITING,   /* for the phone's identity */
	PASSKEY_NONCE,     /* companion_nonce sent */
	PASSKEY_CODE,      /* the user compares */
	PASSKEY_CONFIRMED  /* encrypted_pairing_request sent */
};

struct passkey {
	enum passkey_step step;
	uint8_t handoff_key[32];
	int64_t handoff_ms;         /* monotonic; 0: none */
	struct buf credential_id;   /* owned */
	struct buf assertion;       /* owned: JSON */
	struct buf ref;             /* owned */
	struct curve_pair ephemeral;
	uint8_t nonce[32];
	uint8_t encryption_key[32];
	uint8_t adv_secret[32];     /* becomes the device's at confirmation */
	char code[PAIRING_CODE_LEN + 2];
	bool handoff;               /* proof was sent: the phone may skip comparing */
	struct wa_timer timer;      /* somebody has to finish what was begun */
};

struct pairing {
	char *refs[LIMIT_WA_PAIRING_REFS]; /* owned */
	size_t nrefs, next_ref;
	struct wa_timer qr_timer;
	bool offered;   /* pair-device came */
	bool succeeded; /* pair-success answered: a restart follows */
	struct state_op op;
	bool op_active;
	struct buf reply; /* owned: encoded pair-device-sign */
	struct paircode code;
	struct passkey passkey;
};

/* The state, made if there is none. */
struct pairing *pairing_of(struct wa_client *client);
/* QR text once more, after the secret in it has changed. */
void pair_show_again(struct wa_client *client);
/* A new ADV secret, stored, then shown. */
void pair_new_secret(struct wa_client *client);
void pair_wait_restart(struct wa_client *client);
/* The 8 characters of 5 bytes: 5 bits each in an alphabet without look-alikes. */
void pairing_base32(const uint8_t bytes[5], char out[PAIRING_CODE_LEN + 1]);

/* The server offered pairing: a code that was wanted before can be asked for. */
void paircode_ready(struct wa_client *client);
bool paircode_outstanding(const struct paircode *code);
/* True from the moment on when the phone knows the secret that this code leads to. */
bool paircode_accepted(const struct paircode *code);
void paircode_reset(struct wa_client *client, struct paircode *code);

bool passkey_outstanding(const struct passkey *passkey);
void passkey_reset(struct wa_client *client, struct passkey *passkey);

#endif
