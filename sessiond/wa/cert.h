/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The certificate chain that the server proves itself with inside the Noise handshake:
 *
 *     root key (built in) --signs--> intermediate --signs--> leaf, whose key must be the server's Noise static key
 *
 * Source: whatsmeow handshake.go, whatsapp-rust (checks of both together).
 */
#ifndef SESSIOND_WA_CERT_H
#define SESSIOND_WA_CERT_H

#include <stdint.h>

#include "common/buf.h"

enum cert_error {
	CERT_OK = 0,
	CERT_BROKEN = -1,       /* fields are missing or have the wrong length */
	CERT_ROOT = -2,         /* the root key did not sign the intermediate certificate */
	CERT_ISSUER = -3,       /* issuer serial numbers do not match */
	CERT_LEAF = -4,         /* the intermediate key did not sign the leaf certificate */
	CERT_KEY = -5,          /* the leaf is for another server key */
	CERT_NOT_YET = -6,      /* by our clock not valid yet */
	CERT_EXPIRED = -7       /* by our clock not valid any more */
};

/* A line for people; the two about time mention the clock. */
const char *cert_error_text(int error);

/* Checks everything. now_s: wall clock in seconds. */
int cert_verify(struct span chain, const uint8_t server_static[32], const uint8_t root_key[32], int64_t now_s);

#endif
